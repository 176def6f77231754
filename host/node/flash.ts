// Flash as the core sees it: areas of NOR flash (docs/formats.md, "Flash areas"). Bytes are written once
// after an erase, in whole units; blocks are erased whole.
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { HostError } from './errors.ts';

/** The area of the boot record, which is the host's; all others are the core's. */
export const BOOT_AREA = 5;

/** The area of a slot, 0 or 1, of a component: 3 and 4 for the main one, 8 + 2k and 9 + 2k for component k. */
export function slotArea(component: number, slot: number): number {
  return (component === 0 ? 3 : 8 + 2 * component) + slot;
}

/** A geometry with slots for so many components beside the main one, each like those of the main one. */
export function withComponents(geometry: Geometry, more: number): Geometry {
  const slot = geometry[3];
  if (!slot) throw new HostError('flash-misuse', 'a geometry without slots');
  const none = { ...slot, blocks: [] };
  const unused = Array.from({ length: slotArea(1, 0) - geometry.length }, () => none);
  if (more === 0) return geometry;
  return [...geometry, ...unused, ...Array.from({ length: 2 * more }, () => slot)];
}

export interface AreaGeometry {
  /** Sizes of the erase blocks in bytes, from offset 0 on. */
  readonly blocks: readonly number[];
  /** Write unit in bytes: 1 to 32, a power of two. */
  readonly unit: number;
  /** What an erased byte reads as: 0xff or 0x00. */
  readonly erased: number;
}

/** One entry an area, up to the last one that the board has; without blocks: it does not have this one. */
export type Geometry = readonly AreaGeometry[];

/** Areas for a device whose erase blocks are all alike; sizes in bytes. */
export interface UniformLayout {
  readonly block: number;
  readonly unit: number;
  readonly erased: number;
  /** Of one bank of the trust store. */
  readonly bank: number;
  readonly slot: number;
  /** Of the log; left out: it keeps none. */
  readonly log?: number;
}

export function uniformGeometry({ block, unit, erased, bank, slot, log }: UniformLayout): Geometry {
  const area = (size: number): AreaGeometry => ({
    blocks: Array.from({ length: Math.ceil(size / block) }, () => block),
    unit,
    erased,
  });
  const sizes = [bank, bank, 2 * block, slot, slot, 2 * block];
  return (log === undefined ? sizes : [...sizes, log]).map(area);
}

/**
 * What a host gives the core. Offsets and lengths in bytes. Each operation has happened when it returns
 * true; false: the flash failed. An exception means that the device lost its power, and passes through the core.
 */
export interface FlashDriver {
  /** Bytes in an area; 0: there is none. */
  size(area: number): number;
  /** One past the erase block that contains `offset`. */
  blockEnd(area: number, offset: number): number;
  unit(area: number): number;
  erased(area: number): number;
  read(area: number, offset: number, into: Uint8Array): boolean;
  write(area: number, offset: number, data: Uint8Array): boolean;
  erase(area: number, offset: number, length: number): boolean;
}

/** What all blocks hold at one moment; blocks are shared until one side writes. */
export type FlashContents = readonly (readonly (Uint8Array | undefined)[])[];

/** NOR flash in memory. Erased blocks take no memory. Misuse throws: it is a bug of whoever writes. */
export class NorFlash implements FlashDriver {
  readonly geometry: Geometry;
  readonly #areas: NorArea[];

  constructor(geometry: Geometry) {
    checkGeometry(geometry);
    this.geometry = geometry;
    this.#areas = geometry.map((area) => new NorArea(area));
  }

  size(area: number): number {
    return this.#areas[area]?.size ?? 0;
  }

  blockEnd(area: number, offset: number): number {
    return this.#area(area).blockEnd(offset);
  }

  unit(area: number): number {
    return this.#area(area).geometry.unit;
  }

  erased(area: number): number {
    return this.#area(area).geometry.erased;
  }

  read(area: number, offset: number, into: Uint8Array): boolean {
    this.#check(area, offset, into.length);
    this.#copy(area, offset, into);
    return true;
  }

  #copy(area: number, offset: number, into: Uint8Array): void {
    this.#area(area).each(offset, into.length, (block, from, to, done) => {
      const bytes = this.#area(area).blocks[block];
      if (bytes) into.set(bytes.subarray(from, to), done);
      else into.fill(this.erased(area), done, done + to - from);
    });
  }

  write(area: number, offset: number, data: Uint8Array): boolean {
    this.checkWrite(area, offset, data.length);
    this.change(area, offset, data);
    return true;
  }

  erase(area: number, offset: number, length: number): boolean {
    this.checkErase(area, offset, length);
    const target = this.#area(area);
    target.each(offset, length, (block) => target.clear(block));
    return true;
  }

  snapshot(): FlashContents {
    return this.#areas.map((area) => area.share());
  }

  restore(contents: FlashContents): void {
    this.#areas.forEach((area, index) => {
      area.adopt(contents[index] ?? []);
    });
  }

  /** Throws unless a write is one that NOR flash has: whole units, all erased. */
  protected checkWrite(area: number, offset: number, length: number): void {
    this.#check(area, offset, length);
    const { unit, erased } = this.#area(area).geometry;
    if (offset % unit !== 0 || length % unit !== 0)
      throw misuse(area, offset, `a write of ${length} bytes is not a whole number of ${unit}-byte units`);
    const before = new Uint8Array(length);
    this.#copy(area, offset, before);
    const written = before.findIndex((byte) => byte !== erased);
    if (written >= 0) throw misuse(area, offset + written, 'written twice without an erase');
  }

  /** Throws unless an erase covers whole blocks. */
  protected checkErase(area: number, offset: number, length: number): void {
    this.#check(area, offset, length);
    const { starts, size } = this.#area(area);
    for (const edge of [offset, offset + length])
      if (edge !== size && !starts.includes(edge)) throw misuse(area, edge, 'not the edge of an erase block');
  }

  /** Puts bytes there whatever was there before: what the checked operations and a model of damage end in. */
  protected change(area: number, offset: number, data: Uint8Array): void {
    const target = this.#area(area);
    target.each(offset, data.length, (block, from, to, done) => {
      target.own(block).set(data.subarray(done, done + to - from), from);
    });
  }

  #area(area: number): NorArea {
    const found = this.#areas[area];
    if (!found) throw new HostError('flash-misuse', `flash area ${area}: there is none`);
    return found;
  }

  #check(area: number, offset: number, length: number): void {
    if (offset + length > this.#area(area).size)
      throw misuse(area, offset, `${length} bytes from here leave the area of ${this.size(area)}`);
  }
}

class NorArea {
  readonly geometry: AreaGeometry;
  readonly starts: readonly number[];
  readonly size: number;
  blocks: (Uint8Array | undefined)[];
  /** Blocks that no snapshot shares. */
  #owned = new Set<number>();

  constructor(geometry: AreaGeometry) {
    this.geometry = geometry;
    let size = 0;
    this.starts = geometry.blocks.map((length) => {
      size += length;
      return size - length;
    });
    this.size = size;
    this.blocks = geometry.blocks.map(() => undefined);
  }

  /** Calls `visit` for the part of each block in a range: block, range within it, bytes before it. */
  each(
    offset: number,
    length: number,
    visit: (block: number, from: number, to: number, done: number) => void,
  ): void {
    let block = this.#blockAt(offset);
    for (let done = 0; done < length; block++) {
      const start = this.starts[block] ?? 0;
      const from = offset + done - start;
      const to = Math.min(this.geometry.blocks[block] ?? 0, offset + length - start);
      visit(block, from, to, done);
      done += to - from;
    }
  }

  blockEnd(offset: number): number {
    return this.starts[this.#blockAt(offset) + 1] ?? this.size;
  }

  own(block: number): Uint8Array {
    const found = this.blocks[block];
    if (found && this.#owned.has(block)) return found;
    const copy =
      found?.slice() ?? new Uint8Array(this.geometry.blocks[block] ?? 0).fill(this.geometry.erased);
    this.blocks[block] = copy;
    this.#owned.add(block);
    return copy;
  }

  clear(block: number): void {
    this.blocks[block] = undefined;
    this.#owned.delete(block);
  }

  share(): readonly (Uint8Array | undefined)[] {
    this.#owned.clear();
    return [...this.blocks];
  }

  adopt(blocks: readonly (Uint8Array | undefined)[]): void {
    this.#owned.clear();
    this.blocks = [...blocks];
  }

  #blockAt(offset: number): number {
    let low = 0;
    for (let high = this.starts.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if ((this.starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low;
  }
}

/**
 * The flash of a device in one file, area after area, with its geometry in JSON beside it (`PATH.json`).
 * Operations reach the file before they return, so the device survives the end of its process.
 */
export class FileFlash extends NorFlash {
  readonly path: string;
  readonly #file: number;
  readonly #starts: readonly number[];

  /** Opens the flash at `path`, or makes a new, erased one. Throws `flash-file` when it is not whole. */
  constructor(path: string, geometry: Geometry) {
    super(geometry);
    let end = 0;
    this.path = path;
    this.#starts = geometry.map((_, area) => {
      end += this.size(area);
      return end - this.size(area);
    });
    this.#file = existsSync(path) ? this.#open(end) : this.#create(end);
  }

  override write(area: number, offset: number, data: Uint8Array): boolean {
    this.checkWrite(area, offset, data.length);
    this.#store(area, offset, data);
    return super.write(area, offset, data);
  }

  override erase(area: number, offset: number, length: number): boolean {
    this.checkErase(area, offset, length);
    this.#store(area, offset, new Uint8Array(length).fill(this.erased(area)));
    return super.erase(area, offset, length);
  }

  close(): void {
    closeSync(this.#file);
  }

  #store(area: number, offset: number, data: Uint8Array): void {
    writeSync(this.#file, data, 0, data.length, (this.#starts[area] ?? 0) + offset);
  }

  #create(size: number): number {
    mkdirSync(dirname(this.path), { recursive: true });
    const bytes = new Uint8Array(size);
    this.geometry.forEach(({ erased }, area) => {
      bytes.fill(erased, this.#starts[area], this.#starts[area + 1] ?? size);
    });
    writeFileSync(`${this.path}.json`, `${JSON.stringify(this.geometry)}\n`);
    writeFileSync(this.path, bytes);
    return openSync(this.path, 'r+');
  }

  #open(size: number): number {
    this.#checkStoredGeometry();
    let file: number;
    try {
      file = openSync(this.path, 'r+');
    } catch (cause) {
      throw new HostError('flash-file', `${this.path}: cannot be opened for reading and writing`, { cause });
    }
    const found = fstatSync(file).size;
    if (found !== size) {
      closeSync(file);
      throw this.#unusable(`holds ${found} bytes instead of ${size}`);
    }
    this.#load(file);
    return file;
  }

  #load(file: number): void {
    this.geometry.forEach(({ blocks, erased }, area) => {
      let offset = 0;
      for (const length of blocks) {
        const block = new Uint8Array(length);
        readSync(file, block, 0, length, (this.#starts[area] ?? 0) + offset);
        if (block.some((byte) => byte !== erased)) this.change(area, offset, block);
        offset += length;
      }
    });
  }

  #checkStoredGeometry(): void {
    let stored: string;
    try {
      stored = readFileSync(`${this.path}.json`, 'utf8').trim();
    } catch (cause) {
      throw this.#unusable('lacks the file with its geometry', cause);
    }
    if (stored !== JSON.stringify(this.geometry)) throw this.#unusable('was made for another flash geometry');
  }

  #unusable(finding: string, cause?: unknown): HostError {
    return new HostError(
      'flash-file',
      `${this.path} ${finding}; restore it and ${this.path}.json from a copy, or delete both to start with a new device`,
      { cause },
    );
  }
}

/** Erases an area and programs it from offset 0, as a factory does. */
export function programArea(flash: FlashDriver, area: number, bytes: Uint8Array): void {
  const unit = flash.unit(area);
  const padded = new Uint8Array(Math.ceil(bytes.length / unit) * unit).fill(flash.erased(area));
  padded.set(bytes);
  flash.erase(area, 0, flash.size(area));
  flash.write(area, 0, padded);
}

function checkGeometry(geometry: Geometry): void {
  geometry.forEach(({ blocks, unit, erased }, area) => {
    if (![1, 2, 4, 8, 16, 32].includes(unit))
      throw new HostError('flash-misuse', `flash area ${area}: a write unit of ${unit} bytes`);
    if (erased !== 0xff && erased !== 0)
      throw new HostError('flash-misuse', `flash area ${area}: an erased byte of ${erased}`);
    const odd = blocks.find((length) => length <= 0 || length % unit !== 0);
    if (odd !== undefined)
      throw new HostError('flash-misuse', `flash area ${area}: a block of ${odd} bytes in units of ${unit}`);
  });
}

function misuse(area: number, offset: number, finding: string): HostError {
  return new HostError('flash-misuse', `flash area ${area}, offset ${offset}: ${finding}`);
}
