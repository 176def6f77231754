// All that the decoder of patches knows between two calls: it can be written to flash and put back.

import { DELTA, DELTA_ROOM } from "../memory";

/** What comes next in a patch. */
export const enum Step {
  KIND = 0,
  LENGTH = 1,
  SIZES = 2,
  /** From here on all is compressed. */
  FORMAT = 3,
  DIFFERENCES_LENGTH = 4,
  DIFFERENCES = 5,
  ADDED_LENGTH = 6,
  ADDED = 7,
  MOVE = 8,
  END = 9,
  /** No patch at all: what comes is the new image. */
  IMAGE = 10,
}

@unmanaged
export class Delta {
  step: Step;
  /** The number that is being read: what of it is here, where its next bits go, whether it is below 0. */
  value: u32;
  shift: u32;
  negative: bool;
  /** Bytes that are left of the differences, or of what is new. */
  part: u32;
  /** Bytes of the new image that are left. */
  image: u32;
  /** The old image: its area, its length, and where in it the next differences belong. */
  area: i32;
  base: u32;
  from: u32;

  // Heatshrink.
  /** Bits of a distance and of a length. */
  distance_bits: u32;
  length_bits: u32;
  /** Bits that were taken and not used yet: the lowest `count` of `bits`. */
  bits: u32;
  count: u32;
  /** The copy under way. */
  left: u32;
  distance: u32;
  /** Where in the window the next byte goes. */
  head: u32;
  // The window follows.
}

const WINDOW_SIZE: u32 = 256;
export const WINDOW_MASK: u32 = WINDOW_SIZE - 1;
const WINDOW_AT: usize = 64;
/** Bytes of a Delta and its window. */
export const DELTA_SIZE: u32 = <u32>WINDOW_AT + WINDOW_SIZE;
if (<u32>offsetof<Delta>() > <u32>WINDOW_AT || <i32>DELTA_SIZE > DELTA_ROOM) ERROR("a Delta does not fit its region");

export const delta = changetype<Delta>(DELTA);
export const WINDOW: usize = DELTA + WINDOW_AT;
