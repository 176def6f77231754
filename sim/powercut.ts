// Cuts the power at every operation of a scenario, in every way, one cut at a time.
//
// What a cut leaves behind depends on the flash and the counter alone, so a run is not repeated from its start for
// each cut: the operations of one clean run are noted and done again up to the cut, which the simulated power supply
// then makes. Some cuts are made in a whole run as well; both ways must leave the same bytes.
import { isDeepStrictEqual } from 'node:util';
import type { DeviceContents, SimDevice } from './device.ts';
import { type Cut, type CutKind, cutsOf, type Operation, PowerCut } from './power.ts';

export interface Scenario {
  /** The device as it is before. */
  readonly device: SimDevice;
  /** Runs to the end, from wherever a cut has left the device. Must catch no power cut but those of `update`. */
  readonly run: (device: SimDevice) => Promise<void>;
  /** Throws unless the device, off since the cut, is still sound. May power it on. */
  readonly afterCut: (device: SimDevice, cut: Cut) => void;
  /** Throws unless the scenario has reached its end. Gets all operations that it took, before and after the cut. */
  readonly atEnd: (device: SimDevice, operations: readonly Operation[]) => void;
  /** Places in one long write at which it is torn, 2 or more. */
  readonly places: number;
  /** Every so many cuts one is made in a whole run too. */
  readonly liveEvery: number;
}

export interface SweepResult {
  readonly operations: number;
  readonly cuts: Readonly<Record<CutKind, number>>;
  /** Cuts made in a whole run as well. */
  readonly live: number;
}

/** Throws at the first cut that the device does not survive, naming it, and when a planned cut did not fire. */
export async function sweep(scenario: Scenario): Promise<SweepResult> {
  const { device } = scenario;
  const start = device.snapshot();
  const operations = await cleanRun(scenario, start);
  const cuts = { before: 0, torn: 0, bits: 0, front: 0, back: 0, scrambled: 0, after: 0 };
  let count = 0;
  let live = 0;
  device.restore(start);
  for (const [index, operation] of operations.entries()) {
    const before = device.snapshot();
    for (const cut of cutsOf(operation, index, scenario.places)) {
      const left = cutIn(device, before, operation, cut);
      await named(cut, operation, () => recover(scenario, left, cut, operations.slice(0, index + 1)));
      if (count++ % scenario.liveEvery === 0) {
        await named(cut, operation, () => cutLive(scenario, start, left, cut));
        live++;
      }
      cuts[cut.kind]++;
    }
    device.restore(before);
    device.repeat(operation);
  }
  return { operations: operations.length, cuts, live };
}

export function countCuts({ cuts }: SweepResult): number {
  return Object.values(cuts).reduce((sum, count) => sum + count, 0);
}

/** The operations of the scenario without a cut; two runs must agree. */
async function cleanRun(
  { device, run, atEnd }: Scenario,
  start: DeviceContents,
): Promise<readonly Operation[]> {
  const runs: (readonly Operation[])[] = [];
  for (let count = 0; count < 2; count++) {
    device.restore(start);
    const operations = await logged(device, run);
    atEnd(device, operations);
    runs.push(operations);
  }
  if (!isDeepStrictEqual(runs[0], runs[1]))
    throw new Error('two clean runs differ: cuts could not be repeated');
  return runs[0] ?? [];
}

/** Does one operation up to the cut; what the device then holds. */
function cutIn(device: SimDevice, before: DeviceContents, operation: Operation, cut: Cut): DeviceContents {
  device.restore(before);
  const { power } = device;
  power.operations = cut.operation;
  power.plan(cut);
  try {
    device.repeat(operation);
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
    power.on();
    return device.snapshot();
  }
  throw new Error(`the cut at operation ${cut.operation}, ${cut.kind}, did not fire`);
}

async function recover(
  { device, run, afterCut, atEnd }: Scenario,
  left: DeviceContents,
  cut: Cut,
  done: readonly Operation[],
): Promise<void> {
  afterCut(device, cut);
  device.restore(left);
  atEnd(device, [...done, ...(await logged(device, run))]);
}

/** The same cut in a whole run: it must leave the same, and the run must end the same. */
async function cutLive(
  { device, run, atEnd }: Scenario,
  start: DeviceContents,
  left: DeviceContents,
  cut: Cut,
) {
  const { power } = device;
  const fired = power.cuts;
  let found: DeviceContents | undefined;
  device.restore(start);
  power.operations = 0;
  power.plan(cut);
  power.whenCut = () => {
    found = device.snapshot();
  };
  const operations = await logged(device, run);
  power.whenCut = undefined;
  if (power.cuts !== fired + 1) throw new Error('it did not fire in a whole run');
  if (!isDeepStrictEqual(found, left)) throw new Error('it leaves something else in a whole run');
  atEnd(device, operations);
}

async function logged(device: SimDevice, run: Scenario['run']): Promise<readonly Operation[]> {
  const operations: Operation[] = [];
  device.power.log = operations;
  await run(device);
  device.power.log = undefined;
  return operations;
}

async function named(cut: Cut, operation: Operation, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (cause) {
    const where = operation.type === 'counter' ? '' : ` in area ${operation.area} at ${operation.offset}`;
    const place = `${operation.type}${where}, ${cut.kind}${cut.units ? ` after ${cut.units} units` : ''}`;
    throw new Error(`power cut at operation ${cut.operation} (${place}): ${String(cause)}`, { cause });
  }
}
