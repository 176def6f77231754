// Which release this device should have: among the verified targets, the highest release counter of its
// component for its hardware id (docs/formats.md, "A release is a target"). Targets that are no releases are
// somebody else's business and stop nothing.

import { Role } from "../abi";
import { hex_encode } from "../bytes";
import { Name } from "../json/names";
import {
  Reader,
  reader_array,
  reader_element,
  reader_member,
  reader_name,
  reader_object,
  reader_peek,
  reader_seek,
  reader_skip,
  reader_string,
  reader_text,
  reader_try_integer,
  TEXT_CAPACITY,
} from "../json/reader";
import { BEST_RELEASE, FILE_INFO, NAME_BUFFER, OTHER_HARDWARE, RELEASE, RELEASE_ROOM } from "../memory";
import { file_clear, file_member, file_sha256, FileInfo } from "../metadata/file";
import { Status } from "../status";
import { trusted_open, trusted_reader, trusted_signed } from "../tuf/trusted";
import { config_component, config_hardware, text_is } from "./config";

@unmanaged
export class Release {
  release: u32;
  security: u32;
  length: u32;
  /** Where its path stands in the targets file. */
  path: u32;
  component_fits: bool;
  hardware_fits: bool;
  has_sha256: bool;
  has_sha512: bool;
  /** Which of the fields a release must have were seen. */
  seen: u8;
  // 32 bytes of version text (length first), 32 of SHA-256 and 64 of SHA-512 follow.
}

const VERSION_AT: usize = 24;
const SHA256_AT: usize = 56;
const SHA512_AT: usize = 88;
const RELEASE_SIZE: i32 = 152;
if (RELEASE_SIZE > RELEASE_ROOM) ERROR("a Release does not fit its region");

const enum Seen {
  COMPONENT = 1,
  HARDWARE = 2,
  VERSION = 4,
  RELEASE = 8,
  SECURITY = 16,
  ALL = 31,
}

const current = changetype<Release>(RELEASE);
const file = changetype<FileInfo>(FILE_INFO);

/** The best release for this device; `release` 0: there is none. */
export const best = changetype<Release>(BEST_RELEASE);
/** The newest release of the component for other hardware. */
export const elsewhere = changetype<Release>(OTHER_HARDWARE);

/** 32 bytes that tell its image from any other: its SHA-256, or the start of its SHA-512 where that is all. */
export function best_digest(): usize {
  return BEST_RELEASE + (best.has_sha256 ? SHA256_AT : SHA512_AT);
}

/** Its SHA-512, or 0 where none is listed. */
export function best_sha512(): usize {
  return best.has_sha512 ? BEST_RELEASE + SHA512_AT : 0;
}

/** Length and bytes of the version text. */
export function best_version(): usize {
  return BEST_RELEASE + VERSION_AT;
}

/** Looks through all verified targets. */
export function selection_run(): Status {
  best.release = 0;
  elsewhere.release = 0;
  const status = trusted_open(Role.TARGETS);
  if (status != Status.OK) return status;
  const r = trusted_reader;
  reader_seek(r, trusted_signed.targets);
  reader_object(r);
  while (reader_member(r)) {
    memory.fill(RELEASE, 0, RELEASE_SIZE);
    current.path = r.text_at;
    read_target(r);
    if (r.status == Status.OK && file.hashes != 2 && current.seen == Seen.ALL && current.component_fits) weigh();
  }
  return r.status;
}

function weigh(): void {
  if (!current.hardware_fits) {
    if (current.release > elsewhere.release) memory.copy(OTHER_HARDWARE, RELEASE, offsetof<Release>());
  } else if (current.release > best.release) memory.copy(BEST_RELEASE, RELEASE, RELEASE_SIZE);
}

function read_target(r: Reader): void {
  file_clear(file);
  reader_object(r);
  while (reader_member(r)) {
    const name = reader_name(r);
    if (name == Name.CUSTOM && reader_peek(r) == 0x7b) read_custom(r);
    else if (name == Name.VERSION || !file_member(r, name, file)) reader_skip(r);
  }
  current.length = file.length;
  current.has_sha256 = file.has_sha256;
  current.has_sha512 = file.has_sha512;
  memory.copy(RELEASE + SHA256_AT, file_sha256(file), 96);
}

function read_custom(r: Reader): void {
  reader_object(r);
  while (reader_member(r)) {
    const seen = read_field(r, reader_name(r), reader_peek(r));
    current.seen |= <u8>seen;
  }
}

/** A field of another kind than a release's is somebody else's. */
function read_field(r: Reader, name: Name, kind: i32): Seen {
  const is_text = kind == 0x22;
  const is_number = kind >= 0x30 && kind <= 0x39;
  if (name == Name.COMPONENT && is_text) {
    current.component_fits = reader_string(r) && text_is(r, config_component());
    return Seen.COMPONENT;
  }
  if (name == Name.VERSION && is_text) return read_version(r);
  if (name == Name.HARDWARE_IDS && kind == 0x5b) return read_hardware(r);
  if (name == Name.RELEASE_COUNTER && is_number) {
    current.release = reader_try_integer(r, Status.METADATA_INVALID);
    return current.release != 0 && current.release <= <u32>i32.MAX_VALUE ? Seen.RELEASE : 0;
  }
  if (name == Name.SECURITY_COUNTER && is_number) {
    current.security = reader_try_integer(r, Status.METADATA_INVALID);
    return current.security <= <u32>i32.MAX_VALUE ? Seen.SECURITY : 0;
  }
  reader_skip(r);
  return 0;
}

function read_version(r: Reader): Seen {
  if (!reader_string(r) || r.text_length == 0 || r.text_length > 31) return 0;
  store<u8>(RELEASE + VERSION_AT, r.text_length);
  memory.copy(RELEASE + VERSION_AT + 1, reader_text(r), r.text_length);
  return Seen.VERSION;
}

function read_hardware(r: Reader): Seen {
  reader_array(r);
  while (reader_element(r)) {
    if (reader_peek(r) == 0x22) {
      reader_string(r);
      if (text_is(r, config_hardware())) current.hardware_fits = true;
    } else reader_skip(r);
  }
  return Seen.HARDWARE;
}

// ---- the name to fetch ----

/**
 * Writes the URL path of the best release into NAME_BUFFER, `DIR/HASH.FILE` where the repository has
 * consistent snapshots (5.7.3). Returns its length, or a negative status.
 */
export function selection_name(consistent: bool): i32 {
  const r = trusted_reader;
  reader_seek(r, best.path);
  if (!reader_string(r)) return r.status;
  const length = r.text_length;
  if (length > TEXT_CAPACITY) return Status.NAME_TOO_LONG;
  const path = reader_text(r);
  const file_at = path_check(path, length);
  if (file_at < 0) return file_at;
  let end = NAME_BUFFER + file_at;
  memory.copy(NAME_BUFFER, path, file_at);
  if (consistent) {
    const size: u32 = best.has_sha256 ? 32 : 64;
    hex_encode(best_digest(), size, end);
    end += 2 * size;
    store<u8>(end++, 0x2e);
  }
  memory.copy(end, path + file_at, length - file_at);
  return <i32>(end - NAME_BUFFER) + <i32>length - file_at;
}

/**
 * Where the file's own name starts in a path; PATH_INVALID for one that could mean a place outside the
 * repository: absolute, with empty, `.` or `..` segments, back slashes or control characters.
 */
function path_check(path: usize, length: u32): i32 {
  let start: u32 = 0;
  for (let i: u32 = 0; i <= length; i++) {
    const c: u32 = i < length ? load<u8>(path + i) : 0x2f;
    if (c < 0x20 || c == 0x7f || c == 0x5c) return Status.PATH_INVALID;
    if (c != 0x2f) continue;
    const size = i - start;
    const dots = size != 0 && load<u8>(path + start) == 0x2e && (size == 1 || (size == 2 && load<u8>(path + start, 1) == 0x2e));
    if (size == 0 || dots) return Status.PATH_INVALID;
    if (i < length) start = i + 1;
  }
  return <i32>start;
}

/** Where the name of the file that is wanted stands. */
export function fetch_name(): usize {
  return NAME_BUFFER;
}
