// A check: the TUF workflow file by file, the search through targets roles, and the release that comes of it.

import { Action, Role } from "../abi";
import { IO_BUFFER, PATH_BUFFER, PATH_CAPACITY } from "../memory";
import { Status } from "../status";
import { install, Stage } from "../storage/journal";
import { is_partial, is_uptane, Mode, profile } from "../metadata/profile";
import { record_abort, store_is_settled, store_settle } from "../storage/record";
import { search_is_at_top, search_is_cut_short, search_leave, search_waits } from "../tuf/search";
import {
  workflow_begin,
  workflow_consistent,
  workflow_missing,
  workflow_name_length,
  workflow_next,
  workflow_role,
  workflow_search,
  workflow_search_begin,
} from "../tuf/workflow";
import { trusted_is_director, trusted_is_offline } from "../tuf/trusted";
import { clock, clock_begin, clock_settle } from "./clock";
import { config_selects } from "./config";
import { components } from "./components";
import { device, device_failed, device_saw_time } from "./device";
import { download_begin } from "./download";
import { match_begin, match_check, match_find, match_look, match_next, match_take } from "./match";
import { Phase, run, run_end, run_fetch } from "./run";
import { policy_settle, policy_verdict } from "./policy";
import { best, best_digest, elsewhere, selection_begin, selection_component, selection_look, selection_name } from "./selection";
import { set_add, set_begin, set_failed, set_has_best, set_holds, set_is_empty, set_is_foreign, set_mark, set_next } from "./set";
import { target_fetch, target_look } from "./target";
import { trial_confirm } from "./trial";

/** The search through targets roles has begun. */
let searching: bool = false;
/** The role in hand is done with: on to the next. */
let moving: bool = false;
/** A set was chosen and holds together: the search goes through it again, and each release found is installed. */
let judged: bool = false;
/** What was wrong with the first delegated role that could not be used. */
let role_fault: Status = Status.OK;

export function check_begin(now: u32): void {
  run.fetching = false;
  run.fresh = false;
  searching = false;
  judged = false;
  role_fault = Status.OK;
  run.finding = false;
  // What could not be finished before comes first.
  let status = install.stage == Stage.CONFIRMING ? trial_confirm() : Status.OK;
  if (status != Status.OK) {
    run_end(status, Role.IMAGE);
    return;
  }
  clock_begin(now);
  status = workflow_begin(clock.time, !isDefined(SMALL) && profile.mode == Mode.FULL);
  if (status == Status.OK) run.phase = Phase.METADATA;
  else run_end(status, Role.ROOT);
}

/** Goes on until something must be fetched, or the check ends. */
export function check_advance(): Action {
  if (run.phase != Phase.METADATA) return Action.WAIT;
  if (!isDefined(SMALL) && moving) return search_on();
  // The timestamp announces what it did when nothing was found to do: what was read then would be read again.
  if (workflow_role() == Role.SNAPSHOT && !trusted_is_director() && !trusted_is_offline() && store_is_settled(clock.time)) return decide();
  const status = workflow_next();
  if (status != Status.OK) return check_fault(status);
  if (workflow_role() == Role.NONE) return look();
  return run_fetch(workflow_name_length());
}

/** The repository does not have the file; after the newest root the time is next, before anything is judged by it. */
export function check_missing(): Status {
  return isDefined(SMALL) || clock.settled || workflow_role() != Role.ROOT ? workflow_missing() : clock_settle();
}

/** All metadata holds, and what this device should have is known. */
function decide(): Action {
  if (isDefined(SMALL)) return select_release();
  run.fresh = true;
  return judge_set();
}

/** A targets role is verified: looks into it. */
function look(): Action {
  if (isDefined(SMALL)) return look_at_top();
  if (!searching) return begin_look();
  const status = search_waits() ? Status.NOT_FOUND : is_uptane() ? match_look() : run.finding ? target_look() : selection_look();
  if (status == Status.OK && is_uptane()) return matched();
  if (status == Status.OK && run.finding) return target_fetch();
  if (status == Status.OK || status == Status.NOT_FOUND) return search_on();
  search_leave();
  return check_fault(status);
}

/** All top-level roles of a repository are verified. */
function begin_look(): Action {
  const directed = trusted_is_director();
  if (directed || is_partial()) {
    const status = match_check();
    if (status != Status.OK) return run_end(status, Role.TARGETS);
  }
  if (directed) {
    const status = workflow_begin(clock.time, false);
    return status == Status.OK ? Action.CONTINUE : run_end(status, Role.ROOT);
  }
  run.fresh = true;
  searching = true;
  set_begin();
  // The main component last: what was seen of it is what a host is told of.
  return config_selects() ? search_component(components() - 1) : judge_set();
}

/** Uptane: on to the next target that the Director lists. */
function match_on(): Action {
  const length = match_next();
  if (length < 0) return run_end(length, Role.TARGETS);
  return length == 0 ? end_search() : match(length);
}

/** Searches for the target that the Director lists, where there is an Image repository to search. */
function match(length: u32): Action {
  begin_search(length, false);
  return is_partial() ? matched() : Action.CONTINUE;
}

function matched(): Action {
  if (run.finding) return target_fetch();
  const status = match_take();
  return status == Status.OK ? match_on() : run_end(status, Role.IMAGE);
}

/** The small core follows no delegations. */
function look_at_top(): Action {
  selection_begin(0);
  const status = selection_look();
  return status == Status.OK ? select_release() : run_end(status, Role.TARGETS);
}

function begin_search(length: u32, start: bool): void {
  searching = true;
  moving = false;
  workflow_search_begin(length, start);
}

/** Moves on to the next delegated role, a role a call: each may have signatures to verify. */
function search_on(): Action {
  moving = false;
  const status = workflow_search();
  if (status == Status.OK) return Action.CONTINUE;
  if (status != Status.NOT_FOUND) return check_fault(status);
  return run.finding || is_uptane() ? run_end(missing_target(), Role.NONE) : end_search();
}

/**
 * A file cannot be used. A search for a release goes on without a delegated role: who may delay his own releases must
 * not be able to delay those of others. What stands in for it later in the search is not trusted (search_trusts).
 */
export function check_fault(status: Status): Action {
  if (isDefined(SMALL)) return run_end(status, workflow_role());
  const role = !searching ? workflow_role() : search_is_at_top() ? Role.TARGETS : Role.DELEGATED;
  if (role != Role.DELEGATED || run.finding || is_uptane() || !is_verdict(status)) return run_end(status, role);
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

/** All roles were looked into for the releases of one component. */
function end_search(): Action {
  if (role_fault == Status.OK && search_is_cut_short()) role_fault = Status.TOO_MANY_ROLES;
  const component = selection_component();
  if (judged) return set_has_best(component) ? fetch_best() : run_end(Status.SET_REFUSED, Role.IMAGE);
  const status = set_add(component);
  if (status != Status.OK) return run_end(status, status == Status.COUNTER_ROLLBACK || status == Status.KEY_MISSING ? Role.IMAGE : Role.TARGETS);
  return component == 0 ? judge_set() : search_component(component - 1);
}

function search_component(component: i32): Action {
  const length = selection_begin(component);
  run.phase = Phase.METADATA;
  if (is_uptane()) {
    match_begin();
    return match_on();
  }
  begin_search(length, true);
  return Action.CONTINUE;
}

/** All metadata is verified: is there something newer, and does it go together? Until then nothing is written. */
function judge_set(): Action {
  const status = device_saw_time(clock.time);
  if (status != Status.OK) return run_end(status, Role.TARGETS);
  if (set_is_empty()) return end_without_release();
  if (set_failed()) return run_end(Status.RELEASE_FAILED_BEFORE, Role.NONE);
  if (!set_holds()) return run_end(Status.SET_REFUSED, Role.TARGETS);
  const held = policy_verdict(set_mark());
  if (held != Status.OK) return run_end(held, Role.NONE);
  judged = true;
  return check_next();
}

/** Installs the next component of the set. */
export function check_next(): Action {
  const component = set_next();
  return component == selection_component() ? fetch_best() : search_component(component);
}

/** The small core: is there a release to install? */
function select_release(): Action {
  const status = device_saw_time(clock.time);
  if (status != Status.OK) return run_end(status, Role.TARGETS);
  if (best.release <= device.release) return end_without_release();
  if (!best.has_sha256 && !best.has_sha512) return run_end(Status.HASH_UNKNOWN, Role.TARGETS);
  if (device_failed(0, best_digest())) return run_end(Status.RELEASE_FAILED_BEFORE, Role.NONE);
  // Against a downgrade to a release with known holes, signed as it may be.
  if (best.security < device.security) return run_end(Status.COUNTER_ROLLBACK, Role.IMAGE);
  return fetch_best();
}

function fetch_best(): Action {
  const name = selection_name(workflow_consistent());
  if (name < 0) return run_end(name, Role.IMAGE);
  run.name_length = name;
  return download_begin();
}

/** There is nothing newer, as far as could be seen. */
function end_without_release(): Action {
  if (!isDefined(SMALL)) policy_settle();
  if (role_fault != Status.OK) return run_end(role_fault, Role.DELEGATED);
  // What a bundle does not have the Director may order all the same.
  if (!trusted_is_offline()) store_settle();
  const foreign = isDefined(SMALL) ? elsewhere.release > device.release : set_is_foreign();
  return run_end(foreign ? Status.NOT_FOR_HARDWARE : Status.UP_TO_DATE, Role.NONE);
}

// ---- one target, by its path ----

/**
 * Looks for the target whose path, of so many bytes, is in the buffer, with the metadata of the last check; what the
 * steps after it fetch are delegated roles and then the target, which the core verifies and does not keep. The outcome
 * is TARGET_VERIFIED or a finding. WRONG_STATE: not between two checks, or the last one found a fault in the metadata.
 */
export function target_find(length: u32): Status {
  if (isDefined(SMALL) || run.phase != Phase.IDLE || !run.fresh) return Status.WRONG_STATE;
  if (length > PATH_CAPACITY) return Status.NAME_TOO_LONG;
  memory.copy(PATH_BUFFER, IO_BUFFER, length);
  run.finding = true;
  run.phase = Phase.METADATA;
  const found = is_uptane() ? match_find(length) : length;
  if (<i32>found >= 0) match(length);
  else run_end(found, Role.NONE);
  return Status.OK;
}
