// Times are whole seconds since 1970 everywhere; only metadata and people see dates.
import { RepositoryError } from './errors.ts';

/** Seconds since 1970. */
export type Clock = () => number;

export const systemClock: Clock = () => Math.floor(Date.now() / 1000);

const LAST_SECOND = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;
const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };
const DATE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** `YYYY-MM-DDTHH:MM:SSZ`, the only form that this project writes. */
export function formatTime(seconds: number): string {
  if (!Number.isSafeInteger(seconds) || seconds < 0 || seconds > LAST_SECOND) {
    throw new RepositoryError('bad-argument', `${seconds} is not a time between 1970 and 9999`);
  }
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

/** Reads `expires`; files in the field also carry fractions and offsets. undefined: not a date. */
export function parseTime(text: string): number | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [, date = '', , offset = 'Z'] = match;
  const seconds = Date.parse(`${date}${offset}`) / 1000;
  if (Number.isNaN(seconds) || seconds < 0 || seconds > LAST_SECOND) return undefined;
  // Date.parse turns 31 February into 3 March; such a date is not one.
  return new Date(`${date}Z`).toISOString().startsWith(date) ? seconds : undefined;
}

/** A date as people type it: `2026-08-01`, `2026-08-01T12:00:00Z`, or seconds since 1970. */
export function parseDate(text: string): number {
  const seconds = /^\d{1,12}$/.test(text)
    ? Number(text)
    : parseTime(text.includes('T') ? text : `${text}T00:00:00Z`);
  if (seconds === undefined || seconds > LAST_SECOND) {
    throw new RepositoryError(
      'bad-argument',
      `"${text}" is not a date: write 2026-08-01 or 2026-08-01T12:00:00Z`,
    );
  }
  return seconds;
}

/** `90d`, `12h`, `30m`, `45s` → seconds. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  const seconds = Number(match?.[1]) * (UNITS[match?.[2] ?? ''] ?? Number.NaN);
  if (!(seconds > 0)) {
    throw new RepositoryError('bad-argument', `"${text}" is not a duration: write 90d, 12h, 30m or 45s`);
  }
  return seconds;
}

/** Seconds → the largest unit that divides them. */
export function formatDuration(seconds: number): string {
  for (const unit of ['d', 'h', 'm']) {
    const size = UNITS[unit] ?? 1;
    if (seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}
