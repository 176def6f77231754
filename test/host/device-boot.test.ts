// The boot record of ports in C (host/device/boot.c) against the one of Node: the same calls, faults and power cuts
// leave the same bytes and the same decisions. Node's side is played first and written down, call by call;
// test/c/boot_test.c plays the same and compares.
import { crc32 } from 'node:zlib';
import { expect } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import { HostError } from '../../host/node/errors.ts';
import { BOOT_AREA, type Geometry } from '../../host/node/flash.ts';
import { SimFlash } from '../../sim/flash.ts';
import { type Cut, cutsOf, type Operation, Power, PowerCut } from '../../sim/power.ts';
import { Random } from '../../sim/random.ts';
import { describeScripts, faultsOf, type Scripts } from './boot-script.ts';

const ON_TRIAL = 0x100;

type Call = 'start' | 'confirm' | 'revert' | `select ${number}`;

interface Chip {
  readonly unit: number;
  readonly erased: number;
  readonly blocks: readonly number[];
}

/** Plays Node's boot record and writes down what came of each call. */
class Play {
  readonly lines: string[];
  readonly power = new Power();
  readonly flash: SimFlash;
  #boot: RecordedBoot | undefined;
  #cut: Cut | undefined;

  constructor({ unit, erased, blocks }: Chip, seed = 1) {
    const none = { blocks: [], unit, erased };
    const geometry: Geometry = [none, none, none, none, none, { blocks, unit, erased }];
    this.flash = new SimFlash(geometry, this.power, seed);
    this.lines = [`flash ${unit} ${erased} ${blocks.join(' ')}`];
  }

  get state(): number {
    return this.#boot ? this.#boot.slots + (this.#boot.onTrial ? ON_TRIAL : 0) : 0;
  }

  /** Cuts the power at an operation, counted from now; the next calls run into it. */
  cut(cut: Cut): void {
    this.#cut = { ...cut, operation: this.power.operations + cut.operation };
    this.power.plan(this.#cut);
  }

  get runs(): boolean {
    return this.#boot !== undefined;
  }

  /** A call on a device that runs; a `start` is a boot. False: the power was lost in it. */
  call(call: Call): boolean {
    const before = this.power.operations;
    const cuts = this.power.cuts;
    const result = this.#result(call);
    if (this.power.cuts > cuts) {
      this.lines.push(`cut ${(this.#cut?.operation ?? 0) - before} ${this.#bytes().toString('hex')}`, call);
      this.power.on();
      this.flash.faults = {};
      return false;
    }
    this.lines.push(`${call} ${result} ${this.state} ${crc32(this.#bytes())}`);
    this.flash.faults = {};
    return true;
  }

  /** The next write, or the next erase, fails or programs something else. */
  fail(kind: 'fail' | 'lie'): void {
    const { erased } = this.flash.geometry[BOOT_AREA] ?? { erased: 0 };
    this.flash.faults = faultsOf(kind, erased);
    this.lines.push(kind);
  }

  /** A boot and a call while nothing can be read. */
  deafBoot(): void {
    this.flash.faults = { read: () => false };
    this.lines.push('deaf 1');
    this.call('start');
    this.lines.push('deaf 0');
  }

  handOver(): void {
    this.lines.push('continue');
  }

  #result(call: Call): number {
    try {
      return call === 'start' ? this.#start() : this.#decide(call) ? Status.OK : Status.BOOT;
    } catch (error) {
      this.#boot = undefined;
      if (error instanceof PowerCut) return 0;
      if (!(error instanceof HostError)) throw error;
      return error.code === 'flash-unreadable' ? Status.FLASH_READ : Status.LAYOUT_INVALID;
    }
  }

  #decide(call: Call): boolean | undefined {
    if (call === 'confirm') return this.#boot?.confirm();
    if (call === 'revert') return this.#boot?.revert();
    return this.#boot?.select(Number(call.slice('select '.length)));
  }

  #start(): number {
    this.#boot = new RecordedBoot(this.flash);
    return this.state;
  }

  #bytes(): Buffer {
    const bytes = Buffer.alloc(this.flash.size(BOOT_AREA));
    const { faults } = this.flash;
    this.flash.faults = {};
    this.flash.read(BOOT_AREA, 0, bytes);
    this.flash.faults = faults;
    return bytes;
  }
}

const CHIPS: readonly Chip[] = [1, 4, 8, 16, 32].flatMap((unit) => [
  { unit, erased: 0xff, blocks: [128, 128] },
  { unit, erased: 0x00, blocks: [64, 96, 160] },
]);

/** Updates back and forth, enough to fill and erase every block. False: the power was lost. */
function updates(play: Play): boolean {
  for (let update = 0; update < 9; update++) {
    if (!play.call('start') || !play.call(play.state & 1 ? 'select 0' : 'select 1')) return false;
    if (!play.call('start') || !play.call(update % 3 === 0 ? 'revert' : 'confirm')) return false;
  }
  return true;
}

function everyCut(chip: Chip): string[] {
  const whole = new Play(chip);
  const operations: Operation[] = [];
  whole.power.log = operations;
  updates(whole);
  expect(operations.some(({ type }) => type === 'erase')).toBe(true);
  const cuts = operations.flatMap((operation, index) => cutsOf(operation, index, 4));
  const plays = cuts.map((cut) => {
    const play = new Play(chip, cut.operation);
    play.cut(cut);
    expect(updates(play)).toBe(false);
    for (const call of ['start', 'select 0', 'start', 'start', 'select 1', 'start', 'confirm'] as const)
      play.call(call);
    return play;
  });
  return [whole, ...plays].flatMap(({ lines }) => lines);
}

/** Any calls in any order, with a flash that fails, lies and goes deaf, and power cuts. */
function anything(chip: Chip, seed: number): string[] {
  const random = new Random(seed);
  const play = new Play(chip, seed);
  const calls = ['start', 'select 0', 'select 1', 'select 5', 'select 131', 'confirm', 'revert'] as const;
  play.call('start');
  for (let step = 0; step < 60; step++) {
    const what = random.below(20);
    if (what < 2) play.fail(what === 0 ? 'fail' : 'lie');
    else if (what < 4) play.cut(anyCut(random));
    else if (what === 4) play.deafBoot();
    else if (what < 8 && play.runs) play.handOver();
    play.call(play.runs ? (calls[random.below(calls.length)] ?? 'start') : 'start');
  }
  return play.lines;
}

function anyCut(random: Random): Cut {
  const kinds = ['before', 'bits', 'after', 'scrambled'] as const;
  return { operation: 0, kind: kinds[random.below(kinds.length)] ?? 'before', units: 0 };
}

const SCRIPTS: Scripts = [
  ['with a power cut in every write and erase', () => CHIPS.flatMap(everyCut)],
  [
    'with calls in any order, failing and lying flash, power cuts and images that continue',
    () =>
      CHIPS.flatMap((chip, index) =>
        Array.from({ length: 40 }, (_, run) => anything(chip, 100 * index + run)).flat(),
      ),
  ],
  [
    'when the area has too few blocks',
    () => {
      const play = new Play({ unit: 4, erased: 0xff, blocks: [256] });
      play.call('start');
      expect(play.lines.at(-1)).toMatch(/^start -12 /);
      return play.lines;
    },
  ],
];

describeScripts(
  'the boot record in C leaves the same bytes and decides the same as the one of Node',
  SCRIPTS,
);
