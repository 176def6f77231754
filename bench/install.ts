// What an install costs the flash and the hash, for 256 KiB on sectors of 4 KiB: counts, the same on every machine.
import { Area } from '../host/node/abi.ts';
import type { Operation } from '../sim/power.ts';
import { compress } from '../test/fixtures/sha256.ts';
import type { Budget } from './budgets.ts';
import { IMAGE, image, laboratory } from './laboratory.ts';

const SECTOR = 4096;

export async function installBudgets(): Promise<Budget[]> {
  const { operations, hashed } = await measured();
  const erases = operations.filter(({ type }) => type === 'erase');
  const journal = operations.filter(
    (operation) => operation.type === 'write' && operation.area === Area.JOURNAL,
  );
  return [
    // With a command for 64 KiB, a chip erases in a third of the time that 4 KiB at a time take.
    { id: 'erase-calls-full-install', value: erases.length, unit: 'calls', must: 8, goal: 5 },
    // While the next bytes were on their way.
    { id: 'erased-ahead-full-install', value: bytes(aheadOf(operations)) / IMAGE, unit: 'B/B' },
    { id: 'erased-full-install', value: bytes(erases) / IMAGE, unit: 'B/B', must: 1.05, goal: 1.02 },
    { id: 'hashed-full-install', value: hashed / IMAGE, unit: 'B/B', must: 2.05, goal: 2 },
    { id: 'journal-full-install', value: bytes(journal) / IMAGE, unit: 'B/B', must: 0.02, goal: 0.01 },
    { id: 'resume-after-power-cut', value: await resumeCost(), unit: 'B', must: SECTOR, goal: SECTOR },
  ];
}

/** One full install, its check apart: the metadata is there already. */
async function measured(): Promise<{ operations: readonly Operation[]; hashed: number }> {
  let hashed = 0;
  const counting: typeof compress = (state, block) => {
    hashed += block.length;
    return compress(state, block);
  };
  const { repository, device, update } = laboratory({ sha256Compress: counting });
  await update();
  repository.publish({ image: image(2), version: '1.0.0', releaseCounter: 1 });
  hashed = 0;
  device.power.log = [];
  await update();
  return { operations: device.power.log, hashed };
}

/** Erases of the slot behind bytes that were not written yet. */
function aheadOf(operations: readonly Operation[]): Operation[] {
  let written = 0;
  return operations.filter((operation) => {
    if (operation.type === 'counter' || operation.area !== Area.SLOT_B) return false;
    if (operation.type === 'write') written = operation.offset + operation.data.length;
    return operation.type === 'erase' && operation.offset > written;
  });
}

/** Bytes of the image that come once more after a power cut right before the end of a sector, where it costs most. */
async function resumeCost(): Promise<number> {
  const { repository, device, network, update } = laboratory();
  await update();
  repository.publish({ image: image(2), version: '1.0.0', releaseCounter: 1 });
  let written = 0;
  device.power.watch = (operation, index) => {
    if (operation.type !== 'write' || operation.area !== Area.SLOT_B) return undefined;
    written += operation.data.length;
    return written === 30 * SECTOR ? { operation: index, kind: 'before', units: 0 } : undefined;
  };
  await update();
  const [, second] = network.requests.filter(({ path }) => path.startsWith('targets/'));
  return 30 * SECTOR - (second?.offset ?? 0);
}

function bytes(operations: readonly Operation[]): number {
  return operations.reduce((sum, operation) => {
    if (operation.type === 'counter') return sum;
    return sum + (operation.type === 'write' ? operation.data.length : operation.length);
  }, 0);
}
