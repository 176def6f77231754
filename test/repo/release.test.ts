import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseMetadata, type ReleaseInput, sha256 } from '../../repo/index.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { addRelease, imageOf, testRepository } from '../fixtures/repositories.ts';

const IMAGE = { bytes: imageOf('image'), name: 'app.bin' };
const INPUT: ReleaseInput = { image: IMAGE, component: 'app', version: '1.0.0', hardwareIds: ['board'] };

function everything(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
}

test('a release is a target whose custom says what docs/formats.md says', async () => {
  const { repository, metadata } = await testRepository();
  const release = await repository.addRelease({ ...INPUT, hardwareIds: ['esp32c3-rev2', 'esp32c3-rev3'] });
  const publication = await repository.publish();
  const path = 'app/esp32c3-rev2/1.0.0/app.bin';
  expect(release.path).toBe(path);
  expect(publication.added).toEqual([path]);
  const { signed } = parseMetadata(readFileSync(join(metadata, '2.targets.json')), 'targets', 'targets');
  expect(signed.targets).toEqual({
    [path]: {
      length: IMAGE.bytes.length,
      hashes: { sha256: sha256(IMAGE.bytes) },
      custom: {
        component: 'app',
        version: '1.0.0',
        hardwareIds: ['esp32c3-rev2', 'esp32c3-rev3'],
        releaseCounter: 1,
        securityCounter: 0,
      },
    },
  });
  const file = join(
    repository.publicDirectory,
    'targets',
    `app/esp32c3-rev2/1.0.0/${sha256(IMAGE.bytes)}.app.bin`,
  );
  expect(Buffer.from(readFileSync(file))).toEqual(Buffer.from(IMAGE.bytes));
});

test('[CERT-I-3] nothing that is written names a weak hash', async () => {
  const { repository, metadata } = await testRepository();
  await addRelease(repository, '1.0.0');
  await repository.publish();
  for (const name of readdirSync(metadata)) {
    expect(readFileSync(join(metadata, name), 'utf8')).not.toMatch(/"(md5|sha1|blake2\w*|sha224)"/i);
  }
});

test('the release counter rises by one, the security counter stays, each component on its own', async () => {
  const { repository } = await testRepository();
  await repository.addRelease(INPUT);
  await repository.addRelease({ ...INPUT, version: '1.1.0', securityCounter: 3 });
  await repository.addRelease({ ...INPUT, version: '1.2.0', releaseCounter: 10 });
  await repository.addRelease({ ...INPUT, version: '1.3.0' });
  await repository.addRelease({ ...INPUT, component: 'radio' });
  const counters = (await repository.releases()).map((r) => [
    r.component,
    r.version,
    r.releaseCounter,
    r.securityCounter,
  ]);
  expect(counters).toEqual([
    ['app', '1.0.0', 1, 0],
    ['app', '1.1.0', 2, 3],
    ['app', '1.2.0', 10, 3],
    ['app', '1.3.0', 11, 3],
    ['radio', '1.0.0', 1, 0],
  ]);
});

test('counters that no device could follow are refused', async () => {
  const { repository } = await testRepository();
  await repository.addRelease({ ...INPUT, releaseCounter: 5, securityCounter: 2 });
  const next = { ...INPUT, version: '1.1.0' };
  await expect(repository.addRelease({ ...next, releaseCounter: 5 })).rejects.toMatchObject({
    code: 'counter-too-low',
  });
  await expect(repository.addRelease({ ...next, securityCounter: 1 })).rejects.toMatchObject({
    code: 'counter-too-low',
  });
  // Another board's image of the same release may share its counter.
  await repository.addRelease({ ...INPUT, hardwareIds: ['other'], releaseCounter: 5 });
});

test.each([
  ['an empty component', { component: '' }],
  ['a component of 32 characters', { component: 'a'.repeat(32) }],
  ['a component that climbs out of the folder [path traversal]', { component: '../keys' }],
  ['a hidden component', { component: '.git' }],
  ['an empty version', { version: '' }],
  ['a version of 32 characters', { version: '1'.repeat(32) }],
  ['a version with a slash', { version: '1/2' }],
  ['no hardware id', { hardwareIds: [] }],
  ['a hardware id of 64 characters', { hardwareIds: ['b'.repeat(64)] }],
  ['a hardware id twice', { hardwareIds: ['board', 'board'] }],
  ['release counter 0', { releaseCounter: 0 }],
  ['release counter 2^31', { releaseCounter: 2 ** 31 }],
  ['release counter 1.5', { releaseCounter: 1.5 }],
  ['security counter -1', { securityCounter: -1 }],
  ['security counter 2^31', { securityCounter: 2 ** 31 }],
])('%s is refused', async (_, wrong) => {
  const { repository } = await testRepository();
  const before = everything(repository.directory);
  await expect(repository.addRelease({ ...INPUT, ...wrong })).rejects.toMatchObject({ code: 'bad-argument' });
  expect(everything(repository.directory).filter((name) => !name.startsWith('.tmp'))).toEqual(
    before.filter((name) => !name.startsWith('.tmp')),
  );
});

test('the limits of docs/formats.md themselves are accepted', async () => {
  const { repository } = await testRepository();
  await repository.addRelease({
    image: IMAGE,
    component: 'a'.repeat(31),
    version: '1'.repeat(31),
    hardwareIds: ['b'.repeat(63)],
    releaseCounter: 2 ** 31 - 1,
    securityCounter: 2 ** 31 - 1,
  });
  const next = { ...INPUT, component: 'a'.repeat(31), version: '2', hardwareIds: ['c'] };
  await expect(repository.addRelease(next)).rejects.toMatchObject({ code: 'bad-argument' });
});

test('the same version for the same board is added once', async () => {
  const { repository } = await testRepository();
  await repository.addRelease({ ...INPUT, hardwareIds: ['a', 'b'] });
  const again = { ...INPUT, hardwareIds: ['b'] };
  await expect(repository.addRelease(again)).rejects.toMatchObject({ code: 'release-exists' });
  await repository.addRelease({ ...INPUT, hardwareIds: ['c'] });
});

test('a missing, an empty, an oversized and an unreadable image are each named, and nothing is left', async () => {
  const { repository } = await testRepository();
  const folder = temporaryFolder();
  const path = (name: string) => join(folder, name);
  writeFileSync(path('empty.bin'), '');
  writeFileSync(path('big.bin'), Buffer.alloc(1025));
  writeFileSync(path('fits.bin'), Buffer.alloc(1024));
  mkdirSync(path('folder.bin'));
  const config = join(repository.directory, 'moult.toml');
  writeFileSync(
    config,
    readFileSync(config, 'utf8').replace(/max_image_size = \d+/, 'max_image_size = 1024'),
  );
  const { openRepository } = await import('../../repo/index.ts');
  const opened = await openRepository(repository.directory);
  const add = (name: string) => opened.addRelease({ ...INPUT, image: path(name) });
  const refused = async (name: string, code: string) =>
    expect(add(name)).rejects.toMatchObject({ code, message: expect.stringContaining(path(name)) });
  await refused('none.bin', 'file-missing');
  await refused('empty.bin', 'file-empty');
  await refused('big.bin', 'file-too-large');
  await expect(add('big.bin')).rejects.toThrow('1024 (max_image_size in moult.toml)');
  await refused('folder.bin', 'file-unreadable');
  await refused('/dev/zero', 'file-missing');
  await expect(opened.addRelease({ ...INPUT, image: '/dev/zero' })).rejects.toMatchObject({
    code: 'file-unreadable',
  });
  if (process.getuid?.() !== 0) {
    writeFileSync(path('secret.bin'), 'x');
    chmodSync(path('secret.bin'), 0);
    await refused('secret.bin', 'file-unreadable');
  }
  expect(everything(join(repository.publicDirectory, 'targets'))).toEqual([]);
  expect(await opened.releases()).toEqual([]);
  expect((await add('fits.bin')).length).toBe(1024);
});

test('a file name is made safe for every URL and file system', async () => {
  const { repository } = await testRepository();
  const image = { bytes: IMAGE.bytes, name: 'my app (new) €.bin' };
  expect((await repository.addRelease({ ...INPUT, image })).path).toBe('app/board/1.0.0/my_app__new___.bin');
});

test('copying tells its progress', async () => {
  const { repository } = await testRepository();
  const file = join(temporaryFolder(), 'big.bin');
  writeFileSync(file, Buffer.alloc(1_000_000, 7));
  const seen: number[] = [];
  await repository.addRelease({ ...INPUT, image: file, onProgress: (done) => seen.push(done) });
  expect(seen.length).toBeGreaterThan(2);
  expect(seen.at(-1)).toBe(1_000_000);
});

test('a damaged, an edited and a moved release record is named', async () => {
  const { repository } = await testRepository();
  await repository.addRelease(INPUT);
  const path = join(repository.directory, 'releases', 'app', 'board', '1.0.0.json');
  const good = readFileSync(path, 'utf8');
  const corrupt = { code: 'repository-corrupt', message: expect.stringContaining(path) };
  for (const bad of [
    '',
    '{',
    good.slice(0, -20),
    good.replace('"app"', '"../x"'),
    good.replace('app/board', 'app/../..'),
    good.replace('"1.0.0"', '"1.0.1"'),
  ]) {
    writeFileSync(path, bad);
    await expect(repository.publish(), bad).rejects.toMatchObject(corrupt);
  }
  writeFileSync(path, good);
  const moved = join(path, '..', '2.0.0.json');
  writeFileSync(moved, good);
  await expect(repository.publish()).rejects.toMatchObject({
    code: 'repository-corrupt',
    message: expect.stringContaining(moved),
  });
  rmSync(moved);
  await repository.publish();
});

test('a release that is removed from releases/ is withdrawn with the next publish', async () => {
  const { repository } = await testRepository();
  await addRelease(repository, '1.0.0');
  await addRelease(repository, '1.1.0');
  await repository.publish();
  rmSync(join(repository.directory, 'releases', 'app', 'board', '1.1.0.json'));
  expect((await repository.status()).withdrawn).toEqual(['app/board/1.1.0/app.bin']);
  expect((await repository.publish()).removed).toEqual(['app/board/1.1.0/app.bin']);
});
