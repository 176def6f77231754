// Provisioning out of its order, on a board where it cannot be done, and on flash that fails meanwhile.
import { describe, expect, test } from 'vitest';
import { Action, Area, Part, State, Status } from '../../host/node/abi.ts';
import type { Core } from '../../host/node/core.ts';
import { StatusError } from '../../host/node/errors.ts';
import type { FlashDriver } from '../../host/node/flash.ts';
import { provision } from '../../host/node/provision.ts';
import type { FlashFaults } from '../../sim/flash.ts';
import { boot, check, kept, statusName, verdict } from '../fixtures/by-hand.ts';
import { CONFIGURATION, Stage, stage } from '../tuf/kit.ts';
import { bytes } from '../tuf/values.ts';

const CONFIG = bytes(JSON.stringify(CONFIGURATION));

describe('a part whose begin is refused', () => {
  test('does not stand open: the bytes of a root never end in the configuration', () => {
    const s = new Stage();
    const { core, status } = boot(s);
    expect(status).toBe('NOT_PROVISIONED');
    expect(statusName(core.provisionBegin(Part.CONFIG))).toBe('OK');
    expect(statusName(core.provisionBegin(Part.ROOT))).toBe('WRONG_STATE');
    expect(statusName(core.provisionWrite(CONFIG))).toBe('WRONG_STATE');
    expect(statusName(core.provisionEnd())).toBe('WRONG_STATE');
    expect(statusName(core.provisionBegin(Part.CONFIG))).toBe('OK');
    expect(statusName(core.provisionWrite(CONFIG))).toBe('OK');
    expect(statusName(core.provisionEnd())).toBe('OK');
  });

  test.each([
    ['an erase', 'FLASH_ERASE', { erase: () => false }],
    ['a write', 'FLASH_WRITE', { write: () => false as const }],
    ['a read', 'FLASH_READ', { read: () => false }],
  ] as const)('does not stand open when %s fails, and can be begun again', (_, status, faults) => {
    const s = new Stage();
    const { core } = boot(s);
    s.device.flash.faults = faults;
    expect(statusName(core.provisionBegin(Part.CONFIG))).toBe(status);
    s.device.flash.faults = {};
    expect(statusName(core.provisionWrite(CONFIG))).toBe('WRONG_STATE');
    expect(statusName(core.provisionBegin(Part.CONFIG))).toBe('OK');
  });
});

describe('one operation of the flash fails while a device is provisioned: it can be provisioned again', () => {
  /** What goes wrong, at every how manyth operation, and how. */
  const FAULTS: readonly (readonly [string, number, (hits: () => boolean) => FlashFaults])[] = [
    ['a write fails', 1, (hits) => ({ write: (_, __, data) => !hits() && data })],
    [
      'a write leaves a byte unprogrammed',
      1,
      (hits) => ({
        write: (_, __, data) => (hits() ? data.map((byte, at) => (at === 4 ? 0xff : byte)) : data),
      }),
    ],
    ['an erase fails', 1, (hits) => ({ erase: () => !hits() })],
    ['a read fails', 11, (hits) => ({ read: () => !hits() })],
  ];

  test.each(FAULTS)('%s, each %i. one', async (_, step, fault) => {
    let fired = true;
    for (let nth = 0; fired; nth += step) {
      const s = new Stage();
      let operations = 0;
      const { core } = boot(s);
      s.device.flash.faults = fault(() => operations++ === nth);
      const failed = provisioned(core, s);
      fired = operations > nth;
      s.device.flash.faults = {};
      const next = boot(s);
      expect(['OK', 'NOT_PROVISIONED'], `operation ${nth}, ${failed}`).toContain(next.status);
      if (next.status !== 'OK') expect(provisioned(next.core, s)).toBe('OK');
      await s.accepts();
    }
  });

  function provisioned(core: Core, s: Stage): string {
    try {
      provision(core, CONFIGURATION, s.file('root'));
      return 'OK';
    } catch (error) {
      if (error instanceof StatusError) return statusName(error.status);
      throw error;
    }
  }
});

test('a device that runs is not disturbed by a begin of either part', async () => {
  const s = await stage();
  s.release({ releaseCounter: 2 });
  const { core } = boot(s);
  const before = kept(core);
  const refused = () => {
    for (const part of [Part.CONFIG, Part.ROOT])
      expect(statusName(core.provisionBegin(part))).toBe('ALREADY_PROVISIONED');
    expect(statusName(core.provisionEnd())).toBe('WRONG_STATE');
    expect(kept(core)).toEqual(before);
  };
  refused();
  expect(core.agentStep(s.clock.seconds())).toBe(Action.FETCH);
  expect(core.fetchEnd(Status.NOT_FOUND)).toBe(Status.OK);
  expect([core.agentStep(s.clock.seconds()), core.fetchName()]).toEqual([Action.FETCH, 'timestamp.json']);
  const timestamp = s.file('timestamp');
  expect(core.fetchBegin(0)).toBe(Status.OK);
  expect(core.fetchWrite(timestamp.subarray(0, 300))).toBe(Status.OK);
  refused();
  expect(core.fetchWrite(timestamp.subarray(300))).toBe(Status.OK);
  refused();
  expect(core.fetchEnd(Status.OK)).toBe(Status.OK);
  expect(kept(core).timestamp).toBe(s.versions.timestamp);
  expect(verdict(await check(s, core))).toBe('reboot');
  for (const part of [Part.CONFIG, Part.ROOT])
    expect(statusName(core.provisionBegin(part))).toBe('ALREADY_PROVISIONED');
  expect(core.stateRead(State.CANDIDATE_RELEASE)).toBe(2);
  await s.accepts();
});

describe('a board that the core cannot work with', () => {
  const SLOTS: readonly number[] = [Area.SLOT_A, Area.SLOT_B];

  test.each([0, 3, 64, 256])('slots in write units of %i bytes', async (unit) => {
    const s = await stage();
    const flash = board(s.device.flash, { unit: (area, real) => (SLOTS.includes(area) ? unit : real) });
    expect(boot(s, { flash }).status).toBe('LAYOUT_INVALID');
  });

  test.each([Area.SLOT_A, Area.SLOT_B])('slots of two sizes: area %i is smaller', async (small) => {
    const s = await stage();
    const flash = board(s.device.flash, { size: (area, real) => (area === small ? real - 4096 : real) });
    expect(boot(s, { flash }).status).toBe('LAYOUT_INVALID');
  });

  test('one without slots', async () => {
    const s = await stage();
    const flash = board(s.device.flash, { size: (area, real) => (SLOTS.includes(area) ? 0 : real) });
    expect(boot(s, { flash }).status).toBe('LAYOUT_INVALID');
  });

  interface Claims {
    readonly unit?: (area: number, real: number) => number;
    readonly size?: (area: number, real: number) => number;
  }

  /** Flash that says something else of itself. */
  function board(flash: FlashDriver, { unit, size }: Claims): FlashDriver {
    return {
      unit: (area) => unit?.(area, flash.unit(area)) ?? flash.unit(area),
      size: (area) => size?.(area, flash.size(area)) ?? flash.size(area),
      blockEnd: (area, offset) => flash.blockEnd(area, offset),
      erased: (area) => flash.erased(area),
      read: (area, offset, into) => flash.read(area, offset, into),
      write: (area, offset, data) => flash.write(area, offset, data),
      erase: (area, offset, length) => flash.erase(area, offset, length),
    };
  }
});
