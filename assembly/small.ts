// The ABI outward of the small core, and what every core has. Only re-exports.

export {
  abi_version,
  agent_step,
  agent_until,
  core_start,
  fetch_begin,
  fetch_end,
  fetch_kind,
  fetch_limit,
  fetch_name_length,
  fetch_offset,
  fetch_write,
  image_confirm,
  image_reject,
  io_capacity,
  io_pointer,
  provision_begin,
  provision_end,
  provision_write,
  target_find,
} from "./agent/agent";
export { fetch_name } from "./agent/name";
export { state_read, text_read } from "./agent/state";
export { trusted_find, trusted_length, trusted_read } from "./tuf/trusted";
