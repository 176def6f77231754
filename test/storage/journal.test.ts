// Faults of the flash under the journal: where an install stands is not forgotten.
import { expect, test } from 'vitest';
import { Area, State } from '../../host/node/abi.ts';
import { RELEASE_2, World } from '../../sim/scenarios/world.ts';
import { boot, check, cutBefore, kept, statusName, untilCut, verdict } from '../fixtures/by-hand.ts';

test('entries that cannot be written, one after the other, and a power cut then lose nothing that is recorded', async () => {
  for (let fails = 1; fails < 6; fails++) {
    const world = new World();
    await world.update();
    world.repository.publish(RELEASE_2);
    await check(world, boot(world).core);
    const { core } = boot(world);
    expect(verdict(await check(world, core))).toBe('self-test');
    world.device.flash.faults = { write: (area, _, data) => area !== Area.JOURNAL && data };
    for (let tries = 0; tries < fails; tries++) expect(statusName(core.imageConfirm())).toBe('FLASH_WRITE');
    world.device.flash.faults = {};
    cutBefore(world.device, 'write', Area.JOURNAL);
    expect(await untilCut(world.device, () => core.imageConfirm())).toBe(true);
    const next = boot(world);
    expect(next.core.stateRead(State.CANDIDATE_RELEASE), `after ${fails} failed entries`).toBe(2);
    expect(verdict(await check(world, next.core))).toBe('self-test');
    expect(statusName(next.core.imageConfirm())).toBe('OK');
    expect(kept(boot(world).core).release).toBe(2);
  }
});

test('an entry that is not whole is noticed, and the install is still known at the next boot', async () => {
  const world = new World();
  await world.update();
  world.repository.publish(RELEASE_2);
  await check(world, boot(world).core);
  const { core } = boot(world);
  let fired = false;
  world.device.flash.faults = {
    write: (area, _, data) => {
      if (area !== Area.JOURNAL || fired) return data;
      fired = true;
      return data.map((byte, at) => (at === 20 ? 0xff : byte));
    },
  };
  expect(verdict(await check(world, core))).toBe('self-test');
  expect(statusName(core.imageConfirm())).toBe('FLASH_VERIFY');
  const next = boot(world);
  expect(next.core.stateRead(State.CANDIDATE_RELEASE)).toBe(2);
  expect(verdict(await check(world, next.core))).toBe('self-test');
  expect(statusName(next.core.imageConfirm())).toBe('OK');
});
