// Patches as the repository side makes them, applied by a decoder that shares nothing with the encoder.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildPatch, COMPRESSIONS, type Compression } from '../../repo/index.ts';
import { firmwarePairs, smallestPair } from '../fixtures/firmware.ts';
import { applyPatch } from './apply.ts';

const empty = new Uint8Array(0);
const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function roundTrip(before: Uint8Array, after: Uint8Array, compression: Compression): Uint8Array {
  const patch = buildPatch(before, after, { compression });
  expect(equal(applyPatch(before, patch), after)).toBe(true);
  return patch;
}

/** An image and what edits made of it: pieces of it that moved, pieces that are new, bytes that changed. */
const edited = fc
  .tuple(
    fc.oneof(fc.uint8Array({ maxLength: 600 }), fc.uint8Array({ max: 1, maxLength: 600 })),
    fc.array(fc.oneof(fc.tuple(fc.nat(600), fc.nat(300)), fc.uint8Array({ maxLength: 40 })), {
      maxLength: 8,
    }),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 10 }),
  )
  .map(([before, pieces, changes]) => {
    const after = Buffer.concat(
      pieces.map((piece) =>
        piece instanceof Uint8Array ? piece : before.subarray(piece[0], piece[0] + piece[1]),
      ),
    );
    for (const [at, value] of changes) if (after.length > 0) after[at % after.length] = value;
    return { before, after: after.length > 0 ? after : Buffer.of(7) };
  });

test('any image comes back from any other and its patch', () => {
  fc.assert(
    fc.property(edited, fc.constantFrom(...COMPRESSIONS), ({ before, after }, compression) => {
      roundTrip(before, after, compression);
    }),
    { numRuns: 2000 },
  );
});

test('releases of real firmware come back, and the patch is a sixth of the image or less', () => {
  for (const { name, before, after } of firmwarePairs()) {
    const patch = roundTrip(before, after, 'heatshrink');
    expect(patch.length / after.length, name).toBeLessThan(1 / 6);
    roundTrip(before, after, 'crle');
  }
});

test('without an old image it is compression', () => {
  const { after } = smallestPair();
  expect(roundTrip(empty, after, 'heatshrink').length / after.length).toBeLessThan(0.95);
});

test('the same images give the same patch', () => {
  const { before, after } = smallestPair();
  const [first, second] = [0, 1].map(() => buildPatch(before, after, { compression: 'heatshrink' }));
  expect(first && second && equal(first, second)).toBe(true);
});

test('progress rises and ends at the length of the image', () => {
  const after = Uint8Array.from({ length: 3000 }, (_, i) => (i * i) >> 3);
  const seen: number[] = [];
  buildPatch(after.slice(500), after, {
    compression: 'crle',
    onProgress: (done, total) => {
      expect(total).toBe(3000);
      seen.push(done);
    },
  });
  expect(seen.at(-1)).toBe(3000);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

// Where each byte's longest match is as long as the image, a matcher that looks for each of them takes hours.
test('megabytes of zeros, and of a short period that breaks, end', () => {
  const zeros = new Uint8Array(1_000_005);
  zeros[1000] = 1;
  roundTrip(new Uint8Array(1_000_000), zeros, 'crle');
  const period = (shift: (at: number) => number): Uint8Array =>
    Uint8Array.from({ length: 500_000 }, (_, at) => (at + shift(at)) % 3);
  roundTrip(
    period(() => 0),
    period((at) => at >> 16),
    'crle',
  );
}, 60_000);
