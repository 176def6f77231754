// Configuration and root of trust are given once, each in chunks through the buffer.

import { Part } from "../abi";
import { IO_BUFFER, IO_CAPACITY } from "../memory";
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
import { config_read, MAX_CONFIG } from "./config";
import { Phase, run } from "./run";
import { core_start } from "./start";

/** The part that is being provisioned. */
let part: Part = Part.CONFIG;

export function provision_begin(wanted: Part): Status {
  if (wanted != Part.CONFIG && wanted != Part.ROOT) return Status.BAD_ARGUMENT;
  if (run.phase != Phase.UNUSABLE && run.phase != Phase.PROVISION) return Status.ALREADY_PROVISIONED;
  run.phase = Phase.UNUSABLE;
  let status = store_mount();
  if (status == Status.OK && store_entry(Kind.ROOT).length != 0) return Status.ALREADY_PROVISIONED;
  if (wanted == Part.ROOT && store_entry(Kind.CONFIG).length == 0) return Status.WRONG_STATE;
  if (status == Status.NOT_PROVISIONED) status = store_format();
  if (status != Status.OK) return status;
  record_begin(wanted == Part.CONFIG ? Kind.CONFIG : Kind.ROOT);
  part = wanted;
  run.phase = Phase.PROVISION;
  return Status.OK;
}

export function provision_write(length: u32): Status {
  if (run.phase != Phase.PROVISION) return Status.WRONG_STATE;
  if (length > IO_CAPACITY) return Status.BAD_ARGUMENT;
  if (part == Part.CONFIG && record_length() + length > MAX_CONFIG) return Status.CONFIG_INVALID;
  return record_write(IO_BUFFER, length);
}

export function provision_end(): Status {
  if (run.phase != Phase.PROVISION) return Status.WRONG_STATE;
  run.phase = Phase.UNUSABLE;
  const status = part == Part.CONFIG ? accept_config() : root_provision();
  if (status != Status.OK) {
    record_abort();
    return status;
  }
  return part == Part.ROOT ? core_start() : Status.OK;
}

function accept_config(): Status {
  let status = record_finish();
  if (status == Status.OK) status = config_read(store_bank(), record_offset(), record_length());
  return status == Status.OK ? record_commit(0, 0, 0) : status;
}
