// TUF 1.0.34, 5.1: the time of a check, and devices that do not know it.
import { describe, expect, test } from 'vitest';
import { Action, State, Status } from '../../host/node/abi.ts';
import type { Core } from '../../host/node/core.ts';
import { DAY, LIFETIME, START, type Stage, stage } from './kit.ts';

/** A check by a host whose clock says this; the outcome. */
function checkAt(s: Stage, core: Core, now: number): keyof typeof Status {
  for (let steps = 0; steps < 1000; steps++) {
    const action = core.agentStep(now);
    if (action !== Action.FETCH && action !== Action.CONTINUE) break;
    if (action === Action.CONTINUE) continue;
    const file = s.files.get(`metadata/${core.fetchName()}`);
    if (!file) core.fetchEnd(Status.NOT_FOUND);
    else {
      core.fetchBegin(0);
      for (let from = 0; from < file.length; from += 1024) core.fetchWrite(file.subarray(from, from + 1024));
      core.fetchEnd(Status.OK);
    }
  }
  const status = core.stateRead(State.CHECK_STATUS) | 0;
  return Object.entries(Status).find(([, value]) => value === status)?.[0] as keyof typeof Status;
}

/** What clocks say that know no time. */
const NO_TIMES = [0, 0x7fff_ffff, 0xffff_ffff, 2 ** 32, 2 ** 53, 253_402_300_800, Number.MAX_VALUE];

describe('[TUF-7] a host without the time', () => {
  test.each(NO_TIMES)(
    'that says %d: expiry is judged by the latest time that is known, and it is said',
    async (now) => {
      const s = await stage();
      const core = s.powerOn();
      expect(checkAt(s, core, now)).toBe('UP_TO_DATE');
      expect(core.stateRead(State.TIME_KNOWN)).toBe(0);
      expect(core.stateRead(State.LATEST_TIME)).toBe(START);
      expect(checkAt(s, s.powerOn(), START)).toBe('UP_TO_DATE');
    },
  );

  test.each(NO_TIMES)(
    'that says %d: a device that needs the time does not check, and does as soon as it has it',
    async (now) => {
      const s = await stage({ configuration: { needsTime: true } });
      const core = s.powerOn();
      const asked = s.network.requests.length;
      expect(checkAt(s, core, now)).toBe('TIME_UNKNOWN');
      expect(s.network.requests).toHaveLength(asked);
      s.clock.set(START + 120);
      expect(checkAt(s, s.powerOn(), START + 120)).toBe('UP_TO_DATE');
    },
  );

  test('metadata that had expired at the latest known time stays expired', async () => {
    const s = await stage();
    s.clock.set(START + LIFETIME.timestamp - 1);
    await s.settles();
    s.clock.set(START + 2 * DAY);
    s.publish('timestamp');
    await s.settles();
    expect(s.state(State.LATEST_TIME)).toBe(START + 2 * DAY);
    s.clock.set(START);
    s.publish('timestamp');
    expect(checkAt(s, s.powerOn(), 0)).toBe('EXPIRED');
  });
});

test('a clock that was set back does not bring expired metadata back, and one that was set forward is not believed for ever', async () => {
  const s = await stage();
  expect(checkAt(s, s.powerOn(), START + 400 * DAY)).toBe('EXPIRED');
  expect(s.state(State.LATEST_TIME)).toBe(START);
  await s.settles();
});

test('the time is known again with the next check that has it', async () => {
  const s = await stage();
  const core = s.powerOn();
  expect(checkAt(s, core, 0)).toBe('UP_TO_DATE');
  expect(checkAt(s, core, START + 7200)).toBe('UP_TO_DATE');
  expect(core.stateRead(State.TIME_KNOWN)).toBe(1);
});
