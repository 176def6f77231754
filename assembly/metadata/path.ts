// The path that delegations are held against (TUF 4.5, "paths" and "path_hash_prefixes"): a whole one, or the start of
// all that are of interest, which fits where any path that starts so could.

import { bytes_equal, hex_encode } from "../bytes";
import { Reader, reader_text, string_next } from "../json/reader";
import { text_cursor, text_open } from "../json/text";
import { DIGEST, FILE_HASH } from "../memory";
import { hash_begin, hash_bytes, hash_end } from "../storage/hash";

let path: usize = 0;
let path_end: usize = 0;
let is_start: bool = false;

/** From now on this path counts: its bytes stay where they are, in UTF-8 with a few readable bytes behind them. */
export function path_set(at: usize, length: u32, start: bool): void {
  path = at;
  path_end = at + length;
  is_start = start;
}

/** Whether a string is the path. */
export function path_is(r: Reader): bool {
  return r.text_length == <u32>(path_end - path) && path_begins(r);
}

/** Whether a string begins with the path. */
export function path_begins(r: Reader): bool {
  const length = <u32>(path_end - path);
  return r.text_length >= length && bytes_equal(reader_text(r), path, length);
}

/**
 * Whether the pattern in hand fits the path. `*` is any characters, `?` is one, neither is ever a "/"; nothing else is
 * anything but itself. A wrong start of a segment is a wrong one for good, so only the last `*` is tried again.
 */
export function path_fits_pattern(r: Reader): bool {
  const pattern = text_cursor;
  text_open(pattern, r, r.text_at);
  let at = path;
  let star: u32 = 0;
  let starred: usize = 0;
  while (!is_start || at < path_end) {
    const c = string_next(pattern);
    if (c == 0x2a) {
      star = pattern.pos;
      starred = at;
    } else if (at < path_end && fits(c, code_point(at))) {
      at += size_at(at);
    } else if (at == path_end && c < 0) {
      return true;
    } else {
      if (star == 0 || starred == path_end || load<u8>(starred) == 0x2f) return false;
      starred += size_at(starred);
      at = starred;
      pattern.pos = star;
    }
  }
  return true;
}

function fits(wanted: i32, c: i32): bool {
  return wanted == c || (wanted == 0x3f && c != 0x2f);
}

/** Makes the SHA-256 of the path, for `path_fits_prefix`: its digits are in FILE_HASH, its bytes in DIGEST. */
export function path_hash(): void {
  hash_begin(FILE_HASH, false);
  hash_bytes(FILE_HASH, false, path, <u32>(path_end - path));
  hash_end(FILE_HASH, false);
  hex_encode(DIGEST, 32, FILE_HASH);
}

/** Whether the string in hand is how that hash begins, in lower-case hexadecimal digits. */
export function path_fits_prefix(r: Reader): bool {
  return is_start || (r.text_length <= 64 && bytes_equal(reader_text(r), FILE_HASH, r.text_length));
}

/** The character that begins here. */
function code_point(at: usize): i32 {
  const size = size_at(at);
  let c = <i32>load<u8>(at);
  if (size == 1) return c;
  c &= 0x7f >> <i32>size;
  for (let i: usize = 1; i < size; i++) c = (c << 6) | (load<u8>(at + i) & 0x3f);
  return c;
}

function size_at(at: usize): usize {
  const lead = load<u8>(at);
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
