// The one state machine: what the host is to do next. It runs a check (the TUF workflow), picks a release,
// downloads it, reads it back, selects its slot, and judges its trial after the reboot.
//
//   IDLE ──due──▶ METADATA ──verified──▶ IMAGE ──arrived──▶ VERIFY ──right──▶ REBOOT
//    ▲  ▲────────────┴──── any fault ──────┴──────────────────┘                 ┆ power
//    └──────────────── confirmed ◀── TRIAL ◀── SELECTED in the journal ◀────────┘
//
// Between two checks a host may ask for one target by its path: METADATA (its delegated roles), then TARGET.

import { Action, ABI_VERSION, FetchKind, Part, Role } from "../abi";
import * as host from "../host";
import {
  base_begin,
  base_is,
  base_is_read,
  base_read,
  payload_begin,
  payload_continues,
  payload_finish,
  payload_is_patch,
  payload_is_whole,
  payload_length,
  payload_offset,
  payload_resume,
  payload_write,
} from "../install/payload";
import { slot_capacity, slots_usable, slot_is_verified, slot_received, slot_resume, slot_verify } from "../install/slots";
import { IO_BUFFER, IO_CAPACITY, PATH_BUFFER, PATH_CAPACITY, PAYLOAD_ROOM } from "../memory";
import { bytes_equal } from "../bytes";
import { Status } from "../status";
import { install, install_digest, install_version, journal_clear, journal_holds, journal_mount, journal_record, Stage } from "../storage/journal";
import {
  Kind,
  record_abort,
  record_begin,
  record_commit,
  record_finish,
  record_is_open,
  record_length,
  record_offset,
  record_write,
  store_bank,
  store_entry,
  store_format,
  store_is_sealed,
  store_mount,
  store_move,
} from "../storage/record";
import { search_is_at_top, search_is_cut_short, search_leave } from "../tuf/search";
import {
  root_provision,
  workflow_accept,
  workflow_begin,
  workflow_consistent,
  workflow_limit,
  workflow_missing,
  workflow_name_length,
  workflow_next,
  workflow_place,
  workflow_role,
  workflow_search,
  workflow_search_begin,
} from "../tuf/workflow";
import { config, config_read, config_selects, MAX_CONFIG } from "./config";
import { device, device_confirm, device_failed, device_mount, device_note_failure, device_saw_time, device_store } from "./device";
import { offer, offer_base, offer_digest, offer_find, offer_name } from "./offer";
import { best, best_digest, best_sha512, best_version, elsewhere, selection_begin, selection_look, selection_name } from "./selection";
import { target_begin, target_end, target_length, target_look, target_name, target_write } from "./target";

const enum Phase {
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
}

let phase: Phase = Phase.UNUSABLE;
/** The host's time at the last check, and the seconds from there to the next. */
let checked: u32 = 0;
let pause: u32 = 0;
/** The host was told to wait since the last check: one without a clock comes back when it sees fit. */
let waited: bool = true;
/** The time of this check, and whether the host knew it. */
let check_time: u32 = 0;
let time_known: bool = false;
/** The outcome of the last check, and the role that it concerns. */
let outcome: Status = Status.OK;
let outcome_role: Role = Role.NONE;
/** Checks in a row that ended in a fault. */
let failures: u32 = 0;
/** A file is wanted and its end was not told yet. */
let fetching: bool = false;
/** Bytes of its name in NAME_BUFFER. */
let name_length: u32 = 0;
/** What became of it so far. */
let fault: Status = Status.OK;
/** Bytes of the answer that are already here. */
let skip: u32 = 0;
/** A patch did not do: in this check the image itself is fetched. */
let whole: bool = false;
/** Bytes that had arrived when the fetch of the image began. */
let before: u32 = 0;
/** Fetches of the image in a row that brought too little. */
let stalls: u32 = 0;
/** All metadata of the last check held: targets may be asked for. */
let fresh: bool = false;
/** The search through targets roles has begun, and it is for the one target that was asked for. */
let searching: bool = false;
let finding: bool = false;
/** The role in hand is done with: on to the next. */
let moving: bool = false;
/** What was wrong with the first delegated role that could not be used. */
let role_fault: Status = Status.OK;
/** The part that is being provisioned. */
let part: Part = Part.CONFIG;

/** Seconds to the next check after one that failed, doubled with each further one up to the interval. */
const RETRY: u32 = 60;
const RETRY_DOUBLINGS: u32 = 6;
/** Fetches of an image in a row that may bring less than this many bytes, against slow retrieval. */
const MAX_STALLS: u32 = 3;
const LEAST_PROGRESS: u32 = 2048;
/** Times that an image is selected for a trial; the host gives each of them several boots. */
const MAX_TRIALS: u32 = 3;

const ON_TRIAL: i32 = 0x100;

export function abi_version(): i32 {
  return ABI_VERSION;
}

export function io_pointer(): usize {
  return IO_BUFFER;
}

export function io_capacity(): u32 {
  return IO_CAPACITY;
}

// ---- start ----

/**
 * Mounts what is on flash and takes up what a reboot or a power cut interrupted. Negative: nothing can be
 * done. What became of an interrupted install is the outcome that `state_read` tells.
 */
export function core_start(): Status {
  phase = Phase.UNUSABLE;
  pause = 0;
  waited = true;
  failures = 0;
  fetching = false;
  fresh = false;
  outcome = Status.OK;
  outcome_role = Role.NONE;
  const status = start();
  if (phase == Phase.UNUSABLE) return status;
  outcome = status;
  if (status < 0) outcome_role = Role.IMAGE;
  return Status.OK;
}

function start(): Status {
  let status = store_mount();
  if (status != Status.OK) return status;
  const given = store_entry(Kind.CONFIG);
  if (given.length == 0 || store_entry(Kind.ROOT).length == 0) return Status.NOT_PROVISIONED;
  status = config_read(store_bank(), given.offset, given.length);
  if (status == Status.OK) status = device_mount();
  if (status == Status.OK) status = journal_mount();
  if (status == Status.OK && !slots_usable()) status = Status.LAYOUT_INVALID;
  if (status == Status.OK && !store_is_sealed()) status = seal();
  return status == Status.OK ? take_up_install() : status;
}

/** After provisioning: from now on a store without root, configuration or device state is a damaged one. */
function seal(): Status {
  const status = device_store();
  return status == Status.OK ? store_move() : status;
}

function take_up_install(): Status {
  const boot = host.boot_state();
  if (boot < 0) return Status.BOOT;
  const runs = (boot & 1) == install.slot;
  const on_trial = (boot & ON_TRIAL) != 0;
  phase = on_trial ? Phase.TRIAL : Phase.IDLE;
  switch (install.stage) {
    case Stage.SELECTED:
      if (!runs) return try_again();
      return on_trial ? Status.OK : confirm(); // a host that confirms by itself
    case Stage.CONFIRMING:
      return runs ? confirm() : try_again();
    case Stage.REJECTING:
      return reject(Status.SELF_TEST_FAILED);
    default:
      // An image on trial that no journal knows was not verified here.
      return on_trial ? leave_trial() : Status.OK;
  }
}

/** Selected, but another slot runs: power failed before the trial, or the trial ended without a verdict. */
function try_again(): Status {
  if (install.trials >= MAX_TRIALS) return reject(Status.TRIAL_FAILED);
  return select();
}

/** Records that the slot is selected, selects it, and counts that. Power that fails in between costs no trial. */
function select(): Status {
  install.stage = Stage.SELECTED;
  const status = journal_record();
  if (status != Status.OK) return status;
  if (host.boot_select(install.slot) < 0) return Status.BOOT;
  install.trials++;
  phase = Phase.REBOOT;
  return journal_record();
}

function confirm(): Status {
  const status = device_confirm();
  if (status != Status.OK) return status;
  phase = Phase.IDLE;
  return journal_clear();
}

/** Gives the image up and makes sure that the old one runs. */
function reject(why: Status): Status {
  const boot = host.boot_state();
  if (boot < 0) return Status.BOOT;
  phase = Phase.IDLE;
  let status = boot & ON_TRIAL ? leave_trial() : Status.OK;
  if (status == Status.OK) status = device_note_failure();
  if (status == Status.OK) status = journal_clear();
  return status == Status.OK ? why : status;
}

/** Brings the old image back with the next boot. Where that fails, the boot after tries it again. */
function leave_trial(): Status {
  phase = Phase.REBOOT;
  return host.boot_revert() < 0 ? Status.BOOT : Status.OK;
}

/** The image on trial works: it becomes permanent. */
export function image_confirm(): Status {
  if (phase != Phase.TRIAL) return Status.WRONG_STATE;
  install.stage = Stage.CONFIRMING;
  const status = journal_record();
  return status == Status.OK ? confirm() : status;
}

/** The image on trial does not work: the old one returns with the next boot. */
export function image_reject(): Status {
  if (phase != Phase.TRIAL) return Status.WRONG_STATE;
  install.stage = Stage.REJECTING;
  let status = journal_record();
  if (status == Status.OK) status = reject(Status.SELF_TEST_FAILED);
  outcome = status;
  outcome_role = Role.IMAGE;
  return status == Status.SELF_TEST_FAILED ? Status.OK : status;
}

// ---- provisioning ----

export function provision_begin(wanted: Part): Status {
  if (wanted != Part.CONFIG && wanted != Part.ROOT) return Status.BAD_ARGUMENT;
  if (phase != Phase.UNUSABLE && phase != Phase.PROVISION) return Status.ALREADY_PROVISIONED;
  phase = Phase.UNUSABLE;
  let status = store_mount();
  if (status == Status.OK && store_entry(Kind.ROOT).length != 0) return Status.ALREADY_PROVISIONED;
  if (wanted == Part.ROOT && store_entry(Kind.CONFIG).length == 0) return Status.WRONG_STATE;
  if (status == Status.NOT_PROVISIONED) status = store_format();
  if (status != Status.OK) return status;
  record_begin(wanted == Part.CONFIG ? Kind.CONFIG : Kind.ROOT);
  part = wanted;
  phase = Phase.PROVISION;
  return Status.OK;
}

export function provision_write(length: u32): Status {
  if (phase != Phase.PROVISION) return Status.WRONG_STATE;
  if (length > IO_CAPACITY) return Status.BAD_ARGUMENT;
  if (part == Part.CONFIG && record_length() + length > MAX_CONFIG) return Status.CONFIG_INVALID;
  return record_write(IO_BUFFER, length);
}

export function provision_end(): Status {
  if (phase != Phase.PROVISION) return Status.WRONG_STATE;
  phase = Phase.UNUSABLE;
  const status = part == Part.CONFIG ? accept_config() : root_provision();
  if (status != Status.OK) {
    record_abort();
    return status;
  }
  return part == Part.ROOT ? core_start() : Status.OK;
}

function accept_config(): Status {
  let status = record_finish();
  if (status == Status.OK) status = config_read(store_bank(), record_offset(), record_length());
  return status == Status.OK ? record_commit(0, 0, 0) : status;
}

// ---- what to do next ----

export function agent_step(now: u32): Action {
  const action = step(now < NEVER && now != <u32>i32.MAX_VALUE ? now : 0);
  if (action == Action.WAIT) waited = true;
  return action;
}

/** As with the highest signed number, this is what a clock says that was never set, and no time. */
const NEVER: u32 = 0xffffffff;

function step(now: u32): Action {
  switch (phase) {
    case Phase.IDLE:
      // In the host's own time, and a clock that was set back since ends the pause. However long a check took, the
      // host hears of its end.
      if (!waited || (now != 0 && now - checked < pause)) return Action.WAIT;
      checked = now;
      begin_check(now);
      return advance();
    case Phase.METADATA:
      return fetching ? Action.FETCH : advance();
    case Phase.IMAGE:
    case Phase.TARGET:
      return Action.FETCH;
    case Phase.VERIFY:
      return verify();
    case Phase.REBOOT:
      return Action.REBOOT;
    case Phase.TRIAL:
      return Action.SELF_TEST;
    default:
      return !isDefined(SMALL) && phase == Phase.BASE ? verify_base() : Action.WAIT;
  }
}

export function agent_until(): u32 {
  return checked + pause < checked ? <u32>-1 : checked + pause;
}

function begin_check(now: u32): void {
  // A clock that was set back does not bring expired metadata back.
  check_time = max(now, device.time);
  fetching = false;
  fresh = false;
  searching = false;
  finding = false;
  time_known = now != 0;
  whole = false;
  // What could not be finished before comes first.
  let status = install.stage == Stage.CONFIRMING ? confirm() : Status.OK;
  if (status != Status.OK) {
    end_check(status, Role.IMAGE);
    return;
  }
  status = !isDefined(SMALL) && config.needs_time && !time_known ? Status.TIME_UNKNOWN : workflow_begin(check_time);
  if (status == Status.OK) phase = Phase.METADATA;
  else end_check(status, Role.ROOT);
}

/** Goes on until something must be fetched, or the check ends. */
function advance(): Action {
  if (phase != Phase.METADATA) return Action.WAIT;
  if (!isDefined(SMALL) && moving) return search_on();
  const status = workflow_next();
  if (status != Status.OK) return cannot_use(status);
  if (workflow_role() == Role.NONE) return look();
  name_length = workflow_name_length();
  fetching = true;
  return Action.FETCH;
}

/** A targets role is verified: looks into it. */
function look(): Action {
  if (isDefined(SMALL)) return look_at_top();
  if (!searching) {
    fresh = true;
    begin_search(selection_begin(), true);
    if (!config_selects()) return select_release();
  }
  const status = finding ? target_look() : selection_look();
  if (status == Status.OK && finding) return begin_target();
  if (status == Status.OK || status == Status.NOT_FOUND) return search_on();
  search_leave();
  return cannot_use(status);
}

/** The small core follows no delegations. */
function look_at_top(): Action {
  selection_begin();
  const status = selection_look();
  return status == Status.OK ? select_release() : end_check(status, Role.TARGETS);
}

function begin_search(length: u32, start: bool): void {
  searching = true;
  moving = false;
  role_fault = Status.OK;
  workflow_search_begin(length, start);
}

/** Moves on to the next delegated role, a role a call: each may have signatures to verify. */
function search_on(): Action {
  moving = false;
  const status = workflow_search();
  if (status == Status.OK) return Action.CONTINUE;
  if (status != Status.NOT_FOUND) return cannot_use(status);
  return finding ? end_check(missing_target(), Role.NONE) : select_release();
}

/**
 * A file cannot be used. A search for a release goes on without a delegated role: who may delay his own releases must
 * not be able to delay those of others. What stands in for it later in the search is not trusted (search_trusts).
 */
function cannot_use(status: Status): Action {
  if (isDefined(SMALL)) return end_check(status, workflow_role());
  const role = !searching ? workflow_role() : search_is_at_top() ? Role.TARGETS : Role.DELEGATED;
  if (role != Role.DELEGATED || finding || !is_verdict(status)) return end_check(status, role);
  record_abort();
  if (role_fault == Status.OK) role_fault = status;
  moving = true;
  return Action.CONTINUE;
}

/** Whether a finding is about the file itself, and not about how it came or where it should go. */
function is_verdict(status: Status): bool {
  const judged = status <= Status.JSON_SYNTAX && status > Status.NETWORK;
  return judged || status == Status.NOT_FOUND || status == Status.STORE_FULL;
}

/** Nobody lists the target; or what he lists was not reached. */
function missing_target(): Status {
  return search_is_cut_short() ? Status.TOO_MANY_ROLES : Status.TARGET_UNKNOWN;
}

function end_check(status: Status, role: Role): Action {
  record_abort();
  phase = Phase.IDLE;
  waited = false;
  fetching = false;
  outcome = status;
  outcome_role = status < 0 ? role : Role.NONE;
  if (finding) return Action.WAIT;
  failures = status < 0 ? failures + 1 : 0;
  const retry = RETRY << min(failures - 1, RETRY_DOUBLINGS);
  pause = status < 0 ? min(retry, config.interval) : config.interval;
  return Action.WAIT;
}

/** All metadata is verified: is there a release to install? */
function select_release(): Action {
  const status = device_saw_time(check_time);
  if (status != Status.OK) return end_check(status, Role.TARGETS);
  if (best.release <= device.release) return end_without_release();
  if (!best.has_sha256 && !best.has_sha512) return end_check(Status.HASH_UNKNOWN, Role.TARGETS);
  if (device_failed(best_digest())) return end_check(Status.RELEASE_FAILED_BEFORE, Role.NONE);
  // Against a downgrade to a release with known holes, signed as it may be.
  if (best.security < device.security) return end_check(Status.COUNTER_ROLLBACK, Role.IMAGE);
  const name = selection_name(workflow_consistent());
  if (name < 0) return end_check(name, Role.IMAGE);
  name_length = name;
  return isDefined(SMALL) ? begin_install() : choose_payload();
}

/** Fetches the patch for the image that runs, else the compressed image, else the image as it is. */
function choose_payload(): Action {
  const status = find_offer(true);
  if (status != Status.OK) return end_check(status, Role.TARGETS);
  if (offer.length == 0) return without_base();
  base_begin();
  phase = Phase.BASE;
  return Action.CONTINUE;
}

function find_offer(patch: bool): Status {
  if (!whole && best.has_sha256 && journal_holds(PAYLOAD_ROOM)) return offer_find(patch);
  offer.length = 0;
  return Status.OK;
}

/** Nothing is written before the image that a patch is for was found here, byte for byte. */
function verify_base(): Action {
  const status = base_read(host.boot_state() & 1, offer.base_length);
  if (status != Status.OK) return without_base();
  if (!base_is_read(offer.base_length)) return Action.CONTINUE;
  return base_is(offer_base()) ? begin_install() : without_base();
}

function without_base(): Action {
  const status = find_offer(false);
  return status == Status.OK ? begin_install() : end_check(status, Role.TARGETS);
}

/** There is nothing newer, as far as could be seen. */
function end_without_release(): Action {
  if (role_fault != Status.OK) return end_check(role_fault, Role.DELEGATED);
  if (!isDefined(SMALL) && search_is_cut_short()) return end_check(Status.TOO_MANY_ROLES, Role.DELEGATED);
  return end_check(elsewhere.release > device.release ? Status.NOT_FOR_HARDWARE : Status.UP_TO_DATE, Role.NONE);
}

function begin_install(): Action {
  const boot = host.boot_state();
  // On trial the other slot is the one to fall back to: it is not to be touched.
  if (boot < 0 || (boot & ON_TRIAL) != 0) return end_check(Status.BOOT, Role.IMAGE);
  const slot = (boot & 1) ^ 1;
  if (best.length > slot_capacity(slot) || best.length == 0) return end_check(Status.IMAGE_TOO_LARGE, Role.IMAGE);
  const status = prepare_install(slot);
  if (status != Status.OK) return end_check(status, Role.IMAGE);
  slot_resume(best.has_sha256, best_sha512());
  phase = Phase.IMAGE;
  stalls = 0;
  return resume_payload();
}

function resume_payload(): Action {
  if (isDefined(SMALL)) return fetch_image();
  const patch = payload_is_patch();
  const name = patch ? offer_name(workflow_consistent()) : selection_name(workflow_consistent());
  if (patch && (name < 0 || payload_resume() != Status.OK)) return give_patch_up();
  if (name < 0) return end_check(name, Role.IMAGE);
  name_length = name;
  return fetch_image();
}

function fetch_image(): Action {
  if (payload_is_whole()) return finish_image();
  fetching = true;
  return Action.FETCH;
}

/** Whether the journal is about this very image. */
function continues(slot: i32): bool {
  if (install.stage != Stage.DOWNLOADING || install.slot != slot || install.length != best.length) return false;
  return bytes_equal(install_digest(), best_digest(), 32);
}

/** Records the install, a new one or the one that goes on, with the counters that are signed for it now. */
function prepare_install(slot: i32): Status {
  if (!continues(slot)) {
    // Whatever was selected before, nothing may boot a slot while it is written.
    if (host.boot_revert() < 0) return Status.BOOT;
    install.stage = Stage.DOWNLOADING;
    install.slot = slot;
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
 * A patch begins, or goes on where it stands in the journal; where it cannot, the image goes on from there as it is.
 * Whether the journal does not say so yet.
 */
function choose_state(): bool {
  if (isDefined(SMALL)) return false;
  const before = install.state;
  if (install.offset == 0) {
    install.state = 0;
    if (offer.length != 0) payload_begin(offer.length, offer_digest(), offer.base_length);
  } else if (before != 0 && (offer.length == 0 || !payload_continues(offer.length, offer_digest()))) install.state = 0;
  return install.state != before;
}

/** All bytes are there, or ought to be. */
function finish_image(): Action {
  const status = payload_finish();
  if (status != Status.OK) return payload_is_patch() ? give_patch_up() : give_image_up(status);
  if (!isDefined(SMALL)) install.state = 0;
  phase = Phase.VERIFY;
  return Action.CONTINUE;
}

/** What a patch made is worth nothing: the image itself is fetched, from its start. */
function give_patch_up(): Action {
  journal_clear();
  return fetch_whole();
}

function fetch_whole(): Action {
  whole = true;
  offer.length = 0;
  return begin_install();
}

/** Reads a slice back; after the last one, selects the slot. */
function verify(): Action {
  let status = slot_verify();
  if (status != Status.OK) return give_image_up(status);
  if (!slot_is_verified()) return Action.CONTINUE;
  status = select();
  if (status != Status.OK) return give_image_up(status);
  outcome = Status.READY_TO_REBOOT;
  outcome_role = Role.NONE;
  failures = 0;
  return Action.REBOOT;
}

/** What is in the slot is not the image: forget it, so that the next check starts anew. */
function give_image_up(status: Status): Action {
  journal_clear();
  return end_check(status, Role.IMAGE);
}

// ---- one target, by its path ----

/**
 * Looks for the target whose path, of so many bytes, is in the buffer, with the metadata of the last check; what the
 * steps after it fetch are delegated roles and then the target, which the core verifies and does not keep. The outcome
 * is TARGET_VERIFIED or a finding. WRONG_STATE: not between two checks, or the last one found a fault in the metadata.
 */
export function target_find(length: u32): Status {
  if (isDefined(SMALL) || phase != Phase.IDLE || !fresh) return Status.WRONG_STATE;
  if (length > PATH_CAPACITY) return Status.NAME_TOO_LONG;
  memory.copy(PATH_BUFFER, IO_BUFFER, length);
  begin_search(length, false);
  finding = true;
  phase = Phase.METADATA;
  return Status.OK;
}

/** Whether the target that was asked for is on its way. */
function in_target(): bool {
  return !isDefined(SMALL) && phase == Phase.TARGET;
}

function begin_target(): Action {
  const name = target_name(workflow_consistent());
  if (name < 0) return end_check(name, Role.IMAGE);
  name_length = name;
  phase = Phase.TARGET;
  fetching = true;
  return Action.FETCH;
}

function end_target(result: Status): Status {
  let status = fault;
  if (status == Status.OK) status = result == Status.OK ? target_end() : result == Status.NOT_FOUND ? result : Status.NETWORK;
  end_check(status == Status.OK ? Status.TARGET_VERIFIED : status, Role.IMAGE);
  return status;
}

// ---- fetching ----

export function fetch_kind(): FetchKind {
  return phase == Phase.METADATA ? FetchKind.METADATA : FetchKind.TARGET;
}

export function fetch_name_length(): u32 {
  return name_length;
}

export function fetch_offset(): u32 {
  return phase == Phase.IMAGE ? payload_offset() : 0;
}

export function fetch_limit(): u32 {
  if (in_target()) return target_length();
  return phase == Phase.IMAGE ? payload_length() - payload_offset() : workflow_limit();
}

/** An answer begins, at this byte of the file. Called again, it starts over. */
export function fetch_begin(offset: u32): Status {
  if (!fetching) return Status.WRONG_STATE;
  fault = Status.OK;
  skip = 0;
  if (phase == Phase.METADATA) {
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
  before = payload_offset();
  // A server that ignores the range starts at 0: what is already here is passed over, and not written at
  // the wrong place.
  if (offset > before) fault = Status.RANGE;
  else skip = before - offset;
  return fault;
}

/** The next bytes of the answer, in the buffer. */
export function fetch_write(length: u32): Status {
  if (!fetching || (phase == Phase.METADATA && !record_is_open())) return Status.WRONG_STATE;
  if (length > IO_CAPACITY) return Status.BAD_ARGUMENT;
  if (fault != Status.OK) return fault;
  if (in_target()) fault = target_write(IO_BUFFER, length);
  else fault = phase == Phase.METADATA ? write_metadata(length) : write_image(length);
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
  return payload_write(IO_BUFFER + passed, length - passed);
}

/** The answer has ended, or there was none: what comes of it. */
export function fetch_end(result: Status): Status {
  if (!fetching) return Status.WRONG_STATE;
  let status: Status;
  if (in_target()) status = end_target(result);
  else status = phase == Phase.METADATA ? end_metadata(result) : end_image(result);
  fault = Status.OK;
  return status;
}

function end_metadata(result: Status): Status {
  fetching = false;
  let status = fault;
  if (status == Status.OK) {
    if (result == Status.NOT_FOUND) status = workflow_missing();
    else if (result != Status.OK) status = Status.NETWORK;
    else status = record_is_open() ? workflow_accept() : Status.NETWORK;
  }
  if (status != Status.OK) cannot_use(status);
  return status;
}

function end_image(result: Status): Status {
  const why = fault;
  if (why == Status.TOO_LONG) {
    // What came before is in the journal and stays: somebody who adds a byte must not undo a download.
    end_check(why, Role.IMAGE);
    return why;
  }
  if (why != Status.OK && why != Status.RANGE) {
    if (payload_is_patch()) give_patch_up();
    else give_image_up(why);
    return why;
  }
  if (payload_is_whole()) {
    fetching = false;
    finish_image();
    if (!isDefined(SMALL) && phase == Phase.IMAGE) return Status.PATCH_INVALID;
    return phase == Phase.VERIFY ? Status.OK : outcome;
  }
  if (result == Status.NOT_FOUND) {
    if (payload_is_patch()) fetch_whole();
    else end_check(Status.NOT_FOUND, Role.IMAGE);
    return Status.NOT_FOUND;
  }
  return retry_image(result == Status.OK ? Status.TRUNCATED : Status.NETWORK);
}

/** Less came than was asked for. As long as enough comes, ask for the rest. */
function retry_image(status: Status): Status {
  stalls = payload_offset() - before >= LEAST_PROGRESS ? 0 : stalls + 1;
  before = payload_offset();
  if (stalls >= MAX_STALLS) end_check(status, Role.IMAGE);
  return status;
}

/** The outcome of the last check. */
export function agent_status(): Status {
  return outcome;
}

/** The role that it concerns. */
export function agent_role(): Role {
  return outcome_role;
}

/** Whether the last check had the time from the host. */
export function agent_time_known(): bool {
  return !isDefined(SMALL) && time_known;
}
