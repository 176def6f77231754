import { describe, expect, test } from 'vitest';
import type { Geometry } from '../../host/node/flash.ts';
import { SimFlash } from '../../sim/flash.ts';
import { type CutKind, cutsOf, Power, PowerCut } from '../../sim/power.ts';

const UNIT = 4;
const DATA = Uint8Array.from({ length: 16 }, (_, index) => 0x11 * index);

function device(erased: number) {
  const geometry: Geometry = [{ blocks: [64, 64], unit: UNIT, erased }];
  const power = new Power();
  const flash = new SimFlash(geometry, power, 7);
  return { power, flash, read: () => contents(flash) };
}

function contents(flash: SimFlash): Uint8Array {
  const bytes = new Uint8Array(flash.size(0));
  flash.read(0, 0, bytes);
  return bytes;
}

/** What a cut write at offset 8 leaves. */
function cutWrite(erased: number, kind: CutKind, units = 0): Uint8Array {
  const { power, flash, read } = device(erased);
  power.plan({ operation: 0, kind, units });
  expect(() => flash.write(0, 8, DATA)).toThrow(PowerCut);
  expect(power.cuts).toBe(1);
  return read();
}

describe.each([0xff, 0x00])('flash that reads %i when erased', (erased) => {
  const blank = new Uint8Array(128).fill(erased);
  const written = (length: number) => {
    const bytes = blank.slice();
    bytes.set(DATA.subarray(0, length), 8);
    return bytes;
  };

  test('a write cut before leaves nothing, cut after leaves all', () => {
    expect(cutWrite(erased, 'before')).toEqual(blank);
    expect(cutWrite(erased, 'after')).toEqual(written(16));
  });

  test('a torn write leaves its first units', () => {
    for (const units of [1, 2, 3]) expect(cutWrite(erased, 'torn', units)).toEqual(written(units * UNIT));
  });

  test('a unit that was being programmed has some of its bits moved, and none back', () => {
    const left = cutWrite(erased, 'bits', 2);
    const whole = written(16);
    expect(left.slice(0, 16)).toEqual(written(8).slice(0, 16));
    expect(left.slice(20)).toEqual(blank.slice(20));
    const unit = left.slice(16, 20);
    expect(unit).not.toEqual(whole.slice(16, 20));
    expect(unit).not.toEqual(blank.slice(16, 20));
    unit.forEach((byte, index) => {
      const moved = byte ^ erased;
      const toMove = (whole[16 + index] ?? 0) ^ erased;
      expect(moved & ~toMove).toBe(0);
    });
  });

  test('an erase that is cut leaves either half, or anything', () => {
    const left = (kind: CutKind) => {
      const { power, flash, read } = device(erased);
      flash.write(0, 0, new Uint8Array(64).fill(0x5a));
      power.plan({ operation: 1, kind, units: 0 });
      expect(() => flash.erase(0, 0, 64)).toThrow(PowerCut);
      return read();
    };
    const half = (from: number) => blank.slice().fill(0x5a, from, from + 32);
    expect(left('before')).toEqual(blank.slice().fill(0x5a, 0, 64));
    expect(left('front')).toEqual(half(32));
    expect(left('back')).toEqual(half(0));
    expect(left('after')).toEqual(blank);
    expect(left('scrambled')).toEqual(left('scrambled'));
    expect(left('scrambled').slice(64)).toEqual(blank.slice(64));
    expect(left('scrambled').slice(0, 64)).not.toEqual(blank.slice(0, 64));
  });

  test('an erase that lies leaves its block and no other; a write there only moves bits, or is refused', () => {
    const { flash, read } = device(erased);
    flash.write(0, 0, new Uint8Array(128).fill(0x5a));
    flash.faults = { stale: (_, start) => start === 64 };
    flash.erase(0, 0, 128);
    expect(flash.lies).toBe(1);
    expect(read()).toEqual(blank.slice().fill(0x5a, 64));
    flash.write(0, 56, new Uint8Array(16).fill(0x33));
    const over = erased === 0 ? 0x5a | 0x33 : 0x5a & 0x33;
    expect(read()).toEqual(blank.slice().fill(0x33, 56, 64).fill(over, 64, 72).fill(0x5a, 72));
    expect(() => flash.write(0, 56, DATA)).toThrow('written twice without an erase');
    flash.faults = { ...flash.faults, checksErased: true };
    expect(flash.write(0, 80, DATA)).toBe(false);
  });
});

test('nothing works after a cut until the power is on again', () => {
  const { power, flash } = device(0xff);
  power.plan({ operation: 1, kind: 'before', units: 0 });
  flash.write(0, 0, DATA);
  expect(() => flash.write(0, 16, DATA)).toThrow('power cut at operation 1, before');
  expect(() => flash.erase(0, 0, 64)).toThrow('the power is off');
  power.on();
  flash.erase(0, 0, 64);
  expect([power.operations, power.cuts]).toEqual([3, 1]);
});

test('every place of a short write is cut, and a sample of a long one with both ends', () => {
  const write = (length: number) =>
    ({ type: 'write', area: 0, offset: 0, data: new Uint8Array(length), unit: UNIT }) as const;
  const places = (length: number, kind: CutKind) =>
    cutsOf(write(length), 3, 5)
      .filter((cut) => cut.kind === kind)
      .map((cut) => cut.units);
  expect(places(16, 'bits')).toEqual([0, 1, 2, 3]);
  expect(places(16, 'torn')).toEqual([1, 2, 3]);
  expect(places(400, 'bits')).toEqual([0, 25, 50, 74, 99]);
  expect(places(400, 'torn')).toEqual([25, 50, 74, 99]);
  expect(cutsOf(write(4), 3, 5).map(({ kind }) => kind)).toEqual(['before', 'bits', 'after']);
});
