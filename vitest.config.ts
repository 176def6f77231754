import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Some tests fork processes, compile the core or cut the power thousands of times.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A machine with two cores is what must do.
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', 'json'],
    outputFile: { json: 'build/test-results.json' },
  },
});
