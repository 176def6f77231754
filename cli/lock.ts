// One process at a time in a folder. A process that died holds nothing, whoever has its number now.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HostError } from '../host/node/errors.ts';

const MARK = /^running-(\d+)-(\d+)$/;

/**
 * Takes a folder; the result gives it back. Throws `flash-file` when a living process has it. Each process has a mark
 * of its own and looks for others after it was made: of two that come at once one at least sees the other.
 */
export function lock(folder: string): () => void {
  const own = `running-${process.pid}-${startOf(process.pid)}`;
  const unlock = () => rmSync(join(folder, own), { force: true });
  writeFileSync(join(folder, own), '');
  for (const name of readdirSync(folder)) {
    const [, pid, start] = MARK.exec(name) ?? [];
    if (pid === undefined || start === undefined || name === own) continue;
    if (isAlive(Number(pid), start)) {
      unlock();
      throw new HostError('flash-file', `${folder} is in use by process ${pid}`);
    }
    rmSync(join(folder, name), { force: true });
  }
  return unlock;
}

function isAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // It lives, but belongs to someone else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  return startOf(pid) === start;
}

/** When a process started, in ticks since the machine did; 0 where the system does not say. */
function startOf(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[19] ?? '0';
  } catch {
    return '0';
  }
}
