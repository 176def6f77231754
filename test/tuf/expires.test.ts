// When metadata expires, and what time it is: TUF 1.0.34, 5.1 and `expires` of 4.3.
import { describe, expect, test } from 'vitest';
import { Action, State } from '../../host/node/abi.ts';
import { Random } from '../../sim/random.ts';
import { drive } from './drive.ts';
import { DAY, HOUR, MINUTE, START, Stage, stage } from './kit.ts';
import { put } from './values.ts';

/** Seconds since 1970 of a date in plain form. */
function seconds(date: string): number {
  return Date.parse(date) / 1000;
}

/** A device and a repository that live at another time. */
async function at(now: number): Promise<Stage> {
  const s = new Stage({ before: (made) => made.clock.set(now), configuration: { buildTime: 0 } });
  await s.settles();
  return s;
}

/** A timestamp with this `expires` is good until just before `end`. */
async function endsAt(expires: string, end: number): Promise<void> {
  const s = await at(end - 1);
  s.forge('timestamp', { signed: put('expires', expires) });
  await s.accepts();
  s.clock.set(end);
  expect(await s.check(), expires).toEqual({ status: 'EXPIRED', role: 'TIMESTAMP' });
}

describe('dates', () => {
  test.each([
    ['2030-06-01T00:00:00Z', '2030-06-01T00:00:00Z'],
    ['2030-06-01T23:59:59Z', '2030-06-01T23:59:59Z'],
    ['2030-06-01t00:00:00z', '2030-06-01T00:00:00Z'],
    ['2030-06-01T00:00:00.5Z', '2030-06-01T00:00:00Z'],
    ['2030-06-01T00:00:00.000000001Z', '2030-06-01T00:00:00Z'],
    ['2030-06-01T00:00:00.999999999999999999Z', '2030-06-01T00:00:00Z'],
    ['2030-06-01T00:00:00+00:00', '2030-06-01T00:00:00Z'],
    ['2030-06-01T00:00:00-00:00', '2030-06-01T00:00:00Z'],
    ['2030-06-01T00:00:00+05:30', '2030-05-31T18:30:00Z'],
    ['2030-06-01T00:00:00-06:00', '2030-06-01T06:00:00Z'],
    ['2021-12-18T13:28:12.99008-06:00', '2021-12-18T19:28:12Z'],
    ['2030-01-01T00:00:00+23:59', '2029-12-31T00:01:00Z'],
    ['2030-12-31T23:59:59-23:59', '2031-01-01T23:58:59Z'],
    ['2030-12-31T23:59:60Z', '2031-01-01T00:00:00Z'],
    ['2030-02-28T00:00:00Z', '2030-02-28T00:00:00Z'],
    ['2032-02-29T00:00:00Z', '2032-02-29T00:00:00Z'],
    ['2032-03-01T00:00:00Z', '2032-03-01T00:00:00Z'],
    ['2000-02-29T12:00:00Z', '2000-02-29T12:00:00Z'],
    ['2100-02-28T00:00:00Z', '2100-02-28T00:00:00Z'],
    ['2100-03-01T00:00:00Z', '2100-03-01T00:00:00Z'],
    ['1971-01-01T00:00:00Z', '1971-01-01T00:00:00Z'],
    ['2038-01-19T03:14:08Z', '2038-01-19T03:14:08Z'],
    ['2106-02-07T06:28:14Z', '2106-02-07T06:28:14Z'],
  ])('%s is %s', (expires, end) => endsAt(expires, seconds(end)));

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
    'the last day of month %i, and no day after it',
    async (month) => {
      for (const year of [2031, 2032]) {
        const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
        const date = (day: number) => `${year}-${String(month).padStart(2, '0')}-${day}T00:00:00Z`;
        await endsAt(date(last), seconds(date(last)));
        const s = await stage();
        s.forge('timestamp', { signed: put('expires', date(last + 1)) });
        await s.refuses('EXPIRES_INVALID', 'TIMESTAMP');
      }
    },
  );

  test('any second of the years that a device may see', async () => {
    const random = new Random(42);
    for (let run = 0; run < 60; run++) {
      const end = 100_000 + random.below(4_290_000_000);
      const offset = random.below(24 * 60) * (random.chance(0.5) ? 60 : -60);
      const local = new Date((end + offset) * 1000).toISOString().slice(0, 19);
      const zone = `${offset < 0 ? '-' : '+'}${new Date(Math.abs(offset) * 1000).toISOString().slice(11, 16)}`;
      await endsAt(`${local}${random.chance(0.5) ? '.25' : ''}${zone}`, end);
    }
  });

  test.each([
    '2106-02-07T06:28:15Z',
    '2106-02-07T06:28:16Z',
    '2200-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '9999-12-31T23:59:59-23:59',
  ])('%s is far ahead', async (expires) => {
    const s = await stage();
    s.forge('timestamp', { signed: put('expires', expires) });
    await s.accepts();
    s.clock.set(START + 300 * DAY);
    s.publish('targets');
    s.forge('timestamp', { signed: put('expires', expires) });
    await s.accepts();
  });

  test.each([
    '0001-01-01T00:00:00+23:59',
    '1900-02-28T00:00:00Z',
    '1969-12-31T23:59:59Z',
    '1970-01-01T00:00:00Z',
    '1970-01-01T00:00:00+10:00',
  ])('%s is long past', async (expires) => {
    const s = await stage();
    s.forge('timestamp', { signed: put('expires', expires) });
    await s.refuses('EXPIRED', 'TIMESTAMP');
  });

  test.each([
    '',
    'never',
    '2031-06-01',
    '2031-06-01T00:00Z',
    '2031-06-01 00:00:00Z',
    '2031-06-01T00:00:00',
    '2031-06-01T00:00:00.5',
    '2031-06-01T00:00:00.Z',
    '2031-06-01T00:00:00,5Z',
    '2031-06-01T00:00:00.5.5Z',
    '2031-06-01T00:00:00.5xZ',
    '2031-06-01T00:00:00ZZ',
    '2031-06-01T00:00:00Z ',
    ' 2031-06-01T00:00:00Z',
    '2031-06-01T00:00:00z+00:00',
    '2031-06-01T24:00:00Z',
    '2031-06-01T00:60:00Z',
    '2031-06-01T00:00:61Z',
    '2031-00-01T00:00:00Z',
    '2031-13-01T00:00:00Z',
    '2031-06-00T00:00:00Z',
    '2031-02-29T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '10000-01-01T00:00:00Z',
    '+2031-06-01T00:00:00Z',
    '-2031-06-01T00:00:00Z',
    '2031/06/01T00:00:00Z',
    '2031-06/01T00:00:00Z',
    '2031-06-01T00-00:00Z',
    '2031-06-01T00:00-00Z',
    '2031-06-01T00:00:00+0530',
    '2031-06-01T00:00:00+05',
    '2031-06-01T00:00:00+24:00',
    '2031-06-01T00:00:00+05:60',
    '2031-06-01T00:00:00+05:3x',
    '2031-06-01T00:00:00*05:30',
    '2031-06-01T00:00:00+5:300',
    '2031-06-01T00:00:00Europe/Vienna',
    '2031-W22-7T00:00:00Z',
    '203l-06-01T00:00:00Z',
    '２０３１-06-01T00:00:00Z',
    '2031-06-01T00:00:00\u0000',
    `2031-06-01T00:00:00.${'0'.repeat(300)}Z`,
  ])('%j is no date', async (expires) => {
    const s = await stage();
    s.forge('timestamp', { signed: put('expires', expires) });
    await s.refuses('EXPIRES_INVALID', 'TIMESTAMP');
  });

  test.each([[START + DAY], [null], [['2031-06-01T00:00:00Z']]])('%j is not even a text', async (expires) => {
    const s = await stage();
    s.forge('timestamp', { signed: put('expires', expires) });
    await s.refuses('METADATA_INVALID', 'TIMESTAMP');
  });
});

describe('5.1 [TUF-7] the time of a check', () => {
  /** A device that has seen ten days pass, and an old timestamp that it never saw. */
  async function aged(): Promise<Stage> {
    const s = await stage();
    s.clock.set(START + 10 * DAY);
    s.publish('targets');
    await s.accepts();
    return s;
  }

  test('a clock that is set back does not bring expired metadata back: the floor wins', async () => {
    const s = await aged();
    s.clock.set(START);
    s.forge('timestamp', { signed: put('expires', '2030-01-06T00:00:00Z') });
    expect(await s.check()).toEqual({ status: 'EXPIRED', role: 'TIMESTAMP' });
    expect(s.state(State.LATEST_TIME)).toBe(START + 10 * DAY);
    s.clock.set(START + 10 * DAY);
    s.heal();
    await s.accepts();
  });

  test.each([0, 1, 1000])(
    'a clock that starts at %i is no reason to refuse what is fresh, nor to take what is stale',
    async (now) => {
      const s = await aged();
      s.publish('targets');
      s.clock.set(now);
      await s.accepts();
      s.clock.set(START + 10 * DAY);
      s.forge('timestamp', { signed: put('expires', '2030-01-11T00:00:00Z') });
      s.clock.set(now);
      expect(await s.check()).toEqual({ status: 'EXPIRED', role: 'TIMESTAMP' });
    },
  );

  test('before its first check a device knows that it is not earlier than its firmware', async () => {
    const s = new Stage({ configuration: { buildTime: START + DAY } });
    s.clock.set(1000);
    expect(await s.check()).toEqual({ status: 'EXPIRED', role: 'TIMESTAMP' });
    s.clock.set(START);
    s.publish('timestamp');
    s.forge('timestamp', { signed: put('expires', '2030-01-02T00:00:01Z') });
    s.clock.set(1000);
    await s.settles();
    expect(s.state(State.LATEST_TIME)).toBe(START + DAY);
  });

  test.each([START + 400 * DAY, 0xffff_fffe])(
    'a clock that ran ahead to %i raises no floor, as nothing verifies then',
    async (now) => {
      const s = await stage();
      const before = s.state(State.LATEST_TIME);
      s.clock.set(now);
      expect(await s.check()).toEqual({ status: 'EXPIRED', role: 'ROOT' });
      expect(s.state(State.LATEST_TIME)).toBe(before);
      s.clock.set(START + HOUR);
      s.publish('targets');
      await s.accepts();
    },
  );

  test('a refused check raises no floor', async () => {
    const s = await stage();
    s.clock.set(START + 12 * HOUR);
    s.forge('timestamp', { keys: [s.stranger] });
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
    expect(s.state(State.LATEST_TIME)).toBe(START);
  });

  test('the floor is written down once an hour at most, to spare the flash', async () => {
    const s = await stage();
    s.device.power.log = [];
    for (const minutes of [1, 30, 59]) {
      s.clock.set(START + minutes * MINUTE);
      await s.settles();
    }
    expect(s.device.power.log).toEqual([]);
    s.clock.set(START + 60 * MINUTE);
    await s.settles();
    expect(s.device.power.log.length).toBeGreaterThan(0);
    expect(s.state(State.LATEST_TIME)).toBe(START + HOUR);
  });
});

describe('when the next check is due', () => {
  test('after the interval, and not before', async () => {
    const s = await stage();
    const core = s.powerOn();
    expect(drive(core, s)).toMatchObject({ status: 'UP_TO_DATE' });
    const until = core.agentUntil();
    expect(until - START).toBeGreaterThan((3 / 4) * HOUR);
    expect(until - START).toBeLessThanOrEqual(HOUR);
    expect(core.agentStep(until - 1)).toBe(Action.WAIT);
    expect(core.agentStep(until)).toBe(Action.FETCH);
  });

  test('after a fault: a minute, then longer and longer, never longer than the interval', async () => {
    const s = await stage();
    s.forge('timestamp', { keys: [s.stranger] });
    const core = s.powerOn();
    for (const pause of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const now = s.clock.seconds();
      expect(drive(core, s)).toMatchObject({ status: 'SIGNATURES' });
      expect(core.agentUntil() - now).toBeGreaterThan((3 / 4) * pause * MINUTE - 1);
      expect(core.agentUntil() - now).toBeLessThanOrEqual(pause * MINUTE);
      s.clock.set(now + pause * MINUTE);
    }
  });

  test('a clock that ran ahead and is set right does not silence a device that stays on', async () => {
    const s = await stage();
    const core = s.powerOn();
    s.clock.set(START + 20 * 365 * DAY);
    expect(drive(core, s)).toMatchObject({ status: 'EXPIRED' });
    s.clock.set(START + MINUTE);
    s.release({ releaseCounter: 2 });
    expect(drive(core, s)).toMatchObject({ status: 'READY_TO_REBOOT' });
  });

  test('a clock that started at 1970 does not silence a device that stays on', async () => {
    const s = await stage();
    const core = s.powerOn();
    s.clock.set(1000);
    expect(drive(core, s)).toMatchObject({ status: 'UP_TO_DATE' });
    s.clock.set(START);
    s.release({ releaseCounter: 2 });
    s.clock.set(1000 + HOUR);
    expect(drive(core, s)).toMatchObject({ status: 'READY_TO_REBOOT' });
  });

  test('at the end of time there is no overflow', async () => {
    const s = new Stage({ before: (made) => made.clock.set(0xffff_ff00) });
    const core = s.powerOn();
    s.forge('timestamp', { keys: [s.stranger] });
    drive(core, s);
    expect(core.agentUntil()).toBeGreaterThanOrEqual(0xffff_ff00);
  });
});
