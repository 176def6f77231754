// TUF 1.0.34, 5.4: the file that says what is newest.
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, LIFETIME, START, stage } from './kit.ts';
import { drop, put, type Value } from './values.ts';

describe('5.4.2 [CERT-I-1] a timestamp', () => {
  test('signed by a stranger is refused', async () => {
    const s = await stage();
    s.forge('timestamp', { keys: [s.stranger] });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });

  test.each(['root', 'snapshot', 'targets'] as const)('signed by the %s keys is refused', async (role) => {
    const s = await stage();
    s.forge('timestamp', { keys: s.keys[role] });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });

  test('[CERT-I-2] signed by nobody is refused, right as its hashes are', async () => {
    const s = await stage();
    s.forge('timestamp', { signatures: () => [] });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });

  test('signed by a stranger under the id of the right key is refused', async () => {
    const s = await stage();
    const [key] = s.keys.timestamp;
    s.forge('timestamp', { keys: [{ ...s.stranger, id: key?.id ?? '' }] });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });
});

describe('5.4.3 [TUF-6] rollback', () => {
  test('5.4.3.1 an older timestamp is refused, after a restart as well (go-tuf CVE-2022-29173)', async () => {
    const s = await stage();
    const older = s.file('timestamp');
    s.publish('timestamp');
    await s.settles();
    s.files.set('metadata/timestamp.json', older);
    await s.refuses('ROLLBACK', 'TIMESTAMP');
  });

  test('5.4.3.1 an older timestamp is refused though the trusted one has expired: it still is the base', async () => {
    const s = await stage();
    s.publish('timestamp');
    await s.settles();
    s.clock.set(START + 2 * DAY);
    s.forge('timestamp', { signed: put('version', 1) });
    await s.refuses('ROLLBACK', 'TIMESTAMP');
  });

  test('5.4.3.1 a timestamp of the same version is no error, and the trusted one stays', async () => {
    const s = await stage();
    s.release({ releaseCounter: 2 });
    s.forge('timestamp', { signed: put('version', 1) });
    s.newest = 1;
    const paths = await s.requests(() => s.settles());
    expect(paths).toEqual(['metadata/2.root.json', 'metadata/timestamp.json']);
    expect(s.trusted()).toEqual({ root: 1, timestamp: 1, snapshot: 1, targets: 1 });
    s.heal();
    await s.accepts();
  });

  test('5.4.3.2 a timestamp that names an older snapshot is refused', async () => {
    const s = await stage();
    s.publish('snapshot');
    await s.settles();
    s.forge('timestamp', { signed: put('meta', 'snapshot.json', 'version', 1) });
    await s.refuses('SNAPSHOT_ROLLBACK', 'TIMESTAMP');
  });

  test('5.4.3.2 a timestamp that names the same snapshot is accepted', async () => {
    const s = await stage();
    s.publish('timestamp');
    await s.accepts();
  });
});

describe('5.4.4 [TUF-7] freeze', () => {
  test('a new timestamp that has expired is refused', async () => {
    const s = await stage();
    s.forge('timestamp', { signed: put('expires', '2029-12-31T23:59:59Z') });
    await s.refuses('EXPIRED', 'TIMESTAMP');
  });

  test('the same timestamp again and again is refused once it has expired', async () => {
    const s = await stage();
    s.clock.set(START + LIFETIME.timestamp - 1);
    await s.settles();
    s.clock.set(START + LIFETIME.timestamp);
    await s.refuses('EXPIRED', 'TIMESTAMP');
  });

  test('a new file with the version of the expired one does not make it fresh', async () => {
    const s = await stage();
    s.clock.set(START + 2 * DAY);
    s.forge('timestamp', { signed: put('version', 1) });
    await s.refuses('EXPIRED', 'TIMESTAMP');
  });

  test('5.4.5 what was refused as expired is not the base of the next check', async () => {
    const s = await stage();
    s.forge('timestamp', { signed: [put('version', 4_000_000_000), put('expires', '2029-12-31T23:59:59Z')] });
    await s.refuses('EXPIRED', 'TIMESTAMP');
  });
});

describe('5.4.5 nothing of a timestamp is kept before all its checks (tough CVE-2025-2888)', () => {
  test('a version that a stranger drove up', async () => {
    const s = await stage();
    s.forge('timestamp', { keys: [s.stranger], signed: put('version', 4_000_000_000) });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });

  test('one that names an older snapshot', async () => {
    const s = await stage();
    s.publish('snapshot');
    await s.settles();
    s.forge('timestamp', {
      signed: [put('version', 4_000_000_000), put('meta', 'snapshot.json', 'version', 1)],
    });
    await s.refuses('SNAPSHOT_ROLLBACK', 'TIMESTAMP');
  });
});

test('the timestamp must be there: 404 is no answer', async () => {
  const s = await stage();
  s.files.delete('metadata/timestamp.json');
  await s.refuses('NOT_FOUND', 'TIMESTAMP');
});

test('a timestamp that cannot be fetched ends the check', async () => {
  const s = await stage();
  s.release({ releaseCounter: 2 });
  s.network.conduct = (path) => (path.endsWith('timestamp.json') ? { drop: true } : {});
  await s.refuses('NETWORK', 'TIMESTAMP');
});

test('5.4 an unchanged timestamp is one request after the root, and wears no flash', async () => {
  const s = await stage();
  s.trusted();
  s.device.power.log = [];
  const paths = await s.requests(() => s.settles());
  expect(paths).toEqual(['metadata/2.root.json', 'metadata/timestamp.json']);
  expect(s.device.power.log).toEqual([]);
});

test('5.4 an unchanged timestamp still leads to the snapshot that an interrupted check did not fetch', async () => {
  const s = await stage();
  s.release({ releaseCounter: 2 });
  s.network.conduct = (path) => (path.endsWith('snapshot.json') ? { drop: true } : {});
  expect(await s.check()).toEqual({ status: 'NETWORK', role: 'SNAPSHOT' });
  expect(s.trusted()).toMatchObject({ timestamp: 2, snapshot: 1 });
  s.network.conduct = () => ({});
  await s.accepts();
});

describe('4.6 what a timestamp must say', () => {
  test.each([
    ['no meta', drop('meta'), 'METADATA_INVALID'],
    ['meta of another kind', put('meta', []), 'METADATA_INVALID'],
    ['no snapshot.json', put('meta', {}), 'METADATA_INVALID'],
    ['another file instead', put('meta', { 'targets.json': { version: 1 } }), 'METADATA_INVALID'],
    ['snapshot.json of another kind', put('meta', 'snapshot.json', 1), 'METADATA_INVALID'],
    ['no version of the snapshot', drop('meta', 'snapshot.json', 'version'), 'METADATA_INVALID'],
    ['version 0 of the snapshot', put('meta', 'snapshot.json', 'version', 0), 'VERSION_INVALID'],
    ['a negative version of the snapshot', put('meta', 'snapshot.json', 'version', -1), 'VERSION_INVALID'],
    ['a version of the snapshot in quotes', put('meta', 'snapshot.json', 'version', '2'), 'VERSION_INVALID'],
    ['a negative length', put('meta', 'snapshot.json', 'length', -1), 'METADATA_INVALID'],
    ['a length in quotes', put('meta', 'snapshot.json', 'length', '300'), 'METADATA_INVALID'],
    ['hashes of another kind', put('meta', 'snapshot.json', 'hashes', 'none'), 'METADATA_INVALID'],
    [
      'a hash that is too short',
      put('meta', 'snapshot.json', 'hashes', { sha256: 'ab' }),
      'METADATA_INVALID',
    ],
    [
      'a hash that is too long',
      put('meta', 'snapshot.json', 'hashes', { sha256: 'ab'.repeat(33) }),
      'METADATA_INVALID',
    ],
    [
      'a hash that is not hexadecimal',
      put('meta', 'snapshot.json', 'hashes', { sha256: 'xy'.repeat(32) }),
      'METADATA_INVALID',
    ],
  ] as const)('%s', async (_, change, status) => {
    const s = await stage();
    s.release({ releaseCounter: 2 });
    s.forge('timestamp', { signed: change });
    s.newest = 1;
    await s.refuses(status, 'TIMESTAMP');
  });

  test('more than it must is signed, kept and ignored', async () => {
    const s = await stage();
    const extra: Value = { nested: [{ 'x-tuf-on-ci-online-uri': 'gcpkms:é' }, null, true, -7] };
    s.forge('timestamp', {
      signed: [
        put('x-extra', extra),
        put('meta', 'other.json', { version: 1 }),
        put('meta', 'snapshot.json', 'x', extra),
      ],
    });
    await s.accepts();
  });
});

test('[TUF-5] the time of a check is fixed at its start: a slow answer does not make it expire (5.1)', async () => {
  const s = await stage();
  s.publish('targets');
  s.forge('timestamp', { signed: put('expires', '2030-01-01T00:00:10Z') });
  s.network.conduct = (path) => (path.endsWith('root.json') ? { delay: 20_000 } : {});
  await s.accepts();
  expect(s.clock.seconds()).toBeGreaterThan(START + 10);
  expect(s.clock.seconds()).toBeLessThan(START + HOUR);
});
