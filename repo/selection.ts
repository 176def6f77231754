// Which of the releases that are published a bundle is to hold.
import { compareNames } from './canonical.ts';
import { RepositoryError } from './errors.ts';
import type { Target } from './metadata.ts';

/** Left out: the newest release of each component for each board, with all payloads. */
export interface Selection {
  readonly hardwareIds?: readonly string[];
  readonly components?: readonly string[];
  /** Only patches from these versions. */
  readonly bases?: readonly string[];
}

/** A release as its target states it. */
export interface ListedRelease {
  readonly path: string;
  readonly length: number;
  readonly sha256: string;
  readonly component: string;
  readonly version: string;
  readonly hardwareIds: readonly string[];
  readonly releaseCounter: number;
}

export interface BundledRelease extends ListedRelease {
  /** Bytes of what may be taken instead of the image, by target path. */
  readonly payloads: Readonly<Record<string, number>>;
}

/** Of each component for each board the newest that fits, with its payloads (`bad-argument` when there is none). */
export function selectReleases(
  targets: Readonly<Record<string, Target>>,
  { hardwareIds, components, bases }: Selection,
): BundledRelease[] {
  const all = listedReleases(targets);
  const newest = new Map<string, ListedRelease>();
  for (const release of all) {
    if (components && !components.includes(release.component)) continue;
    for (const id of release.hardwareIds) {
      const key = `${release.component}/${id}`;
      if (hardwareIds && !hardwareIds.includes(id)) continue;
      if ((newest.get(key)?.releaseCounter ?? 0) < release.releaseCounter) newest.set(key, release);
    }
  }
  assertFound(hardwareIds, components, [...newest.keys()]);
  const hashes = bases?.flatMap((version) => hashesOf(all, version));
  return [...new Set(newest.values())].map((release) => ({
    ...release,
    payloads: payloadsOf(targets, release, hashes),
  }));
}

/** The targets that are releases, newest last. */
export function listedReleases(targets: Readonly<Record<string, Target>>): ListedRelease[] {
  return Object.entries(targets)
    .flatMap(([path, target]) => asRelease(path, target) ?? [])
    .sort((a, b) => compareNames(a.component, b.component) || a.releaseCounter - b.releaseCounter);
}

function asRelease(path: string, { length, hashes, custom = {} }: Target): ListedRelease | undefined {
  const { component, version, hardwareIds, releaseCounter } = custom;
  const digest = hashes.sha256;
  if (typeof component !== 'string' || typeof version !== 'string' || typeof releaseCounter !== 'number')
    return undefined;
  if (digest === undefined || !Array.isArray(hardwareIds)) return undefined;
  const ids = hardwareIds.filter((id) => typeof id === 'string');
  return { path, length, sha256: digest, component, version, hardwareIds: ids, releaseCounter };
}

/** Whatever was asked for is there. */
function assertFound(
  hardwareIds: readonly string[] = [],
  components: readonly string[] = [],
  found: readonly string[],
): void {
  const component = components.find((name) => !found.some((key) => key.startsWith(`${name}/`)));
  const board = hardwareIds.find((id) => !found.some((key) => key.endsWith(`/${id}`)));
  const missing = component ?? board;
  if (missing !== undefined)
    throw new RepositoryError('bad-argument', `no release of ${missing} is published; see moult status`);
  if (found.length === 0)
    throw new RepositoryError('bad-argument', 'no release is published yet: moult publish');
}

function hashesOf(releases: readonly ListedRelease[], version: string): string[] {
  const hashes = releases.filter((release) => release.version === version).map((release) => release.sha256);
  if (hashes.length === 0)
    throw new RepositoryError('bad-argument', `no release ${version} is published to have patches from`);
  return hashes;
}

/** What makes the image of a release: compressed ones, and patches from the images with these hashes (all: undefined). */
function payloadsOf(
  targets: Readonly<Record<string, Target>>,
  release: ListedRelease,
  bases: readonly string[] | undefined,
): Record<string, number> {
  const fits = ({ hashes, custom = {} }: Target) =>
    custom.image === release.sha256 &&
    hashes.sha256 !== undefined &&
    (typeof custom.base !== 'string' || bases === undefined || bases.includes(custom.base));
  const found = Object.entries(targets).filter(([, target]) => fits(target));
  return Object.fromEntries(found.map(([path, { length }]) => [path, length]));
}
