// What the user and the application have a say in: automatic, notify, off; postponing with an end; "not now" before the
// device boots again; what a release tells the user; and when devices ask.
import { describe, expect, test } from 'vitest';
import { Action, Mode, State, Status } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import type { ClientEvent } from '../../host/node/client.ts';
import { Core } from '../../host/node/core.ts';
import { engineName } from '../../host/node/engine.ts';
import { NorFlash } from '../../host/node/flash.ts';
import { readNotice } from '../../host/node/notice.ts';
import { provision } from '../../host/node/provision.ts';
import { Random } from '../../sim/random.ts';
import { drive } from '../tuf/drive.ts';
import { CONFIGURATION, DAY, HOUR, START, type Stage, type StageOptions, stage } from '../tuf/kit.ts';

const WEEK = 7 * DAY;

/** A stage with a release that the device does not have yet, and nothing checked since. */
async function offered(options: StageOptions = {}): Promise<Stage> {
  const s = await stage(options);
  s.release({ releaseCounter: 2 });
  return s;
}

/** A core that has checked under a policy; the metadata is renewed before. */
function checked(s: Stage, mode: Mode = Mode.AUTOMATIC) {
  const core = s.powerOn();
  expect(core.policySet(mode)).toBe(Status.OK);
  return { core, result: drive(core, s) };
}

describe('how updates go', () => {
  test('[CERT-0-1, CRA-I-2c, UPT-4] with factory settings a release is installed, tested and confirmed, and nobody is asked', async () => {
    const events: ClientEvent[] = [];
    const s = await offered({ onEvent: (event) => events.push(event) });
    await s.accepts();
    s.runs(2);
    expect(events.map(({ type }) => type)).not.toContain('waiting');
    expect(s.state(State.POLICY)).toBe(Mode.AUTOMATIC);
  });

  test('[ETSI-3.6] a device whose user opted out installs nothing, keeps its metadata fresh and says so', async () => {
    const s = await offered();
    expect(checked(s, Mode.OFF).result).toMatchObject({ action: 'WAIT', status: 'OPTED_OUT' });
    expect(await s.check()).toEqual({ status: 'OPTED_OUT', role: 'NONE' });
    s.runs(1);
    expect(s.state(State.POLICY)).toBe(Mode.OFF);
    expect(s.trusted()).toEqual(s.versions);
    expect(s.powerOn().policySet(Mode.AUTOMATIC)).toBe(Status.OK);
    await s.accepts();
  });

  test('[ETSI-3.3, ETSI-3.6] one that only announces installs when it is told to, and not before', async () => {
    const events: ClientEvent[] = [];
    const s = await offered({ onEvent: (event) => events.push(event) });
    expect(checked(s, Mode.NOTIFY).result).toMatchObject({ action: 'WAIT', status: 'UPDATE_AVAILABLE' });
    expect(await s.check()).toEqual({ status: 'UPDATE_AVAILABLE', role: 'NONE' });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'waiting', notice: expect.objectContaining({ version: '1.2.0' }) }),
    );
    s.runs(1);
    const core = s.powerOn();
    expect(drive(core, s).status).toBe('UPDATE_AVAILABLE');
    expect(core.updateApprove()).toBe(Status.OK);
    expect(drive(core, s)).toMatchObject({ action: 'REBOOT', status: 'READY_TO_REBOOT' });
    await s.accepts();
    // Approved was this release, and no other.
    s.release({ releaseCounter: 3 });
    expect(await s.check()).toEqual({ status: 'UPDATE_AVAILABLE', role: 'NONE' });
  });

  test('an approval outlives a power cut', async () => {
    const s = await offered();
    const { core } = checked(s, Mode.NOTIFY);
    expect(core.updateApprove()).toBe(Status.OK);
    await s.accepts();
    s.runs(2);
  });

  test('there is nothing to approve of or to postpone where there is no release, or in the middle of a check', async () => {
    const s = await stage();
    const core = s.powerOn();
    expect([core.updateApprove(), core.updatePostpone(START + DAY)]).toEqual([
      Status.WRONG_STATE,
      Status.WRONG_STATE,
    ]);
    expect(core.agentStep(START)).toBe(Action.FETCH);
    expect([core.policySet(Mode.OFF), core.updateApprove(), core.updatePostpone(START + DAY)]).toEqual([
      Status.WRONG_STATE,
      Status.WRONG_STATE,
      Status.WRONG_STATE,
    ]);
    expect(core.policySet(3 as Mode)).toBe(Status.BAD_ARGUMENT);
  });
});

describe('postponing', () => {
  /** A device that announces, with a release postponed until some seconds from now. */
  async function postponed(seconds: number, options: StageOptions = {}) {
    const s = await offered(options);
    const { core } = checked(s, Mode.NOTIFY);
    expect(core.updatePostpone(START + seconds)).toBe(Status.OK);
    expect(core.policySet(Mode.AUTOMATIC)).toBe(Status.OK);
    return s;
  }

  /** A check some seconds after the start, with fresh metadata. */
  async function checkAt(s: Stage, seconds: number): Promise<string> {
    s.clock.set(START + seconds);
    s.publish('targets');
    return (await s.check()).status;
  }

  test('[ETSI-3.6] holds an install until then, across a restart, and not longer', async () => {
    const s = await postponed(DAY);
    expect(await checkAt(s, HOUR)).toBe('POSTPONED');
    expect(s.state(State.POSTPONED_UNTIL)).toBe(START + DAY);
    expect(await checkAt(s, DAY - 1)).toBe('POSTPONED');
    s.runs(1);
    expect(await checkAt(s, DAY)).toBe('UP_TO_DATE');
    s.runs(2);
  });

  test('[ETSI-3.6] ends after a week, however often it is done again', async () => {
    const s = await postponed(2 * WEEK);
    expect(s.state(State.POSTPONED_UNTIL)).toBe(START + WEEK);
    for (let day = 1; day < 7; day++) {
      expect(await checkAt(s, day * DAY)).toBe('POSTPONED');
      const core = s.powerOn();
      expect(drive(core, s).status).toBe('POSTPONED');
      expect(core.updatePostpone(START + 60 * DAY)).toBe(Status.OK);
      expect(core.stateRead(State.POSTPONED_UNTIL)).toBe(START + WEEK);
    }
    s.clock.set(START + WEEK);
    s.publish('targets');
    const core = s.powerOn();
    expect(core.policySet(Mode.NOTIFY)).toBe(Status.OK);
    expect(drive(core, s).status).toBe('UPDATE_AVAILABLE');
    expect(core.updatePostpone(START + 60 * DAY)).toBe(Status.POSTPONE_LIMIT);
    expect(core.policySet(Mode.AUTOMATIC)).toBe(Status.OK);
    await s.accepts();
  });

  test('has the end of the configuration, where that says one', async () => {
    const s = await postponed(WEEK, { configuration: { maxPostpone: 2 * HOUR } });
    expect(s.state(State.POSTPONED_UNTIL)).toBe(START + 2 * HOUR);
    expect(await checkAt(s, 2 * HOUR)).toBe('UP_TO_DATE');
  });

  test('is not made longer by a newer release', async () => {
    const s = await postponed(WEEK);
    expect(await checkAt(s, 5 * DAY)).toBe('POSTPONED');
    s.release({ releaseCounter: 3 });
    expect(await checkAt(s, WEEK)).toBe('UP_TO_DATE');
    s.runs(3);
  });

  test('ends when the clock is set back', async () => {
    const s = await postponed(WEEK);
    expect(await checkAt(s, 2 * DAY)).toBe('POSTPONED');
    s.clock.set(START + DAY);
    expect((await s.check()).status).toBe('UP_TO_DATE');
    s.runs(2);
  });

  test('begins anew with the next update', async () => {
    const s = await postponed(DAY);
    expect(await checkAt(s, 2 * DAY)).toBe('UP_TO_DATE');
    s.release({ releaseCounter: 3 });
    s.clock.set(START + 3 * WEEK);
    s.publish('targets');
    const { core } = checked(s, Mode.NOTIFY);
    expect(core.updatePostpone(START + 4 * WEEK)).toBe(Status.OK);
    expect(core.stateRead(State.POSTPONED_UNTIL)).toBe(START + 4 * WEEK);
  });

  test('can be taken back', async () => {
    const s = await postponed(DAY);
    const core = s.powerOn();
    expect(drive(core, s).status).toBe('POSTPONED');
    expect(core.updateApprove()).toBe(Status.OK);
    expect(drive(core, s).action).toBe('REBOOT');
  });

  test('is not for a device that does not know the time', async () => {
    const s = await offered();
    const { core } = checked(s, Mode.NOTIFY);
    core.agentStep(0);
    expect(core.updatePostpone(START + DAY)).not.toBe(Status.OK);
    expect(core.stateRead(State.POSTPONED_UNTIL)).toBe(0);
  });
});

describe('[ETSI-3.12] an application that is asked before the device boots again', () => {
  test('and says later is asked again then; what was downloaded is kept, but for one erase block', async () => {
    const busyUntil = START + 4 * HOUR;
    const asked: number[] = [];
    const image = new Random(1).bytes(6000);
    const s = await stage({
      mayReboot: () => {
        asked.push(s.clock.seconds());
        return s.clock.seconds() < busyUntil ? busyUntil : 0;
      },
    });
    s.release({ releaseCounter: 2, image });
    expect((await s.check()).status).toBe('POSTPONED');
    s.runs(1);
    s.clock.set(busyUntil);
    const before = s.network.requests.length;
    expect((await s.check()).status).toBe('UP_TO_DATE');
    const images = s.network.requests.slice(before).filter(({ path }) => path.startsWith('targets/'));
    expect(images.map(({ offset }) => offset)).toEqual([4096]);
    expect(Buffer.compare(s.device.running(image.length), image)).toBe(0);
    expect(asked).toHaveLength(2);
  });

  test('cannot say so longer than an update can be postponed: then the device boots again unasked', async () => {
    let asked = 0;
    const s = await offered({
      configuration: { maxPostpone: DAY },
      mayReboot: () => {
        asked++;
        return START + 365 * DAY;
      },
    });
    expect((await s.check()).status).toBe('POSTPONED');
    s.clock.set(START + DAY + HOUR);
    s.publish('targets');
    expect((await s.check()).status).toBe('UP_TO_DATE');
    s.runs(2);
    expect(asked).toBe(1);
  });

  test('is asked again after a power cut', async () => {
    const s = await offered();
    const core = s.powerOn();
    for (let action = -1; action !== Action.ASK; ) action = stepOnce(core, s);
    expect(core.agentStep(s.clock.seconds())).toBe(Action.ASK);
    const again = s.powerOn();
    for (let action = -1; action !== Action.ASK; ) action = stepOnce(again, s);
    s.runs(1);
    await s.accepts();
  });

  /** One step, its file answered. */
  function stepOnce(core: ReturnType<Stage['powerOn']>, s: Stage): number {
    const action = core.agentStep(s.clock.seconds());
    if (action !== Action.FETCH) return action;
    const name = `${core.fetchKind() === 0 ? 'metadata' : 'targets'}/${core.fetchName()}`;
    const file = s.files.get(name);
    if (!file) return core.fetchEnd(Status.NOT_FOUND);
    core.fetchBegin(0);
    for (let at = 0; at < file.length; at += 1024) core.fetchWrite(file.subarray(at, at + 1024));
    return core.fetchEnd(Status.OK);
  }

  test('[ETSI-3.12] how long the device was away is counted, from before the reboot until the image was judged', async () => {
    const s = await offered({
      mayReboot: () => 0,
      selfTest: () => {
        s.clock.set(s.clock.seconds() + 17);
        return true;
      },
    });
    await s.accepts();
    expect(s.state(State.DOWNTIME)).toBeGreaterThanOrEqual(17);
    expect(s.state(State.DOWNTIME)).toBeLessThan(30);
  });
});

describe('[ETSI-3.11, CRA-II-8] what a release tells the user', () => {
  const NOTICE = {
    urgency: 'critical',
    cves: ['CVE-2031-0001', 'CVE-2031-0002'],
    risk: { en: 'Anybody nearby can open the lock.', de: 'Wer in der Nähe ist, kann das Schloss öffnen.' },
    disruptive: true,
    expectedDowntime: 20,
    supportEnd: '2036-12-31',
  } as const;

  async function told(custom: object) {
    const s = await stage();
    s.release({
      releaseCounter: 2,
      target: (target) => Object.assign(target.custom as object, custom),
    });
    return { s, ...checked(s, Mode.NOTIFY) };
  }

  test('reaches the application as it was signed, before and after it is installed', async () => {
    const { s, core } = await told(NOTICE);
    expect(readNotice(core.release())).toEqual({ version: '1.2.0', ...NOTICE });
    expect(core.updateApprove()).toBe(Status.OK);
    expect(drive(core, s).action).toBe('REBOOT');
    await s.accepts();
    const later = s.powerOn();
    expect(later.release()).toHaveLength(0);
    expect(drive(later, s).status).toBe('UP_TO_DATE');
    expect(readNotice(later.release())).toEqual({ version: '1.2.0', ...NOTICE });
  });

  test('may be longer than the buffer', async () => {
    const risk = { en: 'x'.repeat(3000) };
    const { core } = await told({ risk });
    expect(readNotice(core.release())?.risk).toEqual(risk);
  });

  test('is refused with its file when somebody changed it on the way', async () => {
    const { s } = await told(NOTICE);
    s.release({ releaseCounter: 3, target: (target) => Object.assign(target.custom as object, NOTICE) });
    const path = s.path('targets');
    const text = Buffer.from(s.file('targets')).toString().replace('can open', 'may open');
    s.files.set(path, Buffer.from(text));
    expect((await s.check()).status).toBe('HASH_MISMATCH');
    const core = s.powerOn();
    drive(core, s);
    expect(core.release()).toHaveLength(0);
  });

  test('cannot be read in the middle of a check', async () => {
    const { s, core } = await told(NOTICE);
    s.clock.set(START + 2 * HOUR);
    expect(core.agentStep(s.clock.seconds())).toBe(Action.FETCH);
    expect(core.release()).toHaveLength(0);
  });

  test('is what the release says and no more: fields of another kind are left out', async () => {
    const { core } = await told({ urgency: 'panic', cves: [1, 'CVE-2031-0001'], risk: ['x'], disruptive: 1 });
    expect(readNotice(core.release())).toEqual({ version: '1.2.0', cves: ['CVE-2031-0001'], risk: {} });
  });
});

describe('[ETSI-3.5, CERT-C-6] when devices ask', () => {
  /** Another device of the fleet, whose random bytes are these, switched on for the first time. */
  function another(s: Stage, seed: number): Core {
    const flash = new NorFlash(s.device.flash.geometry);
    const entropy = (bytes: Uint8Array) => {
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, seed, true);
      return true;
    };
    const core = new Core({ flash, boot: new RecordedBoot(flash), entropy });
    core.coreStart();
    provision(core, { ...CONFIGURATION, checkInterval: DAY }, s.file('root'));
    return core;
  }

  test.skipIf(engineName === 'wasm3')(
    'a fleet that was switched on at once does not come back at once: uniform over a quarter of the interval',
    async () => {
      const s = await stage();
      const times = Array.from({ length: 1000 }, (_, seed) => {
        const core = another(s, seed);
        expect(drive(core, s).status).toBe('UP_TO_DATE');
        return core.agentUntil() - START;
      });
      expect(Math.max(...times)).toBeLessThanOrEqual(DAY);
      expect(Math.min(...times)).toBeGreaterThan((3 / 4) * DAY - 1);
      const bins = Array.from({ length: 20 }, () => 0);
      for (const time of times) {
        const bin = Math.min(19, Math.floor(((DAY - time) / (DAY / 4)) * 20));
        bins[bin] = (bins[bin] ?? 0) + 1;
      }
      // Chi-square with 19 degrees of freedom: above 43.8 in one case of 1,000.
      expect(bins.reduce((sum, count) => sum + (count - 50) ** 2 / 50, 0)).toBeLessThan(43.8);
    },
  );

  test('one device asks at the same times after each start', async () => {
    const s = await stage();
    const times = () => {
      const core = s.powerOn();
      expect(drive(core, s).status).toBe('UP_TO_DATE');
      return core.agentUntil();
    };
    expect(times()).toBe(times());
  });

  test('its pauses differ from one another', async () => {
    const s = await stage();
    const core = another(s, 7);
    const pauses = [1, 2, 3].map(() => {
      const now = s.clock.seconds();
      drive(core, s);
      s.clock.set(core.agentUntil());
      return core.agentUntil() - now;
    });
    expect(new Set(pauses).size).toBe(3);
  });

  test('a board without random bytes is told apart by its configuration', async () => {
    const until = async (serial: string) => {
      const configuration = { serial } as object;
      const s = await stage({ configuration, entropy: () => false });
      const core = s.powerOn();
      drive(core, s);
      return core.agentUntil();
    };
    expect(await until('1')).not.toBe(await until('2'));
    expect(await until('1')).toBe(await until('1'));
  });
});
