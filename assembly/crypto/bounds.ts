// The bounds that field25519.ts proves on paper, asserted by the test build (`--use FIELD_BOUNDS=1`).
// Everywhere else these functions are empty and compile to nothing.

/** What a reduced limb stays below in size. */
const U: u64 = (1 << 29) + (1 << 17);

/** The largest of the nine limbs in size. */
function size(a: usize): u64 {
  let largest: i64 = 0;
  for (let i: usize = 0; i < 36; i += 4) largest = max<i64>(largest, abs<i64>(load<i32>(a + i)));
  return <u64>largest;
}

/** Asserts that every limb is at most `tenths` tenths of U in size. */
// @ts-ignore: decorator
@inline
export function bound_size(a: usize, tenths: u64): void {
  // @ts-ignore: set by the test build only
  if (isDefined(FIELD_BOUNDS)) assert(size(a) * 10 <= U * tenths);
}

/** Asserts that the sizes of two factors multiply to at most 3 U^2. */
// @ts-ignore: decorator
@inline
export function bound_product(a: usize, b: usize): void {
  // @ts-ignore: set by the test build only
  if (isDefined(FIELD_BOUNDS)) assert(size(a) * size(b) <= 3 * U * U);
}

/** Asserts that the sizes of two terms add up to at most 3 U. */
// @ts-ignore: decorator
@inline
export function bound_sum(a: usize, b: usize): void {
  // @ts-ignore: set by the test build only
  if (isDefined(FIELD_BOUNDS)) assert(size(a) + size(b) <= 3 * U);
}
