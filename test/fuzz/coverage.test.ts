// The fuzzer that is guided by coverage, for a minute in CI and some seconds elsewhere.
import { describe, expect } from 'vitest';
import { optional } from '../optional.ts';
import { buildFuzzer, runFuzzer, whatLacks } from './native.ts';

const SECONDS = process.env.MOULT_REQUIRE_ALL === '1' ? 60 : 5;
const lacking = whatLacks();

describe('the core compiled ahead of time, the shim and the link, under ASan and UBSan', () => {
  optional(lacking === undefined, lacking ?? '')(
    'take whatever inputs coverage leads to: no trap, no access outside, no image but the signed one',
    async () => {
      await buildFuzzer();
      const { clean, said, executions, edges, allEdges } = runFuzzer(SECONDS, 1);
      expect(clean ? '' : said).toBe('');
      expect(executions).toBeGreaterThan(0);
      expect(edges / allEdges).toBeGreaterThan(0.2);
    },
    300_000,
  );
});
