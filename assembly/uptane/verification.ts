// What the Director's targets must be (Uptane Standard 2.1.0, 5.4.4.6), and for which ECUs each of them is.

import { Name } from "../json/names";
import {
  Reader,
  reader_fail,
  reader_member,
  reader_name,
  reader_object,
  reader_seek,
  reader_skip,
  reader_string,
} from "../json/reader";
import { text_hash } from "../json/text";
import { ecu_find, ecu_hardware, ecus } from "../metadata/hardware";
import { is_partial, profile } from "../metadata/profile";
import { Status } from "../status";
import { Kind } from "../storage/record";
import { note_signer } from "../tuf/threshold";
import { search_delegates } from "../tuf/search";
import { trusted_is_offline, trusted_open_targets, trusted_reader, trusted_signed } from "../tuf/trusted";

/** ECUs that the Director may name: as many as a vehicle's manifest may have. */
const MAX_NAMED: u32 = 64;

/** ECUs that were named so far. */
let named: u32 = 0;

/** Where the Director's targets are in the store. */
export function director_place(): i32 {
  if (trusted_is_offline()) return Kind.OFFLINE_TARGETS;
  return is_partial() ? Kind.TARGETS : Kind.DIRECTOR_TARGETS;
}

/** Opens the Director's targets and stands before the first one. */
export function director_open(): Status {
  return trusted_open_targets(director_place());
}

/** Checks what concerns the file as a whole, and then opens it. `ecus_read` is for each of its targets. */
export function director_check(): Status {
  let status = director_open();
  if (status != Status.OK) return status;
  const r = trusted_reader;
  named = 0;
  // 5.4.4.6, 6: against a Director that lends its keys.
  if (search_delegates(director_place())) return Status.DIRECTOR_DELEGATES;
  // Against targets, empty ones as well, that were signed for another vehicle.
  // Offline targets may be for many: for any vehicle, unless they say for which one.
  if (profile.vehicle != 0 && !(trusted_is_offline() && trusted_signed.custom == 0)) {
    reader_seek(r, trusted_signed.custom);
    if (trusted_signed.custom == 0 || member_hash(r, Name.VEHICLE_ID) != profile.vehicle) reader_fail(r, Status.VEHICLE_MISMATCH);
  }
  return r.status == Status.OK ? director_open() : r.status;
}

/** Reads the object in hand. The hash of its string of this name; 0: it has none. */
export function member_hash(r: Reader, name: Name): u64 {
  let hash: u64 = 0;
  reader_object(r);
  while (reader_member(r)) {
    if (reader_name(r) != name) reader_skip(r);
    else if (reader_string(r)) hash = text_hash(r);
  }
  return hash;
}

/** Reads the `ecuIdentifiers` of a target; `checking`: in a pass over all of them, after `director_check`. */
export function ecus_read(r: Reader, checking: bool): void {
  ecus.named = true;
  reader_object(r);
  while (reader_member(r)) {
    const id = text_hash(r);
    // 5.4.4.6, 7: an ECU that is named twice could be given either target.
    if (checking) {
      if (named == MAX_NAMED) return reader_fail(r, Status.JSON_COMPLEX);
      note_signer(r, named++, id, Status.ECU_DUPLICATE);
    }
    const index = ecu_find(id);
    const hardware = member_hash(r, Name.HARDWARE_ID);
    if (index >= 0) {
      ecus.wanted |= 1 << index;
      if (hardware != ecu_hardware(index)) reader_fail(r, Status.HARDWARE_MISMATCH);
    } else if (profile.primary && !trusted_is_offline()) reader_fail(r, Status.ECU_UNKNOWN); // 5.4.4.6, 8: it knows all ECUs of its vehicle
  }
}
