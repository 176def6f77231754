// SHA-256 (FIPS 180-4), streaming.
//
// A context, owned by the caller, 4-byte aligned:
//   0   8 words     chaining state
//   32  u64         bytes hashed so far
//   40  64 bytes    the block that is not full yet
import { SCHEDULE } from "./memory";
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
  for (let i: usize = 0; i < 32; i += 4) store<u32>(digest + i, bswap<u32>(load<u32>(ctx + i)));
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
@inline function choose(x: u32, y: u32, z: u32): u32 { return ((y ^ z) & x) ^ z; }

function expand(block: usize): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(SCHEDULE + i, bswap<u32>(load<u32>(block + i)));
  for (let w = SCHEDULE; w < SCHEDULE + 192; w += 4) {
    store<u32>(w, sigma1(load<u32>(w, 56)) + load<u32>(w, 36) + sigma0(load<u32>(w, 4)) + load<u32>(w), 64);
  }
}

/** Eight rounds a turn, after which every letter is back in its place. */
function compress(state: usize, block: usize): void {
  expand(block);
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
  let k = ROUND_CONSTANTS;
  for (let w = SCHEDULE; w < SCHEDULE + 256; w += 32) {
    h += choose(e, f, g) + sum1(e) + load<u32>(k, 4) + load<u32>(w);
    d += h; x = a ^ b; h += ((x & y) ^ b) + sum0(a);
    g += choose(d, e, f) + sum1(d) + load<u32>(k, 12) + load<u32>(w, 4);
    c += g; y = h ^ a; g += ((y & x) ^ a) + sum0(h);
    f += choose(c, d, e) + sum1(c) + load<u32>(k, 20) + load<u32>(w, 8);
    b += f; x = g ^ h; f += ((x & y) ^ h) + sum0(g);
    e += choose(b, c, d) + sum1(b) + load<u32>(k, 28) + load<u32>(w, 12);
    a += e; y = f ^ g; e += ((y & x) ^ g) + sum0(f);
    d += choose(a, b, c) + sum1(a) + load<u32>(k, 36) + load<u32>(w, 16);
    h += d; x = e ^ f; d += ((x & y) ^ f) + sum0(e);
    c += choose(h, a, b) + sum1(h) + load<u32>(k, 44) + load<u32>(w, 20);
    g += c; y = d ^ e; c += ((y & x) ^ e) + sum0(d);
    b += choose(g, h, a) + sum1(g) + load<u32>(k, 52) + load<u32>(w, 24);
    f += b; x = c ^ d; b += ((x & y) ^ d) + sum0(c);
    a += choose(f, g, h) + sum1(f) + load<u32>(k, 60) + load<u32>(w, 28);
    e += a; y = b ^ c; a += ((y & x) ^ c) + sum0(b);
    k += 64;
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
