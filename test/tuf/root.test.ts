// The root of trust and its successors: TUF 1.0.34, 5.2 and 5.3.
import { describe, expect, test } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { DAY, type Forgery, MINUTE, named, provisionWith, Stage, stage } from './kit.ts';
import { drop, type JsonObject, Members, plain, put } from './values.ts';

const THREE: { before: (s: Stage) => void } = {
  before: (s) => {
    s.keys.root = [s.newKey(), s.newKey(), s.newKey()];
    s.threshold.root = 2;
  },
};

describe('5.2 the first root', () => {
  const bad: readonly (readonly [string, number, (s: Stage) => Forgery])[] = [
    ['signed by nobody', Status.SIGNATURES, () => ({ signatures: () => [] })],
    ['signed by a key that it does not list', Status.SIGNATURES, (s) => ({ keys: [s.stranger] })],
    ['changed after it was signed', Status.SIGNATURES, () => ({ file: renumbered })],
    ['that is a targets file', Status.TYPE_MISMATCH, () => ({ signed: put('_type', 'targets') })],
    ['without a timestamp role', Status.METADATA_INVALID, () => ({ signed: drop('roles', 'timestamp') })],
    [
      'with a threshold of 0',
      Status.THRESHOLD_INVALID,
      () => ({ signed: put('roles', 'root', 'threshold', 0) }),
    ],
    [
      'with a threshold of 0 for targets',
      Status.THRESHOLD_INVALID,
      () => ({ signed: put('roles', 'targets', 'threshold', 0) }),
    ],
    [
      'followed by something',
      Status.JSON_SYNTAX,
      () => ({ file: (envelope) => `${JSON.stringify(envelope)}{}` }),
    ],
    ['that is empty', Status.ENVELOPE_INVALID, () => ({ file: () => '' })],
  ];

  test.each(bad)(
    '%s does not become the root of trust, and the right one still can',
    async (_, status, forgery) => {
      const s = new Stage();
      s.forge('root', forgery(s));
      expect(provisionWith(s, s.file('root'))).toBe(status);
      s.heal();
      await s.accepts();
    },
  );

  test('signed by 1 of 2 keys is refused, by 2 accepted', async () => {
    const s = new Stage(THREE);
    s.forge('root', { keys: s.keys.root.slice(0, 1) });
    expect(provisionWith(s, s.file('root'))).toBe(Status.SIGNATURES);
    s.heal();
    await s.accepts();
  });

  test('is given once in a life', async () => {
    const s = await stage();
    expect(provisionWith(s, s.file('root'))).toBe(Status.ALREADY_PROVISIONED);
  });

  test('may have expired: a newer one is fetched before anything else', async () => {
    const s = new Stage();
    s.clock.set(s.clock.seconds() + 400 * DAY);
    s.root();
    s.publish('targets');
    await s.accepts();
  });
});

test('5.3.3 [TUF-5] the next root is fetched first, then timestamp, snapshot and targets, and nothing besides', async () => {
  const s = await stage();
  s.release({ releaseCounter: 2 });
  const image = [...s.files.keys()].find((path) => path.startsWith('targets/app/sim/1.2.0/'));
  const first = [
    'metadata/2.root.json',
    'metadata/timestamp.json',
    'metadata/2.snapshot.json',
    'metadata/2.targets.json',
    image,
  ];
  // After the reboot into the new image the device checks again.
  const second = ['metadata/2.root.json', 'metadata/timestamp.json'];
  expect(await s.requests(() => s.accepts())).toEqual([...first, ...second]);
});

test('5.3.3 [CERT-I-6] a device that slept through seven roots follows them one by one', async () => {
  const s = await stage();
  for (let version = 2; version <= 8; version++) s.rotate('root');
  const paths = await s.requests(() => s.accepts());
  const roots = [2, 3, 4, 5, 6, 7, 8, 9].map((version) => `metadata/${version}.root.json`);
  expect(paths.slice(0, 9)).toEqual([...roots, 'metadata/timestamp.json']);
});

test.each([403, 404])('5.3.3 an answer of %i says that there is no newer root', async (status) => {
  const s = await stage();
  s.release({ releaseCounter: 2 });
  s.network.conduct = (path) => (path.endsWith('root.json') ? { status } : {});
  await s.accepts();
});

test.each([{ status: 500 }, { drop: true }, { breakAfter: 100 }])(
  '5.3.3 a root that cannot be fetched ends the check, so that nobody can hide a newer one (%o)',
  async (conduct) => {
    const s = await stage();
    s.rotate('root');
    s.network.conduct = (path) => (path.endsWith('root.json') ? conduct : {});
    const paths = await s.requests(() => s.refuses('NETWORK', 'ROOT'));
    expect(paths[0]).toBe('metadata/2.root.json');
    expect(paths[1]).toBe('metadata/2.root.json');
  },
);

describe('5.3.4 a new root', () => {
  test('signed by a stranger is refused, by the next run as well (python-tuf CVE-2020-15163)', async () => {
    const s = await stage();
    s.forge('root', { keys: [s.stranger] });
    await s.refuses('SIGNATURES', 'ROOT');
  });

  test('signed by its own new keys only is refused (arbitrary root)', async () => {
    const s = await stage();
    const keys = s.keys.root;
    s.keys.root = [s.stranger];
    s.forge('root', { keys: [s.stranger] });
    s.keys.root = keys;
    await s.refuses('SIGNATURES', 'ROOT');
  });

  test('signed by the keys before it only is refused (a mistake would lock everybody out)', async () => {
    const s = await stage();
    const keys = s.keys.root;
    s.keys.root = [s.stranger];
    s.forge('root', { keys });
    s.keys.root = keys;
    await s.refuses('SIGNATURES', 'ROOT');
  });

  test.each([
    [1, 3],
    [3, 1],
    [1, 1],
  ])(
    'signed by %i of the keys before it and %i of its own, 2 of each wanted, is refused',
    async (old, own) => {
      const s = await stage(THREE);
      const keys = s.keys.root;
      s.keys.root = [s.newKey(), s.newKey(), s.newKey()];
      s.forge('root', { keys: [...keys.slice(0, old), ...s.keys.root.slice(0, own)] });
      s.keys.root = keys;
      await s.refuses('SIGNATURES', 'ROOT');
    },
  );

  test('signed by 2 of the keys before it and 2 of its own is accepted', async () => {
    const s = await stage(THREE);
    const keys = s.keys.root;
    s.keys.root = [s.newKey(), s.newKey(), s.newKey()];
    s.root({ keys: [...keys.slice(1), ...s.keys.root.slice(0, 2)] });
    await s.accepts();
  });

  test('with a higher threshold needs it of its own keys, not of those before it', async () => {
    const s = await stage(THREE);
    s.threshold.root = 3;
    s.forge('root', { keys: s.keys.root.slice(0, 2) });
    s.threshold.root = 2;
    await s.refuses('SIGNATURES', 'ROOT');
  });

  test('with a lower threshold still needs the higher one of the keys before it', async () => {
    const s = await stage(THREE);
    s.threshold.root = 1;
    s.forge('root', { keys: s.keys.root.slice(0, 1) });
    s.threshold.root = 2;
    await s.refuses('SIGNATURES', 'ROOT');
  });
});

describe('5.3.5 [TUF-6] (tough CVE-2025-2885) a new root', () => {
  test.each([1, 3, 100])(
    'of version %i in the place of version 2 is refused (root skipped or replayed)',
    async (version) => {
      const s = await stage();
      s.forge('root', { signed: put('version', version) });
      await s.refuses('ROOT_VERSION', 'ROOT');
    },
  );

  test('that is the trusted one again is refused', async () => {
    const s = await stage();
    s.files.set(s.path('root', 2), s.file('root'));
    await s.refuses('ROOT_VERSION', 'ROOT').catch(() => undefined);
    expect(s.trusted().root).toBe(1);
    s.files.delete(s.path('root', 2));
    s.heal();
    await s.accepts();
  });

  test('that was skipped by the server leaves the device where it was: version 3 is not asked for', async () => {
    const s = await stage();
    s.rotate('root');
    s.rotate('root');
    s.files.delete('metadata/2.root.json');
    expect(await s.requests(() => s.check())).not.toContain('metadata/3.root.json');
    expect(s.trusted().root).toBe(1);
  });
});

test('5.3.7 an expired root on the way is followed', async () => {
  const s = await stage();
  s.root({ signed: put('expires', '2001-01-01T00:00:00Z') });
  s.rotate('root');
  await s.accepts();
});

test('5.3.8 each root that is accepted is kept, whatever comes of the next', async () => {
  const s = await stage();
  s.rotate('root');
  s.forge('root', { keys: [s.stranger] });
  await s.refuses('SIGNATURES', 'ROOT', { root: 2 });
});

test('5.3.8 a root is kept though the check that brought it ends at the timestamp', async () => {
  const s = await stage();
  s.rotate('root');
  s.forge('timestamp', { keys: [s.stranger] });
  await s.refuses('SIGNATURES', 'TIMESTAMP', { root: 2 });
});

test('5.3.10 [TUF-7] the last root must not have expired (freeze); it is kept, and the next one helps', async () => {
  const s = await stage();
  s.root({ signed: put('expires', '2001-01-01T00:00:00Z') });
  s.publish('targets');
  expect(await s.requests(() => s.check())).toEqual(['metadata/2.root.json', 'metadata/3.root.json']);
  expect(await s.check()).toEqual({ status: 'EXPIRED', role: 'ROOT' });
  expect(s.trusted().root).toBe(2);
  s.root();
  await s.accepts();
});

test('5.3.10 [TUF-7] the trusted root expires in the second that it names', async () => {
  const s = await stage();
  s.root({ signed: put('expires', '2030-01-01T01:00:00Z') });
  s.clock.set(s.clock.seconds() + 59 * MINUTE + 59);
  await s.settles();
  s.clock.set(s.clock.seconds() + 1);
  expect(await s.check()).toEqual({ status: 'EXPIRED', role: 'ROOT' });
});

describe('5.3.11 fast-forward recovery', () => {
  /** A thief with the timestamp and snapshot keys drives their versions up; the device believes it. */
  async function drivenUp(): Promise<Stage> {
    const s = await stage();
    s.versions.snapshot = 4_000_000_000;
    s.versions.timestamp = 4_000_000_000;
    s.publish('snapshot');
    await s.accepts();
    s.versions.snapshot = 1;
    s.versions.timestamp = 1;
    return s;
  }

  test('versions that a thief drove up stay in the way as long as the keys stay', async () => {
    const s = await drivenUp();
    s.publish('targets');
    expect(await s.check()).toEqual({ status: 'ROLLBACK', role: 'TIMESTAMP' });
    s.rotate('root');
    expect(await s.check()).toEqual({ status: 'ROLLBACK', role: 'TIMESTAMP' });
  });

  test.each(['timestamp', 'snapshot'] as const)(
    '[CERT-I-6] new %s keys free the device from both',
    async (role) => {
      const s = await drivenUp();
      s.rotate(role);
      await s.accepts();
    },
  );

  test('[CERT-I-6] keys that went and came back while the device slept free it too', async () => {
    const s = await drivenUp();
    const keys = s.keys.timestamp;
    s.rotate('timestamp');
    s.keys.timestamp = keys;
    s.root();
    s.publish('targets');
    await s.accepts();
  });

  test.each([false, true])(
    'the same key under another id is no new key (beside the old id: %s)',
    async (beside) => {
      const s = await drivenUp();
      const [key = s.stranger] = s.keys.timestamp;
      s.root({
        signed: [
          put('roles', 'timestamp', 'keyids', beside ? [key.id, 'another name'] : ['another name']),
          put('keys', 'another name', plain(key.public)),
        ],
      });
      s.forge('timestamp', { keys: [named(key, 'another name')] });
      expect(await s.check()).toEqual({ status: 'ROLLBACK', role: 'TIMESTAMP' });
    },
  );

  test('a timestamp by keys that were taken away is not used any longer, though it was trusted', async () => {
    const s = await stage();
    const replayed = s.file('timestamp');
    s.rotate('timestamp');
    s.files.set('metadata/timestamp.json', replayed);
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
    expect(s.trusted()).toMatchObject({ root: 2, timestamp: 0, snapshot: 0 });
    s.heal();
    await s.accepts();
  });

  test('a snapshot by keys that were taken away is not used any longer, though it was trusted', async () => {
    const s = await stage();
    const replayed = s.file('snapshot');
    s.keys.snapshot = [s.newKey()];
    s.root();
    s.publish('timestamp');
    expect(s.file('snapshot')).toEqual(replayed);
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'SNAPSHOT' });
    s.heal();
    await s.accepts();
  });

  test('[CERT-I-6] targets by keys that were taken away are not used any longer, though they were trusted', async () => {
    const s = await stage();
    s.release({ releaseCounter: 2 });
    s.network.conduct = (path) => (path.startsWith('targets/') ? { drop: true } : {});
    expect(await s.check()).toEqual({ status: 'NETWORK', role: 'IMAGE' });
    s.network.conduct = () => ({});
    s.keys.targets = [s.newKey()];
    s.root();
    s.publish('snapshot');
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TARGETS' });
    s.runs(1);
    s.heal();
    await s.accepts();
  });

  test('a higher threshold counts as new keys: what was signed by fewer must be signed anew', async () => {
    const s = await stage();
    s.keys.targets.push(s.newKey());
    s.root();
    s.publish('targets');
    await s.accepts();
    const one = s.keys.targets.slice(0, 1);
    s.forge('targets', { keys: one });
    await s.accepts();
    s.threshold.targets = 2;
    s.root();
    s.publish('snapshot');
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TARGETS' });
    s.heal();
    await s.accepts();
  });
});

test('a root that gives the timestamp to nobody reachable is mended by the next root', async () => {
  const s = await stage();
  const keys = s.keys.timestamp;
  s.threshold.timestamp = 2;
  s.root();
  s.publish('targets');
  expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
  s.threshold.timestamp = 1;
  s.keys.timestamp = keys;
  s.root();
  s.publish('targets');
  await s.accepts();
});

describe('4.3 a root that would leave a role without a meaning is refused', () => {
  test.each(['root', 'timestamp', 'snapshot', 'targets'] as const)('no %s role', async (role) => {
    const s = await stage();
    s.forge('root', { signed: drop('roles', role) });
    await s.refuses('METADATA_INVALID', 'ROOT');
  });

  test.each(['root', 'timestamp', 'targets'])('the %s role twice', async (role) => {
    const s = await stage();
    s.forge('root', {
      signed: (root) => {
        const roles = Object.entries(root.roles as JsonObject);
        const again = roles.filter(([name]) => name === role);
        root.roles = new Members(...roles, ...again);
      },
    });
    await s.refuses('JSON_DUPLICATE', 'ROOT');
  });

  test.each(['keyids', 'threshold'])('a role without %s', async (field) => {
    const s = await stage();
    s.forge('root', { signed: drop('roles', 'snapshot', field) });
    await s.refuses('METADATA_INVALID', 'ROOT');
  });

  test.each(['keys', 'roles'])('no %s at all', async (field) => {
    const s = await stage();
    s.forge('root', { signed: drop(field) });
    await s.refuses('METADATA_INVALID', 'ROOT');
  });

  test.each([
    ['keys', 7],
    ['roles', []],
    ['consistent_snapshot', 'yes'],
  ] as const)('%s of another kind', async (field, value) => {
    const s = await stage();
    s.forge('root', { signed: put(field, value as never) });
    await s.refuses('METADATA_INVALID', 'ROOT');
  });
});

describe('5.3.9 consistent_snapshot', () => {
  test('false: file names carry neither versions nor hashes, but for the root', async () => {
    const s = await stage({
      before: (made) => {
        made.consistent = false;
      },
    });
    s.release({ releaseCounter: 2 });
    const paths = await s.requests(() => s.accepts());
    expect(paths.slice(0, 5)).toEqual([
      'metadata/2.root.json',
      'metadata/timestamp.json',
      'metadata/snapshot.json',
      'metadata/targets.json',
      'targets/app/sim/1.2.0/firmware.bin',
    ]);
  });

  test('missing: as false', async () => {
    const s = await stage({
      before: (made) => {
        made.consistent = false;
      },
    });
    s.root({ signed: drop('consistent_snapshot') });
    s.release({ releaseCounter: 2 });
    await s.accepts();
  });

  test('comes from the last root of the check', async () => {
    const s = await stage({
      before: (made) => {
        made.consistent = false;
      },
    });
    s.consistent = true;
    s.root();
    s.release({ releaseCounter: 2 });
    await s.accepts();
  });
});

test('[CERT-I-6] a key that was taken away signs nothing any more', async () => {
  for (const role of ['timestamp', 'snapshot', 'targets'] as const) {
    const s = await stage();
    const stolen = s.keys[role];
    s.rotate(role);
    await s.accepts();
    s.forge(role, { keys: stolen });
    await s.refuses(
      'SIGNATURES',
      role === 'timestamp' ? 'TIMESTAMP' : role === 'snapshot' ? 'SNAPSHOT' : 'TARGETS',
    );
  }
});

function renumbered({ signatures, signed }: { signatures: unknown; signed: unknown }): string {
  return JSON.stringify({ signatures, signed }).replace('"version":2', '"version":3');
}
