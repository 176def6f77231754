// A Director in memory for one vehicle: the same metadata as server/director signs, by the same code.
import {
  type Direction,
  directedTargets,
  signSnapshot,
  signTargets,
  signTimestamp,
} from '../repo/director/metadata.ts';
import { signOfflineFiles, withOfflineKeys } from '../repo/director/offline.ts';
import {
  buildRoot,
  envelopeBytes,
  generateKey,
  type OfflineRole,
  type PublicKey,
  type RoleName,
  type SigningKey,
  sign,
  type Target,
} from '../repo/index.ts';
import { Random } from './random.ts';

const ROLES: readonly RoleName[] = ['root', 'targets', 'snapshot', 'timestamp'];
/** Seconds that all its files hold. */
const LIFETIME = 30 * 86_400;

export class SimDirector {
  /** What a web server would serve, by path below `director/`. */
  readonly files = new Map<string, Uint8Array>();
  readonly keys = {} as Record<RoleName, SigningKey>;
  readonly #vehicle: string;
  readonly #now: () => number;
  readonly #random: Random;
  #directions: readonly Direction[] = [];
  #offlineKeys: Readonly<Record<OfflineRole, SigningKey>> | undefined;
  #version = 0;
  #rootVersion = 0;

  /** `now`: seconds since 1970. The same seed makes the same keys. */
  constructor(vehicle: string, now: () => number, seed: number) {
    this.#vehicle = vehicle;
    this.#now = now;
    this.#random = new Random(seed);
    for (const role of ROLES) this.keys[role] = this.#newKey();
    this.#signRoot([]);
    this.direct([]);
  }

  /** The newest root. */
  get root(): Uint8Array {
    return this.files.get(`${this.#rootVersion}.root.json`) ?? new Uint8Array();
  }

  /** What each ECU is to have, from now on. */
  direct(directions: readonly Direction[]): void {
    this.#directions = directions;
    const version = ++this.#version;
    const stamp = { version, expires: this.#now() + LIFETIME };
    const targets = signTargets(stamp, this.#vehicle, directedTargets(directions), this.keys.targets);
    const snapshot = signSnapshot(stamp, { bytes: targets, version }, this.keys.snapshot);
    this.files.set(`${version}.targets.json`, targets);
    this.files.set(`${version}.snapshot.json`, snapshot);
    this.files.set('timestamp.json', signTimestamp(stamp, { bytes: snapshot, version }, this.keys.timestamp));
  }

  /**
   * It cannot be asked until it directs something again: what there is of it was signed beforehand (PURE-2). `targets` are
   * for the ECUs that they name, or else for all with the hardware.
   */
  leave(targets: Readonly<Record<string, Target>>): void {
    if (!this.#offlineKeys) {
      this.#offlineKeys = { 'offline-snapshot': this.#newKey(), 'offline-targets': this.#newKey() };
      this.#signRoot([]);
    }
    for (const name of this.files.keys()) if (!name.endsWith('root.json')) this.files.delete(name);
    const stamp = { version: ++this.#version, expires: this.#now() + LIFETIME };
    for (const { name, bytes } of signOfflineFiles(stamp, targets, this.#offlineKeys))
      this.files.set(name, bytes);
  }

  /** Replaces the keys of a role. */
  rotate(role: RoleName): void {
    const before = this.keys.root;
    this.keys[role] = this.#newKey();
    this.#signRoot(role === 'root' ? [before] : []);
    this.direct(this.#directions);
  }

  #signRoot(before: readonly SigningKey[]): void {
    const stamp = { version: ++this.#rootVersion, expires: this.#now() + LIFETIME };
    const one = (role: RoleName) => ({ keys: [this.keys[role].public], threshold: 1 });
    const online = buildRoot(stamp, {
      root: one('root'),
      targets: one('targets'),
      snapshot: one('snapshot'),
      timestamp: one('timestamp'),
    });
    const root = this.#offlineKeys ? withOfflineKeys(online, publicKeys(this.#offlineKeys)) : online;
    const signed = envelopeBytes(sign(root, [...before, this.keys.root]));
    this.files.set(`${this.#rootVersion}.root.json`, signed);
  }

  #newKey(): SigningKey {
    return generateKey((length) => this.#random.bytes(length));
  }
}

function publicKeys(keys: Readonly<Record<OfflineRole, SigningKey>>): Record<OfflineRole, PublicKey> {
  return {
    'offline-snapshot': keys['offline-snapshot'].public,
    'offline-targets': keys['offline-targets'].public,
  };
}
