// Ed25519 keys and signatures (RFC 8032, 5.1.5 and 5.1.6), deterministic. No branch and no address depends on a
// secret: multiples of the base point are taken from a table by reading all of it. Scratch is cleared after each
// call; keys and contexts are the caller's to clear, except as said below.
//
// A message is read twice, for the nonce and for the signature:
//
//   ed25519_sign_begin   update …   ed25519_sign_again   update … (the same)   ed25519_sign_end
//
// A second reading that differs from the first would give the secret away (one nonce, two messages). So it is
// hashed for the nonce again, and the end refuses when the two nonces are not the same.
//
// A key, owned by the caller, 8-byte aligned:
//   0    32 bytes   secret scalar
//   32   32 bytes   secret prefix of the nonce
//   64   32 bytes   public key
//   96   32 bytes   SHA-256 of seed and public key: this seed's public key need not be computed again
//   128  u32        tables, 0 for those of the module
//
// A context, owned by the caller, 8-byte aligned:
//   0    200 bytes  SHA-512 of prefix and message
//   200  200 bytes  SHA-512 of R, public key and message
//   400  64 bytes   the first reading's digest
//   464  32 bytes   R
//   496  u32        key
//   500  u32        reading, 1 or 2; 0: none
import { BASE_MULTIPLES, BASE_TABLE, BASE_TABLES } from "./base25519";
import {
  AFFINE_MULTIPLE, POINT, point_add, point_affine_multiple, point_double, point_multiple, point_neutral,
  point_store,
} from "./edwards25519";
import { FIELD } from "./field25519";
import { hkdf_sha256_expand, hkdf_sha256_extract } from "./hkdf";
import { scratch_wipe, SECRETS } from "./memory";
import { ORDER, scalar_multiply_add, scalar_reduce } from "./scalar25519";
import { bytes_are_equal } from "./secret";
import { sha256_begin, sha256_end, sha256_update } from "./sha256";
import { sha512_begin, sha512_end, sha512_update } from "./sha512";

/** Bytes of a key. */
export const ED25519_KEY: u32 = 136;
/** Bytes of a signing context. */
export const ED25519_SIGN_CONTEXT: u32 = 504;
/** Where in a key the 32 bytes of the public key are. */
export const ED25519_PUBLIC_KEY: u32 = 64;
/** Bytes of the tables that make signing faster. */
export const ED25519_TABLES: u32 = 27648;

const PREFIX: usize = 32;
const OWNER: usize = 96;
const TABLES: usize = 128;

const CHALLENGE: usize = 200;
const DIGEST: usize = 400;
const R: usize = 464;
const KEY: usize = 496;
const READING: usize = 500;

/** Tables in ED25519_TABLES, and in the module: the j-th of n has the odd multiples of 2^(256 j / n) B. */
const MANY: usize = 32;
const FEW: usize = 2;

// The product of a scalar and the base point: the sum, a multiple, the scalar made odd.
const SUM = SECRETS;
const CHOSEN = SECRETS + 184;
const ODD = SECRETS + 296;

// While tables are made: a point, and twice the base of its table as a multiple.
const ENTRY = SECRETS + 184;
const TWICE = SECRETS + 368;

// Around that: a hash, its digest, scalars.
const HASH = SECRETS + 512;
const WIDE = SECRETS + 712;
// Zeros behind each.
const NONCE = SECRETS + 776;
const HASHED = SECRETS + 816;

/** "Ed25519 seed" */
const SEED_INFO = memory.data<u8>([0x45, 0x64, 0x32, 0x35, 0x35, 0x31, 0x39, 0x20, 0x73, 0x65, 0x65, 0x64]);

/**
 * Fills ED25519_TABLES bytes of the caller's, with which signing takes 0.6 times as long. They hold no secret,
 * serve all keys, and must outlive the keys that are made with them.
 */
export function ed25519_tables_make(tables: usize): void {
  point_neutral(SUM);
  point_add(SUM, BASE_TABLES, true, false);
  for (const end = tables + MANY * BASE_TABLE; tables < end; ) {
    memory.copy(ENTRY, SUM, POINT);
    point_double(SUM);
    point_multiple(TWICE, SUM);
    for (let i: usize = 0; i < BASE_MULTIPLES; i++) {
      point_affine_multiple(tables, ENTRY);
      point_add(ENTRY, TWICE, false, false);
      tables += AFFINE_MULTIPLE;
    }
    for (let i: usize = 1; i < 256 / MANY; i++) point_double(SUM);
  }
  scratch_wipe();
}

/**
 * Makes a key of the 32 bytes of its seed, the secret key of RFC 8032. `tables` is 0 or what the above made. Where
 * the last key was of the same seed, forgotten or not, this takes two hashes.
 */
export function ed25519_key_make(key: usize, seed: usize, tables: usize): void {
  sha512_begin(HASH);
  sha512_update(HASH, seed, 32);
  sha512_end(HASH, key);
  store<u8>(key, load<u8>(key) & 0xf8);
  store<u8>(key, (load<u8>(key, 31) & 0x7f) | 0x40, 31);
  store<u32>(key, tables, TABLES);
  owner_hash(key, seed);
  if (!bytes_are_equal(WIDE, key + OWNER, 32)) {
    base_multiply(key + ED25519_PUBLIC_KEY, key, tables);
    owner_hash(key, seed);
    memory.copy(key + OWNER, WIDE, 32);
  }
  scratch_wipe();
}

/** Clears what is secret in a key: it signs no more until it is made again. */
export function ed25519_key_forget(key: usize): void {
  memory.fill(key, 0, ED25519_PUBLIC_KEY);
}

/** WIDE = SHA-256 of the seed and the key's public key; without the seed nobody can make the two agree. */
function owner_hash(key: usize, seed: usize): void {
  sha256_begin(HASH);
  sha256_update(HASH, seed, 32);
  sha256_update(HASH, key + ED25519_PUBLIC_KEY, 32);
  sha256_end(HASH, WIDE);
}

/**
 * Makes a new seed, 32 bytes that the caller keeps, from at least 32 bytes of entropy (by HKDF-SHA256, so that
 * more bytes make up for a source with less than eight bits a byte). False, and nothing is written, if there are
 * fewer bytes, or all are the same: the source is dead.
 */
export function ed25519_seed_make(seed: usize, entropy: usize, length: u32): bool {
  if (length < 32) return false;
  let differences: u32 = 0;
  for (let i: u32 = 1; i < length; i++) differences |= load<u8>(entropy + i) ^ load<u8>(entropy);
  if (!differences) return false;
  hkdf_sha256_extract(seed, 0, 0, entropy, length);
  hkdf_sha256_expand(seed, 32, seed, SEED_INFO, 12);
  return true;
}

/** Starts a signature; the key must stay where and what it is until the end. */
export function ed25519_sign_begin(ctx: usize, key: usize): void {
  store<u32>(ctx, key, KEY);
  store<u32>(ctx, 1, READING);
  sha512_begin(ctx);
  sha512_update(ctx, key + PREFIX, 32);
  scratch_wipe();
}

/** Reads the next `length` bytes of the message at `data`. */
export function ed25519_sign_update(ctx: usize, data: usize, length: u32): void {
  sha512_update(ctx, data, length);
  if (load<u32>(ctx, READING) == 2) sha512_update(ctx + CHALLENGE, data, length);
}

/** Ends the first reading of the message and starts the second. False if that is not next, or the key is forgotten. */
export function ed25519_sign_again(ctx: usize): bool {
  const key: usize = load<u32>(ctx, KEY);
  if (load<u32>(ctx, READING) != 1 || !key_is_whole(key)) return false;
  sha512_end(ctx, ctx + DIGEST);
  scalar_reduce(NONCE, ctx + DIGEST);
  base_multiply(ctx + R, NONCE, load<u32>(key, TABLES));
  sha512_begin(ctx);
  sha512_update(ctx, key + PREFIX, 32);
  sha512_begin(ctx + CHALLENGE);
  sha512_update(ctx + CHALLENGE, ctx + R, 32);
  sha512_update(ctx + CHALLENGE, key + ED25519_PUBLIC_KEY, 32);
  store<u32>(ctx, 2, READING);
  scratch_wipe();
  return true;
}

/**
 * Writes the 64 bytes of the signature and clears the context. False, and no signature, if the message was not
 * read twice, or the second time was not the same, or the key was forgotten meanwhile.
 */
export function ed25519_sign_end(ctx: usize, signature: usize): bool {
  const key: usize = load<u32>(ctx, KEY);
  let sound = load<u32>(ctx, READING) == 2 && key_is_whole(key);
  if (sound) {
    sha512_end(ctx, WIDE);
    sound = bytes_are_equal(WIDE, ctx + DIGEST, 64);
  }
  if (sound) {
    memory.fill(NONCE, 0, 80);
    scalar_reduce(NONCE, WIDE);
    sha512_end(ctx + CHALLENGE, WIDE);
    scalar_reduce(HASHED, WIDE);
    memory.copy(signature, ctx + R, 32);
    scalar_multiply_add(signature + 32, HASHED, key, NONCE);
  }
  memory.fill(ctx, 0, ED25519_SIGN_CONTEXT);
  scratch_wipe();
  return sound;
}

/** Whether the scalar of a key is there: its bit 254 is always set. Without it S would be the bare nonce. */
function key_is_whole(key: usize): bool {
  return (load<u8>(key, 31) & 0x40) != 0;
}

/**
 * Encodes the product of a scalar below 2^255 and the base point. The scalar is made odd (L more changes nothing)
 * and read as 64 digits, each odd and below 16 in size: no digit is 0, so that each is the same work.
 */
function base_multiply(out: usize, scalar: usize, tables: usize): void {
  const count: usize = tables ? MANY : FEW;
  const from = tables ? tables : BASE_TABLES;
  const turns: usize = tables ? 64 / MANY : 64 / FEW;
  make_odd(scalar);
  point_neutral(SUM);
  for (let turn = turns; turn-- > 0; ) {
    if (turn < turns - 1) for (let i = 0; i < 4; i++) point_double(SUM);
    for (let i: usize = 0; i < count; i++) {
      choose(from + i * BASE_TABLE, digit_at(i * turns + turn));
      point_add(SUM, CHOSEN, true, false);
    }
  }
  point_store(out, SUM);
}

/** ODD = the scalar, or L more if it is even. Bit 256 is set, for the last digit. */
function make_odd(scalar: usize): void {
  const even = <u64>(load<u8>(scalar) & 1) - 1;
  let carry: u64 = 0;
  for (let i: usize = 0; i < 32; i += 4) {
    carry += (load<u32>(ORDER + i) & even) + load<u32>(scalar + i);
    store<u32>(ODD + i, <u32>carry);
    carry >>= 32;
  }
  store<u32>(ODD, 1, 32);
}

/** The i-th digit to the base of 16: the five bits from 4 i on, their lowest set, less 16. */
function digit_at(i: usize): i32 {
  return <i32>(((<u32>load<u16>(ODD + (i >> 1)) >> (<u32>(i & 1) << 2)) & 31) | 1) - 16;
}

/** CHOSEN = the multiple of that digit. Reads the whole table, and keeps one by masks. */
function choose(table: usize, digit: i32): void {
  const sign = digit >> 31;
  const index = ((digit ^ sign) - sign) >> 1;
  const m0 = mask(index, 0);
  const m1 = mask(index, 1);
  const m2 = mask(index, 2);
  const m3 = mask(index, 3);
  const m4 = mask(index, 4);
  const m5 = mask(index, 5);
  const m6 = mask(index, 6);
  const m7 = mask(index, 7);
  for (let at: usize = 0; at < AFFINE_MULTIPLE; at += 8) {
    const place = min<usize>(at, AFFINE_MULTIPLE - 8);
    const p = table + place;
    store<u64>(
      CHOSEN + place,
      (load<u64>(p) & m0) | (load<u64>(p, 108) & m1) | (load<u64>(p, 216) & m2) | (load<u64>(p, 324) & m3) |
      (load<u64>(p, 432) & m4) | (load<u64>(p, 540) & m5) | (load<u64>(p, 648) & m6) | (load<u64>(p, 756) & m7),
    );
  }
  // The negative has its first two elements exchanged and the third negated.
  for (let p = CHOSEN; p < CHOSEN + FIELD; p += 4) {
    const difference = (load<i32>(p) ^ load<i32>(p, 36)) & sign;
    store<i32>(p, load<i32>(p) ^ difference);
    store<i32>(p, load<i32>(p, 36) ^ difference, 36);
    store<i32>(p, (load<i32>(p, 72) ^ sign) - sign, 72);
  }
}

/** All ones if the two small numbers are equal, else 0. */
// @ts-ignore: decorator
@inline
function mask(a: i32, b: i32): u64 {
  return <u64>(<i64>((a ^ b) - 1) >> 63);
}
