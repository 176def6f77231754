// What every command shares: where it runs, how it speaks, the repository it works on, the status it ends with.
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Clock, openRepository, type Repository, RepositoryError, systemCode } from '../repo/index.ts';
import { EXIT, type ExitStatus } from './exit.ts';
import { createOutput, type Output, type Terminal } from './output.ts';
import { askPassphrase } from './passphrase.ts';

/** The outside of a command: a process, or a test. */
export interface Io extends Terminal {
  readonly stdin: NodeJS.ReadableStream;
  readonly cwd: string;
  readonly clock: Clock;
  /** Registers what to do when the user wants to stop (Ctrl-C). */
  readonly onStop: (stop: () => void) => void;
}

export interface GlobalOptions {
  readonly dir: string;
  readonly json: boolean;
  readonly passphraseFile?: string;
}

export class Session {
  readonly io: Io;
  readonly output: Output;
  /** Set by a command that succeeded in finding something wrong, as `status` and `verify` do. */
  exit: ExitStatus = EXIT.ok;
  readonly #options: GlobalOptions;
  #passphrase: Promise<string> | undefined;

  constructor(io: Io, options: GlobalOptions) {
    this.io = io;
    this.output = createOutput(io, options.json);
    this.#options = options;
  }

  /** The repository's folder, from -C. */
  get directory(): string {
    return resolve(this.io.cwd, this.#options.dir);
  }

  /** A path as the user typed it. */
  path(text: string): string {
    return resolve(this.io.cwd, text);
  }

  /** A path inside the repository's folder. */
  inside(...parts: string[]): string {
    return join(this.directory, ...parts);
  }

  openRepository(): Promise<Repository> {
    return openRepository(this.directory, { clock: this.io.clock, passphrase: () => this.passphrase(false) });
  }

  /** Asked for once; `fresh`: for new keys, typed twice. */
  passphrase(fresh: boolean): Promise<string> {
    const file = this.#options.passphraseFile;
    this.#passphrase ??= askPassphrase(this.io, file === undefined ? undefined : this.path(file), fresh);
    return this.#passphrase;
  }
}

/** For options that may be repeated. */
export function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

/** For options that take one of a few words. */
export function oneOf<T extends string>(what: string, words: readonly T[], text: string): T {
  const word = words.find((candidate) => candidate === text);
  if (word === undefined)
    throw new RepositoryError('bad-argument', `${what} is one of ${words.join(', ')}, not "${text}"`);
  return word;
}

/** A small file that the user named; `what` is it called in the message. */
export async function readInput(what: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = systemCode(error) === 'ENOENT' ? 'file-missing' : 'file-unreadable';
    throw new RepositoryError(code, `${what} ${path} cannot be read (${systemCode(error)})`, error);
  }
}
