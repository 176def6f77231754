// MCUboot's trailers in C (host/device/mcuboot.c) against those of Node: the same calls, faults and power cuts leave the same
// bytes and the same decisions. Node's side is played first and written down, call by call; test/c/boot_test.c plays the
// same and compares. The bootloader in between is the model of sim/mcuboot.ts, on Node's side alone.
import { crc32 } from 'node:zlib';
import { expect } from 'vitest';
import { Area, Status } from '../../host/node/abi.ts';
import { BOOT_AREA, programArea } from '../../host/node/flash.ts';
import { McubootBoot } from '../../host/node/mcuboot.ts';
import { SimFlash } from '../../sim/flash.ts';
import { mcubootStart, reservedFor } from '../../sim/mcuboot.ts';
import { type Cut, cutsOf, type Operation, Power, PowerCut } from '../../sim/power.ts';
import { Random } from '../../sim/random.ts';
import { plainImage } from '../../sim/scenarios/mcuboot.ts';
import { describeScripts, faultsOf, type Scripts } from './boot-script.ts';

const BLOCK = 128;
const BLOCKS = 6;
const AREAS = [BOOT_AREA, Area.SLOT_A, Area.SLOT_B];
const ON_TRIAL = 0x100;

interface Chip {
  readonly unit: number;
  readonly erased: number;
}

const CHIPS: readonly Chip[] = [
  { unit: 1, erased: 0x00 },
  { unit: 4, erased: 0xff },
  { unit: 8, erased: 0xff },
];

type Call = 'start' | 'confirm' | 'revert' | 'select 0' | 'select 1';
/** `boot`: the bootloader, then `start`. `download`: another image lies in the secondary slot. */
type Step = Call | 'boot' | 'download' | 'fail' | 'lie';

const UPDATES: readonly Step[] = [
  ...(['boot', 'select 1', 'boot', 'confirm', 'boot', 'download', 'select 0', 'boot', 'boot'] as const),
  ...(['select 0', 'boot', 'revert', 'boot', 'select 0', 'revert', 'boot', 'download', 'select 0'] as const),
  ...(['boot', 'confirm', 'confirm', 'boot'] as const),
];

class Play {
  readonly lines: string[];
  readonly power = new Power();
  readonly flash: SimFlash;
  /** Those of the calls, each with the step that it belongs to. */
  readonly operations: { readonly step: number; readonly index: number; readonly operation: Operation }[] =
    [];
  readonly #reserved: number;
  #boot: McubootBoot | undefined;
  #images = 0;
  #steps = 0;

  constructor({ unit, erased }: Chip, seed = 1) {
    const area = (count: number) => ({ blocks: Array.from({ length: count }, () => BLOCK), unit, erased });
    const none = area(0);
    this.flash = new SimFlash([none, none, none, area(BLOCKS), area(BLOCKS), area(3)], this.power, seed);
    this.#reserved = reservedFor(this.flash);
    this.lines = [
      `flash ${unit} ${erased} ${BLOCK} ${BLOCK} ${BLOCK}`,
      `slots ${BLOCKS} ${BLOCK} ${this.#reserved}`,
    ];
    for (const slot of [Area.SLOT_A, Area.SLOT_B]) this.#download(slot);
  }

  /** False: the power was lost in it. */
  step(step: Step, cut?: Cut): boolean {
    this.#steps++;
    if (step === 'download') this.#download(Area.SLOT_B);
    else if (step === 'fail' || step === 'lie') this.#fault(step);
    else if (step !== 'boot') return this.#call(step, cut);
    else {
      mcubootStart(this.flash);
      this.#load();
      return this.#call('start', cut);
    }
    return true;
  }

  #fault(kind: 'fail' | 'lie'): void {
    const { erased } = this.flash.geometry[BOOT_AREA] ?? { erased: 0 };
    this.flash.faults = faultsOf(kind, erased);
    this.lines.push(kind);
  }

  #call(call: Call, cut: Cut | undefined): boolean {
    const log: Operation[] = [];
    const cuts = this.power.cuts;
    this.power.log = log;
    if (cut) this.power.plan({ ...cut, operation: this.power.operations + cut.operation });
    const result = this.#result(call);
    this.power.log = undefined;
    this.flash.faults = {};
    log.forEach((operation, index) => {
      this.operations.push({ step: this.#steps - 1, index, operation });
    });
    if (this.power.cuts > cuts) {
      this.lines.push(`cut ${cut?.operation} ${this.#bytes().toString('hex')}`, call);
      this.power.on();
      return false;
    }
    this.lines.push(`${call} ${result} ${this.#state()} ${crc32(this.#bytes())}`);
    return true;
  }

  #result(call: Call): number {
    try {
      if (call !== 'start') return this.#decide(call) ? Status.OK : Status.BOOT;
      this.#boot = new McubootBoot(this.flash, this.#reserved);
      return this.#state();
    } catch (error) {
      this.#boot = undefined;
      if (error instanceof PowerCut) return 0;
      throw error;
    }
  }

  #decide(call: Exclude<Call, 'start'>): boolean | undefined {
    if (call === 'confirm') return this.#boot?.confirm();
    if (call === 'revert') return this.#boot?.revert();
    return this.#boot?.select(Number(call.slice('select '.length)));
  }

  #state(): number {
    return (this.#boot?.slots ?? 0) + (this.#boot?.onTrial ? ON_TRIAL : 0);
  }

  #download(area: number): void {
    const image = plainImage(new Random(++this.#images).bytes(200 + 10 * this.#images));
    programArea(this.flash, area, image);
    this.#load();
  }

  #load(): void {
    this.lines.push(`load ${this.#bytes().toString('hex')}`);
  }

  #bytes(): Buffer {
    const parts = AREAS.map((area) => {
      const bytes = Buffer.alloc(this.flash.size(area));
      this.flash.read(area, 0, bytes);
      return bytes;
    });
    return Buffer.concat(parts);
  }
}

function everyCut(chip: Chip): string[] {
  const whole = new Play(chip);
  for (const step of UPDATES) whole.step(step);
  const cuts = whole.operations.flatMap(({ step, index, operation }) =>
    cutsOf(operation, index, 4).map((cut) => ({ step, cut })),
  );
  expect(cuts.length).toBeGreaterThan(60);
  const plays = cuts.map(({ step, cut }, seed) => {
    const play = new Play(chip, seed);
    for (const before of UPDATES.slice(0, step)) play.step(before);
    expect(play.step(UPDATES[step] ?? 'boot', cut)).toBe(false);
    for (const after of ['boot', 'select 0', 'select 1', 'boot', 'confirm', 'boot'] as const)
      play.step(after);
    return play;
  });
  return [whole, ...plays].flatMap(({ lines }) => lines);
}

/** Any calls in any order, with a flash that fails and lies. */
function anything(chip: Chip, seed: number): string[] {
  const random = new Random(seed);
  const play = new Play(chip, seed);
  const steps: readonly Step[] = ['boot', 'boot', 'select 0', 'select 1', 'confirm', 'revert'];
  const any = () => steps[random.below(steps.length)] ?? 'boot';
  play.step('boot');
  for (let count = 0; count < 60; count++) {
    const step = any();
    if (step !== 'boot' && random.below(5) === 0) play.step(random.below(2) === 0 ? 'fail' : 'lie');
    play.step(step);
  }
  return play.lines;
}

const SCRIPTS: Scripts = [
  ['with a power cut in every write and erase', () => CHIPS.flatMap(everyCut)],
  [
    'with calls in any order, failing and lying flash',
    () =>
      CHIPS.flatMap((chip, index) =>
        Array.from({ length: 40 }, (_, run) => anything(chip, 100 * index + run)).flat(),
      ),
  ],
];

describeScripts("MCUboot's trailers in C are the same bytes and decide the same as in Node", SCRIPTS);
