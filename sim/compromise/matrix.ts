// What succeeds with which stolen keys: every set of keys, every attack, every kind of ECU.
import { createHash } from 'node:crypto';
import type { DeviceContents } from '../device.ts';
import { type Attempt, imageOf, published, SERVED_ATTACKS, type ServedAttack } from './attacks.ts';
import { answersOf, Bench, ECUS, type Ecu, type EcuName } from './ecus.ts';
import { effective, everyLoot, includes, type Loot, nameOf, smallest } from './holders.ts';
import { bundleIsSplit, imageIsRead, retrievalIsSlow } from './others.ts';
import { START } from './repositories.ts';

export interface Attack {
  readonly name: string;
  readonly means: string;
  /** Plays it on an ECU; whether it succeeds with what was stolen. */
  trial(ecu: Ecu): (loot: Loot) => boolean | Promise<boolean>;
}

/** In the order of the standard. */
export const ATTACKS: readonly Attack[] = [
  {
    name: 'eavesdrop',
    means: 'somebody reads an image that was encrypted for the ECU',
    trial: (ecu) => (loot) => imageIsRead(loot, ecu),
  },
  served('drop-request'),
  {
    name: 'slow retrieval',
    means: 'an ECU waits for bytes that come too slowly, for hours',
    trial: () => once(retrievalIsSlow),
  },
  served('freeze'),
  {
    name: 'partial bundle',
    means: 'of ECUs that are to be updated together some are, and others are not',
    trial: () => once(bundleIsSplit),
  },
  served('denial of service on a repository'),
  served('rollback'),
  served('endless data'),
  served('mix-and-match'),
  served('arbitrary software'),
];

/** Of what no key changes. */
function once(play: () => Promise<boolean>): () => Promise<boolean> {
  const played = play();
  return () => played;
}

function served(name: string): Attack {
  const attack = SERVED_ATTACKS.find((one) => one.name === name);
  if (!attack) throw new Error(`there is no attack called ${name}`);
  return {
    ...{ name, means: attack.means },
    trial(ecu) {
      const trial = new Trial(attack, ecu);
      return (loot) => trial.succeeds(loot);
    },
  };
}

/** The sets of stolen keys with which an attack on an ECU succeeds, of which nothing can be left out. */
export interface Verdict {
  readonly attack: string;
  readonly ecu: EcuName;
  readonly needs: readonly Loot[];
}

/** `loots`: all that there are when left out. */
export async function compromises(loots: readonly Loot[] = [...everyLoot()]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const attack of ATTACKS)
    for (const ecu of ECUS) {
      const found = new Set(await successful(attack.trial(ecu), loots));
      const needs = smallest([...found]);
      const odd = loots.find((loot) => found.has(loot) !== needs.some((less) => includes(loot, less)));
      if (odd)
        throw new Error(`${attack.name} on a ${ecu.name}: ${nameOf(odd)} achieves less than a part of it`);
      verdicts.push({ attack: attack.name, ecu: ecu.name, needs });
    }
  return verdicts;
}

/** Sets that come to the same are played once. */
async function successful(
  trial: (loot: Loot) => boolean | Promise<boolean>,
  loots: readonly Loot[],
): Promise<Loot[]> {
  const known = new Map<string, boolean>();
  const found: Loot[] = [];
  for (const loot of loots) {
    const reduced = effective(loot);
    const name = nameOf(reduced);
    const succeeds = known.get(name) ?? (await trial(reduced));
    known.set(name, succeeds);
    if (succeeds) found.push(loot);
  }
  return found;
}

/** One attack by what is served, on one ECU, again and again. */
class Trial {
  readonly #attack: ServedAttack;
  readonly #ecu: Ecu;
  readonly #bench: Bench;
  readonly #begin: DeviceContents;
  /** Attempts that are the same, byte for byte, come out the same. */
  readonly #known = new Map<string, boolean>();

  constructor(attack: ServedAttack, ecu: Ecu) {
    this.#attack = attack;
    this.#ecu = ecu;
    this.#bench = new Bench(ecu, imageOf(1), published(ecu, 1));
    for (let release = 1; release <= attack.before; release++)
      this.#bench.check(START, answersOf(published(ecu, release)));
    this.#begin = this.#bench.snapshot();
    if (!this.#bench.runs(imageOf(attack.before))) throw new Error(`the ${ecu.name} did not settle`);
  }

  succeeds(loot: Loot): boolean {
    return this.#attack.attempts(loot, this.#ecu).some((attempt, index) => this.#outcome(attempt, index));
  }

  #outcome(attempt: Attempt, index: number): boolean {
    const id = `${index} ${attempt.now} ${digestOf(attempt.files)}`;
    const known = this.#known.get(id) ?? this.#try(attempt);
    this.#known.set(id, known);
    return known;
  }

  #try({ files, now, conduct = (answers) => answers }: Attempt): boolean {
    this.#bench.restore(this.#begin);
    const outcome = this.#bench.check(now, conduct(answersOf(files)));
    return this.#attack.succeeds(this.#bench, outcome, this.#ecu);
  }
}

function digestOf(files: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash('sha256');
  for (const [path, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  return hash.digest('hex');
}
