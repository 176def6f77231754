// The script behind all npm scripts, in a small project of its own with the real compilers.
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../scripts/abi.ts';
import type { Transcript } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';

const ROOT = projectRoot();
const project = temporaryFolder();

/** Prints its arguments and ends with 7. */
const PROGRAM = `
declare const process: { argv: string[]; exitCode: number };
declare const console: { log(text: string): void };
console.log(process.argv.slice(2).join(' '));
process.exitCode = 7;
`;
const CORE = 'export function one(): i32 {\n  return 1;\n}\n';

beforeAll(() => {
  copy('scripts/run.mjs', 'scripts/module.mjs', 'scripts/segments.mjs', 'package.json', 'package-lock.json');
  symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  write('asconfig.json', JSON.stringify({ targets: { release: {} } }));
  write(
    'tsconfig.json',
    JSON.stringify({
      compilerOptions: { outDir: 'build/js', rootDir: '.', lib: ['ES2022'], types: [] },
      include: ['cli'],
    }),
  );
  write('assembly/index.ts', CORE);
  write('cli/demo/demo.ts', PROGRAM);
});

describe('npm start', () => {
  test('builds what is missing, says so beside the output of the task, and passes arguments and status', async () => {
    const { status, stdout, stderr } = await run('start', 'FIRMWARE.bin', '--json');
    expect({ status, stdout }).toEqual({ status: 7, stdout: 'FIRMWARE.bin --json\n' });
    expect(stderr).toMatch(
      /^· building build\/moult\.wasm \(.*\) … [\d.]+ s\n· compiling TypeScript \(.*\) … [\d.]+ s\n$/,
    );
    expect(() => new WebAssembly.Module(readFileSync(join(project, 'build/moult.wasm')))).not.toThrow();
  });

  test('does nothing twice', async () => {
    expect(await run('start')).toEqual({ status: 7, stdout: '\n', stderr: '' });
  });

  test('brings the device that runs on wasm3 up to date, where wasm3 was fetched before, and only then', async () => {
    const device = 'build/wasm3/posix/moult-device';
    const build = `import { mkdirSync, writeFileSync } from 'node:fs';
      mkdirSync('build/wasm3/posix', { recursive: true });
      writeFileSync('${device}', '');`;
    write('scripts/wasm3.mjs', build);
    expect((await run('start')).stderr).toBe('');
    mkdirSync(join(project, 'build/wasm3/source'), { recursive: true });
    const line = /^· building wasm3 and the shim \(cmake, some seconds\) … [\d.]+ s\n$/;
    expect((await run('start')).stderr).toMatch(line);
    expect((await run('start')).stderr).toBe('');
    write('host/posix/main.c', 'int main;');
    expect((await run('start')).stderr).toMatch(line);
    rmSync(join(project, device));
    expect((await run('start')).stderr).toMatch(line);
  });

  test('builds only what changed', async () => {
    write('cli/demo/demo.ts', PROGRAM.replace('= 7', '= 0'));
    const { status, stderr } = await run('start');
    expect({ status, lines: stderr.split('\n').length }).toEqual({ status: 0, lines: 2 });
    expect(stderr).toContain('compiling TypeScript');
  });

  test('a core that does not compile: what the compiler says, one line, and the old module stays', async () => {
    const before = readFileSync(join(project, 'build/moult.wasm'));
    write('assembly/index.ts', CORE.replace('1;', 'nothing;'));
    const { status, stdout, stderr } = await run('start');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain("Cannot find name 'nothing'");
    expect(stderr).toMatch(
      /\n✗ assembly\/index\.ts does not compile; what the compiler says stands above\n$/,
    );
    expect(readFileSync(join(project, 'build/moult.wasm')).equals(before)).toBe(true);
    write('assembly/index.ts', CORE);
  });

  test('a program that does not compile does not run', async () => {
    write('cli/demo/demo.ts', `${PROGRAM}const wrong: number = '';\n`);
    const { status, stdout, stderr } = await run('start');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('TS2322');
    expect(stderr).toMatch(
      /\n✗ the TypeScript sources do not compile; what the compiler says stands above\n$/,
    );
    write('cli/demo/demo.ts', PROGRAM);
  });
});

test('a task that there is not is a usage error that names those that there are: the npm scripts', async () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const tasks = Object.keys(scripts).filter((name) => scripts[name] === `node scripts/run.mjs ${name}`);
  expect(await run('strat')).toEqual({
    status: 2,
    stdout: '',
    stderr: `✗ there is no task "strat"; the tasks are ${tasks.join(', ')}\n`,
  });
});

test('an old Node is told apart from a fault', async () => {
  const old = 'data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"18.20.4"}})';
  const { status, stderr } = await execute(['--import', old, 'scripts/run.mjs', 'start']);
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: '✗ moult needs Node 20.19 or newer and this is 18.20.4; install one from https://nodejs.org\n',
  });
});

test('packages that cannot be had: what npm says, and one line', async () => {
  const bare = temporaryFolder();
  mkdirSync(join(bare, 'scripts'));
  copyFileSync(join(ROOT, 'scripts/run.mjs'), join(bare, 'scripts/run.mjs'));
  const { status, stderr } = await execute(['scripts/run.mjs', 'start'], bare);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^· installing packages \(npm ci, .*\) … failed\n/);
  expect(stderr).toMatch(/\n✗ npm ci failed; what it says stands above\n$/);
  expect(existsSync(join(bare, 'build'))).toBe(false);
});

function run(...args: string[]): Promise<Transcript> {
  return execute(['scripts/run.mjs', ...args]);
}

function execute(args: readonly string[], cwd = project): Promise<Transcript> {
  return new Promise((done) => {
    execFile(process.execPath, args, { cwd }, (error, stdout, stderr) => {
      done({ status: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

function copy(...paths: string[]): void {
  for (const path of paths) write(path, readFileSync(join(ROOT, path), 'utf8'));
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}
