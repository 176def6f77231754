// Which release this device should have: among the verified targets, the highest release counter of its
// component for its hardware id (docs/formats.md, "A release is a target"). Targets that are no releases are
// somebody else's business and stop nothing.

import { Name } from "../json/names";
import {
  Reader,
  reader_array,
  reader_element,
  reader_find,
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
import { BEST_RELEASE, FILE_INFO, HIGHEST_RELEASE, IO_BUFFER, OTHER_HARDWARE, PATH_BUFFER, RELEASE, RELEASE_ROOM } from "../memory";
import { text_hash } from "../json/text";
import { file_clear, file_member, file_sha256, FileInfo } from "../metadata/file";
import { path_begins } from "../metadata/path";
import { ENCRYPTION } from "../lean";
import { ecus, ecus_with } from "../metadata/hardware";
import { is_uptane } from "../metadata/profile";
import { Status } from "../status";
import { Kind } from "../storage/record";
import { search_is_at_top, search_look_on, search_path, search_place, search_trusts } from "../tuf/search";
import { trusted_open_place, trusted_open_targets, trusted_reader, trusted_show } from "../tuf/trusted";
import { component_hardware, component_name } from "./components";
import { text_is } from "./config";
import { name_write } from "./name";
import { bytes_equal } from "../bytes";
import { ecus_read } from "../uptane/verification";

@unmanaged
export class Release {
  length: u32;
  /** Where its path stands in the file of its role, and where that is in the store. */
  path: u32;
  place: i32;
  component_fits: bool;
  hardware_fits: bool;
  has_sha256: bool;
  has_sha512: bool;
  /** The image itself is not published, only payloads that are encrypted. From here on all must match (custom_is). */
  encrypted: bool;
  /** Which of the fields a release must have were seen. */
  seen: u8;
  /** Hashes of its component and of the hardware ids that are listed, in one. */
  texts: u32;
  release: u32;
  security: u32;
  // 32 bytes of version text (length first), 32 of SHA-256 and 64 of SHA-512 follow.
}

const VERSION_AT: usize = 32;
export const SHA256_AT: usize = 64;
export const SHA512_AT: usize = 96;
export const RELEASE_SIZE: i32 = 160;
if (<i32>offsetof<Release>() > <i32>VERSION_AT || RELEASE_SIZE > RELEASE_ROOM) ERROR("a Release does not fit its region");

const enum Seen {
  COMPONENT = 1,
  HARDWARE = 2,
  VERSION = 4,
  RELEASE = 8,
  SECURITY = 16,
  ALL = 31,
}

/** Where a target that is read stands. */
export const enum Reading {
  IMAGE = 0,
  /** in the Director's targets: its ECUs are taken in */
  DIRECTOR = 1,
  /** and they are checked, as all the Director's targets are read */
  CHECK = 2,
}

let reading: Reading = Reading.IMAGE;
/** Where the array of hardware ids of the target that was read last starts; 0: there is none. */
export let hardware_at: u32 = 0;

export const current = changetype<Release>(RELEASE);
const file = changetype<FileInfo>(FILE_INFO);

/** The best release for this device; `release` 0: there is none. */
export const best = changetype<Release>(BEST_RELEASE);
/** The best one of the role in hand. */
const highest = changetype<Release>(isDefined(SMALL) ? BEST_RELEASE : HIGHEST_RELEASE);
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

/** The component that releases are looked for. */
let component: i32 = 0;

export function selection_component(): i32 {
  return isDefined(SMALL) ? 0 : component;
}

/**
 * Before the first role of a search for the releases of a component is looked into. Writes how its paths begin; returns
 * the length.
 */
export function selection_begin(wanted: i32): u32 {
  if (!isDefined(SMALL)) component = wanted;
  best.release = 0;
  elsewhere.release = 0;
  if (isDefined(SMALL)) return 0;
  let end = path_put(PATH_BUFFER, component_name(component));
  end = path_put(end, component_hardware(component));
  return <u32>(end - PATH_BUFFER);
}

/** Puts a counted text and a slash. */
function path_put(out: usize, text: usize): usize {
  const length: usize = load<u8>(text);
  memory.copy(out, text + 1, length);
  store<u8>(out + length, 0x2f);
  return out + length + 1;
}

/** Releases of one role that are no delegation's to make, before the rest of it is given up. */
const MAX_REFUSED: i32 = 32;
/** Above every release counter. */
const TOO_HIGH: u32 = 0xffffffff;

/** Looks through the targets of the role that the search is at. */
export function selection_look(): Status {
  if (isDefined(SMALL)) return find_highest(TOO_HIGH);
  let status: Status = Status.OK;
  do {
    // What one of several lists in vain does not hide what the others agree on.
    const fault = look_into();
    if (fault != Status.OK) status = fault;
  } while (search_look_on());
  return status;
}

function look_into(): Status {
  let below = TOO_HIGH;
  for (let refused = 0; refused < MAX_REFUSED; refused++) {
    const status = find_highest(below);
    if (status != Status.OK || highest.release == 0) return status;
    if (search_is_at_top() || is_trusted()) {
      memory.copy(BEST_RELEASE, HIGHEST_RELEASE, RELEASE_SIZE);
      return Status.OK;
    }
    below = highest.release;
  }
  return Status.JSON_COMPLEX;
}

/** Finds the best release of the role that is better than those of roles before, among those below a counter. */
function find_highest(below: u32): Status {
  highest.release = 0;
  const place = isDefined(SMALL) ? Kind.TARGETS : search_place();
  const status = trusted_open_targets(place);
  if (status != Status.OK) return status;
  const r = trusted_reader;
  if (!isDefined(SMALL)) search_path();
  while (reader_member(r)) {
    memory.fill(RELEASE, 0, RELEASE_SIZE);
    current.path = r.text_at;
    current.place = place;
    // What a delegated role may release is said of paths, so there a path must say what it is of.
    const named = isDefined(SMALL) || search_is_at_top() || path_begins(r);
    if (read_target(r) && named && current.release < below) weigh();
  }
  return r.status;
}

function weigh(): void {
  if (!current.hardware_fits) {
    if (current.release > elsewhere.release) memory.copy(OTHER_HARDWARE, RELEASE, offsetof<Release>());
  } else if (current.release > max(best.release, highest.release)) memory.copy(changetype<usize>(highest), RELEASE, RELEASE_SIZE);
}

/** Whether the best release of the role is at a path that the role may define. */
function is_trusted(): bool {
  const r = trusted_reader;
  reader_seek(r, highest.path);
  // In the buffer, because the reader goes through other files now. One that is longer could not be fetched anyway.
  if (!reader_string(r) || r.text_length > TEXT_CAPACITY) return false;
  const length = r.text_length;
  memory.copy(IO_BUFFER, reader_text(r), length);
  return search_trusts(IO_BUFFER, length);
}

/** Reads the target whose name was read into RELEASE and FILE_INFO; whether it is a release of this component. */
export function release_read(r: Reader, how: Reading, place: i32): bool {
  memory.fill(RELEASE, 0, RELEASE_SIZE);
  current.path = r.text_at;
  current.place = place;
  hardware_at = 0;
  ecus.fitting = 0;
  ecus.named = false;
  reading = how;
  const is_release = read_target(r);
  reading = Reading.IMAGE;
  return is_release;
}

/** Whether what must match is the same of the target that was read and of another (docs/formats.md, "Uptane"). */
export function custom_is(other: Release): bool {
  const first = offsetof<Release>("encrypted");
  return bytes_equal(RELEASE + first, changetype<usize>(other) + first, <u32>(SHA256_AT - first));
}

/** Reads the target in hand; whether it is a release of this component. */
function read_target(r: Reader): bool {
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
  return r.status == Status.OK && file.hashes != 2 && current.seen == Seen.ALL && current.component_fits;
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
    current.component_fits = reader_string(r) && text_is(r, component_name(selection_component()));
    if (!isDefined(SMALL)) current.texts += <u32>text_hash(r) << 1;
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
  if (ENCRYPTION && name == Name.ENCRYPTION) current.encrypted = true;
  if (is_uptane() && name == Name.ECU_IDENTIFIERS && reading != Reading.IMAGE) {
    ecus_read(r, reading == Reading.CHECK);
    return 0;
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
  if (!isDefined(SMALL)) hardware_at = r.pos;
  reader_array(r);
  while (reader_element(r)) {
    if (reader_peek(r) == 0x22) {
      reader_string(r);
      if (!isDefined(SMALL)) {
        const id = text_hash(r);
        current.texts += <u32>id;
        ecus.fitting |= ecus_with(id);
      }
      if (text_is(r, component_hardware(selection_component()))) current.hardware_fits = true;
    } else reader_skip(r);
  }
  return Seen.HARDWARE;
}

/** Chooses the `custom` of the best release for `trusted_read`, as it was signed. Its length; 0: there is none. */
export function selection_show(): i32 {
  const r = trusted_reader;
  if (best.release == 0 || trusted_open_place(best.place) != Status.OK) return 0;
  reader_seek(r, best.path);
  reader_member(r);
  if (!reader_find(r, Name.CUSTOM)) return 0;
  reader_peek(r);
  const from = r.pos;
  reader_skip(r);
  return trusted_show(best.place, from, r.pos - from);
}

// ---- the name to fetch ----

/** Writes the file name of the best release into NAME_BUFFER. Returns its length, or a negative status. */
export function selection_name(consistent: bool): i32 {
  const status = trusted_open_place(best.place);
  if (status != Status.OK) return status;
  const r = trusted_reader;
  reader_seek(r, best.path);
  if (!reader_string(r)) return r.status;
  if (r.text_length > TEXT_CAPACITY) return Status.NAME_TOO_LONG;
  return name_write(reader_text(r), r.text_length, consistent ? best_digest() : 0, best.has_sha256 ? 32 : 64);
}
