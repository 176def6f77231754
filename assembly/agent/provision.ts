// Configuration, the key for payloads and the roots of trust are given once, each in chunks through the buffer; that
// of the Image repository, or the only one, is the last.

import { Part } from "../abi";
import * as host from "../host";
import { key_forget, key_keep, key_load, KEY_SIZE, OWN_SECRET, SIGNER_AT } from "../install/key";
import { IO_BUFFER, IO_CAPACITY } from "../memory";
import { ENCRYPTION } from "../lean";
import { Mode, profile } from "../metadata/profile";
import { Status } from "../status";
import {
  Kind,
  record_abort,
  record_begin,
  record_commit,
  record_finish,
  record_length,
  record_offset,
  record_write,
  store_bank,
  store_entry,
  store_format,
  store_mount,
} from "../storage/record";
import { root_provision } from "../tuf/workflow";
import { components_read } from "./components";
import { MAX_CONFIG } from "./config";
import { Phase, run } from "./run";
import { core_start } from "./start";

/** The part that is being provisioned. */
let part: Part = Part.CONFIG;
/** Bytes of a key that were given. */
let given: u32 = 0;

export function provision_begin(wanted: Part): Status {
  const last: i32 = isDefined(SMALL) ? Part.ROOT : Part.DIRECTOR;
  if (<u32>wanted > <u32>last) return Status.BAD_ARGUMENT;
  if (run.phase != Phase.UNUSABLE && run.phase != Phase.PROVISION) return Status.ALREADY_PROVISIONED;
  run.phase = Phase.UNUSABLE;
  let status = store_mount();
  if (status == Status.OK && store_entry(Kind.ROOT).length != 0) return Status.ALREADY_PROVISIONED;
  if (wanted != Part.CONFIG && store_entry(Kind.CONFIG).length == 0) return Status.WRONG_STATE;
  if (status == Status.NOT_PROVISIONED) status = store_format();
  if (status != Status.OK) return status;
  const whole = isDefined(SMALL) || wanted != Part.ROOT || profile.mode != Mode.FULL || store_entry(Kind.DIRECTOR_ROOT).length != 0;
  if (!whole) return Status.WRONG_STATE;
  if (isDefined(SMALL) || wanted != Part.KEY) record_begin(kind_of(wanted));
  part = wanted;
  given = 0;
  run.phase = Phase.PROVISION;
  return Status.OK;
}

function kind_of(part: Part): Kind {
  if (part == Part.CONFIG) return Kind.CONFIG;
  return isDefined(SMALL) || part == Part.ROOT ? Kind.ROOT : Kind.DIRECTOR_ROOT;
}

export function provision_write(length: u32): Status {
  if (run.phase != Phase.PROVISION) return Status.WRONG_STATE;
  if (length > IO_CAPACITY) return Status.BAD_ARGUMENT;
  if (part == Part.CONFIG && record_length() + length > MAX_CONFIG) return Status.CONFIG_INVALID;
  return !isDefined(SMALL) && part == Part.KEY ? take_key(length) : record_write(IO_BUFFER, length);
}

/** No byte of a key stays where the host sees it, or on flash before the key is whole. */
function take_key(length: u32): Status {
  if (length > KEY_SIZE - given) return Status.BAD_ARGUMENT;
  memory.copy(OWN_SECRET + given, IO_BUFFER, length);
  memory.fill(IO_BUFFER, 0, length);
  given += length;
  return Status.OK;
}

export function provision_end(): Status {
  if (run.phase != Phase.PROVISION) return Status.WRONG_STATE;
  run.phase = Phase.UNUSABLE;
  if (!isDefined(SMALL) && part == Part.KEY) return accept_key();
  const status = part == Part.CONFIG ? accept_config() : root_provision(part == Part.DIRECTOR);
  if (status != Status.OK) {
    record_abort();
    return status;
  }
  return part == Part.ROOT ? core_start() : Status.OK;
}

function accept_config(): Status {
  let status = record_finish();
  if (status == Status.OK) status = components_read(store_bank(), record_offset(), record_length());
  return status == Status.OK ? record_commit(0, 0, 0) : status;
}

/** KEY_MISSING: none was given, and this board has no random numbers to make one of. */
function accept_key(): Status {
  if (given == 0 && host.entropy(OWN_SECRET, KEY_SIZE) < 0) return Status.KEY_MISSING;
  if (given == 0 || given == KEY_SIZE) return key_keep();
  key_forget();
  return Status.BAD_ARGUMENT;
}

/**
 * Writes a public key of this device into the buffer: 0 the one that payloads are encrypted for (X25519), 1 the one that
 * its reports are signed with (Ed25519). Its length; or KEY_MISSING.
 */
export function public_key_read(which: i32): i32 {
  if (!ENCRYPTION && which == 0) return Status.KEY_MISSING;
  const status = key_load(IO_BUFFER, which == 0 ? 0 : SIGNER_AT, KEY_SIZE);
  return status == Status.OK ? KEY_SIZE : status;
}
