// The trusted metadata as files, for people and for other tools: ROLE.json, byte for byte as it was received. The names
// of delegated roles, which the trust store does not keep, are in a list beside it.
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Role } from '../../host/node/abi.ts';
import type { Core } from '../../host/node/core.ts';

const TOP = new Map([
  ['root.json', Role.ROOT],
  ['timestamp.json', Role.TIMESTAMP],
  ['snapshot.json', Role.SNAPSHOT],
  ['targets.json', Role.TARGETS],
]);

/** The most bytes that a file system takes as a name. A role with a longer one is trusted, and not shown. */
const LONGEST = 255;

export class Mirror {
  readonly #folder: string;
  readonly #drafts: string;
  readonly #first: number;
  /** File names of delegated roles that were ever asked for, since they were last seen to. */
  readonly #names: Set<string>;

  /** `drafts` is a folder of ours on the same file system; `first` the number of the root among trusted files. */
  constructor(folder: string, drafts: string, first: number = Role.ROOT) {
    mkdirSync(folder, { recursive: true });
    mkdirSync(drafts, { recursive: true });
    this.#folder = folder;
    this.#drafts = drafts;
    this.#first = first;
    this.#names = new Set(readList(this.#list));
  }

  /** A metadata file is about to be fetched. Its name is noted before it can be trusted: no kill comes between. */
  note(fetched: string): void {
    const unversioned = fetched.replace(/^\d+\./, '');
    if (TOP.has(unversioned)) return;
    // `2.name.json` is version 2 of one role or, where versions are not in names, another role.
    for (const name of [fetched, unversioned]) {
      if (this.#names.has(name) || name.length > LONGEST) continue;
      appendFileSync(this.#list, `${name}\n`);
      this.#names.add(name);
    }
  }

  /** Makes the files what the core trusts. Each changes whole or not at all. */
  update(core: Core): void {
    for (const [name, role] of TOP) this.#show(name, core.trustedFile(this.#first + role));
    const before = this.#names.size;
    for (const name of this.#names) {
      const held = this.#show(name, core.delegatedFile(decodeURIComponent(name.slice(0, -'.json'.length))));
      if (!held) this.#names.delete(name);
    }
    if (this.#names.size < before) this.#replace(this.#list, [...this.#names, ''].join('\n'));
  }

  /** Whether there is a file to show. */
  #show(name: string, file: Uint8Array): boolean {
    const path = join(this.#folder, name);
    if (file.length === 0) rmSync(path, { force: true });
    else if (!isThere(path, file)) this.#replace(path, file);
    return file.length > 0;
  }

  #replace(path: string, content: string | Uint8Array): void {
    const draft = join(this.#drafts, 'draft');
    writeFileSync(draft, content);
    renameSync(draft, path);
  }

  get #list(): string {
    return join(this.#drafts, 'roles');
  }
}

function readList(path: string): string[] {
  return (
    read(path)
      ?.toString()
      .match(/[^\n]+(?=\n)/g) ?? []
  );
}

function isThere(path: string, file: Uint8Array): boolean {
  return read(path)?.equals(file) ?? false;
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
