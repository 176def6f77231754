// The install of the best release: what to fetch for it, its way into the slot, and what there is when it ends early.

import { Action, LogEvent, Role } from "../abi";
import { bytes_equal } from "../bytes";
import * as host from "../host";
import { Format, format_begin, format_step } from "../install/format";
import { image_is_passed } from "../install/image";
import {
  base_begin,
  base_is,
  base_is_read,
  base_read,
  payload_begin,
  payload_continues,
  payload_finish,
  payload_is_used,
  payload_is_whole,
  payload_offset,
  payload_resume,
  payload_room,
} from "../install/payload";
import { PATCHING } from "../lean";
import { slot_area, slot_is_verified, slot_resume, slot_verify } from "../install/slots";
import { Status } from "../status";
import { install, install_component, install_digest, install_version, journal_clear, journal_holds, journal_record, Stage } from "../storage/journal";
import { flash_size } from "../storage/flash";
import { log_event } from "../storage/log";
import { workflow_consistent } from "../tuf/workflow";
import { component_bits } from "./components";
import { config, config_key } from "./config";
import { device_stage, device_unstage } from "./device";
import { installed_note } from "./installed";
import { offer, offer_base, offer_digest, offer_find, offer_name } from "./offer";
import { policy_asks, policy_leave, policy_verdict } from "./policy";
import { Phase, run, run_end } from "./run";
import { best, best_digest, best_sha512, best_version, selection_component, selection_name } from "./selection";
import { set_mark, set_others, set_stage } from "./set";
import { ON_TRIAL, trial_select } from "./trial";

/** A patch did not do: in this check the whole image is fetched. */
let whole: bool = false;
/** Bytes that had arrived when the fetch of the image began. */
let before: u32 = 0;
/** Fetches of the image in a row that brought too little. */
let stalls: u32 = 0;
/** The image was read back, and is judged by what it says of itself. */
let judging: bool = false;

/** Fetches of an image in a row that may bring less than this many bytes, against slow retrieval. */
const MAX_STALLS: u32 = 3;
const LEAST_PROGRESS: u32 = 2048;

/** Fetches the patch for the image that runs, else a payload that needs none, else the image as it is published. */
export function download_begin(): Action {
  if (!PATCHING) return begin_install();
  whole = false;
  const status = find_offer(true);
  if (status != Status.OK) return run_end(status, Role.TARGETS);
  if (offer.length == 0) return without_base();
  base_begin();
  run.phase = Phase.BASE;
  return Action.CONTINUE;
}

function find_offer(patch: bool): Status {
  const wanted = !whole || (best.encrypted && !patch);
  if (wanted && best.has_sha256 && journal_holds(payload_room(best.encrypted))) return offer_find(patch);
  offer.length = 0;
  return Status.OK;
}

/** Nothing is written before the image that a patch is for was found here, byte for byte. */
export function download_verify_base(): Action {
  const component = selection_component();
  const status = base_read(slot_area(component, (host.boot_state() >> component) & 1), offer.base_length);
  if (status != Status.OK) return without_base();
  if (!base_is_read(offer.base_length)) return Action.CONTINUE;
  return base_is(offer_base()) ? begin_install() : without_base();
}

function without_base(): Action {
  const status = find_offer(false);
  return status == Status.OK ? begin_install() : run_end(status, Role.TARGETS);
}

function begin_install(): Action {
  if (!isDefined(SMALL) && best.encrypted && offer.length == 0) return run_end(journal_holds(payload_room(true)) ? Status.NOT_FOUND : Status.JOURNAL_TOO_SMALL, Role.IMAGE);
  const boot = host.boot_state();
  // On trial the other slot is the one to fall back to: it is not to be touched.
  if (boot < 0 || (boot & ON_TRIAL) != 0) return run_end(Status.BOOT, Role.IMAGE);
  const component = selection_component();
  if (best.length > flash_size(slot_area(component, 0)) || best.length == 0) return run_end(Status.IMAGE_TOO_LARGE, Role.IMAGE);
  let status = isDefined(SMALL) ? Status.OK : device_unstage(component);
  if (status == Status.OK) status = prepare_install(((boot & component_bits()) ^ (1 << component)) | (component << 8));
  if (status != Status.OK) return run_end(status, Role.IMAGE);
  slot_resume(best.has_sha256, best_sha512());
  run.phase = Phase.IMAGE;
  stalls = 0;
  return resume_payload();
}

function resume_payload(): Action {
  if (!PATCHING) return fetch_image();
  const used = payload_is_used();
  const name = used ? offer_name(workflow_consistent()) : selection_name(workflow_consistent());
  const status = name < 0 ? name : payload_resume();
  if (used && status != Status.OK) return give_payload_up(status);
  if (name < 0) return run_end(name, Role.IMAGE);
  run.name_length = name;
  return fetch_image();
}

function fetch_image(): Action {
  if (payload_is_whole()) return finish_image();
  run.fetching = true;
  return Action.FETCH;
}

/** Whether the journal is about this very image. */
function continues(slots: i32): bool {
  if (install.stage != Stage.DOWNLOADING || install.slots != slots || install.length != best.length) return false;
  // What another payload began cannot go on with this one where the image itself cannot be had.
  const goes_on = isDefined(SMALL) || !best.encrypted || payload_continues(offer.length, offer_digest());
  return goes_on && bytes_equal(install_digest(), best_digest(), 32);
}

/** Records the install, a new one or the one that goes on, with the counters that are signed for it now. */
function prepare_install(slots: i32): Status {
  if (!continues(slots)) {
    // Whatever was selected before, nothing may boot a slot while it is written.
    if (host.boot_revert() < 0) return Status.BOOT;
    if (!isDefined(SMALL)) log_event(LogEvent.INSTALL, Status.OK, best.release);
    install.stage = Stage.DOWNLOADING;
    install.slots = slots;
    install.trials = 0;
    install.length = best.length;
    install.offset = 0;
    choose_state();
  } else if (!choose_state() && install.release == best.release && install.security == best.security) return Status.OK;
  install.release = best.release;
  install.security = best.security;
  memory.copy(install_digest(), best_digest(), 32);
  memory.copy(install_version(), best_version(), 32);
  return journal_record();
}

/**
 * A payload begins, or goes on where it stands in the journal; where it cannot, the image goes on from there as it is.
 * Whether the journal does not say so yet.
 */
function choose_state(): bool {
  if (!PATCHING) return false;
  const before = install.state;
  if (install.offset == 0) {
    install.state = 0;
    if (offer.length != 0) payload_begin(offer.length, offer_digest(), offer.base_length, best.encrypted);
  } else if (before != 0 && (offer.length == 0 || !payload_continues(offer.length, offer_digest()))) install.state = 0;
  return install.state != before;
}

/** All bytes are there, or ought to be. */
function finish_image(): Action {
  const status = payload_finish();
  if (status != Status.OK) return payload_is_used() ? give_payload_up(status) : give_image_up(status);
  if (PATCHING) install.state = 0;
  if (!isDefined(SMALL)) judging = false;
  run.phase = Phase.VERIFY;
  return Action.CONTINUE;
}

/** What a payload made is worth nothing: the whole image is fetched, from its start. */
function give_payload_up(why: Status): Action {
  journal_clear();
  return fetch_whole(why);
}

/** The check ends where no image is published that this device could still read. */
function fetch_whole(why: Status): Action {
  const was_whole = offer.base_length == 0;
  whole = true;
  offer.length = 0;
  if (!best.encrypted) return begin_install();
  return was_whole ? run_end(why, Role.IMAGE) : without_base();
}

/** Reads a slice back, then judges the image by what it says of itself; after the last slice of all, selects the slots. */
export function download_verify(): Action {
  const in_format = !isDefined(SMALL) && judging;
  const status = in_format ? format_step() : slot_verify();
  if (status != Status.OK) return give_image_up(status);
  if (!(in_format ? image_is_passed() : slot_is_verified())) return Action.CONTINUE;
  if (isDefined(SMALL)) return download_select();
  const component = install_component();
  // The bootloader starts the main component.
  if (!in_format && component == 0 && config.format != Format.RAW) return begin_judging();
  return set_stage(component) != 0 ? stage() : ask();
}

/** All is ready, and nothing was disturbed so far. */
function ask(): Action {
  log_event(LogEvent.VERIFIED, Status.OK, install.release);
  const held = policy_verdict(set_mark());
  if (held != Status.OK) return run_end(held, Role.NONE);
  run.phase = Phase.ASK;
  return policy_asks() ? Action.ASK : download_select();
}

/** Selects the slots of the images that are verified. */
export function download_select(): Action {
  if (!isDefined(SMALL)) {
    policy_leave();
    // The images of the others lie verified in the slots that do not run, too: all are selected as one.
    const others = set_others(install_component());
    install.slots = (install.slots ^ others) | (others << 16);
  }
  let status = isDefined(SMALL) ? Status.OK : installed_note();
  if (status == Status.OK) status = trial_select();
  if (status != Status.OK) return give_image_up(status);
  run.outcome = Status.READY_TO_REBOOT;
  run.outcome_role = Role.NONE;
  run.failures = 0;
  return Action.REBOOT;
}

/** Nothing boots that the bootloader of this board would not start. */
function begin_judging(): Action {
  const status = format_begin(config.format, config.chip, config_key(), config.key_length);
  if (status != Status.OK) return give_image_up(status);
  judging = true;
  return Action.CONTINUE;
}

/** One component of a set is in its slot: on to the next. */
function stage(): Action {
  const status = device_stage();
  if (status != Status.OK) return run_end(status, Role.IMAGE);
  run.phase = Phase.NEXT;
  return Action.CONTINUE;
}

/** What is in the slot is not the image: forget it, so that the next check starts anew. */
function give_image_up(status: Status): Action {
  journal_clear();
  return run_end(status, Role.IMAGE);
}

/** An answer begins. Returns how many bytes of the file are here already. */
export function download_answer(): u32 {
  before = payload_offset();
  return before;
}

/** The answer has ended, or there was none, or `why` there is no use for it. */
export function download_end(result: Status, why: Status): Status {
  if (why == Status.TOO_LONG) {
    // What came before is in the journal and stays: somebody who adds a byte must not undo a download.
    run_end(why, Role.IMAGE);
    return why;
  }
  if (why != Status.OK && why != Status.RANGE) {
    if (payload_is_used()) give_payload_up(why);
    else give_image_up(why);
    return why;
  }
  if (payload_is_whole()) {
    run.fetching = false;
    finish_image();
    if (PATCHING && run.phase == Phase.IMAGE) return Status.PATCH_INVALID;
    return run.phase == Phase.VERIFY ? Status.OK : run.outcome;
  }
  if (result == Status.NOT_FOUND) {
    if (payload_is_used()) fetch_whole(Status.NOT_FOUND);
    else run_end(Status.NOT_FOUND, Role.IMAGE);
    return Status.NOT_FOUND;
  }
  return retry_image(result < 0 ? result : Status.TRUNCATED);
}

/** Less came than was asked for. As long as enough comes, ask for the rest. */
function retry_image(status: Status): Status {
  stalls = payload_offset() - before >= LEAST_PROGRESS ? 0 : stalls + 1;
  before = payload_offset();
  if (stalls >= MAX_STALLS) run_end(status, Role.IMAGE);
  return status;
}
