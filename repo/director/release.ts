// A release of the Image repository as the Director sees it: a target whose `custom` says what it is
// (docs/formats.md, "A release is a target"). What is not a release is passed over.
import type { Target } from '../metadata.ts';
import { isCounter, type Rules, readRanges } from '../rules.ts';

export interface DirectorRelease extends Rules {
  readonly path: string;
  readonly length: number;
  readonly sha256: string;
  readonly component: string;
  readonly version: string;
  readonly hardwareIds: readonly string[];
  readonly releaseCounter: number;
  /** As it is signed in the Image repository: both repositories must say the same. */
  readonly custom: Readonly<Record<string, unknown>>;
}

/** undefined: not a release, or one that says of itself what cannot be read, and must not be directed to anything. */
export function asRelease(path: string, target: Target): DirectorRelease | undefined {
  const { custom = {}, hashes, length } = target;
  const { component, version, hardwareIds, releaseCounter } = custom;
  const requires = readRanges(custom.requires);
  const conflicts = readRanges(custom.conflicts);
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
