// The search through delegated roles (TUF 1.0.34, 5.6.7): pre-order and depth first, in the order in which each
// delegator lists them. It names one role after the other; whoever searches verifies its file and looks into it.
//
// It searches for one path, as the specification has it; or for all paths that begin in one way, of which nobody knows
// yet which there are. Then a role is visited where any of them could be delegated to it, once for each way to it, and
// `search_trusts` says of a path that was met there whether a search for that path alone would have found it there.
//
// Several roles that one delegation names (TAP 3) are visited one after the other. When all of them are there it is looked
// into them: what counts is what the first of them says of a path that enough of them say as well. What they delegate in
// turn is not followed.
//
// A role that was visited is a place of the trust store; its delegations are read there again when the search comes
// back to it. All else that is kept of it is a Visit.

import { Role } from "../abi";
import { bytes_equal, digit } from "../bytes";
import { Name } from "../json/names";
import {
  reader_array_at,
  reader_bool,
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
import { DELEGATION, DIGEST, FILE_INFO, PATH_BUFFER, ROLE_NAME, SIGNATURE_CONTEXTS, SIGNATURE_CONTEXTS_ROOM, VISITS, VISITS_ROOM } from "../memory";
import { Delegation, delegation_fits, delegation_number, delegation_read } from "../metadata/delegation";
import { canonical_hash, file_clear, file_read, file_read_target, FileInfo } from "../metadata/file";
import { path_hash, path_is, path_set } from "../metadata/path";
import { Status } from "../status";
import { Kind, store_entry, store_release } from "../storage/record";
import { threshold_load_delegated } from "./threshold";
import { trusted_open, trusted_open_place, trusted_open_targets, trusted_reader, trusted_signed, trusted_tag } from "./trusted";

@unmanaged
class Visit {
  /** Where its delegation stands in the delegator's file; of succinct roles, which one. */
  delegation: u32;
  /** Where its keys are listed there. */
  keys: u32;
  /** Where its file is in the store; NONE: it cannot be used. */
  place: u8;
  /** The visit of its delegator. */
  delegator: u8;
  terminating: bool;
  /** A Way. */
  way: u8;
}

/** What delegates to a role. */
const enum Way {
  ONE = 0,
  /** one of succinct roles */
  BIN = 1,
  /** the last of several roles that must agree */
  LAST = 2,
  /** one of them, and others come behind it */
  SEVERAL = 3,
}

const VISIT_SIZE: i32 = 12;
if (<i32>offsetof<Visit>() != VISIT_SIZE) ERROR("a Visit has another size");
/** Delegated roles that one search visits, as in python-tuf. */
const MAX_VISITS: i32 = 32;
if ((MAX_VISITS + 1) * VISIT_SIZE > VISITS_ROOM) ERROR("the Visits do not fit their region");
if (!isDefined(SMALL) && (MAX_VISITS + 1) * 32 > SIGNATURE_CONTEXTS_ROOM) ERROR("what roles say does not fit its region");

/** Visits so far; the first is that of the top-level targets. */
let visits: i32 = 0;
/** The visit that is looked into: the newest, or one of several that end with it. */
let looked: i32 = 0;
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
/** As in a Visit: of the role whose name was taken last. */
let way: Way = Way.ONE;
let keyed_at: u32 = 0;

const r = trusted_reader;
const delegation = changetype<Delegation>(DELEGATION);
/** One of those that are listed with the one in hand. Within one call. */
const listed_one = changetype<Delegation>(DIGEST);
const announced = changetype<FileInfo>(FILE_INFO);

function visit_at(index: i32): Visit {
  return changetype<Visit>(VISITS + <usize>(index * VISIT_SIZE));
}

function is_member(visit: Visit): bool {
  return <Way>visit.way >= Way.LAST;
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
  way = Way.ONE;
  add_visit(0, 0, false).place = <u8>Kind.TARGETS;
}

function add_visit(delegator: i32, at: u32, terminating: bool): Visit {
  looked = visits;
  const visit = visit_at(visits++);
  visit.delegation = at;
  visit.place = <u8>Kind.NONE;
  visit.delegator = <u8>delegator;
  visit.terminating = terminating;
  visit.keys = keyed_at;
  visit.way = <u8>way;
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

/** Where the file that is looked into is in the store. */
export function search_place(): i32 {
  return visit_at(looked).place;
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
  let last = 0;
  while (true) {
    const visit = visit_at(delegator);
    const status = visit.place == Kind.NONE || is_member(visit) ? Status.NOT_FOUND : next_of(delegator, last);
    if (status != Status.NOT_FOUND) {
      // One whose delegations cannot be read is one that cannot be used.
      if (status != Status.OK) visit.place = <u8>Kind.NONE;
      return status;
    }
    // A terminating delegation: whatever its delegator and those above it list later is not for this path.
    if (delegator == 0 || (whole && visit.terminating) || over) return Status.NOT_FOUND;
    last = delegator;
    delegator = visit.delegator;
  }
}

/** The next role to visit among those that one visited role delegates to; the last of them was `last`, or 0: none yet. */
function next_of(delegator: i32, last: i32): Status {
  let after = visit_at(last).delegation;
  let resumed = last != 0;
  way = visit_at(last).way;
  keyed_at = visit_at(last).keys;
  while (true) {
    let status = open_delegations(visit_at(delegator).place);
    if (status != Status.OK) return status;
    const at = succinct_at != 0 ? next_bin(after, resumed) : next_listed(after);
    if (r.status != Status.OK) return r.status;
    if (at == NO_DELEGATION) return Status.NOT_FOUND;
    // Of several roles the last one ends the search: until it was visited they have said nothing.
    const terminating = way == Way.BIN || (way != Way.SEVERAL && is_terminating());
    status = look_up();
    if (status != Status.OK) return status;
    const again = way < Way.LAST && listed != 0 && is_visited(delegator);
    if (!again || terminating) {
      if (visits > MAX_VISITS) {
        over = true;
        cut_short = true;
        return Status.NOT_FOUND;
      }
      add_visit(delegator, at, terminating);
      if (!again) return Status.OK;
      over = whole;
      if (over) return Status.NOT_FOUND;
    }
    after = at;
    resumed = true;
  }
}

function is_terminating(): bool {
  reader_seek(r, delegation.terminating);
  return delegation.terminating != 0 && reader_bool(r);
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

/** The next listed delegation that fits the path, or the same with more roles; the name is then in ROLE_NAME. */
function next_listed(after: u32): u32 {
  if (way == Way.SEVERAL) {
    read_delegation(after);
    skip_element(keyed_at);
    take_member();
    return after;
  }
  way = Way.ONE;
  if (after == 0) {
    reader_array_at(r, roles_at);
  } else skip_element(after);
  while (reader_element(r)) {
    keyed_at = r.pos;
    delegation_read(r, delegation);
    const at = keyed_at;
    if (r.status == Status.OK && delegation_fits(r, delegation)) {
      take_name(delegation.name, roles_at);
      if (delegation.members == 0) return at;
      delegation_number(r, delegation.agreement);
      reader_array_at(r, delegation.members);
      take_member();
      return at;
    }
    if (r.status == Status.OK) skip_element(at);
  }
  return NO_DELEGATION;
}

/** Puts the name of the role that the reader comes to, of several, into ROLE_NAME. */
function take_member(): void {
  reader_element(r);
  keyed_at = r.pos;
  delegation_read(r, listed_one);
  way = reader_element(r) ? Way.SEVERAL : Way.LAST;
  take_name(listed_one.name, delegation.members);
}

function read_delegation(at: u32): void {
  reader_seek(r, at);
  delegation_read(r, delegation);
}

/** Stands behind the element of an array. */
function skip_element(at: u32): void {
  reader_seek(r, at);
  r.depth = 1;
  reader_skip(r);
}

/** The role of TAP 15 that the path belongs to; all of them, one after the other, where only its start is known. */
function next_bin(after: u32, resumed: bool): u32 {
  read_delegation(succinct_at);
  const bits = delegation_number(r, delegation.bits);
  if (bits > 32) reader_fail(r, Status.METADATA_INVALID);
  way = Way.BIN;
  keyed_at = succinct_at;
  if (r.status != Status.OK || (whole && resumed)) return NO_DELEGATION;
  const most: u32 = 0xffffffff >>> (32 - bits);
  if (resumed && after == most) return NO_DELEGATION;
  const bin = whole ? bin_of_path(bits) : resumed ? after + 1 : 0;
  take_name(delegation.name, 0);
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

/** Puts the name whose quote is at `name` into ROLE_NAME; it is one of those that are listed at `array`, if not 0. */
function take_name(name: u32, array: u32): void {
  reader_seek(r, name);
  if (!reader_string(r)) return;
  // The top-level roles are root's to name, and so is nobody.
  const top = reader_name(r) >= Name.ROOT && reader_name(r) <= Name.TARGETS;
  if (r.text_length == 0 || top) return reader_fail(r, Status.METADATA_INVALID);
  if (r.text_length > MAX_NAME) return reader_fail(r, Status.NAME_TOO_LONG);
  memory.copy(ROLE_NAME, reader_text(r), r.text_length);
  put_json(ROLE_NAME + r.text_length);
  if (array == 0) return;
  // A name that is delegated to twice in one list could have either keys; and one role, listed twice, agree with itself.
  reader_array_at(r, array);
  while (reader_element(r)) {
    delegation_read(r, listed_one);
    const same = r.status == Status.OK && listed_one.name != name && text_compare(r, listed_one.name, r, name) == 0;
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

/** Whether the role was visited before, for itself: at all, or, where each way to it counts, on this one. */
function is_visited(delegator: i32): bool {
  for (let i = whole ? visits - 1 : delegator; i != 0; i = whole ? i - 1 : visit_at(i).delegator) {
    if (!is_member(visit_at(i)) && store_entry(visit_at(i).place).user == listed) return true;
  }
  return false;
}

/** Reads the keys that the delegator gives the role of the newest visit. */
export function search_keys(): Status {
  const visit = newest();
  const status = open_delegations(visit_at(visit.delegator).place);
  if (status != Status.OK) return status;
  return threshold_load_delegated(r, visit.keys, keys_at);
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

/** Whether the newest visit is one of several, and others come before it is looked into any. */
export function search_waits(): bool {
  return newest().way == Way.SEVERAL;
}

/** On to the one before, of several that it is looked into; false: there is none. */
export function search_look_on(): bool {
  return looked != 0 && visit_at(--looked).way == Way.SEVERAL;
}

/** What the visits that are looked into say of the path that is searched for: OK, in `f`. NOT_FOUND: nothing. */
export function search_look(f: FileInfo): Status {
  const status = search_find_path();
  return status == Status.OK ? file_read_target(r, f) : status;
}

/** Finds the path that is searched for where it is looked into: `trusted_reader` stands behind its name. */
export function search_find_path(): Status {
  search_path();
  if (newest().way == Way.LAST) {
    visit_fits(newest());
    const agreed = find_agreed(looked);
    if (agreed < 0) return agreed;
    looked = agreed;
  }
  return search_find(search_place());
}

/**
 * TAP 3: of several roles, whose delegation is in hand and whose visits end with this one, the visit of the first that
 * says of the path what enough of them say. NOT_FOUND: there is none. ROLES_DISAGREE: some list it, and nobody may be
 * asked after them.
 *
 * Off-spec: all of the target must be the same, where TAP 3 compares length and hashes. `custom` says here which boards an
 * image is for and what it is newer than, and who has the keys of too few of the roles is to have no word in that.
 */
function find_agreed(last: i32): i32 {
  const wanted = delegation_number(r, delegation.agreement);
  let found: Status = Status.NOT_FOUND;
  let first = last;
  do {
    const word = word_of(first);
    memory.fill(word, 0, 32);
    let status = search_find(visit_at(first).place);
    if (status == Status.OK) {
      status = canonical_hash(r, r.pos, false);
      memory.copy(word, DIGEST, 32);
      if (visit_at(last).terminating) found = Status.ROLES_DISAGREE;
    }
    // Each must have been asked: or who keeps one file back chooses which of two others count.
    if (status != Status.OK && status != Status.NOT_FOUND) return status;
  } while (visit_at(--first).way == Way.SEVERAL);
  while (++first <= last) {
    let votes: u32 = 0;
    for (let i = first; i <= last; i++) votes += u32(bytes_equal(word_of(first), word_of(i), 32));
    if (votes >= wanted && load<u64>(word_of(first)) != 0) return first;
  }
  return found;
}

/** What one of several roles says of the path: the SHA-256 of its target, or zeros where it lists it not. */
function word_of(index: i32): usize {
  return SIGNATURE_CONTEXTS + (<usize>index << 5);
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
 * Whether a search for this path alone would find it where it is looked into: all delegations on the way fit it, no role
 * before lists it, none that ought to be asked for it is missing, and none ends the search. `length` bytes at `at`.
 */
export function search_trusts(at: usize, length: u32): bool {
  let fitting: u64 = 0;
  path_set(at, length, false);
  for (let i = 0; i < visits; i++) {
    const visit = visit_at(i);
    // Several roles are judged with the last of them.
    if (visit.way == Way.SEVERAL) continue;
    if (i != 0 && (((fitting >> visit.delegator) & 1) == 0 || !visit_fits(visit))) continue;
    if (visit.way == Way.LAST) {
      const agreed = find_agreed(i);
      // Who says the same as the one that counts is as good: it may list less besides.
      const here = agreed > 0 && looked <= i;
      if (agreed != Status.NOT_FOUND) return here && bytes_equal(word_of(agreed), word_of(looked), 32);
    } else {
      if (i == looked) return true;
      fitting |= (<u64>1) << i;
      if (visit.place == Kind.NONE || search_find(visit.place) != Status.NOT_FOUND) return false;
    }
    if (visit.terminating && !is_above(i, looked)) return false;
  }
  return false;
}

function visit_fits(visit: Visit): bool {
  if (open_delegations(visit_at(visit.delegator).place) != Status.OK) return false;
  const succinct = visit.way == Way.BIN;
  read_delegation(succinct ? succinct_at : visit.delegation);
  if (succinct) return bin_of_path(delegation_number(r, delegation.bits)) == visit.delegation;
  return r.status == Status.OK && delegation_fits(r, delegation);
}

/** Whether one visit led to the other. */
function is_above(upper: i32, visit: i32): bool {
  while (visit > upper) visit = visit_at(visit).delegator;
  return visit == upper;
}
