// A vehicle that reaches no server, as its users run it: each ECU a process of its own, and one file for all of them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { builtCli } from '../fixtures/built-cli.ts';
import { moult } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { startMoult } from '../fixtures/processes.ts';
import { imageOf } from '../fixtures/repositories.ts';

const cwd = temporaryFolder();
const now = Math.floor(Date.now() / 1000);
const BOARDS = ['gw-1', 'lp-1'];
const KEYS = ['offline-snapshot', 'offline-targets'];

async function run(...args: string[]): Promise<void> {
  const { status, stderr } = await moult(args, { cwd, now });
  expect({ status, args, stderr }).toMatchObject({ status: 0 });
}

async function release(version: string): Promise<void> {
  for (const board of BOARDS) {
    writeFileSync(join(cwd, `${board}.bin`), imageOf(`${board} ${version}`, 3000));
    const what = ['--component', 'app', '--version', version, '--hw', board];
    await run('-C', 'images', 'release', 'add', `${board}.bin`, ...what);
  }
  await run('-C', 'images', 'publish');
}

function make(serial: string, board: string, ...more: string[]): Promise<void> {
  const who = ['--vehicle', 'car-1', '--ecu-id', serial, '--hw', board];
  const has = ['--image', `${board}.bin`, '--version', '1.0.0', '--counter', '1'];
  return run('ecu', 'new', serial, ...who, ...has, '--director-root', 'fleet/metadata/1.root.json', ...more);
}

beforeAll(async () => {
  builtCli();
  await run('init', 'images', '--no-encrypt');
  await run('director', 'init', 'fleet', '--image', 'images', '--no-encrypt');
  mkdirSync(join(cwd, 'safe'));
  for (const name of KEYS) await run('key', 'gen', '--no-encrypt', '--out', `file:safe/${name}.pem`);
  await run(
    '-C',
    'fleet',
    'director',
    'offline-keys',
    ...KEYS.map((name) => join(cwd, 'safe', `${name}.pub`)),
  );
  await release('1.0.0');
  const root = ['--root', 'images/public/metadata/1.root.json'];
  await make('gateway', 'gw-1', ...root, '--primary', '--secondary', 'lamp=lp-1');
  await make('lamp', 'lp-1');
  await release('2.0.0');
  const offline = ['--director', join(cwd, 'fleet/metadata'), '--offline-keys', join(cwd, 'safe')];
  await run('-C', 'images', 'bundle', 'create', join(cwd, 'car.bundle'), ...offline, '--expires', '30d');
}, 60_000);

test('[UPT-1, UPT-3] one bundle for its Primary, and all its ECUs install what is in it, also one that verifies in part', async () => {
  const primary = startMoult(
    ['ecu', 'run', 'gateway', '--bundle', 'car.bundle', '--line', 'lamp=lamp.line'],
    cwd,
  );
  await primary.seen(/verified for all/);
  const lamp = startMoult(['ecu', 'run', 'lamp', '--line', 'lamp.line'], cwd);
  await primary.seen(/all work, and keep what they have/);
  await lamp.seen(/2\.0\.0 passed its self-test and is confirmed/);
  await primary.seen(/2\.0\.0 passed its self-test and is confirmed/);
  expect([await lamp.stop(), await primary.stop()]).toEqual([0, 0]);
});
