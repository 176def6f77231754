// Integers modulo L = 2^252 + c, the order of the base point. A scalar is 32 bytes, little endian.
import { SCALAR_FACTOR, SCALAR_LIMBS, SCALAR_ROWS } from "./memory";

/** L, little endian. */
export const ORDER = memory.data<u64>([0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000]);

/** c in limbs of 28 bits. */
const C = memory.data<i64>([0xcf5d3ed, 0x12631a5, 0x79cd658, 0xf9dea2f, 0x14de]);

const MASK: i64 = 0xfffffff;

/** Whether the 32 bytes are below L. */
export function scalar_is_canonical(bytes: usize): bool {
  for (let i: usize = 32; i > 0; ) {
    i -= 8;
    const word = load<u64>(bytes + i);
    const order = load<u64>(ORDER + i);
    if (word != order) return word < order;
  }
  return false;
}

/** out = the 64 bytes at `wide`, little endian, modulo L. */
export function scalar_reduce(out: usize, wide: usize): void {
  unpack(SCALAR_LIMBS, wide, 18);
  store<i64>(SCALAR_LIMBS, load<u8>(wide, 63), 18 * 8);
  reduce(out);
}

/** out = a b modulo L; both below 2^256, and four bytes of zeros behind a. */
export function scalar_multiply(out: usize, a: usize, b: usize): void {
  memory.fill(SCALAR_LIMBS, 0, 19 * 8);
  multiply_add(out, a, b);
}

/** out = a b + c modulo L; each below 2^256, and four bytes of zeros behind a and c. No branch on them. */
export function scalar_multiply_add(out: usize, a: usize, b: usize, c: usize): void {
  memory.fill(SCALAR_LIMBS, 0, 19 * 8);
  unpack(SCALAR_LIMBS, c, 10);
  multiply_add(out, a, b);
}

/** Adds the product to what SCALAR_LIMBS hold: a column is the sum of ten products of 28 bits and one limb. */
function multiply_add(out: usize, a: usize, b: usize): void {
  const x = SCALAR_LIMBS;
  unpack(SCALAR_FACTOR, b, 9);
  store<i64>(SCALAR_FACTOR, load<u8>(b, 31) >> 4, 9 * 8);
  for (let i: usize = 0; i < 10; i++) {
    const limb = limb_at(a, i);
    for (let j: usize = 0; j < 80; j += 8) {
      const at = x + (i << 3) + j;
      store<i64>(at, load<i64>(at) + limb * load<i64>(SCALAR_FACTOR + j));
    }
  }
  let carry: i64 = 0;
  for (let at = x; at < x + 19 * 8; at += 8) {
    carry += load<i64>(at);
    store<i64>(at, carry & MASK);
    carry >>= 28;
  }
  reduce(out);
}

/** 28 bits of an integer. */
// @ts-ignore: decorator
@inline
function limb_at(bytes: usize, index: usize): i64 {
  return <i64>(load<u32>(bytes + ((index * 7) >> 1)) >>> ((index & 1) << 2)) & MASK;
}

function unpack(x: usize, bytes: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) store<i64>(x + (i << 3), limb_at(bytes, i));
}

/**
 * Reduces the 19 limbs of 28 bits in SCALAR_LIMBS, below 2^512, and writes 32 bytes. 2^252 is limb 9 and
 * equals -c: from the top down each limb k is taken away and c times it subtracted nine places lower.
 * Carries run up to limb k - 1, which stays signed and within 2^28 in size: no product leaves 2^57.
 */
function reduce(out: usize): void {
  const x = SCALAR_LIMBS;
  for (let k: usize = 18; k >= 9; k--) fold(x + ((k - 9) << 3), load<i64>(x + (k << 3)));
  // The last limb taken away was -1 or more, so the value is below 2^252 + c = L, and above -2^157.
  const sign = load<i64>(x, 64) >> 63;
  store<i64>(x, load<i64>(x, 64) - (sign << 28), 64);
  fold(x, sign);
  for (let i: usize = 0; i < 4; i++) {
    const pair = load<i64>(x + (i << 4)) | (load<i64>(x + (i << 4), 8) << 28);
    store<i64>(out + 7 * i, pair);
  }
  store<u32>(out, <u32>load<i64>(x, 64), 28);
}

function fold(x: usize, q: i64): void {
  let carry: i64 = 0;
  for (let j: usize = 0; j < 64; j += 8) {
    carry += load<i64>(x + j);
    if (j < 40) carry -= q * load<i64>(C + j);
    store<i64>(x + j, carry & MASK);
    carry >>= 28;
  }
  store<i64>(x, load<i64>(x, 64) + carry, 64);
}

// Half-size scalars. Every vector (r, t) of the lattice r = t h (mod 8 L) turns "P = O" into "[t] P = O";
// the two say the same, for points of mixed order too, when t is odd and not a multiple of L. The search
// walks Euclid's remainders of 8 L and h down to 128 bits (Lehmer: most quotients are found from the
// leading bits, and applied some fifteen at a time). Any integer combination of two vectors is a vector,
// so a quotient that is off costs length, never truth.
//
// A row is a vector, both integers in two's complement: r in 36 bytes at 0, t in 24 bytes at 40, each with
// a gap of at least 4 bytes behind it.

const T: usize = 40;
const R_BYTES: usize = 36;
const T_BYTES: usize = 24;
const ROW: usize = 72;

/**
 * Finds r and an odd t with r = t h modulo 8 L, both of about 128 bits. Writes r and |t|, 40 bytes each;
 * returns whether t is negative. `h` is below 2^253. Whatever the h, r is in [0, 2^255) and |t| is below
 * 2^160: a bad h costs time, at most that of whole scalars.
 */
export function scalar_halve(r: usize, t: usize, h: usize): bool {
  let upper = SCALAR_ROWS;
  let lower = SCALAR_ROWS + ROW;
  memory.fill(SCALAR_ROWS, 0, 2 * ROW);
  for (let i: usize = 0; i < 32; i += 8) store<u64>(upper + i, load<u64>(ORDER + i) << 3);
  store<u64>(upper, load<u64>(upper, 8) | (load<u64>(ORDER) >> 61), 8);
  memory.copy(lower, h, 32);
  store<u8>(lower + T, 1);
  // Each turn takes at least one bit off one of the two or swaps them; 255 + 253 bits come in.
  for (let turn = 0; turn < 512 && (load<u64>(lower, 16) | load<u64>(lower, 24)) != 0; turn++) {
    if (divide_leading(upper, lower) || divide_once(upper, lower)) continue;
    const swap = upper;
    upper = lower;
    lower = swap;
  }
  if (!(load<u8>(lower + T) & 1)) {
    balance(upper, lower);
    lower = upper;
  }
  const negative = load<i32>(lower + T, 20) < 0;
  if (negative) negate(lower + T, T_BYTES);
  memory.fill(t, 0, 40);
  memory.copy(t, lower + T, T_BYTES);
  memory.copy(r, lower, 40);
  return negative;
}

/** Offset of the eight leading bytes, so that the highest of them is not 0. */
function leading(r: usize): usize {
  let at: usize = 24;
  while (at > 0 && !load<u8>(r + at, 7)) at--;
  return at;
}

/**
 * Takes the quotients that the 63 leading bits give and applies them at once. The factors stay below 2^30
 * in size, so the loop ends after 45 turns at most, and the remainders of the leading bits above 2^31, so
 * the factors' error does not change their sign. Stops at the first remainder below 2^127. False if not even
 * one quotient was to be had.
 */
function divide_leading(upper: usize, lower: usize): bool {
  const at = max(leading(upper), leading(lower)); // either may be the larger by a little
  let x = load<u64>(upper + at) >> 1;
  let y = load<u64>(lower + at) >> 1;
  if (x < y) return false; // so that c stays below d in size, and b below d
  const stop: u64 = at < 12 ? (<u64>1) << (127 - 8 * at) : 1 << 31;
  let a: i64 = 1;
  let b: i64 = 0;
  let c: i64 = 0;
  let d: i64 = 1;
  while (y >= stop) {
    const q = x / y;
    const rest = x - q * y;
    const e = a - <i64>q * c;
    const f = b - <i64>q * d;
    if (rest < 1 << 31 || abs(f) >= 1 << 30) break;
    a = c;
    b = d;
    c = e;
    d = f;
    x = y;
    y = rest;
  }
  if (!c) return false;
  combine(upper, lower, R_BYTES, a, b, c, d);
  combine(upper + T, lower + T, T_BYTES, a, b, c, d);
  make_positive(upper);
  make_positive(lower);
  return true;
}

/** (x, y) = (a x + b y, c x + d y). No sum leaves an i64: 2 * 2^30 * 2^32 and a carry of 2^31. */
function combine(x: usize, y: usize, bytes: usize, a: i64, b: i64, c: i64, d: i64): void {
  let xs: i64 = 0;
  let ys: i64 = 0;
  for (const end = x + bytes; x < end; x += 4) {
    const u: i64 = load<u32>(x);
    const v: i64 = load<u32>(y);
    xs += a * u + b * v;
    ys += c * u + d * v;
    store<u32>(x, xs);
    store<u32>(y, ys);
    xs >>= 32;
    ys >>= 32;
    y += 4;
  }
}

/**
 * upper -= q lower, for a quotient q of any size: its 24 to 40 leading bits times a power of 256. False
 * if r of `upper` is the smaller one.
 */
function divide_once(upper: usize, lower: usize): bool {
  const at = leading(upper);
  const gap = at - leading(lower);
  if (<isize>gap < 0) return false;
  const shift = gap > 2 ? gap - 2 : 0;
  const x = load<u64>(upper + at) >> 1;
  const y = load<u64>(lower + at - shift) >> 1;
  if (x < y) return false;
  subtract(upper, lower, <i64>(x / y), shift);
  return true;
}

/** `lower` has an even t, so `upper` an odd one: takes off it as much of `lower` as makes r and t alike. */
function balance(upper: usize, lower: usize): void {
  const at = leading(upper);
  const x = load<u64>(upper + at) >> 2;
  const y = load<u64>(lower + at) >> 2;
  // t is below 2^128 in size, so it counts only where r is not long; ~t is near enough to -t.
  let t: u64 = 0;
  if (at < 16) {
    t = load<u64>(lower + T + at);
    if (<i64>t < 0) t = ~t;
    t >>= 2;
  }
  const q = x / (y + t + 1);
  subtract(upper, lower, <i64>min<u64>(q, 0x3fffffff), 0);
}

/** upper -= q 2^(8 shift) lower. */
function subtract(upper: usize, lower: usize, q: i64, shift: usize): void {
  subtract_part(upper, lower, R_BYTES, q, shift);
  subtract_part(upper + T, lower + T, T_BYTES, q, shift);
  make_positive(upper);
}

/** May write up to three bytes of the gap behind x. */
function subtract_part(x: usize, y: usize, bytes: usize, q: i64, shift: usize): void {
  let carry: i64 = 0;
  for (const end = x + bytes; x + shift < end; x += 4) {
    carry += <i64>load<u32>(x + shift) - q * load<u32>(y);
    store<u32>(x + shift, carry);
    carry >>= 32;
    y += 4;
  }
}

/** Negates both parts if r is negative. */
function make_positive(row: usize): void {
  if (load<i32>(row, 32) >= 0) return;
  negate(row, R_BYTES);
  negate(row + T, T_BYTES);
}

function negate(x: usize, bytes: usize): void {
  let carry: i64 = 0;
  for (const end = x + bytes; x < end; x += 4) {
    carry -= load<u32>(x);
    store<u32>(x, carry);
    carry >>= 32;
  }
}

/**
 * Recodes an integer below 2^255 into digits, the lowest first, that are 0 or odd and below 2^(width - 1)
 * in size, at most one of `width` neighbours not 0 (wNAF). `number` has 36 bytes.
 * Every fourth byte from `digits` on is one, 256 zeros at first. Returns how many digits there are.
 */
export function scalar_digits(digits: usize, number: usize, width: u32, negative: bool): i32 {
  let end = 0;
  let carry: u32 = 0;
  for (let i: u32 = 0; i < 256; ) {
    const bits = (load<u32>(number + (i >> 3)) >> (i & 7)) + carry;
    if (!(bits & 1)) {
      i += ctz(bits | (1 << 24)); // the upper bits of the window may be missing
      continue;
    }
    let digit = <i32>(bits & ((1 << width) - 1));
    carry = <u32>digit >> (width - 1);
    digit -= <i32>(carry << width);
    store<i8>(digits + (i << 2), negative ? -digit : digit);
    end = i + 1;
    i += width;
  }
  return end;
}
