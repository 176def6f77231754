// Power that fails at any operation of a check that follows new roots to an update: the ECU starts, trusts nothing less
// or older than before, and the next check comes to its end. Further layouts, and cuts in recoveries: `npm run sweep`.
import { expect, test } from 'vitest';
import { engineName } from '../../host/node/engine.ts';
import { OWN_GEOMETRIES } from '../../sim/geometries.ts';
import { countCuts, sweep } from '../../sim/powercut.ts';
import { UPTANE_SCENARIOS } from '../../sim/scenarios/uptane.ts';

/** One with each erased value; the slow engines write the same. */
const LAYOUTS = OWN_GEOMETRIES.slice(0, engineName === 'v8' ? 2 : 1);
const CASES = Object.entries(UPTANE_SCENARIOS).flatMap(([what, scenario]) =>
  LAYOUTS.map((layout) => ({ ...layout, what, scenario })),
);

test.each(CASES)('[CERT-C-5] [UPT-5] $what, $name', async ({ geometry, scenario }) => {
  const hardwareCounter = geometry[0]?.erased === 0;
  const result = await sweep(await scenario({ geometry, hardwareCounter }), { places: 2, liveEvery: 200 });
  expect(result.cuts.before).toBe(result.operations);
  expect(result.cuts.after).toBe(result.operations);
  expect(countCuts(result)).toBeGreaterThan(3 * result.operations);
});
