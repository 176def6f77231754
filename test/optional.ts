// Tests that need something a machine may not have. What is left out is said aloud, never passed over: it shows as a
// test of its own with the way to get it, and fails where all tests must run (MOULT_REQUIRE_ALL=1, as in CI).
import { type TestFunction, test } from 'vitest';

/** Registers tests as `test` does when `available`; else as ones that report being left out, or fail. */
export function optional(
  available: boolean,
  howToGet: string,
): (name: string, body: TestFunction, timeout?: number) => void {
  if (available) return (name, body, timeout) => test(name, body, timeout);
  return (name) => {
    test(`LEFT OUT: ${name} (to run it: ${howToGet})`, () => {
      const text = `left out: "${name}"; to run it: ${howToGet}`;
      if (process.env.MOULT_REQUIRE_ALL === '1') throw new Error(text);
      process.stderr.write(`${text}\n`);
    });
  };
}
