// Poly1305 (RFC 8439, 2.5), streaming: the sum of the blocks modulo 2^130 - 5. No branch on key or sum.
//
// Numbers are five limbs of 26 bits. Key limbs are below 2^26, limbs of the sum below 2^26 + 2^9 between two blocks
// and below 2^28 once a block is added; times 5 a key limb is below 2^29. A column is the sum of five products
// below 2^57, and a carry: less than 2^60.
//
// A context, owned by the caller, 8-byte aligned:
//   0    5 limbs    r, the key that multiplies
//   20   16 bytes   s, the key that is added
//   36   5 limbs    the sum
//   56   16 bytes   the block that is not full yet
//   72   u32        bytes in it

/** Bytes of a context. */
export const POLY1305_CONTEXT: u32 = 80;

const S: usize = 20;
const SUM: usize = 36;
const BUFFER: usize = 56;
const USED: usize = 72;
const MASK: u32 = 0x3ffffff;

/** Starts a code with a key of 32 bytes that authenticates one message only. */
export function poly1305_begin(ctx: usize, key: usize): void {
  memory.fill(ctx, 0, POLY1305_CONTEXT);
  store<u32>(ctx, load<u32>(key) & 0x3ffffff);
  store<u32>(ctx, (load<u32>(key, 3) >> 2) & 0x3ffff03, 4);
  store<u32>(ctx, (load<u32>(key, 6) >> 4) & 0x3ffc0ff, 8);
  store<u32>(ctx, (load<u32>(key, 9) >> 6) & 0x3f03fff, 12);
  store<u32>(ctx, (load<u32>(key, 12) >> 8) & 0x00fffff, 16);
  memory.copy(ctx + S, key + 16, 16);
}

/** Adds the next `length` bytes at `data`. */
export function poly1305_update(ctx: usize, data: usize, length: u32): void {
  const used = load<u32>(ctx, USED);
  if (used) {
    const room = min(16 - used, length);
    memory.copy(ctx + BUFFER + used, data, room);
    store<u32>(ctx, used + room, USED);
    if (used + room < 16) return;
    data += room;
    length -= room;
    add_blocks(ctx, ctx + BUFFER, 1, 1);
  }
  add_blocks(ctx, data, length >> 4, 1);
  memory.copy(ctx + BUFFER, data + (length & ~15), length & 15);
  store<u32>(ctx, length & 15, USED);
}

/** Fills the block that is not full with zeros (RFC 8439, 2.8: pad16). */
export function poly1305_pad(ctx: usize): void {
  const used = load<u32>(ctx, USED);
  if (!used) return;
  memory.fill(ctx + BUFFER + used, 0, 16 - used);
  add_blocks(ctx, ctx + BUFFER, 1, 1);
  store<u32>(ctx, 0, USED);
}

/** Writes the 16 bytes of the code to `tag` and clears the context. */
export function poly1305_end(ctx: usize, tag: usize): void {
  const used = load<u32>(ctx, USED);
  if (used) {
    store<u8>(ctx + BUFFER + used, 1);
    memory.fill(ctx + BUFFER + used + 1, 0, 15 - used);
    add_blocks(ctx, ctx + BUFFER, 1, 0);
  }
  reduce(ctx + SUM);
  let sum: u64 = 0;
  let bits: u64 = load<u32>(ctx, SUM);
  let next = ctx + SUM;
  let count: u64 = 26;
  for (let i: usize = 0; i < 16; i += 4) {
    next += 4;
    bits |= <u64>load<u32>(next) << count;
    sum = (sum >> 32) + (bits & 0xffffffff) + load<u32>(ctx + S + i);
    store<u32>(tag + i, <u32>sum);
    bits >>= 32;
    count -= 6;
  }
  memory.fill(ctx, 0, POLY1305_CONTEXT);
}

/** Brings the sum into [0, 2^130 - 5). */
function reduce(sum: usize): void {
  let above = carry_up(sum, 0);
  above = carry_up(sum, 5 * above); // 0 or 1
  // With 5 more, bit 130 tells whether the sum is 2^130 - 5 or above; cutting it off subtracts that.
  above = carry_up(sum, 5 * above + 5);
  carry_up(sum, (above - 1) & -5);
}

/** Adds `carry` and carries up to bit 130; returns what lies above and cuts it off. */
function carry_up(sum: usize, carry: i32): i32 {
  for (let i: usize = 0; i < 20; i += 4) {
    carry += load<i32>(sum + i);
    store<i32>(sum + i, carry & <i32>MASK);
    carry >>= 26;
  }
  return carry;
}

/** Adds `count` blocks of 16 bytes, when none is half full. */
export function poly1305_blocks(ctx: usize, data: usize, count: u32): void {
  add_blocks(ctx, data, count, 1);
}

/** Adds `count` blocks of 16 bytes, each with bit 128 as said, and multiplies by r after each. */
function add_blocks(ctx: usize, data: usize, count: u32, bit128: u32): void {
  const r0: u64 = load<u32>(ctx);
  const r1: u64 = load<u32>(ctx, 4);
  const r2: u64 = load<u32>(ctx, 8);
  const r3: u64 = load<u32>(ctx, 12);
  const r4: u64 = load<u32>(ctx, 16);
  const s1 = r1 * 5;
  const s2 = r2 * 5;
  const s3 = r3 * 5;
  const s4 = r4 * 5;
  let h0: u64 = load<u32>(ctx, 36);
  let h1: u64 = load<u32>(ctx, 40);
  let h2: u64 = load<u32>(ctx, 44);
  let h3: u64 = load<u32>(ctx, 48);
  let h4: u64 = load<u32>(ctx, 52);
  for (; count; count--) {
    h0 += load<u32>(data) & MASK;
    h1 += (load<u32>(data, 3) >> 2) & MASK;
    h2 += (load<u32>(data, 6) >> 4) & MASK;
    h3 += load<u32>(data, 9) >> 6;
    h4 += (load<u32>(data, 12) >> 8) | (bit128 << 24);
    const d0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1;
    const d1 = h0 * r1 + h1 * r0 + h2 * s4 + h3 * s3 + h4 * s2 + (d0 >> 26);
    const d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s4 + h4 * s3 + (d1 >> 26);
    const d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s4 + (d2 >> 26);
    const d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0 + (d3 >> 26);
    h0 = (d0 & MASK) + (d4 >> 26) * 5;
    h1 = (d1 & MASK) + (h0 >> 26);
    h2 = d2 & MASK;
    h3 = d3 & MASK;
    h4 = d4 & MASK;
    h0 &= MASK;
    data += 16;
  }
  store<u32>(ctx, <u32>h0, 36);
  store<u32>(ctx, <u32>h1, 40);
  store<u32>(ctx, <u32>h2, 44);
  store<u32>(ctx, <u32>h3, 48);
  store<u32>(ctx, <u32>h4, 52);
}
