// The key that payloads are encrypted for: 32 bytes of secret and the X25519 public key that belongs to them, a record
// of the trust store. The secret leaves the core nowhere; no update is trusted because of it.

import { bytes_all } from "../bytes";
import { x25519_public } from "../crypto/x25519";
import { COPY_BUFFER, COPY_SIZE, DEVICE_KEY } from "../memory";
import { Status } from "../status";
import { flash_read } from "../storage/flash";
import { Kind, record_replace, store_bank, store_entry } from "../storage/record";

/** Bytes of a public key, and of a secret. */
export const KEY_SIZE: u32 = 32;

/** What is in DEVICE_KEY behind the public key of somebody else, in the order of the record. */
export const OWN_PUBLIC = DEVICE_KEY + KEY_SIZE;
export const OWN_SECRET = OWN_PUBLIC + KEY_SIZE;

export function key_exists(): bool {
  return store_entry(Kind.KEY).length == 2 * KEY_SIZE;
}

/** Reads the first `length` bytes of the record, the public key first. KEY_MISSING: there is none. */
export function key_load(pointer: usize, length: u32): Status {
  return key_exists() ? flash_read(store_bank(), store_entry(Kind.KEY).offset, pointer, length) : Status.KEY_MISSING;
}

/** Keeps the secret at OWN_SECRET, which is then gone there. BAD_ARGUMENT: one byte again and again is no secret. */
export function key_keep(): Status {
  let status: Status = Status.BAD_ARGUMENT;
  if (!bytes_all(OWN_SECRET, KEY_SIZE, load<u8>(OWN_SECRET))) {
    x25519_public(OWN_PUBLIC, OWN_SECRET);
    status = record_replace(Kind.KEY, OWN_PUBLIC, 2 * KEY_SIZE, 0);
  }
  key_forget();
  return status;
}

/** Clears what of the key is in memory, where it was compared with the record too. */
export function key_forget(): void {
  memory.fill(DEVICE_KEY, 0, 3 * KEY_SIZE);
  memory.fill(COPY_BUFFER, 0, COPY_SIZE);
}
