// ECDSA verification on P-256 (FIPS 186-5, 6.4.2): r and s in [1, n-1], s of either half; the signature in strict DER;
// the public key an uncompressed point, not the neutral one, on the curve. The curve has a prime order, so each of its points is
// a key.
import { DER_SEQUENCE, der_close, der_unsigned, der_whole } from "./der";
import { integer_below, integer_inverse, integer_is_zero, integer_load, integer_multiply, LIMBS_256 } from "./integer";
import { P256_DIGITS, P256_INTEGERS, P256_RATIOS, P256_SUM, P256_TABLE } from "./memory";
import { P256_BASE_WIDTH, p256_base_table } from "./p256base";
import { FP, fp_combine, fp_is_zero, fp_load, fp_multiply, fp_square, P256_PRIME } from "./p256field";
import {
  P256_AFFINE, p256_add, p256_double_negate, p256_from_integers, p256_multiples, p256_neutral,
} from "./p256point";

/** Bytes of a public key: 4, x and y. */
export const P256_KEY: u32 = 65;

/** n, the order of the curve. */
// @ts-ignore: decorator
@lazy const ORDER = memory.data<u32>([
  0x1c632551, 0x1dce5617, 0x05e7a13c, 0x0df55b4e, 0x1ffffbce, 0x1fffffff, 0x0003ffff, 0x1fe00000, 0x00ffffff, 0,
]);

/** p - n */
// @ts-ignore: decorator
@lazy const PRIME_ABOVE_ORDER = memory.data<u32>([
  0x039cdaae, 0x0231a9e8, 0x1a185ec3, 0x120aa6b1, 0x00000431, 0, 0, 0, 0,
]);

const KEY_WIDTH: u32 = 5;
/** Bytes of a string of digits: 257 and more. */
const DIGITS: usize = 264;

const R = P256_INTEGERS;
const S = P256_INTEGERS + 40;
const BASE_FACTOR = P256_INTEGERS + 80;
const KEY_FACTOR = P256_INTEGERS + 120;
const PRODUCT = P256_INTEGERS + 160;

/**
 * Whether the `length` bytes at `signature`, a DER sequence of r and s, sign the message with the SHA-256 `digest` (32
 * bytes) under the public key `point` (65 bytes).
 */
export function p256_verify(point: usize, digest: usize, signature: usize, length: u32): bool {
  if (!signature_load(signature, length) || !key_load(point)) return false;
  scalars_make(digest);
  p256_multiples(P256_TABLE, P256_RATIOS, P256_SUM, 8);
  sum_make();
  return sum_has_x();
}

/** R and S from DER, each in [1, n-1]. */
function signature_load(signature: usize, length: u32): bool {
  const end = signature + length;
  const first = der_whole(signature, end, DER_SEQUENCE);
  if (!first) return false;
  const r = der_unsigned(first, end);
  if (!r) return false;
  const second = der_close(first);
  const s = der_unsigned(second, end);
  return s != 0 && der_close(second) == end && scalar_load(R, r, second) && scalar_load(S, s, end);
}

function scalar_load(out: usize, bytes: usize, end: usize): bool {
  const length = end - bytes;
  if (length > 32) return false;
  integer_load(out, bytes, <u32>length, LIMBS_256 + 1);
  return !integer_is_zero(out, LIMBS_256) && integer_below(out, ORDER, LIMBS_256);
}

/** SUM = the public key, if it is one. */
function key_load(point: usize): bool {
  integer_load(PRODUCT, point + 1, 32, LIMBS_256);
  integer_load(KEY_FACTOR, point + 33, 32, LIMBS_256);
  return load<u8>(point) == 4 && integer_below(PRODUCT, P256_PRIME, LIMBS_256) &&
    integer_below(KEY_FACTOR, P256_PRIME, LIMBS_256) && p256_from_integers(P256_SUM, PRODUCT, KEY_FACTOR);
}

/** The factors digest / s and r / s modulo n. */
function scalars_make(digest: usize): void {
  integer_load(PRODUCT, digest, 32, LIMBS_256 + 1);
  integer_inverse(S, S, ORDER);
  integer_multiply(BASE_FACTOR, PRODUCT, S, ORDER, LIMBS_256);
  integer_multiply(KEY_FACTOR, R, S, ORDER, LIMBS_256);
}

/** SUM = the sum of both factors times their points. */
function sum_make(): void {
  const sum = P256_SUM;
  memory.fill(P256_DIGITS, 0, 2 * DIGITS);
  let at = max(digits_make(P256_DIGITS, BASE_FACTOR, P256_BASE_WIDTH), digits_make(P256_DIGITS + DIGITS, KEY_FACTOR, KEY_WIDTH));
  p256_neutral(sum);
  while (at-- > 0) {
    // What is added here is still multiplied by (-2)^at.
    const negative = (at & 1) != 0;
    p256_double_negate(sum);
    add_digit(load<i8>(P256_DIGITS + at), p256_base_table(), negative);
    add_digit(load<i8>(P256_DIGITS + DIGITS + at), P256_TABLE, negative);
  }
}

function add_digit(digit: i32, table: usize, negative: bool): void {
  const index: usize = abs(digit) >> 1;
  if (digit) p256_add(P256_SUM, table + index * P256_AFFINE, (digit < 0) != negative);
}

/**
 * Recodes a scalar, with a limb of 0 above it, into digits, the lowest first, that are 0 or odd and below 2^(width - 1)
 * in size, at most one of `width` neighbours not 0 (wNAF). `digits` is all 0. Returns how many there are, 257 at most.
 */
function digits_make(digits: usize, scalar: usize, width: u32): i32 {
  let end = 0;
  let carry: u32 = 0;
  for (let i: u32 = 0; i <= 256; ) {
    const limbs = scalar + ((i / 29) << 2);
    const bits = <u32>(((<u64>load<u32>(limbs, 4) << 29) | load<u32>(limbs)) >> (i % 29)) + carry;
    if (!(bits & 1)) {
      i += ctz(bits | (1 << 24)); // from 29 bits up the window may be short
      continue;
    }
    let digit = <i32>(bits & ((1 << width) - 1));
    carry = <u32>digit >> (width - 1);
    digit -= <i32>(carry << width);
    store<i8>(digits + i, digit);
    end = i + 1;
    i += width;
  }
  return end;
}

/**
 * Whether x of SUM is r modulo n: X / Z^2 is r, or r + n if that is below p. A neutral sum has X = 1 and Z = 0, and
 * 0 times anything is not 1.
 */
function sum_has_x(): bool {
  fp_square(S, P256_SUM + 2 * FP, P256_SUM, 0);
  if (sum_has_integer_x()) return true;
  if (!integer_below(R, PRIME_ABOVE_ORDER, LIMBS_256)) return false;
  fp_combine(R, R, 1, ORDER, 1);
  return sum_has_integer_x();
}

/** Whether R is X / Z^2; S holds Z^2. */
function sum_has_integer_x(): bool {
  fp_load(PRODUCT, R);
  fp_multiply(PRODUCT, PRODUCT, S);
  fp_combine(PRODUCT, PRODUCT, 1, P256_SUM, -1);
  return fp_is_zero(PRODUCT);
}
