// Suppliers: others who release images for some paths, with keys of their own. A supplier has a repository like this
// one; what its targets role signed there is, byte for byte, the file of a delegated role here (specification 4.5), so
// that its keys never come here and ours never go there.
import type { Chain } from './chain.ts';
import { type ErrorCode, RepositoryError } from './errors.ts';
import { keyId, keyMaterial, type PublicKey } from './keys.ts';
import { checkText, MAX_HARDWARE_ID, MAX_NAME } from './limits.ts';
import {
  type AgreedRoles,
  type DelegatedRole,
  type Delegation,
  type Delegations,
  ROLES,
  type Role,
  type Root,
  rolesOf,
  type Target,
} from './metadata.ts';
import type { Supplied } from './publication.ts';
import { coversBoards, coversPath } from './search.ts';
import { safePath } from './verify.ts';

export interface SupplierInput {
  /** 1 to 31 letters, digits and `. _ ~ + -`: the name of the delegated role. */
  readonly name: string;
  /** The supplier's root, from which its keys are followed. */
  readonly root: Uint8Array;
  /** Patterns of paths, in which `*` and `?` stand for no slash. */
  readonly paths: readonly string[];
  /** The boards that it may release for; left out: any. */
  readonly hardwareIds?: readonly string[];
  /** Nobody that is delegated to later may release these paths. */
  readonly terminating?: boolean;
}

/** A supplier as the targets role names it, and what came of it so far. */
export interface Supplier extends DelegatedRole {
  /** The version that clients see; 0: none yet. */
  readonly version: number;
  /** What it lists counts where so many suppliers of this delegation say the same. */
  readonly agreement?: { readonly name: string; readonly least: number };
}

/** Suppliers that release together: what enough of them say the same of (TAP 3). */
export interface AgreementInput extends Omit<SupplierInput, 'root'> {
  /** Suppliers that are delegated to already. Of two things that enough of them say, the first in this order wins. */
  readonly suppliers: readonly string[];
  /** How many of them must say the same, at least 2. */
  readonly least: number;
}

const MAX_PATTERNS = 32;
const PATTERN = /^[A-Za-z0-9._~+*?-]+(\/[A-Za-z0-9._~+*?-]+)*$/;

/** Those that the newest targets delegate to. */
export function suppliersOf({ targets, snapshot }: Chain): Supplier[] {
  return (targets.signed.delegations?.roles ?? []).flatMap((delegation) =>
    rolesOf(delegation).map(([name, { keyids, threshold }]) => ({
      ...limitsOf(delegation),
      name,
      keyids,
      threshold,
      version: snapshot.signed.meta[`${name}.json`]?.version ?? 0,
      ...('roleinfo' in delegation && {
        agreement: { name: delegation.name, least: delegation.min_roles_in_agreement },
      }),
    })),
  );
}

/** All of a delegation but who signs. */
function limitsOf(delegation: DelegatedRole | AgreedRoles): Delegation {
  if ('roleinfo' in delegation) {
    const { roleinfo: _, min_roles_in_agreement: __, ...limits } = delegation;
    return limits;
  }
  const { keyids: _, threshold: __, ...limits } = delegation;
  return limits;
}

/** Refuses (`bad-argument`) what no device or no path could carry, and a name that is taken. */
export function checkSupplier(input: Omit<SupplierInput, 'root'>, known: readonly Supplier[]): void {
  checkText('the name', input.name, MAX_NAME);
  if (ROLES.some((role) => role === input.name)) throw bad(`a supplier cannot be called ${input.name}`);
  if (known.some(({ name, agreement }) => name === input.name || agreement?.name === input.name))
    throw bad(`there is a supplier ${input.name} already; remove it first to change what it may release`);
  if (input.paths.length === 0 || input.paths.length > MAX_PATTERNS)
    throw bad(`a supplier releases 1 to ${MAX_PATTERNS} patterns of paths`);
  for (const path of input.paths)
    if (!PATTERN.test(path) || path.split('/').some((part) => part === '.' || part === '..'))
      throw bad(`"${path}" is no pattern of paths, like radio/radio-1/*/*`);
  for (const id of input.hardwareIds ?? []) checkText('the hardware id', id, MAX_HARDWARE_ID);
}

/** Refuses suppliers that are not known, or are in an agreement already, and a number of them that guards nothing. */
export function checkAgreement(input: AgreementInput, known: readonly Supplier[]): void {
  checkSupplier(input, known);
  const { suppliers, least } = input;
  for (const supplier of suppliers) {
    const found = known.find(({ name }) => name === supplier);
    if (found === undefined) throw bad(`there is no supplier ${supplier}; add it first`);
    if (found.agreement !== undefined) throw bad(`${supplier} has agreed in ${found.agreement.name} already`);
  }
  if (new Set(suppliers).size < suppliers.length) throw bad('a supplier is named twice');
  if (!Number.isInteger(least) || least < 2 || least > suppliers.length)
    throw bad(`of ${suppliers.length} suppliers 2 or more must agree, and not ${least}`);
}

/** The delegations with one to several suppliers in place of those that each of them had alone. */
export function withAgreement(delegations: Delegations | undefined, input: AgreementInput): Delegations {
  const { name, suppliers, least, paths, hardwareIds, terminating = false } = input;
  const roles = delegations?.roles ?? [];
  const alone = roles.filter((role): role is DelegatedRole => !('roleinfo' in role));
  const members = suppliers.flatMap((supplier) => alone.find((role) => role.name === supplier) ?? []);
  const agreed: AgreedRoles = {
    name,
    paths,
    terminating,
    ...(hardwareIds !== undefined && { hardwareIds }),
    min_roles_in_agreement: least,
    roleinfo: members.map(({ name: rolename, keyids, threshold }) => ({ rolename, keyids, threshold })),
  };
  // Where one of them was still delegated to alone, its own word would do.
  const others = roles.filter((role) => !members.some((member) => member === role));
  return rebuilt([...others, agreed], delegations?.keys ?? {});
}

/** The delegations with one more, the last in their order; `signer` are the keys that its root gives to targets. */
export function withSupplier(
  delegations: Delegations | undefined,
  input: SupplierInput,
  signer: Signer,
): Delegations {
  const role: DelegatedRole = {
    name: input.name,
    ...signer.role,
    paths: input.paths,
    terminating: input.terminating ?? false,
    ...(input.hardwareIds !== undefined && { hardwareIds: input.hardwareIds }),
  };
  return rebuilt([...(delegations?.roles ?? []), role], { ...delegations?.keys, ...signer.keys });
}

/** `name`: of a supplier, or of an agreement, with all who are in it. */
export function withoutSupplier(delegations: Delegations | undefined, name: string): Delegations {
  const left = (delegations?.roles ?? [])
    .filter((role) => role.name !== name)
    .map((role) =>
      'roleinfo' in role
        ? { ...role, roleinfo: role.roleinfo.filter(({ rolename }) => rolename !== name) }
        : role,
    );
  for (const role of left)
    if ('roleinfo' in role && role.roleinfo.length < role.min_roles_in_agreement)
      throw bad(
        `without ${name} too few are left of ${role.name}, of whom ${role.min_roles_in_agreement} must agree; remove ${role.name}`,
      );
  return rebuilt(left, delegations?.keys ?? {});
}

/** The delegations with the keys that a supplier's own root names now; undefined: they are those already. */
export function withKeysOf(
  delegations: Delegations | undefined,
  name: string,
  signer: Signer,
): Delegations | undefined {
  const roles = delegations?.roles ?? [];
  const [, role] = roles.flatMap(rolesOf).find(([candidate]) => candidate === name) ?? [];
  const same = role?.threshold === signer.role.threshold && sameSet(role.keyids, signer.role.keyids);
  if (same) return undefined;
  const rekeyed = <R extends Role>(candidate: string, one: R): R =>
    candidate === name ? { ...one, ...signer.role } : one;
  return rebuilt(
    roles.map((one) =>
      'roleinfo' in one
        ? { ...one, roleinfo: one.roleinfo.map((member) => rekeyed(member.rolename, member)) }
        : rekeyed(one.name, one),
    ),
    { ...delegations?.keys, ...signer.keys },
  );
}

/** Only keys that a role uses are listed. Refuses (`key-shared`) one key that is to agree with itself. */
function rebuilt(roles: NonNullable<Delegations['roles']>, keys: Delegations['keys']): Delegations {
  for (const role of roles) {
    const signers = rolesOf(role).flatMap(([, { keyids }]) => keyids);
    if (new Set(signers).size < signers.length)
      throw new RepositoryError('key-shared', `two suppliers of ${role.name} sign with one key`);
  }
  const used = new Set(roles.flatMap(rolesOf).flatMap(([, { keyids }]) => keyids));
  return { keys: Object.fromEntries(Object.entries(keys).filter(([id]) => used.has(id))), roles };
}

/** Whose signatures the targets role of a supplier's repository needs. */
export interface Signer {
  readonly role: Role;
  readonly keys: Readonly<Record<string, PublicKey>>;
}

/** Refuses (`key-shared`) a supplier that holds a key of this repository: it could sign more than its paths. */
export function signerOf({ keys, roles }: Root, own: Root): Signer {
  const { keyids, threshold } = roles.targets;
  const ours = new Set(Object.values(own.keys).map(keyMaterial));
  const theirs = keyids.flatMap((id) => keys[id] ?? []);
  if (theirs.some((key) => ours.has(keyMaterial(key))))
    throw new RepositoryError('key-shared', 'the supplier signs with a key of this repository');
  const named = theirs.map((key) => [keyId(key), key] as const);
  return { role: { keyids: named.map(([id]) => id), threshold }, keys: Object.fromEntries(named) };
}

/** What a supplier released since; undefined: nothing. Refuses what its delegation does not cover. */
export function suppliedBy(supplier: Supplier, theirs: Chain, own: Chain): Supplied | undefined {
  const { signed, bytes } = theirs.targets;
  if (signed.version === supplier.version) return undefined;
  if (signed.version < supplier.version)
    throw fault(
      'version-mismatch',
      `${supplier.name} offers version ${signed.version} after ${supplier.version}`,
    );
  if (signed.delegations !== undefined)
    throw fault(
      'metadata-invalid',
      `${supplier.name} delegates further, to roles that nobody would find here`,
    );
  for (const [path, target] of Object.entries(signed.targets)) {
    if (path in own.targets.signed.targets)
      throw fault('metadata-invalid', `${path} of ${supplier.name} is a path of this repository`);
    assertCovered(supplier, safePath(path), target);
  }
  return { role: supplier.name, version: signed.version, bytes };
}

/** A client would pass over what is not covered; better that its supplier hears of it. */
function assertCovered(role: Supplier, path: string, target: Target): void {
  const { name, paths = [], hardwareIds = [] } = role;
  if (!coversPath(role, path))
    throw fault('metadata-invalid', `${name} may release ${paths.join(', ')}, and not ${path}`);
  if (!coversBoards(role, target))
    throw fault(
      'metadata-invalid',
      `${name} may release for ${hardwareIds.join(', ')} alone, and ${path} is for others`,
    );
}

function sameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item) => other.includes(item));
}

function bad(message: string): RepositoryError {
  return new RepositoryError('bad-argument', message);
}

function fault(code: ErrorCode, message: string): RepositoryError {
  return new RepositoryError(code, message);
}
