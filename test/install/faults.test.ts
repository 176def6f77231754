// What goes wrong between the first byte of an image and its confirm: the network, the repository, the flash.
import { describe, expect, test } from 'vitest';
import { State } from '../../host/node/abi.ts';
import { BOOT_AREA, uniformGeometry } from '../../host/node/flash.ts';
import type { FlashFaults } from '../../sim/flash.ts';
import type { Conduct } from '../../sim/network.ts';
import { image, RELEASE_1, RELEASE_2, World } from '../../sim/scenarios/world.ts';
import { boot, booted, check, fallen, kept, statusName, verdict } from '../fixtures/by-hand.ts';
import { type Stage, stage } from '../tuf/kit.ts';

const LARGE = { version: '2.0.0', releaseCounter: 2, securityCounter: 1, image: image(5, 100_000) };

/** A device that runs release 1 and may load a large release 2. */
async function behind(release: typeof LARGE): Promise<World> {
  const geometry = uniformGeometry({ block: 4096, unit: 4, erased: 0xff, bank: 32_768, slot: 131_072 });
  const world = new World({ geometry });
  await world.update();
  world.repository.publish(release);
  return world;
}

const forImages = (conduct: Conduct) => (path: string) => (path.startsWith('targets/') ? conduct : {});

/** How often an image was asked for, and from which byte on. */
function offsets({ network }: Pick<World, 'network'>): number[] {
  return network.requests.filter(({ path }) => path.startsWith('targets/')).map(({ offset }) => offset);
}

describe('[slow retrieval] answers that bring little', () => {
  test.each([1, 100, 2047])('of %i bytes each: the check ends after three requests', async (endAfter) => {
    const world = await behind(LARGE);
    world.network.conduct = forImages({ endAfter, delay: 29_000 });
    const begun = world.clock.seconds();
    expect(statusName((await world.update()).status)).toBe('NETWORK');
    expect(offsets(world)).toHaveLength(3);
    expect(world.clock.seconds() - begun).toBeLessThan(600);
    world.network.conduct = () => ({});
    expect(statusName((await world.update()).status)).toBe('UP_TO_DATE');
  });

  test('of 2,048 bytes each: the image arrives', async () => {
    const world = await behind(LARGE);
    world.network.conduct = forImages({ endAfter: 2048 });
    expect(statusName((await world.update()).status)).toBe('UP_TO_DATE');
    expect(offsets(world)).toHaveLength(Math.ceil(100_000 / 2048));
    expect(kept(world.device.powerOn()).release).toBe(2);
  });
});

test('[endless data] one byte after the end of an image: refused, and the download goes on where it was', async () => {
  const world = await behind(LARGE);
  const honest = world.network.source;
  world.network.source = async (path) => {
    const file = await honest(path);
    return file && path.startsWith('targets/') ? new Uint8Array([...file, 0]) : file;
  };
  // Nobody says how many bytes come.
  world.network.conduct = forImages({ endAfter: 100_001 });
  expect(statusName((await world.update()).status)).toBe('TOO_LONG');
  world.network.source = honest;
  world.network.conduct = () => ({});
  expect(statusName((await world.update()).status)).toBe('UP_TO_DATE');
  expect(offsets(world)).toEqual([0, Math.floor(100_000 / 4096) * 4096]);
  expect(kept(world.device.powerOn()).release).toBe(2);
});

test('after a reboot in mid-download the device knows how much of the image it has', async () => {
  const world = await behind(LARGE);
  let requests = 0;
  world.network.conduct = (path) =>
    path.startsWith('targets/') ? (requests++ === 0 ? { breakAfter: 50_000 } : { drop: true }) : {};
  expect(statusName((await world.update()).status)).toBe('NETWORK');
  const core = world.device.powerOn();
  expect(core.stateRead(State.IMAGE_LENGTH)).toBe(100_000);
  expect(core.stateRead(State.IMAGE_OFFSET)).toBe(Math.floor(50_000 / 4096) * 4096);
});

test('bytes that are published again with higher counters in mid-download are installed once, with those', async () => {
  const s: Stage = await stage();
  const bytes = image(9, 8192);
  s.release({ releaseCounter: 2, image: bytes, path: 'a/one.bin' });
  let requests = 0;
  s.network.conduct = (path) =>
    path.startsWith('targets/') ? (requests++ === 0 ? { breakAfter: 5000 } : { drop: true }) : {};
  expect(await s.check()).toEqual({ status: 'NETWORK', role: 'IMAGE' });
  s.network.conduct = () => ({});
  delete s.targets['a/one.bin'];
  s.release({ releaseCounter: 3, securityCounter: 9, image: bytes, path: 'a/one.bin' });
  await s.settles();
  expect(kept(s.powerOn())).toMatchObject({ release: 3, security: 9 });
  expect(offsets(s).at(-1)).toBe(4096);
  const installed = offsets(s).length;
  await s.settles();
  expect(offsets(s)).toHaveLength(installed);
});

describe('any one operation of the flash goes wrong in an update', () => {
  const IMAGES = [RELEASE_1.image, RELEASE_2.image];
  /** What goes wrong, at every how manyth operation, and how. */
  const FAULTS: readonly (readonly [string, number, (hits: () => boolean) => FlashFaults])[] = [
    ['a write fails', 1, (hits) => ({ write: (_, __, data) => !hits() && data })],
    [
      'a write leaves a byte unprogrammed',
      1,
      (hits) => ({ write: (_, __, data) => (hits() ? unprogrammed(data) : data) }),
    ],
    ['an erase fails', 1, (hits) => ({ erase: () => !hits() })],
    ['a read fails', 17, (hits) => ({ read: (area) => area === BOOT_AREA || !hits() })],
  ];

  test.each(FAULTS)(
    '%s, each %i. one: a whole image boots, and the update comes to its end',
    async (_, step, fault) => {
      let fired = true;
      for (let nth = 0; fired; nth += step) {
        const world = new World();
        await world.update();
        const start = kept(world.device.powerOn());
        world.repository.publish(RELEASE_2);
        let operations = 0;
        world.device.flash.faults = fault(() => operations++ === nth);
        await throughFault(world);
        fired = operations > nth;
        world.device.flash.faults = {};
        expect(booted(world.device.flash, IMAGES), `operation ${nth}`).toBeGreaterThanOrEqual(0);
        expect(fallen(start, kept(boot(world).core)), `operation ${nth}`).toEqual([]);
        for (let checks = 0; checks < 3; checks++) {
          world.clock.set(world.clock.seconds() + 4000);
          world.repository.refresh();
          await world.update();
        }
        expect(kept(boot(world).core), `operation ${nth}`).toMatchObject({ release: 2, security: 2 });
        expect(booted(world.device.flash, IMAGES), `operation ${nth}`).toBe(1);
      }
    },
  );

  /** Some boots with a check each; every answer to a self-test is yes. */
  async function throughFault(world: World): Promise<void> {
    for (let boots = 0; boots < 4; boots++) {
      const { core, status } = boot(world);
      if (status !== 'OK') continue;
      if (verdict(await check(world, core)) === 'self-test') core.imageConfirm();
    }
  }

  /** The first byte that would change keeps the value of an erased one. */
  function unprogrammed(data: Uint8Array): Uint8Array {
    const copy = data.slice();
    copy[copy.findIndex((byte) => byte !== 0xff)] = 0xff;
    return copy;
  }
});
