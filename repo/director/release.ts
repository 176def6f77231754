// A release of the Image repository as the Director sees it: a target whose `custom` says what it is
// (docs/formats.md, "A release is a target"). What is not a release is passed over.
import type { Target } from '../metadata.ts';

/** Any release of `component` from `releaseCounter` on, below `below` where it is given. */
export interface Range {
  readonly component: string;
  readonly releaseCounter: number;
  readonly below?: number;
}

export interface DirectorRelease {
  readonly path: string;
  readonly length: number;
  readonly sha256: string;
  readonly component: string;
  readonly version: string;
  readonly hardwareIds: readonly string[];
  readonly releaseCounter: number;
  /** What else must be in the vehicle, and what must not. */
  readonly requires: readonly Range[];
  readonly conflicts: readonly Range[];
  /** As it is signed in the Image repository: both repositories must say the same. */
  readonly custom: Readonly<Record<string, unknown>>;
}

/** undefined: not a release, or one that says of itself what cannot be read, and must not be directed to anything. */
export function asRelease(path: string, target: Target): DirectorRelease | undefined {
  const { custom = {}, hashes, length } = target;
  const { component, version, hardwareIds, releaseCounter } = custom;
  const requires = ranges(custom.requires);
  const conflicts = ranges(custom.conflicts);
  if (typeof component !== 'string' || typeof version !== 'string' || !isCounter(releaseCounter)) return;
  if (!Array.isArray(hardwareIds) || !hardwareIds.every((id) => typeof id === 'string')) return;
  if (hashes.sha256 === undefined || requires === undefined || conflicts === undefined) return;
  return {
    path,
    length,
    sha256: hashes.sha256,
    component,
    version,
    hardwareIds,
    releaseCounter,
    requires,
    conflicts,
    custom,
  };
}

export function isWithin(range: Range, release: DirectorRelease): boolean {
  const { component, releaseCounter, below = Number.POSITIVE_INFINITY } = range;
  return (
    release.component === component &&
    release.releaseCounter >= releaseCounter &&
    release.releaseCounter < below
  );
}

function ranges(value: unknown = []): Range[] | undefined {
  return Array.isArray(value) && value.every(isRange) ? value : undefined;
}

function isRange(value: unknown): value is Range {
  if (typeof value !== 'object' || value === null) return false;
  const { component, releaseCounter, below } = value as Record<string, unknown>;
  return (
    typeof component === 'string' && isCounter(releaseCounter) && (below === undefined || isCounter(below))
  );
}

function isCounter(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
