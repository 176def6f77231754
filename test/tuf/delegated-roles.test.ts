// TUF 1.0.34, 5.6: what is checked of a delegated role, and when one that is held is used without asking for it.
import { describe, expect, test } from 'vitest';
import { Action, State, Status } from '../../host/node/abi.ts';
import { drive, find } from './drive.ts';
import { DAY, imageOf, named, START, type StageOptions } from './kit.ts';
import { type Tree, tree } from './tree.ts';
import { drop, put, text } from './values.ts';

/** `targets` delegates to A, which lists one file. */
async function one(options: StageOptions = {}): Promise<Tree> {
  const t = await tree(options);
  return t.delegate('targets', 'A').list('A', 'file', 'content');
}

/** The target is not found, with this finding, twice; and is found as soon as the repository is honest again. */
async function refused(t: Tree, status: string): Promise<void> {
  for (const run of ['first', 'second'])
    expect(t.find('file'), run).toMatchObject({ status, role: 'DELEGATED' });
  t.role('A').forgery = {};
  t.role('A').version++;
  t.unlisted.clear();
  t.hashes = true;
  t.publish();
  expect(t.find('file').status).toBe('TARGET_VERIFIED');
}

test('[TUF-7] a delegated role that expires while the device stays on is found, though the timestamp announces the same', async () => {
  const t = await tree({ client: false });
  t.role('A').expires = 5 * DAY;
  t.delegate('targets', 'A').release('A', 1).publish();
  const core = t.s.powerOn();
  for (const after of [0, DAY, 3 * DAY]) {
    t.s.clock.set(START + after);
    t.s.publish('timestamp');
    expect(drive(core, t.s), `after ${after} s`).toMatchObject({ status: 'UP_TO_DATE' });
  }
  t.s.clock.set(START + 5 * DAY);
  t.s.publish('timestamp');
  expect(drive(core, t.s)).toMatchObject({ status: 'EXPIRED', role: 'DELEGATED' });
});

describe('a delegated role gets every check (tough CVE-2026-6967)', () => {
  test('signed by a stranger', async () => {
    const t = await one();
    t.role('A').forgery = { keys: [t.s.stranger] };
    await refused(t.publish(), 'SIGNATURES');
  });

  test('signed by the key of the top-level targets, which delegated this', async () => {
    const t = await one();
    t.role('A').forgery = { keys: t.s.keys.targets };
    await refused(t.publish(), 'SIGNATURES');
  });

  test('signed by nobody', async () => {
    const t = await one();
    t.role('A').forgery = { signatures: () => [] };
    await refused(t.publish(), 'SIGNATURES');
  });

  test('signed by one of two keys where both are needed', async () => {
    const t = await tree();
    const { key } = t.role('A');
    const other = t.s.newKey();
    t.delegate('targets', 'A', { keys: [key, other], threshold: 2 }).list('A', 'file', 'content');
    expect(t.publish().find('file')).toMatchObject({ status: 'SIGNATURES', role: 'DELEGATED' });
    t.role('A').forgery = { keys: [key, other] };
    t.role('A').version++;
    expect(t.publish().find('file').status).toBe('TARGET_VERIFIED');
  });

  test('one key under two ids does not reach a threshold of two', async () => {
    const t = await tree();
    const { key } = t.role('A');
    const twin = named(key, 'twin');
    t.delegate('targets', 'A', { keys: [key, twin], threshold: 2 }).list('A', 'file', 'content');
    t.role('A').forgery = { keys: [key, twin] };
    expect(t.publish().find('file')).toMatchObject({ status: 'SIGNATURES', role: 'DELEGATED' });
  });

  test.each([0, -1, 1.5, '1', 33])('a threshold of %j (go-tuf GHSA-fphv-w9fq-2525)', async (threshold) => {
    const t = await tree();
    t.delegate('targets', 'A', { threshold: threshold as number })
      .list('A', 'file', 'content')
      .publish();
    const { status } = t.find('file');
    expect(['THRESHOLD_INVALID', 'JSON_NUMBER', 'EXPIRED', 'WRONG_STATE']).toContain(status);
    t.role('targets').delegations.splice(0);
    t.delegate('targets', 'A').publish();
    expect(t.find('file').status).toBe('TARGET_VERIFIED');
  });

  test('expired', async () => {
    const t = await one();
    t.role('A').expires = 0;
    t.publish();
    for (const run of ['first', 'second'])
      expect(t.find('file'), run).toMatchObject({ status: 'EXPIRED', role: 'DELEGATED' });
    t.role('A').expires = 86_400;
    t.role('A').version++;
    expect(t.publish().find('file').status).toBe('TARGET_VERIFIED');
  });

  test.each([1, 3])('version %i where the snapshot says 2', async (version) => {
    const t = await one();
    t.role('A').version = 2;
    t.role('A').forgery = { signed: put('version', version) };
    await refused(t.publish(), 'VERSION_MISMATCH');
  });

  test.each(['root', 'snapshot', 'timestamp', 'A'])('of type %s', async (type) => {
    const t = await one();
    t.role('A').forgery = { signed: put('_type', type) };
    await refused(t.publish(), 'TYPE_MISMATCH');
  });

  test('without targets', async () => {
    const t = await one();
    t.role('A').forgery = { signed: drop('targets') };
    await refused(t.publish(), 'METADATA_INVALID');
  });

  test('of another major version of the specification', async () => {
    const t = await one();
    t.role('A').forgery = { signed: put('spec_version', '2.0.0') };
    await refused(t.publish(), 'SPEC_VERSION');
  });

  test.each([
    ['hash', { length: 1, hashes: { sha256: 'ab'.repeat(32) } }, 'TOO_LONG'],
    ['hash alone', { hashes: { sha256: 'ab'.repeat(32) } }, 'HASH_MISMATCH'],
    ['sha512', { hashes: { sha512: 'ab'.repeat(64) } }, 'HASH_MISMATCH'],
    ['length', { length: 5000 }, 'LENGTH_MISMATCH'],
    ['kind of hash', { hashes: { sha1: 'ab'.repeat(20) } }, 'HASH_UNKNOWN'],
  ] as const)('of another %s than the snapshot says', async (_, listed, status) => {
    const t = await one();
    t.publish();
    t.s.delegated['A.json'] = { version: 1, ...listed } as never;
    t.s.publish('snapshot');
    await refused(t, status);
  });

  test('missing on the server', async () => {
    const t = await one();
    t.publish();
    t.s.files.delete(t.path('A'));
    await refused(t, 'NOT_FOUND');
  });

  test('not JSON', async () => {
    const t = await one();
    t.role('A').forgery = { file: () => 'not JSON' };
    await refused(t.publish(), 'ENVELOPE_INVALID');
  });

  test('absent from the snapshot: it is not asked for', async () => {
    const t = await one();
    t.unlisted.add('A');
    t.publish();
    expect(t.find('file')).toEqual({ status: 'ROLE_UNLISTED', role: 'DELEGATED', asked: [] });
    await refused(t, 'ROLE_UNLISTED');
  });

  test('[TUF-6] a role that vanishes from the snapshot, or falls in it, is a rollback', async () => {
    const t = await one();
    t.role('A').version = 2;
    t.publish();
    expect(t.find('file').status).toBe('TARGET_VERIFIED');
    t.role('A').version = 1;
    t.publish();
    expect(await t.s.check()).toEqual({ status: 'SNAPSHOT_ROLLBACK', role: 'SNAPSHOT' });
    t.unlisted.add('A');
    t.publish();
    expect(await t.s.check()).toEqual({ status: 'SNAPSHOT_ROLLBACK', role: 'SNAPSHOT' });
    t.unlisted.clear();
    t.role('A').version = 3;
    expect(t.publish().find('file').status).toBe('TARGET_VERIFIED');
  });

  test('[CERT-C-6] endless data after it is cut off at the announced length, or at 5,000,000 bytes', async () => {
    const t = await one({ bank: 12 * 1024 * 1024 });
    t.role('A').forgery = { file: (envelope) => text(envelope).padEnd(5_000_001, ' ') };
    await refused(t.publish(), 'TOO_LONG');
  });
});

test('without consistent snapshots a role is asked for without its version, and a target without its hash', async () => {
  const t = await tree({
    before: (made) => {
      made.consistent = false;
    },
  });
  t.delegate('targets', 'A').list('A', 'dir/file', 'content');
  t.s.files.set('targets/dir/file', new TextEncoder().encode('content'));
  expect(t.publish().find('dir/file')).toEqual({
    status: 'TARGET_VERIFIED',
    role: 'NONE',
    asked: ['A.json', 'dir/file'],
  });
});

describe('a role that is held', () => {
  test.each([true, false])(
    'is used without a fetch while the snapshot names it; hashes listed: %s',
    async (hashes) => {
      const t = await one();
      t.hashes = hashes;
      t.publish();
      expect(t.find('file').asked).toHaveLength(2);
      expect(t.find('file').asked).toHaveLength(1);
      t.role('A').version = 2;
      expect(t.publish().find('file').asked).toContain('2.A.json');
    },
  );

  test('is verified by the delegator that leads to it now: keys that were taken away count no more', async () => {
    const t = await one();
    t.hashes = false;
    t.publish();
    expect(t.find('file').status).toBe('TARGET_VERIFIED');
    const newKey = t.s.newKey();
    t.role('targets').delegations.splice(0);
    t.delegate('targets', 'A', { keys: [newKey] });
    expect(t.publish().find('file')).toEqual({
      status: 'SIGNATURES',
      role: 'DELEGATED',
      asked: ['1.A.json'],
    });
    t.role('A').forgery = { keys: [newKey] };
    expect(t.publish().find('file').status).toBe('TARGET_VERIFIED');
  });

  test('is not used for a role of another name with the same bytes, nor by another delegator', async () => {
    const t = await one();
    const { key } = t.role('A');
    t.delegate('targets', 'B', { keys: [t.s.stranger] });
    t.role('B').forgery = { keys: [key] };
    t.publish();
    expect(t.find('file').status).toBe('TARGET_VERIFIED');
    expect(t.find('missing')).toMatchObject({ status: 'SIGNATURES', role: 'DELEGATED', asked: ['1.B.json'] });
  });

  test('is not used once it has expired, and a newer one is', async () => {
    const t = await one();
    t.role('A').expires = 7 * 86_400;
    t.publish();
    expect(t.find('file').status).toBe('TARGET_VERIFIED');
    t.s.clock.set(START + 8 * 86_400);
    t.s.publish('snapshot');
    expect(t.find('file')).toEqual({ status: 'EXPIRED', role: 'DELEGATED', asked: [] });
    t.role('A').expires = 20 * 86_400;
    t.role('A').version = 2;
    expect(t.publish().find('file').status).toBe('TARGET_VERIFIED');
  });

  test('is forgotten for what must be stored, and fetched again', async () => {
    const t = await tree({ bank: 8192 });
    t.delegate('targets', 'A').list('A', 'file', 'content');
    t.list('A', 'x'.repeat(100), 'padding').list('A', 'y'.repeat(100), 'padding').publish();
    expect(t.find('file').status).toBe('TARGET_VERIFIED');
    for (let round = 0; round < 8; round++) {
      t.s.publish('targets');
      expect(t.find('file').status).toBe('TARGET_VERIFIED');
    }
    for (let release = 2; release < 6; release++) t.s.offer({ releaseCounter: release });
    t.s.publish('targets');
    expect(['TARGET_VERIFIED', 'STORE_FULL']).toContain(t.find('file').status);
    expect(await t.s.check()).toEqual({ status: 'UP_TO_DATE', role: 'NONE' });
  });
});

test('a role that nobody uses any more gives way to top-level metadata that needs its room', async () => {
  const t = await one({ bank: 12288 });
  t.role('A').forgery = { file: (envelope) => text(envelope).padEnd(5000, ' ') };
  expect(t.publish().find('file').status).toBe('TARGET_VERIFIED');
  t.role('targets').delegations.splice(0);
  for (let release = 2; release < 12; release++) t.s.offer({ releaseCounter: release });
  t.publish();
  expect(await t.s.check()).toEqual({ status: 'UP_TO_DATE', role: 'NONE' });
});

test('a role that does not fit the board harms nothing', async () => {
  const t = await one({ bank: 8192 });
  t.role('A').forgery = { file: (envelope) => text(envelope).padEnd(9000, ' ') };
  t.publish();
  expect(t.find('file')).toMatchObject({ status: 'STORE_FULL', role: 'DELEGATED' });
  t.s.root();
  t.role('A').forgery = {};
  t.role('A').version = 2;
  expect(t.publish().find('file').status).toBe('TARGET_VERIFIED');
});

describe('the target (5.7)', () => {
  test.each([
    [
      'a bit flipped',
      (file: Uint8Array) => file.map((byte, index) => (index === 0 ? byte ^ 1 : byte)),
      'HASH_MISMATCH',
    ],
    ['a byte too many', (file: Uint8Array) => new Uint8Array([...file, 0]), 'TOO_LONG'],
    ['a byte too few', (file: Uint8Array) => file.slice(0, -1), 'LENGTH_MISMATCH'],
    ['nothing', () => new Uint8Array(), 'LENGTH_MISMATCH'],
  ] as const)('%s: refused, and asked for again', async (_, change, status) => {
    const t = await one();
    t.publish();
    const [path, honest] = [...t.s.files].find(([name]) => name.endsWith('.file')) ?? ['', new Uint8Array()];
    t.s.files.set(path, change(honest));
    const core = t.core();
    expect(find(core, t.s, 'file')).toMatchObject({ status, role: 'IMAGE' });
    t.s.files.set(path, honest);
    expect(find(core, t.s, 'file')).toMatchObject({ status: 'TARGET_VERIFIED', asked: [path.slice(8)] });
  });

  test('every hash that is listed must be right', async () => {
    const t = await one();
    const { file } = t.role('A').targets;
    if (file) t.role('A').targets.file = { ...file, hashes: { ...file.hashes, sha512: 'ab'.repeat(64) } };
    expect(t.publish().find('file').status).toBe('HASH_MISMATCH');
  });

  test.each([
    ['only unknown hashes', { length: 7, hashes: { md5: 'ab' } }, 'HASH_UNKNOWN'],
    ['no hashes', { length: 7, hashes: {} }, 'HASH_UNKNOWN'],
    ['no length', { hashes: { sha256: 'ab'.repeat(32) } }, 'METADATA_INVALID'],
  ] as const)('with %s it is not asked for', async (_, target, status) => {
    const t = await one();
    t.role('A').targets.file = target as never;
    expect(t.publish().find('file')).toMatchObject({ status, asked: ['1.A.json'] });
  });

  test('an answer that begins elsewhere than at its first byte is refused', async () => {
    const t = await one();
    const core = t.list('targets', 'top', 'content').publish().core();
    expect(core.targetFind('top')).toBe(Status.OK);
    while (core.agentStep(t.s.clock.seconds()) !== Action.FETCH);
    expect(core.fetchBegin(1)).toBe(Status.RANGE);
    expect(core.fetchWrite(new TextEncoder().encode('content'))).toBe(Status.RANGE);
    expect(core.fetchEnd(Status.OK)).toBe(Status.RANGE);
  });

  test('of no bytes at all is a target', async () => {
    const t = await tree();
    t.delegate('targets', 'A').list('A', 'empty', '').publish();
    expect(t.find('empty').status).toBe('TARGET_VERIFIED');
  });

  test.each(['../file', '/file', 'a//b', 'a\\b'])('[path traversal] %j is not asked for', async (path) => {
    const t = await tree();
    t.list('targets', path, 'content').publish();
    expect(t.find(path)).toEqual({ status: 'PATH_INVALID', role: 'IMAGE', asked: [] });
  });

  test('several are found in one session, one after the other', async () => {
    const t = await one();
    t.list('A', 'other', 'more').list('targets', 'top', 'top').publish();
    const core = t.core();
    for (const path of ['file', 'missing', 'other', 'top', 'file'])
      expect(find(core, t.s, path).status).toBe(path === 'missing' ? 'TARGET_UNKNOWN' : 'TARGET_VERIFIED');
  });

  test('is not looked for before metadata was checked, nor after a check that found a fault', async () => {
    const t = await one();
    t.publish();
    const core = t.s.powerOn();
    expect(find(core, t.s, 'file').status).toBe('WRONG_STATE');
    t.s.forge('timestamp', { keys: [t.s.stranger] });
    expect(find(t.core(), t.s, 'file').status).toBe('WRONG_STATE');
  });

  test('of a name longer than 128 bytes is not looked for', async () => {
    const t = await one();
    expect(t.publish().find('x'.repeat(129)).status).toBe('NAME_TOO_LONG');
    expect(t.find('x'.repeat(5000)).status).toBe('NAME_TOO_LONG');
  });
});

describe('a device finds its release through delegations', () => {
  const device = (t: StageOptions = {}) => tree({ client: false, bank: 65_536, ...t });
  const mine = { paths: ['app/sim/*/*'] };

  async function runs(t: Tree, release: number): Promise<void> {
    t.s.newest = release;
    await t.s.settles();
    t.s.runs(release);
    expect(t.s.state(State.INSTALLED_RELEASE)).toBe(release);
    expect(Buffer.compare(t.s.device.running(10), imageOf(release).subarray(0, 10))).toBe(0);
  }

  test('the newest of all roles that may have it', async () => {
    const t = await device();
    t.delegate('targets', 'A', mine).delegate('targets', 'B', mine).delegate('A', 'C', mine);
    t.release('targets', 2).release('A', 3).release('C', 5).release('B', 4).publish();
    await runs(t, 5);
    t.release('B', 6);
    t.role('B').version++;
    await runs(t.publish(), 6);
  });

  test('roles of other boards and components are not asked for', async () => {
    const t = await device();
    for (const [index, path] of [
      'app/other/*/*',
      'modem/sim/*/*',
      'app/*',
      'app/simulator/*/*',
      'App/sim/*/*',
      '*',
    ].entries())
      t.delegate('targets', `other ${index}`, { paths: [path] });
    t.delegate('targets', 'wide', { paths: ['*/*/*/*'] }).delegate('targets', 'mine', {
      paths: ['x', 'a?p/s*/1.?.0/*'],
    });
    t.release('mine', 2).publish();
    const paths = await t.s.requests(() => runs(t, 2));
    expect(paths.filter((path) => !/\d\.(root|snapshot|targets)|timestamp|targets\//.test(path))).toEqual([
      'metadata/1.wide.json',
      'metadata/1.mine.json',
    ]);
  });

  test('not at a path that does not say that it is for this device, whoever may sign there', async () => {
    const t = await device();
    t.delegate('targets', 'modem', { paths: ['modem/*/*/*', 'app/other/*/*', '*/*/*/*'] });
    t.release('modem', 8, 'modem/sim/1.0.0/x')
      .release('modem', 9, 'app/other/1.0.0/x')
      .release('modem', 7, 'x');
    t.release('modem', 2).publish();
    await runs(t, 2);
  });

  test('not at a path that the delegations do not give the role', async () => {
    const t = await device();
    t.delegate('targets', 'A', { paths: ['app/sim/2*/*'] })
      .release('A', 9, 'app/sim/1.9.0/f')
      .release('A', 2, 'app/sim/2.0/f');
    t.delegate('A', 'B', { paths: ['app/*/*/*'] })
      .release('B', 8, 'app/sim/1.8.0/f')
      .release('B', 3, 'app/sim/2.1/f');
    await runs(t.publish(), 3);
  });

  test('not at a path that an earlier role defines, and then what that role says', async () => {
    const t = await device();
    t.delegate('targets', 'A', mine).delegate('targets', 'B', mine);
    t.release('A', 2, 'app/sim/1/f').release('B', 9, 'app/sim/1/f').release('B', 3, 'app/sim/2/f');
    await runs(t.publish(), 3);
  });

  test('not beyond a terminating delegation of its path', async () => {
    const t = await device();
    t.delegate('targets', 'A', { paths: ['app/sim/1.*/*'], terminating: true }).delegate(
      'targets',
      'B',
      mine,
    );
    t.release('A', 2).release('B', 9, 'app/sim/1.9/f').release('B', 3, 'app/sim/2.0/f');
    await runs(t.publish(), 3);
  });

  test('a role is looked into once for each way to it', async () => {
    const t = await device();
    t.delegate('targets', 'A', mine).delegate('targets', 'B', mine);
    t.delegate('A', 'C', { paths: ['app/sim/1.*/*'] }).delegate('B', 'C', { paths: ['app/sim/2.*/*'] });
    await runs(t.release('C', 3, 'app/sim/2.0/f').publish(), 3);
    t.release('C', 4, 'app/sim/1.0/f').release('C', 5, 'app/sim/3.0/f');
    t.role('C').version++;
    await runs(t.publish(), 4);
  });

  test('cycles end', async () => {
    const t = await device();
    t.delegate('targets', 'A', mine)
      .delegate('A', 'B', mine)
      .delegate('B', 'A', { ...mine, terminating: true });
    t.delegate('B', 'C', mine).release('C', 9).release('B', 2).publish();
    await runs(t, 2);
  });

  test('[TAP 15] through all succinct roles', async () => {
    const t = await device();
    const key = t.s.newKey();
    t.role('targets').succinct = { bits: 3, prefix: 'bin', key };
    for (let bin = 0; bin < 8; bin++) t.role(`bin-${bin}`).forgery = { keys: [key] };
    const path = 'app/sim/1.2.0/firmware.bin';
    const { digest } = await import('./tree.ts');
    t.release(`bin-${Number.parseInt(digest(path).slice(0, 2), 16) >>> 5}`, 2, path);
    // In another bin it is no release.
    t.release(
      `bin-${(Number.parseInt(digest('app/sim/9/f').slice(0, 2), 16) >>> 5) ^ 1}`,
      9,
      'app/sim/9/f',
    ).publish();
    await runs(t, 2);
  });

  test('through hash prefixes', async () => {
    const t = await device();
    const { digest } = await import('./tree.ts');
    const [yes, no] = ['app/sim/2/f', 'app/sim/9/f'];
    t.delegate('targets', 'A', { path_hash_prefixes: [digest(yes).slice(0, 8)] });
    await runs(t.release('A', 2, yes).release('A', 9, no).publish(), 2);
  });

  test('a role that cannot be used holds up nobody else, and is not passed over in silence', async () => {
    const t = await device();
    t.delegate('targets', 'supplier', { paths: ['app/sim/s*/*'] }).delegate('targets', 'B', mine);
    t.role('supplier').expires = 0;
    t.release('supplier', 5, 'app/sim/s/f').release('B', 2).publish();
    expect(await t.s.check()).toEqual({ status: 'EXPIRED', role: 'DELEGATED' });
    t.s.runs(2);
    t.unlisted.add('supplier');
    delete t.s.delegated['supplier.json'];
    t.role('supplier').expires = 86_400;
    t.role('supplier').version = 2;
    t.unlisted.clear();
    await runs(t.publish(), 5);
  });

  test("but a path that it might have defined is nobody else's", async () => {
    const t = await device();
    t.delegate('targets', 'A', { paths: ['app/sim/1/*'] }).delegate('targets', 'B', mine);
    t.role('A').forgery = { keys: [t.s.stranger] };
    t.release('B', 9, 'app/sim/1/f').release('B', 3, 'app/sim/2/f').publish();
    expect(await t.s.check()).toEqual({ status: 'SIGNATURES', role: 'DELEGATED' });
    t.s.runs(3);
  });

  test('[CERT-C-6] a search that ends at 32 roles says so, unless it has found something newer', async () => {
    const t = await device({ bank: 262_144 });
    for (let index = 0; index < 33; index++) t.delegate('targets', `r${index}`, mine);
    t.release('r32', 9).release('r31', 2).publish();
    expect(await t.s.check()).toEqual({ status: 'TOO_MANY_ROLES', role: 'DELEGATED' });
    t.s.runs(2);
  });

  test('[CERT-C-6] a role that lists hundreds of releases that it may not make is given up', async () => {
    const t = await device({ bank: 262_144 });
    t.delegate('targets', 'A', { paths: ['app/sim/mine/*'] });
    for (let release = 100; release < 400; release++) t.release('A', release, `app/sim/other/${release}`);
    t.release('A', 2, 'app/sim/mine/f').publish();
    expect(await t.s.check()).toEqual({ status: 'JSON_COMPLEX', role: 'DELEGATED' });
    t.s.runs(1);
    for (const path of Object.keys(t.role('A').targets))
      if (path.includes('other')) delete t.role('A').targets[path];
    t.role('A').version = 2;
    await runs(t.publish(), 2);
  });

  test('a release that vanishes from its role in mid-download is not installed', async () => {
    const t = await device();
    t.delegate('targets', 'A', mine).release('A', 2).publish();
    t.s.network.conduct = (path) => (path.startsWith('targets/') ? { drop: true } : {});
    expect(await t.s.check()).toEqual({ status: 'NETWORK', role: 'IMAGE' });
    t.s.network.conduct = () => ({});
    for (const path of Object.keys(t.role('A').targets)) delete t.role('A').targets[path];
    t.role('A').version = 2;
    await runs(t.publish(), 1);
  });
});
