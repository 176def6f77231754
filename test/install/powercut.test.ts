import { describe, expect, test } from 'vitest';
import { GEOMETRIES } from '../../sim/geometries.ts';
import { countCuts, sweep } from '../../sim/powercut.ts';
import { SCENARIOS } from '../../sim/scenarios/powercuts.ts';

describe.each(GEOMETRIES)('$name', ({ geometry }) => {
  test.each(Object.entries(SCENARIOS))('a power cut at any flash operation: %s', async (_, scenario) => {
    const result = await sweep(
      await scenario({ geometry, hardwareCounter: false }, { places: 4, liveEvery: 40 }),
    );
    expect(result.operations).toBeGreaterThan(3);
    expect(countCuts(result)).toBeGreaterThan(3 * result.operations - 1);
  });
});
