// The outer object of every metadata file, {"signed": …, "signatures": […]} (TUF 4.2). Where they are is all
// that is read before the signatures hold.

import { Reader, reader_end, reader_fail, reader_member, reader_name, reader_object, reader_peek, reader_skip } from "../json/reader";
import { Name } from "../json/names";
import { Status } from "../status";

@unmanaged
export class Envelope {
  /** Where the value of `signed` starts; 0: there is none. */
  signed: u32;
  /** Where the array of signatures starts; 0: there is none. */
  signatures: u32;
}

/** Finds both parts and checks that the whole file is JSON. */
export function envelope_read(r: Reader, e: Envelope): Status {
  e.signed = 0;
  e.signatures = 0;
  if (reader_peek(r) != 0x7b) return Status.ENVELOPE_INVALID;
  reader_object(r);
  while (reader_member(r)) {
    const name = reader_name(r);
    const kind = reader_peek(r);
    const at = r.pos;
    if (name == Name.SIGNED) {
      if (kind != 0x7b) reader_fail(r, Status.ENVELOPE_INVALID);
      if (e.signed != 0) reader_fail(r, Status.JSON_DUPLICATE);
      e.signed = at;
    } else if (name == Name.SIGNATURES) {
      if (kind != 0x5b) reader_fail(r, Status.ENVELOPE_INVALID);
      if (e.signatures != 0) reader_fail(r, Status.JSON_DUPLICATE);
      e.signatures = at;
    }
    reader_skip(r);
  }
  reader_end(r);
  if (r.status != Status.OK) return r.status;
  return e.signed != 0 && e.signatures != 0 ? Status.OK : Status.ENVELOPE_INVALID;
}
