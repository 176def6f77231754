// moult bundle create --director: offline updates from the keys to the ECU, with no server anywhere.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseMetadata } from '../../repo/index.ts';
import { BundleDevice, filesOf } from '../fixtures/bundles.ts';
import { moult, moultJson } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { DAY, imageOf, NOW } from '../fixtures/repositories.ts';

const cwd = temporaryFolder();
const at = { cwd };
const IMAGE_ROOT = 'acme/public/metadata/1.root.json';
const FIRST = imageOf('app 1.0.0');
const file = (name: string) => readFileSync(join(cwd, name));
const OFFLINE = ['--director', 'fleet/metadata', '--offline-keys', 'safe', '--expires', '30d'];
const KEYS = ['safe/keys/offline-snapshot.pub', 'safe/keys/offline-targets.pub'];

async function done(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await moult(args, at);
  expect({ status, stderr: stderr.replace(/^.*not encrypted.*\n/gm, '') }, args.join(' ')).toEqual({
    status: 0,
    stderr: '',
  });
  return stdout;
}

async function release(version: string, component = 'app', hardware = 'gw-1'): Promise<void> {
  writeFileSync(join(cwd, 'app.bin'), imageOf(`${component} ${version}`));
  const what = ['--component', component, '--version', version, '--hw', hardware];
  await done('-C', 'acme', 'release', 'add', 'app.bin', ...what);
  await done('-C', 'acme', 'publish');
}

/** In the folder of the Image repository paths are seen from there. */
const create = (name: string, ...more: string[]) =>
  moult(['-C', 'acme', 'bundle', 'create', join(cwd, name), ...more], at);

const inFolder = (args: readonly string[]) =>
  args.map((arg) => (/^(fleet|safe)/.test(arg) ? join(cwd, arg) : arg));

/** An ECU of a vehicle that trusts both roots, and has no network. */
function ecu(hardwareId = 'gw-1', serial = 'car-1-gw', directorRoot = file('fleet/metadata/1.root.json')) {
  return new BundleDevice({
    root: file(IMAGE_ROOT),
    directorRoot,
    image: FIRST,
    configuration: { hardwareId, uptane: 'full', ecu: serial, vehicle: 'car-1', buildTime: NOW - DAY },
    clock: { now: () => NOW * 1000, after: () => () => undefined } as never,
  });
}

beforeAll(async () => {
  await done('init', 'acme', '--no-encrypt');
  await release('1.0.0');
  await release('1.1.0');
  await done('director', 'init', 'fleet', '--image', 'acme', '--no-encrypt');
  await done('init', 'safe', '--no-encrypt');
  for (const role of ['offline-snapshot', 'offline-targets'])
    await done('-C', 'safe', 'key', 'gen', '--out', `file:keys/${role}.pem`, '--no-encrypt');
  await done('-C', 'fleet', 'director', 'offline-keys', ...inFolder(KEYS));
});

const withKeys = inFolder(OFFLINE).map((arg) => (arg.endsWith('safe') ? join(arg, 'keys') : arg));

describe('[UPT-3] an offline update', () => {
  test('is created, inspected and installed without a Director', async () => {
    const made = await create('cars.bundle', ...withKeys);
    expect(made).toMatchObject({ status: 0, stderr: '' });
    expect([...filesOf(file('cars.bundle')).keys()].filter((name) => name.startsWith('director/'))).toEqual([
      'director/1.offline-targets.json',
      'director/1.root.json',
      'director/2.root.json',
      'director/offline-snapshot.json',
    ]);
    const roots = ['--root', IMAGE_ROOT, '--director-root', 'fleet/metadata/1.root.json'];
    const seen = await moult(['bundle', 'inspect', 'cars.bundle', ...roots], at);
    expect(seen).toMatchObject({ status: 0, stderr: '' });
    expect(seen.stdout).toContain("the Director's offline-targets 1, until ");
    expect(seen.stdout).toContain('verifies: ');
    expect(seen.stdout).not.toContain('no device asks for');
    const car = ecu();
    expect(await car.install(file('cars.bundle'))).toBe('up-to-date');
    expect(car.boots(imageOf('app 1.1.0'))).toBe(true);
  });

  test('of an earlier time is refused by who has seen a later one', async () => {
    await create('early.bundle', ...withKeys);
    await create('late.bundle', ...withKeys);
    const car = ecu();
    expect(await car.install(file('late.bundle'))).toBe('up-to-date');
    expect(await car.install(file('early.bundle'))).toBe('rollback');
    expect(await car.install(file('late.bundle'))).toBe('up-to-date');
  });

  test('of another fleet is refused', async () => {
    await done('director', 'init', 'other', '--image', 'acme', '--no-encrypt');
    await create('cars.bundle', ...withKeys);
    const car = ecu('gw-1', 'car-1-gw', file('other/metadata/1.root.json'));
    expect(await car.install(file('cars.bundle'))).toBe('signatures');
    expect(car.boots(FIRST)).toBe(true);
    const roots = ['--root', IMAGE_ROOT, '--director-root', 'other/metadata/1.root.json'];
    const seen = await moult(['bundle', 'inspect', 'cars.bundle', ...roots], at);
    expect(seen.status).not.toBe(0);
    expect(seen.stdout).toContain('director, for gw-1: ');
  });

  test('that has expired is refused', async () => {
    await create('cars.bundle', ...withKeys);
    const roots = ['--root', IMAGE_ROOT, '--director-root', 'fleet/metadata/1.root.json'];
    const late = new Date((NOW + 31 * DAY) * 1000).toISOString().slice(0, 10);
    const seen = await moult(['bundle', 'inspect', 'cars.bundle', ...roots, '--valid-at', late], at);
    expect(seen.stdout).toMatch(/director, for gw-1: the offline snapshot: .*expired/);
  });

  test('may be for some ECUs alone', async () => {
    writeFileSync(join(cwd, 'ecus.json'), JSON.stringify({ 'car-1-gw': 'gw-1', 'car-2-gw': 'gw-1' }));
    const made = await create('cars.bundle', ...withKeys, '--ecus', join(cwd, 'ecus.json'));
    expect(made).toMatchObject({ status: 0 });
    const [named, other] = [ecu('gw-1', 'car-2-gw'), ecu('gw-1', 'car-3-gw')];
    for (const car of [named, other]) expect(await car.install(file('cars.bundle'))).toBe('up-to-date');
    expect(named.boots(imageOf('app 1.1.0'))).toBe(true);
    expect(other.boots(FIRST)).toBe(true);
  });

  test('without director/ in it is none: a vehicle takes no bundle for devices without a Director', async () => {
    await create('plain.bundle', '--expires', '30d');
    const car = ecu();
    expect(await car.install(file('plain.bundle'))).toBe('not-found');
    expect(car.boots(FIRST)).toBe(true);
  });
});

describe('what is refused, and nothing is signed', () => {
  const version = () => file('safe/keys/offline-version').toString();

  test('options that do not go together, and keys that are not there', async () => {
    const before = version();
    expect(await create('x.bundle', ...withKeys.slice(0, 4))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('needs --director, --offline-keys and --expires'),
    });
    const elsewhere = withKeys.map((arg) => (arg.endsWith('safe/keys') ? join(cwd, 'fleet/keys') : arg));
    expect(await create('x.bundle', ...elsewhere)).toMatchObject({
      stderr: expect.stringContaining('no key of offline-snapshot is in'),
    });
    expect(version()).toBe(before);
  });

  test('two releases for one board', async () => {
    await release('1.0.0', 'radio', 'gw-1');
    const before = version();
    expect(await create('x.bundle', ...withKeys)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('are both for gw-1'),
    });
    expect(version()).toBe(before);
    expect(await create('x.bundle', ...withKeys, '--component', 'app')).toMatchObject({ status: 0 });
  });

  test('a bundle that would outlive the root of the Director', async () => {
    const before = version();
    const long = withKeys.map((arg) => (arg === '30d' ? '89d' : arg));
    const far = { cwd, now: NOW + 300 * DAY };
    const made = await moult(['-C', 'acme', 'bundle', 'create', join(cwd, 'x.bundle'), ...long], far);
    expect(made.status).not.toBe(0);
    expect(version()).toBe(before);
  });

  test('one key for both roles, or one that is online', async () => {
    const [snapshot = '', targets = ''] = inFolder(KEYS);
    for (const pair of [
      [snapshot, snapshot],
      [snapshot, join(cwd, 'fleet/keys/targets-1.pub')],
    ])
      expect(await moult(['-C', 'fleet', 'director', 'offline-keys', ...pair], at)).toMatchObject({
        stderr: expect.stringContaining('needs a key of its own'),
      });
    expect(await moult(['-C', 'fleet', 'director', 'offline-keys', targets], at)).toMatchObject({
      status: 2,
    });
  });
});

test('the offline roles stay when online keys are rotated, and go when none are named', async () => {
  await done('-C', 'fleet', 'director', 'rotate', 'targets');
  const newest = (version: number) =>
    parseMetadata(file(`fleet/metadata/${version}.root.json`), 'root', 'it').signed.roles;
  expect(newest(3)).toMatchObject({
    'offline-snapshot': { threshold: 1 },
    'offline-targets': { threshold: 1 },
  });
  expect(await create('x.bundle', ...withKeys, '--component', 'app')).toMatchObject({ status: 0 });
  const car = ecu();
  expect(await car.install(file('x.bundle'))).toBe('up-to-date');
  expect(car.boots(imageOf('app 1.1.0'))).toBe(true);
  const taken = await moultJson<{ root: number }>(['-C', 'fleet', 'director', 'offline-keys'], at);
  expect(newest(taken.json.root)).not.toHaveProperty('offline-snapshot');
  expect(await create('x.bundle', ...withKeys, '--component', 'app')).toMatchObject({
    stderr: expect.stringContaining('names no offline-snapshot'),
  });
});
