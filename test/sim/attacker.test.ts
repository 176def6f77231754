import { beforeEach, describe, expect, test } from 'vitest';
import { Role, State, Status } from '../../host/node/abi.ts';
import { Attacker } from '../../sim/attacker.ts';
import { HARDWARE, image, RELEASE_1, RELEASE_2, World } from '../../sim/scenarios/world.ts';

const DAY = 86_400;

let world: World;
let attacker: Attacker;

beforeEach(async () => {
  world = new World();
  attacker = new Attacker(world.network);
  await check();
  world.repository.publish({ ...RELEASE_1, version: '1.0.1', releaseCounter: 1 });
  world.clock.set(world.clock.seconds() + 3600);
  await check();
});

/** One check of the device; what it says, and of which role. */
async function check(): Promise<readonly [number, number]> {
  const { status, role } = await world.update();
  return [status, role];
}

/** Release 2 is there to be had, and the device does not get it. */
async function attacked(attack: () => void): Promise<readonly [number, number]> {
  world.clock.set(world.clock.seconds() + 3600);
  world.repository.publish(RELEASE_2);
  attack();
  const said = await check();
  expect(world.device.running(RELEASE_1.image.length)).toEqual(RELEASE_1.image);
  return said;
}

async function recovers(): Promise<void> {
  attacker.stop();
  world.repository.refresh();
  expect(await check()).toEqual([Status.UP_TO_DATE, Role.NONE]);
  expect(world.device.running(RELEASE_2.image.length)).toEqual(RELEASE_2.image);
  expect(world.device.powerOn().stateRead(State.SECURITY_COUNTER)).toBe(RELEASE_2.securityCounter);
}

describe('what a device says to an attacker who owns the network, and that it recovers', () => {
  test('[CERT-I-1] a tampered image', async () => {
    expect(await attacked(() => attacker.tamperImages())).toEqual([Status.IMAGE_MISMATCH, Role.IMAGE]);
    await recovers();
  });

  test('[CERT-I-1] the image of another board, or of an attacker, under the right name', async () => {
    const other = image(9, RELEASE_2.image.length);
    expect(await attacked(() => attacker.replaceImages(other))).toEqual([Status.IMAGE_MISMATCH, Role.IMAGE]);
    await recovers();
  });

  test.each([
    ['timestamp', Status.SIGNATURES, Role.TIMESTAMP],
    ['snapshot', Status.HASH_MISMATCH, Role.SNAPSHOT],
    ['targets', Status.HASH_MISMATCH, Role.TARGETS],
  ] as const)('[CERT-I-1] tampered %s metadata', async (role, status, said) => {
    expect(await attacked(() => attacker.tamperMetadata(role))).toEqual([status, said]);
    await recovers();
  });

  test('[CERT-I-1] tampered root metadata', async () => {
    expect(
      await attacked(() => {
        world.repository.rotate('root');
        attacker.tamperMetadata('root');
      }),
    ).toEqual([Status.SIGNATURES, Role.ROOT]);
    await recovers();
  });

  test('[TUF-6] rollback to older metadata', async () => {
    expect(await attacked(() => attacker.rollBack())).toEqual([Status.ROLLBACK, Role.TIMESTAMP]);
    await recovers();
  });

  test('[TUF-7] freeze: nothing new, until what is served expires', async () => {
    expect(await attacked(() => attacker.freeze())).toEqual([Status.UP_TO_DATE, Role.NONE]);
    world.clock.set(world.clock.seconds() + 2 * DAY);
    expect(await check()).toEqual([Status.EXPIRED, Role.TIMESTAMP]);
    await recovers();
  });

  test('[TUF-7] freeze: setting the clock back does not take known time back', async () => {
    const known = () => world.device.powerOn().stateRead(State.LATEST_TIME);
    const before = known();
    expect(before).toBe(world.clock.seconds());
    world.clock.set(1000);
    expect(await check()).toEqual([Status.UP_TO_DATE, Role.NONE]);
    expect(known()).toBe(before);
  });

  test.each([
    ['snapshot', Role.SNAPSHOT],
    ['targets', Role.TARGETS],
  ] as const)('mix-and-match: an older %s below a newer timestamp', async (role, said) => {
    const [status, found] = await attacked(() => attacker.mixAndMatch(role));
    expect([Status.HASH_MISMATCH, Status.LENGTH_MISMATCH]).toContain(status);
    expect(found).toBe(said);
    await recovers();
  });

  test.each([
    ['timestamp', Role.TIMESTAMP],
    ['snapshot', Role.SNAPSHOT],
    ['targets', Role.TARGETS],
    ['image', Role.IMAGE],
  ] as const)('[CERT-C-6] endless data as %s', async (what, said) => {
    expect(await attacked(() => attacker.endlessData(what))).toEqual([Status.TOO_LONG, said]);
    expect(world.network.requests.at(-1)?.sent).toBeLessThan(100_000);
    await recovers();
  });

  test('[CERT-C-6] slow retrieval ends within a minute', async () => {
    let begun = 0;
    const said = await attacked(() => {
      begun = world.clock.seconds();
      attacker.slowRetrieval(1);
    });
    expect(said).toEqual([Status.NETWORK, Role.TIMESTAMP]);
    expect(world.clock.seconds() - begun).toBeLessThan(60);
    await recovers();
  });

  test('a stolen timestamp key cannot bring an older snapshot back', async () => {
    const expires = world.clock.seconds() + 365 * DAY;
    expect(await attacked(() => attacker.useTimestampKeys(world.repository.keys.timestamp, expires))).toEqual(
      [Status.SNAPSHOT_ROLLBACK, Role.TIMESTAMP],
    );
    await recovers();
  });

  test('[TUF-8] a release for other hardware only is not installed, and is told apart from no release', async () => {
    world.repository.publish({ ...RELEASE_2, hardwareIds: [`${HARDWARE}-other`], releaseCounter: 5 });
    expect(await check()).toEqual([Status.NOT_FOR_HARDWARE, Role.NONE]);
  });
});
