// moult client: a TUF client for any repository, as a verb of the command line.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../repo/index.ts';
import { type StaticServer, serveStatic } from '../../server/static.ts';
import { moult, moultJson, type Surroundings } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { addRelease, imageOf, testRepository } from '../fixtures/repositories.ts';

const PATH = 'app/board/1.0.0/app.bin';
let server: StaticServer;
let at: Surroundings;

beforeEach(async () => {
  const cwd = temporaryFolder();
  at = { cwd };
  const { repository } = await testRepository({ clock: systemClock });
  await addRelease(repository, '1.0.0');
  await repository.publish();
  writeFileSync(join(cwd, 'root.json'), await repository.root(1));
  server = await serveStatic({ directory: repository.publicDirectory });
});

afterEach(() => server.close());

const client = (...args: string[]) => moult(['client', '--metadata-dir', 'state', ...args], at);
const metadata = () => ['--metadata-url', `${server.url}/metadata`];
const targets = (name: string) => [
  '--target-name',
  name,
  '--target-dir',
  'out',
  '--target-base-url',
  `${server.url}/targets`,
];

test('[CERT-R-1] init, refresh, download', async () => {
  expect(await client('init', 'root.json')).toEqual({
    status: 0,
    stdout: '✓ state trusts the root in root.json, and nothing else yet\n',
    stderr: '',
  });
  expect(await client(...metadata(), 'refresh')).toEqual({
    status: 0,
    stdout: '✓ the metadata in state is up to date\n',
    stderr: '',
  });
  expect(await client(...metadata(), ...targets(PATH), 'download')).toEqual({
    status: 0,
    stdout: `✓ verified, in out: ${PATH}\n`,
    stderr: '',
  });
  const file = readFileSync(join(at.cwd, 'out', encodeURIComponent(PATH)));
  expect(file).toEqual(Buffer.from(imageOf('1.0.0')));
});

test('what the core refuses keeps its name and its exit status', async () => {
  await client('init', 'root.json');
  expect(
    await moultJson(['client', '--metadata-dir', 'state', ...metadata(), ...targets('none'), 'download'], at),
  ).toEqual({
    status: 1,
    json: { error: { code: 'target-unknown', message: expect.stringMatching(/^none: /) } },
  });
  await server.close();
  expect((await client(...metadata(), 'refresh')).status).toBe(3);
});

test('a folder that was never given a root is refused; a line that is none is a matter of usage', async () => {
  expect((await client(...metadata(), 'refresh')).status).toBe(1);
  expect(await client('update')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('no command update'),
  });
  expect(await moult(['client', '--help'], at)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^Usage: moult client \[options\] init ROOT/),
  });
});
