// The arithmetic below P-256 and RSA, in the test build, which asserts the limb bounds.
import { expect, it } from 'vitest';
import { bigEndian, fromBigEndian } from './der.ts';
import { G, inverse, mod, N, P, times } from './ecdsa.ts';
import { CryptoModule, randomBytes } from './module.ts';

const module = new CryptoModule('crypto.test.wasm');
const at = (index: number) => module.arena + 1024 * index;
const BITS = 29n;
const RADIX = 2n ** 261n;

/** Limbs with the sign in the highest. */
function writeLimbs(address: number, limbs: readonly number[]): number {
  const view = new DataView(module.memory.buffer);
  for (const [i, limb] of limbs.entries()) view.setInt32(address + 4 * i, limb, true);
  return address;
}
function readValue(address: number, count: number): bigint {
  const view = new DataView(module.memory.buffer);
  let value = 0n;
  for (let i = count - 1; i >= 0; i--) value = (value << BITS) + BigInt(view.getInt32(address + 4 * i, true));
  return value;
}
function limbsOf(value: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    Number(i === count - 1 ? value >> (BITS * BigInt(i)) : (value >> (BITS * BigInt(i))) & (2n ** BITS - 1n)),
  );
}
const write = (index: number, value: bigint, count: number) => writeLimbs(at(index), limbsOf(value, count));
const isReduced = (address: number) => {
  const view = new DataView(module.memory.buffer);
  return Array.from({ length: 8 }, (_, i) => view.getInt32(address + 4 * i, true)).every(
    (limb) => limb >= 0 && limb < 2 ** 29,
  );
};

const random = randomBytes(0xf1e1d);
const numberOf = (bits: number) => fromBigEndian(random((bits + 7) >> 3)) >> BigInt((8 - (bits & 7)) & 7);

it('the table of P-256 holds odd multiples of the base point', () => {
  for (let i = 0; i < 16; i++) {
    const { x, y } = times(G, BigInt(2 * i + 1)).toAffine();
    const entry = module.constant('P256_BASE_TABLE') + 72 * i;
    expect(readValue(entry, 9)).toBe(mod(x * RADIX, P));
    expect(readValue(entry + 36, 9)).toBe(mod(2n * y * RADIX, P));
  }
});

it.each(['', '_fast'])(
  'products, squares and sums of the field are right at the bounds of their limbs: fp_…%s',
  (body) => {
    const full = 2 ** 29 - 1;
    const patterns: number[][] = [
      Array(9).fill(full),
      Array(9).fill(-full),
      Array(9).fill(0),
      [1, 0, 0, 0, 0, 0, 0, 0, 0],
      Array.from({ length: 9 }, (_, i) => (i & 1 ? full : -full)),
      limbsOf(P, 9),
      limbsOf(-P, 9),
      limbsOf(2n * P, 9),
      limbsOf(P - 1n, 9),
    ];
    for (let i = 0; i < 40; i++) {
      patterns.push(
        Array.from({ length: 9 }, () => Number(numberOf(29)) * ((random(1)[0] ?? 0) & 1 ? 1 : -1)),
      );
    }
    const inverseRadix = inverseModP(RADIX);
    // A value of at most 8 p.
    for (const limbs of patterns) limbs[8] = (limbs[8] ?? 0) % 2 ** 27;
    for (const a of patterns) {
      const x = readValue(writeLimbs(at(1), a), 9);
      for (const b of patterns) {
        const y = readValue(writeLimbs(at(2), b), 9);
        module.call(`fp_multiply${body}`, at(3), at(1), at(2));
        expect(mod(readValue(at(3), 9), P)).toBe(mod(x * y * inverseRadix, P));
        expect(isReduced(at(3))).toBe(true);
        for (const k of [-3, -1, 0, 2]) {
          module.call(`fp_square${body}`, at(3), at(1), at(2), k);
          expect(mod(readValue(at(3), 9), P)).toBe(mod(x * x * inverseRadix + BigInt(k) * y, P));
          expect(isReduced(at(3))).toBe(true);
        }
        module.call(`fp_combine${body}`, at(3), at(1), 3, at(2), -6);
        expect(readValue(at(3), 9)).toBe(3n * x - 6n * y);
        expect(isReduced(at(3))).toBe(true);
      }
    }
  },
);

it('the bounds are asserted: factors of 2 each are one too many', () => {
  writeLimbs(at(1), Array(9).fill(2 ** 30));
  for (const body of ['', '_fast']) {
    expect(() => module.call(`fp_multiply${body}`, at(3), at(1), at(1))).toThrow();
    expect(() => module.call(`fp_square${body}`, at(3), at(1), at(1), 0)).toThrow();
  }
});

it('0 is told in every form, and nothing else is', () => {
  for (let k = -20n; k <= 20n; k++) {
    for (const [value, zero] of [
      [k * P, true],
      [k * P + 1n, false],
      [k * P - 1n, false],
      [k * P + RADIX - P * 31n, false],
    ] as const) {
      expect(module.call('fp_is_zero', write(1, value, 9)) !== 0).toBe(zero);
    }
  }
});

it('elements go in and out as integers', () => {
  for (const value of [
    0n,
    1n,
    P - 1n,
    2n ** 255n,
    ...Array.from({ length: 50 }, () => mod(numberOf(300), P)),
  ]) {
    module.call('fp_load', at(2), write(1, value, 9));
    expect(mod(readValue(at(2), 9), P)).toBe(mod(value * RADIX, P));
    module.call('fp_store', at(3), at(2));
    expect(mod(readValue(at(3), 9), P)).toBe(value);
  }
});

/**
 * The values of the coordinates, as intervals in units of p: a product is a b / 32 plus 0 to 1, since 2^261 is 32 p and a
 * little more.
 */
it('the values of P-256 coordinates stay far below what limbs hold', () => {
  type Interval = readonly [number, number];
  let largest = 0;
  const note = ([low, high]: Interval): Interval => {
    largest = Math.max(largest, -low, high);
    return [low, high];
  };
  const product = (a: Interval, b: Interval): Interval => {
    const corners = a.flatMap((x) => b.map((y) => (x * y) / 32));
    return note([Math.min(...corners), Math.max(...corners) + 1]);
  };
  const square = (a: Interval): Interval => note([0, Math.max(a[0] ** 2, a[1] ** 2) / 32 + 1]);
  const scale = (a: Interval, k: number): Interval => (k < 0 ? [k * a[1], k * a[0]] : [k * a[0], k * a[1]]);
  const sum = (a: Interval, b: Interval): Interval => note([a[0] + b[0], a[1] + b[1]]);
  const either = (a: Interval, b: Interval): Interval => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
  interface Coordinates {
    readonly x: Interval;
    readonly y: Interval;
    readonly z: Interval;
  }
  const double = ({ x, y, z }: Coordinates): Coordinates & { oldX: Interval; oldY: Interval } => {
    const u = sum(square(z), scale(x, -1));
    const w = sum(scale(square(z), 3), scale(x, 3)); // 3 u + 6 x
    const m = product(u, w);
    const g = square(y);
    const b = product(x, g);
    const x3 = sum(square(m), scale(b, -2));
    const y3 = sum(square(g), scale(product(m, sum(b, scale(x3, -1))), 2));
    return { x: x3, y: y3, z: product(y, z), oldX: b, oldY: square(g) };
  };
  const addSameZ = ({ x, y, z }: Coordinates, u: Interval, s: Interval) => {
    const h = sum(scale(u, 2), scale(x, -2));
    const r = either(sum(s, scale(y, -1)), sum(scale(s, -1), scale(y, -1)));
    const hh = square(h);
    const a = product(x, hh);
    const b = product(u, hh);
    const x3 = sum(square(r), scale(sum(a, b), -1));
    const n = product(sum(b, scale(a, -1)), y);
    const y3 = sum(scale(product(r, sum(a, scale(x3, -1))), 2), scale(n, -2));
    return { x: x3, y: y3, z: product(z, h), oldX: a, oldY: scale(n, 2) };
  };
  // The table: sums with twice the key, at the same Z.
  const unit: Interval = [0, 1];
  const twice = double({ x: unit, y: [0, 2], z: unit });
  let entry = { x: twice.oldX, y: twice.oldY };
  let other: Coordinates = { x: twice.x, y: scale(twice.y, -1), z: twice.z };
  let table: Interval = unit;
  for (let i = 0; i < 7; i++) {
    const next = addSameZ(other, entry.x, entry.y);
    other = { x: next.oldX, y: next.oldY, z: next.z };
    entry = next;
    table = either(table, either(product(entry.x, unit), product(entry.y, unit)));
  }
  const add = (p: Coordinates) =>
    addSameZ(p, product(table, square(p.z)), product(table, product(p.z, square(p.z))));
  const join = (a: Coordinates, b: Coordinates): Coordinates => ({
    x: either(a.x, b.x),
    y: either(a.y, b.y),
    z: either(a.z, b.z),
  });
  let doubled: Coordinates = { x: [0, 1], y: [-2, 2], z: [0, 1] };
  let once = doubled;
  let both = doubled;
  for (let i = 0; i < 100; i++) {
    doubled = join(doubled, double(join(doubled, join(once, both))));
    once = join(once, add(doubled));
    both = join(both, add(once));
  }
  const all = join(doubled, join(once, both));
  for (const [{ 0: low, 1: high }, least, most] of [
    [all.x, -2.3, 1.8],
    [all.y, -3.2, 3.5],
    [all.z, -0.2, 1.3],
  ] as const) {
    expect(low).toBeGreaterThan(least);
    expect(high).toBeLessThan(most);
  }
  expect(largest).toBeLessThan(8.5);
});

it('integers are multiplied modulo one of any length', () => {
  const moduli = [
    P,
    N,
    2n ** 256n - 1n,
    2n ** 2048n - 1n,
    2n ** 2047n + 1n,
    2n ** 4096n - 1n,
    2n ** 4095n + 1n,
  ];
  for (const bits of [59, 60, 61, 87, 88, 89, 256, 290, 291, 2048, 2049, 2060, 3072, 4096]) {
    for (let i = 0; i < 6; i++) moduli.push(numberOf(bits) | (1n << BigInt(bits - 1)));
  }
  for (const m of moduli) {
    const count = Math.ceil(m.toString(2).length / 29);
    const values = [
      0n,
      1n,
      m - 1n,
      m >> 1n,
      2n ** BigInt(m.toString(2).length - 1) - 1n,
      mod(numberOf(4200), m),
    ];
    write(3, m, count + 1);
    for (const a of values) {
      for (const b of values) {
        module.call('integer_multiply', at(4), write(1, a, count + 1), write(2, b, count + 1), at(3), count);
        expect(readValue(at(4), count + 1)).toBe((a * b) % m);
      }
    }
  }
});

it('the inverse of an integer is right, or 0 of 0', () => {
  for (const m of [P, N]) {
    const values = [0n, 1n, 2n, 3n, m - 1n, m - 2n, (m + 1n) >> 1n, 2n ** 255n, 2n ** 29n, 2n ** 232n];
    for (let i = 1; i <= 256; i += 5) values.push(mod(numberOf(i), m));
    for (let i = 0; i < 100; i++) values.push(mod(numberOf(300), m));
    for (const value of values) {
      module.call('integer_inverse', at(2), write(1, value, 9), write(3, m, 9));
      const found = readValue(at(2), 9);
      expect(found).toBe(value === 0n ? 0n : m === N ? inverse(value) : inverseModP(value));
    }
  }
});

it('integers of any length go in and out as bytes', () => {
  for (const length of [1, 2, 3, 4, 29, 32, 255, 256, 257, 511, 512]) {
    const bytes = random(length);
    const count = Math.ceil((8 * length) / 29) + 1;
    module.memory.fill(0xaa, at(2), at(3));
    module.call('integer_load', at(1), module.write(at(0), bytes), length, count);
    expect(readValue(at(1), count)).toBe(fromBigEndian(bytes));
    module.call('integer_store', at(2) + 8, at(1), length);
    expect(module.read(at(2) + 8, length)).toEqual(bytes);
    expect(module.read(at(2) + 7, 1)[0]).toBe(0xaa);
    expect(module.read(at(2) + 8 + length, 1)[0]).toBe(0xaa);
    expect(bigEndian(readValue(at(1), count), length)).toEqual(bytes);
  }
});

function inverseModP(value: bigint): bigint {
  let [a, b, x, y] = [mod(value, P), P, 1n, 0n];
  while (a > 1n) {
    const q = b / a;
    [a, b, x, y] = [b - q * a, a, y - q * x, x];
  }
  return mod(x, P);
}
