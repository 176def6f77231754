import { expect, test } from 'vitest';
import { budgets } from '../bench/budgets.ts';
import { instructionCounts } from '../bench/instructions.ts';
import { optional } from './optional.ts';

const counts = instructionCounts();
const rows = [...(await budgets()), ...counts.rows];

test.each(rows.filter(({ must }) => must !== undefined))(
  '$id: $value $unit is at most $must',
  ({ value, must }) => {
    expect(value).toBeLessThanOrEqual(must ?? Number.NaN);
  },
);

test('the table of budgets is whole', () => {
  expect(rows.filter(({ must }) => must !== undefined).map(({ id }) => id)).toEqual([
    'module-bytes',
    'module-small-bytes',
    'crypto-module-bytes',
    'linear-memory',
    'wire-idle-check',
    'flash-full-install',
    ...counts.rows.filter(({ must }) => must !== undefined).map(({ id }) => id),
  ]);
});

optional(counts.missing.length === 0, counts.missing.join('; '))(
  'instructions are counted on every machine there is a budget for',
  () => {
    const machines = ['pc', 'cortex-m4', 'rv32imc'];
    const held = counts.rows.filter(({ must }) => must !== undefined).map(({ id }) => id);
    for (const what of ['ed25519-verify', 'p256-verify', 'sha256', 'sha256-fast'])
      for (const machine of machines) expect(held).toContain(`${what}-wasm3-${machine}`);
    for (const machine of machines.slice(1)) expect(held).toContain(`ed25519-sha2-memory-wasm3-${machine}`);
  },
);
