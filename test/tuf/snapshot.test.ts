// TUF 1.0.34, 5.5: the file that says which versions belong together.
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../repo/index.ts';
import { LIFETIME, START, type Stage, sha512, stage } from './kit.ts';
import { type Change, drop, type JsonObject, Members, put, text, type Value } from './values.ts';

const DIGEST = 'ab'.repeat(32);

describe('5.5.2 length and hashes, before any signature (mix-and-match)', () => {
  test('an older snapshot under the name of the newest is refused', async () => {
    const s = await stage();
    const older = s.file('snapshot');
    s.publish('snapshot');
    s.files.set(s.path('snapshot'), older);
    await s.refuses('HASH_MISMATCH', 'SNAPSHOT');
  });

  test.each([
    ['sha256', { sha256: DIGEST }],
    ['sha512', { sha512: DIGEST + DIGEST }],
    [
      'sha512 beside a right sha256',
      (file: Uint8Array) => ({ sha256: sha256(file), sha512: DIGEST + DIGEST }),
    ],
    ['sha256 beside a right sha512', (file: Uint8Array) => ({ sha256: DIGEST, sha512: sha512(file) })],
  ] as const)('a wrong %s is refused', async (_, hashes) => {
    const s = await stage();
    s.publish('snapshot');
    const listed = typeof hashes === 'function' ? hashes(s.file('snapshot')) : { ...hashes };
    s.forge('timestamp', { signed: put('meta', 'snapshot.json', 'hashes', listed as Value) });
    await s.refuses('HASH_MISMATCH', 'SNAPSHOT');
  });

  test.each([
    ['a right sha512 alone', (file: Uint8Array) => ({ sha512: sha512(file) })],
    ['right hashes of both kinds', (file: Uint8Array) => ({ sha256: sha256(file), sha512: sha512(file) })],
    [
      'a hash of a kind that is not known beside a right one',
      (file: Uint8Array) => ({ md5: 'x', sha256: sha256(file) }),
    ],
    ['a right hash in capitals', (file: Uint8Array) => ({ sha256: sha256(file).toUpperCase() })],
  ] as const)('[CERT-I-3] %s is accepted', async (_, hashes) => {
    const s = await stage();
    s.publish('snapshot');
    s.forge('timestamp', {
      signed: put('meta', 'snapshot.json', 'hashes', hashes(s.file('snapshot')) as Value),
    });
    await s.accepts();
  });

  test.each([[{ md5: 'd41d8cd98f00b204e9800998ecf8427e' }], [{ sha1: 'ab'.repeat(20) }], [{}]])(
    '[CERT-I-3] hashes %j, none of which is known, are refused',
    async (hashes) => {
      const s = await stage();
      s.publish('snapshot');
      s.forge('timestamp', { signed: put('meta', 'snapshot.json', 'hashes', hashes as Value) });
      await s.refuses('HASH_UNKNOWN', 'TIMESTAMP');
    },
  );

  test('a file that is shorter than announced is refused', async () => {
    const s = await stage();
    s.publish('snapshot');
    const length = s.file('snapshot').length + 1;
    s.forge('timestamp', {
      signed: [drop('meta', 'snapshot.json', 'hashes'), put('meta', 'snapshot.json', 'length', length)],
    });
    await s.refuses('LENGTH_MISMATCH', 'SNAPSHOT');
  });

  test('a file that is longer than announced is not read to its end', async () => {
    const s = await stage();
    s.publish('snapshot');
    const length = s.file('snapshot').length - 1;
    s.forge('timestamp', {
      signed: [drop('meta', 'snapshot.json', 'hashes'), put('meta', 'snapshot.json', 'length', length)],
    });
    await s.refuses('TOO_LONG', 'SNAPSHOT');
  });

  test('a forged file with wrong hashes is refused for its hashes, not for its signatures', async () => {
    const s = await stage();
    s.publish('snapshot');
    const listed = s.file('timestamp');
    s.versions.snapshot--;
    s.forge('snapshot', { keys: [s.stranger] });
    s.files.set('metadata/timestamp.json', listed);
    await s.refuses('HASH_MISMATCH', 'SNAPSHOT');
  });

  test('versions alone, as tuf-on-ci lists them, are enough', async () => {
    const s = await stage();
    s.forge('snapshot', {
      signed: [drop('meta', 'targets.json', 'length'), drop('meta', 'targets.json', 'hashes')],
    });
    s.forge('timestamp', {
      signed: [drop('meta', 'snapshot.json', 'length'), drop('meta', 'snapshot.json', 'hashes')],
    });
    await s.accepts();
  });
});

describe('5.5.3 [CERT-I-1] a snapshot', () => {
  test('signed by a stranger is refused', async () => {
    const s = await stage();
    s.forge('snapshot', { keys: [s.stranger] });
    await s.refuses('SIGNATURES', 'SNAPSHOT');
  });

  test('signed by the timestamp keys is refused: a stolen timestamp key chooses no files', async () => {
    const s = await stage();
    s.forge('snapshot', { keys: s.keys.timestamp });
    await s.refuses('SIGNATURES', 'SNAPSHOT');
  });
});

describe('5.5.4 the version', () => {
  test.each([1, 3])('%i, where the timestamp says 2, is refused (mix-and-match)', async (version) => {
    const s = await stage();
    s.forge('snapshot', { signed: put('version', version) });
    await s.refuses('VERSION_MISMATCH', 'SNAPSHOT');
  });
});

describe('5.5.5 [TUF-6] rollback by snapshot', () => {
  /** A device that trusts a snapshot of these roles, each at version 5. */
  async function withRoles(...names: readonly string[]): Promise<Stage> {
    const s = await stage();
    for (const name of names) s.delegated[name] = 5;
    s.publish('snapshot');
    await s.accepts();
    return s;
  }

  /** Lists the files of a snapshot in another order. */
  function ordered(...names: readonly string[]): Change {
    return (snapshot) => {
      const meta = snapshot.meta as JsonObject;
      snapshot.meta = new Members(...names.map((name) => [name, meta[name] ?? null] as const));
    };
  }

  test('targets of a lower version are refused', async () => {
    const s = await stage();
    s.publish('targets');
    await s.accepts();
    s.forge('snapshot', { signed: put('meta', 'targets.json', 'version', 1) });
    await s.refuses('SNAPSHOT_ROLLBACK', 'SNAPSHOT');
  });

  test('a snapshot without targets is refused', async () => {
    const s = await stage();
    s.forge('snapshot', { signed: put('meta', {}) });
    await s.refuses('METADATA_INVALID', 'SNAPSHOT');
  });

  const FOUR = ['a.json', 'm.json', 'x.json', 'z.json'];

  test.each(FOUR)('a delegated role must not fall: %s of four', async (name) => {
    const s = await withRoles(...FOUR);
    s.forge('snapshot', { signed: put('meta', name, 'version', 4) });
    await s.refuses('SNAPSHOT_ROLLBACK', 'SNAPSHOT');
  });

  test.each(FOUR)('a delegated role must not vanish: %s of four', async (name) => {
    const s = await withRoles(...FOUR);
    s.forge('snapshot', { signed: drop('meta', name) });
    await s.refuses('SNAPSHOT_ROLLBACK', 'SNAPSHOT');
  });

  test('roles may be added, rise and change places', async () => {
    const s = await withRoles('a.json', 'b.json');
    Object.assign(s.delegated, { 'a.json': 6, 'new.json': 1 });
    s.forge('snapshot', { signed: ordered('new.json', 'b.json', 'a.json', 'targets.json') });
    await s.accepts();
    Object.assign(s.delegated, { 'b.json': 7 });
    s.forge('snapshot', { signed: ordered('targets.json', 'a.json', 'b.json', 'new.json') });
    await s.accepts();
    s.forge('snapshot', {
      signed: [put('meta', 'b.json', 'version', 6), ordered('new.json', 'b.json', 'a.json', 'targets.json')],
    });
    await s.refuses('SNAPSHOT_ROLLBACK', 'SNAPSHOT');
  });

  test.each([
    ['4 is refused', 4],
    ['5 is accepted', 5],
  ])('names are compared as what they mean, not as they are spelled: version %s', async (_, version) => {
    const s = await withRoles('é.json');
    s.forge('snapshot', {
      signed: put('meta', 'é.json', 'version', version),
      file: (envelope) => text(envelope).replace('é', '\\u00e9'),
    });
    if (version === 5) await s.accepts();
    else await s.refuses('SNAPSHOT_ROLLBACK', 'SNAPSHOT');
  });

  test('names that are longer than the core keeps are told apart all the same', async () => {
    const long = 'x'.repeat(300);
    const s = await withRoles(`${long}a.json`, `${long}b.json`);
    s.forge('snapshot', { signed: put('meta', `${long}b.json`, 'version', 4) });
    await s.refuses('SNAPSHOT_ROLLBACK', 'SNAPSHOT');
    s.forge('snapshot', {
      signed: [drop('meta', `${long}b.json`), put('meta', `${long}c.json`, { version: 5 })],
    });
    await s.refuses('SNAPSHOT_ROLLBACK', 'SNAPSHOT');
  });

  test('the trusted snapshot is the base though it no longer fits the new timestamp', async () => {
    const s = await withRoles('a.json');
    const older = s.file('snapshot');
    s.forge('snapshot', { keys: [s.stranger] });
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'SNAPSHOT' });
    expect(s.file('snapshot')).not.toEqual(older);
    s.forge('snapshot', { signed: put('meta', 'a.json', 'version', 4) });
    await s.refuses('SNAPSHOT_ROLLBACK', 'SNAPSHOT');
  });

  test('the trusted snapshot is the base though it has expired', async () => {
    const s = await withRoles('a.json');
    s.clock.set(START + 2 * LIFETIME.snapshot);
    s.forge('snapshot', { signed: put('meta', 'a.json', 'version', 4) });
    await s.refuses('SNAPSHOT_ROLLBACK', 'SNAPSHOT');
  });

  test('what was refused is not the base of the next check', async () => {
    const s = await withRoles('a.json');
    s.forge('snapshot', { keys: [s.stranger], signed: put('meta', 'a.json', 'version', 4_000_000_000) });
    await s.refuses('SIGNATURES', 'SNAPSHOT');
    s.forge('snapshot', {
      signed: [put('expires', '2001-01-01T00:00:00Z'), put('meta', 'a.json', 'version', 4_000_000_000)],
    });
    await s.refuses('EXPIRED', 'SNAPSHOT');
  });
});

describe('5.5.6 [TUF-7] freeze', () => {
  test('a new snapshot that has expired is refused', async () => {
    const s = await stage();
    s.forge('snapshot', { signed: put('expires', '2030-01-01T00:00:00Z') });
    await s.refuses('EXPIRED', 'SNAPSHOT');
  });

  test('the trusted snapshot, named by fresh timestamps for ever, is refused once it has expired', async () => {
    const s = await stage();
    s.clock.set(START + LIFETIME.snapshot - 1);
    s.publish('timestamp');
    await s.settles();
    s.clock.set(START + LIFETIME.snapshot);
    s.publish('timestamp');
    await s.refuses('EXPIRED', 'SNAPSHOT');
  });
});

test('a snapshot that the timestamp names must be there', async () => {
  const s = await stage();
  s.publish('snapshot');
  s.files.delete(s.path('snapshot'));
  await s.refuses('NOT_FOUND', 'SNAPSHOT');
});

test('5.5.1 a snapshot that is trusted already is not fetched again', async () => {
  const s = await stage();
  s.publish('timestamp');
  expect(await s.requests(() => s.accepts())).toEqual(['metadata/2.root.json', 'metadata/timestamp.json']);
});

test('5.5.1 a snapshot of the trusted version with another hash is fetched and judged', async () => {
  const s = await stage();
  s.versions.snapshot = 0;
  s.forge('snapshot', { signed: put('x', 1) });
  expect(await s.requests(() => s.settles())).toContain('metadata/1.snapshot.json');
});

describe('4.4 what a snapshot must say', () => {
  test.each([
    ['no meta', drop('meta'), 'METADATA_INVALID'],
    ['meta of another kind', put('meta', [1]), 'METADATA_INVALID'],
    ['targets without a version', drop('meta', 'targets.json', 'version'), 'METADATA_INVALID'],
    ['targets of version 0', put('meta', 'targets.json', 'version', 0), 'VERSION_INVALID'],
    ['a delegated role of another kind', put('meta', 'other.json', 7), 'METADATA_INVALID'],
    ['a delegated role without a version', put('meta', 'other.json', { length: 7 }), 'METADATA_INVALID'],
    ['a delegated role of version 0', put('meta', 'other.json', { version: 0 }), 'VERSION_INVALID'],
    [
      'a delegated role whose version is a text',
      put('meta', 'other.json', { version: '1' }),
      'VERSION_INVALID',
    ],
  ] as const)('%s is refused, for no later snapshot could be compared with it', async (_, change, status) => {
    const s = await stage();
    s.forge('snapshot', { signed: change });
    await s.refuses(status, 'SNAPSHOT');
  });

  test('more than it must is signed, kept and ignored', async () => {
    const s = await stage();
    s.forge('snapshot', { signed: [put('x', [null]), put('meta', 'targets.json', 'x-y', 'é')] });
    await s.accepts();
  });
});
