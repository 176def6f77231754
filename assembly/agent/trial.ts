// The end of an install: its slot is selected, the new image runs on trial, and stays or goes.

import { LogEvent, Role } from "../abi";
import * as host from "../host";
import { Status } from "../status";
import { install, install_slots, journal_clear, journal_record, Stage } from "../storage/journal";
import { log_event } from "../storage/log";
import { device_confirm, device_note_failure } from "./device";
import { Phase, run } from "./run";

/** Times that an image is selected for a trial; the host gives each of them several boots. */
const MAX_TRIALS: u32 = 3;

export const ON_TRIAL: i32 = 0x100;

/** Selected, but another slot runs: power failed before the trial, or the trial ended without a verdict. */
export function trial_again(): Status {
  if (install.trials >= MAX_TRIALS) return trial_reject(Status.TRIAL_FAILED);
  return trial_select();
}

/** Records that the slot is selected, selects it, and counts that. Power that fails in between costs no trial. */
export function trial_select(): Status {
  install.stage = Stage.SELECTED;
  const status = journal_record();
  if (status != Status.OK) return status;
  if (host.boot_select(install_slots()) < 0) return Status.BOOT;
  if (!isDefined(SMALL)) log_event(LogEvent.SELECTED, Status.OK, install.release);
  install.trials++;
  run.phase = Phase.REBOOT;
  return journal_record();
}

export function trial_confirm(): Status {
  const status = device_confirm();
  if (status != Status.OK) return status;
  if (!isDefined(SMALL)) log_event(LogEvent.CONFIRMED, Status.OK, install.release);
  run.phase = Phase.IDLE;
  return journal_clear();
}

/** Gives the image up and makes sure that the old one runs. */
export function trial_reject(why: Status): Status {
  const boot = host.boot_state();
  if (boot < 0) return Status.BOOT;
  run.phase = Phase.IDLE;
  let status = boot & ON_TRIAL ? trial_leave() : Status.OK;
  if (status == Status.OK) status = device_note_failure();
  if (!isDefined(SMALL)) log_event(LogEvent.REVERTED, why, install.release);
  if (status == Status.OK) status = journal_clear();
  return status == Status.OK ? why : status;
}

/** Brings the old image back with the next boot. Where that fails, the boot after tries it again. */
export function trial_leave(): Status {
  run.phase = Phase.REBOOT;
  return host.boot_revert() < 0 ? Status.BOOT : Status.OK;
}

/** The image on trial works: it becomes permanent. */
export function image_confirm(): Status {
  if (run.phase != Phase.TRIAL) return Status.WRONG_STATE;
  install.stage = Stage.CONFIRMING;
  const status = journal_record();
  return status == Status.OK ? trial_confirm() : status;
}

/** The image on trial does not work: the old one returns with the next boot. */
export function image_reject(): Status {
  if (run.phase != Phase.TRIAL) return Status.WRONG_STATE;
  install.stage = Stage.REJECTING;
  let status = journal_record();
  if (status == Status.OK) status = trial_reject(Status.SELF_TEST_FAILED);
  run.outcome = status;
  run.outcome_role = Role.IMAGE;
  return status == Status.SELF_TEST_FAILED ? Status.OK : status;
}

/**
 * The image on trial goes, and nothing is held against it: others were to come with it and did not. The journal forgets it
 * first: what runs on trial and is in no journal leaves at the next start.
 */
export function trial_withdraw(): Status {
  log_event(LogEvent.REVERTED, Status.POSTPONED, install.release);
  const status = journal_clear();
  return status == Status.OK ? trial_leave() : status;
}
