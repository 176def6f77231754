// What a power cut may hit when a device updates its own core, together with its application.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Area, State } from '../../host/node/abi.ts';
import type { Geometry } from '../../host/node/flash.ts';
import { projectRoot } from '../../host/node/root.ts';
import { coreImage, withHeader } from '../../repo/index.ts';
import type { SimDevice } from '../device.ts';
import type { Scenario } from '../powercut.ts';
import type { Setting } from './powercuts.ts';
import { RELEASE_2, World } from './world.ts';

export const CORE = readFileSync(join(projectRoot(), 'build/moult.wasm'));

/** The same core, other bytes: a custom section more, which no engine looks at. */
export function named(name: string): Uint8Array {
  const text = Buffer.from(name);
  return Buffer.concat([CORE, Buffer.from([0, text.length + 1, text.length]), text]);
}

/** Each writes six times as much as an install of the others. */
export const CORE_SCENARIOS: Readonly<Record<string, (setting: Setting) => Promise<Scenario>>> = {
  'an update of the core': (setting) => coreUpdate(setting, coreImage(named('second')), true),
  'an update to a core of another ABI': (setting) =>
    coreUpdate(setting, withHeader(named('second'), 0), false),
};

/** The application and the core, which is component 1. */
const BOTH = 0b11;

/** After each cut both are old or both are new, whole, and a core runs. At the end both are new, if the core works. */
export async function coreUpdate(setting: Setting, core: Uint8Array, works: boolean): Promise<Scenario> {
  const geometry = withRoom(setting.geometry, core.length);
  const world = new World({ ...setting, geometry, components: { moult: new Uint8Array() } });
  await world.update();
  world.repository.publish(RELEASE_2, {
    component: 'moult',
    version: '2.0.0',
    releaseCounter: 2,
    image: core,
  });
  const images = [RELEASE_2.image, core];
  return {
    device: world.device,
    async run() {
      world.network.requests.length = 0;
      await world.update();
    },
    afterCut(device) {
      const { slots, releases, onTrial } = boot(device);
      ok(slots === 0 || slots === BOTH, `a mix runs: ${slots.toString(2)}`);
      if (slots === BOTH) checkWhole(device, images);
      deepEqual(releases, slots === 0 || onTrial ? [1, 1] : [2, 2], 'what is confirmed');
      if (!works) ok(slots === 0 || onTrial, 'a core that cannot run is confirmed');
    },
    atEnd(device) {
      const { slots, releases } = boot(device);
      equal(slots, works ? BOTH : 0, 'slots');
      deepEqual(releases, works ? [2, 2] : [1, 1], 'what is confirmed');
    },
  };
}

/** As many blocks of a slot as such an image needs, of the sizes that slots have there. */
function withRoom(geometry: Geometry, length: number): Geometry {
  const { blocks = [], unit = 1, erased = 0xff } = geometry[Area.SLOT_A] ?? {};
  const enough: number[] = [];
  for (let room = 0; room < length; room += enough.at(-1) ?? length)
    enough.push(blocks[enough.length % blocks.length] ?? length);
  const slot = { blocks: enough, unit, erased };
  return geometry.with(Area.SLOT_A, slot).with(Area.SLOT_B, slot);
}

/** What runs, which releases are confirmed, and whether what runs is one of them. */
function boot(device: SimDevice): { slots: number; releases: number[]; onTrial: boolean } {
  const core = device.powerOn();
  const releases = core.components().map(({ releaseCounter }) => releaseCounter);
  return { slots: device.slots, releases, onTrial: core.stateRead(State.ON_TRIAL) === 1 };
}

function checkWhole(device: SimDevice, images: readonly Uint8Array[]): void {
  for (const [component, image] of images.entries())
    equal(
      Buffer.compare(device.running(image.length, component), image),
      0,
      `component ${component} is not whole`,
    );
}
