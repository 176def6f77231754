#!/usr/bin/env node
// The core compiled ahead of time, for this machine: `node scripts/aot.mjs` builds host/aot with CMake from the modules in
// build/, into build/aot: the device process and Node bindings. It needs wasm2c (Debian: wabt), cmake and a C compiler.
// `--sanitize` builds into build/aot-sanitize with ASan and UBSan, without the bindings.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone } from './lock.mjs';
import { nodeHeaders, run } from './wasm3.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
/** What the tests run; those that are built. */
const MODULES = ['moult', 'moult-small', 'crypto', 'crypto.test', 'delta.test']
  .map((name) => join(ROOT, `build/${name}.wasm`))
  .filter(existsSync);

function build(options) {
  const sanitize = options.includes('--sanitize');
  const folder = join(ROOT, sanitize ? 'build/aot-sanitize' : 'build/aot');
  const bindings = MODULES.map((path) => `${path}=${sha256(path)}`);
  const [core] = MODULES;
  run('cmake', [
    ...['-S', join(ROOT, 'host/aot'), '-B', folder],
    `-DMOULT_MODULE=${core}`,
    `-DMOULT_MODULE_SHA256=${sha256(core)}`,
    '-DMOULT_HOST_BUILD=ON',
    `-DMOULT_SANITIZE=${sanitize ? 'ON' : 'OFF'}`,
    `-DMOULT_NODE_HEADERS=${nodeHeaders()}`,
    `-DMOULT_NODE_MODULES=${bindings.join(';')}`,
  ]);
  run('cmake', ['--build', folder, '--parallel', '2']);
  if (!sanitize) forgetOthers(join(folder, 'node'), MODULES.map(sha256));
}

/** Bindings of modules that were built before. */
function forgetOthers(folder, digests) {
  if (!existsSync(folder)) return;
  const others = readdirSync(folder).filter(
    (name) => /^[0-9a-f]{64}\.node$/.test(name) && !digests.includes(name.slice(0, 64)),
  );
  for (const name of others) rmSync(join(folder, name));
}

function sha256(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

try {
  await alone(() => build(process.argv.slice(2)));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
