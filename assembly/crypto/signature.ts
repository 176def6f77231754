// Signatures by the names of their keys in TUF (4.2): keytype and scheme pick the kind, a key is read from any of its
// encodings, the message streams. Ed25519 needs key and signature before the message; P-256 and RSA need of the message
// only its SHA-256 digest, and key and signature when it is known: many may share one digest.
//
// A key, owned by the caller, 8-byte aligned:
//   0   u32  its kind
//   4   u32  bytes of its material
//   8   u32  RSA: the exponent
//   12  u32  RSA: the least length of salt that the key asks for
//   16  512 bytes  its material: 32 bytes, a point of 65, or a modulus
// Two keys of the same material are one key: who can sign for a modulus with one exponent can with every other.
//
// A context, owned by the caller, 8-byte aligned:
//   0   u32  the kind, or 0 where nothing can hold any more
//   8   the context of Ed25519, or that of SHA-256
import { DER_SEQUENCE, der_is } from "./der";
import { ED25519_CONTEXT, ed25519_verify_begin, ed25519_verify_end, ed25519_verify_update } from "./ed25519";
import { KEY_DER, KEY_FOUND, KEY_TEXT_MOST } from "./memory";
import { P256_KEY, p256_verify } from "./p256";
import { RSA_LONGEST, rsa_pss_verify } from "./rsa";
import { sha256_begin, sha256_end, sha256_update } from "./sha256";
import { hex_decode, pem_decode, SPKI_ED25519, SPKI_P256, SPKI_RSA, spki_parse } from "./spki";

/** The kinds, which are those of `spki_parse`. */
export const SIGNATURE_P256: i32 = SPKI_P256;
export const SIGNATURE_RSA: i32 = SPKI_RSA;
export const SIGNATURE_ED25519: i32 = SPKI_ED25519;
/** A keytype that is not known here. */
export const SIGNATURE_TYPE_UNKNOWN: i32 = -1;
/** A keytype that is known, with a scheme that is not. */
export const SIGNATURE_SCHEME_UNKNOWN: i32 = -2;

/** Bytes of a key, and where in it what tells it from others begins. */
export const SIGNATURE_KEY: u32 = 528;
export const SIGNATURE_MATERIAL: u32 = 16;

/** Bytes of a context. */
export const SIGNATURE_CONTEXT: u32 = 8 + ED25519_CONTEXT;

/** Where a key has the bytes of its material. */
export const SIGNATURE_LENGTH: usize = 4;

const LENGTH: usize = SIGNATURE_LENGTH;
const EXPONENT: usize = 8;
const LEAST_SALT: usize = 12;
const STREAM: usize = 8;

/** Bytes of an Ed25519 public key and of a signature. */
const ED25519_BARE: u32 = 32;
const ED25519_SIGNATURE: u32 = 64;

/** "ed25519", "ecdsa-sha2-nistp256", of which the first five are a name too, "rsassa-pss-sha256", the same of three. */
// @ts-ignore: decorator
@lazy const ED25519_NAME = memory.data<u8>([0x65, 0x64, 0x32, 0x35, 0x35, 0x31, 0x39]);
// @ts-ignore: decorator
@lazy const ECDSA_NAME = memory.data<u8>([
  0x65, 0x63, 0x64, 0x73, 0x61, 0x2d, 0x73, 0x68, 0x61, 0x32, 0x2d, 0x6e, 0x69, 0x73, 0x74, 0x70, 0x32, 0x35, 0x36,
]);
// @ts-ignore: decorator
@lazy const RSA_NAME = memory.data<u8>([
  0x72, 0x73, 0x61, 0x73, 0x73, 0x61, 0x2d, 0x70, 0x73, 0x73, 0x2d, 0x73, 0x68, 0x61, 0x32, 0x35, 0x36,
]);

/** The kind of signature that a keytype and a scheme name, or a negative status. */
export function signature_kind(type: usize, typeLength: u32, scheme: usize, schemeLength: u32): i32 {
  const typeEnd = type + typeLength;
  const schemeEnd = scheme + schemeLength;
  let kind = SIGNATURE_TYPE_UNKNOWN;
  let known = false;
  if (der_is(type, typeEnd, ED25519_NAME, 7)) {
    kind = SIGNATURE_ED25519;
    known = der_is(scheme, schemeEnd, ED25519_NAME, 7);
  } else if (der_is(type, typeEnd, RSA_NAME, 3)) {
    kind = SIGNATURE_RSA;
    known = der_is(scheme, schemeEnd, RSA_NAME, 17);
  } else if (der_is(type, typeEnd, ECDSA_NAME, 5) || der_is(type, typeEnd, ECDSA_NAME, 19)) {
    kind = SIGNATURE_P256;
    known = der_is(scheme, schemeEnd, ECDSA_NAME, 19);
  }
  return known || kind < 0 ? kind : SIGNATURE_SCHEME_UNKNOWN;
}

/**
 * Reads a public key of a kind: the bare key, its hex digits, or its SubjectPublicKeyInfo in DER or PEM; RSA keys have
 * the latter two alone. False: malformed, or of another kind. `key` may begin where `bytes` does. Whether a point or a
 * modulus is sound is said when a signature is verified.
 */
export function signature_key(key: usize, kind: i32, bytes: usize, length: u32): bool {
  const bare = kind == SIGNATURE_P256 ? P256_KEY : kind == SIGNATURE_ED25519 ? ED25519_BARE : 0;
  let material = bytes;
  memory.fill(KEY_FOUND, 0, 16);
  if (!bare || length != bare) {
    material = bare && length == 2 * bare ? hex_material(bytes, length) : spki_material(kind, bytes, length);
  }
  length = bare || load<u32>(KEY_FOUND, LENGTH);
  if (!material || length > RSA_LONGEST) {
    store<u32>(key, 0);
    return false;
  }
  memory.copy(key + SIGNATURE_MATERIAL, material, length);
  memory.copy(key + EXPONENT, KEY_FOUND + EXPONENT, 8);
  store<u32>(key, length, LENGTH);
  store<u32>(key, kind);
  return true;
}

function hex_material(text: usize, length: u32): usize {
  return hex_decode(KEY_DER, text, length) ? KEY_DER : 0;
}

/** Where the material of a SubjectPublicKeyInfo is, which KEY_FOUND describes; 0: refused. */
function spki_material(kind: i32, bytes: usize, length: u32): usize {
  if (length && load<u8>(bytes) != DER_SEQUENCE) {
    if (length > KEY_TEXT_MOST) return 0;
    length = pem_decode(KEY_DER, bytes, length);
    bytes = KEY_DER;
  }
  const found = spki_parse(KEY_FOUND, bytes, length);
  return found && found == kind ? load<usize>(KEY_FOUND) : 0;
}

/** Starts a verification; key and signature may go until `signature_end`. False: refused already. */
export function signature_begin(ctx: usize, key: usize, signature: usize, length: u32): bool {
  const kind = load<i32>(key);
  let sound = kind != 0;
  if (kind != SIGNATURE_ED25519) sha256_begin(ctx + STREAM);
  else {
    sound = length == ED25519_SIGNATURE && ed25519_verify_begin(ctx + STREAM, key + SIGNATURE_MATERIAL, signature);
  }
  store<i32>(ctx, sound ? kind : 0);
  return sound;
}

/** Hashes the next `length` bytes of the message at `data`. */
export function signature_update(ctx: usize, data: usize, length: u32): void {
  const kind = load<i32>(ctx);
  if (kind == SIGNATURE_ED25519) ed25519_verify_update(ctx + STREAM, data, length);
  else if (kind) sha256_update(ctx + STREAM, data, length);
}

/** Whether the signature holds: once after each begin, with the same key and signature. */
export function signature_end(ctx: usize, key: usize, signature: usize, length: u32): bool {
  const kind = load<i32>(ctx);
  store<i32>(ctx, 0);
  if (!kind || kind != load<i32>(key)) return false;
  const stream = ctx + STREAM;
  if (kind == SIGNATURE_ED25519) return ed25519_verify_end(stream);
  sha256_end(stream, stream);
  return signature_verify_digest(key, stream, signature, length);
}

/** Whether a signature by P-256 or RSA holds for a message with the SHA-256 `digest` (32 bytes). Never by Ed25519. */
export function signature_verify_digest(key: usize, digest: usize, signature: usize, length: u32): bool {
  const material = key + SIGNATURE_MATERIAL;
  switch (load<i32>(key)) {
    case SIGNATURE_P256:
      return p256_verify(material, digest, signature, length);
    case SIGNATURE_RSA:
      return rsa_pss_verify(
        material, load<u32>(key, LENGTH), load<u32>(key, EXPONENT), load<u32>(key, LEAST_SALT), digest, signature, length,
      );
    default:
      return false;
  }
}
