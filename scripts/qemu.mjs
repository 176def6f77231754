#!/usr/bin/env node
// Programs for the emulated boards of host/qemu: `node scripts/qemu.mjs` builds them into build/qemu, with the core
// that is in build/moult-small.wasm and the wasm3 of scripts/wasm3.mjs; and into build/qemu-aot, where there is wasm2c, one
// with the core compiled ahead of time.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, SOURCE } from './wasm3.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDER = join(ROOT, 'build/qemu');
/** Small boards do without delegations. */
const MODULE = join(ROOT, 'build/moult-small.wasm');

async function build() {
  check(SOURCE);
  mkdirSync(FOLDER, { recursive: true });
  const module = readFileSync(MODULE);
  const digest = join(FOLDER, 'moult.sha256');
  keep(digest, createHash('sha256').update(module).digest());
  run('cmake', [
    ...['-S', join(ROOT, 'host/qemu'), '-B', FOLDER],
    `-DCMAKE_TOOLCHAIN_FILE=${join(ROOT, 'host/qemu/riscv/toolchain.cmake')}`,
    `-DFETCHCONTENT_SOURCE_DIR_WASM3=${SOURCE}`,
    `-DMOULT_MODULE=${MODULE}`,
    `-DMOULT_MODULE_SHA256=${digest}`,
    `-DMOULT_MODULE_MEMORY=${await memoryUsed(module)}`,
  ]);
  run('cmake', ['--build', FOLDER, '--parallel', '2']);
  if (spawnSync('wasm2c', ['--version']).status === 0) buildCompiled(module);
}

/** The image whose core is compiled ahead of time: build/qemu-aot/image.bin. */
function buildCompiled(module) {
  const folder = `${FOLDER}-aot`;
  run('cmake', [
    ...['-S', join(ROOT, 'host/qemu'), '-B', folder, '-DMOULT_AOT=ON'],
    `-DCMAKE_TOOLCHAIN_FILE=${join(ROOT, 'host/qemu/riscv/toolchain.cmake')}`,
    `-DMOULT_MODULE=${MODULE}`,
    `-DMOULT_MODULE_SHA256=${createHash('sha256').update(module).digest('hex')}`,
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

build().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
