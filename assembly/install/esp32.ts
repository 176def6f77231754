// Application images of the ESP32 family, as esptool writes them and ESP-IDF's bootloader reads them:
//
//   header of 24 | 1 to 16 of (address, length, data) | zeros up to 15 of 16 | checksum | SHA-256, if the header says so
//
// The checksum is the XOR of 0xEF and all data. Instead of finding the data again while the image passes, all that is no
// data is summed up beforehand, and thus taken out.

import { COPY_BUFFER } from "../memory";
import { Status } from "../status";
import { install } from "../storage/journal";
import { image_check, image_cover, image_ends, image_is_hashed, image_read } from "./image";

const MAGIC: u32 = 0xe9;
const HEADER: u32 = 24;
const SEGMENT_HEADER: u32 = 8;
const MOST_SEGMENTS: u32 = 16;
const SEED: u32 = 0xef;
/** The application descriptor, at the start of the first segment: its magic, secure_version, and more. */
const DESCRIPTOR_MAGIC: u32 = 0xabcd5432;
const DESCRIPTOR: u32 = 256;

/** XOR of the words that passed, and of those that are no data. */
let sum: u32 = 0;
/** Where the hash stands; 0: nowhere. */
let hash: u32 = 0;

/** Reads headers and descriptor. */
export function esp32_begin(chip: u32): void {
  image_read(0, HEADER + SEGMENT_HEADER + 8);
  const count: u32 = load<u8>(COPY_BUFFER, 1);
  hash = load<u8>(COPY_BUFFER, 23);
  image_check(load<u8>(COPY_BUFFER) == MAGIC && count - 1 < MOST_SEGMENTS, Status.IMAGE_FORMAT);
  image_check(load<u32>(COPY_BUFFER, 28) >= DESCRIPTOR && load<u32>(COPY_BUFFER, 32) == DESCRIPTOR_MAGIC, Status.IMAGE_FORMAT);
  image_check(load<u16>(COPY_BUFFER, 12) == chip, Status.WRONG_CHIP);
  // ESP-IDF burns this number when the image is confirmed: above the signed one it would lock later releases out. Below
  // the burnt one the bootloader starts no image.
  image_check(load<u32>(COPY_BUFFER, 36) == install.security, Status.IMAGE_COUNTER);
  sum = 0;
  esp32_feed(HEADER);
  read_segments(count);
}

function read_segments(count: u32): void {
  let at = HEADER;
  for (; count != 0; count--) {
    image_read(at, SEGMENT_HEADER);
    esp32_feed(SEGMENT_HEADER);
    at += SEGMENT_HEADER;
    const length = load<u32>(COPY_BUFFER, 4);
    image_check((length & 3) == 0 && length < install.length, Status.IMAGE_FORMAT);
    at += length;
  }
  read_padding(at, 16 - (at & 15));
}

/** The last byte of it is the checksum. */
function read_padding(at: u32, length: u32): void {
  image_read(at, length);
  store<u8>(COPY_BUFFER + length - 1, 0);
  esp32_feed(length);
  at += length;
  image_cover(at, false);
  if (hash != 0) {
    hash = at;
    at += 32;
  }
  image_ends(at);
}

/** The next bytes, whole words, in COPY_BUFFER. */
export function esp32_feed(length: u32): void {
  for (let i: u32 = 0; i < length; i += 4) sum ^= load<u32>(COPY_BUFFER + i);
}

/** The checksum must be right, and the hash. */
export function esp32_end(): void {
  sum ^= sum >> 16;
  image_check(((sum ^ (sum >> 8)) & 0xff) == SEED, Status.IMAGE_CORRUPT);
  if (hash != 0) image_is_hashed(hash);
}
