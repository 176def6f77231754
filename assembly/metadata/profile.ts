// How this device reads metadata, as its configuration says: TUF alone, or the Uptane Standard 2.1.0; and who it is
// there. The small core knows TUF alone.

import { Name } from "../json/names";
import { Reader, reader_name, reader_string, reader_text } from "../json/reader";

export const enum Mode {
  TUF = 0,
  /** Director and Image repository against each other */
  FULL = 1,
  /** the Director's targets alone, after its root */
  PARTIAL = 2,
}
// The names of these two follow that of the field in the configuration, in this order.
if (Name.FULL != Name.UPTANE + Mode.FULL || Name.PARTIAL != Name.UPTANE + Mode.PARTIAL) ERROR("modes are not as their names");

export namespace profile {
  export let mode: Mode = Mode.TUF;
  /** Metadata as servers of the time of aktualizr write it (docs/formats.md, "Legacy profile"). */
  export let legacy: bool = false;
  /** Hash of the vehicle's id; 0: none was given, and any vehicle's will do. */
  export let vehicle: u64 = 0;
  /** This ECU sends targets to others, and refuses those for one that it does not know. */
  export let primary: bool = false;
  /** It is known what is installed, and so this ECU reports it. */
  export let reports: bool = false;
}

// @ts-ignore: decorator
@inline
export function is_uptane(): bool {
  return !isDefined(SMALL) && profile.mode != Mode.TUF;
}

// @ts-ignore: decorator
@inline
export function is_partial(): bool {
  return !isDefined(SMALL) && profile.mode == Mode.PARTIAL;
}

// @ts-ignore: decorator
@inline
export function is_legacy(): bool {
  return !isDefined(SMALL) && profile.legacy;
}

/** Reads a string that is one of the known names; in the legacy profile, in letters of either case. */
export function profile_value(r: Reader): Name {
  if (!reader_string(r)) return Name.OTHER;
  if (is_legacy()) {
    // The names that are asked for have no capital behind the eighth.
    store<u64>(reader_text(r), load<u64>(reader_text(r)) | 0x2020202020202020);
  }
  return reader_name(r);
}
