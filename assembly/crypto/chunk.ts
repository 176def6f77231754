// ChaCha20-Poly1305 (RFC 8439, 2.8) of a text that is all there, with no associated data: the tag is judged before a
// byte is opened, and the text is opened in its place.
//
// A context, owned by the caller, 8-byte aligned; cleared at the end:
//   0    136 bytes  ChaCha20
//   136  80 bytes   Poly1305
//   216  32 bytes   the tag as it came, and as it must be
import { CHACHA20_CONTEXT, CHACHA20_STREAM, chacha20_begin, chacha20_next } from "./chacha20";
import { POLY1305_CONTEXT, poly1305_begin, poly1305_blocks, poly1305_end } from "./poly1305";
import { bytes_are_equal } from "./secret";

const CODE: usize = CHACHA20_CONTEXT;
const TAG: usize = CODE + POLY1305_CONTEXT;

/** Bytes of a context. */
export const CHUNK_CONTEXT: u32 = 248;
/** Bytes behind a text and its padding to a multiple of 64 that are overwritten, the tag among them. */
export const CHUNK_SPARE: u32 = 32;

/** Opens `length` bytes of text that the 16 bytes of tag follow. False: the tag is another, and no byte was opened. */
export function chunk_open(ctx: usize, key: usize, nonce: usize, text: usize, length: u32): bool {
  chacha20_begin(ctx, key, nonce, 0);
  chacha20_next(ctx);
  poly1305_begin(ctx + CODE, ctx + CHACHA20_STREAM);
  const end = text + length;
  memory.copy(ctx + TAG, end, 16);
  // What is authenticated: the text, zeros up to a multiple of 16, the lengths of the associated data and of the text.
  memory.fill(end, 0, CHUNK_SPARE);
  const lengths = text + ((length + 15) & ~15);
  store<u64>(lengths, length, 8);
  poly1305_blocks(ctx + CODE, text, <u32>(lengths - text) / 16 + 1);
  poly1305_end(ctx + CODE, ctx + TAG + 16);
  const authentic = bytes_are_equal(ctx + TAG, ctx + TAG + 16, 16);
  if (authentic) {
    for (let at = text; at < end; at += 64) {
      chacha20_next(ctx);
      for (let i: usize = 0; i < 64; i += 8) store<u64>(at + i, load<u64>(at + i) ^ load<u64>(ctx + CHACHA20_STREAM + i));
    }
  }
  memory.fill(ctx, 0, CHUNK_CONTEXT);
  return authentic;
}
