// Integers modulo L = 2^252 + c, the order of the base point. A scalar is 32 bytes, little endian.
import { SCALAR_LIMBS, SCALAR_ROWS } from "./memory";

/** L, little endian. */
const ORDER = memory.data<u64>([0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000]);

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

/** out = a b modulo L; a below 2^252, b below 2^256. */
export function scalar_multiply(out: usize, a: usize, b: usize): void {
  const x = SCALAR_LIMBS;
  memory.fill(x, 0, 19 * 8);
  for (let i: usize = 0; i < 9; i++) {
    const limb = limb_at(a, i);
    for (let j: usize = 0; j < 10; j++) {
      const at = x + ((i + j) << 3);
      store<i64>(at, load<i64>(at) + limb * limb_at(b, j));
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

/** 28 bits of a 32-byte integer. */
function limb_at(bytes: usize, index: usize): i64 {
  if (index == 9) return load<u8>(bytes, 31) >> 4;
  return (load<u64>(bytes + ((index * 7) >> 1)) >> ((index & 1) << 2)) & MASK;
}

function unpack(x: usize, bytes: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) {
    store<i64>(x + (i << 3), <i64>(load<u32>(bytes + ((i * 7) >> 1)) >>> ((i & 1) << 2)) & MASK);
  }
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
  const top = load<i64>(x, 64);
  if (top < 0) {
    store<i64>(x, top & MASK, 64);
    fold(x, -1);
  }
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
// walks Euclid's remainders of 8 L and h down to 128 bits.
//
// A row is two integers in two's complement, r in 36 bytes at 0 and t in 36 bytes at 40.

const PART: usize = 40;
const WORDS: usize = 36;
const ROW: usize = 80;

/**
 * Finds r and an odd t with r = t h modulo 8 L, both of about 128 bits. Writes r and |t|, 36 bytes each
 * (40 are touched); returns whether t is negative. `h` is below 2^253. Whatever the h, r is in
 * [0, 2^256) and |t| below 2^160: a bad h costs time, at most that of whole scalars, never truth.
 */
export function scalar_halve(r: usize, t: usize, h: usize): bool {
  let upper = SCALAR_ROWS;
  let lower = SCALAR_ROWS + ROW;
  memory.fill(SCALAR_ROWS, 0, 2 * ROW);
  for (let i: usize = 0; i < 32; i += 8) store<u64>(upper + i, load<u64>(ORDER + i) << 3);
  store<u64>(upper, load<u64>(upper, 8) | (load<u64>(ORDER) >> 61), 8);
  memory.copy(lower, h, 32);
  store<u8>(lower + PART, 1);
  // Each turn takes at least one bit off one of the two or swaps them; 255 + 253 bits come in.
  for (let turn = 0; turn < 512 && (load<u64>(lower, 16) | load<u64>(lower, 24)) != 0; turn++) {
    if (!subtract_quotient(upper, lower)) {
      const swap = upper;
      upper = lower;
      lower = swap;
    }
  }
  if (!(load<u8>(lower + PART) & 1)) {
    balance(upper, lower);
    lower = upper;
  }
  memory.copy(r, lower, PART);
  memory.copy(t, lower + PART, PART);
  const negative = load<i32>(lower + PART, 32) < 0;
  if (negative) negate(t);
  return negative;
}

/** Index of the highest byte that is not 0, at least 7. */
function top_byte(part: usize): usize {
  let top: usize = 31;
  while (top > 7 && !load<u8>(part + top)) top--;
  return top;
}

/**
 * upper -= q lower, with q the quotient of their r from their 56 leading bits and cut to about 32 bits,
 * times a power of 256 where it is larger. False if r of `upper` is the smaller one.
 */
function subtract_quotient(upper: usize, lower: usize): bool {
  const top = top_byte(upper);
  const gap = top - top_byte(lower);
  if (<isize>gap < 0) return false;
  const shift = gap > 2 ? gap - 2 : 0;
  const a = load<u64>(upper + top - 7) >> 1;
  const b = load<u64>(lower + top - 7 - shift) >> 1;
  if (a < b) return false;
  subtract_row(upper, lower, <i64>(a / b), shift);
  return true;
}

/** `lower` has an even t, so `upper` an odd one: takes off it as much of `lower` as makes r and t alike. */
function balance(upper: usize, lower: usize): void {
  const top = top_byte(upper) - 7;
  const a = load<u64>(upper + top) >> 2;
  const b = load<u64>(lower + top) >> 2;
  memory.copy(SCALAR_LIMBS, lower + PART, PART);
  if (load<i32>(SCALAR_LIMBS, 32) < 0) negate(SCALAR_LIMBS);
  const q = a / (b + (load<u64>(SCALAR_LIMBS + top) >> 2) + 1);
  subtract_row(upper, lower, <i64>min<u64>(q, 0x3fffffff), 0);
}

/** upper -= q 2^(8 shift) lower, both parts; then both negated if r came out negative. */
function subtract_row(upper: usize, lower: usize, q: i64, shift: usize): void {
  subtract_part(upper, lower, q, shift);
  subtract_part(upper + PART, lower + PART, q, shift);
  if (load<i32>(upper, 32) < 0) {
    negate(upper);
    negate(upper + PART);
  }
}

function subtract_part(x: usize, y: usize, q: i64, shift: usize): void {
  let carry: i64 = 0;
  for (let i: usize = 0; i + shift < WORDS; i += 4) {
    carry += <i64>load<u32>(x + shift + i) - q * load<u32>(y + i);
    store<u32>(x + shift + i, <u32>carry);
    carry >>= 32;
  }
}

function negate(x: usize): void {
  let carry: i64 = 0;
  for (let i: usize = 0; i < WORDS; i += 4) {
    carry -= load<u32>(x + i);
    store<u32>(x + i, <u32>carry);
    carry >>= 32;
  }
}

/**
 * Recodes an integer below 2^255 into digits, the lowest first, that are 0 or odd and below 2^(width - 1)
 * in size, at most one of `width` neighbours not 0 (wNAF). `digits` are 256 zeros; `number` has 36 bytes.
 * Returns how many digits there are.
 */
export function scalar_digits(digits: usize, number: usize, width: u32, negative: bool): i32 {
  let end = 0;
  let carry: u32 = 0;
  for (let i: u32 = 0; i < 256; ) {
    const bits = (load<u32>(number + (i >> 3)) >> (i & 7)) + carry;
    if (!(bits & 1)) {
      i++;
      continue;
    }
    let digit = <i32>(bits & ((1 << width) - 1));
    carry = <u32>digit >> (width - 1);
    digit -= <i32>(carry << width);
    store<i8>(digits + i, negative ? -digit : digit);
    end = i + 1;
    i += width;
  }
  return end;
}
