// What a new root leaves of the rollback base (5.3.11): all of it, unless it takes a key away or asks for more of them.
import { describe, expect, test } from 'vitest';
import { type Stage, stage } from './kit.ts';

const ONLINE = ['timestamp', 'snapshot', 'targets'] as const;
type Online = (typeof ONLINE)[number];

/** A device that trusts version 3 of all metadata, and the files of version 1, which have not expired either. */
async function replayable(
  options: Parameters<typeof stage>[0] = {},
): Promise<{ s: Stage; replay: () => void }> {
  const s = await stage(options);
  const old = new Map(s.files);
  s.publish('targets');
  await s.settles();
  s.publish('targets');
  await s.settles();
  const replay = () => {
    s.network.source = (path) => (path.endsWith('root.json') ? s.files.get(path) : old.get(path));
  };
  return { s, replay };
}

const two = (role: Online) => ({
  before: (s: Stage) => {
    s.keys[role].push(s.newKey());
  },
});

describe('[rollback] a root that takes nothing away keeps versions that were seen', () => {
  async function staysAt3(s: Stage, replay: () => void): Promise<void> {
    s.root();
    replay();
    expect(await s.check()).toEqual({ status: 'ROLLBACK', role: 'TIMESTAMP' });
    expect(s.trusted()).toEqual({ root: 2, timestamp: 3, snapshot: 3, targets: 3 });
    s.heal();
    await s.accepts();
  }

  test.each(ONLINE)('a %s key is added', async (role) => {
    const { s, replay } = await replayable();
    s.keys[role] = [...s.keys[role], s.newKey()];
    await staysAt3(s, replay);
  });

  test.each(ONLINE)('a %s key is added before the others', async (role) => {
    const { s, replay } = await replayable();
    s.keys[role] = [s.newKey(), ...s.keys[role]];
    await staysAt3(s, replay);
  });

  test.each(ONLINE)('the %s keys change places', async (role) => {
    const { s, replay } = await replayable(two(role));
    s.keys[role].reverse();
    await staysAt3(s, replay);
  });

  test.each(ONLINE)('the threshold of %s falls', async (role) => {
    const { s, replay } = await replayable({
      before: (made) => {
        two(role).before(made);
        made.threshold[role] = 2;
      },
    });
    s.threshold[role] = 1;
    await staysAt3(s, replay);
  });
});

describe('[fast-forward] a root that takes something away frees the device from versions that a thief drove up', () => {
  /** A new root and low versions under the same keys otherwise. */
  async function isFreed(role: Online, change: (s: Stage) => void, options = {}): Promise<void> {
    const s = await stage(options);
    s.versions[role] = 4_000_000_000;
    s.publish(role);
    await s.accepts();
    s.versions[role] = 1;
    if (role === 'targets') s.versions.snapshot = 4_000_000_000;
    change(s);
    s.root();
    s.publish(role);
    await s.accepts();
  }

  test.each(['timestamp', 'snapshot'] as const)('one of two %s keys is taken away', async (role) => {
    await isFreed(role, (s) => s.keys[role].pop(), two(role));
  });

  test.each(['timestamp', 'snapshot'] as const)(
    'one %s key is taken away and another added',
    async (role) => {
      await isFreed(role, (s) => s.keys[role].splice(0, 1, s.newKey()), two(role));
    },
  );

  test.each(['timestamp', 'snapshot'] as const)('the threshold of %s rises', async (role) => {
    const raise = (s: Stage) => {
      s.threshold[role] = 2;
    };
    await isFreed(role, raise, two(role));
  });

  test('a targets key is taken away: the targets that were trusted are fetched again', async () => {
    const s = await stage(two('targets'));
    s.keys.targets.pop();
    s.root();
    s.network.conduct = (path) => (path.endsWith('targets.json') ? { drop: true } : {});
    expect(await s.check()).toEqual({ status: 'NETWORK', role: 'TARGETS' });
    expect(s.trusted()).toEqual({ root: 2, timestamp: 1, snapshot: 1, targets: 0 });
    s.heal();
    await s.accepts();
  });
});
