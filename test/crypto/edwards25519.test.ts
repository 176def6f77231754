import { expect, it } from 'vitest';
import { CryptoModule, randomBytes, toBytes, toNumber } from './module.ts';
import { P, Point } from './strict.ts';

const FIELD = 36;
const bytes = randomBytes(5);

/** Canonical y, small, large and any, with either sign of x. */
const ENCODINGS = [
  ...Array.from({ length: 300 }, (_, i) => BigInt(i) + 2n),
  ...Array.from({ length: 300 }, (_, i) => P - 2n - BigInt(i)),
  ...Array.from({ length: 300 }, () => toNumber(bytes(32)) % P),
].flatMap((y) => [toBytes(y, 32), toBytes(y | (1n << 255n), 32)]);

function decode(encoding: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(encoding);
  } catch {
    return undefined;
  }
}

it('a point decodes to its x and y, and a y without a point does not decode', () => {
  const module = new CryptoModule('crypto.test.wasm');
  const at = module.arena + 1024;
  const coordinate = (index: number): bigint => {
    const limbs = new Int32Array(module.read(at + index * FIELD, FIELD).buffer);
    const value = limbs.reduceRight((sum, limb) => sum * 2n ** 29n + BigInt(limb), 0n);
    return ((value % P) + P) % P;
  };
  let points = 0;
  for (const encoding of ENCODINGS) {
    const expected = decode(encoding);
    const loaded = module.call('point_load', at, module.write(module.arena, encoding)) !== 0;
    expect(loaded).toBe(expected !== undefined);
    if (!expected) continue;
    points++;
    expect([coordinate(0), coordinate(1), coordinate(2)]).toEqual([expected.x, expected.y, 1n]);
  }
  expect(points).toBeGreaterThan(ENCODINGS.length / 3);
  expect(points).toBeLessThan((2 * ENCODINGS.length) / 3);
});
