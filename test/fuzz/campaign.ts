// Random files against one device, and what must hold whatever they are.
import { Status } from '../../host/node/abi.ts';
import type { DeviceConfiguration } from '../../host/node/provision.ts';
import {
  buildRoot,
  buildSnapshot,
  buildTargets,
  buildTimestamp,
  generateKey,
  ROLES,
  type RoleName,
  type SigningKey,
  sha256,
} from '../../repo/index.ts';
import { Random } from '../../sim/random.ts';
import { signaturesBy } from '../tuf/kit.ts';
import { bytes, canonical, type JsonObject, plain, text, type Value } from '../tuf/values.ts';
import { damage, distort } from './mutate.ts';
import { type FlashContents, type Outcome, Target } from './target.ts';

/** 2030-01-01T00:00:00Z */
const NOW = 1_893_456_000;
const LIFETIME = 86_400;
const KNOWN = new Set<number>(Object.values(Status));
const PIECES = [1, 7, 64, 1024];
/** How often the device is asked whether it still follows an honest repository. */
const HEAL = 32;

/**
 * Rounds of loops that a check may cost: so many to start with, and so many for each byte that it was given. Much of it is
 * arithmetic, which the compact core has in loops.
 */
const STEPS = 300_000;
const STEPS_PER_BYTE = 250;

const CONFIGURATION: DeviceConfiguration = {
  hardwareId: 'sim',
  component: 'app',
  version: '1.0.0',
  releaseCounter: 9,
  securityCounter: 1,
  buildTime: NOW - LIFETIME,
  checkInterval: 3600,
};

/** The top-level roles, and one that the targets role delegates to. */
type FuzzRole = RoleName | 'team';
const FUZZ_ROLES: readonly FuzzRole[] = [...ROLES, 'team'];
type Keys = Readonly<Record<FuzzRole, SigningKey[]>>;

export const KINDS = ['damaged', 'distorted and signed', 'configuration'] as const;
export type Kind = (typeof KINDS)[number];

export class Campaign {
  readonly #target = new Target();
  readonly #random: Random;
  readonly #keys: Keys;
  readonly #rotated: Keys;
  /** What an honest repository serves: version 2 of all, and a root with new keys besides. */
  readonly #honest: ReadonlyMap<string, JsonObject>;
  readonly #files: ReadonlyMap<string, Uint8Array>;
  readonly #healed: ReadonlyMap<string, Uint8Array>;
  readonly #root: Uint8Array;
  readonly #bases: Readonly<Record<FuzzRole, FlashContents>>;
  /** How many files of the cases were accepted, of how many. */
  accepted = 0;
  cases = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    const key = () => generateKey((length) => this.#random.bytes(length));
    const keys = () => ({
      root: [key(), key()],
      timestamp: [key()],
      snapshot: [key()],
      targets: [key()],
      team: [key()],
    });
    this.#keys = keys();
    this.#rotated = { ...keys(), root: this.#keys.root };
    const first = repository(1, this.#keys);
    this.#honest = repository(2, this.#keys);
    this.#files = signAll(this.#honest, this.#keys);
    this.#healed = new Map([...this.#files, ...signAll(repository(3, this.#rotated), this.#rotated)]);
    this.#root = signed(first.get('1.root.json') ?? {}, this.#keys.root);
    this.#bases = this.#makeBases(signAll(first, this.#keys));
  }

  /** Runs one case; throws when something did not hold. */
  run(kind: Kind): void {
    this.cases++;
    if (kind === 'configuration') this.#runConfiguration();
    else this.#runFile(kind);
  }

  #runFile(kind: Kind): void {
    const role = FUZZ_ROLES[this.#random.below(FUZZ_ROLES.length)] ?? 'root';
    this.#target.restore(this.#bases[role]);
    const name = role === 'timestamp' ? 'timestamp.json' : `2.${role}.json`;
    const honest = this.#honest.get(name) ?? {};
    const intact = this.#files.get(name) ?? new Uint8Array();
    const file = kind === 'damaged' ? damage(this.#random, intact) : this.#distorted(role, honest);
    const outcome = this.#check(file, (wanted) => (wanted === name ? file : this.#files.get(wanted)));
    const accepted = outcome.files.get(name) === Status.OK;
    if (accepted) this.accepted++;
    if (accepted && kind === 'damaged' && meaning(file) !== canonical(honest))
      throw new Error(`a forged ${name} was accepted: ${Buffer.from(file).toString('base64')}`);
    if (this.cases % HEAL === 0 && !(accepted && role === 'root')) this.#heal(file);
  }

  /** Signed by those who may: what is inside reaches everything behind the signatures. */
  #distorted(role: FuzzRole, honest: JsonObject): Uint8Array {
    const odd = distort(this.#random, plain(honest));
    const signatures: Value = [...signaturesBy(this.#keys[role], odd), SILENCE];
    const envelope: Value = { signatures, signed: odd };
    return bytes(text(this.#random.chance(0.2) ? distort(this.#random, envelope) : envelope));
  }

  #check(file: Uint8Array, serve: (name: string) => Uint8Array | undefined): Outcome {
    const replay = () => Buffer.from(file).toString('base64');
    const size = PIECES[this.#random.below(PIECES.length)] ?? 1;
    let outcome: Outcome;
    try {
      outcome = this.#target.check(NOW, serve, size);
    } catch (cause) {
      throw new Error(`the core trapped: ${replay()}`, { cause });
    }
    for (const status of [outcome.status, ...outcome.files.values()])
      if (!KNOWN.has(status)) throw new Error(`status ${status} is none: ${replay()}`);
    if (outcome.steps > STEPS + STEPS_PER_BYTE * outcome.bytesFed)
      throw new Error(`${outcome.steps} steps for ${outcome.bytesFed} bytes: ${replay()}`);
    return outcome;
  }

  /** A repository that is honest again, with new keys below the root, brings the device forward. */
  #heal(file: Uint8Array): void {
    const { status } = this.#check(file, (name) => this.#healed.get(name));
    if (status !== Status.UP_TO_DATE)
      throw new Error(`the device is stuck with ${status} after ${Buffer.from(file).toString('base64')}`);
  }

  #runConfiguration(): void {
    const honest = plain(CONFIGURATION);
    const file = this.#random.chance(0.5)
      ? damage(this.#random, bytes(text(honest)))
      : bytes(text(distort(this.#random, honest)));
    let status: number;
    try {
      status = this.#target.provision(file, this.#root);
    } catch (cause) {
      throw new Error(`the core trapped: ${Buffer.from(file).toString('base64')}`, { cause });
    }
    if (!KNOWN.has(status))
      throw new Error(`status ${status} is none: ${Buffer.from(file).toString('base64')}`);
    if (status === Status.OK) this.accepted++;
  }

  /** A device that trusts version 1 of all, and version 2 of what comes before each role. */
  #makeBases(first: ReadonlyMap<string, Uint8Array>): Record<FuzzRole, FlashContents> {
    this.#target.provision(CONFIGURATION, this.#root);
    const { status } = this.#target.check(NOW, (name) => first.get(name), 1024);
    if (status !== Status.UP_TO_DATE) throw new Error(`the device does not start: ${status}`);
    const known = new Map(first);
    const base = (name: string): FlashContents => {
      this.#target.check(NOW, (wanted) => known.get(wanted), 1024);
      known.set(name, this.#files.get(name) ?? new Uint8Array());
      return this.#target.contents();
    };
    return {
      root: base('2.root.json'),
      timestamp: base('timestamp.json'),
      snapshot: base('2.snapshot.json'),
      targets: base('2.targets.json'),
      team: base('2.team.json'),
    };
  }
}

/** What canonical JSON makes of `signed`, by somebody else's parser; undefined: it is no JSON. */
function meaning(file: Uint8Array): string | undefined {
  try {
    const envelope = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file)) as { signed: Value };
    return canonical(envelope.signed);
  } catch {
    return undefined;
  }
}

/** `signed` of each file, by the name under which it is served. Nothing lists hashes, so each file is read. */
function repository(version: number, keys: Keys): Map<string, JsonObject> {
  const stamp = { version, expires: NOW + LIFETIME };
  const of = (role: RoleName) => ({
    keys: keys[role].map((key) => key.public),
    threshold: keys[role].length,
  });
  const roles = {
    root: of('root'),
    timestamp: of('timestamp'),
    snapshot: of('snapshot'),
    targets: of('targets'),
  };
  const image = bytes('image');
  const custom = {
    component: 'app',
    version: '0.9.0',
    hardwareIds: ['sim', 'other'],
    releaseCounter: 8,
    securityCounter: 1,
  };
  const target = { length: image.length, hashes: { sha256: sha256(image) }, custom };
  const listed = { 'targets.json': { version }, 'team.json': { version }, 'other.json': { version } };
  const targets = { 'app/sim/0.9.0/app.bin': target, 'app/other.bin': target };
  return new Map([
    [`${version}.root.json`, plain(buildRoot(stamp, roles))],
    ['timestamp.json', plain(buildTimestamp(stamp, { version }))],
    [`${version}.snapshot.json`, plain(buildSnapshot(stamp, listed))],
    [
      `${version}.targets.json`,
      { ...plain(buildTargets(stamp, targets)), delegations: delegations(keys.team) },
    ],
    [`${version}.team.json`, plain(buildTargets(stamp, { 'app/sim/0.9.1/app.bin': target }))],
    [`${version}.other.json`, plain(buildTargets(stamp, {}))],
  ]);
}

/** An ECDSA key (the base point of P-256) whose owner never signs. */
const SILENT = {
  keytype: 'ecdsa',
  scheme: 'ecdsa-sha2-nistp256',
  keyval: {
    public: `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt
6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==
-----END PUBLIC KEY-----
`,
  },
};

/** What somebody else signed in its place: a signature in form, r and s 1. */
const SILENCE = { keyid: 'silent', sig: '3006020101020101' };

function delegations(keys: readonly SigningKey[]): JsonObject {
  const listed = Object.fromEntries(keys.map((key) => [key.id, key.public]));
  const role = {
    name: 'team',
    keyids: [...keys.map((key) => key.id), 'silent'],
    threshold: keys.length,
    terminating: false,
    paths: ['app/sim/*', 'app/sim/*/*'],
  };
  const other = { ...role, name: 'other', paths: undefined, path_hash_prefixes: ['0', '5a'] };
  return plain({ keys: { ...listed, silent: SILENT }, roles: [role, other] });
}

function signAll(files: ReadonlyMap<string, JsonObject>, keys: Keys): Map<string, Uint8Array> {
  const role = (name: string) => FUZZ_ROLES.find((role) => name.includes(role)) ?? 'team';
  return new Map([...files].map(([name, content]) => [name, signed(content, keys[role(name)])]));
}

function signed(content: JsonObject, keys: readonly SigningKey[]): Uint8Array {
  return bytes(text({ signatures: [...signaturesBy(keys, content), SILENCE], signed: content }));
}
