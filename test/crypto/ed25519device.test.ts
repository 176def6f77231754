// The signing that is in a core: as ed25519sign.ts makes them, in fewer bytes.
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { CryptoModule, randomBytes, toBytes, toHex, toNumber, verify } from './module.ts';
import { L } from './strict.ts';
import { fields, vectors } from './vectors.ts';

const CASES = vectors<{ cases: string[][] }>('ed25519-sign.json').cases.map(fields);
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

let module: CryptoModule;
let seed: number;
let publicKey: number;
let signature: number;
let context: number;
let data: number;
beforeEach(() => {
  module = new CryptoModule('crypto.test.wasm');
  seed = module.arena;
  publicKey = seed + 32;
  signature = seed + 64;
  context = seed + 128;
  data = seed + 512;
});

/** Signs with a nonce made of the seed and of `chosen`, or of the message as RFC 8032 has it. */
function signed(secret: Uint8Array, message: Uint8Array, chosen: Uint8Array = message): Uint8Array {
  module.write(seed, secret);
  module.call('ed25519_public', publicKey, seed);
  module.write(data, chosen);
  module.call('ed25519_device_begin', signature, context, seed, publicKey, data, chosen.length);
  module.write(data, message);
  module.call('sha512_update', context, data, message.length);
  module.write(data, chosen);
  module.call('ed25519_device_end', signature, context, seed, data, chosen.length);
  return module.read(signature, 64);
}

function sha512(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function nodeKey(secret: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: 'der', type: 'pkcs8' });
}

describe('Ed25519 signing in a core', () => {
  it('makes the keys and signatures of RFC 8032 and of its authors', () => {
    for (const field of CASES) {
      expect(toHex(signed(field(0), field(2)))).toBe(toHex(field(3)));
      expect(toHex(module.read(publicKey, 32))).toBe(toHex(field(1)));
    }
  }, 120_000);

  it('makes the keys and signatures of OpenSSL', () => {
    const random = randomBytes(7);
    for (let i = 0; i < 2000; i++) {
      const secret = random(32);
      const message = random(i % 300);
      const key = nodeKey(secret);
      expect(toHex(signed(secret, message))).toBe(toHex(sign(null, message, key)));
      const der = createPublicKey(key).export({ format: 'der', type: 'spki' });
      expect(toHex(module.read(publicKey, 32))).toBe(toHex(der.subarray(-32)));
    }
  }, 300_000);

  it('makes good signatures, each another one, with nonces of other bytes than the message', () => {
    const random = randomBytes(8);
    const message = random(90);
    const secret = random(32);
    const seen = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const made = signed(secret, message, random(64));
      expect(verify(module, module.read(publicKey, 32), made, [message])).toBe(true);
      seen.add(toHex(made));
    }
    expect(seen.size).toBe(50);
  });

  it('leaves no byte of the seed, of the scalar, of the prefix or of the nonce in memory', () => {
    const random = randomBytes(9);
    const secret = random(32);
    const chosen = random(40);
    signed(secret, random(40), chosen);
    module.write(seed, new Uint8Array(32));
    const expanded = sha512(secret);
    expanded[0] = (expanded[0] ?? 0) & 0xf8;
    expanded[31] = ((expanded[31] ?? 0) & 0x7f) | 0x40;
    const hashed = sha512(expanded.subarray(32), chosen);
    const nonce = toBytes(toNumber(hashed) % L, 32);
    const memory = Buffer.from(module.memory);
    for (const part of [secret, expanded, hashed, nonce])
      for (let at = 0; at + 8 <= part.length; at++)
        expect(memory.indexOf(part.subarray(at, at + 8))).toBe(-1);
  });
});
