// The shim in C, with faults on every side: test/c/shim_test.c, built by scripts/wasm3.mjs. Here are its inputs, made
// by the other host, and what it must leave behind.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { projectRoot } from '../../scripts/abi.ts';
import type { SimDevice } from '../../sim/device.ts';
import { RELEASE_2, World } from '../../sim/scenarios/world.ts';
import { exportIndex as index, moduleWith } from '../fixtures/modules.ts';
import { HOW_TO_GET_WASM3, wasm3Build } from '../fixtures/wasm3.ts';
import { optional } from '../optional.ts';

const PROGRAM = wasm3Build('shim_test');
const SANITIZED = join(dirname(wasm3Build('.')), 'wasm3-sanitize/shim_test');
const withProgram = optional(existsSync(PROGRAM), HOW_TO_GET_WASM3);
const withSanitizers = optional(
  existsSync(SANITIZED),
  'node scripts/wasm3.mjs build --sanitize (it needs a C compiler with ASan and UBSan)',
);

const CASES = [
  ['update', 'a whole update leaves the flash as the other host leaves it, byte for byte'],
  [
    'allocations',
    'an allocation that fails, at every point there is, is a status, and the device still boots',
  ],
  ['memory', 'any amount of memory is enough or refused'],
  ['bits', 'a module with a bit flipped is refused before it is parsed'],
  ['hash', 'the hash of the module is SHA-256'],
  ['version', 'another ABI version, and bytes that are no module, are refused'],
  ['deadline', 'a core that takes too long is ended, and the device still boots'],
  ['trap', 'a trap and a pointer outside the memory end the core, and the device still boots'],
  ['lies', 'flash and boot decision that lie or fail, at any moment, cost an update but never the device'],
  [
    'blocks',
    'a board that hashes blocks for the core changes nothing; one that does not is asked once a boot',
  ],
  [
    'late',
    'functions compiled when they are called, in less memory: the same flash, or MEMORY and later the same',
  ],
  ['entropy', 'random bytes are those of the board, or the core is told that there are none'],
  ['misuse', 'calls that do not belong where they are made are refused'],
] as const;

let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'moult-shim-'));
  const core = readFileSync(join(projectRoot(), 'build/moult.wasm'));
  put('core.wasm', core);
  put('core.sha256', createHash('sha256').update(core).digest());
  for (const [name, module] of Object.entries(OTHER_MODULES)) put(`${name}.wasm`, module);
  const world = new World();
  world.device.powerOn();
  put('flash.bin', contents(world.device));
  world.repository.publish(RELEASE_2);
  for (const [path, bytes] of world.repository.files) put(path, bytes);
  await world.update();
  put('expected.bin', contents(world.device));
  put('image.bin', RELEASE_2.image);
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('the shim', () => {
  for (const [name, what] of CASES) withProgram(what, () => run(PROGRAM, name));
});

describe('the C sources', () => {
  const has = (tool: string) => spawnSync(tool, ['--version']).status === 0;
  const built = existsSync(PROGRAM);
  const script = join(projectRoot(), 'scripts/wasm3.mjs');

  optional(built && has('clang'), `${HOW_TO_GET_WASM3}, and clang`)(
    'compile without a warning in clang',
    () => quiet(process.execPath, [script, 'build', '--clang']),
  );

  optional(built && has('cppcheck'), `${HOW_TO_GET_WASM3}, and cppcheck`)('cppcheck finds nothing', () => {
    const ours = ['host/wasm3', 'host/device', 'host/posix', 'test/c'].map((path) =>
      join(projectRoot(), path),
    );
    const source = wasm3Build('source/source');
    quiet('cppcheck', [
      ...['--quiet', '--enable=warning,portability,performance', '--error-exitcode=1', '--std=c99'],
      ...['--suppress=missingIncludeSystem', `--suppress=*:${source}/*`, '-Dd_m3HasFloat=0'],
      ...[source, ...ours].map((path) => `-I${path}`),
      ...ours,
    ]);
  });
});

describe('the shim under ASan and UBSan', () => {
  for (const [name, what] of CASES) withSanitizers(what, () => run(SANITIZED, name));
});

function run(program: string, name: string): void {
  quiet(program, [name, folder]);
}

/** What ends well may say what it likes; what fails is quoted. */
function quiet(program: string, parameters: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(program, parameters, { encoding: 'utf8' });
  expect({ status, said: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, said: '' });
}

function put(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), bytes);
}

/** The areas of the core, one after the other. */
function contents({ flash }: SimDevice): Uint8Array {
  const areas = flash.geometry.slice(0, 5).map((_, area) => {
    const bytes = new Uint8Array(flash.size(area));
    flash.read(area, 0, bytes);
    return bytes;
  });
  return Buffer.concat(areas);
}

const OTHER_MODULES = {
  old: moduleWith({ abi_version: [0x41, 1] }),
  // unreachable
  trap: moduleWith({ core_start: [0x00] }),
  // loop: call agent_until, drop, again
  endless: moduleWith({ core_start: [0x03, 0x40, 0x10, index('agent_until'), 0x1a, 0x0c, 0, 0x0b, 0x41, 0] }),
  // flash_read(0, 0, 24575, 2), two bytes of which only one is memory
  outside: moduleWith({ core_start: [0x41, 0, 0x41, 0, 0x41, 0xff, 0xbf, 0x01, 0x41, 2, 0x10, 0] }),
  // sha256_compress(24545, 0) and (0, 24513): the last byte is outside
  'outside-state': moduleWith({ core_start: [0x41, 0xe1, 0xbf, 0x01, 0x41, 0, 0x10, 1] }),
  'outside-block': moduleWith({ core_start: [0x41, 0, 0x41, 0xc1, 0xbf, 0x01, 0x10, 1] }),
  // entropy(24544, 33) and (16, 32)
  'outside-entropy': moduleWith({ core_start: [0x41, 0xe0, 0xbf, 0x01, 0x41, 33, 0x10, 2] }),
  entropy: moduleWith({ core_start: [0x41, 16, 0x41, 32, 0x10, 2] }),
};
