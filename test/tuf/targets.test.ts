// TUF 1.0.34, 5.6: the file that says what may be installed. (Delegations are not followed yet.)
import { describe, expect, test } from 'vitest';
import { buildTimestamp, metaFile } from '../../repo/index.ts';
import { LIFETIME, START, sha512, stage } from './kit.ts';
import { drop, plain, put, type Value } from './values.ts';

describe('5.6.2 length and hashes, before any signature (mix-and-match)', () => {
  test('older targets under the name of the newest are refused', async () => {
    const s = await stage();
    const older = s.file('targets');
    s.publish('targets');
    s.files.set(s.path('targets'), older);
    await s.refuses('HASH_MISMATCH', 'TARGETS');
  });

  test.each([
    ['sha256', { sha256: 'ab'.repeat(32) }],
    ['sha512', { sha512: 'ab'.repeat(64) }],
  ])('a wrong %s is refused', async (_, hashes) => {
    const s = await stage();
    s.publish('targets');
    s.forge('snapshot', { signed: put('meta', 'targets.json', 'hashes', hashes as Value) });
    await s.refuses('HASH_MISMATCH', 'TARGETS');
  });

  test('a right sha512 alone is enough', async () => {
    const s = await stage();
    s.publish('targets');
    s.forge('snapshot', {
      signed: put('meta', 'targets.json', 'hashes', { sha512: sha512(s.file('targets')) }),
    });
    await s.accepts();
  });

  test('[CERT-I-3] hashes none of which is known are refused', async () => {
    const s = await stage();
    s.publish('targets');
    s.forge('snapshot', { signed: put('meta', 'targets.json', 'hashes', { sha1: 'ab'.repeat(20) }) });
    await s.refuses('HASH_UNKNOWN', 'SNAPSHOT');
  });

  test.each([
    [1, 'LENGTH_MISMATCH'],
    [-1, 'TOO_LONG'],
  ] as const)('a length that is off by %i is noticed without any hash', async (by, status) => {
    const s = await stage();
    s.publish('targets');
    const length = s.file('targets').length + by;
    s.forge('snapshot', {
      signed: [drop('meta', 'targets.json', 'hashes'), put('meta', 'targets.json', 'length', length)],
    });
    await s.refuses(status, 'TARGETS');
  });
});

describe('5.6.3 [CERT-I-1] targets', () => {
  test('signed by a stranger are refused (arbitrary software)', async () => {
    const s = await stage();
    s.offer({ releaseCounter: 9 });
    s.forge('targets', { keys: [s.stranger] });
    await s.refuses('SIGNATURES', 'TARGETS');
  });

  test('signed by the timestamp and snapshot keys are refused: an online server cannot make a release', async () => {
    const s = await stage();
    s.offer({ releaseCounter: 9 });
    s.forge('targets', { keys: [...s.keys.timestamp, ...s.keys.snapshot] });
    await s.refuses('SIGNATURES', 'TARGETS');
  });

  test('[CERT-I-2] signed by nobody are refused, right as all hashes are', async () => {
    const s = await stage();
    s.offer({ releaseCounter: 9 });
    s.forge('targets', { signatures: () => [] });
    await s.refuses('SIGNATURES', 'TARGETS');
  });
});

describe('5.6.4 the version', () => {
  test.each([1, 3])('%i, where the snapshot says 2, is refused (mix-and-match)', async (version) => {
    const s = await stage();
    s.forge('targets', { signed: put('version', version) });
    await s.refuses('VERSION_MISMATCH', 'TARGETS');
  });
});

describe('5.6.5 [TUF-7] freeze', () => {
  test('new targets that have expired are refused', async () => {
    const s = await stage();
    s.offer({ releaseCounter: 2 });
    s.forge('targets', { signed: put('expires', '2030-01-01T00:00:00Z') });
    await s.refuses('EXPIRED', 'TARGETS');
  });

  test('the trusted targets, named by fresh snapshots for ever, are refused once they have expired', async () => {
    const s = await stage();
    s.clock.set(START + LIFETIME.targets - 1);
    s.publish('snapshot');
    await s.settles();
    s.clock.set(START + LIFETIME.targets);
    s.publish('snapshot');
    await s.refuses('EXPIRED', 'TARGETS');
  });
});

test('targets that the snapshot names must be there', async () => {
  const s = await stage();
  s.publish('targets');
  s.files.delete(s.path('targets'));
  await s.refuses('NOT_FOUND', 'TARGETS');
});

test('targets that are trusted already are not fetched again', async () => {
  const s = await stage();
  s.publish('snapshot');
  expect(await s.requests(() => s.accepts())).not.toContain('metadata/1.targets.json');
});

test('targets of the trusted version with another hash are fetched and judged', async () => {
  const s = await stage();
  s.versions.targets = 0;
  s.offer({ releaseCounter: 9 });
  s.forge('targets', { keys: [s.stranger] });
  expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TARGETS' });
  s.runs(1);
});

test('[TUF-6] targets that fell below the trusted ones are refused by the snapshot, hashes and signatures right', async () => {
  const s = await stage();
  const older = { file: s.file('targets'), path: s.path('targets') };
  s.release({ releaseCounter: 2 });
  await s.accepts();
  s.files.set(older.path, older.file);
  s.forge('snapshot', { signed: put('meta', 'targets.json', plain(metaFile(older.file, 1))) });
  await s.refuses('SNAPSHOT_ROLLBACK', 'SNAPSHOT');
});

describe('4.5 what targets must say', () => {
  test.each([
    ['no targets', drop('targets'), 'METADATA_INVALID'],
    ['no version', drop('version'), 'METADATA_INVALID'],
    ['no expires', drop('expires'), 'METADATA_INVALID'],
    ['no _type', drop('_type'), 'METADATA_INVALID'],
    ['no spec_version', drop('spec_version'), 'METADATA_INVALID'],
  ] as const)('%s: refused', async (_, change, status) => {
    const s = await stage();
    s.forge('targets', { signed: change });
    await s.refuses(status, 'TARGETS');
  });

  test.each([
    ['targets of another kind', put('targets', ['app'])],
    ['a target of another kind', put('targets', { a: 7 })],
    ['hashes of another kind', put('targets', { a: { length: 1, hashes: [] } })],
    ['a length of another kind', put('targets', { a: { length: '1', hashes: {} } })],
    ['a negative length', put('targets', { a: { length: -1, hashes: {} } })],
  ] as const)('%s: nothing is installed of it, and the next targets help', async (_, change) => {
    const s = await stage();
    s.forge('targets', { signed: change });
    expect(await s.check()).toEqual({ status: 'METADATA_INVALID', role: 'TARGETS' });
    s.runs(1);
    s.heal();
    await s.accepts();
  });

  test('delegations to roles that this device does not follow are no fault', async () => {
    const s = await stage();
    const role = { name: 'supplier', keyids: ['x'], threshold: 1, terminating: true, paths: ['d/*'] };
    s.forge('targets', { signed: put('delegations', { keys: { x: {} }, roles: [role] }) });
    s.delegated['supplier.json'] = 3;
    s.publish('snapshot');
    await s.accepts();
  });
});

describe('[TUF-8] stolen keys', () => {
  test('the timestamp key alone installs nothing: the oldest snapshot under a huge version', async () => {
    const s = await stage();
    const old = s.file('snapshot');
    s.release({ releaseCounter: 2 });
    await s.accepts();
    const named = metaFile(old, 1);
    s.forge('timestamp', {
      signed: put('meta', plain(buildTimestamp({ version: 1, expires: START }, named)).meta as Value),
    });
    await s.refuses('SNAPSHOT_ROLLBACK', 'TIMESTAMP');
  });

  test('the timestamp key alone installs nothing: a snapshot of its own', async () => {
    const s = await stage();
    s.offer({ releaseCounter: 9 });
    const thief = s.keys.timestamp;
    s.forge('targets', { keys: thief });
    s.forge('snapshot', { keys: thief });
    await s.refuses('SIGNATURES', 'SNAPSHOT');
  });

  test('timestamp and snapshot keys together install nothing: targets of their own', async () => {
    const s = await stage();
    s.offer({ releaseCounter: 9 });
    s.forge('targets', { keys: [...s.keys.timestamp, ...s.keys.snapshot] });
    await s.refuses('SIGNATURES', 'TARGETS');
  });

  test('the targets key alone installs nothing: no snapshot lists what it signs', async () => {
    const s = await stage();
    const honest = new Map(s.files);
    s.offer({ releaseCounter: 9 });
    s.forge('targets', {});
    const forged = s.file('targets');
    for (const [path, file] of honest) s.files.set(path, file);
    s.files.set('metadata/1.targets.json', forged);
    await s.settles();
    s.runs(1);
  });

  test('one of two targets keys installs nothing', async () => {
    const s = await stage({
      before: (made) => {
        made.keys.targets = [made.newKey(), made.newKey()];
        made.threshold.targets = 2;
      },
    });
    s.offer({ releaseCounter: 9 });
    s.forge('targets', { keys: s.keys.targets.slice(0, 1) });
    await s.refuses('SIGNATURES', 'TARGETS');
  });
});
