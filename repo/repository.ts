// A repository on disk: what may be done with it. At every instant the public folder is a complete, valid repository.
//
//   moult.toml   public/metadata/   public/targets/   releases/   keys/   .lock   .tmp/
import { readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type BundleContents, type BundleOptions, bundleBytes, collectBundle, withWrites } from './bundle.ts';
import { assertHash, type Chain, readChain, readDelegated } from './chain.ts';
import { CONFIG_NAME, type Config, parseConfig } from './config.ts';
import { encryptPayload } from './encryption.ts';
import { type ErrorCode, RepositoryError } from './errors.ts';
import {
  applyWrites,
  copyWhole,
  digestOf,
  type FileWrite,
  openExisting,
  readChunks,
  readLimited,
  writeWhole,
} from './files.ts';
import { checkImage, inspectImage } from './formats/image.ts';
import { type PublicKey, type Random, type SigningKey, sha256 } from './keys.ts';
import { KeyStore, makeKeys, type Passphrase, type StoredKey } from './keystore.ts';
import { takeLock } from './lock.ts';
import { metadataName, ROLES, type Role, type RoleName, type Target, targetFileName } from './metadata.ts';
import { buildPayload, encryptedPayload, isPublished, type Payload, wholeImage } from './payload.ts';
import {
  assertBundleable,
  checkRoleSize,
  type Plan,
  planBundle,
  planDelegation,
  planPublish,
  planRefresh,
  planRotation,
  planTimeKeys,
  type SignedRole,
  type Situation,
} from './publication.ts';
import {
  checkNew,
  checkTexts,
  chooseCounters,
  findBases,
  imageName,
  type Release,
  type ReleaseInput,
  readImage,
  readReleases,
  recordBytes,
  recordName,
  rulesOf,
  storeImage,
  targetsOf,
  withCoreHeader,
  withCounter,
} from './release.ts';
import { parseMetadata } from './schema.ts';
import { assertSetsHold } from './set.ts';
import { folderSource, type Source } from './source.ts';
import { type RepositoryStatus, repositoryStatus } from './status.ts';
import {
  type AgreementInput,
  checkAgreement,
  checkSupplier,
  type Supplier,
  type SupplierInput,
  signerOf,
  suppliedBy,
  suppliersOf,
  withAgreement,
  withKeysOf,
  withoutSupplier,
  withSupplier,
} from './supplier.ts';
import { type Clock, systemClock } from './time.ts';
import { readTimeKey } from './timekeys.ts';
import { readCurrent } from './verify.ts';

export interface OpenOptions {
  /** Seconds since 1970; the system's clock when left out. */
  readonly clock?: Clock;
  /** Needed to sign with keys that are encrypted, and to encrypt new ones. */
  readonly passphrase?: Passphrase;
  /** Seeded: key generation replays. */
  readonly random?: Random;
}

/** What a publish, refresh or rotation wrote. */
export interface Publication {
  /** The roles that were signed anew, in the order in which they were written. */
  readonly roles: readonly SignedRole[];
  /** Target paths that clients now see and did not before, and the other way round. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** A bundle that was written, and what clients online see since. */
export interface Bundle extends BundleContents, Pick<Publication, 'roles'> {
  readonly path: string;
  readonly length: number;
}

/** What came of a look at a supplier's repository. */
export interface Supply extends Publication {
  /** The version that clients now see; the one that they saw before when there was nothing new. */
  readonly version: number;
  /** The supplier's own root gave its targets role other keys, and the delegation has them now. */
  readonly rekeyed: boolean;
}

export interface RotateOptions {
  /** Names of keys in `keys/`; left out: as many new ones as the role has. */
  readonly keys?: readonly string[];
  /** Left out: as it is. */
  readonly threshold?: number;
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
  /** Signs targets, snapshot and timestamp anew, over exactly the releases in `releases/` (`set-refused`: the newest of
   * them do not go together). */
  publish(): Promise<Publication>;
  /** Extends a role's time without changing targets: `snapshot` (the default) signs snapshot and timestamp anew,
   * `timestamp` only that, `root` a new root version with the same keys. */
  refresh(role?: 'root' | 'snapshot' | 'timestamp'): Promise<Publication>;
  /** Replaces all keys of a role: a new root version, signed by the old and the new root keys. */
  rotateKeys(role: RoleName, options?: RotateOptions): Promise<Publication>;
  /** Names the keys of time servers in a new root, by files NAME.pub; none: those that devices were provisioned with. */
  nameTimeKeys(files: readonly string[]): Promise<Publication>;
  /** Those who release images for some paths with keys of their own. */
  suppliers(): Promise<Supplier[]>;
  /** Delegates paths to a supplier, whose root is kept in `suppliers/`. Clients see its releases from the next pull on. */
  addSupplier(input: SupplierInput): Promise<Publication>;
  /** Delegates paths to several suppliers at once: clients take what enough of them say the same of. */
  agreeSuppliers(input: AgreementInput): Promise<Publication>;
  /** Takes over what a supplier released in its own repository: metadata as it was signed, and images. */
  pullSupplier(name: string, source: Source): Promise<Supply>;
  /** Delegates to it no more: clients take none of its releases from now on. */
  removeSupplier(name: string): Promise<Publication>;
  /** Writes what devices need for an update without a network to one file. With a `lifetime` snapshot and timestamp
   * are signed for it, and then anew for clients online. */
  createBundle(path: string, options?: BundleOptions): Promise<Bundle>;
  /** `at`: seconds since 1970, for a look ahead. */
  status(at?: number): Promise<RepositoryStatus>;
  /** A role's keys of the current root whose private half is at hand: what a thief of this folder holds. */
  signingKeys(role: RoleName): Promise<SigningKey[]>;
}

const CONFIG_LIMIT = 65_536;
const ROOT_LIMIT = 512_000;
/** Refuses with `repository-missing` or `repository-corrupt`; metadata is read when it is needed. */
export async function openRepository(directory: string, options: OpenOptions = {}): Promise<Repository> {
  const path = resolve(directory);
  const text = readLimited(join(path, CONFIG_NAME), CONFIG_LIMIT);
  if (text === undefined) {
    const hint = 'make one with "moult init NAME", or point to it with -C';
    throw new RepositoryError(
      'repository-missing',
      `${path} is not a moult repository (no ${CONFIG_NAME}); ${hint}`,
    );
  }
  return new DiskRepository(
    path,
    parseConfig(Buffer.from(text).toString(), join(path, CONFIG_NAME)),
    options,
  );
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
    const bytes = readLimited(join(this.#metadata, name), ROOT_LIMIT);
    if (bytes === undefined)
      throw new RepositoryError('metadata-missing', `${name} is not in ${this.#metadata}`);
    return bytes;
  }

  releases(): Promise<Release[]> {
    return readReleases(join(this.directory, 'releases'));
  }

  async addRelease(given: ReleaseInput): Promise<Release> {
    const input = await withCoreHeader(given, this.#config.maxImageSize);
    return this.#locked(async () => {
      checkTexts(input);
      const existing = await this.releases();
      checkNew(input, existing);
      findBases(input, existing);
      // Keys that nothing can be encrypted for are refused before anything is stored.
      if (input.encryptFor !== undefined) encryptPayload(new Uint8Array(), 'image', input.encryptFor);
      const image = inspectImage(await readImage(input.image, this.#config.maxImageSize), input.format);
      input.onImage?.(image);
      const counters = chooseCounters(withCounter(input, image), existing);
      checkImage(image, counters.securityCounter, input.chipId);
      const encrypted = input.encryptFor !== undefined && ({ encrypted: true } as const);
      const folders = { targets: this.#imageFolder(encrypted || {}), staging: this.#staging };
      const stored = await storeImage(input, folders, this.#config.maxImageSize);
      const { component, version, hardwareIds, notice = {} } = input;
      const told = Object.keys(notice).length > 0 && { notice };
      const plain: Release = {
        ...stored,
        component,
        version,
        hardwareIds,
        ...counters,
        ...encrypted,
        ...rulesOf(input),
        ...told,
      };
      const payloads = await this.#addPayloads(plain, findBases(input, existing), input);
      const release = Object.keys(payloads).length === 0 ? plain : { ...plain, payloads };
      const path = join(this.directory, 'releases', recordName(release));
      await writeWhole(this.#staging, { path, bytes: recordBytes(release), replace: false });
      return release;
    });
  }

  /**
   * Makes what may be fetched instead of an image; one that is not shorter than the image is left out. Of an image that
   * is encrypted there is one that is it.
   */
  async #addPayloads(
    release: Release,
    bases: readonly Release[],
    { compress = false, encryptFor }: ReleaseInput,
  ): Promise<Record<string, Target>> {
    const read = (of: Release): Promise<Uint8Array> => readFile(this.#imagePath(of));
    const image = await read(release);
    const targets: Record<string, Target> = {};
    const payloads: Payload[] = encryptFor ? [wholeImage(image)] : [];
    for (const base of compress ? [...bases, undefined] : bases) {
      const patched = base && { image: await read(base), releaseCounter: base.releaseCounter };
      const built = buildPayload(image, patched);
      if (built.bytes.length < image.length) payloads.push(built);
    }
    for (const payload of payloads) {
      const { file, bytes, target } = encryptFor ? encryptedPayload(payload, encryptFor) : payload;
      const path = `${release.path.slice(0, release.path.lastIndexOf('/'))}/${file}`;
      await writeWhole(this.#staging, {
        path: this.#imagePath({ path, sha256: sha256(bytes) }),
        bytes,
        replace: true,
      });
      targets[path] = target;
    }
    return targets;
  }

  #imagePath(of: Pick<Release, 'path' | 'sha256' | 'encrypted'>): string {
    return join(this.#imageFolder(of), imageName(of));
  }

  /** Where the image of a release lies. */
  #imageFolder({ encrypted }: Pick<Release, 'encrypted'>): string {
    return encrypted ? join(this.directory, 'images') : join(this.publicDirectory, 'targets');
  }

  publish(): Promise<Publication> {
    return this.#change(async (situation) => {
      const releases = await this.releases();
      assertSetsHold(releases, this.#config.factory);
      const published = situation.chain.targets.signed.targets;
      for (const release of releases) {
        for (const [path, target] of Object.entries(targetsOf(release)))
          await this.#assertFile(release, path, target, path in published);
      }
      return planPublish(situation, Object.assign({}, ...releases.map(targetsOf)));
    });
  }

  refresh(role: 'root' | 'snapshot' | 'timestamp' = 'snapshot'): Promise<Publication> {
    return this.#change((situation) => planRefresh(situation, role));
  }

  rotateKeys(role: RoleName, options: RotateOptions = {}): Promise<Publication> {
    return this.#change(async (situation, stored) => {
      const current = situation.chain.root.signed.roles[role];
      const threshold = options.threshold ?? current.threshold;
      checkRoleSize(role, options.keys?.length ?? current.keyids.length, threshold);
      const next = await this.#nextKeys(role, current, stored, options.keys);
      const unlock = this.#unlocker(stored, next.fresh);
      const plan = await planRotation({ ...situation, unlock }, role, { keys: next.keys, threshold });
      return { roles: plan.roles, writes: [...next.files, ...plan.writes] };
    });
  }

  nameTimeKeys(files: readonly string[]): Promise<Publication> {
    return this.#change((situation) => planTimeKeys(situation, files.map(readTimeKey)));
  }

  async suppliers(): Promise<Supplier[]> {
    return suppliersOf(await this.#load(throwFault));
  }

  addSupplier(input: SupplierInput): Promise<Publication> {
    return this.#change(async (situation) => {
      checkSupplier(input, suppliersOf(situation.chain));
      const { signed: theirs } = parseMetadata(input.root, 'root', 'the root of the supplier');
      const signer = signerOf(theirs, situation.chain.root.signed);
      const plan = await planDelegation(
        situation,
        withSupplier(situation.chain.targets.signed.delegations, input, signer),
      );
      const root = { path: this.#supplierRoot(input.name), bytes: input.root, replace: true };
      return { roles: plan.roles, writes: [root, ...plan.writes] };
    });
  }

  agreeSuppliers(input: AgreementInput): Promise<Publication> {
    return this.#change((situation) => {
      checkAgreement(input, suppliersOf(situation.chain));
      return planDelegation(situation, withAgreement(situation.chain.targets.signed.delegations, input));
    });
  }

  async pullSupplier(name: string, source: Source): Promise<Supply> {
    let rekeyed = false;
    let version = 0;
    let seen: Difference = { added: [], removed: [] };
    const publication = await this.#change(async (situation) => {
      const { chain } = situation;
      const supplier = findSupplier(chain, name);
      const theirs = await readCurrent(source, await this.#rootOf(name), situation.now);
      const signer = signerOf(theirs.root.signed, chain.root.signed);
      const delegations = withKeysOf(chain.targets.signed.delegations, name, signer);
      const supplied = suppliedBy(supplier, theirs, chain);
      rekeyed = delegations !== undefined;
      version = supplied?.version ?? supplier.version;
      if (supplied === undefined && !rekeyed) return { roles: [], writes: [] };
      if (supplied !== undefined) {
        const { targets } = theirs.targets.signed;
        const held = await readDelegated(folderSource(this.publicDirectory), chain, throwFault);
        seen = difference(held.find(({ role }) => role === name)?.signed.targets ?? {}, targets);
        await this.#copyTargets(source, targets);
      }
      return planDelegation(situation, delegations, supplied);
    });
    return { ...publication, ...seen, version, rekeyed };
  }

  removeSupplier(name: string): Promise<Publication> {
    return this.#change((situation) => {
      const agreed = suppliersOf(situation.chain).some(({ agreement }) => agreement?.name === name);
      if (!agreed) findSupplier(situation.chain, name);
      return planDelegation(situation, withoutSupplier(situation.chain.targets.signed.delegations, name));
    });
  }

  #supplierRoot(name: string): string {
    return join(this.directory, 'suppliers', `${name}.root.json`);
  }

  async #rootOf(name: string): Promise<Uint8Array> {
    const path = this.#supplierRoot(name);
    const bytes = readLimited(path, ROOT_LIMIT);
    if (bytes === undefined)
      throw new RepositoryError(
        'repository-corrupt',
        `${path} is missing; remove the supplier and add it again`,
      );
    return bytes;
  }

  /** Images before the metadata that names them; each is what was signed before it gets its name. */
  async #copyTargets(source: Source, targets: Readonly<Record<string, Target>>): Promise<void> {
    for (const [path, target] of Object.entries(targets).filter(([, target]) => isPublished(target))) {
      const name = targetFileName(path, target.hashes.sha256 ?? '');
      const content = await source.target(name);
      if (content === undefined)
        throw new RepositoryError('file-missing', `${source.where} does not have targets/${name}`);
      await copyWhole(this.#staging, content, target.length, (digest) => {
        if (digest.length !== target.length)
          throw new RepositoryError(
            'length-mismatch',
            `${name} has not the ${target.length} bytes that are signed`,
          );
        assertHash(`targets/${name}`, digest.sha256, target.hashes);
        return join(this.publicDirectory, 'targets', name);
      });
    }
  }

  createBundle(path: string, options: BundleOptions = {}): Promise<Bundle> {
    return this.#locked(async (assertHeld) => {
      const situation = await this.#situation(await this.#store.list());
      const { lifetime } = options;
      const plans = lifetime === undefined ? undefined : await planBundle(situation, lifetime);
      if (plans === undefined) assertBundleable(situation);
      const source = withWrites(folderSource(this.publicDirectory), plans?.bundle.writes ?? []);
      const contents = await collectBundle(
        source,
        await readChain(source, await this.root(1), throwFault),
        options,
      );
      // It appears after what follows it online: a version that is in no file yet could be signed again.
      const { length } = await copyWhole(dirname(path), bundleBytes(contents.files), Infinity, async () => {
        await assertHeld();
        await applyWrites(this.#staging, plans?.online.writes ?? []);
        return path;
      });
      return { ...contents, path, length, roles: plans?.online.roles ?? [] };
    });
  }

  async status(at: number = this.#now()): Promise<RepositoryStatus> {
    const chain = await this.#load(() => undefined);
    const keys = await this.#store.list();
    return repositoryStatus(this.name, at, chain, keys, await this.releases(), this.#config.factory);
  }

  async signingKeys(role: RoleName): Promise<SigningKey[]> {
    const chain = await this.#load(throwFault);
    const { keyids } = chain.root.signed.roles[role];
    const unlock = this.#unlocker(await this.#store.list());
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
      const stored = await this.#store.list();
      const situation = await this.#situation(stored);
      const planned = await plan(situation, stored);
      await assertHeld();
      await applyWrites(this.#staging, planned.writes);
      const after = await this.#load(throwFault);
      const seen = difference(situation.chain.targets.signed.targets, after.targets.signed.targets);
      return { roles: planned.roles, ...seen };
    });
  }

  async #situation(stored: readonly StoredKey[]): Promise<Situation> {
    const chain = await this.#load(throwFault);
    return {
      chain,
      metadata: this.#metadata,
      now: this.#now(),
      expiry: this.#config.expiry,
      highest: await this.#highest(chain),
      unlock: this.#unlocker(stored),
      absent: ({ keyids }) => absentKeys(keyids, stored),
    };
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

  /** Unlocks a role's first keys that are at hand, as many as its threshold; `fresh` ones are not on disk yet. */
  #unlocker(stored: readonly StoredKey[], fresh: readonly SigningKey[] = []): Situation['unlock'] {
    return async ({ keyids, threshold }) => {
      const unlocked: SigningKey[] = [];
      for (const id of keyids) {
        if (unlocked.length === threshold) break;
        const onDisk = stored.find((key) => key.id === id && key.held);
        const key =
          fresh.find((candidate) => candidate.id === id) ?? (onDisk && (await this.#store.unlock(onDisk)));
        if (key !== undefined) unlocked.push(key);
      }
      return unlocked;
    };
  }

  /** The keys that a rotation brings: the named ones, or new ones in the manner of the old. */
  async #nextKeys(
    role: RoleName,
    current: Role,
    stored: readonly StoredKey[],
    names: readonly string[] | undefined,
  ): Promise<{ keys: PublicKey[]; fresh: SigningKey[]; files: FileWrite[] }> {
    if (names !== undefined)
      return { keys: names.map((name) => findKey(stored, name)), fresh: [], files: [] };
    const old = stored.filter((key) => current.keyids.includes(key.id));
    const encrypt = old.some((key) => key.encrypted);
    const prefix = old[0]?.name.replace(/-\d+$/, '') ?? role;
    const free = await this.#store.freeNames(prefix, current.keyids.length);
    const made = await makeKeys(this.#store.directory, free, encrypt, this.#options);
    return { keys: made.keys.map((key) => key.public), fresh: made.keys, files: made.files };
  }

  /** An image or a payload is there, as it was when it was added. One that was published was hashed then; a new one is
   * hashed again, lest it changed since. */
  async #assertFile(release: Release, name: string, target: Target, published: boolean): Promise<void> {
    const { length, hashes } = target;
    const hidden = !isPublished(target) && ({ encrypted: true } as const);
    const path = this.#imagePath({ path: name, sha256: hashes.sha256 ?? '', ...hidden });
    const handle = await openExisting(path);
    const remedy = `remove releases/${recordName(release)} and add the release again`;
    if (handle === undefined)
      throw new RepositoryError('repository-corrupt', `${path} is missing; ${remedy}`);
    try {
      const { size } = await handle.stat();
      const same = published || (await digestOf(readChunks(handle), length)).sha256 === hashes.sha256;
      if (size !== length || !same) {
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

/** Under the lock, whatever lies in `.tmp` was left by a process that died, except a rival's lock file. */
async function clearStaging(staging: string): Promise<void> {
  for (const name of await readdir(staging).catch(() => [])) {
    if (!name.startsWith('lock-')) await rm(join(staging, name), { force: true });
  }
}

function findSupplier(chain: Chain, name: string): Supplier {
  const known = suppliersOf(chain);
  const supplier = known.find((candidate) => candidate.name === name);
  if (supplier !== undefined) return supplier;
  const names = known.map((other) => other.name).join(', ') || 'none';
  throw new RepositoryError('bad-argument', `there is no supplier ${name}; there are: ${names}`);
}

function findKey(stored: readonly StoredKey[], name: string): PublicKey {
  const key = stored.find((candidate) => candidate.name === name);
  if (key !== undefined) return key.public;
  const hint = `make it with "moult key gen --out file:keys/${name}.pem"`;
  throw new RepositoryError('bad-argument', `there is no keys/${name}.pub; ${hint}`);
}

/** Those of a role that cannot sign here, by name where there is one. */
function absentKeys(keyids: readonly string[], stored: readonly StoredKey[]): string[] {
  const held = (id: string) => stored.some((key) => key.id === id && key.held);
  return keyids.filter((id) => !held(id)).map((id) => stored.find((key) => key.id === id)?.name ?? id);
}

type Difference = Pick<Publication, 'added' | 'removed'>;

function difference(
  old: Readonly<Record<string, Target>>,
  now: Readonly<Record<string, Target>>,
): Difference {
  return {
    added: Object.keys(now).filter((path) => !(path in old)),
    removed: Object.keys(old).filter((path) => !(path in now)),
  };
}

function throwFault(fault: RepositoryError): never {
  throw fault;
}
