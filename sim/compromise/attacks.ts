// The ten attacks of the Uptane Standard 2.1.0, each as somebody would try it who owns every network, inside the vehicle
// and outside, and has stolen some keys. What can be tried is a list of attempts; one that succeeds is enough.
import { Random } from '../random.ts';
import type { Answers, Bench, Ecu, Outcome } from './ecus.ts';
import { answersOf, ENDLESS } from './ecus.ts';
import type { Loot } from './holders.ts';
import {
  type Content,
  type Files,
  forged,
  HORIZON,
  honest,
  LAST_VERSION,
  type Listed,
  recovered,
  START,
} from './repositories.ts';

const HOUR = 3600;
/** When attackers act: the newest metadata was signed an hour ago, and all of it is good. */
const NOW = START + HOUR;
const IMAGES = [1, 2, 3, 4].map((release) => new Random(release).bytes(3000));
const EVIL = new Random(666).bytes(3000);
/** What somebody says who would like it never to be earlier again. */
const FAR_AWAY = [2 ** 31 - 2, 4_000_000_000];
/** Above that of any release. */
const HIGH_COUNTER = 9;

/** What an ECU is confronted with. */
export interface Attempt {
  readonly files: Files;
  /** Does something to the answers on the way. */
  readonly conduct?: (answers: Answers) => Answers;
  /** What the time is said to be, seconds since 1970; undefined: nobody says it. */
  readonly now: number | undefined;
}

/** An attack by what ECUs are served. */
export interface ServedAttack {
  readonly name: string;
  /** What it comes to where it succeeds. */
  readonly means: string;
  /** The release that the ECU has before it begins. */
  readonly before: 1 | 2;
  attempts(loot: Loot, ecu: Ecu): readonly Attempt[];
  succeeds(bench: Bench, outcome: Outcome, ecu: Ecu): boolean;
}

function listed(ecu: Ecu, releaseCounter: number, image = imageOf(releaseCounter)): Listed {
  return { ecu, image, releaseCounter };
}

export function imageOf(release: number): Uint8Array {
  return IMAGES[release - 1] ?? EVIL;
}

/** What the owners say at a moment: this release is ordered, and all up to `newest` are published. */
function stage(ecu: Ecu, ordered: number, signedAt = START, newest = ordered): Content {
  const published = Array.from({ length: newest }, (_, index) => listed(ecu, index + 1));
  return { ordered: [listed(ecu, ordered)], published, version: newest, signedAt };
}

/** All that the owners have published until release `newest` was ordered. */
export function published(ecu: Ecu, newest: number, signedAt = START): Files {
  const stages = Array.from({ length: newest }, (_, index) => stage(ecu, index + 1, signedAt));
  return stages.reduce<Files>((files, content) => honest(content, files), new Map());
}

/** One after the other with the honest files, and with worthless ones, where keys are missing. */
function forgeries(base: Files, content: Content, loot: Loot, now = NOW): Attempt[] {
  return (['honest', 'worthless'] as const).map((filler) => ({
    files: forged(base, content, loot, filler),
    now,
  }));
}

const arbitrarySoftware: ServedAttack = {
  name: 'arbitrary software',
  means: 'an ECU runs an image that nobody released',
  before: 1,
  attempts(loot, ecu) {
    const evil = listed(ecu, HIGH_COUNTER, EVIL);
    const content = { ordered: [evil], published: [evil], version: 3, signedAt: START };
    return forgeries(published(ecu, 2), content, loot);
  },
  succeeds: (bench) => bench.runs(EVIL),
};

const rollback: ServedAttack = {
  name: 'rollback',
  means: 'an ECU goes back to an older image',
  before: 2,
  attempts(loot, ecu) {
    const [old, disguised] = [listed(ecu, 1), listed(ecu, HIGH_COUNTER, imageOf(1))];
    const saying = (target: Listed): Content => ({
      ...{ ordered: [target], published: [target], version: 3, signedAt: START },
    });
    const base = published(ecu, 2);
    return [
      { files: published(ecu, 1), now: NOW },
      ...forgeries(base, saying(old), loot),
      ...forgeries(base, saying(disguised), loot),
    ];
  },
  succeeds: (bench) => bench.runs(imageOf(1)),
};

const mixAndMatch: ServedAttack = {
  name: 'mix-and-match',
  means: 'an ECU installs a release that was published, but never ordered for it together with the rest',
  before: 1,
  attempts(loot, ecu) {
    const now = published(ecu, 3);
    const older = published(ecu, 2).get('director/2.targets.json') ?? new Uint8Array();
    const mixed = new Map(now).set('director/3.targets.json', older).set('director/targets.json', older);
    const otherwise: Content = { ...stage(ecu, 2, START, 3), version: 4 };
    // Whole metadata of an earlier moment is a freeze.
    const isMixture = ecu.mode === 'full' ? [{ files: mixed, now: NOW }] : [];
    return [...isMixture, ...forgeries(now, otherwise, loot)];
  },
  succeeds: (bench) => bench.runs(imageOf(2)),
};

const freeze: ServedAttack = {
  name: 'freeze',
  means: 'an ECU believes for months that it is up to date',
  before: 1,
  attempts(loot, ecu) {
    const later = START + HORIZON;
    const fresh = honest({ ...stage(ecu, 2, later), version: 3 }, published(ecu, 2));
    const stale: Content = { ...stage(ecu, 1, later, 2), version: 4 };
    const believed = loot.has('time') ? NOW : later + HOUR;
    return [{ files: published(ecu, 1), now: believed }, ...forgeries(fresh, stale, loot, later + HOUR)];
  },
  succeeds: (bench, { status }) => status >= 0 && bench.runs(imageOf(1)),
};

const dropRequest: ServedAttack = {
  name: 'drop-request',
  means: 'an ECU that hears nothing takes that for having nothing to do',
  before: 1,
  attempts: (_, ecu) => [{ files: published(ecu, 2), conduct: () => () => undefined, now: NOW }],
  succeeds: (_, { status }) => status >= 0,
};

const endlessData: ServedAttack = {
  name: 'endless data',
  means: 'an ECU takes bytes without end',
  before: 1,
  attempts(loot, ecu) {
    const base = published(ecu, 2);
    const claims: Content = { ...stage(ecu, 3, START), length: LAST_VERSION };
    const files = [base, forged(base, claims, loot, 'honest'), forged(base, claims, loot, 'worthless')];
    const names = ['root', 'timestamp', 'snapshot', 'targets', 'supplier', 'firmware.bin'];
    return files.flatMap((all) =>
      names.map((name) => ({ files: all, now: NOW, conduct: withoutEnd((path) => path.includes(name)) })),
    );
  },
  succeeds: (_, { taken }) => taken >= ENDLESS,
};

function withoutEnd(matches: (path: string) => boolean): (answers: Answers) => Answers {
  return (answers) => (path) => {
    const answer = answers(path);
    return answer && { ...answer, endless: matches(path) };
  };
}

/** Afterwards owners rotate all keys but those of the roots, and publish release 4. */
const denial: ServedAttack = {
  name: 'denial of service on a repository',
  means: 'an ECU cannot be updated any more, whatever the owners of the repositories sign',
  before: 1,
  attempts(loot, ecu) {
    const base = published(ecu, 2);
    const far = { ...stage(ecu, 2), version: LAST_VERSION };
    const lies = forgeries(base, far, loot);
    const [first] = lies;
    const forever = loot.has('time') && first ? FAR_AWAY.map((now) => ({ ...first, now })) : [];
    return [{ files: base, conduct: () => () => undefined, now: NOW }, ...lies, ...forever];
  },
  succeeds(bench, _, ecu) {
    const content = stage(ecu, 4, NOW + HOUR);
    bench.check(NOW + 2 * HOUR, answersOf(recovered(published(ecu, 3), content)));
    return !bench.runs(imageOf(4));
  },
};

export const SERVED_ATTACKS: readonly ServedAttack[] = [
  arbitrarySoftware,
  rollback,
  mixAndMatch,
  freeze,
  dropRequest,
  endlessData,
  denial,
];
