// What hostile input costs, in decisions and memory accesses (traced.ts), beside an ordinary one: at most 1.1 times as
// much. What P-256 costs is in p256.test.ts; how long a hostile hash makes the scalars, in halving.test.ts.
import { generateKeyPairSync, sign } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { CryptoModule, fromHex, randomBytes, toBytes, toNumber } from './module.ts';
import { keyOf, modulusBytes, prime, sha256, signPss } from './pss.ts';
import { challenge, concat, L, Point, SMALL_ORDER, times } from './strict.ts';
import { TracedModule } from './traced.ts';
import { vectors } from './vectors.ts';

const AT = 32_768;
const CONTEXT = AT + 8192;
const MESSAGE = AT + 12_288;

let module: TracedModule;
beforeAll(() => {
  module = new TracedModule();
});

/** Decisions and accesses of a call. */
function cost(act: () => void): number {
  return module.trace(act).count;
}

const mean = (costs: readonly number[]) => costs.reduce((sum, count) => sum + count, 0) / costs.length;

/** The most that one of them costs, beside the mean of ordinary ones. */
function excess(hostile: readonly number[], ordinary: readonly number[]): number {
  expect(Math.min(...ordinary)).toBeGreaterThan(10_000);
  return Math.max(...hostile) / mean(ordinary);
}

describe('an Ed25519 verification costs at most 1.1 times an ordinary one', () => {
  const random = randomBytes(3);
  const message = random(40);

  function verification(publicKey: Uint8Array, signature: Uint8Array): number {
    module.memory.set(concat(publicKey, signature), AT);
    module.memory.set(message, MESSAGE);
    return cost(() => {
      module.call('ed25519_verify_begin', CONTEXT, AT, AT + 32);
      module.call('ed25519_verify_update', CONTEXT, MESSAGE, message.length);
      module.call('ed25519_verify_end', CONTEXT);
    });
  }

  const point = () => times(Point.BASE, toNumber(random(32)));
  const ordinary = () =>
    Array.from({ length: 30 }, () => {
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      const key = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
      return verification(key, sign(null, message, privateKey));
    });

  /** S for which the factors of B and of 2^128 B have as many digits as there can be. */
  function denseS(a: Uint8Array, r: Uint8Array): Uint8Array {
    const bounded = new CryptoModule('crypto.test.wasm');
    const [h, outR, outT] = [bounded.arena, bounded.arena + 64, bounded.arena + 128];
    bounded.write(h, toBytes(challenge(r, a, message), 32));
    bounded.call('scalar_halve', outR, outT, h);
    const t = toNumber(bounded.read(outT, 36)) % L;
    let dense = 0n;
    for (let bit = 0n; bit < 252n; bit += 5n) dense |= 1n << bit;
    return toBytes((dense * Point.Fn.inv(t)) % L, 32);
  }

  it('whatever the S: 0, 1, L - 1, all ones, one that asks for the most digits', () => {
    const hostile = Array.from({ length: 20 }, () => [point().toBytes(), point().toBytes()] as const).flatMap(
      ([a, r]) =>
        [
          toBytes(0n, 32),
          toBytes(1n, 32),
          toBytes(L - 1n, 32),
          toBytes(2n ** 252n - 1n, 32),
          denseS(a, r),
        ].map((s) => verification(a, concat(r, s))),
    );
    expect(excess(hostile, ordinary())).toBeLessThanOrEqual(1.1);
  });

  it('whatever the points: of mixed order, the same twice, opposite, B itself', () => {
    const p = point();
    const some = [Point.BASE, Point.BASE.negate(), p, p.negate(), ...SMALL_ORDER.map((t) => p.add(t))];
    const hostile = some.flatMap((a) =>
      some.map((r) => verification(a.toBytes(), concat(r.toBytes(), toBytes(5n, 32)))),
    );
    expect(excess(hostile, ordinary())).toBeLessThanOrEqual(1.1);
  });

  it('whatever is refused: next to nothing for what is no signature at first sight', () => {
    const good = point().toBytes();
    const refused = [
      ...SMALL_ORDER.map((t) => verification(t.toBytes(), concat(good, toBytes(5n, 32)))),
      ...SMALL_ORDER.map((t) => verification(good, concat(t.toBytes(), toBytes(5n, 32)))),
      verification(good, concat(good, toBytes(L, 32))),
      verification(good, concat(good, new Uint8Array(32).fill(255))),
      verification(new Uint8Array(32).fill(255), concat(good, toBytes(5n, 32))),
    ];
    expect(Math.max(...refused)).toBeLessThan(mean(ordinary()) / 10);
  });

  it('whatever has no point: no more than the attempt to decode it, as A and as R', () => {
    const good = point().toBytes();
    const pointless = Array.from({ length: 40 }, (_, i) => toBytes(BigInt(i + 2), 32)).filter((y) => {
      try {
        return !Point.fromBytes(y);
      } catch {
        return true;
      }
    });
    expect(pointless.length).toBeGreaterThan(10);
    const refused = pointless.flatMap((y) => [
      verification(y, concat(good, toBytes(5n, 32))),
      verification(good, concat(y, toBytes(5n, 32))),
    ]);
    expect(Math.max(...refused)).toBeLessThan(mean(ordinary()) * 0.6);
  });

  it('among 2,000 hashes, which an attacker may try as he likes', () => {
    const [a, s] = [point().toBytes(), toBytes(7n, 32)];
    const r = point();
    let step = r;
    const hostile = Array.from({ length: 2000 }, () => {
      step = step.add(Point.BASE);
      return verification(a, concat(step.toBytes(), s));
    });
    expect(excess(hostile, ordinary())).toBeLessThanOrEqual(1.1);
  });
});

describe('an RSA-PSS verification costs at most 1.1 times an ordinary one', () => {
  const KEY = keyOf([prime('modp14')]);
  const digest = sha256(Buffer.from('a message'));

  function verification(signature: Uint8Array, exponent = KEY.e): number {
    const modulus = modulusBytes(KEY);
    module.memory.set(concat(modulus, digest, signature), AT);
    const [d, s] = [AT + modulus.length, AT + modulus.length + 32];
    const e = Number(exponent);
    return cost(() => module.call('rsa_pss_verify', AT, modulus.length, e, 0, d, s, signature.length));
  }

  it('whatever the signature: 0, 1, n - 1, above n, all ones, of any length', () => {
    const n = modulusBytes(KEY);
    const small = (value: number) => new Uint8Array(n.length).with(n.length - 1, value);
    const hostile = [
      small(0),
      small(1),
      n,
      n.with(n.length - 1, (n.at(-1) ?? 0) - 1),
      new Uint8Array(n.length).fill(255),
      new Uint8Array(n.length).fill(0x55),
      new Uint8Array(n.length + 1),
      new Uint8Array(),
    ].map((signature) => verification(signature));
    expect(excess(hostile, [verification(signPss(KEY, digest))])).toBeLessThanOrEqual(1.1);
  });

  it('whatever the salt, and however long', () => {
    const hostile = [0, 1, 32, 100, 222].map((length) =>
      verification(signPss(KEY, digest, { salt: new Uint8Array(length).fill(7) })),
    );
    expect(excess(hostile, [verification(signPss(KEY, digest))])).toBeLessThanOrEqual(1.1);
  });

  it('and the exponent of the key, which its owner chose, at most 63 products for 17', () => {
    const usual = verification(signPss(KEY, digest));
    expect(verification(signPss(KEY, digest), 0xffffffffn) / usual).toBeLessThan(63 / 17);
  });
});

describe('an agreement by X25519 costs the same', () => {
  const agreement = (secret: Uint8Array, peer: Uint8Array) => {
    module.memory.set(concat(secret, peer), AT);
    return cost(() => module.call('x25519', AT + 64, AT, AT + 32));
  };

  it('for every public key: of small order, not reduced, on the twist', () => {
    const random = randomBytes(8);
    const secret = random(32);
    const { smallOrder } = vectors<{ smallOrder: string[] }>('rfc7748.json');
    const hostile = [
      ...smallOrder.map(fromHex),
      new Uint8Array(32).fill(255),
      toBytes(2n ** 255n - 18n, 32),
      toBytes(2n, 32),
      ...Array.from({ length: 10 }, () => random(32)),
    ];
    const usual = agreement(secret, toBytes(9n, 32));
    expect(usual).toBeGreaterThan(50_000);
    expect(new Set(hostile.map((peer) => agreement(secret, peer)))).toEqual(new Set([usual]));
  });
});

describe('an Ed25519 signature costs the same', () => {
  it('for every message of one length, and in proportion to the length', () => {
    const random = randomBytes(5);
    const [key, seed] = [AT + 1024, AT];
    module.memory.set(random(32), seed);
    module.call('ed25519_key_make', key, seed, 0);
    const signing = (message: Uint8Array) => {
      module.memory.set(message, MESSAGE);
      return cost(() => {
        module.call('ed25519_sign_begin', CONTEXT, key);
        module.call('ed25519_sign_update', CONTEXT, MESSAGE, message.length);
        module.call('ed25519_sign_again', CONTEXT);
        module.call('ed25519_sign_update', CONTEXT, MESSAGE, message.length);
        expect(module.call('ed25519_sign_end', CONTEXT, AT + 512)).toBe(1);
      });
    };
    const usual = signing(random(100));
    const hostile = [new Uint8Array(100), new Uint8Array(100).fill(255), random(100), random(100)];
    expect(new Set(hostile.map(signing))).toEqual(new Set([usual]));
    const [short, long, longer] = [0, 6400, 12_800].map((length) => signing(new Uint8Array(length))) as [
      number,
      number,
      number,
    ];
    expect((longer - short) / (long - short)).toBeLessThan(2.01);
  });
});
