// Ed25519 verification (RFC 8032, 5.1.7), strict: a signature is refused unless S < L and A and R are
// canonical encodings of points of the curve that are not of small order; then it holds if
// [S] B = R + [h] A, without a cofactor. A point of mixed order passes for A. This is the row of
// libsodium in Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs".
//
// A context, owned by the caller, 8-byte aligned:
//   0    200 bytes  SHA-512 of R, A and the message
//   200  32 bytes   public key A
//   232  64 bytes   signature: R, S
//   296  u32        whether they passed the checks of the begin
import { BASE_TABLE, BASE_TABLES, BASE_WIDTH } from "./base25519";
import {
  AFFINE_MULTIPLE, MULTIPLE, POINT, point_add, point_double, point_is_neutral, point_load, point_multiple,
  point_neutral,
} from "./edwards25519";
import { DIGITS, POINTS, POINT_TABLES, SCALARS } from "./memory";
import { scalar_digits, scalar_halve, scalar_is_canonical, scalar_multiply, scalar_reduce } from "./scalar25519";
import { SHA512_CONTEXT, sha512_begin, sha512_end, sha512_update } from "./sha512";

/** Bytes of a context. */
export const ED25519_CONTEXT: u32 = 304;

const KEY: usize = SHA512_CONTEXT;
const SIGNATURE: usize = KEY + 32;
const SOUND: usize = SIGNATURE + 64;

/** y of the points of order 8: two values, each with either sign of x. */
const ORDER_8 = memory.data<u64>([
  0xb027b2c28f95e826, 0xf098eff289f4c345, 0x3933c6d305acdfd5, 0x05fc536d880238b1,
  0x4fd84d3d706a17c7, 0x0f67100d760b3cba, 0xc6cc392cfa53202a, 0x7a03ac9277fdc74e,
]);

const R_SCALAR = SCALARS;
const T_SCALAR = SCALARS + 40;
const F_SCALAR = SCALARS + 80;

const SUM = POINTS;
const OPERAND = POINTS + POINT;

const KEY_TABLE = POINT_TABLES;
const R_TABLE = POINT_TABLES + 4 * MULTIPLE;

/**
 * Starts a verification: 32 bytes of public key, 64 of signature; both are copied. False if the signature
 * is refused already, for its S or for the encoding or the small order of A or R.
 */
export function ed25519_verify_begin(ctx: usize, publicKey: usize, signature: usize): bool {
  memory.copy(ctx + KEY, publicKey, 32);
  memory.copy(ctx + SIGNATURE, signature, 64);
  sha512_begin(ctx);
  sha512_update(ctx, signature, 32);
  sha512_update(ctx, publicKey, 32);
  const sound =
    encoding_is_sound(publicKey) && encoding_is_sound(signature) && scalar_is_canonical(signature + 32);
  store<u32>(ctx, <u32>sound, SOUND);
  return sound;
}

/** Hashes the next `length` bytes of the message at `data`. */
export function ed25519_verify_update(ctx: usize, data: usize, length: u32): void {
  sha512_update(ctx, data, length);
}

/** Whether the signature holds: once after each begin, and never when the begin gave false. */
export function ed25519_verify_end(ctx: usize): bool {
  if (!load<u32>(ctx, SOUND)) return false;
  store<u32>(ctx, 0, SOUND);
  if (!table_make(KEY_TABLE, ctx + KEY) || !table_make(R_TABLE, ctx + SIGNATURE)) return false;
  sha512_end(ctx, SCALARS);
  scalar_reduce(F_SCALAR, SCALARS);
  return sum_is_neutral(digits_make(F_SCALAR, ctx + SIGNATURE + 32));
}

/** Whether the encoded y is below p and not that of a point of order 1, 2, 4 or 8. */
function encoding_is_sound(bytes: usize): bool {
  const y0 = load<u64>(bytes);
  const y1 = load<u64>(bytes, 8);
  const y2 = load<u64>(bytes, 16);
  const y3 = load<u64>(bytes, 24) & 0x7fffffffffffffff;
  // p - 1 is the y of order 2; 0 is that of order 4, 1 that of order 1.
  if (y0 >= 0xffffffffffffffec && (y1 & y2) == 0xffffffffffffffff && y3 == 0x7fffffffffffffff) return false;
  if (y0 <= 1 && (y1 | y2 | y3) == 0) return false;
  return !is_at(ORDER_8, y0, y1, y2, y3) && !is_at(ORDER_8 + 32, y0, y1, y2, y3);
}

function is_at(p: usize, y0: u64, y1: u64, y2: u64, y3: u64): bool {
  return load<u64>(p) == y0 && load<u64>(p, 8) == y1 && load<u64>(p, 16) == y2 && load<u64>(p, 24) == y3;
}

/** Decodes a point and tabulates 1, 3, 5 and 7 times it. */
function table_make(table: usize, bytes: usize): bool {
  const twice = table + 3 * MULTIPLE;
  if (!point_load(OPERAND, bytes)) return false;
  memory.copy(SUM, OPERAND, POINT);
  point_double(SUM);
  point_multiple(twice, SUM);
  point_multiple(table, OPERAND);
  for (let m = table; m < twice; ) {
    m += MULTIPLE;
    point_add(OPERAND, twice, false, false);
    point_multiple(m, OPERAND);
  }
  return true;
}

/**
 * The four strings of digits, for B, 2^128 B, A and R, byte by byte side by side, such that their sum is [t] ([S] B - [h] A - R), t odd,
 * with r = t h of half the size of h. Returns how many digits the longest has.
 */
function digits_make(h: usize, s: usize): i32 {
  const negative = scalar_halve(R_SCALAR, T_SCALAR, h);
  scalar_multiply(F_SCALAR, T_SCALAR, s);
  memory.fill(DIGITS, 0, 1024);
  let count = scalar_digits(DIGITS + 2, R_SCALAR, 4, true);
  count = max(count, scalar_digits(DIGITS + 3, T_SCALAR, 4, !negative));
  memory.fill(R_SCALAR, 0, 80);
  memory.copy(R_SCALAR, F_SCALAR, 16);
  memory.copy(T_SCALAR, F_SCALAR + 16, 16);
  count = max(count, scalar_digits(DIGITS, R_SCALAR, BASE_WIDTH, negative));
  return max(count, scalar_digits(DIGITS + 1, T_SCALAR, BASE_WIDTH, negative));
}

/** Adds up the multiples that the digits name, all four strings at once. */
function sum_is_neutral(count: i32): bool {
  point_neutral(SUM);
  while (--count >= 0) {
    point_double(SUM);
    const digits = load<u32>(DIGITS + (count << 2));
    if (!digits) continue;
    add_digit(<i8>digits, BASE_TABLES, true);
    add_digit(<i8>(digits >> 8), BASE_TABLES + BASE_TABLE, true);
    add_digit(<i8>(digits >> 16), KEY_TABLE, false);
    add_digit(<i8>(digits >> 24), R_TABLE, false);
  }
  return point_is_neutral(SUM);
}

function add_digit(digit: i32, table: usize, affine: bool): void {
  if (!digit) return;
  const index: usize = abs(digit) >> 1;
  point_add(SUM, table + index * (affine ? AFFINE_MULTIPLE : MULTIPLE), affine, digit < 0);
}
