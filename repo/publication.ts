// What a change writes, and in which order. A client sees a new state when `timestamp.json` is renamed into place;
// all that it names is there before. A new root is seen as soon as its file exists, so it comes last, and what the
// rotated role signs is signed by the old and the new keys: whichever root a client has, the rest holds.
//
// A power cut between two writes leaves versioned files that nothing names. Their versions are never used again
// (`highest`), so no version is ever signed with two contents.
import { join } from 'node:path';
import type { Chain, Loaded } from './chain.ts';
import { RepositoryError } from './errors.ts';
import type { FileWrite } from './files.ts';
import { keyMaterial, type PublicKey, type SigningKey } from './keys.ts';
import {
  buildRoot,
  buildSnapshot,
  buildTargets,
  buildTimestamp,
  type Delegations,
  delegatedName,
  envelopeBytes,
  type MetaFile,
  metadataName,
  metaFile,
  ROLES,
  type Role,
  type RoleKeys,
  type RoleName,
  type Root,
  type Signed,
  type Stamp,
  type Target,
} from './metadata.ts';
import { sign } from './signing.ts';
import { formatTime } from './time.ts';
import { withTimeKeys } from './timekeys.ts';
import { expiryOf } from './verify.ts';

const MAX_KEYS = 20;

export interface SignedRole {
  readonly role: RoleName;
  readonly version: number;
  /** Seconds since 1970. */
  readonly expires: number;
}

/** Files in the order in which they must appear, and what they mean. */
export interface Plan {
  readonly writes: readonly FileWrite[];
  readonly roles: readonly SignedRole[];
}

/** What there is to plan with. */
export interface Situation {
  readonly chain: Chain;
  readonly metadata: string;
  /** Seconds since 1970. */
  readonly now: number;
  /** Seconds that a new signature of each role holds. */
  readonly expiry: Readonly<Record<RoleName, number>>;
  /** The highest version of each role that any file has ever carried. */
  readonly highest: Readonly<Record<RoleName, number>>;
  /** Unlocks as many keys of a role as its threshold asks for; fewer when fewer are at hand. */
  readonly unlock: (role: Role) => Promise<SigningKey[]>;
  /** Names the keys of a role that are not at hand. */
  readonly absent: (role: Role) => string[];
}

export async function planPublish(s: Situation, targets: Readonly<Record<string, Target>>): Promise<Plan> {
  assertFresh(s, [s.chain.root], 'moult refresh root');
  return new Draft(s).targets(targets);
}

export async function planRefresh(s: Situation, role: 'root' | 'snapshot' | 'timestamp'): Promise<Plan> {
  const { root, targets, snapshot } = s.chain;
  if (role === 'root') return new Draft(s).root(root.signed);
  assertFresh(s, [root], 'moult refresh root');
  assertFresh(s, [targets], 'moult publish');
  if (role === 'snapshot') return new Draft(s).snapshot(snapshot.signed.meta);
  assertFresh(s, [snapshot], 'moult refresh snapshot');
  return new Draft(s).timestamp(s.chain.timestamp.signed.meta['snapshot.json']);
}

/** A file of a delegated role as its supplier signed it. */
export interface Supplied {
  readonly role: string;
  readonly version: number;
  readonly bytes: Uint8Array;
}

/**
 * Takes in what a supplier signed, changes who is delegated to, or both. What the snapshot lists stays listed when a
 * role is delegated to no more: clients refuse a snapshot in which a file vanishes (5.5.5).
 */
export async function planDelegation(
  s: Situation,
  delegations: Delegations | undefined,
  supplied?: Supplied,
): Promise<Plan> {
  assertFresh(s, [s.chain.root], 'moult refresh root');
  const draft = new Draft(s);
  if (supplied !== undefined) draft.supply(supplied);
  const { targets, snapshot } = s.chain;
  if (delegations !== undefined) return draft.targets(targets.signed.targets, delegations);
  assertFresh(s, [targets], 'moult publish');
  return draft.snapshot(snapshot.signed.meta);
}

/**
 * Snapshot and timestamp that hold for so many seconds, for a bundle alone, and those that follow them online: so no
 * version has two contents, and a device that took the bundle goes on online. What is online keeps its short life.
 */
export async function planBundle(s: Situation, lifetime: number): Promise<{ bundle: Plan; online: Plan }> {
  for (const file of [s.chain.root, s.chain.targets]) assertLasts(file, s.now + lifetime);
  const expiry = { ...s.expiry, snapshot: lifetime, timestamp: lifetime };
  const bundle = await planRefresh({ ...s, expiry }, 'snapshot');
  const { snapshot, timestamp } = s.highest;
  const highest = { ...s.highest, snapshot: snapshot + 1, timestamp: timestamp + 1 };
  return { bundle, online: await planRefresh({ ...s, highest }, 'snapshot') };
}

/** Gives a role other keys. */
export async function planRotation(s: Situation, role: RoleName, next: RoleKeys): Promise<Plan> {
  assertDistinct(s.chain.root.signed, role, next);
  const { timestamp, snapshot, targets, root } = s.chain;
  const roles = Object.fromEntries(
    ROLES.map((name) => [name, name === role ? next : keysOf(root.signed, name)]),
  );
  const newRoot: Root = {
    ...buildRoot({ version: 1, expires: s.now }, roles as Record<RoleName, RoleKeys>),
    ...(root.signed.custom && { custom: root.signed.custom }),
  };
  const draft = new Draft(s, newRoot);
  if (role === 'timestamp') await draft.timestamp(timestamp.signed.meta['snapshot.json']);
  if (role === 'snapshot') await draft.snapshot(snapshot.signed.meta);
  if (role === 'targets') await draft.targets(targets.signed.targets);
  return draft.root(newRoot);
}

/** A new root that names other time keys; no role changes. */
export async function planTimeKeys(s: Situation, keys: readonly PublicKey[]): Promise<Plan> {
  return new Draft(s).root(withTimeKeys(s.chain.root.signed, keys));
}

/** How many keys a role can have, and that its threshold can be met (`bad-argument`). */
export function checkRoleSize(role: RoleName, keys: number, threshold: number): void {
  if (!Number.isInteger(keys) || keys < 1 || keys > MAX_KEYS) {
    throw new RepositoryError('bad-argument', `${role} can have 1 to ${MAX_KEYS} keys, not ${keys}`);
  }
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > keys) {
    const what = `the threshold of ${role} must be 1 to ${keys}, its number of keys`;
    throw new RepositoryError('bad-argument', `${what}, not ${threshold}`);
  }
}

/** The four top-level roles of the very first state. */
export async function planFirst(
  s: Omit<Situation, 'chain'>,
  roles: Readonly<Record<RoleName, RoleKeys>>,
): Promise<Plan> {
  const root = buildRoot({ version: 1, expires: s.now }, roles);
  const draft = new Draft(s, root);
  await draft.targets({});
  return draft.root(root);
}

class Draft implements Plan {
  readonly writes: FileWrite[] = [];
  readonly roles: SignedRole[] = [];
  readonly #s: Omit<Situation, 'chain'> & { readonly chain?: Chain };
  /** The root that holds when the plan is carried out; differs from the chain's when it changes. */
  readonly #next: Root | undefined;
  readonly #supplied: Record<string, MetaFile> = {};

  constructor(s: Omit<Situation, 'chain'> & { readonly chain?: Chain }, next?: Root) {
    this.#s = s;
    this.#next = next;
  }

  /** `delegations`: as they are when left out. */
  async targets(
    targets: Readonly<Record<string, Target>>,
    delegations = this.#s.chain?.targets.signed.delegations,
  ): Promise<this> {
    const stamp = this.#stamp('targets');
    const listed = await this.#add(buildTargets(stamp, targets, delegations), stamp);
    return this.snapshot({ ...this.#s.chain?.snapshot.signed.meta, 'targets.json': listed });
  }

  /** The next snapshot lists it. */
  supply({ role, version, bytes }: Supplied): void {
    this.writes.push({ path: join(this.#s.metadata, delegatedName(role, version)), bytes, replace: false });
    this.#supplied[`${role}.json`] = metaFile(bytes, version);
  }

  async snapshot(meta: Readonly<Record<string, MetaFile>>): Promise<this> {
    const stamp = this.#stamp('snapshot');
    return this.timestamp(await this.#add(buildSnapshot(stamp, { ...meta, ...this.#supplied }), stamp));
  }

  async timestamp(snapshot: MetaFile): Promise<this> {
    const stamp = this.#stamp('timestamp');
    await this.#add(buildTimestamp(stamp, snapshot), stamp);
    return this;
  }

  async root(content: Root): Promise<this> {
    const stamp = this.#stamp('root');
    await this.#add({ ...content, version: stamp.version, expires: formatTime(stamp.expires) }, stamp);
    return this;
  }

  /** One second of now for all roles; the version after the highest that was ever written. */
  #stamp(role: RoleName): Stamp {
    return { version: this.#s.highest[role] + 1, expires: this.#s.now + this.#s.expiry[role] };
  }

  async #add(signed: Signed, stamp: Stamp): Promise<MetaFile> {
    const role = signed._type;
    const bytes = envelopeBytes(sign(signed, await this.#signers(role)));
    const path = join(this.#s.metadata, metadataName(role, stamp.version));
    this.writes.push({ path, bytes, replace: role === 'timestamp' });
    this.roles.push({ role, ...stamp });
    return metaFile(bytes, stamp.version);
  }

  /** The threshold of the root that will hold, and of the one that still does: a new root must have both, a role
   * under a new root gets the old signatures as far as the old keys are at hand. */
  async #signers(role: RoleName): Promise<SigningKey[]> {
    const old = this.#s.chain?.root.signed.roles[role];
    const next = this.#next?.roles[role] ?? old;
    const signers = new Map<string, SigningKey>();
    for (const [keys, needed] of [[old, next === old || role === 'root'] as const, [next, true] as const]) {
      if (keys === undefined) continue;
      const found = await this.#s.unlock(keys);
      if (needed && found.length < keys.threshold)
        throw tooFewKeys(role, keys, found.length, this.#s.absent(keys));
      for (const key of found) signers.set(key.id, key);
    }
    return [...signers.values()];
  }
}

function keysOf(root: Root, role: RoleName): RoleKeys {
  const { keyids, threshold } = root.roles[role];
  return { keys: keyids.flatMap((id) => root.keys[id] ?? []), threshold };
}

function assertFresh(s: Pick<Situation, 'now'>, files: readonly Loaded[], remedy: string): void {
  for (const file of files) {
    if (expiryOf(file) > s.now) continue;
    const what = `${file.signed._type} ${file.signed.version} expired at ${formatTime(expiryOf(file))}`;
    throw new RepositoryError('expired', `${what}; renew it first: ${remedy}`);
  }
}

/** Whatever has expired, no device takes: a bundle of it would be of no use. */
export function assertBundleable(s: Situation): void {
  const { root, targets, snapshot, timestamp } = s.chain;
  assertFresh(s, [root], 'moult refresh root');
  assertFresh(s, [targets], 'moult publish');
  assertFresh(s, [snapshot, timestamp], 'moult refresh');
}

function assertLasts(file: Loaded, until: number): void {
  if (expiryOf(file) >= until) return;
  const { _type: role, version } = file.signed;
  const what = `${role} ${version} expires at ${formatTime(expiryOf(file))}, before the bundle would`;
  const remedy = role === 'root' ? 'moult refresh root' : 'moult publish';
  throw new RepositoryError('bad-argument', `${what}; renew it first (${remedy}), or take less time`);
}

/** A key that serves two top-level roles takes the separation of roles away. */
function assertDistinct(root: Root, role: RoleName, next: RoleKeys): void {
  const own = next.keys.map(keyMaterial);
  if (new Set(own).size < own.length)
    throw new RepositoryError('key-shared', `a key is given twice for ${role}`);
  for (const other of ROLES.filter((name) => name !== role)) {
    if (keysOf(root, other).keys.some((key: PublicKey) => own.includes(keyMaterial(key)))) {
      throw new RepositoryError(
        'key-shared',
        `a key of ${other} cannot also sign ${role}: give each role its own keys`,
      );
    }
  }
}

function tooFewKeys(role: RoleName, keys: Role, found: number, absent: readonly string[]): RepositoryError {
  const text = `${role} needs ${keys.threshold} signatures and ${found} of its keys are here`;
  return new RepositoryError(
    'signatures-missing',
    `${text}; bring the private half of ${absent.join(' or ')} to keys/`,
  );
}
