// A repository on disk: what may be done with it. At every instant the public folder is a complete, valid repository.
//
//   moult.toml   public/metadata/   public/targets/   releases/   keys/   .lock   .tmp/
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Chain, readChain } from './chain.ts';
import { type Config, DEFAULT_EXPIRY, DEFAULT_MAX_IMAGE_SIZE, formatConfig, parseConfig } from './config.ts';
import { type ErrorCode, messageOf, RepositoryError, systemCode } from './errors.ts';
import {
  digestOf,
  type FileWrite,
  openExisting,
  readChunks,
  readLimited,
  syncFolder,
  writeWhole,
} from './files.ts';
import { generateKey, keyMaterial, type Random, type SigningKey } from './keys.ts';
import { KeyStore, keyFiles, type Passphrase, type StoredKey } from './keystore.ts';
import { takeLock } from './lock.ts';
import { metadataName, ROLES, type Role, type RoleKeys, type RoleName, type Target } from './metadata.ts';
import {
  type Plan,
  planFirst,
  planPublish,
  planRefresh,
  planRotation,
  type SignedRole,
  type Situation,
} from './publication.ts';
import {
  asTarget,
  checkNew,
  checkTexts,
  chooseCounters,
  imageName,
  type Release,
  type ReleaseInput,
  readReleases,
  recordBytes,
  recordName,
  storeImage,
} from './release.ts';
import { folderSource } from './source.ts';
import { type Clock, systemClock } from './time.ts';
import { expiryOf } from './verify.ts';

export interface OpenOptions {
  /** Seconds since 1970; the system's clock when left out. */
  readonly clock?: Clock;
  /** Needed to sign with keys that are encrypted, and to encrypt new ones. */
  readonly passphrase?: Passphrase;
  /** Seeded: key generation replays. */
  readonly random?: Random;
}

export interface RoleOptions {
  /** How many keys to generate, 1 to 20. */
  readonly keys: number;
  /** How many of them must sign, 1 to `keys`. */
  readonly threshold: number;
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

/** What a publish, refresh or rotation wrote. */
export interface Publication {
  /** The roles that were signed anew, in the order in which they were written. */
  readonly roles: readonly SignedRole[];
  /** Target paths that clients now see and did not before, and the other way round. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export interface RotateOptions {
  /** Names of keys in `keys/`; left out: as many new ones as the role has. */
  readonly keys?: readonly string[];
  /** Left out: as it is. */
  readonly threshold?: number;
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
  /** Published, but no longer in `releases/`: the next publish withdraws these target paths. */
  readonly withdrawn: readonly string[];
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
  /** Replaces all keys of a role: a new root version, signed by the old and the new root keys. */
  rotateKeys(role: RoleName, options?: RotateOptions): Promise<Publication>;
  /** `at`: seconds since 1970, for a look ahead. */
  status(at?: number): Promise<RepositoryStatus>;
  /** A role's keys of the current root whose private half is at hand: what a thief of this folder holds. */
  signingKeys(role: RoleName): Promise<SigningKey[]>;
}

const CONFIG = 'moult.toml';
const CONFIG_LIMIT = 65_536;
const ROOT_LIMIT = 512_000;
const MAX_KEYS = 20;
const DEFAULT_ROLES: Readonly<Record<RoleName, RoleOptions>> = {
  root: { keys: 3, threshold: 2 },
  timestamp: { keys: 1, threshold: 1 },
  snapshot: { keys: 1, threshold: 1 },
  targets: { keys: 2, threshold: 1 },
};
const GITIGNORE = 'keys/*.pem\n.lock\n.tmp/\n';

/** Makes the folder, its keys and a first, empty, valid version of all metadata; whole or not at all. */
export async function createRepository(directory: string, options: CreateOptions): Promise<Repository> {
  const path = resolve(directory);
  if (!(await isFreeFolder(path))) {
    throw new RepositoryError('repository-exists', `${path} exists already and is not an empty folder`);
  }
  const roles = { ...DEFAULT_ROLES, ...options.roles };
  for (const role of ROLES) checkRole(role, roles[role]);
  await mkdir(dirname(path), { recursive: true });
  const draft = await mkdtemp(join(dirname(path), `.${basename(path)}-`));
  try {
    await writeFirstState(draft, basename(path), roles, options);
    // A temporary folder is its owner's alone; a web server may run as someone else. Keys have modes of their own.
    await chmod(draft, 0o777 & ~process.umask());
    await rename(draft, path);
    await syncFolder(dirname(path));
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return openRepository(path, options);
}

/** Refuses with `repository-missing` or `repository-corrupt`; metadata is read when it is needed. */
export async function openRepository(directory: string, options: OpenOptions = {}): Promise<Repository> {
  const path = resolve(directory);
  const text = await readLimited(join(path, CONFIG), CONFIG_LIMIT);
  if (text === undefined) {
    const hint = 'make one with "moult init NAME", or point to it with -C';
    throw new RepositoryError(
      'repository-missing',
      `${path} is not a moult repository (no ${CONFIG}); ${hint}`,
    );
  }
  return new DiskRepository(path, parseConfig(Buffer.from(text).toString(), join(path, CONFIG)), options);
}

class DiskRepository implements Repository {
  readonly directory: string;
  readonly publicDirectory: string;
  readonly #config: Config;
  readonly #options: OpenOptions;
  readonly #store: KeyStore;

  constructor(directory: string, config: Config, options: OpenOptions) {
    this.directory = directory;
    this.publicDirectory = join(directory, 'public');
    this.#config = config;
    this.#options = options;
    this.#store = new KeyStore(join(directory, 'keys'), options.passphrase);
  }

  get name(): string {
    return this.#config.name;
  }

  async root(version?: number): Promise<Uint8Array> {
    const name = metadataName('root', version ?? (await this.#highest()).root);
    const bytes = await readLimited(join(this.#metadata, name), ROOT_LIMIT);
    if (bytes === undefined)
      throw new RepositoryError('metadata-missing', `${name} is not in ${this.#metadata}`);
    return bytes;
  }

  releases(): Promise<Release[]> {
    return readReleases(join(this.directory, 'releases'));
  }

  addRelease(input: ReleaseInput): Promise<Release> {
    return this.#locked(async () => {
      checkTexts(input);
      const existing = await this.releases();
      checkNew(input, existing);
      const counters = chooseCounters(input, existing);
      const folders = { targets: join(this.publicDirectory, 'targets'), staging: this.#staging };
      const image = await storeImage(input, folders, this.#config.maxImageSize);
      const { component, version, hardwareIds } = input;
      const release: Release = { ...image, component, version, hardwareIds, ...counters };
      const path = join(this.directory, 'releases', recordName(release));
      await writeWhole(this.#staging, { path, bytes: recordBytes(release), replace: false });
      return release;
    });
  }

  publish(): Promise<Publication> {
    return this.#change(async (situation) => {
      const releases = await this.releases();
      const published = situation.chain.targets.signed.targets;
      for (const release of releases) await this.#assertImage(release, release.path in published);
      return planPublish(situation, targetsOf(releases));
    });
  }

  refresh(role: 'root' | 'snapshot' | 'timestamp' = 'snapshot'): Promise<Publication> {
    return this.#change((situation) => planRefresh(situation, role));
  }

  rotateKeys(role: RoleName, options: RotateOptions = {}): Promise<Publication> {
    return this.#change(async (situation, keys) => {
      const current = situation.chain.root.signed.roles[role];
      const threshold = options.threshold ?? current.threshold;
      const next = await this.#nextKeys(role, current, keys, options.keys);
      checkRole(role, { keys: next.length, threshold });
      const { unlock, absent } = this.#keysAtHand(await this.#store.list());
      return planRotation({ ...situation, unlock, absent }, role, {
        keys: next.map((key) => key.public),
        threshold,
      });
    });
  }

  async status(at: number = this.#now()): Promise<RepositoryStatus> {
    const chain = await this.#load(() => undefined);
    const keys = await this.#store.list();
    const releases = await this.releases();
    const published = chain.targets.signed.targets;
    return {
      name: this.name,
      at,
      roles: ROLES.map((role) => roleStatus(chain, role, keys, at)),
      published: releases.filter(({ path }) => path in published),
      staged: releases.filter(({ path }) => !(path in published)),
      withdrawn: Object.keys(published).filter((path) => !releases.some((release) => release.path === path)),
      warnings: sharedKeys(chain),
    };
  }

  async signingKeys(role: RoleName): Promise<SigningKey[]> {
    const chain = await this.#load(throwFault);
    const { keyids } = chain.root.signed.roles[role];
    const { unlock } = this.#keysAtHand(await this.#store.list());
    return unlock({ keyids, threshold: keyids.length });
  }

  get #metadata(): string {
    return join(this.publicDirectory, 'metadata');
  }

  get #staging(): string {
    return join(this.directory, '.tmp');
  }

  #now(): number {
    return (this.#options.clock ?? systemClock)();
  }

  /** Plans under the lock, on what is on disk now, and then writes. */
  #change(plan: (situation: Situation, keys: readonly StoredKey[]) => Promise<Plan>): Promise<Publication> {
    return this.#locked(async (assertHeld) => {
      const before = await this.#load(throwFault);
      const keys = await this.#store.list();
      const planned = await plan(
        {
          chain: before,
          metadata: this.#metadata,
          now: this.#now(),
          expiry: this.#config.expiry,
          highest: await this.#highest(before),
          ...this.#keysAtHand(keys),
        },
        keys,
      );
      await assertHeld();
      await applyPlan(this.#staging, planned);
      const after = await this.#load(throwFault);
      return { roles: planned.roles, ...difference(before, after) };
    });
  }

  async #locked<T>(act: (assertHeld: () => Promise<void>) => Promise<T>): Promise<T> {
    const lock = await takeLock(this.directory);
    try {
      await clearStaging(this.#staging);
      return await act(() => lock.assertHeld());
    } finally {
      await lock.release();
    }
  }

  /** The state on disk, from the oldest root that is there. */
  async #load(onFault: (fault: RepositoryError) => void): Promise<Chain> {
    const bytes = await this.root(1);
    try {
      return await readChain(folderSource(this.publicDirectory), bytes, onFault);
    } catch (error) {
      if (!(error instanceof RepositoryError) || !STRUCTURAL.has(error.code)) throw error;
      const hint = `restore ${this.#metadata} from a backup`;
      throw new RepositoryError('repository-corrupt', `${error.message}; ${hint}`, error);
    }
  }

  /** Of each role the highest version in use or in a file's name. */
  async #highest(chain?: Chain): Promise<Record<RoleName, number>> {
    const highest = { root: 0, timestamp: chain?.timestamp.signed.version ?? 0, snapshot: 0, targets: 0 };
    for (const name of await readdir(this.#metadata).catch(() => [])) {
      const [, digits, role] = /^(\d+)\.(root|snapshot|targets)\.json$/.exec(name) ?? [];
      const known = ROLES.find((candidate) => candidate === role);
      if (known !== undefined) highest[known] = Math.max(highest[known], Number(digits));
    }
    return highest;
  }

  #keysAtHand(keys: readonly StoredKey[]): Pick<Situation, 'unlock' | 'absent'> {
    const held = new Map(keys.filter((key) => key.held).map((key) => [key.id, key]));
    const nameOf = (id: string) => keys.find((key) => key.id === id)?.name ?? id;
    return {
      unlock: async ({ keyids, threshold }: Role) => {
        const chosen = keyids.flatMap((id) => held.get(id) ?? []).slice(0, threshold);
        const unlocked: SigningKey[] = [];
        for (const key of chosen) unlocked.push(await this.#store.unlock(key));
        return unlocked;
      },
      absent: ({ keyids }: Role) => keyids.filter((id) => !held.has(id)).map(nameOf),
    };
  }

  /** The keys that a rotation brings: the named ones, or new ones in the manner of the old. */
  async #nextKeys(
    role: RoleName,
    current: Role,
    keys: readonly StoredKey[],
    names: readonly string[] | undefined,
  ): Promise<StoredKey[]> {
    if (names !== undefined) return names.map((name) => findKey(keys, name));
    const old = keys.filter((key) => current.keyids.includes(key.id));
    const encrypt = old.some((key) => key.encrypted);
    const prefix = old[0]?.name.replace(/-\d+$/, '') ?? role;
    const fresh = await this.#store.freeNames(prefix, current.keyids.length);
    await writeKeys(this.#staging, this.#store.directory, fresh, encrypt, this.#options);
    const stored = await this.#store.list();
    return fresh.map((name) => findKey(stored, name));
  }

  /** An image that was published was hashed then; a new one is hashed again, lest it changed since it was added. */
  async #assertImage(release: Release, published: boolean): Promise<void> {
    const path = join(this.publicDirectory, 'targets', imageName(release));
    const handle = await openExisting(path);
    const remedy = `remove releases/${recordName(release)} and add the release again`;
    if (handle === undefined)
      throw new RepositoryError('repository-corrupt', `${path} is missing; ${remedy}`);
    try {
      const { size } = await handle.stat();
      const same =
        published || (await digestOf(readChunks(handle), release.length)).sha256 === release.sha256;
      if (size !== release.length || !same) {
        throw new RepositoryError('repository-corrupt', `${path} changed since it was added; ${remedy}`);
      }
    } finally {
      await handle.close();
    }
  }
}

const STRUCTURAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'metadata-missing',
  'metadata-invalid',
  'metadata-too-large',
  'version-mismatch',
  'length-mismatch',
  'hash-mismatch',
]);

/** Carries out a plan, file by file; a failure between two leaves what clients see as it was. */
export async function applyPlan(staging: string, plan: Plan): Promise<void> {
  for (const write of plan.writes) await writeWhole(staging, write);
}

async function writeFirstState(
  directory: string,
  name: string,
  roles: Readonly<Record<RoleName, RoleOptions>>,
  options: CreateOptions,
): Promise<void> {
  const staging = join(directory, '.tmp');
  const expiry = { ...DEFAULT_EXPIRY, ...options.expiry };
  const config: Config = { name: options.name ?? name, maxImageSize: DEFAULT_MAX_IMAGE_SIZE, expiry };
  const own = new Map<string, SigningKey>();
  const generate = async (role: RoleName): Promise<RoleKeys> => {
    const names = Array.from(
      { length: roles[role].keys },
      (_, index) => `${options.keyPrefix ?? ''}${role}-${index + 1}`,
    );
    const keys = await writeKeys(staging, join(directory, 'keys'), names, options.encrypt, options);
    for (const key of keys) own.set(key.id, key);
    return { keys: keys.map((key) => key.public), threshold: roles[role].threshold };
  };
  const generated = {
    root: await generate('root'),
    timestamp: await generate('timestamp'),
    snapshot: await generate('snapshot'),
    targets: await generate('targets'),
  };
  const plan = await planFirst(
    {
      metadata: join(directory, 'public', 'metadata'),
      now: (options.clock ?? systemClock)(),
      expiry,
      highest: { root: 0, timestamp: 0, snapshot: 0, targets: 0 },
      unlock: async ({ keyids, threshold }) => keyids.flatMap((id) => own.get(id) ?? []).slice(0, threshold),
      absent: () => [],
    },
    generated,
  );
  await applyPlan(staging, plan);
  await mkdir(join(directory, 'public', 'targets'));
  await mkdir(join(directory, 'releases'));
  await writeWhole(staging, file(join(directory, '.gitignore'), GITIGNORE));
  await writeWhole(staging, file(join(directory, CONFIG), formatConfig(config)));
}

function file(path: string, text: string): FileWrite {
  return { path, bytes: Buffer.from(text), replace: false };
}

async function writeKeys(
  staging: string,
  directory: string,
  names: readonly string[],
  encrypt: boolean,
  { passphrase, random }: OpenOptions,
): Promise<SigningKey[]> {
  const keys: SigningKey[] = [];
  for (const name of names) {
    const key = generateKey(random);
    const secret = encrypt ? await passphraseFor(name, passphrase) : undefined;
    for (const write of await keyFiles(join(directory, `${name}.pem`), key, secret))
      await writeWhole(staging, write);
    keys.push(key);
  }
  return keys;
}

async function passphraseFor(name: string, passphrase: Passphrase | undefined): Promise<string> {
  const text = await passphrase?.(name);
  if (text === undefined || text === '') {
    throw new RepositoryError('passphrase-missing', `a passphrase is needed to encrypt key ${name}`);
  }
  return text;
}

async function isFreeFolder(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length === 0;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true;
    if (systemCode(error) === 'ENOTDIR') return false;
    throw new RepositoryError('write-failed', `${path} cannot be read (${messageOf(error)})`, error);
  }
}

/** Under the lock, whatever lies in `.tmp` was left by a process that died, except a rival's lock file. */
async function clearStaging(staging: string): Promise<void> {
  for (const name of await readdir(staging).catch(() => [])) {
    if (!name.startsWith('lock-')) await rm(join(staging, name), { force: true });
  }
}

function checkRole(role: RoleName, { keys, threshold }: RoleOptions): void {
  if (!Number.isInteger(keys) || keys < 1 || keys > MAX_KEYS) {
    throw new RepositoryError('bad-argument', `${role} can have 1 to ${MAX_KEYS} keys, not ${keys}`);
  }
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > keys) {
    throw new RepositoryError(
      'bad-argument',
      `the threshold of ${role} must be 1 to ${keys}, its number of keys, not ${threshold}`,
    );
  }
}

function findKey(keys: readonly StoredKey[], name: string): StoredKey {
  const key = keys.find((candidate) => candidate.name === name);
  if (key === undefined) {
    throw new RepositoryError(
      'bad-argument',
      `there is no keys/${name}.pub; make it with "moult key gen --out file:keys/${name}.pem"`,
    );
  }
  return key;
}

function targetsOf(releases: readonly Release[]): Record<string, Target> {
  return Object.fromEntries(releases.map((release) => [release.path, asTarget(release)]));
}

function difference(before: Chain, after: Chain): Pick<Publication, 'added' | 'removed'> {
  const old = before.targets.signed.targets;
  const now = after.targets.signed.targets;
  return {
    added: Object.keys(now).filter((path) => !(path in old)),
    removed: Object.keys(old).filter((path) => !(path in now)),
  };
}

function roleStatus(chain: Chain, role: RoleName, keys: readonly StoredKey[], at: number): RoleStatus {
  const file = chain[role];
  const expires = expiryOf(file);
  return {
    role,
    version: file.signed.version,
    expires,
    expired: expires <= at,
    threshold: file.threshold,
    keys: chain.root.signed.roles[role].keyids.map((id) => {
      const stored = keys.find((key) => key.id === id);
      return {
        id,
        name: stored?.name,
        held: stored?.held ?? false,
        signed: file.signatures.valid.includes(id),
      };
    }),
    missing: Math.max(0, file.threshold - file.signatures.count),
  };
}

function sharedKeys(chain: Chain): string[] {
  const { keys, roles } = chain.root.signed;
  const users = new Map<string, RoleName[]>();
  for (const role of ROLES) {
    for (const key of roles[role].keyids.flatMap((id) => keys[id] ?? [])) {
      users.set(keyMaterial(key), [...(users.get(keyMaterial(key)) ?? []), role]);
    }
  }
  const shared = [...users.values()].filter((names) => names.length > 1);
  return shared.map(
    (names) => `one key signs ${names.join(' and ')}: give each role its own ("moult role rotate")`,
  );
}

function throwFault(fault: RepositoryError): never {
  throw fault;
}

/** Whether a folder holds a repository of ours. */
export async function isRepository(directory: string): Promise<boolean> {
  return stat(join(directory, CONFIG)).then(
    (entry) => entry.isFile(),
    () => false,
  );
}
