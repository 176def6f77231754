import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../scripts/abi.ts';
import { compliance } from '../scripts/compliance.ts';

test('docs/compliance.md is what the tests say, not older', () => {
  const root = projectRoot();
  expect(readFileSync(join(root, 'docs/compliance.md'), 'utf8')).toBe(compliance(root));
});
