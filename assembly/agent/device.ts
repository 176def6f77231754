// What changes in a device's life and must never fall: the latest known time, the security counter, which
// image is confirmed. One small record of the trust store.

import { bytes_equal } from "../bytes";
import * as host from "../host";
import { DEVICE, DEVICE_ROOM } from "../memory";
import { Status } from "../status";
import { install, install_digest, install_version } from "../storage/journal";
import { flash_read } from "../storage/flash";
import { Kind, record_replace, store_bank, store_entry } from "../storage/record";
import { config, config_version } from "./config";

@unmanaged
export class Device {
  /** The latest time that is known to have passed, seconds since 1970. */
  time: u32;
  /** Images below this security counter do not run here. */
  security: u32;
  /** Release counter of the confirmed image. */
  release: u32;
  // 32 bytes of version text (length first), 32 of the digest of an image that failed its trial follow.
}

const VERSION_AT: usize = 12;
const FAILED_AT: usize = 44;
const DEVICE_SIZE: i32 = 76;
if (DEVICE_SIZE > DEVICE_ROOM) ERROR("the Device does not fit its region");

/** Seconds by which the clock must have moved before its time is written down again, to spare the flash. */
const TIME_STEP: u32 = 3600;

export const device = changetype<Device>(DEVICE);

/** Version of the confirmed image, length first. */
export function device_version(): usize {
  return DEVICE + VERSION_AT;
}

/** Reads the record, or takes the configuration's word where there is none yet. */
export function device_mount(): Status {
  const entry = store_entry(Kind.DEVICE);
  memory.fill(DEVICE, 0, DEVICE_SIZE);
  if (entry.length == DEVICE_SIZE) {
    const status = flash_read(store_bank(), entry.offset, DEVICE, DEVICE_SIZE);
    if (status != Status.OK) return status;
  } else {
    device.release = config.release;
    memory.copy(device_version(), config_version(), 32);
  }
  // Each of these is a floor: what the firmware was built with, what the board counts, what was seen.
  device.time = max(device.time, config.build_time);
  device.security = max(device.security, config.security);
  const counted = host.counter_read();
  if (counted > 0) device.security = max(device.security, <u32>counted);
  return Status.OK;
}

/** Writes the record. */
export function device_store(): Status {
  return record_replace(Kind.DEVICE, DEVICE, DEVICE_SIZE);
}

/**
 * Raises the latest known time to that of a check in which all metadata held and none had expired: a clock
 * that runs ahead can thus push the floor no further than to the expiry of the timestamp.
 */
export function device_saw_time(now: u32): Status {
  if (now < device.time || now - device.time < TIME_STEP) return Status.OK;
  device.time = now;
  return device_store();
}

/** The trial succeeded: the install becomes the confirmed image. Doing it twice is doing it once. */
export function device_confirm(): Status {
  if (host.boot_confirm() < 0) return Status.BOOT;
  // Only now: a counter that rose before would lock the old image out while it may still be needed.
  if (host.counter_read() >= 0 && host.counter_advance(install.security) < 0) return Status.COUNTER;
  device.security = max(device.security, install.security);
  device.release = install.release;
  memory.copy(device_version(), install_version(), 32);
  return device_store();
}

/** Remembers that the image of the install failed, so that it is not tried for ever. */
export function device_note_failure(): Status {
  memory.copy(DEVICE + FAILED_AT, install_digest(), 32);
  return device_store();
}

/** Whether this digest is that of the image that failed last. */
export function device_failed(digest: usize): bool {
  return bytes_equal(digest, DEVICE + FAILED_AT, 32);
}
