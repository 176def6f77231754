import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  verify as nodeVerify,
  sign,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ed25519 } from '@noble/curves/ed25519.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { CryptoModule, cuts, fromHex, randomBytes, toBytes, toHex, toNumber, verify } from './module.ts';
import { concat, forge, L, nonCanonical, P, Point, SMALL_ORDER, strictVerify, times } from './strict.ts';

interface Vectors {
  cases: [seed: string, publicKey: string, message: string, signature: string][];
}

const VECTORS = (
  JSON.parse(readFileSync(new URL('../vectors/ed25519-sign.json', import.meta.url), 'utf8')) as Vectors
).cases.map((fields) => fields.map(fromHex) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]);

/** RFC 8032, 7.1, TEST SHA(abc). */
const SHA_ABC = {
  publicKey: fromHex('ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf'),
  message: new Uint8Array(createHash('sha512').update('abc').digest()),
  signature: fromHex(
    'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  ),
};

const PRIVATE_PREFIX = fromHex('302e020100300506032b657004220420');
const PUBLIC_PREFIX = fromHex('302a300506032b6570032100');
const privateKeyOf = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.from(concat(PRIVATE_PREFIX, seed)), format: 'der', type: 'pkcs8' });
const nodeKey = (publicKey: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.from(concat(PUBLIC_PREFIX, publicKey)), format: 'der', type: 'spki' });

/** Points of order L and 8, and secrets, that the edge cases are made from. */
const A = 0x1234567890abcdef1234567890abcdefn;
const R = 0xfedcba0987654321fedcba0987654321fedcban;
const ORDER_2 = SMALL_ORDER.find((p) => !p.is0() && times(p, 2n).is0()) ?? Point.ZERO;
const ORDER_8 = SMALL_ORDER.find((p) => !times(p, 4n).is0()) ?? Point.ZERO;

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

describe.each(['crypto.wasm', 'crypto.test.wasm'] as const)('Ed25519 verification by %s', (file) => {
  let module: CryptoModule;
  beforeAll(() => {
    module = new CryptoModule(file);
  });
  const check = (publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array) =>
    verify(module, publicKey, signature, [message]);
  const begins = (publicKey: Uint8Array, signature: Uint8Array) => {
    module.write(module.arena, publicKey);
    module.write(module.arena + 32, signature);
    return module.call('ed25519_verify_begin', module.arena + 512, module.arena, module.arena + 32) !== 0;
  };

  it('takes the signatures of RFC 8032 and of its authors', () => {
    for (const [, publicKey, message, signature] of VECTORS) {
      expect(check(publicKey, signature, message)).toBe(true);
    }
    expect(check(SHA_ABC.publicKey, SHA_ABC.signature, SHA_ABC.message)).toBe(true);
  });

  it('refuses each of them for another message, another key, an empty and a longer message', () => {
    for (const [i, [, publicKey, message, signature]] of VECTORS.entries()) {
      const other = VECTORS[(i + 1) % VECTORS.length]?.[1] ?? publicKey;
      expect(check(other, signature, message)).toBe(false);
      expect(check(publicKey, signature, concat(message, Uint8Array.of(0)))).toBe(false);
      if (message.length === 0) continue;
      expect(check(publicKey, signature, new Uint8Array())).toBe(false);
      expect(check(publicKey, signature, flip(message, i % (8 * message.length)))).toBe(false);
    }
  });

  it('does not depend on how the message is cut', () => {
    const [, publicKey, message, signature] = VECTORS.find((v) => v[2].length === 129) ?? VECTORS[0] ?? [];
    if (!publicKey || !message || !signature) throw new Error('no vector');
    for (const chunks of cuts(message)) expect(verify(module, publicKey, signature, chunks)).toBe(true);
  });

  it('keeps several verifications apart that stream at once', () => {
    const size = module.constant('ED25519_CONTEXT');
    const streams = VECTORS.slice(40, 48).map(([, publicKey, message, signature], i) => ({
      context: module.arena + i * size,
      message: i % 2 ? flip(message, 17) : message,
      publicKey,
      signature,
      valid: i % 2 === 0,
    }));
    const data = module.arena + 8192;
    for (const { context, publicKey, signature } of streams) {
      module.write(data, concat(publicKey, signature));
      expect(module.call('ed25519_verify_begin', context, data, data + 32)).toBe(1);
    }
    for (let at = 0; at < 64; at++) {
      for (const { context, message } of streams) {
        const byte = message.subarray(at, at + 1);
        module.call('ed25519_verify_update', context, module.write(data, byte), byte.length);
      }
    }
    for (const { context, valid } of streams) {
      expect(module.call('ed25519_verify_end', context) !== 0).toBe(valid);
    }
  });

  it('writes nothing outside its context', () => {
    const size = module.constant('ED25519_CONTEXT');
    const context = module.arena + 1024;
    const [, publicKey, message, signature] = VECTORS[63] ?? [];
    if (!publicKey || !message || !signature) throw new Error('no vector');
    module.memory.fill(0x5a, module.arena, context + size + 1024);
    module.write(module.arena + 8192, concat(publicKey, signature, message));
    module.call('ed25519_verify_begin', context, module.arena + 8192, module.arena + 8224);
    module.call('ed25519_verify_update', context, module.arena + 8288, message.length);
    expect(module.call('ed25519_verify_end', context)).toBe(1);
    for (const guard of [module.arena, context + size]) {
      expect(module.read(guard, 1024).every((b) => b === 0x5a)).toBe(true);
    }
  });

  it('refuses a signature with any one bit flipped', () => {
    const [, publicKey, message, signature] = VECTORS[10] ?? [];
    if (!publicKey || !message || !signature) throw new Error('no vector');
    for (let bit = 0; bit < 512; bit++) expect(check(publicKey, flip(signature, bit), message)).toBe(false);
    for (let bit = 0; bit < 256; bit++) expect(check(flip(publicKey, bit), signature, message)).toBe(false);
  });

  it('gives one verdict for one begin, and none for a begin that refused', () => {
    const [, publicKey, message, signature] = VECTORS[5] ?? [];
    if (!publicKey || !message || !signature) throw new Error('no vector');
    const context = module.arena + 512;
    const data = module.write(module.arena + 8192, message);
    const end = () => module.call('ed25519_verify_end', context);
    expect(begins(publicKey, signature)).toBe(true);
    module.call('ed25519_verify_update', context, data, message.length);
    expect(end()).toBe(1);
    expect(end()).toBe(0);
    // S + L satisfies the equation, so only the begin stands in its way.
    const s = toNumber(signature.subarray(32)) + L;
    expect(begins(publicKey, concat(signature.subarray(0, 32), toBytes(s, 32)))).toBe(false);
    module.call('ed25519_verify_update', context, data, message.length);
    expect(end()).toBe(0);
  });

  it('refuses S + k L and every S from L up [malleable signature]', () => {
    for (const [, publicKey, , signature] of VECTORS) {
      const s = toNumber(signature.subarray(32));
      for (let k = 1n; s + k * L < 2n ** 256n; k++) {
        const malleable = concat(signature.subarray(0, 32), toBytes(s + k * L, 32));
        expect(begins(publicKey, malleable)).toBe(false);
      }
    }
    const [, publicKey = new Uint8Array(), , signature = new Uint8Array()] = VECTORS[0] ?? [];
    const withS = (s: bigint) => concat(signature.subarray(0, 32), toBytes(s, 32));
    for (const s of [0n, 1n, L - 1n, L - 2n ** 64n, 2n ** 252n])
      expect(begins(publicKey, withS(s))).toBe(true);
    const tooLarge = [L, L + 1n, L + 2n ** 64n, L + 2n ** 128n, 2n ** 253n, 2n ** 255n, 2n ** 256n - 1n];
    for (const s of tooLarge) expect(begins(publicKey, withS(s))).toBe(false);
  });

  it('refuses all eight points of small order as A, whatever the S [key that signs everything]', () => {
    expect(SMALL_ORDER).toHaveLength(8);
    for (const point of SMALL_ORDER) {
      // [S] B = R + [h] A holds with S = r whenever [h] A is neutral.
      const forgery = forge({ a: 0n, r: R, moveA: point, wanted: (h) => h % 8n === 0n });
      expect(begins(forgery.publicKey, forgery.signature)).toBe(false);
      for (const encoding of nonCanonical(point)) expect(begins(encoding, forgery.signature)).toBe(false);
    }
  });

  it('refuses all eight points of small order as R', () => {
    for (const point of SMALL_ORDER) {
      const forgery = forge({ a: A, r: 0n, moveR: point });
      expect(begins(forgery.publicKey, forgery.signature)).toBe(false);
      for (const encoding of nonCanonical(point)) {
        const signature = concat(encoding, forgery.signature.subarray(32));
        expect(begins(forgery.publicKey, signature)).toBe(false);
      }
    }
  });

  it('refuses small order in both, with S = 0', () => {
    for (const a of SMALL_ORDER) {
      for (const r of SMALL_ORDER) {
        const signature = concat(r.toBytes(), new Uint8Array(32));
        expect(begins(a.toBytes(), signature)).toBe(false);
      }
    }
  });

  it('refuses every y from p up, with either sign, as A and as R', () => {
    const { publicKey, signature } = forge({ a: A, r: R });
    for (let y = P - 1n; y < 2n ** 255n; y++) {
      for (const sign of [0n, 2n ** 255n]) {
        const encoding = toBytes(y | sign, 32);
        expect(begins(encoding, signature)).toBe(false);
        expect(begins(publicKey, concat(encoding, signature.subarray(32)))).toBe(false);
      }
    }
    for (let y = 2n; y < 20n; y++) expect(begins(toBytes(P - y, 32), signature)).toBe(true);
  });

  it('refuses a y that belongs to no point of the curve, as A and as R', () => {
    const { publicKey, signature, message } = forge({ a: A, r: R });
    let refused = 0;
    for (let y = 2n; y < 200n; y++) {
      const encoding = toBytes(y, 32);
      try {
        Point.fromBytes(encoding);
      } catch {
        refused++;
        expect(begins(encoding, signature)).toBe(true);
        expect(check(encoding, signature, message)).toBe(false);
        expect(check(publicKey, concat(encoding, signature.subarray(32)), message)).toBe(false);
      }
    }
    expect(refused).toBeGreaterThan(50);
  });

  it('takes a key of mixed order when the equation holds without a cofactor, and only then', () => {
    for (const point of SMALL_ORDER) {
      const { publicKey, signature, message } = forge({
        a: A,
        r: R,
        moveA: point,
        wanted: (h) => h % 8n === 0n,
      });
      expect(check(publicKey, signature, message)).toBe(true);
    }
    const moved = forge({ a: A, r: R, moveA: ORDER_8, wanted: (h) => h % 8n !== 0n });
    expect(check(moved.publicKey, moved.signature, moved.message)).toBe(false);
    const halfway = forge({ a: A, r: R, moveA: ORDER_2, wanted: (h) => h % 8n === 1n });
    expect(check(halfway.publicKey, halfway.signature, halfway.message)).toBe(false);
    const even = forge({ a: A, r: R, moveA: ORDER_2, wanted: (h) => h % 4n === 2n });
    expect(check(even.publicKey, even.signature, even.message)).toBe(true);
  });

  it('refuses an R of mixed order unless A takes the difference back', () => {
    for (const point of SMALL_ORDER.filter((p) => !p.is0())) {
      const { publicKey, signature, message } = forge({ a: A, r: R, moveR: point });
      expect(check(publicKey, signature, message)).toBe(false);
      // R = [r] B + T and A = [a] B - T balance when h = 1 modulo 8.
      const balanced = forge({
        a: A,
        r: R,
        moveR: point,
        moveA: point.negate(),
        wanted: (h) => h % 8n === 1n,
      });
      expect(check(balanced.publicKey, balanced.signature, balanced.message)).toBe(true);
    }
  });

  it('agrees with a reference on points and scalars of every odd kind', () => {
    const bytes = randomBytes(7);
    const scalars = [0n, 1n, 2n, 8n, L - 1n, L, 2n ** 128n, 2n ** 252n, toNumber(bytes(32)) % L];
    const encodings = [
      (p: Point) => p.toBytes(),
      (p: Point) => nonCanonical(p)[0] ?? p.toBytes(),
      (p: Point) => flip(p.toBytes(), 255),
    ];
    let taken = 0;
    for (let i = 0; i < 400; i++) {
      const pick = <T>(list: T[]): T => list[(bytes(1)[0] ?? 0) % list.length] as T;
      const honest = () => (bytes(1)[0] ?? 0) < 128;
      const forgery = forge({
        a: honest() ? A : pick(scalars),
        r: honest() ? R : pick(scalars),
        moveA: honest() ? Point.ZERO : pick(SMALL_ORDER),
        moveR: honest() ? Point.ZERO : pick(SMALL_ORDER),
        encodeA: honest() ? (p) => p.toBytes() : pick(encodings),
        encodeR: honest() ? (p) => p.toBytes() : pick(encodings),
        wanted: honest() ? () => true : (h) => h % 8n === 0n,
      });
      const { publicKey, signature, message } = forgery;
      const expected = strictVerify(publicKey, signature, message);
      expect(check(publicKey, signature, message), toHex(concat(publicKey, signature))).toBe(expected);
      taken += expected ? 1 : 0;
    }
    expect(taken).toBeGreaterThan(50);
    expect(taken).toBeLessThan(350);
  });
});

describe('Ed25519 beside node:crypto and @noble/curves', () => {
  it('agrees on 2,000 keys and messages, valid and damaged', () => {
    const module = new CryptoModule('crypto.wasm');
    const bytes = randomBytes(11);
    for (let i = 0; i < 2000; i++) {
      const privateKey = privateKeyOf(bytes(32));
      const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
      const publicKey = new Uint8Array(Buffer.from(jwk.x ?? '', 'base64url'));
      const message = bytes(i % 311);
      const signature = new Uint8Array(sign(null, message, privateKey));
      // Of each four: valid, a bit of the signature, of the message's end, of the key.
      const kind = i % 4;
      const bit = i % 251;
      const given = {
        signature: kind === 1 ? flip(signature, 2 * bit) : signature,
        message: kind === 2 ? concat(message, Uint8Array.of(i & 255)) : message,
        publicKey: kind === 3 ? flip(publicKey, bit) : publicKey,
      };
      const verdict = verify(module, given.publicKey, given.signature, [given.message]);
      expect(verdict).toBe(kind === 0);
      expect(nodeVerify(null, given.message, nodeKey(given.publicKey), given.signature)).toBe(verdict);
      // noble takes about a millisecond, so every fourth case of each kind.
      if (i % 16 < 4) expect(ed25519.verify(given.signature, given.message, given.publicKey)).toBe(verdict);
    }
  });

  it('is stricter than both where they are known to take more', () => {
    const module = new CryptoModule('crypto.wasm');
    const ours = (f: { publicKey: Uint8Array; signature: Uint8Array; message: Uint8Array }) =>
      verify(module, f.publicKey, f.signature, [f.message]);
    // OpenSSL does not look at the order of the key; noble by default (ZIP 215) neither.
    const small = forge({ a: 0n, r: R, moveA: ORDER_8, wanted: (h) => h % 8n === 0n });
    expect(nodeVerify(null, small.message, nodeKey(small.publicKey), small.signature)).toBe(true);
    expect(ed25519.verify(small.signature, small.message, small.publicKey)).toBe(true);
    expect(ours(small)).toBe(false);
    // noble multiplies the equation by the cofactor.
    const mixed = forge({ a: A, r: R, moveA: ORDER_8, wanted: (h) => h % 8n !== 0n });
    expect(ed25519.verify(mixed.signature, mixed.message, mixed.publicKey)).toBe(true);
    expect(nodeVerify(null, mixed.message, nodeKey(mixed.publicKey), mixed.signature)).toBe(false);
    expect(ours(mixed)).toBe(false);
  });
});
