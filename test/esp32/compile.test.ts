// host/esp32 for the processors that it is for: rv32imc as in the ESP32-C3, and Xtensa as far as Debian has it (that of the
// ESP8266, whose calls do not slide a window over the registers). Compiled, and never run: there is no such board here.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { projectRoot } from '../../scripts/abi.ts';
import { HOW_TO_GET_ESP32 } from '../fixtures/esp32.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { optional } from '../optional.ts';

const ROOT = projectRoot();
/** A C library's headers say the same to every 32-bit processor. */
const LIBRARY = '/usr/lib/picolibc/riscv64-unknown-elf/include';
/** The core compiled ahead of time, as scripts/esp32.mjs leaves it. */
const CORE = join(ROOT, 'build/esp32-6/engine/core');

const COMPILERS = [
  {
    name: 'rv32imc',
    program: 'riscv64-unknown-elf-gcc',
    flags: ['-misa-spec=2.2', '-march=rv32imc', '-mabi=ilp32', '-isystem', LIBRARY],
    get: 'gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf',
  },
  {
    name: 'Xtensa',
    program: 'xtensa-lx106-elf-gcc',
    flags: ['-mlongcalls', '-mtext-section-literals', '-isystem', LIBRARY],
    get: 'gcc-xtensa-lx106 picolibc-riscv64-unknown-elf',
  },
] as const;

const WARNINGS = ['-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Werror'];
const TIMEOUT = 300_000;

/** Bytes of C stack that the core may take, what the port takes in its callbacks not counted. */
const CORE_STACK = 1024;
/** Bytes of a frame of the port. */
const PORT_FRAME = 320;

function sources(): string[] {
  return ['host/esp32/src', 'host/esp32/example/main']
    .flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => join(ROOT, folder, name)))
    .filter((path) => path.endsWith('.c'));
}

/** Bytes of the longest chain of calls; a call back to where one came from is not followed. */
function deepest(graph: string): number {
  const sizes = new Map<string, number>();
  const calls = new Map<string, string[]>();
  for (const [, name = '', bytes] of graph.matchAll(
    /^node: \{ title: "([^"]+)" label: "[^"]*\\n(\d+) bytes/gm,
  ))
    sizes.set(name, Number(bytes));
  for (const [, from = '', to = ''] of graph.matchAll(
    /^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"/gm,
  ))
    calls.set(from, [...(calls.get(from) ?? []), to]);
  const known = new Map<string, number>();
  const depth = (name: string): number => {
    const found = known.get(name);
    if (found !== undefined) return found;
    known.set(name, 0);
    const total = (sizes.get(name) ?? 0) + Math.max(0, ...(calls.get(name) ?? []).map(depth));
    known.set(name, total);
    return total;
  };
  return Math.max(...[...sizes.keys()].map(depth));
}

for (const { name, program, flags, get } of COMPILERS) {
  const available = spawnSync(program, ['--version']).status === 0 && existsSync(LIBRARY);
  const withCompiler = optional(available, `apt-get install ${get}`);
  const withCore = optional(available && existsSync(CORE), `apt-get install ${get}; ${HOW_TO_GET_ESP32}`);

  describe(`host/esp32 for ${name}`, () => {
    for (const version of [5, 6])
      withCompiler(
        `compiles with the signatures of ESP-IDF ${version}, without a warning, in small frames`,
        () => {
          const folder = temporaryFolder();
          const includes = [
            'host/esp32/include',
            'host/esp32/src',
            `test/c/esp32/idf${version}`,
            'test/c/esp32/stubs',
            'test/c/esp32/stubs/example',
            'host/device',
            'host/wasm3',
          ].map((path) => `-I${join(ROOT, path)}`);
          const options = [...flags, '-std=c99', '-Os', ...WARNINGS, '-fstack-usage', ...includes];
          execFileSync(program, [...options, '-c', ...sources()], { cwd: folder, stdio: 'pipe' });
          const frames = readdirSync(folder)
            .filter((file) => file.endsWith('.su'))
            .flatMap((file) => readFileSync(join(folder, file), 'utf8').trim().split('\n'))
            .map((line) => line.split('\t'));
          expect(frames.length).toBeGreaterThan(50);
          expect(frames.filter(([, bytes, kind]) => Number(bytes) > PORT_FRAME || kind !== 'static')).toEqual(
            [],
          );
        },
        TIMEOUT,
      );

    withCore(
      `the core compiled ahead of time takes less than ${CORE_STACK} bytes of stack`,
      () => {
        const folder = temporaryFolder();
        const options = [...flags, '-std=c99', '-Os', '-w', '-fcallgraph-info=su'];
        const core = [`-I${join(ROOT, 'host/aot')}`, `-I${CORE}`, '-c', join(CORE, 'core.c')];
        execFileSync(program, [...options, ...core], { cwd: folder, stdio: 'pipe' });
        const bytes = deepest(readFileSync(join(folder, 'core.ci'), 'utf8'));
        expect(bytes).toBeGreaterThan(300);
        expect(bytes).toBeLessThan(CORE_STACK);
      },
      TIMEOUT,
    );
  });
}
