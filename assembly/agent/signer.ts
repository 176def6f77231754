// A signature by the key of this device over what streams past once, into a SHA-512 at SIGNING. Its nonce is made of the
// secret and of bytes that the caller names, the same at the begin and at the end. Two messages under one nonce would give
// the key away: these bytes are of one message only.

import { ed25519_sign_begin, ed25519_sign_end } from "../crypto/ed25519device";
import { SHA512_CONTEXT } from "../crypto/sha512";
import { key_forget, key_load, KEY_RECORD, OWN_PUBLIC, OWN_SECRET, OWN_SIGNER } from "../install/key";
import { SIGNING } from "../memory";
import { Status } from "../status";

/** Bytes of a signature. */
export const SIGNATURE_SIZE: u32 = 64;
const SIGNATURE: usize = SIGNING + SHA512_CONTEXT;
/** What a nonce is made of where it is not the message itself, 40 bytes. */
export const NONCE: usize = SIGNATURE + SIGNATURE_SIZE;
export const NONCE_SIZE: u32 = 40;

/** Begins the hash that then takes in the message; or, with `out`, writes the signature there. KEY_MISSING: no key. */
export function signer(data: usize, length: u32, out: usize): Status {
  const status = key_load(OWN_PUBLIC, 0, KEY_RECORD);
  if (status == Status.OK) {
    if (out == 0) ed25519_sign_begin(SIGNATURE, SIGNING, OWN_SECRET, OWN_SIGNER, data, length);
    else {
      ed25519_sign_end(SIGNATURE, SIGNING, OWN_SECRET, data, length);
      memory.copy(out, SIGNATURE, SIGNATURE_SIZE);
    }
  }
  key_forget();
  return status;
}
