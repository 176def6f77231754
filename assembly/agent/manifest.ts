// The vehicle version manifest of a Primary (Uptane Standard 2.1.0, 5.4.2.1; docs/formats.md, "Vehicle version manifest"):
// the host composes it of the reports of the vehicle's ECUs, and the core signs it as it streams past. It is signed as a
// manifest and as nothing else: what is signed begins as no report does. Boards with the lean core are Secondaries.

import { sha512_update } from "../crypto/sha512";
import * as host from "../host";
import { IO_BUFFER, IO_CAPACITY, SIGNING } from "../memory";
import { Status } from "../status";
import { report_counter } from "./report";
import { NONCE, NONCE_SIZE, signer, SIGNATURE_SIZE } from "./signer";

const enum Stage {
  NONE = 0,
  /** a report was made, and no manifest since */
  ALLOWED = 1,
  /** its bytes are read */
  READING = 2,
}

let stage: Stage = Stage.NONE;

/** `ecu_`, as a manifest begins in canonical form behind `{"`; a report does not. */
const BEGINNING: u32 = 0x5f756365;

/** There is another report: one manifest may be signed. */
export function manifest_allow(): void {
  stage = Stage.ALLOWED;
}

/**
 * Reads the next bytes of the manifest, in canonical form, from the buffer; the first piece has 8 or more. KEY_MISSING: no
 * key, or no random bytes, without which nothing is signed that passes but once. WRONG_STATE: report_write comes before it.
 */
export function manifest_write(length: u32): Status {
  if (isDefined(LEAN)) return Status.WRONG_STATE;
  if (length > IO_CAPACITY) return Status.BAD_ARGUMENT;
  if (stage == Stage.ALLOWED) {
    if (load<u32>(IO_BUFFER, 2) != BEGINNING) return Status.BAD_ARGUMENT;
    // The number of the report tells it from all others, so that no nonce is made twice though the random bytes came
    // again; and those do, where the store was set back.
    store<u32>(NONCE, report_counter);
    if (host.entropy(NONCE + 8, 32) < 0) return Status.KEY_MISSING;
    const status = signer(NONCE, NONCE_SIZE, 0);
    if (status != Status.OK) return status;
    stage = Stage.READING;
  }
  if (stage != Stage.READING) return Status.WRONG_STATE;
  sha512_update(SIGNING, IO_BUFFER, length);
  return Status.OK;
}

/** All was read: writes the signature into the buffer; its length. */
export function manifest_end(): i32 {
  if (isDefined(LEAN)) return Status.WRONG_STATE;
  if (stage != Stage.READING) return Status.WRONG_STATE;
  stage = Stage.NONE;
  const status = signer(NONCE, NONCE_SIZE, IO_BUFFER);
  return status == Status.OK ? SIGNATURE_SIZE : status;
}
