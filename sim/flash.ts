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
  /** True: an erase of the block that begins here says that it has happened, and leaves the block as it is. */
  readonly stale?: (area: number, start: number) => boolean;
  /** The chip looks before it programs: a write to a stale block that holds something fails. */
  readonly checksErased?: boolean;
}

/** NOR flash whose operations the power supply can cut short. The same seed leaves the same bits. */
export class SimFlash extends NorFlash {
  faults: FlashFaults = {};
  /** Bytes programmed so far. */
  written = 0;
  /** Blocks so far that were to be erased, held something, and still hold it (`FlashFaults.stale`). */
  lies = 0;
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
    // Of a Buffer `slice` would be the same bytes.
    const copy = new Uint8Array(wanted);
    const given = this.faults.write ? this.faults.write(area, offset, copy) : copy;
    const data = given && this.faults.stale ? this.#over(area, offset, given) : given;
    if (!data) return false;
    const operation = { type: 'write', area, offset, data, unit: this.unit(area) } as const;
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
      () => this.#eraseBlocks(area, offset, length),
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

  /** What a block holds whose erase has lied is no misuse of whoever writes to it. */
  protected override checkWrite(area: number, offset: number, length: number): void {
    if (!this.faults.stale) super.checkWrite(area, offset, length);
    else
      this.#eachBlock(area, offset, length, (at, part, isStale) => {
        if (!isStale) super.checkWrite(area, at, part);
      });
  }

  #eraseBlocks(area: number, offset: number, length: number): void {
    if (!this.faults.stale) super.erase(area, offset, length);
    else
      this.#eachBlock(area, offset, length, (at, part, isStale) => {
        if (!isStale) super.erase(area, at, part);
        else if (this.#holds(area, at, part)) this.lies++;
      });
  }

  #holds(area: number, offset: number, length: number): boolean {
    const bytes = new Uint8Array(length);
    super.read(area, offset, bytes);
    return bytes.some((byte) => byte !== this.erased(area));
  }

  /** The part of each block in a range: where it begins, its length, and whether erases of the block lie. */
  #eachBlock(
    area: number,
    offset: number,
    length: number,
    visit: (at: number, part: number, isStale: boolean) => void,
  ): void {
    let start = 0;
    for (let at = offset; at < offset + length; ) {
      const end = this.blockEnd(area, at);
      while (this.blockEnd(area, start) !== end) start = this.blockEnd(area, start);
      visit(at, Math.min(end, offset + length) - at, this.faults.stale?.(area, start) === true);
      at = end;
    }
  }

  /** What a write leaves: programming only moves bits away from the erased state, and those that have moved before stay. */
  #over(area: number, offset: number, data: Uint8Array): Uint8Array | false {
    if (this.faults.checksErased && this.#holds(area, offset, data.length)) return false;
    const erased = this.erased(area);
    const before = new Uint8Array(data.length);
    super.read(area, offset, before);
    return data.map((byte, index) => erased ^ ((byte ^ erased) | ((before[index] ?? erased) ^ erased)));
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
