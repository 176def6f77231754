// Cryptography for interpreters and microcontrollers: no heap, no imports, contexts owned by the caller.
export { SHA256_CONTEXT, sha256_begin, sha256_end, sha256_restore, sha256_save, sha256_update } from "./sha256";
export { SHA512_CONTEXT, sha512_begin, sha512_end, sha512_update } from "./sha512";
export { ED25519_CONTEXT, ed25519_verify_begin, ed25519_verify_end, ed25519_verify_update } from "./ed25519";
