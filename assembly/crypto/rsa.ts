// RSASSA-PSS verification (RFC 8017, 8.1.2 and 9.1.2) with SHA-256, or SHA-512 where that is said, and MGF1 with the
// same, for salts of any length.
// Keys: a modulus of 2048 to 4096 bits, odd; an exponent below 2^32, odd and at least 3. The limit on the exponent bounds
// the work: 63 products for the worst, 17 for the usual 65537.
import { der_is } from "./der";
import { integer_below, integer_load, integer_multiply, integer_store } from "./integer";
import {
  RSA_DIGEST, RSA_HASH, RSA_MESSAGE, RSA_MODULUS, RSA_POWER, RSA_PRODUCT, RSA_SIGNATURE,
} from "./memory";
import { sha256_begin, sha256_end, sha256_update } from "./sha256";
import { sha512_begin, sha512_end, sha512_update } from "./sha512";

const SHORTEST: u32 = 256;
/** Bytes of the longest modulus. */
export const RSA_LONGEST: u32 = 512;

const HASH: u32 = 32;
const TRAILER: u32 = 0xbc;
// @ts-ignore: decorator
@lazy const ZEROS = memory.data<u64>([0]);

/** Digests, H and MGF1 are of SHA-512. */
let wide: bool = false;

/** Says whether signatures are over SHA-512 from now on, and not over SHA-256. */
export function rsa_widen(on: bool): void {
  wide = on;
}

/**
 * Whether the `length` bytes at `signature` sign the message with the SHA-256 `digest` (32 bytes; of SHA-512 64). The modulus is
 * `modulusLength` bytes, big endian, without zeros before it. `leastSalt`: how many bytes of salt the key asks for
 * at least (RFC 4055, 3.3).
 */
export function rsa_pss_verify(
  modulus: usize, modulusLength: u32, exponent: u32, leastSalt: u32, digest: usize, signature: usize, length: u32,
): bool {
  if (!key_is_sound(modulus, modulusLength, exponent) || length != modulusLength) return false;
  const spare = clz<u32>(load<u8>(modulus)) - 24;
  const count = ((modulusLength << 3) - spare + 28) / 29;
  integer_load(RSA_MODULUS, modulus, modulusLength, count + 1);
  integer_load(RSA_SIGNATURE, signature, length, count + 1);
  if (!integer_below(RSA_SIGNATURE, RSA_MODULUS, count + 1)) return false;
  power(exponent, count);
  integer_store(RSA_MESSAGE, RSA_SIGNATURE, modulusLength);
  // The encoded message has one bit less than the modulus; where that is whole bytes, the first byte is not part of it.
  const em = RSA_MESSAGE;
  if (spare < 7) return pss_holds(em, modulusLength, spare + 1, leastSalt, digest);
  return !load<u8>(em) && pss_holds(em + 1, modulusLength - 1, 0, leastSalt, digest);
}

function key_is_sound(modulus: usize, length: u32, exponent: u32): bool {
  if (length < SHORTEST || length > RSA_LONGEST) return false;
  const first = load<u8>(modulus);
  return first >= (length == SHORTEST ? 0x80 : 1) && (load<u8>(modulus + length - 1) & 1) != 0 && exponent >= 3 &&
    (exponent & 1) != 0;
}

/** Raises the signature to the power of the exponent. */
function power(exponent: u32, count: u32): void {
  let result = RSA_POWER;
  let next = RSA_PRODUCT;
  memory.copy(result, RSA_SIGNATURE, (count + 1) << 2);
  for (let bit: u32 = 0x40000000 >> clz(exponent); bit; bit >>= 1) {
    integer_multiply(next, result, result, RSA_MODULUS, count);
    if (exponent & bit) {
      integer_multiply(result, next, RSA_SIGNATURE, RSA_MODULUS, count);
    } else {
      const swap = result;
      result = next;
      next = swap;
    }
  }
  memory.copy(RSA_SIGNATURE, result, (count + 1) << 2);
}

/**
 * The check of EMSA-PSS: H, before the trailer, is the hash of eight zeros, the digest and the salt, which ends what is in
 * front of H, masked, after zeros and a 1. `spare`: how many bits of the first byte must be 0.
 */
function pss_holds(em: usize, length: u32, spare: u32, leastSalt: u32, digest: usize): bool {
  const width: u32 = wide ? 2 * HASH : HASH;
  const h = em + length - width - 1;
  if (load<u8>(em + length - 1) != TRAILER || <u32>load<u8>(em) >> (8 - spare)) return false;
  unmask(em, h, width);
  store<u8>(em, <u32>load<u8>(em) & (0xff >> spare));
  let salt = em;
  while (salt < h && !load<u8>(salt)) salt++;
  if (salt == h || load<u8>(salt++) != 1 || h - salt < leastSalt) return false;
  begin(ZEROS, 8);
  update(digest, width);
  update(salt, <u32>(h - salt));
  end();
  return der_is(RSA_DIGEST, RSA_DIGEST + width, h, width);
}

/** MGF1: what lies before H is xored with the hashes of H and a counter of four bytes. */
function unmask(at: usize, h: usize, width: u32): void {
  for (let counter: u32 = 0; at < h; counter++) {
    store<u32>(RSA_DIGEST, bswap(counter));
    begin(h, width);
    update(RSA_DIGEST, 4);
    end();
    for (let i: usize = 0; i < width && at < h; i++) {
      store<u8>(at, load<u8>(at) ^ load<u8>(RSA_DIGEST + i));
      at++;
    }
  }
}

function begin(data: usize, length: u32): void {
  if (wide) sha512_begin(RSA_HASH);
  else sha256_begin(RSA_HASH);
  update(data, length);
}

function update(data: usize, length: u32): void {
  if (wide) sha512_update(RSA_HASH, data, length);
  else sha256_update(RSA_HASH, data, length);
}

function end(): void {
  if (wide) sha512_end(RSA_HASH, RSA_DIGEST);
  else sha256_end(RSA_HASH, RSA_DIGEST);
}
