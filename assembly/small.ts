// The ABI outward of the small core, and what every core has. Only re-exports.

export { abi_version, agent_step, agent_until, io_capacity, io_pointer } from "./agent/agent";
export { target_find } from "./agent/check";
export { fetch_begin, fetch_end, fetch_erase_ahead, fetch_kind, fetch_limit, fetch_name_length, fetch_offset, fetch_write } from "./agent/fetch";
export { fetch_name } from "./agent/name";
export { provision_begin, provision_end, provision_write } from "./agent/provision";
export { core_start } from "./agent/start";
export { state_read, text_read } from "./agent/state";
export { image_confirm, image_reject } from "./agent/trial";
export { trusted_find, trusted_length, trusted_read } from "./tuf/trusted";
