// The image of the install as it lies in its slot, for those who judge it. What lies behind its end is not the image,
// but an older one, say. The first finding stays; what is read after it means nothing, and is never endless.

import { Area } from "../abi";
import { bytes_equal } from "../bytes";
import { COPY_BUFFER, COPY_SIZE, DIGEST, IMAGE_HASH } from "../memory";
import { Status } from "../status";
import { flash_read } from "../storage/flash";
import { hash_begin, hash_bytes, hash_end } from "../storage/hash";
import { install, install_slot } from "../storage/journal";

let finding: Status = Status.OK;
/** The bytes that its own hash covers, those of them that have passed, and whether that hash is a SHA-512. */
let covered: u32 = 0;
let passed: u32 = 0;
let wide: bool = false;

export function image_open(): void {
  finding = Status.OK;
}

/** OK, or the first finding. */
export function image_status(): Status {
  return finding;
}

export function image_check(holds: bool, otherwise: Status): void {
  if (!holds && finding == Status.OK) finding = otherwise;
}

/** Reads bytes of it into COPY_BUFFER, no more than that holds. IMAGE_FORMAT: it ends before them. */
export function image_read(offset: u32, length: u32): void {
  assert(length <= COPY_SIZE);
  image_check(offset <= install.length && length <= install.length - offset, Status.IMAGE_FORMAT);
  if (finding == Status.OK) finding = flash_read(Area.SLOT_A + install_slot(), offset, COPY_BUFFER, length);
}

/** It must end where its format says. Bytes behind that are looked at by nobody, and the bootloader may copy them. */
export function image_ends(at: u32): void {
  image_check(at <= install.length, Status.IMAGE_FORMAT);
  image_check(at == install.length, Status.IMAGE_TRAILING);
}

/** Prepares to pass the first `length` bytes through the hash. */
export function image_cover(length: u32, by_sha512: bool): void {
  covered = length;
  passed = 0;
  wide = by_sha512;
  hash_begin(IMAGE_HASH, wide);
}

/** Passes the next bytes, which are then in COPY_BUFFER. Returns how many. */
export function image_pass(): u32 {
  const part = min(covered - passed, COPY_SIZE);
  image_read(passed, part);
  hash_bytes(IMAGE_HASH, wide, COPY_BUFFER, part);
  passed += part;
  return part;
}

export function image_is_passed(): bool {
  return passed == covered;
}

/** The hash, which is then in DIGEST, must be the one that stands at `at`. */
export function image_is_hashed(at: u32): void {
  const size = image_hash_size();
  hash_end(IMAGE_HASH, wide);
  image_read(at, size);
  image_check(bytes_equal(DIGEST, COPY_BUFFER, size), Status.IMAGE_CORRUPT);
}

export function image_hash_size(): u32 {
  return wide ? 64 : 32;
}
