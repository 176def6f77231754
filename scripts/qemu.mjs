#!/usr/bin/env node
// Programs for the emulated boards of host/qemu: `node scripts/qemu.mjs` builds them, for each machine whose compiler is here,
// with the core that is in build/moult-patching.wasm and the wasm3 of scripts/wasm3.mjs; and, where there is wasm2c, an image with
// the core compiled ahead of time. Into build/qemu, build/qemu-aot and build/qemu-lean for rv32imc, build/qemu-m3 and so on for a Cortex-M.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone } from './lock.mjs';
import { check, SOURCE } from './wasm3.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Under wasm3 small boards do without delegations. */
const MODULE = join(ROOT, 'build/moult-patching.wasm');
/** Ahead of time, what is left without patches too. */
const SMALL = join(ROOT, 'build/moult-small.wasm');
/** Compiled ahead of time there is room for delegations and payloads. */
const LEAN = join(ROOT, 'build/moult-lean.wasm');

const cortexM = (cpu, board) => [
  ...[toolchain('cortex-m'), '-DMOULT_MACHINE=cortex-m'],
  ...[`-DMOULT_CPU=cortex-${cpu}`, `-DMOULT_BOARD=${board}`],
];

/** Folder below build/, compiler, and options of CMake. */
const MACHINES = [
  ['qemu', 'riscv64-unknown-elf-gcc', [toolchain('riscv')]],
  ['qemu-m3', 'arm-none-eabi-gcc', cortexM('m3', 'an385')],
  ['qemu-m4', 'arm-none-eabi-gcc', cortexM('m4', 'an385')], // its AN386 image has all where the AN385 has it
  ['qemu-m4-mcuboot', 'arm-none-eabi-gcc', [...cortexM('m4', 'an385'), '-DMOULT_DECIDE=mcuboot']],
  ['qemu-m33', 'arm-none-eabi-gcc', cortexM('m33', 'an505')],
];

async function build() {
  check(SOURCE);
  const module = readFileSync(MODULE);
  const memory = await memoryUsed(module);
  for (const [name, compiler, options] of MACHINES) {
    if (spawnSync(compiler, ['--version']).error) {
      console.error(`build/${name} is left out: there is no ${compiler}`);
      continue;
    }
    buildInterpreted(join(ROOT, 'build', name), module, memory, options);
    if (spawnSync('wasm2c', ['--version']).status !== 0) continue;
    buildCompiled(join(ROOT, 'build', `${name}-aot`), SMALL, options);
    if (existsSync(LEAN)) buildCompiled(join(ROOT, 'build', `${name}-lean`), LEAN, options);
  }
}

function toolchain(machine) {
  return `-DCMAKE_TOOLCHAIN_FILE=${join(ROOT, 'host/qemu', machine, 'toolchain.cmake')}`;
}

function buildInterpreted(folder, module, memory, options) {
  mkdirSync(folder, { recursive: true });
  const digest = join(folder, 'moult.sha256');
  keep(digest, createHash('sha256').update(module).digest());
  run('cmake', [
    ...['-S', join(ROOT, 'host/qemu'), '-B', folder, ...options],
    `-DFETCHCONTENT_SOURCE_DIR_WASM3=${SOURCE}`,
    `-DMOULT_MODULE=${MODULE}`,
    `-DMOULT_MODULE_SHA256=${digest}`,
    `-DMOULT_MODULE_MEMORY=${memory}`,
  ]);
  run('cmake', ['--build', folder, '--parallel', '2']);
}

/** The image whose core is compiled ahead of time, image.bin, and what counts on it. */
function buildCompiled(folder, path, options) {
  run('cmake', [
    ...['-S', join(ROOT, 'host/qemu'), '-B', folder, '-DMOULT_AOT=ON', ...options],
    `-DMOULT_MODULE=${path}`,
    `-DMOULT_MODULE_SHA256=${createHash('sha256').update(readFileSync(path)).digest('hex')}`,
  ]);
  run('cmake', ['--build', folder, '--parallel', '2']);
}

/** Bytes of linear memory, as the module itself says. */
async function memoryUsed(module) {
  const header = readFileSync(join(ROOT, 'host/wasm3/moult_abi.h'), 'utf8');
  const field = Number(/MOULT_STATE_MEMORY_USED = (\d+)/.exec(header)[1]);
  const compiled = await WebAssembly.compile(module);
  const none = Object.fromEntries(WebAssembly.Module.imports(compiled).map(({ name }) => [name, () => 0]));
  const { exports } = await WebAssembly.instantiate(compiled, { moult: none });
  return exports.state_read(field);
}

/** Written only when it changes, so that nothing is built again for it. */
function keep(path, bytes) {
  if (!existsSync(path) || !readFileSync(path).equals(bytes)) writeFileSync(path, bytes);
}

function run(program, parameters) {
  try {
    execFileSync(program, parameters, { stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 26 });
  } catch (cause) {
    const why =
      cause.code === 'ENOENT' ? `${program} is not installed` : `${cause.stdout ?? ''}${cause.stderr ?? ''}`;
    throw new Error(`${program} ${parameters[0]}: ${why}`, { cause });
  }
}

try {
  await alone(build);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
