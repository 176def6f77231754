// The log: what became of this device, in a ring of erase blocks (area LOG) that forgets its oldest block when it is full.
//
//   block   | anchor | entry | entry | … | erased |
//   entry   32 bytes, written at once; its tag is a hash of the tag before it and of what it says
//   anchor  an entry that says nothing and repeats number and tag of the one before it: with it the chain of a block
//           begins, also when the block before is gone
//
// An entry counts when its CRC is right. What a power cut left half written is passed over, and the next entry follows
// the last one that counts. A block is erased only when the newest one is full, so nothing else may be damaged by a cut.
// Nobody waits for the log: where the flash fails an entry is lost, and an update goes on.

import { Area, LogEvent, Role } from "../abi";
import { crc32 } from "../bytes";
import { sha256_begin, sha256_end, sha256_update } from "../crypto/sha256";
import { DIGEST, FILE_HASH, IO_BUFFER, IO_CAPACITY, LOG_ENTRY, LOG_ENTRY_ROOM, LOG_TAG } from "../memory";
import { Status } from "../status";
import { flash_block_end, flash_erase, flash_is_erased, flash_read, flash_size, flash_usable, flash_write_padded } from "./flash";

@unmanaged
class Entry {
  /** Rises by one with each entry. */
  sequence: u32;
  /** Seconds since 1970: the latest known time when it was written. */
  time: u32;
  event: u8;
  role: u8;
  status: i16;
  detail: u32;
  // 12 bytes of tag and the CRC of all before it follow.
}

const TAG_AT: usize = 16;
const TAG_SIZE: u32 = 12;
const CRC_AT: u32 = 28;
const ENTRY_SIZE: u32 = 32;
if (ENTRY_SIZE != LOG_ENTRY_ROOM || LOG_ENTRY != LOG_TAG + TAG_SIZE) ERROR("an entry does not fit its region");

/** In hand; LOG_TAG before it holds the tag of the last entry that counts. */
const entry = changetype<Entry>(LOG_ENTRY);

/** Bytes of the ring; 0: there is none. */
let size: u32 = 0;
/** Where the next entry goes, and the end of its block. */
let next: u32 = 0;
let limit: u32 = 0;
/** Of the last entry. */
let sequence: u32 = 0;
let time: u32 = 0;
/** The last outcome in the log, and how often in a row it came since. */
let outcome: Status = Status.OK;
let outcome_role: Role = Role.NONE;
let count: u32 = 0;

/** Finds the end of the log. A board without the area, or with one that is no ring, has no log. */
export function log_mount(): void {
  size = flash_usable(Area.LOG, 4 * ENTRY_SIZE) ? flash_size(Area.LOG) : 0;
  sequence = 0;
  outcome = Status.OK;
  memory.fill(LOG_TAG, 0, TAG_SIZE);
  let newest: u32 = 0;
  next = size;
  for (let at: u32 = 0; at < size; ) {
    const end = flash_block_end(Area.LOG, at);
    if (end - at == size || ((end - at) & (ENTRY_SIZE - 1)) != 0) size = 0;
    const first = first_sequence(at);
    if (first > newest) {
      newest = first;
      next = at;
    }
    at = end;
  }
  limit = next < size ? flash_block_end(Area.LOG, next) : size;
  for (let at = next; at < limit; at += ENTRY_SIZE) {
    if (flash_is_erased(Area.LOG, at, ENTRY_SIZE)) continue;
    next = at + ENTRY_SIZE;
    if (is_entry(at)) take();
  }
}

/** The number of a block's first entry, known by the entry itself where the anchor is damaged; 0: it has none. */
function first_sequence(at: u32): u32 {
  if (is_entry(at)) return entry.sequence + 1;
  return is_entry(at + ENTRY_SIZE) ? entry.sequence : 0;
}

/** Whether an entry stands there; it is then in hand. */
function is_entry(at: u32): bool {
  return flash_read(Area.LOG, at, LOG_ENTRY, ENTRY_SIZE) == Status.OK && load<u32>(LOG_ENTRY, CRC_AT) == crc32(0, LOG_ENTRY, CRC_AT);
}

/** The entry in hand is the last one now. */
function take(): void {
  sequence = entry.sequence;
  memory.copy(LOG_TAG, LOG_ENTRY + TAG_AT, TAG_SIZE);
  if (entry.event != LogEvent.OUTCOME) return;
  outcome = entry.status;
  outcome_role = entry.role;
  count = entry.detail;
}

/** Entries from now on are of this time, seconds since 1970. */
export function log_time(now: u32): void {
  time = now;
}

/**
 * How a check or a start ended. The same fault again is counted, and noted when the count is a power of two: who brings
 * about the same finding for ever gets a few entries for it, and pushes nothing out of the log.
 */
export function log_outcome(status: Status, role: Role): void {
  const again = status == outcome && role == outcome_role;
  if (again) count++;
  else count = 1;
  outcome = status;
  outcome_role = role;
  if (status < 0 ? (count & (count - 1)) == 0 : !again) append(LogEvent.OUTCOME, status, role, count);
}

/** Something else that happened, and why. */
export function log_event(event: LogEvent, status: Status, detail: u32): void {
  append(event, status, Role.NONE, detail);
}

function append(event: LogEvent, status: Status, role: Role, detail: u32): void {
  if (size == 0 || (next == limit && !begin_block())) return;
  fill(event, status, role, detail);
  entry.sequence = sequence + 1;
  sha256_begin(FILE_HASH);
  sha256_update(FILE_HASH, LOG_TAG, TAG_SIZE + <u32>TAG_AT);
  sha256_end(FILE_HASH, DIGEST);
  if (write(DIGEST)) take();
}

function fill(event: LogEvent, status: Status, role: Role, detail: u32): void {
  entry.sequence = sequence;
  entry.time = time;
  entry.event = <u8>event;
  entry.role = <u8>role;
  entry.status = <i16>status;
  entry.detail = detail;
}

/** Writes the entry in hand with a tag. */
function write(tag: usize): bool {
  memory.copy(LOG_ENTRY + TAG_AT, tag, TAG_SIZE);
  store<u32>(LOG_ENTRY, crc32(0, LOG_ENTRY, CRC_AT), CRC_AT);
  next += ENTRY_SIZE;
  return flash_write_padded(Area.LOG, next - ENTRY_SIZE, LOG_ENTRY, ENTRY_SIZE) == Status.OK;
}

/** The block that is oldest gives way. Where it cannot be erased, the log stays as it is. */
function begin_block(): bool {
  const at = limit == size ? 0 : limit;
  const end = flash_block_end(Area.LOG, at);
  if (flash_erase(Area.LOG, at, end) != Status.OK) return false;
  next = at;
  limit = end;
  fill(LogEvent.ANCHOR, Status.OK, Role.NONE, 0);
  write(LOG_TAG);
  return true;
}

// ---- reading ----

/** Bytes of the log area; 0: this board keeps no log. */
export function log_length(): u32 {
  return size;
}

/**
 * Puts what the log area holds from `offset` on into the buffer, the oldest block first: entries, and erased bytes
 * between them (docs/formats.md). Bytes; 0: the end.
 */
export function log_read(offset: u32): i32 {
  if (offset >= size) return 0;
  const at = limit + offset < size ? limit + offset : limit + offset - size;
  const length = min(IO_CAPACITY, min(size - offset, size - at));
  const status = flash_read(Area.LOG, at, IO_BUFFER, length);
  return status == Status.OK ? length : status;
}
