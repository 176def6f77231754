// Signed time (Uptane Standard 2.1.0; draft-ietf-ntp-roughtime-19): the request of the core, and every lie in an
// answer. The answers are made by hand (roughtime.ts).
import { describe, expect, test } from 'vitest';
import { Action, LogEvent, State, Status } from '../../host/node/abi.ts';
import type { Core } from '../../host/node/core.ts';
import { statusMessage } from '../../host/node/errors.ts';
import { readLog } from '../../host/node/log.ts';
import { drive, type Result } from '../tuf/drive.ts';
import { CONFIGURATION, DAY, HOUR, LIFETIME, nameOf, START, Stage, type StageOptions } from '../tuf/kit.ts';
import { type Change, plain } from '../tuf/values.ts';
import { answer, half, keyOf, type Lie, put, rawPublic, requestParts, type Tags } from './roughtime.ts';
import { Vehicle } from './vehicle.ts';

const YEAR = 365.25 * DAY;
const NOW = START + HOUR;

function keys(...numbers: number[]): string[] {
  return numbers.map((number) => rawPublic(keyOf(number)).toString('hex'));
}

/** A device that trusts time key 0 and has checked once, with the time. */
function timed(options: StageOptions = {}): Stage {
  const s = new Stage({ ...options, configuration: { timeKeys: keys(0), ...options.configuration } });
  expect(checked(s, s.powerOn())).toMatchObject({ status: 'UP_TO_DATE' });
  return s;
}

type Server = (request: Uint8Array) => Uint8Array | undefined;

/** One check. A server answers each request once; after three without a good answer the host gives up. */
function check(s: Stage, core: Core, server: Server): Result {
  let result = drive(core, s);
  for (let asked = 0; result.action === 'TIME'; asked++) {
    if (asked === 10) throw new Error('the core asks for the time without end');
    const made = asked < 3 ? server(core.timeRequest()) : new Uint8Array();
    if (made) core.timeAnswer(made);
    result = drive(core, s);
  }
  return result;
}

function honest(now = NOW): Server {
  return (request) => answer(request, now);
}

function checked(s: Stage, core: Core, now = NOW): Result {
  return check(s, core, honest(now));
}

/** What a check says of an answer of so much of a lie, and what it leaves as the latest known time. */
function lied(s: Stage, lie: Lie, now = NOW): { finding: string; time: number; result: Result } {
  const core = s.powerOn();
  const result = check(s, core, (request) => answer(request, now, lie));
  const finding = nameOf(Status, core.stateRead(State.TIME_STATUS) | 0);
  return { finding, time: core.stateRead(State.LATEST_TIME), result };
}

/** A core that waits for the answer to its request. */
function asking(s: Stage): { core: Core; request: Uint8Array } {
  const core = s.powerOn();
  expect(drive(core, s).action).toBe('TIME');
  return { core, request: core.timeRequest() };
}

describe('[TUF-7] [UPT-1] a request for the time', () => {
  test('is one packet of 1,024 bytes with both versions, the name of the key, a nonce and nothing else', () => {
    const s = timed();
    const { request } = asking(s);
    expect(request).toHaveLength(1024);
    expect(Buffer.from(request).toString('latin1', 0, 8)).toBe('ROUGHTIM');
    expect(Buffer.from(request).readUInt32LE(8)).toBe(1012);
    const parts = requestParts(request);
    expect(Object.keys(parts)).toEqual(['VER', 'SRV', 'NONC', 'TYPE', 'ZZZZ']);
    expect(parts.VER?.toString('hex')).toBe('010000000c000080');
    expect(parts.SRV).toEqual(half(Buffer.of(0xff), rawPublic(keyOf(0))));
    expect(parts.NONC).toHaveLength(32);
    expect(parts.TYPE?.toString('hex')).toBe('00000000');
    expect(parts.ZZZZ?.every((byte) => byte === 0)).toBe(true);
  });

  test('has another nonce each time, and names the keys in turn', () => {
    const s = new Stage({ configuration: { timeKeys: keys(0, 1, 2) } });
    const { core } = asking(s);
    const made = Array.from({ length: 6 }, () => {
      expect(core.agentStep(0)).toBe(Action.TIME);
      return requestParts(core.timeRequest());
    });
    expect(new Set(made.map(({ NONC }) => NONC?.toString('hex'))).size).toBe(6);
    const named = made.map(({ SRV }) =>
      [0, 1, 2].findIndex((key) => SRV?.equals(half(Buffer.of(0xff), rawPublic(keyOf(key))))),
    );
    expect(new Set(named.slice(0, 3)).size).toBe(3);
    expect(named.slice(3)).toEqual(named.slice(0, 3));
  });

  test('is not made without random numbers: that is no answer', () => {
    const s = new Stage({ configuration: { timeKeys: keys(0), needsTime: true }, entropy: () => false });
    expect(drive(s.powerOn(), s)).toMatchObject({ action: 'WAIT', status: 'TIME_MISSING' });
  });

  test('is not made by a device that was given no keys', () => {
    const s = new Stage();
    expect(drive(s.powerOn(), s)).toMatchObject({ action: 'WAIT', status: 'UP_TO_DATE' });
  });
});

describe('[TUF-7] [UPT-1] an answer that is as it must be', () => {
  test('counts from the end of its radius that has passed, and the host has no say', () => {
    const s = new Stage({ configuration: { timeKeys: keys(0) } });
    for (const host of [0, START + 400 * DAY]) {
      s.clock.set(host);
      const core = s.powerOn();
      expect(check(s, core, (request) => answer(request, NOW, { radius: 100 }))).toMatchObject({
        status: 'UP_TO_DATE',
      });
      expect(core.stateRead(State.TIME_KNOWN)).toBe(1);
      expect(core.stateRead(State.TIME_STATUS)).toBe(0);
      expect(core.stateRead(State.LATEST_TIME)).toBe(NOW - 100);
    }
  });

  test('of a draft counts as well, and so does one with tags that nobody knows', () => {
    const s = timed();
    expect(lied(s, { version: 0x8000000c }).finding).toBe('OK');
    const more = (tags: Record<string, Uint8Array>) => ({
      ...tags,
      AAAA: Buffer.alloc(8, 1),
      ZZZZ: Buffer.alloc(4),
    });
    expect(lied(s, { whole: more, response: more, certificate: more, delegation: more }).finding).toBe('OK');
  });

  test.each([1, 2, 3, 9])('to one of many requests, %i levels down, counts wherever it stands', (depth) => {
    const s = timed();
    const path = Array.from({ length: depth }, (_, i) => half(Buffer.of(i)));
    for (const index of [0, 1, 2 ** depth - 1, 2 ** (depth - 1)])
      expect(lied(s, { path, index }).finding, String(index)).toBe('OK');
  });

  test('shows what has expired by now, whatever the host says', () => {
    const s = timed();
    s.clock.set(START);
    expect(checked(s, s.powerOn(), START + LIFETIME.timestamp)).toMatchObject({ status: 'UP_TO_DATE' });
    expect(checked(s, s.powerOn(), START + LIFETIME.timestamp + 5)).toMatchObject({
      status: 'EXPIRED',
      role: 'TIMESTAMP',
    });
  });
});

/** What is wrong with an answer, and what the core calls it. */
const LIES: readonly (readonly [string, Lie, keyof typeof Status])[] = [
  ['another nonce', { nonce: Buffer.alloc(32, 7) }, 'TIME_REPLAYED'],
  ['another root of the tree', { root: half(Buffer.of(1)) }, 'TIME_REPLAYED'],
  ['an index behind the end of the path', { path: [half()], index: 2 }, 'TIME_REPLAYED'],
  ['an index without a path', { index: 1 }, 'TIME_REPLAYED'],
  ['a key that is not ours', { key: 1 }, 'TIME_SIGNATURE'],
  ['a delegation that another key signed', { certifies: 1 }, 'TIME_SIGNATURE'],
  ['a response that another key signed', { signs: 101 }, 'TIME_SIGNATURE'],
  ['a response that the long-term key signed', { signs: 0 }, 'TIME_SIGNATURE'],
  [
    'a delegation signed as a response',
    { delegationContext: 'RoughTime v1 response signature' },
    'TIME_SIGNATURE',
  ],
  [
    'a response signed as a delegation',
    { responseContext: 'RoughTime v1 delegation signature' },
    'TIME_SIGNATURE',
  ],
  ['a delegation that begins later', { from: NOW + 1 }, 'TIME_DELEGATION'],
  ['a delegation that is over', { until: NOW - 1 }, 'TIME_DELEGATION'],
  ['a time before what is known', { midpoint: START - DAY, from: 0 }, 'TIME_ROLLBACK'],
  ['the year 1970', { midpoint: 0, from: 0 }, 'TIME_ROLLBACK'],
  ['no radius', { radius: 0 }, 'TIME_ABSURD'],
  ['a radius of more than a day', { radius: DAY + 1 }, 'TIME_ABSURD'],
  ['the largest radius', { radius: 0xffff_ffff }, 'TIME_ABSURD'],
  [
    'a time far behind the end of the root',
    { midpoint: START + 366 * DAY + 10 * YEAR, until: 2n ** 63n },
    'TIME_ABSURD',
  ],
  ['the largest of 31 bits', { midpoint: 2 ** 31 - 1, until: 2n ** 63n }, 'OK'],
  ['the largest of 32 bits', { midpoint: 2 ** 32 - 1, until: 2n ** 63n }, 'TIME_ABSURD'],
  ['the largest of 64 bits', { midpoint: 2n ** 64n - 1n, until: 2n ** 64n - 1n }, 'TIME_ABSURD'],
  ['the largest of 63 bits', { midpoint: 2n ** 63n - 1n, until: 2n ** 64n - 1n }, 'TIME_ABSURD'],
  ['another version', { version: 2 }, 'TIME_INVALID'],
  ['the type of a request', { type: 0 }, 'TIME_INVALID'],
  [
    'a path that is no whole number of nodes',
    { whole: (tags) => ({ ...tags, PATH: Buffer.alloc(36) }) },
    'TIME_INVALID',
  ],
  ...['SIG', 'NONC', 'TYPE', 'PATH', 'SREP', 'CERT', 'INDX'].map(
    (tag) => [`no ${tag}`, { whole: ({ [tag]: _, ...tags }) => tags }, 'TIME_INVALID'] as const,
  ),
  ...['VER', 'RADI', 'MIDP', 'ROOT'].map(
    (tag) =>
      [`no ${tag} in what is signed`, { response: ({ [tag]: _, ...tags }) => tags }, 'TIME_INVALID'] as const,
  ),
  ...['SIG', 'DELE'].map(
    (tag) =>
      [
        `no ${tag} in the certificate`,
        { certificate: ({ [tag]: _, ...tags }) => tags },
        'TIME_INVALID',
      ] as const,
  ),
  ...['PUBK', 'MINT', 'MAXT'].map(
    (tag) =>
      [
        `no ${tag} in the delegation`,
        { delegation: ({ [tag]: _, ...tags }) => tags },
        'TIME_INVALID',
      ] as const,
  ),
  [
    'a time beside what is signed, and none in it',
    {
      whole: (tags) => ({ ...tags, MIDP: Buffer.alloc(8, 1) }),
      response: ({ MIDP: _, ...tags }) => tags,
    },
    'TIME_INVALID',
  ],
];

/** Two tags behind all others, which nobody knows: with them there are nine. */
const EXTRA = (tags: Tags): Tags => ({ ...tags, YYYY: Buffer.alloc(8), ZZZZ: Buffer.alloc(8) });
const TAG_Y = 0x5959_5959;
const TAG_Z = 0x5a5a_5a5a;
/** One before all others. */
const LOWER = (tags: Tags): Tags => ({ AAA: Buffer.alloc(4), ...tags });

function longer(tag: string): (tags: Tags) => Tags {
  return (tags) => ({ ...tags, [tag]: Buffer.concat([tags[tag] ?? Buffer.alloc(0), Buffer.alloc(4)]) });
}

describe('[TUF-7] [UPT-1] an answer is refused and said so, and nothing rises by it', () => {
  test.each(LIES)('%s', (_, lie, status) => {
    const s = timed();
    const { finding, time, result } = lied(s, lie);
    expect(finding).toBe(status);
    expect(time).toBeLessThanOrEqual(NOW);
    // Without needsTime all is judged by the latest known time; with a time that holds, by that.
    expect(result.status).toBe(status === 'OK' ? 'EXPIRED' : 'UP_TO_DATE');
    const needs = timed({ configuration: { needsTime: true } });
    const before = needs.trusted();
    needs.publish('timestamp');
    expect(lied(needs, lie).result.status).toBe(status === 'OK' ? 'EXPIRED' : status);
    expect(needs.trusted()).toEqual(before);
    expect(checked(needs, needs.powerOn()).status).toBe('UP_TO_DATE');
  });

  test('whatever was cut off at its end, or put behind it', () => {
    const s = timed();
    const { core, request } = asking(s);
    const good = answer(request, NOW, { path: [half()], index: 1 });
    for (let length = 1; length < good.length; length++)
      expect(nameOf(Status, core.timeAnswer(good.subarray(0, length))), String(length)).toBe('TIME_INVALID');
    for (const more of [1, 4, 100])
      expect(core.timeAnswer(Buffer.concat([good, Buffer.alloc(more)]))).toBe(Status.TIME_INVALID);
    expect(core.timeAnswer(Buffer.alloc(1024))).toBe(Status.TIME_INVALID);
    expect(core.timeAnswer(good)).toBe(Status.OK);
  });

  test('with any one bit turned over', () => {
    const s = timed();
    const { core, request } = asking(s);
    const good = answer(request, NOW, { path: [half()], index: 1 });
    const found = new Set<string>();
    for (let bit = 0; bit < 8 * good.length; bit++) {
      // Each byte in one place, so that a run ends: all of its bits in the head, where offsets and tags are.
      if (bit >= 8 * 68 && bit % 8 !== (bit >> 3) % 8) continue;
      const bad = Buffer.from(good);
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit % 8));
      const status = nameOf(Status, core.timeAnswer(bad));
      expect(['TIME_INVALID', 'TIME_REPLAYED', 'TIME_SIGNATURE'], `bit ${bit}`).toContain(status);
      found.add(status);
    }
    expect(found.size).toBe(3);
    expect(core.timeAnswer(good)).toBe(Status.OK);
  });

  test('with lengths, offsets and orders that lead outside of it', () => {
    const s = timed();
    const { core, request } = asking(s);
    const good = answer(request, NOW);
    for (const at of [8, 12, 16, 20, 24, 28, 32, 36])
      for (const value of [
        0, 1, 2, 3, 4, 32, 33, 127, 128, 1020, 0x1fff_ffff, 0x2000_0000, 0x7fff_fffc, 0xffff_fffc,
        0xffff_ffff,
      ]) {
        const bad = Buffer.from(good);
        if (bad.readUInt32LE(at) === value) continue;
        bad.writeUInt32LE(value, at);
        expect(core.timeAnswer(bad), `${value} at ${at}`).toBeLessThan(0);
      }
    expect(core.timeAnswer(good)).toBe(Status.OK);
  });

  test.each([
    ['another tag twice', { whole: EXTRA, wholeBytes: put(68, TAG_Y) }],
    ['other tags in the wrong order', { whole: EXTRA, wholeBytes: put(64, TAG_Z + 0x100) }],
    [
      'an offset that falls',
      { whole: EXTRA, wholeBytes: (all: Buffer) => put(32, all.readUInt32LE(28) - 4)(all) },
    ],
    [
      'an offset in the midst of a word',
      { whole: EXTRA, wholeBytes: (all: Buffer) => put(32, all.readUInt32LE(28) + 1)(all) },
    ],
    [
      'an offset out of memory before what is read first',
      { response: LOWER, responseBytes: put(4, 0x7fff_fff0) },
    ],
    ['as many tags as a number can say', { responseBytes: put(0, 0x2000_0000) }],
    ...['NONC', 'TYPE', 'INDX', 'SIG'].map(
      (tag) => [`${tag} of a word too many`, { whole: longer(tag) }] as const,
    ),
    ...['VER', 'RADI', 'MIDP', 'ROOT'].map(
      (tag) => [`${tag} of a word too many`, { response: longer(tag) }] as const,
    ),
    ...['PUBK', 'MINT', 'MAXT'].map(
      (tag) => [`${tag} of a word too many`, { delegation: longer(tag) }] as const,
    ),
    ['the signature of the certificate of a word too many', { certificate: longer('SIG') }],
  ] as const)('with %s, and right in all else', (_, lie) => {
    const s = timed();
    const { core, request } = asking(s);
    expect(nameOf(Status, core.timeAnswer(answer(request, NOW, lie)))).toBe('TIME_INVALID');
    expect(core.timeAnswer(answer(request, NOW, { whole: EXTRA, response: LOWER }))).toBe(Status.OK);
  });

  test('when it is one of before, to a request of this key at this time', () => {
    let counter = 0;
    const s = timed({ entropy: (bytes) => Boolean(bytes.fill(counter++ & 0xff)) });
    const { request } = asking(s);
    const old = answer(request, NOW);
    const core = s.powerOn();
    expect(check(s, core, () => old)).toMatchObject({ status: 'UP_TO_DATE' });
    expect(core.stateRead(State.TIME_STATUS) | 0).toBe(Status.TIME_REPLAYED);
    expect(core.stateRead(State.TIME_KNOWN)).toBe(0);
  });

  test('when nobody asked', () => {
    const s = timed();
    const { request } = asking(s);
    const core = s.powerOn();
    expect(core.timeAnswer(answer(request, NOW))).toBe(Status.WRONG_STATE);
    expect(drive(core, s).action).toBe('TIME');
    expect(core.timeAnswer(answer(core.timeRequest(), NOW))).toBe(Status.OK);
    expect(core.timeAnswer(answer(request, NOW))).toBe(Status.WRONG_STATE);
  });
});

describe('[TUF-7] [UPT-1] [CERT-C-6] a time server that says nothing', () => {
  test('is a finding, and metadata is judged by the latest known time', () => {
    const s = timed();
    // The host's clock says that all has expired; it does not count.
    s.clock.set(START + 400 * DAY);
    const core = s.powerOn();
    expect(check(s, core, () => undefined)).toMatchObject({ status: 'UP_TO_DATE' });
    expect(core.stateRead(State.TIME_STATUS) | 0).toBe(Status.TIME_MISSING);
    expect(core.stateRead(State.TIME_KNOWN)).toBe(0);
    expect(core.stateRead(State.LATEST_TIME)).toBe(NOW - 5);
  });

  test('does not bring back what had expired by the latest known time', () => {
    const s = timed();
    s.clock.set(START + 2 * DAY);
    s.publish('timestamp');
    expect(checked(s, s.powerOn(), START + 2 * DAY)).toMatchObject({ status: 'UP_TO_DATE' });
    s.clock.set(START);
    s.publish('timestamp');
    expect(check(s, s.powerOn(), () => undefined)).toMatchObject({ status: 'EXPIRED', role: 'TIMESTAMP' });
  });

  test('is what a check of a device ends with that needs the time, and the root is followed all the same', () => {
    const s = timed({ configuration: { needsTime: true } });
    s.rotate('timestamp');
    const { root, ...others } = s.trusted();
    expect(check(s, s.powerOn(), () => undefined)).toMatchObject({ status: 'TIME_MISSING' });
    expect(s.trusted()).toMatchObject({ ...others, root: root + 1, timestamp: 0, snapshot: 0 });
    expect(checked(s, s.powerOn())).toMatchObject({ status: 'UP_TO_DATE' });
  });

  test('is in the log once, and so is the first answer after it', () => {
    const s = timed({ log: { blocks: [4096, 4096], unit: 4, erased: 0xff } });
    const core = s.powerOn();
    for (const server of [() => undefined, () => undefined, honest(), honest()]) {
      check(s, core, server);
      s.clock.set(s.clock.seconds() + 2 * HOUR);
    }
    const told = readLog(core.logArea()).entries.filter(({ event }) => event === LogEvent.TIME);
    expect(told.map(({ status }) => nameOf(Status, status))).toEqual(['TIME_MISSING', 'OK']);
  });

  test('a wrong answer before a right one does no harm', () => {
    const s = timed({ configuration: { needsTime: true } });
    const { core, request } = asking(s);
    expect(core.timeAnswer(answer(request, NOW, { key: 1 }))).toBe(Status.TIME_SIGNATURE);
    expect(core.timeAnswer(Buffer.alloc(16))).toBe(Status.TIME_INVALID);
    expect(core.timeAnswer(answer(request, NOW))).toBe(Status.OK);
    expect(drive(core, s)).toMatchObject({ status: 'UP_TO_DATE' });
  });
});

/** Names time keys in what is signed of a root. */
function naming(timeKeys: unknown): Change {
  return (root) => {
    root.custom = plain({ timeKeys });
  };
}

/** A root that names other time keys. */
function named(s: Stage, timeKeys: unknown): void {
  s.root({ signed: naming(timeKeys) });
  s.publish('targets');
}

describe('[UPT-1] [CERT-I-6] another time key', () => {
  test('that the root names takes the place of the one before, and the clock begins at its floor again', () => {
    const s = timed();
    // The old server ran a little ahead, as far as the metadata allowed.
    expect(checked(s, s.powerOn(), START + DAY)).toMatchObject({ status: 'UP_TO_DATE' });
    expect(s.state(State.LATEST_TIME)).toBe(START + DAY - 5);
    const installed = s.state(State.SECURITY_COUNTER);
    named(s, keys(1));
    const core = s.powerOn();
    expect(check(s, core, (request) => answer(request, NOW, { key: 1 }))).toMatchObject({
      status: 'UP_TO_DATE',
    });
    expect(core.stateRead(State.TIME_STATUS)).toBe(0);
    expect(s.state(State.LATEST_TIME)).toBe(NOW - 5);
    expect(s.state(State.SECURITY_COUNTER)).toBe(installed);
    expect(s.trusted()).toEqual(s.versions);
    // And stays there: the old key says nothing any more, nor does the clock fall again.
    expect(lied(s, {}).finding).toBe('TIME_SIGNATURE');
    expect(lied(s, { key: 1, midpoint: START - DAY, from: 0 }).finding).toBe('TIME_ROLLBACK');
    expect(s.state(State.LATEST_TIME)).toBe(NOW - 5);
  });

  test('is learned by a device that needs the time when the old server is gone', () => {
    const s = timed({ configuration: { needsTime: true } });
    named(s, keys(1));
    expect(check(s, s.powerOn(), (request) => answer(request, NOW, { key: 1 }))).toMatchObject({
      status: 'UP_TO_DATE',
    });
  });

  test('the clock falls to what the firmware was built with, and no further', () => {
    const s = timed();
    named(s, keys(1));
    expect(check(s, s.powerOn(), () => undefined)).toMatchObject({ status: 'UP_TO_DATE' });
    expect(s.state(State.LATEST_TIME)).toBe(CONFIGURATION.buildTime);
    expect(lied(s, { key: 1, midpoint: CONFIGURATION.buildTime - 6, from: 0 }).finding).toBe('TIME_ROLLBACK');
  });

  test('a root that names the same keys, or no longer any, changes nothing for the provisioned ones', () => {
    const s = timed();
    named(s, keys(0));
    expect(checked(s, s.powerOn())).toMatchObject({ status: 'UP_TO_DATE' });
    expect(s.state(State.LATEST_TIME)).toBe(NOW - 5);
    s.root();
    expect(checked(s, s.powerOn(), NOW + HOUR)).toMatchObject({ status: 'UP_TO_DATE' });
    expect(s.state(State.LATEST_TIME)).toBe(NOW + HOUR - 5);
  });

  test('a root that nobody signed names none', () => {
    const s = timed();
    s.root({
      signed: naming(keys(1)),
      keys: [s.stranger],
    });
    expect(checked(s, s.powerOn())).toMatchObject({ status: 'SIGNATURES', role: 'ROOT' });
    expect(lied(s, { key: 1 }).finding).not.toBe('OK');
  });

  test('beside what is signed of a root is none', () => {
    const s = timed();
    s.root({
      file: (envelope) => JSON.stringify({ timeKeys: keys(1), custom: { timeKeys: keys(1) }, ...envelope }),
    });
    s.publish('targets');
    const core = s.powerOn();
    check(s, core, (request) => answer(request, NOW, { key: 1 }));
    expect(core.stateRead(State.TIME_STATUS)).not.toBe(0);
  });

  test.each([
    [['zz']],
    [[keys(0)[0]?.slice(2)]],
    [[`${keys(0)[0]}00`]],
    [[12]],
    ['text'],
    [keys(0, 1, 2, 3, 4)],
  ])(
    'that is none, %j, is refused: in a configuration, and in a root until there is a better one',
    (timeKeys) => {
      const configuration = { timeKeys: timeKeys as never };
      expect(() => new Stage({ configuration }).powerOn()).toThrow(statusMessage(Status.CONFIG_INVALID));
      const s = timed();
      named(s, timeKeys);
      expect(checked(s, s.powerOn())).toMatchObject({ status: 'METADATA_INVALID', role: 'ROOT' });
      named(s, keys(0));
      expect(checked(s, s.powerOn())).toMatchObject({ status: 'UP_TO_DATE' });
    },
  );
});

describe('[UPT-1] in a vehicle', () => {
  /** A check of a Primary with one time server; which repository it had last read when it asked for the time. */
  function checkVehicle(v: Vehicle, core: Core, key: number): string[] {
    const before: string[] = [];
    v.asked = [];
    while (v.drive(core) === Action.TIME) {
      if (before.length > 10) throw new Error('the core asks for the time without end');
      before.push(...v.asked);
      core.timeAnswer(answer(core.timeRequest(), NOW, { key }));
    }
    return before;
  }

  test("the Director's root names the key, and the time is asked for once, behind that root", () => {
    const v = new Vehicle({ configuration: { timeKeys: keys(0), needsTime: true } });
    v.director.root({ signed: naming(keys(1)) });
    v.order(1);
    v.image.root({ signed: naming(keys(2)) });
    v.image.publish('targets');
    const core = v.device.powerOn();
    expect(checkVehicle(v, core, 1)).toEqual(['director/2.root.json', 'director/3.root.json']);
    expect(core.stateRead(State.CHECK_STATUS)).toBe(Status.UP_TO_DATE);
    expect(core.stateRead(State.LATEST_TIME)).toBe(NOW - 5);
  });

  test('a Secondary that looks at the Director alone has the time from a server as well', () => {
    const v = new Vehicle({ configuration: { uptane: 'partial', timeKeys: keys(0), needsTime: true } });
    const core = v.device.powerOn();
    expect(checkVehicle(v, core, 0)).toEqual(['director/2.root.json']);
    expect(core.stateRead(State.CHECK_STATUS)).toBe(Status.UP_TO_DATE);
  });
});
