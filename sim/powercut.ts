// Cuts the power at every operation of a scenario, in every way; then once more in each recovery from that, and at
// random several times in a row.
//
// What a cut leaves behind depends on the flash and the counter alone, so a run is not repeated from its start for
// each cut: the operations of one clean run are noted and done again up to the cut, which the simulated power supply
// then makes. What the device makes of it depends on the bytes that it reads, so it is not run again where these are
// as in a recovery before (sim/recoveries.ts). Some cuts are made in a whole run as well: it must leave the same bytes
// and come to its end.
import { isDeepStrictEqual } from 'node:util';
import { Area } from '../host/node/abi.ts';
import type { DeviceContents, SimDevice } from './device.ts';
import { CUT_KINDS, type Cut, type CutKind, cutsOf, type Operation, PowerCut, placeOf } from './power.ts';
import { Random } from './random.ts';
import { type Extent, type Reader, Recoveries, Trace } from './recoveries.ts';

export interface Scenario {
  /** The device as it is before. */
  readonly device: SimDevice;
  /** Runs to the end, from wherever a cut has left the device. Must catch no power cut but those of `update`. */
  readonly run: (device: SimDevice) => Promise<void>;
  /** Throws unless the device, off since the cut, is still sound. May power it on. */
  readonly afterCut: (device: SimDevice) => void;
  /** Throws unless the scenario has reached its end. */
  readonly atEnd: (device: SimDevice) => void;
  /** The most bytes that it may write to the slots, with so many cuts. */
  readonly mostToSlots?: (cuts: number) => number;
}

/** How thorough: what is tried, besides all single cuts. */
export interface Effort {
  /** Places in one long write at which it is torn, 2 or more. */
  readonly places: number;
  /** Every so many cuts one is made in a whole run too. */
  readonly liveEvery: number;
  /** Places for the second of two cuts; absent: none is made. */
  readonly pairPlaces?: number;
  /** Only cuts between two operations, which is all that other harnesses have. */
  readonly between?: boolean;
  /** Sequences of 3 to 8 cuts at random, by these seeds. */
  readonly seeds?: readonly number[];
}

export interface SweepResult {
  readonly operations: number;
  readonly cuts: Readonly<Record<CutKind, number>>;
  /** Cuts made in a whole run as well. */
  readonly live: number;
  /** Second cuts, each in the recovery from a first. */
  readonly pairs: number;
  /** Sequences at random, and the cuts in them. */
  readonly sequences: number;
  readonly sequenceCuts: number;
  /** Recoveries that differ in some byte that was read. */
  readonly distinct: number;
}

/** A sequence of cuts that a device does not survive. Operations are counted from the start of the scenario. */
export class SweepFailure extends Error {
  override readonly name = 'SweepFailure';
  readonly cuts: readonly Cut[];

  constructor(cuts: readonly Cut[], operation: Operation | undefined, cause: unknown) {
    const last = cuts.at(-1);
    const where = operation && last ? ` (${placeOf(operation, last)})` : '';
    const before = cuts.length > 1 ? `, after ${cuts.slice(0, -1).map(cutText).join(', ')}` : '';
    super(`power cut at operation ${last?.operation}${where}${before}: ${String(cause)}`, { cause });
    this.cuts = cuts;
  }
}

/** `operation:kind`, or `operation:kind:units`. */
export function cutText({ operation, kind, units }: Cut): string {
  return `${operation}:${kind}${units > 0 ? `:${units}` : ''}`;
}

/** Reads what `cutText` writes; undefined: it is none. */
export function parseCut(text: string): Cut | undefined {
  const [, operation, kind, units = 0] = /^(\d+):([a-z]+)(?::(\d+))?$/.exec(text) ?? [];
  const known = CUT_KINDS.find((each) => each === kind);
  return known && { operation: Number(operation), kind: known, units: Number(units) };
}

/** Throws at the first cut that the device does not survive, naming it, and when a planned cut did not fire. */
export async function sweep(scenario: Scenario, effort: Effort): Promise<SweepResult> {
  return new Sweep(scenario, effort).all();
}

export function countCuts({ cuts }: SweepResult): number {
  return Object.values(cuts).reduce((sum, count) => sum + count, 0);
}

/** Makes these cuts in one whole run, in which they must all fire; then the scenario must come to its end. */
export async function replay(scenario: Scenario, cuts: readonly Cut[]): Promise<void> {
  await new Sweep(scenario, { places: 2, liveEvery: 1 }).inOneRun(cuts);
}

interface Outcome {
  /** Bytes that it wrote to the slots. */
  readonly toSlots: number;
  /** What it read. */
  readonly extents: readonly Extent[];
}

const SLOTS: readonly number[] = [Area.SLOT_A, Area.SLOT_B];

/** A recovery that was run, for a second cut in it. */
interface Recovered {
  readonly cuts: readonly Cut[];
  readonly left: DeviceContents;
  readonly operations: readonly Operation[];
  /** Bytes that were written to the slots up to the cut. */
  readonly toSlots: number;
}

class Sweep {
  readonly #scenario: Scenario;
  readonly #effort: Effort;
  readonly #device: SimDevice;
  readonly #start: DeviceContents;
  /** By the value of the hardware counter, which every boot reads. */
  readonly #recoveries = new Map<number, Recoveries<Outcome>>();
  readonly #recovered: Recovered[] = [];
  #tried = 0;
  #live = 0;
  #distinct = 0;

  constructor(scenario: Scenario, effort: Effort) {
    this.#scenario = scenario;
    this.#effort = effort;
    this.#device = scenario.device;
    this.#start = scenario.device.snapshot();
  }

  async all(): Promise<SweepResult> {
    const operations = await this.#cleanRun();
    const start = { cuts: [], left: this.#start, operations, toSlots: 0 };
    const cuts = await this.#cutEach(start, this.#effort.places);
    const pairs = await this.#pairs();
    const sequenceCuts = await this.#sequences(operations.length);
    const sequences = this.#effort.seeds?.length ?? 0;
    const { length } = operations;
    return {
      operations: length,
      cuts,
      live: this.#live,
      pairs,
      sequences,
      sequenceCuts,
      distinct: this.#distinct,
    };
  }

  /** The operations of the scenario without a cut; two runs must agree. */
  async #cleanRun(): Promise<readonly Operation[]> {
    const runs: (readonly Operation[])[] = [];
    for (let count = 0; count < 2; count++) {
      this.#device.restore(this.#start);
      runs.push(await this.#logged());
      this.#scenario.atEnd(this.#device);
    }
    if (!isDeepStrictEqual(runs[0], runs[1]))
      throw new Error('two clean runs differ: cuts could not be repeated');
    return runs[0] ?? [];
  }

  /** Cuts every operation of a run, in every way. */
  async #cutEach(run: Recovered, places: number): Promise<Record<CutKind, number>> {
    const cuts = { before: 0, torn: 0, bits: 0, front: 0, back: 0, scrambled: 0, after: 0 };
    let { left: before, toSlots } = run;
    for (const [index, operation] of run.operations.entries()) {
      toSlots += bytesToSlots(operation);
      for (const cut of await this.#cutOperation(run, before, index, toSlots, places)) cuts[cut.kind]++;
      this.#device.restore(before);
      this.#device.repeat(operation);
      before = this.#device.snapshot();
    }
    return cuts;
  }

  async #cutOperation(
    run: Recovered,
    before: DeviceContents,
    index: number,
    toSlots: number,
    places: number,
  ): Promise<Cut[]> {
    const operation = run.operations[index] as Operation;
    const all = cutsOf(operation, firstOf(run.cuts) + index, places);
    const cuts = this.#effort.between ? all.filter(({ kind }) => kind === 'before' || kind === 'after') : all;
    // Where nobody reads what it changes, whatever is left of it recovers as if it had not begun.
    let unread: Outcome | undefined;
    for (const cut of cuts) {
      const sequence = [...run.cuts, cut];
      const left = this.#cutIn(before, operation, cut);
      await named(sequence, operation, async () => {
        const { outcome, isKnown } = unread
          ? { outcome: unread, isKnown: true }
          : await this.#recover({ cuts: sequence, left, toSlots });
        if (cut.kind === 'before' && !isRead(operation, outcome.extents)) unread = outcome;
        this.#checkSlots(toSlots + outcome.toSlots, sequence.length);
        if (this.#tried++ % this.#effort.liveEvery === 0) await this.#cutLive(sequence, left, isKnown);
      });
    }
    return cuts;
  }

  /** Does one operation up to the cut; what the device then holds. */
  #cutIn(before: DeviceContents, operation: Operation, cut: Cut): DeviceContents {
    const device = this.#device;
    const { power } = device;
    device.restore(before);
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

  /** What comes of a cut: known already, or found out. */
  async #recover(cut: Omit<Recovered, 'operations'>): Promise<{ outcome: Outcome; isKnown: boolean }> {
    const device = this.#device;
    device.restore(cut.left);
    const known = this.#known(cut.left).find(this.#read);
    if (known) return { outcome: known, isKnown: true };
    const trace = new Trace(device.flash.geometry);
    device.flash.trace = trace;
    this.#scenario.afterCut(device);
    trace.again();
    device.restore(cut.left);
    const operations = await this.#logged();
    this.#scenario.atEnd(device);
    device.flash.trace = undefined;
    device.restore(cut.left);
    const outcome = { toSlots: sum(operations.map(bytesToSlots)), extents: trace.extents };
    this.#known(cut.left).note(trace.extents, this.#read, outcome);
    this.#distinct++;
    if (this.#effort.pairPlaces !== undefined && cut.cuts.length === 1)
      this.#recovered.push({ ...cut, operations });
    return { outcome, isKnown: false };
  }

  #known({ counter }: DeviceContents): Recoveries<Outcome> {
    const known = this.#recoveries.get(counter) ?? new Recoveries();
    this.#recoveries.set(counter, known);
    return known;
  }

  readonly #read: Reader = ({ area, offset, length }) => {
    const bytes = new Uint8Array(length);
    this.#device.flash.read(area, offset, bytes);
    return bytes;
  };

  #checkSlots(written: number, cuts: number): void {
    const most = this.#scenario.mostToSlots?.(cuts) ?? Number.POSITIVE_INFINITY;
    if (written > most)
      throw new Error(`${written} bytes written to the slots, ${most} are the most for ${cuts} cuts`);
  }

  /** The same cuts in a whole run: it must leave the same, and the run must end the same. */
  async #cutLive(cuts: readonly Cut[], left: DeviceContents, isKnown: boolean): Promise<void> {
    const found = await this.inOneRun(cuts);
    if (!isDeepStrictEqual(found, left)) throw new Error('it leaves something else in a whole run');
    if (isKnown) {
      this.#device.restore(left);
      this.#scenario.afterCut(this.#device);
    }
    this.#live++;
  }

  /** What the device holds after the last of the cuts. */
  async inOneRun(cuts: readonly Cut[]): Promise<DeviceContents | undefined> {
    const device = this.#device;
    const { power } = device;
    const fired = power.cuts;
    const planned = cuts.values();
    let found: DeviceContents | undefined;
    device.restore(this.#start);
    power.operations = 0;
    power.plan(planned.next().value);
    power.whenCut = () => {
      found = device.snapshot();
      power.plan(planned.next().value);
    };
    await this.#scenario.run(device);
    power.whenCut = undefined;
    if (power.cuts !== fired + cuts.length) throw new Error('it did not fire in a whole run');
    this.#scenario.atEnd(device);
    if (found) {
      device.restore(found);
      this.#scenario.afterCut(device);
    }
    return found;
  }

  /** A second cut in each operation of each recovery. */
  async #pairs(): Promise<number> {
    const { pairPlaces } = this.#effort;
    if (pairPlaces === undefined) return 0;
    let count = 0;
    for (const run of this.#recovered.splice(0))
      count += sum(Object.values(await this.#cutEach(run, pairPlaces)));
    return count;
  }

  async #sequences(operations: number): Promise<number> {
    let count = 0;
    for (const seed of this.#effort.seeds ?? []) count += await this.#sequence(new Random(seed), operations);
    return count;
  }

  /** Cuts at random, in a whole run; how many. After each the device must be sound. */
  async #sequence(random: Random, operations: number): Promise<number> {
    const device = this.#device;
    const { power } = device;
    const cuts: Cut[] = [];
    const left: DeviceContents[] = [];
    const most = 3 + random.below(6);
    device.restore(this.#start);
    power.operations = 0;
    power.plan(undefined);
    let next = random.below(operations);
    power.watch = (operation, index) => {
      if (index < next || cuts.length === most) return undefined;
      const ways = cutsOf(operation, index, Number.POSITIVE_INFINITY);
      const cut = ways[random.below(ways.length)] as Cut;
      cuts.push(cut);
      next = index + 1 + random.below(operations >> 1);
      return cut;
    };
    power.whenCut = () => void left.push(device.snapshot());
    await named(cuts, undefined, async () => {
      await this.#scenario.run(device);
      power.watch = power.whenCut = undefined;
      this.#scenario.atEnd(device);
      for (const contents of left) {
        device.restore(contents);
        this.#scenario.afterCut(device);
      }
    });
    return cuts.length;
  }

  async #logged(): Promise<readonly Operation[]> {
    const operations: Operation[] = [];
    this.#device.power.log = operations;
    await this.#scenario.run(this.#device);
    this.#device.power.log = undefined;
    return operations;
  }
}

/** Of a run after these cuts, the number of its first operation in a whole run. */
function firstOf(cuts: readonly Cut[]): number {
  return (cuts.at(-1)?.operation ?? -1) + 1;
}

function isRead(operation: Operation, extents: readonly Extent[]): boolean {
  if (operation.type === 'counter') return true;
  const { area, offset } = operation;
  const end = offset + lengthOf(operation);
  return extents.some(
    (read) => read.area === area && read.offset < end && read.offset + read.length > offset,
  );
}

function lengthOf(operation: Exclude<Operation, { type: 'counter' }>): number {
  return operation.type === 'write' ? operation.data.length : operation.length;
}

function bytesToSlots(operation: Operation): number {
  const isToSlot = operation.type === 'write' && SLOTS.includes(operation.area);
  return isToSlot ? operation.data.length : 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

async function named(
  cuts: readonly Cut[],
  operation: Operation | undefined,
  check: () => Promise<void>,
): Promise<void> {
  try {
    await check();
  } catch (cause) {
    throw new SweepFailure(cuts, operation, cause);
  }
}
