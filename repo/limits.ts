// What devices can carry of names and counters (docs/formats.md, "A release is a target").
import { RepositoryError } from './errors.ts';

export const MAX_COUNTER = 2 ** 31 - 1;
/** Characters of a component or a version, and of a hardware id. */
export const MAX_NAME = 31;
export const MAX_HARDWARE_ID = 63;

const SAFE = /^[A-Za-z0-9][A-Za-z0-9._~+-]*$/;

/** Refuses (`bad-argument`) a text that a device or a path cannot carry. */
export function checkText(what: string, text: string, most: number): void {
  if (text.length > 0 && text.length <= most && SAFE.test(text)) return;
  const allowed = `1 to ${most} letters, digits or . _ ~ + - that begin with a letter or digit`;
  throw new RepositoryError('bad-argument', `${what} "${text}" is not ${allowed}`);
}

/** Refuses (`bad-argument`) a counter that a device cannot hold. */
export function checkCounter(what: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least && value <= MAX_COUNTER) return;
  throw new RepositoryError(
    'bad-argument',
    `${what} ${value} is not an integer from ${least} to ${MAX_COUNTER}`,
  );
}
