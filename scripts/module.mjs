#!/usr/bin/env node
// One module of the core: `node scripts/module.mjs ENTRY TARGET OUT` compiles it by AssemblyScript. The whole core is then
// made smaller by Binaryen's wasm-opt, with what asc has no options for. The same steps everywhere, so that who builds a
// release again gets the same bytes.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { joinSegments } from './segments.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const ASC = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
const WASM_OPT = join(ROOT, 'node_modules/binaryen/bin/wasm-opt');

/** What modules use beyond the first version of WebAssembly, as asc does by default: wasm3 has all of it. */
const FEATURES = ['bulk-memory', 'mutable-globals', 'nontrapping-float-to-int', 'sign-ext'];
// -1,000 B of the whole core. Not for the others: the larger functions that come of it cost the small core 40 % more
// instructions where it is compiled at first call, and ahead of time nothing is gained (docs/decisions/0026-smaller.md).
const SMALLER = [
  '-Os',
  // Only bugs trap, so an access whose result nobody uses need not be kept for its trap.
  '--ignore-implicit-traps',
  '--const-hoisting',
];

const [entry, target, out] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: node scripts/module.mjs ENTRY TARGET OUT');
  process.exit(2);
}
run(ASC, [entry, '--target', target, '--outFile', out]);
if (target === 'release')
  run(WASM_OPT, [out, '--output', out, ...FEATURES.map((name) => `--enable-${name}`), ...SMALLER]);
writeFileSync(out, joinSegments(readFileSync(out)));

function run(program, options) {
  const { status } = spawnSync(process.execPath, [program, ...options], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
