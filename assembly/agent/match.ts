// The Director's targets against those of the Image repository (Uptane Standard 2.1.0, 5.4.4.3, 10): each target for an
// ECU that this one answers for is searched for in the Image repository, and must be the same there.

import { bytes_equal } from "../bytes";
import { reader_fail, reader_member, reader_seek, reader_skip, reader_string, reader_text } from "../json/reader";
import { BEST_RELEASE, FILE_INFO, HIGHEST_RELEASE, IO_BUFFER, PATH_BUFFER, PATH_CAPACITY, RELEASE } from "../memory";
import { file_fetchable, FileInfo } from "../metadata/file";
import { ecus, hardware_listed } from "../metadata/hardware";
import { path_set } from "../metadata/path";
import { is_legacy } from "../metadata/profile";
import { Status } from "../status";
import { search_find, search_find_path, search_place } from "../tuf/search";
import { trusted_is_offline, trusted_reader } from "../tuf/trusted";
import { director_check, director_open, director_place } from "../uptane/verification";
import { run } from "./run";
import { current, custom_is, hardware_at, Reading, release_read, RELEASE_SIZE, Release, SHA256_AT, SHA512_AT } from "./selection";

const r = trusted_reader;
const file = changetype<FileInfo>(FILE_INFO);
/** What the Director says of the target in hand. */
const directed = changetype<Release>(HIGHEST_RELEASE);

/** The ECU whose target is in hand; this one itself, 0, comes last: its release is still at hand at the end. */
let turn: i32 = 0;
/** ECUs that targets were wanted for so far, in one pass. */
let taken: i32 = 0;
/** The target that was read last is a release for this device. */
let is_release: bool = false;

/** Checks the Director's targets: each ECU, in each of them. */
export function match_check(): Status {
  const status = director_check();
  if (status != Status.OK) return status;
  taken = 0;
  while (reader_member(r)) {
    read(Reading.CHECK, director_place());
    // PURE-2: one of two images for an ECU would be anybody's choice.
    if (taken & ecus.wanted) reader_fail(r, Status.ECU_DUPLICATE);
    taken |= ecus.wanted;
  }
  return r.status;
}

/** Before the first of the Director's targets. */
export function match_begin(): void {
  turn = ecus.known;
}

/** The target of the next ECU that this one answers for. The length of its path, in PATH_BUFFER; 0: none is left. */
export function match_next(): i32 {
  while (turn != 0) {
    let status = director_open();
    if (status != Status.OK) return status;
    turn--;
    while (reader_member(r)) {
      status = read(Reading.DIRECTOR, director_place());
      if (status == Status.OK && (ecus.wanted >> turn) & 1) return take();
    }
    if (status != Status.OK) return status;
  }
  return 0;
}

/** Takes in the target that was read. The length of its path, in PATH_BUFFER. */
function take(): i32 {
  memory.copy(HIGHEST_RELEASE, RELEASE, RELEASE_SIZE);
  reader_seek(r, directed.path);
  reader_string(r);
  return put_path(PATH_BUFFER);
}

function put_path(out: usize): i32 {
  if (r.text_length > PATH_CAPACITY) return Status.NAME_TOO_LONG;
  memory.copy(out, reader_text(r), r.text_length);
  return r.text_length;
}

/** The one whose path, of so many bytes, is in PATH_BUFFER: that length. TARGET_UNKNOWN: it is for no such ECU. */
export function match_find(length: u32): i32 {
  path_set(PATH_BUFFER, length, false);
  let status = search_find(director_place());
  if (status == Status.OK) status = read(Reading.DIRECTOR, director_place());
  if (status == Status.NOT_FOUND || ecus.wanted == 0) return Status.TARGET_UNKNOWN;
  return status == Status.OK ? take() : status;
}

/** Reads the target whose name was read. */
function read(reading: Reading, place: i32): Status {
  if (reading != Reading.IMAGE) ecus.wanted = 0;
  is_release = release_read(r, reading, place);
  // What is signed for many vehicles need not name their ECUs: then it is for those of its hardware.
  if (reading != Reading.IMAGE && trusted_is_offline() && !ecus.named) ecus.wanted = ecus.fitting;
  return r.status == Status.OK ? file_fetchable(file) : r.status;
}

/** What the role that the search is at says of the target, against the Director. NOT_FOUND: nothing. */
export function match_look(): Status {
  let status = search_find_path();
  if (status == Status.OK) status = read(Reading.IMAGE, search_place());
  return status == Status.OK ? compare() : status;
}

function compare(): Status {
  // 5.4.4.3, 10.2: against arbitrary software, and images mixed, by who has the keys of one repository.
  const narrow = current.has_sha256 && directed.has_sha256;
  const wide = current.has_sha512 && directed.has_sha512;
  const same = (!narrow || digest_is(SHA256_AT, 32)) && (!wide || digest_is(SHA512_AT, 64)) && (narrow || wide);
  if (!same || current.length != directed.length) return Status.TARGET_MISMATCH;
  if (!is_legacy() && !custom_is(directed)) return Status.CUSTOM_MISMATCH;
  // 10.3: against an image for another ECU. Old servers may not say what an image is for.
  if (hardware_at == 0) return is_legacy() ? Status.OK : Status.HARDWARE_MISMATCH;
  reader_seek(r, hardware_at);
  return hardware_listed(r) ? Status.OK : Status.HARDWARE_MISMATCH;
}

function digest_is(at: usize, length: u32): bool {
  return bytes_equal(RELEASE + at, HIGHEST_RELEASE + at, length);
}

/** The target in hand is matched: if it is for this ECU it is what the device should have. */
export function match_take(): Status {
  if (turn != 0) return Status.OK;
  if (!is_release) return Status.METADATA_INVALID;
  if (!current.hardware_fits) return Status.HARDWARE_MISMATCH;
  memory.copy(BEST_RELEASE, RELEASE, RELEASE_SIZE);
  return Status.OK;
}

/**
 * Writes the path of one of the Director's targets into the buffer; its length. NOT_FOUND: there are not so many.
 * WRONG_STATE: the last check found a fault in the metadata.
 */
export function director_target(index: i32): i32 {
  if (!run.fresh) return Status.WRONG_STATE;
  const status = director_open();
  if (status != Status.OK) return status;
  while (reader_member(r)) {
    if (index-- == 0) return put_path(IO_BUFFER);
    reader_skip(r);
  }
  return Status.NOT_FOUND;
}
