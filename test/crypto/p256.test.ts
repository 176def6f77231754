import { createHash, verify as nodeVerify } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { bigEndian, concat, der, derInteger, fromBigEndian, sequence } from './der.ts';
import {
  caseOf,
  encode,
  G,
  inverse,
  keyOf,
  mod,
  N,
  nodeKey,
  P,
  Point,
  signature,
  times,
  verifyBy,
} from './ecdsa.ts';
import { CryptoModule, fromHex, randomBytes } from './module.ts';
import { TracedModule } from './traced.ts';
import { vectors } from './vectors.ts';

const CAVP = vectors<{
  signatures: [message: string, x: string, y: string, r: string, s: string, result: string][];
  keys: [x: string, y: string, result: string][];
}>('p256-cavp.json');

const sha256 = (message: Uint8Array | string) =>
  new Uint8Array(createHash('sha256').update(message).digest());

/** RFC 6979, A.2.5: the key, and the signatures with SHA-256. */
const RFC6979 = {
  x: 0x60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6n,
  y: 0x7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299n,
  signatures: [
    [
      'sample',
      0xefd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716n,
      0xf7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8n,
    ],
    [
      'test',
      0xf1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367n,
      0x019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083n,
    ],
  ] as const,
};

/** A good signature for the tests that spoil it. */
const GOOD = caseOf(0x1234567890abcdefn, 0xfedcba987654321n << 190n, times(G, 0xabcdef0123456789n ** 3n));

/** The point of the curve with the least y of which there is only one. */
const SMALL_Y = { x: 0xd7325d7646cd60d80a92738ceb345f844cffaf35841022cab176f692de8de1d7n, y: 5n };

/** A point of the curve with the least x from `from` up. */
function pointFrom(from: bigint): Point {
  for (let x = from; ; x++) {
    try {
      return Point.fromHex(`02${Buffer.from(bigEndian(x, 32)).toString('hex')}`);
    } catch {
      // no point has this x
    }
  }
}

/** A key under which r and chosen factors give this very point as the sum. */
function caseWithSum(sum: Point, r: bigint) {
  const u1 = 0x123456789n;
  const u2 = 0xabcdef01n;
  const q = times(sum.subtract(times(G, u1)), inverse(u2));
  return caseOf(u1, u2, q, r);
}

describe.each(['crypto.wasm', 'crypto.test.wasm'] as const)('P-256 verification by %s', (file) => {
  let module: CryptoModule;
  beforeAll(() => {
    module = new CryptoModule(file);
  });
  const takes = (c: { key: Uint8Array; digest: Uint8Array; r: bigint; s: bigint }) =>
    verifyBy(module, c.key, c.digest, signature(c.r, c.s));
  const takesDer = (bytes: Uint8Array) => verifyBy(module, GOOD.key, GOOD.digest, bytes);

  it('takes the signatures of RFC 6979, A.2.5, and refuses them for another digest', () => {
    const key = encode(RFC6979.x, RFC6979.y);
    for (const [message, r, s] of RFC6979.signatures) {
      expect(verifyBy(module, key, sha256(message), signature(r, s))).toBe(true);
      expect(verifyBy(module, key, sha256(`${message} `), signature(r, s))).toBe(false);
    }
  });

  it('agrees with NIST CAVP on signatures and on keys', () => {
    for (const [message, x, y, r, s, result] of CAVP.signatures) {
      const key = concat(Uint8Array.of(4), fromHex(x), fromHex(y));
      const bytes = signature(BigInt(`0x${r}`), BigInt(`0x${s}`));
      expect(verifyBy(module, key, sha256(fromHex(message)), bytes), result).toBe(result.startsWith('P'));
    }
    for (const [x, y, result] of CAVP.keys) {
      if (x.length > 64 || y.length > 64) continue; // does not even fit
      const key = concat(Uint8Array.of(4), bigEndian(BigInt(`0x${x}`), 32), bigEndian(BigInt(`0x${y}`), 32));
      if (result.startsWith('P')) {
        const q = Point.fromBytes(key);
        expect(takes(caseOf(3n, 5n, q))).toBe(true);
      } else {
        expect(verifyBy(module, key, GOOD.digest, signature(GOOD.r, GOOD.s)), result).toBe(false);
      }
    }
  });

  it('takes s of either half [documented: high s is accepted]', () => {
    expect(takes(GOOD)).toBe(true);
    expect(takes({ ...GOOD, s: N - GOOD.s })).toBe(true);
  });

  it('refuses a signature, a digest and a key with any one bit flipped', () => {
    const good = signature(GOOD.r, GOOD.s);
    const flip = (bytes: Uint8Array, bit: number) =>
      bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
    const each = (bytes: Uint8Array, check: (flipped: Uint8Array) => boolean, step: number) => {
      for (let bit = 0; bit < 8 * bytes.length; bit += step)
        expect(check(flip(bytes, bit)), `bit ${bit}`).toBe(false);
    };
    each(good, takesDer, file === 'crypto.wasm' ? 1 : 7);
    each(GOOD.key, (key) => verifyBy(module, key, GOOD.digest, good), 1);
    each(GOOD.digest, (digest) => verifyBy(module, GOOD.key, digest, good), file === 'crypto.wasm' ? 1 : 7);
  });

  it('refuses r and s of 0, n and more [anything signs everything]', () => {
    for (const value of [0n, N, N + 1n, P, 2n ** 256n - 1n, 2n ** 256n]) {
      expect(takes({ ...GOOD, r: value })).toBe(false);
      expect(takes({ ...GOOD, s: value })).toBe(false);
      expect(takes({ ...GOOD, r: value, s: value })).toBe(false);
    }
  });

  it('refuses r + n, though the equation holds', () => {
    const sum = pointFrom(5n);
    const { x } = sum.toAffine();
    expect(takes(caseWithSum(sum, x))).toBe(true);
    expect(takes({ ...caseWithSum(sum, x), r: x + N })).toBe(false);
  });

  it('refuses s + n, though the equation holds', () => {
    // s = 3: u2 = r / 3 and u1 = e / 3 for any digest e; the key follows from r = x of a known sum.
    const sum = times(G, 77n);
    const r = mod(sum.toAffine().x);
    const u1 = 1234n;
    const u2 = mod(r * inverse(3n));
    const good = caseOf(u1, u2, times(sum.subtract(times(G, u1)), inverse(u2)), r);
    expect(good.s).toBe(3n);
    expect(takes(good)).toBe(true);
    expect(takes({ ...good, s: 3n + N })).toBe(false);
  });

  it('takes r for an x that is r + n', () => {
    for (const from of [N, N + 2n ** 64n, P - 1000n]) {
      const sum = pointFrom(from);
      const { x } = sum.toAffine();
      expect(x).toBeGreaterThanOrEqual(N);
      expect(takes(caseWithSum(sum, x - N))).toBe(true);
      expect(takes({ ...caseWithSum(sum, x - N), r: x })).toBe(false);
    }
  });

  it('refuses r for an x that is r + n - p [r + n taken modulo p]', () => {
    for (const from of [0n, 2n ** 64n, 2n ** 200n]) {
      const sum = pointFrom(from);
      const r = sum.toAffine().x + P - N;
      expect(takes(caseWithSum(sum, r))).toBe(false);
    }
  });

  it('refuses a sum that is neutral, whatever the r', () => {
    for (const d of [1n, 2n, 5n, N - 1n, 0x123456789abcdefn]) {
      for (const u2 of [1n, 2n, 77n, N >> 1n, N - 1n]) {
        for (const r of [1n, 2n, N - 1n, P - N, mod(G.toAffine().x)]) {
          expect(takes(caseOf(mod(-u2 * d), u2, times(G, d), r))).toBe(false);
        }
      }
    }
  });

  it('adds and doubles where both operands are the same, opposite or neutral', () => {
    const keys = [
      1n,
      2n,
      3n,
      5n,
      15n,
      16n,
      17n,
      31n,
      32n,
      33n,
      1n << 64n,
      inverse(2n),
      inverse(3n),
      inverse(16n),
    ];
    const factors = [1n, 2n, 3n, 5n, 16n, 31n, 1n << 128n, N - 1n, N - 2n, N - 31n, (N + 1n) >> 1n];
    for (const d of keys.flatMap((key) => [key, N - key])) {
      const q = times(G, d);
      for (const u1 of file === 'crypto.wasm' ? factors : factors.slice(0, 4)) {
        for (const u2 of factors.slice(0, 6)) {
          if (mod(u1 + u2 * d) === 0n) continue;
          const c = caseOf(u1, u2, q);
          expect(takes(c), `${d} ${u1} ${u2}`).toBe(true);
          expect(takes({ ...c, r: mod(c.r + 1n) || 1n })).toBe(false);
        }
      }
    }
  });

  it('takes any digest: 0, n, and all above', () => {
    for (const e of [0n, 1n, N - 1n, N, N + 1n, P, 2n ** 256n - 1n]) {
      // s from the digest as the signer would make it
      const d = 0xabcdefn;
      const k = 0x777777n;
      const r = mod(times(G, k).toAffine().x);
      const s = mod(inverse(k) * (e + r * d));
      expect(takes({ key: keyOf(times(G, d)), digest: bigEndian(e, 32), r, s })).toBe(true);
      expect(takes({ key: keyOf(times(G, d)), digest: bigEndian(e ^ 1n, 32), r, s })).toBe(false);
    }
  });

  it('refuses a key that is not on the curve [invalid curve attack]', () => {
    const { x, y } = times(G, 7n).toAffine();
    const c = caseOf(5n, 6n, times(G, 7n));
    expect(takes(c)).toBe(true);
    for (const key of [encode(x, y ^ 1n), encode(x ^ 1n, y), encode(y, x), encode(x, 0n), encode(0n, y)]) {
      expect(takes({ ...c, key })).toBe(false);
    }
  });

  it('refuses a point of another curve under which the formulas give the r asked for', () => {
    // Affine arithmetic without b: (x, y) of no curve of ours, doubled; u1 = 0, u2 = 2.
    const [x, y] = [2n, 3n];
    const slope = mod((3n * x * x - 3n) * Point.Fp.inv(2n * y), P);
    const r = mod(mod(slope * slope - 2n * x, P));
    const s = mod(r * inverse(2n));
    expect(takes({ key: encode(x, y), digest: new Uint8Array(32), r, s })).toBe(false);
  });

  it('refuses coordinates of p and more', () => {
    const withSmallX = pointFrom(0n);
    const { x, y } = withSmallX.toAffine();
    const c = caseOf(5n, 6n, withSmallX);
    expect(x + P).toBeLessThan(2n ** 256n);
    expect(takes(c)).toBe(true);
    expect(takes({ ...c, key: encode(x + P, y) })).toBe(false);
    expect(takes({ ...c, key: encode(P, P) })).toBe(false);
  });

  it('refuses y + p for a point with a small y', () => {
    const { x, y } = SMALL_Y;
    const c = caseOf(5n, 6n, Point.fromAffine({ x, y }));
    expect(takes(c)).toBe(true);
    expect(takes({ ...c, key: encode(x, y + P) })).toBe(false);
  });

  it('refuses keys in any other form: compressed, hybrid, neutral, empty', () => {
    const { x, y } = Point.fromBytes(GOOD.key).toAffine();
    for (const form of [0, 1, 2, 3, 5, 6, 7, 0x84, 0xff]) {
      expect(takes({ ...GOOD, key: encode(x, y, form) })).toBe(false);
    }
    expect(takes({ ...GOOD, key: new Uint8Array(65) })).toBe(false);
    expect(takes({ ...GOOD, key: encode(0n, 0n) })).toBe(false);
  });

  describe('refuses DER', () => {
    const r = derInteger(GOOD.r);
    const s = derInteger(GOOD.s);
    const raw = (value: bigint) => bigEndian(value, 32);
    const padded = (value: bigint) => der(0x02, Uint8Array.of(0, 0), raw(value));
    const good = sequence(r, s);
    const byte = (...values: number[]) => Uint8Array.from(values);
    const longForm = (tag: number, bytes: Uint8Array) => concat(byte(tag, 0x81, bytes.length), bytes);
    it.each<[string, Uint8Array]>([
      ['with zeros before r', sequence(padded(GOOD.r), s)],
      ['with zeros before s', sequence(r, padded(GOOD.s))],
      ['with a zero before a small r', sequence(der(0x02, byte(0, 1)), s)],
      ['with a negative r', sequence(der(0x02, concat(byte(0x80), raw(GOOD.r).subarray(1))), s)],
      ['with a negative s', sequence(r, der(0x02, byte(0xff)))],
      ['with an empty r', sequence(der(0x02), s)],
      ['with an empty s', sequence(r, der(0x02))],
      ['with a byte after s', sequence(r, s, byte(0))],
      [
        'with the last byte of s behind its integer',
        sequence(r, der(0x02, raw(GOOD.s).subarray(0, 31)), raw(GOOD.s).subarray(31)),
      ],
      ['with a third integer', sequence(r, s, s)],
      ['with a byte after the sequence', concat(good, byte(0))],
      ['with NULL after the sequence', concat(good, byte(5, 0))],
      ['cut by one byte', good.subarray(0, -1)],
      ['with one byte less in its length', good.map((b, i) => (i === 1 ? b - 1 : b))],
      ['with one byte more in its length', good.map((b, i) => (i === 1 ? b + 1 : b))],
      ['with a length of the long form', longForm(0x30, concat(r, s))],
      ['with a length of two bytes', concat(byte(0x30, 0x82, 0, r.length + s.length), r, s)],
      ['with a length of four bytes', concat(byte(0x30, 0x84, 0, 0, 0, r.length + s.length), r, s)],
      ['with an indefinite length', concat(byte(0x30, 0x80), r, s, byte(0, 0))],
      ['with a reserved length', concat(byte(0x30, 0xff), r, s)],
      ['with a long form of r', sequence(longForm(0x02, r.subarray(2)), s)],
      ['with a long form of s', sequence(r, longForm(0x02, s.subarray(2)))],
      ['with an oversized r', sequence(der(0x02, byte(1), new Uint8Array(32)), s)],
      ['with a huge r', sequence(der(0x02, byte(1), new Uint8Array(300)), s)],
      ['with r and a bit far above it', sequence(der(0x02, byte(1), new Uint8Array(8), raw(GOOD.r)), s)],
      ['with s and a bit far above it', sequence(r, der(0x02, byte(1), new Uint8Array(8), raw(GOOD.s)))],
      ['with an r that reaches beyond the end', sequence(concat(byte(0x02, 0x7f), r.subarray(2)), s)],
      ['with a set for the sequence', concat(byte(0x31), good.subarray(1))],
      ['with an octet string for r', sequence(concat(byte(0x04), r.subarray(1)), s)],
      ['with an enumerated for s', sequence(r, concat(byte(0x0a), s.subarray(1)))],
      ['with r alone', sequence(r)],
      ['with nothing in the sequence', sequence()],
      ['that is empty', new Uint8Array()],
      ['of one byte', byte(0x30)],
      ['that is r and s plain', concat(raw(GOOD.r), raw(GOOD.s))],
      ['with the sequence left out', concat(r, s)],
      ['with the sequence twice', sequence(good)],
    ])('%s', (_, bytes) => {
      expect(takesDer(good)).toBe(true);
      expect(takesDer(bytes)).toBe(false);
    });
  });

  it('reads nothing beyond the signature: what follows does not matter', () => {
    const good = signature(GOOD.r, GOOD.s);
    for (let length = 0; length < good.length; length++) {
      module.write(module.arena, concat(GOOD.key, GOOD.digest, good));
      expect(module.call('p256_verify', module.arena, module.arena + 65, module.arena + 97, length)).toBe(0);
    }
  });

  it('leaves what it is given as it is', () => {
    const given = concat(GOOD.key, GOOD.digest, signature(GOOD.r, GOOD.s), new Uint8Array(64).fill(0x5a));
    module.memory.fill(0x5a, module.arena - 64, module.arena);
    expect(takes(GOOD)).toBe(true);
    expect(module.read(module.arena, given.length - 64)).toEqual(given.subarray(0, -64));
  });

  it('says the same as OpenSSL and @noble/curves of random and edge-biased cases', () => {
    const random = randomBytes(0x256);
    const number = () => mod(fromBigEndian(random(40)), N - 1n) + 1n;
    const edges = [1n, 2n, 3n, N - 1n, N - 2n, 1n << 255n, (1n << 128n) - 1n, N >> 1n, (N >> 1n) + 1n];
    const biased = () => {
      const choice = (random(1)[0] ?? 0) % 24;
      if (choice < edges.length) return edges[choice] ?? 1n;
      if (choice < 12) return mod(number() >> BigInt((random(1)[0] ?? 0) % 250), N - 1n) + 1n;
      return number();
    };
    const cases = file === 'crypto.wasm' ? 2000 : 100;
    let taken = 0;
    for (let i = 0; i < cases; i++) {
      const d = biased();
      const k = biased();
      const message = random(i % 100);
      const digest = sha256(message);
      const key = keyOf(times(G, d));
      const r = mod(times(G, k).toAffine().x);
      const s = mod(inverse(k) * (fromBigEndian(digest) + r * d)) || 1n;
      const spoil = i % 3;
      const sent =
        spoil === 1 ? signature(r, biased()) : spoil === 2 ? signature(biased(), s) : signature(r, s);
      const ours = verifyBy(module, key, digest, sent);
      if (ours) taken++;
      expect(nodeVerify('sha256', message, nodeKey(key), sent), `case ${i}`).toBe(ours);
      if (i % 5 === 0) {
        const noble = p256.verify(sent, digest, key, { prehash: false, lowS: false, format: 'der' });
        expect(noble, `case ${i}`).toBe(ours);
      }
    }
    expect(taken).toBeGreaterThanOrEqual(cases / 3);
  }, 120_000);
});

describe('what a P-256 verification costs', () => {
  it('is next to nothing where r or s is out of range: no point is touched', () => {
    // Of r = 0 and s = 0 no verdict shows the check: the sum would be neutral, or have x = 0, which nobody can make.
    const module = new TracedModule();
    const at = 32_768;
    for (const [r, s] of [
      [0n, GOOD.s],
      [GOOD.r, 0n],
      [N, GOOD.s],
      [GOOD.r, N],
    ] as const) {
      const bytes = signature(r, s);
      module.memory.set(concat(GOOD.key, GOOD.digest, bytes), at);
      const { count } = module.trace(() => module.call('p256_verify', at, at + 65, at + 97, bytes.length));
      expect(count).toBeLessThan(1000);
    }
  });

  it('is for no signature more than 1.1 times that of an ordinary one', () => {
    const module = new TracedModule();
    const at = 32_768;
    const steps = (c: ReturnType<typeof caseOf>) => {
      const bytes = signature(c.r, c.s);
      module.memory.set(concat(c.key, c.digest, bytes), at);
      return module.trace(() => module.call('p256_verify', at, at + 65, at + 97, bytes.length)).count;
    };
    const random = randomBytes(77);
    const number = () => mod(fromBigEndian(random(40)));
    const ordinary = Array.from({ length: 20 }, () => steps(caseOf(number(), number(), times(G, number()))));
    const usual = ordinary.reduce((sum, count) => sum + count, 0) / ordinary.length;
    // Scalars with as many digits as there can be: all windows odd.
    const dense = (width: bigint) => {
      let value = 0n;
      for (let i = 0n; i < 256n; i += width) value |= 1n << i;
      return mod(value);
    };
    const hostile = [
      caseOf(dense(6n), dense(5n), times(G, number())),
      caseOf(dense(5n), dense(5n), times(G, number())),
      caseOf(N - 1n, N - 1n, times(G, 3n)),
      caseOf(1n, 1n, G),
      caseOf(mod(-5n * 77n), 77n, times(G, 5n), 1n),
      caseOf(dense(6n), dense(5n), G),
      caseWithSum(pointFrom(N), pointFrom(N).toAffine().x - N),
    ];
    for (const c of hostile) expect(steps(c) / usual).toBeLessThanOrEqual(1.1);
  });
});
