// A recovery is not run again where it would read the same: that must never hide one that reads something else.
import { expect, test } from 'vitest';
import { uniformGeometry } from '../../host/node/flash.ts';
import { type Extent, Recoveries, Trace } from '../../sim/recoveries.ts';

const GEOMETRY = uniformGeometry({ block: 64, unit: 4, erased: 0xff, bank: 128, slot: 128 });
const extent = (offset: number, length: number): Extent => ({ area: 0, offset, length });
const reader = (bytes: Uint8Array) => (where: Extent) =>
  bytes.subarray(where.offset, where.offset + where.length);

test('a trace has what is read, once, and not what was overwritten before', () => {
  const trace = new Trace(GEOMETRY);
  trace.needs(0, 0, 8);
  trace.needs(0, 4, 8);
  trace.needs(0, 0, 12);
  trace.sets(0, 64, 64);
  trace.needs(0, 64, 8);
  expect(trace.extents).toEqual([extent(0, 8), extent(8, 4)]);
  trace.again();
  trace.needs(0, 64, 4);
  expect(trace.extents.at(-1)).toEqual(extent(64, 4));
});

test('contents that differ where nobody looked have the same outcome, others have none', () => {
  const recoveries = new Recoveries<string>();
  const first = Uint8Array.of(1, 2, 3, 4);
  expect(recoveries.find(reader(first))).toBeUndefined();
  recoveries.note([extent(0, 1), extent(2, 1)], reader(first), 'one');
  expect(recoveries.find(reader(Uint8Array.of(1, 9, 3, 9)))).toBe('one');
  for (const bytes of [Uint8Array.of(0, 2, 3, 4), Uint8Array.of(1, 2, 0, 4)])
    expect(recoveries.find(reader(bytes))).toBeUndefined();
});

test('recoveries part where they read something else, however many there are', () => {
  const recoveries = new Recoveries<number>();
  // Each reads byte 0; then the byte that it names; a 3 there ends it, all else leads to byte 7.
  const extents = (bytes: Uint8Array): Extent[] => {
    const at = 1 + ((bytes[0] ?? 0) % 6);
    return [extent(0, 1), extent(at, 1), ...(bytes[at] === 3 ? [] : [extent(7, 1)])];
  };
  const seen = new Map<string, number>();
  for (let count = 0; count < 5000; count++) {
    const bytes = Uint8Array.from(
      { length: 8 },
      (_, index) => ((count * 7919 + index * 31) >> (index % 5)) % 5,
    );
    const key = extents(bytes)
      .map((where) => reader(bytes)(where))
      .join();
    expect(recoveries.find(reader(bytes))).toBe(seen.get(key));
    if (seen.has(key)) continue;
    recoveries.note(extents(bytes), reader(bytes), count);
    seen.set(key, count);
  }
  expect(seen.size).toBeGreaterThan(25);
});

test('two that read the same and go on in different ways are no recoveries of one device', () => {
  const recoveries = new Recoveries<string>();
  const bytes = Uint8Array.of(1, 2, 3, 4);
  recoveries.note([extent(0, 1), extent(1, 1)], reader(bytes), 'one');
  expect(() => recoveries.note([extent(0, 1)], reader(bytes), 'other')).toThrow('different ways');
  recoveries.note([extent(0, 1), extent(1, 1)], reader(Uint8Array.of(2, 2)), 'other');
  expect(() => recoveries.note([extent(1, 1)], reader(Uint8Array.of(3, 3)), 'third')).toThrow(
    'different ways',
  );
});
