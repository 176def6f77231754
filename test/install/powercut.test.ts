import { describe, expect, test } from 'vitest';
import { State, Status } from '../../host/node/abi.ts';
import { engineName } from '../../host/node/engine.ts';
import { ALL_GEOMETRIES, OWN_GEOMETRIES as OWN } from '../../sim/geometries.ts';
import { type CutKind, PowerCut } from '../../sim/power.ts';
import { countCuts, replay, type Scenario, type SweepFailure, sweep } from '../../sim/powercut.ts';
import { Random } from '../../sim/random.ts';
import { SCENARIOS } from '../../sim/scenarios/powercuts.ts';
import { image, RELEASE_1, RELEASE_2, World } from '../../sim/scenarios/world.ts';

/** Cuts in one sequence. */
const CUTS = 30;
const EFFORT = { places: 3, liveEvery: 50 };

/** Flash does not know which engine writes it: two layouts, one with either erased value, do for the slow one. */
const GEOMETRIES = engineName === 'v8' ? OWN : OWN.filter((_, index) => index % 5 === 0);

/**
 * An install with its confirm on every layout as parts have it, and on some with another write unit; the other
 * scenarios on a third of them. All on all: `npm run sweep`.
 */
const CASES = [
  ...GEOMETRIES.flatMap((layout, index) =>
    Object.entries(SCENARIOS)
      .filter(([what]) => what === 'install and confirm' || index % 3 === 0)
      .map(([what, scenario]) => ({ ...layout, what, scenario })),
  ),
  ...ALL_GEOMETRIES.filter((_, index) => engineName === 'v8' && index % 7 === 5).map((layout, index) => {
    const [what, scenario] =
      Object.entries(SCENARIOS)[index % Object.keys(SCENARIOS).length] ?? expect.fail();
    return { ...layout, what, scenario };
  }),
];

describe('[CERT-C-5] after a power cut at any operation a whole image boots, and the scenario comes to its end', () => {
  test.each(CASES)('$what, $name', async ({ geometry, scenario }) => {
    const hardwareCounter = geometry[0]?.erased === 0;
    const result = await sweep(await scenario({ geometry, hardwareCounter }), EFFORT);
    expect(result.cuts.before).toBe(result.operations);
    expect(result.cuts.after).toBe(result.operations);
    expect(result.cuts.torn + result.cuts.bits + result.cuts.scrambled).toBeGreaterThan(result.operations);
    expect(result.live).toBe(Math.ceil(countCuts(result) / EFFORT.liveEvery));
  });
});

test('[CERT-C-5] power that fails again in the recovery, and up to eight times at random', async () => {
  const geometry = OWN[0]?.geometry ?? [];
  const install = await SCENARIOS['install and confirm']?.({ geometry, hardwareCounter: false });
  const effort = { places: 2, liveEvery: 500, pairPlaces: 2, seeds: [1, 2, 3, 4, 5, 6, 7, 8] };
  const { pairs, sequences, sequenceCuts, distinct, live } = await sweep(install ?? expect.fail(), effort);
  expect(pairs).toBeGreaterThan(5000);
  expect(distinct).toBeLessThan(pairs / 5);
  expect(live).toBeGreaterThan(pairs / 500);
  expect([sequences, sequenceCuts > 2 * sequences]).toEqual([8, true]);
}, 240_000);

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
    device.running(device.slots === 0 ? 12_000 : 10_001),
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
    return { device: world.device, run, afterCut: () => {}, atEnd: () => {}, ...change };
  }

  test('fails when a device is not sound after a cut, and names the cut', async () => {
    const { device, ...world } = await scenario();
    const afterCut = () => {
      if (device.snapshot().flash[0]?.[0]) throw new Error('it does not boot');
    };
    const failed = sweep({ device, ...world, afterCut }, EFFORT);
    await expect(failed).rejects.toThrow(
      /^power cut at operation \d+ \(\w+ in area \d at \d+, [\w ]+\): Error: it does not boot$/,
    );
    const { cuts } = await failed.then(
      () => expect.fail(),
      (error: SweepFailure) => error,
    );
    await expect(replay({ device, ...world, afterCut }, cuts)).rejects.toThrow('it does not boot');
  });

  test('fails when a scenario does not come to its end after a cut', async () => {
    let ends = 0;
    const atEnd = () => {
      if (++ends > 10) throw new Error('not updated');
    };
    await expect(sweep(await scenario({ atEnd }), EFFORT)).rejects.toThrow('not updated');
  });

  test('fails when runs without a cut differ: a cut could then miss its operation', async () => {
    let runs = 0;
    const { device, run } = await scenario();
    const uneven = async () => {
      if (runs++ === 1) device.flash.erase(4, 0, 4096);
      await run(device);
    };
    await expect(sweep(await scenario({ device, run: uneven }), EFFORT)).rejects.toThrow(
      'two clean runs differ',
    );
  });

  test('fails when a planned cut did not fire in a whole run', async () => {
    const { device, run } = await scenario();
    const deaf = async () => {
      device.power.plan(undefined);
      await run(device);
    };
    await expect(sweep(await scenario({ device, run: deaf }), EFFORT)).rejects.toThrow(
      'did not fire in a whole run',
    );
  });

  test('fails when the device swallows the cut', async () => {
    const { device, run } = await scenario();
    device.repeat = () => {};
    await expect(sweep(await scenario({ device, run }), EFFORT)).rejects.toThrow('did not fire');
    expect(new PowerCut(undefined).message).toBe('the power is off');
  });
});
