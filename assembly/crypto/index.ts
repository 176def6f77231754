// Cryptography for interpreters and microcontrollers: no heap, no imports, contexts owned by the caller.
export { SHA256_CONTEXT, sha256_begin, sha256_end, sha256_restore, sha256_save, sha256_update } from "./sha256";
export { SHA512_CONTEXT, sha512_begin, sha512_end, sha512_update } from "./sha512";
export { ED25519_CONTEXT, ed25519_verify_begin, ed25519_verify_end, ed25519_verify_update } from "./ed25519";
export {
  ED25519_KEY, ED25519_PUBLIC_KEY, ED25519_SIGN_CONTEXT, ED25519_TABLES, ed25519_key_forget, ed25519_key_make,
  ed25519_seed_make, ed25519_sign_again, ed25519_sign_begin, ed25519_sign_end, ed25519_sign_update,
  ed25519_tables_make,
} from "./ed25519sign";
export { x25519, x25519_public } from "./x25519";
export {
  HKDF_SHA256_MOST, HMAC_SHA256_CONTEXT, hkdf_sha256_expand, hkdf_sha256_extract, hmac_sha256_begin,
  hmac_sha256_end, hmac_sha256_update,
} from "./hkdf";
export {
  CHACHA20POLY1305_CONTEXT, chacha20poly1305_begin, chacha20poly1305_data, chacha20poly1305_open,
  chacha20poly1305_open_end, chacha20poly1305_seal, chacha20poly1305_seal_end,
} from "./chacha20poly1305";
export { memory_used } from "./memory";
export { P256_KEY, p256_verify } from "./p256";
export { rsa_pss_verify } from "./rsa";
export { hex_decode, pem_decode, SPKI_ED25519, SPKI_KEY, SPKI_P256, SPKI_RSA, spki_parse } from "./spki";
export {
  SIGNATURE_CONTEXT, SIGNATURE_ED25519, SIGNATURE_KEY, SIGNATURE_MATERIAL, SIGNATURE_P256, SIGNATURE_RSA,
  SIGNATURE_SCHEME_UNKNOWN, SIGNATURE_TYPE_UNKNOWN, signature_begin, signature_end, signature_key, signature_kind,
  signature_update, signature_verify_digest,
} from "./signature";
