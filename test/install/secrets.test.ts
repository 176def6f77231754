// What of the keys is left in the linear memory of the core when it has returned: the whole of it is searched, after
// each call that a host can make.
import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from 'node:crypto';
import { expect, test } from 'vitest';
import { Action, Part, Status } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import { Core } from '../../host/node/core.ts';
import type { FlashDriver } from '../../host/node/flash.ts';
import { provision } from '../../host/node/provision.ts';
import { encryptionPublicKey, sha256 } from '../../repo/index.ts';
import type { SimFlash } from '../../sim/flash.ts';
import { Random } from '../../sim/random.ts';
import { RELEASE_1, World } from '../../sim/scenarios/world.ts';
import { check, verdict } from '../fixtures/by-hand.ts';

const KEY = new Random(41).bytes(32);
const PUBLIC = encryptionPublicKey(KEY);
const IMAGE = Buffer.concat([RELEASE_1.image.subarray(0, 9000), new Random(9).bytes(7000)]);
const RELEASE = { version: '1.1.0', releaseCounter: 2, securityCounter: 2, image: IMAGE };
const HEAD = 40;
/** Bytes in a row of a secret that are not to be found. */
const PIECE = 8;

type Secrets = Readonly<Record<string, Uint8Array>>;

/** Where any eight bytes of a secret are found: its name and the address. */
function find(memory: Uint8Array, secrets: Secrets): string[] {
  const bytes = Buffer.from(memory.buffer, memory.byteOffset, memory.length);
  return Object.entries(secrets).flatMap(([name, secret]) =>
    Array.from({ length: secret.length - PIECE + 1 }, (_, at) => secret.subarray(at, at + PIECE))
      .map((piece) => bytes.indexOf(piece))
      .filter((at) => at >= 0)
      .slice(0, 1)
      .map((at) => `${name} at ${at}`),
  );
}

/** Flash that knows the core's memory from the views that it is given. */
class Window implements FlashDriver {
  memory: Uint8Array = new Uint8Array();
  /** The key of the device was found while it was read or written, so the search does find. */
  sightings = 0;
  readonly #flash: SimFlash;

  constructor(flash: SimFlash) {
    this.#flash = flash;
  }

  read(area: number, offset: number, bytes: Uint8Array): boolean {
    const done = this.#flash.read(area, offset, bytes);
    this.#look(bytes);
    return done;
  }

  write(area: number, offset: number, data: Uint8Array): boolean {
    this.#look(data);
    return this.#flash.write(area, offset, data);
  }

  erase(area: number, offset: number, length: number): boolean {
    return this.#flash.erase(area, offset, length);
  }

  size(area: number): number {
    return this.#flash.size(area);
  }

  blockEnd(area: number, offset: number): number {
    return this.#flash.blockEnd(area, offset);
  }

  unit(area: number): number {
    return this.#flash.unit(area);
  }

  erased(area: number): number {
    return this.#flash.erased(area);
  }

  #look(bytes: Uint8Array): void {
    this.memory = new Uint8Array(bytes.buffer);
    if (find(this.memory, { key: KEY }).length > 0) this.sightings++;
  }
}

/** A core after each call of which the memory is searched for these secrets. */
function searched(world: World, secrets: Secrets): { core: Core; window: Window } {
  const { device } = world;
  device.power.on();
  const window = new Window(device.flash);
  const core = new Core({ flash: window, boot: new RecordedBoot(device.flash) });
  const get = (target: Core, name: keyof Core) => {
    const member = target[name];
    if (typeof member !== 'function') return member;
    return (...values: never[]) => {
      const result: unknown = Reflect.apply(member, target, values);
      expect(find(window.memory, secrets), `after ${name}`).toEqual([]);
      return result;
    };
  };
  return { core: new Proxy(core, { get: (target, name) => get(target, name as keyof Core) }), window };
}

/** A device with the key that has release 1, and a repository with an encrypted one. */
async function published(): Promise<{ world: World; path: string; payload: Uint8Array }> {
  const world = new World({ key: KEY });
  await world.update();
  world.repository.publish({ ...RELEASE, encryptFor: [PUBLIC] });
  const path = [...world.repository.files.keys()].find((name) => name.endsWith('.encrypted')) ?? '';
  return { world, path, payload: world.repository.files.get(path) ?? new Uint8Array() };
}

/** What is known on the way to the key of a payload's chunks, and that key (docs/formats.md, "Encrypted payloads"). */
function secretsOf(payload: Uint8Array): { passing: Secrets; chunks: Secrets } {
  const der = (prefix: string, key: Uint8Array) => Buffer.concat([Buffer.from(prefix, 'hex'), key]);
  const shared = diffieHellman({
    privateKey: createPrivateKey({
      key: der('302e020100300506032b656e04220420', KEY),
      format: 'der',
      type: 'pkcs8',
    }),
    publicKey: createPublicKey({
      key: der('302a300506032b656e032100', payload.subarray(8, HEAD)),
      format: 'der',
      type: 'spki',
    }),
  });
  const salt = Buffer.concat([payload.subarray(8, HEAD), PUBLIC]);
  const wrapping = new Uint8Array(hkdfSync('sha256', shared, salt, payload.subarray(0, 8), 32));
  const content = payload.subarray(HEAD + 8, 2 * HEAD).map((byte, at) => byte ^ (wrapping[at] ?? 0));
  const chunks = createHmac('sha256', content)
    .update(Buffer.from(sha256(payload.subarray(0, 2 * HEAD)), 'hex'))
    .update(Uint8Array.of(1))
    .digest();
  const extracted = createHmac('sha256', salt).update(shared).digest();
  const stream = createCipheriv('chacha20', chunks, Buffer.alloc(16)).update(Buffer.alloc(32));
  return { passing: { key: KEY, shared, extracted, wrapping, content, stream }, chunks: { chunks } };
}

test('[CERT-C-1] no byte of a key outlives the call that keeps it, nor a boot at which it is the last that was kept', () => {
  const { device } = new World();
  device.power.on();
  const window = new Window(device.flash);
  const started = () => {
    const core = new Core({ flash: window, boot: new RecordedBoot(device.flash) });
    core.coreStart();
    return core;
  };
  const core = started();
  core.provisionBegin(Part.CONFIG);
  const configuration = {
    hardwareId: 'sim',
    component: 'app',
    version: '1',
    releaseCounter: 1,
    securityCounter: 1,
    buildTime: 1,
    checkInterval: 60,
  };
  core.provisionWrite(new TextEncoder().encode(JSON.stringify(configuration)));
  expect(core.provisionEnd()).toBe(Status.OK);
  for (let time = 0; time < 2; time++) {
    core.provisionBegin(Part.KEY);
    core.provisionWrite(KEY);
    expect(core.provisionEnd()).toBe(Status.OK);
    expect(find(window.memory, { key: KEY }), `time ${time}`).toEqual([]);
  }
  started();
  expect(find(window.memory, { key: KEY })).toEqual([]);
  expect(window.sightings).toBeGreaterThan(0);
});

test('[CERT-C-1] no byte of a key is in memory after a call, from the boot to the end of an encrypted update', async () => {
  const { world, payload } = await published();
  const { passing, chunks } = secretsOf(payload);
  const { core, window } = searched(world, passing);
  core.coreStart();
  world.network.conduct = () => ({ chunk: 500 });
  expect(verdict(await check(world, core))).toBe('reboot');
  expect(Buffer.from(core.publicKeyRead())).toEqual(Buffer.from(PUBLIC));
  expect(find(window.memory, chunks)).toEqual([]);
  // The search finds what is there: the key was, during the calls that need it.
  expect(window.sightings).toBeGreaterThan(0);
});

test('[CERT-C-1] no byte of what signs reports is in memory after a call, nor in a report or a manifest', () => {
  const { device } = new World();
  device.power.on();
  const window = new Window(device.flash);
  const expanded = createHash('sha512').update(KEY).digest();
  expanded[0] = (expanded[0] ?? 0) & 0xf8;
  expanded[31] = ((expanded[31] ?? 0) & 0x7f) | 0x40;
  const secrets = { key: KEY, scalar: expanded.subarray(0, 32), prefix: expanded.subarray(32) };
  const core = new Core({ flash: window, boot: new RecordedBoot(device.flash) });
  core.coreStart();
  const image = { filepath: 'a', fileinfo: { length: 1, hashes: { sha256: '00'.repeat(32) } } };
  const ecu = { uptane: 'partial' as const, ecu: 'one', vehicle: 'car', image, hardwareId: 'sim' };
  provision(core, { ...ecu, buildTime: 1, checkInterval: 60 }, new World().repository.root, KEY);
  const clean = () => expect(find(window.memory, secrets)).toEqual([]);
  clean();
  expect(core.agentStep(2)).toBe(Action.REPORT);
  for (let time = 0; time < 3; time++) {
    const report = core.report();
    clean();
    const manifest = core.manifest('car', []);
    clean();
    for (const bytes of [report, manifest, core.reportKeyRead(), core.publicKeyRead(), core.logArea()])
      expect(find(bytes, secrets)).toEqual([]);
    clean();
  }
  expect(core.reportEnd(Status.OK)).toBe(Status.OK);
  clean();
  expect(window.sightings).toBeGreaterThan(0);
});

test.each([
  ['is refused', (payload: Uint8Array) => payload.with(5000, (payload[5000] ?? 0) ^ 1)],
  ['breaks off', (payload: Uint8Array) => payload.subarray(0, 2500)],
])('[CERT-C-1] nor is the key of the chunks after the check, when a payload %s', async (_, change) => {
  const { world, path, payload } = await published();
  const { passing, chunks } = secretsOf(payload);
  const { core, window } = searched(world, passing);
  core.coreStart();
  world.repository.files.set(path, change(payload));
  expect(verdict(await check(world, core))).not.toBe('reboot');
  expect(find(window.memory, { ...passing, ...chunks })).toEqual([]);
});
