// DER (ITU-T X.690), as much as keys and signatures need: definite lengths below 2^16 in their shortest form, tags of
// one byte. A cursor is an address; 0 stands for what is malformed.

export const DER_INTEGER: u32 = 0x02;
export const DER_BIT_STRING: u32 = 0x03;
export const DER_OBJECT: u32 = 0x06;
export const DER_SEQUENCE: u32 = 0x30;

/** Where the contents of the value at `at` begin, or 0 unless it has this tag and lies within `end`. */
export function der_open(at: usize, end: usize, tag: u32): usize {
  if (end - at < 2 || load<u8>(at) != tag) return 0;
  let length: usize = load<u8>(at, 1);
  at += 2;
  if (length >= 0x80) {
    const bytes = length - 0x80;
    if (bytes - 1 > 1 || end - at < bytes) return 0;
    length = bytes == 1 ? load<u8>(at) : length_16(at);
    if (length < (bytes == 1 ? 0x80 : 0x100)) return 0;
    at += bytes;
  }
  return end - at < length ? 0 : at;
}

/** Where a value ends that `der_open` has found sound. */
export function der_close(at: usize): usize {
  const length: usize = load<u8>(at, 1);
  if (length < 0x80) return at + 2 + length;
  if (length == 0x81) return at + 3 + load<u8>(at, 2);
  return at + 4 + length_16(at + 2);
}

function length_16(at: usize): usize {
  return bswap(load<u16>(at));
}

/** Where the contents begin of a value that takes up all from `at` to `end`, or 0. */
export function der_whole(at: usize, end: usize, tag: u32): usize {
  const contents = der_open(at, end, tag);
  return contents && der_close(at) == end ? contents : 0;
}

/** Where the first byte of an integer is that is not negative, without the zero that only shows its sign, or 0. */
export function der_unsigned(at: usize, end: usize): usize {
  const contents = der_open(at, end, DER_INTEGER);
  if (!contents) return 0;
  const length = der_close(at) - contents;
  if (!length || load<i8>(contents) < 0) return 0;
  if (length == 1 || load<u8>(contents)) return contents;
  return load<i8>(contents, 1) < 0 ? contents + 1 : 0;
}

/** Whether the bytes from `at` to `end` are these. */
export function der_is(at: usize, end: usize, bytes: usize, length: usize): bool {
  if (end - at != length) return false;
  while (at < end && load<u8>(at) == load<u8>(bytes)) {
    at++;
    bytes++;
  }
  return at == end;
}
