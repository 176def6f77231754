// What does not depend on the machine: bytes and instructions. `npm run budgets -- --json` prints the rows, test/size.test.ts
// holds their `must`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { State } from '../host/node/abi.ts';
import { projectRoot } from '../scripts/abi.ts';
import { installBudgets } from './install.ts';
import { instructionCounts } from './instructions.ts';
import { IMAGE, image, laboratory } from './laboratory.ts';
import { boardFigures } from './qemu/figures.ts';
import { regionRows } from './regions.ts';

export interface Budget {
  readonly id: string;
  readonly value: number;
  readonly unit: string;
  /** The most that is allowed; absent: stated, not held. */
  readonly must?: number;
  /** What is aimed at. */
  readonly goal?: number;
}

async function measured() {
  const { repository, device, update } = laboratory();
  const first = await update();
  const idle = await update();
  repository.publish({ image: image(2), version: '1.0.0', releaseCounter: 1 });
  const full = await update();
  return { first, idle, full, memory: device.powerOn().stateRead(State.MEMORY_USED) };
}

export async function budgets(): Promise<Budget[]> {
  const size = (module: string) => readFileSync(join(projectRoot(), 'build', module)).length;
  const { first, idle, full, memory } = await measured();
  const KIB = 1024;
  return [
    { id: 'module-bytes', value: size('moult.wasm'), unit: 'B', must: 64 * KIB, goal: 48 * KIB },
    { id: 'module-small-bytes', value: size('moult-small.wasm'), unit: 'B', must: 32 * KIB, goal: 24 * KIB },
    { id: 'module-patching-bytes', value: size('moult-patching.wasm'), unit: 'B', must: 37 * KIB },
    { id: 'crypto-module-bytes', value: size('crypto.wasm'), unit: 'B', must: 30 * KIB, goal: 24 * KIB },
    { id: 'linear-memory', value: memory, unit: 'B', must: 24 * KIB, goal: 16 * KIB },
    ...regionRows(memory),
    { id: 'wire-first-check', value: first.wire, unit: 'B' },
    { id: 'wire-idle-check', value: idle.wire, unit: 'B', must: KIB, goal: KIB / 2 },
    { id: 'wire-update-beside-image', value: full.wire - IMAGE, unit: 'B' },
    { id: 'flash-idle-check', value: idle.flash, unit: 'B' },
    { id: 'flash-full-install', value: full.flash / IMAGE, unit: 'B/B', must: 1.05, goal: 1.02 },
    ...(await installBudgets()),
  ];
}

async function main(args: readonly string[]): Promise<number> {
  const counts = instructionCounts();
  const board = boardFigures();
  for (const reason of [...counts.missing, ...board.missing]) process.stderr.write(`left out: ${reason}\n`);
  const rows = [...(await budgets()), ...counts.rows, ...board.rows];
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else for (const row of rows) process.stdout.write(`${line(row)}\n`);
  return rows.every(({ value, must }) => must === undefined || value <= must) ? 0 : 1;
}

function line({ id, value, unit, must, goal }: Budget): string {
  const limits = must === undefined ? '' : `must ${must}, goal ${goal}${value > must ? '  OVER BUDGET' : ''}`;
  const figure = Number.isInteger(value) ? `${value}` : value.toFixed(3);
  return `${id.padEnd(36)}${figure.padStart(10)} ${unit.padEnd(16)}${limits}`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.exitCode = await main(process.argv.slice(2));
