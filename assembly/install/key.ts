// The key of this device, 32 bytes of secret: payloads are encrypted for the X25519 key that it is (RFC 7748), and
// reports are signed with the Ed25519 key whose seed it is (RFC 8032, which hashes it first). With the public keys of
// both it is a record of the trust store. The secret leaves the core nowhere; no update is trusted because of it.

import { bytes_all } from "../bytes";
import { ed25519_public } from "../crypto/ed25519device";
import { x25519_public } from "../crypto/x25519";
import { ENCRYPTION } from "../lean";
import { COPY_BUFFER, COPY_SIZE, DEVICE_KEY } from "../memory";
import { Status } from "../status";
import { flash_read } from "../storage/flash";
import { Kind, record_replace, store_bank, store_entry } from "../storage/record";

/** Bytes of a public key, and of a secret. */
export const KEY_SIZE: u32 = 32;

/** What is in DEVICE_KEY behind the public key of somebody else, in the order of the record. */
export const OWN_PUBLIC = DEVICE_KEY + KEY_SIZE;
export const OWN_SECRET = OWN_PUBLIC + KEY_SIZE;
export const OWN_SIGNER = OWN_SECRET + KEY_SIZE;

/** Where the public key of reports is in the record. Devices that got their key from cores of before have none. */
export const SIGNER_AT: u32 = 2 * KEY_SIZE;
export const KEY_RECORD: u32 = 3 * KEY_SIZE;

export function key_exists(): bool {
  return store_entry(Kind.KEY).length != 0;
}

/** Reads `length` bytes of the record from `from` on. KEY_MISSING: there are not so many. */
export function key_load(pointer: usize, from: u32, length: u32): Status {
  const entry = store_entry(Kind.KEY);
  return entry.length >= from + length ? flash_read(store_bank(), entry.offset + from, pointer, length) : Status.KEY_MISSING;
}

/** Keeps the secret at OWN_SECRET, which is then gone there. BAD_ARGUMENT: one byte again and again is no secret. */
export function key_keep(): Status {
  let status: Status = Status.BAD_ARGUMENT;
  if (!bytes_all(OWN_SECRET, KEY_SIZE, load<u8>(OWN_SECRET))) {
    if (ENCRYPTION) x25519_public(OWN_PUBLIC, OWN_SECRET);
    else memory.fill(OWN_PUBLIC, 0, KEY_SIZE);
    ed25519_public(OWN_SIGNER, OWN_SECRET);
    status = record_replace(Kind.KEY, OWN_PUBLIC, KEY_RECORD, 0);
  }
  key_forget();
  return status;
}

/** Clears what of the key is in memory, where it was compared with the record too. */
export function key_forget(): void {
  memory.fill(DEVICE_KEY, 0, 4 * KEY_SIZE);
  memory.fill(COPY_BUFFER, 0, COPY_SIZE);
}
