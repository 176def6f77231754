// The round: how a Primary brings the ECUs of a vehicle onto what the Director lists, all of them or none
// (docs/decisions/0028-secondaries.md).
//
//   GATHER ──all hold their images──▶ TRIAL ──all work──▶ committed: GATHER
//      ▲                                │
//      └────────── one does not ────────┘
//
// What is decided is in the depot before anybody hears of it. ECUs ask until they hear it; one that asks about an image of
// which nothing is decided is told to leave it. So a Primary may lose its power anywhere.
import { State, Status } from './abi.ts';
import type { Depot } from './depot.ts';
import type { Consent, ConsentRequest, DeviceReport, Stage } from './link.ts';

/** Where the decision is in the depot. */
const DECISION = 'decision.json';
/** Rounds for the same releases; more may be what somebody wants who holds one ECU back. */
const MOST_ROUNDS = 3;
/** Seconds in which an ECU must have asked to count as there. */
const RECENT = 30;

type Releases = Readonly<Record<string, number>>;

/** Release counters by ECU. */
interface Decision {
  /** These were told to boot, and nothing more is decided; empty: gathering. */
  readonly trial: Releases;
  /** These stay, whenever their ECUs ask. */
  readonly committed: Releases;
  /** The releases of the last rounds that were given up, and how many rounds. */
  readonly failed: Releases;
  readonly rounds: number;
}

const NOTHING: Decision = { trial: {}, committed: {}, failed: {}, rounds: 0 };

/** Why a round was given up. */
export type Reason = 'refused' | 'late';

export type RoundEvent =
  | { readonly type: 'begun'; readonly releases: Releases }
  | { readonly type: 'committed'; readonly releases: Releases }
  /** `ecus`: those that refused their images, or did not come to test them. */
  | { readonly type: 'given-up'; readonly reason: Reason; readonly ecus: readonly string[] };

/** What is known of an ECU since the Primary started. */
interface Member {
  /** The confirmed release; -1: it has not said yet. */
  installed: number;
  asked: { [stage in Stage]?: { readonly release: number; readonly at: number } };
  refused: boolean;
}

export class Round {
  readonly #depot: Depot;
  readonly #now: () => number;
  /** Seconds that a trial of all may take. */
  readonly #patience: number;
  readonly #members = new Map<string, Member>();
  #decision: Decision;
  /** Undefined: not known yet. */
  #wanted: Releases | undefined;
  #since: number;

  /** `now` in seconds. */
  constructor(depot: Depot, now: () => number, patience: number) {
    this.#depot = depot;
    this.#now = now;
    this.#patience = patience;
    const text = depot.read(DECISION);
    this.#decision = text ? (JSON.parse(Buffer.from(text).toString()) as Decision) : NOTHING;
    this.#since = now();
  }

  /** The releases that are on trial; undefined: none are. */
  get trial(): Releases | undefined {
    return isEmpty(this.#decision.trial) ? undefined : this.#decision.trial;
  }

  /** When a trial is given up, in seconds. */
  get deadline(): number {
    return this.trial ? this.#since + this.#patience : Infinity;
  }

  /** Whether an ECU is known to have what it should have. */
  has(serial: string, release: number): boolean {
    return this.#member(serial).installed >= release;
  }

  isCommitted(serial: string, release: number): boolean {
    return this.#decision.committed[serial] === release;
  }

  /** What the Director lists from now on. */
  want(releases: Releases): void {
    this.#wanted = releases;
  }

  /** An ECU asks. */
  ask(serial: string, { stage, release }: ConsentRequest): Consent {
    const member = this.#member(serial);
    member.asked[stage] = { release, at: this.#now() };
    const { trial } = this.#decision;
    if (stage === 'works') {
      if (this.isCommitted(serial, release)) return 'go';
      return trial[serial] === release ? 'wait' : 'leave';
    }
    if (this.trial) return trial[serial] === release ? 'go' : 'wait';
    return !this.#wanted || this.#wanted[serial] === release ? 'wait' : 'leave';
  }

  /** An ECU reports. Nobody has signed it: what it can do is keep the others from their update, or itself. */
  hear(serial: string, { event, status, state }: Pick<DeviceReport, 'event' | 'status' | 'state'>): void {
    const member = this.#member(serial);
    const [installed, isOnTrial] = [state[State.INSTALLED_RELEASE], state[State.ON_TRIAL] === 1];
    if (installed !== undefined) member.installed = installed;
    if (!isOnTrial && REFUSALS.includes(status)) member.refused = true;
    if (event === 'rejected') member.refused = true;
  }

  /** Whether all are there to begin. */
  get isReady(): boolean {
    const taking = this.#taking();
    const releases = Object.entries(taking);
    const spent = this.#decision.rounds >= MOST_ROUNDS && isSame(taking, this.#decision.failed);
    const isHere = ([serial, release]: [string, number]) => this.#isThere(serial, 'ready', release);
    return !this.trial && releases.length > 0 && !spent && releases.every(isHere);
  }

  /** All are to boot what they hold. */
  begin(): RoundEvent {
    const releases = this.#taking();
    this.#decide({ ...this.#decision, trial: releases });
    return { type: 'begun', releases };
  }

  /** What has come of a trial; undefined: nothing yet. */
  judge(): RoundEvent | undefined {
    const { trial } = this;
    if (!trial) return undefined;
    const serials = Object.keys(trial);
    const refusing = serials.filter((serial) => this.#member(serial).refused);
    if (refusing.length > 0) return this.#giveUp('refused', refusing);
    const missing = serials.filter((serial) => !this.#isThere(serial, 'works', trial[serial] ?? 0));
    if (missing.length === 0) return this.#commit(trial);
    return this.#now() >= this.deadline ? this.#giveUp('late', missing) : undefined;
  }

  #commit(trial: Releases): RoundEvent {
    const committed = { ...this.#decision.committed, ...trial };
    this.#decide({ ...NOTHING, committed });
    return { type: 'committed', releases: trial };
  }

  #giveUp(reason: Reason, ecus: readonly string[]): RoundEvent {
    const { trial: failed, failed: before, rounds, committed } = this.#decision;
    const again = isSame(failed, before) ? rounds + 1 : 1;
    this.#decide({ trial: {}, committed, failed, rounds: again });
    return { type: 'given-up', reason, ecus };
  }

  /** From here on it counts, also for a Primary that starts again. */
  #decide(decision: Decision): void {
    this.#depot.write(DECISION, Buffer.from(JSON.stringify(decision)));
    this.#decision = decision;
    this.#since = this.#now();
    for (const member of this.#members.values()) Object.assign(member, { refused: false, asked: {} });
  }

  /** The releases that are missing, by ECU. */
  #taking(): Releases {
    const missing = Object.entries(this.#wanted ?? {}).filter(
      ([serial, release]) => !this.has(serial, release),
    );
    return Object.fromEntries(missing);
  }

  #isThere(serial: string, stage: Stage, release: number): boolean {
    const asked = this.#member(serial).asked[stage];
    return asked?.release === release && this.#now() - asked.at <= RECENT;
  }

  #member(serial: string): Member {
    const member = this.#members.get(serial) ?? { installed: -1, asked: {}, refused: false };
    this.#members.set(serial, member);
    return member;
  }
}

/** Of an image that an ECU will not try, or not again. */
const REFUSALS: readonly number[] = [
  Status.SELF_TEST_FAILED,
  Status.TRIAL_FAILED,
  Status.RELEASE_FAILED_BEFORE,
];

function isEmpty(releases: Releases): boolean {
  return Object.keys(releases).length === 0;
}

function isSame(one: Releases, other: Releases): boolean {
  const text = (releases: Releases) => JSON.stringify(Object.entries(releases).sort());
  return text(one) === text(other);
}
