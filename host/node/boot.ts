// The boot decision of a host without a bootloader of its own: the boot record of docs/formats.md.
import type { FlashDriver } from './flash.ts';
import { RecordRing, type RingRecord } from './ring.ts';

const MAGIC = 0x3154424d;
const LENGTH = 16;
const CONFIRMED = 1;
const TRIAL = 2;
/** Boots on trial before the slots before return. */
const ATTEMPTS = 3;

/** What the core may ask of a boot decision. Each change takes effect whole or not at all; false: it failed. */
export interface BootControl {
  /** The slots that run, fixed since power-on: bit k is set when component k runs in its slot B. */
  readonly slots: number;
  /** They run on trial and are not confirmed yet. */
  readonly onTrial: boolean;
  /** From the next boot on, these slots run on trial, all of them or none. */
  select(slots: number): boolean;
  /** The running slots are those to run from now on. */
  confirm(): boolean;
  /** Ends a trial, begun or only selected: from the next boot on the slots before it run. */
  revert(): boolean;
  /** Where the bootloader moves images: the flash in which each stays in its slot, for the core. Left out: the flash itself. */
  readonly flash?: FlashDriver;
}

interface Decision {
  readonly kind: number;
  readonly slots: number;
  /** Boots of this trial so far. */
  readonly boots: number;
  /** The slots that ran before this trial; 0 when it is none. */
  readonly before: number;
}

/** The boot record in area 5. Constructing one is a boot: it counts the trial and fixes the running slots. */
export class RecordedBoot implements BootControl {
  readonly slots: number;
  readonly #ring: RecordRing;
  #onTrial: boolean;

  constructor(flash: FlashDriver) {
    this.#ring = new RecordRing(flash, MAGIC, LENGTH, ([kind]) => kind === CONFIRMED || kind === TRIAL);
    const counted = this.#decision.kind !== TRIAL || this.#countTrial();
    const { kind, slots, before } = this.#decision;
    // A trial that cannot be counted would never end: then the slots before it run.
    this.slots = counted ? slots : before;
    this.#onTrial = counted && kind === TRIAL;
  }

  get onTrial(): boolean {
    return this.#onTrial;
  }

  select(slots: number): boolean {
    const now = this.#decision;
    return this.#decide({
      kind: TRIAL,
      slots,
      boots: 0,
      before: now.kind === TRIAL ? now.before : now.slots,
    });
  }

  confirm(): boolean {
    const done = this.#decide(confirmed(this.slots));
    if (done) this.#onTrial = false;
    return done;
  }

  revert(): boolean {
    const { kind, before } = this.#decision;
    return kind !== TRIAL || this.#decide(confirmed(before));
  }

  get #decision(): Decision {
    return this.#ring.latest ? decisionOf(this.#ring.latest) : confirmed(0);
  }

  #countTrial(): boolean {
    const { kind, slots, boots, before } = this.#decision;
    return this.#decide(boots >= ATTEMPTS ? confirmed(before) : { kind, slots, boots: boots + 1, before });
  }

  #decide({ kind, slots, boots, before }: Decision): boolean {
    const now = this.#decision;
    if (now.kind === kind && now.slots === slots && now.boots === boots) return true;
    return this.#ring.append(Buffer.of(kind, slots, boots, before));
  }
}

function decisionOf({ fields }: RingRecord): Decision {
  const [kind = 0, slots = 0, boots = 0, before = 0] = fields;
  return { kind, slots, boots, before };
}

function confirmed(slots: number): Decision {
  return { kind: CONFIRMED, slots, boots: 0, before: 0 };
}
