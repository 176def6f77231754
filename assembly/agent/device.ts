// What changes in a device's life and must never fall: the latest known time, the security counter, which
// image is confirmed. One small record of the trust store.

import { bytes_equal } from "../bytes";
import * as host from "../host";
import { DEVICE } from "../memory";
import { Status } from "../status";
import { install, install_component, install_digest, install_others, install_version } from "../storage/journal";
import { flash_read } from "../storage/flash";
import { Kind, record_replace, store_bank, store_entry } from "../storage/record";
import { components, part_at, PART_CONFIRMED, part_digest, PART_SIZE, part_version, parts_size, staged_at } from "./components";
import { config, config_version } from "./config";

@unmanaged
export class Device {
  /** The latest time that is known to have passed, seconds since 1970. */
  time: u32;
  /** Images below this security counter do not run here. */
  security: u32;
  /** Release counter of the confirmed image. */
  release: u32;
  // These two begin the Part of the main component; the Parts of others follow (components.ts).
}

/** Seconds by which the clock must have moved before its time is written down again, to spare the flash. */
const TIME_STEP: u32 = 3600;

export const device = changetype<Device>(DEVICE);

/** Version of the confirmed image, length first. */
export function device_version(): usize {
  return part_version(part_at(0));
}

/** Reads the record, or takes the configuration's word where there is none yet. */
export function device_mount(): Status {
  const entry = store_entry(Kind.DEVICE);
  const size = parts_size();
  memory.fill(DEVICE, 0, 4 + PART_SIZE);
  if (entry.length == size) {
    const status = flash_read(store_bank(), entry.offset, DEVICE, size);
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

/** Tells the time keys under which the latest known time was found out; 0: none. It stands beside the record. */
export function device_time_tag(): u32 {
  return store_entry(Kind.DEVICE).version;
}

/** From now on the time is found out under other keys: what was found out under those before does not count. */
export function device_reset_time(tag: u32): Status {
  device.time = config.build_time;
  return record_replace(Kind.DEVICE, DEVICE, parts_size(), tag);
}

/** Writes the record. */
export function device_store(): Status {
  return record_replace(Kind.DEVICE, DEVICE, parts_size(), device_time_tag());
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

/** The trial succeeded: the images of the install become the confirmed ones, all in one. Doing it twice is doing it once. */
export function device_confirm(): Status {
  if (host.boot_confirm() < 0) return Status.BOOT;
  const component = install_component();
  // Only now: a counter that rose before would lock the old image out while it may still be needed.
  if (component == 0 && host.counter_read() >= 0 && host.counter_advance(install.security) < 0) return Status.COUNTER;
  const part = part_at(component);
  part.security = max(part.security, install.security);
  part.release = install.release;
  memory.copy(part_version(part), install_version(), 32);
  if (!isDefined(SMALL)) take_staged();
  return device_store();
}

/** The images of the other components are the confirmed ones, too. */
function take_staged(): void {
  for (let i = 1; i < components(); i++) {
    const staged = staged_at(i);
    // All but the digest; and not again when the power was cut behind the record.
    if ((install_others() >> i) & 1 && staged.release != 0) memory.copy(changetype<usize>(part_at(i)), changetype<usize>(staged), PART_CONFIRMED);
  }
  // What lies in the slots that do not run now are the images of before.
  memory.fill(changetype<usize>(staged_at(1)), 0, (components() - 1) * PART_SIZE);
}

/** Remembers that the images of the install failed, so that they are not tried together for ever. */
export function device_note_failure(): Status {
  memory.copy(part_digest(part_at(install_component())), install_digest(), 32);
  if (!isDefined(SMALL)) {
    for (let i = 1; i < components(); i++) {
      if ((install_others() >> i) & 1) memory.copy(part_digest(part_at(i)), part_digest(staged_at(i)), 32);
    }
  }
  return device_store();
}

/** Whether this digest is that of the image of the component that failed last. */
export function device_failed(component: i32, digest: usize): bool {
  return bytes_equal(digest, part_digest(part_at(component)), 32);
}

/** The image of the install lies verified in its slot, and goes with what is still to come. */
export function device_stage(): Status {
  const staged = staged_at(install_component());
  staged.security = install.security;
  staged.release = install.release;
  memory.copy(part_version(staged), install_version(), 32);
  memory.copy(part_digest(staged), install_digest(), 32);
  return device_store();
}

/** The slot that a component does not run in is about to be written: what it held no longer counts. */
export function device_unstage(component: i32): Status {
  if (component == 0 || staged_at(component).release == 0) return Status.OK;
  memory.fill(changetype<usize>(staged_at(component)), 0, PART_SIZE);
  return device_store();
}
