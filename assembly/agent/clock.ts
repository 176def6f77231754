// The time of a check. Where the device was given keys of time servers, it is what one of them signs in answer to this
// check, asked for when the newest root is known, which says whose word counts, and before anything is judged by time:
// the host's clock counts for nothing. Else it is the host's.
//
// Off-spec: Uptane (Standard 2.1.0, full verification) has the time first and then root. Root is followed without the
// time anyway, and so a device whose time key is no longer in use can learn the new one.

import { Action, LogEvent } from "../abi";
import * as host from "../host";
import { TIME_KEYS, TIME_NONCE } from "../memory";
import { crc32 } from "../bytes";
import { Status } from "../status";
import { log_event } from "../storage/log";
import { record_abort, store_is_settled } from "../storage/record";
import { workflow_missing, workflow_time } from "../tuf/workflow";
import { time_keys, time_keys_find, time_passed, time_request, time_verify } from "../uptane/time";
import { check_fault } from "./check";
import { config } from "./config";
import { device, device_reset_time, device_time_tag } from "./device";
import { Phase, run } from "./run";

export namespace clock {
  /** The time of this check, seconds since 1970. */
  export let time: u32 = 0;
  /** What came of asking for it, in this check or the last one; TIME_UNKNOWN: the host does not know it. */
  export let finding: Status = Status.TIME_UNKNOWN;
  /** Nothing more is to be found out about it in this check. */
  export let settled: bool = false;
}

/** Which of the keys the next request is for. */
let turn: u32 = 0;
/** What the log says of time servers. */
let told: Status = Status.OK;

/** A check begins; the time of the host, 0: unknown. */
export function clock_begin(now: u32): void {
  clock.time = isDefined(SMALL) ? max(now, device.time) : now;
  clock.settled = false;
}

/** The newest root is known: wants the time of a server, or goes on with the host's. */
export function clock_settle(): Status {
  record_abort();
  // Where there were none, there are none until something else becomes live.
  let status = time_keys != 0 || !store_is_settled(0) ? time_keys_find() : Status.OK;
  if (status != Status.OK) return status;
  // Uptane Deployment Best Practices 2.1.0, 3.1: under another key the clock starts again from what the firmware was
  // built with. In one write with what tells that key, and nothing else falls.
  const tag = crc32(0, TIME_KEYS, time_keys << 5);
  if (tag != device_time_tag()) status = device_reset_time(tag);
  if (status != Status.OK) return status;
  if (time_keys == 0) {
    clock.finding = clock.time != 0 ? Status.OK : Status.TIME_UNKNOWN;
    return judge();
  }
  clock.time = 0;
  clock.finding = Status.TIME_MISSING;
  run.phase = Phase.TIME;
  return Status.OK;
}

/** Makes a request, for the next of the keys each time: who does not have it does not answer. */
export function clock_ask(): Action {
  if (++turn >= time_keys) turn = 0;
  if (host.entropy(TIME_NONCE, 32) < 0) {
    time_answer(0);
    return Action.CONTINUE;
  }
  time_request(turn);
  return Action.TIME;
}

/**
 * The answer of a time server, so many bytes, is in the buffer. Negative: what is wrong with it; another answer may
 * follow, or another request. 0 bytes: there is none to be had, and the check goes on without, or ends with that.
 */
export function time_answer(length: u32): Status {
  if (run.phase != Phase.TIME) return Status.WRONG_STATE;
  if (length != 0) {
    clock.finding = time_verify(length, device.time);
    if (clock.finding != Status.OK) return clock.finding;
    clock.time = time_passed;
  }
  if (clock.finding != told) log_event(LogEvent.TIME, clock.finding, clock.time);
  told = clock.finding;
  run.phase = Phase.METADATA;
  const status = judge();
  if (status != Status.OK) check_fault(status);
  return clock.finding;
}

/** The time is as well known as it will be in this check. */
function judge(): Status {
  if (config.needs_time && clock.finding != Status.OK) return clock.finding;
  // A clock that was set back does not bring expired metadata back.
  clock.time = max(clock.time, device.time);
  clock.settled = true;
  workflow_time(clock.time);
  return workflow_missing();
}
