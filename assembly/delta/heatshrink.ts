// Heatshrink (github.com/atomicobject/heatshrink), with a window of up to 256 bytes. Bits from the highest on: 1 and
// eight bits are a byte; 0, a distance and a length, both less one, are a copy from the window.

import { delta, WINDOW, WINDOW_MASK } from "./state";

/** The bytes that are to be decoded. Within one call of the core. */
let input: usize = 0;
let input_left: u32 = 0;

export function heatshrink_feed(pointer: usize, length: u32): void {
  input = pointer;
  input_left = length;
}

/** Where the bytes that were not taken yet begin. */
export function heatshrink_input(): usize {
  return input;
}

/** The next byte as it is; -1: there is none. */
export function heatshrink_raw(): i32 {
  if (input_left == 0) return -1;
  input_left--;
  return load<u8>(input++);
}

/** Copies up to `room` bytes as they are; returns how many. */
export function heatshrink_copy(out: usize, room: u32): u32 {
  const length = min(room, input_left);
  memory.copy(out, input, length);
  input += length;
  input_left -= length;
  return length;
}

/** Takes the byte that states the sizes; false where this decoder has no room for them. */
export function heatshrink_begin(sizes: u32): bool {
  delta.distance_bits = (sizes >> 4) + 4;
  delta.length_bits = (sizes & 15) + 3;
  return <u32>1 << delta.distance_bits <= WINDOW_MASK + 1 && delta.length_bits < delta.distance_bits;
}

/** Writes up to `room` bytes; fewer, even none, where the input ends. */
export function heatshrink_read(out: usize, room: u32): u32 {
  let at = out;
  while (at < out + room) {
    let byte: u32;
    if (delta.left != 0) {
      delta.left--;
      byte = load<u8>(WINDOW + ((delta.head - delta.distance) & WINDOW_MASK));
    } else {
      const symbol = next_symbol();
      if (symbol < 0) break;
      if (delta.left != 0) continue;
      byte = symbol;
    }
    store<u8>(WINDOW + delta.head, byte);
    delta.head = (delta.head + 1) & WINDOW_MASK;
    store<u8>(at++, byte);
  }
  return <u32>(at - out);
}

/** A byte, or anything while a copy has begun; -1 where its bits have not all arrived. */
function next_symbol(): i32 {
  while (delta.count <= 24 && input_left != 0) {
    delta.bits = (delta.bits << 8) | <u32>heatshrink_raw();
    delta.count += 8;
  }
  if (delta.count == 0) return -1;
  const is_byte = (delta.bits >>> (delta.count - 1)) & 1;
  const size: u32 = is_byte ? 8 : delta.distance_bits + delta.length_bits;
  if (delta.count <= size) return -1;
  delta.count -= 1 + size;
  const value = (delta.bits >>> delta.count) & ((1 << size) - 1);
  if (is_byte) return value;
  delta.distance = (value >>> delta.length_bits) + 1;
  delta.left = (value & ((1 << delta.length_bits) - 1)) + 1;
  return 0;
}

/** Nothing is left but what fills the last byte. */
export function heatshrink_is_over(): bool {
  return input_left == 0 && delta.count < 8 && delta.left == 0;
}
