// The core as a component of the device that it updates: a new one runs from its slot, one that cannot run is given up.
import { expect, test } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { engineName } from '../../host/node/engine.ts';
import { programArea, slotArea, uniformGeometry } from '../../host/node/flash.ts';
import { coreImage } from '../../repo/index.ts';
import { OWN_GEOMETRIES } from '../../sim/geometries.ts';
import { countCuts, sweep } from '../../sim/powercut.ts';
import type { SimRelease } from '../../sim/repository.ts';
import { CORE_SCENARIOS, coreUpdate } from '../../sim/scenarios/coreupdate.ts';
import { RELEASE_2, World, type WorldOptions } from '../../sim/scenarios/world.ts';
import { statusName } from '../fixtures/by-hand.ts';
import { answering, BROKEN_CORES, damaged, GOOD_CORE, named, trapping } from '../fixtures/cores.ts';

/** As of the simulator, with slots that hold the largest core and its header. */
const geometry = uniformGeometry({ block: 4096, unit: 4, erased: 0xff, bank: 32_768, slot: 81_920 });

/** The core is component 1. */
const BIT = 0b10;

function release(releaseCounter: number, image: Uint8Array): SimRelease {
  return { component: 'moult', version: `${releaseCounter}.0.0`, releaseCounter, image };
}

/** A device whose core is a component, and that has none in its slots yet; why cores were given up. */
function newWorld(options: WorldOptions = {}): { world: World; failures: string[] } {
  const failures: string[] = [];
  const onCoreFailure = (error: unknown) =>
    failures.push(error instanceof Error ? error.message : `${error}`);
  const world = new World({ geometry, components: { moult: new Uint8Array() }, onCoreFailure, ...options });
  return { world, failures };
}

async function verdict(world: World): Promise<string> {
  world.clock.set(world.clock.seconds() + 4000);
  return statusName((await world.update()).status);
}

/** The release counters that are confirmed, and the slots that run. */
function state({ device }: World): { releases: number[]; slots: number } {
  const releases = device
    .powerOn()
    .components()
    .map(({ releaseCounter }) => releaseCounter);
  return { releases, slots: device.slots };
}

/** As often the core before selects what has ended without a verdict; each of these is over at its first failure. */
const TRIALS = 3;

const OLD = { releases: [1, 1], slots: 0 };

test('[CERT-C-3] a new core runs from its slot, is confirmed, and installs the next one', async () => {
  const { world, failures } = newWorld();
  await world.update();
  world.repository.publish(release(2, GOOD_CORE));
  expect(await verdict(world)).toBe('UP_TO_DATE');
  expect(state(world)).toEqual({ releases: [1, 2], slots: BIT });
  world.repository.publish({ ...RELEASE_2 }, release(3, coreImage(named('third'))));
  expect(await verdict(world)).toBe('UP_TO_DATE');
  expect(state(world)).toEqual({ releases: [2, 3], slots: 1 });
  expect(failures).toEqual([]);
});

test('a core is patched from the one that runs', async () => {
  const { world } = await updated();
  const third = release(3, coreImage(named('third')));
  world.repository.publish({ ...third, payloads: [release(2, GOOD_CORE)] });
  world.network.requests.length = 0;
  expect(await verdict(world)).toBe('UP_TO_DATE');
  expect(state(world)).toEqual({ releases: [1, 3], slots: 0 });
  const files = world.network.requests.map(({ path }) => path).filter((path) => path.startsWith('targets/'));
  expect(files.map((path) => path.replace(/.*\./, ''))).toEqual(['patch']);
});

test.each(BROKEN_CORES)(
  '[CERT-C-3] a core that %s is given up, with all that came with it, and not tried again',
  async (_, image, why) => {
    const { world, failures } = newWorld();
    await world.update();
    world.repository.publish(RELEASE_2, release(2, image()));
    expect(await verdict(world)).toBe('RELEASE_FAILED_BEFORE');
    expect(state(world)).toEqual(OLD);
    expect(new Set(failures).size).toBe(1);
    expect(failures[0]).toContain(why);
    expect(failures).toHaveLength(TRIALS);
    expect(await verdict(world)).toBe('RELEASE_FAILED_BEFORE');
    expect(failures).toHaveLength(TRIALS);
    world.repository.publish(release(3, GOOD_CORE));
    expect(await verdict(world)).toBe('UP_TO_DATE');
    expect(state(world)).toEqual({ releases: [2, 3], slots: BIT | 1 });
  },
);

/** A device that runs a core from its slot B. */
async function updated(): Promise<{ world: World; failures: string[] }> {
  const made = newWorld();
  await made.world.update();
  made.world.repository.publish(release(2, GOOD_CORE));
  await verdict(made.world);
  return made;
}

const SLOT_A = slotArea(1, 0);
const SLOT_B = slotArea(1, 1);

test('a confirmed core that flash has lost is replaced by that of the host, which installs the next one', async () => {
  const { world, failures } = await updated();
  programArea(world.device.flash, SLOT_B, damaged(GOOD_CORE, 5000));
  expect(state(world)).toEqual({ releases: [1, 2], slots: BIT });
  expect(new Set(failures)).toEqual(new Set([`flash area ${SLOT_B} holds a core of another hash`]));
  world.repository.publish(release(3, coreImage(named('third'))));
  expect(await verdict(world)).toBe('UP_TO_DATE');
  expect(state(world)).toEqual({ releases: [1, 3], slots: 0 });
});

test('[CERT-0-2] what the other slot holds never runs in place of a core that is lost: it may be unverified', async () => {
  const { world, failures } = await updated();
  programArea(world.device.flash, SLOT_A, trapping('core_start'));
  programArea(world.device.flash, SLOT_B, damaged(GOOD_CORE, 5000));
  expect(state(world)).toEqual({ releases: [1, 2], slots: BIT });
  expect(failures).toHaveLength(1);
});

test('a core that cannot be read now is not given up: another boot may read it', async () => {
  const { world, failures } = await updated();
  const { flash } = world.device;
  flash.faults = { read: (area) => area !== SLOT_B };
  expect(() => world.device.powerOn()).toThrow(expect.objectContaining({ code: 'flash-unreadable' }));
  flash.faults = {};
  expect(state(world)).toEqual({ releases: [1, 2], slots: BIT });
  expect(failures).toEqual([]);
});

test('a trap of a confirmed core ends no trial: it is an error, as of any core', async () => {
  const { world, failures } = await updated();
  programArea(world.device.flash, SLOT_B, trapping('agent_step'));
  await expect(world.update()).rejects.toThrow(expect.objectContaining({ code: 'core-trap' }));
  expect(failures).toEqual([]);
});

test('a device is not provisioned anew by a core that came by an update', async () => {
  const { world } = await updated();
  programArea(world.device.flash, SLOT_B, answering('core_start', Status.NOT_PROVISIONED));
  expect(() => world.device.powerOn()).toThrow('does not know the device as provisioned');
});

const setting = { geometry, hardwareCounter: false };

test.runIf(engineName === 'v8').each([
  ['traps at start', () => trapping('core_start'), false],
  ['traps in its first step', () => trapping('agent_step'), false],
  ['traps when it is to confirm', () => trapping('image_confirm'), false],
])(
  '[CERT-C-5] power is cut at any operation of an update to a core that %s: a whole core runs',
  async (_, core, works) => {
    const result = await sweep(await coreUpdate(setting, core(), works), { places: 2, liveEvery: 200 });
    expect(result.cuts.before).toBe(result.operations);
    expect(result.live).toBe(Math.ceil(countCuts(result) / 200));
  },
);

test
  .runIf(engineName === 'v8')
  .each(
    [0, 5, 12].flatMap((at) =>
      Object.entries(CORE_SCENARIOS).map(([what, scenario]) => ({ what, scenario, ...OWN_GEOMETRIES[at] })),
    ),
  )('[CERT-C-5] power is cut at any operation: $what, $name', async ({ scenario, geometry = [] }) => {
  const hardwareCounter = geometry[0]?.erased === 0;
  const result = await sweep(await scenario({ geometry, hardwareCounter }), { places: 2, liveEvery: 200 });
  expect(result.cuts.before).toBe(result.operations);
  expect(result.cuts.torn + result.cuts.bits + result.cuts.scrambled).toBeGreaterThan(result.operations);
});
