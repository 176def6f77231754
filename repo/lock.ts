// One writer at a time. The lock is a file that names its holder; it appears with its content in one step (a link),
// so a reader never sees half of it. The lock of a process that died is taken over.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { RepositoryError, systemCode } from './errors.ts';

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, in the system's own unit: a process id may come again. '' where it is not told. */
  readonly started: string;
  readonly token: string;
}

export interface Lock {
  /** Refuses when the lock is no longer ours; called right before a change becomes visible. */
  assertHeld(): Promise<void>;
  release(): Promise<void>;
}

const ATTEMPTS = 5;

/** Takes the lock of a repository, or refuses with `repository-locked` and says who has it. */
export async function takeLock(directory: string): Promise<Lock> {
  const path = join(directory, '.lock');
  const holder: Holder = {
    pid: process.pid,
    host: hostname(),
    started: startOf(process.pid),
    token: randomUUID(),
  };
  const candidate = join(directory, '.tmp', `lock-${holder.token}`);
  await mkdir(join(directory, '.tmp'), { recursive: true });
  await writeFile(candidate, JSON.stringify(holder));
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await tryLink(candidate, path)) return heldLock(path, holder);
      await clearWhenStale(path, candidate);
    }
  } finally {
    await rm(candidate, { force: true });
  }
  throw new RepositoryError(
    'repository-locked',
    `${directory} is being changed by another process; try again`,
  );
}

function heldLock(path: string, holder: Holder): Lock {
  const isOurs = async () => (await readHolder(path))?.token === holder.token;
  return {
    async assertHeld() {
      if (!(await isOurs()))
        throw new RepositoryError('repository-locked', `${path} was taken over; nothing was published`);
    },
    async release() {
      if (await isOurs()) await rm(path, { force: true });
    },
  };
}

async function tryLink(candidate: string, path: string): Promise<boolean> {
  try {
    await link(candidate, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a dead process's lock away. A rename takes one certain file: of several that try, one gets it. */
async function clearWhenStale(path: string, candidate: string): Promise<void> {
  const found = await readHolder(path);
  if (found === undefined) return;
  if (isAlive(found)) throw busy(path, found);
  const aside = `${candidate}-stale`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  // Between reading and renaming another process may have cleared it and taken the lock: then give it back.
  if ((await readHolder(aside))?.token !== found.token) await tryLink(aside, path);
  await rm(aside, { force: true });
}

function busy(path: string, holder: Holder): RepositoryError {
  const where = holder.host === hostname() ? '' : ` on ${holder.host}`;
  const hint = where === '' ? 'try again when it is done' : `remove ${path} if that process is gone`;
  return new RepositoryError(
    'repository-locked',
    `the repository is being changed by process ${holder.pid}${where}; ${hint}`,
  );
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return parseHolder(await readFile(path, 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** A lock that cannot be read has no living holder. */
function parseHolder(text: string): Holder {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return { pid: 0, host: hostname(), started: '', token: text };
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives, but belongs to someone else.
    if (systemCode(error) !== 'EPERM') return false;
  }
  return holder.pid > 0 && startOf(holder.pid) === holder.started;
}

function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
