// HMAC-SHA256 (RFC 2104) and HKDF-SHA256 (RFC 5869). Scratch is cleared after each call.
//
// A context of HMAC, owned by the caller, 8-byte aligned; cleared by the end:
//   0    104 bytes  SHA-256 of the inner padded key and the message
//   104  104 bytes  SHA-256 of the outer padded key
import { SCHEDULE, scratch_wipe, SECRETS } from "./memory";
import { SHA256_CONTEXT, sha256_begin, sha256_end, sha256_update } from "./sha256";

/** Bytes of a context of HMAC. */
export const HMAC_SHA256_CONTEXT: u32 = 208;
/** The most bytes that one expansion gives: 255 digests. */
export const HKDF_SHA256_MOST: u32 = 8160;

const BLOCK: u32 = 64;
const OUTER: usize = SHA256_CONTEXT;

const PADDED = SECRETS;
const HMAC = SECRETS + 64;
const OUTPUT = SECRETS + 272;
const COUNTER = SECRETS + 304;

/** Starts an authentication with a key of `length` bytes. */
export function hmac_sha256_begin(ctx: usize, key: usize, length: u32): void {
  memory.fill(PADDED, 0, BLOCK);
  if (length > BLOCK) {
    sha256_begin(ctx);
    sha256_update(ctx, key, length);
    sha256_end(ctx, PADDED);
  } else {
    memory.copy(PADDED, key, length);
  }
  pad(ctx, 0x3636363636363636);
  pad(ctx + OUTER, 0x6a6a6a6a6a6a6a6a); // 0x5c where 0x36 is
  memory.fill(PADDED, 0, BLOCK);
  memory.fill(SCHEDULE, 0, 1024);
}

/** Starts a hash with the padded key, which keeps this padding until the next. */
function pad(ctx: usize, padding: u64): void {
  for (let i: usize = 0; i < BLOCK; i += 8) store<u64>(PADDED + i, load<u64>(PADDED + i) ^ padding);
  sha256_begin(ctx);
  sha256_update(ctx, PADDED, BLOCK);
}

/** Authenticates the next `length` bytes at `data`. */
export function hmac_sha256_update(ctx: usize, data: usize, length: u32): void {
  sha256_update(ctx, data, length);
}

/** Writes the 32 bytes of the code to `mac` and clears the context. */
export function hmac_sha256_end(ctx: usize, mac: usize): void {
  sha256_end(ctx, mac);
  sha256_update(ctx + OUTER, mac, 32);
  sha256_end(ctx + OUTER, mac);
  memory.fill(ctx, 0, HMAC_SHA256_CONTEXT);
  memory.fill(SCHEDULE, 0, 1024);
}

/** RFC 5869, 2.2: a pseudorandom key of 32 bytes at `prk`, from a salt and a secret of any length, 0 too. */
export function hkdf_sha256_extract(
  prk: usize, salt: usize, saltLength: u32, secret: usize, secretLength: u32,
): void {
  hmac_sha256_begin(HMAC, salt, saltLength);
  hmac_sha256_update(HMAC, secret, secretLength);
  hmac_sha256_end(HMAC, prk);
}

/**
 * RFC 5869, 2.3: writes `length` bytes, at most HKDF_SHA256_MOST, to `out`; false, and nothing is written, for
 * more. `out` overlaps neither `prk` nor `info`, except that 32 bytes may replace the key.
 */
export function hkdf_sha256_expand(out: usize, length: u32, prk: usize, info: usize, infoLength: u32): bool {
  if (length > HKDF_SHA256_MOST) return false;
  for (let done: u32 = 0, count: u32 = 1; done < length; done += 32, count++) {
    hmac_sha256_begin(HMAC, prk, 32);
    if (done) hmac_sha256_update(HMAC, OUTPUT, 32);
    hmac_sha256_update(HMAC, info, infoLength);
    store<u8>(COUNTER, count);
    hmac_sha256_update(HMAC, COUNTER, 1);
    hmac_sha256_end(HMAC, OUTPUT);
    memory.copy(out + done, OUTPUT, min<u32>(32, length - done));
  }
  scratch_wipe();
  return true;
}
