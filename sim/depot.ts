import type { Depot } from '../host/node/depot.ts';
import type { Power } from './power.ts';

/** A depot whose writes the power supply can prevent: like a counter in fuses it has the old or the new content. */
export class SimDepot implements Depot {
  readonly files = new Map<string, Uint8Array>();
  readonly #power: Power;

  constructor(power: Power) {
    this.#power = power;
  }

  read(name: string): Uint8Array | undefined {
    return this.files.get(name);
  }

  write(name: string, bytes: Uint8Array): void {
    this.#change(() => this.files.set(name, bytes.slice()));
  }

  remove(name: string): void {
    this.#change(() => this.files.delete(name));
  }

  names(): string[] {
    return [...this.files.keys()];
  }

  #change(change: () => void): void {
    this.#power.operate({ type: 'counter', value: 0 }, change, change);
  }
}
