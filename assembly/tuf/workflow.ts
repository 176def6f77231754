// The client workflow of TUF 1.0.34, 5.2 to 5.6. It names the next file to fetch; the file lands in an open record
// of the trust store; `workflow_accept` verifies it there. After the four top-level roles come delegated roles, as
// far as somebody searches them (search.ts).
//
// Uptane (standard 2.1.0, 5.4.4) runs it for the Director, then for the Image repository. Where the Director has neither
// timestamp nor snapshot, its targets follow its root.
//
// An error ends the check and leaves what is trusted as it was, so that the next check starts from the same
// ground.

import { Role } from "../abi";
import { decimal_encode } from "../bytes";
import { Name, name_put } from "../json/names";
import { Reader, reader_fail, reader_member, reader_object_at, reader_open, reader_skip } from "../json/reader";
import { text_compare } from "../json/text";
import { ENVELOPE, FILE_INFO, KEY_SET, NAME_BUFFER, OTHER_FILE_INFO, READER, SIGNED } from "../memory";
import { Envelope, envelope_read } from "../metadata/envelope";
import { file_check, file_clear, file_find, file_is, file_read, file_usable, FileInfo } from "../metadata/file";
import { keys_note, keys_satisfy_noted, KeySet } from "../metadata/key";
import { is_legacy, is_partial, is_uptane } from "../metadata/profile";
import { role_name, Signed, signed_read } from "../metadata/signed";
import { Status } from "../status";
import {
  Entry,
  Kind,
  record_abort,
  record_commit,
  record_finish,
  record_is_unchanged,
  record_length,
  record_offset,
  store_bank,
  store_entry,
  store_is_settled,
  store_place,
  store_place_used,
  store_release,
  store_settle,
} from "../storage/record";
import { search_begin, search_enter, search_keys, search_listed, search_name_put, search_next, search_tag } from "./search";
import { threshold_load, threshold_verify } from "./threshold";
import { trusted_entry, trusted_go_offline, trusted_is_directed, trusted_is_director, trusted_is_offline, trusted_kind, trusted_open, trusted_reader, trusted_signed, trusted_turn } from "./trusted";

/** The most bytes of a file whose length nobody announced, as in python-tuf. */
const MAX_ROOT: u32 = 512000;
const MAX_TIMESTAMP: u32 = 16384;
const MAX_SNAPSHOT: u32 = 2000000;
const MAX_TARGETS: u32 = 5000000;

/** New roots that one check follows. */
const MAX_ROOTS: u32 = 256;

/** Bytes of a new snapshot that its rollback check may read again when its order differs from the trusted one. */
const MAX_REREAD: u32 = 16 << 20;

/** The role that is looked at now; NONE: all that are wanted are verified. */
let role: Role = Role.NONE;
/** Where its file is in the store, or goes. */
let place: i32 = Kind.NONE;
/** The time of this check, fixed at its start (5.1). */
let start_time: u32 = 0;
/** New roots so far. */
let roots: u32 = 0;
/** `consistent_snapshot` of the trusted root. */
let consistent: bool = false;
/** The most bytes of the file that is fetched, and the length of its name. */
let limit: u32 = 0;
let name_length: u32 = 0;

const incoming = changetype<Reader>(READER);
const envelope = changetype<Envelope>(ENVELOPE);
const signed = changetype<Signed>(SIGNED);
const keys = changetype<KeySet>(KEY_SET);
const announced = changetype<FileInfo>(FILE_INFO);
const other = changetype<FileInfo>(OTHER_FILE_INFO);

/** The role that the workflow is at: that a fault concerns, or that is fetched. */
export function workflow_role(): Role {
  return role;
}

/** Whether that is a delegated role; the small core follows none. */
function is_delegated(): bool {
  return !isDefined(SMALL) && role == Role.DELEGATED;
}

function is_offline_snapshot(): bool {
  return !isDefined(SMALL) && role == Role.OFFLINE_SNAPSHOT;
}

/** Whether targets follow root, and nothing announces them. */
function is_short(): bool {
  return (is_partial() && !trusted_is_offline()) || (is_legacy() && trusted_is_director());
}

/** Where the record of its file goes. */
export function workflow_place(): i32 {
  return is_delegated() ? place : trusted_kind(role);
}

/** Whether the trusted root asks for names with versions and hashes. */
export function workflow_consistent(): bool {
  return consistent;
}

/** The most bytes of the file that is fetched now. */
export function workflow_limit(): u32 {
  return limit;
}

/** Length of its name, which is in NAME_BUFFER. */
export function workflow_name_length(): u32 {
  return name_length;
}

/**
 * 5.2: starts from the trusted root, whose expiry does not matter yet: that of the Director, or else of the Image
 * repository, or of the only one. `now` holds for the whole check.
 */
export function workflow_begin(now: u32, director: bool): Status {
  if (!isDefined(SMALL)) {
    trusted_turn(director);
    if (trusted_is_directed()) trusted_go_offline(false);
  }
  role = Role.ROOT;
  start_time = now;
  roots = 0;
  store_release();
  return trusted_entry(Role.ROOT).length == 0 ? Status.NOT_PROVISIONED : Status.OK;
}

/** The time by which all of this check is judged, where that is found out when the newest root is known. */
export function workflow_time(now: u32): void {
  start_time = now;
}

/**
 * Goes on as far as the trust store reaches. OK with a role of NONE: done; with another role: its file is
 * wanted, its name and limit are set.
 */
export function workflow_next(): Status {
  if (role == Role.SNAPSHOT || is_offline_snapshot() || is_short()) {
    const status = trusted_open(Role.ROOT);
    if (status != Status.OK) return status;
    consistent = trusted_signed.consistent && !is_legacy();
  }
  if (role == Role.SNAPSHOT) {
    const status = look_up(Role.TIMESTAMP, Name.SNAPSHOT_JSON);
    if (status != Status.OK) return status;
    if (is_held()) {
      if (expired()) return Status.EXPIRED;
      role = Role.TARGETS;
    }
  }
  const offline = !isDefined(SMALL) && role == Role.OFFLINE_TARGETS;
  if (offline || (role == Role.TARGETS && !is_short())) {
    const status = offline ? look_up(Role.OFFLINE_SNAPSHOT, Name.OFFLINE_TARGETS_JSON) : look_up(Role.SNAPSHOT, Name.TARGETS_JSON);
    if (status != Status.OK) return status;
    if (is_held()) {
      if (expired()) return Status.EXPIRED;
      role = Role.NONE;
    }
  }
  if (is_delegated()) {
    const status = find_held();
    if (status != Status.OK) return status;
  }
  if (role != Role.NONE) request();
  return Status.OK;
}

/** All top-level roles are verified: begins a search at the targets, for the path or the start in PATH_BUFFER. */
export function workflow_search_begin(length: u32, start: bool): void {
  role = Role.NONE;
  search_begin(length, start);
}

/**
 * Moves on to the next delegated role of a search: it is verified, or its file wanted, as `workflow_next` says.
 * NOT_FOUND: there is none.
 */
export function workflow_search(): Status {
  role = Role.DELEGATED;
  const status = search_next();
  if (status != Status.OK) return status;
  if (search_listed() == 0) return Status.ROLE_UNLISTED; // and is not asked for
  return file_usable(announced);
}

/**
 * The repository does not have the file. For the next root that is an answer (5.3.3); and where the Director's timestamp is
 * missing (or its targets, to who reads no timestamp), and its root names roles for such times, they are asked for next
 * (PURE-2). Who keeps it back gains what these roles signed for any vehicle to install, and no more.
 */
export function workflow_missing(): Status {
  record_abort();
  if (role == Role.ROOT) return end_of_roots();
  if (isDefined(SMALL) || !trusted_is_directed() || is_legacy() || role != first_online()) return Status.NOT_FOUND;
  const missing = role;
  role = Role.OFFLINE_SNAPSHOT;
  const status = load_keys();
  if (status == Status.OK) trusted_go_offline(true);
  else role = missing;
  return status == Status.OK ? status : Status.NOT_FOUND;
}

/** Verifies the file in the open record and makes it the trusted one, or gives it up. */
export function workflow_accept(): Status {
  let status: Status;
  if (role == Role.ROOT) status = accept_root();
  else status = role == Role.TIMESTAMP || is_offline_snapshot() || is_short() ? accept_unannounced() : accept_announced();
  if (status != Status.OK) record_abort();
  return status;
}

// ---- what to fetch ----

/** Reads what the trusted file of one role announces of another, and its limit. */
function look_up(announcer: Role, name: Name): Status {
  const status = trusted_open(announcer);
  if (status != Status.OK) return status;
  limit = role == Role.SNAPSHOT ? MAX_SNAPSHOT : MAX_TARGETS;
  const found = file_find(trusted_reader, trusted_signed.meta, name, announced);
  if (announced.has_length && !is_legacy()) limit = min(limit, announced.length);
  return found;
}

/** Whether the store has just the file that is announced. */
function is_held(): bool {
  return is_announced(trusted_entry(role));
}

function is_announced(entry: Entry): bool {
  if (entry.length == 0 || entry.version != announced.version) return false;
  return file_check(store_bank(), entry.offset, entry.length, announced) == Status.OK;
}

function request(): void {
  let version: u32 = 0;
  if (role == Role.ROOT) {
    version = trusted_entry(Role.ROOT).version + 1;
    limit = MAX_ROOT;
  } else if (role == Role.TIMESTAMP || is_offline_snapshot()) limit = MAX_TIMESTAMP;
  else if (is_short()) limit = MAX_TARGETS;
  else if (consistent) version = announced.version;
  name_length = <u32>(name_put_versioned(version) - NAME_BUFFER);
}

/** Writes the name of the file into NAME_BUFFER; returns its end. */
function name_put_versioned(version: u32): usize {
  let end = NAME_BUFFER;
  if (version != 0) {
    end = decimal_encode(version, end);
    store<u8>(end++, 0x2e);
  }
  if (is_delegated()) return search_name_put(end);
  end = name_put(role_name(role), end);
  store<u32>(end, 0x6f736a2e); // ".jso"
  store<u8>(end + 4, 0x6e); // "n"
  return end + 5;
}

// ---- 5.3 root ----

function accept_root(): Status {
  if (roots == MAX_ROOTS) return Status.TOO_MANY_ROOTS;
  let status = verify_by_delegator();
  if (status != Status.OK) return status;
  // 5.3.5: exactly the next version, so that no root is skipped and none comes back.
  if (signed.version != trusted_entry(Role.ROOT).version + 1) return Status.ROOT_VERSION;
  // 5.3.4: and a threshold of its own keys, or a mistake could lock everybody out.
  status = threshold_load(incoming, signed, Role.ROOT);
  if (status == Status.OK) status = threshold_verify(incoming, envelope);
  if (status != Status.OK) return status;
  const kinds = kinds_to_drop();
  if (kinds < 0) return kinds;
  status = record_commit(signed.version, signed.expires, kinds);
  roots++;
  return status;
}

/**
 * 5.3.11, fast-forward recovery: files whose keys were taken away are dropped in the same write that makes the new
 * root trusted, so that versions which a thief drove up do not stand in the way of the honest ones. Returns the
 * kinds of record, as bits. A root that only adds keys keeps
 * what is trusted, and with it the ground against a rollback.
 */
function kinds_to_drop(): i32 {
  let kinds = 0;
  const last = trusted_is_directed() ? Role.OFFLINE_TARGETS : Role.TARGETS;
  for (let each = first_online(); each <= last; each++) {
    if (!isDefined(SMALL) && each == Role.IMAGE) each = Role.OFFLINE_SNAPSHOT;
    let status = threshold_load(trusted_reader, trusted_signed, each);
    if (status == Status.OK) {
      keys_note(keys);
      status = threshold_load(incoming, signed, each);
    }
    // A root need not name the offline roles.
    if (status != Status.OK && each <= Role.TARGETS) return status;
    if (status != Status.OK || !keys_satisfy_noted(keys)) kinds |= 1 << trusted_kind(each);
  }
  const both = (1 << trusted_kind(Role.TIMESTAMP)) | (1 << trusted_kind(Role.SNAPSHOT));
  return kinds & both ? kinds | both : kinds;
}

/** The first role whose keys a root must give. */
function first_online(): i32 {
  return is_short() ? Role.TARGETS : Role.TIMESTAMP;
}

/** The repository has no newer root. */
function end_of_roots(): Status {
  if (expired()) return Status.EXPIRED; // 5.3.10, against a freeze
  role = first_online();
  return Status.OK;
}

/** 5.2: the first root of a device must be signed to its own threshold. */
export function root_provision(director: bool): Status {
  if (!isDefined(SMALL)) trusted_turn(director);
  role = Role.ROOT;
  let status = record_finish();
  if (status == Status.OK) status = open_incoming(record_offset(), record_length());
  if (status == Status.OK) status = signed_read(incoming, envelope.signed, Role.ROOT, signed);
  if (status == Status.OK) status = threshold_load(incoming, signed, Role.ROOT);
  if (status == Status.OK) status = threshold_verify(incoming, envelope);
  for (let each = first_online(); status == Status.OK && each <= Role.TARGETS; each++) {
    status = threshold_load(incoming, signed, each);
  }
  if (status == Status.OK) status = record_commit(signed.version, signed.expires, 0);
  if (status != Status.OK) record_abort();
  return status;
}

// ---- 5.4 timestamp; Uptane 5.4.4.2: targets that only their own version tells from older ones ----

function accept_unannounced(): Status {
  const stamps = isDefined(SMALL) || role == Role.TIMESTAMP;
  if (record_is_unchanged()) return keep_unannounced(); // byte for byte what was verified before
  let status = verify_by_delegator();
  if (status == Status.OK && stamps) status = file_find(incoming, signed.meta, Name.SNAPSHOT_JSON, announced);
  if (status != Status.OK) return status;
  const held = trusted_entry(role);
  let same = false;
  if (held.length != 0) {
    // PURE-2: what came with a bundle may be older than what the Image repository said since, which then counts.
    if (signed.version < held.version && !is_undated()) return Status.ROLLBACK; // 5.4.3.1
    // Off-spec: servers of the legacy profile sign another timestamp under the same version, which is no rollback.
    if (signed.version <= held.version && !(stamps && is_legacy())) return keep_unannounced();
    if (stamps) status = trusted_open(Role.TIMESTAMP);
    if (status == Status.OK && stamps) status = file_find(trusted_reader, trusted_signed.meta, Name.SNAPSHOT_JSON, other);
    if (status != Status.OK) return status;
    if (stamps && announced.version < other.version) return Status.SNAPSHOT_ROLLBACK; // 5.4.3.2
    same = stamps && store_is_settled(0) && file_is(announced, other);
  }
  if (is_past(signed.expires)) return Status.EXPIRED; // 5.4.4, against a freeze
  status = record_commit(signed.version, signed.expires, 0);
  if (status != Status.OK) return status;
  if (same) store_settle();
  end_unannounced();
  return status;
}

/** The same version as before: the one that is held goes on to count, if it has not expired. */
function keep_unannounced(): Status {
  record_abort();
  if (expired()) return Status.EXPIRED;
  end_unannounced();
  return Status.OK;
}

/** After a timestamp comes the snapshot, after an offline snapshot the offline targets, after targets nothing. */
function end_unannounced(): void {
  role = isDefined(SMALL) || role != Role.TARGETS ? role + 1 : Role.NONE;
}

// ---- 5.5 snapshot, 5.6 targets and delegated roles ----

function accept_announced(): Status {
  // 5.5.2, 5.6.2: length and hashes before any signature, against mix-and-match.
  let status = record_finish();
  if (status == Status.OK) status = file_check(store_bank(), record_offset(), record_length(), announced);
  if (status == Status.OK) status = verify_by_delegator();
  if (status != Status.OK) return status;
  if (signed.version != announced.version) return Status.VERSION_MISMATCH; // 5.5.4, 5.6.4
  // Uptane 5.4.4.5, 5.4.4.6: snapshot and targets have a check of their own; who could announce older ones is not asked.
  if (is_uptane() && !is_delegated() && signed.version < trusted_entry(role).version) return Status.ROLLBACK;
  if (role == Role.SNAPSHOT) {
    status = check_snapshot();
    if (status != Status.OK) return status;
  }
  if (is_past(signed.expires)) return Status.EXPIRED; // 5.5.6, 5.6.5
  status = record_commit(signed.version, signed.expires, 0);
  if (status != Status.OK) return status;
  if (is_delegated()) search_enter(place);
  role = role == Role.SNAPSHOT ? Role.TARGETS : Role.NONE;
  return Status.OK;
}

/**
 * A delegated role that is in the store already, as the snapshot announces it, is verified again, by the keys of the
 * delegator that leads to it now (5.6.7). Where it does not satisfy those it is fetched, unless the search uses it.
 */
function find_held(): Status {
  place = store_place_used(search_listed());
  const used = place != Kind.NONE;
  if (!used) place = store_place(search_tag());
  const entry = store_entry(place);
  entry.user = search_listed();
  limit = announced.has_length ? min(MAX_TARGETS, announced.length) : MAX_TARGETS;
  if (!is_announced(entry)) return Status.OK;
  const status = verify_held(entry);
  if (status == Status.OK) {
    search_enter(place);
    role = Role.NONE;
  }
  return status == Status.SIGNATURES && !used ? Status.OK : status;
}

function verify_held(entry: Entry): Status {
  let status = open_incoming(entry.offset, entry.length);
  if (status == Status.OK) status = verify_incoming();
  if (status != Status.OK) return status;
  if (signed.version != announced.version) return Status.VERSION_MISMATCH;
  return signed.expires <= start_time ? Status.EXPIRED : Status.OK;
}

/** 5.5.5: no file that the trusted snapshot lists may vanish or fall in version. */
function check_snapshot(): Status {
  const status = file_find(incoming, signed.meta, Name.TARGETS_JSON, other);
  if (status != Status.OK) return status;
  // Each entry, or no later snapshot could be compared with this one.
  restart_incoming();
  while (reader_member(incoming)) read_version(incoming);
  if (incoming.status != Status.OK || trusted_entry(Role.SNAPSHOT).length == 0) return incoming.status;
  const opened = trusted_open(Role.SNAPSHOT);
  if (opened != Status.OK) return opened;
  reader_object_at(trusted_reader, trusted_signed.meta);
  restart_incoming();
  reread = 0;
  while (reader_member(trusted_reader)) {
    const quote = trusted_reader.text_at;
    const before = read_version(trusted_reader);
    if (!find_onwards(quote)) return incoming.status != Status.OK ? incoming.status : Status.SNAPSHOT_ROLLBACK;
    const now = read_version(incoming);
    if (incoming.status != Status.OK) return incoming.status;
    if (now < before) return Status.SNAPSHOT_ROLLBACK;
  }
  return trusted_reader.status;
}

let reread: u32 = 0;

/** Finds a name of the trusted snapshot in the new one, from where the last was found, then from the start. */
function find_onwards(quote: u32): bool {
  for (let round = 0; round < 2; round++) {
    while (reader_member(incoming)) {
      if (text_compare(trusted_reader, quote, incoming, incoming.text_at) == 0) return true;
      reader_skip(incoming);
    }
    reread += incoming.length;
    if (reread > MAX_REREAD) reader_fail(incoming, Status.JSON_COMPLEX);
    restart_incoming();
  }
  return false;
}

function restart_incoming(): void {
  reader_object_at(incoming, signed.meta);
}

function read_version(r: Reader): u32 {
  file_clear(other);
  file_read(r, other);
  if (other.version == 0) reader_fail(r, Status.METADATA_INVALID);
  return other.version;
}

// ---- common ----

/** Verifies the open record by whoever delegates to its role: the trusted root, or a targets role. */
function verify_by_delegator(): Status {
  let status = record_finish();
  if (status == Status.OK) status = open_incoming(record_offset(), record_length());
  return status == Status.OK ? verify_incoming() : status;
}

function open_incoming(offset: u32, length: u32): Status {
  reader_open(incoming, store_bank(), offset, length);
  return envelope_read(incoming, envelope);
}

/** Signatures by the keys that the delegator gives the role; then, and only then, the common fields. */
function verify_incoming(): Status {
  let status = is_delegated() ? search_keys() : load_keys();
  if (status == Status.OK) status = threshold_verify(incoming, envelope);
  return status == Status.OK ? signed_read(incoming, envelope.signed, role, signed) : status;
}

function load_keys(): Status {
  const status = trusted_open(Role.ROOT);
  return status == Status.OK ? threshold_load(trusted_reader, trusted_signed, role) : status;
}

function expired(): bool {
  return is_past(trusted_entry(role).expires);
}

function is_past(expires: u32): bool {
  return expires <= start_time && !is_undated();
}

/**
 * PURE-2: whether the date of the Image repository's timestamp or snapshot does not matter. That is short, because they are
 * signed online; how long an update may be installed without a network the offline roles say.
 */
function is_undated(): bool {
  return trusted_is_offline() && (role == Role.TIMESTAMP || role == Role.SNAPSHOT);
}
