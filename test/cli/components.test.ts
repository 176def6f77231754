// Several components as one update, as a person types and sees it.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type StaticServer, serveStatic } from '../../server/static.ts';
import { moult, moultJson, type Surroundings } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { imageOf } from '../fixtures/repositories.ts';

let at: Surroundings;

beforeEach(async () => {
  at = { cwd: temporaryFolder() };
  for (const name of ['app', 'radio']) writeFileSync(join(at.cwd, `${name}.bin`), imageOf(name, 5000));
  await moult(['init', 'acme', '--no-encrypt'], at);
});

const acme = (...rest: string[]) => moult(['-C', 'acme', ...rest], at);
const addLine = (component: string, version: string, ...rest: string[]) => {
  const what = ['--component', component, '--version', version, '--hw', 'board'];
  return ['-C', 'acme', 'release', 'add', `${component}.bin`, ...what, ...rest];
};
const add = (...given: Parameters<typeof addLine>) => moult(addLine(...given), at);

test('[CERT-0-2, CERT-C-3] releases of several components, added one by one and published at once', async () => {
  const rules = ['--requires', 'radio>=5,<9', '--requires', 'radio>=2', '--conflicts', 'model<3'];
  expect(await add('app', '1.5.0', ...rules)).toEqual({
    status: 0,
    stdout: `✓ app 1.5.0 for board is staged: 4.9 KiB, release counter 1, security counter 0
· requires radio from release 5 and below 9
· requires radio from release 2
· conflicts with model from release 0 and below 3
  Next: moult publish
`,
    stderr: '',
  });
  const fault =
    'app 1.5.0 requires radio from release 5 and below 9, and there is no release of radio for board (nor is it in [factory] in moult.toml)';
  expect(await acme('publish')).toEqual({ status: 1, stdout: '', stderr: `✗ ${fault}\n` });
  expect((await acme('status')).stderr).toContain(`! ${fault}\n`);
  await add('radio', '2.0.0', '--counter', '5');
  expect((await acme('publish')).stdout).toBe(`✓ targets 2 is signed, until 2027-04-15T08:00:00Z
✓ snapshot 2 is signed, until 2027-01-22T08:00:00Z
✓ timestamp 2 is signed, until 2027-01-16T08:00:00Z
✓ app/board/1.5.0/app.bin is published
✓ radio/board/2.0.0/radio.bin is published
  Next: moult serve
`);
});

test('[CERT-C-3] newest releases in conflict are refused, with the code for programs', async () => {
  await add('app', '1.0.0', '--conflicts', 'radio>=7');
  await add('radio', '3.1', '--counter', '8');
  const { status, json } = await moultJson(['-C', 'acme', 'publish'], at);
  expect(status).toBe(1);
  expect(json).toMatchObject({
    error: {
      code: 'set-refused',
      message: 'app 1.0.0 conflicts with radio from release 7, and what board would have is radio 3.1 (8)',
    },
  });
});

test('rules in JSON, with the names that are signed', async () => {
  const { json } = await moultJson(
    addLine('app', '1', '--requires', 'radio<9', '--conflicts', 'radio>=12'),
    at,
  );
  expect(json).toMatchObject({
    requires: [{ component: 'radio', releaseCounter: 0, below: 9 }],
    conflicts: [{ component: 'radio', releaseCounter: 12 }],
  });
});

// Without quotes a shell takes the rest for a file to write to, and leaves the name alone.
test.each(['radio', 'radio>5', 'radio>=1.2', 'radio>=5 <9', '>=5', 'radio>=-1'])(
  'a range that is none is refused: %s',
  async (text) => {
    const { status, stderr } = await add('app', '1', '--requires', text);
    expect(status).toBe(2);
    expect(stderr).toContain(
      `--requires takes 'radio>=5', 'radio>=5,<9' or 'radio<9', in quotes, not "${text}"`,
    );
  },
);

describe('a device in a folder', () => {
  let server: StaticServer;

  beforeEach(async () => {
    server = await serveStatic({ directory: join(at.cwd, 'acme/public') });
  });
  afterEach(() => server.close());

  const device = (...rest: string[]) =>
    moult(['device', 'run', 'one', '--once', '--url', server.url, ...rest], at);
  const newDevice = (...components: string[]) => {
    const root = ['--root', 'acme/public/metadata/1.root.json', '--hw', 'board'];
    return device(...root, ...components.flatMap((name) => ['--component', name]));
  };

  test('[CERT-0-2, CERT-C-3] has its components from the factory, then all of the update, and lists them', async () => {
    const factory = await newDevice('app', 'radio=chip');
    expect(factory.status).toBe(0);
    expect(factory.stdout).toContain(`
  component  version  hardware  counter  security  slot  on its way
  app        factory  board     0        0         A
  radio      factory  chip      0        0         A
`);
    await add('app', '1.5.0', '--requires', 'radio>=5');
    await moult(
      addLine('radio', '2.0.0', '--counter', '5').map((word) => (word === 'board' ? 'chip' : word)),
      at,
    );
    expect((await acme('publish')).status).toBe(0);
    const { status, stdout } = await device();
    expect(status).toBe(0);
    expect(stdout).toContain('passed its self-test and is confirmed');
    expect(await moult(['device', 'status', 'one'], at)).toEqual({
      status: 0,
      stdout: `  component  version  hardware  counter  security  slot  on its way
  app        1.5.0    board     1        0         B
  radio      2.0.0    chip      5        0         B
`,
      stderr: '',
    });
  });

  test('[CERT-C-3] without a component that is required, installs nothing', async () => {
    await add('app', '1.5.0', '--requires', 'radio>=5');
    await add('radio', '2.0.0', '--counter', '5');
    await acme('publish');
    const { status, stdout } = await newDevice('app');
    expect(status).toBe(1);
    expect(stdout).toContain('[mix-and-match, partial bundle]');
    const { json } = await moultJson(['device', 'status', 'one'], at);
    expect(json).toMatchObject({
      components: [{ component: 'app', version: 'factory', releaseCounter: 0 }],
      finding: { name: 'SET_REFUSED', attack: 'mix-and-match, partial bundle' },
    });
    expect((await moult(['device', 'status', 'one'], at)).stdout).toMatch(
      /✗ the last check: SET_REFUSED: .* \[mix-and-match, partial bundle\]\n$/,
    );
  });

  test.each([
    [['app=chip'], 'its hardware id is that of the device, --hw'],
    [['app', 'radio', 'radio=chip'], 'a --component is given twice'],
    [['app', 'radio='], '--component takes NAME or NAME=HARDWARE, not "radio="'],
    [['app', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'], 'up to 8 components, not 9'],
  ])('is not made of %j', async (components, message) => {
    const { status, stderr } = await newDevice(...components);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
    expect(existsSync(join(at.cwd, 'one'))).toBe(false);
  });
});
