import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../scripts/abi.ts';

const root = projectRoot();

test('two builds of the release are the same, byte for byte', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moult-build-'));
  try {
    const build = () => {
      const out = join(folder, 'moult.wasm');
      execFileSync(process.execPath, ['scripts/module.mjs', 'assembly/index.ts', 'release', out], {
        cwd: root,
      });
      return readFileSync(out);
    };
    const first = build();
    expect(build().equals(first)).toBe(true);
    expect(readFileSync(join(root, 'build/moult.wasm')).equals(first)).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);
