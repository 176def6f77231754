// The small core has no payloads: images come whole.
import { expect, test } from 'vitest';
import { State, Status } from '../../host/node/abi.ts';
import { RELEASE_1, RELEASE_2, World } from '../../sim/scenarios/world.ts';

test('a patch and a compressed image beside the image are passed over', async () => {
  const world = new World();
  await world.update();
  world.repository.publish({ ...RELEASE_2, payloads: [undefined, RELEASE_1] });
  expect((await world.update()).status).toBe(Status.UP_TO_DATE);
  expect(world.device.powerOn().stateRead(State.INSTALLED_RELEASE)).toBe(2);
  expect(world.network.requests.filter(({ path }) => /patch|compressed/.test(path))).toEqual([]);
});
