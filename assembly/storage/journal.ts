// The journal: where the current install stands, so that a power cut costs at most one erase block of the
// download. Two halves of one area; entries are appended to one until it is full, then the other is erased.
//
//   full entry      everything there is to know of an install; each half begins with one; behind an install from a
//                   patch stands where its decoding is
//   progress entry  the offset reached and the hash state there; belongs to the full entry before it
//
// An entry counts when its CRC is right. A torn one ends its half: the next entry goes to the other half.

import { Area } from "../abi";
import { crc32, round_up } from "../bytes";
import {
  COPY_BUFFER,
  COPY_SIZE,
  ENCRYPTED_ROOM,
  INSTALL,
  INSTALL_ROOM,
  JOURNAL_BUFFER,
  JOURNAL_BUFFER_ROOM,
  JOURNAL_WRITER,
  PAYLOAD,
} from "../memory";
import { PATCHING } from "../lean";
import { Status } from "../status";
import { flash_block_end, flash_erase, flash_is_erased, flash_read, flash_size, flash_usable, flash_write_padded, flash_write_unit } from "./flash";
import { Writer, writer_begin, writer_flush, writer_put } from "./writer";

/** Where an install stands. Each is recorded before its effect. */
export const enum Stage {
  /** no install */
  NONE = 0,
  /** the image is being written to its slot */
  DOWNLOADING = 1,
  /** the image on flash was verified; its slot is (about to be) selected for a trial */
  SELECTED = 2,
  /** the trial succeeded; it is (about to be) made permanent */
  CONFIRMING = 3,
  /** the trial failed; the old image is (about to be) brought back */
  REJECTING = 4,
}

@unmanaged
export class Install {
  stage: Stage;
  /**
   * Bits 0 to 7: the slots that run when it is installed, as the boot decision has them. 8 to 15: the component that the
   * image is of. 16 to 23: the components whose images are in their slots already and go with it.
   */
  slots: i32;
  /** Times that the trial was begun. */
  trials: u32;
  length: u32;
  /** Bytes that are in the slot for good: a block boundary, or the length. */
  offset: u32;
  release: u32;
  security: u32;
  /** Bytes of PAYLOAD that belong to it; 0: the image itself is fetched. */
  state: u32;
  // 32 bytes of digest, 32 of SHA-256 state at `offset`, 32 of version text (length first) follow.
}

const DIGEST_AT: usize = 32;
const STATE_AT: usize = 64;
const VERSION_AT: usize = 96;
const INSTALL_SIZE: i32 = 128;
if (INSTALL_SIZE > INSTALL_ROOM) ERROR("the Install does not fit its region");

/** Where the half in use starts, and the next entry in it. */
let half: u32 = 0;
let half_end: u32 = 0;
let sequence: u32 = 0;
/** The half cannot take another entry. */
let spent: bool = true;
/** Where the state of the last full entry stands. */
let state_at: u32 = 0;

const FULL_MAGIC: u32 = 0x4c4c5546; // "FULL"
const PROGRESS_MAGIC: u32 = 0x474f5250; // "PROG"

/** magic, sequence, Install */
const HEAD_SIZE: u32 = 8 + INSTALL_SIZE;
/** the same, state, CRC */
const FULL_SIZE: i32 = 12 + INSTALL_SIZE;
if (FULL_SIZE > JOURNAL_BUFFER_ROOM) ERROR("an entry does not fit its region");
/** magic, offset, state, CRC seeded with the sequence */
const PROGRESS_SIZE: u32 = 44;

/** The install that is under way. */
export const install = changetype<Install>(INSTALL);

/** The slots that run when it is installed, as the boot decision has them. */
// @ts-ignore: decorator
@inline
export function install_slots(): i32 {
  return isDefined(SMALL) ? install.slots : install.slots & 0xff;
}

/** The component that the image is of. */
// @ts-ignore: decorator
@inline
export function install_component(): i32 {
  return isDefined(SMALL) ? 0 : (install.slots >> 8) & 7;
}

/** The slot that the image goes to: 0 or 1. */
// @ts-ignore: decorator
@inline
export function install_slot(): i32 {
  return isDefined(SMALL) ? install.slots : (install.slots >> install_component()) & 1;
}

/** A bit for each component that is installed with it. */
export function install_others(): i32 {
  return install.slots >> 16;
}

/** Bytes of PAYLOAD that belong to it; without patches there are none. */
// @ts-ignore: decorator
@inline
export function install_payload(): u32 {
  return PATCHING ? install.state : 0;
}

/** The 32 bytes of its image's SHA-256. */
export function install_digest(): usize {
  return INSTALL + DIGEST_AT;
}

/** The 32 bytes of SHA-256 state at `install.offset`. */
export function install_state(): usize {
  return INSTALL + STATE_AT;
}

/** Length and bytes of the version text, 32 in all. */
export function install_version(): usize {
  return INSTALL + VERSION_AT;
}

/** Reads where the last install stands. */
export function journal_mount(): Status {
  memory.fill(INSTALL, 0, INSTALL_SIZE);
  half = 0;
  sequence = 0;
  spent = true;
  if (!flash_usable(Area.JOURNAL, 512) || half_size() == 0) return Status.LAYOUT_INVALID;
  const first = half_sequence(0);
  const second = half_sequence(half_size());
  if ((first | second) == 0) return Status.OK;
  half = first > second ? 0 : half_size();
  walk();
  return Status.OK;
}

/** Records the whole install. */
export function journal_record(): Status {
  if (!spent && fits(FULL_SIZE + install_payload())) return append_full();
  return begin_other_half();
}

/** Records only how far the download has come. */
export function journal_progress(): Status {
  if (install_payload() != 0) return journal_record();
  if (spent || !fits(PROGRESS_SIZE)) return begin_other_half();
  store<u32>(JOURNAL_BUFFER, PROGRESS_MAGIC);
  store<u32>(JOURNAL_BUFFER, install.offset, 4);
  memory.copy(JOURNAL_BUFFER + 8, install_state(), 32);
  store<u32>(JOURNAL_BUFFER, crc32(sequence, JOURNAL_BUFFER, PROGRESS_SIZE - 4), PROGRESS_SIZE - 4);
  return append(PROGRESS_SIZE);
}

/** Whether an entry with so many bytes of state fits. */
export function journal_holds(state: u32): bool {
  return padded(FULL_SIZE + state) <= half_size();
}

/** Reads the state of the install back into PAYLOAD. */
export function journal_load(): Status {
  return flash_read(Area.JOURNAL, state_at, PAYLOAD, install.state);
}

/** Ends the install: there is none now. */
export function journal_clear(): Status {
  memory.fill(INSTALL, 0, INSTALL_SIZE);
  return journal_record();
}

function append_full(): Status {
  sequence++;
  store<u32>(JOURNAL_BUFFER, FULL_MAGIC);
  store<u32>(JOURNAL_BUFFER, sequence, 4);
  memory.copy(JOURNAL_BUFFER + 8, INSTALL, INSTALL_SIZE);
  if (install_payload() != 0) return append_state();
  store<u32>(JOURNAL_BUFFER, crc32(0, JOURNAL_BUFFER, HEAD_SIZE), HEAD_SIZE);
  return append(FULL_SIZE);
}

/** The entry with the state behind it. It is not read back: where it is not right, the one before it counts. */
function append_state(): Status {
  const crc = crc32(crc32(0, JOURNAL_BUFFER, HEAD_SIZE), PAYLOAD, install.state);
  const w = changetype<Writer>(JOURNAL_WRITER);
  writer_begin(w, Area.JOURNAL, half_end);
  let status = writer_put(w, JOURNAL_BUFFER, HEAD_SIZE);
  if (status == Status.OK) status = writer_put(w, PAYLOAD, install.state);
  store<u32>(JOURNAL_BUFFER, crc);
  if (status == Status.OK) status = writer_put(w, JOURNAL_BUFFER, 4);
  if (status == Status.OK) status = writer_flush(w);
  if (status != Status.OK) spent = true;
  else state_at = half_end + HEAD_SIZE;
  half_end += padded(FULL_SIZE + install.state);
  return status;
}

function append(size: u32): Status {
  const status = flash_write_padded(Area.JOURNAL, half_end, JOURNAL_BUFFER, size);
  if (status != Status.OK) spent = true;
  half_end += padded(size);
  return status;
}

/** The half in use stays as it is until the first entry of the other one stands. */
function begin_other_half(): Status {
  const next = half_size() - half;
  const status = flash_erase(Area.JOURNAL, next, next + half_size());
  if (status != Status.OK) return status;
  const before = half;
  half = next;
  half_end = next;
  spent = false;
  const written = append_full();
  // The half that was in use still holds all there is: the next try must not erase it.
  if (written != Status.OK) half = before;
  return written;
}

function fits(size: u32): bool {
  return half_end + padded(size) <= half + half_size();
}

function padded(size: u32): u32 {
  return round_up(size, flash_write_unit(Area.JOURNAL));
}

/** Half of the area, which is a block boundary in every layout that host/README.md allows. */
function half_size(): u32 {
  const size = flash_size(Area.JOURNAL) >> 1;
  return flash_block_end(Area.JOURNAL, size - 1) == size ? size : 0;
}

// ---- mounting ----

/** The sequence number of a half's first entry; 0: it has none. */
function half_sequence(start: u32): u32 {
  return read_full(start) ? load<u32>(JOURNAL_BUFFER, 4) : 0;
}

function read_full(at: u32): bool {
  if (flash_read(Area.JOURNAL, at, JOURNAL_BUFFER, FULL_SIZE) != Status.OK) return false;
  if (load<u32>(JOURNAL_BUFFER) != FULL_MAGIC) return false;
  const state = !PATCHING ? <u32>0 : load<u32>(JOURNAL_BUFFER, 8 + offsetof<Install>("state"));
  if (state != 0) return state <= ENCRYPTED_ROOM && crc_holds(at + HEAD_SIZE, state);
  return load<u32>(JOURNAL_BUFFER, HEAD_SIZE) == crc32(0, JOURNAL_BUFFER, HEAD_SIZE);
}

/** Whether what is in the buffer and `length` more bytes have the CRC that stands behind them. */
function crc_holds(at: u32, length: u32): bool {
  let crc = crc32(0, JOURNAL_BUFFER, HEAD_SIZE);
  while (length != 0) {
    const part = min(length, COPY_SIZE);
    if (flash_read(Area.JOURNAL, at, COPY_BUFFER, part) != Status.OK) return false;
    crc = crc32(crc, COPY_BUFFER, part);
    at += part;
    length -= part;
  }
  return flash_read(Area.JOURNAL, at, JOURNAL_BUFFER + HEAD_SIZE, 4) == Status.OK && load<u32>(JOURNAL_BUFFER, HEAD_SIZE) == crc;
}

function walk(): void {
  half_end = half;
  spent = false;
  while (fits(PROGRESS_SIZE) && !flash_is_erased(Area.JOURNAL, half_end, padded(PROGRESS_SIZE))) {
    if (fits(FULL_SIZE) && read_full(half_end)) take_full();
    else if (read_progress(half_end)) take_progress();
    else {
      spent = true;
      return;
    }
  }
}

function take_full(): void {
  sequence = load<u32>(JOURNAL_BUFFER, 4);
  memory.copy(INSTALL, JOURNAL_BUFFER + 8, INSTALL_SIZE);
  if (PATCHING) state_at = half_end + HEAD_SIZE;
  half_end += padded(FULL_SIZE + install_payload());
}

function read_progress(at: u32): bool {
  if (flash_read(Area.JOURNAL, at, JOURNAL_BUFFER, PROGRESS_SIZE) != Status.OK) return false;
  if (load<u32>(JOURNAL_BUFFER) != PROGRESS_MAGIC) return false;
  return load<u32>(JOURNAL_BUFFER, PROGRESS_SIZE - 4) == crc32(sequence, JOURNAL_BUFFER, PROGRESS_SIZE - 4);
}

function take_progress(): void {
  install.offset = load<u32>(JOURNAL_BUFFER, 4);
  memory.copy(install_state(), JOURNAL_BUFFER + 8, 32);
  half_end += padded(PROGRESS_SIZE);
}
