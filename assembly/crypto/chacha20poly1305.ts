// ChaCha20-Poly1305 (RFC 8439, 2.8), streaming: first the associated data, then the text, each in pieces of any
// size. What is opened in pieces is not authentic until the end says so: it must not take effect before. A nonce
// serves one text of a key only.
//
// A context, owned by the caller, 8-byte aligned; cleared by the end:
//   0    136 bytes  ChaCha20
//   136  80 bytes   Poly1305
//   216  u64        bytes of associated data
//   224  u64        bytes of text
//   232  u32        1: associated data may come, 2: it is complete, 0: nothing may come
import { CHACHA20_CONTEXT, chacha20_begin, chacha20_update } from "./chacha20";
import { SECRETS } from "./memory";
import { poly1305_begin, poly1305_end, poly1305_pad, poly1305_update } from "./poly1305";
import { bytes_are_equal } from "./secret";

/** Bytes of a context. */
export const CHACHA20POLY1305_CONTEXT: u32 = 240;
/** The most bytes of text: the block counter has 32 bits, and block 0 is the key of the code. */
export const CHACHA20POLY1305_MOST: u64 = 0x3fffffffc0;

const CODE: usize = CHACHA20_CONTEXT;
const DATA_LENGTH: usize = 216;
const TEXT_LENGTH: usize = 224;
const STATE: usize = 232;

const TAG = SECRETS;

/** Starts a text, sealed or opened, with 32 bytes of key and 12 of nonce. */
export function chacha20poly1305_begin(ctx: usize, key: usize, nonce: usize): void {
  chacha20_begin(ctx, key, nonce, 0);
  memory.fill(SECRETS, 0, 64);
  chacha20_update(ctx, SECRETS, SECRETS, 64);
  poly1305_begin(ctx + CODE, SECRETS);
  memory.fill(SECRETS, 0, 64);
  store<u64>(ctx, 0, DATA_LENGTH);
  store<u64>(ctx, 0, TEXT_LENGTH);
  store<u32>(ctx, 1, STATE);
}

/** Authenticates the next `length` bytes of associated data. False, and nothing happens, once the text has begun. */
export function chacha20poly1305_data(ctx: usize, data: usize, length: u32): bool {
  if (load<u32>(ctx, STATE) != 1) return false;
  store<u64>(ctx, load<u64>(ctx, DATA_LENGTH) + length, DATA_LENGTH);
  poly1305_update(ctx + CODE, data, length);
  return true;
}

/**
 * Seals the next `length` bytes of text to `out`, which may be their own place. False, and nothing is written,
 * for more than CHACHA20POLY1305_MOST in all.
 */
export function chacha20poly1305_seal(ctx: usize, out: usize, text: usize, length: u32): bool {
  if (!text_follows(ctx, length)) return false;
  chacha20_update(ctx, out, text, length);
  poly1305_update(ctx + CODE, out, length);
  return true;
}

/** Opens the next `length` bytes of text to `out`, the same way. */
export function chacha20poly1305_open(ctx: usize, out: usize, text: usize, length: u32): bool {
  if (!text_follows(ctx, length)) return false;
  poly1305_update(ctx + CODE, text, length);
  chacha20_update(ctx, out, text, length);
  return true;
}

/** Ends sealing and writes the 16 bytes of the tag. False, and no tag, without a begin. */
export function chacha20poly1305_seal_end(ctx: usize, tag: usize): bool {
  const begun = load<u32>(ctx, STATE) != 0;
  if (begun) end(ctx, tag);
  return begun;
}

/** Ends opening: whether the 16 bytes at `tag` are the right ones, compared in constant time. */
export function chacha20poly1305_open_end(ctx: usize, tag: usize): bool {
  if (!load<u32>(ctx, STATE)) return false;
  end(ctx, TAG);
  const authentic = bytes_are_equal(TAG, tag, 16);
  memory.fill(TAG, 0, 16);
  return authentic;
}

/** Counts text; false where none may come. */
function text_follows(ctx: usize, length: u32): bool {
  const state = load<u32>(ctx, STATE);
  const total = load<u64>(ctx, TEXT_LENGTH) + length;
  if (!state || total > CHACHA20POLY1305_MOST) return false;
  if (state == 1) poly1305_pad(ctx + CODE);
  store<u32>(ctx, 2, STATE);
  store<u64>(ctx, total, TEXT_LENGTH);
  return true;
}

function end(ctx: usize, tag: usize): void {
  poly1305_pad(ctx + CODE);
  poly1305_update(ctx + CODE, ctx + DATA_LENGTH, 16);
  poly1305_end(ctx + CODE, tag);
  memory.fill(ctx, 0, CHACHA20POLY1305_CONTEXT);
}
