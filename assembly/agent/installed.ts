// What is installed, as reports say it (docs/formats.md, "Vehicle version manifest"): from the configuration, until the
// first image is; then in the trust store, where it was noted before the image was tried.

import { reader_seek } from "../json/reader";
import { Name } from "../json/names";
import { IO_BUFFER } from "../memory";
import { profile } from "../metadata/profile";
import { Status } from "../status";
import { install, install_digest } from "../storage/journal";
import { Kind, record_replace, store_entry } from "../storage/record";
import { trusted_open_place, trusted_reader } from "../tuf/trusted";
import { device } from "./device";
import { best } from "./selection";
import { compose_begin, compose_end, compose_fault, compose_hex, compose_number, compose_piece, compose_record, compose_value, Text } from "./compose";

/** The best release is about to be tried. */
export function installed_note(): Status {
  if (!profile.reports) return Status.OK;
  const status = trusted_open_place(best.place);
  if (status != Status.OK) return status;
  compose_begin(Text.IMAGE);
  compose_hex(install_digest(), 32);
  compose_piece();
  compose_number(install.length);
  compose_piece();
  reader_seek(trusted_reader, best.path);
  compose_value(trusted_reader);
  compose_piece();
  if (compose_fault != Status.OK) return compose_fault;
  return record_replace(is_at(Kind.IMAGE) ? Kind.OTHER_IMAGE : Kind.IMAGE, IO_BUFFER, <u32>(compose_end - IO_BUFFER), install.release);
}

/** Puts what is installed into what is composed. */
export function installed_put(): void {
  const kind = is_at(Kind.IMAGE) ? Kind.IMAGE : is_at(Kind.OTHER_IMAGE) ? Kind.OTHER_IMAGE : Kind.CONFIG;
  compose_record(kind, kind == Kind.CONFIG ? Name.IMAGE : Name.OTHER);
}

/** Whether what is installed is there. Every image that is tried has a release counter above it. */
function is_at(kind: Kind): bool {
  const entry = store_entry(kind);
  return entry.length != 0 && entry.version == device.release;
}
