// Ed25519 as this project means it, written once more with @noble/curves points and BigInt: S < L,
// canonical A and R of an order above 8, and [S] B = R + [h] A without a cofactor.
import { createHash } from 'node:crypto';
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import { fromHex, toBytes, toNumber } from './module.ts';

export const Point = ed25519.Point;
export type Point = InstanceType<typeof Point>;
export const P = 2n ** 255n - 19n;
export const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The eight points whose order divides 8. */
export const SMALL_ORDER = ED25519_TORSION_SUBGROUP.map((hex) => Point.fromHex(hex));

export const concat = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

/** [k] p for every k and every point of the curve, of small and mixed order too. */
export function times(p: Point, k: bigint): Point {
  const scalar = ((k % (8n * L)) + 8n * L) % (8n * L);
  return p
    .multiplyUnsafe(scalar >> 3n)
    .multiplyUnsafe(8n)
    .add(p.multiplyUnsafe(scalar & 7n));
}

export function challenge(r: Uint8Array, a: Uint8Array, message: Uint8Array): bigint {
  return (
    toNumber(
      createHash('sha512')
        .update(concat(r, a, message))
        .digest(),
    ) % L
  );
}

/** Encodings of one point that are not canonical: y + p, and for x = 0 the other sign. */
export function nonCanonical(p: Point): Uint8Array[] {
  const { x, y } = p.toAffine();
  const high = x & 1n ? 1n << 255n : 0n;
  const encodings: Uint8Array[] = [];
  if (y + P < 2n ** 255n) encodings.push(toBytes((y + P) | high, 32));
  if (x === 0n) encodings.push(toBytes(y | (1n << 255n), 32));
  if (x === 0n && y + P < 2n ** 255n) encodings.push(toBytes((y + P) | (1n << 255n), 32));
  return encodings;
}

function decode(bytes: Uint8Array): Point | undefined {
  try {
    const p = Point.fromBytes(bytes);
    return p.isSmallOrder() ? undefined : p;
  } catch {
    return undefined;
  }
}

export function strictVerify(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
  const a = decode(publicKey);
  const r = decode(signature.subarray(0, 32));
  const s = toNumber(signature.subarray(32));
  if (!a || !r || s >= L) return false;
  const h = challenge(signature.subarray(0, 32), publicKey, message);
  return times(Point.BASE, s).equals(r.add(times(a, h)));
}

export interface Forgery {
  publicKey: Uint8Array;
  signature: Uint8Array;
  message: Uint8Array;
}

/**
 * A signature by the secret scalar `a` with the nonce `r`, the points A and R each moved by a point of
 * small order, and each encoded as told. `message` comes from `messages` when `wanted` likes its challenge.
 */
export function forge(options: {
  a: bigint;
  r: bigint;
  moveA?: Point;
  moveR?: Point;
  encodeA?: (p: Point) => Uint8Array;
  encodeR?: (p: Point) => Uint8Array;
  wanted?: (h: bigint) => boolean;
}): Forgery {
  const { a, r, moveA = Point.ZERO, moveR = Point.ZERO, wanted = () => true } = options;
  const encode = (p: Point) => p.toBytes();
  const publicKey = (options.encodeA ?? encode)(times(Point.BASE, a).add(moveA));
  const encodedR = (options.encodeR ?? encode)(times(Point.BASE, r).add(moveR));
  for (let n = 0; n < 10_000; n++) {
    const message = fromHex(n.toString(16).padStart(8, '0'));
    const h = challenge(encodedR, publicKey, message);
    if (!wanted(h)) continue;
    const signature = concat(encodedR, toBytes((r + h * a) % L, 32));
    return { publicKey, signature, message };
  }
  throw new Error('no message has the wanted challenge');
}
