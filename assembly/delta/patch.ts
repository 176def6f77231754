// Patches in the sequential format of detools (github.com/eerimoq/detools) with heatshrink, decoded as they arrive:
//
//   0x04; length of the new image; heatshrink's sizes; then, compressed:
//   0 (no data format), and for each part: n, n differences, n, n bytes that are new, a move in the old image
//
// A length or a move takes 6 bits, a sign and a mark in its first byte, 7 bits and a mark in those that follow, the
// lowest bits first; the mark says that more follow.
//
// Any bytes at all are taken: who sends them decides what is written, but neither where nor how much, nor is anything
// but the old image read. A byte makes no more than 64, so that a call takes a bounded time. Of CRLE, detools' other
// compression for small devices, 7 bytes make 2^31: it is not read.

import { COPY_BUFFER, COPY_SIZE, DELTA } from "../memory";
import { Status } from "../status";
import { flash_read } from "../storage/flash";
import { heatshrink_begin, heatshrink_copy, heatshrink_is_over, heatshrink_raw, heatshrink_read } from "./heatshrink";
import { delta, DELTA_SIZE, Step } from "./state";

/** Sequential, with heatshrink. */
const KIND: i32 = 0x04;
/** No byte has arrived. */
const STARVED: i32 = 1;

/** A patch begins that makes `length` bytes out of the first `base` bytes of an area. */
export function patch_begin(length: u32, area: i32, base: u32): void {
  memory.fill(DELTA, 0, DELTA_SIZE);
  delta.image = length;
  delta.area = area;
  delta.base = base;
}

/** It is no patch but the image itself. */
export function patch_is_image(): void {
  delta.step = Step.IMAGE;
}

/**
 * Writes the next bytes of the new image, at most `room`, which is not 0, from the input (heatshrink_feed). Returns
 * how many; 0: more input is needed, or the image is whole. Negative: the patch is wrong, or flash cannot be read.
 */
export function patch_read(out: usize, room: u32): i32 {
  let found: i32 = 0;
  while (found == 0) {
    const step = delta.step;
    if (step == Step.IMAGE) return heatshrink_copy(out, min(room, COPY_SIZE));
    if (step == Step.END) return heatshrink_is_over() ? 0 : Status.PATCH_INVALID;
    if ((step == Step.DIFFERENCES || step == Step.ADDED) && delta.part != 0) return read_part(out, min(room, delta.part));
    found = next_step(out);
  }
  return found == STARVED ? 0 : found;
}

/** The whole image was made, and the patch ended with it; of an image that is none, its hash tells. */
export function patch_is_done(): bool {
  return delta.step >= Step.END && heatshrink_is_over();
}

function read_part(out: usize, room: u32): i32 {
  const length = heatshrink_read(out, min(room, COPY_SIZE));
  delta.part -= length;
  delta.image -= length;
  if (delta.step == Step.ADDED || length == 0) return length;
  const status = flash_read(delta.area, delta.from, COPY_BUFFER, length);
  if (status != Status.OK) return status;
  delta.from += length;
  for (let i: u32 = 0; i < length; i++) store<u8>(out + i, load<u8>(out + i) + load<u8>(COPY_BUFFER + i));
  return length;
}

/** Takes the next byte of what is not image, or goes on to the next step. STARVED, or a status. */
function next_step(scratch: usize): i32 {
  switch (delta.step) {
    case Step.DIFFERENCES:
    case Step.ADDED:
      delta.step++;
      return Status.OK;
    case Step.KIND:
    case Step.SIZES: {
      const byte = heatshrink_raw();
      if (byte < 0) return STARVED;
      const known = delta.step == Step.KIND ? byte == KIND : heatshrink_begin(byte);
      delta.step++;
      return known ? Status.OK : Status.PATCH_UNKNOWN;
    }
    case Step.LENGTH: {
      const byte = heatshrink_raw();
      return byte < 0 ? STARVED : take_digit(byte);
    }
    default:
      return heatshrink_read(scratch, 1) == 0 ? STARVED : take_digit(load<u8>(scratch));
  }
}

/** One byte of a number. */
function take_digit(byte: u32): Status {
  if (delta.shift == 0) {
    delta.value = byte & 63;
    delta.negative = (byte & 0x40) != 0;
    delta.shift = 6;
  } else {
    // Five bytes hold 34 bits, of which 31 are used.
    if (delta.shift > 27 || (delta.shift == 27 && (byte & 127) > 15)) return Status.PATCH_INVALID;
    delta.value |= (byte & 127) << delta.shift;
    delta.shift += 7;
  }
  if (byte & 0x80) return Status.OK;
  delta.shift = 0;
  return take_number();
}

function take_number(): Status {
  const value = delta.value;
  const step = delta.step;
  if (step == Step.MOVE) return take_move(value);
  if (delta.negative) return Status.PATCH_INVALID;
  delta.step++;
  if (step == Step.LENGTH) return value == delta.image ? Status.OK : Status.PATCH_INVALID;
  if (step == Step.FORMAT) return value == 0 ? Status.OK : Status.PATCH_UNKNOWN;
  delta.part = value;
  if (value > delta.image) return Status.PATCH_INVALID;
  return step == Step.ADDED_LENGTH || value <= delta.base - delta.from ? Status.OK : Status.PATCH_INVALID;
}

function take_move(value: u32): Status {
  if (value > (delta.negative ? delta.from : delta.base - delta.from)) return Status.PATCH_INVALID;
  delta.from += delta.negative ? 0 - value : value;
  delta.step = delta.image == 0 ? Step.END : Step.DIFFERENCES_LENGTH;
  return Status.OK;
}
