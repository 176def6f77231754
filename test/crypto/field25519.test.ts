import { beforeAll, describe, expect, it } from 'vitest';
import { engine } from '../../host/node/engine.ts';
import { CryptoModule, randomBytes, toBytes, toNumber } from './module.ts';
import { L, P, Point, times } from './strict.ts';

/** What a reduced limb stays below; bounds are multiples of it. */
const U = 2 ** 29 + 2 ** 17;
const bytes = randomBytes(3);
const below = (limit: number) => (toNumber(bytes(4)) * BigInt(limit)) >> 32n;
const mod = (value: bigint, modulus = P) => ((value % modulus) + modulus) % modulus;

let module: CryptoModule;
let a: number, b: number, c: number, out: number, scratch: number;
beforeAll(() => {
  module = new CryptoModule('crypto.test.wasm');
  const at = (index: number) => module.arena + 64 * index;
  [a, b, out, scratch, c] = [at(0), at(1), at(2), at(3), at(8)];
});

function put(at: number, limbs: number[]): bigint {
  const view = new DataView(module.memory.buffer);
  for (const [i, limb] of limbs.entries()) view.setInt32(at + 4 * i, limb, true);
  return value(limbs);
}
const limbsAt = (at: number): number[] => Array.from(new Int32Array(module.read(at, 36).buffer));
const value = (limbs: number[]) => limbs.reduceRight((sum, limb) => sum * 2n ** 29n + BigInt(limb), 0n);

/** Limbs that strain an element of the given size: all at one end, alternating, single, random, random ends. */
function* strained(size: number): Generator<number[]> {
  const edge = Math.floor(size * U);
  const nine = (limb: (i: number) => number) => Array.from({ length: 9 }, (_, i) => limb(i));
  yield nine(() => edge);
  yield nine(() => -edge);
  yield nine((i) => (i % 2 ? edge : -edge));
  for (let at = 0; at < 9; at++) yield nine((i) => (i === at ? edge : 0));
  for (let n = 0; n < 40; n++) yield nine(() => Number(below(2 * edge)) - edge);
  for (let n = 0; n < 40; n++) yield nine(() => [edge, -edge, 0, 1, -1][Number(below(5))] ?? 0);
}

function expectReduced(at: number, expected: bigint): void {
  const limbs = limbsAt(at);
  if (mod(value(limbs)) === mod(expected) && limbs.every((limb) => Math.abs(limb) < U)) return;
  expect.unreachable(`${limbs} is not ${mod(expected)} reduced`);
}

describe('the field of 2^255 - 19 at the bounds of its limbs', () => {
  it.each([
    [1, 3],
    [3, 1],
    [2, 1.5],
    [1.7, 1.7],
  ])('multiplies elements of %d U and %d U', (sizeA, sizeB) => {
    for (const limbsA of strained(sizeA)) {
      for (const limbsB of strained(sizeB)) {
        const expected = put(a, limbsA) * put(b, limbsB);
        module.call('field_multiply', out, a, b);
        expectReduced(out, expected);
      }
    }
  });

  it.each(['', '_small'])('squares elements of 1.7 U, once and many times: field_square%s', (body) => {
    for (const limbs of strained(1.7)) {
      let expected = put(a, limbs);
      for (let n = 1; n <= 5; n++) {
        expected = mod(expected * expected);
        module.call(`field_square${body}`, out, a, n);
        expectReduced(out, expected);
      }
    }
  });

  it.each(['', '_small'])('adds and subtracts without a carry, and adds with one: field_…%s', (body) => {
    for (const limbsA of strained(1.5)) {
      for (const limbsB of strained(1.5)) {
        const [x, y] = [put(a, limbsA), put(b, limbsB)];
        module.call(`field_add_reduced${body}`, out, a, b);
        expectReduced(out, x + y);
        module.call(`field_add${body}`, out, a, b);
        expect(value(limbsAt(out))).toBe(x + y);
        module.call(`field_subtract${body}`, out, a, b);
        expect(value(limbsAt(out))).toBe(x - y);
      }
    }
  });

  it('lets the result be one of the operands', () => {
    const operations: [string, (x: bigint, y: bigint) => bigint][] = [
      ['field_multiply', (x, y) => x * y],
      ['field_add', (x, y) => x + y],
      ['field_add_reduced', (x, y) => x + y],
      ['field_subtract', (x, y) => x - y],
      ['field_add_small', (x, y) => x + y],
      ['field_add_reduced_small', (x, y) => x + y],
      ['field_subtract_small', (x, y) => x - y],
    ];
    const [one, two] = [[...strained(1)][20] ?? [], [...strained(1)][21] ?? []];
    for (const [name, apply] of operations) {
      for (const result of [a, b]) {
        const expected = mod(apply(put(a, one), put(b, two)));
        module.call(name, result, a, b);
        expect(mod(value(limbsAt(result)))).toBe(expected);
      }
      const x = put(a, one);
      module.call(name, a, a, a);
      expect(mod(value(limbsAt(a)))).toBe(mod(apply(x, x)));
    }
  });

  it.each([
    ['field_multiply', 2, 2],
    ['field_square', 2, 1],
    ['field_add', 3, 1],
    ['field_add_reduced', 3, 1],
    ['field_subtract', 2, 2],
    ['field_freeze', 3.5, 0],
  ])('stops the test build when %s is given more than it is proved for', (name, sizeA, sizeB) => {
    put(a, Array(9).fill(Math.floor(sizeA * U)));
    put(b, Array(9).fill(Math.floor(sizeB * U)));
    const operands = name === 'field_freeze' ? [a] : name === 'field_square' ? [out, a, 1] : [out, a, b];
    expect(() => module.call(name, ...operands)).toThrow(engine.RuntimeError);
  });

  it('freezes every element into its one form', () => {
    const limbsOf = (n: bigint) =>
      Array.from({ length: 9 }, (_, i) => Number((n >> BigInt(29 * i)) & 0x1fffffffn));
    const edges = [
      0n,
      1n,
      18n,
      19n,
      P - 1n,
      P,
      P + 1n,
      P + 18n,
      2n ** 255n - 1n,
      2n * P - 1n,
      2n * P,
      2n ** 261n - 1n,
    ];
    const small = Array.from({ length: 25 }, (_, i) => [i - 12, ...Array(8).fill(0)]);
    const nearP = small.map((limbs) => limbs.map((limb, i) => limb + (limbsOf(P)[i] ?? 0)));
    const all = [
      ...edges.map(limbsOf),
      ...small,
      ...nearP,
      ...[1, 2, 3].flatMap((size) => [...strained(size)]),
    ];
    for (const limbs of all) {
      const expected = mod(put(a, limbs));
      module.call('field_freeze', a);
      expect(limbsAt(a)).toEqual(limbsOf(expected));
      put(a, limbs);
      expect(module.call('field_is_zero', a)).toBe(expected === 0n ? 1 : 0);
      put(a, limbs);
      expect(module.call('field_parity', a)).toBe(Number(expected & 1n));
    }
  });

  it('loads 255 bits of 32 bytes at any address', () => {
    for (const n of [0n, 1n, P, 2n ** 255n - 1n, 2n ** 255n, 2n ** 256n - 1n, toNumber(bytes(32))]) {
      module.write(scratch + 3, toBytes(n, 32));
      module.call('field_load', out, scratch + 3);
      expect(value(limbsAt(out))).toBe(n % 2n ** 255n);
    }
    for (let bit = 0n; bit < 255n; bit++) {
      module.write(scratch, toBytes(1n << bit, 32));
      module.call('field_load', out, scratch);
      expect(value(limbsAt(out))).toBe(1n << bit);
    }
  });

  it('raises to the power (p - 5) / 8', () => {
    const power = (base: bigint, exponent: bigint): bigint => {
      if (exponent === 0n) return 1n;
      const half = power((base * base) % P, exponent >> 1n);
      return exponent & 1n ? (half * base) % P : half;
    };
    for (const limbs of [...strained(1)].slice(0, 20)) {
      const expected = power(mod(put(a, limbs)), (P - 5n) / 8n);
      module.call('field_power_p58', out, a, scratch);
      expectReduced(out, expected);
    }
  });
});

describe('scalars modulo L', () => {
  const EDGES = [
    0n,
    1n,
    2n,
    2n ** 28n,
    L - 1n,
    L,
    L + 1n,
    2n * L,
    2n ** 252n - 1n,
    2n ** 252n,
    2n ** 253n,
    2n ** 256n - 1n,
  ];

  it('reduces 512 bits', () => {
    const wide = [
      ...EDGES,
      ...EDGES.map((n) => n * L),
      ...EDGES.map((n) => n << 256n),
      ...Array.from({ length: 253 }, (_, i) => L << BigInt(i)),
      ...Array.from({ length: 253 }, (_, i) => (L << BigInt(i)) - 1n),
      ...Array.from({ length: 512 }, (_, i) => 1n << BigInt(i)),
      2n ** 512n - 1n,
      (2n ** 512n / L) * L,
      (2n ** 512n / L) * L - 1n,
      ...Array.from({ length: 500 }, () => toNumber(bytes(64))),
    ];
    for (const n of wide) {
      module.write(a, toBytes(n, 64));
      module.call('scalar_reduce', out, a);
      expect(toNumber(module.read(out, 32))).toBe(n % L);
    }
  });

  it('multiplies', () => {
    const short = [
      0n,
      1n,
      3n,
      2n ** 127n - 1n,
      2n ** 128n + 1n,
      2n ** 160n - 1n,
      2n ** 256n - 1n,
      L,
      toNumber(bytes(16)),
      toNumber(bytes(20)),
      toNumber(bytes(32)),
    ];
    for (const x of short) {
      for (const y of [...EDGES, ...Array.from({ length: 20 }, () => toNumber(bytes(32)))]) {
        module.write(a, toBytes(x, 40));
        module.write(b, toBytes(y, 32));
        module.call('scalar_multiply', out, a, b);
        expect(toNumber(module.read(out, 32))).toBe((x * y) % L);
        module.write(c, toBytes(y, 40));
        module.call('scalar_multiply_add', out, a, b, c);
        expect(toNumber(module.read(out, 32))).toBe((x * y + y) % L);
      }
    }
  });

  it('knows what is below L', () => {
    for (const n of EDGES) {
      module.write(a, toBytes(n, 32));
      expect(module.call('scalar_is_canonical', a)).toBe(n < L ? 1 : 0);
    }
  });

  /** h whose continued fraction with 8 L has a quotient of about 2^bits after some ordinary ones. */
  function withLargeQuotient(bits: number, depth: number): bigint {
    let [p, q, p1, q1] = [0n, 1n, 1n, 0n];
    for (let i = 0; i <= depth; i++) {
      const quotient = i === depth ? 2n ** BigInt(bits) : 1n + below(3);
      [p, q, p1, q1] = [p1, q1, quotient * p1 + p, quotient * q1 + q];
    }
    return mod((8n * L * q1) / p1, L);
  }

  const CRAFTED = [
    ...[0n, 1n, 2n, 3n, 8n, L - 1n, L - 2n, L / 2n, L / 3n, (L + 1n) / 2n, 2n ** 252n],
    ...Array.from({ length: 253 }, (_, i) => 1n << BigInt(i)),
    ...Array.from({ length: 250 }, (_, i) => (8n * L) / ((1n << BigInt(i)) + 8n)).map((h) => h % L),
    ...[20, 30, 31, 32, 33, 40, 62, 63, 64, 65, 90, 120].flatMap((bits) =>
      [0, 1, 5, 20, 40, 60, 75].map((depth) => withLargeQuotient(bits, depth)),
    ),
  ];

  function halve(h: bigint): { r: bigint; t: bigint } {
    module.write(scratch, toBytes(h, 32));
    const negative = module.call('scalar_halve', out, out + 40, scratch) !== 0;
    const [r, size] = [toNumber(module.read(out, 36)), toNumber(module.read(out + 40, 36))];
    return { r, t: negative ? -size : size };
  }

  it('are halved into r = t h modulo 8 L with t odd, whatever the h', () => {
    for (const h of [...CRAFTED, ...Array.from({ length: 30_000 }, () => toNumber(bytes(32)) % L)]) {
      const { r, t } = halve(h);
      expect(mod(r - t * h, 8n * L), `h = ${h}`).toBe(0n);
      expect(mod(t, 2n)).toBe(1n);
      expect(r).toBeLessThan(2n ** 255n);
      expect(t < 0n ? -t : t).toBeLessThan(2n ** 160n);
    }
  });

  it('are halved to half the size when they are ordinary', () => {
    let longest = 0;
    let total = 0;
    for (let i = 0; i < 3000; i++) {
      const { r, t } = halve(toNumber(bytes(32)) % L);
      const length = Math.max(r.toString(2).length, t.toString(2).replace('-', '').length);
      longest = Math.max(longest, length);
      total += length;
    }
    expect(longest).toBeLessThan(142);
    expect(total / 3000).toBeLessThan(129);
  });

  it('are recoded into sparse odd digits of the same value', () => {
    const numbers = [
      0n,
      1n,
      2n,
      15n,
      16n,
      2n ** 128n - 1n,
      2n ** 128n,
      2n ** 254n,
      2n ** 255n - 1n,
      2n ** 255n - 2n ** 100n,
    ];
    for (const width of [2, 4, 5, 6]) {
      for (const n of [...numbers, ...Array.from({ length: 200 }, () => toNumber(bytes(31)))]) {
        for (const negative of [0, 1]) {
          module.memory.fill(0, out, out + 1024);
          module.write(a, toBytes(n, 40));
          const count = module.call('scalar_digits', out, a, width, negative);
          const strings = Array.from(new Int8Array(module.read(out, 1024).buffer));
          const digits = strings.filter((_, i) => i % 4 === 0);
          expect(strings.every((digit, i) => i % 4 === 0 || digit === 0)).toBe(true);
          const total = digits.reduceRight((sum, digit) => 2n * sum + BigInt(digit), 0n);
          expect(total).toBe(negative ? -n : n);
          expect(digits.findLastIndex((digit) => digit !== 0)).toBe(count - 1);
          const sound = digits.every(
            (digit, i) =>
              digit === 0 ||
              (digit % 2 !== 0 &&
                Math.abs(digit) < 2 ** (width - 1) &&
                digits.slice(i + 1, i + width).every((next) => next === 0)),
          );
          expect(sound).toBe(true);
        }
      }
    }
  });
});

it('the static tables are the odd multiples of B and of 2^128 B', () => {
  const table = module.constant('BASE_TABLES');
  const d = Point.CURVE().d;
  const half = (P + 1n) / 2n;
  let at = table;
  for (const base of [Point.BASE, times(Point.BASE, 2n ** 128n)]) {
    for (let n = 1n; n < 16n; n += 2n) {
      const { x, y } = times(base, n).toAffine();
      // Halved, so that an addition has Z where the formula wants 2 Z.
      for (const expected of [(y + x) * half, (y - x) * half, d * x * y]) {
        const limbs = limbsAt(at);
        expect(value(limbs)).toBe(mod(expected));
        for (const limb of limbs) expect(limb >= 0 && limb < 2 ** 29).toBe(true);
        at += 36;
      }
    }
  }
});
