// The ABI outward: every export of the module, each a noun and a verb (host/README.md). Only re-exports.
// What stands here and not in small.ts the small core does not have, and hosts do without it there.

export * from "./small";
export { director_target } from "./agent/match";
export { time_answer } from "./agent/clock";
export { public_key_read } from "./agent/provision";
export { policy_set, release_find, update_approve, update_postpone } from "./agent/consent";
export { log_length, log_read } from "./storage/log";
export { manifest_end, manifest_write } from "./agent/manifest";
export { report_end, report_write } from "./agent/report";
export { component_choose, component_read, component_text } from "./agent/state";
