// Heatshrink's stream (github.com/atomicobject/heatshrink, 0.4): bits from the highest on; 1 and eight bits are a byte,
// 0 and a distance and a length, both less one, a copy from the window. Window and lookahead are those that detools and
// the decoders of its patches are built with.

export const WINDOW_BITS = 8;
export const LOOKAHEAD_BITS = 7;

const WINDOW = 1 << WINDOW_BITS;
const LONGEST = 1 << LOOKAHEAD_BITS;
const LITERAL_COST = 9;
const COPY_COST = 1 + WINDOW_BITS + LOOKAHEAD_BITS;

/** What comes at each place: a byte by itself (length 0) or a copy. Only places that are reached count. */
interface Choices {
  readonly lengths: Uint8Array;
  /** less one */
  readonly distances: Uint8Array;
  readonly bits: number;
}

/** The shortest stream that there is for these bytes. */
export function heatshrinkEncode(bytes: Uint8Array): Uint8Array {
  const { lengths, distances, bits } = choose(bytes);
  const out = new BitWriter(bits);
  for (let i = 0; i < bytes.length; ) {
    const length = lengths[i] as number;
    if (length === 0) out.write(0x100 | (bytes[i] as number), LITERAL_COST);
    else out.write(((distances[i] as number) << LOOKAHEAD_BITS) | (length - 1), COPY_COST);
    i += Math.max(length, 1);
  }
  return out.bytes;
}

/**
 * From the end on, so that what follows each place is known. A copy costs the same whatever its length, and a shorter
 * rest never costs more: each place needs only its longest copy weighed against a byte by itself.
 */
function choose(bytes: Uint8Array): Choices {
  const lengths = new Uint8Array(bytes.length);
  const distances = new Uint8Array(bytes.length);
  /** What the rest costs from each place on, as far ahead as a copy reaches. */
  const costs = new Float64Array(2 * LONGEST);
  /** How far the bytes from here on agree with those at each distance. */
  const agree = new Uint8Array(WINDOW + 1);
  for (let i = bytes.length - 1; i >= 0; i--) {
    const distance = longestCopy(bytes, i, agree);
    const length = agree[distance] as number;
    const single = LITERAL_COST + (costs[(i + 1) % costs.length] as number);
    const copied = COPY_COST + (costs[(i + length) % costs.length] as number);
    const copies = length > 0 && copied < single;
    lengths[i] = copies ? length : 0;
    distances[i] = distance - 1;
    costs[i % costs.length] = copies ? copied : single;
  }
  return { lengths, distances, bits: costs[0] as number };
}

/** The distance of the longest copy at `at`. Takes `agree` from the place behind to this one. */
function longestCopy(bytes: Uint8Array, at: number, agree: Uint8Array): number {
  const byte = bytes[at];
  const furthest = Math.min(at, WINDOW);
  let longest = 0;
  let best = 0;
  for (let distance = 1; distance <= furthest; distance++) {
    if (bytes[at - distance] !== byte) {
      agree[distance] = 0;
      continue;
    }
    const length = Math.min((agree[distance] as number) + 1, LONGEST);
    agree[distance] = length;
    if (length > longest) {
      longest = length;
      best = distance;
    }
  }
  return best;
}

class BitWriter {
  readonly bytes: Uint8Array;
  #at = 0;

  constructor(bits: number) {
    this.bytes = new Uint8Array(Math.ceil(bits / 8));
  }

  write(value: number, count: number): void {
    for (let i = count - 1; i >= 0; i--, this.#at++) {
      const byte = this.#at >> 3;
      const bit = (value >> i) & 1;
      this.bytes[byte] = (this.bytes[byte] as number) | (bit << (7 - (this.#at & 7)));
    }
  }
}
