// Whoever carries a bundle: what it changes, leaves out, mixes, holds back or brings again is found, named and survived.
import { beforeAll, describe, expect, test } from 'vitest';
import { SimClock } from '../../sim/clock.ts';
import { type Conduct, SimNetwork } from '../../sim/network.ts';
import { Random } from '../../sim/random.ts';
import { SimRepository } from '../../sim/repository.ts';
import { image, START } from '../../sim/scenarios/world.ts';
import {
  BundleDevice,
  type BundleDeviceOptions,
  bundleOf,
  type Files,
  filesOf,
  indexOf,
} from '../fixtures/bundles.ts';

const DAY = 86_400;
const release = (counter: number, length = 9000) => ({
  version: `1.${counter}.0`,
  releaseCounter: counter,
  image: image(counter, length),
});

/** What `moult bundle create` takes of a repository: the newest of all, and older roots. */
function bundleFrom({ files }: SimRepository, counter: number, without = /^$/): Buffer {
  const newest = (role: string) =>
    [...files.keys()]
      .filter((name) => name.endsWith(`${role}.json`))
      .sort(byVersion)
      .at(-1);
  const roles = [newest('.targets'), newest('.snapshot'), 'metadata/timestamp.json'];
  const isWanted = (name: string) =>
    name.endsWith('.root.json') || roles.includes(name) || name.includes(`/1.${counter}.0/`);
  return bundleOf(new Map([...files].filter(([name]) => isWanted(name) && !without.test(name))));
}

function byVersion(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

const OLD = release(1);
const NEW = release(2);

interface Scene {
  readonly repository: SimRepository;
  readonly device: BundleDevice;
  /** Of release 1, and after it of release 2. */
  readonly first: Buffer;
  readonly second: Buffer;
}

function scene(options: Partial<BundleDeviceOptions> = {}): Scene {
  const repository = new SimRepository(() => START);
  const { root } = repository;
  repository.publish(OLD);
  const first = bundleFrom(repository, 1);
  repository.publish(NEW);
  const second = bundleFrom(repository, 2);
  return { repository, first, second, device: new BundleDevice({ root, image: OLD.image, ...options }) };
}

/** The same bundle with a file changed. */
function changed(bundle: Buffer, name: RegExp, change: (bytes: Buffer) => Uint8Array): Buffer {
  const files = new Map<string, Uint8Array>(filesOf(bundle));
  const found = [...files].find(([path]) => name.test(path));
  files.set(found?.[0] ?? '', change(Buffer.from(found?.[1] ?? [])));
  return bundleOf(files);
}

/** The last digit of metadata is in its version; of an image it is some byte or none. */
function edited(bytes: Buffer): Uint8Array {
  const at = bytes.findLastIndex((byte) => byte >= 0x30 && byte <= 0x39);
  return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
}

/** What it refuses costs nothing: the honest bundle installs afterwards. */
async function expectRefused(at: Scene, bytes: Uint8Array, finding: string): Promise<void> {
  expect(await at.device.install(bytes)).toBe(finding);
  expect(at.device.boots(OLD.image)).toBe(true);
  expect(await at.device.install(at.second)).toBe('up-to-date');
  expect(at.device.boots(NEW.image)).toBe(true);
}

describe('[CERT-T-3, UPT-3] a relay', () => {
  test('that is honest: the device has the new image, and needs nothing else', async () => {
    const { device, second } = scene();
    expect(await device.install(second)).toBe('up-to-date');
    expect(device.boots(NEW.image)).toBe(true);
  });

  const EDITS: readonly [name: RegExp, finding: string][] = [
    [/timestamp/, 'signatures'],
    [/snapshot/, 'hash-mismatch'],
    [/\.targets\.json/, 'hash-mismatch'],
    [/^targets/, 'image-mismatch'],
  ];
  for (const [name, finding] of EDITS)
    test(`that edits ${name}: ${finding}`, () => {
      const at = scene();
      return expectRefused(at, changed(at.second, name, edited), finding);
    });

  test('that edits a new root: signatures', async () => {
    const at = scene();
    at.repository.rotate('root');
    const rotated = bundleFrom(at.repository, 2);
    expect(await at.device.install(changed(rotated, /2\.root/, edited))).toBe('signatures');
    expect(at.device.boots(OLD.image)).toBe(true);
    expect(await at.device.install(rotated)).toBe('up-to-date');
  });

  const CUTS: readonly [name: RegExp, finding: string][] = [
    [/timestamp/, 'json-syntax'],
    [/snapshot/, 'length-mismatch'],
    [/\.targets\.json/, 'length-mismatch'],
    [/^targets/, 'truncated'],
  ];
  for (const [name, finding] of CUTS)
    test(`that cuts ${name} short and mends the index: ${finding}`, () => {
      const at = scene();
      return expectRefused(
        at,
        changed(at.second, name, (bytes) => bytes.subarray(0, -9)),
        finding,
      );
    });

  test('that makes files longer and mends the index: too-long; of an image no byte too many is taken', async () => {
    const longer = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(20_000, ' ')]);
    for (const [name] of EDITS) {
      const at = scene();
      await expectRefused(at, changed(at.second, name, longer), 'too-long');
    }
  });

  test('that leaves files out: not-found', async () => {
    for (const name of [/timestamp/, /snapshot/, /\.targets\.json/, /^targets/]) {
      const at = scene();
      await expectRefused(at, bundleFrom(at.repository, 2, name), 'not-found');
    }
  });

  test('that gives one file the name of another: the finding of what is expected there', async () => {
    const at = scene();
    const [timestamp, snapshot] = [/timestamp/, /snapshot/].map((name) => fileOf(at.second, name));
    const swapped = changed(
      changed(at.second, /timestamp/, () => snapshot as Buffer),
      /snapshot/,
      () => timestamp as Buffer,
    );
    await expectRefused(at, swapped, 'signatures');
  });

  test('that reorders the bytes of the files: envelope-invalid, and the names of the files: no bundle', async () => {
    const at = scene();
    const files = [...filesOf(at.second)];
    const total = files.reduce((sum, [, { length }]) => sum + length, 0);
    const index = at.second.subarray(0, -total);
    const backwards = Buffer.concat([index, ...files.map(([, bytes]) => bytes).reverse()]);
    await expectRefused(at, backwards, 'envelope-invalid');
    const entries = files.map(([name, { length }]) => ({ name, length })).reverse();
    const unsorted = Buffer.concat([indexOf(entries), ...files.map(([, bytes]) => bytes).reverse()]);
    expect(await at.device.install(unsorted)).toBe('bundle-invalid');
  });

  test('that brings an older bundle after a newer one: rollback', async () => {
    const { device, first, second } = scene();
    expect(await device.install(second)).toBe('up-to-date');
    expect(await device.install(first)).toBe('rollback');
    expect(device.boots(NEW.image)).toBe(true);
  });

  test('that holds a bundle back until it has expired: expired', async () => {
    const { device, second } = scene();
    device.now = START + 2 * DAY;
    expect(await device.install(second)).toBe('expired');
    expect(device.boots(OLD.image)).toBe(true);
  });

  test('that brings the bundle of another fleet: signatures', () => {
    const at = scene();
    const other = new SimRepository(() => START, 99);
    other.publish(NEW);
    return expectRefused(at, bundleFrom(other, 2), 'signatures');
  });

  test('that brings the bundle of another fleet with roots of its own: signatures', () => {
    const at = scene();
    const other = new SimRepository(() => START, 99);
    other.publish(NEW);
    other.rotate('root');
    return expectRefused(at, bundleFrom(other, 2), 'signatures');
  });

  test('that mixes the files of two bundles, in all ways: only what fits together is an update', async () => {
    const { first, second, device } = scene();
    const [one, two] = [filesOf(first), filesOf(second)];
    const names = [...new Set([...one.keys(), ...two.keys()])].filter((name) => !name.endsWith('root.json'));
    const findings = new Set<string>();
    for (let choice = 0; choice < 3 ** names.length; choice++) {
      const files = mixture(names, choice, one, two);
      if (!files) continue;
      device.reset();
      findings.add(await device.install(bundleOf(files)));
      const whole = names.every((name) => !two.has(name) || files.get(name) === two.get(name));
      expect(device.boots(whole ? NEW.image : OLD.image)).toBe(true);
    }
    expect([...findings].sort()).toEqual(['not-found', 'up-to-date']);
  });
});

function fileOf(bundle: Buffer, name: RegExp): Buffer {
  return [...filesOf(bundle)].find(([path]) => name.test(path))?.[1] ?? Buffer.alloc(0);
}

/** Each name from the first bundle, the second, or left out; undefined: a bundle does not have the one that is chosen. */
function mixture(
  names: readonly string[],
  choice: number,
  one: Files,
  two: Files,
): Map<string, Uint8Array> | undefined {
  const files = new Map<string, Uint8Array>();
  for (const [index, name] of names.entries()) {
    const from = Math.floor(choice / 3 ** index) % 3;
    if (from === 2) continue;
    const bytes = (from === 0 ? one : two).get(name);
    if (!bytes) return undefined;
    files.set(name, bytes);
  }
  return files;
}

describe('[CERT-T-3, CERT-C-6] a relay on the way to a bundle', () => {
  /** A network in between, on which the bundle is the server. */
  function relayed(conduct: (path: string) => Conduct) {
    const clock = new SimClock(START);
    const { repository, ...rest } = scene();
    let path = new Map<string, Uint8Array>();
    const network = new SimNetwork((name) => path.get(name), clock);
    network.conduct = conduct;
    const root = repository.files.get('metadata/1.root.json') as Uint8Array;
    const device = new BundleDevice({ root, image: OLD.image, clock, relay: () => network.fetch });
    const install = async (bundle: Buffer) => {
      path = new Map(filesOf(bundle));
      return clock.run(device.install(bundle));
    };
    return { ...rest, repository, network, device, install, clock };
  }

  test('that stalls is given up in bounded time: network, and the next one is taken', async () => {
    const world = relayed((path) => (path.endsWith('.bin') ? { rate: 0.001, chunk: 1 } : {}));
    expect(await world.install(world.second)).toBe('network');
    expect(world.clock.seconds() - START).toBeLessThan(3600);
    expect(world.device.boots(OLD.image)).toBe(true);
    world.network.conduct = () => ({});
    world.clock.set(START + DAY / 2);
    expect(await world.install(world.second)).toBe('up-to-date');
    expect(world.device.boots(NEW.image)).toBe(true);
  });

  test('that gives one byte at a time, fast enough, costs nothing', async () => {
    const world = relayed(() => ({ chunk: 1 }));
    expect(await world.install(world.second)).toBe('up-to-date');
    expect(world.device.boots(NEW.image)).toBe(true);
  });

  test('that stops in the midst of an image: it goes on from there, another day and from a newer bundle too', async () => {
    let left = 1;
    const world = relayed((path) =>
      path.endsWith('.bin') ? (left-- > 0 ? { breakAfter: 5000 } : { drop: true }) : {},
    );
    expect(await world.install(world.second)).toBe('network');
    expect(world.device.boots(OLD.image)).toBe(true);
    const before = world.network.requests.length;
    world.network.conduct = () => ({});
    world.clock.set(START + DAY / 2);
    world.repository.refresh();
    expect(await world.install(bundleFrom(world.repository, 2))).toBe('up-to-date');
    expect(world.network.requests.slice(before).find(({ path }) => path.endsWith('.bin'))?.offset).toBe(4096);
    expect(world.device.boots(NEW.image)).toBe(true);
  });
});

test('[CERT-T-3] power cuts while a bundle is installed: the same bundle finishes it', async () => {
  const { device, second } = scene();
  const { power } = device.device;
  const random = new Random(7);
  device.reset();
  const from = power.operations;
  expect(await device.install(second)).toBe('up-to-date');
  const operations = power.operations - from;
  for (let round = 0; round < 40; round++) {
    device.reset();
    const cuts = power.cuts;
    for (let cut = 0; cut < 3; cut++) {
      const kind = random.chance(0.5) ? 'before' : 'after';
      power.plan({ operation: power.operations + random.below(operations), kind, units: 0 });
      // It boots again by itself, finds the bundle where it was, and goes on.
      expect(await device.install(second)).toBe('up-to-date');
    }
    power.plan(undefined);
    expect(power.cuts).toBeGreaterThan(cuts);
    expect(device.boots(NEW.image)).toBe(true);
  }
});

test('[CERT-I-6, CERT-T-3] a device that was off since root 1 follows the chain to root 8 in one bundle', async () => {
  const at = scene();
  for (const role of ['root', 'targets', 'timestamp', 'root', 'snapshot', 'root', 'root'] as const)
    at.repository.rotate(role);
  at.repository.publish(release(3));
  const bundle = bundleFrom(at.repository, 3);
  expect([...filesOf(bundle).keys()].filter((name) => name.endsWith('root.json')).length).toBe(8);
  // A bundle from root 5 on is for others.
  const later = bundleFrom(at.repository, 3, /[1-4]\.root/);
  expect(await at.device.install(later)).not.toBe('up-to-date');
  expect(at.device.boots(OLD.image)).toBe(true);
  expect(await at.device.install(bundle)).toBe('up-to-date');
  expect(at.device.boots(release(3).image)).toBe(true);
});

describe('[CERT-T-3, CERT-I-1] every way to damage a small bundle: a finding, never a trap, and never a byte booted', () => {
  const small = { old: release(1, 40), next: release(2, 50) };
  let device: BundleDevice;
  let bundle: Buffer;

  beforeAll(() => {
    const repository = new SimRepository(() => START);
    const { root } = repository;
    repository.publish(small.next);
    bundle = bundleFrom(repository, 2, /root\.json/);
    device = new BundleDevice({ root, image: small.old.image });
  });

  /** The finding; what boots is one of the two images, and the new one only when the core was content. */
  async function outcome(bytes: Uint8Array): Promise<string> {
    device.reset();
    const finding = await device.install(bytes);
    const booted = device.boots(small.next.image);
    if (!booted) expect(device.boots(small.old.image)).toBe(true);
    expect(booted).toBe(finding === 'up-to-date');
    return finding;
  }

  test('cut after each of its bytes', async () => {
    expect(await outcome(bundle)).toBe('up-to-date');
    for (let length = 0; length < bundle.length; length++)
      expect(await outcome(bundle.subarray(0, length))).toBe('bundle-invalid');
  });

  test('each of its bits turned over', async () => {
    const findings = new Map<string, number>();
    for (let bit = 0; bit < bundle.length * 8; bit++) {
      const spoiled = Buffer.from(bundle);
      spoiled[bit >> 3] = (spoiled[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const finding = await outcome(spoiled);
      findings.set(finding, (findings.get(finding) ?? 0) + 1);
    }
    // A digit of a signature in capitals is the same digit.
    const signature = /"sig":"([^"]+)"/.exec(fileOf(bundle, /timestamp/).toString())?.[1] ?? '';
    expect(findings.get('up-to-date')).toBe(signature.match(/[a-f]/g)?.length);
    expect([...findings.keys()].sort()).toEqual([
      'bundle-invalid',
      'envelope-invalid',
      'hash-mismatch',
      'image-mismatch',
      'json-number',
      'json-syntax',
      'json-utf8',
      'not-found',
      'signatures',
      'up-to-date',
    ]);
  }, 600_000);
});
