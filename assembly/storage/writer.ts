// Appends bytes of any number to erased flash that takes whole units only.

import { flash_erased, flash_write, flash_write_unit, MAX_UNIT } from "./flash";
import { WRITER_ROOM } from "../memory";
import { Status } from "../status";

@unmanaged
export class Writer {
  area: i32;
  /** Where the next unit goes. */
  offset: u32;
  unit: u32;
  /** Bytes that wait for their unit to fill. */
  held: u32;
  // MAX_UNIT bytes follow.
}

/** Bytes of a Writer with its unit. */
const WRITER_SIZE: i32 = 16 + MAX_UNIT;
if (WRITER_SIZE > WRITER_ROOM) ERROR("a Writer does not fit its region");

/** The bytes that wait for their unit to fill. */
export function writer_held(w: Writer): usize {
  return changetype<usize>(w) + 16;
}

export function writer_begin(w: Writer, area: i32, offset: u32): void {
  w.area = area;
  w.offset = offset;
  w.unit = flash_write_unit(area);
  w.held = 0;
}

export function writer_put(w: Writer, pointer: usize, length: u32): Status {
  if (w.held != 0) {
    const taken = min(length, w.unit - w.held);
    memory.copy(writer_held(w) + w.held, pointer, taken);
    w.held += taken;
    pointer += taken;
    length -= taken;
    if (w.held < w.unit) return Status.OK;
    w.held = 0;
    const status = program(w, writer_held(w), w.unit);
    if (status != Status.OK) return status;
  }
  const whole = length & ~(w.unit - 1);
  if (whole != 0) {
    const status = program(w, pointer, whole);
    if (status != Status.OK) return status;
  }
  w.held = length - whole;
  memory.copy(writer_held(w), pointer + whole, w.held);
  return Status.OK;
}

/** Writes what is held, padded with erased bytes. */
export function writer_flush(w: Writer): Status {
  if (w.held == 0) return Status.OK;
  memory.fill(writer_held(w) + w.held, flash_erased(w.area), w.unit - w.held);
  w.held = 0;
  return program(w, writer_held(w), w.unit);
}

function program(w: Writer, pointer: usize, length: u32): Status {
  const status = flash_write(w.area, w.offset, pointer, length);
  w.offset += length;
  return status;
}
