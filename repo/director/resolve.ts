// Which release each ECU of a vehicle is to have (Uptane Standard 2.1.0: "dependencies and conflicts"). The same
// inputs give the same choice, and every round either brings in a release or bans one, so it ends.
import { describeRule, isWithin, type Range, type Rules } from '../rules.ts';
import type { DirectorRelease } from './release.ts';

export interface Place {
  readonly serial: string;
  readonly hardwareId: string;
  /** What its last signed report says that it has; undefined: nothing that the Image repository knows. */
  readonly installed: DirectorRelease | undefined;
}

/** A release that was assigned and is held back. */
export interface HeldBack {
  readonly release: DirectorRelease;
  readonly reason: string;
}

export interface Resolution {
  /** By ECU serial; an ECU that is not here keeps what it has. */
  readonly chosen: ReadonlyMap<string, DirectorRelease>;
  readonly heldBack: readonly HeldBack[];
}

/** A rule of one release that the vehicle would break. */
interface Violation {
  readonly holder: DirectorRelease;
  readonly range: Range;
  readonly kind: keyof Rules;
}

/** `catalogue`: where to look for what an assigned release requires. */
export function resolve(
  places: readonly Place[],
  assigned: readonly DirectorRelease[],
  catalogue: readonly DirectorRelease[],
): Resolution {
  const banned = new Map<DirectorRelease, string>();
  let pulled: DirectorRelease[] = [];
  for (;;) {
    const candidates = [...assigned, ...pulled].filter((release) => !banned.has(release));
    const chosen = choose(places, candidates);
    const violation = findViolation(places, chosen);
    if (violation === undefined) return { chosen, heldBack: heldBack(assigned, banned) };
    const remedy = findRemedy(violation, places, catalogue, [...candidates, ...banned.keys()]);
    if (remedy !== undefined) pulled.push(remedy);
    else {
      const { holder, kind, range } = violation;
      banned.set(culprit(violation, chosen), describeRule(holder, kind, range));
      // What was brought in for a release that is out now is not wanted any more.
      pulled = [];
    }
  }
}

/** For each ECU the highest release that fits its hardware and is not below what it has. */
function choose(
  places: readonly Place[],
  candidates: readonly DirectorRelease[],
): Map<string, DirectorRelease> {
  const chosen = new Map<string, DirectorRelease>();
  for (const place of places) {
    const best = highest(candidates.filter((release) => fits(release, place)));
    if (best !== undefined) chosen.set(place.serial, best);
  }
  return chosen;
}

/** An ECU without a known image takes any; else one of the same component, not below: it would refuse the rest. */
function fits(release: DirectorRelease, { hardwareId, installed }: Place): boolean {
  if (!release.hardwareIds.includes(hardwareId)) return false;
  if (installed === undefined) return true;
  return release.component === installed.component && release.releaseCounter >= installed.releaseCounter;
}

function highest(releases: readonly DirectorRelease[]): DirectorRelease | undefined {
  return releases.reduce<DirectorRelease | undefined>(
    (best, release) =>
      best === undefined ||
      release.releaseCounter > best.releaseCounter ||
      (release.releaseCounter === best.releaseCounter && release.path < best.path)
        ? release
        : best,
    undefined,
  );
}

/** The first rule that is broken because of what was chosen; what was broken before is not the Director's doing. */
function findViolation(
  places: readonly Place[],
  chosen: ReadonlyMap<string, DirectorRelease>,
): Violation | undefined {
  const present = places.flatMap(({ serial, installed }) => chosen.get(serial) ?? installed ?? []);
  for (const holder of new Set(present)) {
    const isChosen = [...chosen.values()].includes(holder);
    const missing = holder.requires.find((range) => !present.some((other) => isWithin(range, other)));
    const clash = holder.conflicts.find((range) => present.some((other) => isWithin(range, other)));
    if (missing !== undefined && (isChosen || touches(missing, chosen, false)))
      return { holder, range: missing, kind: 'requires' };
    if (clash !== undefined && (isChosen || touches(clash, chosen, true)))
      return { holder, range: clash, kind: 'conflicts' };
  }
  return undefined;
}

function touches(range: Range, chosen: ReadonlyMap<string, DirectorRelease>, inside: boolean): boolean {
  return [...chosen.values()].some(
    (release) => release.component === range.component && isWithin(range, release) === inside,
  );
}

/** A release that brings what is required, for an ECU that can have it. */
function findRemedy(
  { range, kind }: Violation,
  places: readonly Place[],
  catalogue: readonly DirectorRelease[],
  tried: readonly DirectorRelease[],
): DirectorRelease | undefined {
  if (kind === 'conflicts') return undefined;
  const able = catalogue.filter(
    (release) =>
      isWithin(range, release) && !tried.includes(release) && places.some((place) => fits(release, place)),
  );
  return highest(able);
}

/** Whoever has the rule, when it was chosen; else the chosen release that breaks the rule of one that stays. */
function culprit(
  { holder, range, kind }: Violation,
  chosen: ReadonlyMap<string, DirectorRelease>,
): DirectorRelease {
  const releases = [...chosen.values()];
  const breaks = (release: DirectorRelease) =>
    release.component === range.component && isWithin(range, release) === (kind === 'conflicts');
  return releases.includes(holder) ? holder : (releases.find(breaks) ?? holder);
}

function heldBack(
  assigned: readonly DirectorRelease[],
  banned: ReadonlyMap<DirectorRelease, string>,
): HeldBack[] {
  return assigned.flatMap((release) => {
    const reason = banned.get(release);
    return reason === undefined ? [] : [{ release, reason }];
  });
}
