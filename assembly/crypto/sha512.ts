// SHA-512 (FIPS 180-4), streaming.
//
// A context, owned by the caller, 8-byte aligned:
//   0   8 words     chaining state
//   64  u64         bytes hashed so far
//   72  128 bytes   the block that is not full yet
import { SCHEDULE } from "./memory";
import { INITIAL_STATE, ROUND_CONSTANTS } from "./sha2";

/** Bytes of a context. */
export const SHA512_CONTEXT: u32 = 200;

const BLOCK: u32 = 128;
const COUNT: usize = 64;
const BUFFER: usize = 72;

/** Starts a hash. */
export function sha512_begin(ctx: usize): void {
  memory.copy(ctx, INITIAL_STATE, 64);
  store<u64>(ctx, 0, COUNT);
}

/** Hashes the next `length` bytes at `data`. */
export function sha512_update(ctx: usize, data: usize, length: u32): void {
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

/** Ends the hash and writes its 64 bytes to `digest`. */
export function sha512_end(ctx: usize, digest: usize): void {
  const buffer = ctx + BUFFER;
  let used = load<u32>(ctx, COUNT) % BLOCK;
  store<u8>(buffer + used++, 0x80);
  if (used > BLOCK - 16) {
    memory.fill(buffer + used, 0, BLOCK - used);
    compress(ctx, buffer);
    used = 0;
  }
  memory.fill(buffer + used, 0, BLOCK - 8 - used);
  store<u64>(buffer, bswap<u64>(load<u64>(ctx, COUNT) << 3), BLOCK - 8);
  compress(ctx, buffer);
  for (let i: usize = 0; i < 64; i += 8) store<u64>(digest + i, bswap<u64>(load<u64>(ctx + i)));
}

// Sums of rotations are nested, rotr(rotr(x, 5) ^ x, 6) ^ x …, so that each needs one value at a time.
// @ts-ignore: decorator
@inline function sum0(x: u64): u64 { return rotr(rotr(rotr(x, 5) ^ x, 6) ^ x, 28); }
// @ts-ignore: decorator
@inline function sum1(x: u64): u64 { return rotr(rotr(rotr(x, 23) ^ x, 4) ^ x, 14); }
// @ts-ignore: decorator
@inline function sigma0(x: u64): u64 { return rotr(rotr(x, 7) ^ x, 1) ^ (x >> 7); }
// @ts-ignore: decorator
@inline function sigma1(x: u64): u64 { return rotr(rotr(x, 42) ^ x, 19) ^ (x >> 6); }
// @ts-ignore: decorator
@inline function choose(x: u64, y: u64, z: u64): u64 { return ((y ^ z) & x) ^ z; }

/** The message schedule of 80 words. */
function expand(block: usize): void {
  for (let i: usize = 0; i < 128; i += 8) store<u64>(SCHEDULE + i, bswap<u64>(load<u64>(block + i)));
  for (let w = SCHEDULE; w < SCHEDULE + 512; w += 8) {
    store<u64>(w, load<u64>(w) + load<u64>(w, 72) + sigma0(load<u64>(w, 8)) + sigma1(load<u64>(w, 112)), 128);
  }
}

/** Four rounds a turn, as in SHA-256; or one, after which each letter is one place on. */
function compress(state: usize, block: usize): void {
  expand(block);
  let a = load<u64>(state);
  let b = load<u64>(state, 8);
  let c = load<u64>(state, 16);
  let d = load<u64>(state, 24);
  let e = load<u64>(state, 32);
  let f = load<u64>(state, 40);
  let g = load<u64>(state, 48);
  let h = load<u64>(state, 56);
  let t: u64;
  // @ts-ignore: set for the build whose size is the matter (--use COMPACT=1)
  if (isDefined(COMPACT)) {
    for (let at: usize = 0; at < 640; at += 8) {
      t = load<u64>(ROUND_CONSTANTS + at) + load<u64>(SCHEDULE + at) + h + choose(e, f, g) + sum1(e);
      h = g;
      g = f;
      f = e;
      e = d + t;
      d = c;
      c = b;
      b = a;
      a = t + (((b ^ c) & (c ^ d)) ^ c) + sum0(b);
    }
  } else {
    // The majority of a, b, c is b ^ ((a ^ b) & (b ^ c)); its a ^ b is the next round's b ^ c.
    let x: u64;
    let y = b ^ c;
    let k = ROUND_CONSTANTS;
    for (let w = SCHEDULE; w < SCHEDULE + 640; w += 32) {
      h = load<u64>(k) + load<u64>(w) + h + choose(e, f, g) + sum1(e);
      d += h; x = a ^ b; h = h + ((x & y) ^ b) + sum0(a);
      g = load<u64>(k, 8) + load<u64>(w, 8) + g + choose(d, e, f) + sum1(d);
      c += g; y = h ^ a; g = g + ((y & x) ^ a) + sum0(h);
      f = load<u64>(k, 16) + load<u64>(w, 16) + f + choose(c, d, e) + sum1(c);
      b += f; x = g ^ h; f = f + ((x & y) ^ h) + sum0(g);
      e = load<u64>(k, 24) + load<u64>(w, 24) + e + choose(b, c, d) + sum1(b);
      a += e; y = f ^ g; e = e + ((y & x) ^ g) + sum0(f);
      t = a; a = e; e = t;
      t = b; b = f; f = t;
      t = c; c = g; g = t;
      t = d; d = h; h = t;
      k += 32;
    }
  }
  store<u64>(state, load<u64>(state) + a);
  store<u64>(state, load<u64>(state, 8) + b, 8);
  store<u64>(state, load<u64>(state, 16) + c, 16);
  store<u64>(state, load<u64>(state, 24) + d, 24);
  store<u64>(state, load<u64>(state, 32) + e, 32);
  store<u64>(state, load<u64>(state, 40) + f, 40);
  store<u64>(state, load<u64>(state, 48) + g, 48);
  store<u64>(state, load<u64>(state, 56) + h, 56);
}
