// What a Primary keeps beside its flash: files that outlive it. Each write is whole or has not happened, and is there for
// good once it returns.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Names are of lower-case letters, digits and `. -`. */
export interface Depot {
  /** Undefined: there is no such file. */
  read(name: string): Uint8Array | undefined;
  write(name: string, bytes: Uint8Array): void;
  remove(name: string): void;
  names(): string[];
}

const DRAFT = 'draft~';

/** A depot in a folder of its own. */
export class FolderDepot implements Depot {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    rmSync(join(folder, DRAFT), { force: true });
  }

  read(name: string): Uint8Array | undefined {
    const path = join(this.#folder, name);
    return existsSync(path) ? readFileSync(path) : undefined;
  }

  write(name: string, bytes: Uint8Array): void {
    const draft = join(this.#folder, DRAFT);
    writeFileSync(draft, bytes);
    flush(draft);
    renameSync(draft, join(this.#folder, name));
    flush(this.#folder);
  }

  remove(name: string): void {
    rmSync(join(this.#folder, name), { force: true });
  }

  names(): string[] {
    return readdirSync(this.#folder).filter((name) => name !== DRAFT);
  }
}

function flush(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}
