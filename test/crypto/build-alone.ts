// Files of the crypto folder compiled by themselves, as the core is.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ASC = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');

/** A module that exports all that these files do. */
export function buildAlone(...files: readonly string[]): Uint8Array {
  const folder = mkdtempSync(join(ROOT, 'build', 'alone-'));
  try {
    const entry = join(folder, 'entry.ts');
    const out = join(folder, 'entry.wasm');
    writeFileSync(entry, files.map((name) => `export * from "../../assembly/crypto/${name}";\n`).join(''));
    execFileSync(process.execPath, [ASC, entry, '--target', 'crypto-small', '--outFile', out], {
      cwd: ROOT,
      stdio: 'pipe',
    });
    return readFileSync(out);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
