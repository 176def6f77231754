// Dates as metadata carries them: RFC 3339, with or without a fraction, in UTC or with an offset.

import { DIGEST } from "../memory";

/** The latest time that is told apart; later dates are this one. */
export const LATEST: u32 = 0xffffffff;

/** What `date_parse` returns for a text that is no date. */
export const NO_DATE: i64 = -1;

/**
 * Seconds since 1970 of a text like `2030-01-31T23:59:59Z`, `…59.25Z` or `…59-06:00`; dates before 1970 are
 * 0 and dates after February 2106 are LATEST. NO_DATE: not a date.
 */
export function date_parse(text: usize, length: u32): i64 {
  if (length < 20 || !fields_read(text)) return NO_DATE;
  const year = field(0);
  const month = field(1);
  const day = field(2);
  const days = days_before(year, month) + day - 1;
  if (year < 1 || <u32>(month - 1) > 11 || day < 1 || days >= days_before(year, month + 1)) return NO_DATE;
  if (field(3) > 23 || field(4) > 59 || field(5) > 60) return NO_DATE;
  const offset = zone(text, length);
  if (offset == NO_OFFSET) return NO_DATE;
  const seconds = <i64>days * 86400 + (field(3) * 3600 + field(4) * 60 + field(5) - offset);
  return max<i64>(0, min<i64>(seconds, LATEST));
}

/** How a date begins, 0000-00-00T00:00:00; a 0 stands for any digit. */
const PATTERN = memory.data<u8>([48, 48, 48, 48, 45, 48, 48, 45, 48, 48, 84, 48, 48, 58, 48, 48, 58, 48, 48]);

/** Reads year, month, day, hour, minute and second; false if the text does not look like a date. */
function fields_read(text: usize): bool {
  let at = DIGEST;
  let value = 0;
  for (let i: usize = 0; i < 19; i++) {
    const wanted: u32 = load<u8>(PATTERN + i);
    const c: u32 = load<u8>(text + i);
    if (wanted == 0x30) {
      if (c - 0x30 > 9) return false;
      value = value * 10 + c - 0x30;
      store<i32>(at, value);
    } else {
      if (wanted != c && (wanted | 0x20) != c) return false;
      value = 0;
      at += 4;
    }
  }
  return true;
}

function field(index: usize): i32 {
  return load<i32>(DIGEST + (index << 2));
}

const NO_OFFSET: i32 = i32.MAX_VALUE;

/** Seconds east of UTC, after a fraction of any length. */
function zone(text: usize, length: u32): i32 {
  let at: u32 = 19;
  if (load<u8>(text + at) == 0x2e) {
    const first = ++at;
    while (at < length && load<u8>(text + at) - 0x30 < <u8>10) at++;
    if (at == first) return NO_OFFSET;
  }
  const sign: u32 = load<u8>(text + at);
  if (at + 1 == length) return (sign | 0x20) == 0x7a ? 0 : NO_OFFSET;
  if (at + 6 != length || load<u8>(text + at + 3) != 0x3a) return NO_OFFSET;
  const hours = two_digits(text + at + 1);
  const minutes = two_digits(text + at + 4);
  if (hours > 23 || minutes > 59) return NO_OFFSET;
  const seconds = hours * 3600 + minutes * 60;
  return sign == 0x2b ? seconds : sign == 0x2d ? -seconds : NO_OFFSET;
}

/** Two decimal digits; a large number if they are none. */
function two_digits(text: usize): i32 {
  const tens: u32 = load<u8>(text) - <u32>0x30;
  const ones: u32 = load<u8>(text, 1) - <u32>0x30;
  return tens > 9 || ones > 9 ? NO_OFFSET : tens * 10 + ones;
}

/** Days from 1970-01-01 to the first of a month of the Gregorian calendar; month 13 is the next January. */
export function days_before(year: i32, month: i32): i32 {
  // Years begin in March, so that the leap day is the last of a year.
  const early = month < 3;
  const y: u32 = early ? year - 1 : year;
  const m: u32 = early ? month + 9 : month - 3;
  return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 - 719468;
}
