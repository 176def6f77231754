// What was recovered from already. A device that boots after a power cut does what the bytes that it reads say, and
// nothing else: where all of them are as in a recovery that ended well, this one ends well too, whatever the cut has
// left where nobody looks. So recoveries are kept by what they read, in the order in which they read it.

import { hash } from 'node:crypto';
import type { Geometry } from '../host/node/flash.ts';

/** Bytes of one area. */
export interface Extent {
  readonly area: number;
  readonly offset: number;
  readonly length: number;
}

/** Notes which bytes of the contents that it was begun with are read, each once. What is overwritten first is none. */
export class Trace {
  readonly extents: Extent[] = [];
  readonly #known: readonly Uint8Array[];

  constructor(geometry: Geometry) {
    this.#known = geometry.map(({ blocks }) => new Uint8Array(blocks.reduce((sum, size) => sum + size, 0)));
  }

  needs(area: number, offset: number, length: number): void {
    const known = this.#known[area]?.subarray(offset, offset + length);
    const first = known?.indexOf(0) ?? -1;
    if (!known || first < 0) return;
    this.extents.push({ area, offset: offset + first, length: length - first });
    known.fill(1);
  }

  sets(area: number, offset: number, length: number): void {
    this.#known[area]?.fill(1, offset, offset + length);
  }

  /** The device has the contents again that it was begun with. */
  again(): void {
    for (const known of this.#known) known.fill(0);
  }
}

/** The bytes of an extent, in the contents that are looked up. */
export type Reader = (extent: Extent) => Uint8Array;

/** Where recoveries read different bytes. */
interface Fork<Outcome> {
  readonly extent: Extent;
  readonly ways: Map<string, Way<Outcome>>;
}

/** What one recovery alone goes on to read, and what came of it. */
interface End<Outcome> {
  readonly extents: readonly Extent[];
  readonly keys: readonly string[];
  readonly outcome: Outcome;
}

type Way<Outcome> = Fork<Outcome> | End<Outcome>;

/** Bytes up to which a key is the bytes themselves. */
const SHORT = 256;

export class Recoveries<Outcome> {
  #root: Way<Outcome> | undefined;

  /** What came of the recovery that reads just what these contents hold; undefined: there was none. */
  find(read: Reader): Outcome | undefined {
    let way = this.#root;
    while (way && 'ways' in way) way = way.ways.get(keyOf(read(way.extent)));
    const { extents = [], keys = [], outcome } = way ?? {};
    return extents.every((extent, index) => keyOf(read(extent)) === keys[index]) ? outcome : undefined;
  }

  /** Keeps what came of a recovery that has read these extents, in this order. */
  note(extents: readonly Extent[], read: Reader, outcome: Outcome): void {
    const keys = extents.map((extent) => keyOf(read(extent)));
    let depth = 0;
    let place = (way: Way<Outcome>) => {
      this.#root = way;
    };
    let way = this.#root;
    for (; way && 'ways' in way; depth++) {
      const { ways, extent } = way;
      if (!isSame(extent, extents[depth])) throw uneven();
      const key = keys[depth] ?? '';
      place = (next) => ways.set(key, next);
      way = ways.get(key);
    }
    const rest = { extents: extents.slice(depth), keys: keys.slice(depth), outcome };
    place(way ? parted(way, rest) : rest);
  }
}

/** The tree in which two recoveries part at the first bytes in which they differ. */
function parted<Outcome>(one: End<Outcome>, other: End<Outcome>): Way<Outcome> {
  const at = one.keys.findIndex((key, index) => key !== other.keys[index]);
  if (at < 0 || at >= other.keys.length) throw uneven();
  const after = ({ extents, keys, outcome }: End<Outcome>): [string, Way<Outcome>] => [
    keys[at] ?? '',
    { extents: extents.slice(at + 1), keys: keys.slice(at + 1), outcome },
  ];
  let ways = new Map([after(one), after(other)]);
  for (let index = at; ; index--) {
    const extent = one.extents[index];
    if (!extent || !isSame(extent, other.extents[index])) throw uneven();
    const fork = { extent, ways };
    if (index === 0) return fork;
    ways = new Map([[one.keys[index - 1] ?? '', fork]]);
  }
}

function isSame(extent: Extent, other: Extent | undefined): boolean {
  return extent.area === other?.area && extent.offset === other.offset && extent.length === other.length;
}

function uneven(): Error {
  return new Error('two recoveries that read the same bytes went on in different ways');
}

function keyOf(bytes: Uint8Array): string {
  if (bytes.length > SHORT) return hash('sha1', bytes, 'base64');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
