// Bytes, integers, hexadecimal digits and CRC-32. The only file that knows the byte order (little endian,
// as WebAssembly has it).

/** Whether two byte strings of one length are equal. Not for secrets. */
export function bytes_equal(a: usize, b: usize, length: u32): bool {
  return bytes_compare(a, b, length) == 0;
}

/** Compares two byte strings of one length: negative, 0 or positive. Not for secrets. */
export function bytes_compare(a: usize, b: usize, length: u32): i32 {
  for (let i: u32 = 0; i < length; i++) {
    const order = <i32>load<u8>(a + i) - <i32>load<u8>(b + i);
    if (order != 0) return order;
  }
  return 0;
}

/** Whether every byte has the same value. */
export function bytes_all(pointer: usize, length: u32, value: u8): bool {
  for (let i: u32 = 0; i < length; i++) {
    if (load<u8>(pointer + i) != value) return false;
  }
  return true;
}

/** `value` rounded up to a multiple of `unit`, a power of two. */
// @ts-ignore: decorator
@inline
export function round_up(value: u32, unit: u32): u32 {
  return (value + unit - 1) & ~(unit - 1);
}

/** The value of a hexadecimal digit, or a negative number. */
export function nibble(c: i32): i32 {
  if (<u32>(c - 0x30) < 10) return c - 0x30;
  const letter = (c | 0x20) - 0x61;
  return <u32>letter < 6 ? letter + 10 : -1;
}

/** Decodes `2 * length` hexadecimal digits; false if one of them is not. */
export function hex_decode(digits: usize, length: u32, out: usize): bool {
  for (let i: u32 = 0; i < length; i++) {
    const high = nibble(load<u8>(digits + 2 * i));
    const low = nibble(load<u8>(digits + 2 * i + 1));
    if ((high | low) < 0) return false;
    store<u8>(out + i, (high << 4) | low);
  }
  return true;
}

/** Writes `2 * length` lower-case hexadecimal digits. */
export function hex_encode(bytes: usize, length: u32, out: usize): void {
  for (let i: u32 = 0; i < length; i++) {
    const b = load<u8>(bytes + i);
    store<u8>(out + 2 * i, digit(b >> 4));
    store<u8>(out + 2 * i + 1, digit(b & 15));
  }
}

/** The digit of a value below 16. */
export function digit(value: u32): u32 {
  return value + (value < 10 ? 0x30 : 0x57);
}

/** Writes `value` in decimal, without leading zeros; returns the end. */
export function decimal_encode(value: u32, out: usize): usize {
  let scale: u32 = 1;
  while (value / scale >= 10) scale *= 10;
  for (; scale != 0; scale /= 10) {
    store<u8>(out++, 0x30 + ((value / scale) % 10));
  }
  return out;
}

const CRC_NIBBLES = memory.data<u32>([
  0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
  0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
]);

/**
 * CRC-32 (IEEE 802.3) over more bytes; start with 0. For faults of the flash only: against people
 * there are hashes and signatures.
 */
export function crc32(crc: u32, pointer: usize, length: u32): u32 {
  crc = ~crc;
  for (let i: u32 = 0; i < length; i++) {
    crc ^= load<u8>(pointer + i);
    crc = (crc >>> 4) ^ load<u32>(CRC_NIBBLES + ((crc & 15) << 2));
    crc = (crc >>> 4) ^ load<u32>(CRC_NIBBLES + ((crc & 15) << 2));
  }
  return ~crc;
}
