// What the tests call: the decoder, with the old image in flash of theirs.
export { heatshrink_feed, heatshrink_input } from "./heatshrink";
export { patch_begin, patch_is_done, patch_read } from "./patch";
export { DELTA_SIZE } from "./state";
export { COPY_BUFFER, COPY_SIZE, DELTA } from "../memory";
