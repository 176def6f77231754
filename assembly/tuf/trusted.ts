// The verified files in the trust store, opened for reading.

import { Role } from "../abi";
import { crc32 } from "../bytes";
import { Reader, reader_object_at, reader_open } from "../json/reader";
import { IO_BUFFER, IO_CAPACITY, TRUSTED_ENVELOPE, TRUSTED_READER, TRUSTED_SIGNED } from "../memory";
import { Envelope, envelope_read } from "../metadata/envelope";
import { is_partial } from "../metadata/profile";
import { Signed, signed_read } from "../metadata/signed";
import { Status } from "../status";
import { flash_read } from "../storage/flash";
import { DELEGATED_PLACE, Entry, Kind, store_bank, store_entry, store_find } from "../storage/record";

/** The reader of the trusted file that was opened last, and what it says. */
export const trusted_reader = changetype<Reader>(TRUSTED_READER);
export const trusted_signed = changetype<Signed>(TRUSTED_SIGNED);

/** What the kinds of the Director's roles are above those of the Image repository, or of the only one. */
const OF_DIRECTOR: i32 = Kind.DIRECTOR_ROOT - Kind.ROOT;
/** And what those of offline roles are above the roles. */
const OF_OFFLINE: i32 = Kind.OFFLINE_SNAPSHOT - Role.OFFLINE_SNAPSHOT;
/** The repository that is in hand: OF_DIRECTOR, or 0. */
let repository: i32 = 0;

/** From now on the roles are those of the Director; or else of the Image repository, or of the only one. */
export function trusted_turn(director: bool): void {
  repository = director ? OF_DIRECTOR : 0;
}

/** The Director has no timestamp to give: what it signed for vehicles that do not reach it counts (PURE-2). */
let offline: bool = false;

export function trusted_go_offline(value: bool): void {
  offline = value;
}

// @ts-ignore: decorator
@inline
export function trusted_is_offline(): bool {
  return !isDefined(SMALL) && offline;
}

/** Whether they are those of a Director beside an Image repository. */
// @ts-ignore: decorator
@inline
export function trusted_is_director(): bool {
  return !isDefined(SMALL) && repository != 0;
}

/** Whether they are a Director's at all: who verifies in part has no other repository, and its records are the first ones. */
export function trusted_is_directed(): bool {
  return trusted_is_director() || is_partial();
}

/** The kind of record that holds a top-level role. */
export function trusted_kind(role: Role): Kind {
  const kind = Kind.ROOT + role; // both list root, timestamp, snapshot, targets in this order
  if (!isDefined(SMALL) && role >= Role.OFFLINE_SNAPSHOT) return role + OF_OFFLINE;
  return isDefined(SMALL) ? kind : kind + repository;
}

/** What the store has of a role; `length` 0: nothing. */
export function trusted_entry(role: Role): Entry {
  return store_entry(trusted_kind(role));
}

/** Opens the trusted file of a top-level role. Its signatures held when it was stored. */
export function trusted_open(role: Role): Status {
  return trusted_open_place(trusted_kind(role));
}

/** Opens the trusted file in a place of the store. */
export function trusted_open_place(place: i32): Status {
  const entry = store_entry(place);
  // Places change owners when the store had to be read again: then none is in use any more.
  if (!isDefined(SMALL) && place >= DELEGATED_PLACE && entry.user == 0) return Status.STORE_FULL;
  let role: Role = place - Kind.ROOT;
  if (!isDefined(SMALL)) {
    if (place >= DELEGATED_PLACE) role = Role.DELEGATED;
    else if (place >= Kind.OFFLINE_SNAPSHOT) role = place - OF_OFFLINE;
    else if (role >= OF_DIRECTOR) role -= OF_DIRECTOR;
  }
  reader_open(trusted_reader, store_bank(), entry.offset, entry.length);
  const envelope = changetype<Envelope>(TRUSTED_ENVELOPE);
  const status = envelope_read(trusted_reader, envelope);
  return status == Status.OK ? signed_read(trusted_reader, envelope.signed, role, trusted_signed) : status;
}

/** Opens the trusted targets in a place of the store and steps into their list. */
export function trusted_open_targets(place: i32): Status {
  const status = trusted_open_place(place);
  reader_object_at(trusted_reader, trusted_signed.targets);
  return status;
}

/** What `trusted_read` reads: a place in the store, and the part of the file there, wherever the store moves it. */
let shown: i32 = Kind.NONE;
let shown_at: u32 = 0;
let shown_length: u32 = 0;

/** Chooses a part of a trusted file for `trusted_read`. Its length. */
export function trusted_show(place: i32, at: u32, length: u32): i32 {
  shown = place;
  shown_at = at;
  shown_length = length;
  return length;
}

function show_whole(place: i32): i32 {
  return trusted_show(place, 0, store_entry(place).length);
}

/** Of an argument of `trusted_length`: the role is the Director's. */
const DIRECTOR_ROLE: i32 = 8;

/**
 * Chooses the trusted file of a role, or of 8 and a role of the Director, for `trusted_read`. Its length in bytes; 0:
 * there is none.
 */
export function trusted_length(role: Role): i32 {
  if (isDefined(SMALL)) return Status.BAD_ARGUMENT;
  const directed: Role = role - DIRECTOR_ROLE;
  if (directed == Role.OFFLINE_SNAPSHOT || directed == Role.OFFLINE_TARGETS) return show_whole(directed + OF_OFFLINE);
  if (<u32>(role & ~DIRECTOR_ROLE) > <u32>Role.TARGETS) return Status.BAD_ARGUMENT;
  return show_whole(role < DIRECTOR_ROLE ? Kind.ROOT + role : Kind.DIRECTOR_ROOT + directed);
}

/** The same for a delegated role, whose name and ".json", so many bytes, are in the buffer. */
export function trusted_find(length: u32): i32 {
  if (isDefined(SMALL) || length > IO_CAPACITY) return Status.BAD_ARGUMENT;
  return show_whole(store_find(trusted_tag(IO_BUFFER, length)));
}

/** What the file of a delegated role is found by in the store: of its name and ".json". */
export function trusted_tag(name: usize, length: u32): u32 {
  return crc32(0, name, length);
}

/** Puts what the file has from `offset` on into the buffer, byte for byte as it was received. Bytes; 0: its end. */
export function trusted_read(offset: u32): i32 {
  if (isDefined(SMALL)) return 0;
  const entry = store_entry(shown);
  const at = shown_at + min(offset, shown_length);
  // Another file may have come since, and a shorter one: what lies behind it is nobody's to read.
  const end = min(shown_at + shown_length, entry.length);
  const length = at < end ? min(IO_CAPACITY, end - at) : 0;
  const status = flash_read(store_bank(), entry.offset + at, IO_BUFFER, length);
  return status == Status.OK ? length : status;
}
