// Comparing strings of any length where they lie, by code point, which is the order of their UTF-8 bytes.
// (UTF-16 order, that of JavaScript's sort, differs above U+D7FF.)

import { HELD_ROOM, OTHER_TEXT_READER, TEXT_READER } from "../memory";
import { bytes_compare, nibble } from "../bytes";
import { Status } from "../status";
import { Reader, reader_fail, reader_open, reader_text, string_next, TEXT_CAPACITY } from "./reader";

/** Reads a string where it lies, one character after another. Within one call of whoever opened it. */
export const text_cursor = changetype<Reader>(TEXT_READER);
const a = text_cursor;
const b = changetype<Reader>(OTHER_TEXT_READER);

/**
 * Compares the string whose opening quote is at `left` of one document with the one at `right` of another.
 * Both were read before, so they are well formed. Negative, 0 or positive.
 */
export function text_compare(left_in: Reader, left: u32, right_in: Reader, right: u32): i32 {
  text_open(a, left_in, left);
  text_open(b, right_in, right);
  while (true) {
    const x = string_next(a);
    const y = string_next(b);
    if (x != y) return x - y;
    if (x < 0) return 0;
  }
}

/** A number for the string in hand, of any length (FNV-1a over its code points, 64 bits). Not for what must differ. */
export function text_hash(r: Reader): u64 {
  text_open(a, r, r.text_at);
  let hash: u64 = 0xcbf29ce484222325;
  for (let c = string_next(a); c >= 0; c = string_next(a)) hash = (hash ^ c) * 0x100000001b3;
  if (!isDefined(SMALL) && a.status != Status.OK) reader_fail(r, a.status); // it could not be read again
  return hash;
}

/** Copies the string at `quote`. Returns its length; 0: it is longer than `capacity`, or not ASCII. */
export function text_copy(r: Reader, quote: u32, out: usize, capacity: u32): u32 {
  let length: u32 = 0;
  text_open(a, r, quote);
  for (let c = string_next(a); c >= 0; c = string_next(a)) {
    if (c > 0x7f || length == capacity) return 0;
    store<u8>(out + length++, c);
  }
  return length;
}

/** Decodes the string at `quote` from hexadecimal digits. Returns how many bytes; 0: more than `capacity`, or no such digits. */
export function text_hex(r: Reader, quote: u32, out: usize, capacity: u32): u32 {
  let digits: u32 = 0;
  let byte = 0;
  text_open(a, r, quote);
  for (let c = string_next(a); c >= 0; c = string_next(a)) {
    const value = nibble(c);
    if (value < 0 || digits == capacity << 1) return 0;
    byte = (byte << 4) | value;
    if (digits++ & 1) store<u8>(out + (digits >> 1) - 1, byte);
  }
  return digits & 1 ? 0 : digits >> 1;
}

/** A string that was met before: where it is, and its text as far as a reader keeps it. */
@unmanaged
export class Held {
  quote: u32;
  length: u32;
  // TEXT_CAPACITY bytes of text follow.
}

/** Bytes of a Held with its text. */
const HELD_SIZE: i32 = 8 + TEXT_CAPACITY;
if (HELD_SIZE > HELD_ROOM) ERROR("a Held does not fit its region");

/** Keeps the string in hand. */
export function text_hold(r: Reader, h: Held): void {
  h.quote = r.text_at;
  h.length = r.text_length;
  memory.copy(changetype<usize>(h) + 8, reader_text(r), min(r.text_length, TEXT_CAPACITY));
}

/** Compares the string in hand with one of the same document that is held; only long ones are read again. */
export function text_compare_held(r: Reader, h: Held): i32 {
  const common = min(min(r.text_length, h.length), TEXT_CAPACITY);
  const order = bytes_compare(reader_text(r), changetype<usize>(h) + 8, common);
  if (order != 0) return order;
  if (common == TEXT_CAPACITY) return text_compare(r, r.text_at, r, h.quote);
  return r.text_length - h.length;
}

/** Points a cursor at the first character of the string whose opening quote was at `quote`. */
export function text_open(cursor: Reader, document: Reader, quote: u32): void {
  reader_open(cursor, document.area, document.base + quote + 1, document.length - quote - 1);
}
