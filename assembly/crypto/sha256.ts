// SHA-256 (FIPS 180-4), streaming.
//
// A context, owned by the caller, 4-byte aligned:
//   0   8 words     chaining state
//   32  u64         bytes hashed so far
//   40  64 bytes    the block that is not full yet
import { SCHEDULE } from "./memory";
import { INITIAL_STATE, ROUND_CONSTANTS } from "./sha2";
import { sha256_fast } from "./sha256fast";
import { choose, reverse, sigma0, sigma1 } from "./sha256words";

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

/** Bytes of a context, from its start, that are the same in all that have taken the same bytes. */
export function sha256_used(ctx: usize): u32 {
  return <u32>BUFFER + (load<u32>(ctx, COUNT) % BLOCK);
}

/** Whether the host, if it is asked at all, has not said yet that it compresses no blocks. */
let hosted = true;

/** One block, by the host's hardware where it has some (host.ts; alone, this folder has no host). */
function compress(state: usize, block: usize): void {
  // @ts-ignore: a global of host.ts
  if (isDefined(sha256_compress)) {
    // @ts-ignore: a global of host.ts
    if (hosted && sha256_compress(state, block) == 0) return;
    hosted = false;
  }
  // @ts-ignore: set for builds whose memory is not the matter (--use SHA256_FAST=1)
  if (isDefined(SHA256_FAST)) sha256_fast(state, block);
  else rounds(state, block);
}

// Sums of rotations are nested, rotr(rotr(x, 9) ^ x, 11) ^ x …, so that each needs one value at a time.
// @ts-ignore: decorator
@inline function sum0(x: u32): u32 { return rotr(rotr(rotr(x, 9) ^ x, 11) ^ x, 2); }
// @ts-ignore: decorator
@inline function sum1(x: u32): u32 { return rotr(rotr(rotr(x, 14) ^ x, 5) ^ x, 6); }

/** The message schedule of 64 words, two words a turn: the words of places 14 and 15 are at hand. */
function expand(block: usize): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(SCHEDULE + i, reverse(load<u32>(block + i)));
  let v = load<u32>(SCHEDULE, 56);
  let w = load<u32>(SCHEDULE, 60);
  for (let at = SCHEDULE; at < SCHEDULE + 192; at += 8) {
    const second = load<u32>(at, 4);
    v = load<u32>(at) + load<u32>(at, 36) + sigma0(second) + sigma1(v);
    store<u32>(at, v, 64);
    w = second + load<u32>(at, 40) + sigma0(load<u32>(at, 8)) + sigma1(w);
    store<u32>(at, w, 68);
  }
}

/**
 * Four rounds a turn, after which each letter is four places on. What is known early is added first, so
 * that a processor waits for little. The body for wherever code is memory; sha256fast.ts has the other.
 */
function rounds(state: usize, block: usize): void {
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
  let t: u32;
  let k = ROUND_CONSTANTS;
  for (let w = SCHEDULE; w < SCHEDULE + 256; w += 16) {
    h = load<u32>(k, 4) + load<u32>(w) + h + choose(e, f, g) + sum1(e);
    d += h; x = a ^ b; h = h + ((x & y) ^ b) + sum0(a);
    g = load<u32>(k, 12) + load<u32>(w, 4) + g + choose(d, e, f) + sum1(d);
    c += g; y = h ^ a; g = g + ((y & x) ^ a) + sum0(h);
    f = load<u32>(k, 20) + load<u32>(w, 8) + f + choose(c, d, e) + sum1(c);
    b += f; x = g ^ h; f = f + ((x & y) ^ h) + sum0(g);
    e = load<u32>(k, 28) + load<u32>(w, 12) + e + choose(b, c, d) + sum1(b);
    a += e; y = f ^ g; e = e + ((y & x) ^ g) + sum0(f);
    t = a; a = e; e = t;
    t = b; b = f; f = t;
    t = c; c = g; g = t;
    t = d; d = h; h = t;
    k += 32;
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
