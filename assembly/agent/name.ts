// The name of a target's file below the targets address (TUF 1.0.34, 5.7.3).

import { hex_encode } from "../bytes";
import { NAME_BUFFER } from "../memory";
import { Status } from "../status";

/**
 * Writes it into NAME_BUFFER: the path, and with a digest of so many bytes `DIR/DIGEST.FILE`. Returns its length, or
 * PATH_INVALID. The path has at most 128 bytes.
 */
export function name_write(path: usize, length: u32, digest: usize, size: u32): i32 {
  const file_at = path_check(path, length);
  if (file_at < 0) return file_at;
  let end = NAME_BUFFER + file_at;
  memory.copy(NAME_BUFFER, path, file_at);
  if (digest != 0) {
    hex_encode(digest, size, end);
    end += 2 * size;
    store<u8>(end++, 0x2e);
  }
  memory.copy(end, path + file_at, length - file_at);
  return <i32>(end - NAME_BUFFER) + <i32>length - file_at;
}

/**
 * Where the file's own name starts in a path; PATH_INVALID for one that could mean a place outside the
 * repository: absolute, with empty, `.` or `..` segments, back slashes or control characters.
 */
function path_check(path: usize, length: u32): i32 {
  let start: u32 = 0;
  for (let i: u32 = 0; i <= length; i++) {
    const c: u32 = i < length ? load<u8>(path + i) : 0x2f;
    if (c < 0x20 || c == 0x7f || c == 0x5c) return Status.PATH_INVALID;
    if (c != 0x2f) continue;
    const size = i - start;
    const dots = size != 0 && load<u8>(path + start) == 0x2e && (size == 1 || (size == 2 && load<u8>(path + start, 1) == 0x2e));
    if (size == 0 || dots) return Status.PATH_INVALID;
    if (i < length) start = i + 1;
  }
  return <i32>start;
}

/** Where the name of the file that is wanted stands. */
export function fetch_name(): usize {
  return NAME_BUFFER;
}
