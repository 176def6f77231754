import { beforeEach, describe, expect, it } from 'vitest';
import { CryptoModule, fromHex, randomBytes, toHex } from './module.ts';
import { fields, vectors } from './vectors.ts';

interface Vectors {
  readonly cases: string[][];
  readonly iterated: Record<'1' | '1000', string>;
  readonly exchange: { readonly secret: string[]; readonly public: string[]; readonly shared: string };
  readonly smallOrder: string[];
}

const { cases, iterated, exchange, smallOrder } = vectors<Vectors>('rfc7748.json');

describe.each(['crypto.wasm', 'crypto.test.wasm'] as const)('X25519 by %s', (file) => {
  let module: CryptoModule;
  beforeEach(() => {
    module = new CryptoModule(file);
  });
  /** Undefined: refused. */
  function x25519(secret: Uint8Array, peer: Uint8Array): string | undefined {
    const at = module.arena;
    module.write(at, secret);
    module.write(at + 32, peer);
    return module.call('x25519', at + 64, at, at + 32) ? toHex(module.read(at + 64, 32)) : undefined;
  }

  it('gives the results of RFC 7748', () => {
    for (const field of cases.map(fields)) expect(x25519(field(0), field(1))).toBe(toHex(field(2)));
  });

  it('gives the results of RFC 7748 after 1 and 1,000 iterations', () => {
    let [secret, peer] = [fromHex(`09${'00'.repeat(31)}`), fromHex(`09${'00'.repeat(31)}`)];
    for (let i = 1; i <= 1000; i++) {
      [secret, peer] = [fromHex(x25519(secret, peer) ?? ''), secret];
      if (i === 1) expect(toHex(secret)).toBe(iterated[1]);
    }
    expect(toHex(secret)).toBe(iterated[1000]);
  });

  it('lets two sides agree, as in RFC 7748', () => {
    const at = module.arena;
    for (const [i, secret] of exchange.secret.entries()) {
      module.call('x25519_public', at + 32, module.write(at, fromHex(secret)));
      expect(toHex(module.read(at + 32, 32))).toBe(exchange.public[i]);
      expect(x25519(fromHex(secret), fromHex(exchange.public[1 - i] ?? ''))).toBe(exchange.shared);
    }
  });

  it.each(smallOrder)('refuses the point of small order %s, with the upper bit set too', (point) => {
    const peer = fromHex(point);
    for (const secret of [randomBytes(1)(32), new Uint8Array(32), new Uint8Array(32).fill(255)]) {
      expect(x25519(secret, peer)).toBeUndefined();
      expect(x25519(secret, peer.with(31, (peer[31] ?? 0) | 128))).toBeUndefined();
    }
  });

  it('ignores the upper bit of a public key and takes one that is not reduced', () => {
    const secret = randomBytes(2)(32);
    for (let y = 2; y < 19; y++) {
      const low = new Uint8Array(32).with(0, y);
      const high = new Uint8Array(32)
        .fill(255)
        .with(31, 127)
        .with(0, 0xed + y); // p + y
      const shared = x25519(secret, low);
      expect(shared).toBeDefined();
      if (0xed + y < 256) expect(x25519(secret, high)).toBe(shared);
      expect(x25519(secret, low.with(31, 128))).toBe(shared);
    }
  });

  it('ignores the bits of a secret that RFC 7748 fixes', () => {
    const secret = randomBytes(3)(32);
    const peer = fromHex(exchange.public[0] ?? '');
    const [first, last] = [secret[0] ?? 0, secret[31] ?? 0];
    expect(x25519(secret.with(0, first ^ 7).with(31, last ^ 0xc0), peer)).toBe(x25519(secret, peer));
    expect(x25519(secret.with(0, first ^ 8), peer)).not.toBe(x25519(secret, peer));
  });

  it('leaves nothing of a secret behind: all of its own memory is as in a fresh module', () => {
    const fresh = module.read(0, module.call('memory_used'));
    x25519(randomBytes(4)(32), fromHex(exchange.public[0] ?? ''));
    expect(module.read(0, fresh.length)).toEqual(fresh);
  });
});
