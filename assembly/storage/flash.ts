// Flash by areas and offsets; the only file that calls the flash of the host.

import { bytes_all, bytes_equal, round_up } from "../bytes";
import * as host from "../host";
import { COPY_BUFFER, COPY_SIZE } from "../memory";
import { Status } from "../status";

/** The largest write unit that the core handles, in bytes. */
export const MAX_UNIT: u32 = 32;

// @ts-ignore: decorator
@inline
export function flash_size(area: i32): u32 {
  return host.flash_size(area);
}

/** The write unit of an area in bytes. */
export function flash_write_unit(area: i32): u32 {
  return host.flash_unit(area) & 0xffff;
}

/** The value of an erased byte. */
export function flash_erased(area: i32): u8 {
  return <u8>(host.flash_unit(area) >>> 16);
}

/** One past the erase block around `offset`, never beyond the area. */
export function flash_block_end(area: i32, offset: u32): u32 {
  const end = host.flash_block_end(area, offset);
  const size = host.flash_size(area);
  return end > size || end <= offset ? size : end;
}

/** A layout that the core can work with: a known unit, whole units, and room for a record. */
export function flash_usable(area: i32, least: u32): bool {
  const unit = flash_write_unit(area);
  const size = flash_size(area);
  return unit != 0 && unit <= MAX_UNIT && (unit & (unit - 1)) == 0 && size >= least && (size & (unit - 1)) == 0;
}

/** Reads; FLASH_READ beyond the area or when the host cannot. */
export function flash_read(area: i32, offset: u32, pointer: usize, length: u32): Status {
  if (!inside(area, offset, length)) return Status.FLASH_READ;
  return host.flash_read(area, offset, pointer, length) < 0 ? Status.FLASH_READ : Status.OK;
}

/** Programs whole units that are erased. */
export function flash_write(area: i32, offset: u32, pointer: usize, length: u32): Status {
  if (!inside(area, offset, length)) return Status.FLASH_WRITE;
  return host.flash_write(area, offset, pointer, length) < 0 ? Status.FLASH_WRITE : Status.OK;
}

/** Bytes that at most are erased in one call, on their own boundaries: what chips have commands for, and a watchdog waits for. */
const ERASE_STEP: u32 = 65536;

/** How far one call erases that begins at `offset`: over whole blocks, and none beyond the one that holds `end` - 1. The small core erases block by block. */
export function flash_erase_end(area: i32, offset: u32, end: u32): u32 {
  if (isDefined(SMALL)) return flash_block_end(area, offset);
  return flash_block_end(area, min(end - 1, offset | (ERASE_STEP - 1)));
}

/** Erases the blocks from `offset` on up to `end`, both block boundaries. */
export function flash_erase(area: i32, offset: u32, end: u32): Status {
  while (offset < end) {
    const next = flash_erase_end(area, offset, end);
    if (host.flash_erase(area, offset, next - offset) < 0) return Status.FLASH_ERASE;
    offset = next;
  }
  return Status.OK;
}

/**
 * Programs `length` bytes of any number, padded with erased bytes to whole units, and reads them back:
 * a flash that lies is noticed here and not when the record is needed.
 */
export function flash_write_padded(area: i32, offset: u32, pointer: usize, length: u32): Status {
  const unit = flash_write_unit(area);
  const padded = round_up(length, unit);
  assert(padded <= COPY_SIZE);
  memory.copy(COPY_BUFFER, pointer, length);
  memory.fill(COPY_BUFFER + length, flash_erased(area), padded - length);
  const status = flash_write(area, offset, COPY_BUFFER, padded);
  if (status != Status.OK) return status;
  memory.fill(COPY_BUFFER, 0, length);
  if (flash_read(area, offset, COPY_BUFFER, length) != Status.OK) return Status.FLASH_READ;
  return bytes_equal(COPY_BUFFER, pointer, length) ? Status.OK : Status.FLASH_VERIFY;
}

/** Whether `length` bytes read as erased; unreadable ones do not. At most COPY_SIZE bytes. */
export function flash_is_erased(area: i32, offset: u32, length: u32): bool {
  assert(length <= COPY_SIZE);
  return flash_read(area, offset, COPY_BUFFER, length) == Status.OK && bytes_all(COPY_BUFFER, length, flash_erased(area));
}

function inside(area: i32, offset: u32, length: u32): bool {
  const size = flash_size(area);
  return offset <= size && length <= size - offset;
}
