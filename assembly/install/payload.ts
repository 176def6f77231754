// What is fetched for an image: the image itself, or a patch that makes it, out of the image that runs or out of
// nothing, or either of them encrypted. It is opened, a patch passes through its decoder, and then into the slot; where
// that stands is recorded with the install.

import { bytes_equal } from "../bytes";
import { sha256_begin, sha256_update, sha256_used } from "../crypto/sha256";
import { heatshrink_feed, heatshrink_input } from "../delta/heatshrink";
import { patch_begin, patch_is_done, patch_is_image, patch_read } from "../delta/patch";
import { ENCRYPTED_ROOM, IMAGE_HASH, PASSED_HASH, PATCH_HASH, PAYLOAD, PAYLOAD_ROOM, SEALED_HASH, UNPACKED } from "../memory";
import { ENCRYPTION } from "../lean";
import { Status } from "../status";
import { hash_begin, hash_flash, hash_is } from "../storage/hash";
import { install, install_component, install_payload, install_slot, journal_load } from "../storage/journal";
import { sealed_arrived, sealed_begin, sealed_forget, sealed_is_patch, sealed_open, sealed_put, sealed_resume, sealed_text } from "./encryption";
import { slot_area, slot_finish, slot_is_at_block, slot_note, slot_received, slot_room, slot_write, VERIFY_SLICE } from "./slots";

@unmanaged
class Payload {
  length: u32;
  /** Bytes of it, or of the text inside where it is encrypted, that went into the slot or its decoder. */
  taken: u32;
  // The 32 bytes of its SHA-256 follow; then PATCH_HASH and the Delta; then what is Sealed.
}

const DIGEST_AT: usize = 8;

const payload = changetype<Payload>(PAYLOAD);

/** Bytes of a patch, or of the image that it made, after which an install is recorded again. */
const PATCH_STEP: u32 = 2048;
const IMAGE_STEP: u32 = 32768;
/** The same of an image that is encrypted as it is. */
const TEXT_STEP: u32 = 16384;

/** Bytes of the patch that were taken at the last record. */
let noted: u32 = 0;
/** Bytes of the running image that were hashed. */
let hashed: u32 = 0;

/** Bytes that the journal must have room for. */
export function payload_room(encrypted: bool): u32 {
  return encrypted ? ENCRYPTED_ROOM : PAYLOAD_ROOM;
}

/** Whether a payload is fetched, and not the image itself. */
// @ts-ignore: decorator
@inline
export function payload_is_used(): bool {
  return install_payload() != 0;
}

function is_encrypted(): bool {
  return ENCRYPTION && install_payload() == ENCRYPTED_ROOM;
}

/** From its first byte on, a payload is fetched that makes the image of the install out of `base` bytes of the running one. */
export function payload_begin(length: u32, digest: usize, base: u32, encrypted: bool): void {
  install.state = payload_room(encrypted);
  payload.length = length;
  payload.taken = 0;
  memory.copy(PAYLOAD + DIGEST_AT, digest, 32);
  sha256_begin(PATCH_HASH);
  patch_begin(install.length, slot_area(install_component(), install_slot() ^ 1), base);
  if (ENCRYPTION) sealed_begin();
}

/** Whether the payload of the journal is this one, and where it stands could be read back. */
export function payload_continues(length: u32, digest: usize): bool {
  return journal_load() == Status.OK && payload.length == length && bytes_equal(PAYLOAD + DIGEST_AT, digest, 32);
}

/** Goes on: the decoder may hold bytes that only the power was missing for. */
export function payload_resume(): Status {
  if (!payload_is_used()) return Status.OK;
  noted = payload.taken;
  const status = is_encrypted() ? sealed_resume(payload.length, payload.taken) : Status.OK;
  return status == Status.OK ? write_patch(PAYLOAD, 0) : status;
}

/** Where the bytes that are wanted next begin. */
export function payload_offset(): u32 {
  if (is_encrypted()) return sealed_arrived();
  return payload_is_used() ? payload.taken : slot_received();
}

export function payload_length(): u32 {
  return payload_is_used() ? payload.length : install.length;
}

/** An answer begins at the first byte of the file: what is here already comes once more. */
export function payload_pass_begin(): void {
  sha256_begin(PASSED_HASH);
}

/** Passes bytes over; at the `last` of them FILE_CHANGED unless they are those that are here. */
export function payload_pass(pointer: usize, length: u32, last: bool): Status {
  // No byte of another file opens.
  if (is_encrypted()) return Status.OK;
  sha256_update(PASSED_HASH, pointer, length);
  const taken = payload_is_used() ? PATCH_HASH : IMAGE_HASH;
  return last && !bytes_equal(PASSED_HASH, taken, sha256_used(taken)) ? Status.FILE_CHANGED : Status.OK;
}

/** Takes the next bytes. TOO_LONG: there are more than were announced. */
export function payload_write(pointer: usize, length: u32): Status {
  if (!payload_is_used()) return slot_write(pointer, length);
  if (length > payload.length - payload_offset()) return Status.TOO_LONG;
  return is_encrypted() ? write_encrypted(pointer, length) : write_patch(pointer, length);
}

function write_encrypted(pointer: usize, length: u32): Status {
  while (length != 0) {
    const part = sealed_put(pointer, length);
    pointer += part;
    length -= part;
    const opened = sealed_open();
    if (opened < 0) return opened;
    if (!sealed_is_patch()) patch_is_image();
    const status = write_patch(sealed_text(), opened);
    if (status != Status.OK) return status;
  }
  return Status.OK;
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
    if (!is_encrypted()) sha256_update(PATCH_HASH, pointer, <u32>(next - pointer));
    payload.taken += <u32>(next - pointer);
    pointer = next;
    status = slot_write(UNPACKED, made);
    if (status == Status.OK && slot_is_at_block() && is_worth_noting()) status = note();
  }
  return status;
}

function is_worth_noting(): bool {
  const step = is_encrypted() && !sealed_is_patch() ? TEXT_STEP : PATCH_STEP;
  return payload.taken - noted >= step || slot_received() - install.offset >= IMAGE_STEP;
}

function note(): Status {
  noted = payload.taken;
  return slot_note();
}

/** Whether as much has arrived as was announced. */
export function payload_is_whole(): bool {
  return payload_offset() == payload_length();
}

/** All has arrived: judges the payload by its hash, then the image, and prepares to read that back. */
export function payload_finish(): Status {
  if (is_encrypted()) sealed_forget();
  const hash = is_encrypted() ? SEALED_HASH : PATCH_HASH;
  const done = !payload_is_used() || (patch_is_done() && hash_is(hash, false, PAYLOAD + DIGEST_AT));
  if (!done) return Status.PATCH_INVALID;
  return slot_finish();
}

// ---- the image that a patch is made for ----

export function base_begin(): void {
  hashed = 0;
  hash_begin(IMAGE_HASH, false);
}

/** Hashes a slice of the image that runs, the first `length` bytes of its area. Whether that was the last is base_is_read. */
export function base_read(area: i32, length: u32): Status {
  const part = min(length - hashed, VERIFY_SLICE);
  const status = hash_flash(IMAGE_HASH, false, area, hashed, part);
  hashed += part;
  return status;
}

export function base_is_read(length: u32): bool {
  return hashed == length;
}

export function base_is(digest: usize): bool {
  return hash_is(IMAGE_HASH, false, digest);
}
