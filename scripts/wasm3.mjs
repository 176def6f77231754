#!/usr/bin/env node
// wasm3 and what is built on it: `node scripts/wasm3.mjs [sources | build]`, both when nothing is said.
//
// sources: fills build/wasm3/source with wasm3 0.9.0 (MIT), taken from the Rust crate wasm3x-sys, for machines that
// reach package registries only; elsewhere CMake fetches a pinned commit by itself. Every byte is checked against
// SHA256 below before a compiler sees it.
// build: the shim, its tests, the device process and the Node binding into build/wasm3, with CMake. On by default are
// warnings as errors. `--sanitize` builds into build/wasm3-sanitize with ASan and UBSan; `--clang` with clang.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone } from './lock.mjs';

const CRATE = 'wasm3x-sys';
const VERSION = '0.2.1';
/** Of the lines "SHA-256 of the file, two spaces, path", sorted by path. */
const SHA256 = 'bf86a3cf3c6e989f7f9e368a66cb7a050d5b0c09eeb7446e45594dcd9dce5e49';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
export const SOURCE = join(ROOT, 'build/wasm3/source');

/** Throws unless the folder holds the sources that SHA256 names, no file more and none less. */
export function check(folder) {
  const found = sum(folder);
  if (found !== SHA256)
    throw new Error(
      `${folder} does not hold wasm3 as in ${CRATE} ${VERSION}: SHA-256 ${found} instead of ${SHA256}. ` +
        'Remove the folder and run: node scripts/wasm3.mjs',
    );
}

function sum(folder) {
  const lines = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort()
    .map((path) => `${sha256(readFileSync(join(folder, path)))}  ${path}\n`);
  return sha256(lines.join(''));
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

function sources() {
  if (existsSync(SOURCE)) return check(SOURCE);
  const folder = mkdtempSync(join(tmpdir(), 'moult-wasm3-'));
  try {
    const vendored = join(download(folder), 'wasm3');
    check(vendored);
    mkdirSync(dirname(SOURCE), { recursive: true });
    cpSync(vendored, SOURCE, { recursive: true });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The crate's folder in cargo's cache, through a package that does nothing but depend on it. */
function download(folder) {
  const manifest = join(folder, 'Cargo.toml');
  writeFileSync(
    manifest,
    `[package]\nname = "sources"\nversion = "0.0.0"\nedition = "2021"\n\n[lib]\npath = "lib.rs"\n\n` +
      `[dependencies]\n${CRATE} = "=${VERSION}"\n`,
  );
  writeFileSync(join(folder, 'lib.rs'), '');
  run('cargo', ['fetch', '--quiet', '--manifest-path', manifest]);
  const text = run('cargo', [
    'metadata',
    '--quiet',
    '--offline',
    '--format-version',
    '1',
    '--manifest-path',
    manifest,
  ]);
  const crate = JSON.parse(text).packages.find(({ name, version }) => name === CRATE && version === VERSION);
  return dirname(crate.manifest_path);
}

function build(options) {
  check(SOURCE);
  const sanitize = options.includes('--sanitize');
  const clang = options.includes('--clang');
  const folder = join(ROOT, `build/wasm3${clang ? '-clang' : ''}${sanitize ? '-sanitize' : ''}`);
  run('cmake', [
    ...['-S', join(ROOT, 'host/wasm3'), '-B', folder],
    `-DFETCHCONTENT_SOURCE_DIR_WASM3=${SOURCE}`,
    '-DMOULT_HOST_BUILD=ON',
    `-DMOULT_SANITIZE=${sanitize ? 'ON' : 'OFF'}`,
    ...(clang ? ['-DCMAKE_C_COMPILER=clang'] : []),
    `-DMOULT_NODE_HEADERS=${nodeHeaders()}`,
  ]);
  run('cmake', ['--build', folder, '--parallel', '2']);
}

/** Where node_api.h is: beside the running Node, or where npm says that Node's headers are. */
export function nodeHeaders() {
  const beside = join(dirname(process.execPath), '..', 'include/node');
  const configured = process.env.npm_config_nodedir;
  const places = [beside, ...(configured ? [join(configured, 'include/node')] : []), '/usr/include/node'];
  return places.find((place) => existsSync(join(place, 'node_api.h'))) ?? '';
}

export function run(program, parameters) {
  try {
    return execFileSync(program, parameters, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 26,
    });
  } catch (cause) {
    const why =
      cause.code === 'ENOENT' ? `${program} is not installed` : `${cause.stdout ?? ''}${cause.stderr ?? ''}`;
    throw new Error(`${program} ${parameters[0]}: ${why}`, { cause });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [verb, ...options] = process.argv.slice(2);
  try {
    await alone(() => {
      if (verb !== 'build') sources();
      if (verb !== 'sources') build(options);
    });
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
