// Ed25519 signatures (RFC 8032, 5.1.5 and 5.1.6) for a module that verifies as well, in few bytes: multiples of the
// base point come from the first entries of the tables of verification. No branch and no address depends on a secret.
// Scratch is cleared after each call. Where speed counts there is ed25519sign.ts; a module has one of the two.
//
// The nonce is made of the secret and of bytes that the caller chooses: the message itself (RFC 8032), or what
// stands for it. What is signed must never differ under one nonce, or the two signatures give the secret away.
import { BASE_TABLE, BASE_TABLES } from "./base25519";
import { POINT, point_add, point_double, point_neutral, point_store } from "./edwards25519";
import { scratch_wipe, SECRETS } from "./memory";
import { scalar_multiply_add, scalar_reduce } from "./scalar25519";
import { SHA512_CONTEXT, sha512_begin, sha512_end, sha512_update } from "./sha512";

const SUM = SECRETS;
const BEFORE = SUM + POINT;
const HASH = SECRETS + 360;
/** The secret scalar and the prefix of nonces. */
const EXPANDED = HASH + SHA512_CONTEXT;
const WIDE = EXPANDED + 64;
// Zeros behind each.
const NONCE = WIDE + 64;
const HASHED = NONCE + 40;

/** Writes the 32 bytes of the public key that belongs to a seed, the secret key of RFC 8032. */
export function ed25519_public(publicKey: usize, seed: usize): void {
  expand(seed);
  base_multiply(publicKey, EXPANDED);
  scratch_wipe();
}

/**
 * Writes R, the first 32 bytes of a signature, and begins the hash that takes in the message: a context of SHA-512. The
 * nonce is made of the seed and of `length` bytes at `data`.
 */
export function ed25519_sign_begin(signature: usize, ctx: usize, seed: usize, publicKey: usize, data: usize, length: u32): void {
  make_nonce(seed, data, length);
  base_multiply(signature, NONCE);
  sha512_begin(ctx);
  sha512_update(ctx, signature, 32);
  sha512_update(ctx, publicKey, 32);
  scratch_wipe();
}

/** The hash has taken in the message: writes S behind R. Seed and data are those of the begin. */
export function ed25519_sign_end(signature: usize, ctx: usize, seed: usize, data: usize, length: u32): void {
  make_nonce(seed, data, length);
  sha512_end(ctx, WIDE);
  scalar_reduce(HASHED, WIDE);
  scalar_multiply_add(signature + 32, HASHED, EXPANDED, NONCE);
  scratch_wipe();
}

/** Writes the SHA-512 of two pieces. */
function hash(out: usize, first: usize, second: usize, length: u32): void {
  sha512_begin(HASH);
  sha512_update(HASH, first, 32);
  sha512_update(HASH, second, length);
  sha512_end(HASH, out);
}

function expand(seed: usize): void {
  hash(EXPANDED, seed, 0, 0);
  store<u8>(EXPANDED, load<u8>(EXPANDED) & 0xf8);
  store<u8>(EXPANDED, (load<u8>(EXPANDED, 31) & 0x7f) | 0x40, 31);
}

function make_nonce(seed: usize, data: usize, length: u32): void {
  expand(seed);
  hash(WIDE, EXPANDED + 32, data, length);
  memory.fill(NONCE, 0, 80);
  scalar_reduce(NONCE, WIDE);
}

/** Encodes the product of a scalar of 256 bits and the base point: one half of it times B, the other times 2^128 B. */
function base_multiply(out: usize, scalar: usize): void {
  point_neutral(SUM);
  for (let i: u32 = 256; i-- > 0; ) {
    const half = i & 1;
    if (half != 0) point_double(SUM);
    // Adds the multiple, and takes the sum where the bit is 1.
    const mask = -<i32>((<u32>load<u8>(scalar + (half << 4) + (i >> 4)) >> ((i >> 1) & 7)) & 1);
    memory.copy(BEFORE, SUM, POINT);
    point_add(SUM, BASE_TABLES + <usize>half * BASE_TABLE, true, false);
    for (let p = SUM; p < SUM + POINT; p += 4) {
      const before = load<i32>(p, POINT);
      store<i32>(p, before ^ ((before ^ load<i32>(p)) & mask));
    }
  }
  point_store(out, SUM);
}
