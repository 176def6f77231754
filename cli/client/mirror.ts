// The trusted metadata as files, for people and for other tools: ROLE.json, byte for byte as it was received.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Role } from '../../host/node/abi.ts';
import type { Core } from '../../host/node/core.ts';

const NAMES = new Map([
  ['root.json', Role.ROOT],
  ['timestamp.json', Role.TIMESTAMP],
  ['snapshot.json', Role.SNAPSHOT],
  ['targets.json', Role.TARGETS],
]);

/** Makes the files of a folder what the core trusts. Each changes whole or not at all. */
export function mirror(core: Core, folder: string): void {
  const there = new Set(readdirSync(folder).filter((name) => name.endsWith('.json')));
  for (const [name, role] of NAMES) {
    const file = core.trustedFile(role);
    if (file.length > 0 && !(there.has(name) && same(join(folder, name), file)))
      replace(join(folder, name), file);
    if (file.length > 0) there.delete(name);
  }
  for (const name of there) rmSync(join(folder, name));
}

function same(path: string, file: Uint8Array): boolean {
  return Buffer.compare(readFileSync(path), file) === 0;
}

function replace(path: string, file: Uint8Array): void {
  writeFileSync(`${path}.part`, file);
  renameSync(`${path}.part`, path);
}
