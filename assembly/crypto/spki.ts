// Public keys as others write them: SubjectPublicKeyInfo in DER (RFC 5280, 4.1.2.7) of P-256 (RFC 5480), RSA
// (RFC 8017, A.1 and RFC 4055) and Ed25519 (RFC 8410), the same in PEM (RFC 7468), and keys in hex.
import { DER_BIT_STRING, DER_OBJECT, DER_SEQUENCE, der_close, der_is, der_open, der_unsigned, der_whole } from "./der";
import { P256_KEY } from "./p256";

/** What `spki_parse` finds; 0 is what it refuses. */
export const SPKI_P256: i32 = 1;
export const SPKI_RSA: i32 = 2;
export const SPKI_ED25519: i32 = 3;

// A key, 16 bytes, 4-byte aligned:
//   0   u32   where the point of 65 bytes lies, the Ed25519 key of 32, or the modulus, without zeros before it
//   4   u32   bytes of the modulus
//   8   u32   the exponent
//   12  u32   the least length of salt that the key asks for

/** Bytes of a key. */
export const SPKI_KEY: u32 = 16;

/** All of a P-256 key before the point. */
// @ts-ignore: decorator
@lazy const P256_PREFIX = memory.data<u8>([
  0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
  0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
]);
/** All of an Ed25519 key before its 32 bytes. */
// @ts-ignore: decorator
@lazy const ED25519_PREFIX = memory.data<u8>([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]);
/** 1.2.840.113549.1.1.1, .8 and .10 but for the last byte: rsaEncryption, id-mgf1, id-RSASSA-PSS. */
// @ts-ignore: decorator
@lazy const PKCS1 = memory.data<u8>([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01]);
const RSA_ENCRYPTION: u32 = 1;
const MGF1: u32 = 8;
const RSASSA_PSS: u32 = 10;
/** 2.16.840.1.101.3.4.2.1 */
// @ts-ignore: decorator
@lazy const SHA256 = memory.data<u8>([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]);

/** The salt of RSASSA-PSS where the parameters name none. */
const DEFAULT_SALT: u32 = 20;

/**
 * Reads the `length` bytes at `der` and describes the key that they hold, in place, in the 16 bytes at `key`. Returns
 * its kind, or 0: malformed, of another kind, or not for SHA-256. Whether point and modulus are sound is for
 * `p256_verify` and `rsa_pss_verify` to say.
 */
export function spki_parse(key: usize, der: usize, length: u32): i32 {
  if (length == 26 + P256_KEY && der_is(der, der + 26, P256_PREFIX, 26)) {
    store<u32>(key, der + 26);
    return SPKI_P256;
  }
  if (length == 12 + 32 && der_is(der, der + 12, ED25519_PREFIX, 12)) {
    store<u32>(key, der + 12);
    return SPKI_ED25519;
  }
  const end = der + length;
  const algorithm = der_whole(der, end, DER_SEQUENCE);
  if (!algorithm || !rsa_algorithm(key, algorithm, end)) return 0;
  const bits = der_whole(der_close(algorithm), end, DER_BIT_STRING);
  return bits && bits < end && !load<u8>(bits) && rsa_key(key, bits + 1, end) ? SPKI_RSA : 0;
}

/** The AlgorithmIdentifier of an RSA key: rsaEncryption, or RSASSA-PSS with or without parameters. */
function rsa_algorithm(key: usize, at: usize, end: usize): bool {
  const object = der_open(at, end, DER_SEQUENCE);
  if (!object) return false;
  end = der_close(at);
  const id = pkcs1_object(object, end);
  if (!id) return false;
  const parameters = der_close(object);
  store<u32>(key, 0, 12);
  if (id == RSA_ENCRYPTION) return is_null(parameters, end);
  return id == RSASSA_PSS && (parameters == end || pss_parameters(key, parameters, end));
}

/** RSASSA-PSS-params that ask for SHA-256 in both places, with the only trailer there is left out, as DER wants. */
function pss_parameters(key: usize, at: usize, end: usize): bool {
  const first = der_whole(at, end, DER_SEQUENCE);
  if (!first) return false;
  const hash = der_open(first, end, 0xa0);
  if (!hash) return false;
  const second = der_close(first);
  const mask = der_open(second, end, 0xa1);
  if (!mask) return false;
  const third = der_close(second);
  const object = der_whole(mask, third, DER_SEQUENCE);
  if (!object || pkcs1_object(object, third) != MGF1) return false;
  return is_sha256(hash, second) && is_sha256(der_close(object), third) && pss_salt(key, third, end);
}

function pss_salt(key: usize, at: usize, end: usize): bool {
  store<u32>(key, DEFAULT_SALT, 12);
  if (at == end) return true;
  const salt = der_whole(at, end, 0xa2);
  return salt != 0 && small_integer(key + 12, salt, end);
}

/** The last byte of an object identifier of PKCS #1, or 0. */
function pkcs1_object(at: usize, end: usize): u32 {
  const id = der_open(at, end, DER_OBJECT);
  return id && der_is(id, der_close(at) - 1, PKCS1, 8) ? load<u8>(id, 8) : 0;
}

/** Whether this is the AlgorithmIdentifier of SHA-256: both forms of having no parameters are the same (RFC 4055, 2.1). */
function is_sha256(at: usize, end: usize): bool {
  const object = der_whole(at, end, DER_SEQUENCE);
  if (!object) return false;
  const id = der_open(object, end, DER_OBJECT);
  if (!id) return false;
  const parameters = der_close(object);
  return der_is(id, parameters, SHA256, 9) && (parameters == end || is_null(parameters, end));
}

function is_null(at: usize, end: usize): bool {
  return end - at == 2 && load<u16>(at) == 5;
}

/** RSAPublicKey. */
function rsa_key(key: usize, at: usize, end: usize): bool {
  const first = der_whole(at, end, DER_SEQUENCE);
  if (!first) return false;
  const modulus = der_unsigned(first, end);
  if (!modulus) return false;
  const second = der_close(first);
  store<u32>(key, <u32>modulus);
  store<u32>(key, <u32>(second - modulus), 4);
  return small_integer(key + 8, second, end);
}

/** An integer in [0, 2^32) that takes up all from `at` to `end`. */
function small_integer(out: usize, at: usize, end: usize): bool {
  let digit = der_unsigned(at, end);
  if (!digit || der_close(at) != end || end - digit > 4) return false;
  let value: u32 = 0;
  while (digit < end) value = (value << 8) | load<u8>(digit++);
  store<u32>(out, value);
  return true;
}

/** "-----BEGIN PUBLIC KEY-----" */
// @ts-ignore: decorator
@lazy const BEGIN = memory.data<u8>([
  0x2d, 0x2d, 0x2d, 0x2d, 0x2d, 0x42, 0x45, 0x47, 0x49, 0x4e, 0x20, 0x50, 0x55, 0x42, 0x4c, 0x49, 0x43, 0x20, 0x4b,
  0x45, 0x59, 0x2d, 0x2d, 0x2d, 0x2d, 0x2d,
]);
/** "-----END PUBLIC KEY-----" */
// @ts-ignore: decorator
@lazy const END = memory.data<u8>([
  0x2d, 0x2d, 0x2d, 0x2d, 0x2d, 0x45, 0x4e, 0x44, 0x20, 0x50, 0x55, 0x42, 0x4c, 0x49, 0x43, 0x20, 0x4b, 0x45, 0x59,
  0x2d, 0x2d, 0x2d, 0x2d, 0x2d,
]);

/**
 * Decodes one public key in PEM, with white space around and between but no other text. Writes DER to `out`, which may
 * be `text` itself, and returns its length; 0: refused.
 */
export function pem_decode(out: usize, text: usize, length: u32): u32 {
  let end = text + length;
  while (text < end && is_space(load<u8>(text))) text++;
  while (text < end && is_space(load<u8>(end - 1))) end--;
  if (end - text < 26 + 24 || !der_is(text, text + 26, BEGIN, 26) || !der_is(end - 24, end, END, 24)) return 0;
  return base64_decode(out, text + 26, end - 24);
}

/** Strict base64 (RFC 4648, 4) but for white space. */
export function base64_decode(out: usize, at: usize, end: usize): u32 {
  const begin = out;
  let held: u32 = 0;
  let bits: u32 = 0;
  let padding: u32 = 0;
  for (; at < end; at++) {
    const char = load<u8>(at);
    if (is_space(char)) continue;
    if (char == 0x3d) {
      padding += 2;
      continue;
    }
    const value = base64_value(char);
    if (value > 63 || padding) return 0;
    held = (held << 6) | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    store<u8>(out++, held >> bits);
  }
  return bits == 6 || bits != padding || held & ((1 << bits) - 1) ? 0 : <u32>(out - begin);
}

function base64_value(char: u32): u32 {
  if (char - 0x41 < 26) return char - 0x41;
  if (char - 0x61 < 26) return char - 0x61 + 26;
  if (char - 0x30 < 10) return char - 0x30 + 52;
  if (char == 0x2b) return 62;
  return char == 0x2f ? 63 : 64;
}

function is_space(char: u32): bool {
  return char == 0x20 || char - 0x09 < 5;
}

/** Decodes hex digits of either case into `out`, which may be `text` itself. Returns how many bytes; 0: refused. */
export function hex_decode(out: usize, text: usize, length: u32): u32 {
  if (length & 1) return 0;
  for (let i: u32 = 0; i < length; i += 2) {
    const high = hex_value(load<u8>(text + i));
    const low = hex_value(load<u8>(text + i, 1));
    if ((high | low) > 15) return 0;
    store<u8>(out++, (high << 4) | low);
  }
  return length >> 1;
}

function hex_value(char: u32): u32 {
  if (char - 0x30 < 10) return char - 0x30;
  const letter = (char | 0x20) - 0x61;
  return letter < 6 ? letter + 10 : 16;
}
