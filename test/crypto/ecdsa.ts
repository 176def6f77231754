// ECDSA on P-256 with all of its inputs in the hands of the test: from chosen factors of the base point and of the key a
// digest, r and s follow.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { bigEndian, concat, derInteger, sequence } from './der.ts';
import type { CryptoModule } from './module.ts';

export const Point = p256.Point;
export type Point = InstanceType<typeof Point>;
export const G = Point.BASE;
export const P = Point.Fp.ORDER;
export const N = Point.Fn.ORDER;

export const mod = (value: bigint, modulus = N) => ((value % modulus) + modulus) % modulus;
export const inverse = (value: bigint) => Point.Fn.inv(mod(value));
export const times = (point: Point, factor: bigint) => point.multiplyUnsafe(mod(factor));

export const signature = (r: bigint, s: bigint) => sequence(derInteger(r), derInteger(s));
export const encode = (x: bigint, y: bigint, form = 4) =>
  concat(Uint8Array.of(form), bigEndian(x, 32), bigEndian(y, 32));
export const keyOf = (point: Point) => encode(point.toAffine().x, point.toAffine().y);

export interface Case {
  readonly key: Uint8Array;
  readonly digest: Uint8Array;
  readonly r: bigint;
  readonly s: bigint;
}

/** The case that makes the verifier compute u1 G + u2 Q, r being that sum's x unless told otherwise. */
export function caseOf(
  u1: bigint,
  u2: bigint,
  q: Point,
  r = mod(times(G, u1).add(times(q, u2)).toAffine().x),
): Case {
  const s = mod(r * inverse(u2));
  return { key: keyOf(q), digest: bigEndian(mod(u1 * s), 32), r, s };
}

export function verifyBy(
  module: CryptoModule,
  key: Uint8Array,
  digest: Uint8Array,
  der: Uint8Array,
): boolean {
  const at = module.arena;
  module.write(at, concat(key, digest, der));
  return module.call('p256_verify', at, at + 65, at + 97, der.length) !== 0;
}

/** What OpenSSL says of a message instead of a digest. */
export const nodeKey = (key: Uint8Array): KeyObject =>
  createPublicKey({
    key: Buffer.concat([Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'), key]),
    format: 'der',
    type: 'spki',
  });
