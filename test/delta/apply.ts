// Applies patches in the sequential format of detools, as its documentation and files have it; a second opinion beside
// the decoder of the core, with which it shares nothing. Takes all of a patch at once, and throws at whatever is wrong.

export function applyPatch(before: Uint8Array, patch: Uint8Array): Uint8Array {
  const outer = new Source(patch);
  const compression = outer.byte();
  const after = new Uint8Array(outer.number());
  const inner = new Source(decompress(compression, outer.rest()));
  if (!Object.is(inner.number(), 0)) throw new Error('data formats are not read');
  let to = 0;
  let from = 0;
  while (to < after.length) {
    const differences = inner.take(after, to);
    if (from + differences.length > before.length) throw new Error('outside of the old image');
    for (const difference of differences) after[to++] = difference + (before[from++] ?? 0);
    const added = inner.take(after, to);
    after.set(added, to);
    to += added.length;
    from += inner.number();
    if (from < 0 || from > before.length) throw new Error('moves out of the old image');
  }
  if (inner.rest().length !== 0) throw new Error('more than the new image');
  return after;
}

function decompress(compression: number, bytes: Uint8Array): Uint8Array {
  if (compression === 0x04) return heatshrinkDecode(bytes);
  if (compression === 0x02) return crleDecode(bytes);
  throw new Error(`unknown compression ${compression}`);
}

function heatshrinkDecode(bytes: Uint8Array): Uint8Array {
  const windowBits = ((bytes[0] ?? 0) >> 4) + 4;
  const lengthBits = ((bytes[0] ?? 0) & 15) + 3;
  const out: number[] = [];
  let at = 8;
  const read = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++, at++) value = 2 * value + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    return value;
  };
  const left = (): number => 8 * bytes.length - at;
  while (left() >= 9) {
    if (read(1) === 1) out.push(read(8));
    else if (left() < windowBits + lengthBits) break;
    else {
      const distance = read(windowBits) + 1;
      for (let length = read(lengthBits) + 1; length > 0; length--) out.push(out[out.length - distance] ?? 0);
    }
  }
  return Uint8Array.from(out);
}

function crleDecode(bytes: Uint8Array): Uint8Array {
  const out: Uint8Array[] = [];
  for (const source = new Source(bytes); source.left > 0; ) {
    const kind = source.byte();
    let length = 0;
    let byte = 0x80;
    for (let shift = 0; byte & 0x80; shift += 7) {
      byte = source.byte();
      length += (byte & 127) * 2 ** shift;
    }
    out.push(kind === 0 ? source.bytes(length) : new Uint8Array(length).fill(source.byte()));
  }
  return Buffer.concat(out);
}

class Source {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.bytes(1)[0] ?? 0;
  }

  bytes(length: number): Uint8Array {
    if (length > this.left) throw new Error('ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  number(): number {
    let byte = this.byte();
    const sign = byte & 0x40 ? -1 : 1;
    let value = byte & 63;
    for (let scale = 64; byte & 0x80; scale *= 128) {
      byte = this.byte();
      value += (byte & 127) * scale;
    }
    return sign * value;
  }

  /** A length and so many bytes, which `after` must have room for. */
  take(after: Uint8Array, to: number): Uint8Array {
    const length = this.number();
    if (length < 0 || Object.is(length, -0) || length > after.length - to)
      throw new Error('longer than the new image');
    return this.bytes(length);
  }
}
