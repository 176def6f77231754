import { ed25519 } from '@noble/curves/ed25519.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { CryptoModule, cuts, randomBytes, toHex, verify } from './module.ts';
import { fields, vectors } from './vectors.ts';

const CASES = vectors<{ cases: string[][] }>('ed25519-sign.json').cases.map(fields);
const P = 2n ** 255n - 19n;

describe.each(['crypto.wasm', 'crypto.test.wasm'] as const)('Ed25519 signing by %s', (file) => {
  let module: CryptoModule;
  let key: number;
  let context: number;
  let data: number;
  let tables: number;
  beforeEach(() => {
    module = new CryptoModule(file);
    key = module.arena;
    context = key + module.constant('ED25519_KEY');
    data = context + module.constant('ED25519_SIGN_CONTEXT') + 64;
    tables = module.arena + 4096;
  });

  const makeKey = (seed: Uint8Array, withTables = 0) =>
    module.call('ed25519_key_make', key, module.write(data, seed), withTables);
  const publicKey = () => module.read(key + module.constant('ED25519_PUBLIC_KEY'), 32);
  const read = (chunks: Iterable<Uint8Array>) => {
    for (const chunk of chunks)
      module.call('ed25519_sign_update', context, module.write(data, chunk), chunk.length);
  };
  /** Undefined: refused. */
  function sign(first: Iterable<Uint8Array>, second: Iterable<Uint8Array>): Uint8Array | undefined {
    module.call('ed25519_sign_begin', context, key);
    read(first);
    expect(module.call('ed25519_sign_again', context)).toBe(1);
    read(second);
    return module.call('ed25519_sign_end', context, data) ? module.read(data, 64) : undefined;
  }

  it('makes the keys and signatures of RFC 8032 and of its authors, with and without tables', () => {
    module.call('ed25519_tables_make', tables);
    for (const [i, field] of CASES.entries()) {
      makeKey(field(0), i % 2 ? tables : 0);
      expect(toHex(publicKey())).toBe(toHex(field(1)));
      const signature = sign([field(2)], [field(2)]);
      expect(toHex(signature ?? new Uint8Array())).toBe(toHex(field(3)));
    }
  }, 120_000);

  it('makes signatures that its own verification takes', () => {
    const random = randomBytes(1);
    for (let i = 0; i < 50; i++) {
      const message = random(i * 7);
      makeKey(random(32));
      const signature = sign([message], [message]);
      expect(verify(module, publicKey(), signature ?? new Uint8Array(64), [message])).toBe(true);
    }
  });

  it('does not depend on how the message is cut, in either reading', () => {
    const field = CASES.find((each) => each(2).length === 129) ?? fields([]);
    expect(field(2)).toHaveLength(129);
    makeKey(field(0));
    for (const chunks of cuts(field(2))) {
      expect(toHex(sign(chunks, [field(2)]) ?? new Uint8Array())).toBe(toHex(field(3)));
      expect(toHex(sign([field(2)], chunks) ?? new Uint8Array())).toBe(toHex(field(3)));
    }
  });

  it('refuses when the second reading is another message: one nonce for two would give the key away', () => {
    const message = randomBytes(2)(100);
    makeKey(randomBytes(3)(32));
    expect(sign([message], [message.with(50, (message[50] ?? 0) ^ 1)])).toBeUndefined();
    expect(sign([message], [message.subarray(1)])).toBeUndefined();
    expect(sign([message], [message, Uint8Array.of(0)])).toBeUndefined();
    expect(sign([message], [])).toBeUndefined();
    expect(sign([message], [message])).toBeDefined();
  });

  it('signs nothing that was read once, though the context was left by a signature of the same message', () => {
    const message = randomBytes(5)(10);
    makeKey(randomBytes(6)(32));
    module.call('ed25519_sign_begin', context, key);
    read([message]);
    expect(module.call('ed25519_sign_again', context)).toBe(1);
    module.call('ed25519_sign_begin', context, key);
    read([message]);
    expect(module.call('ed25519_sign_end', context, data)).toBe(0);
  });

  it('writes no signature out of order', () => {
    makeKey(randomBytes(4)(32));
    const out = module.write(data + 512, new Uint8Array(64).fill(0x5a));
    module.call('ed25519_sign_begin', context, key);
    expect(module.call('ed25519_sign_end', context, out)).toBe(0); // read once
    expect(module.call('ed25519_sign_end', context, out)).toBe(0); // not begun
    expect(module.call('ed25519_sign_again', context)).toBe(0);
    module.call('ed25519_sign_begin', context, key);
    expect(module.call('ed25519_sign_again', context)).toBe(1);
    expect(module.call('ed25519_sign_again', context)).toBe(0);
    expect(module.read(out, 64).every((byte) => byte === 0x5a)).toBe(true);
    expect(module.call('ed25519_sign_end', context, out)).toBe(1);
    expect(module.call('ed25519_sign_end', context, out)).toBe(0); // twice
  });

  it('signs nothing with a key that was forgotten: the bare nonce would give it away', () => {
    const message = randomBytes(12)(10);
    makeKey(randomBytes(13)(32));
    module.call('ed25519_sign_begin', context, key);
    read([message]);
    module.call('ed25519_key_forget', key);
    expect(module.call('ed25519_sign_again', context)).toBe(0);
    expect(module.call('ed25519_sign_end', context, data)).toBe(0);
    makeKey(randomBytes(13)(32));
    module.call('ed25519_sign_begin', context, key);
    read([message]);
    expect(module.call('ed25519_sign_again', context)).toBe(1);
    read([message]);
    module.call('ed25519_key_forget', key);
    expect(module.call('ed25519_sign_end', context, data)).toBe(0);
  });

  it('leaves nothing of a secret behind: all of its own memory is as in a fresh module', () => {
    const fresh = new CryptoModule(file).read(0, module.call('memory_used'));
    const seed = randomBytes(5)(32);
    makeKey(seed);
    expect(module.read(0, fresh.length)).toEqual(fresh);
    module.call('ed25519_sign_begin', context, key);
    expect(module.read(0, fresh.length)).toEqual(fresh);
    read([seed]);
    module.call('ed25519_sign_again', context);
    expect(module.read(0, fresh.length)).toEqual(fresh);
    read([seed]);
    expect(module.call('ed25519_sign_end', context, data)).toBe(1);
    expect(module.read(0, fresh.length)).toEqual(fresh);
    expect(module.read(context, module.constant('ED25519_SIGN_CONTEXT')).every((b) => b === 0)).toBe(true);
    module.call('ed25519_key_forget', key);
    expect(module.read(key, module.constant('ED25519_PUBLIC_KEY')).every((b) => b === 0)).toBe(true);
    module.call('ed25519_seed_make', data, module.write(data + 64, seed), 32);
    expect(module.read(0, fresh.length)).toEqual(fresh);
  });

  it('remembers the public key of the last seed, and of no other', () => {
    const random = randomBytes(6);
    const [seed, other] = [random(32), random(32)];
    for (const each of [seed, seed, other, seed, seed.with(31, 1), other.with(0, 1)]) {
      makeKey(each);
      expect(publicKey()).toEqual(ed25519.getPublicKey(each));
      module.call('ed25519_key_forget', key);
    }
  });

  it('believes no public key that was put beside a seed', () => {
    const seed = randomBytes(7)(32);
    makeKey(seed);
    const own = publicKey();
    module.write(key + module.constant('ED25519_PUBLIC_KEY'), randomBytes(8)(32));
    makeKey(seed);
    expect(publicKey()).toEqual(own);
  });

  it('has tables of the multiples that they must be', () => {
    module.call('ed25519_tables_make', tables);
    const element = (at: number) => {
      const limbs = new Int32Array(module.read(at, 36).buffer);
      return limbs.reduceRight((sum, limb) => ((sum << 29n) + BigInt(limb)) % P, 0n);
    };
    const positive = (x: bigint) => ((x % P) + P) % P;
    let base = ed25519.Point.BASE;
    for (let table = 0, at = tables; table < 32; table++) {
      for (let multiple = 1n; multiple < 16n; multiple += 2n, at += 108) {
        const { x, y } = base.multiply(multiple).toAffine();
        expect(positive(2n * element(at))).toBe(positive(y + x));
        expect(positive(2n * element(at + 36))).toBe(positive(y - x));
        expect(positive(element(at + 72))).toBe(positive(ed25519.Point.CURVE().d * x * y));
      }
      for (let i = 0; i < 8; i++) base = base.double();
    }
    expect(module.constant('ED25519_TABLES')).toBe(32 * 8 * 108);
  });

  it('makes seeds from entropy: any byte of it counts, and as many as there are', () => {
    const entropy = randomBytes(10)(64);
    const seedOf = (bytes: Uint8Array) => {
      const made = module.call('ed25519_seed_make', data, module.write(data + 64, bytes), bytes.length);
      return made ? toHex(module.read(data, 32)) : undefined;
    };
    const seeds = new Set([seedOf(entropy), seedOf(entropy.subarray(0, 32)), seedOf(entropy.subarray(32))]);
    for (const [i, byte] of entropy.entries()) seeds.add(seedOf(entropy.with(i, byte ^ 1)));
    expect(seeds.size).toBe(67);
    expect(seeds.has(undefined)).toBe(false);
  });

  it('refuses entropy that is short, or of a dead source', () => {
    for (const bytes of [
      new Uint8Array(),
      randomBytes(11)(31),
      new Uint8Array(64),
      new Uint8Array(32).fill(255),
    ]) {
      module.write(data, new Uint8Array(32).fill(0x5a));
      expect(module.call('ed25519_seed_make', data, module.write(data + 64, bytes), bytes.length)).toBe(0);
      expect(module.read(data, 32).every((byte) => byte === 0x5a)).toBe(true);
    }
  });
});
