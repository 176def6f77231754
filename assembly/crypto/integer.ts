// Integers of many limbs: 29 bits each, stored as i32, the lowest first. The highest limb takes the sign and
// whatever is too large for it, so that values a little below 0 or above a modulus are integers too.
import { INVERSE_SCRATCH } from "./memory";

const BITS: u32 = 29;
const MASK: i64 = 0x1fffffff;

/** Limbs of a 256-bit integer. */
export const LIMBS_256: u32 = 9;

/** out = `length` bytes, big endian, in `count` limbs, which must be enough. */
export function integer_load(out: usize, bytes: usize, length: u32, count: u32): void {
  let at = bytes + length;
  let held: u64 = 0;
  let bits: u32 = 0;
  for (const end = out + (count << 2); out < end; out += 4) {
    for (; bits < BITS; bits += 8) {
      if (at > bytes) held |= <u64>load<u8>(--at) << bits;
    }
    store<u32>(out, held & MASK);
    held >>= BITS;
    bits -= BITS;
  }
}

/** Writes the lowest `length` bytes of a, big endian; its limbs must hold that many. */
export function integer_store(bytes: usize, a: usize, length: u32): void {
  let held: u64 = 0;
  let bits: u32 = 0;
  for (let at = bytes + length; at > bytes; bits -= 8) {
    if (bits < 8) {
      held |= <u64>load<u32>(a) << bits;
      bits += BITS;
      a += 4;
    }
    store<u8>(--at, held);
    held >>= 8;
  }
}

/** Whether a < b. */
export function integer_below(a: usize, b: usize, count: u32): bool {
  for (let at = count << 2; at > 0; ) {
    at -= 4;
    const x = load<i32>(a + at);
    const y = load<i32>(b + at);
    if (x != y) return x < y;
  }
  return false;
}

/** Whether a is 0. */
export function integer_is_zero(a: usize, count: u32): bool {
  let bits: u32 = 0;
  for (const end = a + (count << 2); a < end; a += 4) bits |= load<u32>(a);
  return !bits;
}

/** a += k b. */
function add_multiple(a: usize, b: usize, k: i64, count: u32): void {
  let sum: i64 = 0;
  const last = a + (count << 2) - 4;
  for (; a < last; a += 4) {
    sum += <i64>load<i32>(a) + k * load<i32>(b);
    store<i32>(a, sum & MASK);
    sum >>= BITS;
    b += 4;
  }
  store<i32>(a, sum + load<i32>(a) + k * load<i32>(b));
}

/** Brings a, within (-turns m, turns m), into [0, m). */
function reduce(a: usize, m: usize, count: u32, turns: i32): void {
  const top = (count << 2) - 4;
  for (let i = turns; i > 0 && load<i32>(a + top) < 0; i--) add_multiple(a, m, 1, count);
  for (let i = turns; i > 0 && !integer_below(a, m, count); i--) add_multiple(a, m, -1, count);
}

/** How many bits m has; its highest limb is not 0. */
// @ts-ignore: decorator
@inline
function bit_length(m: usize, count: u32): u32 {
  return count * BITS + 3 - clz(load<u32>(m + (count << 2) - 4));
}

/** The bits of a, as a signed number, from bit 29 `limb` + `shift` up; three limbs hold them all. */
function leading(a: usize, limb: u32, shift: u32): i64 {
  a += limb << 2;
  return ((((<i64>load<i32>(a, 8) << BITS) + load<i32>(a, 4)) << BITS) + load<i32>(a)) >> shift;
}

/**
 * out = a b modulo m; a and b below m, m of at least 59 bits. Each has `count` limbs and a further one that is 0; the
 * highest of the `count` limbs of m is not 0. `out` is none of the others.
 *
 * From the highest limb of a down, out = 2^29 out + a_i b - q m. Let D be the 32 leading bits of m, with the
 * weight w; the same bits of out and b give q, in all too small by less than 2^30 w and divided by a D that is
 * too small by less than 1. So q is off by less than 2^30 / 2^31 + |q| / 2^31 + 1, and with |out| < 2.4 m before, |q| is
 * below 3.4 * 2^29 * (1 + 2^-30) and |out| below (0.5 + 0.85 + 1 + 0.01) m < 2.4 m after. The dividend is below
 * 3.4 * 2^61 < 2^63, a limb's sum below 2^29 + 2^58 + 2^60.8 and a carry.
 */
export function integer_multiply(out: usize, a: usize, b: usize, m: usize, count: u32): void {
  const weight = bit_length(m, count) - 32;
  const limb = weight / BITS;
  const shift = weight % BITS;
  const divisor = leading(m, limb, shift);
  const factor = leading(b, limb, shift);
  const bytes = count << 2;
  memory.fill(out, 0, bytes + 4);
  for (let i = bytes; i > 0; ) {
    i -= 4;
    const digit: i64 = load<i32>(a + i);
    const q = ((leading(out, limb, shift) << BITS) + digit * factor) / divisor;
    let below: i64 = 0;
    let sum: i64 = 0;
    for (let j: u32 = 0; j < bytes; j += 4) {
      sum += below + digit * load<i32>(b + j) - q * load<i32>(m + j);
      below = load<i32>(out + j);
      store<i32>(out + j, sum & MASK);
      sum >>= BITS;
    }
    store<i32>(out + bytes, sum + below + (<i64>load<i32>(out + bytes) << BITS));
  }
  reduce(out, m, count + 1, 3);
}

/**
 * out = 1 / a modulo m, for an odd prime m and 0 < a < m, both of 256 bits: Bernstein and Yang, "Fast constant-time gcd
 * computation and modular inversion", in steps of as many halvings as a limb has bits. 741 halvings always do, which
 * are 26 steps.
 */
export function integer_inverse(out: usize, a: usize, m: usize): void {
  const f = INVERSE_SCRATCH;
  const g = INVERSE_SCRATCH + 36;
  const d = INVERSE_SCRATCH + 72;
  const e = INVERSE_SCRATCH + 108;
  memory.copy(f, m, 36);
  memory.copy(g, a, 36);
  memory.fill(d, 0, 72);
  store<u32>(e, 1);
  // -1 / m modulo 2^29: m is its own inverse modulo 8, and each turn doubles the bits.
  const low = load<u32>(m);
  let k = low;
  for (let i = 0; i < 4; i++) k *= 2 - low * k;
  let eta = -1;
  for (let i = 0; i < 26 && !integer_is_zero(g, LIMBS_256); i++) eta = inverse_step(f, g, d, e, eta, m, 0 - k);
  if (load<i32>(f, 32) < 0) {
    memory.fill(out, 0, 36);
    add_multiple(out, d, -1, LIMBS_256);
  } else {
    memory.copy(out, d, 36);
  }
  reduce(out, m, LIMBS_256, 14);
}

/** 29 halvings, found from the lowest limbs of f and g, then applied to f, g and modulo m to d, e. Returns eta. */
function inverse_step(f: usize, g: usize, d: usize, e: usize, eta: i32, m: usize, k: u32): i32 {
  let x = load<u32>(f);
  let y = load<u32>(g);
  let u = 1;
  let v = 0;
  let q = 0;
  let r = 1;
  let left: i32 = BITS;
  for (;;) {
    const zeros = ctz(<i32>y | (-1 << left));
    y >>= zeros;
    u <<= zeros;
    v <<= zeros;
    eta -= zeros;
    left -= zeros;
    if (!left) break;
    if (eta < 0) {
      let swap: i32 = x;
      x = y;
      y = -swap;
      swap = u;
      u = q;
      q = -swap;
      swap = v;
      v = r;
      r = -swap;
      eta = -eta;
    }
    // As many multiples of x as clear the lowest bits of y, six at most: x (x^2 - 2) is -1 / x modulo 64.
    const w = (x * y * (x * x - 2)) & ((1 << min(min(eta + 1, left), 6)) - 1);
    y += x * w;
    q += u * w;
    r += v * w;
  }
  transform(f, g, u, v, q, r, m, k);
  transform(d, e, u, v, q, r, m, k);
  return eta;
}

/**
 * (x, y) = (u x + v y, q x + r y) / 2^29, made divisible by multiples of m within (-m 2^28, m 2^28]. |u| + |v| and
 * |q| + |r| are at most 2^29, so a sum stays below 2^60, and x and y grow by at most half of m.
 */
function transform(x: usize, y: usize, u: i64, v: i64, q: i64, r: i64, m: usize, k: u32): void {
  let s: i64 = 0;
  let t: i64 = 0;
  let sm: i64 = 0;
  let tm: i64 = 0;
  for (let at: usize = 0; at < 36; at += 4) {
    const a: i64 = load<i32>(x + at);
    const b: i64 = load<i32>(y + at);
    s += u * a + v * b;
    t += q * a + r * b;
    if (!at) {
      sm = ((s * k) << 35) >> 35;
      tm = ((t * k) << 35) >> 35;
    }
    const c: i64 = load<i32>(m + at);
    s += sm * c;
    t += tm * c;
    if (at) {
      store<i32>(x + at - 4, s & MASK);
      store<i32>(y + at - 4, t & MASK);
    }
    s >>= BITS;
    t >>= BITS;
  }
  store<i32>(x, s, 32);
  store<i32>(y, t, 32);
}
