// TUF metadata (specification 1.0.34, section 4): its types and plain builders. Builders do what they are told, so
// that an attacker can be played with them; what may be signed is decided in publication.ts.
import { serialize } from './canonical.ts';
import { keyId, type PublicKey, sha256 } from './keys.ts';
import { formatTime } from './time.ts';

export const SPEC_VERSION = '1.0.34';

export const ROLES = ['root', 'timestamp', 'snapshot', 'targets'] as const;
export type RoleName = (typeof ROLES)[number];

/** Of a Director: what it signs beforehand, for vehicles that do not reach it (PURE-2). */
export const OFFLINE_ROLES = ['offline-snapshot', 'offline-targets'] as const;
export type OfflineRole = (typeof OFFLINE_ROLES)[number];

/** Hexadecimal digests by algorithm; this project writes `sha256` only. */
export type Hashes = Readonly<Record<string, string>>;

interface Common<T extends RoleName> {
  readonly _type: T;
  readonly spec_version: string;
  readonly version: number;
  /** `YYYY-MM-DDTHH:MM:SSZ` */
  readonly expires: string;
}

export interface Role {
  readonly keyids: readonly string[];
  readonly threshold: number;
}

export interface Root extends Common<'root'> {
  readonly consistent_snapshot: boolean;
  readonly keys: Readonly<Record<string, PublicKey>>;
  readonly roles: Readonly<Record<RoleName, Role> & Partial<Record<OfflineRole, Role>>>;
  /** `{ timeKeys }`: the keys of time servers. */
  readonly custom?: Readonly<Record<string, unknown>>;
}

/** What one metadata file says of another. */
export interface MetaFile {
  readonly version: number;
  readonly length?: number;
  readonly hashes?: Hashes;
}

export interface Timestamp extends Common<'timestamp'> {
  readonly meta: { readonly 'snapshot.json': MetaFile };
}

export interface Snapshot extends Common<'snapshot'> {
  readonly meta: Readonly<Record<string, MetaFile>>;
}

export interface Target {
  readonly length: number;
  readonly hashes: Hashes;
  readonly custom?: Readonly<Record<string, unknown>>;
}

/** What another targets role may list (specification 4.5). */
export interface Delegation {
  readonly name: string;
  /** Patterns, in which `*` and `?` stand for no slash; or `path_hash_prefixes`. */
  readonly paths?: readonly string[];
  readonly path_hash_prefixes?: readonly string[];
  readonly terminating: boolean;
  /** Uptane: for images of these hardware ids only; left out: of all. */
  readonly hardwareIds?: readonly string[];
}

/** A targets role that another one names, with the paths that it may list. */
export interface DelegatedRole extends Delegation, Role {}

/** Several of them under one name, of which some must say the same (TAP 3; docs/formats.md). */
export interface AgreedRoles extends Delegation {
  readonly min_roles_in_agreement: number;
  readonly roleinfo: readonly (Role & { readonly rolename: string })[];
}

export interface Delegations {
  readonly keys: Readonly<Record<string, PublicKey>>;
  readonly roles?: readonly (DelegatedRole | AgreedRoles)[];
  /** 2^`bit_length` roles that share their keys (TAP 15). */
  readonly succinct_roles?: Role & { readonly bit_length: number; readonly name_prefix: string };
}

export interface Targets extends Common<'targets'> {
  readonly targets: Readonly<Record<string, Target>>;
  readonly delegations?: Delegations;
  /** Uptane: `{ vehicleId }` in the Director's targets. */
  readonly custom?: Readonly<Record<string, unknown>>;
}

export type Signed = Root | Timestamp | Snapshot | Targets;

export interface Signature {
  readonly keyid: string;
  /** hexadecimal */
  readonly sig: string;
}

export interface Envelope<S extends Signed = Signed> {
  readonly signatures: readonly Signature[];
  readonly signed: S;
}

/** The roles that a delegation is to, by their names. */
export function rolesOf(delegation: DelegatedRole | AgreedRoles): [name: string, role: Role][] {
  if (!('roleinfo' in delegation)) return [[delegation.name, delegation]];
  return delegation.roleinfo.map(({ rolename, ...role }) => [rolename, role]);
}

/** The version of a file and the second at which it expires. */
export interface Stamp {
  readonly version: number;
  readonly expires: number;
}

export interface RoleKeys {
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
}

export function buildRoot(stamp: Stamp, roles: Readonly<Record<RoleName, RoleKeys>>): Root {
  const all = ROLES.flatMap((role) => roles[role].keys);
  const role = (name: RoleName): Role => ({
    keyids: roles[name].keys.map(keyId),
    threshold: roles[name].threshold,
  });
  return {
    ...common('root', stamp),
    consistent_snapshot: true,
    keys: Object.fromEntries(all.map((key) => [keyId(key), key])),
    roles: {
      root: role('root'),
      timestamp: role('timestamp'),
      snapshot: role('snapshot'),
      targets: role('targets'),
    },
  };
}

export function buildTargets(
  stamp: Stamp,
  targets: Readonly<Record<string, Target>>,
  delegations?: Delegations,
): Targets {
  return { ...common('targets', stamp), targets, ...(delegations && { delegations }) };
}

/** `meta` by file name: `{ 'targets.json': metaFile(bytes, version) }`. */
export function buildSnapshot(stamp: Stamp, meta: Readonly<Record<string, MetaFile>>): Snapshot {
  return { ...common('snapshot', stamp), meta };
}

export function buildTimestamp(stamp: Stamp, snapshot: MetaFile): Timestamp {
  return { ...common('timestamp', stamp), meta: { 'snapshot.json': snapshot } };
}

/** Length, SHA-256 and version of a metadata file, as the file above it lists them. */
export function metaFile(bytes: Uint8Array, version: number): MetaFile {
  return { hashes: { sha256: sha256(bytes) }, length: bytes.length, version };
}

/** The bytes of a metadata file on disk. */
export function envelopeBytes(envelope: Envelope): Uint8Array {
  return serialize(envelope);
}

/** Its name under `metadata/`: the timestamp never carries its version (specification 6.2). */
export function metadataName(role: RoleName, version: number): string {
  return role === 'timestamp' ? 'timestamp.json' : `${version}.${role}.json`;
}

/** The same for a delegated role, which may have any name. */
export function delegatedName(role: string, version: number): string {
  return `${version}.${encodeURIComponent(role)}.json`;
}

/** Where a target's bytes lie under `targets/`: `DIR/SHA256.NAME` (specification 6.2). */
export function targetFileName(path: string, sha256Hex: string): string {
  const slash = path.lastIndexOf('/') + 1;
  return `${path.slice(0, slash)}${sha256Hex}.${path.slice(slash)}`;
}

function common<T extends RoleName>(type: T, { version, expires }: Stamp): Common<T> {
  return { _type: type, spec_version: SPEC_VERSION, version, expires: formatTime(expires) };
}
