// The field of 2^255 - 19.
//
// An element is nine signed limbs of 29 bits, stored as i32, the lowest first: the value is the sum of
// limb[i] * 2^(29 i), so a carry out of the last limb has the weight 2^261, which is 64 * 19 = 1216 (FOLD).
// Limbs are reduced lazily. Sizes are counted in units of U = 2^29 + 2^17:
//
//   products, squares, `field_add_reduced`   give elements of size 1
//   `field_add`, `field_subtract`            give the sum of the sizes (1 for a - b of limbs that are not negative)
//   `field_multiply`                         takes sizes whose product is at most 3
//   `field_square`                           takes a size of at most 1.7
//   everything else                          takes sizes that add up to at most 3
//
// Proof of the multiplication. A column is the sum of at most nine products of two limbs. With factors of
// sizes x U and y U, x y <= 3, it is below 9 * 3 * U^2 < 27 * 2^58 * 1.0005 < 27.02 * 2^58. A column also
// takes in the carry of the column below, less than 2^35, and 1216 times a value below 2^35, less than
// 2^46. The total is below 27.1 * 2^58 < 2^63 = 32 * 2^58. The last carry is below 2^34 in size, and
// 1216 * 2^34 < 2^45 goes into limb 0, whose own carry, below 2^16, goes into limb 1: limb 1 lies in
// (-2^16, 2^29 + 2^16), every other limb in [0, 2^29).
// The test build asserts these bounds wherever an element is read or written.
import { bound_product, bound_size, bound_sum } from "./bounds";

/** Bytes of an element. */
export const FIELD: usize = 36;

const MASK: i64 = 0x1fffffff;
const FOLD: i64 = 1216;

/** out = a b. Operands and result may be the same element, here and below. */
export function field_multiply(out: usize, a: usize, b: usize): void {
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
  let high: i64 = a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1;
  let low: i64 = a0 * b0 + (high & MASK) * FOLD;
  let r0 = low & MASK;
  high = a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2 + (high >> 29);
  low = a0 * b1 + a1 * b0 + (high & MASK) * FOLD + (low >> 29);
  let r1 = low & MASK;
  high = a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 + (high >> 29);
  low = a0 * b2 + a1 * b1 + a2 * b0 + (high & MASK) * FOLD + (low >> 29);
  store<i32>(out, low & MASK, 8);
  high = a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + (high >> 29);
  low = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + (high & MASK) * FOLD + (low >> 29);
  store<i32>(out, low & MASK, 12);
  high = a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + (high >> 29);
  low = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + (high & MASK) * FOLD + (low >> 29);
  store<i32>(out, low & MASK, 16);
  high = a6 * b8 + a7 * b7 + a8 * b6 + (high >> 29);
  low = a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + (high & MASK) * FOLD + (low >> 29);
  store<i32>(out, low & MASK, 20);
  high = a7 * b8 + a8 * b7 + (high >> 29);
  low = a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 + (high & MASK) * FOLD + (low >> 29);
  store<i32>(out, low & MASK, 24);
  high = a8 * b8 + (high >> 29);
  low = a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0 + (high & MASK) * FOLD + (low >> 29);
  store<i32>(out, low & MASK, 28);
  low = a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0 + (high >> 29) * FOLD + (low >> 29);
  store<i32>(out, low & MASK, 32);
  r0 += (low >> 29) * FOLD;
  store<i32>(out, r0 & MASK);
  store<i32>(out, r1 + (r0 >> 29), 4);
  bound_size(out, 10);
}

/** out = a^(2^n), n >= 1. */
export function field_square(out: usize, a: usize, n: i32): void {
  bound_size(a, 17);
  // @ts-ignore: set for the build whose size is the matter (--use COMPACT=1)
  if (isDefined(COMPACT)) field_square_small(out, a, n);
  else square_fast(out, a, n);
  bound_size(out, 10);
}

/** Here and below, for the build that is compact: less code, more time. */
export function field_square_small(out: usize, a: usize, n: i32): void {
  field_multiply(out, a, a);
  while (--n) field_multiply(out, out, out);
}

/** Each product of two different limbs once: a quarter less work. */
function square_fast(out: usize, a: usize, n: i32): void {
  let a0: i64 = load<i32>(a);
  let a1: i64 = load<i32>(a, 4);
  let a2: i64 = load<i32>(a, 8);
  let a3: i64 = load<i32>(a, 12);
  let a4: i64 = load<i32>(a, 16);
  let a5: i64 = load<i32>(a, 20);
  let a6: i64 = load<i32>(a, 24);
  let a7: i64 = load<i32>(a, 28);
  let a8: i64 = load<i32>(a, 32);
  do {
    const d0 = a0 << 1;
    const d1 = a1 << 1;
    const d2 = a2 << 1;
    const d3 = a3 << 1;
    const d4 = a4 << 1;
    const d5 = a5 << 1;
    const d6 = a6 << 1;
    const d7 = a7 << 1;
    let high: i64 = d1 * a8 + d2 * a7 + d3 * a6 + d4 * a5;
    let low: i64 = a0 * a0 + (high & MASK) * FOLD;
    let r0 = low & MASK;
    high = (high >> 29) + d2 * a8 + d3 * a7 + d4 * a6 + a5 * a5;
    low = (low >> 29) + d0 * a1 + (high & MASK) * FOLD;
    let r1 = low & MASK;
    high = (high >> 29) + d3 * a8 + d4 * a7 + d5 * a6;
    low = (low >> 29) + d0 * a2 + a1 * a1 + (high & MASK) * FOLD;
    const r2 = low & MASK;
    high = (high >> 29) + d4 * a8 + d5 * a7 + a6 * a6;
    low = (low >> 29) + d0 * a3 + d1 * a2 + (high & MASK) * FOLD;
    const r3 = low & MASK;
    high = (high >> 29) + d5 * a8 + d6 * a7;
    low = (low >> 29) + d0 * a4 + d1 * a3 + a2 * a2 + (high & MASK) * FOLD;
    const r4 = low & MASK;
    high = (high >> 29) + d6 * a8 + a7 * a7;
    low = (low >> 29) + d0 * a5 + d1 * a4 + d2 * a3 + (high & MASK) * FOLD;
    const r5 = low & MASK;
    high = (high >> 29) + d7 * a8;
    low = (low >> 29) + d0 * a6 + d1 * a5 + d2 * a4 + a3 * a3 + (high & MASK) * FOLD;
    const r6 = low & MASK;
    high = (high >> 29) + a8 * a8;
    low = (low >> 29) + d0 * a7 + d1 * a6 + d2 * a5 + d3 * a4 + (high & MASK) * FOLD;
    const r7 = low & MASK;
    low = (low >> 29) + d0 * a8 + d1 * a7 + d2 * a6 + d3 * a5 + a4 * a4 + (high >> 29) * FOLD;
    const r8 = low & MASK;
    r0 += (low >> 29) * FOLD;
    r1 += r0 >> 29;
    r0 &= MASK;
    a0 = r0;
    a1 = r1;
    a2 = r2;
    a3 = r3;
    a4 = r4;
    a5 = r5;
    a6 = r6;
    a7 = r7;
    a8 = r8;
  } while (--n);
  store<i32>(out, a0);
  store<i32>(out, a1, 4);
  store<i32>(out, a2, 8);
  store<i32>(out, a3, 12);
  store<i32>(out, a4, 16);
  store<i32>(out, a5, 20);
  store<i32>(out, a6, 24);
  store<i32>(out, a7, 28);
  store<i32>(out, a8, 32);
}

/** out = a + b, no carry. */
export function field_add(out: usize, a: usize, b: usize): void {
  bound_sum(a, b);
  // @ts-ignore: set for the build whose size is the matter (--use COMPACT=1)
  if (isDefined(COMPACT)) return field_add_small(out, a, b);
  store<i32>(out, load<i32>(a) + load<i32>(b));
  store<i32>(out, load<i32>(a, 4) + load<i32>(b, 4), 4);
  store<i32>(out, load<i32>(a, 8) + load<i32>(b, 8), 8);
  store<i32>(out, load<i32>(a, 12) + load<i32>(b, 12), 12);
  store<i32>(out, load<i32>(a, 16) + load<i32>(b, 16), 16);
  store<i32>(out, load<i32>(a, 20) + load<i32>(b, 20), 20);
  store<i32>(out, load<i32>(a, 24) + load<i32>(b, 24), 24);
  store<i32>(out, load<i32>(a, 28) + load<i32>(b, 28), 28);
  store<i32>(out, load<i32>(a, 32) + load<i32>(b, 32), 32);
}

export function field_add_small(out: usize, a: usize, b: usize): void {
  for (let at: usize = 0; at < FIELD; at += 4) store<i32>(out + at, load<i32>(a + at) + load<i32>(b + at));
}

export function field_subtract_small(out: usize, a: usize, b: usize): void {
  for (let at: usize = 0; at < FIELD; at += 4) store<i32>(out + at, load<i32>(a + at) - load<i32>(b + at));
}

/** out = a - b, no carry. */
export function field_subtract(out: usize, a: usize, b: usize): void {
  bound_sum(a, b);
  // @ts-ignore: set for the build whose size is the matter (--use COMPACT=1)
  if (isDefined(COMPACT)) return field_subtract_small(out, a, b);
  store<i32>(out, load<i32>(a) - load<i32>(b));
  store<i32>(out, load<i32>(a, 4) - load<i32>(b, 4), 4);
  store<i32>(out, load<i32>(a, 8) - load<i32>(b, 8), 8);
  store<i32>(out, load<i32>(a, 12) - load<i32>(b, 12), 12);
  store<i32>(out, load<i32>(a, 16) - load<i32>(b, 16), 16);
  store<i32>(out, load<i32>(a, 20) - load<i32>(b, 20), 20);
  store<i32>(out, load<i32>(a, 24) - load<i32>(b, 24), 24);
  store<i32>(out, load<i32>(a, 28) - load<i32>(b, 28), 28);
  store<i32>(out, load<i32>(a, 32) - load<i32>(b, 32), 32);
}

/**
 * out = a + b, reduced. All carries move up at once: each is within (-8, 8), so a limb ends within
 * [-8, 2^29 + 8), limb 0 within 8 * 1216 of that.
 */
export function field_add_reduced(out: usize, a: usize, b: usize): void {
  bound_sum(a, b);
  // @ts-ignore: set for the build whose size is the matter (--use COMPACT=1)
  if (isDefined(COMPACT)) field_add_reduced_small(out, a, b);
  else add_reduced_fast(out, a, b);
  bound_size(out, 10);
}

export function field_add_reduced_small(out: usize, a: usize, b: usize): void {
  let carry = ((load<i32>(a, 32) + load<i32>(b, 32)) >> 29) * <i32>FOLD;
  for (let at: usize = 0; at < FIELD; at += 4) {
    const sum = load<i32>(a + at) + load<i32>(b + at);
    store<i32>(out + at, carry + (sum & <i32>MASK));
    carry = sum >> 29;
  }
}

function add_reduced_fast(out: usize, a: usize, b: usize): void {
  const s0 = load<i32>(a) + load<i32>(b);
  const s1 = load<i32>(a, 4) + load<i32>(b, 4);
  const s2 = load<i32>(a, 8) + load<i32>(b, 8);
  const s3 = load<i32>(a, 12) + load<i32>(b, 12);
  const s4 = load<i32>(a, 16) + load<i32>(b, 16);
  const s5 = load<i32>(a, 20) + load<i32>(b, 20);
  const s6 = load<i32>(a, 24) + load<i32>(b, 24);
  const s7 = load<i32>(a, 28) + load<i32>(b, 28);
  const s8 = load<i32>(a, 32) + load<i32>(b, 32);
  store<i32>(out, (s8 >> 29) * <i32>FOLD + (s0 & <i32>MASK));
  store<i32>(out, (s0 >> 29) + (s1 & <i32>MASK), 4);
  store<i32>(out, (s1 >> 29) + (s2 & <i32>MASK), 8);
  store<i32>(out, (s2 >> 29) + (s3 & <i32>MASK), 12);
  store<i32>(out, (s3 >> 29) + (s4 & <i32>MASK), 16);
  store<i32>(out, (s4 >> 29) + (s5 & <i32>MASK), 20);
  store<i32>(out, (s5 >> 29) + (s6 & <i32>MASK), 24);
  store<i32>(out, (s6 >> 29) + (s7 & <i32>MASK), 28);
  store<i32>(out, (s7 >> 29) + (s8 & <i32>MASK), 32);
}

/** out = the 255 low bits of 32 bytes, little endian. */
export function field_load(out: usize, bytes: usize): void {
  for (let i: u32 = 0; i < 8; i++) {
    const bit = 29 * i;
    store<u32>(out + 4 * i, <u32>(load<u64>(bytes + (bit >> 3)) >> (bit & 7)) & <u32>MASK);
  }
  store<u32>(out, (load<u32>(bytes, 28) << 1) >> 9, 32);
}

/** Adds `carry` and carries up to bit 255; returns what lies above and cuts it off. */
function carry_up(a: usize, carry: i32): i32 {
  for (let i: usize = 0; i < 32; i += 4) {
    carry += load<i32>(a + i);
    store<i32>(a + i, carry & <i32>MASK);
    carry >>= 29;
  }
  carry += load<i32>(a, 32);
  store<i32>(a, carry & 0x7fffff, 32);
  return carry >> 23;
}

/** Brings an element of at most 3 U in size into its one canonical form: a value in [0, p). No branch on it. */
export function field_freeze(a: usize): void {
  bound_size(a, 30);
  let above = carry_up(a, 0); // within (-256, 256)
  above = carry_up(a, 19 * above); // -1, 0 or 1
  // With 19 more, bit 255 tells whether the value is p or above, and cutting it off subtracts p.
  above = carry_up(a, 19 * above + 19); // 0 or 1
  carry_up(a, (above - 1) & -19);
}

/** Whether a is 0 modulo p. Freezes it. */
export function field_is_zero(a: usize): bool {
  field_freeze(a);
  let bits: u32 = 0;
  for (let i: usize = 0; i < 36; i += 4) bits |= load<u32>(a + i);
  return bits == 0;
}

/** The lowest bit of a in [0, p). Freezes it. */
export function field_parity(a: usize): u32 {
  field_freeze(a);
  return load<u32>(a) & 1;
}

/** out = a^((p - 5) / 8) = a^(2^252 - 3). `scratch` holds two elements; no two regions may overlap. */
export function field_power_p58(out: usize, a: usize, scratch: usize): void {
  const t = scratch;
  const u = scratch + FIELD;
  field_square(t, a, 1); // 2
  field_square(u, t, 2); // 8
  field_multiply(u, a, u); // 9
  field_multiply(t, t, u); // 11
  field_square(t, t, 1); // 22
  field_multiply(out, u, t); // 2^5 - 1
  field_square(t, out, 5);
  field_multiply(out, t, out); // 2^10 - 1
  field_square(t, out, 10);
  field_multiply(t, t, out); // 2^20 - 1
  field_square(u, t, 20);
  field_multiply(t, u, t); // 2^40 - 1
  field_square(t, t, 10);
  field_multiply(out, t, out); // 2^50 - 1
  field_square(t, out, 50);
  field_multiply(t, t, out); // 2^100 - 1
  field_square(u, t, 100);
  field_multiply(t, u, t); // 2^200 - 1
  field_square(t, t, 50);
  field_multiply(t, t, out); // 2^250 - 1
  field_square(t, t, 2);
  field_multiply(out, t, a); // 2^252 - 3
}

/** out = 1 / a, and 0 for 0. `scratch` holds two elements; no two regions may overlap. */
export function field_invert(out: usize, a: usize, scratch: usize): void {
  field_power_p58(out, a, scratch);
  field_square(out, out, 3); // 2^255 - 24
  field_square(scratch, a, 1);
  field_multiply(scratch, scratch, a);
  field_multiply(out, out, scratch); // 2^255 - 21 = p - 2
}

/** Writes the 32 bytes, little endian, of a in [0, p). Freezes it. No branch on it. */
export function field_store(bytes: usize, a: usize): void {
  field_freeze(a);
  let bits: u64 = 0;
  let count: u64 = 0;
  for (let i: usize = 0; i < 36; i += 4) {
    bits |= <u64>load<u32>(a + i) << count;
    count += 29;
    if (count < 32) continue;
    store<u32>(bytes, <u32>bits);
    bytes += 4;
    bits >>= 32;
    count -= 32;
  }
}
