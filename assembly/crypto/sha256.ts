// SHA-256 (FIPS 180-4), streaming.
//
// A context, owned by the caller, 4-byte aligned:
//   0   8 words     chaining state
//   32  u64         bytes hashed so far
//   40  64 bytes    the block that is not full yet
import { INITIAL_STATE, ROUND_CONSTANTS } from "./sha2";

/** Bytes of a context. */
export const SHA256_CONTEXT: u32 = 104;

const BLOCK: u32 = 64;
const COUNT: usize = 32;
const BUFFER: usize = 40;

/** Starts a hash. */
export function sha256_begin(ctx: usize): void {
  for (let i: usize = 0; i < 8; i++) store<u32>(ctx + 4 * i, load<u32>(INITIAL_STATE + 8 * i, 4));
  store<u64>(ctx, 0, COUNT);
}

/** Hashes the next `length` bytes at `data`. */
export function sha256_update(ctx: usize, data: usize, length: u32): void {
  const used = load<u32>(ctx, COUNT) % BLOCK;
  store<u64>(ctx, load<u64>(ctx, COUNT) + length, COUNT);
  if (used) {
    const room = min(BLOCK - used, length);
    memory.copy(ctx + BUFFER + used, data, room);
    if (used + room < BLOCK) return;
    data += room;
    length -= room;
    compress(ctx, ctx + BUFFER);
  }
  for (; length >= BLOCK; length -= BLOCK) {
    compress(ctx, data);
    data += BLOCK;
  }
  memory.copy(ctx + BUFFER, data, length);
}

/** Ends the hash and writes its 32 bytes to `digest`. */
export function sha256_end(ctx: usize, digest: usize): void {
  const buffer = ctx + BUFFER;
  let used = load<u32>(ctx, COUNT) % BLOCK;
  store<u8>(buffer + used++, 0x80);
  if (used > BLOCK - 8) {
    memory.fill(buffer + used, 0, BLOCK - used);
    compress(ctx, buffer);
    used = 0;
  }
  memory.fill(buffer + used, 0, BLOCK - 8 - used);
  store<u64>(buffer, bswap<u64>(load<u64>(ctx, COUNT) << 3), BLOCK - 8);
  compress(ctx, buffer);
  for (let i: usize = 0; i < 32; i += 4) store<u32>(digest + i, reverse(load<u32>(ctx + i)));
}

/**
 * Writes the 32 bytes of the chaining state to `out`. Only between two blocks, when the bytes hashed
 * are a multiple of 64; otherwise false and nothing is written.
 */
export function sha256_save(ctx: usize, out: usize): bool {
  if (load<u32>(ctx, COUNT) % BLOCK) return false;
  memory.copy(out, ctx, 32);
  return true;
}

/** Goes on from a saved state; `length`, a multiple of 64, is how many bytes were hashed until then. */
export function sha256_restore(ctx: usize, state: usize, length: u32): void {
  memory.copy(ctx, state, 32);
  store<u64>(ctx, length, COUNT);
}

// Sums of rotations are nested, rotr(rotr(x, 9) ^ x, 11) ^ x …, so that each needs one value at a time.
// @ts-ignore: decorator
@inline function sum0(x: u32): u32 { return rotr(rotr(rotr(x, 9) ^ x, 11) ^ x, 2); }
// @ts-ignore: decorator
@inline function sum1(x: u32): u32 { return rotr(rotr(rotr(x, 14) ^ x, 5) ^ x, 6); }
// @ts-ignore: decorator
@inline function sigma0(x: u32): u32 { return rotr(rotr(x, 11) ^ x, 7) ^ (x >> 3); }
// @ts-ignore: decorator
@inline function sigma1(x: u32): u32 { return rotr(rotr(x, 2) ^ x, 17) ^ (x >> 10); }
// @ts-ignore: decorator
@inline function reverse(x: u32): u32 { return (rotl(x, 8) & 0x00ff00ff) | (rotr(x, 8) & 0xff00ff00); }
// @ts-ignore: decorator
@inline function choose(x: u32, y: u32, z: u32): u32 { return ((y ^ z) & x) ^ z; }

/**
 * Sixteen rounds a turn, after which every letter is back in its place; the sixteen words of the schedule
 * that they need are locals. In each sum what is known early comes first, so that a processor waits for
 * little. One turn is some 740 steps of an interpreter, above the 500 that straight-line code keeps to
 * elsewhere: where each step costs stack (Xtensa, about 25 KB here) the host has a hash of its own.
 */
function compress(state: usize, block: usize): void {
  let w0 = reverse(load<u32>(block));
  let w1 = reverse(load<u32>(block, 4));
  let w2 = reverse(load<u32>(block, 8));
  let w3 = reverse(load<u32>(block, 12));
  let w4 = reverse(load<u32>(block, 16));
  let w5 = reverse(load<u32>(block, 20));
  let w6 = reverse(load<u32>(block, 24));
  let w7 = reverse(load<u32>(block, 28));
  let w8 = reverse(load<u32>(block, 32));
  let w9 = reverse(load<u32>(block, 36));
  let w10 = reverse(load<u32>(block, 40));
  let w11 = reverse(load<u32>(block, 44));
  let w12 = reverse(load<u32>(block, 48));
  let w13 = reverse(load<u32>(block, 52));
  let w14 = reverse(load<u32>(block, 56));
  let w15 = reverse(load<u32>(block, 60));
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  // The majority of a, b, c is b ^ ((a ^ b) & (b ^ c)); its a ^ b is the next round's b ^ c.
  let x: u32;
  let y = b ^ c;
  for (let k = ROUND_CONSTANTS; ; ) {
    h = load<u32>(k, 4) + w0 + h + choose(e, f, g) + sum1(e);
    d += h; x = a ^ b; h = h + ((x & y) ^ b) + sum0(a);
    g = load<u32>(k, 12) + w1 + g + choose(d, e, f) + sum1(d);
    c += g; y = h ^ a; g = g + ((y & x) ^ a) + sum0(h);
    f = load<u32>(k, 20) + w2 + f + choose(c, d, e) + sum1(c);
    b += f; x = g ^ h; f = f + ((x & y) ^ h) + sum0(g);
    e = load<u32>(k, 28) + w3 + e + choose(b, c, d) + sum1(b);
    a += e; y = f ^ g; e = e + ((y & x) ^ g) + sum0(f);
    d = load<u32>(k, 36) + w4 + d + choose(a, b, c) + sum1(a);
    h += d; x = e ^ f; d = d + ((x & y) ^ f) + sum0(e);
    c = load<u32>(k, 44) + w5 + c + choose(h, a, b) + sum1(h);
    g += c; y = d ^ e; c = c + ((y & x) ^ e) + sum0(d);
    b = load<u32>(k, 52) + w6 + b + choose(g, h, a) + sum1(g);
    f += b; x = c ^ d; b = b + ((x & y) ^ d) + sum0(c);
    a = load<u32>(k, 60) + w7 + a + choose(f, g, h) + sum1(f);
    e += a; y = b ^ c; a = a + ((y & x) ^ c) + sum0(b);
    h = load<u32>(k, 68) + w8 + h + choose(e, f, g) + sum1(e);
    d += h; x = a ^ b; h = h + ((x & y) ^ b) + sum0(a);
    g = load<u32>(k, 76) + w9 + g + choose(d, e, f) + sum1(d);
    c += g; y = h ^ a; g = g + ((y & x) ^ a) + sum0(h);
    f = load<u32>(k, 84) + w10 + f + choose(c, d, e) + sum1(c);
    b += f; x = g ^ h; f = f + ((x & y) ^ h) + sum0(g);
    e = load<u32>(k, 92) + w11 + e + choose(b, c, d) + sum1(b);
    a += e; y = f ^ g; e = e + ((y & x) ^ g) + sum0(f);
    d = load<u32>(k, 100) + w12 + d + choose(a, b, c) + sum1(a);
    h += d; x = e ^ f; d = d + ((x & y) ^ f) + sum0(e);
    c = load<u32>(k, 108) + w13 + c + choose(h, a, b) + sum1(h);
    g += c; y = d ^ e; c = c + ((y & x) ^ e) + sum0(d);
    b = load<u32>(k, 116) + w14 + b + choose(g, h, a) + sum1(g);
    f += b; x = c ^ d; b = b + ((x & y) ^ d) + sum0(c);
    a = load<u32>(k, 124) + w15 + a + choose(f, g, h) + sum1(f);
    e += a; y = b ^ c; a = a + ((y & x) ^ c) + sum0(b);
    k += 128;
    if (k == ROUND_CONSTANTS + 512) break;
    w0 += sigma1(w14) + w9 + sigma0(w1);
    w1 += sigma1(w15) + w10 + sigma0(w2);
    w2 += sigma1(w0) + w11 + sigma0(w3);
    w3 += sigma1(w1) + w12 + sigma0(w4);
    w4 += sigma1(w2) + w13 + sigma0(w5);
    w5 += sigma1(w3) + w14 + sigma0(w6);
    w6 += sigma1(w4) + w15 + sigma0(w7);
    w7 += sigma1(w5) + w0 + sigma0(w8);
    w8 += sigma1(w6) + w1 + sigma0(w9);
    w9 += sigma1(w7) + w2 + sigma0(w10);
    w10 += sigma1(w8) + w3 + sigma0(w11);
    w11 += sigma1(w9) + w4 + sigma0(w12);
    w12 += sigma1(w10) + w5 + sigma0(w13);
    w13 += sigma1(w11) + w6 + sigma0(w14);
    w14 += sigma1(w12) + w7 + sigma0(w15);
    w15 += sigma1(w13) + w8 + sigma0(w0);
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}
