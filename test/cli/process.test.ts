// The command line as a process: launcher, standard streams, signals.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { builtCli } from '../fixtures/built-cli.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { imageOf } from '../fixtures/repositories.ts';
import { optional } from '../optional.ts';

const run = (args: string[], cwd: string, env: Record<string, string> = {}) =>
  spawnSync(process.execPath, [builtCli(), ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });

test('init, release add, publish, verify, with encrypted keys and the real clock', () => {
  const cwd = temporaryFolder();
  const env = { MOULT_PASSPHRASE: 'tree frog' };
  writeFileSync(join(cwd, 'app.bin'), imageOf('app'));
  expect(run(['init', 'acme'], cwd, env)).toMatchObject({ status: 0, stderr: '' });
  const add = [
    '-C',
    'acme',
    'release',
    'add',
    'app.bin',
    '--component',
    'app',
    '--version',
    '1.0.0',
    '--hw',
    'board',
  ];
  expect(run(add, cwd)).toMatchObject({ status: 0, stderr: '' });
  expect(run(['-C', 'acme', 'publish'], cwd, { MOULT_PASSPHRASE: 'wrong' }).status).toBe(1);
  expect(run(['-C', 'acme', 'publish'], cwd, env)).toMatchObject({ status: 0, stderr: '' });
  const verified = run(['verify', 'acme', '--root', 'acme/public/metadata/1.root.json'], cwd);
  expect(verified).toMatchObject({ status: 0, stdout: expect.stringContaining('verifies: 1 images') });
  expect(verified.stdout).not.toContain('\x1b');
}, 30_000);

const python = spawnSync('python3', ['-c', 'import pty'], { encoding: 'utf8' });

optional(python.status === 0, 'a python3 on a Unix')(
  'at a terminal the passphrase is asked for twice and does not show',
  () => {
    const cwd = temporaryFolder();
    const small = ['--root', '1of1', '--targets', '1of1'];
    const order = {
      command: [process.execPath, builtCli(), 'init', 'acme', ...small],
      answers: [
        ['New passphrase: ', 'tree frog\r'],
        ['Again: ', 'tree frog\r'],
      ],
    };
    const script = fileURLToPath(new URL('terminal.py', import.meta.url));
    const { status, stdout } = spawnSync('python3', [script, JSON.stringify(order)], {
      cwd,
      encoding: 'utf8',
    });
    expect(stdout).toContain('acme is a repository');
    expect(stdout).not.toContain('tree');
    expect(status).toBe(0);
    expect(run(['-C', 'acme', 'publish'], cwd, { MOULT_PASSPHRASE: 'tree frog' }).status).toBe(0);
  },
  30_000,
);

test('serve ends with 0 on Ctrl-C', async () => {
  const cwd = temporaryFolder();
  expect(run(['init', 'acme', '--no-encrypt'], cwd).status).toBe(0);
  const child = spawn(process.execPath, [builtCli(), 'serve', 'acme', '--port', '0'], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = /http:\S+/.exec(line.toString())?.[0] ?? '';
  expect((await fetch(`${url}/metadata/timestamp.json`)).status).toBe(200);
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([0, null]);
}, 30_000);

test('the launcher starts what is built, and says what to do when nothing is', () => {
  const project = temporaryFolder();
  const launcher = join(project, 'bin', 'moult');
  const source = fileURLToPath(new URL('../../bin/moult', import.meta.url));
  mkdirSync(dirname(launcher));
  cpSync(source, launcher);
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  cpSync(join(dirname(source), 'package.json'), join(dirname(launcher), 'package.json'));
  const missing = spawnSync(launcher, ['--help'], { encoding: 'utf8' });
  expect(missing).toMatchObject({
    status: 1,
    stderr: 'moult is not built yet: run "npm run build" in its folder first\n',
  });
  mkdirSync(join(project, 'build', 'js', 'cli'), { recursive: true });
  writeFileSync(join(project, 'build/js/cli/moult.js'), 'console.log(process.argv.slice(2).join());');
  expect(existsSync(launcher)).toBe(true);
  expect(spawnSync(launcher, ['a', 'b'], { encoding: 'utf8' }).stdout).toBe('a,b\n');
});

test('a reader that closes the pipe early is no error', () => {
  const cwd = temporaryFolder();
  const shell = `"${process.execPath}" "${builtCli()}" --help | head -n 1; echo $?`;
  const { stdout, stderr } = spawnSync('sh', ['-c', shell], { cwd, encoding: 'utf8' });
  expect(stdout).toContain('Usage: moult');
  expect(stderr).toBe('');
});
