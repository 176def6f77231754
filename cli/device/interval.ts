import { RepositoryError } from '../../repo/index.ts';

/** Seconds from one check to the next, as they are typed. */
export function parseInterval(text: string): number {
  if (!/^\d{2,9}$/.test(text) || Number(text) < 60)
    throw new RepositoryError('bad-argument', `--interval takes 60 seconds or more, not "${text}"`);
  return Number(text);
}
