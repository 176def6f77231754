// The high-water mark: the number of the newest signed file that was served, kept outside of the database. A database
// that knows less was restored from an old backup, and would sign versions again that devices have seen already
// (rollback, two contents under one version). Each process has a file of its own; the highest of all counts.
import { type FileHandle, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { RepositoryError, systemCode } from '../../repo/index.ts';

const DIGITS = 16;

export class Mark {
  readonly #handle: FileHandle;
  #written: number;
  #wanted: number;
  #writing: Promise<void> | undefined;

  private constructor(handle: FileHandle, value: number) {
    this.#handle = handle;
    this.#written = 0;
    this.#wanted = value;
  }

  /** Takes over what earlier processes left in the folder. */
  static async open(folder: string): Promise<Mark> {
    await mkdir(folder, { recursive: true });
    const value = await readMark(folder);
    const own = `${hostname()}-${process.pid}`;
    const mark = new Mark(await open(join(folder, own), 'w', 0o644), value);
    await mark.#write();
    await removeOthers(folder, own);
    return mark;
  }

  get value(): number {
    return this.#wanted;
  }

  /** Returns once the mark on disk is `value` or above. What is numbered so may be served then, not before. */
  async raise(value: number): Promise<void> {
    this.#wanted = Math.max(this.#wanted, value);
    while (this.#written < value) {
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined;
      });
      await this.#writing;
    }
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#handle.close();
  }

  /** One sector, so that it is written as a whole. */
  async #write(): Promise<void> {
    const value = this.#wanted;
    await this.#handle.write(`${String(value).padStart(DIGITS, '0')}\n`, 0);
    await this.#handle.datasync();
    this.#written = value;
  }
}

/** The highest mark in the folder; 0: nothing was served from here. */
export async function readMark(folder: string): Promise<number> {
  let highest = 0;
  for (const name of await names(folder)) {
    const text = await readFile(join(folder, name), 'utf8');
    if (text === '') continue;
    if (!/^\d{16}\n$/.test(text))
      throw new RepositoryError('repository-corrupt', `${join(folder, name)} is not a high-water mark`);
    highest = Math.max(highest, Number(text));
  }
  return highest;
}

/** Those of processes of this machine that have ended; their highest is in our own by now. */
async function removeOthers(folder: string, own: string): Promise<void> {
  for (const name of await names(folder)) {
    const [, host, pid] = /^(.*)-(\d+)$/.exec(name) ?? [];
    if (name !== own && host === hostname() && !isRunning(Number(pid)))
      await rm(join(folder, name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
