// Several components updated as one: a set of releases that go together is installed whole or not at all.
import { expect, test } from 'vitest';
import { Area, Mode, Role, Status } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import { Client } from '../../host/node/client.ts';
import { Core } from '../../host/node/core.ts';
import { NorFlash } from '../../host/node/flash.ts';
import { provision } from '../../host/node/provision.ts';
import { Random } from '../../sim/random.ts';
import type { SimRelease } from '../../sim/repository.ts';
import { image, RELEASE_1, RELEASE_2, World, type WorldOptions } from '../../sim/scenarios/world.ts';
import { statusName } from '../fixtures/by-hand.ts';
import { CONFIGURATION } from '../tuf/kit.ts';

const RADIO_1 = image(11, 5000);
const MODEL_1 = image(21, 3000);
const RADIO_2: SimRelease = {
  component: 'radio',
  version: '2.0.0',
  releaseCounter: 2,
  image: image(12, 6000),
};
const MODEL_2: SimRelease = {
  component: 'model',
  version: '2.0.0',
  releaseCounter: 2,
  image: image(22, 4000),
};

const newWorld = (options: WorldOptions = {}) =>
  new World({ ...options, components: { radio: RADIO_1, model: MODEL_1 } });

/** The release counters that are confirmed, and whether each component runs the image of its release. */
function confirmed(world: World): (number | string)[] {
  const images = [
    [RELEASE_1.image, RELEASE_2.image],
    [RADIO_1, RADIO_2.image],
    [MODEL_1, MODEL_2.image],
  ];
  return world.device
    .powerOn()
    .components()
    .map(({ component, releaseCounter }, index) => {
      const bytes = images[index]?.[releaseCounter - 1] ?? new Uint8Array();
      const runs = Buffer.compare(world.device.running(bytes.length, index), bytes) === 0;
      return runs ? releaseCounter : `${component} does not run release ${releaseCounter}`;
    });
}

/** How the check ended. */
async function verdict(world: World): Promise<string> {
  world.clock.set(world.clock.seconds() + 4000);
  return statusName((await world.update()).status);
}

/** Bytes written to any slot. */
function slotWrites(world: World): number {
  return (world.device.power.log ?? []).filter(
    (operation) => operation.type !== 'counter' && (operation.area === Area.SLOT_B || operation.area > 9),
  ).length;
}

test('[CERT-C-3] [CERT-C-4] a release of three components is installed as one, with one reboot and one confirm', async () => {
  const world = newWorld();
  await world.update();
  expect(confirmed(world)).toEqual([1, 1, 1]);
  world.repository.publish(
    { ...RELEASE_2, requires: [{ component: 'radio', releaseCounter: 2 }] },
    { ...RADIO_2, requires: [{ component: 'app', releaseCounter: 2, below: 3 }], securityCounter: 7 },
    MODEL_2,
  );
  expect(await verdict(world)).toBe('UP_TO_DATE');
  expect(confirmed(world)).toEqual([2, 2, 2]);
  expect(world.device.slots).toBe(0b111);
  expect(world.device.powerOn().components()[1]).toEqual({
    ...{ component: 'radio', hardwareId: 'sim', slot: 1, version: '2.0.0', releaseCounter: 2 },
    ...{ securityCounter: 7, candidate: 0, candidateVersion: '' },
  });
});

test('a set without the main component is tried and confirmed as well', async () => {
  const world = newWorld();
  world.repository.publish(RADIO_2);
  expect(await verdict(world)).toBe('UP_TO_DATE');
  expect(confirmed(world)).toEqual([1, 2, 1]);
});

test('[CERT-C-3] a self-test that fails brings all components back, and the same set is not tried again', async () => {
  let works = false;
  const world = newWorld({ selfTest: () => works });
  await world.update();
  world.repository.publish(RELEASE_2, RADIO_2);
  await verdict(world);
  expect(confirmed(world)).toEqual([1, 1, 1]);
  expect(await verdict(world)).toBe('RELEASE_FAILED_BEFORE');
  works = true;
  world.repository.publish(MODEL_2);
  expect(await verdict(world)).toBe('UP_TO_DATE');
  expect(confirmed(world)).toEqual([2, 2, 2]);
});

const RADIO = (releaseCounter: number, below?: number) => [
  { component: 'radio', releaseCounter, ...(below !== undefined && { below }) },
];
const MOST = 2 ** 31 - 1;

test.each<[name: string, fields: Partial<SimRelease>, verdict: string]>([
  ['requires a radio that nobody has', { requires: RADIO(3) }, 'SET_REFUSED'],
  ['requires an older radio', { requires: RADIO(1, 2) }, 'SET_REFUSED'],
  [
    'requires a component that the device does not have',
    { requires: [{ component: 'modem', releaseCounter: 0 }] },
    'SET_REFUSED',
  ],
  ['conflicts with the new radio', { conflicts: RADIO(2) }, 'SET_REFUSED'],
  ['conflicts with itself', { conflicts: [{ component: 'app', releaseCounter: 2 }] }, 'SET_REFUSED'],
  ['requires the highest counter', { requires: RADIO(MOST) }, 'SET_REFUSED'],
  ['conflicts with the highest counter', { conflicts: RADIO(MOST) }, 'UP_TO_DATE'],
  ['conflicts with an older radio', { conflicts: RADIO(1, 2) }, 'UP_TO_DATE'],
  [
    'conflicts with a component that the device does not have',
    { conflicts: [{ component: 'modem', releaseCounter: 0 }] },
    'UP_TO_DATE',
  ],
  ['requires nothing', { requires: [], conflicts: [] }, 'UP_TO_DATE'],
  ['names a component twice, and both hold', { requires: [...RADIO(1), ...RADIO(2)] }, 'UP_TO_DATE'],
  ['names a component twice, and one does not hold', { requires: [...RADIO(1), ...RADIO(3)] }, 'SET_REFUSED'],
  [
    'requires something that is no list',
    { requires: { component: 'radio', releaseCounter: 1 } },
    'METADATA_INVALID',
  ],
  ['requires no object', { requires: ['radio'] }, 'METADATA_INVALID'],
  ['requires nobody', { requires: [{ releaseCounter: 1 }] }, 'METADATA_INVALID'],
  [
    'requires a name that is a number',
    { requires: [{ component: 1, releaseCounter: 1 }] },
    'METADATA_INVALID',
  ],
  ['requires no release', { requires: [{ component: 'radio' }] }, 'METADATA_INVALID'],
  [
    'requires a version text',
    { requires: [{ component: 'radio', releaseCounter: '1' }] },
    'METADATA_INVALID',
  ],
  ['requires a counter below zero', { requires: RADIO(-1) }, 'METADATA_INVALID'],
  ['requires a counter above all', { requires: RADIO(MOST + 1) }, 'METADATA_INVALID'],
  ['conflicts below a text', { conflicts: [{ ...RADIO(1)[0], below: 'x' }] }, 'METADATA_INVALID'],
  ['conflicts with null', { conflicts: null }, 'METADATA_INVALID'],
  [
    'requires more than is read',
    { requires: Array.from({ length: 33 }, () => RADIO(1)[0]) },
    'METADATA_INVALID',
  ],
])('[CERT-C-4] a release that %s: nothing is written unless it holds', async (_, fields, expected) => {
  const world = newWorld();
  await world.update();
  world.repository.publish({ ...RELEASE_2, ...fields }, RADIO_2);
  world.device.power.log = [];
  expect(await verdict(world)).toBe(expected);
  if (expected !== 'UP_TO_DATE') expect(slotWrites(world)).toBe(0);
  world.device.power.log = undefined;
  expect(confirmed(world)).toEqual(expected === 'UP_TO_DATE' ? [2, 2, 1] : [1, 1, 1]);
});

test('[CERT-C-4] rules at random: a device installs exactly the sets that hold', async () => {
  const random = new Random(7);
  for (let run = 0; run < 40; run++) {
    const world = newWorld();
    const rule = () => {
      const releaseCounter = random.below(4);
      const component = ['app', 'radio', 'model'][random.below(3)] ?? '';
      return { component, releaseCounter, ...(random.below(2) === 0 && { below: random.below(5) }) };
    };
    const rules = () => Array.from({ length: random.below(3) }, rule);
    const releases = [RELEASE_2, RADIO_2, MODEL_2]
      .filter(() => random.below(3) > 0)
      .map((release) => ({ component: 'app', ...release, requires: rules(), conflicts: rules() }));
    world.repository.publish(...releases);
    const have = Object.fromEntries(
      ['app', 'radio', 'model'].map((name) => [
        name,
        releases.some(({ component }) => component === name) ? 2 : 1,
      ]),
    );
    const within = ({ component, releaseCounter, below = Infinity }: ReturnType<typeof rule>) =>
      (have[component] ?? 0) >= releaseCounter && (have[component] ?? 0) < below;
    const holds = releases.every(
      ({ requires, conflicts }) => requires.every(within) && !conflicts.some(within),
    );
    expect(await verdict(world)).toBe(holds ? 'UP_TO_DATE' : 'SET_REFUSED');
    expect(confirmed(world)).toEqual(holds ? Object.values(have) : [1, 1, 1]);
  }
});

test('[CERT-C-4] a part of a set that is held back holds the whole set back', async () => {
  const world = newWorld();
  world.repository.publish({ ...RELEASE_2, requires: RADIO(2) });
  const { status, role } = await world.update();
  expect([status, role]).toEqual([Status.SET_REFUSED, Role.TARGETS]);
  world.repository.publish(RADIO_2);
  expect(await verdict(world)).toBe('UP_TO_DATE');
  expect(confirmed(world)).toEqual([2, 2, 1]);
});

test('[CERT-C-5] a slot that is written again is not taken for verified, though what lay in it before is signed', async () => {
  const world = newWorld();
  const { source } = world.network;
  const isApp = (path: string) => path.startsWith('targets/app/');
  // The radio lies verified in its slot, the main component cannot be had.
  world.repository.publish(RELEASE_2, RADIO_2);
  world.network.source = (path) => (isApp(path) ? undefined : source(path));
  await verdict(world);
  expect(world.device.powerOn().components()[1]).toMatchObject({ releaseCounter: 1, candidate: 2 });
  // A newer one comes damaged into the same slot, and is withdrawn.
  world.repository.publish({ ...RADIO_2, releaseCounter: 3, version: '3.0.0', image: image(13, 6000) });
  world.network.source = async (path) => {
    const file = await source(path);
    return path.startsWith('targets/radio/sim/3.0.0/') ? file?.map((byte) => byte ^ 1) : file;
  };
  expect(await verdict(world)).toBe('IMAGE_MISMATCH');
  world.repository.withdraw('radio/sim/3.0.0/firmware.bin');
  world.network.source = source;
  expect(await verdict(world)).toBe('UP_TO_DATE');
  expect(confirmed(world)).toEqual([2, 2, 1]);
});

test.each<[name: string, payloads: NonNullable<SimRelease['payloads']>, file: RegExp]>([
  ['a patch', [{ image: RADIO_1, releaseCounter: 1 }], /\.from-1\.patch$/],
  ['a compressed image', [undefined], /\.compressed$/],
])('a component beside the main one is installed from %s', async (_, payloads, file) => {
  const world = newWorld();
  const near = Buffer.concat([RADIO_1.subarray(0, 4500), Buffer.alloc(1500, 'radio')]);
  await world.update();
  world.repository.publish({ ...RADIO_2, image: near, payloads });
  expect(await verdict(world)).toBe('UP_TO_DATE');
  expect(Buffer.compare(world.device.running(near.length, 1), near)).toBe(0);
  const fetched = world.network.requests.map(({ path }) => path).filter((path) => path.includes('/radio/'));
  expect(fetched).toEqual([expect.stringMatching(file)]);
});

test('[ETSI-3.6] what the user approves of is one set: it is installed, with more in it he is asked again', async () => {
  const world = newWorld();
  await world.update();
  expect(world.device.powerOn().policySet(Mode.NOTIFY)).toBe(Status.OK);
  const { fetch } = world.network;
  const urls = { metadataUrl: 'https://sim/metadata/', targetsUrl: 'https://sim/targets/' };
  const client = new Client({ ...urls, fetch, clock: world.clock });
  const approve = async () => {
    const core = world.device.powerOn();
    await world.clock.run(client.check(core));
    return core.updateApprove();
  };
  expect(await approve()).toBe(Status.WRONG_STATE);
  world.repository.publish(RADIO_2);
  expect(await verdict(world)).toBe('UPDATE_AVAILABLE');
  expect(await approve()).toBe(Status.OK);
  world.repository.publish(MODEL_2);
  expect(await verdict(world)).toBe('UPDATE_AVAILABLE');
  expect(confirmed(world)).toEqual([1, 1, 1]);
  expect(await approve()).toBe(Status.OK);
  expect(await verdict(world)).toBe('UP_TO_DATE');
  expect(confirmed(world)).toEqual([1, 2, 2]);
});

test('each component has a security counter of its own, and none goes below', async () => {
  const world = newWorld();
  world.repository.publish({ ...RADIO_2, securityCounter: 5 });
  expect(await verdict(world)).toBe('UP_TO_DATE');
  world.repository.publish(
    { ...RADIO_2, releaseCounter: 3, version: '3.0.0', securityCounter: 4 },
    RELEASE_2,
  );
  expect(await verdict(world)).toBe('COUNTER_ROLLBACK');
  expect(confirmed(world)).toEqual([1, 2, 1]);
});

test.each<[name: string, components: unknown]>([
  ['two of one name', [{ component: 'radio' }, { component: 'radio' }]],
  ['one of the name of the main one', [{ component: 'app' }]],
  ['one without a name', [{}]],
  ['eight', Array.from({ length: 8 }, (_, index) => ({ component: `c${index}` }))],
  ['no list', { component: 'radio' }],
  ['a counter that is too high', [{ component: 'radio', releaseCounter: 2 ** 31 }]],
])('a configuration with %s is refused', (_, components) => {
  const filled = Array.isArray(components)
    ? components.map((one) => ({ version: '1', releaseCounter: 1, securityCounter: 0, ...one }))
    : components;
  const { device, repository } = newWorld();
  const flash = new NorFlash(device.flash.geometry);
  const core = new Core({ flash, boot: new RecordedBoot(flash) });
  core.coreStart();
  const configuration = { ...CONFIGURATION, components: filled as never };
  expect(() => provision(core, configuration, repository.root)).toThrow(
    'the device configuration is not valid',
  );
});
