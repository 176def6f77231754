import fc from 'fast-check';
import { expect, test } from 'vitest';
import { suffixArray } from '../../repo/delta/suffix-array.ts';

function sorted(text: Uint8Array): number[] {
  const suffix = (at: number): Buffer => Buffer.from(text.subarray(at));
  return [...text.keys()].sort((a, b) => Buffer.compare(suffix(a), suffix(b)));
}

test('the suffixes of any text are in order, above all of texts that repeat themselves', () => {
  const few = fc.uint8Array({ max: 2, maxLength: 200 });
  const any = fc.uint8Array({ maxLength: 200 });
  const periodic = fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 30 }), few)
    .map(([period, times, tail]) =>
      Uint8Array.from([
        ...Array(times)
          .fill([...period])
          .flat(),
        ...tail,
      ]),
    );
  fc.assert(
    fc.property(fc.oneof(few, any, periodic), (text) => {
      expect([...suffixArray(text)]).toEqual(sorted(text));
    }),
    { numRuns: 2000 },
  );
});

test('short texts and a single letter', () => {
  expect([...suffixArray(new Uint8Array(0))]).toEqual([]);
  expect([...suffixArray(new Uint8Array(1))]).toEqual([0]);
  expect([...suffixArray(new Uint8Array(5))]).toEqual([4, 3, 2, 1, 0]);
});
