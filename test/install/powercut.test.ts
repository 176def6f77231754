import { describe, expect, test } from 'vitest';
import { State, Status } from '../../host/node/abi.ts';
import { engineName } from '../../host/node/engine.ts';
import { GEOMETRIES as ALL } from '../../sim/geometries.ts';
import { type CutKind, PowerCut } from '../../sim/power.ts';
import { countCuts, type Scenario, sweep } from '../../sim/powercut.ts';
import { Random } from '../../sim/random.ts';
import { SCENARIOS } from '../../sim/scenarios/powercuts.ts';
import { image, RELEASE_1, RELEASE_2, World } from '../../sim/scenarios/world.ts';

/** Cuts in one sequence. */
const CUTS = 30;
const EFFORT = { places: 3, liveEvery: 50 };

/** Flash does not know which engine writes it: two layouts, one with either erased value, do for the slow one. */
const GEOMETRIES = engineName === 'v8' ? ALL : ALL.filter((_, index) => index % 5 === 0);

/** An install with its confirm on every layout; the other scenarios on a third of them, and on all in sim/sweep.ts. */
const CASES = GEOMETRIES.flatMap(({ name, geometry }, index) =>
  Object.entries(SCENARIOS)
    .filter(([what]) => what === 'install and confirm' || index % 3 === 0)
    .map(([what, scenario]) => ({ name, geometry, what, scenario })),
);

describe('[CERT-C-5] after a power cut at any operation a whole image boots, and the scenario comes to its end', () => {
  test.each(CASES)('$what, $name', async ({ geometry, scenario }) => {
    const hardwareCounter = geometry[0]?.erased === 0;
    const result = await sweep(await scenario({ geometry, hardwareCounter }, EFFORT));
    expect(result.cuts.before).toBe(result.operations);
    expect(result.cuts.after).toBe(result.operations);
    expect(result.cuts.torn + result.cuts.bits + result.cuts.scrambled).toBeGreaterThan(result.operations);
    expect(result.live).toBe(Math.ceil(countCuts(result) / EFFORT.liveEvery));
  });
});

test.each(GEOMETRIES)(
  'after any sequence of cuts a whole image boots, and the device can still be updated: $name',
  async ({ geometry }) => {
    for (let seed = 1; seed <= 5; seed++) await survives(seed, new World({ geometry, seed }));
  },
);

/** Cuts at random operations, again and again, then peace and a further release. */
async function survives(seed: number, world: World): Promise<void> {
  const { device } = world;
  const random = new Random(seed);
  const kinds: readonly CutKind[] = ['before', 'bits', 'scrambled', 'after'];
  const planNext = () => {
    const kind = kinds[random.below(kinds.length)] ?? 'before';
    device.power.plan({ operation: device.power.operations + random.below(20), kind, units: 0 });
  };
  let left = CUTS;
  device.power.whenCut = () => {
    if (--left > 0) planNext();
  };
  await world.update();
  world.repository.publish(RELEASE_2);
  planNext();
  for (let checks = 0; checks < 100 && left > 0; checks++) {
    world.repository.refresh();
    await world.update();
  }
  expect(device.power.cuts).toBe(CUTS);
  expect([RELEASE_1.image, RELEASE_2.image]).toContainEqual(
    device.running(device.slot === 0 ? 12_000 : 10_001),
  );
  const next = { version: '1.2.0', releaseCounter: 3, securityCounter: 2, image: image(3, 9000) };
  world.repository.publish(next);
  expect((await world.update()).status).toBe(Status.UP_TO_DATE);
  expect(device.running(9000)).toEqual(next.image);
  expect(device.powerOn().stateRead(State.INSTALLED_RELEASE)).toBe(3);
}

describe('the harness itself', () => {
  async function scenario(change: Partial<Scenario> = {}): Promise<Scenario> {
    const world = new World();
    const run = async () => void (await world.update());
    return { ...EFFORT, device: world.device, run, afterCut: () => {}, atEnd: () => {}, ...change };
  }

  test('fails when a device is not sound after a cut, and names the cut', async () => {
    const afterCut = (_: unknown, { operation }: { operation: number }) => {
      if (operation === 3) throw new Error('it does not boot');
    };
    await expect(sweep(await scenario({ afterCut }))).rejects.toThrow(
      /^power cut at operation 3 \(\w+ in area \d at \d+, before\): Error: it does not boot$/,
    );
  });

  test('fails when a scenario does not come to its end after a cut', async () => {
    let ends = 0;
    const atEnd = () => {
      if (++ends > 10) throw new Error('not updated');
    };
    await expect(sweep(await scenario({ atEnd }))).rejects.toThrow('not updated');
  });

  test('fails when runs without a cut differ: a cut could then miss its operation', async () => {
    let runs = 0;
    const { device, run } = await scenario();
    const uneven = async () => {
      if (runs++ === 1) device.flash.erase(4, 0, 4096);
      await run(device);
    };
    await expect(sweep(await scenario({ device, run: uneven }))).rejects.toThrow('two clean runs differ');
  });

  test('fails when a planned cut did not fire in a whole run', async () => {
    const { device, run } = await scenario();
    const deaf = async () => {
      device.power.plan(undefined);
      await run(device);
    };
    await expect(sweep(await scenario({ device, run: deaf }))).rejects.toThrow('did not fire in a whole run');
  });

  test('fails when the device swallows the cut', async () => {
    const { device, run } = await scenario();
    device.repeat = () => {};
    await expect(sweep(await scenario({ device, run }))).rejects.toThrow('did not fire');
    expect(new PowerCut(undefined).message).toBe('the power is off');
  });
});
