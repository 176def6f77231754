// What test/c/boot_test.c says to a script.
import { spawnSync } from 'node:child_process';
import { expect } from 'vitest';

export function playBoot(program: string, lines: readonly string[]): void {
  const { status, stdout } = spawnSync(program, { input: `${lines.join('\n')}\n`, encoding: 'utf8' });
  const at = Number(/^line (\d+)/.exec(stdout)?.[1]);
  const context = at ? lines.slice(Math.max(0, at - 5), at).join('\n') : '';
  expect({ status, said: stdout, context }).toEqual({
    status: 0,
    said: `${lines.length} lines\n`,
    context: '',
  });
}
