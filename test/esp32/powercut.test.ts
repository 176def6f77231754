// The power fails in every operation of an ESP32: before it, in it (torn writes, half-erased sectors), behind it. Then it
// boots a whole image, and what it was at comes to its end.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { Random } from '../../sim/random.ts';
import { IDF5, IDF6, withEsp32 } from '../fixtures/esp32.ts';
import { type ChipEnd, ChipWorld, release } from './world.ts';

const TIMEOUT = 600_000;
/** Steps of an operation that are all cut; of a longer one the first, one in the middle and the last. */
const FEW = 4;

/** An operation as the chip traces it. */
interface Traced {
  readonly type: string;
  readonly address: number;
  /** Its first step, and the first one behind it. */
  readonly from: number;
  readonly to: number;
}

interface Scenario {
  readonly program: string;
  /** What is installed before the power fails for the first time. */
  readonly before?: number;
  readonly next: number;
  readonly options?: readonly string[];
  readonly expected: { readonly status: number; readonly installed: number; readonly slot: string };
}

const FIRST_UPDATE = {
  next: 2,
  expected: { status: Status.UP_TO_DATE, installed: 2, slot: 'ota_1' },
};
const SECOND_UPDATE = {
  before: 2,
  next: 3,
  expected: { status: Status.UP_TO_DATE, installed: 3, slot: 'ota_0' },
};
const FAILED_TRIAL = {
  before: 2,
  next: 3,
  options: ['--fails', '1.3.0'],
  expected: { status: Status.RELEASE_FAILED_BEFORE, installed: 2, slot: 'ota_1' },
};

/** A device before what is cut, as often as it is needed. */
class Sweep {
  readonly #scenario: Scenario;
  readonly #world: ChipWorld;
  readonly #before: Buffer;
  readonly operations: readonly Traced[];

  private constructor(scenario: Scenario, world: ChipWorld, before: Buffer, operations: readonly Traced[]) {
    this.#scenario = scenario;
    this.#world = world;
    this.#before = before;
    this.operations = operations;
  }

  static async of(scenario: Scenario): Promise<Sweep> {
    const world = new ChipWorld({ program: scenario.program });
    if (scenario.before !== undefined) {
      world.repository.publish(release(scenario.before));
      await world.run();
    }
    world.repository.publish(release(scenario.next));
    const before = readFileSync(world.flashPath);
    const trace = `${world.flashPath}.trace`;
    const whole = await world.run('--trace', trace, ...(scenario.options ?? []));
    expect(whole.status).toBe(scenario.expected.status);
    return new Sweep(scenario, world, before, readTrace(readFileSync(trace, 'utf8')));
  }

  /** Whether an operation is in one of these partitions. */
  isIn({ address }: Traced, ...labels: readonly string[]): boolean {
    return labels.some((label) => {
      const { offset, size } = this.#world.partition(label);
      return address >= offset && address < offset + size;
    });
  }

  /** Cuts the power after so many steps, again after so many behind that, and looks at what becomes of the device. */
  async cut(...steps: readonly number[]): Promise<void> {
    const { expected, options = [] } = this.#scenario;
    writeFileSync(this.#world.flashPath, this.#before);
    const end = await this.#world.run('--cut', steps.join(), ...options);
    const { installed } = this.#world.counters();
    // an update ends in the one slot or, where its trial was lost and it is tried again, still in that
    expect({ steps, ...summary(end), installed }).toEqual({
      steps,
      exit: 0,
      cut: true,
      status: expected.status,
      slot: expected.slot,
      installed: expected.installed,
    });
  }
}

function summary({ exit, cut, status, boots }: ChipEnd) {
  return { exit, cut, status, slot: boots.at(-1) };
}

function readTrace(text: string): Traced[] {
  const rows = text
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  return rows.map(([type = '', address, length, from], index) => ({
    type,
    address: Number(address),
    from: Number(from),
    to: Number(rows[index + 1]?.[3] ?? Number(from) + Number(length) / 4),
  }));
}

function someSteps({ from, to }: Traced): number[] {
  if (to - from <= FEW) return allSteps({ from, to });
  return [from, (from + to) >> 1, to - 1];
}

function allSteps({ from, to }: Pick<Traced, 'from' | 'to'>): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

describe('[CERT-C-5] the power fails', () => {
  for (const [what, scenario] of [
    ['from the first start to the end of the first update', FIRST_UPDATE],
    ['in an update of a device that had one', SECOND_UPDATE],
    ['in a trial that fails', FAILED_TRIAL],
  ] as const)
    withEsp32(
      `in every operation ${what} (ESP-IDF 6)`,
      async () => {
        const sweep = await Sweep.of({ program: IDF6, ...scenario });
        expect(sweep.operations.some(({ type }) => type === 'fuse')).toBe(scenario !== FAILED_TRIAL);
        for (const operation of sweep.operations) {
          const steps = sweep.isIn(operation, 'otadata') ? allSteps(operation) : someSteps(operation);
          for (const step of steps) await sweep.cut(step);
        }
      },
      TIMEOUT,
    );

  for (const [what, scenario] of [
    ['an update', FIRST_UPDATE],
    ['a trial that fails', FAILED_TRIAL],
  ] as const)
    withEsp32(
      `in every step of otadata and NVS in ${what} (ESP-IDF 5)`,
      async () => {
        const sweep = await Sweep.of({ program: IDF5, ...scenario });
        const decisions = sweep.operations.filter((operation) => sweep.isIn(operation, 'otadata', 'nvs'));
        expect(decisions.length).toBeGreaterThan(4);
        for (const operation of decisions) for (const step of allSteps(operation)) await sweep.cut(step);
      },
      TIMEOUT,
    );

  withEsp32(
    'twice and three times',
    async () => {
      const random = new Random(22);
      const sweep = await Sweep.of({ program: IDF6, ...SECOND_UPDATE });
      const steps = sweep.operations.at(-1)?.to ?? 0;
      for (let run = 0; run < 60; run++)
        await sweep.cut(
          random.below(steps),
          ...Array.from({ length: 1 + (run % 2) }, () => random.below(200)),
        );
    },
    TIMEOUT,
  );
});
