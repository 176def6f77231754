// A file on its way: what is wanted, its bytes as they come, and the verdict at its end.

import { FetchKind } from "../abi";
import { payload_length, payload_offset, payload_pass, payload_pass_begin, payload_write } from "../install/payload";
import { slot_erase_ahead } from "../install/slots";
import { PATCHING } from "../lean";
import { IO_BUFFER, IO_CAPACITY } from "../memory";
import { Status } from "../status";
import { record_abort, record_begin, record_is_open, record_length, record_write } from "../storage/record";
import { trusted_is_directed } from "../tuf/trusted";
import { workflow_accept, workflow_limit, workflow_place } from "../tuf/workflow";
import { check_fault, check_missing } from "./check";
import { download_answer, download_end } from "./download";
import { Phase, run } from "./run";
import { target_begin, target_judge, target_length, target_write } from "./target";

/** What became of the file so far. */
let fault: Status = Status.OK;
/** Bytes of the answer that are already here. */
let skip: u32 = 0;

/** Whether the target that was asked for is on its way. */
function in_target(): bool {
  return !isDefined(SMALL) && run.phase == Phase.TARGET;
}

export function fetch_kind(): FetchKind {
  if (run.phase != Phase.METADATA) return FetchKind.TARGET;
  return trusted_is_directed() ? FetchKind.DIRECTOR : FetchKind.METADATA;
}

export function fetch_name_length(): u32 {
  return run.name_length;
}

export function fetch_offset(): u32 {
  return run.phase == Phase.IMAGE ? payload_offset() : 0;
}

export function fetch_limit(): u32 {
  if (in_target()) return target_length();
  return run.phase == Phase.IMAGE ? payload_length() - payload_offset() : workflow_limit();
}

/** An answer begins, at this byte of the file. Called again, it starts over. */
export function fetch_begin(offset: u32): Status {
  if (!run.fetching) return Status.WRONG_STATE;
  fault = Status.OK;
  skip = 0;
  if (run.phase == Phase.METADATA) {
    record_abort();
    record_begin(workflow_place());
    if (offset != 0) fault = Status.RANGE;
    return fault;
  }
  if (in_target()) {
    target_begin();
    if (offset != 0) fault = Status.RANGE;
    return fault;
  }
  const before = download_answer();
  // A server that ignores the range starts at 0: what is already here is passed over, and not written at
  // the wrong place.
  if (PATCHING ? offset != before && offset != 0 : offset > before) fault = Status.RANGE;
  else skip = before - offset;
  if (PATCHING) payload_pass_begin();
  return fault;
}

/** The next bytes of the answer, in the buffer. */
export function fetch_write(length: u32): Status {
  if (!run.fetching || (run.phase == Phase.METADATA && !record_is_open())) return Status.WRONG_STATE;
  if (length > IO_CAPACITY) return Status.BAD_ARGUMENT;
  if (fault != Status.OK) return fault;
  if (in_target()) fault = target_write(IO_BUFFER, length);
  else fault = run.phase == Phase.METADATA ? write_metadata(length) : write_image(length);
  return fault;
}

function write_metadata(length: u32): Status {
  // Counted before a byte is kept, against endless data.
  if (length > workflow_limit() - record_length()) return Status.TOO_LONG;
  return record_write(IO_BUFFER, length);
}

function write_image(length: u32): Status {
  const passed = min(length, skip);
  skip -= passed;
  if (PATCHING && passed != 0) {
    // Against a file that changes between two answers: no byte of the other one is written.
    const status = payload_pass(IO_BUFFER, passed, skip == 0);
    if (status != Status.OK) return status;
  }
  return payload_write(IO_BUFFER + passed, length - passed);
}

/** While the next bytes of the image are on their way: erases where they will go. 1: it did, 0: nothing is to be erased now. */
export function fetch_erase_ahead(): i32 {
  if (run.phase != Phase.IMAGE) return 0;
  if (fault != Status.OK) return fault;
  const erased = slot_erase_ahead();
  if (erased < 0) fault = erased;
  return erased;
}

/** The answer has ended, or there was none: what comes of it. */
export function fetch_end(result: Status): Status {
  if (!run.fetching) return Status.WRONG_STATE;
  let status: Status;
  if (in_target()) status = target_judge(fault, result);
  else status = run.phase == Phase.METADATA ? end_metadata(result) : download_end(result, fault);
  fault = Status.OK;
  return status;
}

function end_metadata(result: Status): Status {
  run.fetching = false;
  let status = fault;
  if (status == Status.OK) {
    if (result == Status.NOT_FOUND) status = check_missing();
    else if (result != Status.OK) status = Status.NETWORK;
    else status = record_is_open() ? workflow_accept() : Status.NETWORK;
  }
  if (status != Status.OK) check_fault(status);
  return status;
}
