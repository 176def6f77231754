// One delegation of a targets role (TUF 4.5), or its succinct roles (TAP 15).

import { Name } from "../json/names";
import {
  Reader,
  reader_array_at,
  reader_bool,
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

@unmanaged
export class Delegation {
  /** The quote of the role's name, or of what the names of succinct roles begin with. */
  name: u32;
  /** Where the arrays of patterns and of hash prefixes start; 0: there is none. */
  paths: u32;
  prefixes: u32;
  /** Succinct roles: how many bits of a path's hash tell them apart. */
  bits: u32;
  /** Where the array of hardware ids starts; 0: it is for any. */
  hardware: u32;
  /** The search ends with this role for a path that fits. */
  terminating: bool;
}

if (<i32>offsetof<Delegation>() > DELEGATION_ROOM) ERROR("a Delegation does not fit its region");

/** Reads the object in hand. Its keys are for `keys_read_delegated`. */
export function delegation_read(r: Reader, d: Delegation): void {
  memory.fill(changetype<usize>(d), 0, offsetof<Delegation>());
  reader_object(r);
  while (reader_member(r)) read_member(r, d);
  // A role that is given paths in two ways could mean either.
  if (d.name == 0 || (d.paths != 0 && d.prefixes != 0)) reader_fail(r, Status.METADATA_INVALID);
}

function read_member(r: Reader, d: Delegation): void {
  const name = reader_name(r);
  reader_peek(r);
  const at = r.pos;
  switch (name) {
    case Name.NAME:
    case Name.NAME_PREFIX:
      reader_string(r);
      d.name = at;
      return;
    case Name.TERMINATING:
      d.terminating = reader_bool(r);
      return;
    case Name.BIT_LENGTH:
      d.bits = reader_integer(r, Status.METADATA_INVALID);
      return;
    case Name.PATHS:
      d.paths = at;
      break;
    case Name.PATH_HASH_PREFIXES:
      d.prefixes = at;
      break;
    case Name.HARDWARE_IDS:
      d.hardware = at;
      break;
  }
  reader_skip(r);
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
