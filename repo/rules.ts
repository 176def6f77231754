// What a release goes together with, and what not: `requires` and `conflicts` of its `custom` (docs/formats.md,
// "Components"). Counters alone are compared, never versions.
import { RepositoryError } from './errors.ts';
import { checkCounter, checkText, MAX_COUNTER, MAX_NAME } from './limits.ts';

/** Any release of `component` from `releaseCounter` on, below `below` where it is given. */
export interface Range {
  readonly component: string;
  readonly releaseCounter: number;
  readonly below?: number;
}

export interface Rules {
  /** What else must be in the device, and what must not. */
  readonly requires: readonly Range[];
  readonly conflicts: readonly Range[];
}

/** What has rules: a release, by its names. */
interface Holder {
  readonly component: string;
  readonly version: string;
}

/** Conditions that devices take of one set. */
export const MAX_CONDITIONS = 32;

export function isWithin(range: Range, of: Pick<Range, 'component' | 'releaseCounter'>): boolean {
  const { component, releaseCounter, below = Number.POSITIVE_INFINITY } = range;
  return of.component === component && of.releaseCounter >= releaseCounter && of.releaseCounter < below;
}

/** As a device counts them: one that is required and has an end is two. */
export function conditionsOf({ requires = [], conflicts = [] }: Partial<Rules>): number {
  return requires.length + requires.filter(({ below }) => below !== undefined).length + conflicts.length;
}

/** Refuses (`bad-argument`) rules that no device could follow. */
export function checkRules(holder: Holder & Partial<Rules>): void {
  for (const { component, releaseCounter, below } of [
    ...(holder.requires ?? []),
    ...(holder.conflicts ?? []),
  ]) {
    checkText('component', component, MAX_NAME);
    checkCounter(`release counter of ${component}`, releaseCounter, 0);
    if (below !== undefined) checkCounter(`end of ${component}`, below, releaseCounter + 1);
    if (component === holder.component)
      throw bad(`${holder.component} ${holder.version} can have no rule on its own component`);
  }
  const conditions = conditionsOf(holder);
  const what = `${holder.component} ${holder.version} has ${conditions} conditions`;
  if (conditions > MAX_CONDITIONS) throw bad(`${what}; devices take ${MAX_CONDITIONS} of a set`);
}

/** undefined: something else than an array of ranges. Left out, there are none. */
export function readRanges(value: unknown = []): Range[] | undefined {
  return Array.isArray(value) && value.every(isRange) ? value : undefined;
}

/** In words: "app 1.4.0 requires radio from release 5 and below 9". */
export function describeRule({ component, version }: Holder, kind: keyof Rules, range: Range): string {
  const verb = kind === 'requires' ? 'requires' : 'conflicts with';
  return `${component} ${version} ${verb} ${describeRange(range)}`;
}

export function describeRange({ component, releaseCounter, below }: Range): string {
  const most = below === undefined ? '' : ` and below ${below}`;
  return `${component} from release ${releaseCounter}${most}`;
}

function isRange(value: unknown): value is Range {
  if (typeof value !== 'object' || value === null) return false;
  const { component, releaseCounter, below } = value as Record<string, unknown>;
  return (
    typeof component === 'string' &&
    isCounter(releaseCounter) &&
    releaseCounter <= MAX_COUNTER &&
    (below === undefined || isCounter(below))
  );
}

export function isCounter(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function bad(message: string): RepositoryError {
  return new RepositoryError('bad-argument', message);
}
