// Builds in one folder at the same time: scripts/lock.mjs, and the scripts that build with it.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../scripts/abi.ts';
import { temporaryFolder } from './fixtures/folders.ts';
import { HOW_TO_GET_WASM3, wasm3Build } from './fixtures/wasm3.ts';
import { optional } from './optional.ts';

const has = (tool: string) => spawnSync(tool, ['--version']).status === 0;

/** Notes who begins and who ends, and does between the two what cmake does. */
const WATCHED_CMAKE = `#!/bin/sh
echo "begin $PPID" >> "$WATCHED"
PATH="$REST" cmake "$@"
status=$?
echo "end $PPID" >> "$WATCHED"
exit $status
`;

optional(existsSync(wasm3Build('source')) && has('clang'), `${HOW_TO_GET_WASM3}, and clang`)(
  'of two builds that are started at once in one folder one waits for the other, and both succeed',
  async () => {
    const folder = temporaryFolder();
    const watched = join(folder, 'watched');
    writeFileSync(join(folder, 'cmake'), WATCHED_CMAKE);
    chmodSync(join(folder, 'cmake'), 0o755);
    const { PATH } = process.env;
    const env = { ...process.env, PATH: `${folder}:${PATH}`, REST: PATH, WATCHED: watched };
    const script = join(projectRoot(), 'scripts/wasm3.mjs');
    const build = () => spawn(process.execPath, [script, 'build', '--clang'], { env, stdio: 'ignore' });
    const statuses = await Promise.all([build(), build()].map(statusOf));
    expect(statuses).toEqual([0, 0]);
    const turns = runs(readFileSync(watched, 'utf8').trim().split('\n'));
    expect(turns).toHaveLength(2);
  },
  240_000,
);

test('of five processes that want the lock each has it once, and no two at once', async () => {
  const folder = temporaryFolder();
  const holders = Array.from({ length: 5 }, () => holder(folder, 20));
  expect(await Promise.all(holders.map(statusOf))).toEqual([0, 0, 0, 0, 0]);
  expect(runs(readFileSync(join(folder, 'watched'), 'utf8').trim().split('\n'))).toHaveLength(5);
  expect(readdirSync(folder)).toEqual(['watched']);
});

test('the lock of a build that was killed holds nobody up', async () => {
  const folder = temporaryFolder();
  const killed = holder(folder, 60_000);
  while (!existsSync(join(folder, 'watched'))) await new Promise((done) => setTimeout(done, 10));
  killed.kill('SIGKILL');
  await statusOf(killed);
  expect(readdirSync(folder)).toHaveLength(2);
  expect(await statusOf(holder(folder, 0))).toBe(0);
  expect(readdirSync(folder)).toEqual(['watched']);
});

/** A process that has the lock for so many milliseconds, and notes when. */
function holder(folder: string, milliseconds: number): ChildProcess {
  const program = `
    import { appendFileSync } from 'node:fs';
    import { setTimeout } from 'node:timers/promises';
    import { alone } from ${JSON.stringify(join(projectRoot(), 'scripts/lock.mjs'))};
    const note = (what) => appendFileSync('watched', what + ' ' + process.pid + '\\n');
    await alone(async () => {
      note('begin');
      await setTimeout(${milliseconds});
      note('end');
    }, '.');`;
  const parameters = ['--input-type=module', '-e', program];
  return spawn(process.execPath, parameters, { cwd: folder, stdio: 'ignore' });
}

async function statusOf(child: ChildProcess): Promise<unknown> {
  const [status] = await once(child, 'close');
  return status;
}

/** Who had it, one after the other. Throws when a second one began before the first one had ended. */
function runs(lines: readonly string[]): string[] {
  const turns: string[] = [];
  for (const [index, line] of lines.entries()) {
    const [what, who = ''] = line.split(' ');
    if (what === 'begin' && who !== turns.at(-1)) turns.push(who);
    if (what === 'begin') expect(lines[index + 1]).toBe(`end ${who}`);
  }
  return turns;
}
