// One build at a time in a clone: two in one folder would trample on each other. As in cli/lock.ts each process has a mark of
// its own, and looks for others after it was made: of two that come at once one at least sees the other, and makes way.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const BUILD = join(dirname(fileURLToPath(import.meta.url)), '../build');
const MARK = /^\.building-(\d+)-(\d+)$/;
/** Milliseconds between two looks, and up to as many again by chance, lest two make way for each other for ever. */
const PAUSE = 100;

/** What `act` returns, when it has had the folder to itself. The lock of a process that was killed holds nobody up. */
export async function alone(act, folder = BUILD) {
  const release = await take(folder);
  try {
    return await act();
  } finally {
    release();
  }
}

async function take(folder) {
  const own = join(folder, `.building-${process.pid}-${startOf(process.pid)}`);
  const release = () => rmSync(own, { force: true });
  mkdirSync(folder, { recursive: true });
  for (let told = false; ; told = true) {
    writeFileSync(own, '');
    const holder = livingHolder(folder);
    if (holder === undefined) return release;
    release();
    if (!told) console.error(`waiting for process ${holder}, which builds in ${folder}`);
    await setTimeout(PAUSE * (1 + Math.random()));
  }
}

/** Another process that lives and has a mark. Marks of dead ones go; nobody else will have their names. */
function livingHolder(folder) {
  for (const name of readdirSync(folder)) {
    const [, pid, start] = MARK.exec(name) ?? [];
    if (pid === undefined || Number(pid) === process.pid) continue;
    if (isAlive(Number(pid), start)) return pid;
    rmSync(join(folder, name), { force: true });
  }
  return undefined;
}

function isAlive(pid, start) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false; // else it lives, but belongs to someone else
  }
  return startOf(pid) === start;
}

/** When a process started, in ticks since the machine did; 0 where the system does not say. */
function startOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[19] ?? '0';
  } catch {
    return '0';
  }
}
