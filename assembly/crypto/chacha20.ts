// ChaCha20 (RFC 8439, 2.3 and 2.4), streaming.
//
// A context, owned by the caller, 4-byte aligned:
//   0    16 words   constants, key, block counter, nonce
//   64   64 bytes   the block of key stream in use
//   128  u32        bytes of it that are used, 64: none is left

/** Bytes of a context. */
export const CHACHA20_CONTEXT: u32 = 136;

const COUNTER: usize = 48;
export const CHACHA20_STREAM: usize = 64;
const USED: usize = 128;

/** Starts the key stream of 32 bytes of key and 12 of nonce at a block. */
export function chacha20_begin(ctx: usize, key: usize, nonce: usize, block: u32): void {
  store<u64>(ctx, 0x3320646e61707865); // "expand 32-byte k"
  store<u64>(ctx, 0x6b20657479622d32, 8);
  memory.copy(ctx + 16, key, 32);
  store<u32>(ctx, block, COUNTER);
  memory.copy(ctx + 52, nonce, 12);
  store<u32>(ctx, 64, USED);
}

/** Writes `length` bytes of `data`, encrypted or decrypted, to `out`; both may be the same place. */
export function chacha20_update(ctx: usize, out: usize, data: usize, length: u32): void {
  let used = load<u32>(ctx, USED);
  while (length) {
    if (used == 64) {
      chacha20_next(ctx);
      used = 0;
    }
    const count = min(64 - used, length);
    mix(out, data, ctx + CHACHA20_STREAM + used, count);
    used += count;
    out += count;
    data += count;
    length -= count;
  }
  store<u32>(ctx, used, USED);
}

function mix(out: usize, data: usize, stream: usize, length: u32): void {
  let i: u32 = 0;
  for (; i + 8 <= length; i += 8) store<u64>(out + i, load<u64>(data + i) ^ load<u64>(stream + i));
  for (; i < length; i++) store<u8>(out + i, load<u8>(data + i) ^ load<u8>(stream + i));
}

/** Makes the next block of key stream, at CHACHA20_STREAM; for those who use it whole. */
export function chacha20_next(ctx: usize): void {
  // @ts-ignore: set for builds whose memory is not the matter (--use CHACHA20_FAST=1)
  if (isDefined(CHACHA20_FAST)) unrolled(ctx);
  else rounds(ctx);
  store<u32>(ctx, load<u32>(ctx, COUNTER) + 1, COUNTER);
}

/** Columns and diagonals in turn: a word of each of the four rows, in diagonals one place on from row to row. */
function rounds(ctx: usize): void {
  memory.copy(ctx + CHACHA20_STREAM, ctx, 64);
  for (let round = 0; round < 20; round++) {
    const on: usize = (round & 1) << 2;
    for (let at: usize = 0; at < 16; at += 4) {
      const row = ctx + CHACHA20_STREAM;
      quarter(row + at, row + 16 + ((at + on) & 15), row + 32 + ((at + 2 * on) & 15), row + 48 + ((at + 3 * on) & 15));
    }
  }
  for (let at = ctx; at < ctx + 64; at += 4) store<u32>(at, load<u32>(at, CHACHA20_STREAM) + load<u32>(at), CHACHA20_STREAM);
}

function quarter(a: usize, b: usize, c: usize, d: usize): void {
  let wa = load<u32>(a) + load<u32>(b);
  let wd = rotl(load<u32>(d) ^ wa, 16);
  let wc = load<u32>(c) + wd;
  let wb = rotl(load<u32>(b) ^ wc, 12);
  wa += wb;
  wd = rotl(wd ^ wa, 8);
  wc += wd;
  wb = rotl(wb ^ wc, 7);
  store<u32>(a, wa);
  store<u32>(b, wb);
  store<u32>(c, wc);
  store<u32>(d, wd);
}

/** A turn is the four quarter rounds of columns and the four of diagonals. */
function unrolled(ctx: usize): void {
  let x0 = load<u32>(ctx);
  let x1 = load<u32>(ctx, 4);
  let x2 = load<u32>(ctx, 8);
  let x3 = load<u32>(ctx, 12);
  let x4 = load<u32>(ctx, 16);
  let x5 = load<u32>(ctx, 20);
  let x6 = load<u32>(ctx, 24);
  let x7 = load<u32>(ctx, 28);
  let x8 = load<u32>(ctx, 32);
  let x9 = load<u32>(ctx, 36);
  let xa = load<u32>(ctx, 40);
  let xb = load<u32>(ctx, 44);
  let xc = load<u32>(ctx, 48);
  let xd = load<u32>(ctx, 52);
  let xe = load<u32>(ctx, 56);
  let xf = load<u32>(ctx, 60);
  for (let turn = 0; turn < 10; turn++) {
    x0 += x4; xc = rotl(xc ^ x0, 16); x8 += xc; x4 = rotl(x4 ^ x8, 12);
    x0 += x4; xc = rotl(xc ^ x0, 8); x8 += xc; x4 = rotl(x4 ^ x8, 7);
    x1 += x5; xd = rotl(xd ^ x1, 16); x9 += xd; x5 = rotl(x5 ^ x9, 12);
    x1 += x5; xd = rotl(xd ^ x1, 8); x9 += xd; x5 = rotl(x5 ^ x9, 7);
    x2 += x6; xe = rotl(xe ^ x2, 16); xa += xe; x6 = rotl(x6 ^ xa, 12);
    x2 += x6; xe = rotl(xe ^ x2, 8); xa += xe; x6 = rotl(x6 ^ xa, 7);
    x3 += x7; xf = rotl(xf ^ x3, 16); xb += xf; x7 = rotl(x7 ^ xb, 12);
    x3 += x7; xf = rotl(xf ^ x3, 8); xb += xf; x7 = rotl(x7 ^ xb, 7);
    x0 += x5; xf = rotl(xf ^ x0, 16); xa += xf; x5 = rotl(x5 ^ xa, 12);
    x0 += x5; xf = rotl(xf ^ x0, 8); xa += xf; x5 = rotl(x5 ^ xa, 7);
    x1 += x6; xc = rotl(xc ^ x1, 16); xb += xc; x6 = rotl(x6 ^ xb, 12);
    x1 += x6; xc = rotl(xc ^ x1, 8); xb += xc; x6 = rotl(x6 ^ xb, 7);
    x2 += x7; xd = rotl(xd ^ x2, 16); x8 += xd; x7 = rotl(x7 ^ x8, 12);
    x2 += x7; xd = rotl(xd ^ x2, 8); x8 += xd; x7 = rotl(x7 ^ x8, 7);
    x3 += x4; xe = rotl(xe ^ x3, 16); x9 += xe; x4 = rotl(x4 ^ x9, 12);
    x3 += x4; xe = rotl(xe ^ x3, 8); x9 += xe; x4 = rotl(x4 ^ x9, 7);
  }
  store<u32>(ctx, x0 + load<u32>(ctx), 64);
  store<u32>(ctx, x1 + load<u32>(ctx, 4), 68);
  store<u32>(ctx, x2 + load<u32>(ctx, 8), 72);
  store<u32>(ctx, x3 + load<u32>(ctx, 12), 76);
  store<u32>(ctx, x4 + load<u32>(ctx, 16), 80);
  store<u32>(ctx, x5 + load<u32>(ctx, 20), 84);
  store<u32>(ctx, x6 + load<u32>(ctx, 24), 88);
  store<u32>(ctx, x7 + load<u32>(ctx, 28), 92);
  store<u32>(ctx, x8 + load<u32>(ctx, 32), 96);
  store<u32>(ctx, x9 + load<u32>(ctx, 36), 100);
  store<u32>(ctx, xa + load<u32>(ctx, 40), 104);
  store<u32>(ctx, xb + load<u32>(ctx, 44), 108);
  store<u32>(ctx, xc + load<u32>(ctx, 48), 112);
  store<u32>(ctx, xd + load<u32>(ctx, 52), 116);
  store<u32>(ctx, xe + load<u32>(ctx, 56), 120);
  store<u32>(ctx, xf + load<u32>(ctx, 60), 124);
}
