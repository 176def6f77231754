// The one state machine: what the host is to do next. It runs a check (the TUF workflow), picks releases,
// downloads them, reads them back, selects their slots, and judges their trial after the reboot.
//
//   IDLE ──due──▶ METADATA ──verified──▶ IMAGE ──arrived──▶ VERIFY ──right──▶ ASK ──now──▶ REBOOT
//    ▲  ▲────────────┴── any fault, not now ──┴─────────────────┴────────later──┘             ┆ power
//    └──────────────── confirmed ◀── TRIAL ◀──────── SELECTED in the journal ◀────────────────┘
//
// From VERIFY it goes back to METADATA, to look for what to fetch, as long as other components of a set are missing.
//
// Where an ECU reports what is installed, it does so between IDLE and METADATA: REPORT.
//
// Between two checks a host may ask for one target by its path: METADATA (its delegated roles), then TARGET.

import { Action, ABI_VERSION } from "../abi";
import { IO_BUFFER, IO_CAPACITY } from "../memory";
import { check_advance, check_begin, check_next } from "./check";
import { clock_ask } from "./clock";
import { download_verify, download_verify_base } from "./download";
import { profile } from "../metadata/profile";
import { policy, policy_clock, policy_settle } from "./policy";
import { PATCHING } from "../lean";
import { report_begin } from "./report";
import { Phase, run } from "./run";

export function abi_version(): i32 {
  return ABI_VERSION;
}

export function io_pointer(): usize {
  return IO_BUFFER;
}

export function io_capacity(): u32 {
  return IO_CAPACITY;
}

export function agent_step(now: u32): Action {
  const known = now < NEVER && now != <u32>i32.MAX_VALUE ? now : 0;
  if (!isDefined(SMALL)) policy_clock(known);
  const action = step(known);
  if (action == Action.WAIT) run.waited = true;
  return action;
}

/** As with the highest signed number, this is what a clock says that was never set, and no time. */
const NEVER: u32 = 0xffffffff;

function step(now: u32): Action {
  switch (run.phase) {
    case Phase.IDLE:
      if (!isDefined(SMALL) && policy.left != 0) policy_settle();
      // In the host's own time, and a clock that was set back since ends the pause. However long a check took, the
      // host hears of its end.
      if (!run.waited || (now != 0 && now - run.checked < run.pause)) return Action.WAIT;
      run.checked = now;
      if (!isDefined(SMALL) && profile.reports) return report_begin();
      check_begin(now);
      return check_advance();
    case Phase.METADATA:
      return run.fetching ? Action.FETCH : check_advance();
    case Phase.IMAGE:
    case Phase.TARGET:
      return Action.FETCH;
    case Phase.VERIFY:
      return download_verify();
    case Phase.REBOOT:
      return Action.REBOOT;
    case Phase.TRIAL:
      return Action.SELF_TEST;
    default:
      return PATCHING ? other_step() : Action.WAIT;
  }
}

/** What the small core does not do. */
function other_step(): Action {
  if (run.phase == Phase.BASE) return download_verify_base();
  if (isDefined(SMALL)) return Action.WAIT;
  if (run.phase == Phase.NEXT) return check_next();
  if (run.phase == Phase.REPORT) return Action.REPORT;
  if (run.phase == Phase.TIME) return clock_ask();
  return run.phase == Phase.ASK ? Action.ASK : Action.WAIT;
}

export function agent_until(): u32 {
  return run.checked + run.pause < run.checked ? <u32>-1 : run.checked + run.pause;
}
