// moult as a package for CMake: installed into a prefix, and a project outside of it (host/example) that finds it there,
// builds a port with it, tests the port and updates itself.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { projectRoot } from '../../scripts/abi.ts';
import { Random } from '../../sim/random.ts';
import { SimRepository } from '../../sim/repository.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { optional } from '../optional.ts';

const ROOT = projectRoot();
const MODULE = join(ROOT, 'build/moult.wasm');
const WASM3 = join(ROOT, 'build/wasm3/source');
const EXAMPLE = join(ROOT, 'host/example');

const has = (tool: string) => spawnSync(tool, ['--version']).status === 0;
const TOOLS = {
  wasm3: has('cmake') && has('cc') && existsSync(WASM3),
  aot: has('cmake') && has('cc') && has('wasm2c'),
};

function cmake(...parameters: readonly string[]): string {
  return execFileSync('cmake', parameters, { encoding: 'utf8', stdio: 'pipe' });
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function configure(engine: string, folder: string, digest = digestOf(MODULE)): string {
  return cmake(
    ...['-S', join(ROOT, 'host'), '-B', folder, `-DMOULT_ENGINE=${engine}`, `-DMOULT_MODULE=${MODULE}`],
    `-DMOULT_MODULE_SHA256=${digest}`,
    `-DFETCHCONTENT_SOURCE_DIR_WASM3=${WASM3}`,
  );
}

/** Builds the package, installs it, and builds the example with nothing but what was installed. */
function buildOutside(engine: string, folder: string): void {
  const [build, prefix, example] = ['package', 'prefix', 'example'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  configure(engine, build);
  cmake('--build', build, '--parallel', '2');
  cmake('--install', build, '--prefix', prefix);
  cmake('-S', EXAMPLE, '-B', example, `-DCMAKE_PREFIX_PATH=${prefix}`);
  cmake('--build', example);
}

/** What the factory left and what a repository offers, as files. */
function factory(folder: string): SimRepository {
  const now = Math.floor(Date.now() / 1000);
  const repository = new SimRepository(() => now, 1);
  for (const counter of [1, 2])
    repository.publish({
      version: `1.${counter}.0`,
      releaseCounter: counter,
      securityCounter: 1,
      image: new Random(counter).bytes(60_000),
    });
  for (const [path, bytes] of repository.files) put(join(folder, path), bytes);
  put(join(folder, 'root.json'), repository.files.get('metadata/1.root.json') ?? new Uint8Array());
  const configuration = {
    hardwareId: 'sim',
    component: 'app',
    version: '1.1.0',
    releaseCounter: 1,
    securityCounter: 1,
    buildTime: now - 1000,
    checkInterval: 3600,
  };
  put(join(folder, 'config.json'), Buffer.from(JSON.stringify(configuration)));
  return repository;
}

function put(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

for (const engine of ['wasm3', 'aot'] as const) {
  const withPackage = optional(
    TOOLS[engine],
    'node scripts/wasm3.mjs (and cmake, a C compiler and wasm2c of the Debian package wabt)',
  );

  describe(`a project that finds moult (${engine}) where it is installed`, () => {
    let folder = '';
    beforeAll(() => {
      if (!TOOLS[engine]) return;
      folder = temporaryFolder();
      buildOutside(engine, folder);
    }, 300_000);

    const run = (program: string, ...parameters: readonly string[]) =>
      spawnSync(join(folder, 'example', program), parameters, { encoding: 'utf8' });

    withPackage('tests its port: five functions and a table keep the contract', () => {
      const { status, stdout } = run('conformance');
      expect(stdout.split('\n').filter((line) => line.startsWith('BROKEN'))).toEqual([]);
      expect(status).toBe(0);
    });

    withPackage('is provisioned, and updates itself to what the repository offers', () => {
      const world = join(folder, 'world');
      factory(world);
      expect(run('device', world)).toMatchObject({
        stdout: `${engine}: 1.2.0 runs, the newest release for this device is already installed\n`,
        status: 0,
      });
    });

    withPackage('installs nothing of a repository whose image was changed', () => {
      const world = join(folder, 'attacked');
      const repository = factory(world);
      for (const [path, bytes] of repository.files)
        if (path.startsWith('targets/')) put(join(world, path), Buffer.from(bytes).fill(0, 30_000, 30_001));
      const { stdout } = run('device', world);
      expect(stdout).toMatch(`${engine}: 1.1.0 runs, `);
    });
  });

  withPackage(`the package (${engine}) is not built from a module with another hash than is stated`, () => {
    expect(() => configure(engine, temporaryFolder(), '00')).toThrow(/and not\s+00 as MOULT_MODULE_SHA256/);
  });
}

optional(TOOLS.wasm3, 'node scripts/wasm3.mjs')('the package has the version of the project', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(readFileSync(join(ROOT, 'host/CMakeLists.txt'), 'utf8')).toContain(
    `project(moult VERSION ${version} `,
  );
});
