// Points of P-256, y^2 = x^3 - 3 x + b, in Jacobian coordinates: x = X / Z^2, y = Y / Z^3. What is stored for Y is 2 Y,
// which spares doublings all halving and doubling. Z = 0 is the neutral point.
//
// Formulas: of a doubling the usual one for a = -3; of a sum that of Meloni, "New point addition formulae for ECC
// applications", for points with the same Z, each scaled for 2 Y. Every factor is reduced or the difference of two that
// are reduced.
//
// Values: with every product a b / 2^261 plus 0 to p, the intervals of the coordinates after any row of doublings with
// at most two sums between them, in units of p, are X (-2.3, 1.8), 2 Y (-3.2, 3.5), Z (-0.2, 1.3), and the largest
// value in between is 8.5. A test follows them to their fixed point.
import { field_add, field_subtract } from "./field25519"; // limb by limb, the same in both fields
import { integer_inverse } from "./integer";
import { P256_SCRATCH } from "./memory";
import { FP, FP_ONE, fp_combine, fp_is_zero, fp_load, fp_multiply, fp_square, fp_store, P256_PRIME } from "./p256field";

/** Bytes of a point. */
export const P256_POINT: usize = 3 * FP;
/** Bytes of an affine point, x and 2 y. */
export const P256_AFFINE: usize = 2 * FP;

const Y: usize = FP;
const Z: usize = 2 * FP;

const A: usize = P256_SCRATCH;
const B: usize = P256_SCRATCH + FP;
const C: usize = P256_SCRATCH + 2 * FP;
const D: usize = P256_SCRATCH + 3 * FP;
const E: usize = P256_SCRATCH + 4 * FP;

// @ts-ignore: decorator
@lazy const CURVE_B = memory.data<u32>([
  0x1897bbfb, 0x1cdf6229, 0x018486c4, 0x01732821, 0x1dad59e0, 0x0abf7212, 0x1a06d110, 0x17721d20, 0x008600c3,
]);

/** p = the neutral point, with X = 1 and 2 Y = 2; a doubling changes the sign of Y and no more. */
export function p256_neutral(p: usize): void {
  p256_from_affine(p, FP_ONE, FP_ONE, 2);
  memory.fill(p + Z, 0, FP);
}

/** p = the point (x, y) of two integers below the prime. False if that is not on the curve. */
export function p256_from_integers(p: usize, x: usize, y: usize): bool {
  fp_load(B, x);
  fp_load(C, y);
  p256_from_affine(p, B, C, 2);
  fp_square(A, B, FP_ONE, -3);
  fp_multiply(A, A, B);
  fp_square(B, C, A, -1);
  fp_combine(B, B, 1, CURVE_B, -1);
  return fp_is_zero(B);
}

/** p = (x, k y / 2). */
function p256_from_affine(p: usize, x: usize, y: usize, k: i32): void {
  memory.copy(p, x, FP);
  fp_combine(p + Y, y, k, y, 0);
  memory.copy(p + Z, FP_ONE, FP);
}

/**
 * p = -2 p, negative so that a square ends the formula. Leaves in B and C what `p256_begin_multiples` takes: with the
 * new Z the old p was (C, B^2).
 */
export function p256_double_negate(p: usize): void {
  const y = p + Y;
  const z = p + Z;
  fp_square(A, z, p, -1);
  fp_combine(B, A, 3, p, 6);
  fp_multiply(A, A, B); // 3 (Z^2 - X) (Z^2 + X)
  fp_square(B, y, y, 0);
  fp_multiply(C, p, B);
  fp_multiply(z, y, z);
  fp_square(p, A, C, -2);
  field_subtract(D, C, p);
  fp_multiply(A, A, D);
  fp_square(y, B, A, 2);
}

/** p = p + m, or p - m, for an affine m; also where p or the sum is neutral, or p is m. */
export function p256_add(p: usize, m: usize, negative: bool): void {
  const z = p + Z;
  const sign: i32 = negative ? -1 : 1;
  fp_square(A, z, z, 0);
  fp_multiply(B, m, A);
  fp_multiply(C, z, A);
  fp_multiply(C, m + Y, C);
  if (!add_same_z(p, sign)) add_exceptional(p, m, sign);
}

/**
 * p = p + (B, sign C), with B and C relative to the Z of p; leaves in A what the new Z is to the old one, and in D
 * and B / 2 the old p with the new Z. False, and p is as before, if the new Z would be 0.
 */
function add_same_z(p: usize, sign: i32): bool {
  const y = p + Y;
  const z = p + Z;
  fp_combine(A, B, 2, p, -2);
  fp_multiply(D, z, A);
  // Within (-0.2 p, 1.3 p) only 0 and p are neutral; the lowest limb tells all but one in 2^28 from them.
  if (((load<u32>(D) + 1) & 0x1fffffff) < 2) {
    memory.copy(E, D, FP);
    if (fp_is_zero(E)) return false;
  }
  memory.copy(z, D, FP);
  fp_combine(C, C, sign, y, -1);
  fp_square(D, A, A, 0);
  fp_multiply(B, B, D);
  fp_multiply(D, p, D);
  field_add(E, B, D);
  field_subtract(B, B, D);
  fp_square(p, C, E, -1);
  field_subtract(E, D, p);
  fp_multiply(E, C, E);
  fp_multiply(B, B, y);
  fp_combine(y, E, 2, B, -2);
  return true;
}

/**
 * The sums that the formula does not have. Either A is 0: both points have the same x, and they are the same if C is what
 * Y is, else opposite. Or p is neutral.
 */
function add_exceptional(p: usize, m: usize, sign: i32): void {
  if (!fp_is_zero(A)) {
    p256_from_affine(p, m, m + Y, sign);
    return;
  }
  fp_combine(C, C, sign, p + Y, -1);
  if (fp_is_zero(C)) {
    p256_double_negate(p);
    fp_combine(p + Y, p + Y, -1, C, 0);
  } else {
    p256_neutral(p);
  }
}

/**
 * Tabulates `count` odd multiples of p, 1 and up, as affine points. p has Z = 1 and is lost. `ratios` holds as many field
 * elements: each point's Z beside that of the one before, so that one inverse gives all.
 */
export function p256_multiples(table: usize, ratios: usize, p: usize, count: usize): void {
  const last = table + (count - 1) * P256_AFFINE;
  const y = p + Y;
  p256_double_negate(p);
  memory.copy(table, C, FP);
  fp_square(table + Y, B, B, 0);
  fp_combine(y, y, -1, y, 0);
  let m = table;
  while (m < last) {
    memory.copy(B, m, FP);
    memory.copy(C, m + Y, FP);
    add_same_z(p, 1);
    m += P256_AFFINE;
    memory.copy(m, p, P256_AFFINE);
    memory.copy(ratios, A, FP);
    ratios += FP;
    memory.copy(p, D, FP);
    field_add(y, B, B);
  }
  fp_store(E, p + Z);
  integer_inverse(E, E, P256_PRIME);
  fp_load(E, E);
  for (;; m -= P256_AFFINE) {
    fp_square(A, E, E, 0);
    fp_multiply(m, m, A);
    fp_multiply(A, A, E);
    fp_multiply(m + Y, m + Y, A);
    if (m == table) return;
    ratios -= FP;
    fp_multiply(E, E, ratios);
  }
}
