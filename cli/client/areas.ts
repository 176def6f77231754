// Flash for a machine that has a file system: each area is a file that grows as it is written. What lies beyond the
// end of a file is erased, so erased bytes are zeros and an area may be as large as any repository needs.
import { closeSync, constants, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Area } from '../../host/node/abi.ts';
import type { FlashDriver } from '../../host/node/flash.ts';

const MIB = 2 ** 20;

/** One erase block each, but for the journal, which needs two. */
const AREAS: Readonly<Record<number, { name: string; size: number; block: number }>> = {
  [Area.STORE_A]: { name: 'store-a', size: 512 * MIB, block: 512 * MIB },
  [Area.STORE_B]: { name: 'store-b', size: 512 * MIB, block: 512 * MIB },
  [Area.JOURNAL]: { name: 'journal', size: 8192, block: 4096 },
  [Area.SLOT_A]: { name: 'slot-a', size: 2048 * MIB, block: 2048 * MIB },
  [Area.SLOT_B]: { name: 'slot-b', size: 2048 * MIB, block: 2048 * MIB },
};

export class AreaFiles implements FlashDriver {
  readonly #folder: string;
  readonly #open = new Map<number, number>();

  /** Makes the folder when it is not there. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
  }

  path(area: number): string {
    return join(this.#folder, AREAS[area]?.name ?? '');
  }

  close(): void {
    for (const file of this.#open.values()) closeSync(file);
    this.#open.clear();
  }

  size(area: number): number {
    return AREAS[area]?.size ?? 0;
  }

  blockEnd(area: number, offset: number): number {
    const { block = 1 } = AREAS[area] ?? {};
    return (Math.floor(offset / block) + 1) * block;
  }

  unit(): number {
    return 1;
  }

  erased(): number {
    return 0;
  }

  read(area: number, offset: number, into: Uint8Array): boolean {
    for (let done = 0; done < into.length; ) {
      const length = readSync(this.#file(area), into, done, into.length - done, offset + done);
      if (length === 0) into.fill(0, done);
      done = length === 0 ? into.length : done + length;
    }
    return true;
  }

  write(area: number, offset: number, data: Uint8Array): boolean {
    for (let done = 0; done < data.length; )
      done += writeSync(this.#file(area), data, done, data.length - done, offset + done);
    return true;
  }

  /** What is erased at the end of an area takes no room. */
  erase(area: number, offset: number, length: number): boolean {
    if (offset + length === this.size(area)) ftruncateSync(this.#file(area), offset);
    else this.write(area, offset, new Uint8Array(length));
    return true;
  }

  #file(area: number): number {
    const file = this.#open.get(area) ?? openSync(this.path(area), constants.O_RDWR | constants.O_CREAT);
    this.#open.set(area, file);
    return file;
  }
}
