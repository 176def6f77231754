// A stage for one device and a repository of which everything can be forged: who signs, what is signed, how it is
// written, what lists it. Each test forges one thing, and `refuses` asserts what must hold after every refusal.
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { Role, State, Status } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import type { ClientEvent } from '../../host/node/client.ts';
import { Core, type Entropy } from '../../host/node/core.ts';
import { StatusError } from '../../host/node/errors.ts';
import { type AreaGeometry, uniformGeometry } from '../../host/node/flash.ts';
import { type DeviceConfiguration, provision } from '../../host/node/provision.ts';
import {
  buildRoot,
  buildSnapshot,
  buildTargets,
  buildTimestamp,
  generateKey,
  type MetaFile,
  metadataName,
  metaFile,
  type PublicKey,
  ROLES,
  type RoleName,
  type SigningKey,
  sha256,
  type Target,
  targetFileName,
} from '../../repo/index.ts';
import { SimClock } from '../../sim/clock.ts';
import { SimDevice } from '../../sim/device.ts';
import { SimNetwork } from '../../sim/network.ts';
import { Random } from '../../sim/random.ts';
import { bytes, type Change, canonical, type JsonObject, plain, text, type Value } from './values.ts';

/** 2030-01-01T00:00:00Z */
export const START = 1_893_456_000;
export const MINUTE = 60;
export const HOUR = 3600;
export const DAY = 86_400;

/** Seconds that a file of each role is good for. */
export const LIFETIME: Readonly<Record<RoleName, number>> = {
  root: 365 * DAY,
  targets: 90 * DAY,
  snapshot: 7 * DAY,
  timestamp: DAY,
};

/** What a check came to, by name. */
export interface Verdict {
  readonly status: keyof typeof Status;
  readonly role: keyof typeof Role;
}

/** What is false about a file; nothing set: it is honest. */
export interface Forgery {
  /** Changes what is signed. */
  readonly signed?: Change | readonly Change[];
  /** Who signs; else the keys of the role, and for a root those of the root before too. */
  readonly keys?: readonly SigningKey[];
  /** Changes the signatures. */
  readonly signatures?: (honest: JsonObject[]) => Value;
  /** Writes the file; else compact JSON, `signatures` first. */
  readonly file?: (envelope: { signatures: Value; signed: Value }) => string | Uint8Array;
}

export interface Release {
  readonly releaseCounter: number;
  readonly securityCounter?: number;
  readonly path?: string;
  readonly image?: Uint8Array;
  /** Changes the target: `length`, `hashes`, `custom`. */
  readonly target?: Change;
}

export interface StageOptions {
  /** The most bytes that the metadata of a device may take, twice; 16 KiB. */
  readonly bank?: number;
  /** The most bytes that an image may have; 8 KiB. */
  readonly slot?: number;
  /** The write unit of the flash, 4 bytes, and what an erased byte is, 0xff. */
  readonly unit?: number;
  readonly erased?: number;
  readonly configuration?: Partial<DeviceConfiguration>;
  /** The device is a TUF client that installs nothing. */
  readonly client?: boolean;
  /** Changes the stage before its first metadata is written. */
  readonly before?: (stage: Stage) => void;
  readonly onEvent?: (event: ClientEvent) => void;
  /** The area of the log; left out: the board has none. */
  readonly log?: AreaGeometry;
  /** The board's source of random bytes; a seeded one when left out. */
  readonly entropy?: Entropy;
  /** What the application says when a verified image is ready; 0, always now, when left out. */
  readonly mayReboot?: (core: Core) => number;
  /** The board keeps the security counter itself. */
  readonly hardwareCounter?: boolean;
  /** Whether an image on trial works, by its first byte. */
  readonly selfTest?: (first: number) => boolean;
}

export const CONFIGURATION: DeviceConfiguration = {
  hardwareId: 'sim',
  component: 'app',
  version: '1.0.0',
  releaseCounter: 1,
  securityCounter: 1,
  buildTime: START - DAY,
  checkInterval: HOUR,
};

const FACTORY_IMAGE = imageOf(1);
const SLOT = 8192;

/** A device that has checked once, and trusts version 1 of all metadata. */
export async function stage(options: StageOptions = {}): Promise<Stage> {
  const made = new Stage(options);
  await made.settles();
  return made;
}

export class Stage {
  readonly clock = new SimClock(START);
  /** What the server serves, by path below the origin. */
  readonly files = new Map<string, Uint8Array>();
  readonly network = new SimNetwork((path) => this.files.get(path), this.clock);
  readonly device: SimDevice;
  /** Keys and thresholds that the next root gives the roles. */
  readonly keys: Record<RoleName, SigningKey[]>;
  readonly threshold: Record<RoleName, number> = { root: 1, timestamp: 1, snapshot: 1, targets: 1 };
  /** Of the newest file of each role. */
  readonly versions: Record<RoleName, number> = { root: 0, timestamp: 0, snapshot: 0, targets: 0 };
  readonly targets: Record<string, Target> = {};
  /** What the snapshot lists besides: versions of delegated roles, or more of them, by file name. */
  readonly delegated: Record<string, number | MetaFile> = {};
  /** What the targets delegate. */
  delegations: JsonObject | undefined;
  consistent = true;
  /** A key that nobody gave a role. */
  readonly stranger: SigningKey;
  /** The release that an honest repository offers last. */
  newest = 1;
  readonly #random = new Random(1);
  /** Who signed the newest honest root, and its version. */
  #rootKeys: readonly SigningKey[] = [];
  #honestRoot = 0;

  constructor(options: StageOptions = {}) {
    this.keys = {
      root: [this.newKey()],
      timestamp: [this.newKey()],
      snapshot: [this.newKey()],
      targets: [this.newKey()],
    };
    this.stranger = this.newKey();
    options.before?.(this);
    this.root();
    this.release({ releaseCounter: 1, image: FACTORY_IMAGE });
    this.device = new SimDevice({
      root: this.file('root'),
      image: FACTORY_IMAGE,
      configuration: options.client
        ? { buildTime: CONFIGURATION.buildTime, checkInterval: CONFIGURATION.checkInterval }
        : { ...CONFIGURATION, ...options.configuration },
      geometry: [
        ...uniformGeometry({
          block: 4096,
          unit: options.unit ?? 4,
          erased: options.erased ?? 0xff,
          bank: options.bank ?? 16_384,
          slot: options.slot ?? SLOT,
        }),
        ...(options.log ? [options.log] : []),
      ],
      ...(options.entropy && { entropy: options.entropy }),
      client: {
        metadataUrl: 'https://sim/metadata/',
        targetsUrl: 'https://sim/targets/',
        fetch: this.network.fetch,
        clock: this.clock,
        ...(options.onEvent && { onEvent: options.onEvent }),
        ...(options.mayReboot && { mayReboot: options.mayReboot }),
      },
      hardwareCounter: options.hardwareCounter ?? false,
      selfTest: (device) => options.selfTest?.(device.running(1)[0] ?? 0) ?? true,
    });
  }

  newKey(): SigningKey {
    return generateKey((length) => this.#random.bytes(length));
  }

  // ---- the repository ----

  /** The honest repository signs the next version of a role, and whatever lists it. */
  publish(role: Exclude<RoleName, 'root'>): void {
    this.#write(role, {});
  }

  /** The honest repository signs its next root, with the keys and thresholds of the stage. */
  root(forgery: Forgery = {}): void {
    this.#write('root', forgery);
    this.#rootKeys = [...this.keys.root];
    this.#honestRoot = this.versions.root;
  }

  /** Gives a role a new key, by a new root, and signs everything anew. */
  rotate(role: RoleName): void {
    this.keys[role] = [this.newKey()];
    this.root();
    this.publish('targets');
  }

  /** Publishes a release for the device. */
  release({ releaseCounter, securityCounter = 1, path, image, target }: Release): void {
    this.offer({
      releaseCounter,
      securityCounter,
      ...(path && { path }),
      image: image ?? imageOf(releaseCounter),
      ...(target && { target }),
    });
    this.newest = releaseCounter;
    this.publish('targets');
  }

  /** Lists a release and lays its image out, without signing anything yet. */
  offer({
    releaseCounter,
    securityCounter = 1,
    path,
    image = imageOf(releaseCounter),
    target,
  }: Release): void {
    const name = path ?? `app/sim/1.${releaseCounter}.0/firmware.bin`;
    const digest = sha256(image);
    const listed = targetOf(releaseCounter, securityCounter, image);
    target?.(listed);
    this.targets[name] = listed as unknown as Target;
    const stored = this.consistent ? targetFileName(name, digest) : name;
    this.files.set(`targets/${stored}`, image);
  }

  /** Somebody else writes the next version of a role; what lists it is honest. */
  forge(role: RoleName, forgery: Forgery): void {
    this.#write(role, forgery);
  }

  /** The newest file of a role. */
  file(role: RoleName): Uint8Array {
    return this.files.get(this.path(role)) ?? new Uint8Array();
  }

  /** Where a version of a role lies. */
  path(role: RoleName, version = this.versions[role]): string {
    const versioned = role === 'root' || this.consistent;
    return `metadata/${versioned ? metadataName(role, version) : `${role}.json`}`;
  }

  /** Takes forged roots back, gives the network its manners and offers the next release. */
  heal(): void {
    for (; this.versions.root > this.#honestRoot; this.versions.root--) this.files.delete(this.path('root'));
    this.network.conduct = () => ({});
    this.network.source = (path) => this.files.get(path);
    for (const path of Object.keys(this.targets)) delete this.targets[path];
    this.release({ releaseCounter: this.newest + 1 });
  }

  #write(role: RoleName, forgery: Forgery): void {
    this.versions[role]++;
    const signed = this.#signed(role);
    for (const change of [forgery.signed ?? []].flat()) change(signed);
    const keys = forgery.keys ?? (role === 'root' ? [...this.#rootKeys, ...this.keys.root] : this.keys[role]);
    const honest = signaturesBy(unique(keys), signed);
    const signatures: Value = forgery.signatures?.(honest) ?? honest;
    const file = forgery.file?.({ signatures, signed }) ?? text({ signatures, signed });
    this.files.set(this.path(role), typeof file === 'string' ? bytes(file) : file);
    if (role === 'targets') this.#write('snapshot', {});
    if (role === 'snapshot') this.#write('timestamp', {});
  }

  #signed(role: RoleName): JsonObject {
    const stamp = { version: this.versions[role], expires: this.clock.seconds() + LIFETIME[role] };
    switch (role) {
      case 'root':
        return this.#identified(
          plain({ ...buildRoot(stamp, this.#roles()), consistent_snapshot: this.consistent }),
        );
      case 'timestamp':
        return plain(buildTimestamp(stamp, metaFile(this.file('snapshot'), this.versions.snapshot)));
      case 'snapshot':
        return plain(buildSnapshot(stamp, this.#listed()));
      case 'targets':
        return plain({
          ...buildTargets(stamp, this.targets),
          ...(this.delegations && { delegations: this.delegations }),
        });
    }
  }

  /** Keys stand under the ids that they have, not under those that they should have. */
  #identified(root: JsonObject): JsonObject {
    const roles = root.roles as Record<RoleName, JsonObject>;
    for (const role of ROLES) roles[role].keyids = this.keys[role].map(({ id }) => id);
    const keys = ROLES.flatMap((role) => this.keys[role]);
    return { ...root, keys: plain(Object.fromEntries(keys.map((key) => [key.id, key.public]))) };
  }

  #listed(): Record<string, MetaFile> {
    const delegated = Object.entries(this.delegated).map(
      ([name, listed]) => [name, typeof listed === 'number' ? { version: listed } : listed] as const,
    );
    return {
      'targets.json': metaFile(this.file('targets'), this.versions.targets),
      ...Object.fromEntries(delegated),
    };
  }

  #roles(): Record<RoleName, { keys: PublicKey[]; threshold: number }> {
    const of = (role: RoleName) => ({
      keys: this.keys[role].map((key) => key.public),
      threshold: this.threshold[role],
    });
    return { root: of('root'), timestamp: of('timestamp'), snapshot: of('snapshot'), targets: of('targets') };
  }

  // ---- the device ----

  /** One check from a fresh start, with all that follows from it. */
  async check(): Promise<Verdict> {
    const { status, role } = await this.clock.run(this.device.update());
    return { status: nameOf(Status, status), role: nameOf(Role, role) };
  }

  /** The versions that the device trusts after it was switched off and on. */
  trusted(): Record<RoleName, number> {
    const core = this.device.powerOn();
    return {
      root: core.stateRead(State.ROOT_VERSION),
      timestamp: core.stateRead(State.TIMESTAMP_VERSION),
      snapshot: core.stateRead(State.SNAPSHOT_VERSION),
      targets: core.stateRead(State.TARGETS_VERSION),
    };
  }

  /** A number that the device keeps, read after it was switched off and on. */
  state(field: State): number {
    return this.device.powerOn().stateRead(field);
  }

  /** The device finds nothing wrong and nothing to do. */
  async settles(): Promise<void> {
    expect(await this.check()).toEqual({ status: 'UP_TO_DATE', role: 'NONE' });
  }

  /** The device trusts the newest metadata and runs the newest release. */
  async accepts(): Promise<void> {
    await this.settles();
    expect(this.trusted()).toEqual(this.versions);
    this.runs(this.newest);
  }

  /** The device runs this release. */
  runs(releaseCounter: number): void {
    expect(this.state(State.INSTALLED_RELEASE)).toBe(releaseCounter);
    const image = imageOf(releaseCounter);
    expect(Buffer.compare(this.device.running(image.length), image)).toBe(0);
  }

  /**
   * The check ends with this finding, twice, a restart in between; neither the file of that role nor one after it is
   * trusted, nothing is installed; and as soon as the repository is honest again, the device follows it.
   * `trusted`: versions before that role that have risen all the same.
   */
  async refuses(
    status: Verdict['status'],
    role: Verdict['role'],
    trusted: Partial<Record<RoleName, number>> = {},
  ): Promise<void> {
    const runs = this.state(State.INSTALLED_RELEASE);
    const untouched = ROLES.filter((_, index) => index >= Role[role]);
    const before = { ...this.trusted(), ...trusted };
    for (const run of ['the check', 'the check after it']) {
      expect(await this.check(), run).toEqual({ status, role });
      const after = this.trusted();
      for (const name of untouched) expect(after[name], `${name} after ${run}`).toBe(before[name]);
      for (const name of ROLES) expect(after[name], name).toBeGreaterThanOrEqual(before[name]);
    }
    this.runs(runs);
    this.heal();
    await this.accepts();
  }

  /** The paths that the device asks for during some work. */
  async requests(work: () => Promise<unknown>): Promise<string[]> {
    const before = this.network.requests.length;
    await work();
    return this.network.requests.slice(before).map(({ path }) => path);
  }

  /** A core that has started, to be driven by hand. */
  powerOn(): Core {
    return this.device.powerOn();
  }
}

/** Gives a device that has none its root of trust; what the core says to it. */
export function provisionWith(s: Stage, root: Uint8Array): number {
  const core = new Core({ flash: s.device.flash, boot: new RecordedBoot(s.device.flash) });
  core.coreStart();
  try {
    provision(core, CONFIGURATION, root);
    return Status.OK;
  } catch (error) {
    if (error instanceof StatusError) return error.status;
    throw error;
  }
}

/** What targets say of a release for the device of the stage. */
export function targetOf(
  releaseCounter: number,
  securityCounter = 1,
  image = imageOf(releaseCounter),
): JsonObject {
  const custom = {
    component: 'app',
    version: `1.${releaseCounter}.0`,
    hardwareIds: ['sim'],
    releaseCounter,
    securityCounter,
  };
  return plain({ length: image.length, hashes: { sha256: sha256(image) }, custom });
}

/** The image of a release. */
export function imageOf(releaseCounter: number): Uint8Array {
  return new Random(releaseCounter).bytes(700 + (releaseCounter % 100));
}

/** Signatures over the canonical form of `signed`. */
export function signaturesBy(keys: readonly SigningKey[], signed: Value): JsonObject[] {
  const message = bytes(canonical(signed));
  return keys.map((key) => ({ keyid: key.id, sig: Buffer.from(key.sign(message)).toString('hex') }));
}

/** A key under an id of its own choice. */
export function named(key: SigningKey, id: string): SigningKey {
  return { ...key, id, sign: (message) => key.sign(message) };
}

export function sha512(file: Uint8Array): string {
  return createHash('sha512').update(file).digest('hex');
}

function unique(keys: readonly SigningKey[]): SigningKey[] {
  return [...new Map(keys.map((key) => [key.id, key])).values()];
}

/** The name of a number in one of the tables of the ABI. */
export function nameOf<T extends string>(table: Readonly<Record<T, number>>, value: number): T {
  for (const name in table) if (table[name] === value) return name;
  throw new Error(`no name for ${value}`);
}
