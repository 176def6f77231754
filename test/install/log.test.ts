// The log (assembly/storage/log.ts): what is in it, what the power and the flash may do to it, and how its reader tells.
import { describe, expect, test } from 'vitest';
import { Area, LogEvent, Mode, Status } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import { Core } from '../../host/node/core.ts';
import type { AreaGeometry, FlashDriver } from '../../host/node/flash.ts';
import { type DeviceLog, readLog } from '../../host/node/log.ts';
import { cutsOf, PowerCut } from '../../sim/power.ts';
import { Random } from '../../sim/random.ts';
import { drive } from '../tuf/drive.ts';
import { DAY, HOUR, nameOf, START, type Stage, type StageOptions, stage } from '../tuf/kit.ts';

const ROOMY: AreaGeometry = { blocks: [4096, 4096], unit: 4, erased: 0xff };
/** Seven entries a block. */
const TIGHT: AreaGeometry = { blocks: [256, 256, 256], unit: 4, erased: 0xff };

function logOf(s: Stage): DeviceLog {
  return readLog(s.powerOn().logArea());
}

/** What happened, in words. */
function told({ entries, findings }: DeviceLog): string[] {
  expect(findings).toEqual([]);
  return entries.map(({ event, status, detail }) =>
    event === LogEvent.OUTCOME
      ? `${nameOf(Status, status)} ${detail}`
      : `${nameOf(LogEvent, event)} ${detail}${status < 0 ? ` ${nameOf(Status, status)}` : ''}`,
  );
}

/** A core that has checked and can be made to write entries: each policy that is set is one. */
function writer(s: Stage) {
  const core = s.powerOn();
  let count = 0;
  return () => core.policySet(count++ % 2 === 0 ? Mode.NOTIFY : Mode.AUTOMATIC);
}

describe('[CERT-C-2] what the log tells', () => {
  test('of an update: each step of it, in order, with its release', async () => {
    const s = await stage({ log: ROOMY });
    s.release({ releaseCounter: 2 });
    await s.accepts();
    expect(told(logOf(s))).toEqual([
      'PROVISIONED 1',
      'UP_TO_DATE 1',
      'INSTALL 2',
      'VERIFIED 2',
      'SELECTED 2',
      'TRIAL 2',
      'CONFIRMED 2',
    ]);
  });

  test('of an image that fails its self-test: that it is given up, and why', async () => {
    const s = await stage({ log: ROOMY, selfTest: () => false });
    s.release({ releaseCounter: 2 });
    await s.check();
    expect(told(logOf(s)).slice(-3)).toEqual([
      'TRIAL 2',
      'REVERTED 2 SELF_TEST_FAILED',
      'RELEASE_FAILED_BEFORE 1',
    ]);
  });

  test('of an attack: its finding and the role, when it was', async () => {
    const s = await stage({ log: ROOMY });
    s.clock.set(START + 2 * HOUR);
    s.forge('timestamp', { keys: [s.stranger] });
    await s.check();
    const last = logOf(s).entries.at(-1);
    expect(last).toMatchObject({ event: LogEvent.OUTCOME, status: Status.SIGNATURES, role: 1 });
    expect(last?.time).toBeCloseTo(START + 2 * HOUR, -2);
  });

  test('of what the user wants', async () => {
    const s = await stage({ log: ROOMY });
    s.release({ releaseCounter: 2 });
    const core = s.powerOn();
    core.policySet(Mode.NOTIFY);
    drive(core, s);
    core.updatePostpone(START + DAY);
    core.updateApprove();
    expect(told(logOf(s)).slice(-4)).toEqual([
      `POLICY ${Mode.NOTIFY}`,
      'UPDATE_AVAILABLE 1',
      `POSTPONED ${START + DAY}`,
      'APPROVED 2',
    ]);
  });

  test('of a trust store that is damaged, though the device can do nothing else any more', async () => {
    const s = await stage({ log: ROOMY });
    const core = new Core({
      flash: torn(s, [Area.STORE_A, Area.STORE_B]),
      boot: new RecordedBoot(s.device.flash),
    });
    expect(core.coreStart()).toBe(Status.STORE_CORRUPT);
    expect(told(logOf(s)).at(-1)).toBe('STORE_CORRUPT 1');
  });

  test('is nothing where the board has no area for it', async () => {
    const s = await stage();
    expect(s.powerOn().logArea()).toHaveLength(0);
  });

  test.each([
    ['one erase block', [8192]],
    ['blocks that entries do not fill', [4096, 4080]],
  ])('is nothing where the area is no ring: %s', async (_, blocks) => {
    const s = await stage({ log: { ...ROOMY, blocks } });
    expect(s.powerOn().logArea()).toHaveLength(0);
    await s.accepts();
  });
});

/** The flash of a stage, of which some areas read as zeros. */
function torn(s: Stage, areas: readonly number[]): FlashDriver {
  const { flash } = s.device;
  return {
    size: (area) => flash.size(area),
    blockEnd: (area, offset) => flash.blockEnd(area, offset),
    unit: (area) => flash.unit(area),
    erased: (area) => flash.erased(area),
    write: (area, offset, data) => flash.write(area, offset, data),
    erase: (area, offset, length) => flash.erase(area, offset, length),
    read(area, offset, into) {
      if (!areas.includes(area)) return flash.read(area, offset, into);
      flash.read(area, offset, into);
      if (offset === 0) into.fill(0);
      return true;
    },
  };
}

describe('a log that is full', () => {
  const layouts: readonly AreaGeometry[] = [
    TIGHT,
    { blocks: [128, 128], unit: 1, erased: 0 },
    { blocks: [256, 128, 512], unit: 8, erased: 0xff },
    { blocks: [1024, 1024], unit: 32, erased: 0 },
  ];

  test.each(layouts.map((log) => [JSON.stringify(log), log] as const))(
    'forgets its oldest block, and what is left follows from an anchor: %s',
    async (_, log) => {
      const s = await stage({ log, unit: log.unit, erased: log.erased });
      const write = writer(s);
      const size = log.blocks.reduce((a, b) => a + b);
      const least = (size - Math.max(...log.blocks)) / 32 - log.blocks.length;
      for (let count = 3; count < 150; count++) {
        expect(write()).toBe(Status.OK);
        const { entries, findings } = logOf(s);
        expect(findings).toEqual([]);
        expect(entries.at(-1)?.sequence).toBe(count);
        expect(entries.length).toBeGreaterThanOrEqual(Math.min(count, least));
      }
    },
  );

  test('keeps its numbers and its chain across restarts', async () => {
    const s = await stage({ log: TIGHT });
    for (let count = 0; count < 60; count++) writer(s)();
    const { entries, findings } = logOf(s);
    expect(findings).toEqual([]);
    expect(entries.at(-1)?.sequence).toBe(62);
  });
});

describe('[CERT-C-2] the same finding over and over', () => {
  /** Entries that so many refused checks cost. */
  async function entriesOf(checks: number): Promise<number> {
    const s = await stage({ log: ROOMY });
    s.forge('timestamp', { keys: [s.stranger] });
    const core = s.powerOn();
    for (let check = 0; check < checks; check++) {
      expect(drive(core, s).status).toBe('SIGNATURES');
      s.clock.set(core.agentUntil());
    }
    return told(logOf(s)).filter((line) => line.startsWith('SIGNATURES')).length;
  }

  test('is counted: an attacker who is refused 100 times gets seven entries', async () => {
    expect(await entriesOf(100)).toBe(7);
  });

  test('goes on being counted after a restart', async () => {
    const s = await stage({ log: ROOMY });
    s.forge('timestamp', { keys: [s.stranger] });
    for (let check = 0; check < 9; check++) await s.check();
    expect(told(logOf(s)).filter((line) => line.startsWith('SIGNATURES'))).toEqual([
      'SIGNATURES 1',
      'SIGNATURES 2',
    ]);
  });

  test('an idle device writes nothing', async () => {
    const s = await stage({ log: ROOMY });
    const before = logOf(s).entries.length;
    for (let check = 0; check < 5; check++) await s.settles();
    expect(logOf(s).entries).toHaveLength(before);
  });
});

describe('what the power may do', () => {
  test('a cut at any unit of any write loses no entry that was whole, and the chain goes on', async () => {
    const s = await stage({ log: TIGHT });
    let tried = 0;
    for (let count = 0; count < 15; count++) tried += cutEverywhere(s);
    expect(tried).toBeGreaterThan(250);
  });

  /** Makes one entry, with each cut that there is, and then without one. How many cuts there were. */
  function cutEverywhere(s: Stage): number {
    const { device } = s;
    const start = device.snapshot();
    const before = logOf(s).entries;
    const core = s.powerOn();
    const operations: Parameters<typeof cutsOf>[0][] = [];
    device.power.log = operations as never;
    core.policySet(before.length % 2 === 0 ? Mode.NOTIFY : Mode.AUTOMATIC);
    device.power.log = undefined;
    const after = device.snapshot();
    let tried = 0;
    for (const [index, operation] of operations.entries()) {
      for (const cut of cutsOf(operation, index, 8)) {
        device.restore(start);
        const again = s.powerOn();
        device.power.operations = 0;
        device.power.plan(cut);
        expect(() => again.policySet(before.length % 2 === 0 ? Mode.NOTIFY : Mode.AUTOMATIC)).toThrow(
          PowerCut,
        );
        device.power.on();
        survives(s, before);
        tried++;
      }
    }
    device.restore(after);
    return tried;
  }

  /** All entries are there but for those of a block that gives way, and new ones follow them. */
  function survives(s: Stage, before: DeviceLog['entries']): void {
    const { entries, findings } = logOf(s);
    expect(findings).toEqual([]);
    expect(entries.at(-1)?.sequence).toBeGreaterThanOrEqual(before.at(-1)?.sequence ?? 0);
    const kept = before.filter(({ tag }) => entries.some((entry) => entry.tag === tag));
    expect(kept.at(-1)).toEqual(before.at(-1));
    expect(before.length - kept.length).toBeLessThanOrEqual(7);
    expect(kept).toEqual(before.slice(before.length - kept.length));
    const write = writer(s);
    write();
    write();
    const { entries: later, findings: none } = logOf(s);
    expect(none).toEqual([]);
    expect(later.at(-1)?.sequence).toBeGreaterThanOrEqual((before.at(-1)?.sequence ?? 0) + 1);
  }
});

describe('what is damaged', () => {
  async function filled(options: StageOptions = { log: ROOMY }): Promise<Uint8Array> {
    const s = await stage(options);
    const write = writer(s);
    for (let count = 0; count < 40; count++) write();
    return s.powerOn().logArea();
  }

  /** Where an entry lies. */
  function place(area: Uint8Array, sequence: number): number {
    for (let at = 0; at < area.length; at += 32)
      if (area[at] === sequence && area[at + 8] !== LogEvent.ANCHOR) return at;
    throw new Error(`no entry ${sequence}`);
  }

  test('any bit of an entry that others follow: it is named', async () => {
    const area = await filled();
    const at = place(area, 20);
    for (let bit = 0; bit < 256; bit++) {
      const damaged = area.slice();
      damaged[at + (bit >> 3)] = (damaged[at + (bit >> 3)] ?? 0) ^ (1 << (bit & 7));
      expect(readLog(damaged).findings).toEqual([{ finding: 'missing', first: 20, last: 20 }]);
    }
  });

  test('somebody who changes an entry and its checksum is found by the chain', async () => {
    const area = await filled();
    const at = place(area, 20);
    const forged = Buffer.from(area);
    forged.writeUInt32LE(77, at + 12);
    forged.writeUInt32LE(crc(forged.subarray(at, at + 28)), at + 28);
    expect(readLog(forged).findings).toEqual([{ finding: 'changed', first: 20, last: 20 }]);
  });

  test('property: bits that rot at random, on a device that goes on, never make up an entry and never stop it', async () => {
    for (let seed = 1; seed <= 15; seed++) {
      const random = new Random(seed);
      const s = await stage({ log: TIGHT });
      const written = new Set<string>();
      for (let round = 0; round < 12; round++) {
        const write = writer(s);
        for (let count = random.below(9); count >= 0; count--) {
          expect(write()).toBe(Status.OK);
          for (const { tag } of readLog(s.powerOn().logArea()).entries) written.add(tag);
        }
        rot(s, random);
        for (const entry of readLog(s.powerOn().logArea()).entries) expect(written).toContain(entry.tag);
      }
    }
  });

  /** Some bits of the log area change. */
  function rot(s: Stage, random: Random): void {
    const { device } = s;
    const contents = device.snapshot();
    const flash = contents.flash.map((blocks, area) =>
      area !== Area.LOG
        ? blocks
        : blocks.map((block) => {
            const copy = block?.slice();
            const at = random.below(256);
            if (copy && random.chance(0.7)) copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
            return copy;
          }),
    );
    device.restore({ ...contents, flash });
  }

  test('flash that fails for the log stops no update', async () => {
    const s = await stage({ log: TIGHT });
    const { flash } = s.device;
    const { write, erase } = flash;
    flash.write = (area, offset, data) => area !== Area.LOG && write.call(flash, area, offset, data);
    flash.erase = (area, offset, length) => area !== Area.LOG && erase.call(flash, area, offset, length);
    s.release({ releaseCounter: 2 });
    await s.accepts();
    s.runs(2);
  });
});

function crc(bytes: Uint8Array): number {
  let value = 0xffff_ffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb8_8320 : 0);
  }
  return ~value >>> 0;
}
