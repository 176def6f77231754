// Patches in the sequential format of detools (github.com/eerimoq/detools), which decoders for microcontrollers read:
//
//   type 0 and compression, 4 bits each; length of the new image; then, compressed:
//   0 (no data format), and for each part: n, n differences, n, n bytes that are new, a move in the old image
//
// A length or a move takes 6 bits, a sign and a mark in its first byte, 7 bits and a mark in those that follow, the
// lowest bits first; the mark says that more follow.
import { crleEncode } from './crle.ts';
import { heatshrinkEncode, LOOKAHEAD_BITS, WINDOW_BITS } from './heatshrink.ts';
import { findParts, type Part } from './matches.ts';

export const COMPRESSIONS = ['heatshrink', 'crle'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

export interface PatchOptions {
  readonly compression: Compression;
  /** Called with the bytes of the new image that are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The numbers of detools. */
const COMPRESSION_NUMBERS: Readonly<Record<Compression, number>> = { crle: 2, heatshrink: 4 };

/** No data format: what is in the patch is the images' bytes as they are. */
const PLAIN = 0;

/**
 * A patch that makes `after` out of `before`; where that is empty, `after` compressed. Memory: 6 to 9 bytes for each of
 * `before`, 5 for each of `after`, besides the two.
 */
export function buildPatch(before: Uint8Array, after: Uint8Array, options: PatchOptions): Uint8Array {
  const { compression, onProgress } = options;
  const head = new ByteWriter(16);
  head.byte(COMPRESSION_NUMBERS[compression]);
  head.number(after.length);
  const parts = findParts(before, after, (done) => onProgress?.(done, after.length));
  const plain = plainPatch(before, after, parts);
  if (compression === 'crle') return Buffer.concat([head.bytes, crleEncode(plain)]);
  head.byte(((WINDOW_BITS - 4) << 4) | (LOOKAHEAD_BITS - 3));
  return Buffer.concat([head.bytes, heatshrinkEncode(plain)]);
}

function plainPatch(before: Uint8Array, after: Uint8Array, parts: Iterable<Part>): Uint8Array {
  const out = new ByteWriter(after.length + 1024);
  out.number(PLAIN);
  let at: number | undefined;
  for (const { from, to, differences, added } of parts) {
    if (at !== undefined) out.number(from - at);
    at = from + differences;
    out.number(differences);
    for (let i = 0; i < differences; i++) out.byte((after[to + i] as number) - (before[from + i] as number));
    out.number(added);
    out.append(after.subarray(to + differences, to + differences + added));
  }
  out.number(0); // the move that no part follows
  return out.bytes;
}

/** Bytes that grow. */
class ByteWriter {
  #buffer: Uint8Array;
  #length = 0;

  constructor(capacity: number) {
    this.#buffer = new Uint8Array(capacity);
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The lowest 8 bits. */
  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A length or a move. */
  number(value: number): void {
    let rest = Math.abs(value);
    const sign = value < 0 ? 0x40 : 0;
    this.byte(sign | (rest & 63) | (rest > 63 ? 0x80 : 0));
    for (rest = Math.floor(rest / 64); rest > 0; rest >>>= 7)
      this.byte((rest & 127) | (rest > 127 ? 0x80 : 0));
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const larger = new Uint8Array(2 * (this.#length + more));
    larger.set(this.bytes);
    this.#buffer = larger;
  }
}
