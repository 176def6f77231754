// Releases that a repository on disk publishes encrypted, and the keys that they are encrypted for.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import {
  encryptionPublicKey,
  encryptPayload,
  openSource,
  parseEncryptionKeys,
  sha256,
  verifyRepository,
  writeEncryptionKey,
} from '../../repo/index.ts';
import { SimClock } from '../../sim/clock.ts';
import { SimDevice } from '../../sim/device.ts';
import { SimNetwork } from '../../sim/network.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { imageOf, NOW, seeded, testRepository } from '../fixtures/repositories.ts';

const KEY = seeded('device')(32);
const FIRST = imageOf('1.0.0', 9000);
const SECOND = Buffer.concat([FIRST.subarray(0, 8000), Buffer.alloc(3000)]);

async function publishedRepository() {
  const { repository } = await testRepository();
  const release = { component: 'app', hardwareIds: ['board'], encryptFor: [encryptionPublicKey(KEY)] };
  await repository.addRelease({ ...release, version: '1.0.0', image: { bytes: FIRST, name: 'app.bin' } });
  await repository.addRelease({
    ...release,
    version: '1.1.0',
    image: { bytes: SECOND, name: 'app.bin' },
    deltaFrom: ['1.0.0'],
    compress: true,
  });
  await repository.publish();
  return repository;
}

test('[CERT-I-7] nothing of a release that is encrypted is published in clear; it can be verified, and installed', async () => {
  const repository = await publishedRepository();
  const files = readdirSync(repository.publicDirectory, { recursive: true, encoding: 'utf8' })
    .map((file) => join(repository.publicDirectory, file))
    .filter((file) => statSync(file).isFile());
  for (const file of files) {
    const bytes = readFileSync(file);
    for (let at = 0; at + 32 <= FIRST.length; at += 500)
      expect(bytes.includes(Buffer.from(FIRST.subarray(at, at + 32))), file).toBe(false);
  }
  const source = await openSource(repository.publicDirectory);
  const verified = await verifyRepository(source, await repository.root(1), { now: NOW });
  expect(verified.faults).toEqual([]);
  expect(verified.files).toBe(4);
  expect(await updated(repository.publicDirectory)).toEqual(['from-1.patch.encrypted']);
});

async function updated(folder: string): Promise<string[]> {
  const clock = new SimClock(NOW);
  const network = new SimNetwork(
    (path) => (existsSync(join(folder, path)) ? readFileSync(join(folder, path)) : undefined),
    clock,
  );
  const device = new SimDevice({
    root: readFileSync(join(folder, 'metadata/1.root.json')),
    image: FIRST,
    key: KEY,
    configuration: {
      hardwareId: 'board',
      component: 'app',
      version: '1.0.0',
      releaseCounter: 1,
      securityCounter: 0,
      buildTime: NOW - 1,
      checkInterval: 3600,
    },
    client: {
      metadataUrl: 'https://sim/metadata/',
      targetsUrl: 'https://sim/targets/',
      fetch: network.fetch,
      clock,
    },
  });
  expect((await clock.run(device.update())).status).toBe(Status.UP_TO_DATE);
  expect(sha256(device.running(SECOND.length))).toBe(sha256(SECOND));
  return network.requests.flatMap(({ path }) => /^targets.*[0-9a-f]{64}\.(.*)$/.exec(path)?.[1] ?? []);
}

test('a key is 32 bytes that nobody else can read, and its public half in digits; none is written over', async () => {
  const path = join(temporaryFolder(), 'fleet.key');
  const made = await writeEncryptionKey(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(parseEncryptionKeys(readFileSync(path.replace('.key', '.recipient'), 'latin1'))).toEqual([
    encryptionPublicKey(readFileSync(path)),
  ]);
  expect(made.public).toMatch(/^[0-9a-f]{64}$/);
  await expect(writeEncryptionKey(path)).rejects.toMatchObject({ code: 'key-exists' });
  await expect(writeEncryptionKey('fleet.pem')).rejects.toMatchObject({ code: 'bad-argument' });
});

test('keys that keep no secret, or that devices could not tell apart, are refused', () => {
  const own = encryptionPublicKey(KEY);
  const again = Uint8Array.from(own);
  again[31] = (again[31] ?? 0) ^ 1;
  for (const keys of [[], [own, own], [own, again], [new Uint8Array(32)], [own.subarray(1)]])
    expect(() => encryptPayload(FIRST, 'image', keys)).toThrowError(
      expect.objectContaining({ code: 'bad-argument' }),
    );
  expect(() => parseEncryptionKeys('abc')).toThrowError(expect.objectContaining({ code: 'bad-argument' }));
});
