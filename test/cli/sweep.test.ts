// What `npm run sweep` tries. That devices survive it is for the sweep itself, which takes hours.
import { describe, expect, test } from 'vitest';
import { casesOf, open } from '../../cli/sweep/cases.ts';
import { sweep } from '../../sim/powercut.ts';

describe('[CERT-C-5] the sweep has boards with MCUboot', () => {
  const cases = casesOf('', 'MCUboot');

  test('on the layouts that its swaps are for: blocks that are alike, units of 8 bytes at most', () => {
    const layouts = new Set(cases.map(({ name }) => name.replace(/, \d+-byte.*/, '')));
    expect([...layouts]).toEqual([
      '4 KiB sectors (SPI NOR of an ESP32)',
      '2 KiB pages (STM32G4)',
      '256-byte pages (internal flash of small parts)',
      '1 KiB pages (STM32U5, WBA)',
      '512-byte pages (EFM32 of the first kind)',
    ]);
    expect(new Set(cases.map(({ geometry }) => geometry[0]?.unit))).toEqual(new Set([1, 4, 8]));
  });

  test.each(['an update under MCUboot', 'an update under MCUboot that fails'])('%s', async (scenario) => {
    const [one] = cases.filter((each) => each.scenario === scenario && each.name.includes('2 KiB pages'));
    if (!one) throw new Error('it is not in the sweep');
    const { operations, cuts } = await sweep(await open(one), { places: 2, liveEvery: 200 });
    expect(cuts.before).toBe(operations);
  });
});
