// What test/c/boot_test.c says to scripts, as it is and under sanitizers.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import type { FlashFaults } from '../../sim/flash.ts';
import { HOW_TO_GET_WASM3, wasm3Build } from '../fixtures/wasm3.ts';
import { optional } from '../optional.ts';

export type Scripts = readonly (readonly [name: string, script: () => string[]])[];

const PROGRAM = wasm3Build('boot_test');
const SANITIZED = join(dirname(wasm3Build('.')), 'wasm3-sanitize/boot_test');
const HOW_TO_SANITIZE = 'node scripts/wasm3.mjs build --sanitize (it needs a C compiler with ASan and UBSan)';

/** Registers each script as a test, and once more under sanitizers. */
export function describeScripts(title: string, scripts: Scripts): void {
  for (const [how, program, howToGet] of [
    ['', PROGRAM, HOW_TO_GET_WASM3],
    [', under ASan and UBSan', SANITIZED, HOW_TO_SANITIZE],
  ] as const)
    describe(`${title}${how}`, () => {
      const withProgram = optional(existsSync(program), howToGet);
      for (const [name, script] of scripts) withProgram(name, () => play(program, script()));
    });
}

/** Flash whose writes and erases fail, or whose writes program something else: an erased byte comes first. */
export function faultsOf(kind: 'fail' | 'lie', erased: number): FlashFaults {
  const wrong = (data: Uint8Array) => data.map((byte, at) => (at === 0 ? erased : byte));
  return { write: (_, __, data) => kind === 'lie' && wrong(data), erase: () => kind === 'lie' };
}

function play(program: string, lines: readonly string[]): void {
  const { status, stdout } = spawnSync(program, { input: `${lines.join('\n')}\n`, encoding: 'utf8' });
  const at = Number(/^line (\d+)/.exec(stdout)?.[1]);
  const context = at ? lines.slice(Math.max(0, at - 5), at).join('\n') : '';
  expect({ status, said: stdout, context }).toEqual({
    status: 0,
    said: `${lines.length} lines\n`,
    context: '',
  });
}
