// X25519 (RFC 7748), with a Montgomery ladder: every secret bit costs the same steps at the same addresses.
// Scratch is cleared after each call.
import {
  FIELD, field_add, field_add_reduced, field_invert, field_load, field_multiply, field_square, field_store,
  field_subtract,
} from "./field25519";
import { scratch_wipe, SECRETS } from "./memory";

const SCALAR = SECRETS;
const U = SECRETS + 32;
// Two multiples of the point that differ by it, each X and Z; side by side, so that they are exchanged at once.
const X = U + FIELD;
const Z = X + FIELD;
const X_NEXT = Z + FIELD;
const Z_NEXT = X_NEXT + FIELD;
const A = Z_NEXT + FIELD;
const B = A + FIELD;
const C = B + FIELD;
const D = C + FIELD;

/** (A - 2) / 4 of the curve y^2 = x^3 + A x^2 + x. */
// @ts-ignore: decorator
@lazy const A24 = memory.data<u32>([121665, 0, 0, 0, 0, 0, 0, 0, 0]);
// @ts-ignore: decorator
@lazy const BASE_U = memory.data<u8>([
  9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

/**
 * Writes the secret that 32 bytes of `secret` and 32 of `peer`, a public key, have in common. False if it is
 * all zeros: the public key is of small order, and anybody knows that secret.
 */
export function x25519(shared: usize, secret: usize, peer: usize): bool {
  memory.copy(SCALAR, secret, 32);
  store<u8>(SCALAR, load<u8>(SCALAR) & 0xf8);
  store<u8>(SCALAR, (load<u8>(SCALAR, 31) & 0x7f) | 0x40, 31);
  field_load(U, peer);
  ladder();
  field_invert(A, Z, B);
  field_multiply(A, A, X);
  field_store(shared, A);
  scratch_wipe();
  return (load<u64>(shared) | load<u64>(shared, 8) | load<u64>(shared, 16) | load<u64>(shared, 24)) != 0;
}

/** Writes the 32 bytes of the public key that belongs to 32 bytes of secret, which may be any. */
export function x25519_public(publicKey: usize, secret: usize): void {
  x25519(publicKey, secret, BASE_U);
}

function ladder(): void {
  memory.fill(X, 0, 4 * FIELD);
  store<u32>(X, 1);
  memory.copy(X_NEXT, U, FIELD);
  store<u32>(Z_NEXT, 1);
  let swapped = 0;
  for (let i = 254; i >= 0; i--) {
    const bit = <i32>(<u32>load<u8>(SCALAR + (i >> 3)) >> (i & 7)) & 1;
    exchange(bit ^ swapped);
    swapped = bit;
    step();
  }
  exchange(swapped);
}

/** Exchanges the two multiples if `bit` is 1. */
function exchange(bit: i32): void {
  const mask = -(<i64>bit);
  for (let p = X; p < X_NEXT; p += 8) {
    const difference = (load<i64>(p) ^ load<i64>(p, 72)) & mask;
    store<i64>(p, load<i64>(p) ^ difference);
    store<i64>(p, load<i64>(p, 72) ^ difference, 72);
  }
}

/** Doubles the first multiple and adds it to the second (RFC 7748, 5). */
function step(): void {
  field_add_reduced(A, X, Z);
  field_subtract(B, X, Z); // 1
  field_add_reduced(C, X_NEXT, Z_NEXT);
  field_subtract(D, X_NEXT, Z_NEXT); // 1
  field_multiply(D, D, A);
  field_multiply(C, C, B);
  field_square(A, A, 1);
  field_square(B, B, 1);
  field_add_reduced(X_NEXT, D, C);
  field_subtract(Z_NEXT, D, C); // 1
  field_square(X_NEXT, X_NEXT, 1);
  field_square(Z_NEXT, Z_NEXT, 1);
  field_multiply(Z_NEXT, Z_NEXT, U);
  field_multiply(X, A, B);
  field_subtract(B, A, B); // 1
  field_multiply(C, B, A24);
  field_add(C, C, A); // 2
  field_multiply(Z, B, C);
}
