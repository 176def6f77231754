// The one entry of all npm scripts: brings a clone to where a task can run, doing only what is not done yet, and runs
// the task. What it says itself goes to standard error, so that the standard output of a task is the task's alone.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const NODE = { major: 20, minor: 19 };

/** Compiled modules: the file, the compiler's target (asconfig.json), its entry. */
const CORE = { file: 'build/moult.wasm', target: 'release', entry: 'assembly/index.ts' };
/** The same without delegations: Ed25519, TUF's top level, install. */
const SMALL = { file: 'build/moult-small.wasm', target: 'small', entry: 'assembly/small.ts' };
/** The small one with patches, for boards that run it under wasm3. */
const PATCHING = { file: 'build/moult-patching.wasm', target: 'patching', entry: 'assembly/small.ts' };
/** For boards where it is compiled ahead of time: no other keys than Ed25519's, no encrypted payloads. */
const LEAN = { file: 'build/moult-lean.wasm', target: 'lean', entry: 'assembly/index.ts' };
const CRYPTO = { file: 'build/crypto.wasm', target: 'crypto', entry: 'assembly/crypto/index.ts' };
const CRYPTO_TEST = {
  file: 'build/crypto.test.wasm',
  target: 'crypto-test',
  entry: 'assembly/crypto/test.ts',
};
const DELTA_TEST = { file: 'build/delta.test.wasm', target: 'delta-test', entry: 'assembly/delta/test.ts' };

/** Compiles one of them. */
const MODULE = 'scripts/module.mjs';
const SEGMENTS = 'scripts/segments.mjs';
const COMPILERS = ['assemblyscript', 'binaryen'];
const BIOME = 'node_modules/@biomejs/biome/bin/biome';
const ROLLDOWN = 'node_modules/rolldown/bin/cli.mjs';
const TSC = 'node_modules/typescript/bin/tsc';
/** moult-client in one file, because it is started often and must start quickly. */
const CLIENT = { file: 'build/moult-client.cjs', entry: 'build/js/cli/client/main.js' };
const VITEST = 'node_modules/vitest/vitest.mjs';
const WASM3 = 'scripts/wasm3.mjs';
/** There when wasm3 was fetched: tests and the demo then need its builds to be current. */
const WASM3_SOURCE = 'build/wasm3/source';
const WASM3_SANITIZED = 'build/wasm3-sanitize';
const QEMU = 'scripts/qemu.mjs';
const AOT = 'scripts/aot.mjs';
const ESP32 = 'scripts/esp32.mjs';
const WASM3_BINDING = 'build/wasm3/node/wasm3.node';
const AOT_DEVICE = 'build/aot/posix/moult-device';
const WASM3_DEVICE = 'build/wasm3/posix/moult-device';
/** Written by vitest, see vitest.config.ts. */
const RESULTS = 'build/test-results.json';

const TASKS = {
  start: { modules: [CORE], run: runDemo },
  test: {
    client: true,
    modules: [CORE, SMALL, PATCHING, LEAN, CRYPTO, CRYPTO_TEST, DELTA_TEST],
    run: runTests,
  },
  'test:wasm3': {
    client: true,
    modules: [CORE, SMALL, PATCHING, LEAN, CRYPTO, CRYPTO_TEST, DELTA_TEST],
    run: runTestsOnWasm3,
  },
  'test:aot': {
    modules: [CORE, SMALL, PATCHING, LEAN, CRYPTO, CRYPTO_TEST, DELTA_TEST],
    run: runTestsCompiled,
  },
  build: { client: true, modules: [CORE, SMALL, PATCHING, LEAN, CRYPTO], run: showBuilt },
  budgets: { modules: [CORE, SMALL, PATCHING, LEAN, CRYPTO], run: runBudgets },
  bench: { client: true, modules: [CORE, CRYPTO], run: (args) => runScript('build/js/bench/main.js', args) },
  sweep: { modules: [CORE], run: (args) => runScript('build/js/cli/sweep/sweep.js', args) },
  fuzz: { modules: [CORE], run: (args) => runScript('build/js/scripts/fuzz.js', args) },
  kills: { modules: [], run: (args) => runScript('build/js/scripts/kills.js', args) },
  sqlite: { modules: [], run: buildSqlite },
  mutants: { modules: [CORE], run: (args) => runScript('build/js/scripts/mutants.js', args) },
};

/** A step that cannot go on: what the user reads, and what the failed tool had to say. */
class StepFailed extends Error {
  constructor(message, output, status) {
    super(message);
    this.output = output || '';
    this.status = status || 1;
  }
}

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error) => {
    if (!(error instanceof StepFailed)) throw error;
    process.stderr.write(error.output);
    process.stderr.write(`✗ ${error.message}\n`);
    process.exitCode = error.status;
  },
);

async function main([name, ...args]) {
  checkNode();
  const task = Object.hasOwn(TASKS, name || '') ? TASKS[name] : undefined;
  if (task === undefined) {
    const known = Object.keys(TASKS).join(', ');
    throw new StepFailed(`there is no task "${name || ''}"; the tasks are ${known}`, '', 2);
  }
  process.chdir(ROOT);
  await install();
  await buildModules(task.modules);
  await compile();
  if (task.client) await bundleClient();
  return task.run(args);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE.major || (major === NODE.major && minor >= NODE.minor)) return;
  const needed = `${NODE.major}.${NODE.minor}`;
  throw new StepFailed(
    `moult needs Node ${needed} or newer and this is ${process.versions.node}; install one from https://nodejs.org`,
  );
}

// ---- set-up ----

async function install() {
  if (isInstalled()) return;
  await step('installing packages (npm ci, once, mostly under a minute)', () =>
    npm('npm ci failed', ['ci', '--no-audit', '--no-fund', '--loglevel=error']),
  );
}

async function npm(complaint, args, env = process.env) {
  const script = process.env.npm_execpath;
  const { status, output } = script?.endsWith('.js')
    ? await capture(process.execPath, [script, ...args], { env })
    : await capture('npm', args, { env, shell: process.platform === 'win32' });
  if (status !== 0) throw new StepFailed(`${complaint}; what it says stands above`, output);
}

/** Whether node_modules holds what package-lock.json asks for. npm keeps the same list of what it installed. */
function isInstalled() {
  const { packages: found } = readJson('node_modules/.package-lock.json');
  const { packages: wanted } = readJson('package-lock.json');
  if (found === undefined || wanted === undefined) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || found[path]?.version === version,
  );
}

async function buildModules(modules) {
  const stamp = digestOf([
    ...['asconfig.json', MODULE, SEGMENTS, ...COMPILERS.map((name) => `node_modules/${name}/package.json`)],
    ...files('assembly'),
  ]);
  const stale = modules.filter(({ file }) => !isCurrent(file, stamp));
  if (stale.length === 0) return;
  mkdirSync('build', { recursive: true });
  const names = stale.map(({ file }) => file).join(', ');
  await step(`building ${names} (asc and wasm-opt, some seconds)`, () =>
    Promise.all(
      stale.map(async ({ file, target, entry }) => {
        // Renamed when it is whole: a build that was broken off leaves the old one.
        const draft = file.replace(/\.wasm$/, `.${process.pid}.wasm`);
        await node(`${entry} does not compile`, [MODULE, entry, target, draft]);
        renameSync(draft, file);
        noteCurrent(file, stamp);
      }),
    ),
  );
}

async function compile() {
  const { include } = JSON.parse(readFileSync('tsconfig.json', 'utf8'));
  const folders = include.map((pattern) => pattern.replace(/\/\*.*$/, '')).filter(existsSync);
  const sources = folders.flatMap(files).filter((file) => file.endsWith('.ts'));
  const stamp = digestOf(['tsconfig.json', 'package-lock.json', ...sources]);
  if (isCurrent('build/js', stamp)) return;
  await step('compiling TypeScript (tsc, a few seconds)', async () => {
    await node('the TypeScript sources do not compile', [TSC, '-p', 'tsconfig.json']);
    noteCurrent('build/js', stamp);
  });
}

async function bundleClient() {
  const stamp = digestOf([stampFile('build/js'), 'package-lock.json']);
  if (isCurrent(CLIENT.file, stamp)) return;
  await step(`bundling ${CLIENT.file} (rolldown, under a second)`, async () => {
    const options = ['--format', 'cjs', '--platform', 'node', '--file', CLIENT.file];
    await node(`${CLIENT.entry} does not bundle`, [ROLLDOWN, CLIENT.entry, ...options]);
    noteCurrent(CLIENT.file, stamp);
  });
}

// ---- tasks ----

/** Replaces this process as far as Node can: its terminal, its signals, its status. */
function runScript(script, args) {
  return inherit([script, ...args]);
}

/** Two boards of the demo run on wasm3 where that was fetched once; the demo fetches nothing itself. */
async function runDemo(args) {
  if (existsSync(WASM3_SOURCE) && !isCurrent(WASM3_DEVICE, wasm3Stamp())) await buildWasm3();
  return runScript('build/js/cli/demo/demo.js', args);
}

async function runTests(args) {
  rmSync(RESULTS, { force: true });
  const lint = await inherit([BIOME, 'check', '.']);
  if (existsSync(WASM3_SOURCE)) await buildWasm3();
  if (existsSync(WASM3_SOURCE) && hasCrossCompiler()) await buildBoards();
  if (has('wasm2c') && has('cmake')) await buildCompiled();
  if (existsSync(WASM3_SANITIZED) && has('wasm2c')) await buildEsp32();
  const engines = [
    'v8',
    ...(existsSync(WASM3_BINDING) ? ['wasm3'] : []),
    ...(existsSync(AOT_DEVICE) ? ['aot'] : []),
  ];
  process.env.MOULT_ENGINES ??= engines.join(',');
  const tests = await inherit([VITEST, 'run', ...args]);
  reportLeftOut();
  if (lint !== 0) process.stderr.write('✗ the sources are not as "npm run format" leaves them\n');
  return tests || lint;
}

/** Bytes, and instructions where this machine can count them. */
async function runBudgets(args) {
  if (existsSync(WASM3_SOURCE) && hasCrossCompiler()) await buildBoards();
  return runScript('build/js/bench/budgets.js', args);
}

/** What the Director needs for a database in a file: fetched where it is offered ready, else built from source with
 * the headers of this Node, if they are installed beside it. */
async function buildSqlite() {
  const prefix = join(dirname(process.execPath), '..');
  const headers = existsSync(join(prefix, 'include/node/node.h'));
  const env = { ...(headers && { npm_config_nodedir: prefix }), ...process.env };
  const complaint = 'the binding can neither be fetched nor built';
  await step("SQLite's binding (npm rebuild; up to some minutes where it must be built)", async () => {
    // No package's scripts run here (.npmrc) but this one, when it is asked for.
    await npm(complaint, ['rebuild', 'better-sqlite3', '--ignore-scripts=false', '--loglevel=error'], env);
    await node(complaint, ['-e', "new (require('better-sqlite3'))(':memory:')"]);
  });
  return 0;
}

/** The tests of the core on wasm3 alone; the first time it is fetched. */
async function runTestsOnWasm3(args) {
  await buildWasm3();
  process.env.MOULT_ENGINES = 'wasm3-all';
  return inherit([VITEST, 'run', ...args]);
}

/** The tests of the core on the core compiled ahead of time alone. */
async function runTestsCompiled(args) {
  await buildCompiled();
  process.env.MOULT_ENGINES = 'aot-all';
  return inherit([VITEST, 'run', ...args]);
}

function buildCompiled() {
  return step('compiling the core ahead of time (wasm2c, cmake, some seconds)', () =>
    node('it cannot be compiled on this machine', [AOT]),
  );
}

function buildWasm3() {
  return step('building wasm3 and the shim (cmake, some seconds)', async () => {
    const complaint = 'wasm3 cannot be had or built on this machine';
    await node(complaint, [WASM3]);
    if (existsSync(WASM3_SANITIZED)) await node(complaint, [WASM3, 'build', '--sanitize']);
    noteCurrent(WASM3_DEVICE, wasm3Stamp());
  });
}

function wasm3Stamp() {
  const sources = ['host', 'test/c'].filter(existsSync).flatMap(files);
  return digestOf([WASM3, ...sources.filter((file) => /\.[ch]$|CMakeLists\.txt$/.test(file))]);
}

function hasCrossCompiler() {
  return has('riscv64-unknown-elf-gcc');
}

function has(tool) {
  return spawnSync(tool, ['--version']).status === 0;
}

function buildBoards() {
  return step('building the programs of the emulated board (cmake, some seconds)', () =>
    node('they cannot be built on this machine', [QEMU]),
  );
}

/** With the sanitizers, so where the shim was built with them once. */
function buildEsp32() {
  return step('building the device on an ESP32 for this machine (cmake, some seconds)', () =>
    node('it cannot be built on this machine', [ESP32]),
  );
}

/** Tests that need something this machine lacks say so in their names: see test/optional.ts. */
function reportLeftOut() {
  const mark = 'LEFT OUT: ';
  const { testResults = [] } = readJson(RESULTS);
  const titles = testResults.flatMap(({ assertionResults }) => assertionResults.map(({ title }) => title));
  const left = titles.filter((title) => title.startsWith(mark)).map((title) => title.slice(mark.length));
  if (left.length === 0) return;
  process.stderr.write(`! ${left.length} tests were left out, for want of something optional:\n`);
  for (const title of left) process.stderr.write(`    ${title}\n`);
}

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
}

async function showBuilt() {
  for (const { file } of [CORE, SMALL, PATCHING, LEAN, CRYPTO]) {
    process.stdout.write(`✓ ${file}: ${statSync(file).size.toLocaleString('en')} bytes\n`);
  }
  process.stdout.write('✓ build/js: the command line (node bin/moult --help)\n');
  process.stdout.write(`✓ ${CLIENT.file}: the TUF client (bin/moult-client --help)\n`);
  return 0;
}

// ---- tools ----

/** One line: what is done, then how long it took. */
async function step(what, act) {
  const begun = Date.now();
  process.stderr.write(`· ${what} … `);
  try {
    await act();
  } catch (error) {
    process.stderr.write('failed\n');
    throw error;
  }
  process.stderr.write(`${((Date.now() - begun) / 1000).toFixed(1)} s\n`);
}

/** Runs a JavaScript tool; its output is shown only when it fails. */
async function node(complaint, args) {
  const { status, output } = await capture(process.execPath, args);
  if (status !== 0) throw new StepFailed(`${complaint}; what the compiler says stands above`, output);
}

function capture(command, args, options) {
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    const take = (chunk) => {
      output += chunk;
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => done({ status: 1, output: `${output}${error.message}\n` }));
    child.on('close', (status) => done({ status: status === null ? 1 : status, output }));
  });
}

/** Runs a script with this terminal. A Ctrl-C reaches it too, and it decides. */
function inherit(args) {
  const ignore = () => undefined;
  process.on('SIGINT', ignore);
  return new Promise((done) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    child.on('close', (status, signal) => {
      process.off('SIGINT', ignore);
      done(status === null ? 128 + (signal === 'SIGINT' ? 2 : 15) : status);
    });
  });
}

// ---- what is done already ----

function files(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function digestOf(paths) {
  const hash = createHash('sha256');
  for (const path of [...paths].sort()) hash.update(`${path}\0`).update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}

/** The stamp of an output is the digest of what it was made from. */
function stampFile(output) {
  return join('build', `.${output.replace(/\W/g, '-')}.stamp`);
}

function isCurrent(output, stamp) {
  const file = stampFile(output);
  return existsSync(output) && existsSync(file) && readFileSync(file, 'utf8') === stamp;
}

function noteCurrent(output, stamp) {
  writeFileSync(stampFile(output), stamp);
}
