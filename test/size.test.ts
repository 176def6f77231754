import { expect, test } from 'vitest';
import { budgets } from '../bench/budgets.ts';

const rows = await budgets();

test.each(rows.filter(({ must }) => must !== undefined))(
  '$id: $value $unit is at most $must',
  ({ value, must }) => {
    expect(value).toBeLessThanOrEqual(must ?? Number.NaN);
  },
);

test('the table of budgets is whole', () => {
  expect(rows.filter(({ must }) => must !== undefined).map(({ id }) => id)).toEqual([
    'module-bytes',
    'linear-memory',
    'wire-idle-check',
    'flash-full-install',
  ]);
});
