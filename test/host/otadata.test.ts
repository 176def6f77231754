// The boot decision of an ESP32: which slot boots after each call and after each power cut, and what lies in otadata.
import { describe, expect, test } from 'vitest';
import { BOOT_AREA, NorFlash, uniformGeometry } from '../../host/node/flash.ts';
import { OtadataBoot } from '../../host/node/otadata.ts';
import { OWN_GEOMETRIES } from '../../sim/geometries.ts';
import { countCuts, sweep } from '../../sim/powercut.ts';
import { SCENARIOS } from '../../sim/scenarios/powercuts.ts';

const NEW = 0;
const PENDING_VERIFY = 1;
const VALID = 2;
const INVALID = 3;
const ABORTED = 4;
const UNDEFINED = 0xffffffff;

const SECTOR = 4096;
const boot = (flash: NorFlash) => new OtadataBoot(flash);

function blank(): NorFlash {
  return new NorFlash(uniformGeometry({ block: SECTOR, unit: 4, erased: 0xff, bank: SECTOR, slot: SECTOR }));
}

/** Sequence and state of each record; undefined: the sector is blank. */
function records(flash: NorFlash): ([number, number] | undefined)[] {
  return [0, SECTOR].map((offset) => {
    const bytes = Buffer.alloc(32);
    flash.read(BOOT_AREA, offset, bytes);
    return bytes.every((byte) => byte === 0xff) ? undefined : [bytes.readUInt32LE(0), bytes.readUInt32LE(24)];
  });
}

/** Slot B runs, confirmed, after an update of a device that left the factory with slot A. */
function inSlotB(): NorFlash {
  const flash = blank();
  boot(flash).select(1);
  boot(flash).confirm();
  return flash;
}

describe('a device boots', () => {
  test('slot A with blank otadata, not on trial; to confirm or to revert changes nothing', () => {
    const flash = blank();
    const first = boot(flash);
    expect([first.slots, first.onTrial, first.confirm(), first.revert()]).toEqual([0, false, true, true]);
    expect(records(flash)).toEqual([undefined, undefined]);
  });

  test('what was selected, once; then the slot before, which the device may leave again', () => {
    const flash = blank();
    for (let round = 0; round < 3; round++) {
      expect(boot(flash).select(1)).toBe(true);
      expect(records(flash)[0]).toEqual([2, NEW]);
      const trial = boot(flash);
      expect([trial.slots, trial.onTrial]).toEqual([1, true]);
      expect(records(flash)[0]).toEqual([2, PENDING_VERIFY]);
      const after = boot(flash);
      expect([after.slots, after.onTrial]).toEqual([0, false]);
      expect(records(flash)).toEqual([[2, ABORTED], undefined]);
    }
  });

  test('what was confirmed, for good, and from there the other slot again', () => {
    const flash = inSlotB();
    for (let boots = 0; boots < 3; boots++)
      expect([boot(flash).slots, boot(flash).onTrial]).toEqual([1, false]);
    expect(records(flash)).toEqual([[2, VALID], undefined]);
    boot(flash).select(0);
    expect(records(flash)).toEqual([
      [2, VALID],
      [3, NEW],
    ]);
    expect(boot(flash).confirm()).toBe(true);
    boot(flash).select(1);
    expect(records(flash)).toEqual([
      [4, NEW],
      [3, VALID],
    ]);
  });

  test('the slot before, when the image on trial is rejected, or a selection taken back', () => {
    const flash = inSlotB();
    boot(flash).select(0);
    expect(boot(flash).revert()).toBe(true);
    expect(records(flash)).toEqual([
      [2, VALID],
      [3, INVALID],
    ]);
    expect(boot(flash).slots).toBe(1);
    const again = boot(flash);
    again.select(0);
    again.revert();
    expect([boot(flash).slots, boot(flash).onTrial]).toEqual([1, false]);
  });
});

test('[otadata that names the bad slot twice] selected again and again, before a boot and after it', () => {
  const flash = inSlotB();
  const running = boot(flash);
  for (let times = 0; times < 3; times++) running.select(0);
  expect(records(flash)).toEqual([
    [2, VALID],
    [3, NEW],
  ]);
  expect(boot(flash).slots).toBe(0);
  expect(boot(flash).slots).toBe(1);
  boot(flash).select(0);
  expect(records(flash)).toEqual([
    [2, VALID],
    [3, NEW],
  ]);
});

test('the CRC is of the sequence alone', () => {
  const crcs = [1, 2, 3].map((sequence) => {
    const flash = sequence === 3 ? inSlotB() : blank();
    boot(flash).select((sequence - 1) % 2);
    const bytes = Buffer.alloc(32);
    flash.read(BOOT_AREA, sequence === 3 ? SECTOR : 0, bytes);
    return bytes.readUInt32LE(28);
  });
  expect(crcs).toEqual([0x4743989a, 0x55f63774, 0xed4a5011]);
});

test.each([UNDEFINED, 0xffffff01, 0x12345678])(
  'a state that an erase has left at %i is no confirmed image: it is on trial, and can be left',
  (state) => {
    const flash = inSlotB();
    boot(flash).select(0);
    const bytes = Buffer.alloc(32);
    flash.read(BOOT_AREA, SECTOR, bytes);
    bytes.writeUInt32LE(state, 24);
    flash.erase(BOOT_AREA, SECTOR, SECTOR);
    flash.write(BOOT_AREA, SECTOR, bytes);
    const left = boot(flash);
    expect([left.slots, left.onTrial, left.revert()]).toEqual([0, true, true]);
    expect([boot(flash).slots, boot(flash).onTrial]).toEqual([1, false]);
  },
);

test('a record whose CRC is wrong, or in flash that cannot be otadata', () => {
  const flash = inSlotB();
  const bytes = Buffer.alloc(32);
  flash.read(BOOT_AREA, 0, bytes);
  bytes.writeUInt32LE(4, 0);
  flash.write(BOOT_AREA, SECTOR, bytes);
  expect(boot(flash).slots).toBe(1);
  const zero = uniformGeometry({ block: SECTOR, unit: 4, erased: 0, bank: SECTOR, slot: SECTOR });
  expect(() => boot(new NorFlash(zero))).toThrow('erased 0xff');
  expect(boot(blank()).select(2)).toBe(false);
});

describe('[CERT-C-5] after a power cut at any operation a whole image boots, and the scenario comes to its end', () => {
  // The sectors of an ESP32, and larger units and blocks.
  const geometries = OWN_GEOMETRIES.filter(({ name }) => /^(4|1|32) KiB.*0xff$/.test(name));
  const cases = geometries.flatMap(({ name, geometry }) =>
    ['install and confirm', 'install and revert'].map((what) => ({ name, geometry, what })),
  );
  test.each(cases)('$what, $name', async ({ what, geometry }) => {
    const scenario = await SCENARIOS[what]?.({
      geometry,
      hardwareCounter: true,
      boot: (flash) => new OtadataBoot(flash),
    });
    const result = await sweep(scenario ?? expect.fail(), { places: 4, liveEvery: 50 });
    expect(result.cuts.before).toBe(result.operations);
    expect(result.cuts.scrambled).toBeGreaterThanOrEqual(5);
    expect(countCuts(result)).toBeGreaterThan(result.operations * 3);
  });
});
