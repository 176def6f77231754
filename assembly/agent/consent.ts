// What the application calls for the user, between the steps: how updates go, and the answers to UPDATE_AVAILABLE and ASK.

import { Action, LogEvent, Mode, Role } from "../abi";
import { Status } from "../status";
import { log_event } from "../storage/log";
import { download_select } from "./download";
import { policy, policy_postpone, policy_store } from "./policy";
import { Phase, run, run_end } from "./run";
import { selection_show } from "./selection";
import { set_is_empty, set_mark } from "./set";
import { trial_withdraw } from "./trial";

/** How updates go from now on: see `Mode`. WRONG_STATE: not in the middle of a check. */
export function policy_set(mode: Mode): Status {
  if (<u32>mode > <u32>Mode.OFF) return Status.BAD_ARGUMENT;
  if (run.phase != Phase.IDLE && run.phase != Phase.ASK) return Status.WRONG_STATE;
  policy.mode = mode;
  run.pause = 0;
  log_event(LogEvent.POLICY, Status.OK, mode);
  return policy_store();
}

/**
 * The user wants what is newest, of all components: it is installed at the next step, whatever the policy and however it was
 * postponed. After ASK: the device may be disturbed now. WRONG_STATE: there is nothing to approve of.
 */
export function update_approve(): Status {
  if (run.phase == Phase.ASK) return download_select() == Action.REBOOT ? Status.OK : run.outcome;
  if (!is_offered()) return Status.WRONG_STATE;
  policy.approved = set_mark();
  policy.until = 0;
  run.pause = 0;
  log_event(LogEvent.APPROVED, Status.OK, policy.approved);
  return policy_store();
}

/**
 * Not before `until`, seconds since 1970. However often this is called, it ends `maxPostpone` seconds after the first
 * time: then POSTPONE_LIMIT, and nothing is changed. TIME_UNKNOWN: a device without the time cannot wait for one.
 * On trial, whatever `until`: the image before returns with the next boot, and this one may be installed again.
 */
export function update_postpone(until: u32): Status {
  if (run.phase == Phase.TRIAL) return trial_withdraw();
  const asked = run.phase == Phase.ASK;
  if (!asked && !is_offered()) return Status.WRONG_STATE;
  const status = policy_postpone(until);
  if (status != Status.OK) return status;
  log_event(LogEvent.POSTPONED, Status.OK, policy.until);
  if (asked) run_end(Status.POSTPONED, Role.NONE);
  return status;
}

/**
 * Chooses what is signed of the newest release that the last check found for this device, installed or not, for
 * `trusted_read`: its `custom`, JSON as it was received, with what there is to tell the user. Length; 0: there is none.
 */
export function release_find(): i32 {
  return run.phase == Phase.METADATA ? Status.WRONG_STATE : selection_show();
}

/** Whether the last check found something that is not installed. */
function is_offered(): bool {
  return run.phase == Phase.IDLE && !set_is_empty();
}
