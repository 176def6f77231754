// Comparing secrets without a branch on them.

/** Whether two regions are the same; how long it takes depends on `length` alone. */
export function bytes_are_equal(a: usize, b: usize, length: u32): bool {
  let differences: u32 = 0;
  for (let i: u32 = 0; i < length; i++) differences |= load<u8>(a + i) ^ load<u8>(b + i);
  return differences == 0;
}
