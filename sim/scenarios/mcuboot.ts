// A device whose bootloader is MCUboot, as far as the simulation has it: what a power cut may hit in trailers and swaps.
import { equal, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Area, State, Status } from '../../host/node/abi.ts';
import { type FlashDriver, type Geometry, NorFlash } from '../../host/node/flash.ts';
import { McubootBoot } from '../../host/node/mcuboot.ts';
import { SimClock } from '../clock.ts';
import { SimDevice } from '../device.ts';
import { mcubootStart, reservedFor } from '../mcuboot.ts';
import { SimNetwork } from '../network.ts';
import type { Scenario } from '../powercut.ts';
import { Random } from '../random.ts';
import { SimRepository } from '../repository.ts';
import { HARDWARE, START } from './world.ts';

const HEADER = 32;

/** An image of MCUboot that nobody has signed: header, payload, and its hash as the one field. */
export function plainImage(payload: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(0x96f3b83d, 0);
  header.writeUInt16LE(HEADER, 8);
  header.writeUInt32LE(payload.length, 12);
  const covered = Buffer.concat([header, payload]);
  const fields = Buffer.from([0x07, 0x69, 40, 0, 0x10, 0, 32, 0]);
  return Buffer.concat([covered, fields, createHash('sha256').update(covered).digest()]);
}

/** A boot: the bootloader, then what the image that it starts finds. */
export function mcuboot(flash: FlashDriver): McubootBoot {
  mcubootStart(flash);
  return new McubootBoot(flash, reservedFor(flash));
}

export interface McubootSetting {
  readonly geometry: Geometry;
  /** Bytes of the images' payloads, of the factory's and of the new one. */
  readonly payloads?: readonly [number, number];
  /** Whether the new image works. */
  readonly works?: boolean;
  readonly boot?: (flash: FlashDriver) => McubootBoot;
}

export class McubootWorld {
  readonly clock = new SimClock(START);
  readonly repository = new SimRepository(() => this.clock.seconds(), 1);
  readonly images: readonly [Buffer, Buffer];
  readonly device: SimDevice;

  constructor({ geometry, payloads = [3000, 2500], works = true, boot = mcuboot }: McubootSetting) {
    this.images = [image(1, payloads[0]), image(2, payloads[1])];
    this.publish(1);
    this.device = new SimDevice({
      root: this.repository.root,
      image: this.images[0],
      configuration: {
        hardwareId: HARDWARE,
        component: 'app',
        version: '1.0.0',
        releaseCounter: 1,
        securityCounter: 0,
        imageFormat: 'mcuboot',
        buildTime: START - 1000,
        checkInterval: 3600,
      },
      client: {
        metadataUrl: 'https://sim/metadata/',
        targetsUrl: 'https://sim/targets/',
        fetch: new SimNetwork(this.repository.source, this.clock).fetch,
        clock: this.clock,
      },
      geometry,
      boot,
      selfTest: () => works,
    });
  }

  /** The second release has the second image. */
  publish(releaseCounter: number, which = releaseCounter): void {
    const image = this.images[which === 1 ? 0 : 1];
    this.repository.publish({ version: `1.${releaseCounter}.0`, releaseCounter, securityCounter: 0, image });
  }

  update(): ReturnType<SimDevice['update']> {
    return this.clock.run(this.device.update());
  }

  /** Which of the images runs, whole: 1 or 2. */
  running(): number {
    const { device, images } = this;
    const found = images.findIndex((bytes) => Buffer.compare(device.running(bytes.length), bytes) === 0);
    ok(found >= 0, 'what runs is none of the images');
    return found + 1;
  }
}

/** For `npm run sweep`: images of a block or two, because each block of them is written three times. */
export const MCUBOOT_SCENARIOS: Readonly<
  Record<string, (setting: { geometry: Geometry }) => Promise<Scenario>>
> = {
  'an update under MCUboot': ({ geometry }) => mcubootScenario({ geometry, payloads: SHORT }),
  'an update under MCUboot that fails': ({ geometry }) =>
    mcubootScenario({ geometry, payloads: SHORT, works: false }),
};

const SHORT = [900, 800] as const;
/** Bytes of a slot that such an image needs. */
const ROOM = 1024;
/** The largest write unit that trailers of MCUboot have here. */
const MOST_UNIT = 8;

/** Whether slots are as its swaps need them: blocks that are alike, with some for the trailer and one to move up into. */
export function fitsMcuboot(geometry: Geometry): boolean {
  const { blocks, unit } = geometry[Area.SLOT_A] ?? { blocks: [], unit: 0 };
  const isUniform = blocks.length > 0 && blocks.every((size) => size === blocks[0]);
  if (!isUniform || unit > MOST_UNIT) return false;
  const flash = new NorFlash(geometry);
  return flash.size(Area.SLOT_A) - reservedFor(flash) >= ROOM;
}

/** An update that is confirmed, or that fails its self-test and is swapped back. */
export async function mcubootScenario(setting: McubootSetting): Promise<Scenario> {
  const world = new McubootWorld(setting);
  const { works = true } = setting;
  equal((await world.update()).status, Status.UP_TO_DATE);
  world.publish(2);
  return {
    device: world.device,
    async run() {
      const { status } = await world.update();
      const expected: readonly number[] = works
        ? [Status.UP_TO_DATE]
        : [Status.SELF_TEST_FAILED, Status.RELEASE_FAILED_BEFORE];
      ok(expected.includes(status), `status ${status}`);
    },
    afterCut(device) {
      const core = device.powerOn();
      const confirmed = core.stateRead(State.ON_TRIAL) === 1 ? 1 : world.running();
      ok(core.stateRead(State.INSTALLED_RELEASE) <= confirmed, 'release counter above the confirmed image');
    },
    atEnd(device) {
      const core = device.powerOn();
      equal(world.running(), works ? 2 : 1, 'the image that runs');
      equal(core.stateRead(State.ON_TRIAL), 0, 'on trial');
      equal(core.stateRead(State.INSTALLED_RELEASE), works ? 2 : 1, 'release counter');
    },
  };
}

function image(seed: number, length: number): Buffer {
  return plainImage(new Random(seed).bytes(length));
}
