// Finds how the new image comes from the old one, as bsdiff does (Percival, "Naive differences of executable code",
// 2003): exact matches by the suffix array, each grown to both sides as long as most of its bytes agree, so that code
// that merely moved, with other addresses in it, is one long match with a few differences.
import { suffixArray } from './suffix-array.ts';

/** A stretch of the new image: first bytes given as differences to the old one, then bytes that are new. */
export interface Part {
  /** Where the differences start, in the old image and in the new one. */
  readonly from: number;
  readonly to: number;
  readonly differences: number;
  readonly added: number;
}

/** A match elsewhere must agree in more than so many bytes that going on as before does not have. */
const WORTH_A_JUMP = 8;
/** A match that is longer does not need the longest there is. */
const LONG = 256;

interface Match {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/** The parts of `after`, in order and without gaps. `onProgress` hears how many of its bytes are done. */
export function* findParts(
  before: Uint8Array,
  after: Uint8Array,
  onProgress: (done: number) => void,
): Generator<Part> {
  const matcher = new Matcher(before, after);
  let from = 0;
  let to = 0;
  let match: Match = { from: 0, to: 0, length: 0 };
  while (to < after.length) {
    match = matcher.next(match);
    const room = match.to - to;
    const ahead = matcher.agreeing(from, to, room, 1);
    // Behind the last byte nothing follows that could be grown backwards.
    const back = match.to < after.length ? matcher.agreeing(match.from - 1, match.to - 1, room, -1) : 0;
    const overlap = Math.max(0, ahead + back - room);
    const kept = matcher.split(from + ahead - overlap, match.from - back, match.to - back, overlap);
    const differences = ahead - overlap + kept;
    const end = match.to - back + kept;
    yield { from, to, differences, added: end - to - differences };
    from = match.from - back + kept;
    to = end;
    onProgress(to);
  }
}

class Matcher {
  readonly #before: Uint8Array;
  readonly #after: Uint8Array;
  readonly #suffixes: Int32Array;

  constructor(before: Uint8Array, after: Uint8Array) {
    this.#before = before;
    this.#after = after;
    this.#suffixes = suffixArray(before);
  }

  /** The next match that is worth a jump from where `last` goes on; at the end one of length 0. */
  next(last: Match): Match {
    const before = this.#before;
    const after = this.#after;
    const offset = last.from - last.to;
    let match = last;
    let to = last.to + last.length;
    let seen = to;
    /** Of the bytes from `to` up to `seen`, those that going on as before has right; below 0 where `seen` lags behind. */
    let score = 0;
    while (to < after.length) {
      match = this.#longest(to, match);
      for (; seen < to + match.length; seen++) if (before[seen + offset] === after[seen]) score++;
      if (match.length > score + WORTH_A_JUMP) return match;
      if (match.length === score && score > 0) {
        // The match is where going on as before leads.
        to += match.length;
        seen = to;
        score = 0;
      } else {
        if (before[to + offset] === after[to]) score--;
        to++;
      }
    }
    return { from: 0, to, length: 0 };
  }

  /** How far from one byte on, forwards or backwards, both images go together: where most has agreed. */
  agreeing(from: number, to: number, room: number, step: 1 | -1): number {
    const limit = Math.min(room, step > 0 ? this.#before.length - from : from + 1);
    let balance = 0;
    let best = 0;
    let length = 0;
    for (let i = 0; i < limit; i++) {
      balance += this.#before[from + i * step] === this.#after[to + i * step] ? 1 : -1;
      if (balance > best) {
        best = balance;
        length = i + 1;
      }
    }
    return length;
  }

  /** Of `overlap` bytes from `to` on that two alignments claim: how many go to the first so that most agree. */
  split(first: number, second: number, to: number, overlap: number): number {
    let balance = 0;
    let best = 0;
    let kept = 0;
    for (let i = 0; i < overlap; i++) {
      const byte = this.#after[to + i];
      if (this.#before[first + i] === byte) balance++;
      if (this.#before[second + i] === byte) balance--;
      if (balance > best) {
        best = balance;
        kept = i + 1;
      }
    }
    return kept;
  }

  /**
   * The longest match of the new image from `to` on. The rest of a long one that began a byte before is long enough:
   * without that, images of little but zeros would take hours.
   */
  #longest(to: number, last: Match): Match {
    if (last.to === to - 1 && last.length > LONG) return { from: last.from + 1, to, length: last.length - 1 };
    const suffixes = this.#suffixes;
    if (suffixes.length === 0) return { from: 0, to, length: 0 };
    // A binary search that keeps how much of its two ends agrees, so that what is between them agrees as far.
    let low = 0;
    let high = suffixes.length - 1;
    let lowLength = this.#common(suffixes[low] as number, to, 0);
    let highLength = this.#common(suffixes[high] as number, to, 0);
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const from = suffixes[middle] as number;
      const length = this.#common(from, to, Math.min(lowLength, highLength));
      if (this.#sortsBefore(from + length, to + length)) {
        low = middle;
        lowLength = length;
      } else {
        high = middle;
        highLength = length;
      }
    }
    const best = lowLength > highLength ? low : high;
    return { from: suffixes[best] as number, to, length: Math.max(lowLength, highLength) };
  }

  /** By the first bytes that differ; an image that ends here sorts before one that goes on. */
  #sortsBefore(from: number, to: number): boolean {
    return (this.#before[from] ?? -1) < (this.#after[to] ?? -1);
  }

  /** Bytes that agree, `known` of which are known to. */
  #common(from: number, to: number, known: number): number {
    const limit = Math.min(this.#before.length - from, this.#after.length - to);
    let length = known;
    while (length < limit && this.#before[from + length] === this.#after[to + length]) length++;
    return length;
  }
}
