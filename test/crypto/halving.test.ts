import { expect, it } from 'vitest';
import { CryptoModule, randomBytes, toBytes, toNumber } from './module.ts';
import { L } from './strict.ts';

const bytes = randomBytes(9);

/** h with the continued fraction 8 L / h = [8; 1 or 2, …, 2^bits at `depth`, 1 or 2, …]. */
function withLargeQuotient(bits: number, depth: number): bigint {
  let [p, q, p1, q1] = [1n, 0n, 8n, 1n];
  for (let i = 1; p1 < 8n * L; i++) {
    const quotient = i === depth ? 2n ** BigInt(bits) : 1n + (toNumber(bytes(1)) & 1n);
    [p, q, p1, q1] = [p1, q1, quotient * p1 + p, quotient * q1 + q];
  }
  return ((8n * L * q1) / p1) % L;
}

it('a hash that was sought for a large quotient, at any depth, does not make the scalars long [endless work]', () => {
  const module = new CryptoModule('crypto.test.wasm');
  const [h, r, t] = [module.arena, module.arena + 64, module.arena + 128];
  const bitsOf = (at: number): number => toNumber(module.read(at, 36)).toString(2).length;
  let longest = 0;
  for (let depth = 1; depth < 160; depth++) {
    for (let n = 0; n < 20; n++) {
      module.write(h, toBytes(withLargeQuotient(28, depth), 32));
      module.call('scalar_halve', r, t, h);
      longest = Math.max(longest, bitsOf(r), bitsOf(t));
    }
  }
  // Where t is even a vector of twice the length may be the best there is; 2^28 in one scalar is not.
  expect(longest).toBeLessThan(146);
});
