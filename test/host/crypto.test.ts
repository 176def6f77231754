// The crypto library as TypeScript calls it, in V8 and, where it is built, in wasm3.
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { describe, expect, it, test } from 'vitest';
import { type Crypto, createCrypto } from '../../host/node/crypto.ts';
import { HostError } from '../../host/node/errors.ts';
import { projectRoot } from '../../host/node/root.ts';
import { compare, DIFFERENTIAL } from '../crypto/differential.ts';
import { fromHex, randomBytes, toHex } from '../crypto/module.ts';
import { fields, vectors } from '../crypto/vectors.ts';

const WASM3 = existsSync(join(projectRoot(), 'build/wasm3/node/wasm3.node'));
const ENGINES = WASM3 ? (['v8', 'wasm3'] as const) : (['v8'] as const);

const codeOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error instanceof HostError ? error.code : error;
  }
  return undefined;
};

describe('against node:crypto, 2,000 random and edge-biased cases in V8', () => {
  const crypto = createCrypto({ engine: 'v8' });
  it.each(Object.entries(DIFFERENTIAL))('%s', (_, kind) => compare(crypto, kind, 2000, 1), 120_000);
});

describe.each(ENGINES)('the crypto library in %s', (engine) => {
  const crypto = createCrypto({ engine });
  const random = randomBytes(2);
  const [secretKey, message] = [random(32), random(100)];
  const publicKey = crypto.ed25519PublicKey(secretKey);
  const signature = crypto.ed25519Sign(secretKey, message);

  it('agrees with node:crypto', () => {
    for (const kind of Object.values(DIFFERENTIAL)) compare(crypto, kind, 30, 3);
  });

  it('agrees with @noble/curves', () => {
    for (let i = 0; i < 50; i++) {
      const [seed, peer, text] = [random(32), random(32), random(i)];
      expect(crypto.ed25519Sign(seed, text)).toEqual(ed25519.sign(text, seed));
      expect(crypto.x25519(seed, peer)).toEqual(x25519.getSharedSecret(seed, peer));
    }
  });

  it('seals and opens what RFC 8439 does', () => {
    for (const field of vectors<{ sealed: string[][] }>('rfc8439.json').sealed.map(fields)) {
      const [key, nonce, data, text] = [field(0), field(1), field(2), field(3)];
      expect(toHex(crypto.chacha20poly1305Seal(key, nonce, text, data))).toBe(toHex(field(4)));
      expect(toHex(crypto.chacha20poly1305Open(key, nonce, field(4), data))).toBe(toHex(text));
    }
  });

  it('takes messages larger than all of its memory', () => {
    const big = random(200_000);
    const signed = crypto.ed25519Sign(secretKey, big);
    expect(crypto.ed25519Verify(publicKey, big, signed)).toBe(true);
    expect(crypto.ed25519Verify(publicKey, big.with(199_999, 1 ^ (big[199_999] ?? 0)), signed)).toBe(false);
    const sealed = crypto.chacha20poly1305Seal(secretKey, random(12), big);
    expect(sealed).toHaveLength(200_016);
    expect(crypto.hkdfSha256(big, big, message, 64)).toHaveLength(64);
  });

  it('lets its functions be taken apart', () => {
    const { hkdfSha256, sha256 } = crypto;
    expect(toHex(sha256(new Uint8Array()))).toMatch(/^e3b0c442/);
    expect(hkdfSha256(message, message, message, 10)).toHaveLength(10);
  });

  it('gives results that later calls do not change', () => {
    const [first, copy] = [crypto.sha256(message), crypto.sha256(message).slice()];
    crypto.sha512(message);
    crypto.ed25519Sign(secretKey, message);
    expect(first).toEqual(copy);
  });

  const HOSTILE: readonly unknown[] = [
    undefined,
    null,
    0,
    'text',
    {},
    { length: 32 },
    Array.from({ length: 32 }, () => 1),
    new ArrayBuffer(32),
    new Uint16Array(32),
    new DataView(new ArrayBuffer(32)),
    new Proxy(new Uint8Array(32), {}),
  ];
  const LENGTHS = [0, 1, 31, 33, 63, 65, 70_000].map((length) => new Uint8Array(length).fill(1));
  type Loose = Record<keyof Crypto, (...values: readonly unknown[]) => unknown>;
  const loose = crypto as unknown as Loose;

  it('verifies nothing that is not a signature, whatever the arguments', () => {
    expect(crypto.ed25519Verify(publicKey, message, signature)).toBe(true);
    for (const bad of [...HOSTILE, ...LENGTHS]) {
      expect(loose.ed25519Verify(bad, message, signature)).toBe(false);
      expect(loose.ed25519Verify(publicKey, bad, signature)).toBe(false);
      expect(loose.ed25519Verify(publicKey, message, bad)).toBe(false);
    }
    for (const verifier of ['ed25519Verify', 'p256Verify', 'rsaPssVerify'] as const)
      expect(loose[verifier]()).toBe(false);
  });

  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 3072 });
  const spki = (key: KeyObject): Uint8Array => key.export({ format: 'der', type: 'spki' });
  const pss = { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const others = [
    ['p256Verify', spki(p256.publicKey), sign('sha256', message, p256.privateKey)],
    ['p256Verify', spki(p256.publicKey).subarray(-65), sign('sha256', message, p256.privateKey)],
    ['rsaPssVerify', spki(rsa.publicKey), sign('sha256', message, pss)],
  ] as const;

  it.each(others)('%s takes what is right and no hostile argument', (verifier, key, signed) => {
    expect(crypto[verifier](key, message, signed)).toBe(true);
    const big = [new Uint8Array(2048).fill(0x30), new Uint8Array(2049), new Uint8Array(70_000)];
    for (const bad of [...HOSTILE, ...LENGTHS, ...big]) {
      expect(loose[verifier](bad, message, signed)).toBe(false);
      expect(loose[verifier](key, bad, signed)).toBe(false);
      expect(loose[verifier](key, message, bad)).toBe(false);
    }
    for (let length = 0; length < key.length; length++)
      expect(crypto[verifier](key.subarray(0, length), message, signed)).toBe(false);
    for (let length = 0; length < signed.length; length++)
      expect(crypto[verifier](key, message, signed.subarray(0, length))).toBe(false);
    const wrongKind = verifier === 'p256Verify' ? spki(rsa.publicKey) : spki(p256.publicKey);
    expect(crypto[verifier](wrongKind, message, signed)).toBe(false);
  });

  const pem = (key: KeyObject): string => key.export({ format: 'pem', type: 'spki' }).toString();
  it.each([
    ['ed25519', 'ed25519', publicKey, signature],
    ['ed25519', 'ed25519', toHex(publicKey), signature],
    ['ecdsa', 'ecdsa-sha2-nistp256', pem(p256.publicKey), sign('sha256', message, p256.privateKey)],
    [
      'ecdsa-sha2-nistp256',
      'ecdsa-sha2-nistp256',
      spki(p256.publicKey),
      sign('sha256', message, p256.privateKey),
    ],
    ['rsa', 'rsassa-pss-sha256', pem(rsa.publicKey), sign('sha256', message, pss)],
  ])('verifies by the names %s and %s', (type, scheme, key, signed) => {
    expect(crypto.signatureVerify(type, scheme, key, message, signed)).toBe(true);
    expect(crypto.signatureVerify(type, scheme, key, message.subarray(1), signed)).toBe(false);
    expect(crypto.signatureVerify(type, scheme, key.slice(1), message, signed)).toBe(false);
    const big = random(40_000);
    expect(crypto.signatureVerify(type, scheme, key, big, signed)).toBe(false);
    for (const bad of [...HOSTILE, ...LENGTHS, 'x'.repeat(5000), '\u0130'.repeat(64)]) {
      expect(loose.signatureVerify(type, scheme, bad, message, signed)).toBe(false);
      expect(loose.signatureVerify(type, scheme, key, bad, signed)).toBe(false);
      expect(loose.signatureVerify(type, scheme, key, message, bad)).toBe(false);
    }
  });

  it('names a type and a scheme that it does not know', () => {
    const verify = (type: unknown, scheme: unknown) => () =>
      loose.signatureVerify(type, scheme, publicKey, message, signature);
    expect(codeOf(verify('ed448', 'ed25519'))).toBe('scheme-unknown');
    expect(codeOf(verify('ed25519', 'ed25519ph'))).toBe('scheme-unknown');
    expect(codeOf(verify('ed25519', `ed25519${'x'.repeat(100)}`))).toBe('scheme-unknown');
    for (const bad of HOSTILE.filter((value) => typeof value !== 'string')) {
      expect(codeOf(verify(bad, 'ed25519'))).toBe('argument-invalid');
      expect(codeOf(verify('ed25519', bad))).toBe('argument-invalid');
    }
  });

  it.each<[keyof Crypto, number, readonly unknown[]]>([
    ['sha256', 0, [message]],
    ['sha512', 0, [message]],
    ['ed25519Sign', 0, [secretKey, message]],
    ['ed25519Sign', 1, [secretKey, message]],
    ['ed25519PublicKey', 0, [secretKey]],
    ['ed25519SecretKey', 0, [secretKey]],
    ['x25519', 0, [secretKey, publicKey]],
    ['x25519', 1, [secretKey, publicKey]],
    ['x25519PublicKey', 0, [secretKey]],
    ['hkdfSha256', 0, [message, message, message, 32]],
    ['hkdfSha256', 1, [message, message, message, 32]],
    ['hkdfSha256', 2, [message, message, message, 32]],
    ['chacha20poly1305Seal', 0, [secretKey, message.subarray(0, 12), message]],
    ['chacha20poly1305Seal', 1, [secretKey, message.subarray(0, 12), message]],
    ['chacha20poly1305Seal', 2, [secretKey, message.subarray(0, 12), message]],
    ['chacha20poly1305Open', 0, [secretKey, message.subarray(0, 12), message]],
    ['chacha20poly1305Open', 1, [secretKey, message.subarray(0, 12), message]],
    ['chacha20poly1305Open', 2, [secretKey, message.subarray(0, 12), message]],
  ])('refuses a wrong type in %s, argument %i, and goes on', (name, index, good) => {
    for (const bad of HOSTILE)
      expect(codeOf(() => loose[name](...good.with(index, bad)))).toBe('argument-invalid');
    expect(crypto.ed25519Verify(publicKey, message, crypto.ed25519Sign(secretKey, message))).toBe(true);
  });

  it('refuses keys and nonces of a wrong length', () => {
    const nonce = random(12);
    for (const bad of LENGTHS) {
      for (const act of [
        () => crypto.ed25519Sign(bad, message),
        () => crypto.ed25519PublicKey(bad),
        () => crypto.x25519(bad, publicKey),
        () => crypto.x25519(secretKey, bad),
        () => crypto.x25519PublicKey(bad),
        () => crypto.chacha20poly1305Seal(bad, nonce, message),
        () => crypto.chacha20poly1305Seal(secretKey, bad, message),
        () => crypto.chacha20poly1305Open(bad, nonce, message),
        () => crypto.chacha20poly1305Open(secretKey, bad, message),
        () => crypto.ed25519SecretKey(bad), // short, long, or all the same
      ])
        expect(codeOf(act)).toBe('argument-invalid');
    }
  });

  it('derives 0 to 8160 bytes and no other number', () => {
    for (const bad of [-1, 8161, 1.5, Number.NaN, Infinity, 2 ** 32, '32', undefined])
      expect(codeOf(() => loose.hkdfSha256(message, message, message, bad))).toBe('argument-invalid');
    expect(codeOf(() => crypto.hkdfSha256(message, message, new Uint8Array(8193), 32))).toBe(
      'argument-invalid',
    );
    expect(crypto.hkdfSha256(message, message, new Uint8Array(8192), 8160)).toHaveLength(8160);
    expect(crypto.hkdfSha256(message, message, message, 0)).toHaveLength(0);
  });

  it.each(vectors<{ smallOrder: string[] }>('rfc7748.json').smallOrder)(
    'refuses the X25519 key %s',
    (point) => {
      expect(codeOf(() => crypto.x25519(secretKey, fromHex(point)))).toBe('argument-invalid');
    },
  );

  it('opens nothing that is not authentic', () => {
    const [nonce, data] = [random(12), random(20)];
    const sealed = crypto.chacha20poly1305Seal(secretKey, nonce, message, data);
    const changed = [
      ...Array.from(
        sealed,
        (byte, at) => () => crypto.chacha20poly1305Open(secretKey, nonce, sealed.with(at, byte ^ 128), data),
      ),
      () => crypto.chacha20poly1305Open(secretKey, nonce, sealed),
      () => crypto.chacha20poly1305Open(secretKey, nonce, sealed.subarray(1), data),
      () => crypto.chacha20poly1305Open(secretKey, nonce, sealed.subarray(0, 15), data),
      () => crypto.chacha20poly1305Open(secretKey, nonce, new Uint8Array(), data),
      () => crypto.chacha20poly1305Open(random(32), nonce, sealed, data),
      () => crypto.chacha20poly1305Open(secretKey, random(12), sealed, data),
    ];
    for (const act of changed) expect(codeOf(act)).toBe('not-authentic');
    expect(crypto.chacha20poly1305Open(secretKey, nonce, sealed, data)).toEqual(message);
  });

  it('makes secret keys from entropy', () => {
    const entropy = random(100);
    const made = crypto.ed25519SecretKey(entropy);
    expect(made).toHaveLength(32);
    expect(crypto.ed25519SecretKey(entropy)).toEqual(made);
    expect(crypto.ed25519SecretKey(entropy.subarray(1))).not.toEqual(made);
  });

  it('takes views into other memory, empty and shared ones too', () => {
    const whole = new Uint8Array(new SharedArrayBuffer(300));
    whole.set(message, 7);
    const view = whole.subarray(7, 107);
    expect(crypto.sha256(view)).toEqual(crypto.sha256(message));
    expect(crypto.ed25519Verify(publicKey, view, signature)).toBe(true);
    expect(crypto.ed25519Verify(Buffer.from(publicKey), Buffer.from(message), Buffer.from(signature))).toBe(
      true,
    );
    const gone = new Uint8Array(64);
    structuredClone(gone, { transfer: [gone.buffer] });
    expect(crypto.ed25519Verify(publicKey, message, gone)).toBe(false);
  });
});

test('an engine that does not exist is named', () => {
  expect(codeOf(() => createCrypto({ engine: 'other' as 'v8' }))).toBe('engine-missing');
});
