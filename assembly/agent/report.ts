// The version report of this ECU (Uptane Standard 2.1.0, 5.4.2.1; docs/formats.md, "Vehicle version manifest"): what is
// installed, the latest time that is known to have passed, what the last check found, and a number that only rises.

import { Action, LogEvent } from "../abi";
import { sha512_update } from "../crypto/sha512";
import { IO_BUFFER, SIGNING } from "../memory";
import { days_before } from "../metadata/expires";
import { Name } from "../json/names";
import { profile } from "../metadata/profile";
import { Status } from "../status";
import { log_event } from "../storage/log";
import { Kind } from "../storage/record";
import { check_begin } from "./check";
import { compose_begin, compose_end, compose_fault, compose_next, compose_number, compose_piece, compose_record, compose_two, Text } from "./compose";
import { device } from "./device";
import { installed_put } from "./installed";
import { manifest_allow } from "./manifest";
import { policy, policy_now, policy_store } from "./policy";
import { Phase, run } from "./run";
import { signer } from "./signer";

/** Reports between two writes of their counter to the flash. A power cut leaves out those that are left. */
const RESERVED: u32 = 16;

/** Of the last report; after a start none was made, and all that were reserved may have been. */
export let report_counter: u32 = 0xffffffff;

export function report_begin(): Action {
  run.phase = Phase.REPORT;
  return Action.REPORT;
}

/**
 * Writes this ECU's report into the buffer, `signed` in canonical form; its length. Behind it are the 64 bytes of its
 * signature, where the core has a key. Each call makes another report. WRONG_STATE: in the middle of a check, or this
 * device is not told what its first image was.
 */
export function report_write(): i32 {
  if (!profile.reports || (run.phase != Phase.REPORT && run.phase != Phase.IDLE)) return Status.WRONG_STATE;
  let status = count();
  if (status != Status.OK) return status;
  compose_begin(Text.FINDING);
  put_finding();
  compose_next(Text.REPORT);
  compose_record(Kind.CONFIG, Name.ECU);
  compose_piece();
  installed_put();
  compose_piece();
  compose_number(report_counter);
  compose_piece();
  put_time(device.time);
  compose_piece();
  if (compose_fault != Status.OK) return compose_fault;
  const length = <u32>(compose_end - IO_BUFFER);
  status = signer(IO_BUFFER, length, 0);
  if (status == Status.OK) {
    sha512_update(SIGNING, IO_BUFFER, length);
    status = signer(IO_BUFFER, length, compose_end);
    manifest_allow();
  }
  return status == Status.OK || status == Status.KEY_MISSING ? length : status;
}

/**
 * The next number. So many are written down as used beforehand that a write is seldom; against a report of before that
 * is sent again, which the Director knows by its number.
 */
function count(): Status {
  let status: Status = Status.OK;
  if (report_counter >= policy.reports) {
    report_counter = policy.reports;
    policy.reports += RESERVED;
    status = policy_store();
    if (status != Status.OK) policy.reports = report_counter;
  }
  report_counter++;
  return status;
}

/** A finding of the last check about what it was given, and not about how that came. */
function put_finding(): void {
  const status = run.outcome;
  if (status <= Status.JSON_SYNTAX && <u32>(Status.NETWORK - status) > <u32>(Status.NETWORK - Status.TRUNCATED)) {
    compose_piece();
    compose_number(-status);
  }
}

function put_time(time: u32): void {
  const days = <i32>(time / 86400);
  let year = 1970;
  while (days_before(year + 1, 1) <= days) year++;
  let month = 1;
  while (days_before(year, month + 1) <= days) month++;
  compose_number(year);
  compose_two(0x2d, month);
  compose_two(0x2d, days - days_before(year, month) + 1);
  compose_two(0x54, (time / 3600) % 24);
  compose_two(0x3a, (time / 60) % 60);
  compose_two(0x3a, time % 60);
}

/** The report was sent, or not: the check goes on with either. */
export function report_end(result: Status): Status {
  if (run.phase != Phase.REPORT) return Status.WRONG_STATE;
  if ((result < 0) != (run.reported < 0)) log_event(LogEvent.REPORT, result, report_counter);
  run.reported = result;
  check_begin(policy_now);
  return Status.OK;
}
