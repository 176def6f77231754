import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { budgets } from '../bench/budgets.ts';
import { instructionCounts } from '../bench/instructions.ts';
import { boardFigures } from '../bench/qemu/figures.ts';
import { builtProgram, leanProgram } from '../sim/emulator.ts';
import { CORTEX_M4_MCUBOOT, MACHINES, type Machine, RV32IMC } from '../sim/machines.ts';
import { optional } from './optional.ts';

const counts = instructionCounts();
const board = boardFigures();
const rows = [...(await budgets()), ...counts.rows, ...board.rows];

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
    'module-patching-bytes',
    'crypto-module-bytes',
    'linear-memory',
    'wire-idle-check',
    'flash-full-install',
    'erase-calls-full-install',
    'erased-full-install',
    'hashed-full-install',
    'journal-full-install',
    'resume-after-power-cut',
    ...counts.rows.filter(({ must }) => must !== undefined).map(({ id }) => id),
    ...MACHINES.flatMap((machine) => [
      ...(board.counted.has(machine.name) ? ['ram', 'c-stack', 'flash'] : []).map(
        (id) => `${id}-${machine.name}`,
      ),
      ...(board.counted.has(machine.name) && hasLean(machine) ? ['ram-aot', 'flash-aot'] : []).map(
        (id) => `${id}-${machine.name}`,
      ),
      ...(board.counted.has(machine.name) ? ['idle-check', 'update'] : []).map(
        (id) => `${id}-${machine.name}`,
      ),
      ...(hasLean(machine) ? ['c-stack-aot'] : []).map((id) => `${id}-${machine.name}`),
    ]),
    ...(existsSync(builtProgram('figures', CORTEX_M4_MCUBOOT)) ? ['ram', 'flash'] : []).map(
      (id) => `${id}-${CORTEX_M4_MCUBOOT.name}`,
    ),
    ...(hasLean(CORTEX_M4_MCUBOOT) ? ['ram-aot', 'flash-aot'] : []).map(
      (id) => `${id}-${CORTEX_M4_MCUBOOT.name}`,
    ),
  ]);
});

function hasLean(machine: Machine): boolean {
  return existsSync(builtProgram(leanProgram('figures', machine), machine));
}

const withFigures = optional(board.missing.length === 0, board.missing.join('; '));
const figure = (id: string) => board.rows.find((row) => row.id === id)?.value ?? Number.NaN;

for (const machine of MACHINES) {
  const { name } = machine;
  optional(hasLean(machine), 'node scripts/qemu.mjs (and wabt)')(
    `compiled ahead of time an update, whole or by a patch, leaves half of the C stack to the link: ${name}`,
    () => {
      expect(figure(`c-stack-aot-${name}-core`)).toBeGreaterThan(256);
      expect(figure(`c-stack-aot-${name}-core`)).toBeLessThan(figure(`c-stack-aot-${name}`) / 2);
      expect(figure(`update-delta-aot-${name}`)).toBeGreaterThan(figure(`idle-check-aot-${name}`));
    },
  );

  withFigures(
    `the RAM that the emulated board gives the core is enough for a life of it, and hardly more: ${name}`,
    () => {
      expect(figure(`ram-${name}-spare`)).toBeGreaterThanOrEqual(0);
      expect(figure(`ram-${name}-spare`)).toBeLessThan(4096);
      // What was measured has a full trust store in it: beside the two erased at first, banks were erased to move.
      expect(board.counted.get(name)?.get('moves')).toBeGreaterThan(2);
    },
  );

  withFigures(
    `the C stack of the emulated board has room for what the core takes, its link beside it: ${name}`,
    () => {
      expect(figure(`c-stack-${name}`) - figure(`c-stack-${name}-core`)).toBeGreaterThan(768);
    },
  );
}

withFigures(
  // The others are counted by timers, which may be read a tick later.
  'the figures of an emulated board that counts its instructions are the same each time',
  () => {
    const { rows, counted } = boardFigures([RV32IMC]);
    expect(board.rows).toEqual(expect.arrayContaining([...rows]));
    expect(counted.get(RV32IMC.name)).toEqual(board.counted.get(RV32IMC.name));
  },
  480_000,
);

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
