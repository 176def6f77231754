// Faults of the flash under the trust store: what a device has seen does not fall, and a root is never lost.
import { describe, expect, test } from 'vitest';
import { Area, Part, Status } from '../../host/node/abi.ts';
import type { DeviceContents } from '../../sim/device.ts';
import { boot, check, fallen, type Kept, kept, statusName, verdict } from '../fixtures/by-hand.ts';
import { HOUR, type Stage, stage } from '../tuf/kit.ts';

const BANKS: readonly number[] = [Area.STORE_A, Area.STORE_B];

/** One moment to come back to. */
class Moment {
  readonly #stage: Stage;
  readonly #contents: DeviceContents;
  readonly #time: number;

  constructor(s: Stage) {
    this.#stage = s;
    this.#contents = s.device.snapshot();
    this.#time = s.clock.seconds();
  }

  return(): Stage {
    this.#stage.device.flash.faults = {};
    this.#stage.device.restore(this.#contents);
    this.#stage.clock.set(this.#time);
    return this.#stage;
  }
}

/** A device that runs a release with a security counter of 7 and has moved its store since. */
async function used(bank = 16_384): Promise<Stage> {
  const s = await stage({ bank });
  s.release({ releaseCounter: 2, securityCounter: 7 });
  await s.accepts();
  for (let day = 0; day < 6; day++) {
    s.clock.set(s.clock.seconds() + 2 * HOUR);
    s.publish('targets');
    await s.settles();
  }
  return s;
}

/** A device that is to follow a new root, new metadata and a release. */
async function behind(): Promise<Moment> {
  const s = await stage();
  s.rotate('timestamp');
  s.release({ releaseCounter: 2, securityCounter: 5 });
  return new Moment(s);
}

/** A check, and another one hours later in the same boot; then what the core keeps in mind, and after a boot. */
async function twoChecks(s: Stage): Promise<{ first: string; inMind: Kept; onFlash: Kept }> {
  const { core } = boot(s);
  const outcome = await check(s, core);
  s.device.flash.faults = {};
  s.clock.set(s.clock.seconds() + 2 * HOUR);
  if (outcome.action === 'wait') await check(s, core);
  const inMind = kept(core);
  const after = boot(s);
  expect(after.status).toBe('OK');
  return { first: verdict(outcome), inMind, onFlash: kept(after.core) };
}

describe('one operation of the flash fails, or does something else, in a check', () => {
  test('after a write that failed, no later commit is lost at the next boot', async () => {
    const moment = await behind();
    let fired = true;
    for (let nth = 0; fired; nth++) {
      const s = moment.return();
      let writes = 0;
      s.device.flash.faults = {
        write: (area, _, data) => !(BANKS.includes(area) && writes++ === nth) && data,
      };
      const { inMind, onFlash } = await twoChecks(s);
      fired = writes > nth;
      expect(fallen(inMind, onFlash), `write ${nth}`).toEqual([]);
      if (!fired) expect(nth).toBeGreaterThan(12);
    }
  });

  test('after an erase that failed, no later commit is lost at the next boot', async () => {
    const s = await used(8192);
    let fired = 0;
    s.device.flash.faults = { erase: (area) => !(BANKS.includes(area) && ++fired < 3) };
    const { core } = boot(s);
    for (let day = 0; day < 12; day++) {
      s.publish('targets');
      await check(s, core);
      s.clock.set(s.clock.seconds() + 2 * HOUR);
      expect(fallen(kept(core), kept(boot(s).core))).toEqual([]);
    }
    expect(fired).toBeGreaterThan(2);
    expect(s.trusted()).toEqual(s.versions);
  });

  test('a byte that is not programmed is noticed, and nothing falls at the next boot', async () => {
    const moment = await behind();
    const verdicts = new Set<string>();
    let fired = true;
    for (let nth = 0; fired; nth++) {
      const s = moment.return();
      let writes = 0;
      s.device.flash.faults = {
        write: (area, _, data) => (BANKS.includes(area) && writes++ === nth ? unprogrammed(data) : data),
      };
      const { first, inMind, onFlash } = await twoChecks(s);
      fired = writes > nth;
      verdicts.add(first);
      expect(fallen(inMind, onFlash), `write ${nth}, ${first}`).toEqual([]);
    }
    expect(verdicts).toContain('FLASH_VERIFY');
  });

  test('a byte of the device state that is not programmed does not lower the security counter', async () => {
    const s = await used();
    const before = kept(s.powerOn());
    s.clock.set(s.clock.seconds() + 2 * HOUR);
    s.publish('targets');
    let hits = 0;
    s.device.flash.faults = {
      // It is the one record whose payload is written at once and is no whole number of buffers.
      write: (area, _, data) => {
        if (!BANKS.includes(area) || data.length !== 76) return data;
        hits++;
        return unprogrammed(data);
      },
    };
    expect(await s.check()).toEqual({ status: 'FLASH_VERIFY', role: 'TARGETS' });
    expect(hits).toBe(1);
    s.device.flash.faults = {};
    expect(fallen(before, kept(s.powerOn()))).toEqual([]);
    await s.accepts();
  });
});

/** The first byte that would change keeps the value of an erased one. */
function unprogrammed(data: Uint8Array): Uint8Array {
  const copy = data.slice();
  copy[copy.findIndex((byte) => byte !== 0xff)] = 0xff;
  return copy;
}

describe('bit rot', () => {
  test('in any part of what a check has written: the records before it count, and the device recovers', async () => {
    const s = await used();
    const before = kept(s.powerOn());
    s.clock.set(s.clock.seconds() + 2 * HOUR);
    s.publish('targets');
    const written: [area: number, offset: number][] = [];
    s.device.flash.faults = {
      write: (area, offset, data) => {
        if (BANKS.includes(area)) written.push([area, offset + (data.length >> 1)]);
        return data;
      },
    };
    await s.settles();
    expect(written.length).toBeGreaterThan(12);
    const moment = new Moment(s);
    for (const [area, offset] of written) {
      moment.return().device.flash.rot(area, offset, 0x10);
      const { core, status } = boot(s);
      expect(status).toBe('OK');
      expect(fallen(before, kept(core)), `byte ${offset}`).toEqual([]);
      await s.accepts();
    }
  });

  test.each([
    ['young', () => stage()],
    ['used', () => used()],
    ['small and used', () => used(8192)],
  ])('a %s device with one wrong bit never takes another root', async (_, make) => {
    const s = await make();
    const moment = new Moment(s);
    const seen = new Set<string>();
    for (const area of BANKS) {
      for (let offset = 0; offset < s.device.flash.size(area); offset += offset < 160 ? 1 : 67) {
        moment.return().device.flash.rot(area, offset, 0x04);
        const { core, status } = boot(s);
        seen.add(status);
        expect(core.provisionBegin(Part.CONFIG), `byte ${offset}`).toBeLessThan(0);
        if (status === 'OK') expect(kept(core).root).toBeGreaterThan(0);
      }
    }
    expect(seen).toContain('OK');
    expect(['OK', 'STORE_CORRUPT']).toEqual(expect.arrayContaining([...seen]));
  });
});

describe('reads that fail when the store is mounted', () => {
  test('any one of them: the start says so, and the next one finds everything', async () => {
    const s = await used();
    const before = kept(s.powerOn());
    const moment = new Moment(s);
    let fired = true;
    for (let nth = 0; fired; nth++) {
      moment.return();
      let reads = 0;
      s.device.flash.faults = { read: (area) => !(BANKS.includes(area) && reads++ === nth) };
      const { status } = boot(s);
      fired = reads > nth;
      expect(status, `read ${nth}`).toBe(fired ? 'FLASH_READ' : 'OK');
      s.device.flash.faults = {};
      const again = boot(s);
      expect([again.status, kept(again.core)]).toEqual(['OK', before]);
      if (!fired) expect(nth).toBeGreaterThan(10);
    }
  });

  test('the start of both banks: the device does not pass for a new one', async () => {
    const s = await used();
    const before = kept(s.powerOn());
    s.device.flash.faults = { read: (area, offset) => !(BANKS.includes(area) && offset === 0) };
    const { core, status } = boot(s);
    expect(status).toBe('FLASH_READ');
    expect(statusName(core.provisionBegin(Part.CONFIG))).toBe('FLASH_READ');
    s.device.flash.faults = {};
    expect(kept(boot(s).core)).toEqual(before);
  });
});

describe('[denial of service] metadata that fills the store', () => {
  test.each([8192, 16_384])(
    'leaves room for the next root, or is refused, in banks of %i bytes',
    async (bank) => {
      const verdicts = new Set<string>();
      for (let pad = bank - 6500; pad < bank - 2500; pad += 500) {
        const s = await stage({ bank });
        s.targets.other = {
          length: 5,
          hashes: { sha256: 'ab'.repeat(32) },
          custom: { note: 'x'.repeat(pad) },
        };
        s.publish('targets');
        const { status, role } = await s.check();
        verdicts.add(`${status} ${role}`);
        delete s.targets.other;
        s.rotate('targets');
        s.release({ releaseCounter: 2 });
        await s.accepts();
      }
      expect([...verdicts].sort()).toEqual(['STORE_FULL TARGETS', 'UP_TO_DATE NONE']);
    },
  );

  test('targets past half of a bank do not keep smaller ones out', async () => {
    for (let pad = 2500; pad < 6000; pad += 500) {
      const s = await stage({ bank: 8192 });
      s.targets.other = {
        length: 5,
        hashes: { sha256: 'ab'.repeat(32) },
        custom: { note: 'x'.repeat(pad) },
      };
      s.publish('targets');
      expect([Status.UP_TO_DATE, Status.STORE_FULL].map(statusName)).toContain((await s.check()).status);
      delete s.targets.other;
      s.release({ releaseCounter: 2 });
      await s.accepts();
    }
  });
});
