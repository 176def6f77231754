// What a core costs on an emulated board: bytes of its programs as they are linked, and what the image that counts
// (figures.c) prints. All of it is the same on every machine and every run.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import binaryen from 'binaryen';
import { projectRoot } from '../../scripts/abi.ts';
import { builtProgram, COMPILED_IMAGE, EmulatedBoard, QEMU, sealImage } from '../../sim/emulator.ts';
import { Random } from '../../sim/random.ts';
import { SimRepository } from '../../sim/repository.ts';
import type { Budget } from '../budgets.ts';

const KIB = 1024;
/** 2030-01-01, as figures.c has it. */
const NOW = 1_893_456_000;
/** Bytes of the image that is installed. */
const IMAGE = 65_536;

export interface BoardFigures {
  readonly rows: readonly Budget[];
  /** Why there are none. */
  readonly missing: readonly string[];
  /** What else it counted, by name. */
  readonly counted: ReadonlyMap<string, number>;
}

export function boardFigures(): BoardFigures {
  const missing = whatLacks();
  if (missing.length > 0) return { rows: [], missing, counted: new Map() };
  const counted = countOnBoard();
  return {
    rows: [
      ...ramRows(counted),
      ...codeRows(counted),
      ...flashRows(),
      ...compiledRows(),
      ...instructionRows(counted),
    ],
    missing,
    counted,
  };
}

function whatLacks(): string[] {
  if (!existsSync(builtProgram('figures')))
    return [
      'figures of the emulated board: node scripts/qemu.mjs (it needs gcc-riscv64-unknown-elf and picolibc)',
    ];
  if (spawnSync(QEMU, ['--version']).error) return [`figures of the emulated board: ${QEMU}`];
  return [];
}

// ---- RAM ----

function ramRows(counted: ReadonlyMap<string, number>): Budget[] {
  const section = sectionSizes();
  const given = section('.memory');
  const value = (name: string) => counted.get(name) ?? Number.NaN;
  const fixed = ['linear', 'functions', 'runtime', 'stack'].reduce(
    (sum, name) => sum + value(`memory-${name}`),
    0,
  );
  const stack = section('.stack');
  const variables = section('.bss') + section('.data');
  const rows: Budget[] = [
    { id: 'ram-rv32imc', value: stack + variables + given, unit: 'B', must: 128 * KIB, goal: 96 * KIB },
    { id: 'ram-rv32imc-linear-memory', value: value('memory-linear'), unit: 'B' },
    { id: 'ram-rv32imc-functions', value: value('memory-functions'), unit: 'B' },
    { id: 'ram-rv32imc-runtime', value: value('memory-runtime'), unit: 'B' },
    { id: 'ram-rv32imc-wasm-stack', value: value('memory-stack'), unit: 'B' },
    { id: 'ram-rv32imc-code', value: value('memory-peak') - fixed, unit: 'B' },
    { id: 'ram-rv32imc-spare', value: given - value('memory-peak'), unit: 'B' },
    { id: 'ram-rv32imc-board', value: variables, unit: 'B' },
    { id: 'c-stack-rv32imc', value: stack, unit: 'B', must: 8 * KIB, goal: 4 * KIB },
    { id: 'c-stack-rv32imc-core', value: value('stack'), unit: 'B' },
  ];
  return rows;
}

/** Bytes of compiled code from which on a function has a row of its own. */
const LARGE = 1024;

/** What each function comes to when it is compiled: the large ones by name, all others together. */
function codeRows(counted: ReadonlyMap<string, number>): Budget[] {
  const names = functionNames();
  const functions = [...counted]
    .filter(([name]) => name.startsWith('code-'))
    .map(([name, value]) => ({ name: names[Number(name.slice(5))] ?? name, value }))
    .sort((one, other) => other.value - one.value);
  const others = functions.filter(({ value }) => value < LARGE).reduce((sum, { value }) => sum + value, 0);
  const rows = [...functions.filter(({ value }) => value >= LARGE), { name: 'others', value: others }];
  return rows.map(({ name, value }) => ({ id: `code-rv32imc-${name}`, value, unit: 'B' }));
}

/** By their number. Built once more, with names: the code is the same, byte for byte. */
function functionNames(): string[] {
  const root = projectRoot();
  const out = join(root, 'build/moult-small.named.wasm');
  const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
  const options = ['assembly/index.ts', '--target', 'small', '--debug', '--outFile', out];
  execFileSync(process.execPath, [asc, ...options], { cwd: root, stdio: 'pipe' });
  const module = binaryen.readBinary(readFileSync(out));
  const name = (index: number) => binaryen.getFunctionInfo(module.getFunctionByIndex(index)).name;
  return Array.from({ length: module.getNumFunctions() }, (_, index) =>
    name(index).replace(/^(~lib|assembly)\//, ''),
  );
}

/** Sizes of the sections of the image, by name. */
function sectionSizes(program = 'image'): (name: string) => number {
  const map = readFileSync(builtProgram(program).replace(/bin$/, 'map'), 'utf8');
  return (name) => {
    const size = new RegExp(`^\\${name}\\s+0x\\w+\\s+0x(\\w+)`, 'm').exec(map.slice(map.indexOf(MAP)))?.[1];
    return Number.parseInt(size ?? '', 16);
  };
}

// ---- the image whose core is compiled ahead of time ----

function compiledRows(): Budget[] {
  if (!existsSync(builtProgram(COMPILED_IMAGE))) return [];
  const section = sectionSizes(COMPILED_IMAGE);
  const ram = section('.stack') + section('.bss') + section('.data');
  const flash =
    readFileSync(builtProgram(COMPILED_IMAGE)).length + readFileSync(builtProgram('loader')).length;
  return [
    { id: 'ram-aot-rv32imc', value: ram, unit: 'B', must: 40 * KIB, goal: 28 * KIB },
    { id: 'flash-aot-rv32imc', value: flash, unit: 'B', must: 96 * KIB, goal: 72 * KIB },
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

function flashRows(): Budget[] {
  const image = readFileSync(builtProgram('image')).length;
  const loader = readFileSync(builtProgram('loader')).length;
  const parts = partsOfImage();
  return [
    { id: 'flash-rv32imc', value: image + loader, unit: 'B', must: 128 * KIB, goal: 104 * KIB },
    ...PARTS.map(([part]) => ({ id: `flash-rv32imc-${part}`, value: parts.get(part) ?? 0, unit: 'B' })),
    { id: 'flash-rv32imc-libc', value: parts.get('libc') ?? 0, unit: 'B' },
    { id: 'flash-rv32imc-loader', value: loader, unit: 'B' },
  ];
}

/** Bytes of the image in flash by part, from the map of the linker: what lies in the window of the slot. */
function partsOfImage(): Map<string, number> {
  const map = readFileSync(builtProgram('image').replace(/bin$/, 'map'), 'utf8');
  const parts = new Map<string, number>();
  for (const [, size = '', object = ''] of map
    .slice(map.indexOf(MAP))
    .matchAll(/^ \.\S+\s+0x4\w{7}\s+0x(\w+)\s+(\S+)/gm)) {
    const part = PARTS.find(([, pattern]) => pattern.test(object))?.[0] ?? 'libc';
    parts.set(part, (parts.get(part) ?? 0) + Number.parseInt(size, 16));
  }
  return parts;
}

// ---- instructions ----

function instructionRows(counted: ReadonlyMap<string, number>): Budget[] {
  const row = (id: string, value: number, unit = 'instructions') => ({ id: `${id}-rv32imc`, value, unit });
  const value = (name: string) => counted.get(name) ?? Number.NaN;
  return [
    row('open', value('open')),
    row('first-check', value('first-check')),
    row('idle-check', value('idle-check')),
    row('update', value('update')),
    row('update-per-byte', Math.round(value('update') / IMAGE), 'instructions/B'),
    row('trial', value('trial')),
  ];
}

/** The rows that figures.c prints, by name. */
function countOnBoard(): Map<string, number> {
  const folder = mkdtempSync(join(tmpdir(), 'moult-figures-'));
  try {
    const { repository, ready } = life();
    const board = new EmulatedBoard({
      folder,
      root: repository.files.get('metadata/1.root.json') ?? new Uint8Array(),
      configuration: {
        hardwareId: 'sim',
        component: 'app',
        version: '1.0.0',
        releaseCounter: 1,
        securityCounter: 1,
        buildTime: NOW - 1000,
        checkInterval: 3600,
      },
      image: sealImage(readFileSync(builtProgram('figures')), '1.0.0'),
      gateway: { metadataUrl: 'http://localhost/', targetsUrl: 'http://localhost/' },
      ready,
    });
    const { status, stdout } = spawnSync(QEMU, board.command('-icount', 'shift=0'), { encoding: 'utf8' });
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

/** The files of a life, round by round: a first check, an update, a root that changes all keys. */
function life() {
  const repository = new SimRepository(() => NOW, 1);
  const entries: Buffer[] = [];
  const round = (name: string) => {
    for (const [path, bytes] of repository.files) entries.push(entry(path.replace(/^\w+/, name), bytes));
  };
  repository.publish({
    version: '1.0.0',
    releaseCounter: 1,
    securityCounter: 1,
    image: new Random(1).bytes(4096),
  });
  round('0');
  repository.publish({
    version: '1.1.0',
    releaseCounter: 2,
    securityCounter: 2,
    image: new Random(2).bytes(IMAGE),
  });
  round('1');
  for (const role of ['root', 'targets', 'snapshot', 'timestamp'] as const) repository.rotate(role);
  round('2');
  return { repository, ready: Buffer.concat([...entries, Buffer.alloc(8)]) };
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
