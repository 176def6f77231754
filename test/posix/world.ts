// A repository in memory and a device in a process of its own, with a twin of it in this process.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FolderDevice } from '../../cli/device/folder.ts';
import { Client, type ClientEvent } from '../../host/node/client.ts';
import type { Clock } from '../../host/node/clock.ts';
import { systemClock } from '../../host/node/clock.ts';
import {
  type FlashContents,
  type Geometry,
  type NorFlash,
  slotArea,
  uniformGeometry,
  withComponents,
} from '../../host/node/flash.ts';
import type { GatewayOptions } from '../../host/node/gateway.ts';
import type { DeviceConfiguration } from '../../host/node/provision.ts';
import { SimDevice } from '../../sim/device.ts';
import { SimNetwork } from '../../sim/network.ts';
import { DEVICE_PROGRAM, ProcessDevice } from '../../sim/process.ts';
import { type SimRelease, SimRepository } from '../../sim/repository.ts';
import { HARDWARE, image, START } from '../../sim/scenarios/world.ts';
import { memoryFolder, temporaryFolder } from '../fixtures/folders.ts';

/** Bytes of a file that one READ of the link brings: the twin gets them in the same pieces. */
const PIECE = 1020;

/** Units of one byte, as in the flash of small parts: a write then takes long enough to be killed in its midst. */
export const GEOMETRY = uniformGeometry({ block: 4096, unit: 1, erased: 0xff, bank: 32_768, slot: 65_536 });

/** The same of a device whose core is its component 1: slots of 32 blocks are those of a core. */
export const CORE_GEOMETRY = withComponents(GEOMETRY, 1).map((area, index) =>
  index < slotArea(1, 0) ? area : { blocks: Array.from({ length: 32 }, () => 4096), unit: 16, erased: 0xff },
);

/** What the factory put in slot A. */
export const FACTORY = release(0);

const FACTORY_CORE = { version: '1.0.0', releaseCounter: 1, securityCounter: 0 };

/** A release of the core. */
export function coreRelease(releaseCounter: number, image: Uint8Array): SimRelease {
  return { component: 'moult', version: `${releaseCounter}.0.0`, releaseCounter, image };
}

/** Stands still, so that two devices see the same time; what is waited for takes real time. */
const CLOCK: Clock = { now: () => START * 1000, after: systemClock.after };

/** The nth release: its image begins with the letter B (broken) or W (works). */
export function release(counter: number, works = true): SimRelease {
  const bytes = image(counter, 10_000 + 3001 * counter);
  bytes[0] = (works ? 'W' : 'B').charCodeAt(0);
  return { version: `1.${counter}.0`, releaseCounter: counter, securityCounter: counter, image: bytes };
}

export interface PosixWorldOptions {
  readonly selfTest?: string;
  /** The process makes its flash itself, of some megabytes: there is nothing in its slots. */
  readonly makesFlash?: true;
  /** Its core is a component, of which its slots hold none yet. */
  readonly coreSlots?: true;
  readonly seed?: number;
  readonly program?: string;
  readonly configuration?: Partial<DeviceConfiguration>;
  /** Where the gateway sends requests for the time. */
  readonly time?: Pick<GatewayOptions, 'timeServers' | 'timeExchange'>;
}

export interface TwinOptions {
  readonly onEvent?: (event: ClientEvent) => void;
  readonly selfTest?: (device: SimDevice) => boolean;
}

export class PosixWorld {
  readonly repository: SimRepository;
  readonly network: SimNetwork;
  readonly device: ProcessDevice;
  readonly #time;
  readonly #what;

  constructor(options: PosixWorldOptions = {}) {
    const { selfTest, makesFlash, coreSlots, seed = 1, program = DEVICE_PROGRAM } = options;
    this.repository = new SimRepository(() => START, seed);
    this.network = new SimNetwork(this.repository.source, CLOCK);
    this.network.conduct = () => ({ chunk: PIECE });
    this.#time = options.time;
    this.#what = {
      root: this.repository.root,
      image: FACTORY.image,
      geometry: coreSlots ? CORE_GEOMETRY : GEOMETRY,
      configuration: {
        hardwareId: HARDWARE,
        component: 'app',
        version: FACTORY.version,
        releaseCounter: FACTORY.releaseCounter,
        securityCounter: 0,
        buildTime: START - 1000,
        checkInterval: 3600,
        ...(coreSlots && { components: [{ component: 'moult', ...FACTORY_CORE }] }),
        ...options.configuration,
      },
    };
    this.device = new ProcessDevice({
      program,
      root: this.#what.root,
      configuration: this.#what.configuration,
      ...(!makesFlash && { factory: this.#what }),
      folder: join(makesFlash ? temporaryFolder() : memoryFolder(), 'device'),
      gateway: this.gateway,
      ...(selfTest !== undefined && { selfTest }),
    });
  }

  /** A device as the one in the process was when it left the factory, in this process on V8. */
  twin({ onEvent, selfTest }: TwinOptions = {}): SimDevice {
    const client = { ...this.gateway, ...(onEvent && { onEvent }) };
    return new SimDevice({ ...this.#what, client, entropy: this.#sameBytes, ...(selfTest && { selfTest }) });
  }

  /** Where the random bytes of a device stand that was killed before their record was complete. */
  randomAt = 0;

  /** Where those stand that the process was provisioned with: the first of its policy (kind 8, 32 bytes). */
  findRandom(flash = this.#flash()): number | undefined {
    const commit = flash.indexOf(Buffer.from([8, 0, 0, 0, 32, 0, 0, 0]));
    return commit < 0 ? undefined : commit + 32;
  }

  readonly #sameBytes = (bytes: Uint8Array): boolean => {
    const flash = this.#flash();
    const at = this.findRandom(flash) ?? this.randomAt;
    bytes.set(flash.subarray(at, at + bytes.length));
    return true;
  };

  #flash(): Buffer {
    return existsSync(this.device.flashPath) ? readFileSync(this.device.flashPath) : Buffer.alloc(0);
  }

  /** One check of a device of `moult device run`, in this process. */
  async runHere(device: FolderDevice): Promise<void> {
    const client = new Client(this.gateway);
    const powerOn = () => device.powerOn(client);
    await client.run({ powerOn, selfTest: () => true, wait: async () => false });
  }

  /** What the device reaches over its link, and the twin over HTTP. */
  get gateway() {
    return {
      metadataUrl: 'https://sim/metadata/',
      targetsUrl: 'https://sim/targets/',
      fetch: this.network.fetch,
      clock: CLOCK,
      ...this.#time,
    };
  }
}

/** What a device in this process is to find on its flash. */
export function contentsOf(bytes: Buffer, geometry: Geometry): FlashContents {
  let start = 0;
  return geometry.map(({ blocks }) =>
    blocks.map((length) => {
      start += length;
      return Uint8Array.from(bytes.subarray(start - length, start));
    }),
  );
}

/** The areas of a flash one after the other, as in its file. */
export function flashBytes(flash: NorFlash): Buffer {
  return Buffer.concat(
    flash.geometry.map((_, area) => {
      const bytes = new Uint8Array(flash.size(area));
      flash.read(area, 0, bytes);
      return bytes;
    }),
  );
}
