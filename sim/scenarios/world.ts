// A repository, a network and one device, all simulated: what most scenarios start from.
import type { ClientEvent } from '../../host/node/client.ts';
import type { Sha256Compress } from '../../host/node/core.ts';
import { type Geometry, withComponents } from '../../host/node/flash.ts';
import type { DeviceConfiguration, DeviceKey } from '../../host/node/provision.ts';
import { SimClock } from '../clock.ts';
import { type BootDecision, GEOMETRY, SimDevice } from '../device.ts';
import { SimNetwork } from '../network.ts';
import { Random } from '../random.ts';
import { SimRepository } from '../repository.ts';

export interface WorldOptions {
  readonly geometry?: Geometry;
  readonly boot?: BootDecision;
  readonly hardwareCounter?: boolean;
  readonly sha256Compress?: Sha256Compress;
  readonly key?: DeviceKey;
  /** Whether the image on trial works, by its first byte. */
  readonly selfTest?: (device: SimDevice) => boolean;
  readonly onEvent?: (event: ClientEvent) => void;
  /** Components beside the main one, with the image that each has from the factory: its release 1. */
  readonly components?: Readonly<Record<string, Uint8Array>>;
  /** What else the device is configured with, or otherwise. */
  readonly configuration?: Partial<DeviceConfiguration>;
  readonly seed?: number;
  /** Another build of the core than the one that ships. */
  readonly module?: WebAssembly.Module;
  readonly onCoreFailure?: (error: unknown) => void;
}

/** 2030-01-01. */
export const START = 1_893_456_000;
export const HARDWARE = 'sim';

export const RELEASE_1 = { version: '1.0.0', releaseCounter: 1, securityCounter: 1, image: image(1, 12_000) };
export const RELEASE_2 = { version: '1.1.0', releaseCounter: 2, securityCounter: 2, image: image(2, 10_001) };

/** How a device that runs release 1 leaves the factory. */
export const CONFIGURATION: DeviceConfiguration = {
  hardwareId: HARDWARE,
  component: 'app',
  version: RELEASE_1.version,
  releaseCounter: RELEASE_1.releaseCounter,
  securityCounter: RELEASE_1.securityCounter,
  buildTime: START - 1000,
  checkInterval: 3600,
};

/** What a component beside the main one has from the factory. */
const FACTORY = { version: '1.0.0', releaseCounter: 1, securityCounter: 0 };

export class World {
  readonly clock = new SimClock(START);
  readonly repository: SimRepository;
  readonly network: SimNetwork;
  readonly device: SimDevice;

  /** The device runs release 1, which the repository has published. */
  constructor(options: WorldOptions = {}) {
    const {
      seed = 1,
      geometry,
      boot,
      hardwareCounter,
      sha256Compress,
      key,
      selfTest,
      onEvent,
      module,
      onCoreFailure,
    } = options;
    const more = Object.entries(options.components ?? {});
    const layout = withComponents(geometry ?? GEOMETRY, more.length);
    this.repository = new SimRepository(() => this.clock.seconds(), seed);
    this.repository.publish(RELEASE_1);
    this.network = new SimNetwork(this.repository.source, this.clock);
    this.device = new SimDevice({
      root: this.repository.root,
      image: RELEASE_1.image,
      configuration: {
        ...CONFIGURATION,
        ...(more.length > 0 && { components: more.map(([component]) => ({ component, ...FACTORY })) }),
        ...options.configuration,
      },
      more: more.map(([, image]) => image),
      client: {
        metadataUrl: 'https://sim/metadata/',
        targetsUrl: 'https://sim/targets/',
        fetch: this.network.fetch,
        clock: this.clock,
        ...(onEvent && { onEvent }),
      },
      seed,
      ...(boot && { boot }),
      geometry: layout,
      ...(hardwareCounter !== undefined && { hardwareCounter }),
      ...(sha256Compress && { sha256Compress }),
      ...(key && { key }),
      ...(selfTest && { selfTest }),
      ...(module && { module }),
      ...(onCoreFailure && { onCoreFailure }),
    });
  }

  /** One check of the device with all that follows from it. */
  update(): ReturnType<SimDevice['update']> {
    return this.clock.run(this.device.update());
  }
}

/** Bytes that look like nothing else. */
export function image(seed: number, length: number): Uint8Array {
  return new Random(seed).bytes(length);
}
