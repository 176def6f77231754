// From bytes to typed metadata (specification 1.0.34, section 4). What passes here has the shape that the types
// promise; fields that are not known are kept, because signatures cover them.
import { RepositoryError } from './errors.ts';
import { type Json, parseJson } from './json.ts';
import type { PublicKey } from './keys.ts';
import {
  type Envelope,
  ROLES,
  type RoleName,
  type Root,
  type Snapshot,
  type Targets,
  type Timestamp,
} from './metadata.ts';
import { parseTime } from './time.ts';

type SignedOf = { root: Root; timestamp: Timestamp; snapshot: Snapshot; targets: Targets };
type JsonObject = { [name: string]: Json };

/** Reads a metadata file of the given role; `name` is for messages. Refuses with `metadata-invalid`. */
export function parseMetadata<R extends RoleName>(
  bytes: Uint8Array,
  role: R,
  name: string,
): Envelope<SignedOf[R]> {
  const check = new Check(name);
  const envelope = check.object(parseJson(bytes, name), 'the file');
  checkSignatures(envelope.signatures, check);
  const signed = check.object(envelope.signed, 'signed');
  checkCommon(signed, role, check);
  checkers[role](signed, check);
  return envelope as unknown as Envelope<SignedOf[R]>;
}

/** Reads a public key object, as in `keys/NAME.pub`. */
export function parsePublicKey(bytes: Uint8Array, name: string): PublicKey {
  const value = parseJson(bytes, name);
  checkKey(value, 'the key', new Check(name));
  return value as unknown as PublicKey;
}

/** Checks of single values; each names the field that is wrong. */
export class Check {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  fail(what: string): never {
    throw new RepositoryError('metadata-invalid', `${this.#name}: ${what}`);
  }

  object(value: Json | undefined, what: string): JsonObject {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      this.fail(`${what} is not an object`);
    return value;
  }

  array(value: Json | undefined, what: string): Json[] {
    if (!Array.isArray(value)) this.fail(`${what} is not an array`);
    return value;
  }

  string(value: Json | undefined, what: string): string {
    if (typeof value !== 'string') this.fail(`${what} is not a string`);
    return value;
  }

  integer(value: Json | undefined, least: number, what: string): number {
    if (typeof value !== 'number' || value < least) this.fail(`${what} is not an integer from ${least} up`);
    return value;
  }
}

const checkers: Record<RoleName, (signed: JsonObject, check: Check) => void> = {
  root: checkRoot,
  timestamp: checkTimestamp,
  snapshot: (signed, check) => checkMeta(signed, check),
  targets: checkTargets,
};

function checkSignatures(value: Json | undefined, check: Check): void {
  const seen = new Set<string>();
  for (const item of check.array(value, 'signatures')) {
    const signature = check.object(item, 'a signature');
    const id = check.string(signature.keyid, 'the keyid of a signature');
    check.string(signature.sig, 'the sig of a signature');
    if (seen.has(id)) check.fail(`key ${id} has two signatures`);
    seen.add(id);
  }
}

function checkCommon(signed: JsonObject, role: RoleName, check: Check): void {
  if (signed._type !== role) check.fail(`_type is not "${role}"`);
  const spec = check.string(signed.spec_version, 'spec_version');
  if (!/^1(\.\d+){1,2}$/.test(spec)) check.fail(`spec_version ${spec} is not 1.x`);
  check.integer(signed.version, 1, 'version');
  if (parseTime(check.string(signed.expires, 'expires')) === undefined) check.fail('expires is not a date');
}

function checkRoot(signed: JsonObject, check: Check): void {
  if (signed.consistent_snapshot !== true) check.fail('consistent_snapshot is not true');
  const keys = check.object(signed.keys, 'keys');
  for (const [id, key] of Object.entries(keys)) checkKey(key, `key ${id}`, check);
  const roles = check.object(signed.roles, 'roles');
  for (const name of ROLES) checkRole(check.object(roles[name], `role ${name}`), name, check);
  if (signed.custom !== undefined) checkTimeKeys(check.object(signed.custom, 'custom').timeKeys, check);
}

/** A device that reads others ends its checks there, until the next root. */
function checkTimeKeys(value: Json | undefined, check: Check): void {
  if (value === undefined) return;
  const keys = check.array(value, 'timeKeys');
  if (keys.length < 1 || keys.length > 4) check.fail('timeKeys are not 1 to 4');
  for (const key of keys)
    if (!/^[0-9a-f]{64}$/i.test(check.string(key, 'a time key'))) check.fail('a time key is not one');
}

function checkRole(role: JsonObject, name: string, check: Check): void {
  const ids = check
    .array(role.keyids, `keyids of role ${name}`)
    .map((id) => check.string(id, `a keyid of role ${name}`));
  if (new Set(ids).size !== ids.length) check.fail(`role ${name} has a key id twice`);
  const threshold = check.integer(role.threshold, 1, `threshold of role ${name}`);
  if (threshold > ids.length)
    check.fail(`role ${name} asks for ${threshold} signatures of ${ids.length} keys`);
}

function checkKey(value: Json, what: string, check: Check): void {
  const key = check.object(value, what);
  check.string(key.keytype, `keytype of ${what}`);
  check.string(key.scheme, `scheme of ${what}`);
  check.string(check.object(key.keyval, `keyval of ${what}`).public, `keyval.public of ${what}`);
}

function checkTimestamp(signed: JsonObject, check: Check): void {
  const names = Object.keys(checkMeta(signed, check));
  if (names.length !== 1 || names[0] !== 'snapshot.json')
    check.fail('meta does not list snapshot.json alone');
}

function checkMeta(signed: JsonObject, check: Check): JsonObject {
  const meta = check.object(signed.meta, 'meta');
  for (const [name, value] of Object.entries(meta)) {
    const file = check.object(value, `meta of ${name}`);
    check.integer(file.version, 1, `version of ${name}`);
    if (file.length !== undefined) check.integer(file.length, 1, `length of ${name}`);
    if (file.hashes !== undefined) checkHashes(file.hashes, name, check);
  }
  return meta;
}

function checkTargets(signed: JsonObject, check: Check): void {
  for (const [path, value] of Object.entries(check.object(signed.targets, 'targets'))) {
    const target = check.object(value, `target ${path}`);
    check.integer(target.length, 0, `length of ${path}`);
    checkHashes(target.hashes, path, check);
    if (target.custom !== undefined) check.object(target.custom, `custom of ${path}`);
  }
  if (signed.delegations !== undefined) checkDelegations(signed.delegations, check);
}

function checkDelegations(value: Json, check: Check): void {
  const { keys, roles, succinct_roles: succinct } = check.object(value, 'delegations');
  for (const [id, key] of Object.entries(check.object(keys, 'keys of delegations')))
    checkKey(key, `key ${id}`, check);
  if ((roles === undefined) === (succinct === undefined))
    check.fail('delegations has not one of roles and succinct_roles');
  if (succinct !== undefined) checkSuccinct(check.object(succinct, 'succinct_roles'), check);
  const names = check.array(roles ?? [], 'roles of delegations').map((role) => checkDelegated(role, check));
  // One name with two sets of keys could be signed by either.
  if (new Set(names).size < names.length) check.fail('a role is delegated to twice');
}

function checkSuccinct(role: JsonObject, check: Check): void {
  checkRole(role, 'succinct_roles', check);
  check.string(role.name_prefix, 'name_prefix');
  if (check.integer(role.bit_length, 1, 'bit_length') > 32) check.fail('bit_length is above 32');
}

function checkDelegated(value: Json, check: Check): string {
  const role = check.object(value, 'a delegated role');
  const name = check.string(role.name, 'the name of a delegated role');
  if (name === '' || ROLES.some((top) => top === name)) check.fail(`"${name}" cannot be delegated to`);
  if (role.roleinfo === undefined) checkRole(role, name, check);
  else checkAgreed(role, name, check);
  if (typeof role.terminating !== 'boolean') check.fail(`terminating of role ${name} is not true or false`);
  for (const field of ['paths', 'path_hash_prefixes', 'hardwareIds'])
    for (const text of check.array(role[field] ?? [], `${field} of role ${name}`))
      check.string(text, `${field} of role ${name}`);
  return name;
}

/** Several roles of which some must agree (TAP 3). */
function checkAgreed(role: JsonObject, name: string, check: Check): void {
  const roles = check.array(role.roleinfo, `roleinfo of ${name}`).map((item) => {
    const one = check.object(item, `a role of ${name}`);
    const rolename = check.string(one.rolename, `the name of a role of ${name}`);
    if (rolename === '' || ROLES.some((top) => top === rolename))
      check.fail(`"${rolename}" cannot be delegated to`);
    checkRole(one, rolename, check);
    return rolename;
  });
  // One role, listed twice, would agree with itself.
  if (new Set(roles).size < roles.length) check.fail(`${name} lists a role twice`);
  const least = check.integer(role.min_roles_in_agreement, 1, `min_roles_in_agreement of ${name}`);
  if (least > roles.length) check.fail(`${name} asks for ${least} of ${roles.length} roles to agree`);
}

function checkHashes(value: Json | undefined, what: string, check: Check): void {
  const hashes = Object.entries(check.object(value, `hashes of ${what}`));
  if (hashes.length === 0) check.fail(`hashes of ${what} is empty`);
  for (const [name, digest] of hashes) check.string(digest, `${name} of ${what}`);
}
