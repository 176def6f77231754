// What an image says of itself, judged as it lies in its slot, after its hash and before the slot is selected: in the
// format that the board's bootloader reads (docs/formats.md, "Formats of images"). A release is refused here that was
// signed but that this bootloader would not start, or that has bytes which nobody looks at.
//
// First the format reads what is said where; then all that it vouches for passes once, in slices, through the hash and
// the checksum or the signature; then the format says what came of it.

import { COPY_SIZE } from "../memory";
import { Status } from "../status";
import { esp32_begin, esp32_end, esp32_feed } from "./esp32";
import { image_is_passed, image_open, image_pass, image_status } from "./image";
import { mcuboot_begin, mcuboot_end, mcuboot_feed } from "./mcuboot";
import { VERIFY_SLICE } from "./slots";

/** What the bootloader of a board reads. */
export const enum Format {
  /** anything: there is nothing to judge */
  RAW = 0,
  ESP32 = 1,
  MCUBOOT = 2,
}

let format: Format = Format.RAW;

/**
 * Reads what the image of the install says of itself. It must be for this chip (ESP32), or be signed by the key in the
 * `length` bytes of SubjectPublicKeyInfo at `key` (MCUboot; 0: no key is known).
 */
export function format_begin(given: Format, chip: u32, key: usize, length: u32): Status {
  format = given;
  image_open();
  if (format == Format.ESP32) esp32_begin(chip);
  else mcuboot_begin(key, length);
  return image_status();
}

/** Passes a slice, and after the last one has the verdict. Whether that was the last is `image_is_passed`. */
export function format_step(): Status {
  for (let left = VERIFY_SLICE / COPY_SIZE; left != 0 && !image_is_passed(); left--) {
    const part = image_pass();
    if (format == Format.ESP32) esp32_feed(part);
    else mcuboot_feed(part);
  }
  if (image_is_passed()) {
    if (format == Format.ESP32) esp32_end();
    else mcuboot_end();
  }
  return image_status();
}
