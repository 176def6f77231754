import { constants, createPublicKey, generateKeyPairSync, verify as nodeVerify, sign } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { bigEndian, concat, fromBigEndian, magnitude } from './der.ts';
import { CryptoModule, fromHex, randomBytes } from './module.ts';
import {
  bits,
  encode,
  type Key,
  keyOf,
  modulusBytes,
  power,
  prime,
  sha256,
  signEncoded,
  signPss,
  spkiOf,
} from './pss.ts';
import { vectors } from './vectors.ts';

const CAVP = vectors<{
  keys: {
    modulus: string;
    signatures: [exponent: string, message: string, signature: string, result: string][];
  }[];
}>('rsa-pss-cavp.json');

const P2048 = prime('modp14');
const KEY = keyOf([P2048]);
const DIGEST = sha256(Buffer.from('a message'));
const SALT = new Uint8Array(32).fill(0x5a);
/** Moduli of 2048 bits and of every number of bits modulo 8 above. */
const TINY_PRIMES = [257n, 263n, 521n, 1031n, 2053n, 4099n, 8209n, 16_411n];

describe.each(['crypto.wasm', 'crypto.test.wasm'] as const)('RSA-PSS verification by %s', (file) => {
  let module: CryptoModule;
  beforeAll(() => {
    module = new CryptoModule(file);
  });
  function verify(
    modulus: Uint8Array,
    exponent: bigint,
    digest: Uint8Array,
    signature: Uint8Array,
    leastSalt = 0,
  ): boolean {
    const at = module.arena;
    module.write(at, concat(modulus, digest, signature));
    const d = at + modulus.length;
    const e = Number(exponent);
    return (
      module.call(
        'rsa_pss_verify',
        at,
        modulus.length,
        e,
        leastSalt,
        d,
        d + digest.length,
        signature.length,
      ) !== 0
    );
  }
  const takes = (key: Key, signature: Uint8Array, digest = DIGEST) =>
    verify(modulusBytes(key), key.e, digest, signature);

  it('agrees with NIST CAVP', () => {
    for (const { modulus, signatures } of CAVP.keys) {
      for (const [exponent, message, signature, result] of signatures) {
        const verdict = verify(
          fromHex(modulus),
          BigInt(`0x${exponent}`),
          sha256(fromHex(message)),
          fromHex(signature),
        );
        expect(verdict, result).toBe(result.startsWith('P'));
      }
    }
  });

  it('takes salts of any length that fits', () => {
    const longest = 256 - 34;
    for (const length of [0, 1, 8, 20, 31, 32, 33, 64, longest - 1, longest]) {
      const signature = signPss(KEY, DIGEST, { salt: new Uint8Array(length).fill(1) });
      expect(takes(KEY, signature)).toBe(true);
      expect(takes(KEY, signature, sha256(DIGEST))).toBe(false);
    }
  });

  it('takes a salt of the least length that the key asks for, and none that is shorter', () => {
    for (const least of [1, 20, 32, 222]) {
      const withSalt = (length: number) =>
        verify(
          modulusBytes(KEY),
          KEY.e,
          DIGEST,
          signPss(KEY, DIGEST, { salt: new Uint8Array(length) }),
          least,
        );
      expect(withSalt(least)).toBe(true);
      expect(withSalt(least - 1)).toBe(false);
    }
    const at = module.arena;
    module.write(at, concat(modulusBytes(KEY), DIGEST, signPss(KEY, DIGEST)));
    expect(module.call('rsa_pss_verify', at, 256, 65_537, -1, at + 256, at + 288, 256)).toBe(0);
  });

  it('takes moduli of any number of bits from 2048 to 4096', () => {
    for (const tiny of TINY_PRIMES) {
      const key = keyOf([P2048, tiny], 65_539n);
      const signature = signPss(key, DIGEST);
      expect(takes(key, signature), `${bits(key.n)} bits`).toBe(true);
      expect(takes(key, signature, sha256(DIGEST))).toBe(false);
    }
    for (const group of ['modp15', 'modp16'] as const) {
      const key = keyOf([prime(group)], 3n);
      expect(takes(key, signPss(key, DIGEST))).toBe(true);
    }
  });

  it('refuses moduli of less than 2048 and more than 4096 bits', () => {
    const small = keyOf([prime('modp2')]);
    expect(takes(small, signPss(small, DIGEST))).toBe(false);
    // 2047 bits in 256 bytes
    const short = keyOf([(P2048 - 1n) / 2n]);
    expect(bits(short.n)).toBe(2047);
    expect(takes(short, signPss(short, DIGEST))).toBe(false);
    const long = keyOf([prime('modp16'), 257n], 65_539n);
    expect(takes(long, signPss(long, DIGEST))).toBe(false);
    if (file === 'crypto.test.wasm') return;
    const huge = keyOf([prime('modp18')], 3n);
    const at = module.arena;
    module.write(at, concat(modulusBytes(huge), DIGEST, new Uint8Array(1024)));
    expect(module.call('rsa_pss_verify', at, 1024, 3, 0, at + 1024, at + 1056, 1024)).toBe(0);
  });

  it('refuses a modulus with zeros before it', () => {
    const signature = signPss(KEY, DIGEST);
    expect(takes(KEY, signature)).toBe(true);
    const padded = concat(Uint8Array.of(0), modulusBytes(KEY));
    expect(verify(padded, KEY.e, DIGEST, concat(Uint8Array.of(0), signature))).toBe(false);
  });

  it('refuses an exponent of 1 [the encoded message signs itself]', () => {
    const encoded = bigEndian(encode(DIGEST, 2048), 256);
    expect(verify(modulusBytes(KEY), 1n, DIGEST, encoded)).toBe(false);
    expect(verify(modulusBytes(KEY), 0n, DIGEST, encoded)).toBe(false);
  });

  it('refuses an even exponent', () => {
    // A square root, modulo a prime that is 3 modulo 4, of the first encoded message that has one.
    for (let i = 0; ; i++) {
      const encoded = encode(DIGEST, 2048, { salt: Uint8Array.of(i) });
      const root = power(encoded, (KEY.n + 1n) / 4n, KEY.n);
      if ((root * root) % KEY.n !== encoded) continue;
      expect(verify(modulusBytes(KEY), 2n, DIGEST, bigEndian(root, 256))).toBe(false);
      const fourth = power(root, (KEY.n + 1n) / 4n, KEY.n);
      if ((fourth * fourth) % KEY.n !== root) continue;
      expect(verify(modulusBytes(KEY), 4n, DIGEST, bigEndian(fourth, 256))).toBe(false);
      break;
    }
  });

  it('takes odd exponents from 3 to 2^32 - 1', () => {
    for (const e of [3n, 5n, 17n, 257n, 65_537n, 0x7fffffffn, 0x80000001n, 0xffffffffn]) {
      const key = keyOf([P2048], e);
      expect(takes(key, signPss(key, DIGEST)), `e = ${e}`).toBe(true);
    }
  });

  it('refuses an even modulus', () => {
    const half = (P2048 - 1n) / 2n; // a prime
    const { d } = keyOf([half]);
    const n = 2n * half;
    const encoded = encode(DIGEST, 2048);
    const root = power(encoded, d, half);
    const signature = (root & 1n) === (encoded & 1n) ? root : root + half;
    expect(signature & 1n).toBe(encoded & 1n);
    expect(power(signature, 65_537n, half)).toBe(encoded % half);
    expect(verify(magnitude(n), 65_537n, DIGEST, bigEndian(signature, 256))).toBe(false);
  });

  it('refuses a signature that is not below the modulus', () => {
    // A modulus with the highest bit of its bytes clear, so that n more still fits.
    const key = keyOf([P2048, 2n ** 255n - 19n]);
    expect(bits(key.n) & 7).toBe(7);
    const signature = signPss(key, DIGEST);
    expect(takes(key, signature)).toBe(true);
    const more = (value: bigint) => bigEndian(value, signature.length);
    expect(takes(key, more(fromBigEndian(signature) + key.n))).toBe(false);
    expect(takes(key, more(key.n))).toBe(false);
    expect(takes(key, more(2n ** BigInt(8 * signature.length) - 1n))).toBe(false);
    expect(takes(key, more(0n))).toBe(false);
    expect(takes(key, more(1n))).toBe(false);
    expect(takes(key, more(key.n - 1n))).toBe(false);
  });

  it('refuses short, long and empty signatures', () => {
    const signature = signPss(KEY, DIGEST);
    expect(takes(KEY, concat(Uint8Array.of(0), signature))).toBe(false);
    expect(takes(KEY, concat(signature, Uint8Array.of(0)))).toBe(false);
    expect(takes(KEY, signature.subarray(1))).toBe(false);
    expect(takes(KEY, signature.subarray(0, -1))).toBe(false);
    expect(takes(KEY, new Uint8Array())).toBe(false);
  });

  it('refuses a short signature whose number is right', () => {
    const key = keyOf([P2048, 2053n], 65_539n); // the first byte holds four bits
    for (let i = 0; ; i++) {
      const signature = signPss(key, DIGEST, { salt: Uint8Array.of(i) });
      if (signature[0] !== 0) continue;
      expect(takes(key, signature)).toBe(true);
      expect(takes(key, signature.subarray(1))).toBe(false);
      break;
    }
  });

  describe('refuses an encoded message', () => {
    it.each<[string, () => Uint8Array]>([
      ['with another trailer', () => signPss(KEY, DIGEST, { trailer: 0xcc })],
      ['with a trailer of 0', () => signPss(KEY, DIGEST, { trailer: 0 })],
      ['with its top bit set', () => signPss(KEY, DIGEST, { top: 0x80 })],
      ['with padding that is not 0', () => signPss(KEY, DIGEST, { padding: spoilt(100, 0x10) })],
      ['with a first byte of padding that is not 0', () => signPss(KEY, DIGEST, { padding: spoilt(0, 1) })],
      ['with a 2 for the 1 before the salt', () => signPss(KEY, DIGEST, { padding: endingIn(2) })],
      ['with a 0 for the 1 before the salt', () => signPss(KEY, DIGEST, { padding: endingIn(0) })],
      [
        'with padding and salt all 0',
        () => signPss(KEY, DIGEST, { padding: endingIn(0), salt: new Uint8Array(32) }),
      ],
      ['with another mask', () => signPss(KEY, DIGEST, { seed: (h) => h.map((b) => b ^ 1) })],
      ['with another prefix of the hash', () => signPss(KEY, DIGEST, { prefix: new Uint8Array(8).fill(1) })],
      ['with seven zeros before the hash', () => signPss(KEY, DIGEST, { prefix: new Uint8Array(7) })],
      ['with another salt', () => signEncoded(KEY, encode(DIGEST, 2048, { salt: SALT }) ^ (1n << 300n))],
      ['of another digest', () => signPss(KEY, sha256(DIGEST))],
    ])('%s', (_, make) => {
      expect(takes(KEY, signPss(KEY, DIGEST, { salt: SALT }))).toBe(true);
      expect(takes(KEY, make())).toBe(false);
    });

    it('that is all 0 before an H that begins with the 1 that is looked for', () => {
      const salt = new Uint8Array(32);
      for (let i = 0; ; i++) {
        const prefix = bigEndian(BigInt(i), 8);
        if (sha256(prefix, DIGEST, salt)[0] !== 1) continue;
        expect(takes(KEY, signPss(KEY, DIGEST, { padding: endingIn(0), salt, prefix }))).toBe(false);
        break;
      }
    });

    it('with a first byte that is not 0 where it is whole padding', () => {
      const key = keyOf([P2048, 257n], 65_539n);
      expect(bits(key.n) & 7).toBe(1);
      const top = 2n ** BigInt(bits(key.n) - 1);
      for (let i = 0; ; i++) {
        const encoded = encode(DIGEST, bits(key.n), { salt: bigEndian(BigInt(i), 4) });
        if (encoded + top >= key.n) continue;
        expect(takes(key, signEncoded(key, encoded))).toBe(true);
        expect(takes(key, signEncoded(key, encoded + top))).toBe(false);
        break;
      }
    });

    it('of PKCS #1 v1.5', () => {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const n = new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).n ?? '', 'base64url'));
      const message = Buffer.from('a message');
      const pss = sign('sha256', message, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING });
      expect(verify(n, 65_537n, DIGEST, new Uint8Array(pss))).toBe(true);
      expect(verify(n, 65_537n, DIGEST, new Uint8Array(sign('sha256', message, privateKey)))).toBe(false);
      const sha1 = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING };
      expect(verify(n, 65_537n, DIGEST, new Uint8Array(sign('sha1', message, sha1)))).toBe(false);
      expect(verify(n, 65_537n, DIGEST, new Uint8Array(sign('sha512', message, sha1)))).toBe(false);
    });
  });

  it('says the same as OpenSSL of random and spoilt signatures', () => {
    const random = randomBytes(0x125a);
    const byte = () => random(1)[0] ?? 0;
    const keys = [KEY, keyOf([P2048], 3n), keyOf([prime('modp15')]), keyOf([P2048, 257n], 65_539n)];
    for (let i = 0; i < (file === 'crypto.wasm' ? 150 : 20); i++) {
      const key = keys[i % keys.length] ?? KEY;
      const message = random(byte());
      const signature = signPss(key, sha256(message), { salt: random(byte() % 100) });
      if (i % 3 === 0) signature[byte() % signature.length] = byte();
      const publicKey = createPublicKey({
        key: Buffer.from(spkiOf(key.n, key.e)),
        format: 'der',
        type: 'spki',
      });
      const options = { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING };
      expect(takes(key, signature, sha256(message)), `case ${i}`).toBe(
        nodeVerify('sha256', message, options, signature),
      );
    }
  }, 60_000);

  it('leaves what it is given as it is, and writes nothing into the memory of the caller', () => {
    const given = concat(modulusBytes(KEY), DIGEST, signPss(KEY, DIGEST));
    module.memory.fill(0x5a, module.arena, module.arena + 2048);
    module.write(module.arena, given);
    expect(
      module.call(
        'rsa_pss_verify',
        module.arena,
        256,
        65_537,
        0,
        module.arena + 256,
        module.arena + 288,
        256,
      ),
    ).toBe(1);
    expect(module.read(module.arena, given.length)).toEqual(given);
    expect(module.read(module.arena + given.length, 1024).every((b) => b === 0x5a)).toBe(true);
  });
});

/** Zeros and a 1, with one byte of them changed. */
function spoilt(at: number, by: number) {
  return (length: number) =>
    Uint8Array.from({ length }, (_, i) => (i === length - 1 ? 1 : i === at ? by : 0));
}

function endingIn(last: number) {
  return (length: number) => Uint8Array.from({ length }, (_, i) => (i === length - 1 ? last : 0));
}
