// Writes an image into the slot that does not run: hashed as it arrives, block by block into the journal, and
// hashed again as it lies on flash before it may boot.

import { Area } from "../abi";
import { sha256_begin, sha256_restore, sha256_save, sha256_update } from "../crypto/sha256";
import { IMAGE_HASH, SLOT_WRITER } from "../memory";
import { Status } from "../status";
import { flash_block_end, flash_erase, flash_erase_end, flash_size, flash_usable } from "../storage/flash";
import { hash_begin, hash_flash, hash_is } from "../storage/hash";
import { install, install_component, install_digest, install_payload, install_slot, install_state, journal_progress } from "../storage/journal";
import { Writer, writer_begin, writer_flush, writer_put } from "../storage/writer";

/** Bytes that at least lie between two entries of the journal, where blocks are small. */
const PROGRESS_STEP: u32 = 2048;

/** Bytes that one call reads back, so that a host can feed its watchdog in between. */
export const VERIFY_SLICE: u32 = 16384;

const writer = changetype<Writer>(SLOT_WRITER);

/** Bytes of the image that were taken so far. */
let received: u32 = 0;
/** Where the erased part of the slot ends. */
let erased: u32 = 0;
/** Bytes that were read back so far. */
let verified: u32 = 0;
/** The hashes that the image must have: whether install_digest is its SHA-256, and its SHA-512 or 0. */
let by_sha256: bool = true;
let sha512: usize = 0;
/** They are compared one after the other: this one is the SHA-512. */
let second: bool = false;

/** Of components other than the main one. */
const MORE_SLOTS: i32 = 8;

/** The area of a slot, 0 or 1, of a component. */
export function slot_area(component: i32, slot: i32): i32 {
  return isDefined(SMALL) || component == 0 ? Area.SLOT_A + slot : MORE_SLOTS + 2 * component + slot;
}

function area(): i32 {
  return slot_area(install_component(), install_slot());
}

/** Both slots of a component can be written, and are of one size. */
export function slots_usable(component: i32): bool {
  const a = slot_area(component, 0);
  const b = slot_area(component, 1);
  return flash_usable(a, 1) && flash_usable(b, 1) && flash_size(a) == flash_size(b);
}

export function slot_received(): u32 {
  return received;
}

/**
 * Goes on with the install of the journal at its last entry. Every hash that is listed will be compared
 * (TUF 5.7.2): install_digest as SHA-256 if `has_sha256`, and the SHA-512 at `wide` unless that is 0.
 */
export function slot_resume(has_sha256: bool, wide: usize): void {
  by_sha256 = has_sha256;
  sha512 = wide;
  received = install.offset;
  erased = received;
  sha256_restore(IMAGE_HASH, install_state(), received);
  if (received == 0) sha256_begin(IMAGE_HASH);
  writer_begin(writer, area(), received);
}

/** Takes the next bytes of the image. TOO_LONG: there are more than were announced. */
export function slot_write(pointer: usize, length: u32): Status {
  if (length > install.length - received) return Status.TOO_LONG;
  while (length != 0) {
    const end = flash_block_end(area(), received);
    const part = min(length, end - received);
    const status = write_in_block(pointer, part, end);
    if (status != Status.OK) return status;
    pointer += part;
    length -= part;
  }
  return Status.OK;
}

function write_in_block(pointer: usize, length: u32, end: u32): Status {
  let status: Status = received == erased ? erase_next() : Status.OK;
  if (status == Status.OK) status = writer_put(writer, pointer, length);
  if (status != Status.OK) return status;
  sha256_update(IMAGE_HASH, pointer, length);
  received += length;
  // With a patch it takes more to go on than the image so far: payload.ts sees to that.
  return received == end && install_payload() == 0 && received - install.offset >= PROGRESS_STEP ? slot_note() : Status.OK;
}

/** Erases what comes next in the slot: as much as one call does, and no block that the image does not need. */
function erase_next(): Status {
  const end = flash_erase_end(area(), erased, install.length);
  const status = flash_erase(area(), erased, end);
  if (status == Status.OK) erased = end;
  return status;
}

/**
 * Erases one step ahead of the one that is written. 1: it did, 0: there is nothing to erase now. Not before bytes of the
 * image had a step erased for them since the install was taken up: who has no image wears no flash. Where the erased part
 * ends is recorded nowhere: after a power cut the image goes on at a block that is erased again.
 */
export function slot_erase_ahead(): i32 {
  const begun = erased > install.offset;
  if (!begun || erased >= install.length || erased > flash_erase_end(area(), received, install.length)) return 0;
  const status = erase_next();
  return status == Status.OK ? 1 : status;
}

/** At the end of a block all of it is on flash: from here a download can go on. */
export function slot_note(): Status {
  if (!sha256_save(IMAGE_HASH, install_state())) return Status.OK;
  install.offset = received;
  return journal_progress();
}

/** Bytes from here to the end of an erase block. */
export function slot_room(): u32 {
  return flash_block_end(area(), received) - received;
}

/** Whether the last write came to the end of an erase block. */
export function slot_is_at_block(): bool {
  return received != 0 && flash_block_end(area(), received - 1) == received;
}

/** All bytes have arrived: writes the last of them, looks at their hash and prepares to read them back. */
export function slot_finish(): Status {
  const status = writer_flush(writer);
  if (status != Status.OK) return status;
  if (by_sha256 && !hash_is(IMAGE_HASH, false, install_digest())) return Status.IMAGE_MISMATCH;
  read_back(!by_sha256);
  return Status.OK;
}

function read_back(by_sha512: bool): void {
  verified = 0;
  second = by_sha512;
  hash_begin(IMAGE_HASH, second);
}

/** Whether all of the image was read back and is right. */
export function slot_is_verified(): bool {
  return verified == install.length && (second || sha512 == 0);
}

/** Reads a slice of the image back. FLASH_VERIFY, IMAGE_MISMATCH: what lies on flash is not the image. */
export function slot_verify(): Status {
  if (verified == install.length) read_back(true);
  const part = min(install.length - verified, VERIFY_SLICE);
  const status = hash_flash(IMAGE_HASH, second, area(), verified, part);
  verified += part;
  if (status != Status.OK || verified < install.length) return status;
  if (hash_is(IMAGE_HASH, second, second ? sha512 : install_digest())) return Status.OK;
  return second ? Status.IMAGE_MISMATCH : Status.FLASH_VERIFY; // by SHA-256 it was right as it arrived
}
