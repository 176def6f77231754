// What a core costs on the emulated boards: bytes of its programs as they are linked, and what the image that counts
// (figures.c) prints. All of it is the same on every machine and every run.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import binaryen from 'binaryen';
import { projectRoot } from '../../scripts/abi.ts';
import { SimDirector } from '../../sim/director.ts';
import { builtProgram, compiledImage, EmulatedBoard, leanProgram, sealImage } from '../../sim/emulator.ts';
import { CORTEX_M4_MCUBOOT, MACHINES, type Machine, RV32IMC } from '../../sim/machines.ts';
import { Random } from '../../sim/random.ts';
import { type SimRelease, SimRepository } from '../../sim/repository.ts';
import type { Budget } from '../budgets.ts';

const KIB = 1024;
/** 2030-01-01, as figures.c has it. */
const NOW = 1_893_456_000;
/** Bytes of the image that is installed, and of each piece of it that a read of the link brings. */
export const IMAGE = 65_536;
export const PIECE = 1020;

export interface BoardFigures {
  readonly rows: readonly Budget[];
  /** Why there are none of some machines. */
  readonly missing: readonly string[];
  /** What else was counted, by name and machine. */
  readonly counted: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

type Counted = ReadonlyMap<string, number>;

/** How an ECU verifies. */
const UPTANE = ['full', 'partial'] as const;
type Uptane = (typeof UPTANE)[number];
/** What a life has in it: plain TUF with an update by its image or by a patch, or a Director. */
type Life = 'whole' | 'patched' | Uptane;
/** Of the ECU that takes orders from a Director. */
const VEHICLE = 'car-1';
const SERIAL = 'radio';

export function boardFigures(machines: readonly Machine[] = MACHINES): BoardFigures {
  const lacking = machines.map((machine) => ({ machine, why: whatLacks(machine) }));
  const counted = new Map<string, Counted>();
  const rows = lacking.flatMap(({ machine, why }) => {
    if (why !== undefined) return [];
    const of = countLives(machine);
    counted.set(machine.name, of);
    return [...figuresOf(machine, of), ...leanRows(machine)];
  });
  const missing = [...lacking.map(({ why }) => why), whatLacks(CORTEX_M4_MCUBOOT)].flatMap(
    (why) => why ?? [],
  );
  return { rows: [...rows, ...mcubootRows(CORTEX_M4_MCUBOOT)], missing, counted };
}

/** Of the board with a loader in MCUboot's place the bytes: what it executes is what the one without does. */
function mcubootRows(machine: Machine): Budget[] {
  if (whatLacks(machine) !== undefined) return [];
  return [
    ramInAll(machine),
    ...flashRows(machine),
    ...compiledRows(machine, compiledImage(machine), false),
    ...compiledRows(machine, leanProgram('image', machine), true),
  ];
}

/** A life with a whole image and one with a patch of the program that runs: what each needs, and what both do. */
function countLives(machine: Machine): Counted {
  const whole = countOnBoard(machine, 'figures', 'whole');
  const patched = countOnBoard(machine, 'figures', 'patched');
  const most = (name: string) => Math.max(...[whole, patched].map((of) => of.get(name) ?? Number.NaN));
  return new Map([
    ...whole,
    ...['memory-peak', 'stack'].map((name) => [name, most(name)] as const),
    ...['update', 'update-written', 'update-erased'].map(
      (name) => [name.replace('update', 'update-delta'), patched.get(name) ?? Number.NaN] as const,
    ),
  ]);
}

function figuresOf(machine: Machine, counted: Counted): Budget[] {
  return [
    ...ramRows(machine, counted),
    ...(machine === RV32IMC ? codeRows(machine, counted) : []), // the same on all of them, pointers being as long
    ...flashRows(machine),
    ...compiledRows(machine, compiledImage(machine), false),
    ...compiledRows(machine, leanProgram('image', machine), true),
    ...instructionRows(machine, counted, IDLE),
    ...deltaRows(machine, counted),
  ];
}

/** The most instructions of a check under wasm3 that finds nothing new: half of what it was without remembering. */
const IDLE = { must: 7_500_000, goal: 4_000_000 };

/** And of an update: where code that is needed again is dropped between two pieces, it takes 270 million on rv32imc. */
const UPDATE = { must: 230_000_000 };

function whatLacks(machine: Machine): string | undefined {
  const { name, qemu } = machine;
  if (!existsSync(builtProgram('figures', machine)))
    return `figures of the emulated board, ${name}: node scripts/qemu.mjs (it needs a compiler for it, and picolibc)`;
  if (spawnSync(qemu, ['--version']).error) return `figures of the emulated board, ${name}: ${qemu}`;
  return undefined;
}

// ---- RAM ----

function ramInAll(machine: Machine): Budget {
  const section = sectionSizes(machine);
  const value = ['.stack', '.bss', '.data', '.memory'].reduce((sum, name) => sum + section(name), 0);
  return { id: `ram-${machine.name}`, value, unit: 'B', must: 128 * KIB, goal: 96 * KIB };
}

function ramRows(machine: Machine, counted: Counted): Budget[] {
  const { name: on } = machine;
  const section = sectionSizes(machine);
  const given = section('.memory');
  const value = (name: string) => counted.get(name) ?? Number.NaN;
  const fixed = ['linear', 'functions', 'runtime', 'stack'].reduce(
    (sum, name) => sum + value(`memory-${name}`),
    0,
  );
  const stack = section('.stack');
  const variables = section('.bss') + section('.data');
  const rows: Budget[] = [
    ramInAll(machine),
    { id: `ram-${on}-linear-memory`, value: value('memory-linear'), unit: 'B' },
    { id: `ram-${on}-functions`, value: value('memory-functions'), unit: 'B' },
    { id: `ram-${on}-runtime`, value: value('memory-runtime'), unit: 'B' },
    { id: `ram-${on}-wasm-stack`, value: value('memory-stack'), unit: 'B' },
    { id: `ram-${on}-code`, value: value('memory-peak') - fixed, unit: 'B' },
    { id: `ram-${on}-spare`, value: given - value('memory-peak'), unit: 'B' },
    { id: `ram-${on}-board`, value: variables, unit: 'B' },
    { id: `c-stack-${on}`, value: stack, unit: 'B', must: 8 * KIB, goal: 4 * KIB },
    { id: `c-stack-${on}-core`, value: value('stack'), unit: 'B' },
  ];
  return rows;
}

/** Bytes of compiled code from which on a function has a row of its own. */
const LARGE = 1024;

/** What each function comes to when it is compiled: the large ones by name, all others together. */
function codeRows({ name: on }: Machine, counted: Counted): Budget[] {
  const names = functionNames();
  const functions = [...counted]
    .filter(([name]) => name.startsWith('code-'))
    .map(([name, value]) => ({ name: names[Number(name.slice(5))] ?? name, value }))
    .sort((one, other) => other.value - one.value);
  const others = functions.filter(({ value }) => value < LARGE).reduce((sum, { value }) => sum + value, 0);
  const rows = [...functions.filter(({ value }) => value >= LARGE), { name: 'others', value: others }];
  return rows.map(({ name, value }) => ({ id: `code-${on}-${name}`, value, unit: 'B' }));
}

/** By their number. Built once more, with names: the code is the same, byte for byte. */
function functionNames(): string[] {
  const root = projectRoot();
  const out = join(root, 'build/moult-patching.named.wasm');
  const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
  const options = ['assembly/small.ts', '--target', 'patching', '--debug', '--outFile', out];
  execFileSync(process.execPath, [asc, ...options], { cwd: root, stdio: 'pipe' });
  const module = binaryen.readBinary(readFileSync(out));
  const name = (index: number) => binaryen.getFunctionInfo(module.getFunctionByIndex(index)).name;
  return Array.from({ length: module.getNumFunctions() }, (_, index) =>
    name(index).replace(/^(~lib|assembly)\//, ''),
  );
}

/** Sizes of the sections of the image, by name. */
function sectionSizes(machine: Machine, program = 'image'): (name: string) => number {
  const map = readFileSync(builtProgram(program, machine).replace(/bin$/, 'map'), 'utf8');
  return (name) => {
    const size = new RegExp(`^\\${name}\\s+0x\\w+\\s+0x(\\w+)`, 'm').exec(map.slice(map.indexOf(MAP)))?.[1];
    return Number.parseInt(size ?? '', 16);
  };
}

// ---- the image whose core is compiled ahead of time ----

function compiledRows(machine: Machine, program: string, lean: boolean): Budget[] {
  const { name: on } = machine;
  if (!existsSync(builtProgram(program, machine))) return [];
  const of = lean ? '' : '-small';
  const section = sectionSizes(machine, program);
  const ram = section('.stack') + section('.bss') + section('.data');
  const flash =
    readFileSync(builtProgram(program, machine)).length +
    readFileSync(builtProgram('loader', machine)).length;
  return [
    { id: `ram-aot${of}-${on}`, value: ram, unit: 'B', ...(lean && { must: 40 * KIB, goal: 28 * KIB }) },
    { id: `flash-aot${of}-${on}`, value: flash, unit: 'B', ...(lean && { must: 96 * KIB, goal: 72 * KIB }) },
  ];
}

/** What the lean core counts: a life with a whole image, and one with a patch of the program that runs. */
function leanRows(machine: Machine): Budget[] {
  const { name: on } = machine;
  const program = leanProgram('figures', machine);
  if (!existsSync(builtProgram(program, machine))) return [];
  const whole = countOnBoard(machine, program, 'whole');
  const patched = countOnBoard(machine, program, 'patched');
  const stack = sectionSizes(machine, program)('.stack');
  const used = Math.max(...[whole, patched].map((counted) => counted.get('stack') ?? Number.NaN));
  return [
    { id: `c-stack-aot-${on}`, value: stack, unit: 'B', must: 8 * KIB, goal: 4 * KIB },
    { id: `c-stack-aot-${on}-core`, value: used, unit: 'B' },
    ...instructionRows({ name: `aot-${on}` }, whole),
    ...deltaRows(
      { name: `aot-${on}` },
      new Map([...patched].map(([name, value]) => [name.replace('update', 'update-delta'), value])),
    ),
    ...UPTANE.flatMap((mode) => uptaneRows(machine, program, mode)),
  ];
}

/** The same board as an ECU: its memory is static, so what differs is how deep the stack is, and what is executed. */
function uptaneRows(machine: Machine, program: string, mode: Uptane): Budget[] {
  const counted = countOnBoard(machine, program, mode);
  const row = (id: string, name: string, unit: string) => ({
    id: `${id}-aot-${machine.name}-${mode}`,
    value: counted.get(name) ?? Number.NaN,
    unit,
  });
  return [
    row('c-stack', 'stack', 'B'),
    ...['first-check', 'idle-check', 'update'].map((name) => row(name, name, 'instructions')),
  ];
}

/** An update by a patch of the program that runs. */
function deltaRows({ name: on }: Pick<Machine, 'name'>, counted: Counted): Budget[] {
  const row = (id: string, unit: string) => ({
    id: `${id}-${on}`,
    value: counted.get(id) ?? Number.NaN,
    unit,
  });
  return [
    row('update-delta', 'instructions'),
    row('update-delta-written', 'B'),
    row('update-delta-erased', 'B'),
  ];
}

// ---- flash ----

const MAP = 'Linker script and memory map';
/** What an object file of the image belongs to. */
const PARTS: readonly (readonly [part: string, object: RegExp])[] = [
  ['module', /module\.S/],
  ['interpreter', /libwasm3\.a/],
  ['shim', /libmoult\.a/],
  ['board', /libmoult_device\.a|libboard\.a|image\.dir/],
];

function flashRows(machine: Machine): Budget[] {
  const { name: on } = machine;
  const image = readFileSync(builtProgram('image', machine)).length;
  const loader = readFileSync(builtProgram('loader', machine)).length;
  const parts = partsOfImage(machine);
  return [
    { id: `flash-${on}`, value: image + loader, unit: 'B', must: 128 * KIB, goal: 104 * KIB },
    ...PARTS.map(([part]) => ({ id: `flash-${on}-${part}`, value: parts.get(part) ?? 0, unit: 'B' })),
    { id: `flash-${on}-libc`, value: parts.get('libc') ?? 0, unit: 'B' },
    { id: `flash-${on}-loader`, value: loader, unit: 'B' },
  ];
}

/** The most that lies in the window of a slot. */
const WINDOW = 512 * KIB;

/** Bytes of the image in flash by part, from the map of the linker: what lies in the window of the slot. */
function partsOfImage(machine: Machine): Map<string, number> {
  const map = readFileSync(builtProgram('image', machine).replace(/bin$/, 'map'), 'utf8');
  const parts = new Map<string, number>();
  for (const [, at = '', size = '', object = ''] of map
    .slice(map.indexOf(MAP))
    .matchAll(/^ \.\S+\s+(0x\w+)\s+0x(\w+)\s+(\S+)/gm)) {
    const offset = Number(at) - machine.window;
    if (offset < 0 || offset >= WINDOW) continue;
    const part = PARTS.find(([, pattern]) => pattern.test(object))?.[0] ?? 'libc';
    parts.set(part, (parts.get(part) ?? 0) + Number.parseInt(size, 16));
  }
  return parts;
}

// ---- instructions ----

function instructionRows(
  { name: on }: Pick<Machine, 'name'>,
  counted: Counted,
  idle?: Pick<Budget, 'must' | 'goal'>,
): Budget[] {
  const row = (id: string, value: number, unit = 'instructions') => ({ id: `${id}-${on}`, value, unit });
  const value = (name: string) => counted.get(name) ?? Number.NaN;
  return [
    row('open', value('open')),
    row('first-check', value('first-check')),
    { ...row('idle-check', value('idle-check')), ...idle },
    row('idle-check-anew', value('idle-check-anew')),
    { ...row('update', value('update')), ...(idle && UPDATE) },
    row('update-per-byte', Math.round(value('update') / IMAGE), 'instructions/B'),
    row('trial', value('trial')),
    ...['writes', 'written', 'erases', 'erased', 'ahead-erases', 'ahead-erased'].map((what) =>
      row(`update-${what}`, value(`update-${what}`), /s$/.test(what) ? 'calls' : 'B'),
    ),
  ];
}

/** The rows that figures.c prints, by name. */
function countOnBoard(machine: Machine, program: string, kind: Life): Map<string, number> {
  const folder = mkdtempSync(join(tmpdir(), 'moult-figures-'));
  try {
    const image = sealImage(readFileSync(builtProgram(program, machine)), '1.0.0');
    const { roots, ready } = life(kind, image);
    const board = new EmulatedBoard({
      machine,
      folder,
      ...roots,
      configuration: {
        hardwareId: 'sim',
        component: 'app',
        version: '1.0.0',
        releaseCounter: 1,
        securityCounter: 1,
        buildTime: NOW - 1000,
        checkInterval: 3600,
        ...(isUptane(kind) && { uptane: kind, ecu: SERIAL, vehicle: VEHICLE }),
      },
      image,
      gateway: { metadataUrl: 'http://localhost/', targetsUrl: 'http://localhost/' },
      ready,
    });
    const command = board.command(...machine.counting);
    const { status, stdout } = spawnSync(machine.qemu, command, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`the image that counts ended with ${status}: ${stdout}`);
    return new Map(
      stdout
        .trim()
        .split('\n')
        .map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function isUptane(kind: Life): kind is Uptane {
  return UPTANE.some((mode) => mode === kind);
}

/** Bytes apart that differ in an image that a patch is made for. */
const CHANGE_EACH = 1024;

/**
 * The files of a life, round by round: a first check, a timestamp that is signed anew, an update, roots that change all
 * keys; and the roots that the device is given. The update is an image that nothing is known of, or `base` with some bytes
 * changed, for which there is a patch.
 */
function life(kind: Life, base: Uint8Array) {
  const repository = new SimRepository(() => NOW, 1);
  const director = new SimDirector(VEHICLE, () => NOW, 2);
  const entries: Buffer[] = [];
  let newest: Uint8Array = new Uint8Array();
  const round = (name: string) => {
    for (const [path, bytes] of repository.files) entries.push(entry(path.replace(/^\w+/, name), bytes));
    if (!isUptane(kind)) return;
    for (const [path, bytes] of director.files) {
      entries.push(entry(`${name}/director/${path}`, bytes));
      // Under this name a Primary has the newest for who verifies in part.
      if (path.endsWith('.targets.json')) newest = bytes;
    }
    entries.push(entry(`${name}/director/targets.json`, newest));
  };
  const roots = rootsOf(kind, repository.root, director.root);
  const publish = (version: string, releaseCounter: number, release: Partial<SimRelease>) => {
    const image = new Random(releaseCounter).bytes(4096);
    repository.publish({ version, releaseCounter, securityCounter: releaseCounter, image, ...release });
    const listed = repository.releaseAt(`app/sim/${version}/firmware.bin`);
    director.direct([{ serial: SERIAL, hardwareId: 'sim', release: listed }]);
  };
  publish('1.0.0', 1, {});
  round('0');
  repository.stamp();
  round('1');
  const changed = base.map((byte, at) => (at % CHANGE_EACH === 0 ? byte ^ 0xff : byte));
  if (kind === 'patched')
    publish('1.1.0', 2, { image: changed, payloads: [{ image: base, releaseCounter: 1 }] });
  else publish('1.1.0', 2, { image: new Random(2).bytes(IMAGE) });
  round('2');
  for (const role of ['root', 'targets', 'snapshot', 'timestamp'] as const) {
    repository.rotate(role);
    director.rotate(role);
  }
  round('3');
  return { roots, ready: Buffer.concat([...entries, Buffer.alloc(8)]) };
}

/** What the factory gives: who verifies in part has the Director's root alone. */
function rootsOf(kind: Life, root: Uint8Array, directorRoot: Uint8Array) {
  if (kind === 'partial') return { root: directorRoot };
  return kind === 'full' ? { root, directorRoot } : { root };
}

function entry(name: string, bytes: Uint8Array): Buffer {
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(name.length, 0);
  lengths.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([lengths, padded(Buffer.from(name)), padded(bytes)]);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
