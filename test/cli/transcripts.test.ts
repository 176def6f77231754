// What a person types and sees.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { sha256 } from '../../repo/index.ts';
import { moult, moultJson, type Surroundings } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { DAY, imageOf, NOW } from '../fixtures/repositories.ts';

let cwd: string;
let at: Surroundings;

beforeEach(() => {
  cwd = temporaryFolder();
  at = { cwd };
  writeFileSync(join(cwd, 'app.bin'), imageOf('app', 5000));
});

const init = (...rest: string[]) => moult(['init', 'acme', '--no-encrypt', ...rest], at);
const add = (version: string, ...rest: string[]) =>
  moult(
    [
      '-C',
      'acme',
      'release',
      'add',
      'app.bin',
      '--component',
      'app',
      '--version',
      version,
      '--hw',
      'board',
      ...rest,
    ],
    at,
  );
const acme = (...rest: string[]) => moult(['-C', 'acme', ...rest], at);
const everything = () => readdirSync(cwd, { recursive: true, encoding: 'utf8' }).sort();

test('from nothing to a verified release', async () => {
  expect(await init()).toEqual({
    status: 0,
    stdout: `✓ root: 2 of 3 keys must sign: root-1, root-2, root-3
✓ timestamp: 1 of 1 keys must sign: timestamp-1
✓ snapshot: 1 of 1 keys must sign: snapshot-1
✓ targets: 1 of 2 keys must sign: targets-1, targets-2
✓ acme is a repository, complete and empty, in ${cwd}/acme
  Devices trust ${cwd}/acme/public/metadata/1.root.json
  Next: moult -C acme release add FIRMWARE.bin --component app --version 1.0.0 --hw BOARD
`,
    stderr: '! the private keys are not encrypted: whoever reads keys/ can sign\n',
  });
  expect(await add('1.0.0')).toEqual({
    status: 0,
    stdout: `✓ app 1.0.0 for board is staged: 4.9 KiB, release counter 1, security counter 0
  Next: moult publish
`,
    stderr: '',
  });
  expect(await acme('publish')).toEqual({
    status: 0,
    stdout: `✓ targets 2 is signed, until 2027-04-15T08:00:00Z
✓ snapshot 2 is signed, until 2027-01-22T08:00:00Z
✓ timestamp 2 is signed, until 2027-01-16T08:00:00Z
✓ app/board/1.0.0/app.bin is published
  Next: moult serve
`,
    stderr: '',
  });
  expect(await acme('verify', 'acme', '--root', 'acme/public/metadata/1.root.json')).toEqual({
    status: 0,
    stdout: `· root 1: 2 of 2 signatures, until 2028-01-15T08:00:00Z
· timestamp 2: 1 of 1 signatures, until 2027-01-16T08:00:00Z
· snapshot 2: 1 of 1 signatures, until 2027-01-22T08:00:00Z
· targets 2: 1 of 1 signatures, until 2027-04-15T08:00:00Z
✓ ${cwd}/acme/public verifies: 1 images, 4.9 KiB
`,
    stderr: '',
  });
});

test('status shows what stands and what is about to fall', async () => {
  await init();
  await add('1.0.0');
  await acme('publish');
  await add('1.1.0', '--security-counter', '2');
  rmSync(join(cwd, 'acme/keys/root-2.pem'));
  expect((await acme('status')).stdout).toBe(`acme at 2027-01-15T08:00:00Z
  role       version  expires                         signatures  private keys here
  root       1        2028-01-15T08:00:00Z  365 days  2 of 2      2 of 3: root-1, root-3
  timestamp  2        2027-01-16T08:00:00Z  24 hours  1 of 1      1 of 1: timestamp-1
  snapshot   2        2027-01-22T08:00:00Z  7 days    1 of 1      1 of 1: snapshot-1
  targets    2        2027-04-15T08:00:00Z  90 days   1 of 1      2 of 2: targets-1, targets-2
  component  version  hardware  counter  security  size
  app        1.0.0    board     1        0         4.9 KiB  published
  app        1.1.0    board     2        2         4.9 KiB  staged
`);
  const later = await acme('status', '--valid-at', '2027-02-01');
  expect(later.status).toBe(5);
  expect(later.stdout).toContain(`✗ timestamp 2 expired at 2027-01-16T08:00:00Z; renew it: moult refresh
✗ snapshot 2 expired at 2027-01-22T08:00:00Z; renew it: moult refresh
`);
});

test('status ends with 4 when a file lacks signatures, before 5', async () => {
  await init();
  const path = join(cwd, 'acme/public/metadata/timestamp.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/"sig":"[0-9a-f]+"/, '"sig":""'));
  const { status, stdout } = await acme('status', '--valid-at', '2030-01-01');
  expect(status).toBe(4);
  expect(stdout).toContain('✗ timestamp 1 lacks 1 of its signatures; not signed: timestamp-1');
});

test('refresh, role rotate and withdrawal', async () => {
  await init();
  await add('1.0.0');
  await acme('publish');
  expect((await acme('refresh', 'timestamp')).stdout).toBe(
    '✓ timestamp 3 is signed, until 2027-01-16T08:00:00Z\n',
  );
  expect((await acme('refresh')).stdout).toBe(
    '✓ snapshot 3 is signed, until 2027-01-22T08:00:00Z\n✓ timestamp 4 is signed, until 2027-01-16T08:00:00Z\n',
  );
  expect(
    (await acme('role', 'rotate', 'timestamp')).stdout,
  ).toBe(`✓ timestamp 5 is signed, until 2027-01-16T08:00:00Z
✓ root 2 is signed, until 2028-01-15T08:00:00Z
✓ timestamp has new keys
`);
  rmSync(join(cwd, 'acme/releases/app'), { recursive: true });
  expect((await acme('status')).stdout).toContain(
    '! app/board/1.0.0/app.bin is withdrawn with the next publish\n',
  );
  expect((await acme('publish')).stdout).toContain('! app/board/1.0.0/app.bin is withdrawn\n');
});

test('keys of people: key gen, then role rotate to them', async () => {
  await init();
  for (const name of ['alice', 'bob']) {
    const made = await acme(
      'key',
      'gen',
      '--type',
      'ed25519',
      '--out',
      `file:keys/${name}.pem`,
      '--no-encrypt',
    );
    expect(made.status).toBe(0);
    expect(made.stdout).toMatch(
      new RegExp(`^✓ key ${name} \\([0-9a-f]{64}\\) is in ${cwd}/acme/keys/${name}.pem\n$`),
    );
  }
  const rotated = await acme(
    'role',
    'rotate',
    'targets',
    '--key',
    'alice',
    '--key',
    'bob',
    '--threshold',
    '2',
  );
  expect(rotated.status).toBe(0);
  expect((await acme('status')).stdout).toContain('2 of 2      2 of 2: alice, bob');
  expect((await acme('publish')).status).toBe(0);
});

test('verify says what it found, and ends accordingly', async () => {
  await init();
  await add('1.0.0');
  await acme('publish');
  const root = ['--root', 'acme/public/metadata/1.root.json'];
  const late = await moult(['verify', 'acme', ...root], { cwd, now: NOW + 2 * DAY });
  expect(late).toMatchObject({
    status: 5,
    stdout: expect.stringContaining('✗ timestamp 2 expired at 2027-01-16'),
  });
  const folder = join(cwd, 'acme/public/targets/app/board/1.0.0');
  writeFileSync(join(folder, readdirSync(folder)[0] ?? ''), imageOf('evil', 5000));
  const tampered = await moult(['verify', 'acme', ...root], { cwd, now: NOW + 2 * DAY });
  expect(tampered).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('is not the file that was signed'),
  });
  const away = await moult(['verify', 'http://127.0.0.1:9', ...root], at);
  expect(away).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('http://127.0.0.1:9/metadata/2.root.json cannot be reached'),
  });
});

test('encrypted by default: the passphrase comes from the environment, a file or a person', async () => {
  const small = ['--root', '1of1', '--targets', '1of1'];
  expect(await moult(['init', 'a', ...small], at)).toMatchObject({
    status: 2,
    stderr:
      '✗ a passphrase is needed: set MOULT_PASSPHRASE, give --passphrase-file, or run it in a terminal\n',
  });
  expect(everything()).toEqual(['app.bin']);
  expect((await moult(['init', 'a', ...small], { cwd, env: { MOULT_PASSPHRASE: 'tree frog' } })).status).toBe(
    0,
  );
  expect(readFileSync(join(cwd, 'a/keys/root-1.pem'), 'utf8')).toContain('ENCRYPTED');
  expect(statSync(join(cwd, 'a/keys/root-1.pem')).mode & 0o077).toBe(0);

  writeFileSync(join(cwd, 'secret.txt'), 'tree frog\nsecond line\n');
  expect((await moult(['-C', 'a', 'publish', '--passphrase-file', 'secret.txt'], at)).status).toBe(0);
  expect(await moult(['-C', 'a', 'publish'], { cwd, typed: ['tree frog'] })).toMatchObject({ status: 0 });
  const typo = await moult(['-C', 'a', 'publish'], { cwd, typed: ['treefrog'] });
  expect(typo.status).toBe(1);
  expect(typo.stderr).toContain('wrong passphrase for');
  expect(typo.stderr).not.toContain('treefrog');
  expect(await moult(['-C', 'a', 'publish', '--passphrase-file', 'none.txt'], at)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('none.txt cannot be read (ENOENT)'),
  });
}, 20_000);

test('a new passphrase is typed twice, and corrections count', async () => {
  const small = ['--root', '1of1', '--targets', '1of1'];
  const differ = await moult(['init', 'a', ...small], { cwd, typed: ['one', 'two'] });
  expect(differ).toMatchObject({ status: 1, stderr: expect.stringContaining('the two passphrases differ') });
  expect(everything()).toEqual(['app.bin']);
  expect((await moult(['init', 'a', ...small], { cwd, typed: ['onn\x7fe', 'one'] })).status).toBe(0);
  expect((await moult(['-C', 'a', 'refresh'], { cwd, env: { MOULT_PASSPHRASE: 'one' } })).status).toBe(0);
  const cancelled = await moult(['-C', 'a', 'refresh'], { cwd, typed: ['\x03'] });
  expect(cancelled).toMatchObject({ status: 2, stderr: expect.stringContaining('no passphrase was given') });
}, 20_000);

test.each([
  ['a missing image', 'none.bin', 1, 'none.bin does not exist'],
  ['an empty image', 'empty.bin', 1, 'empty.bin is empty'],
  ['a folder', 'folder', 1, 'folder is not a file'],
])('release add of %s: one line, nothing written', async (_, file, status, message) => {
  writeFileSync(join(cwd, 'empty.bin'), '');
  mkdirSync(join(cwd, 'folder'));
  await init();
  const before = everything();
  const refused = await acme('release', 'add', file, '--component', 'app', '--version', '1', '--hw', 'b');
  expect(refused).toEqual({ status, stdout: '', stderr: `✗ ${cwd}/${message}\n` });
  expect(everything()).toEqual(before);
});

test.each([
  [['nonsense'], "unknown command 'nonsense'"],
  [['init'], "missing required argument 'name'"],
  [['init', 'a', '--bogus'], "unknown option '--bogus'"],
  [['init', 'a', '--root', '2x3'], '--root takes a threshold such as 2of3, not "2x3"'],
  [
    ['init', 'a', '--root', '4of3', '--no-encrypt'],
    'the threshold of root must be 1 to 3, its number of keys, not 4',
  ],
  [['init', 'a', '--root', '0of1', '--no-encrypt'], 'the threshold of root must be 1 to 1'],
  [['init', 'a', '--root', '1of21', '--no-encrypt'], 'root can have 1 to 20 keys, not 21'],
  [['init', 'a', '--expiry', 'root=soon'], '"soon" is not a duration'],
  [['init', 'a', '--expiry', 'boot=1d'], 'a role in --expiry is one of root'],
  [['release', 'add', 'app.bin'], "required option '--component <name>' not specified"],
  [['-C', 'acme', 'refresh', 'targets'], 'the role to refresh is one of snapshot, timestamp, root'],
  [['-C', 'acme', 'role', 'rotate', 'mirror'], 'the role is one of root'],
  [['status', '--valid-at', 'tomorrow'], '"tomorrow" is not a date'],
  [['serve', '--port', '70000'], '--port takes a number from 0 to 65535'],
  [['key', 'gen', '--out', 'keys/x.txt'], 'a key file is called NAME.pem'],
  [['key', 'gen', '--out', 'keys/x.pem', '--type', 'rsa'], '--type is one of ed25519'],
])('%j is a usage error: status 2 and one line', async (args, message) => {
  const { status, stdout, stderr } = await moult(args, at);
  expect(stderr).toContain(message);
  expect(stderr.trimEnd().split('\n').length).toBe(1);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(everything()).toEqual(['app.bin']);
});

test('no repository here: one line that says what to do', async () => {
  for (const command of ['publish', 'refresh', 'status']) {
    const { status, stderr } = await moult([command], at);
    expect([status, stderr]).toEqual([
      1,
      `✗ ${cwd} is not a moult repository (no moult.toml); make one with "moult init NAME", or point to it with -C\n`,
    ]);
  }
  expect((await moult(['serve'], at)).stderr).toContain('has no metadata folder');
  await init();
  expect(await init()).toMatchObject({
    status: 1,
    stderr: `✗ ${cwd}/acme exists already and is not an empty folder\n`,
  });
});

test('too few keys: status 4, an expired root: status 5, each with the way out', async () => {
  await init();
  const late = await moult(['-C', 'acme', 'publish'], { cwd, now: NOW + 400 * DAY });
  expect([late.status, late.stderr]).toEqual([
    5,
    '✗ root 1 expired at 2028-01-15T08:00:00Z; renew it first: moult refresh root\n',
  ]);
  for (const name of ['targets-1', 'targets-2']) rmSync(join(cwd, `acme/keys/${name}.pem`));
  expect(await acme('publish')).toEqual({
    status: 4,
    stdout: '',
    stderr:
      '✗ targets needs 1 signatures and 0 of its keys are here; bring the private half of targets-1 or targets-2 to keys/\n',
  });
});

test('--json prints one value for each command, and for a refusal', async () => {
  expect((await moultJson(['init', 'acme', '--no-encrypt'], at)).json).toMatchObject({ name: 'acme' });
  const added = [
    '-C',
    'acme',
    'release',
    'add',
    'app.bin',
    '--component',
    'app',
    '--version',
    '1.0',
    '--hw',
    'b',
    '--counter',
    '7',
  ];
  expect((await moultJson(added, at)).json).toMatchObject({ path: 'app/b/1.0/app.bin', releaseCounter: 7 });
  expect((await moultJson(['-C', 'acme', 'publish'], at)).json).toMatchObject({
    added: ['app/b/1.0/app.bin'],
  });
  expect((await moultJson(['-C', 'acme', 'status'], at)).json).toMatchObject({
    roles: [{ role: 'root', version: 1 }, {}, {}, {}],
  });
  const verify = ['verify', 'acme', '--root', 'acme/public/metadata/1.root.json', '--valid-at', '2030-01-01'];
  const { status, json } = await moultJson<{ faults: { code: string }[] }>(verify, at);
  expect([status, json.faults.map(({ code }) => code)]).toEqual([
    5,
    ['expired', 'expired', 'expired', 'expired'],
  ]);
  expect(await moultJson(['-C', 'none', 'publish'], at)).toMatchObject({
    status: 1,
    json: { error: { code: 'repository-missing' } },
  });
  expect(await moultJson(['publish', '--bogus'], at)).toMatchObject({
    status: 2,
    json: { error: { code: 'usage' } },
  });
});

test('serve: says where, reports requests, ends on Ctrl-C; a busy port is status 3', async () => {
  await init();
  let stop = () => {};
  let printed = () => '';
  const running = moult(['serve', 'acme', '--port', '0'], {
    cwd,
    onStop: (act, text) => {
      stop = act;
      printed = text;
    },
  });
  await expect.poll(() => printed()).toContain('serving');
  const url = /http:\S+/.exec(printed())?.[0] ?? '';
  expect((await fetch(`${url}/metadata/1.root.json`)).status).toBe(200);
  expect((await fetch(`${url}/keys/root-1.pem`)).status).toBe(404);
  expect((await fetch(`${url}/moult.toml`)).status).toBe(404);
  const port = new URL(url).port;
  expect(await moult(['serve', 'acme', '--port', port], at)).toEqual({
    status: 3,
    stdout: '',
    stderr: `✗ port ${port} on 127.0.0.1 is in use; choose another with --port\n`,
  });
  await expect.poll(() => printed()).toContain('404 GET /moult.toml');
  stop();
  const { status, stdout } = await running;
  expect(status).toBe(0);
  expect(stdout).toContain(
    `✓ serving ${cwd}/acme/public at ${url} (Ctrl-C ends it)\n· 200 GET /metadata/1.root.json`,
  );
  const insecure = await moult(['serve', 'acme', '--host', '0.0.0.0'], at);
  expect([insecure.status, insecure.stderr]).toEqual([1, expect.stringContaining('--insecure-http')]);
  expect((await moult(['serve', 'acme', '--tls-cert', 'x'], at)).status).toBe(2);
});

test('delta build: a patch that turns one image into another', async () => {
  const image = imageOf('app', 5000);
  writeFileSync(join(cwd, 'next.bin'), Buffer.concat([image, Buffer.from('and a little more')]));
  const build = ['delta', 'build', 'app.bin', 'next.bin', '-o', 'app.patch'];
  expect(await moult(build, at)).toEqual({
    status: 0,
    stdout: '✓ app.patch: 110 B, 2.2 % of next.bin\n',
    stderr: '',
  });
  const patch = readFileSync(join(cwd, 'app.patch'));
  const { json } = await moultJson<{ patch: object; old: object }>(build, at);
  expect(json).toMatchObject({ patch: { length: 110, sha256: sha256(patch) }, old: { length: 5000 } });
  expect(readdirSync(cwd).sort()).toEqual(['app.bin', 'app.patch', 'next.bin']);

  const refused = async (...args: string[]) => (await moultJson(['delta', 'build', ...args], at)).status;
  writeFileSync(join(cwd, 'empty.bin'), '');
  expect(await refused('app.bin', 'none.bin', '-o', 'x.patch')).toBe(1);
  expect(await refused('app.bin', 'empty.bin', '-o', 'x.patch')).toBe(1);
  expect(await refused('app.bin', 'next.bin', '-o', 'none/x.patch/y')).toBe(0);
  expect(await refused('app.bin', 'next.bin', '-o', 'x.patch', '--compression', 'lzma')).toBe(2);
  expect(await refused('app.bin', 'next.bin')).toBe(2);
});

test('release add: a patch from an earlier release, and the image compressed', async () => {
  await init();
  writeFileSync(join(cwd, 'app.bin'), Buffer.concat([imageOf('app', 5000), Buffer.alloc(2000)]));
  await add('1.0.0');
  writeFileSync(join(cwd, 'app.bin'), Buffer.concat([imageOf('app', 5000), Buffer.alloc(3000)]));
  expect((await add('1.1.0', '--delta-from', '1.0.0', '--compress')).stdout).toBe(
    `✓ app 1.1.0 for board is staged: 7.8 KiB, release counter 2, security counter 0
✓ app/board/1.1.0/from-1.patch: 139 B instead of 7.8 KiB
✓ app/board/1.1.0/compressed: 5.5 KiB instead of 7.8 KiB
  Next: moult publish
`,
  );
  expect((await acme('publish')).stdout).toContain('app/board/1.1.0/from-1.patch is published');
  const verify = ['verify', 'acme', '--root', 'acme/public/metadata/1.root.json'];
  expect((await acme(...verify)).stdout).toContain('verifies: 4 images');
  expect((await add('1.2.0', '--delta-from', '0.9.0')).stderr).toBe(
    '✗ there is no release app 0.9.0 for board to make a patch from\n',
  );
});

test('every command has help with an example, and every help ends with 0', async () => {
  const top = await moult(['--help'], at);
  expect(top.stdout).toContain(
    'Exit status: 0 ok, 1 refused, 2 usage, 3 network, 4 signatures missing, 5 expired.',
  );
  const verbs = [
    ['init'],
    ['key', 'gen'],
    ['release', 'add'],
    ['delta', 'build'],
    ['publish'],
    ['refresh'],
    ['role', 'rotate'],
    ['status'],
    ['verify'],
    ['serve'],
    ['director'],
    ['gateway'],
  ];
  for (const verb of verbs) {
    const { status, stdout } = await moult([...verb, '--help'], at);
    expect(status, verb.join(' ')).toBe(0);
    expect(stdout, verb.join(' ')).toContain('Examples:\n  moult ');
    expect(stdout).toContain('--json');
  }
  expect((await moult([], at)).status).toBe(2);
});

test('colour only for a person who wants it', async () => {
  await init();
  const ESCAPE = String.fromCharCode(27);
  expect((await acme('refresh')).stdout).not.toContain(ESCAPE);
  expect((await moult(['-C', 'acme', 'refresh'], { cwd, typed: [] })).stdout).toContain(`${ESCAPE}[32m✓`);
  const plain = await moult(['-C', 'acme', 'refresh'], { cwd, typed: [], env: { NO_COLOR: '1' } });
  expect(plain.stdout).not.toContain(ESCAPE);
});
