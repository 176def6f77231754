// moult bundle: what a person types and sees, with devices that have no network at all.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { projectRoot } from '../../host/node/root.ts';
import { serveStatic } from '../../server/static.ts';
import { DEVICE_PROGRAM, startProcess } from '../../sim/process.ts';
import { bundleOf, filesOf } from '../fixtures/bundles.ts';
import { moult, moultJson, type Transcript } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { withPosix } from '../fixtures/posix.ts';
import { DAY, imageOf, NOW } from '../fixtures/repositories.ts';

const cwd = temporaryFolder();
const at = { cwd };
const ROOT = 'acme/public/metadata/1.root.json';
const acme = (...args: string[]) => moult(['-C', 'acme', ...args], at);
const NEW_DEVICE = ['--root', ROOT, '--hw', 'board'];

async function release(version: string, ...more: string[]): Promise<void> {
  const bytes = Buffer.concat([imageOf('app', 40_000), imageOf(version, 1000)]);
  writeFileSync(join(cwd, 'app.bin'), bytes);
  const what = ['--component', 'app', '--version', version, '--hw', 'board'];
  await acme('release', 'add', 'app.bin', ...what, ...more);
  await acme('publish');
}

beforeAll(async () => {
  await moult(['init', 'acme', '--no-encrypt'], at);
  await release('1.0.0');
  await acme('bundle', 'create', 'first.bundle', '--expires', '30d');
  await release('1.1.0', '--delta-from', '1.0.0');
});

test('[CERT-C-5, CRA-II-7.a] create, verify with nothing but a root, install, all without a server', async () => {
  expect(await acme('bundle', 'create', 'field.bundle', '--expires', '30d')).toEqual({
    status: 0,
    stdout: `✓ snapshot 7 is signed for clients online, until 2027-01-22T08:00:00Z
✓ timestamp 7 is signed for clients online, until 2027-01-16T08:00:00Z
· app/board/1.1.0/app.bin: 40.0 KiB, or from-1.patch 1.7 KiB
✓ ${cwd}/field.bundle: 6 files, 46.6 KiB, good until 2027-02-14T08:00:00Z, when its timestamp expires
`,
    stderr: '',
  });
  const elsewhere = { cwd: temporaryFolder(), now: NOW + 10 * DAY };
  for (const file of ['field.bundle', ROOT])
    writeFileSync(join(elsewhere.cwd, file.replace(/.*\//, '')), readFileSync(join(cwd, file)));
  const shown = `${elsewhere.cwd}/field.bundle: 6 files, 46.6 KiB
· root 1, until 2028-01-15T08:00:00Z
· timestamp 6, until 2027-02-14T08:00:00Z
· snapshot 6, until 2027-02-14T08:00:00Z
· targets 3, until 2027-04-15T08:00:00Z
  component  version  hardware  counter  image     or instead of it
  app        1.1.0    board     2        40.0 KiB  from-1.patch 1.7 KiB
`;
  const verdict = `✓ ${elsewhere.cwd}/field.bundle verifies: 5 files from root 1 on, good until 2027-02-14T08:00:00Z\n`;
  expect(await moult(['bundle', 'inspect', 'field.bundle'], elsewhere)).toEqual({
    status: 0,
    stdout: `${shown}! not verified: name a root that you trust with --root\n`,
    stderr: '',
  });
  for (const command of [['bundle', 'inspect'], ['verify']])
    expect(await moult([...command, 'field.bundle', '--root', '1.root.json'], elsewhere)).toEqual({
      status: 0,
      stdout: shown + verdict,
      stderr: '',
    });
  const install = ['bundle', 'install', 'field.bundle', 'board1', '--root', '1.root.json', '--hw', 'board'];
  expect(await moult(install, elsewhere)).toEqual({
    status: 0,
    stdout: `✓ provisioned as board with root version 1
✓ 1.1.0 verified and installed, 40.0 KiB
· reboot
✓ 1.1.0 passed its self-test and is confirmed
✓ up to date: 1.1.0
`,
    stderr: '',
  });
});

test('a device takes the patch of a bundle, goes on online, and takes no older bundle afterwards', async () => {
  await acme('bundle', 'create', 'field.bundle', '--expires', '30d');
  const installed = async (file: string) => {
    const { status, json } = await moultJson(['bundle', 'install', file, 'board1', ...NEW_DEVICE], at);
    return { status, outcome: json.status, version: json.version };
  };
  expect(await installed('first.bundle')).toEqual({ status: 0, outcome: 'up-to-date', version: '1.0.0' });
  // The image is not there: it is the patch, or nothing.
  const files = filesOf(readFileSync(join(cwd, 'field.bundle')));
  writeFileSync(
    join(cwd, 'patch.bundle'),
    bundleOf(new Map([...files].filter(([name]) => !/app\.bin$/.test(name)))),
  );
  expect(await installed('patch.bundle')).toEqual({ status: 0, outcome: 'up-to-date', version: '1.1.0' });
  expect(await installed('first.bundle')).toEqual({ status: 1, outcome: 'rollback', version: '1.1.0' });
  await release('1.2.0');
  const server = await serveStatic({ directory: join(cwd, 'acme/public') });
  const online = await moultJson(['device', 'run', 'board1', '--url', server.url, '--once'], at);
  await server.close();
  expect(online).toMatchObject({ status: 0, json: { status: 'up-to-date', version: '1.2.0' } });
});

test('what is wrong with a bundle is one line with its finding, and an exit status', async () => {
  const whole = readFileSync(join(cwd, 'first.bundle'));
  const bad = Buffer.from(whole);
  bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1;
  writeFileSync(join(cwd, 'bad.bundle'), bad);
  writeFileSync(join(cwd, 'cut.bundle'), whole.subarray(0, 1000));
  await moult(['init', 'other', '--no-encrypt'], at);
  const verify = (file: string, ...more: string[]) =>
    moult(['verify', file, ...(more.length > 0 ? more : ['--root', ROOT])], at);
  const expectRefused = ({ status, stdout, stderr }: Transcript, exit: number, finding: string) =>
    expect({ status, said: (stdout + stderr).trim().split('\n').at(-1) }).toEqual({
      status: exit,
      said: expect.stringContaining(finding),
    });
  expectRefused(
    await verify('bad.bundle'),
    1,
    'not the bytes whose hash was announced [mix-and-match, tampering]',
  );
  expectRefused(await verify('cut.bundle'), 1, `✗ ${cwd}/cut.bundle has 1000 bytes, and its index says`);
  expectRefused(await verify('app.bin'), 1, 'app.bin is not a bundle');
  expectRefused(
    await verify('first.bundle', '--root', 'other/public/metadata/1.root.json'),
    4,
    '✗ timestamp: too few',
  );
  expectRefused(
    await verify('first.bundle', '--root', ROOT, '--valid-at', '2027-03-01'),
    5,
    '✗ timestamp: expired [freeze]',
  );
  const install = (...args: string[]) => moult(['bundle', 'install', ...args], at);
  expectRefused(await install('no.bundle', 'board1'), 1, 'no.bundle cannot be read (ENOENT)');
  expectRefused(
    await install('bad.bundle', 'board2', ...NEW_DEVICE),
    1,
    '✗ image: not the image that was signed',
  );
  expectRefused(
    await install('first.bundle', 'board3'),
    2,
    'board3 is a new device: give it --root and --hw',
  );
  expectRefused(await acme('bundle', 'create', 'x.bundle', '--expires', '1y'), 2, '"1y" is not a duration');
  expectRefused(
    await acme('bundle', 'create', 'x.bundle', '--from-root', '0'),
    2,
    '--from-root takes the version',
  );
  expectRefused(
    await acme('bundle', 'create', 'x.bundle', '--expires', '200d'),
    2,
    'renew it first (moult publish)',
  );
  expectRefused(
    await moult(['gateway', 'line'], at),
    2,
    'name the server with --url, or a bundle with --bundle',
  );
});

test('a bundle may hold what no device asks for: it is named, and not verified', async () => {
  const files = filesOf(readFileSync(join(cwd, 'first.bundle')));
  const put = (name: string) =>
    writeFileSync(join(cwd, 'more.bundle'), bundleOf(new Map([...files, [name, imageOf('x')]])));
  put('metadata/9.delegated.json');
  const { status, stdout } = await moult(['verify', 'more.bundle', '--root', ROOT], at);
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: expect.stringContaining('! no device asks for metadata/9.delegated.json: not verified\n'),
  });
  const [image = ''] = [...files.keys()].filter((name) => name.startsWith('targets/'));
  put(image.replace('1.0.0', '0.0.1'));
  expect((await moult(['verify', 'more.bundle', '--root', ROOT], at)).stdout).toContain(
    'no role that is trusted for it lists the target that was asked for',
  );
  put(image.replace(/[0-9a-f]{4}/, '0000'));
  expect((await moult(['verify', 'more.bundle', '--root', ROOT], at)).status).toBe(1);
});

describe('[CERT-T-3, CERT-C-5] a device in a process of its own', () => {
  // Its time is this machine's.
  const now = Math.floor(Date.now() / 1000);

  beforeAll(async () => {
    const today = { cwd, now };
    await moult(['init', 'today', '--no-encrypt'], today);
    const what = ['app.bin', '--component', 'app', '--version', '1.0.0', '--hw', 'board'];
    await moult(['-C', 'today', 'release', 'add', ...what], today);
    await moult(['-C', 'today', 'publish'], today);
    await moult(['-C', 'today', 'bundle', 'create', 'today.bundle'], today);
  });

  function deviceCommand(folder: string, ...more: string[]): string[] {
    const module = join(projectRoot(), 'build/moult.wasm');
    const sha256 = createHash('sha256').update(readFileSync(module)).digest('hex');
    const image = { version: 'factory', releaseCounter: 0, securityCounter: 0 };
    const configuration = {
      hardwareId: 'board',
      component: 'app',
      ...image,
      buildTime: 1,
      checkInterval: 3600,
    };
    writeFileSync(join(cwd, 'config.json'), JSON.stringify(configuration));
    const options = [
      '--module',
      module,
      '--sha256',
      sha256,
      '--config',
      join(cwd, 'config.json'),
      '--root',
      join(cwd, 'today/public/metadata/1.root.json'),
    ];
    return [DEVICE_PROGRAM, ...options, ...more, join(cwd, folder)];
  }
  const nobody = { metadataUrl: 'https://bundle.invalid/', targetsUrl: 'https://bundle.invalid/' };

  withPosix('installs from a bundle, by itself and over a line from moult gateway --bundle', async () => {
    let stop = () => {};
    let printed = () => '';
    const onStop = (end: () => void, text: () => string) => {
      [stop, printed] = [end, text];
    };
    const gateway = moult(['gateway', 'line', '--bundle', 'today.bundle'], { ...at, onStop });
    while (!printed().includes('answering')) await new Promise((resolve) => setTimeout(resolve, 10));
    const [line, bundle] = [join(cwd, 'line'), join(cwd, 'today.bundle')];
    const online = await startProcess(deviceCommand('posix1', '--link', line, '--once'), nobody).ended;
    stop();
    await gateway;
    const alone = await startProcess(deviceCommand('posix2', '--bundle', bundle), nobody).ended;
    for (const { status, said } of [online, alone])
      expect({ status, said: said.trim().split('\n') }).toEqual({
        status: 0,
        said: [
          'provisioned',
          'boots again',
          '1.0.0 passed its self-test and is confirmed',
          'the newest release for this device is already installed; 1.0.0 runs',
        ].map((text) => `moult-device: ${text}`),
      });
  });

  withPosix('killed while it installs, it goes on from the same bundle', async () => {
    const command = deviceCommand('posix3', '--bundle', join(cwd, 'today.bundle'));
    let kills = 0;
    for (let wait = 4; ; wait += 3) {
      const run = startProcess(command, nobody);
      const timer = setTimeout(() => run.kill(), wait);
      const { status } = await run.ended;
      clearTimeout(timer);
      if (status === 0) break;
      expect(status).toBe(null);
      kills++;
    }
    expect(kills).toBeGreaterThan(2);
    const { status, said } = await startProcess(command, nobody).ended;
    expect({ status, said }).toEqual({ status: 0, said: expect.stringContaining('1.0.0 runs') });
  });
});
