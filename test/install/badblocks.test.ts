// Blocks of flash that are bad for good: erases and writes that fail, those that lie, bits that stick. What
// runs goes on to run, nothing rises that was not confirmed, and the device says what is wrong.
import { describe, expect, test } from 'vitest';
import { Area } from '../../host/node/abi.ts';
import { BOOT_AREA, type Geometry } from '../../host/node/flash.ts';
import type { FlashFaults } from '../../sim/flash.ts';
import { GEOMETRIES } from '../../sim/geometries.ts';
import { image, RELEASE_2, World } from '../../sim/scenarios/world.ts';
import { boot, booted, check, fallen, kept, verdict } from '../fixtures/by-hand.ts';

/**
 * 2 KiB pages with 8-byte units: four blocks a bank, eight a slot. Journal and boot record have blocks so small that all of
 * them are erased again in a few updates.
 */
const PAGES = GEOMETRIES[2]?.geometry ?? [];
const LAYOUT: Geometry = PAGES.with(Area.JOURNAL, {
  blocks: [128, 128, 128, 128],
  unit: 8,
  erased: 0xff,
}).with(BOOT_AREA, { blocks: [64, 64], unit: 8, erased: 0xff });

interface Block {
  readonly area: number;
  readonly start: number;
  readonly end: number;
}

const AREAS = [Area.STORE_A, Area.STORE_B, Area.JOURNAL, Area.SLOT_B, BOOT_AREA];

const BLOCKS: readonly Block[] = AREAS.flatMap((area) => {
  let end = 0;
  return (LAYOUT[area]?.blocks ?? []).map((size) => {
    end += size;
    return { area, start: end - size, end };
  });
});

/** What a device has had: images that fill the blocks of a slot. */
const EARLIER = [2, 3].map((releaseCounter) => ({
  version: `1.${releaseCounter}.0`,
  releaseCounter,
  securityCounter: 1,
  image: image(20 + releaseCounter, 16_000),
}));
const NEXT = { ...RELEASE_2, version: '2.0.0', releaseCounter: 4 };
const IMAGES = [EARLIER[1]?.image ?? NEXT.image, NEXT.image];

async function usedDevice(): Promise<World> {
  const world = new World({ geometry: LAYOUT });
  await world.update();
  for (const release of EARLIER) {
    world.repository.publish(release);
    await world.update();
  }
  expect(booted(world.device.flash, IMAGES)).toBe(0);
  world.repository.publish(NEXT);
  return world;
}

const touches = (block: Block, area: number, offset: number, length: number) =>
  area === block.area && offset < block.end && offset + length > block.start;

/** Bits of one byte in the middle of the block, in what is written there. */
function stick(block: Block, change: (byte: number) => number): FlashFaults {
  const at = block.start + 40;
  return {
    write: (area, offset, data) => {
      if (area !== block.area || at < offset || at >= offset + data.length) return data;
      return data.map((byte, index) => (offset + index === at ? change(byte) : byte));
    },
  };
}

const stale = (block: Block): FlashFaults => ({
  stale: (area, start) => area === block.area && start === block.start,
});

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
  ['its erase says that it has happened, and has not', stale],
  [
    'its erase says that it has happened, and has not, and the chip refuses to program what is not erased',
    (block) => ({ ...stale(block), checksErased: true }),
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

/** What a device with these faults says, and whether it is updated. */
async function withFaults(world: World, faults: FlashFaults): Promise<[Set<string>, boolean]> {
  const { device } = world;
  const before = kept(device.powerOn());
  device.flash.faults = faults;
  const found = await attempts(world);
  device.flash.faults = {};
  const { core, status } = boot(world);
  expect(status).toBe('OK');
  expect(fallen(before, kept(core))).toEqual([]);
  return [found, booted(device.flash, IMAGES) === 1];
}

describe('[CERT-C-5] a block that is bad for good', () => {
  test.each(FAULTS)(
    '%s: a whole image runs, counters do not fall, and the fault is named',
    async (name, fault) => {
      const world = await usedDevice();
      const { device } = world;
      const used = device.snapshot();
      const updated = new Set<boolean>();
      const lied = new Set<number>();
      for (const block of BLOCKS) {
        device.restore(used);
        device.flash.lies = 0;
        const [found, isUpdated] = await withFaults(world, fault(block));
        const where = `area ${block.area} at ${block.start}: ${[...found].join(', ')}`;
        if (!isUpdated)
          expect(
            [...found].filter((said) => SAID.test(said)),
            where,
          ).not.toEqual([]);
        updated.add(isUpdated);
        if (device.flash.lies > 0) lied.add(block.area);
        // Where the block works again, for it was only tired, so does the device.
        await attempts(world);
        expect(booted(device.flash, IMAGES), where).toBe(1);
      }
      expect(updated).toEqual(new Set([true, false]));
      expect([...lied]).toEqual(name.startsWith('its erase says') ? AREAS : []);
    },
  );
});
