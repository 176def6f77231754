// ECUs that look to both repositories and install what they agree on: in this process, and as a program in C over the
// link. One vehicle's metadata replayed to another.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import type { Addresses } from '../../host/node/address.ts';
import type { Clock } from '../../host/node/clock.ts';
import { systemClock } from '../../host/node/clock.ts';
import type { Fetch } from '../../host/node/http.ts';
import type { DeviceConfiguration } from '../../host/node/provision.ts';
import { SimDevice } from '../../sim/device.ts';
import { SimNetwork } from '../../sim/network.ts';
import { ProcessDevice } from '../../sim/process.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { withPosix } from '../fixtures/posix.ts';
import { GEOMETRY } from '../posix/world.ts';
import { bytes } from '../tuf/values.ts';
import type { Profile } from './keys.ts';
import { ECU, HARDWARE, Pair, VEHICLE } from './pair.ts';

/** 2030-01-01T00:00:00Z, and it stays. */
const START = 1_893_456_000;
const CLOCK: Clock = { now: () => START * 1000, after: systemClock.after };
const FACTORY = bytes('the release of the factory');

const configuration = (profile: Profile, vehicle = VEHICLE): DeviceConfiguration => ({
  hardwareId: HARDWARE,
  component: 'app',
  version: '1.0.0',
  releaseCounter: 1,
  securityCounter: 1,
  buildTime: START - 1000,
  checkInterval: 3600,
  uptane: 'full',
  ecu: ECU,
  vehicle,
  ...(profile === 'legacy' && { legacy: true }),
});

interface World {
  readonly pair: Pair;
  readonly network: SimNetwork;
  /** For a client or a gateway. */
  readonly addresses: Addresses & { readonly fetch: Fetch; readonly clock: Clock };
}

function world(profile: Profile): World {
  const pair = new Pair({ profile });
  const network = new SimNetwork((path) => {
    const [name, ...rest] = path.split('/');
    return pair.get(name === 'director' ? 'director' : 'image').files.get(rest.join('/'));
  }, CLOCK);
  const addresses = {
    directorUrl: 'https://sim/director/',
    metadataUrl: 'https://sim/image/',
    targetsUrl: 'https://sim/image/targets/',
    fetch: network.fetch,
    clock: CLOCK,
  };
  return { pair, network, addresses };
}

function ecu({ pair, addresses }: World, given: DeviceConfiguration): SimDevice {
  const roots = { root: pair.firstRoot('image'), directorRoot: pair.firstRoot('director') };
  return new SimDevice({ ...roots, configuration: given, image: FACTORY, client: addresses });
}

describe('[UPT-5] an ECU', () => {
  test('installs what both repositories agree on, and then finds nothing new', async () => {
    const w = world('modern');
    const device = ecu(w, configuration('modern'));
    expect(await device.update()).toMatchObject({ status: Status.UP_TO_DATE });
    expect(device.powerOn().components()[0]).toMatchObject({ version: '2.0.0', releaseCounter: 2 });
    w.network.requests.splice(0);
    expect(await device.update()).toMatchObject({ status: Status.UP_TO_DATE });
    expect(w.network.requests.map(({ path }) => path)).toEqual([
      'director/2.root.json',
      'director/timestamp.json',
      'image/2.root.json',
      'image/timestamp.json',
    ]);
  });

  test.each([
    ['with an update', false],
    ['without one', true],
  ])('refuses what was signed for another vehicle, %s [mix-and-match]', async (_, empty) => {
    const w = world('modern');
    if (empty) w.pair.director.targets = {};
    w.pair.director.custom = { vehicleId: 'car-2' };
    w.pair.raise().publish();
    const device = ecu(w, configuration('modern'));
    expect(await device.update()).toMatchObject({ status: Status.VEHICLE_MISMATCH });
    w.pair.director.custom = undefined;
    w.pair.raise().publish();
    expect(await device.update()).toMatchObject({ status: Status.VEHICLE_MISMATCH });
    expect(device.powerOn().components()[0]).toMatchObject({ version: '1.0.0', candidate: 0 });
  });

  withPosix('in a process of its own gets both over its link, and installs', async () => {
    const w = world('modern');
    const device = new ProcessDevice({
      folder: join(temporaryFolder(), 'ecu'),
      root: w.pair.firstRoot('image'),
      directorRoot: w.pair.firstRoot('director'),
      configuration: configuration('modern'),
      factory: { geometry: GEOMETRY, image: FACTORY },
      gateway: w.addresses,
    });
    const first = await device.update();
    expect(first).toMatchObject({ status: 0, said: expect.stringContaining('2.0.0 runs') });
    expect(first.checked).toMatchObject({ status: Status.UP_TO_DATE, installedVersion: '2.0.0' });
    w.pair.director.forgeries.targets = { signers: [] };
    w.pair.raise().publish();
    expect(await device.update()).toMatchObject({ checked: { status: Status.SIGNATURES } });
  });
});
