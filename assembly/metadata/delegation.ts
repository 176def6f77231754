// One delegation of a targets role (TUF 4.5): to a role, to several roles that must agree (TAP 3), or to succinct roles
// (TAP 15). One of several roles is read as a delegation as well: its name and keys are all that is its own.

import { Name } from "../json/names";
import {
  Reader,
  reader_array_at,
  reader_element,
  reader_fail,
  reader_integer,
  reader_member,
  reader_name,
  reader_object,
  reader_peek,
  reader_seek,
  reader_skip,
  reader_string,
} from "../json/reader";
import { DELEGATION_ROOM } from "../memory";
import { Status } from "../status";
import { hardware_listed } from "./hardware";
import { path_fits_pattern, path_fits_prefix, path_hash } from "./path";

/** Where the values stand; 0: there is none. In the order of their names (json/names.ts), from NAME on. */
@unmanaged
export class Delegation {
  /** The quote of the name: the role's, or that several roles have together, or what those of succinct roles begin with. */
  name: u32;
  /** Whether the search ends with this role for a path that fits. */
  terminating: u32;
  /** The arrays of patterns and of hash prefixes. */
  paths: u32;
  prefixes: u32;
  succinct: u32;
  /** Succinct roles: how many bits of a path's hash tell them apart. */
  bits: u32;
  name_prefix: u32;
  /** The array of several roles, the name of one of them, and how many must agree. */
  members: u32;
  rolename: u32;
  agreement: u32;
  /** The array of hardware ids; 0: it is for any. */
  hardware: u32;
}

const HARDWARE: u32 = Name.MIN_ROLES_IN_AGREEMENT + 1 - Name.NAME;
if (<u32>offsetof<Delegation>("hardware") != HARDWARE << 2) ERROR("a Delegation is not as its names");
if (<i32>offsetof<Delegation>() > DELEGATION_ROOM) ERROR("a Delegation does not fit its region");

/** Reads the object in hand. Its keys are for `keys_read_delegated`. */
export function delegation_read(r: Reader, d: Delegation): void {
  memory.fill(changetype<usize>(d), 0, offsetof<Delegation>());
  reader_object(r);
  while (reader_member(r)) {
    const name = reader_name(r);
    const index = name == Name.HARDWARE_IDS ? HARDWARE : <u32>(name - Name.NAME);
    reader_peek(r);
    if (index <= HARDWARE) store<u32>(changetype<usize>(d) + (index << 2), r.pos);
    reader_skip(r);
  }
  if (d.name == 0) d.name = d.rolename | d.name_prefix;
  // A role that is given paths in two ways could mean either.
  if (d.name == 0 || (d.paths != 0 && d.prefixes != 0)) reader_fail(r, Status.METADATA_INVALID);
}

/** Reads one of its numbers; METADATA_INVALID where there is none, and for 0: it would be met by nobody. */
export function delegation_number(r: Reader, at: u32): u32 {
  reader_seek(r, at);
  const number = reader_integer(r, Status.METADATA_INVALID);
  if (number == 0) reader_fail(r, Status.METADATA_INVALID);
  return number;
}

/** Whether the path is delegated, and for the hardware that is wanted (Uptane 5.4.4.7). Leaves the reader somewhere in the object. */
export function delegation_fits(r: Reader, d: Delegation): bool {
  const hashed = d.prefixes != 0;
  if (!hashed && d.paths == 0) return false;
  if (hashed) path_hash();
  let fits = false;
  reader_array_at(r, hashed ? d.prefixes : d.paths);
  while (reader_element(r)) {
    if (!reader_string(r)) return false;
    if (!fits) fits = hashed ? path_fits_prefix(r) : path_fits_pattern(r);
  }
  if (fits && d.hardware != 0) {
    reader_seek(r, d.hardware);
    fits = hardware_listed(r);
  }
  return fits && r.status == Status.OK;
}
