// One patch in a process of its own, for its time and its memory: OLD NEW PATCH.
import { readFileSync, writeFileSync } from 'node:fs';
import { buildPatch } from '../repo/index.ts';

const [before = '', after = '', patch = ''] = process.argv.slice(2);
writeFileSync(patch, buildPatch(readFileSync(before), readFileSync(after), { compression: 'heatshrink' }));
