// Writes an image into the slot that does not run: hashed as it arrives, block by block into the journal, and
// hashed again as it lies on flash before it may boot.

import { Area } from "../abi";
import { bytes_equal } from "../bytes";
import { sha256_begin, sha256_end, sha256_restore, sha256_save, sha256_update } from "../crypto/sha256";
import { COPY_BUFFER, COPY_SIZE, DIGEST, IMAGE_HASH, SLOT_WRITER } from "../memory";
import { Status } from "../status";
import { flash_block_end, flash_erase, flash_read, flash_size } from "../storage/flash";
import { install, install_digest, install_state, journal_progress } from "../storage/journal";
import { Writer, writer_begin, writer_flush, writer_put } from "../storage/writer";

/** Bytes that at least lie between two entries of the journal, where blocks are small. */
const PROGRESS_STEP: u32 = 2048;

/** Bytes that one call reads back, so that a host can feed its watchdog in between. */
const VERIFY_SLICE: u32 = 16384;

const writer = changetype<Writer>(SLOT_WRITER);

/** Bytes of the image that were taken so far. */
let received: u32 = 0;
/** Where the erased part of the slot ends. */
let erased: u32 = 0;
/** Bytes that were read back so far. */
let verified: u32 = 0;

function area(): i32 {
  return Area.SLOT_A + install.slot;
}

/** The most bytes that an image may have. */
export function slot_capacity(slot: i32): u32 {
  return flash_size(Area.SLOT_A + slot);
}

export function slot_received(): u32 {
  return received;
}

/** Goes on with the install of the journal at its last entry. */
export function slot_resume(): void {
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
  let status: Status = Status.OK;
  if (received == erased) {
    status = flash_erase(area(), received, end);
    erased = end;
  }
  if (status == Status.OK) status = writer_put(writer, pointer, length);
  if (status != Status.OK) return status;
  sha256_update(IMAGE_HASH, pointer, length);
  received += length;
  return received == end ? note_progress() : Status.OK;
}

/** At the end of a block all of it is on flash: from here a download can go on. */
function note_progress(): Status {
  if (received - install.offset < PROGRESS_STEP || !sha256_save(IMAGE_HASH, install_state())) return Status.OK;
  install.offset = received;
  return journal_progress();
}

/** All bytes have arrived: writes the last of them and looks at their hash. */
export function slot_finish(): Status {
  const status = writer_flush(writer);
  if (status != Status.OK) return status;
  sha256_end(IMAGE_HASH, DIGEST);
  if (!bytes_equal(DIGEST, install_digest(), 32)) return Status.IMAGE_MISMATCH;
  verified = 0;
  sha256_begin(IMAGE_HASH);
  return Status.OK;
}

/** Whether all of the image was read back and is right. */
export function slot_is_verified(): bool {
  return verified == install.length;
}

/** Reads a slice of the image back. FLASH_VERIFY: what lies on flash is not what arrived. */
export function slot_verify(): Status {
  const end = min(install.length, verified + VERIFY_SLICE);
  while (verified < end) {
    const part = min(end - verified, COPY_SIZE);
    const status = flash_read(area(), verified, COPY_BUFFER, part);
    if (status != Status.OK) return status;
    sha256_update(IMAGE_HASH, COPY_BUFFER, part);
    verified += part;
  }
  if (verified < install.length) return Status.OK;
  sha256_end(IMAGE_HASH, DIGEST);
  return bytes_equal(DIGEST, install_digest(), 32) ? Status.OK : Status.FLASH_VERIFY;
}
