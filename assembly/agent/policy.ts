// What the user and the application have a say in: whether updates are installed by themselves, and when the device is
// disturbed. With nothing said all goes by itself. A postponement has an end that no further one moves.

import { Mode } from "../abi";
import * as host from "../host";
import { POLICY, POLICY_ROOM } from "../memory";
import { Status } from "../status";
import { flash_read } from "../storage/flash";
import { log_time } from "../storage/log";
import { Kind, record_replace, store_bank, store_entry } from "../storage/record";
import { config, config_selects } from "./config";
import { device } from "./device";

@unmanaged
export class Policy {
  /** What tells this device from others of the fleet; random. */
  seed: u32;
  mode: Mode;
  /** The set that the user approved of (set_mark): the release counter, where it is the main component alone. */
  approved: u32;
  /** When the update that waits was first postponed, and until when it is; 0: it was not. Seconds since 1970. */
  offered: u32;
  until: u32;
  /** When the device left for another image; 0: it is back. */
  left: u32;
  /** Seconds from there until the image was judged, at the last install. */
  downtime: u32;
  /** Reports up to this number may have been made. */
  reports: u32;
}

const POLICY_SIZE: i32 = 32;
/** As cores wrote it that knew no reports. */
const POLICY_LEAST: i32 = 28;
if (<i32>offsetof<Policy>() != POLICY_SIZE || POLICY_SIZE > POLICY_ROOM) ERROR("the Policy does not fit its region");

export const policy = changetype<Policy>(POLICY);

/** The host's time at the last step; 0: unknown. */
export let policy_now: u32 = 0;
/** Pauses since the start: each is another one. */
let draws: u32 = 0;

/** Reads the record, or makes one. */
export function policy_mount(): Status {
  const entry = store_entry(Kind.POLICY);
  draws = 0;
  memory.fill(POLICY, 0, POLICY_SIZE);
  if (entry.length - POLICY_LEAST <= <u32>(POLICY_SIZE - POLICY_LEAST)) return flash_read(store_bank(), entry.offset, POLICY, entry.length);
  if (!config_selects()) return Status.OK;
  // Without random bytes by what it was provisioned with, which differs where each device is given a field of its own.
  if (host.entropy(POLICY, 4) < 0) policy.seed = store_entry(Kind.CONFIG).crc;
  return policy_store();
}

export function policy_store(): Status {
  return record_replace(Kind.POLICY, POLICY, POLICY_SIZE, 0);
}

export function policy_clock(now: u32): void {
  policy_now = now;
  log_time(max(now, device.time));
}

/**
 * A pause of up to a quarter less than so many seconds: devices that were switched on at once do not ask at once for
 * ever. Never more, and the same after each start of one device. (splitmix32)
 */
export function policy_spread(seconds: u32): u32 {
  if (!config_selects()) return seconds;
  let z = policy.seed + draws++ * 0x9e3779b9;
  z = (z ^ (z >>> 16)) * 0x21f0aaad;
  z = (z ^ (z >>> 15)) * 0x735a2d97;
  z ^= z >>> 15;
  return seconds - <u32>(((<u64>z) * (seconds >>> 2)) >>> 32);
}

/** Whether the set of this mark may be installed now: OK, or why not. */
export function policy_verdict(mark: u32): Status {
  // A clock behind what is known to have passed was set back, and holds nothing up.
  if (policy_now >= max(device.time, policy.offered) && policy_now < policy.until) return Status.POSTPONED;
  if (policy.mode == Mode.AUTOMATIC || policy.approved == mark) return Status.OK;
  return policy.mode == Mode.OFF ? Status.OPTED_OUT : Status.UPDATE_AVAILABLE;
}

/** Whether "later" may still be said. */
export function policy_asks(): bool {
  return policy.offered == 0 || policy_now - policy.offered < config.max_postpone;
}

/** Postpones the update, at most until the end that was set when it was first postponed. POSTPONE_LIMIT: that is now. */
export function policy_postpone(until: u32): Status {
  if (policy_now == 0) return Status.TIME_UNKNOWN;
  if (!policy_asks()) return Status.POSTPONE_LIMIT;
  if (policy.offered == 0) policy.offered = policy_now;
  policy.until = min(until, policy.offered + config.max_postpone);
  return policy_store();
}

/** The device leaves for another image. */
export function policy_leave(): void {
  if (policy_now == 0) return;
  policy.left = policy_now;
  policy_store();
}

/** What became of the update is known, or there is none any more: the next one may be postponed from its own beginning. */
export function policy_settle(): void {
  if (policy_now == 0 || (policy.left | policy.offered) == 0) return;
  if (policy.left != 0) policy.downtime = policy_now - policy.left;
  policy.left = 0;
  policy.offered = 0;
  policy.until = 0;
  policy_store();
}
