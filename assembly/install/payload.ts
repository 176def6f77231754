// What is fetched for an image: the image itself, or a patch that makes it, out of the image that runs or out of
// nothing. A patch passes through its decoder into the slot; where that stands is recorded with the install.

import { Area } from "../abi";
import { bytes_equal } from "../bytes";
import { sha256_begin, sha256_update, sha256_used } from "../crypto/sha256";
import { heatshrink_feed, heatshrink_input } from "../delta/heatshrink";
import { patch_begin, patch_is_done, patch_read } from "../delta/patch";
import { IMAGE_HASH, PASSED_HASH, PATCH_HASH, PAYLOAD, PAYLOAD_ROOM, UNPACKED } from "../memory";
import { Status } from "../status";
import { hash_begin, hash_flash, hash_is } from "../storage/hash";
import { install, install_payload, journal_load } from "../storage/journal";
import { slot_finish, slot_is_at_block, slot_note, slot_received, slot_room, slot_write, VERIFY_SLICE } from "./slots";

@unmanaged
class Payload {
  length: u32;
  /** Bytes of it that the decoder has taken. */
  taken: u32;
  // The 32 bytes of its SHA-256 follow; then PATCH_HASH and the Delta.
}

const DIGEST_AT: usize = 8;

const payload = changetype<Payload>(PAYLOAD);

/** Bytes of a patch, or of the image that it made, after which an install is recorded again. */
const PATCH_STEP: u32 = 2048;
const IMAGE_STEP: u32 = 32768;

/** Bytes of the patch that were taken at the last record. */
let noted: u32 = 0;
/** Bytes of the running image that were hashed. */
let hashed: u32 = 0;

/** Whether a patch is fetched, and not the image itself. */
export function payload_is_patch(): bool {
  return install_payload() != 0;
}

/** From its first byte on, a patch is fetched that makes the image of the install out of `base` bytes of the running one. */
export function payload_begin(length: u32, digest: usize, base: u32): void {
  install.state = PAYLOAD_ROOM;
  payload.length = length;
  payload.taken = 0;
  memory.copy(PAYLOAD + DIGEST_AT, digest, 32);
  sha256_begin(PATCH_HASH);
  patch_begin(install.length, Area.SLOT_A + (install.slot ^ 1), base);
}

/** Whether the patch of the journal is this one, and where it stands could be read back. */
export function payload_continues(length: u32, digest: usize): bool {
  return journal_load() == Status.OK && payload.length == length && bytes_equal(PAYLOAD + DIGEST_AT, digest, 32);
}

/** Goes on: the decoder may hold bytes that only the power was missing for. */
export function payload_resume(): Status {
  if (!payload_is_patch()) return Status.OK;
  noted = payload.taken;
  return write_patch(PAYLOAD, 0);
}

/** Where the bytes that are wanted next begin. */
export function payload_offset(): u32 {
  return payload_is_patch() ? payload.taken : slot_received();
}

export function payload_length(): u32 {
  return payload_is_patch() ? payload.length : install.length;
}

/** An answer begins at the first byte of the file: what is here already comes once more. */
export function payload_pass_begin(): void {
  sha256_begin(PASSED_HASH);
}

/** Passes bytes over; at the `last` of them FILE_CHANGED unless they are those that are here. */
export function payload_pass(pointer: usize, length: u32, last: bool): Status {
  sha256_update(PASSED_HASH, pointer, length);
  const taken = payload_is_patch() ? PATCH_HASH : IMAGE_HASH;
  return last && !bytes_equal(PASSED_HASH, taken, sha256_used(taken)) ? Status.FILE_CHANGED : Status.OK;
}

/** Takes the next bytes. TOO_LONG: there are more than were announced. */
export function payload_write(pointer: usize, length: u32): Status {
  if (!payload_is_patch()) return slot_write(pointer, length);
  return length > payload.length - payload.taken ? Status.TOO_LONG : write_patch(pointer, length);
}

function write_patch(pointer: usize, length: u32): Status {
  heatshrink_feed(pointer, length);
  const end = pointer + length;
  let status: Status = Status.OK;
  for (let made = 1; made != 0 && status == Status.OK; ) {
    // At least 1: behind the image there is the end of the patch.
    made = patch_read(UNPACKED, max(slot_room(), 1));
    if (made < 0) return made;
    // All that was taken up to here is part of the state that is recorded; at last, all that has come.
    const next = made == 0 ? end : heatshrink_input();
    sha256_update(PATCH_HASH, pointer, <u32>(next - pointer));
    payload.taken += <u32>(next - pointer);
    pointer = next;
    status = slot_write(UNPACKED, made);
    if (status == Status.OK && slot_is_at_block() && is_worth_noting()) status = note();
  }
  return status;
}

function is_worth_noting(): bool {
  return payload.taken - noted >= PATCH_STEP || slot_received() - install.offset >= IMAGE_STEP;
}

function note(): Status {
  noted = payload.taken;
  return slot_note();
}

/** Whether as much has arrived as was announced. */
export function payload_is_whole(): bool {
  return payload_is_patch() ? payload.taken == payload.length : slot_received() == install.length;
}

/** All has arrived: judges the patch by its hash, then the image, and prepares to read that back. */
export function payload_finish(): Status {
  if (payload_is_patch() && !(patch_is_done() && hash_is(PATCH_HASH, false, PAYLOAD + DIGEST_AT))) return Status.PATCH_INVALID;
  return slot_finish();
}

// ---- the image that a patch is made for ----

export function base_begin(): void {
  hashed = 0;
  hash_begin(IMAGE_HASH, false);
}

/** Hashes a slice of the image that runs, the first `length` bytes of its slot. Whether that was the last is base_is_read. */
export function base_read(slot: i32, length: u32): Status {
  const part = min(length - hashed, VERIFY_SLICE);
  const status = hash_flash(IMAGE_HASH, false, Area.SLOT_A + slot, hashed, part);
  hashed += part;
  return status;
}

export function base_is_read(length: u32): bool {
  return hashed == length;
}

export function base_is(digest: usize): bool {
  return hash_is(IMAGE_HASH, false, digest);
}
