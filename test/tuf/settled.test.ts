// A check that finds what the check before it found, on a device that stays on: it fetches the next root and the
// timestamp, compares, and is done (docs/decisions/0032-settled.md). What may have changed since must be noticed.
import { describe, expect, test } from 'vitest';
import { Area, State, Status } from '../../host/node/abi.ts';
import type { Core } from '../../host/node/core.ts';
import { drive, type Pieces, pieces, type Result } from './drive.ts';
import { DAY, HOUR, LIFETIME, MINUTE, START, type Stage, stage } from './kit.ts';
import { put } from './values.ts';

const SETTLED: Result = { action: 'WAIT', status: 'UP_TO_DATE', role: 'NONE' };
const CHECK_INTERVAL = 30 * MINUTE;

/** A device that stays on, and has checked twice. */
interface Settled {
  readonly s: Stage;
  readonly core: Core;
  /** The next check, this many seconds later. */
  check(later?: number, arrive?: Pieces): Result;
}

async function settled(): Promise<Settled> {
  const s = await stage({ configuration: { checkInterval: CHECK_INTERVAL } });
  const core = s.powerOn();
  const check = (later = CHECK_INTERVAL, arrive?: Pieces) => {
    s.clock.set(s.clock.seconds() + later);
    return drive(core, s, arrive);
  };
  expect(drive(core, s)).toEqual(SETTLED);
  return { s, core, check };
}

/** A timestamp, a snapshot and so on that are good for this long; what is signed by an honest repository. */
function publishFor(
  s: Stage,
  lifetimes: Partial<Record<'timestamp' | 'snapshot' | 'targets', number>>,
): void {
  for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
    const seconds = lifetimes[role];
    if (seconds !== undefined) s.forge(role, { signed: put('expires', iso(s.clock.seconds() + seconds)) });
  }
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '');
}

/** Bytes of the trust store that some work reads. */
function bytesRead(s: Stage, work: () => void): number {
  let bytes = 0;
  s.device.flash.faults = {
    read: (area, _, length) => {
      if (area <= Area.STORE_B) bytes += length;
      return true;
    },
  };
  work();
  s.device.flash.faults = {};
  return bytes;
}

describe('a check that finds what the one before it found', () => {
  test('reads the trusted timestamp once, to compare, and nothing else; and writes nothing', async () => {
    const { s, check } = await settled();
    s.device.power.log = [];
    expect(bytesRead(s, () => expect(check()).toEqual(SETTLED))).toBe(s.file('timestamp').length);
    expect(s.device.power.log).toEqual([]);
  });

  test('with a timestamp that is signed anew and announces the same, reads neither snapshot nor targets', async () => {
    const { s, core, check } = await settled();
    s.publish('timestamp');
    const anew = bytesRead(s, () => expect(check()).toEqual(SETTLED));
    expect(core.stateRead(State.TIMESTAMP_VERSION)).toBe(2);
    s.publish('timestamp');
    const restarted = s.powerOn(); // and a device that was off does not know that it has read them
    const all = bytesRead(s, () => expect(drive(restarted, s)).toEqual(SETTLED));
    const length = s.file('snapshot').length + s.file('targets').length;
    expect(all - anew).toBeGreaterThan(2 * length);
  });

  test('goes on to keep the time that has passed', async () => {
    const { s, core, check } = await settled();
    expect(check(HOUR)).toEqual(SETTLED);
    expect(core.stateRead(State.LATEST_TIME)).toBe(START + HOUR);
    expect(check()).toEqual(SETTLED);
    expect(s.state(State.LATEST_TIME)).toBe(START + HOUR);
  });

  test('finds the release that comes then', async () => {
    const { s, check } = await settled();
    expect(check()).toEqual(SETTLED);
    s.release({ releaseCounter: 2 });
    expect(check()).toEqual({ action: 'REBOOT', status: 'READY_TO_REBOOT', role: 'NONE' });
    await s.accepts();
  });

  test('says again that what is newer is for other hardware', async () => {
    const { s, check } = await settled();
    s.release({ releaseCounter: 2, target: put('custom', 'hardwareIds', ['other']) });
    const other = { action: 'WAIT', status: 'NOT_FOR_HARDWARE', role: 'NONE' };
    expect(check()).toEqual(other);
    expect(check()).toEqual(other);
  });
});

describe('[TUF-7] freeze: what has expired since is found, though nothing has changed', () => {
  test('the timestamp', async () => {
    const { check } = await settled();
    expect(check(LIFETIME.timestamp - 1)).toEqual(SETTLED);
    expect(check(HOUR)).toEqual({ action: 'WAIT', status: 'EXPIRED', role: 'TIMESTAMP' });
  });

  test.each([
    ['SNAPSHOT', { targets: 9 * DAY, snapshot: 3 * DAY, timestamp: 9 * DAY }],
    ['TARGETS', { targets: 3 * DAY, snapshot: 9 * DAY, timestamp: 9 * DAY }],
  ] as const)('%s, under a timestamp that stays the same or is signed anew', async (role, lifetimes) => {
    const { s, check } = await settled();
    publishFor(s, lifetimes);
    expect(check()).toEqual(SETTLED);
    expect(check(3 * DAY - CHECK_INTERVAL - 1)).toEqual(SETTLED);
    expect(check()).toEqual({ action: 'WAIT', status: 'EXPIRED', role });
    s.publish('timestamp');
    expect(check()).toEqual({ action: 'WAIT', status: 'EXPIRED', role });
    s.heal();
    await s.accepts();
  });

  test('the root', async () => {
    const { s, check } = await settled();
    publishFor(s, { targets: 400 * DAY, snapshot: 400 * DAY, timestamp: 400 * DAY });
    expect(check()).toEqual(SETTLED);
    expect(check(LIFETIME.root)).toEqual({ action: 'WAIT', status: 'EXPIRED', role: 'ROOT' });
  });
});

describe('[CERT-I-1] what is not the trusted timestamp is none, however much of it is', () => {
  const forgeries: readonly (readonly [string, (honest: Buffer) => Uint8Array])[] = [
    ['nothing of it', () => new Uint8Array()],
    ['its first byte', (honest) => honest.subarray(0, 1)],
    ['its first half', (honest) => honest.subarray(0, honest.length / 2)],
    ['all but its last byte', (honest) => honest.subarray(0, -1)],
    ['one byte more', (honest) => Buffer.concat([honest, Buffer.from('}')])],
    ['another first byte', (honest) => flipped(honest, 0)],
    ['another byte in its signature', (honest) => flipped(honest, honest.indexOf('"sig":') + 10)],
    ['another byte in what is signed', (honest) => flipped(honest, honest.indexOf('"expires":') + 12)],
    ['another last byte', (honest) => flipped(honest, honest.length - 1)],
    ['twice the same', (honest) => Buffer.concat([honest, honest])],
  ];

  test.each(forgeries)('%s, in pieces of any size', async (_, forge) => {
    const { s, core, check } = await settled();
    const honest = Buffer.from(s.file('timestamp'));
    for (const size of [1, 7, 160, 1024]) {
      s.files.set('metadata/timestamp.json', forge(honest));
      const { status, role } = check(HOUR, (_, file) => pieces(file, size));
      expect(status, `in pieces of ${size}`).not.toBe('UP_TO_DATE');
      expect(role).toBe('TIMESTAMP');
      expect(core.stateRead(State.TIMESTAMP_VERSION)).toBe(1);
      s.files.set('metadata/timestamp.json', honest);
      expect(check(HOUR, (_, file) => pieces(file, size))).toEqual(SETTLED);
    }
    await s.accepts();
  });

  function flipped(honest: Uint8Array, at: number): Uint8Array {
    const copy = new Uint8Array(honest);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  }

  test('[TUF-6] an older one that was trusted before', async () => {
    const { s, check } = await settled();
    const older = s.file('timestamp');
    s.publish('timestamp');
    expect(check()).toEqual(SETTLED);
    s.files.set('metadata/timestamp.json', older);
    expect(check()).toEqual({ action: 'WAIT', status: 'ROLLBACK', role: 'TIMESTAMP' });
  });

  test('one that announces the same version of the snapshot with another hash: mix-and-match', async () => {
    const { s, check } = await settled();
    s.forge('timestamp', { signed: put('meta', 'snapshot.json', 'hashes', { sha256: 'ab'.repeat(32) }) });
    expect(check()).toEqual({ action: 'WAIT', status: 'HASH_MISMATCH', role: 'SNAPSHOT' });
  });
});

describe('5.3.11 a root that comes in between ends it', () => {
  test('the timestamp whose key it takes away is trusted no more, unchanged as it is', async () => {
    const { s, check } = await settled();
    s.keys.timestamp = [s.newKey()];
    s.root();
    expect(check()).toEqual({ action: 'WAIT', status: 'SIGNATURES', role: 'TIMESTAMP' });
    s.heal();
    await s.accepts();
  });

  test('nor one with a single signature after a root that asks for two', async () => {
    const { s, check } = await settled();
    s.keys.timestamp.push(s.newKey());
    s.threshold.timestamp = 2;
    s.root();
    expect(check()).toEqual({ action: 'WAIT', status: 'SIGNATURES', role: 'TIMESTAMP' });
    s.heal();
    await s.accepts();
  });

  test.each(['snapshot', 'targets'] as const)(
    'the %s whose key it takes away is fetched again, and refused',
    async (role) => {
      const { s, check } = await settled();
      s.keys[role] = [s.newKey()];
      s.root();
      if (role === 'snapshot') s.publish('timestamp'); // which falls with it
      expect(check()).toEqual({ action: 'WAIT', status: 'SIGNATURES', role: role.toUpperCase() });
      s.heal();
      await s.accepts();
    },
  );

  test('one that only adds keys leaves the timestamp trusted, and all is looked through once', async () => {
    const { s, check } = await settled();
    s.keys.targets.push(s.newKey());
    s.root();
    const first = bytesRead(s, () => expect(check()).toEqual(SETTLED));
    expect(check()).toEqual(SETTLED); // and writes the time
    const second = bytesRead(s, () => expect(check()).toEqual(SETTLED));
    expect(first).toBeGreaterThan(second + s.file('targets').length + s.file('root').length);
    expect(second).toBe(s.file('timestamp').length);
  });
});

describe('flash that loses bits of what is trusted', () => {
  test.each(['timestamp', 'snapshot', 'targets'] as const)(
    'in the %s: the next start finds it, and fetches it again',
    async (role) => {
      const { s, check } = await settled();
      rot(s, s.file(role));
      check();
      await s.accepts();
      expect(drive(s.powerOn(), s)).toEqual(SETTLED);
    },
  );

  test('in the snapshot: a core that is started once more fetches it', async () => {
    const { s, core, check } = await settled();
    rot(s, s.file('snapshot'));
    expect(core.coreStart()).toBe(Status.OK);
    const before = bytesRead(s, () => expect(check()).toEqual(SETTLED));
    expect(before).toBeGreaterThan(s.file('targets').length);
    expect(core.stateRead(State.SNAPSHOT_VERSION)).toBe(1);
  });

  test('in the targets: a release that comes then is found nevertheless', async () => {
    const { s, check } = await settled();
    rot(s, s.file('targets'));
    s.release({ releaseCounter: 2 });
    expect(check()).toMatchObject({ status: 'READY_TO_REBOOT' });
    await s.accepts();
  });

  /** Turns a bit over, in the middle of a file in the trust store. */
  function rot(s: Stage, file: Uint8Array): void {
    let found = 0;
    for (const area of [Area.STORE_A, Area.STORE_B]) {
      const bank = Buffer.alloc(s.device.flash.size(area));
      s.device.flash.read(area, 0, bank);
      const at = bank.indexOf(file);
      if (at < 0) continue;
      s.device.flash.rot(area, at + (file.length >> 1), 1);
      found++;
    }
    expect(found).toBe(1);
  }
});
