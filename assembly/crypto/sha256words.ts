// What both bodies of SHA-256 do with words (FIPS 180-4, 4.1.2). Rotations are nested, rotr(rotr(x, 11) ^ x, 7), so that
// each needs one value at a time.

// @ts-ignore: decorator
@inline export function sigma0(x: u32): u32 { return rotr(rotr(x, 11) ^ x, 7) ^ (x >> 3); }
// @ts-ignore: decorator
@inline export function sigma1(x: u32): u32 { return rotr(rotr(x, 2) ^ x, 17) ^ (x >> 10); }
// @ts-ignore: decorator
@inline export function reverse(x: u32): u32 { return (rotl(x, 8) & 0x00ff00ff) | (rotr(x, 8) & 0xff00ff00); }
// @ts-ignore: decorator
@inline export function choose(x: u32, y: u32, z: u32): u32 { return ((y ^ z) & x) ^ z; }
