// A repository in memory, for runs that need many of them: the same metadata as on disk, signed by the same code.

import { asRelease, type DirectorRelease } from '../repo/director/release.ts';
import {
  type Base,
  buildPayload,
  buildRoot,
  buildSnapshot,
  buildTargets,
  buildTimestamp,
  ENCRYPTION,
  encryptedPayload,
  envelopeBytes,
  generateKey,
  metadataName,
  metaFile,
  type Payload,
  type RoleName,
  type SigningKey,
  sha256,
  sign,
  type Target,
  targetFileName,
  wholeImage,
} from '../repo/index.ts';
import { Random } from './random.ts';

export interface SimRelease {
  readonly image: Uint8Array;
  readonly version: string;
  readonly releaseCounter: number;
  readonly securityCounter?: number;
  readonly hardwareIds?: readonly string[];
  readonly component?: string;
  /** What it goes together with, and what not: "requires" and "conflicts" of docs/formats.md, whatever they hold. */
  readonly requires?: unknown;
  readonly conflicts?: unknown;
  /** The images that there are patches for; undefined among them: the image compressed. */
  readonly payloads?: readonly (Base | undefined)[];
  /** X25519 public keys: image and payloads are published encrypted for them, and not as they are. None: nothing is. */
  readonly encryptFor?: readonly Uint8Array[];
}

/** Who signs each role: so many keys, of which so many must. */
export interface Signers {
  readonly keys: number;
  readonly threshold: number;
  /** Makes one of them; Ed25519 from the seed when left out. */
  readonly newKey?: () => SigningKey;
}

type Keys = Record<RoleName, SigningKey[]>;

const DAY = 86_400;
const LIFETIME: Readonly<Record<RoleName, number>> = {
  root: 365 * DAY,
  targets: 90 * DAY,
  snapshot: 7 * DAY,
  timestamp: DAY,
};

export class SimRepository {
  /** What a web server would serve, by path below the origin. */
  readonly files = new Map<string, Uint8Array>();
  readonly keys: Keys;
  readonly #random: Random;
  readonly #now: () => number;
  readonly #signers: Signers;
  readonly #targets: Record<string, Target> = {};
  readonly #versions: Record<RoleName, number> = { root: 0, targets: 0, snapshot: 0, timestamp: 0 };

  /** `now`: seconds since 1970. The same seed makes the same keys. */
  constructor(now: () => number, seed = 1, signers: Signers = { keys: 1, threshold: 1 }) {
    this.#now = now;
    this.#signers = signers;
    this.#random = new Random(seed);
    this.keys = { root: [], targets: [], snapshot: [], timestamp: [] };
    for (const role of ['root', 'targets', 'snapshot', 'timestamp'] as const)
      this.keys[role] = this.#newKeys();
    this.#signRoot([]);
    this.#signTargets();
  }

  readonly source = (path: string): Uint8Array | undefined => this.files.get(path);

  /** The newest root. */
  get root(): Uint8Array {
    return this.files.get(`metadata/${this.#versions.root}.root.json`) ?? new Uint8Array();
  }

  /** Publishes releases at once, in one new set of metadata. */
  publish(...releases: readonly SimRelease[]): void {
    for (const release of releases) this.#add(release);
    this.#signTargets();
  }

  /** A release that is published, as a Director reads it. */
  releaseAt(path: string): DirectorRelease {
    const target = this.#targets[path];
    const release = target && asRelease(path, target);
    if (!release) throw new Error(`${path} is not a release`);
    return release;
  }

  /** Lists the target of a path no longer. */
  withdraw(path: string): void {
    delete this.#targets[path];
    this.#signTargets();
  }

  /** Signs snapshot and timestamp anew. */
  refresh(): void {
    this.#signSnapshot();
  }

  /** Signs a timestamp anew that announces what the one before does. */
  stamp(): void {
    this.#signTimestamp();
  }

  /** Replaces the keys of a role. */
  rotate(role: RoleName): void {
    const before = this.#signing('root');
    this.keys[role] = this.#newKeys();
    this.#signRoot(role === 'root' ? before : []);
    this.#signTargets();
  }

  #add({
    image,
    version,
    releaseCounter,
    securityCounter = 0,
    hardwareIds = ['sim'],
    component = 'app',
    requires,
    conflicts,
    payloads = [],
    encryptFor,
  }: SimRelease) {
    const folder = `${component}/${hardwareIds[0]}/${version}`;
    const path = `${folder}/firmware.bin`;
    const digest = sha256(image);
    const encryption = encryptFor && { encryption: ENCRYPTION };
    if (!encryptFor) this.files.set(`targets/${targetFileName(path, digest)}`, image);
    this.#targets[path] = {
      length: image.length,
      hashes: { sha256: digest },
      custom: {
        ...{ component, version, hardwareIds, releaseCounter, securityCounter, ...encryption },
        ...(requires !== undefined && { requires }),
        ...(conflicts !== undefined && { conflicts }),
      },
    };
    const built = payloads.map((base) => buildPayload(image, base));
    if (encryptFor) {
      const random = (length: number) => this.#random.bytes(length);
      const hidden = encryptFor.length > 0 ? [...built, wholeImage(image)] : [];
      for (const payload of hidden) this.addPayload(folder, encryptedPayload(payload, encryptFor, random));
    } else for (const payload of built) this.addPayload(folder, payload);
  }

  /** Devices see it with the next metadata. */
  addPayload(folder: string, { file, bytes, target }: Payload): void {
    const path = `${folder}/${file}`;
    this.files.set(`targets/${targetFileName(path, target.hashes.sha256 ?? '')}`, bytes);
    this.#targets[path] = target;
  }

  #signRoot(before: readonly SigningKey[]): void {
    const roles = (role: RoleName) => ({
      keys: this.keys[role].map((key) => key.public),
      threshold: this.#signers.threshold,
    });
    const root = buildRoot(this.#stamp('root'), {
      root: roles('root'),
      targets: roles('targets'),
      snapshot: roles('snapshot'),
      timestamp: roles('timestamp'),
    });
    this.#store('root', envelopeBytes(sign(root, [...before, ...this.#signing('root')])));
  }

  #signTargets(): void {
    const targets = buildTargets(this.#stamp('targets'), this.#targets);
    this.#store('targets', envelopeBytes(sign(targets, this.#signing('targets'))));
    this.#signSnapshot();
  }

  #signSnapshot(): void {
    const meta = { 'targets.json': metaFile(this.#file('targets'), this.#versions.targets) };
    const snapshot = buildSnapshot(this.#stamp('snapshot'), meta);
    this.#store('snapshot', envelopeBytes(sign(snapshot, this.#signing('snapshot'))));
    this.#signTimestamp();
  }

  #signTimestamp(): void {
    const named = metaFile(this.#file('snapshot'), this.#versions.snapshot);
    const timestamp = buildTimestamp(this.#stamp('timestamp'), named);
    this.#store('timestamp', envelopeBytes(sign(timestamp, this.#signing('timestamp'))));
  }

  #stamp(role: RoleName): { version: number; expires: number } {
    this.#versions[role]++;
    return { version: this.#versions[role], expires: this.#now() + LIFETIME[role] };
  }

  #store(role: RoleName, bytes: Uint8Array): void {
    this.files.set(`metadata/${metadataName(role, this.#versions[role])}`, bytes);
  }

  #file(role: RoleName): Uint8Array {
    return this.files.get(`metadata/${metadataName(role, this.#versions[role])}`) ?? new Uint8Array();
  }

  /** As many as must. */
  #signing(role: RoleName): SigningKey[] {
    return this.keys[role].slice(0, this.#signers.threshold);
  }

  #newKeys(): SigningKey[] {
    const { keys, newKey = () => generateKey((length) => this.#random.bytes(length)) } = this.#signers;
    return Array.from({ length: keys }, newKey);
  }
}
