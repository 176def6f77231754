// Cores that open no encrypted payloads (assembly/lean.ts), and what is published for devices that do.
import { expect, test } from 'vitest';
import { State, Status } from '../../host/node/abi.ts';
import { buildPayload, encryptedPayload, encryptionPublicKey, sha256 } from '../../repo/index.ts';
import { Random } from '../../sim/random.ts';
import { RELEASE_1, RELEASE_2, World } from '../../sim/scenarios/world.ts';
import { nameOf } from '../tuf/kit.ts';

const PUBLIC = encryptionPublicKey(new Random(41).bytes(32));
const RELEASE_3 = { ...RELEASE_2, version: '1.2.0', releaseCounter: 3 };

async function provisioned(): Promise<World> {
  const world = new World();
  expect((await world.update()).status).toBe(Status.UP_TO_DATE);
  return world;
}

async function installs(world: World, releaseCounter: number, image: Uint8Array): Promise<void> {
  expect((await world.update()).status).toBe(Status.UP_TO_DATE);
  expect(world.device.powerOn().stateRead(State.INSTALLED_RELEASE)).toBe(releaseCounter);
  expect(sha256(world.device.running(image.length))).toBe(sha256(image));
}

test('a release that is published encrypted alone is not installed, not even in part; one that is not is, after it', async () => {
  const world = await provisioned();
  world.repository.publish({ ...RELEASE_2, encryptFor: [PUBLIC] });
  for (const run of ['the check', 'the check after it'])
    expect(nameOf(Status, (await world.update()).status), run).toBe('NOT_FOUND');
  expect(world.device.powerOn().stateRead(State.INSTALLED_RELEASE)).toBe(1);
  expect(sha256(world.device.running(RELEASE_1.image.length))).toBe(sha256(RELEASE_1.image));
  expect(world.network.requests.filter(({ path }) => path.includes('encrypted'))).toEqual([]);
  world.repository.publish(RELEASE_3);
  await installs(world, 3, RELEASE_3.image);
});

test('an encrypted payload beside an image that is not is passed over', async () => {
  const world = await provisioned();
  const { image } = RELEASE_2;
  const made = encryptedPayload(buildPayload(image, { image: RELEASE_1.image, releaseCounter: 1 }), [PUBLIC]);
  for (const encryption of [1, 2, 'x']) {
    const target = { ...made.target, custom: { ...made.target.custom, encryption } };
    world.repository.addPayload('app/sim/1.1.0', { ...made, file: `made-${encryption}`, target });
  }
  world.repository.publish(RELEASE_2);
  await installs(world, 2, image);
  expect(world.network.requests.filter(({ path }) => path.includes('made'))).toEqual([]);
});
