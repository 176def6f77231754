// The ABI outward: every export of the module, each a noun and a verb. Only re-exports.
export { abi_version } from "./agent/agent";
