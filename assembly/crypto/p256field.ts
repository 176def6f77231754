// The field of P-256, p = 2^256 - 2^224 + 2^192 + 2^96 - 1, in Montgomery form: an element x stands for x / 2^261.
//
// An element is nine limbs of 29 bits, stored as i32, the lowest first; the highest takes the sign. What is called
// reduced below has its other limbs within [0, 2^29). Values are not brought below p: they stay within 32 p in size
// (p256point.ts has the proof), so the highest limb is below 2^29 in size too.
//
// Proof of the product. A limb of a factor is at most U = 2^29 + 2^17 in size, or the sizes of the two multiply
// to 3 U^2 at most. A column is the sum of at most nine products, below 27.02 * 2^58 in size, of four shifted limbs of
// q, below 2^54, and of the carry, below 2^35: less than 2^63 = 32 * 2^58.
// p is -1 modulo 2^96, so column k is made divisible by 2^29 by adding q_k p, where q_k is its own lowest 29 bits:
// the lowest limb of q_k p takes q_k away, and 2^96, 2^192, 2^224 and 2^256 are limbs 3, 6, 7 and 8 with shifts of
// 9, 18, 21 and 24. The result is (a b + q p) / 2^261, 0 <= q < 2^261: above a b / 2^261 and at most p more.
import { bound_product, bound_size } from "./bounds";
import { P256_FACTORS, P256_RESULT } from "./memory";

/** Bytes of an element. */
export const FP: usize = 36;

const MASK: i64 = 0x1fffffff;

/** p, also as an integer. */
// @ts-ignore: decorator
@lazy export const P256_PRIME: usize = memory.data<u32>([
  0x1fffffff, 0x1fffffff, 0x1fffffff, 0x000001ff, 0x00000000, 0x00000000, 0x00040000, 0x1fe00000, 0x00ffffff,
]);

/** 1 */
// @ts-ignore: decorator
@lazy export const FP_ONE: usize = memory.data<u32>([
  0x00000020, 0x00000000, 0x00000000, 0x1fffc000, 0x1fffffff, 0x1fffffff, 0x1f7fffff, 0x03ffffff, 0x00000000,
]);

/** 2^261 */
// @ts-ignore: decorator
@lazy const RADIX = memory.data<u32>([
  0x00000c00, 0x00000000, 0x1fff0000, 0x1fdfffff, 0x1fbfffff, 0x1fffffff, 0x1fffffff, 0x1ffffffe, 0x00000013,
]);

/** The integer 1. */
// @ts-ignore: decorator
@lazy const UNIT = memory.data<u32>([1, 0, 0, 0, 0, 0, 0, 0, 0]);

/** out = a b, reduced. Operands and result may be the same element, here and below. */
export function fp_multiply(out: usize, a: usize, b: usize): void {
  // @ts-ignore: set for builds whose memory is not the matter (--use P256_FAST=1)
  if (isDefined(P256_FAST)) fp_multiply_fast(out, a, b);
  else multiply_small(out, a, b);
}

/** Column after column: a fifth of the code of the other, which takes half the time. */
function multiply_small(out: usize, a: usize, b: usize): void {
  bound_product(a, b);
  let sum: i64 = 0;
  let q = P256_FACTORS;
  memory.fill(q - 64, 0, 64);
  for (let column = 0; column < 17; column++) {
    for (let i = max(column - 8, 0); i <= min(column, 8); i++) {
      sum += <i64>load<i32>(a + (i << 2)) * <i64>load<i32>(b + ((column - i) << 2));
    }
    sum += (load<i64>(q - 24) << 9) + (load<i64>(q - 48) << 18) - (load<i64>(q - 56) << 21) + (load<i64>(q - 64) << 24);
    store<i64>(q, column < 9 ? sum & MASK : 0);
    store<i32>(P256_RESULT + (column << 2), <i32>(sum & MASK));
    sum >>= 29;
    q += 8;
  }
  store<i32>(P256_RESULT, <i32>sum, 68);
  memory.copy(out, P256_RESULT + 36, FP);
}

export function fp_multiply_fast(out: usize, a: usize, b: usize): void {
  bound_product(a, b);
  const a0: i64 = load<i32>(a);
  const a1: i64 = load<i32>(a, 4);
  const a2: i64 = load<i32>(a, 8);
  const a3: i64 = load<i32>(a, 12);
  const a4: i64 = load<i32>(a, 16);
  const a5: i64 = load<i32>(a, 20);
  const a6: i64 = load<i32>(a, 24);
  const a7: i64 = load<i32>(a, 28);
  const a8: i64 = load<i32>(a, 32);
  const b0: i64 = load<i32>(b);
  const b1: i64 = load<i32>(b, 4);
  const b2: i64 = load<i32>(b, 8);
  const b3: i64 = load<i32>(b, 12);
  const b4: i64 = load<i32>(b, 16);
  const b5: i64 = load<i32>(b, 20);
  const b6: i64 = load<i32>(b, 24);
  const b7: i64 = load<i32>(b, 28);
  const b8: i64 = load<i32>(b, 32);
  let sum: i64 = a0 * b0;
  const q0 = sum & MASK;
  sum = (sum >> 29) + a0 * b1 + a1 * b0;
  const q1 = sum & MASK;
  sum = (sum >> 29) + a0 * b2 + a1 * b1 + a2 * b0;
  const q2 = sum & MASK;
  sum = (sum >> 29) + a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + (q0 << 9);
  const q3 = sum & MASK;
  sum = (sum >> 29) + a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + (q1 << 9);
  const q4 = sum & MASK;
  sum = (sum >> 29) + a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + (q2 << 9);
  const q5 = sum & MASK;
  sum = (sum >> 29) + a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 + ((((q0) << 9) + q3) << 9);
  const q6 = sum & MASK;
  sum = (sum >> 29) + a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0 + ((((q1 - (q0 << 3)) << 9) + q4) << 9);
  const q7 = sum & MASK;
  sum = (sum >> 29) + a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0 + (((((((q0 << 3) - q1) << 3) + q2) << 9) + q5) << 9);
  const q8 = sum & MASK;
  sum = (sum >> 29) + a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1 + (((((((q1 << 3) - q2) << 3) + q3) << 9) + q6) << 9);
  store<i32>(out, sum & MASK);
  sum = (sum >> 29) + a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2 + (((((((q2 << 3) - q3) << 3) + q4) << 9) + q7) << 9);
  store<i32>(out, sum & MASK, 4);
  sum = (sum >> 29) + a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 + (((((((q3 << 3) - q4) << 3) + q5) << 9) + q8) << 9);
  store<i32>(out, sum & MASK, 8);
  sum = (sum >> 29) + a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + (((((q4 << 3) - q5) << 3) + q6) << 18);
  store<i32>(out, sum & MASK, 12);
  sum = (sum >> 29) + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + (((((q5 << 3) - q6) << 3) + q7) << 18);
  store<i32>(out, sum & MASK, 16);
  sum = (sum >> 29) + a6 * b8 + a7 * b7 + a8 * b6 + (((((q6 << 3) - q7) << 3) + q8) << 18);
  store<i32>(out, sum & MASK, 20);
  sum = (sum >> 29) + a7 * b8 + a8 * b7 + (((q7 << 3) - q8) << 21);
  store<i32>(out, sum & MASK, 24);
  sum = (sum >> 29) + a8 * b8 + (q8 << 24);
  store<i32>(out, sum & MASK, 28);
  store<i32>(out, sum >> 29, 32);
}

/** out = a^2 + k c, reduced; k is at most 3 in size. `out` is not `c`. */
export function fp_square(out: usize, a: usize, c: usize, k: i32): void {
  // @ts-ignore: set for builds whose memory is not the matter (--use P256_FAST=1)
  if (isDefined(P256_FAST)) return fp_square_fast(out, a, c, k);
  fp_multiply(out, a, a);
  if (k != 0) fp_combine(out, out, 1, c, k);
}

export function fp_square_fast(out: usize, a: usize, c: usize, k: i32): void {
  bound_product(a, a);
  const factor: i64 = k;
  const a0: i64 = load<i32>(a);
  const a1: i64 = load<i32>(a, 4);
  const a2: i64 = load<i32>(a, 8);
  const a3: i64 = load<i32>(a, 12);
  const a4: i64 = load<i32>(a, 16);
  const a5: i64 = load<i32>(a, 20);
  const a6: i64 = load<i32>(a, 24);
  const a7: i64 = load<i32>(a, 28);
  const a8: i64 = load<i32>(a, 32);
  const d0 = a0 << 1;
  const d1 = a1 << 1;
  const d2 = a2 << 1;
  const d3 = a3 << 1;
  const d4 = a4 << 1;
  const d5 = a5 << 1;
  const d6 = a6 << 1;
  const d7 = a7 << 1;
  let sum: i64 = a0 * a0;
  const q0 = sum & MASK;
  sum = (sum >> 29) + d0 * a1;
  const q1 = sum & MASK;
  sum = (sum >> 29) + d0 * a2 + a1 * a1;
  const q2 = sum & MASK;
  sum = (sum >> 29) + d0 * a3 + d1 * a2 + (q0 << 9);
  const q3 = sum & MASK;
  sum = (sum >> 29) + d0 * a4 + d1 * a3 + a2 * a2 + (q1 << 9);
  const q4 = sum & MASK;
  sum = (sum >> 29) + d0 * a5 + d1 * a4 + d2 * a3 + (q2 << 9);
  const q5 = sum & MASK;
  sum = (sum >> 29) + d0 * a6 + d1 * a5 + d2 * a4 + a3 * a3 + ((((q0) << 9) + q3) << 9);
  const q6 = sum & MASK;
  sum = (sum >> 29) + d0 * a7 + d1 * a6 + d2 * a5 + d3 * a4 + ((((q1 - (q0 << 3)) << 9) + q4) << 9);
  const q7 = sum & MASK;
  sum = (sum >> 29) + d0 * a8 + d1 * a7 + d2 * a6 + d3 * a5 + a4 * a4 + (((((((q0 << 3) - q1) << 3) + q2) << 9) + q5) << 9);
  const q8 = sum & MASK;
  sum = (sum >> 29) + d1 * a8 + d2 * a7 + d3 * a6 + d4 * a5 + (((((((q1 << 3) - q2) << 3) + q3) << 9) + q6) << 9) + factor * load<i32>(c);
  store<i32>(out, sum & MASK);
  sum = (sum >> 29) + d2 * a8 + d3 * a7 + d4 * a6 + a5 * a5 + (((((((q2 << 3) - q3) << 3) + q4) << 9) + q7) << 9) + factor * load<i32>(c, 4);
  store<i32>(out, sum & MASK, 4);
  sum = (sum >> 29) + d3 * a8 + d4 * a7 + d5 * a6 + (((((((q3 << 3) - q4) << 3) + q5) << 9) + q8) << 9) + factor * load<i32>(c, 8);
  store<i32>(out, sum & MASK, 8);
  sum = (sum >> 29) + d4 * a8 + d5 * a7 + a6 * a6 + (((((q4 << 3) - q5) << 3) + q6) << 18) + factor * load<i32>(c, 12);
  store<i32>(out, sum & MASK, 12);
  sum = (sum >> 29) + d5 * a8 + d6 * a7 + (((((q5 << 3) - q6) << 3) + q7) << 18) + factor * load<i32>(c, 16);
  store<i32>(out, sum & MASK, 16);
  sum = (sum >> 29) + d6 * a8 + a7 * a7 + (((((q6 << 3) - q7) << 3) + q8) << 18) + factor * load<i32>(c, 20);
  store<i32>(out, sum & MASK, 20);
  sum = (sum >> 29) + d7 * a8 + (((q7 << 3) - q8) << 21) + factor * load<i32>(c, 24);
  store<i32>(out, sum & MASK, 24);
  sum = (sum >> 29) + a8 * a8 + (q8 << 24) + factor * load<i32>(c, 28);
  store<i32>(out, sum & MASK, 28);
  store<i32>(out, (sum >> 29) + factor * load<i32>(c, 32), 32);
}

/** out = j a + k b, reduced; j and k are at most 6 in size. */
export function fp_combine(out: usize, a: usize, j: i32, b: usize, k: i32): void {
  // @ts-ignore: set for builds whose memory is not the matter (--use P256_FAST=1)
  if (isDefined(P256_FAST)) return fp_combine_fast(out, a, j, b, k);
  let sum: i64 = 0;
  for (let at: usize = 0; at < FP; at += 4) {
    sum += <i64>j * load<i32>(a + at) + <i64>k * load<i32>(b + at);
    store<i32>(out + at, <i32>(at < 32 ? sum & MASK : sum));
    sum >>= 29;
  }
}

export function fp_combine_fast(out: usize, a: usize, j: i32, b: usize, k: i32): void {
  const left: i64 = j;
  const right: i64 = k;
  let sum: i64 = left * load<i32>(a) + right * load<i32>(b);
  store<i32>(out, sum & MASK);
  sum = (sum >> 29) + left * load<i32>(a, 4) + right * load<i32>(b, 4);
  store<i32>(out, sum & MASK, 4);
  sum = (sum >> 29) + left * load<i32>(a, 8) + right * load<i32>(b, 8);
  store<i32>(out, sum & MASK, 8);
  sum = (sum >> 29) + left * load<i32>(a, 12) + right * load<i32>(b, 12);
  store<i32>(out, sum & MASK, 12);
  sum = (sum >> 29) + left * load<i32>(a, 16) + right * load<i32>(b, 16);
  store<i32>(out, sum & MASK, 16);
  sum = (sum >> 29) + left * load<i32>(a, 20) + right * load<i32>(b, 20);
  store<i32>(out, sum & MASK, 20);
  sum = (sum >> 29) + left * load<i32>(a, 24) + right * load<i32>(b, 24);
  store<i32>(out, sum & MASK, 24);
  sum = (sum >> 29) + left * load<i32>(a, 28) + right * load<i32>(b, 28);
  store<i32>(out, sum & MASK, 28);
  sum = (sum >> 29) + left * load<i32>(a, 32) + right * load<i32>(b, 32);
  store<i32>(out, sum, 32);
}

/** out = an integer of nine limbs. */
export function fp_load(out: usize, integer: usize): void {
  fp_multiply(out, integer, RADIX);
}

/** Writes a as an integer in [0, p]: p stands for 0. The product with 1 has no value outside. */
export function fp_store(integer: usize, a: usize): void {
  fp_multiply(integer, a, UNIT);
}

/** Whether a is 0 modulo p. Overwrites it. */
export function fp_is_zero(a: usize): bool {
  fp_store(a, a);
  let bits: u32 = 0;
  let difference: u32 = 0;
  for (let at: usize = 0; at < FP; at += 4) {
    const limb = load<u32>(a + at);
    bits |= limb;
    difference |= limb ^ load<u32>(P256_PRIME + at);
  }
  return !bits || !difference;
}
