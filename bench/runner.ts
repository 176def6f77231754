// A module under wasm3 or compiled ahead of time, on a PC or an emulated board, led by a script: host/qemu/runner says what a script is.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../scripts/abi.ts';

export type RunnerEngine = 'wasm3' | 'aot';
export type Machine = 'pc' | 'cortex-m3' | 'cortex-m4' | 'cortex-m33' | 'rv32imc';

const ROOT = projectRoot();
const RUNNER = join(ROOT, 'host/qemu/runner');
/** What is built for it. */
export const BUILD = join(ROOT, 'build/runner');
const WASM3 = join(ROOT, 'build/wasm3/source');

const CORTEX_M = ['cmake', 'arm-none-eabi-gcc', 'qemu-system-arm'];
/** Programs, and how to get them. */
const NEEDED: Readonly<Record<Machine, readonly string[]>> = {
  pc: ['cmake', 'gcc', 'valgrind'],
  'cortex-m3': CORTEX_M,
  'cortex-m4': CORTEX_M,
  'cortex-m33': CORTEX_M,
  rv32imc: ['cmake', 'riscv64-unknown-elf-gcc', 'qemu-system-riscv32'],
};

/** What has to be installed first; undefined: nothing. */
export function whatLacks(machine: Machine, engine: RunnerEngine = 'wasm3'): string | undefined {
  if (engine === 'wasm3' && !existsSync(WASM3)) return 'needs wasm3: node scripts/wasm3.mjs';
  const absent = [...NEEDED[machine], ...(engine === 'aot' ? ['wasm2c'] : [])].filter(
    (tool) => spawnSync(tool, ['--version']).error !== undefined,
  );
  return absent.length === 0 ? undefined : `needs ${absent.join(', ')}`;
}

// ---- scripts ----

const ANY = 0xffffffff;

function words(...values: readonly number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}

const padded = (bytes: Uint8Array): Buffer =>
  Buffer.concat([bytes, new Uint8Array((4 - (bytes.length & 3)) & 3)]);

const named = (name: string): Buffer => Buffer.concat([Buffer.from(name), Buffer.alloc(32)]).subarray(0, 32);

export const write = (at: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([words(1, at, bytes.length), padded(bytes)]);

export function call(name: string, values: readonly number[], expected = ANY): Buffer {
  return Buffer.concat([words(2), named(name), words(...[0, 1, 2, 3].map((i) => values[i] ?? 0), expected)]);
}

/** The bytes that a call must have left. */
export const check = (at: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([words(4, at, bytes.length), padded(bytes)]);

export const measure = (name: string): Buffer => Buffer.concat([words(3), named(name)]);

export function inputs(module: Uint8Array, limit: number, steps: readonly Buffer[]): Buffer {
  return Buffer.concat([words(limit, module.length), padded(module), ...steps, words(0)]);
}

/** The module in them. */
const moduleOf = (given: Uint8Array): Uint8Array =>
  given.subarray(8, 8 + Buffer.from(given.buffer, given.byteOffset).readUInt32LE(4));

export const hex = (text: string): Buffer => Buffer.from(text, 'hex');
/** A file of test/vectors. */
export const vectors = (file: string): never =>
  JSON.parse(readFileSync(join(ROOT, 'test/vectors', file), 'utf8')) as never;

// ---- machines ----

function onMps2(board: string) {
  return (program: string) =>
    [
      'qemu-system-arm',
      [
        ...['-M', `mps2-${board}`, '-nographic', '-monitor', 'none', '-serial', 'none'],
        ...['-icount', 'shift=0,sleep=off', '-rtc', 'clock=vm'],
        ...['-semihosting-config', 'enable=on,target=native', '-kernel', program],
      ],
    ] as const;
}

const COMMANDS: Readonly<Record<Machine, (program: string) => readonly [string, readonly string[]]>> = {
  pc: (program) => [program, []],
  'cortex-m3': onMps2('an385'),
  'cortex-m4': onMps2('an386'),
  'cortex-m33': onMps2('an505'),
  rv32imc: (program) => [
    'qemu-system-riscv32',
    [
      ...[
        '-M',
        'virt',
        '-cpu',
        'rv32,a=off,f=off,d=off',
        '-nographic',
        '-monitor',
        'none',
        '-serial',
        'none',
      ],
      ...['-bios', 'none', '-icount', 'shift=0'],
      ...['-semihosting-config', 'enable=on,target=native', '-kernel', program],
    ],
  ],
};

/** Builds the runner around its inputs and runs it: its measures by name. */
export function run(
  machine: Machine,
  what: string,
  given: Uint8Array,
  engine: RunnerEngine = 'wasm3',
): Map<string, number> {
  const folder = join(BUILD, `${machine}-${what}${engine === 'aot' ? '-aot' : ''}`);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'inputs.bin');
  writeFileSync(path, given);
  const module = join(folder, 'module.wasm');
  const bytes = moduleOf(given);
  writeFileSync(module, bytes);
  const toolchain = machine === 'pc' ? [] : [`-DCMAKE_TOOLCHAIN_FILE=${join(RUNNER, `${machine}.cmake`)}`];
  command('cmake', [
    ...['-S', RUNNER, '-B', folder, `-DMOULT_MACHINE=${machine}`, `-DMOULT_INPUTS=${path}`],
    ...[`-DFETCHCONTENT_SOURCE_DIR_WASM3=${WASM3}`, `-DMOULT_RUNNER_ENGINE=${engine}`, ...toolchain],
    `-DMOULT_RUNNER_MODULE=${module}=${createHash('sha256').update(bytes).digest('hex')}`,
  ]);
  command('cmake', ['--build', folder, '--parallel', '2']);
  const program = join(folder, 'runner');
  const [tool, values] = COMMANDS[machine](program);
  const counts = parse(command(tool, values));
  if (machine === 'pc') for (const name of counts.keys()) counts.set(name, callgrind(program, name));
  return counts;
}

function parse(output: string): Map<string, number> {
  return new Map(
    [...output.matchAll(/^([\w-]+) (\d+)$/gm)].map(([, name = '', value]) => [name, Number(value)]),
  );
}

/** What the calls of one measure execute. */
function callgrind(program: string, name: string): number {
  const options = ['--tool=callgrind', '--callgrind-out-file=/dev/null', '--toggle-collect=measured'];
  const output = command('valgrind', [...options, program, name]);
  return Number(/Collected : (\d+)/.exec(output)?.[1]);
}

function command(program: string, values: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, values, {
    encoding: 'utf8',
    timeout: 300_000,
  });
  if (status === 0) return stdout + stderr;
  throw new Error(`${program} ${values.join(' ')}: ${error?.message ?? ''}${stdout}${stderr}`);
}
