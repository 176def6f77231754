// Hashes of what lies on flash: SHA-256, or SHA-512 where `wide`.

import { bytes_equal } from "../bytes";
import { sha256_begin, sha256_end, sha256_update } from "../crypto/sha256";
import { sha512_begin, sha512_end, sha512_update } from "../crypto/sha512";
import { COPY_BUFFER, COPY_SIZE, DIGEST, FILE_HASH } from "../memory";
import { Status } from "../status";
import { flash_read } from "./flash";

let begun_wide: bool = false;

export function hash_begin(context: usize, wide: bool): void {
  if (!isDefined(SMALL)) begun_wide = wide;
  if (wide) sha512_begin(context);
  else sha256_begin(context);
}

/** Takes in `length` bytes of an area. */
export function hash_flash(context: usize, wide: bool, area: i32, offset: u32, length: u32): Status {
  while (length != 0) {
    const part = min(length, COPY_SIZE);
    const status = flash_read(area, offset, COPY_BUFFER, part);
    if (status != Status.OK) return status;
    hash_bytes(context, wide, COPY_BUFFER, part);
    offset += part;
    length -= part;
  }
  return Status.OK;
}

/** Takes in `length` bytes of memory. */
export function hash_bytes(context: usize, wide: bool, pointer: usize, length: u32): void {
  if (wide) sha512_update(context, pointer, length);
  else sha256_update(context, pointer, length);
}

/** Takes in what is streamed for the hash in FILE_HASH that was begun last. */
export function hash_feed(pointer: usize, length: u32): void {
  hash_bytes(FILE_HASH, begun_wide, pointer, length);
}

/** Ends the hash, which is then in DIGEST. */
export function hash_end(context: usize, wide: bool): void {
  if (wide) sha512_end(context, DIGEST);
  else sha256_end(context, DIGEST);
}

/** Ends the hash; whether it is the expected one, of 32 or 64 bytes. */
export function hash_is(context: usize, wide: bool, expected: usize): bool {
  hash_end(context, wide);
  return bytes_equal(DIGEST, expected, wide ? 64 : 32);
}
