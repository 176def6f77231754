#!/usr/bin/env node
// host/esp32 for this machine: `node scripts/esp32.mjs` builds it with CMake against headers with ESP-IDF's signatures and
// fakes of flash, otadata, NVS, eFuses, HTTP and FreeRTOS (test/c/esp32), with ASan and UBSan: as of ESP-IDF 6 with the
// core compiled ahead of time and the counter in eFuses, into build/esp32-6, and as of ESP-IDF 5 under wasm3 with the
// counter in NVS, into build/esp32-5. It needs cmake, a C compiler, wasm2c (Debian: wabt) and the wasm3 of scripts/wasm3.mjs.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone } from './lock.mjs';
import { check, run, SOURCE } from './wasm3.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const MODULE = join(ROOT, 'build/moult.wasm');

function build(version, options) {
  const folder = join(ROOT, `build/esp32-${version}`);
  mkdirSync(folder, { recursive: true });
  const parameters = { ...options(folder), MOULT_IDF: version, MOULT_MODULE: MODULE };
  const list = Object.entries(parameters).map(([name, value]) => `-D${name}=${value}`);
  run('cmake', ['-S', join(ROOT, 'test/c/esp32'), '-B', folder, ...list]);
  run('cmake', ['--build', folder, '--parallel', '2']);
}

function digest() {
  return createHash('sha256').update(readFileSync(MODULE)).digest();
}

function withWasm3(folder) {
  check(SOURCE);
  const path = join(folder, 'moult.sha256');
  writeFileSync(path, digest());
  return {
    MOULT_ENGINE: 'wasm3',
    MOULT_COUNTER: 'nvs',
    MOULT_MODULE_SHA256: path,
    FETCHCONTENT_SOURCE_DIR_WASM3: SOURCE,
  };
}

function aheadOfTime() {
  return { MOULT_ENGINE: 'aot', MOULT_COUNTER: 'efuse', MOULT_MODULE_SHA256: digest().toString('hex') };
}

try {
  await alone(() => {
    build(6, aheadOfTime);
    build(5, withWasm3);
  });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
