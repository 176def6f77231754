// A repository on disk: what may be done with it, and in which order its files change.
import type { Random, SigningKey } from './keys.ts';
import type { RoleName } from './metadata.ts';
import type { Clock } from './time.ts';

export interface RoleOptions {
  /** How many keys to generate, 1 to 20. */
  readonly keys: number;
  /** How many of them must sign, 1 to `keys`. */
  readonly threshold: number;
}

/** Asked once for each encrypted key file. */
export type Passphrase = (keyName: string) => string | Promise<string>;

export interface OpenOptions {
  /** Seconds since 1970; the system's clock when left out. */
  readonly clock?: Clock;
  /** Needed to sign with keys that are encrypted, and to encrypt new ones. */
  readonly passphrase?: Passphrase;
  /** Seeded: key generation replays. */
  readonly random?: Random;
}

export interface CreateOptions extends OpenOptions {
  /** The folder's name when left out. */
  readonly name?: string;
  /** Defaults: root 2 of 3, targets 1 of 2, snapshot and timestamp 1 of 1. */
  readonly roles?: Partial<Record<RoleName, RoleOptions>>;
  /** Seconds for which a signature of each role holds. Defaults: 365, 90, 7 and 1 days. */
  readonly expiry?: Partial<Record<RoleName, number>>;
  /** true: keys are encrypted under the passphrase; false: they lie open, for demos and tests. */
  readonly encrypt: boolean;
  /** Put before the name of each key file, to mark demo keys as such. */
  readonly keyPrefix?: string;
}

export interface ReleaseInput {
  /** A file, or bytes with the file name to publish them under. */
  readonly image: string | { readonly bytes: Uint8Array; readonly name: string };
  readonly component: string;
  readonly version: string;
  readonly hardwareIds: readonly string[];
  /** Left out: the last of this component + 1. */
  readonly releaseCounter?: number;
  /** Left out: that of the component's last release. */
  readonly securityCounter?: number;
  /** Called as bytes are hashed and copied. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A release as its record in `releases/` states it. */
export interface Release {
  /** The target path, `COMPONENT/HARDWARE/VERSION/FILE`. */
  readonly path: string;
  readonly length: number;
  readonly sha256: string;
  readonly component: string;
  readonly version: string;
  readonly hardwareIds: readonly string[];
  readonly releaseCounter: number;
  readonly securityCounter: number;
}

/** What a publish, refresh or rotation wrote. */
export interface Publication {
  /** The roles that were signed anew, with their new versions and expiries (seconds). */
  readonly roles: readonly { readonly role: RoleName; readonly version: number; readonly expires: number }[];
  /** Releases that clients now see and did not before, and the other way round (target paths). */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export interface KeyStatus {
  readonly id: string;
  /** The name of its file in `keys/`; undefined: not in this repository's folder. */
  readonly name: string | undefined;
  /** The private half is at hand. */
  readonly held: boolean;
  /** Its signature on the current file holds. */
  readonly signed: boolean;
}

export interface RoleStatus {
  readonly role: RoleName;
  readonly version: number;
  /** Seconds since 1970. */
  readonly expires: number;
  readonly expired: boolean;
  readonly threshold: number;
  readonly keys: readonly KeyStatus[];
  /** Signatures that the current file still lacks. */
  readonly missing: number;
}

export interface RepositoryStatus {
  readonly name: string;
  /** The second that expiry was judged at. */
  readonly at: number;
  readonly roles: readonly RoleStatus[];
  readonly published: readonly Release[];
  /** Added, but not published yet. */
  readonly staged: readonly Release[];
  readonly warnings: readonly string[];
}

/** Every method refuses with a `RepositoryError` and then has changed nothing that clients see. */
export interface Repository {
  readonly directory: string;
  /** What a plain web server serves: `metadata/` and `targets/`. */
  readonly publicDirectory: string;
  readonly name: string;
  /** The bytes of a root file, to provision devices with; the newest when no version is given. */
  root(version?: number): Promise<Uint8Array>;
  releases(): Promise<Release[]>;
  /** Stages a release; clients see it with the next publish. */
  addRelease(input: ReleaseInput): Promise<Release>;
  /** Signs targets, snapshot and timestamp anew, over exactly the releases in `releases/`. */
  publish(): Promise<Publication>;
  /** Extends a role's time without changing targets: `snapshot` (the default) signs snapshot and timestamp anew,
   * `timestamp` only that, `root` a new root version with the same keys. */
  refresh(role?: 'root' | 'snapshot' | 'timestamp'): Promise<Publication>;
  /** Replaces all keys of a role by new ones: a new root version, signed by the old and the new root keys. */
  rotateKeys(role: RoleName): Promise<Publication>;
  status(at?: number): Promise<RepositoryStatus>;
  /** A role's keys of the current root whose private half is at hand. What a thief of this folder holds. */
  signingKeys(role: RoleName): Promise<SigningKey[]>;
}

/** Makes the folder, its keys and a first, empty, valid version of all metadata; whole or not at all. */
export async function createRepository(_directory: string, _options: CreateOptions): Promise<Repository> {
  throw new Error('being written');
}

export async function openRepository(_directory: string, _options: OpenOptions = {}): Promise<Repository> {
  throw new Error('being written');
}
