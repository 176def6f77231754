// The search through delegated roles (TUF 1.0.34, 5.6.7): pre-order and depth first, in the order in which each
// delegator lists them. It names one role after the other; whoever searches verifies its file and looks into it.
//
// It searches for one path, as the specification has it; or for all paths that begin in one way, of which nobody knows
// yet which there are. Then a role is visited where any of them could be delegated to it, once for each way to it, and
// `search_trusts` says of a path that was met there whether a search for that path alone would have found it there.
//
// A role that was visited is a place of the trust store; its delegations are read there again when the search comes
// back to it. All else that is kept of it is a Visit.

import { Role } from "../abi";
import { bytes_equal, digit } from "../bytes";
import { Name } from "../json/names";
import {
  reader_array_at,
  reader_element,
  reader_fail,
  reader_member,
  reader_name,
  reader_object_at,
  reader_peek,
  reader_seek,
  reader_skip,
  reader_string,
  reader_text,
  TEXT_CAPACITY,
} from "../json/reader";
import { text_compare } from "../json/text";
import { DELEGATION, DIGEST, FILE_INFO, OTHER_FILE_INFO, PATH_BUFFER, ROLE_NAME, VISITS, VISITS_ROOM } from "../memory";
import { Delegation, delegation_fits, delegation_read } from "../metadata/delegation";
import { file_clear, file_read, file_read_target, FileInfo } from "../metadata/file";
import { path_hash, path_is, path_set } from "../metadata/path";
import { Status } from "../status";
import { Kind, store_entry, store_release } from "../storage/record";
import { threshold_load_delegated } from "./threshold";
import { trusted_open, trusted_open_place, trusted_open_targets, trusted_reader, trusted_signed, trusted_tag } from "./trusted";

@unmanaged
class Visit {
  /** Where its delegation stands in the delegator's file; of succinct roles, which one. */
  delegation: u32;
  /** Where its file is in the store; NONE: it cannot be used. */
  place: u8;
  /** The visit of its delegator. */
  delegator: u8;
  terminating: bool;
  succinct: bool;
}

/** Delegated roles that one search visits, as in python-tuf. */
const MAX_VISITS: i32 = 32;
if ((MAX_VISITS + 1) * 8 > VISITS_ROOM) ERROR("the Visits do not fit their region");

/** Visits so far; the first is that of the top-level targets. */
let visits: i32 = 0;
/** One path is searched for. */
let whole: bool = true;
/** Bytes in PATH_BUFFER. */
let path_length: u32 = 0;
/** Nothing more is to be visited; there was a role too many. */
let over: bool = false;
let cut_short: bool = false;
/** Bytes of the name in ROLE_NAME, ".json" included, and where the snapshot lists it; 0: nowhere. */
let name_length: u32 = 0;
let listed: u32 = 0;
/** In the delegator's file that was opened last; 0: there is none. */
let keys_at: u32 = 0;
let roles_at: u32 = 0;
let succinct_at: u32 = 0;

const r = trusted_reader;
const delegation = changetype<Delegation>(DELEGATION);
const announced = changetype<FileInfo>(FILE_INFO);
const other = changetype<FileInfo>(OTHER_FILE_INFO);

function visit_at(index: i32): Visit {
  return changetype<Visit>(VISITS + (<usize>index << 3));
}

function newest(): Visit {
  return visit_at(visits - 1);
}

/** Begins at the top-level targets. The path, or how paths begin, is in PATH_BUFFER. */
export function search_begin(length: u32, start: bool): void {
  store_release();
  visits = 0;
  over = false;
  cut_short = false;
  whole = !start;
  path_length = length;
  add_visit(0, 0, false).place = <u8>Kind.TARGETS;
}

function add_visit(delegator: i32, at: u32, terminating: bool): Visit {
  const visit = visit_at(visits++);
  visit.delegation = at;
  visit.place = <u8>Kind.NONE;
  visit.delegator = <u8>delegator;
  visit.terminating = terminating;
  visit.succinct = false;
  return visit;
}

/** Bytes of the path in PATH_BUFFER. */
export function search_path_length(): u32 {
  return path_length;
}

/** Holds what follows against the path that is searched for. */
export function search_path(): void {
  path_set(PATH_BUFFER, path_length, !whole);
}

/** Where the file of the newest visit is in the store. */
export function search_place(): i32 {
  return newest().place;
}

/** Whether the newest visit is that of the top-level targets. */
export function search_is_at_top(): bool {
  return visits == 1;
}

/** The file of the newest visit is verified and lies here. */
export function search_enter(place: i32): void {
  newest().place = <u8>place;
}

/** What the file of the newest visit lists cannot be used. */
export function search_leave(): void {
  newest().place = <u8>Kind.NONE;
}

/** What the snapshot calls the role of the newest visit, a number that no other role of it has; 0: it lists it not. */
export function search_listed(): u32 {
  return listed;
}

/** What a cached file of that role may be found by. */
export function search_tag(): u32 {
  return trusted_tag(ROLE_NAME, name_length);
}

/** Whether there were more roles than one search visits. */
export function search_is_cut_short(): bool {
  return cut_short;
}

/**
 * Moves on to the next role that the path is delegated to: OK. NOT_FOUND: there is none. What the snapshot says of the
 * role is in FILE_INFO.
 */
export function search_next(): Status {
  search_path();
  let delegator = visits - 1;
  let after: u32 = 0;
  let resumed = false;
  while (true) {
    const visit = visit_at(delegator);
    const status = visit.place == Kind.NONE ? Status.NOT_FOUND : next_of(delegator, after, resumed);
    if (status != Status.NOT_FOUND) {
      // One whose delegations cannot be read is one that cannot be used.
      if (status != Status.OK) visit.place = <u8>Kind.NONE;
      return status;
    }
    // A terminating delegation: whatever its delegator and those above it list later is not for this path.
    if (delegator == 0 || (whole && visit.terminating) || over) return Status.NOT_FOUND;
    after = visit.delegation;
    resumed = true;
    delegator = visit.delegator;
  }
}

/** The next role to visit among those that one visited role delegates to. */
function next_of(delegator: i32, after: u32, resumed: bool): Status {
  while (true) {
    let status = open_delegations(visit_at(delegator).place);
    if (status != Status.OK) return status;
    const at = succinct_at != 0 ? next_bin(after, resumed) : next_listed(after);
    if (r.status != Status.OK) return r.status;
    if (at == NO_DELEGATION) return Status.NOT_FOUND;
    const terminating = delegation.terminating || succinct_at != 0;
    const succinct = succinct_at != 0;
    status = look_up();
    if (status != Status.OK) return status;
    const again = listed != 0 && is_visited(delegator);
    if (!again || terminating) {
      if (visits > MAX_VISITS) {
        over = true;
        cut_short = true;
        return Status.NOT_FOUND;
      }
      add_visit(delegator, at, terminating).succinct = succinct;
      if (!again) return Status.OK;
      over = whole;
      if (over) return Status.NOT_FOUND;
    }
    after = at;
    resumed = true;
  }
}

const NO_DELEGATION: u32 = 0xffffffff;

/** Finds the parts of a role's delegations; NOT_FOUND: it has none. */
function open_delegations(place: i32): Status {
  const status = trusted_open_place(place);
  if (status != Status.OK) return status;
  if (trusted_signed.delegations == 0) return Status.NOT_FOUND;
  keys_at = 0;
  roles_at = 0;
  succinct_at = 0;
  reader_object_at(r, trusted_signed.delegations);
  while (reader_member(r)) {
    const name = reader_name(r);
    reader_peek(r);
    if (name == Name.KEYS) keys_at = r.pos;
    else if (name == Name.ROLES) roles_at = r.pos;
    else if (name == Name.SUCCINCT_ROLES) succinct_at = r.pos;
    reader_skip(r);
  }
  if (keys_at == 0 || (roles_at == 0) == (succinct_at == 0)) reader_fail(r, Status.METADATA_INVALID);
  return r.status;
}

/** Whether a role delegates to anybody. Empty delegations, as some tools write them, are none; unreadable ones count. */
export function search_delegates(place: i32): bool {
  const status = open_delegations(place);
  if (status != Status.OK || succinct_at != 0) return status != Status.NOT_FOUND;
  reader_array_at(r, roles_at);
  return reader_element(r);
}

/** The next listed delegation that fits the path; its name is then in ROLE_NAME. */
function next_listed(after: u32): u32 {
  if (after == 0) {
    reader_array_at(r, roles_at);
  } else skip_element(after);
  while (reader_element(r)) {
    const at = r.pos;
    delegation_read(r, delegation);
    if (r.status == Status.OK && delegation_fits(r, delegation)) {
      take_name();
      check_unique(delegation.name);
      reader_seek(r, at);
      delegation_read(r, delegation);
      return at;
    }
    if (r.status == Status.OK) skip_element(at);
  }
  return NO_DELEGATION;
}

/** Stands behind the element of an array. */
function skip_element(at: u32): void {
  reader_seek(r, at);
  r.depth = 1;
  reader_skip(r);
}

/** The role of TAP 15 that the path belongs to; all of them, one after the other, where only its start is known. */
function next_bin(after: u32, resumed: bool): u32 {
  reader_seek(r, succinct_at);
  delegation_read(r, delegation);
  const bits = delegation.bits;
  if (bits - 1 > 31) reader_fail(r, Status.METADATA_INVALID);
  if (r.status != Status.OK || (whole && resumed)) return NO_DELEGATION;
  const most: u32 = 0xffffffff >>> (32 - bits);
  if (resumed && after == most) return NO_DELEGATION;
  const bin = whole ? bin_of_path(bits) : resumed ? after + 1 : 0;
  take_name();
  put_bin(bin, (bits + 3) >>> 2);
  return bin;
}

/** The first bits of the path's hash. */
function bin_of_path(bits: u32): u32 {
  path_hash();
  return bswap(load<u32>(DIGEST)) >>> (32 - bits);
}

/** Puts "-" and a number in hexadecimal digits before the ".json" of a role's name. */
function put_bin(bin: u32, digits: u32): void {
  let end = ROLE_NAME + name_length - JSON_LENGTH;
  store<u8>(end++, 0x2d);
  for (let shift = <i32>(digits << 2) - 4; shift >= 0; shift -= 4) store<u8>(end++, digit((bin >>> shift) & 15));
  put_json(end);
}

const JSON_LENGTH: u32 = 5;
/** A name of succinct roles gets nine characters more. */
const MAX_NAME: u32 = TEXT_CAPACITY - JSON_LENGTH - 9;

function put_json(end: usize): void {
  store<u32>(end, 0x6f736a2e); // ".jso"
  store<u8>(end + 4, 0x6e); // "n"
  name_length = <u32>(end - ROLE_NAME) + JSON_LENGTH;
}

/** Puts the name of the delegation in hand into ROLE_NAME. */
function take_name(): void {
  reader_seek(r, delegation.name);
  if (!reader_string(r)) return;
  // The top-level roles are root's to name, and so is nobody.
  const top = reader_name(r) >= Name.ROOT && reader_name(r) <= Name.TARGETS;
  if (r.text_length == 0 || top) return reader_fail(r, Status.METADATA_INVALID);
  if (r.text_length > MAX_NAME) return reader_fail(r, Status.NAME_TOO_LONG);
  memory.copy(ROLE_NAME, reader_text(r), r.text_length);
  put_json(ROLE_NAME + r.text_length);
}

/** A name that is delegated to twice in one file could have either keys. */
function check_unique(name: u32): void {
  if (r.status != Status.OK) return;
  reader_array_at(r, roles_at);
  while (reader_element(r)) {
    delegation_read(r, delegation);
    const same = r.status == Status.OK && delegation.name != name && text_compare(r, delegation.name, r, name) == 0;
    if (same) reader_fail(r, Status.METADATA_INVALID);
  }
}

/** Finds the role in the trusted snapshot. */
function look_up(): Status {
  file_clear(announced);
  listed = 0;
  const status = trusted_open(Role.SNAPSHOT);
  if (status != Status.OK) return status;
  reader_object_at(r, trusted_signed.meta);
  while (listed == 0 && reader_member(r)) {
    const at = r.text_at;
    if (r.text_length == name_length && bytes_equal(reader_text(r), ROLE_NAME, name_length)) {
      file_read(r, announced);
      listed = at;
    } else reader_skip(r);
  }
  return r.status;
}

/** Whether the role was visited before: at all, or, where each way to it counts, on this one. */
function is_visited(delegator: i32): bool {
  for (let i = whole ? visits - 1 : delegator; i != 0; i = whole ? i - 1 : visit_at(i).delegator) {
    if (store_entry(visit_at(i).place).user == listed) return true;
  }
  return false;
}

/** Reads the keys that the delegator gives the role of the newest visit. */
export function search_keys(): Status {
  const visit = newest();
  const status = open_delegations(visit_at(visit.delegator).place);
  if (status != Status.OK) return status;
  return threshold_load_delegated(r, visit.succinct ? succinct_at : visit.delegation, keys_at);
}

/** Writes the file name of the role of the newest visit: all but letters, digits and `_.-~` percent-encoded. */
export function search_name_put(out: usize): usize {
  for (let i: u32 = 0; i < name_length; i++) {
    const c: u32 = load<u8>(ROLE_NAME + i);
    const letter = (c | 0x20) - 0x61 < 26;
    if (letter || c - 0x30 < 10 || c == 0x5f || c == 0x2e || c == 0x2d || c == 0x7e) store<u8>(out++, c);
    else {
      store<u8>(out++, 0x25);
      store<u8>(out++, upper_digit(c >>> 4));
      store<u8>(out++, upper_digit(c & 15));
    }
  }
  return out;
}

function upper_digit(value: u32): u32 {
  return value + (value < 10 ? 0x30 : 0x37);
}

// ---- looking into roles ----

/** What the newest visit says of the path that is searched for: OK, in `f`. NOT_FOUND: nothing. */
export function search_look(f: FileInfo): Status {
  search_path();
  return find_target(newest().place, f);
}

function find_target(place: i32, f: FileInfo): Status {
  const status = search_find(place);
  return status == Status.OK ? file_read_target(r, f) : status;
}

/** Finds the path that counts among the targets in a place of the store: `trusted_reader` stands behind its name. */
export function search_find(place: i32): Status {
  const status = trusted_open_targets(place);
  if (status != Status.OK) return status;
  while (reader_member(r)) {
    if (path_is(r)) return Status.OK;
    reader_skip(r);
  }
  return r.status == Status.OK ? Status.NOT_FOUND : r.status;
}

/**
 * Whether a search for this path alone would find it in the newest visit: all delegations on the way fit it, no role
 * before lists it, none that ought to be asked for it is missing, and none ends the search. `length` bytes at `at`.
 */
export function search_trusts(at: usize, length: u32): bool {
  const last = visits - 1;
  let fitting: u64 = 0;
  path_set(at, length, false);
  for (let i = 0; i <= last; i++) {
    const visit = visit_at(i);
    if (i != 0 && ((fitting >> visit.delegator) & 1) == 0) continue;
    if (i != 0 && !visit_fits(visit)) continue;
    if (i == last) return true;
    fitting |= (<u64>1) << i;
    if (visit.place == Kind.NONE || find_target(visit.place, other) != Status.NOT_FOUND) return false;
    if (visit.terminating && !is_above(i, last)) return false;
  }
  return false;
}

function visit_fits(visit: Visit): bool {
  if (open_delegations(visit_at(visit.delegator).place) != Status.OK) return false;
  reader_seek(r, visit.succinct ? succinct_at : visit.delegation);
  delegation_read(r, delegation);
  if (visit.succinct) return bin_of_path(delegation.bits) == visit.delegation;
  return r.status == Status.OK && delegation_fits(r, delegation);
}

/** Whether one visit led to the other. */
function is_above(upper: i32, visit: i32): bool {
  while (visit > upper) visit = visit_at(visit).delegator;
  return visit == upper;
}
