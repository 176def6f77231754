// ECUs and their hardware ids (Uptane): those that this device knows, and which of them a target is wanted for. Who
// delegates the target, and who lists it, must mean the hardware of each.
//
// Ids are known by their hashes. Whoever makes another id of the same hash gains nothing: what the id is then held to be
// was given to this device, and what others list is compared with that.

import { Reader, reader_array, reader_element, reader_string } from "../json/reader";
import { text_hash } from "../json/text";
import { ECUS, ECUS_ROOM } from "../memory";

/** ECUs that this one knows: first itself, then, on a Primary, those that it sends targets to. */
const MAX_ECUS: i32 = 17;
/** The hashes of an ECU's id and of its hardware id. */
const ECU_SIZE: i32 = 16;
if (MAX_ECUS * ECU_SIZE > ECUS_ROOM) ERROR("the ECUs do not fit their region");

export namespace ecus {
  /** How many are known. */
  export let known: i32 = 1;
  /** The target in hand is wanted for these: a bit for each. */
  export let wanted: i32 = 0;
  /** It lists the hardware of these; and it names ECUs, these or others. */
  export let fitting: i32 = 0;
  export let named: bool = false;
}

function ecu_at(index: i32): usize {
  return ECUS + <usize>index * ECU_SIZE;
}

export function ecu_hardware(index: i32): u64 {
  return load<u64>(ecu_at(index), 8);
}

export function ecu_set(index: i32, id: u64, hardware: u64): void {
  store<u64>(ecu_at(index), id);
  store<u64>(ecu_at(index), hardware, 8);
}

/** Adds one that this one knows; false: there is no room. */
export function ecu_add(id: u64, hardware: u64): bool {
  if (ecus.known == MAX_ECUS) return false;
  ecu_set(ecus.known++, id, hardware);
  return true;
}

/** The number of an ECU that is known: 0 this one itself; a negative number: it is not. */
export function ecu_find(id: u64): i32 {
  let index = ecus.known - 1;
  while (index >= 0 && load<u64>(ecu_at(index)) != id) index--;
  return index;
}

/** The ECUs that have a hardware id. */
export function ecus_with(hardware: u64): i32 {
  let bits = 0;
  for (let i = 0; i < ecus.known; i++) {
    if (ecu_hardware(i) == hardware) bits |= 1 << i;
  }
  return bits;
}

/** Reads an array of hardware ids; whether those of all ECUs that the target is wanted for are in it. */
export function hardware_listed(r: Reader): bool {
  let missing = ecus.wanted;
  reader_array(r);
  while (reader_element(r)) {
    if (!reader_string(r)) return false;
    missing &= ~ecus_with(text_hash(r));
  }
  return missing == 0;
}
