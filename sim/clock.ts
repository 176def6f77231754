import type { Clock } from '../host/node/clock.ts';

interface Timer {
  readonly due: number;
  readonly action: () => void;
}

/** Time that passes only when nothing else happens: a day of waiting takes no time at all. */
export class SimClock implements Clock {
  #now: number;
  readonly #timers = new Set<Timer>();
  /** Pieces of work that run now. */
  #runs = 0;

  /** Starts at a time in seconds since 1970. */
  constructor(start: number) {
    this.#now = start * 1000;
  }

  now(): number {
    return this.#now;
  }

  /** Seconds since 1970. */
  seconds(): number {
    return Math.floor(this.#now / 1000);
  }

  after(milliseconds: number, action: () => void): () => void {
    const timer = { due: this.#now + milliseconds, action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.after(milliseconds, resolve));
  }

  sleepUntil(seconds: number): Promise<void> {
    return this.sleep(Math.max(0, seconds * 1000 - this.#now));
  }

  /** Sets the clock without running what becomes due: what an attacker does, or an empty battery. */
  set(seconds: number): void {
    this.#now = seconds * 1000;
  }

  /**
   * Runs simulated work to its end, letting time jump to the next timer whenever all work waits.
   * Real input and output looks like waiting: it needs the system's clock.
   */
  async run<T>(work: Promise<T>): Promise<T> {
    this.#runs++;
    if (this.#runs === 1) void this.#pass();
    try {
      return await work;
    } finally {
      this.#runs--;
    }
  }

  async #pass(): Promise<void> {
    for (await idle(); this.#runs > 0; await idle()) this.#advance();
  }

  #advance(): void {
    const [first, ...others] = this.#timers;
    if (!first) return;
    const next = others.reduce((earliest, timer) => (timer.due < earliest.due ? timer : earliest), first);
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.due);
    next.action();
  }
}

/** Until everything that is ready to run has run. */
function idle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
