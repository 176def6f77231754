// The shim over a core that was compiled ahead of time: modules that misbehave, each translated and built with
// test/c/compiled_test.c, which says what they come to.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { projectRoot } from '../../scripts/abi.ts';
import { HOW_TO_GET_AOT } from '../fixtures/aot.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { moduleWith } from '../fixtures/modules.ts';
import { optional } from '../optional.ts';

const ROOT = projectRoot();
const TRANSLATE = join(ROOT, 'host/aot/translate.mjs');
const SOURCES = ['aot/moult.c', 'wasm3/calls.c', 'wasm3/imports.c', 'wasm3/sha256.c'];
const TRAPPED = `open 0; start ${Status.TRAP}; again ${Status.TRAP}; opened again 0\n`;
/** state_read: 24,576 bytes of memory are used. */
const memory = { state_read: [0x41, 0x80, 0xc0, 0x01] };

const has = (tool: string) => spawnSync(tool, ['--version']).status === 0;
const withCompiler = optional(has('wasm2c') && has('gcc'), HOW_TO_GET_AOT);

/** What the program says that has this as its core. */
function outcome(code: Readonly<Record<string, readonly number[]>>, ...options: readonly string[]): string {
  const folder = temporaryFolder();
  const module = join(folder, 'core.wasm');
  const bytes = moduleWith({ ...memory, ...code });
  writeFileSync(module, bytes);
  execFileSync(process.execPath, [TRANSLATE, module, sha256(bytes), folder]);
  const program = join(folder, 'program');
  execFileSync('gcc', [
    ...['-std=gnu99', '-w', '-O1', '-o', program, `-I${folder}`],
    ...['aot', 'wasm3'].map((path) => `-I${join(ROOT, 'host', path)}`),
    ...SOURCES.map((path) => join(ROOT, 'host', path)),
    ...['compiled_test.c', 'flash.c'].map((path) => join(ROOT, 'test/c', path)),
    join(folder, 'core.c'),
  ]);
  return execFileSync(program, options, { encoding: 'utf8' });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('a core that was compiled ahead of time', () => {
  withCompiler('ends at a trap, and is opened again', () => {
    expect(outcome({ core_start: [0x00] })).toBe(TRAPPED);
  });

  withCompiler('ends at an access one byte outside of its memory', () => {
    // i32.load offset=4 of 24569; of 24568 it is the last one inside
    expect(outcome({ core_start: [0x41, 0xf9, 0xbf, 0x01, 0x28, 0, 4] })).toBe(TRAPPED);
    expect(outcome({ core_start: [0x41, 0xf8, 0xbf, 0x01, 0x28, 0, 4] })).toMatch('start 0');
  });

  withCompiler('ends at an address and an offset whose sum wraps around', () => {
    // i32.load offset=4294967295 of 1
    expect(outcome({ core_start: [0x41, 1, 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0x0f] })).toBe(TRAPPED);
  });

  withCompiler('ends when it gives the board memory that is not all its own', () => {
    // flash_read(0, 0, 24575, 2)
    expect(outcome({ core_start: [0x41, 0, 0x41, 0, 0x41, 0xff, 0xbf, 0x01, 0x41, 2, 0x10, 0] })).toBe(
      TRAPPED,
    );
  });

  withCompiler('ends at its deadline, which it is asked for with all that it asks of the board', () => {
    // loop: flash_read(0, 0, 0, 0), drop, again
    const asks = [0x41, 0, 0x41, 0, 0x41, 0, 0x41, 0, 0x10, 0, 0x1a];
    expect(outcome({ core_start: [0x03, 0x40, ...asks, 0x0c, 0, 0x0b, 0x41, 0] }, 'ticks')).toBe(
      TRAPPED.replaceAll(`${Status.TRAP}`, `${Status.DEADLINE}`),
    );
  });

  withCompiler('is refused with another ABI version', () => {
    expect(outcome({ abi_version: [0x41, 1] })).toMatch(`open ${Status.ABI_VERSION};`);
  });

  withCompiler('is the only one, and no other module than the one whose hash a port may state', () => {
    expect(outcome({ core_start: [0x41, 0, 0x41, 0, 0x41, 0, 0x41, 0, 0x10, 0] }, 'others')).toBe(
      `second ${Status.WRONG_STATE}; hash ${Status.MODULE_HASH}; inside ${Status.WRONG_STATE}; closed ${Status.WRONG_STATE}\n`,
    );
  });

  withCompiler('is not built from a module with another hash than the build states', () => {
    const folder = temporaryFolder();
    mkdirSync(folder, { recursive: true });
    const module = join(folder, 'core.wasm');
    writeFileSync(module, moduleWith({}));
    const { status, stderr } = spawnSync(process.execPath, [TRANSLATE, module, '00', folder], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('not 00 as the build says'),
    });
  });
});
