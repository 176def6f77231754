// The decoder of the core, built alone. What it reads and writes is watched.
import { readFileSync } from 'node:fs';
import { engine } from '../../host/node/engine.ts';

/** Where bytes go in and come out, far above all of the module's own. */
const INPUT = 32_768;
const OUTPUT = 49_152;
const ROOM = 8192;
const AREA = 3;

interface Exports {
  memory: { buffer: ArrayBuffer };
  heatshrink_feed(pointer: number, length: number): void;
  heatshrink_input(): number;
  patch_begin(length: number, area: number, base: number): void;
  patch_is_done(): number;
  patch_read(out: number, room: number): number;
  DELTA: { value: number };
  DELTA_SIZE: { value: number };
  COPY_BUFFER: { value: number };
  COPY_SIZE: { value: number };
}

const module = new engine.Module(readFileSync(new URL('../../build/delta.test.wasm', import.meta.url)));

export interface Outcome {
  /** 0, or the status that refused the patch. */
  readonly status: number;
  /** The image is whole and the patch at its end. */
  readonly done: boolean;
  readonly image: Uint8Array;
}

/** How a patch arrives and what there is room for: bytes each time. */
export interface Pieces {
  readonly input?: (at: number) => number;
  readonly room?: (made: number) => number;
}

export class Decoder {
  readonly #exports: Exports;
  readonly #image: Buffer[] = [];
  #made = 0;

  constructor(before: Uint8Array) {
    const flash_read = (area: number, offset: number, pointer: number, length: number): number => {
      if (area !== AREA || offset + length > before.length) throw new Error('reads beside the old image');
      this.#memory.set(before.subarray(offset, offset + length), pointer);
      return 0;
    };
    const moult = { flash_read, flash_size: () => before.length };
    this.#exports = new engine.Instance(module, { moult }).exports as unknown as Exports;
  }

  get #memory(): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer);
  }

  #region(name: 'DELTA' | 'COPY'): Uint8Array {
    const { DELTA, DELTA_SIZE, COPY_BUFFER, COPY_SIZE } = this.#exports;
    const [at, size] = name === 'DELTA' ? [DELTA, DELTA_SIZE] : [COPY_BUFFER, COPY_SIZE];
    return this.#memory.subarray(at.value, at.value + size.value);
  }

  begin(length: number, base: number): void {
    this.#exports.patch_begin(length, AREA, base);
  }

  /** All that outlives a power cut. */
  save(): Uint8Array {
    return this.#region('DELTA').slice();
  }

  restore(state: Uint8Array): void {
    this.#region('DELTA').set(state);
  }

  /** Decodes the next bytes of the patch; below 0: the status that refused them. `each` hears what was taken. */
  feed(
    bytes: Uint8Array,
    room: (made: number) => number,
    each?: (made: number, taken: number) => void,
  ): number {
    // Without any bytes, too: what was taken before may hold more of the image.
    for (let at = 0; at === 0 || at < bytes.length; at += ROOM) {
      const piece = bytes.subarray(at, at + ROOM);
      this.#memory.set(piece, INPUT);
      this.#exports.heatshrink_feed(INPUT, piece.length);
      for (;;) {
        const length = this.#exports.patch_read(OUTPUT, room(this.#made));
        if (length < 0) return length;
        if (length === 0) break;
        this.#image.push(Buffer.from(this.#memory.slice(OUTPUT, OUTPUT + length)));
        this.#made += length;
        each?.(this.#made, at + this.#exports.heatshrink_input() - INPUT);
      }
    }
    return 0;
  }

  outcome(status: number): Outcome {
    return { status, done: this.#exports.patch_is_done() !== 0, image: Buffer.concat(this.#image) };
  }

  /** All bytes that the decoder must leave alone. */
  foreign(): Uint8Array {
    const all = this.#memory.slice();
    for (const region of [this.#region('DELTA'), this.#region('COPY')]) {
      all.fill(0, region.byteOffset, region.byteOffset + region.length);
    }
    return all.fill(0, INPUT, INPUT + ROOM).fill(0, OUTPUT, OUTPUT + ROOM);
  }
}

/** Decodes a patch; throws when the decoder traps, or reads or writes where it must not. */
export function decode(before: Uint8Array, length: number, patch: Uint8Array, pieces: Pieces = {}): Outcome {
  const { input = () => patch.length, room = () => ROOM } = pieces;
  const decoder = new Decoder(before);
  const untouched = decoder.foreign();
  decoder.begin(length, before.length);
  let status = 0;
  for (let at = 0; at < patch.length && status === 0; ) {
    const size = input(at);
    status = decoder.feed(patch.subarray(at, at + size), room);
    at += size;
  }
  if (Buffer.compare(untouched, decoder.foreign()) !== 0) throw new Error('writes beside its memory');
  return decoder.outcome(status);
}
