// Suppliers: what they may release here, and what they may not, as an operator and as clients see it.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Updater } from 'tuf-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readChain } from '../../repo/chain.ts';
import {
  openRepository,
  openSource,
  parseMetadata,
  type Repository,
  type SupplierInput,
  type Supply,
  verifyRepository,
} from '../../repo/index.ts';
import { findTargets } from '../../repo/search.ts';
import { type StaticServer, serveStatic } from '../../server/static.ts';
import { moult } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { addRelease, DAY, imageOf, seeded, TestClock, testRepository } from '../fixtures/repositories.ts';

const RADIO = 'radio/radio-1/1.0.0/app.bin';
const PATHS = ['radio/radio-1/*/*'];
const servers: StaticServer[] = [];

let acme: Repository;
let works: Repository;
let clock: TestClock;

beforeEach(async () => {
  clock = new TestClock();
  clock.now = Math.floor(Date.now() / 1000);
  ({ repository: acme } = await testRepository({ clock: clock.read }));
  ({ repository: works } = await testRepository({ clock: clock.read, random: seeded('works') }));
  await addRelease(acme, '1.0.0');
  await acme.publish();
  await release(works, '1.0.0');
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function release(
  repository: Repository,
  version: string,
  { component = 'radio', board = 'radio-1' } = {},
): Promise<void> {
  const image = { bytes: imageOf(`${component} ${version}`), name: 'app.bin' };
  await repository.addRelease({ image, component, version, hardwareIds: [board] });
  await repository.publish();
}

async function addWorks(input: Partial<SupplierInput> = {}): Promise<void> {
  await acme.addSupplier({ name: 'works', root: await works.root(1), paths: PATHS, ...input });
}

async function pull(): Promise<Supply> {
  return acme.pullSupplier('works', await openSource(works.directory));
}

async function serve(repository: Repository): Promise<string> {
  const server = await serveStatic({ directory: repository.publicDirectory });
  servers.push(server);
  return server.url;
}

/** What tuf-js makes of a path; undefined: it finds nobody who may release it. */
async function witness(path: string): Promise<Uint8Array | undefined> {
  const url = await serve(acme);
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'targets'));
  writeFileSync(join(folder, 'root.json'), await acme.root(1));
  const updater = new Updater({
    metadataDir: folder,
    metadataBaseUrl: `${url}/metadata`,
    targetDir: join(folder, 'targets'),
    targetBaseUrl: `${url}/targets`,
  });
  await updater.refresh();
  const info = await updater.getTargetInfo(path);
  return info && readFileSync(await updater.downloadTarget(info));
}

/** The same for moult client. */
async function client(path: string): Promise<number> {
  const url = await serve(acme);
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'root.json'), await acme.root(1));
  await moult(['client', '--metadata-dir', 'state', 'init', 'root.json'], { cwd });
  const where = ['--metadata-url', `${url}/metadata`, '--target-base-url', `${url}/targets`];
  const what = ['--target-name', path, '--target-dir', '.'];
  return (await moult(['client', '--metadata-dir', 'state', ...where, ...what, 'download'], { cwd })).status;
}

async function faults(): Promise<string[]> {
  const now = clock.now;
  const found = await verifyRepository(await openSource(acme.directory), await acme.root(1), { now });
  return found.faults.map(({ code }) => code);
}

async function targetsHere(): Promise<Record<string, unknown>> {
  const source = await openSource(acme.directory);
  return findTargets(source, await readChain(source, await acme.root(1), (fault) => expect(fault).toBe(0)));
}

const metadataFiles = () => readdirSync(join(acme.publicDirectory, 'metadata')).sort();

test('what a supplier signed in its own repository is released here, byte for byte, by its keys alone', async () => {
  await addWorks({ hardwareIds: ['radio-1'] });
  expect(await pull()).toMatchObject({ version: 2, added: [RADIO], removed: [], rekeyed: false });
  const own = readFileSync(join(works.publicDirectory, 'metadata', '2.targets.json'));
  expect(readFileSync(join(acme.publicDirectory, 'metadata', '2.works.json'))).toEqual(own);
  expect(Buffer.from((await witness(RADIO)) ?? [])).toEqual(Buffer.from(imageOf('radio 1.0.0')));
  expect(await client(RADIO)).toBe(0);
  expect(await faults()).toEqual([]);
});

test('our own releases go on, and the delegation stays when they are signed anew', async () => {
  await addWorks();
  await pull();
  await addRelease(acme, '1.1.0');
  await acme.publish();
  await acme.rotateKeys('targets');
  expect(Buffer.from((await witness(RADIO)) ?? [])).toEqual(Buffer.from(imageOf('radio 1.0.0')));
  expect(await client('app/board/1.1.0/app.bin')).toBe(0);
});

test('a later release is taken over at the next pull, and where there is none nothing is signed', async () => {
  await addWorks();
  await pull();
  const before = metadataFiles();
  expect(await pull()).toMatchObject({ version: 2, roles: [], added: [] });
  expect(metadataFiles()).toEqual(before);
  await release(works, '1.1.0');
  expect(await pull()).toMatchObject({ version: 3, added: ['radio/radio-1/1.1.0/app.bin'] });
  expect(await client('radio/radio-1/1.1.0/app.bin')).toBe(0);
});

test('a supplier that rotates its keys is followed by its own root', async () => {
  await addWorks();
  await pull();
  await works.rotateKeys('targets');
  await works.rotateKeys('root');
  expect(await pull()).toMatchObject({ version: 3, rekeyed: true });
  expect(await client(RADIO)).toBe(0);
  await release(works, '1.1.0');
  expect(await pull()).toMatchObject({ version: 4, rekeyed: false });
  expect(await faults()).toEqual([]);
});

test('a supplier that was removed releases nothing more, and clients that saw it go on', async () => {
  await addWorks();
  await pull();
  await acme.removeSupplier('works');
  expect(await witness(RADIO)).toBeUndefined();
  expect(await client(RADIO)).not.toBe(0);
  const snapshot = metadataFiles().filter((name) => name.endsWith('.snapshot.json'));
  const bytes = readFileSync(join(acme.publicDirectory, 'metadata', `${snapshot.length}.snapshot.json`));
  // 5.5.5: what a trusted snapshot lists must be listed for ever.
  expect(parseMetadata(bytes, 'snapshot', 'it').signed.meta).toHaveProperty(['works.json']);
  expect(await acme.suppliers()).toEqual([]);
});

test.each([
  ['for a path that it was not given', { component: 'app', board: 'radio-1' }, /and not app/],
  ['for another board', { component: 'radio', board: 'radio-2' }, /and not radio\/radio-2/],
])('a supplier that releases %s is refused, and clients see nothing of it', async (_, what, message) => {
  await addWorks();
  await pull();
  await release(works, '2.0.0', what);
  const before = metadataFiles();
  await expect(pull()).rejects.toMatchObject({
    code: 'metadata-invalid',
    message: expect.stringMatching(message),
  });
  expect(metadataFiles()).toEqual(before);
});

test('the boards of a delegation count, whatever the path says', async () => {
  await addWorks({ paths: ['radio/*/*/*'], hardwareIds: ['radio-1'] });
  await release(works, '2.0.0', { component: 'radio', board: 'radio-2' });
  await expect(pull()).rejects.toMatchObject({
    message: expect.stringMatching(/for radio-1 alone, and radio\/radio-2/),
  });
});

test('a path that this repository releases itself is not a supplier’s to release', async () => {
  await addWorks({ paths: [...PATHS, 'app/board/*/*'] });
  await release(works, '1.0.0', { component: 'app', board: 'board' });
  await expect(pull()).rejects.toMatchObject({ message: expect.stringMatching(/a path of this repository/) });
});

test('a supplier whose repository is frozen or rolled back is refused', async () => {
  await addWorks();
  const old = join(temporaryFolder(), 'old');
  cpSync(works.directory, old, { recursive: true });
  await release(works, '1.1.0');
  await pull();
  await expect(acme.pullSupplier('works', await openSource(old))).rejects.toMatchObject({
    code: 'version-mismatch',
  });
  clock.now += 2 * DAY;
  await acme.refresh();
  await expect(pull()).rejects.toMatchObject({ code: 'expired' });
});

test('an image that is not what the supplier signed is refused before clients see its metadata', async () => {
  await addWorks();
  const targets = join(works.publicDirectory, 'targets/radio/radio-1/1.0.0');
  const [name = ''] = readdirSync(targets);
  writeFileSync(join(targets, name), imageOf('another'));
  const before = metadataFiles();
  await expect(pull()).rejects.toMatchObject({ code: 'hash-mismatch' });
  writeFileSync(join(targets, name), imageOf('radio 1.0.0', 5000));
  await expect(pull()).rejects.toMatchObject({ code: 'length-mismatch' });
  expect(metadataFiles()).toEqual(before);
});

test('metadata that the supplier’s keys did not sign is refused', async () => {
  await addWorks();
  const path = join(works.publicDirectory, 'metadata', '2.targets.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('radio 1', 'radio 2').replace('"1.0.0"', '"1.0.1"'));
  await expect(pull()).rejects.toMatchObject({
    code: expect.stringMatching(/hash-mismatch|length-mismatch/),
  });
  // Another repository with all signatures of its own, at the same address.
  const { repository: thief } = await testRepository({ clock: clock.read, random: seeded('thief') });
  await release(thief, '6.6.6');
  await expect(acme.pullSupplier('works', await openSource(thief.directory))).rejects.toMatchObject({
    code: 'signatures-missing',
  });
});

test('a supplier that holds a key of ours, delegates further, or is here already is refused', async () => {
  await expect(
    acme.addSupplier({ name: 'self', root: await acme.root(1), paths: PATHS }),
  ).rejects.toMatchObject({
    code: 'key-shared',
  });
  await addWorks();
  await expect(addWorks()).rejects.toMatchObject({ code: 'bad-argument' });
  const { repository: third } = await testRepository({ clock: clock.read, random: seeded('third') });
  await works.addSupplier({ name: 'third', root: await third.root(1), paths: PATHS });
  await expect(pull()).rejects.toMatchObject({ message: expect.stringMatching(/delegates further/) });
});

test.each([
  [{ name: 'targets' }],
  [{ name: '../x' }],
  [{ paths: [] }],
  [{ paths: ['/etc/*'] }],
  [{ paths: ['radio/../*'] }],
  [{ paths: ['radio/[a-z]/*'] }],
  [{ hardwareIds: ['a b'] }],
])('a supplier as %j is refused, and nothing is signed', async (input) => {
  const before = metadataFiles();
  await expect(addWorks(input)).rejects.toMatchObject({ code: 'bad-argument' });
  expect(metadataFiles()).toEqual(before);
});

/** A second supplier that releases the same, and both together where `least` of them agree. */
async function addHouse(least = 2): Promise<Repository> {
  const { repository: house } = await testRepository({ clock: clock.read, random: seeded('house') });
  await release(house, '1.0.0');
  await addWorks();
  await acme.addSupplier({ name: 'house', root: await house.root(1), paths: PATHS });
  await acme.agreeSuppliers({ name: 'radio', suppliers: ['works', 'house'], least, paths: PATHS });
  return house;
}

test('[UPT-5, TUF-8] what two suppliers must agree on is released when both have, and by neither alone', async () => {
  const house = await addHouse();
  await pull();
  expect(await client(RADIO)).not.toBe(0);
  await acme.pullSupplier('house', await openSource(house.directory));
  expect(await client(RADIO)).toBe(0);
  expect(await faults()).toEqual([]);
  expect(Object.keys(await targetsHere())).toContain(RADIO);
  await release(works, '6.6.6');
  await pull();
  expect(await client('radio/radio-1/6.6.6/app.bin')).not.toBe(0);
  expect(await targetsHere()).not.toHaveProperty(['radio/radio-1/6.6.6/app.bin']);
  expect(await client(RADIO)).toBe(0);
});

test('one of two that must agree rotates its keys and is followed; with a key of the other it is refused', async () => {
  const house = await addHouse();
  await works.rotateKeys('targets');
  await works.rotateKeys('root');
  expect(await pull()).toMatchObject({ rekeyed: true });
  await acme.pullSupplier('house', await openSource(house.directory));
  expect(await client(RADIO)).toBe(0);
  const { repository: twin } = await testRepository({ clock: clock.read, random: seeded('house') });
  await acme.addSupplier({ name: 'twin', root: await twin.root(1), paths: PATHS });
  await acme.removeSupplier('radio');
  await acme.addSupplier({ name: 'house', root: await house.root(1), paths: PATHS });
  await expect(
    acme.agreeSuppliers({ name: 'radio', suppliers: ['twin', 'house'], least: 2, paths: PATHS }),
  ).rejects.toMatchObject({ code: 'key-shared' });
});

test('suppliers that agree can be removed together, and one of them only while enough are left', async () => {
  await addHouse();
  await expect(acme.removeSupplier('works')).rejects.toMatchObject({
    message: expect.stringMatching(/too few are left of radio/),
  });
  await acme.removeSupplier('radio');
  expect(await acme.suppliers()).toEqual([]);
});

test.each([
  [{ suppliers: ['works', 'nobody'] }, /no supplier nobody/],
  [{ suppliers: ['works', 'works'] }, /named twice/],
  [{ least: 1 }, /2 or more must agree/],
  [{ least: 3 }, /2 or more must agree/],
  [{ least: 1.5 }, /2 or more must agree/],
  [{ name: 'works' }, /works already/],
  [{ paths: [] }, /patterns of paths/],
])('an agreement with %j is refused, and nothing is signed', async (input, message) => {
  const { repository: house } = await testRepository({ clock: clock.read, random: seeded('house') });
  await addWorks();
  await acme.addSupplier({ name: 'house', root: await house.root(1), paths: PATHS });
  const before = metadataFiles();
  const honest = { name: 'radio', suppliers: ['works', 'house'], least: 2, paths: PATHS };
  await expect(acme.agreeSuppliers({ ...honest, ...input })).rejects.toMatchObject({
    code: 'bad-argument',
    message: expect.stringMatching(message),
  });
  expect(metadataFiles()).toEqual(before);
});

test('moult supplier agree, as it is typed', async () => {
  await addHouse();
  await acme.removeSupplier('radio');
  const cwd = temporaryFolder();
  const { repository: house } = await testRepository({ clock: clock.read, random: seeded('house') });
  for (const [name, repository] of [
    ['works', works],
    ['house', house],
  ] as const)
    await acme.addSupplier({ name, root: await repository.root(1), paths: PATHS });
  const supplier = (...args: string[]) =>
    moult(['-C', acme.directory, 'supplier', ...args], { cwd, now: clock.now });
  const both = ['--of', 'works', '--of', 'house', '--path', PATHS[0] ?? ''];
  expect(await supplier('agree', 'radio', '--least', '2', ...both)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('what 2 of works, house say the same of is released'),
  });
  expect((await supplier('list')).stdout).toContain('counts where 2 of radio agree');
  expect(await supplier('agree', 'more', '--least', '2', ...both)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('works has agreed in radio already'),
  });
});

test('moult supplier, as it is typed', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'works.json'), await works.root(1));
  const supplier = (...args: string[]) =>
    moult(['-C', acme.directory, 'supplier', ...args], { cwd, now: clock.now });
  const added = await supplier('add', 'works', '--root', 'works.json', '--path', PATHS[0] ?? '');
  expect(added).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('works may release radio/radio-1/*/*'),
  });
  const pulled = await supplier('pull', 'works', '--from', works.directory);
  expect(pulled).toMatchObject({ status: 0, stdout: expect.stringContaining(`${RADIO} is published`) });
  expect(await supplier('list')).toEqual({
    status: 0,
    stdout: '· works: radio/radio-1/*/* for any board; 1 of 2 keys; version 2\n',
    stderr: '',
  });
  expect(await supplier('remove', 'works')).toMatchObject({ status: 0 });
  expect(await supplier('pull', 'works', '--from', works.directory)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('there is no supplier works; there are: none'),
  });
  const again = await openRepository(acme.directory, { clock: clock.read });
  expect(await again.suppliers()).toEqual([]);
});
