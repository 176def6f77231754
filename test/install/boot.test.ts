// What boots when the boot record, the counter or the host fails around a trial: always an image that was verified.
import { describe, expect, test } from 'vitest';
import { Area, State } from '../../host/node/abi.ts';
import { type BootControl, RecordedBoot } from '../../host/node/boot.ts';
import type { Core, HardwareCounter } from '../../host/node/core.ts';
import { BOOT_AREA } from '../../host/node/flash.ts';
import type { FlashFaults } from '../../sim/flash.ts';
import { image, RELEASE_1, RELEASE_2, World, type WorldOptions } from '../../sim/scenarios/world.ts';
import { boot, booted, check, cutBefore, kept, statusName, untilCut, verdict } from '../fixtures/by-hand.ts';

const RELEASE_3 = { version: '1.2.0', releaseCounter: 3, securityCounter: 2, image: image(3, 9000) };
const IMAGES = [RELEASE_1.image, RELEASE_2.image, RELEASE_3.image];

/** A device in slot A that has release 2 in slot B, selected for the next boot. */
async function selected(options: WorldOptions = {}): Promise<{ world: World; core: Core }> {
  const world = new World(options);
  await world.update();
  world.repository.publish(RELEASE_2);
  const { core } = boot(world);
  expect(verdict(await check(world, core))).toBe('reboot');
  return { world, core };
}

/** A device that has nothing to do. */
async function atRest(): Promise<{ world: World; core: Core }> {
  const world = new World();
  await world.update();
  return { world, core: boot(world).core };
}

/** As `selected`, one boot later. */
async function onTrial(): Promise<{ world: World; core: Core }> {
  const { world } = await selected();
  const { core } = boot(world);
  expect(verdict(await check(world, core))).toBe('self-test');
  expect(core.stateRead(State.ON_TRIAL)).toBe(1);
  return { world, core };
}

/** The writes of the boot record with these numbers, from 1, fail. */
function bootRecordFails(...writes: readonly number[]): FlashFaults {
  let seen = 0;
  return { write: (area, _, data) => !(area === BOOT_AREA && writes.includes(++seen)) && data };
}

const NEVER = bootRecordFails(...Array.from({ length: 100 }, (_, index) => index + 1));

/** The power is cut in the middle of the next image, if one is written to this slot. */
async function checkWithCut(world: World, core: Core, slot: number): Promise<boolean> {
  cutBefore(world.device, 'write', slot, 3);
  return untilCut(world.device, () => check(world, core));
}

/** However often it boots, it is a whole image; then everything works again, and the device takes release 3. */
async function recovers(world: World): Promise<void> {
  for (let boots = 0; boots < 6; boots++)
    expect(booted(world.device.flash, IMAGES), `boot ${boots}`).toBeGreaterThanOrEqual(0);
  world.device.flash.faults = {};
  await world.update();
  world.repository.refresh();
  await world.update();
  expect(booted(world.device.flash, IMAGES)).toBe(2);
  expect(kept(world.device.powerOn()).release).toBe(3);
}

test.each(['before a check', 'after an image was selected that has not run'])(
  'an answer to a self-test that was not asked for, %s: refused, and nothing of it is kept',
  async (when) => {
    const { world, core } = when === 'before a check' ? await atRest() : await selected();
    const before = world.device.snapshot();
    expect(statusName(core.imageConfirm())).toBe('WRONG_STATE');
    expect(statusName(core.imageReject())).toBe('WRONG_STATE');
    expect(world.device.snapshot()).toEqual(before);
    expect(kept(core).release).toBe(1);
  },
);

describe('the boot record fails on trial: the image to fall back to is not written over', () => {
  test('when the image is rejected; the next boot goes back', async () => {
    const { world, core } = await onTrial();
    world.repository.publish(RELEASE_3);
    world.device.flash.faults = bootRecordFails(1);
    expect(statusName(core.imageReject())).toBe('BOOT');
    expect(await checkWithCut(world, core, Area.SLOT_A)).toBe(false);
    const next = boot(world);
    expect(verdict(await check(world, next.core))).toBe('reboot');
    expect(booted(world.device.flash, IMAGES)).toBe(0);
    await recovers(world);
  });

  test('when the journal is lost, and with it what is on trial; the next boot goes back', async () => {
    const { world } = await onTrial();
    world.repository.publish(RELEASE_3);
    world.device.flash.erase(Area.JOURNAL, 0, world.device.flash.size(Area.JOURNAL));
    world.device.flash.faults = bootRecordFails(2);
    const { core } = boot(world);
    expect(core.stateRead(State.ON_TRIAL)).toBe(1);
    expect(await checkWithCut(world, core, Area.SLOT_A)).toBe(false);
    const next = boot(world);
    expect(verdict(await check(world, next.core))).toBe('reboot');
    expect(booted(world.device.flash, IMAGES)).toBe(0);
    await recovers(world);
  });

  test('when the image is confirmed, at the confirm and again at the next boot', async () => {
    const { world, core } = await onTrial();
    world.repository.publish(RELEASE_3);
    world.device.flash.faults = bootRecordFails(1, 3);
    expect(statusName(core.imageConfirm())).toBe('BOOT');
    const next = boot(world);
    expect(next.core.stateRead(State.ON_TRIAL)).toBe(1);
    expect(await checkWithCut(world, next.core, Area.SLOT_A)).toBe(false);
    await recovers(world);
  });

  test('for ever: the trial cannot be counted, and the slot before runs', async () => {
    const { world } = await selected();
    world.device.flash.faults = NEVER;
    for (let boots = 0; boots < 10; boots++) expect(booted(world.device.flash, IMAGES)).toBe(0);
    const { core } = boot(world);
    world.repository.publish(RELEASE_3);
    expect(await checkWithCut(world, core, Area.SLOT_B)).toBe(false);
    await recovers(world);
  });
});

describe('power that fails between the record of the selection and the selection', () => {
  test('three times, the number of trials: no trial is lost', async () => {
    const world = new World();
    await world.update();
    world.repository.publish(RELEASE_2);
    let cuts = 0;
    world.device.power.watch = (operation, index) =>
      operation.type === 'write' && operation.area === BOOT_AREA && cuts++ < 3
        ? { operation: index, kind: 'before', units: 0 }
        : undefined;
    expect(statusName((await world.update()).status)).toBe('UP_TO_DATE');
    expect(world.device.power.cuts).toBe(3);
    expect(booted(world.device.flash, IMAGES)).toBe(1);
    expect(kept(world.device.powerOn()).release).toBe(2);
  });
});

describe('a slot that is selected is not written to', () => {
  test('by a core that the host starts again and again without a reboot', async () => {
    const { world, core } = await selected();
    for (let starts = 0; starts < 4; starts++) expect(statusName(core.coreStart())).toBe('OK');
    world.repository.publish(RELEASE_3);
    expect(await checkWithCut(world, core, Area.SLOT_B)).toBe(true);
    expect(booted(world.device.flash, IMAGES)).toBe(0);
    await recovers(world);
  });

  test('by a core that was told of a selection which took effect that it failed', async () => {
    const world = new World();
    await world.update();
    world.repository.publish(RELEASE_2);
    const { core } = boot(world, { boot: new Liar(new RecordedBoot(world.device.flash)) });
    expect(verdict(await check(world, core))).toBe('BOOT');
    world.repository.publish(RELEASE_3);
    world.clock.set(world.clock.seconds() + 4000);
    expect(await checkWithCut(world, core, Area.SLOT_B)).toBe(true);
    expect(booted(world.device.flash, IMAGES)).toBe(0);
    await recovers(world);
  });
});

/** A boot decision that selects, and says that it did not. */
class Liar implements BootControl {
  readonly #honest: BootControl;

  constructor(honest: BootControl) {
    this.#honest = honest;
  }

  get slots(): number {
    return this.#honest.slots;
  }

  get onTrial(): boolean {
    return this.#honest.onTrial;
  }

  select(slots: number): boolean {
    this.#honest.select(slots);
    return false;
  }

  confirm(): boolean {
    return this.#honest.confirm();
  }

  revert(): boolean {
    return this.#honest.revert();
  }
}

describe('the hardware counter cannot be raised', () => {
  /** A counter that fails so many times. */
  class Counter implements HardwareCounter {
    value = 1;
    fails: number;

    constructor(fails: number) {
      this.fails = fails;
    }

    read(): number {
      return this.value;
    }

    advance(value: number): boolean {
      if (this.fails-- > 0) return false;
      this.value = Math.max(this.value, value);
      return true;
    }
  }

  async function toConfirm(fails: number): Promise<{ world: World; core: Core; counter: Counter }> {
    const { world } = await selected();
    const counter = new Counter(fails);
    const { core } = boot(world, { counter });
    expect(verdict(await check(world, core))).toBe('self-test');
    expect(statusName(core.imageConfirm())).toBe('COUNTER');
    expect(counter.value).toBe(1);
    return { world, core, counter };
  }

  const fetchesImage = (world: World) =>
    world.network.requests.filter(({ path }) => path.startsWith('targets/')).length;

  test('once: confirming again raises it', async () => {
    const { world, core, counter } = await toConfirm(1);
    expect(statusName(core.imageConfirm())).toBe('OK');
    expect([counter.value, kept(core).security, kept(core).release]).toEqual([2, 2, 2]);
    expect(booted(world.device.flash, IMAGES)).toBe(1);
  });

  test('for some boots and checks: raised in the end, and the image is not installed again', async () => {
    const { world, counter } = await toConfirm(4);
    const before = fetchesImage(world);
    const verdicts: string[] = [];
    for (let boots = 0; boots < 4; boots++) {
      const { core } = boot(world, { counter });
      world.clock.set(world.clock.seconds() + 4000);
      world.repository.refresh();
      verdicts.push(verdict(await check(world, core)));
    }
    expect(verdicts.at(-1)).toBe('UP_TO_DATE');
    expect(counter.value).toBe(2);
    expect(fetchesImage(world)).toBe(before);
    expect(kept(boot(world, { counter }).core)).toMatchObject({ release: 2, security: 2 });
  });
});
