// Repositories that other TUF implementations wrote: a device follows their roots and installs what they hold.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { State, Status } from '../../host/node/abi.ts';
import { SimClock } from '../../sim/clock.ts';
import { SimDevice } from '../../sim/device.ts';
import { SimNetwork } from '../../sim/network.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import {
  type ForeignOrder,
  type ForeignRepository,
  writeWithPythonTuf,
  writeWithTufJs,
} from '../fixtures/foreign-repositories.ts';
import { HOW_TO_GET_PYTHON_TUF, hasPythonTuf } from '../fixtures/python.ts';
import { optional } from '../optional.ts';
import { CONFIGURATION, DAY, imageOf, START } from './kit.ts';

const ORDER: ForeignOrder = {
  expires: START + DAY,
  image: imageOf(2),
  path: 'app/sim/1.2.0/firmware.bin',
  custom: { component: 'app', version: '1.2.0', hardwareIds: ['sim'], releaseCounter: 2, securityCounter: 1 },
  roots: 3,
};

/** A device that was provisioned with the first root of a repository, and what it came to. */
async function update(
  repository: ForeignRepository,
  now = START,
): Promise<{ device: SimDevice; status: number; role: number }> {
  const clock = new SimClock(now);
  const files = load(repository.directory);
  const device = new SimDevice({
    root: repository.firstRoot,
    image: imageOf(1),
    configuration: CONFIGURATION,
    client: {
      metadataUrl: 'https://foreign/metadata/',
      targetsUrl: 'https://foreign/targets/',
      fetch: new SimNetwork((path) => files.get(path), clock).fetch,
      clock,
    },
  });
  const { status, role } = await clock.run(device.update());
  return { device, status, role };
}

function load(directory: string): Map<string, Uint8Array> {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const files = paths.filter((path) => statSync(join(directory, path)).isFile());
  return new Map(files.map((path) => [path, new Uint8Array(readFileSync(join(directory, path)))]));
}

async function installs(repository: ForeignRepository): Promise<void> {
  const { device, status } = await update(repository);
  expect(status).toBe(Status.UP_TO_DATE);
  expect(Buffer.compare(device.running(ORDER.image.length), ORDER.image)).toBe(0);
  const core = device.powerOn();
  expect(core.stateRead(State.ROOT_VERSION)).toBe(ORDER.roots);
  expect(core.stateRead(State.INSTALLED_RELEASE)).toBe(2);
  expect((await update(repository, START + DAY)).status).toBe(Status.EXPIRED);
}

test("[TUF-2] a release in a repository by tuf-js's models, names in no order, is installed", async () => {
  const repository = writeWithTufJs(join(temporaryFolder(), 'foreign'), ORDER);
  expect(readFileSync(join(repository.directory, 'metadata', '1.root.json'), 'utf8')).toMatch(
    /^\{"signatures"/,
  );
  await installs(repository);
});

optional(hasPythonTuf(), HOW_TO_GET_PYTHON_TUF)(
  '[TUF-2] a release in a repository by python-tuf, indented, is installed',
  async () => {
    const repository = await writeWithPythonTuf(join(temporaryFolder(), 'foreign'), ORDER);
    expect(readFileSync(join(repository.directory, 'metadata', '1.root.json'), 'utf8')).toMatch(/^\{\n/);
    await installs(repository);
  },
  30_000,
);

optional(hasPythonTuf(), HOW_TO_GET_PYTHON_TUF)(
  '[TUF-2] a release in a delegated role by python-tuf, keys of all kinds, is installed',
  async () => {
    await installs(await writeWithPythonTuf(join(temporaryFolder(), 'foreign'), { ...ORDER, mixed: true }));
  },
  30_000,
);
