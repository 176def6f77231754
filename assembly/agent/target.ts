// One target that a host asked for by its path (TUF 1.0.34, 5.7): verified as it passes through, and not kept here.

import { Action, Role } from "../abi";
import { FILE_HASH, FILE_INFO, IMAGE_HASH, PATH_BUFFER } from "../memory";
import { file_sha256, file_sha512, FileInfo } from "../metadata/file";
import { Status } from "../status";
import { hash_begin, hash_bytes, hash_is } from "../storage/hash";
import { search_look, search_path_length } from "../tuf/search";
import { workflow_consistent } from "../tuf/workflow";
import { name_write } from "./name";
import { Phase, run, run_end, run_fetch } from "./run";

const file = changetype<FileInfo>(FILE_INFO);

let received: u32 = 0;

/** What the role that the search is at says of it. NOT_FOUND: nothing. */
export function target_look(): Status {
  return search_look(file);
}

/** Writes its file name into NAME_BUFFER. Returns the length, or PATH_INVALID. */
function target_name(consistent: bool): i32 {
  const digest = file.has_sha256 ? file_sha256(file) : file_sha512(file);
  return name_write(PATH_BUFFER, search_path_length(), consistent ? digest : 0, file.has_sha256 ? 32 : 64);
}

export function target_length(): u32 {
  return file.length;
}

export function target_begin(): void {
  received = 0;
  hash_begin(IMAGE_HASH, false);
  hash_begin(FILE_HASH, true);
}

/** Takes the next bytes. TOO_LONG: there are more than were signed, against endless data. */
export function target_write(pointer: usize, length: u32): Status {
  if (length > file.length - received) return Status.TOO_LONG;
  received += length;
  if (file.has_sha256) hash_bytes(IMAGE_HASH, false, pointer, length);
  if (file.has_sha512) hash_bytes(FILE_HASH, true, pointer, length);
  return Status.OK;
}

/** All has arrived: the length and every hash that is listed must be right. */
function target_end(): Status {
  if (received != file.length) return Status.LENGTH_MISMATCH;
  if (file.has_sha256 && !hash_is(IMAGE_HASH, false, file_sha256(file))) return Status.HASH_MISMATCH;
  if (file.has_sha512 && !hash_is(FILE_HASH, true, file_sha512(file))) return Status.HASH_MISMATCH;
  return Status.OK;
}

/** It is listed: wants it. */
export function target_fetch(): Action {
  const name = target_name(workflow_consistent());
  if (name < 0) return run_end(name, Role.IMAGE);
  run.phase = Phase.TARGET;
  // Without an answer, what came of the target before this one does not count.
  target_begin();
  return run_fetch(name);
}

/** The answer has ended, or there was none: the outcome, when `fault` had become of it before. */
export function target_judge(fault: Status, result: Status): Status {
  let status = fault;
  // A host that was told of too few bytes fetches none: target_end says what that is.
  if (status == Status.OK) status = result < 0 && result != Status.TRUNCATED ? result : target_end();
  run_end(status == Status.OK ? Status.TARGET_VERIFIED : status, Role.IMAGE);
  return status;
}
