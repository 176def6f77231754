// Dates as metadata carries them: RFC 3339, with or without a fraction, in UTC or with an offset.

/** The latest time that is told apart; later dates are this one. */
export const LATEST: u32 = 0xffffffff;

/** What `date_parse` returns for a text that is no date. */
export const NO_DATE: i64 = -1;

/**
 * Seconds since 1970 of a text like `2030-01-31T23:59:59Z`, `…59.25Z` or `…59-06:00`; dates before 1970 are
 * 0 and dates after February 2106 are LATEST. NO_DATE: not a date.
 */
export function date_parse(text: usize, length: u32): i64 {
  if (length < 20) return NO_DATE;
  const year = digits(text, 4);
  const month = digits(text + 5, 2);
  const day = digits(text + 8, 2);
  const hour = digits(text + 11, 2);
  const minute = digits(text + 14, 2);
  const second = digits(text + 17, 2);
  if ((year | month | day | hour | minute | second) < 0) return NO_DATE;
  if (!is(text, 4, 0x2d) || !is(text, 7, 0x2d) || !is(text, 13, 0x3a) || !is(text, 16, 0x3a)) return NO_DATE;
  if ((load<u8>(text, 10) | 0x20) != 0x74) return NO_DATE;
  if (month < 1 || month > 12 || day < 1 || day > days_in(year, month)) return NO_DATE;
  if (hour > 23 || minute > 59 || second > 60) return NO_DATE;
  const offset = zone(text, length);
  if (offset == NO_OFFSET) return NO_DATE;
  const seconds = days_before(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
  return max<i64>(0, min<i64>(seconds, LATEST));
}

const NO_OFFSET: i32 = i32.MAX_VALUE;

/** Seconds east of UTC, after a fraction of any length. */
function zone(text: usize, length: u32): i32 {
  let at: u32 = 19;
  if (is(text, at, 0x2e)) {
    const first = ++at;
    while (at < length && digits(text + at, 1) >= 0) at++;
    if (at == first) return NO_OFFSET;
  }
  if (at + 1 == length) return (load<u8>(text + at) | 0x20) == 0x7a ? 0 : NO_OFFSET;
  if (at + 6 != length || !is(text, at + 3, 0x3a)) return NO_OFFSET;
  const hours = digits(text + at + 1, 2);
  const minutes = digits(text + at + 4, 2);
  if ((hours | minutes) < 0 || hours > 23 || minutes > 59) return NO_OFFSET;
  const seconds = hours * 3600 + minutes * 60;
  if (is(text, at, 0x2b)) return seconds;
  return is(text, at, 0x2d) ? -seconds : NO_OFFSET;
}

function is(text: usize, at: u32, c: u8): bool {
  return load<u8>(text + at) == c;
}

/** Up to four decimal digits, or a negative number. */
function digits(text: usize, count: i32): i32 {
  let value = 0;
  for (let i = 0; i < count; i++) {
    const d = <u32>load<u8>(text + i) - 0x30;
    if (d > 9) return -1;
    value = value * 10 + d;
  }
  return value;
}

function leap(year: i32): bool {
  return (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0);
}

function days_in(year: i32, month: i32): i32 {
  if (month == 2) return leap(year) ? 29 : 28;
  return 30 + ((month + (month >> 3)) & 1);
}

/** Days from 1970-01-01 to a date of the Gregorian calendar. */
function days_before(year: i32, month: i32, day: i32): i64 {
  // Years begin in March, so that the leap day is the last of a year.
  const y = month > 2 ? year : year - 1;
  const m = month > 2 ? month - 3 : month + 9;
  const era = (y >= 0 ? y : y - 399) / 400;
  const of_era = y - era * 400;
  const of_year = (153 * m + 2) / 5 + day - 1;
  return <i64>era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}
