// Payloads that a repository on disk publishes, as devices with the real core take them.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { State, Status } from '../../host/node/abi.ts';
import { sha256 } from '../../repo/index.ts';
import { SimClock } from '../../sim/clock.ts';
import { SimDevice } from '../../sim/device.ts';
import { SimNetwork } from '../../sim/network.ts';
import { imageOf, NOW, testRepository } from '../fixtures/repositories.ts';

const IMAGE = {
  '1.0.0': imageOf('1.0.0', 9000),
  '1.1.0': Buffer.concat([imageOf('1.0.0', 9000), Buffer.alloc(3000)]),
};

async function publishedRepository() {
  const { repository } = await testRepository();
  for (const [version, bytes] of Object.entries(IMAGE)) {
    await repository.addRelease({
      image: { bytes, name: 'app.bin' },
      component: 'app',
      version,
      hardwareIds: ['board'],
      ...(version === '1.1.0' && { deltaFrom: ['1.0.0'], compress: true }),
    });
  }
  await repository.publish();
  return repository;
}

/** A device with the first release, or with another image that calls itself so, updates; what it fetched of targets. */
async function updated(folder: string, root: Uint8Array, image: Uint8Array): Promise<string[]> {
  const clock = new SimClock(NOW);
  const network = new SimNetwork((path) => {
    try {
      return readFileSync(join(folder, path));
    } catch {
      return undefined;
    }
  }, clock);
  const device = new SimDevice({
    root,
    image,
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
  expect(device.powerOn().stateRead(State.INSTALLED_RELEASE)).toBe(2);
  expect(sha256(device.running(IMAGE['1.1.0'].length))).toBe(sha256(IMAGE['1.1.0']));
  return network.requests.flatMap(({ path }) => /^targets\/.*[0-9a-f]{64}\.(.*)$/.exec(path)?.[1] ?? []);
}

test('a device that runs the base fetches the patch, another one the compressed image', async () => {
  const repository = await publishedRepository();
  const root = await repository.root(1);
  expect(await updated(repository.publicDirectory, root, IMAGE['1.0.0'])).toEqual(['from-1.patch']);
  expect(await updated(repository.publicDirectory, root, imageOf('other', 9000))).toEqual(['compressed']);
});

test('a payload that changed or is missing is not published again', async () => {
  const { repository } = await testRepository();
  const add = (version: keyof typeof IMAGE, deltaFrom: string[]) =>
    repository.addRelease({
      image: { bytes: IMAGE[version], name: 'app.bin' },
      component: 'app',
      version,
      hardwareIds: ['board'],
      deltaFrom,
    });
  await add('1.0.0', []);
  const [[path, target] = []] = Object.entries((await add('1.1.0', ['1.0.0'])).payloads ?? {});
  expect(path).toBe('app/board/1.1.0/from-1.patch');
  const file = join(
    repository.publicDirectory,
    'targets',
    path?.replace('from-1', `${target?.hashes.sha256}.from-1`) ?? '',
  );
  writeFileSync(file, readFileSync(file).fill(1));
  await expect(repository.publish()).rejects.toMatchObject({ code: 'repository-corrupt' });
  rmSync(file);
  await expect(repository.publish()).rejects.toMatchObject({ code: 'repository-corrupt' });
});
