import { describe, expect, test } from 'vitest';
import { RecordedBoot } from '../../host/node/boot.ts';
import { BOOT_AREA, type Geometry } from '../../host/node/flash.ts';
import { SimFlash } from '../../sim/flash.ts';
import { type Cut, cutsOf, type Operation, Power, PowerCut } from '../../sim/power.ts';

function bootFlash(unit: number, erased: number, blocks = [128, 128]) {
  const none = { blocks: [], unit, erased };
  const geometry: Geometry = [none, none, none, none, none, { blocks, unit, erased }];
  const power = new Power();
  return { power, flash: new SimFlash(geometry, power, 1) };
}

const GEOMETRIES = [1, 4, 8, 16, 32].flatMap((unit) => [
  { unit, erased: 0xff },
  { unit, erased: 0x00 },
]);

describe.each(GEOMETRIES)('boot record, write unit $unit, erased $erased', ({ unit, erased }) => {
  test('runs slot 0, confirmed, when nothing was ever recorded', () => {
    const boot = new RecordedBoot(bootFlash(unit, erased).flash);
    expect([boot.slots, boot.onTrial]).toEqual([0, false]);
  });

  test('runs a selected slot on trial from the next boot on, and for good once confirmed', () => {
    const { flash } = bootFlash(unit, erased);
    const first = new RecordedBoot(flash);
    first.select(1);
    expect([first.slots, first.onTrial]).toEqual([0, false]);
    const trial = new RecordedBoot(flash);
    expect([trial.slots, trial.onTrial]).toEqual([1, true]);
    trial.confirm();
    expect(trial.onTrial).toBe(false);
    for (let boots = 0; boots < 5; boots++) {
      const boot = new RecordedBoot(flash);
      expect([boot.slots, boot.onTrial]).toEqual([1, false]);
    }
  });

  test('returns to the slot before after three boots on trial without a confirm', () => {
    const { flash } = bootFlash(unit, erased);
    new RecordedBoot(flash).select(1);
    const boots = Array.from({ length: 6 }, () => new RecordedBoot(flash));
    expect(boots.map(({ slots }) => slots)).toEqual([1, 1, 1, 0, 0, 0]);
    expect(boots.map(({ onTrial }) => onTrial)).toEqual([true, true, true, false, false, false]);
  });

  test('returns to the slot before when a trial is reverted, also before it began', () => {
    const { flash } = bootFlash(unit, erased);
    const first = new RecordedBoot(flash);
    first.select(1);
    first.revert();
    expect(new RecordedBoot(flash).slots).toBe(0);
    first.select(1);
    new RecordedBoot(flash).revert();
    expect(new RecordedBoot(flash).slots).toBe(0);
  });

  test('switches the slots of all components at once, and brings back those that ran before', () => {
    const { flash } = bootFlash(unit, erased);
    const first = new RecordedBoot(flash);
    first.select(0b101);
    const trial = new RecordedBoot(flash);
    expect([trial.slots, trial.onTrial]).toEqual([0b101, true]);
    trial.confirm();
    new RecordedBoot(flash).select(0b110);
    new RecordedBoot(flash).select(0b011);
    const boots = Array.from({ length: 4 }, () => new RecordedBoot(flash).slots);
    expect(boots).toEqual([0b011, 0b011, 0b011, 0b101]);
  });

  test('says so when a decision does not stand as it was written, and the one before it counts', () => {
    const { flash } = bootFlash(unit, erased);
    new RecordedBoot(flash).select(1);
    const trial = new RecordedBoot(flash);
    flash.faults = { write: (_, __, data) => data.map((byte, at) => (at === 0 ? erased : byte)) };
    expect([trial.confirm(), trial.revert(), trial.onTrial]).toEqual([false, false, true]);
    flash.faults = {};
    const next = new RecordedBoot(flash);
    expect([next.slots, next.onTrial, next.revert()]).toEqual([1, true, true]);
    expect(new RecordedBoot(flash).slots).toBe(0);
  });

  test('does not guess when the record cannot be read, and boots as decided once it can', () => {
    const { flash } = bootFlash(unit, erased);
    new RecordedBoot(flash).select(1);
    const trial = new RecordedBoot(flash);
    flash.faults = { read: () => false };
    expect(() => new RecordedBoot(flash)).toThrow(expect.objectContaining({ code: 'flash-unreadable' }));
    expect(trial.confirm()).toBe(false);
    flash.faults = {};
    expect(trial.confirm()).toBe(true);
    expect(new RecordedBoot(flash).slots).toBe(1);
  });

  test('writes nothing when a decision is made twice', () => {
    const { flash, power } = bootFlash(unit, erased);
    const boot = new RecordedBoot(flash);
    boot.confirm();
    boot.revert();
    expect(power.operations).toBe(0);
    boot.select(1);
    boot.select(1);
    expect(power.operations).toBe(1);
  });

  test('leaves the decision before or after when the power is cut at any moment', () => {
    for (const cut of everyCut(unit, erased)) {
      const { flash, power } = bootFlash(unit, erased);
      power.plan(cut);
      const allowed = updateUntilCut(flash);
      expect(power.cuts).toBe(1);
      power.on();
      expect(allowed).toContain(new RecordedBoot(flash).slots);
      for (let more = 0; more < 9; more++) {
        const boot = new RecordedBoot(flash);
        boot.select(boot.slots === 0 ? 1 : 0);
        const tried = new RecordedBoot(flash);
        expect(tried.slots).not.toBe(boot.slots);
        tried.confirm();
      }
    }
  });
});

/** Updates back and forth, enough to fill and erase both blocks; the slots that may run after the cut. */
function updateUntilCut(flash: SimFlash): readonly number[] {
  let allowed: readonly number[] = [0];
  try {
    for (let update = 0; update < 9; update++) {
      const boot = new RecordedBoot(flash);
      const next = boot.slots === 0 ? 1 : 0;
      allowed = [boot.slots, next];
      boot.select(next);
      allowed = [next];
      new RecordedBoot(flash).confirm();
    }
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
  }
  return allowed;
}

function everyCut(unit: number, erased: number): Cut[] {
  const { flash, power } = bootFlash(unit, erased);
  const operations: Operation[] = [];
  power.log = operations;
  updateUntilCut(flash);
  expect(operations.some(({ type }) => type === 'erase')).toBe(true);
  return operations.flatMap((operation, index) => cutsOf(operation, index, 64));
}

test('boot record: survives a first block of garbage', () => {
  const { flash } = bootFlash(4, 0xff);
  flash.write(BOOT_AREA, 0, new Uint8Array(128).fill(0x5a));
  new RecordedBoot(flash).select(1);
  expect(new RecordedBoot(flash).slots).toBe(1);
});

test('boot record: needs two erase blocks, or an erase would lose the decision', () => {
  expect(() => new RecordedBoot(bootFlash(4, 0xff, [256]).flash)).toThrow('two erase blocks');
});
