import { createHmac } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { CryptoModule, cuts, randomBytes, toHex } from './module.ts';
import { fields, vectors } from './vectors.ts';

const CASES = vectors<{ cases: string[][] }>('rfc5869.json').cases.map(fields);

describe.each(['crypto.wasm', 'crypto.test.wasm'] as const)('HKDF-SHA256 by %s', (file) => {
  let module: CryptoModule;
  let context: number;
  let data: number;
  let out: number;
  beforeEach(() => {
    module = new CryptoModule(file);
    context = module.arena;
    data = context + 512;
    out = data + 8192;
  });

  function extract(salt: Uint8Array, secret: Uint8Array): string {
    module.write(data, salt);
    module.write(data + 4096, secret);
    module.call('hkdf_sha256_extract', out, data, salt.length, data + 4096, secret.length);
    return toHex(module.read(out, 32));
  }

  /** Undefined: refused. */
  function expand(prk: Uint8Array, info: Uint8Array, length: number): string | undefined {
    module.write(data, prk);
    module.write(data + 32, info);
    const done = module.call('hkdf_sha256_expand', out, length, data, data + 32, info.length);
    return done ? toHex(module.read(out, length)) : undefined;
  }

  function hmac(key: Uint8Array, chunks: Iterable<Uint8Array>): string {
    module.call('hmac_sha256_begin', context, module.write(data, key), key.length);
    for (const chunk of chunks)
      module.call('hmac_sha256_update', context, module.write(data, chunk), chunk.length);
    module.call('hmac_sha256_end', context, out);
    return toHex(module.read(out, 32));
  }

  it('gives the keys of RFC 5869', () => {
    for (const field of CASES) {
      expect(extract(field(1), field(0))).toBe(toHex(field(3)));
      expect(expand(field(3), field(2), field(4).length)).toBe(toHex(field(4)));
    }
  });

  it('gives up to 255 digests and refuses more, without writing', () => {
    const prk = randomBytes(1)(32);
    const most = module.constant('HKDF_SHA256_MOST');
    expect(most).toBe(255 * 32);
    const whole = expand(prk, new Uint8Array(), most) ?? '';
    for (const length of [0, 1, 31, 32, 33, 8159])
      expect(expand(prk, new Uint8Array(), length)).toBe(whole.slice(0, 2 * length));
    module.memory.fill(0x5a, out, out + 9000);
    expect(expand(prk, new Uint8Array(), most + 1)).toBeUndefined();
    expect(expand(prk, new Uint8Array(), -1)).toBeUndefined();
    expect(module.read(out, 9000).every((byte) => byte === 0x5a)).toBe(true);
  });

  it('authenticates with keys around the length of a block, as node:crypto does', () => {
    const random = randomBytes(2);
    for (const length of [0, 1, 31, 32, 63, 64, 65, 127, 128, 129, 1000]) {
      const [key, message] = [random(length), random(100)];
      expect(hmac(key, [message])).toBe(createHmac('sha256', key).update(message).digest('hex'));
    }
  });

  it('does not depend on how the message is cut', () => {
    const [key, message] = [randomBytes(3)(32), randomBytes(4)(130)];
    const whole = hmac(key, [message]);
    for (const chunks of cuts(message)) expect(hmac(key, chunks)).toBe(whole);
  });

  it('leaves nothing of a secret behind: all of its own memory is as in a fresh module', () => {
    const fresh = module.read(0, module.call('memory_used'));
    const secret = randomBytes(5)(32);
    extract(secret, secret);
    expand(secret, secret, 100);
    expect(module.read(0, fresh.length)).toEqual(fresh);
    hmac(secret, [secret]);
    expect(module.read(0, fresh.length)).toEqual(fresh);
    expect(module.read(context, module.constant('HMAC_SHA256_CONTEXT')).every((byte) => byte === 0)).toBe(
      true,
    );
  });
});
