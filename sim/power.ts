// When the power goes. Every operation that leaves something behind (flash, hardware counter) is counted,
// and a planned cut stops exactly one of them: before it, inside it, or right after it.

export type Operation =
  | {
      readonly type: 'write';
      readonly area: number;
      readonly offset: number;
      readonly data: Uint8Array;
      readonly unit: number;
    }
  | { readonly type: 'erase'; readonly area: number; readonly offset: number; readonly length: number }
  | { readonly type: 'counter'; readonly value: number };

/**
 * before, after: nothing of the operation, or all of it, has happened.
 * torn: a write of which the first `units` units are programmed.
 * bits: the same, and of the next unit some bits.
 * front, back: an erase that reached only one half of its bytes. scrambled: one that left anything.
 */
export const CUT_KINDS = ['before', 'torn', 'bits', 'front', 'back', 'scrambled', 'after'] as const;
export type CutKind = (typeof CUT_KINDS)[number];

export interface Cut {
  /** Index of the operation, from 0. */
  readonly operation: number;
  readonly kind: CutKind;
  /** Whole units that a torn write has programmed. */
  readonly units: number;
}

/** The power is gone. Thrown through the core; nothing works until the device is powered on again. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';

  constructor(cut: Cut | undefined) {
    super(cut ? `power cut at operation ${cut.operation}, ${cut.kind}` : 'the power is off');
  }
}

/** The power supply of one device. */
export class Power {
  /** Operations so far. */
  operations = 0;
  /** Cuts that fired. */
  cuts = 0;
  /** When set, every operation is noted here. */
  log: Operation[] | undefined;
  /** Called at the moment of a cut. */
  whenCut: ((cut: Cut) => void) | undefined;
  /** Asked before each operation that no planned cut stops: how to stop it, if at all. */
  watch: ((operation: Operation, index: number) => Cut | undefined) | undefined;
  #plan: Cut | undefined;
  #off = false;

  /** Plans the next cut, instead of any other. */
  plan(cut: Cut | undefined): void {
    this.#plan = cut;
  }

  on(): void {
    this.#off = false;
  }

  /** Does an operation, or the part of it that a planned cut leaves. */
  operate(operation: Operation, whole: () => void, part: (cut: Cut) => void): void {
    if (this.#off) throw new PowerCut(undefined);
    const planned = this.#plan?.operation === this.operations ? this.#plan : undefined;
    const cut = planned ?? this.watch?.(operation, this.operations);
    this.operations++;
    this.log?.push(operation);
    if (!cut || cut.kind === 'after') whole();
    else if (cut.kind !== 'before') part(cut);
    if (!cut) return;
    if (planned) this.#plan = undefined;
    this.#off = true;
    this.cuts++;
    this.whenCut?.(cut);
    throw new PowerCut(cut);
  }
}

/** What a cut hits, for people. */
export function placeOf(operation: Operation, { kind, units }: Cut): string {
  const where = operation.type === 'counter' ? '' : ` in area ${operation.area} at ${operation.offset}`;
  return `${operation.type}${where}, ${kind}${units ? ` after ${units} units` : ''}`;
}

/** Every cut of an operation; of a long write at most `most` places, its ends among them. */
export function cutsOf(operation: Operation, index: number, most: number): Cut[] {
  const cut = (kind: CutKind, units = 0): Cut => ({ operation: index, kind, units });
  if (operation.type === 'counter') return [cut('before'), cut('after')];
  if (operation.type === 'erase')
    return (['before', 'front', 'back', 'scrambled', 'after'] as const).map((kind) => cut(kind));
  const places = spread(operation.data.length / operation.unit, most);
  const torn = places.filter((units) => units > 0).map((units) => cut('torn', units));
  return [cut('before'), ...torn, ...places.map((units) => cut('bits', units)), cut('after')];
}

/** At most `most` of the numbers 0 to `count` - 1, evenly, the first and the last among them. */
function spread(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, index) => index);
  const step = (count - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => Math.round(index * step));
}
