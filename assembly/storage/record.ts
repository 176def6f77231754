// The trust store: a log of records over two banks of flash.
//
//   bank    | header | record | record | … | erased |
//   record  | open | commit | payload |          each part padded to whole write units
//
// - The bank with the higher sequence number is active. New records are appended to it. When it is full,
//   what is live goes to the other bank, whose header is written last: until then the old bank counts.
// - `open` is written before the first byte of a payload and marks the place as used. `commit` is written
//   when the payload is whole and right; its CRC makes it one write, torn or not: a record counts or does not.
// - The newest committed record of a kind is the live one. A commit may at the same time drop other kinds
//   (a root with new timestamp keys drops the timestamp), so that no power cut comes between.
// - Delegated roles have places of their own, told apart by a tag. They are fetched again where they are missing, so
//   those that nobody uses now make room when it is needed.
// - A record that is begun and not committed ends the log: the next append moves to the other bank.

import { bytes_all, bytes_equal, crc32, round_up } from "../bytes";
import { BANK_HEADER, COMMIT_BUFFER, COPY_BUFFER, COPY_SIZE, ENTRIES, ENTRIES_ROOM, HELD_BUFFER, STORE_WRITER } from "../memory";
import { Area } from "../abi";
import { Status } from "../status";
import {
  flash_erase,
  flash_erased,
  flash_read,
  flash_size,
  flash_usable,
  flash_write_padded,
  flash_write_unit,
} from "./flash";
import { Writer, writer_begin, writer_flush, writer_held, writer_put } from "./writer";

export const enum Kind {
  NONE = 0,
  CONFIG = 1,
  DEVICE = 2,
  ROOT = 3,
  TIMESTAMP = 4,
  SNAPSHOT = 5,
  TARGETS = 6,
  /** The key that payloads are encrypted for. */
  KEY = 7,
  POLICY = 8,
  /** The same four of the Director. */
  DIRECTOR_ROOT = 9,
  DIRECTOR_TARGETS = 12,
  // 13: delegated roles of cores of before, which are fetched again.
  /** What images are, as reports say it; the version is their release counter: of the one that is installed, and another. */
  IMAGE = 14,
  OTHER_IMAGE = 15,
  /** A delegated role. Its records have the places from DELEGATED_PLACE on, every other kind has that of its number. */
  DELEGATED = 16,
  /** Of the Director, for vehicles that do not reach it. */
  OFFLINE_SNAPSHOT = 17,
  OFFLINE_TARGETS = 18,
}

/** The first place of a delegated role. */
export const DELEGATED_PLACE: i32 = Kind.OFFLINE_TARGETS + 1;

/** The small core knows no Director. */
const KINDS: i32 = isDefined(SMALL) ? Kind.DIRECTOR_ROOT : DELEGATED_PLACE;

/** Delegated roles that are kept: as many as one search visits. The small core follows none. */
const DELEGATED_PLACES: i32 = isDefined(SMALL) ? 0 : 32;

const PLACES: i32 = KINDS + DELEGATED_PLACES;

/** What is live in one place; `length` 0: nothing. */
@unmanaged
export class Entry {
  /** Where the payload starts in the active bank. */
  offset: u32;
  /** Bytes of the payload. */
  length: u32;
  crc: u32;
  /** Version of the metadata. */
  version: u32;
  /** When the metadata expires, seconds since 1970. */
  expires: u32;
  /** Of a delegated role: a hash of its name. */
  tag: u32;
  /** Of a delegated role: what the search that uses it knows it by; 0: nobody uses it. */
  user: u32;
}

const ENTRY_SIZE: i32 = 28;
if (PLACES * ENTRY_SIZE > ENTRIES_ROOM) ERROR("the Entries do not fit their region");

/** Area of the active bank. */
let bank: i32 = 0;
/** Its sequence number; 0: no bank is valid. */
let sequence: u32 = 0;
/** Where the next record goes. */
let log_end: u32 = 0;
/** The bank was begun with a root in it: one without is damaged. */
let sealed: bool = false;
/** The log ends in something unfinished: append only after moving to the other bank. */
let dirty: bool = false;
/** Place of the record that is being written, or NONE. */
let open: i32 = 0;
/** Nothing is on flash of it yet: all bytes so far equal the live record of its place. */
let matching: bool = false;
/** Its place on flash is taken. */
let begun: bool = false;
/** Bytes received for it, and their CRC. */
let received: u32 = 0;
let received_crc: u32 = 0;
/** What is live is what a check found nothing to do with. */
let settled: bool = false;

const writer = changetype<Writer>(STORE_WRITER);

const BANK_MAGIC: u32 = 0x314b4e42; // "BNK1"
const OPEN_MAGIC: u32 = 0x4e45504f; // "OPEN"
/** In a bank's header: whether it was begun with a configuration, a device state and a root in it. */
const UNSEALED: u32 = 1;
const SEALED: u32 = 2;
/** And a root of the Director. */
const SEALED_WITH_DIRECTOR: u32 = 3;
const BANK_HEADER_SIZE: u32 = 16;
const OPEN_SIZE: u32 = 4;
const COMMIT_SIZE: u32 = 32;

/** The least size of a bank in bytes that is accepted. */
const BANK_LEAST: u32 = 2048;

/** A commit of bytes that are not to be used: the record is skipped. */
const ABORTED: i32 = 0xff;

/** What is live in a place. */
export function store_entry(place: i32): Entry {
  return changetype<Entry>(ENTRIES + <usize>place * ENTRY_SIZE);
}

/**
 * The place of the delegated role with this tag that nobody uses yet, or else one that is free, or else one that
 * nobody uses, emptied. There must be one.
 */
export function store_place(tag: u32): i32 {
  let found: i32 = Kind.NONE;
  for (let place = DELEGATED_PLACE; place < PLACES; place++) {
    const entry = store_entry(place);
    if (entry.user != 0) continue;
    if (entry.length != 0 && entry.tag == tag) return place;
    if (found == Kind.NONE || entry.length == 0) found = place;
  }
  assert(found != Kind.NONE);
  clear(found);
  store_entry(found).tag = tag;
  return found;
}

/** The place of a delegated role with this tag, or NONE. */
export function store_find(tag: u32): i32 {
  for (let place = DELEGATED_PLACE; place < PLACES; place++) {
    const entry = store_entry(place);
    if (entry.length != 0 && entry.tag == tag) return place;
  }
  return Kind.NONE;
}

/** The place that is used by this name, or NONE. */
export function store_place_used(user: u32): i32 {
  for (let place = DELEGATED_PLACE; place < PLACES; place++) {
    if (store_entry(place).user == user) return place;
  }
  return Kind.NONE;
}

/** From now on nobody uses a delegated role. */
export function store_release(): void {
  if (isDefined(SMALL)) return;
  for (let place = DELEGATED_PLACE; place < PLACES; place++) store_entry(place).user = 0;
}

/** Forgets the delegated roles that nobody uses and nobody writes. */
export function store_tidy(): void {
  for (let place = DELEGATED_PLACE; place < PLACES; place++) {
    if (store_entry(place).user == 0 && place != open) clear(place);
  }
}

function clear(place: i32): void {
  memory.fill(changetype<usize>(store_entry(place)), 0, ENTRY_SIZE);
}

/** The area of the active bank, where the payloads of `store_entry` lie. */
export function store_bank(): i32 {
  return bank;
}

/**
 * Finds the active bank and what is live in it. NOT_PROVISIONED: no bank was ever begun. STORE_CORRUPT: one was,
 * and is no longer readable; that a device had a root must not be forgotten, or it could be given another.
 */
export function store_mount(): Status {
  settled = false;
  sequence = 0;
  open = Kind.NONE;
  if (!flash_usable(Area.STORE_A, BANK_LEAST) || !flash_usable(Area.STORE_B, BANK_LEAST)) return Status.LAYOUT_INVALID;
  if (flash_size(Area.STORE_B) != flash_size(Area.STORE_A)) return Status.LAYOUT_INVALID;
  let status = read_header(Area.STORE_A);
  const a = header_sequence();
  if (status == Status.OK) status = read_header(Area.STORE_B);
  const b = header_sequence();
  if (status != Status.OK) return status;
  if (a == 0 && b == 0) return lost(Area.STORE_A) || lost(Area.STORE_B) ? Status.STORE_CORRUPT : Status.NOT_PROVISIONED;
  sequence = max(a, b);
  status = mount_bank(a > b ? Area.STORE_A : Area.STORE_B);
  if (status != Status.STORE_CORRUPT || min(a, b) == 0) return status;
  // The older bank is whole until the next move: an older state is better than a dead device.
  status = mount_bank(a > b ? Area.STORE_B : Area.STORE_A);
  return status == Status.OK && store_entry(Kind.ROOT).length == 0 ? Status.STORE_CORRUPT : status;
}

/** Whether the bank in use was begun before there was a root: then its loss would not be noticed. */
export function store_is_sealed(): bool {
  return sealed;
}

/** Begins an empty store; what was there is gone. */
export function store_format(): Status {
  bank = Area.STORE_B;
  memory.fill(ENTRIES, 0, PLACES * ENTRY_SIZE);
  return store_move();
}

/** A check found nothing to do with all that is live now. Holds until something else becomes live. */
export function store_settle(): void {
  settled = true;
}

/** Whether that holds, and none of it has expired at this time. */
export function store_is_settled(now: u32): bool {
  for (let place = 1; place < PLACES; place++) {
    const expires = store_entry(place).expires;
    if (expires != 0 && expires <= now) return false;
  }
  return settled;
}

// ---- writing one record ----

/** Begins a record. Its bytes follow by `record_write`, then `record_finish`, then a commit or an abort. */
export function record_begin(place: i32): void {
  assert(open == Kind.NONE);
  open = place;
  matching = store_entry(place).length != 0;
  begun = false;
  received = 0;
  received_crc = 0;
}

/** Appends bytes. STORE_FULL: they do not fit this board, even with all that is dead removed. */
export function record_write(pointer: usize, length: u32): Status {
  if (matching) {
    if (equals_live(pointer, length)) {
      received += length;
      return Status.OK;
    }
  }
  const status = begin_on_flash();
  return status == Status.OK ? append(pointer, length) : status;
}

/** Whether the bytes so far are the whole live record of the same place: nothing new, nothing written. */
export function record_is_unchanged(): bool {
  return matching && received == store_entry(open).length;
}

/** Ends the payload: from here on it can be read at `record_offset`. */
export function record_finish(): Status {
  const status = begin_on_flash();
  return status == Status.OK ? writer_flush(writer) : status;
}

/** Where the payload of the open record starts. */
export function record_offset(): u32 {
  return payload_offset(log_end);
}

/** Bytes of the open record. */
export function record_length(): u32 {
  return received;
}

/** Whether a record is being written. */
export function record_is_open(): bool {
  return open != Kind.NONE;
}

/**
 * Makes the open record the live one of its place and drops the kinds whose bits are set in `drops`:
 * one write, so that a power cut leaves either all of it or nothing.
 */
export function record_commit(version: u32, expires: u32, drops: u32): Status {
  const place = open;
  const offset = record_offset();
  // What is committed is what lies on flash, not what was sent there.
  let status = crc_check(bank, offset, received, received_crc);
  if (status == Status.OK) status = close_record(kind_of(place), store_entry(place).tag, version, expires, drops);
  if (status != Status.OK) return status;
  settled = false;
  set_entry(place, offset, received, received_crc, version, expires);
  drop_kinds(drops);
  return Status.OK;
}

/** Gives the open record up. What it wrote is skipped from now on. */
export function record_abort(): void {
  if (open == Kind.NONE) return;
  // Where this cannot be written the log stays dirty, and the next append moves to the other bank.
  if (begun && writer_flush(writer) == Status.OK) {
    received = writer.offset - record_offset(); // after a write that failed it is not what was received
    close_record(ABORTED, 0, 0, 0, 0);
  }
  open = Kind.NONE;
}

/** Begins, writes and commits a small record in one go. */
export function record_replace(kind: Kind, pointer: usize, length: u32, version: u32): Status {
  record_begin(kind);
  let status = record_write(pointer, length);
  if (status == Status.OK) {
    if (record_is_unchanged() && (isDefined(SMALL) || store_entry(kind).version == version)) {
      record_abort();
      return Status.OK;
    }
    status = record_finish();
  }
  if (status == Status.OK) status = record_commit(isDefined(SMALL) ? 0 : version, 0, 0);
  else record_abort();
  return status;
}

/** Takes the record's place on flash, if it has none yet, and writes what was equal to the live record. */
function begin_on_flash(): Status {
  if (begun) return Status.OK;
  const equal = matching ? received : 0;
  matching = false;
  received = 0;
  if (dirty || payload_offset(log_end) + equal >= flash_size(bank)) {
    const status = store_move();
    if (status != Status.OK) return status;
  }
  let status = begin_payload();
  if (equal > room()) return Status.STORE_FULL;
  for (let done: u32 = 0; status == Status.OK && done < equal; ) {
    const part = min(equal - done, COPY_SIZE);
    status = flash_read(bank, store_entry(open).offset + done, COPY_BUFFER, part);
    if (status == Status.OK) status = append(COPY_BUFFER, part);
    done += part;
  }
  return status;
}

/** Marks the place as used, then points the writer behind it. */
function begin_payload(): Status {
  if (payload_offset(log_end) >= flash_size(bank)) return Status.STORE_FULL;
  dirty = true;
  begun = true;
  writer_begin(writer, bank, payload_offset(log_end));
  store<u32>(COMMIT_BUFFER, OPEN_MAGIC);
  return flash_write_padded(bank, log_end, COMMIT_BUFFER, OPEN_SIZE);
}

function append(pointer: usize, length: u32): Status {
  if (crowds_out(length)) return Status.STORE_FULL;
  if (length > room()) {
    const status = move_with_open_record();
    if (status != Status.OK) return status;
    if (length > room()) return Status.STORE_FULL;
  }
  received_crc = crc32(received_crc, pointer, length);
  received += length;
  return writer_put(writer, pointer, length);
}

/** Bytes that the open record may still grow by in this bank. */
function room(): u32 {
  return flash_size(bank) - writer.offset - writer.held;
}

/** Bytes beside all that is live that must stay free for a small record of each kind, that of the device apart. */
const RESERVE: u32 = isDefined(SMALL) ? 768 : 692;

/**
 * Whether the open record would leave no place for the next root: metadata that fills the store, honest or by a
 * thief of the online keys, must not lock out the roots that repair it. Roles that nobody uses give way before.
 */
function crowds_out(length: u32): bool {
  if (isDefined(SMALL)) return open > Kind.ROOT && is_crowded(length);
  if (!is_crowded(length)) return false;
  store_tidy();
  return open > Kind.ROOT && open != Kind.DIRECTOR_ROOT && is_crowded(length);
}

function is_crowded(length: u32): bool {
  let taken = payload_offset(padded(BANK_HEADER_SIZE)) + received + length + store_entry(Kind.ROOT).length + RESERVE;
  // What is confirmed of each component must find its place.
  if (!isDefined(SMALL)) taken += store_entry(Kind.DEVICE).length + store_entry(Kind.DIRECTOR_ROOT).length;
  for (let place = 1; place < PLACES; place++) {
    if (place != open && store_entry(place).length != 0) taken += payload_offset(store_entry(place).length);
  }
  return taken > flash_size(bank);
}

function equals_live(pointer: usize, length: u32): bool {
  const live = store_entry(open);
  if (length > live.length - received) return false;
  for (let done: u32 = 0; done < length; ) {
    const part = min(length - done, COPY_SIZE);
    if (flash_read(bank, live.offset + received + done, COPY_BUFFER, part) != Status.OK) return false;
    if (!bytes_equal(COPY_BUFFER, pointer + done, part)) return false;
    done += part;
  }
  return true;
}

function close_record(kind: i32, tag: u32, version: u32, expires: u32, drops: u32): Status {
  commit_encode(kind, tag, received, received_crc, version, expires, drops);
  const at = log_end + padded(OPEN_SIZE);
  const status = flash_write_padded(bank, at, COMMIT_BUFFER, COMMIT_SIZE);
  open = Kind.NONE;
  if (status != Status.OK) return status;
  log_end = writer.offset;
  dirty = false;
  return Status.OK;
}

function commit_encode(kind: i32, tag: u32, length: u32, crc: u32, version: u32, expires: u32, drops: u32): void {
  store<u32>(COMMIT_BUFFER, kind);
  store<u32>(COMMIT_BUFFER, length, 4);
  store<u32>(COMMIT_BUFFER, crc, 8);
  store<u32>(COMMIT_BUFFER, version, 12);
  store<u32>(COMMIT_BUFFER, expires, 16);
  store<u32>(COMMIT_BUFFER, drops, 20);
  store<u32>(COMMIT_BUFFER, isDefined(SMALL) ? 0 : tag, 24);
  store<u32>(COMMIT_BUFFER, crc32(0, COMMIT_BUFFER, COMMIT_SIZE - 4), 28);
}

/** What a commit says of the kind of a place. */
function kind_of(place: i32): Kind {
  return isDefined(SMALL) || place < DELEGATED_PLACE ? place : Kind.DELEGATED;
}

function set_entry(place: i32, offset: u32, length: u32, crc: u32, version: u32, expires: u32): void {
  const entry = store_entry(place);
  entry.offset = offset;
  entry.length = length;
  entry.crc = crc;
  entry.version = version;
  entry.expires = expires;
}

function drop_kinds(drops: u32): void {
  for (let kind: i32 = 1; kind < KINDS; kind++) {
    if (drops & (1 << kind)) clear(kind);
  }
}

// ---- moving to the other bank ----

/** The bank is full in the middle of a record: moves what is live, then what there is of the record. */
function move_with_open_record(): Status {
  const from = bank;
  const offset = record_offset();
  const held = writer.held;
  const kept = received - held;
  memory.copy(HELD_BUFFER, writer_held(writer), held);
  let status = store_move();
  if (status == Status.OK) status = begin_payload();
  if (status != Status.OK) return status;
  if (kept + held > room()) return Status.STORE_FULL;
  status = copy(from, offset, kept);
  return status == Status.OK ? writer_put(writer, HELD_BUFFER, held) : status;
}

/** Copies what is live to the other bank and makes that the active one. */
export function store_move(): Status {
  const from = bank;
  const writing = open;
  bank = from == Area.STORE_A ? Area.STORE_B : Area.STORE_A;
  log_end = padded(BANK_HEADER_SIZE);
  begun = false;
  let status = flash_erase(bank, 0, flash_size(bank));
  for (let place = 1; status == Status.OK && place < PLACES; place++) {
    const entry = store_entry(place);
    if (entry.length != 0) status = copy_record(from, kind_of(place), entry);
  }
  if (status == Status.OK) status = write_bank_header();
  if (status != Status.OK) {
    store_mount();
    return status;
  }
  open = writing;
  begun = false;
  dirty = false;
  return Status.OK;
}

function copy_record(from: i32, kind: Kind, entry: Entry): Status {
  if (entry.length > flash_size(bank) - payload_offset(log_end)) return Status.STORE_FULL;
  let status = begin_payload();
  if (status == Status.OK) status = copy(from, entry.offset, entry.length);
  if (status == Status.OK) status = writer_flush(writer);
  if (status != Status.OK) return status;
  const offset = record_offset();
  status = crc_check(bank, offset, entry.length, entry.crc);
  if (status != Status.OK) return status;
  commit_encode(kind, entry.tag, entry.length, entry.crc, entry.version, entry.expires, 0);
  status = flash_write_padded(bank, log_end + padded(OPEN_SIZE), COMMIT_BUFFER, COMMIT_SIZE);
  entry.offset = offset;
  log_end = writer.offset;
  return status;
}

function copy(from: i32, offset: u32, length: u32): Status {
  for (let done: u32 = 0; done < length; ) {
    const part = min(length - done, COPY_SIZE);
    let status = flash_read(from, offset + done, COPY_BUFFER, part);
    if (status == Status.OK) status = writer_put(writer, COPY_BUFFER, part);
    if (status != Status.OK) return status;
    done += part;
  }
  return Status.OK;
}

function write_bank_header(): Status {
  sealed = store_entry(Kind.ROOT).length != 0;
  store<u32>(BANK_HEADER, BANK_MAGIC);
  store<u32>(BANK_HEADER, sequence + 1, 4);
  const directed = !isDefined(SMALL) && store_entry(Kind.DIRECTOR_ROOT).length != 0;
  store<u32>(BANK_HEADER, sealed ? (directed ? SEALED_WITH_DIRECTOR : SEALED) : UNSEALED, 8);
  store<u32>(BANK_HEADER, crc32(0, BANK_HEADER, 12), 12);
  const status = flash_write_padded(bank, 0, BANK_HEADER, BANK_HEADER_SIZE);
  if (status == Status.OK) sequence++;
  return status;
}

// ---- mounting: what cannot be read is a fault, and not a place without anything ----

function read_header(area: i32): Status {
  return flash_read(area, 0, BANK_HEADER, BANK_HEADER_SIZE);
}

/** The sequence number in the header that was read; 0: it is none. */
function header_sequence(): u32 {
  const good = load<u32>(BANK_HEADER) == BANK_MAGIC && load<u32>(BANK_HEADER, 12) == crc32(0, BANK_HEADER, 12);
  return good ? load<u32>(BANK_HEADER, 4) : 0;
}

/** Whether an area without a header has the mark of a first record. */
function lost(area: i32): bool {
  bank = area;
  return flash_read(area, padded(BANK_HEADER_SIZE), BANK_HEADER, OPEN_SIZE) != Status.OK || load<u32>(BANK_HEADER) == OPEN_MAGIC;
}

function mount_bank(area: i32): Status {
  bank = area;
  dirty = false;
  memory.fill(ENTRIES, 0, PLACES * ENTRY_SIZE);
  let status = read_header(area);
  sealed = isDefined(SMALL) ? load<u32>(BANK_HEADER, 8) == SEALED : load<u32>(BANK_HEADER, 8) >= SEALED;
  if (status == Status.OK) status = walk();
  if (status != Status.OK || !sealed) return status;
  for (let kind: i32 = Kind.CONFIG; kind <= Kind.ROOT; kind++) {
    if (store_entry(kind).length == 0) return Status.STORE_CORRUPT;
  }
  const directed = !isDefined(SMALL) && load<u32>(BANK_HEADER, 8) == SEALED_WITH_DIRECTOR;
  if (directed && store_entry(Kind.DIRECTOR_ROOT).length == 0) return Status.STORE_CORRUPT;
  return Status.OK;
}

/** Follows the log to its end. */
function walk(): Status {
  const size = flash_size(bank);
  log_end = padded(BANK_HEADER_SIZE);
  while (payload_offset(log_end) <= size) {
    const head = padded(OPEN_SIZE) + padded(COMMIT_SIZE);
    const status = flash_read(bank, log_end, COPY_BUFFER, head);
    if (status != Status.OK) return status;
    if (bytes_all(COPY_BUFFER, head, flash_erased(bank))) return Status.OK;
    memory.copy(COMMIT_BUFFER, COPY_BUFFER + padded(OPEN_SIZE), COMMIT_SIZE);
    const taken = walk_record(size);
    if (taken == Status.STORE_CORRUPT) break;
    if (taken != Status.OK) return taken;
  }
  dirty = true;
  return Status.OK;
}

/**
 * Takes in the record whose commit was read. STORE_CORRUPT: it was never committed. One whose payload is damaged
 * is passed over: the one before it of its kind goes on to count, and metadata is fetched again.
 */
function walk_record(size: u32): Status {
  if (load<u32>(COMMIT_BUFFER, 28) != crc32(0, COMMIT_BUFFER, COMMIT_SIZE - 4)) return Status.STORE_CORRUPT;
  const kind = load<i32>(COMMIT_BUFFER);
  const length = load<u32>(COMMIT_BUFFER, 4);
  const offset = payload_offset(log_end);
  if (length > size - offset) return Status.STORE_CORRUPT;
  if (kind > 0 && kind < KINDS && (isDefined(SMALL) || kind != 13)) {
    const crc = load<u32>(COMMIT_BUFFER, 8);
    const status = crc_check(bank, offset, length, crc);
    if (status == Status.FLASH_READ) return status;
    if (status == Status.OK) {
      const place = !isDefined(SMALL) && kind == Kind.DELEGATED ? store_place(load<u32>(COMMIT_BUFFER, 24)) : kind;
      set_entry(place, offset, length, crc, load<u32>(COMMIT_BUFFER, 12), load<u32>(COMMIT_BUFFER, 16));
      drop_kinds(load<u32>(COMMIT_BUFFER, 20));
    }
  }
  log_end = offset + padded(length);
  return Status.OK;
}

/** Whether bytes on flash have this CRC: OK, FLASH_VERIFY or FLASH_READ. */
function crc_check(area: i32, offset: u32, length: u32, expected: u32): Status {
  let crc: u32 = 0;
  while (length != 0) {
    const part = min(length, COPY_SIZE);
    const status = flash_read(area, offset, COPY_BUFFER, part);
    if (status != Status.OK) return status;
    crc = crc32(crc, COPY_BUFFER, part);
    offset += part;
    length -= part;
  }
  // It may have been the key of the device.
  if (!isDefined(SMALL)) memory.fill(COPY_BUFFER, 0, COPY_SIZE);
  return crc == expected ? Status.OK : Status.FLASH_VERIFY;
}

function padded(length: u32): u32 {
  return round_up(length, flash_write_unit(bank));
}

function payload_offset(record: u32): u32 {
  return padded(record) + padded(OPEN_SIZE) + padded(COMMIT_SIZE);
}
