// What one metadata file says of another, or of an image: version, length and hashes (TUF 4.4 to 4.6), and
// the check of a stored file against it.

import { bytes_equal, hex_decode } from "../bytes";
import { Name } from "../json/names";
import { Reader, reader_fail, reader_find, reader_integer, reader_member, reader_name, reader_object, reader_open, reader_peek, reader_seek, reader_skip, reader_string, reader_text, reader_try_integer } from "../json/reader";
import { canonical_escape, canonical_stream } from "../json/canonical";
import { DIGEST, FILE_HASH, FILE_INFO_ROOM, READER } from "../memory";
import { Status } from "../status";
import { hash_begin, hash_end, hash_feed, hash_flash, hash_is } from "../storage/hash";
import { is_legacy } from "./profile";

@unmanaged
export class FileInfo {
  version: u32;
  length: u32;
  has_length: bool;
  has_sha256: bool;
  has_sha512: bool;
  /** 1: hashes were listed, of whatever kind. 2: and one of a known kind that is none. */
  hashes: u8;
  // 32 bytes of SHA-256 and 64 of SHA-512 follow.
}

const SHA256_AT: usize = 12;
const SHA512_AT: usize = 44;

/** Bytes of a FileInfo with its hashes. */
const FILE_INFO_SIZE: i32 = 108;
if (FILE_INFO_SIZE > FILE_INFO_ROOM) ERROR("a FileInfo does not fit its region");

/** The 32 bytes of SHA-256; those of SHA-512 follow. */
export function file_sha256(f: FileInfo): usize {
  return changetype<usize>(f) + SHA256_AT;
}

export function file_sha512(f: FileInfo): usize {
  return changetype<usize>(f) + SHA512_AT;
}

export function file_clear(f: FileInfo): void {
  memory.fill(changetype<usize>(f), 0, FILE_INFO_SIZE);
}

/** Whether two that were read say the same. */
export function file_is(f: FileInfo, other: FileInfo): bool {
  return bytes_equal(changetype<usize>(f), changetype<usize>(other), FILE_INFO_SIZE);
}

/** Reads the member in hand if it is one of a file's; false: it is another, still to be read. */
export function file_member(r: Reader, name: Name, f: FileInfo): bool {
  switch (name) {
    case Name.VERSION:
      f.version = reader_integer(r, Status.VERSION_INVALID);
      if (f.version == 0) reader_fail(r, Status.VERSION_INVALID);
      return true;
    case Name.LENGTH:
      // One that is too large to count is that of somebody else's file, and no fault.
      f.length = reader_try_integer(r, Status.METADATA_INVALID);
      f.has_length = true;
      return true;
    case Name.HASHES:
      read_hashes(r, f);
      return true;
    default:
      return false;
  }
}

/**
 * Looks up the file of this name in the `meta` object at `start`. METADATA_INVALID: it is not there, or has
 * no version.
 */
export function file_find(r: Reader, start: u32, wanted: Name, f: FileInfo): Status {
  file_clear(f);
  reader_seek(r, start);
  if (reader_find(r, wanted)) file_read(r, f);
  if (r.status != Status.OK) return r.status;
  if (f.version == 0) return Status.METADATA_INVALID;
  return file_usable(f);
}

/** Reads the object of one `meta` entry. */
export function file_read(r: Reader, f: FileInfo): void {
  reader_object(r);
  while (reader_member(r)) {
    if (!file_member(r, reader_name(r), f)) reader_skip(r);
  }
}

/** Reads the object of one target. */
export function file_read_target(r: Reader, f: FileInfo): Status {
  file_clear(f);
  reader_object(r);
  while (reader_member(r)) {
    const name = reader_name(r);
    if (name == Name.VERSION || !file_member(r, name, f)) reader_skip(r);
  }
  return r.status != Status.OK ? r.status : file_fetchable(f);
}

/** A target must have a length and a hash that can be checked. */
export function file_fetchable(f: FileInfo): Status {
  return f.has_length && f.hashes != 0 ? file_usable(f) : Status.METADATA_INVALID;
}

/** Hashes of kinds that this client does not know, alone, prove nothing: refuse rather than ignore them. */
export function file_usable(f: FileInfo): Status {
  if (f.hashes == 2) return Status.METADATA_INVALID;
  return f.hashes != 0 && !f.has_sha256 && !f.has_sha512 ? Status.HASH_UNKNOWN : Status.OK;
}

function read_hashes(r: Reader, f: FileInfo): void {
  f.hashes = 1;
  reader_object(r);
  while (reader_member(r)) {
    switch (reader_name(r)) {
      case Name.SHA256:
        f.has_sha256 = read_hash(r, f, 32, file_sha256(f));
        break;
      case Name.SHA512:
        f.has_sha512 = read_hash(r, f, 64, file_sha512(f));
        break;
      default:
        reader_skip(r);
    }
  }
}

function read_hash(r: Reader, f: FileInfo, length: u32, out: usize): bool {
  if (reader_peek(r) != 0x22) reader_skip(r);
  else if (reader_string(r) && r.text_length == 2 * length && hex_decode(reader_text(r), length, out)) return true;
  f.hashes = 2;
  return false;
}

/** Whether `length` bytes on flash are what the file info says: the length, and every hash that it lists. */
export function file_check(area: i32, offset: u32, length: u32, f: FileInfo): Status {
  if (f.has_length && f.length != length && !is_legacy()) return Status.LENGTH_MISMATCH;
  let status: Status = Status.OK;
  if (f.has_sha256) status = compare_hash(area, offset, length, false, file_sha256(f));
  if (f.has_sha512 && status == Status.OK) status = compare_hash(area, offset, length, true, file_sha512(f));
  return status;
}

function compare_hash(area: i32, offset: u32, length: u32, wide: bool, expected: usize): Status {
  hash_begin(FILE_HASH, wide);
  const status = hash_flash(FILE_HASH, wide, area, offset, length);
  if (status != Status.OK) return status;
  if (hash_is(FILE_HASH, wide, expected)) return Status.OK;
  return is_legacy() && has_canonical_hash(area, offset, length, wide, expected) ? Status.OK : Status.HASH_MISMATCH;
}

/**
 * Whether the hash is that of the file's canonical form, which old servers announce instead: with line ends, which keys of
 * delegations in PEM have, as TUF has them or escaped as in JSON.
 */
function has_canonical_hash(area: i32, offset: u32, length: u32, wide: bool, expected: usize): bool {
  const r = changetype<Reader>(READER);
  let holds = false;
  for (let escaped = 0; escaped < 2 && !holds; escaped++) {
    reader_open(r, area, offset, length);
    canonical_escape(escaped != 0);
    holds = canonical_hash(r, 0, wide) == Status.OK && bytes_equal(DIGEST, expected, wide ? 64 : 32);
  }
  canonical_escape(false);
  return holds;
}

/** Hashes the canonical form of the value at `at`: SHA-256, or SHA-512 where `wide`, then in DIGEST. */
export function canonical_hash(r: Reader, at: u32, wide: bool): Status {
  hash_begin(FILE_HASH, wide);
  const status = canonical_stream(r, at, changetype<usize>(hash_feed));
  hash_end(FILE_HASH, wide);
  return status;
}
