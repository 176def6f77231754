// Whether what is published goes together. A device takes the newest release of each of its components, all of them as
// one set, and refuses a set that does not hold (docs/formats.md, "Components"); here it is refused before devices see it.
import { RepositoryError } from './errors.ts';
import type { Release } from './release.ts';
import { conditionsOf, describeRule, isWithin, MAX_CONDITIONS, type Range, type Rules } from './rules.ts';

/** By component: the release counter of the image that devices have from the factory, at least. */
export type Factory = Readonly<Record<string, number>>;

/** By component and hardware id the newest release. */
type Newest = ReadonlyMap<string, ReadonlyMap<string, Release>>;

/** What a device may have of a component: a release, or the image from the factory. */
interface Had extends Pick<Release, 'component' | 'releaseCounter'> {
  readonly version?: string;
}

/** Refuses (`set-refused`) releases of which a device could not install the newest. */
export function assertSetsHold(releases: readonly Release[], factory: Factory): void {
  const [fault] = findFaults(releases, factory);
  if (fault !== undefined) throw new RepositoryError('set-refused', fault);
}

/** One line for each rule that the newest releases for a board break. */
export function findFaults(releases: readonly Release[], factory: Factory): string[] {
  const newest = newestReleases(releases);
  return [...boards(newest)].flatMap(([board, set]) => [
    ...set.flatMap((holder) => brokenRules(holder, board, newest, factory)),
    ...tooMany(set, board),
  ]);
}

function newestReleases(releases: readonly Release[]): Newest {
  const newest = new Map<string, Map<string, Release>>();
  for (const release of releases) {
    const byHardware = newest.get(release.component) ?? new Map<string, Release>();
    newest.set(release.component, byHardware);
    for (const id of release.hardwareIds) {
      if ((byHardware.get(id)?.releaseCounter ?? 0) < release.releaseCounter) byHardware.set(id, release);
    }
  }
  return newest;
}

/** The newest releases for each hardware id. */
function boards(newest: Newest): Map<string, Release[]> {
  const sets = new Map<string, Release[]>();
  for (const byHardware of newest.values()) {
    for (const [id, release] of byHardware) sets.set(id, [...(sets.get(id) ?? []), release]);
  }
  return sets;
}

function brokenRules(holder: Release, board: string, newest: Newest, factory: Factory): string[] {
  const fault = (kind: keyof Rules, range: Range, had: readonly Had[]) =>
    `${describeRule(holder, kind, range)}, and ${describeHad(range.component, board, had)}`;
  const missing = (holder.requires ?? []).flatMap((range) => {
    const had = mayHave(range.component, board, newest, factory);
    return had.some((other) => isWithin(range, other)) ? [] : [fault('requires', range, had)];
  });
  const clashing = (holder.conflicts ?? []).flatMap((range) => {
    const had = mayHave(range.component, board, newest, factory);
    const clashes = had.length > 0 && had.every((other) => isWithin(range, other));
    return clashes ? [fault('conflicts', range, had)] : [];
  });
  return [...missing, ...clashing];
}

/**
 * What devices with this board end up with of a component: its newest release for the board. Where there is none for the
 * board, the component has a hardware id of its own, and which one is not known here: the newest of each.
 */
function mayHave(component: string, board: string, newest: Newest, factory: Factory): Had[] {
  const byHardware = newest.get(component);
  const own = byHardware?.get(board);
  const releases = own ? [own] : [...new Set(byHardware?.values())];
  const made = factory[component];
  if (made === undefined) return releases;
  const image = { component, releaseCounter: made };
  return releases.length === 0
    ? [image]
    : releases.map((release) => (release.releaseCounter < made ? image : release));
}

function describeHad(component: string, board: string, had: readonly Had[]): string {
  if (had.length === 0)
    return `there is no release of ${component} for ${board} (nor is it in [factory] in moult.toml)`;
  const names = had.map(
    ({ version = 'from the factory', releaseCounter }) => `${version} (${releaseCounter})`,
  );
  return `what ${board} would have is ${component} ${names.join(' or ')}`;
}

function tooMany(set: readonly Release[], board: string): string[] {
  const count = set.reduce((sum, release) => sum + conditionsOf(release), 0);
  if (count <= MAX_CONDITIONS) return [];
  return [`the newest releases for ${board} have ${count} conditions; devices take ${MAX_CONDITIONS}`];
}
