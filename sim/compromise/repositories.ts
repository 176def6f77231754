// The two repositories of a vehicle, and what somebody with some of their keys can put in their place.
import {
  buildRoot,
  buildSnapshot,
  buildTargets,
  buildTimestamp,
  type Delegations,
  delegatedName,
  envelopeBytes,
  generateKey,
  keyId,
  type MetaFile,
  metadataName,
  metaFile,
  type RoleKeys,
  type RoleName,
  type Signed,
  type SigningKey,
  type Stamp,
  sha256,
  sign,
  type Target,
  targetFileName,
} from '../../repo/index.ts';
import { Random } from '../random.ts';
import type { Holder, Loot } from './holders.ts';

const DAY = 86_400;
/** 2030-01-01: when all of it begins. */
export const START = 1_893_456_000;
/** Seconds that metadata of a role is good for. */
const LIFETIME: Readonly<Record<RoleName, number>> = {
  root: 3650 * DAY,
  targets: 90 * DAY,
  snapshot: 7 * DAY,
  timestamp: DAY,
};
/** Seconds after which nothing but a root is good any more. */
export const HORIZON = 100 * DAY;
/** The highest version that a device takes: nothing can come after it. */
export const LAST_VERSION = 2 ** 31 - 1;

export const VEHICLE = 'car-1';
const SUPPLIER = 'supplier';
const REPOSITORIES = ['Director', 'Image'] as const;
const ROLES = ['root', 'targets', 'snapshot', 'timestamp'] as const;
type RepositoryName = (typeof REPOSITORIES)[number];
type Signer = RoleName | typeof SUPPLIER;

/** One ECU of the vehicle. */
export interface EcuSpec {
  readonly serial: string;
  readonly hardwareId: string;
  readonly component: string;
  /** Its images come from the supplier. */
  readonly supplied: boolean;
}

/** An image for an ECU as both repositories list it. */
export interface Listed {
  readonly ecu: EcuSpec;
  readonly image: Uint8Array;
  /** What it is said to be; its path follows from it. */
  readonly releaseCounter: number;
}

/** What the metadata of one moment says. */
export interface Content {
  readonly ordered: readonly Listed[];
  readonly published: readonly Listed[];
  /** Of every role but root. */
  readonly version: number;
  /** When it was signed, seconds since 1970. */
  readonly signedAt: number;
  /** The length that all of it is said to have; the true one, with its hash, when left out. */
  readonly length?: number;
}

/** Files by path, below `director/`, `image/` and `targets/`. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** What stands where an attacker has no key: the honest file, or the wanted one with a signature of no worth. */
export type Filler = 'honest' | 'worthless';

type KeyRing = Readonly<Record<Signer, SigningKey>>;
type Rings = Readonly<Record<RepositoryName, KeyRing>>;

const random = new Random(0x6d6f756c);
const newKey = (): SigningKey => generateKey((length) => random.bytes(length));
const newRing = (): KeyRing => ({
  ...{ root: newKey(), targets: newKey(), snapshot: newKey(), timestamp: newKey(), supplier: newKey() },
});
const newRings = (): Rings => ({ Director: newRing(), Image: newRing() });

const KEYS = newRings();
/** The attacker's own, which nobody trusts as long as no stolen root names them. */
const FOREIGN = newRings();
/** What the owners have made since. */
const FRESH = newRings();

/** What their owners have signed so far, and now this. */
export function honest(content: Content, before: Files = new Map()): Files {
  return eachRepository(before, content, (files, name) => {
    if (!files.has(`${folderOf(name)}/1.root.json`))
      files.set(`${folderOf(name)}/1.root.json`, rootFile(1, KEYS[name], [KEYS[name].root]));
    new Writer(files, name, content, KEYS[name], () => true).write();
  });
}

/** What an attacker puts in place of `base`: `content` wherever the loot allows it, `filler` elsewhere. */
export function forged(base: Files, content: Content, loot: Loot, filler: Filler): Files {
  return eachRepository(base, content, (files, name) => {
    const takesRoot = loot.has(`${name} root`);
    const holds = (role: Signer) => takesRoot || loot.has(holderOf(name, role));
    if (takesRoot)
      files.set(
        `${folderOf(name)}/2.root.json`,
        rootFile(2, FOREIGN[name], [KEYS[name].root, FOREIGN[name].root]),
      );
    const keyOf = (role: Signer) => (holds(role) && !takesRoot ? KEYS : FOREIGN)[name][role];
    const ring: KeyRing = {
      ...{ root: keyOf('root'), targets: keyOf('targets'), snapshot: keyOf('snapshot') },
      ...{ timestamp: keyOf('timestamp'), supplier: keyOf(SUPPLIER) },
    };
    new Writer(files, name, content, ring, (role) => filler === 'worthless' || holds(role)).write();
  });
}

/** What owners do when keys were stolen: a root that names new keys for all other roles, and metadata by these. */
export function recovered(base: Files, content: Content): Files {
  return eachRepository(base, content, (files, name) => {
    const ring = { ...FRESH[name], root: KEYS[name].root };
    files.set(`${folderOf(name)}/2.root.json`, rootFile(2, ring, [ring.root]));
    new Writer(files, name, content, ring, () => true).write();
  });
}

function eachRepository(
  before: Files,
  content: Content,
  change: (files: Map<string, Uint8Array>, name: RepositoryName) => void,
): Files {
  const files = new Map(before);
  for (const name of REPOSITORIES) change(files, name);
  for (const listed of [...content.published, ...content.ordered])
    files.set(`targets/${targetFileName(pathOf(listed), sha256(listed.image))}`, listed.image);
  return files;
}

function holderOf(name: RepositoryName, role: Signer): Holder {
  return role === SUPPLIER ? SUPPLIER : `${name} ${role}`;
}

function folderOf(name: RepositoryName): string {
  return name.toLowerCase();
}

function pathOf({ ecu, releaseCounter }: Listed): string {
  return `${ecu.component}/${ecu.hardwareId}/${releaseCounter}.0.0/firmware.bin`;
}

function rootFile(version: number, ring: KeyRing, signers: readonly SigningKey[]): Uint8Array {
  const role = (of: RoleName): RoleKeys => ({ keys: [ring[of].public], threshold: 1 });
  const roles = Object.fromEntries(ROLES.map((of) => [of, role(of)])) as Record<RoleName, RoleKeys>;
  return envelopeBytes(sign(buildRoot({ version, expires: START + LIFETIME.root }, roles), signers));
}

/** Writes one repository, from the targets up, so that each file lists what lies below it by then. */
class Writer {
  readonly #files: Map<string, Uint8Array>;
  readonly #name: RepositoryName;
  readonly #content: Content;
  readonly #ring: KeyRing;
  readonly #puts: (role: Signer) => boolean;

  /** What `puts` says no to stays as it is. */
  constructor(
    files: Map<string, Uint8Array>,
    name: RepositoryName,
    content: Content,
    ring: KeyRing,
    puts: (role: Signer) => boolean,
  ) {
    this.#files = files;
    this.#name = name;
    this.#content = content;
    this.#ring = ring;
    this.#puts = puts;
  }

  write(): void {
    const meta: Record<string, MetaFile> = {
      'targets.json': this.#put('targets', (stamp) => this.#targets(stamp)),
    };
    // Who verifies in part asks for these, whatever their version.
    this.#files.set(`${folderOf(this.#name)}/targets.json`, this.#file('targets', this.#newest('targets')));
    if (this.#name === 'Image')
      meta[`${SUPPLIER}.json`] = this.#put(SUPPLIER, (stamp) =>
        buildTargets(
          stamp,
          this.#list(({ ecu }) => ecu.supplied),
        ),
      );
    const snapshot = this.#put('snapshot', (stamp) => buildSnapshot(stamp, meta));
    this.#put('timestamp', (stamp) => buildTimestamp(stamp, snapshot));
  }

  /** What files above say of it: of the new one, or of the newest one that is there. */
  #put(role: Exclude<Signer, 'root'>, build: (stamp: Stamp) => Signed): MetaFile {
    const { version, signedAt, length } = this.#content;
    if (!this.#puts(role)) {
      const newest = this.#newest(role);
      return metaFile(this.#file(role, newest), newest);
    }
    const signed = build({ version, expires: signedAt + LIFETIME[role === SUPPLIER ? 'targets' : role] });
    const bytes = envelopeBytes(sign(signed, [this.#ring[role]]));
    this.#files.set(this.#path(role, version), bytes);
    return length === undefined ? metaFile(bytes, version) : { version, length };
  }

  /** The version that whoever wrote last has given to a role. */
  #newest(role: Signer): number {
    return [LAST_VERSION, 4, 3, 2].find((version) => this.#files.has(this.#path(role, version))) ?? 1;
  }

  #file(role: Signer, version: number): Uint8Array {
    return this.#files.get(this.#path(role, version)) ?? new Uint8Array();
  }

  #path(role: Signer, version: number): string {
    const name = role === SUPPLIER ? delegatedName(role, version) : metadataName(role, version);
    return `${folderOf(this.#name)}/${name}`;
  }

  #targets(stamp: Stamp): Signed {
    if (this.#name === 'Director')
      return {
        ...buildTargets(
          stamp,
          this.#list(() => true),
        ),
        custom: { vehicleId: VEHICLE },
      };
    // Who signs these needs no supplier: where that one is not his he lists all images himself.
    const supplies = this.#puts(SUPPLIER);
    const own = this.#list(({ ecu }) => !(ecu.supplied && supplies));
    return buildTargets(stamp, own, delegations(this.#ring[SUPPLIER]));
  }

  /** Targets by path: in the Director's what is ordered, with the ECU that it is for. */
  #list(includes: (listed: Listed) => boolean): Record<string, Target> {
    const isDirector = this.#name === 'Director';
    const all = isDirector ? this.#content.ordered : this.#content.published;
    return Object.fromEntries(
      all.filter(includes).map((listed) => [pathOf(listed), this.#target(listed, isDirector)]),
    );
  }

  #target({ ecu, image, releaseCounter }: Listed, ordered: boolean): Target {
    const { component, hardwareId, serial } = ecu;
    const release = {
      ...{ component, version: `${releaseCounter}.0.0`, hardwareIds: [hardwareId] },
      ...{ releaseCounter, securityCounter: 0 },
    };
    return {
      length: this.#content.length ?? image.length,
      hashes: { sha256: sha256(image) },
      custom: { ...release, ...(ordered && { ecuIdentifiers: { [serial]: { hardwareId } } }) },
    };
  }
}

function delegations({ public: key }: SigningKey): Delegations {
  const role = { name: SUPPLIER, keyids: [keyId(key)], threshold: 1 };
  return { keys: { [keyId(key)]: key }, roles: [{ ...role, paths: ['brake/*/*/*'], terminating: false }] };
}
