// The port to Zephyr (host/zephyr): compiled against headers with Zephyr's signatures, and run over a flash map in memory
// with the model of MCUboot that the emulated boards have.
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { projectRoot } from '../../scripts/abi.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { mcubootImage } from '../fixtures/images.ts';
import { optional } from '../optional.ts';

const HOST = join(projectRoot(), 'host');
const FAKES = join(projectRoot(), 'test/c/zephyr');
const WARNINGS = ['-std=c99', '-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Werror'];
const OPTIONS = [
  ...WARNINGS,
  '-DCONFIG_MOULT_RESERVED=0x2000',
  `-I${join(FAKES, 'include')}`,
  ...['zephyr', 'wasm3', 'device', 'qemu', 'conformance'].map((folder) => `-I${join(HOST, folder)}`),
];
const SOURCES = [
  ...['zephyr/port', 'qemu/swap', 'wasm3/sha256'],
  ...['mcuboot', 'ring', 'boot', 'crc32'].map((name) => `device/${name}`),
  ...['conformance', 'layout', 'flash', 'rest', 'say'].map((name) => `conformance/${name}`),
];

const has = (tool: string) => spawnSync(tool, ['--version']).status === 0;

describe('the port to Zephyr', () => {
  optional(has('cc'), 'a C compiler with ASan and UBSan')(
    'keeps the contract over a flash map and swaps, through trials, a revert and confirmations',
    () => {
      const program = build();
      const image = put(mcubootImage({ payload: 5000 }));
      const { status, stdout, stderr } = spawnSync(program, [image], { encoding: 'utf8' });
      expect(stdout.split('\n').filter((line) => line.startsWith('BROKEN'))).toEqual([]);
      expect(stdout).toContain('boots of a trial: 1');
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    },
  );

  const compilers = {
    'a PC': ['cc'],
    'a Cortex-M4': ['arm-none-eabi-gcc', '-mcpu=cortex-m4', '-mthumb', '--specs=picolibc.specs'],
  };
  for (const [machine, [compiler = '', ...options]] of Object.entries(compilers))
    optional(has(compiler), `${compiler} (Debian: gcc, gcc-arm-none-eabi and picolibc-arm-none-eabi)`)(
      `and its sample compile without a warning for ${machine}`,
      () => {
        for (const source of ['zephyr/port.c', 'zephyr/sample/src/main.c'])
          compile(compiler, [...options, '-Os', '-c', join(HOST, source), '-o', '/dev/null']);
      },
    );
});

/** The test's program. */
function build(): string {
  const program = join(temporaryFolder(), 'zephyr');
  const sanitizers = ['-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  const sources = [join(FAKES, 'conformance.c'), ...SOURCES.map((name) => join(HOST, `${name}.c`))];
  compile('cc', ['-D_DEFAULT_SOURCE', ...sanitizers, ...sources, '-o', program]);
  return program;
}

function compile(compiler: string, parameters: readonly string[]): void {
  execFileSync(compiler, [...OPTIONS, ...parameters], { stdio: 'pipe' });
}

function put(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'image.bin');
  writeFileSync(path, bytes);
  return path;
}
