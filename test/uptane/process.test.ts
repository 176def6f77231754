// moult client --uptane and moult-client --uptane as processes: one line on standard output, and an exit status.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { CLIENT, ended, type Run } from '../client/world.ts';
import { builtCli } from '../fixtures/built-cli.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import type { Profile } from './keys.ts';
import { CONTENT, ECU, FILE, HARDWARE, Pair, type Served, serve } from './pair.ts';

const PROGRAMS = {
  'moult client': () => [builtCli(), 'client'],
  'moult-client': () => [CLIENT],
} as const;

beforeAll(() => {
  builtCli();
}, 30_000);

const OK = '{"ok":true,"error":null}';
const line = (director: string, image: string, targets = '') =>
  `{"director":${director},"image":${image},"targets":[${targets}]}\n`;
const no = (finding: string) => `{"ok":false,"error":"${finding}"}`;
const target = (finding?: string) =>
  `{"name":"${FILE}","ok":${finding === undefined},"error":${finding === undefined ? null : `"${finding}"`}}`;

interface World {
  readonly pair: Pair;
  readonly served: Served;
  readonly cwd: string;
  run(...command: readonly string[]): Promise<Run>;
}

async function world(program: keyof typeof PROGRAMS, profile: Profile): Promise<World> {
  const pair = new Pair({ profile });
  const served = await serve(pair);
  const cwd = temporaryFolder();
  for (const name of ['director', 'image'] as const)
    writeFileSync(join(cwd, `${name}.json`), pair.firstRoot(name));
  const options = ['--metadata-dir', 'state', '--ecu-id', ECU, '--hardware-id', HARDWARE];
  const urls = ['--director-url', served.directorUrl, '--image-url', served.imageUrl];
  const legacy = profile === 'legacy' ? ['--legacy'] : [];
  const run = (...command: readonly string[]) => {
    const args = [...PROGRAMS[program](), '--uptane', ...options, ...urls, ...legacy, ...command];
    return ended(spawn(process.execPath, args, { cwd }));
  };
  return { pair, served, cwd, run };
}

describe.each(Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[])('%s --uptane', (program) => {
  test.each(['modern', 'legacy'] as const)('[UPT-5] %s: init, refresh, download', async (profile) => {
    const { cwd, run } = await world(program, profile);
    expect(await run('init', 'director.json', 'image.json')).toEqual({
      status: 0,
      stdout: line(OK, OK),
      stderr: '',
    });
    const good = { status: 0, stdout: line(OK, OK, target()), stderr: '' };
    expect(await run('refresh')).toEqual(good);
    expect(readdirSync(join(cwd, 'state')).sort()).toEqual(['.moult', 'director', 'image']);
    expect(await run('download')).toEqual(good);
    const file = join(cwd, 'state', 'targets', encodeURIComponent(FILE));
    expect(readFileSync(file, 'utf8')).toBe(CONTENT);
  });

  test('[UPT-5] what is refused: the finding where it belongs, and exit status 1', async () => {
    const { pair, run } = await world(program, 'legacy');
    await run('init', 'director.json', 'image.json');
    pair.director.forgeries.targets = { signers: [] };
    pair.publish();
    const refused = (stdout: string) => ({ status: 1, stdout, stderr: '' });
    expect(await run('download')).toEqual(refused(line(no('SIGNATURES'), OK)));
    pair.director.forgeries.targets = {};
    pair.image.forgeries.timestamp = { signers: [] };
    pair.publish();
    expect(await run('download')).toEqual(refused(line(OK, no('SIGNATURES'))));
    pair.image.forgeries.timestamp = {};
    pair.store(FILE, CONTENT, CONTENT.toUpperCase()).publish();
    expect(await run('download')).toEqual(refused(line(OK, OK, target('HASH_MISMATCH'))));
  });

  test('a folder without roots, a server that is gone', async () => {
    const { served, run } = await world(program, 'modern');
    const none = no('NOT_PROVISIONED');
    expect(await run('refresh')).toEqual({ status: 1, stdout: line(none, none), stderr: '' });
    await run('init', 'director.json', 'image.json');
    await served.close();
    const gone = no('NETWORK');
    expect(await run('refresh')).toEqual({ status: 3, stdout: line(gone, gone), stderr: '' });
  });

  test('a folder that is of another ECU', async () => {
    const { run } = await world(program, 'modern');
    await run('init', 'director.json', 'image.json');
    expect(await run('--ecu-id', 'gateway-0002', 'refresh')).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/state is of the ECU gateway-0001, hardware gw-1: begin with init/),
    });
    expect((await run('--legacy', 'refresh')).status).toBe(1);
  });

  test.each([
    [['init', 'director.json'], /init needs two files/],
    [['init', 'director.json', 'image.json', 'more'], /too much after init/],
    [['--metadata-url', 'http://localhost', 'refresh'], /no such option: --metadata-url/],
    [['--legacy=no', 'refresh'], /no such option: --legacy=no/],
    [['check'], /no command check/],
  ])('%j: usage, exit status 2', async (command, said) => {
    const { run } = await world(program, 'modern');
    expect(await run(...command)).toEqual({ status: 2, stdout: '', stderr: expect.stringMatching(said) });
  });
});
