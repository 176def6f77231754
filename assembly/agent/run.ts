// Where the state machine stands, and what came of its last check: what the files of the agent share.

import { Action, Role } from "../abi";
import { sealed_forget } from "../install/encryption";
import { ENCRYPTION } from "../lean";
import { Status } from "../status";
import { log_outcome } from "../storage/log";
import { record_abort } from "../storage/record";
import { trusted_is_directed } from "../tuf/trusted";
import { config } from "./config";
import { policy, policy_now, policy_spread } from "./policy";

export const enum Phase {
  /** no root of trust, or no storage: nothing can be done */
  UNUSABLE = 0,
  /** waits for the next check */
  IDLE = 1,
  /** fetches and verifies metadata */
  METADATA = 2,
  /** fetches the image */
  IMAGE = 3,
  /** reads the image back */
  VERIFY = 4,
  /** another slot is selected */
  REBOOT = 5,
  /** a new image runs and is judged */
  TRIAL = 6,
  /** the root is being given */
  PROVISION = 7,
  /** fetches the target that was asked for */
  TARGET = 8,
  /** hashes the image that runs, for which there is a patch */
  BASE = 9,
  /** an image is verified, and the application is asked whether it suits */
  ASK = 10,
  /** one component of a set is in its slot, others are not */
  NEXT = 11,
  /** a check begins with the report of what is installed */
  REPORT = 12,
  /** the answer of a time server is wanted */
  TIME = 13,
}

export namespace run {
  export let phase: Phase = Phase.UNUSABLE;
  /** The host's time at the last check, and the seconds from there to the next. */
  export let checked: u32 = 0;
  export let pause: u32 = 0;
  /** The host was told to wait since the last check: one without a clock comes back when it sees fit. */
  export let waited: bool = true;
  /** The outcome of the last check, and the role that it concerns. */
  export let outcome: Status = Status.OK;
  export let outcome_role: Role = Role.NONE;
  /** Whether that is one of the Director's. */
  export let outcome_director: bool = false;
  /** Checks in a row that ended in a fault. */
  export let failures: u32 = 0;
  /** A file is wanted and its end was not told yet. */
  export let fetching: bool = false;
  /** Bytes of its name in NAME_BUFFER. */
  export let name_length: u32 = 0;
  /** All metadata of the last check held: targets may be asked for. */
  export let fresh: bool = false;
  /** What is searched for is the one target that was asked for. */
  export let finding: bool = false;
  /** What became of the last report. */
  export let reported: Status = Status.OK;
}

/** Seconds to the next check after one that failed, doubled with each further one up to the interval. */
const RETRY: u32 = 60;
const RETRY_DOUBLINGS: u32 = 6;

/** The file whose name of so many bytes is in NAME_BUFFER is wanted. */
export function run_fetch(length: u32): Action {
  run.name_length = length;
  run.fetching = true;
  return Action.FETCH;
}

export function run_end(status: Status, role: Role): Action {
  record_abort();
  if (ENCRYPTION) sealed_forget();
  run.phase = Phase.IDLE;
  run.waited = false;
  run.fetching = false;
  run.outcome = status;
  run.outcome_role = status < 0 ? role : Role.NONE;
  if (!isDefined(SMALL)) run.outcome_director = status < 0 && trusted_is_directed();
  if (run.finding) return Action.WAIT;
  if (!isDefined(SMALL)) log_outcome(status, run.outcome_role);
  run.failures = status < 0 ? run.failures + 1 : 0;
  const retry = RETRY << min(run.failures - 1, RETRY_DOUBLINGS);
  run.pause = status < 0 ? min(retry, config.interval) : config.interval;
  if (isDefined(SMALL)) return Action.WAIT;
  run.pause = policy_spread(run.pause);
  if (status == Status.POSTPONED) run.pause = min(run.pause, policy.until - policy_now);
  return Action.WAIT;
}

/** The outcome of the last check. */
export function agent_status(): Status {
  return run.outcome;
}

/** The role that it concerns. */
export function agent_role(): Role {
  return run.outcome_role;
}
