// An ESP32 as an ECU: the metadata of its Director lies under a base address of its own.
import { expect } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { SimDirector } from '../../sim/director.ts';
import { IDF6, withEsp32 } from '../fixtures/esp32.ts';
import { ChipWorld, release, seconds } from './world.ts';

const VEHICLE = 'car-1';
const ECU = 'lamp-1';
const HARDWARE = 'lamp';

/** Release 2 is what the Director lists; 3 is newer, and for all that the Image repository knows for everybody. */
function directed(): { world: ChipWorld; director: SimDirector } {
  const director = new SimDirector(VEHICLE, seconds, 1);
  const configuration = { uptane: 'full', ecu: ECU, vehicle: VEHICLE } as const;
  const world = new ChipWorld({ program: IDF6, configuration, directorRoot: director.root });
  world.repository.publish(release(2), release(3));
  const listed = world.repository.releaseAt('app/lamp/1.2.0/firmware.bin');
  director.direct([{ serial: ECU, hardwareId: HARDWARE, release: listed }]);
  for (const [name, bytes] of director.files) world.repository.files.set(`director/${name}`, bytes);
  return { world, director };
}

const withDirector = async (world: ChipWorld) => ['--director', `${await world.url()}/director/`];

withEsp32('[UPT-1] an ECU installs what its Director lists, and not what is newer', async () => {
  const { world } = directed();
  const { status, boots } = await world.run(...(await withDirector(world)));
  expect({ status, boots }).toEqual({ status: Status.UP_TO_DATE, boots: ['ota_0', 'ota_1'] });
  expect(world.counters()).toMatchObject({ installed: 2 });
  expect(world.requests).toContain('director/timestamp.json');
});

withEsp32('[UPT-1] without its Director, or where that keeps silent, an ECU installs nothing', async () => {
  const { world } = directed();
  expect(await world.run()).toMatchObject({ status: Status.NETWORK, boots: ['ota_0'] });
  world.repository.files.delete('director/timestamp.json');
  expect(await world.run(...(await withDirector(world)))).toMatchObject({
    status: Status.NOT_FOUND,
    boots: ['ota_0'],
  });
  expect(world.requests.filter((path) => path.startsWith('targets/'))).toEqual([]);
});

withEsp32('an address of a Director that is none is refused before anything is asked for', async () => {
  const { world } = directed();
  for (const address of ['ftp://127.0.0.1/director/', `${await world.url()}/director`])
    expect(await world.run('--director', address)).toMatchObject({ status: Status.BAD_ARGUMENT });
  expect(world.requests).toEqual([]);
});
