import { type Geometry, NorFlash } from '../host/node/flash.ts';
import type { Cut, Power } from './power.ts';
import { Random } from './random.ts';
import type { Trace } from './recoveries.ts';

/** What the chip does wrong. Where an answer is false, the operation fails and changes nothing. */
export interface FlashFaults {
  readonly read?: (area: number, offset: number, length: number) => boolean;
  /** The bytes that are programmed instead. */
  readonly write?: (area: number, offset: number, data: Uint8Array) => Uint8Array | false;
  readonly erase?: (area: number, offset: number, length: number) => boolean;
}

/** NOR flash whose operations the power supply can cut short. The same seed leaves the same bits. */
export class SimFlash extends NorFlash {
  faults: FlashFaults = {};
  /** Bytes programmed so far. */
  written = 0;
  /** Notes what is read of the contents that it was begun with. */
  trace: Trace | undefined;
  readonly #power: Power;
  readonly #seed: number;

  constructor(geometry: Geometry, power: Power, seed: number) {
    super(geometry);
    this.#power = power;
    this.#seed = seed;
  }

  override read(area: number, offset: number, into: Uint8Array): boolean {
    this.trace?.needs(area, offset, into.length);
    return this.faults.read?.(area, offset, into.length) !== false && super.read(area, offset, into);
  }

  override write(area: number, offset: number, wanted: Uint8Array): boolean {
    // Whether it may be written depends on what is there.
    this.trace?.needs(area, offset, wanted.length);
    this.checkWrite(area, offset, wanted.length);
    const data = this.faults.write ? this.faults.write(area, offset, wanted) : wanted;
    if (!data) return false;
    const operation = { type: 'write', area, offset, data: data.slice(), unit: this.unit(area) } as const;
    this.#power.operate(
      operation,
      () => this.change(area, offset, data),
      (cut) => this.#tear(area, offset, data, cut),
    );
    this.written += data.length;
    return true;
  }

  override erase(area: number, offset: number, length: number): boolean {
    this.checkErase(area, offset, length);
    this.trace?.sets(area, offset, length);
    if (this.faults.erase?.(area, offset, length) === false) return false;
    this.#power.operate(
      { type: 'erase', area, offset, length },
      () => super.erase(area, offset, length),
      (cut) => this.#halfErase(area, offset, length, cut),
    );
    return true;
  }

  /** Bit rot: turns these bits of a byte over. */
  rot(area: number, offset: number, bits: number): void {
    const byte = new Uint8Array(1);
    this.read(area, offset, byte);
    this.change(
      area,
      offset,
      byte.map((before) => before ^ bits),
    );
  }

  #tear(area: number, offset: number, data: Uint8Array, cut: Cut): void {
    const unit = this.unit(area);
    this.change(area, offset, data.subarray(0, cut.units * unit));
    if (cut.kind !== 'bits') return;
    const next = data.subarray(cut.units * unit, (cut.units + 1) * unit);
    this.change(area, offset + cut.units * unit, this.#someBits(area, next, cut));
  }

  /** Programming moves bits away from the erased state, and of this unit only some have moved. */
  #someBits(area: number, unit: Uint8Array, cut: Cut): Uint8Array {
    const random = this.#random(cut);
    const erased = this.erased(area);
    return unit.map((byte) => {
      const moved = (byte ^ erased) & random.next();
      return erased ^ moved;
    });
  }

  #halfErase(area: number, offset: number, length: number, cut: Cut): void {
    const half = length >> 1;
    const erased = this.erased(area);
    if (cut.kind === 'front') this.change(area, offset, new Uint8Array(half).fill(erased));
    else if (cut.kind === 'back')
      this.change(area, offset + half, new Uint8Array(length - half).fill(erased));
    else this.change(area, offset, this.#random(cut).bytes(length));
  }

  #random(cut: Cut): Random {
    return new Random(this.#seed ^ Math.imul(cut.operation + 1, 0x85ebca6b) ^ cut.units);
  }
}
