import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { CryptoModule, cuts, fromHex, HASH_BYTES, type Hash, hash, randomBytes, toHex } from './module.ts';

interface Cavp {
  ShortMsg: [message: string, digest: string][];
  LongMsg: [message: string, digest: string][];
  Seed: string;
  Monte: string[];
}

const ascii = (text: string) => new TextEncoder().encode(text);

/** FIPS 180-4 and RFC 6234, 8.5. */
const EXAMPLES: Record<Hash, [message: Uint8Array, digest: string][]> = {
  sha256: [
    [ascii('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      ascii('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'),
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
    [ascii('a'.repeat(1e6)), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
    [ascii('01234567'.repeat(80)), '594847328451bdfa85056225462cc1d867d877fb388df0ce35f25ab5562bfbb5'],
    [fromHex('19'), '68aa2e2ee5dff96e3355e6c7ee373e3d6a4e17f75f9518d843709c0c9bc3e3d4'],
    [
      fromHex('e3d72570dcdd787ce3887ab2cd684652'),
      '175ee69b02ba9b58e2b0a5fd13819cea573f3940a94f825128cf4209beabb4e8',
    ],
  ],
  sha512: [
    [
      ascii('abc'),
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ],
    [
      ascii(
        'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu',
      ),
      '8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909',
    ],
    [
      ascii('a'.repeat(1e6)),
      'e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b',
    ],
    [
      ascii('01234567'.repeat(80)),
      '89d05ba632c699c31231ded4ffc127d5a894dad412c0e024db872d1abd2ba8141a0f85072a9be1e2aa04cf33c765cb510813a39cd5a84c4acaa64d3f3fb7bae9',
    ],
  ],
};

const BLOCK = { sha256: 64, sha512: 128 };
const bytes = randomBytes(1);
let module: CryptoModule;

/** crypto.wasm has the fast body of SHA-256, the test build that of the core. */
describe.each<[Hash, 'crypto.wasm' | 'crypto.test.wasm']>([
  ['sha256', 'crypto.wasm'],
  ['sha256', 'crypto.test.wasm'],
  ['sha512', 'crypto.wasm'],
])('%s by %s', (name, file) => {
  beforeAll(() => {
    module = new CryptoModule(file);
  });
  const cavp = JSON.parse(
    readFileSync(new URL(`../vectors/${name}-cavp.json`, import.meta.url), 'utf8'),
  ) as Cavp;
  const reference = (data: Uint8Array) => createHash(name).update(data).digest('hex');

  it('gives the digests of the standards', () => {
    for (const [message, digest] of EXAMPLES[name]) expect(toHex(hash(module, name, [message]))).toBe(digest);
  });

  it.each(['ShortMsg', 'LongMsg'] as const)('gives the digests of NIST CAVP %s', (kind) => {
    expect(cavp[kind].length).toBeGreaterThan(15);
    for (const [message, digest] of cavp[kind]) {
      expect(toHex(hash(module, name, [fromHex(message)]))).toBe(digest);
    }
  });

  it('gives the checkpoints of the NIST CAVP Monte Carlo test', () => {
    let seed: Uint8Array = fromHex(cavp.Seed);
    for (const digest of cavp.Monte) {
      let [first, second, third] = [seed, seed, seed];
      for (let i = 0; i < 1000; i++) {
        const next = hash(module, name, [first, second, third]);
        [first, second, third] = [second, third, next];
      }
      seed = third;
      expect(toHex(seed)).toBe(digest);
    }
  });

  it('agrees with node:crypto on every length up to five blocks', () => {
    for (let length = 0; length <= 5 * BLOCK[name]; length++) {
      const message = bytes(length);
      expect(toHex(hash(module, name, [message]))).toBe(reference(message));
    }
  });

  it('does not depend on how the message is cut', () => {
    const message = bytes(3 * BLOCK[name] - 5);
    for (const chunks of cuts(message)) expect(toHex(hash(module, name, chunks))).toBe(reference(message));
  });

  it('runs in several contexts at once and at any alignment of the data', () => {
    const size = module.constant(`${name.toUpperCase()}_CONTEXT`);
    const contexts = Array.from({ length: 8 }, (_, i) => module.arena + i * size);
    const messages = contexts.map((_, i) => bytes(200 + 37 * i));
    for (const context of contexts) module.call(`${name}_begin`, context);
    for (let at = 0; at < 500; at += 50) {
      for (const [i, context] of contexts.entries()) {
        const chunk = messages[i]?.subarray(at, at + 50) ?? new Uint8Array();
        module.call(`${name}_update`, context, module.write(module.arena + 8192 + i, chunk), chunk.length);
      }
    }
    for (const [i, context] of contexts.entries()) {
      module.call(`${name}_end`, context, module.arena + 4096 + i);
      const digest = module.read(module.arena + 4096 + i, HASH_BYTES[name]);
      expect(toHex(digest)).toBe(reference(messages[i] ?? new Uint8Array()));
    }
  });

  it('writes nothing outside its context and its digest', () => {
    const size = module.constant(`${name.toUpperCase()}_CONTEXT`);
    const context = module.arena + 64;
    const digest = context + size + 64;
    const end = digest + HASH_BYTES[name] + 64;
    for (let length = 0; length <= 2 * BLOCK[name]; length++) {
      module.memory.fill(0x5a, module.arena, end);
      module.call(`${name}_begin`, context);
      module.call(`${name}_update`, context, module.arena + 8192, length);
      module.call(`${name}_end`, context, digest);
      const guards = [module.arena, context + size, digest + HASH_BYTES[name]];
      for (const guard of guards) expect(module.read(guard, 64).every((b) => b === 0x5a)).toBe(true);
    }
  });
});

describe('the state of sha256', () => {
  beforeAll(() => {
    module = new CryptoModule('crypto.wasm');
  });
  const context = () => module.arena;
  const state = () => module.arena + 512;
  const data = () => module.arena + 8192;

  it('is saved only between two blocks', () => {
    module.write(data(), bytes(200));
    for (let length = 0; length <= 200; length++) {
      module.memory.fill(0x5a, state(), state() + 32);
      module.call('sha256_begin', context());
      module.call('sha256_update', context(), data(), length);
      const saved = module.call('sha256_save', context(), state()) !== 0;
      expect(saved).toBe(length % 64 === 0);
      expect(module.read(state(), 32).every((b) => b === 0x5a)).toBe(!saved);
    }
  });

  it('resumes at each block with the digest of an uninterrupted run', () => {
    const message = bytes(10 * 64 + 13);
    module.write(data(), message);
    for (let at = 0; at <= message.length; at += 64) {
      module.call('sha256_begin', context());
      module.call('sha256_update', context(), data(), at);
      expect(module.call('sha256_save', context(), state())).toBe(1);
      module.memory.fill(0x5a, context(), context() + module.constant('SHA256_CONTEXT'));
      module.call('sha256_restore', context(), state(), at);
      module.call('sha256_update', context(), data() + at, message.length - at);
      module.call('sha256_end', context(), state());
      expect(toHex(module.read(state(), 32))).toBe(createHash('sha256').update(message).digest('hex'));
    }
  });

  it.each([0x1fffffc0, 0x20000000, 0x80000000, 0xffffffc0])(
    'counts the bits of %d bytes and one block more',
    (length) => {
      const start = bytes(32);
      const block = bytes(64);
      module.call('sha256_restore', context(), module.write(state(), start), length);
      module.call('sha256_update', context(), module.write(data(), block), 64);
      module.call('sha256_end', context(), state());
      const digest = toHex(module.read(state(), 32));
      // The same block and the padding of that length, hashed as ordinary blocks.
      const padding = new Uint8Array(64);
      padding[0] = 0x80;
      new DataView(padding.buffer).setBigUint64(56, 8n * (BigInt(length) + 64n));
      module.call('sha256_restore', context(), module.write(state(), start), 0);
      module.call('sha256_update', context(), module.write(data(), block), 64);
      module.call('sha256_update', context(), module.write(data(), padding), 64);
      module.call('sha256_save', context(), state());
      const words = new DataView(module.read(state(), 32).buffer);
      const expected = Array.from({ length: 8 }, (_, i) =>
        words
          .getUint32(4 * i, true)
          .toString(16)
          .padStart(8, '0'),
      );
      expect(digest).toBe(expected.join(''));
    },
  );
});
