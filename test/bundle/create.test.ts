// What `createBundle` writes, and what it signs.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type BundleOptions,
  buildSnapshot,
  buildTargets,
  buildTimestamp,
  envelopeBytes,
  metaFile,
  openRepository,
  type Repository,
  sha256,
  sign,
} from '../../repo/index.ts';
import { filesOf } from '../fixtures/bundles.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { DAY, imageOf, NOW, type TestClock, testRepository } from '../fixtures/repositories.ts';

let repository: Repository;
let clock: TestClock;
let metadata: string;
let path: string;

beforeEach(async () => {
  ({ repository, clock, metadata } = await testRepository());
  path = join(temporaryFolder(), 'field.bundle');
});

async function release(component: string, version: string, hardwareIds: string[], deltaFrom: string[] = []) {
  // Most of it is that of the version before, so that a patch is shorter.
  const bytes = Buffer.concat([imageOf(component, 3000), imageOf(`${component} ${version}`, 300)]);
  await repository.addRelease({
    image: { bytes, name: 'f.bin' },
    component,
    version,
    hardwareIds,
    deltaFrom,
  });
}

async function bundled(options?: BundleOptions): Promise<Map<string, Buffer>> {
  await repository.createBundle(path, options);
  return filesOf(readFileSync(path));
}

const online = (name: string) => JSON.parse(readFileSync(join(metadata, name), 'utf8')).signed;
const signed = (files: Map<string, Buffer>, name: string) =>
  JSON.parse(files.get(`metadata/${name}`)?.toString() ?? '').signed;
/** Paths of targets, without the hashes in their names. */
const targetsIn = (files: Map<string, Buffer>) =>
  [...files.keys()]
    .filter((name) => name.startsWith('targets/'))
    .map((name) => name.replace(/[0-9a-f]{64}\./, ''));

describe('a bundle holds', () => {
  test('all roots, the newest metadata, and the newest release of each component for each board', async () => {
    await release('app', '1.0.0', ['a', 'b']);
    await release('app', '1.1.0', ['b']);
    await release('radio', '0.9.0', ['a']);
    await release('app', '1.2.0', ['c']);
    await repository.publish();
    await repository.rotateKeys('timestamp');
    const files = await bundled();
    expect([...files.keys()].filter((name) => name.startsWith('metadata/'))).toEqual([
      'metadata/1.root.json',
      'metadata/2.root.json',
      'metadata/2.snapshot.json',
      'metadata/2.targets.json',
      'metadata/timestamp.json',
    ]);
    expect(targetsIn(files)).toEqual([
      'targets/app/a/1.0.0/f.bin',
      'targets/app/b/1.1.0/f.bin',
      'targets/app/c/1.2.0/f.bin',
      'targets/radio/a/0.9.0/f.bin',
    ]);
    for (const [name, bytes] of files)
      expect(bytes.equals(readFileSync(join(repository.publicDirectory, name)))).toBe(true);
  });

  test('what was asked for: boards, components, the root that devices have, the versions that they run', async () => {
    await release('app', '1.0.0', ['a', 'b']);
    await release('app', '1.1.0', ['a', 'b']);
    await release('app', '1.2.0', ['a', 'b'], ['1.0.0', '1.1.0']);
    await release('radio', '0.9.0', ['a']);
    await release('radio', '0.9.1', ['c']);
    await repository.publish();
    await repository.refresh('root');
    const app = ['from-1.patch', 'from-2.patch', 'f.bin'].map((file) => `targets/app/a/1.2.0/${file}`);
    const radio = 'targets/radio/a/0.9.0/f.bin';
    const sorted = async (options: BundleOptions) => targetsIn(await bundled(options)).sort();
    expect(await sorted({ hardwareIds: ['a'] })).toEqual([...app, radio].sort());
    expect(await sorted({ hardwareIds: ['b'] })).toEqual([...app].sort());
    expect(await sorted({ components: ['radio'], hardwareIds: ['a'] })).toEqual([radio]);
    expect(await sorted({ hardwareIds: ['b'], bases: ['1.1.0'] })).toEqual([app[2], app[1]]);
    expect([...(await bundled({ fromRoot: 2 })).keys()][0]).toBe('metadata/2.root.json');
  });

  test('the delegated roles that the snapshot lists, and their releases, under names as in a URL', async () => {
    await release('app', '1.0.0', ['a']);
    await repository.publish();
    const stamp = { version: 9, expires: NOW + DAY };
    const bytes = imageOf('supplier', 500);
    const custom = { component: 'radio', version: '3.0.0', hardwareIds: ['a'], releaseCounter: 3 };
    const target = { length: bytes.length, hashes: { sha256: sha256(bytes) }, custom };
    const role = envelopeBytes(sign(buildTargets(stamp, { 'radio/a/3.0.0/f.bin': target }), []));
    const meta = { ...online('2.snapshot.json').meta, 'a supplier.json': metaFile(role, 9) };
    const snapshotKeys = await repository.signingKeys('snapshot');
    const snapshot = envelopeBytes(sign(buildSnapshot(stamp, meta), snapshotKeys));
    const timestampKeys = await repository.signingKeys('timestamp');
    const timestamp = envelopeBytes(sign(buildTimestamp(stamp, metaFile(snapshot, 9)), timestampKeys));
    writeFileSync(join(metadata, '9.a supplier.json'), role);
    writeFileSync(join(metadata, '9.snapshot.json'), snapshot);
    writeFileSync(join(metadata, 'timestamp.json'), timestamp);
    const folder = join(repository.publicDirectory, 'targets/radio/a/3.0.0');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${sha256(bytes)}.f.bin`), bytes);
    const files = await bundled();
    expect(files.get('metadata/9.a%20supplier.json')?.equals(role)).toBe(true);
    expect(targetsIn(files)).toEqual(['targets/app/a/1.0.0/f.bin', 'targets/radio/a/3.0.0/f.bin']);
  });

  test('nothing that there is not: refused, and nothing is written', async () => {
    const refused = (options: BundleOptions, finding: string) =>
      expect(repository.createBundle(path, options)).rejects.toMatchObject({
        code: 'bad-argument',
        message: expect.stringContaining(finding),
      });
    await refused({}, 'no release is published yet');
    await release('app', '1.0.0', ['a']);
    await repository.publish();
    await refused({ hardwareIds: ['z'] }, 'no release of z is published');
    await refused({ components: ['radio'] }, 'no release of radio is published');
    await refused({ bases: ['0.1'] }, 'no release 0.1 is published');
    await refused({ fromRoot: 2 }, 'there are roots 1 to 1 here, and no root 2');
    expect(existsSync(path)).toBe(false);
  });

  test('no image that changed since it was signed: refused, and no bundle is left', async () => {
    await release('app', '1.0.0', ['a']);
    await repository.publish();
    const images = join(repository.publicDirectory, 'targets/app/a/1.0.0');
    const [image = ''] = readdirSync(images);
    for (const bytes of [imageOf('another', 3300), imageOf('shorter', 10), imageOf('longer', 5000)]) {
      writeFileSync(join(images, image), bytes);
      await expect(repository.createBundle(path)).rejects.toMatchObject({ code: 'repository-corrupt' });
    }
    rmSync(join(images, image));
    await expect(repository.createBundle(path)).rejects.toMatchObject({ code: 'repository-corrupt' });
    expect(readdirSync(join(path, '..'))).toEqual([]);
  });
});

describe('[CERT-T-3] the expiry of a bundle', () => {
  beforeEach(async () => {
    await release('app', '1.0.0', ['a']);
    await repository.publish();
  });

  test('is that of what is online, when nothing else is said, and nothing is signed', async () => {
    const made = await repository.createBundle(path);
    expect(made).toMatchObject({ expires: NOW + DAY, expiresFirst: 'timestamp', roles: [] });
    expect(online('timestamp.json').version).toBe(2);
  });

  test('is its own with versions of its own, and those after them are online with their usual life', async () => {
    const made = await repository.createBundle(path, { lifetime: 30 * DAY });
    const files = filesOf(readFileSync(path));
    expect(made).toMatchObject({ expires: NOW + 30 * DAY, expiresFirst: 'timestamp' });
    expect(signed(files, 'timestamp.json')).toMatchObject({ version: 3, expires: '2027-02-14T08:00:00Z' });
    expect(signed(files, '3.snapshot.json')).toMatchObject({ version: 3, expires: '2027-02-14T08:00:00Z' });
    expect(online('timestamp.json')).toMatchObject({ version: 4, expires: '2027-01-16T08:00:00Z' });
    expect(online('4.snapshot.json')).toMatchObject({ version: 4, expires: '2027-01-22T08:00:00Z' });
    expect(existsSync(join(metadata, '3.snapshot.json'))).toBe(false);
    expect(made.roles).toEqual([
      { role: 'snapshot', version: 4, expires: NOW + 7 * DAY },
      { role: 'timestamp', version: 4, expires: NOW + DAY },
    ]);
  });

  test('cannot be after that of targets or root, which are not signed for it', async () => {
    const refused = (days: number, finding: string) =>
      expect(repository.createBundle(path, { lifetime: days * DAY })).rejects.toMatchObject({
        code: 'bad-argument',
        message: expect.stringContaining(finding),
      });
    await refused(91, 'targets 2 expires at 2027-04-15T08:00:00Z, before the bundle would');
    await refused(366, 'root 1 expires at 2028-01-15T08:00:00Z, before the bundle would');
    expect(online('timestamp.json').version).toBe(2);
  });

  test('is not past: what has expired is renewed first', async () => {
    clock.now += 2 * DAY;
    await expect(repository.createBundle(path)).rejects.toMatchObject({
      code: 'expired',
      message: expect.stringContaining('moult refresh'),
    });
    expect(await repository.createBundle(path, { lifetime: DAY })).toMatchObject({ expires: NOW + 3 * DAY });
  });
});

test('no version is signed twice, whatever becomes of the bundle: the file that it was to be', async () => {
  await release('app', '1.0.0', ['a']);
  await repository.publish();
  const seen = new Map<string, string>();
  const look = (version: number, bytes: Uint8Array) => {
    const key = `timestamp ${version}`;
    expect(seen.get(key) ?? sha256(bytes)).toBe(sha256(bytes));
    seen.set(key, sha256(bytes));
  };
  const lookOnline = () =>
    look(online('timestamp.json').version, readFileSync(join(metadata, 'timestamp.json')));
  for (let round = 0; round < 3; round++) {
    clock.now += 1;
    const files = await bundled({ lifetime: 2 * DAY });
    look(signed(files, 'timestamp.json').version, files.get('metadata/timestamp.json') as Buffer);
    lookOnline();
    // Its place is taken by a folder: the bundle is lost when its versions are followed online already.
    const taken = repository.publicDirectory;
    await expect(repository.createBundle(taken, { lifetime: DAY })).rejects.toMatchObject({
      code: 'write-failed',
    });
    lookOnline();
    await repository.refresh();
    lookOnline();
  }
  expect(seen.size).toBe(12);
});

test('it needs the keys of snapshot and timestamp for an expiry of its own, and none without', async () => {
  await release('app', '1.0.0', ['a']);
  await repository.publish();
  rmSync(join(repository.directory, 'keys/timestamp-1.pem'));
  const reopened = await openRepository(repository.directory, { clock: clock.read });
  await reopened.createBundle(path);
  await expect(reopened.createBundle(path, { lifetime: DAY })).rejects.toMatchObject({
    code: 'signatures-missing',
  });
});
