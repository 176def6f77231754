// The boot decision where MCUboot makes it, by swapping the images of two slots: what boots after each call and each power
// cut, and what lies in the trailers. MCUboot's part is the model of sim/mcuboot.ts.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { BOOT_AREA, NorFlash, programArea, uniformGeometry } from '../../host/node/flash.ts';
import { McubootBoot, PRIMARY, SECONDARY } from '../../host/node/mcuboot.ts';
import { readTrailer } from '../../repo/formats/trailer.ts';
import { countCuts, sweep } from '../../sim/powercut.ts';
import { Random } from '../../sim/random.ts';
import { McubootWorld, mcuboot, mcubootScenario, plainImage } from '../../sim/scenarios/mcuboot.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { HOW_TO_GET_IMAGE_TOOLS, hasImageTools, runTool } from '../fixtures/python.ts';
import { optional } from '../optional.ts';

const KIB = 1024;
const BLOCK = 4 * KIB;
const geometryOf = (block: number, unit: number, erased: number, blocks: number) =>
  uniformGeometry({ block, unit, erased, bank: 8 * KIB, slot: blocks * block });
const GEOMETRY = geometryOf(BLOCK, 8, 0xff, 5);

const image = (seed: number) => plainImage(new Random(seed).bytes(5000));

/** A device that left the factory with image 1 in the primary slot, and has image 2 in the secondary. */
function blank(secondary = image(2)): NorFlash {
  const flash = new NorFlash(GEOMETRY);
  programArea(flash, PRIMARY, image(1));
  programArea(flash, SECONDARY, secondary);
  return flash;
}

function slot(flash: NorFlash, area: number): Buffer {
  const bytes = Buffer.alloc(flash.size(area));
  flash.read(area, 0, bytes);
  return bytes;
}

const trailers = (flash: NorFlash) => [PRIMARY, SECONDARY].map((area) => readTrailer(slot(flash, area)));

const UNSET = { magic: 'unset', imageOk: false, copyDone: false };
const ASKED = { magic: 'good', imageOk: false, copyDone: false };
const ON_TRIAL = { magic: 'good', imageOk: false, copyDone: true };
const CONFIRMED = { magic: 'good', imageOk: true, copyDone: true };

/** Which image begins there, in the slots as the core names them. */
function images(boot: McubootBoot): number[] {
  return [PRIMARY, SECONDARY].map((area) => {
    const bytes = Buffer.alloc(5032);
    boot.flash.read(area, 0, bytes);
    return [1, 2, 3].find((seed) => bytes.equals(image(seed).subarray(0, 5032))) ?? 0;
  });
}

describe('a device boots', () => {
  test('the primary slot, with no trailers; to confirm or to revert changes nothing', () => {
    const flash = blank();
    const boot = mcuboot(flash);
    expect([boot.slots, boot.onTrial, boot.confirm(), boot.revert()]).toEqual([0, false, true, true]);
    expect(trailers(flash)).toEqual([UNSET, UNSET]);
    expect(slot(flash, BOOT_AREA).every((byte) => byte === 0xff)).toBe(true);
  });

  test('what was selected, swapped, once; then what was before, swapped back, and each stays in its slot', () => {
    const flash = blank();
    for (let round = 0; round < 3; round++) {
      const before = mcuboot(flash);
      expect([before.slots, images(before)]).toEqual([0, [1, 2]]);
      expect(before.select(1)).toBe(true);
      expect(trailers(flash)[1]).toEqual(ASKED);
      const trial = mcuboot(flash);
      expect([trial.slots, trial.onTrial, images(trial)]).toEqual([1, true, [1, 2]]);
      expect(trailers(flash)).toEqual([ON_TRIAL, UNSET]);
      if (round === 2) expect(trial.revert()).toBe(true);
      const after = mcuboot(flash);
      expect([after.slots, after.onTrial, images(after)]).toEqual([0, false, [1, 2]]);
      expect(trailers(flash)).toEqual([CONFIRMED, UNSET]);
    }
  });

  test('what was confirmed, for good, and from there the other slot again', () => {
    const flash = blank();
    mcuboot(flash).select(1);
    expect(mcuboot(flash).confirm()).toBe(true);
    expect(trailers(flash)).toEqual([CONFIRMED, UNSET]);
    for (let boots = 0; boots < 2; boots++)
      expect(mcuboot(flash)).toMatchObject({ slots: 1, onTrial: false });
    const second = mcuboot(flash);
    programArea(flash, SECONDARY, image(3));
    expect([second.select(1), second.select(0)]).toEqual([false, true]);
    expect(images(mcuboot(flash))).toEqual([3, 2]);
    expect(mcuboot(flash).slots).toBe(1);
  });

  test('what runs, when a selection is taken back', () => {
    const flash = blank();
    const boot = mcuboot(flash);
    boot.select(1);
    expect(boot.revert()).toBe(true);
    expect(trailers(flash)).toEqual([UNSET, UNSET]);
    expect(mcuboot(flash)).toMatchObject({ slots: 0, onTrial: false });
  });

  test('the right slot also when both images are the same', () => {
    const flash = blank(image(1));
    for (const end of ['abandoned', 'reverted', 'confirmed']) {
      mcuboot(flash).select(1);
      const trial = mcuboot(flash);
      expect([trial.slots, trial.onTrial]).toEqual([1, true]);
      if (end === 'reverted') trial.revert();
      if (end === 'confirmed') trial.confirm();
      expect(mcuboot(flash)).toMatchObject({ slots: end === 'confirmed' ? 1 : 0, onTrial: false });
    }
  });
});

describe('[a torn magic]', () => {
  test.each([1, 8, 15])('of which %i bytes were written asks for nothing, and is written anew', (bytes) => {
    const flash = blank();
    const torn = slot(flash, SECONDARY);
    mcuboot(flash).select(1);
    const whole = slot(flash, SECONDARY);
    whole.copy(torn, torn.length - 16, torn.length - 16, torn.length - 16 + bytes);
    programArea(flash, SECONDARY, torn);
    expect(trailers(flash)[1]?.magic).toBe('torn');
    const boot = mcuboot(flash);
    expect([boot.slots, boot.onTrial, boot.select(1)]).toEqual([0, false, true]);
    expect(slot(flash, SECONDARY).equals(whole)).toBe(true);
    expect(mcuboot(flash)).toMatchObject({ slots: 1, onTrial: true });
  });

  test('a mark of confirmation that was torn is none for MCUboot, which stays; nor is it a trial any more', () => {
    const flash = blank();
    mcuboot(flash).select(1);
    mcuboot(flash).confirm();
    const torn = slot(flash, PRIMARY);
    torn[torn.length - 24] = 0x81;
    programArea(flash, PRIMARY, torn);
    expect(mcuboot(flash)).toMatchObject({ slots: 1, onTrial: false });
  });
});

describe('nothing is asked for', () => {
  test('where there is no image of MCUboot: it would not be started', () => {
    for (const bytes of [new Random(9).bytes(6000), image(2).subarray(0, 5020), new Uint8Array()])
      expect(mcuboot(blank(Buffer.from(bytes))).select(1)).toBe(false);
  });

  test('that a bootloader forgets: an image whose hash does not fit', () => {
    const damaged = image(2);
    damaged[1000] = ~(damaged[1000] ?? 0);
    const flash = blank(damaged);
    mcuboot(flash).select(1);
    expect(mcuboot(flash)).toMatchObject({ slots: 0, onTrial: false });
    expect(trailers(flash)).toEqual([UNSET, UNSET]);
  });

  test('with units that a trailer of this alignment has no room for', () => {
    expect(() => mcuboot(new NorFlash(geometryOf(BLOCK, 16, 0xff, 5)))).toThrow();
    expect(() => new McubootBoot(new NorFlash(geometryOf(BLOCK, 16, 0xff, 5)), BLOCK)).toThrow('units of 8');
  });
});

optional(hasImageTools(), HOW_TO_GET_IMAGE_TOOLS)(
  'imgtool pads a slot with the bytes that select, and a revert on trial, leave in the trailer',
  async () => {
    const padded = async (...options: string[]) => {
      const folder = temporaryFolder();
      const [payload, path] = [join(folder, 'payload'), join(folder, 'image')];
      writeFileSync(payload, new Random(2).bytes(5000));
      const layout = ['--header-size', '32', '--pad-header', '--slot-size', `${5 * BLOCK}`, '--align', '8'];
      await runTool('imgtool', ['sign', ...layout, '--version', '1.0.0', '--pad', ...options, payload, path]);
      return readFileSync(path);
    };
    const end = 2 * BLOCK;
    const [asked, permanent] = [await padded(), await padded('--confirm')];
    const flash = blank(asked.subarray(0, 5200));
    mcuboot(flash).select(1);
    expect(slot(flash, SECONDARY).subarray(-end).equals(asked.subarray(-end))).toBe(true);
    const trial = mcuboot(flash);
    expect(trial.onTrial).toBe(true);
    trial.revert();
    expect(slot(flash, SECONDARY).subarray(-BLOCK).equals(permanent.subarray(-BLOCK))).toBe(true);
  },
);

test('updates back and forth, one whose image is the same as before among them', async () => {
  const world = new McubootWorld({ geometry: GEOMETRY, payloads: [5000, 6000] });
  for (const [counter, which] of [
    [1, 1],
    [2, 2],
    [3, 1],
    [4, 1],
    [5, 2],
  ] as const) {
    world.publish(counter, which);
    expect((await world.update()).status).toBe(Status.UP_TO_DATE);
    expect(world.running()).toBe(which);
  }
  expect(trailers(world.device.flash)).toEqual([CONFIRMED, UNSET]);
});

const LAYOUTS = [
  { name: '4 KiB sectors, 8-byte units, erased 0xff', geometry: GEOMETRY, payloads: [5000, 7000] },
  { name: '2 KiB pages, 4-byte units, erased 0xff', geometry: geometryOf(2 * KIB, 4, 0xff, 4) },
  { name: '1 KiB pages, 1-byte units, erased 0x00', geometry: geometryOf(KIB, 1, 0x00, 8) },
] as const;

describe('[CERT-C-5] after a power cut at any operation of trailers and swaps a whole image boots', () => {
  const cases = LAYOUTS.flatMap((layout) => [true, false].map((works) => ({ ...layout, works })));
  test.each(cases)(
    'and the update comes to its end; it works: $works, $name',
    async ({ name: _, ...setting }) => {
      const result = await sweep(await mcubootScenario(setting), { places: 3, liveEvery: 50 });
      expect(result.cuts.before).toBe(result.operations);
      expect(result.cuts.torn + result.cuts.bits).toBeGreaterThan(result.operations);
      expect(countCuts(result)).toBeGreaterThan(result.operations * 4);
    },
    120_000,
  );

  test('also when it fails again in the recovery, and up to eight times at random', async () => {
    const scenario = await mcubootScenario({ geometry: geometryOf(KIB, 8, 0xff, 8), payloads: [900, 800] });
    const effort = { places: 2, liveEvery: 500, pairPlaces: 1, seeds: [1, 2, 3, 4, 5, 6, 7, 8] };
    const { pairs, sequences } = await sweep(scenario, effort);
    expect(pairs).toBeGreaterThan(1000);
    expect(sequences).toBe(8);
  }, 240_000);
});
