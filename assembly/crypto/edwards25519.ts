// Points of the twisted Edwards curve -x^2 + y^2 = 1 + d x^2 y^2 over 2^255 - 19.
//
// A point is five field elements X, Y, Z, E, H with x = X / Z, y = Y / Z. The coordinate T = X Y / Z of
// the formulas is left as the product E H and multiplied out only where an addition wants it, so that a
// doubling which another doubling follows never pays for it.
//
// A multiple, what is added to a point, is Y + X, Y - X, 2 d T and 2 Z; an affine one, with Z = 1, is half
// of that, (y + x) / 2, (y - x) / 2 and d x y, and needs no Z. Formulas: Hisil, Wong, Carter, Dawson, "Twisted
// Edwards Curves Revisited", with a = -1. What is not reduced has its size, in units of U, noted beside it.
import {
  FIELD, field_add, field_add_reduced, field_freeze, field_invert, field_is_zero, field_load, field_multiply, field_parity,
  field_power_p58, field_square, field_store, field_subtract,
} from "./field25519";
import { POINT_SCRATCH } from "./memory";

/** Bytes of a point. */
export const POINT: usize = 5 * FIELD;
/** Bytes of a multiple. */
export const MULTIPLE: usize = 4 * FIELD;
/** Bytes of an affine multiple. */
export const AFFINE_MULTIPLE: usize = 3 * FIELD;

const Y: usize = FIELD;
const Z: usize = 2 * FIELD;
const E: usize = 3 * FIELD;
const H: usize = 4 * FIELD;

const A: usize = POINT_SCRATCH;
const B: usize = POINT_SCRATCH + FIELD;
const C: usize = POINT_SCRATCH + 2 * FIELD;
const D: usize = POINT_SCRATCH + 3 * FIELD;
/** Two elements, for `field_power_p58` and `field_invert`. */
const POWER: usize = POINT_SCRATCH + 4 * FIELD;

const ONE = memory.data<u32>([1, 0, 0, 0, 0, 0, 0, 0, 0]);
const CURVE_D = memory.data<u32>([
  0x135978a3, 0x0f5a6e50, 0x10762add, 0x00149a82, 0x1e898007, 0x003cbbbc, 0x19ce331d, 0x1dc56dff, 0x0052036c,
]);
const CURVE_2D = memory.data<u32>([
  0x06b2f159, 0x1eb4dca1, 0x00ec55ba, 0x00293505, 0x1d13000e, 0x00797779, 0x139c663a, 0x1b8adbff, 0x002406d9,
]);
const ROOT_OF_MINUS_1 = memory.data<u32>([
  0x0a0ea0b0, 0x0770d93a, 0x0bf91e31, 0x06300d5a, 0x1d7a72f4, 0x004c9efd, 0x1c2cad34, 0x1009f83b, 0x002b8324,
]);

/** The neutral element (0, 1). */
export function point_neutral(p: usize): void {
  memory.fill(p, 0, POINT);
  store<u32>(p, 1, Y);
  store<u32>(p, 1, Z);
  store<u32>(p, 1, H);
}

/** Whether p is the neutral element. Freezes what it looks at. */
export function point_is_neutral(p: usize): bool {
  field_subtract(A, p + Y, p + Z);
  return field_is_zero(p) && field_is_zero(A);
}

/** p = 2 p. */
export function point_double(p: usize): void {
  const e = p + E;
  const h = p + H;
  field_subtract(D, p, p + Y); // 1
  field_square(A, p, 1);
  field_square(B, p + Y, 1);
  field_square(C, p + Z, 1);
  field_square(D, D, 1);
  field_add_reduced(h, A, B);
  field_subtract(e, h, D); // 2 X Y: 1
  field_subtract(B, B, A); // G: 1
  field_add(C, C, C);
  field_subtract(C, C, B); // -F: 3
  field_multiply(p, e, C);
  field_multiply(p + Y, B, h);
  field_multiply(p + Z, C, B);
}

/** p = p + m, or p - m; `affine` says which kind of multiple m is. */
export function point_add(p: usize, m: usize, affine: bool, negative: bool): void {
  const e = p + E;
  const h = p + H;
  const y = p + Y;
  const z = p + Z;
  const swap = negative ? FIELD : 0;
  let d = z;
  field_subtract(A, y, p); // 1
  field_add(B, y, p); // 2
  field_multiply(A, A, m + FIELD - swap);
  field_multiply(B, B, m + swap);
  field_multiply(C, e, h);
  field_multiply(C, C, m + 2 * FIELD);
  if (!affine) {
    d = D;
    field_multiply(d, z, m + 3 * FIELD);
  }
  field_subtract(e, B, A); // 1
  field_add(h, B, A); // 2
  field_subtract(A, d, C); // 1
  field_add_reduced(D, d, C);
  field_multiply(p, e, negative ? D : A);
  field_multiply(y, negative ? A : D, h);
  field_multiply(z, A, D);
}

/** Writes p as a multiple. */
export function point_multiple(m: usize, p: usize): void {
  field_add_reduced(m, p + Y, p);
  field_subtract(m + FIELD, p + Y, p);
  field_multiply(A, p + E, p + H);
  field_multiply(m + 2 * FIELD, A, CURVE_2D);
  field_add(m + 3 * FIELD, p + Z, p + Z);
}

/**
 * Decodes 32 bytes (RFC 8032, 5.1.3). False if no point of the curve has this y. The caller has checked
 * that y is canonical and that x is not 0.
 */
export function point_load(p: usize, bytes: usize): bool {
  const x = p;
  const y = p + Y;
  const u = p + E;
  const v = p + H;
  field_load(y, bytes);
  field_square(A, y, 1);
  field_subtract(u, A, ONE);
  field_multiply(v, A, CURVE_D);
  field_add_reduced(v, v, ONE);
  // x = (u / v)^((p + 3) / 8) = u v^3 (u v^7)^((p - 5) / 8)
  field_square(A, v, 1);
  field_multiply(A, A, v);
  field_multiply(B, A, u);
  field_square(A, A, 1);
  field_multiply(A, A, v);
  field_multiply(A, A, u);
  field_power_p58(C, A, POWER);
  field_multiply(x, B, C);
  // v x^2 is u, or -u and x is off by a root of -1, or there is no root.
  field_square(A, x, 1);
  field_multiply(A, A, v);
  field_subtract(B, A, u);
  field_add(C, A, u);
  if (!field_is_zero(B)) {
    if (!field_is_zero(C)) return false;
    field_multiply(x, x, ROOT_OF_MINUS_1);
  }
  if (field_parity(x) != <u32>(load<u8>(bytes, 31) >> 7)) {
    memory.fill(A, 0, FIELD);
    field_subtract(x, A, x);
    field_freeze(x); // what enters a formula is reduced
  }
  memory.copy(p + Z, ONE, FIELD);
  memory.copy(p + E, x, FIELD);
  memory.copy(p + H, y, FIELD);
  return true;
}

/** Encodes p in 32 bytes (RFC 8032, 5.1.2). No branch on it. */
export function point_store(bytes: usize, p: usize): void {
  field_invert(C, p + Z, POWER);
  field_multiply(A, p, C);
  field_multiply(B, p + Y, C);
  field_store(bytes, B);
  store<u8>(bytes, load<u8>(bytes, 31) | (field_parity(A) << 7), 31);
}

/** Writes p as an affine multiple. */
export function point_affine_multiple(m: usize, p: usize): void {
  field_add_reduced(D, p + Z, p + Z);
  field_invert(C, D, POWER);
  field_multiply(A, p, C); // x / 2
  field_multiply(B, p + Y, C); // y / 2
  field_add_reduced(m, B, A);
  field_subtract(m + FIELD, B, A);
  field_multiply(A, A, B);
  field_multiply(A, A, CURVE_2D);
  field_add_reduced(m + 2 * FIELD, A, A);
}
