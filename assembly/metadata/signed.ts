// What the `signed` objects of all roles have in common (TUF 4.3), and where their own parts start.

import { Role } from "../abi";
import { Name } from "../json/names";
import {
  Reader,
  reader_bool,
  reader_fail,
  reader_integer,
  reader_member,
  reader_name,
  reader_object_at,
  reader_peek,
  reader_skip,
  reader_string,
  reader_text,
  TEXT_CAPACITY,
} from "../json/reader";
import { Status } from "../status";
import { date_parse, LATEST, NO_DATE } from "./expires";
import { is_legacy, profile_value } from "./profile";

@unmanaged
export class Signed {
  version: u32;
  /** Seconds since 1970. */
  expires: u32;
  /** Root: whether file names carry versions and hashes. */
  consistent: bool;
  /** Where the values of `keys`, `roles`, `meta`, `targets`, `delegations` and `custom` start; 0: there is none. */
  keys: u32;
  roles: u32;
  meta: u32;
  targets: u32;
  delegations: u32;
  custom: u32;
}

const enum Seen {
  TYPE = 1,
  SPEC_VERSION = 2,
  VERSION = 4,
  EXPIRES = 8,
  ALL = 15,
}

/** Reads the common part of the `signed` object at `start`, whose signatures hold. */
export function signed_read(r: Reader, start: u32, role: Role, s: Signed): Status {
  memory.fill(changetype<usize>(s), 0, offsetof<Signed>());
  let seen = 0;
  reader_object_at(r, start);
  while (reader_member(r)) seen |= read_member(r, role, s);
  if (r.status != Status.OK) return r.status;
  if (is_legacy()) seen |= Seen.SPEC_VERSION;
  return seen == Seen.ALL ? parts_present(role, s) : Status.METADATA_INVALID;
}

function read_member(r: Reader, role: Role, s: Signed): Seen {
  const name = reader_name(r);
  reader_peek(r);
  const at = r.pos;
  switch (name) {
    case Name.TYPE:
      // One role's file, validly signed, must not pass for another's.
      if (profile_value(r) != type_of(role)) reader_fail(r, Status.TYPE_MISMATCH);
      return Seen.TYPE;
    case Name.SPEC_VERSION:
      if (!reader_string(r) || !major_is_1(r)) reader_fail(r, Status.SPEC_VERSION);
      return Seen.SPEC_VERSION;
    case Name.VERSION:
      s.version = reader_integer(r, Status.VERSION_INVALID);
      if (s.version == 0) reader_fail(r, Status.VERSION_INVALID);
      return Seen.VERSION;
    case Name.EXPIRES:
      s.expires = read_date(r);
      return Seen.EXPIRES;
    case Name.CONSISTENT_SNAPSHOT:
      s.consistent = reader_bool(r);
      return 0;
    case Name.KEYS:
      s.keys = at;
      break;
    case Name.ROLES:
      s.roles = at;
      break;
    case Name.META:
      s.meta = at;
      break;
    case Name.TARGETS:
      s.targets = at;
      break;
    case Name.DELEGATIONS:
      if (!isDefined(SMALL)) s.delegations = at;
      break;
    default:
      if (!isDefined(SMALL) && name == Name.CUSTOM) s.custom = at;
  }
  reader_skip(r);
  return 0;
}

/** The name of a role that a root names. */
export function role_name(role: Role): Name {
  if (!isDefined(SMALL) && role >= Role.OFFLINE_SNAPSHOT) return Name.OFFLINE_SNAPSHOT - Role.OFFLINE_SNAPSHOT + role;
  return Name.ROOT + role; // both list root, timestamp, snapshot, targets in this order
}

/** The `_type` of a role's file. */
function type_of(role: Role): Name {
  return !isDefined(SMALL) && role == Role.DELEGATED ? Name.TARGETS : role_name(role);
}

/** "1" or "1.…": any other major version may mean anything (TUF 4.3). */
function major_is_1(r: Reader): bool {
  const text = reader_text(r);
  return r.text_length != 0 && load<u8>(text) == 0x31 && (r.text_length == 1 || load<u8>(text, 1) == 0x2e);
}

function read_date(r: Reader): u32 {
  if (!reader_string(r)) return 0;
  const seconds = r.text_length <= TEXT_CAPACITY ? date_parse(reader_text(r), r.text_length) : NO_DATE;
  if (seconds == NO_DATE) reader_fail(r, Status.EXPIRES_INVALID);
  return <u32>min<i64>(seconds, LATEST);
}

function parts_present(role: Role, s: Signed): Status {
  let present = s.meta != 0;
  if (role == Role.ROOT) present = s.keys != 0 && s.roles != 0;
  const lists = type_of(role) == Name.TARGETS || (!isDefined(SMALL) && role == Role.OFFLINE_TARGETS);
  if (lists) present = s.targets != 0;
  return present ? Status.OK : Status.METADATA_INVALID;
}
