// One direction of a line between a device and a gateway, in simulated time: it loses, doubles, spoils, holds back and
// makes up bytes and whole frames, as a seed says.
import type { Random } from './random.ts';

/** How likely each misbehaviour is, for a frame unless it says otherwise. Nothing set: a good line. */
export interface LineConduct {
  readonly loses?: number;
  readonly doubles?: number;
  /** Turns bits of one byte over. */
  readonly spoils?: number;
  readonly losesByte?: number;
  readonly doublesByte?: number;
  /** Only its beginning comes. */
  readonly cuts?: number;
  /** Noise comes before it. */
  readonly noise?: number;
  /** It comes late, and later ones overtake it. */
  readonly delays?: number;
  /** It comes a long time late: after its request was given up. */
  readonly delaysLong?: number;
  /** Frames of another device, whole in themselves, come before it. */
  readonly strangers?: number;
  /** Milliseconds of the simulation before which nothing comes through. */
  readonly deadUntil?: number;
  /** Bytes a second; unlimited when left out. */
  readonly rate?: number;
}

interface Chunk {
  readonly due: number;
  readonly bytes: Uint8Array;
}

export class Line {
  /** Misbehaviours so far. */
  faults = 0;
  readonly #random: Random;
  readonly #conduct: LineConduct;
  readonly #stranger: Uint8Array;
  /** The start of a frame that is not ended yet. */
  #open: number[] = [];
  #chunks: Chunk[] = [];
  /** When the line is free again. */
  #free = 0;

  constructor(random: Random, conduct: LineConduct, stranger: Uint8Array = new Uint8Array()) {
    this.#random = random;
    this.#conduct = conduct;
    this.#stranger = stranger;
  }

  /** When something comes next; Infinity: nothing does. */
  get due(): number {
    return Math.min(...this.#chunks.map(({ due }) => due));
  }

  push(bytes: Uint8Array, now: number): void {
    for (const byte of bytes) {
      this.#open.push(byte);
      if (byte !== 0 || this.#open.length === 1) continue;
      this.#send(Uint8Array.from(this.#open), now);
      this.#open = [];
    }
  }

  /** What has come until now. */
  pull(now: number): Uint8Array {
    const ready = this.#chunks.filter(({ due }) => due <= now).sort((one, other) => one.due - other.due);
    this.#chunks = this.#chunks.filter(({ due }) => due > now);
    return Buffer.concat(ready.map(({ bytes }) => bytes));
  }

  /** Noise of its own, whatever is sent. */
  babble(length: number, now: number): void {
    this.faults++;
    this.#chunks.push({ due: now, bytes: this.#random.bytes(length) });
  }

  /** Bytes that were pulled and not taken: they come next. */
  putBack(bytes: Uint8Array, now: number): void {
    this.#chunks.unshift({ due: now, bytes });
  }

  #send(frame: Uint8Array, now: number): void {
    const { loses, doubles, noise, strangers, deadUntil = 0 } = this.#conduct;
    if (this.#happens(noise)) this.#queue(this.#random.bytes(1 + this.#random.below(300)), now);
    if (this.#happens(strangers)) this.#queue(this.#stranger, now);
    if (this.#happens(now < deadUntil ? 1 : loses)) return;
    for (let copies = this.#happens(doubles) ? 2 : 1; copies > 0; copies--)
      this.#queue(this.#damaged(frame), now + this.#delay());
  }

  #damaged(frame: Uint8Array): Uint8Array {
    const { spoils, losesByte, doublesByte, cuts } = this.#conduct;
    const at = this.#random.below(frame.length);
    if (this.#happens(spoils))
      return frame.map((byte, index) => (index === at ? byte ^ (1 + this.#random.below(255)) : byte));
    if (this.#happens(losesByte)) return Buffer.concat([frame.subarray(0, at), frame.subarray(at + 1)]);
    if (this.#happens(doublesByte)) return Buffer.concat([frame.subarray(0, at + 1), frame.subarray(at)]);
    return this.#happens(cuts) ? frame.subarray(0, at) : frame;
  }

  #delay(): number {
    if (this.#happens(this.#conduct.delays)) return this.#random.below(3000);
    return this.#happens(this.#conduct.delaysLong) ? 10_000 + this.#random.below(100_000) : 0;
  }

  /** Byte by byte where the line is slow. */
  #queue(bytes: Uint8Array, due: number): void {
    const { rate } = this.#conduct;
    if (rate === undefined) {
      this.#chunks.push({ due, bytes });
      return;
    }
    for (const byte of bytes) {
      this.#free = Math.max(this.#free, due) + 1000 / rate;
      this.#chunks.push({ due: Math.ceil(this.#free), bytes: Uint8Array.of(byte) });
    }
  }

  #happens(probability = 0): boolean {
    const happens = probability > 0 && this.#random.chance(probability);
    if (happens) this.faults++;
    return happens;
  }
}
