// The key that payloads are encrypted for: given or made when a device is provisioned, and kept.
import { expect, test } from 'vitest';
import { Part, State, Status } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import { Core } from '../../host/node/core.ts';
import { encryptionPublicKey } from '../../repo/index.ts';
import type { SimDevice } from '../../sim/device.ts';
import { Random } from '../../sim/random.ts';
import { RELEASE_2, World } from '../../sim/scenarios/world.ts';

const KEY = new Random(41).bytes(32);

/** A core on empty flash that has its configuration, and random bytes of a board's own. */
function configured(device: SimDevice, entropy = (_: Uint8Array) => false): Core {
  device.power.on();
  const core = new Core({ flash: device.flash, boot: new RecordedBoot(device.flash), entropy });
  core.coreStart();
  const configuration = {
    hardwareId: 'sim',
    component: 'app',
    version: '1',
    releaseCounter: 1,
    securityCounter: 1,
  };
  expect(core.provisionBegin(Part.CONFIG)).toBe(Status.OK);
  core.provisionWrite(
    new TextEncoder().encode(JSON.stringify({ ...configuration, buildTime: 1, checkInterval: 60 })),
  );
  expect(core.provisionEnd()).toBe(Status.OK);
  return core;
}

function give(core: Core, ...parts: readonly Uint8Array[]): number {
  let status = core.provisionBegin(Part.KEY);
  for (const part of parts) if (status >= 0) status = core.provisionWrite(part);
  return status < 0 ? status : core.provisionEnd();
}

test('a key that is given survives reboots, updates and moves of the trust store; its public key can be read', async () => {
  const world = new World({ key: KEY });
  world.repository.publish(RELEASE_2);
  await world.update();
  for (let time = 0; time < 60; time++) {
    world.clock.set(world.clock.seconds() + 4000);
    world.repository.refresh();
    await world.update();
  }
  const core = world.device.powerOn();
  expect(core.stateRead(State.INSTALLED_RELEASE)).toBe(2);
  expect(Buffer.from(core.publicKeyRead())).toEqual(Buffer.from(encryptionPublicKey(KEY)));
});

test('a key may come in pieces; it must have 32 bytes, and not be one byte again and again', () => {
  const { device } = new World();
  const core = configured(device);
  expect(give(core, KEY.subarray(0, 31))).toBe(Status.BAD_ARGUMENT);
  expect(give(core, KEY, Uint8Array.of(1))).toBe(Status.BAD_ARGUMENT);
  expect(give(core, new Uint8Array(32))).toBe(Status.BAD_ARGUMENT);
  expect(give(core, new Uint8Array(32).fill(255))).toBe(Status.BAD_ARGUMENT);
  expect(core.publicKeyRead()).toHaveLength(0);
  expect(give(core, KEY.subarray(0, 5), KEY.subarray(5))).toBe(Status.OK);
  expect(Buffer.from(core.publicKeyRead())).toEqual(Buffer.from(encryptionPublicKey(KEY)));
});

test('without one the core makes its own, of random numbers of the board; where it has none, it says so', () => {
  const { device } = new World();
  expect(give(configured(device))).toBe(Status.KEY_MISSING);
  const random = (bytes: Uint8Array) => {
    bytes.set(KEY);
    return true;
  };
  const core = configured(new World().device, random);
  expect(give(core)).toBe(Status.OK);
  expect(Buffer.from(core.publicKeyRead())).toEqual(Buffer.from(encryptionPublicKey(KEY)));
});

test('[CERT-C-1] a key cannot be given before the configuration, nor to a device that has its root', async () => {
  const world = new World();
  const core = world.device.powerOn();
  expect(core.provisionBegin(Part.KEY)).toBe(Status.ALREADY_PROVISIONED);
  const fresh = new World().device;
  fresh.power.on();
  const empty = new Core({ flash: fresh.flash, boot: new RecordedBoot(fresh.flash) });
  empty.coreStart();
  expect(empty.provisionBegin(Part.KEY)).toBe(Status.WRONG_STATE);
});
