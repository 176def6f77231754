// After power-on: mounts what is on flash and takes up what was interrupted.

import * as host from "../host";
import { LogEvent, Role } from "../abi";
import { slots_usable } from "../install/slots";
import { Status } from "../status";
import { install, install_slots, journal_mount, Stage } from "../storage/journal";
import { log_event, log_mount, log_outcome, log_time } from "../storage/log";
import { Kind, store_bank, store_entry, store_is_sealed, store_mount, store_move } from "../storage/record";
import { Mode, profile } from "../metadata/profile";
import { component_bits, components, components_read } from "./components";
import { config } from "./config";
import { device, device_mount, device_store } from "./device";
import { policy_mount } from "./policy";
import { Phase, run } from "./run";
import { best } from "./selection";
import { set_begin } from "./set";
import { ON_TRIAL, trial_again, trial_confirm, trial_leave, trial_reject } from "./trial";

/**
 * Mounts what is on flash and takes up what a reboot or a power cut interrupted. Negative: nothing can be
 * done. What became of an interrupted install is the outcome that `state_read` tells.
 */
export function core_start(): Status {
  run.phase = Phase.UNUSABLE;
  run.pause = 0;
  run.waited = true;
  run.failures = 0;
  run.fetching = false;
  run.fresh = false;
  if (!isDefined(SMALL)) {
    best.release = 0;
    set_begin();
  }
  run.outcome = Status.OK;
  run.outcome_role = Role.NONE;
  const status = start();
  if (run.phase == Phase.UNUSABLE) {
    if (!isDefined(SMALL) && status != Status.NOT_PROVISIONED) log_outcome(status, Role.NONE);
    return status;
  }
  run.outcome = status;
  if (status < 0) run.outcome_role = Role.IMAGE;
  return Status.OK;
}

function start(): Status {
  if (!isDefined(SMALL)) log_mount();
  let status = store_mount();
  if (status != Status.OK) return status;
  const given = store_entry(Kind.CONFIG);
  if (given.length == 0) return Status.NOT_PROVISIONED;
  // How a root is read is said there, also of one that is still to be given.
  status = components_read(store_bank(), given.offset, given.length);
  if (store_entry(Kind.ROOT).length == 0) return Status.NOT_PROVISIONED;
  // Nor may the Director's root be forgotten, which was there before this one.
  if (!isDefined(SMALL) && profile.mode == Mode.FULL && store_entry(Kind.DIRECTOR_ROOT).length == 0) return Status.STORE_CORRUPT;
  if (status == Status.OK) status = device_mount();
  if (!isDefined(SMALL)) {
    log_time(device.time);
    if (status == Status.OK) status = policy_mount();
  }
  if (status == Status.OK) status = journal_mount();
  if (status == Status.OK && !all_slots_usable()) status = Status.LAYOUT_INVALID;
  if (status == Status.OK && !store_is_sealed()) status = seal();
  return status == Status.OK ? take_up_install() : status;
}

function all_slots_usable(): bool {
  if (isDefined(SMALL)) return slots_usable(0);
  for (let i = 0; i < components(); i++) {
    if (!slots_usable(i)) return false;
  }
  return true;
}

/** After provisioning: from now on a store without root, configuration or device state is a damaged one. */
function seal(): Status {
  const status = device_store();
  if (!isDefined(SMALL)) log_event(LogEvent.PROVISIONED, Status.OK, config.release);
  return status == Status.OK ? store_move() : status;
}

function take_up_install(): Status {
  const boot = host.boot_state();
  if (boot < 0) return Status.BOOT;
  const runs = (boot & component_bits()) == install_slots();
  const on_trial = (boot & ON_TRIAL) != 0;
  run.phase = on_trial ? Phase.TRIAL : Phase.IDLE;
  switch (install.stage) {
    case Stage.SELECTED:
      if (!runs) return trial_again();
      if (!on_trial) return trial_confirm(); // a host that confirms by itself
      if (!isDefined(SMALL)) log_event(LogEvent.TRIAL, Status.OK, install.release);
      return Status.OK;
    case Stage.CONFIRMING:
      return runs ? trial_confirm() : trial_again();
    case Stage.REJECTING:
      return trial_reject(Status.SELF_TEST_FAILED);
    default:
      // An image on trial that no journal knows was not verified here.
      return on_trial ? trial_leave() : Status.OK;
  }
}
