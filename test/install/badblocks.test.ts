// Blocks of flash that are bad for good: an erase that fails, writes that fail, writes that lie, bits that stick. What
// runs goes on to run, nothing rises that was not confirmed, and the device says what is wrong.
import { describe, expect, test } from 'vitest';
import { Area } from '../../host/node/abi.ts';
import { BOOT_AREA } from '../../host/node/flash.ts';
import type { FlashFaults } from '../../sim/flash.ts';
import { GEOMETRIES } from '../../sim/geometries.ts';
import { RELEASE_1, RELEASE_2, World } from '../../sim/scenarios/world.ts';
import { boot, booted, check, fallen, kept, verdict } from '../fixtures/by-hand.ts';

/** 2 KiB pages with 8-byte units: four blocks a bank, eight a slot, two of journal and boot record. */
const LAYOUT = GEOMETRIES[2]?.geometry ?? [];
const IMAGES = [RELEASE_1.image, RELEASE_2.image];

interface Block {
  readonly area: number;
  readonly start: number;
  readonly end: number;
}

const BLOCKS: readonly Block[] = [Area.STORE_A, Area.STORE_B, Area.JOURNAL, Area.SLOT_B, BOOT_AREA].flatMap(
  (area) =>
    (LAYOUT[area]?.blocks ?? []).map((size, index) => ({
      area,
      start: index * size,
      end: (index + 1) * size,
    })),
);

const touches = (block: Block, area: number, offset: number, length: number) =>
  area === block.area && offset < block.end && offset + length > block.start;

/** Bits of one byte in the middle of the block, in what is written there. */
function stick(block: Block, change: (byte: number) => number): FlashFaults {
  const at = block.start + 512;
  return {
    write: (area, offset, data) => {
      if (area !== block.area || at < offset || at >= offset + data.length) return data;
      return data.map((byte, index) => (offset + index === at ? change(byte) : byte));
    },
  };
}

const FAULTS: readonly (readonly [string, (block: Block) => FlashFaults])[] = [
  ['its erase fails', (block) => ({ erase: (...range) => !touches(block, ...range) })],
  [
    'its writes fail',
    (block) => ({ write: (area, offset, data) => !touches(block, area, offset, data.length) && data }),
  ],
  [
    'its writes say that they have happened, and have not',
    (block) => ({
      write: (area, offset, data) =>
        touches(block, area, offset, data.length) ? data.map(() => LAYOUT[area]?.erased ?? 0) : data,
    }),
  ],
  ['one bit sticks at 0', (block) => stick(block, (byte) => byte & ~8)],
  ['one bit sticks at 1', (block) => stick(block, (byte) => byte | 8)],
];

/** What a device says that cannot update. */
const SAID = /^(FLASH_ERASE|FLASH_WRITE|FLASH_VERIFY|FLASH_READ|STORE_CORRUPT|STORE_FULL|BOOT)$/;

/** Some boots with a check each, until the new release is confirmed; the findings. */
async function attempts(world: World): Promise<Set<string>> {
  const found = new Set<string>();
  for (let boots = 0; boots < 6; boots++) {
    world.clock.set(world.clock.seconds() + 4000);
    world.repository.refresh();
    const { core, status } = boot(world);
    if (status !== 'OK') found.add(status);
    else {
      const came = verdict(await check(world, core));
      if (came === 'self-test') core.imageConfirm();
      found.add(came);
    }
    expect(booted(world.device.flash, IMAGES)).toBeGreaterThanOrEqual(0);
  }
  return found;
}

describe('[CERT-C-5] a block that is bad for good', () => {
  test.each(FAULTS)(
    '%s: a whole image runs, counters do not fall, and the fault is named',
    async (_, fault) => {
      let updated = 0;
      for (const block of BLOCKS) {
        const world = new World({ geometry: LAYOUT });
        await world.update();
        const before = kept(world.device.powerOn());
        world.repository.publish(RELEASE_2);
        world.device.flash.faults = fault(block);
        const found = await attempts(world);
        world.device.flash.faults = {};
        const where = `area ${block.area} at ${block.start}: ${[...found].join(', ')}`;
        const { core, status } = boot(world);
        expect(status, where).toBe('OK');
        expect(fallen(before, kept(core)), where).toEqual([]);
        const runs = booted(world.device.flash, IMAGES);
        if (runs === 1) updated++;
        else
          expect(
            [...found].some((name) => SAID.test(name)),
            where,
          ).toBe(true);
        // Where the block works again, for it was only tired, so does the device.
        await attempts(world);
        expect(booted(world.device.flash, IMAGES), where).toBe(1);
      }
      expect(updated).toBeGreaterThan(0);
      expect(updated).toBeLessThan(BLOCKS.length);
    },
  );
});
