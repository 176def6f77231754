import { expect, test } from 'vitest';
import { formatDuration, formatTime, parseDate, parseDuration, parseTime } from '../../repo/index.ts';

test('times are written as YYYY-MM-DDTHH:MM:SSZ', () => {
  expect(formatTime(1_800_000_000)).toBe('2027-01-15T08:00:00Z');
  expect(formatTime(0)).toBe('1970-01-01T00:00:00Z');
  expect(() => formatTime(-1)).toThrow('between 1970 and 9999');
  expect(() => formatTime(300_000_000_000)).toThrow('between 1970 and 9999');
});

test('times of the field are read: fractions and offsets too', () => {
  expect(parseTime('2027-01-15T08:00:00Z')).toBe(1_800_000_000);
  expect(parseTime('2021-12-18T13:28:12.99008-06:00')).toBe(Date.UTC(2021, 11, 18, 19, 28, 12) / 1000);
});

test.each([
  '',
  '2027-01-15',
  '2027-02-31T00:00:00Z',
  '2027-13-01T00:00:00Z',
  '2027-01-15T24:00:01Z',
  '99999-01-01T00:00:00Z',
  '2027-01-15T08:00:00',
])('"%s" is not an expiry date', (text) => {
  expect(parseTime(text)).toBeUndefined();
});

test('people may write a day, a time or seconds', () => {
  expect(parseDate('2027-01-15')).toBe(1_800_000_000 - 8 * 3600);
  expect(parseDate('2027-01-15T08:00:00Z')).toBe(1_800_000_000);
  expect(parseDate('1800000000')).toBe(1_800_000_000);
  expect(() => parseDate('tomorrow')).toThrow('"tomorrow" is not a date');
});

test('durations have one unit', () => {
  expect([parseDuration('365d'), parseDuration('12h'), parseDuration('30m'), parseDuration('45s')]).toEqual([
    31_536_000, 43_200, 1800, 45,
  ]);
  expect([31_536_000, 43_200, 1800, 45, 90_061].map(formatDuration)).toEqual([
    '365d',
    '12h',
    '30m',
    '45s',
    '90061s',
  ]);
  for (const bad of ['', '0d', '-1d', '1w', '1.5d', 'd', '1d2h']) {
    expect(() => parseDuration(bad), bad).toThrow('not a duration');
  }
});
