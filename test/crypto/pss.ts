// RSA-PSS with every byte of the encoded message in the hands of the test, over moduli whose factors everybody knows.
import { createDiffieHellman, createHash, getDiffieHellman } from 'node:crypto';
import {
  bigEndian,
  bitString,
  concat,
  derInteger,
  fromBigEndian,
  magnitude,
  NULL,
  objectId,
  sequence,
} from './der.ts';

/** Safe primes of RFC 2409 and 3526: 1024, 2048, 3072, 4096 and 8192 bits. */
export const prime = (group: 'modp2' | 'modp14' | 'modp15' | 'modp16' | 'modp18'): bigint =>
  fromBigEndian(getDiffieHellman(group).getPrime());

/** base^exponent modulo an odd modulus: OpenSSL's Diffie-Hellman, which is that and fast. */
export function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  const group = createDiffieHellman(Buffer.from(magnitude(modulus)));
  group.setPrivateKey(Buffer.from(magnitude(exponent)));
  return fromBigEndian(group.computeSecret(Buffer.from(magnitude(base % modulus))));
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (a > 1n) {
    if (b === 0n) throw new Error('no inverse');
    const q = b / a;
    [a, b, x, y] = [b - q * a, a, y - q * x, x];
  }
  return ((x % modulus) + modulus) % modulus;
}

export interface Key {
  readonly n: bigint;
  readonly e: bigint;
  readonly d: bigint;
}

/** A key whose modulus is the product of different primes. */
export function keyOf(primes: readonly bigint[], e = 65_537n): Key {
  const n = primes.reduce((product, p) => product * p, 1n);
  const phi = primes.reduce((product, p) => product * (p - 1n), 1n);
  return { n, e, d: inverse(e, phi) };
}

export const bits = (value: bigint) => value.toString(2).length;
export const sha256 = (...parts: readonly Uint8Array[]) =>
  new Uint8Array(
    createHash('sha256')
      .update(concat(...parts))
      .digest(),
  );

/** MGF1 with SHA-256. */
export function mask(seed: Uint8Array, length: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
    sha256(seed, bigEndian(BigInt(i), 4)),
  );
  return concat(...blocks).subarray(0, length);
}

/** Parts of an encoded message (RFC 8017, 9.1.1), to be spoiled one at a time. */
export interface Parts {
  salt?: Uint8Array;
  /** What stands before the salt, unmasked, of the length that there is. */
  padding?: (length: number) => Uint8Array;
  /** Eight zeros before digest and salt. */
  prefix?: Uint8Array;
  trailer?: number;
  /** Bits set in the first byte, after masking. */
  top?: number;
  /** What the masked part is xored with besides. */
  seed?: (h: Uint8Array) => Uint8Array;
}

const zerosAndOne = (length: number) => Uint8Array.from({ length }, (_, i) => (i === length - 1 ? 1 : 0));

/** The encoded message as an integer. */
export function encode(digest: Uint8Array, modulusBits: number, parts: Parts = {}): bigint {
  const { salt = new Uint8Array(32).fill(0x5a), padding = zerosAndOne, trailer = 0xbc, top = 0 } = parts;
  const emBits = modulusBits - 1;
  const length = (emBits + 7) >> 3;
  const h = sha256(parts.prefix ?? new Uint8Array(8), digest, salt);
  const db = concat(padding(length - 33 - salt.length), salt);
  const masked = mask(parts.seed?.(h) ?? h, db.length).map((byte, i) => byte ^ (db[i] ?? 0));
  masked[0] = ((masked[0] ?? 0) & (0xff >> (8 * length - emBits))) | top;
  return fromBigEndian(concat(masked, h, Uint8Array.of(trailer)));
}

/** Signs an encoded message, which must be below the modulus. */
export function signEncoded(key: Key, encoded: bigint): Uint8Array {
  if (encoded >= key.n) throw new Error('not below the modulus');
  return bigEndian(power(encoded, key.d, key.n), (bits(key.n) + 7) >> 3);
}

export const signPss = (key: Key, digest: Uint8Array, parts?: Parts) =>
  signEncoded(key, encode(digest, bits(key.n), parts));

export const RSA_ENCRYPTION = sequence(objectId('2a864886f70d010101'), NULL);

/** A SubjectPublicKeyInfo. */
export const spkiOf = (n: bigint, e: bigint, algorithm = RSA_ENCRYPTION) =>
  sequence(algorithm, bitString(sequence(derInteger(n), derInteger(e))));

export const modulusBytes = (key: Key) => magnitude(key.n);
