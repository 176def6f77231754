// What may be fetched instead of the image of a release: a patch for the image that runs here, or the image compressed.
// Each is a target of its own beside the release, in the same role (docs/formats.md, "A payload is a target").

import { bytes_equal, hex_decode } from "../bytes";
import { Name } from "../json/names";
import { Reader, reader_member, reader_name, reader_object, reader_peek, reader_seek, reader_skip, reader_string, reader_text, reader_try_integer, TEXT_CAPACITY } from "../json/reader";
import { DIGEST, FILE_INFO, HIGHEST_RELEASE, RELEASE, RELEASE_ROOM } from "../memory";
import { file_clear, file_member, file_sha256, FileInfo } from "../metadata/file";
import { Status } from "../status";
import { trusted_open_place, trusted_open_targets, trusted_reader } from "../tuf/trusted";
import { part_at } from "./components";
import { name_write } from "./name";
import { best, best_digest, selection_component } from "./selection";

@unmanaged
export class Offer {
  /** 0: there is none. */
  length: u32;
  /** Where its path stands in the file of its role. */
  path: u32;
  /** The image that it is a patch for; 0: none. */
  base_length: u32;
  base_counter: u32;
  /** Which fields were seen, as they must be. */
  seen: u8;
  // 32 bytes of its SHA-256 and 32 of its base's follow.
}

const SHA256_AT: usize = 20;
const BASE_AT: usize = 52;
const OFFER_SIZE: i32 = 84;
if (OFFER_SIZE > RELEASE_ROOM) ERROR("an Offer does not fit its region");

const enum Seen {
  /** It makes the image of the best release. */
  IMAGE = 1,
  BASE = 2,
  BASE_LENGTH = 4,
  BASE_COUNTER = 8,
  PATCH = 15,
  /** It is encrypted, in the one way that is known. */
  ENCRYPTED = 16,
  /** It is encrypted in another. */
  UNKNOWN = 32,
}

const ENCRYPTION: u32 = 1;

// The best release is chosen: what compared releases is free.
const current = changetype<Offer>(RELEASE);
const file = changetype<FileInfo>(FILE_INFO);

/** The shortest that was found. */
export const offer = changetype<Offer>(HIGHEST_RELEASE);

export function offer_digest(): usize {
  return HIGHEST_RELEASE + SHA256_AT;
}

export function offer_base(): usize {
  return HIGHEST_RELEASE + BASE_AT;
}

/**
 * Looks for the shortest patch for the release that runs or, without `patch`, for the shortest payload that needs no
 * other image. If the image of the release is published encrypted, so are they; else none of them is.
 */
export function offer_find(patch: bool): Status {
  offer.length = 0;
  const status = trusted_open_targets(best.place);
  if (status != Status.OK) return status;
  const r = trusted_reader;
  while (reader_member(r)) {
    memory.fill(RELEASE, 0, OFFER_SIZE);
    current.path = r.text_at;
    const fits = r.text_length <= TEXT_CAPACITY;
    if (read_offer(r) && fits && is_for_here(patch) && is_shorter()) memory.copy(HIGHEST_RELEASE, RELEASE, OFFER_SIZE);
  }
  return r.status;
}

function is_for_here(patch: bool): bool {
  const wanted = (patch ? Seen.PATCH : Seen.IMAGE) | (best.encrypted ? Seen.ENCRYPTED : 0);
  return current.seen == wanted && (!patch || (current.base_counter == part_at(selection_component()).release && current.base_length != 0));
}

function is_shorter(): bool {
  const known = best.encrypted ? <u32>i32.MAX_VALUE : best.length;
  return current.length != 0 && current.length < (offer.length == 0 ? known : offer.length);
}

/** Reads the target in hand; whether it can be fetched and judged. */
function read_offer(r: Reader): bool {
  file_clear(file);
  reader_object(r);
  while (reader_member(r)) {
    const name = reader_name(r);
    if (name == Name.CUSTOM && reader_peek(r) == 0x7b) read_custom(r);
    else if (name == Name.VERSION || !file_member(r, name, file)) reader_skip(r);
  }
  current.length = file.length;
  memory.copy(RELEASE + SHA256_AT, file_sha256(file), 32);
  return r.status == Status.OK && file.has_sha256 && file.hashes != 2;
}

function read_custom(r: Reader): void {
  reader_object(r);
  while (reader_member(r)) {
    const seen = read_field(r, reader_name(r), reader_peek(r));
    current.seen |= <u8>seen;
  }
}

/** A field of another kind is somebody else's. */
function read_field(r: Reader, name: Name, kind: i32): Seen {
  const is_text = kind == 0x22;
  const is_number = kind >= 0x30 && kind <= 0x39;
  if (is_text && (name == Name.IMAGE || name == Name.BASE)) {
    const digest = name == Name.BASE ? RELEASE + BASE_AT : DIGEST;
    if (!reader_string(r) || r.text_length != 64 || !hex_decode(reader_text(r), 32, digest)) return 0;
    return name == Name.BASE ? Seen.BASE : bytes_equal(digest, best_digest(), 32) ? Seen.IMAGE : 0;
  }
  if (is_number && name == Name.BASE_LENGTH) {
    current.base_length = reader_try_integer(r, Status.METADATA_INVALID);
    return Seen.BASE_LENGTH;
  }
  if (is_number && name == Name.BASE_COUNTER) {
    current.base_counter = reader_try_integer(r, Status.METADATA_INVALID);
    return Seen.BASE_COUNTER;
  }
  if (is_number && name == Name.ENCRYPTION) return reader_try_integer(r, Status.METADATA_INVALID) == ENCRYPTION ? Seen.ENCRYPTED : Seen.UNKNOWN;
  reader_skip(r);
  return name == Name.ENCRYPTION ? Seen.UNKNOWN : 0;
}

/** Writes its file name into NAME_BUFFER. Returns the length, or a negative status. */
export function offer_name(consistent: bool): i32 {
  const status = trusted_open_place(best.place);
  if (status != Status.OK) return status;
  const r = trusted_reader;
  reader_seek(r, offer.path);
  if (!reader_string(r)) return r.status;
  return name_write(reader_text(r), r.text_length, consistent ? offer_digest() : 0, 32);
}
