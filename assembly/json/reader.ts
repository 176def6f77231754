// A pull reader over JSON that lies on flash (RFC 8259, strict). It holds one window of the file, the text of
// the last string as far as it is short, and nothing that grows with the file.
//
// The first fault sets `status` and moves to the end, so that every loop over members or elements ends: a
// caller checks the status once, after its loop, and believes nothing before.

import { Status } from "../status";
import { nibble } from "../bytes";
import { READER_ROOM } from "../memory";
import { flash_read } from "../storage/flash";
import { Name, name_find } from "./names";

const WINDOW_SIZE: u32 = 128;

/** Bytes of text that are kept; a longer string has a `text_length` above this. */
export const TEXT_CAPACITY: u32 = 128;

/** Objects and arrays within one another. */
export const MAX_DEPTH: u32 = 32;

@unmanaged
export class Reader {
  /** Area and offset of the document, and its length. */
  area: i32;
  base: u32;
  length: u32;
  /** The next byte, from the document's start. */
  pos: u32;
  window_at: u32;
  window_length: u32;
  status: Status;
  depth: u32;
  /** Nothing was read yet of the object or array in hand. */
  fresh: bool;
  /** The last string: its opening quote, and its decoded bytes in UTF-8. */
  text_at: u32;
  text_length: u32;
  // WINDOW_SIZE bytes of window and TEXT_CAPACITY bytes of text follow.
}

const WINDOW: usize = 48;
const TEXT: usize = 48 + WINDOW_SIZE;

/** Bytes of a Reader with its window and its text. */
const READER_SIZE: i32 = 48 + WINDOW_SIZE + TEXT_CAPACITY;
if (READER_SIZE > READER_ROOM) ERROR("a Reader does not fit its region");

export function reader_open(r: Reader, area: i32, base: u32, length: u32): void {
  r.area = area;
  r.base = base;
  r.length = length;
  r.window_at = 0;
  r.window_length = 0;
  r.status = Status.OK;
  reader_seek(r, 0);
}

/** Goes on at the start of a value that was met before. */
export function reader_seek(r: Reader, pos: u32): void {
  r.pos = pos;
  r.depth = 0;
  r.fresh = true;
}

/** Steps into the object, or the array, that starts at a place that was met before. */
export function reader_object_at(r: Reader, pos: u32): bool {
  reader_seek(r, pos);
  return reader_object(r);
}

export function reader_array_at(r: Reader, pos: u32): bool {
  reader_seek(r, pos);
  return reader_array(r);
}

/** The decoded bytes of the last string. */
// @ts-ignore: decorator
@inline
export function reader_text(r: Reader): usize {
  return changetype<usize>(r) + TEXT;
}

/** Records the first fault and ends every loop. */
export function reader_fail(r: Reader, status: Status): void {
  if (r.status == Status.OK) r.status = status;
  r.pos = r.length;
}

/** The byte at `pos`, or -1 at the end. */
function peek(r: Reader): i32 {
  const at = r.pos - r.window_at;
  return at < r.window_length ? <i32>load<u8>(changetype<usize>(r) + at, WINDOW) : refill(r);
}

/** The same, and moves on. */
function take(r: Reader): i32 {
  const c = peek(r);
  r.pos++;
  return c;
}

function refill(r: Reader): i32 {
  if (r.pos >= r.length) return -1;
  const part = min(WINDOW_SIZE, r.length - r.pos);
  if (flash_read(r.area, r.base + r.pos, changetype<usize>(r) + WINDOW, part) != Status.OK) {
    r.window_length = 0;
    reader_fail(r, Status.FLASH_READ);
    return -1;
  }
  r.window_at = r.pos;
  r.window_length = part;
  return <i32>load<u8>(changetype<usize>(r), WINDOW);
}

/** The next byte that is not white space, or -1 at the end; it stays. */
export function reader_peek(r: Reader): i32 {
  while (true) {
    const c = peek(r);
    if (c != 0x20 && c != 0x0a && c != 0x0d && c != 0x09) return c;
    r.pos++;
  }
}

function expect(r: Reader, byte: i32): bool {
  if (reader_peek(r) != byte) {
    reader_fail(r, Status.JSON_SYNTAX);
    return false;
  }
  r.pos++;
  return true;
}

/** Steps into an object. A value of another kind is a fault. */
export function reader_object(r: Reader): bool {
  return enter(r, 0x7b);
}

/** Steps into an array. */
export function reader_array(r: Reader): bool {
  return enter(r, 0x5b);
}

function enter(r: Reader, bracket: i32): bool {
  if (reader_peek(r) != bracket) {
    reader_fail(r, Status.METADATA_INVALID);
    return false;
  }
  if (r.depth == MAX_DEPTH) {
    reader_fail(r, Status.JSON_DEPTH);
    return false;
  }
  r.pos++;
  r.depth++;
  r.fresh = true;
  return true;
}

/** The next member: reads its name and stands before its value. False: the object (or the file) ends. */
export function reader_member(r: Reader): bool {
  if (!next(r, 0x7d)) return false;
  return scan_string(r) && expect(r, 0x3a);
}

/** Stands before the next element. False: the array (or the file) ends. */
export function reader_element(r: Reader): bool {
  return next(r, 0x5d);
}

/** Commas and the closing bracket. */
function next(r: Reader, close: i32): bool {
  if (r.status != Status.OK) return false;
  const fresh = r.fresh;
  r.fresh = false;
  if (reader_peek(r) == close) {
    r.pos++;
    r.depth--;
    return false;
  }
  if (fresh) return true;
  if (!expect(r, 0x2c)) return false;
  if (reader_peek(r) != close) return true;
  reader_fail(r, Status.JSON_SYNTAX);
  return false;
}

/** The name of the member in hand, among those that the core knows. */
export function reader_name(r: Reader): Name {
  return r.text_length <= TEXT_CAPACITY ? name_find(reader_text(r), r.text_length) : Name.OTHER;
}

/** Steps into an object and stands before the value of this name. False: the object has none. */
export function reader_find(r: Reader, name: Name): bool {
  reader_object(r);
  while (reader_member(r)) {
    if (reader_name(r) == name) return true;
    reader_skip(r);
  }
  return false;
}

/** Reads a string; its text is in `reader_text`. */
export function reader_string(r: Reader): bool {
  if (reader_peek(r) != 0x22) {
    reader_fail(r, Status.METADATA_INVALID);
    return false;
  }
  return scan_string(r);
}

/** Reads a string that is one of the known names. */
export function reader_named_value(r: Reader): Name {
  return reader_string(r) ? reader_name(r) : Name.OTHER;
}

/** What `reader_try_integer` returns for a number above 2^32 - 2. */
const TOO_LARGE: u32 = 0xffffffff;

/** Reads a whole number, 0 to 2^32 - 2; `fault` if it is anything else. */
export function reader_integer(r: Reader, fault: Status): u32 {
  const value = reader_try_integer(r, fault);
  if (value == TOO_LARGE) reader_fail(r, fault);
  return value;
}

/** Reads a whole number of any size, TOO_LARGE for a large one; `fault` if it is anything else. */
export function reader_try_integer(r: Reader, fault: Status): u32 {
  const first = reader_peek(r);
  if (first < 0x30 || first > 0x39) {
    reader_fail(r, fault);
    return 0;
  }
  const start = r.pos;
  const end = scan_number(r);
  if (r.status != Status.OK) return 0;
  let value: u64 = 0;
  for (r.pos = start; r.pos < end; r.pos++) value = min<u64>(value * 10 + (peek(r) - 0x30), TOO_LARGE);
  return <u32>value;
}

/** Reads true or false. */
export function reader_bool(r: Reader): bool {
  const value = reader_peek(r) == 0x74;
  if (!value && reader_peek(r) != 0x66) reader_fail(r, Status.METADATA_INVALID);
  else scan_literal(r);
  return value;
}

/** Steps over a value of any kind, checking that it is JSON. */
export function reader_skip(r: Reader): void {
  const outer = r.depth;
  let kinds: u32 = 0; // bit n: what opened at depth outer + n is an object
  do {
    const c = reader_peek(r);
    if (c == 0x7b || c == 0x5b) {
      if (!enter(r, c)) return;
      kinds = (kinds << 1) | u32(c == 0x7b);
    } else reader_scalar(r);
    while (r.depth > outer && !(kinds & 1 ? reader_member(r) : reader_element(r))) {
      if (r.status != Status.OK) return;
      kinds >>>= 1;
    }
  } while (r.depth > outer);
}

/** Steps over a string, number, true, false or null. */
export function reader_scalar(r: Reader): void {
  const c = reader_peek(r);
  if (c == 0x22) scan_string(r);
  else if (c == 0x2d || (c >= 0x30 && c <= 0x39)) scan_number(r);
  else scan_literal(r);
}

/** Nothing but white space may follow the document's value. */
export function reader_end(r: Reader): void {
  if (reader_peek(r) != -1) reader_fail(r, Status.JSON_SYNTAX);
}

/** Steps over digits with an optional sign; returns their end. Fractions and exponents are faults. */
function scan_number(r: Reader): u32 {
  r.fresh = false;
  if (peek(r) == 0x2d) r.pos++;
  const first = r.pos;
  const zero = peek(r) == 0x30;
  while (peek(r) >= 0x30 && peek(r) <= 0x39) r.pos++;
  const digits = r.pos - first;
  const c = peek(r);
  if (digits == 0 || (zero && digits > 1)) reader_fail(r, Status.JSON_SYNTAX);
  else if (c == 0x2e || (c | 0x20) == 0x65) reader_fail(r, Status.JSON_NUMBER);
  return r.pos;
}

/** true, false or null */
function scan_literal(r: Reader): void {
  const c = reader_peek(r);
  r.fresh = false;
  if (c == 0x74) scan_rest(r, 0x65757274, 4);
  else if (c == 0x6e) scan_rest(r, 0x6c6c756e, 4);
  else if (c == 0x66) {
    r.pos++;
    scan_rest(r, 0x65736c61, 4);
  } else reader_fail(r, Status.JSON_SYNTAX);
}

function scan_rest(r: Reader, letters: u32, count: u32): void {
  for (; count != 0; count--, letters >>>= 8) {
    if (take(r) != (letters & 0xff)) return reader_fail(r, Status.JSON_SYNTAX);
  }
}

// ---- strings ----

function scan_string(r: Reader): bool {
  r.fresh = false;
  r.text_at = r.pos;
  r.text_length = 0;
  if (!expect(r, 0x22)) return false;
  while (true) {
    const c = string_next(r);
    if (c < 0) return c == STRING_END;
    put_code_point(r, c);
  }
}

/** What `string_next` returns at the closing quote. */
const STRING_END: i32 = -1;
/** What it returns after a fault. */
const STRING_FAULT: i32 = -2;

/** Decodes one code point of a string whose opening quote was passed. */
export function string_next(r: Reader): i32 {
  const c = peek(r);
  if (c >= 0x20 && c < 0x80 && c != 0x22 && c != 0x5c) {
    r.pos++;
    return c;
  }
  if (c == 0x22) {
    r.pos++;
    return STRING_END;
  }
  if (c == 0x5c) return string_escape(r);
  if (c >= 0x80) return string_utf8(r, c);
  return string_fault(r, Status.JSON_SYNTAX); // a control character, or the end of the file
}

function string_fault(r: Reader, status: Status): i32 {
  reader_fail(r, status);
  return STRING_FAULT;
}

/** What may follow a back slash, each with what it means. */
const ESCAPES = "\"\"\\\\//b\bf\fn\nr\rt\t";

function string_escape(r: Reader): i32 {
  r.pos++;
  const c = take(r);
  if (c == 0x75) return string_unicode(r);
  for (let i: usize = 0; i < <usize>ESCAPES.length << 1; i += 4) {
    const pair = changetype<usize>(ESCAPES) + i;
    if (load<u16>(pair) == c) return load<u16>(pair, 2);
  }
  return string_fault(r, Status.JSON_SYNTAX);
}

/** \uXXXX, and the second half of a surrogate pair after the first. */
function string_unicode(r: Reader): i32 {
  const first = four_digits(r);
  if (first < 0) return string_fault(r, Status.JSON_SYNTAX);
  if ((first & 0xf800) != 0xd800) return first;
  if ((first & 0x400) != 0 || take(r) != 0x5c || take(r) != 0x75) return string_fault(r, Status.JSON_UTF8);
  const second = four_digits(r);
  if (second < 0) return string_fault(r, Status.JSON_SYNTAX);
  if ((second & 0xfc00) != 0xdc00) return string_fault(r, Status.JSON_UTF8);
  return 0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff);
}

function four_digits(r: Reader): i32 {
  let value = 0;
  for (let i = 0; i < 4; i++) value = (value << 4) | nibble(take(r));
  return value;
}

/** UTF-8 of two to four bytes (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
function string_utf8(r: Reader, lead: i32): i32 {
  const more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  if (lead < 0xc2 || lead > 0xf4) return string_fault(r, Status.JSON_UTF8);
  let c = lead & (0x3f >> more);
  r.pos++;
  for (let i = 0; i < more; i++) {
    const b = take(r);
    if ((b & 0xc0) != 0x80 || b < 0) return string_fault(r, Status.JSON_UTF8);
    c = (c << 6) | (b & 0x3f);
  }
  const overlong = (more == 2 && c < 0x800) || (more == 3 && c < 0x10000);
  if (overlong || (c & ~0x7ff) == 0xd800 || c > 0x10ffff) return string_fault(r, Status.JSON_UTF8);
  return c;
}

function put_code_point(r: Reader, c: i32): void {
  if (c < 0x80) return put(r, c);
  const more = c >= 0x10000 ? 3 : c >= 0x800 ? 2 : 1;
  put(r, utf8_byte(c, more));
  for (let left = more - 1; left >= 0; left--) put(r, 0x80 | ((c >> (6 * left)) & 0x3f));
}

/** The first byte of a code point that takes `more` bytes after it. */
export function utf8_byte(c: i32, more: i32): i32 {
  return ((0xf80 >> more) & 0xff) | (c >> (6 * more));
}

function put(r: Reader, byte: i32): void {
  if (r.text_length < TEXT_CAPACITY) store<u8>(reader_text(r) + r.text_length, byte);
  r.text_length++;
}
