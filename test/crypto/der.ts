// DER as the tests write it, right or wrong.
export const concat = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

/** A value whose length is in its shortest form. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const bytes = concat(...contents);
  const { length } = bytes;
  if (length < 0x80) return concat(Uint8Array.of(tag, length), bytes);
  if (length < 0x100) return concat(Uint8Array.of(tag, 0x81, length), bytes);
  return concat(Uint8Array.of(tag, 0x82, length >> 8, length), bytes);
}

/** The bytes of an integer, big endian, as few as there can be. */
export function magnitude(value: bigint): Uint8Array {
  const hex = value.toString(16);
  return new Uint8Array(Buffer.from(hex.padStart(hex.length + (hex.length & 1), '0'), 'hex'));
}

/** An integer of `length` bytes, big endian. */
export const bigEndian = (value: bigint, length: number) =>
  new Uint8Array(Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex'));

export const fromBigEndian = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);

export function derInteger(value: bigint): Uint8Array {
  const bytes = magnitude(value);
  return der(0x02, (bytes[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(), bytes);
}

export const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
export const bitString = (...parts: readonly Uint8Array[]) => der(0x03, Uint8Array.of(0), ...parts);
export const objectId = (hex: string) => der(0x06, new Uint8Array(Buffer.from(hex, 'hex')));
export const NULL = Uint8Array.of(5, 0);

export const toPem = (bytes: Uint8Array) =>
  `-----BEGIN PUBLIC KEY-----\n${Buffer.from(bytes)
    .toString('base64')
    .replace(/.{64}/g, '$&\n')
    .replace(/\n$/, '')}\n-----END PUBLIC KEY-----\n`;
