// A device in this process: flash, boot record, counter, the real core and its client.
import { type BootControl, RecordedBoot } from '../host/node/boot.ts';
import { Client, type ClientOptions, type Outcome } from '../host/node/client.ts';
import { Core, type Entropy, type HardwareCounter, type Sha256Compress } from '../host/node/core.ts';
import { CoreSlots, coreComponent } from '../host/node/coreslots.ts';
import {
  type FlashContents,
  type FlashDriver,
  type Geometry,
  programArea,
  slotArea,
  uniformGeometry,
} from '../host/node/flash.ts';
import {
  type ClientConfiguration,
  type DeviceConfiguration,
  type DeviceKey,
  provision,
} from '../host/node/provision.ts';

import { SimFlash } from './flash.ts';
import { type Operation, Power, PowerCut } from './power.ts';
import { Random } from './random.ts';

export interface SimDeviceOptions {
  readonly root: Uint8Array;
  /** Of an ECU that looks to a Director too. */
  readonly directorRoot?: Uint8Array;
  readonly configuration: DeviceConfiguration | ClientConfiguration;
  /** What is in slot A when it leaves the factory. */
  readonly image: Uint8Array;
  /** The same for components 1, 2 …, in their slots A. */
  readonly more?: readonly Uint8Array[];
  readonly client: ClientOptions;
  readonly geometry?: Geometry;
  /** Who makes the boot decision: the boot record when left out. */
  readonly boot?: BootDecision;
  /** The board keeps the security counter itself. */
  readonly hardwareCounter?: boolean;
  /** Of a device that payloads are encrypted for. */
  readonly key?: DeviceKey;
  /** The board hashes blocks for the core. */
  readonly sha256Compress?: Sha256Compress;
  /** Left out: random bytes from the seed, the same after each boot. */
  readonly entropy?: Entropy;
  /** Whether an image on trial works; every one does when left out. */
  readonly selfTest?: (device: SimDevice) => boolean;
  readonly seed?: number;
  /** Another build of the core than the one that ships. */
  readonly module?: WebAssembly.Module;
  /** Hears why a core in a slot was given up: of a device with a component `moult`. */
  readonly onCoreFailure?: (error: unknown) => void;
}

/** Called at each boot. */
export type BootDecision = (flash: FlashDriver) => BootControl;

/** 4 KiB blocks, banks that hold the longest timestamp that is read, slots of 64 KiB. */
export const GEOMETRY = uniformGeometry({ block: 4096, unit: 4, erased: 0xff, bank: 32_768, slot: 65_536 });

/** More than any update takes, power cuts included. */
const BOOTS = 200;

export class SimDevice {
  readonly power = new Power();
  readonly flash: SimFlash;
  readonly #options: SimDeviceOptions;
  readonly #client: Client;
  readonly #counter: SimCounter | undefined;
  readonly #core: CoreSlots;

  constructor(options: SimDeviceOptions) {
    this.#options = options;
    this.flash = new SimFlash(options.geometry ?? GEOMETRY, this.power, options.seed ?? 1);
    this.#counter = options.hardwareCounter ? new SimCounter(this.power) : undefined;
    this.#client = new Client(options.client);
    const { configuration, root, key, directorRoot, onCoreFailure } = options;
    this.#core = new CoreSlots({
      flash: this.flash,
      component: 'components' in configuration ? coreComponent(configuration.components) : undefined,
      decide: () => options.boot?.(this.flash) ?? new RecordedBoot(this.flash),
      open: (boot, module) => this.#open(boot, module),
      start: (core) => this.#client.start(core),
      provision: (core) => provision(core, configuration, root, key, directorRoot),
      ...(onCoreFailure && { onFailure: onCoreFailure }),
    });
    [options.image, ...(options.more ?? [])].forEach((image, component) => {
      programArea(this.flash, slotArea(component, 0), image);
    });
  }

  /** Boots: a fresh core over what the flash holds, provisioned when that is still to be done. */
  powerOn(): Core {
    this.power.on();
    return this.#core.powerOn();
  }

  #open(boot: BootControl, module = this.#options.module): Core {
    const counter = this.#counter && { counter: this.#counter };
    const { sha256Compress, entropy = seededEntropy(this.#options.seed ?? 1) } = this.#options;
    const hash = sha256Compress && { sha256Compress };
    return new Core({ flash: boot.flash ?? this.flash, boot, entropy, ...counter, ...hash }, module);
  }

  /** One check with all that follows from it: install, reboot, self-test, confirm. A power cut costs a boot. */
  async update(): Promise<Outcome & { action: 'wait' }> {
    let boots = 0;
    const powerOn = () => {
      if (++boots > BOOTS) throw new Error(`the device has booted ${BOOTS} times and does not come to rest`);
      return this.powerOn();
    };
    for (;;) {
      try {
        return await this.#client.run({
          powerOn,
          failed: (error) => this.#core.giveUp(error),
          selfTest: () => this.#options.selfTest?.(this) ?? true,
          wait: async () => false,
        });
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
      }
    }
  }

  /** The slots that run since the last boot, bit k set when component k runs in its slot B. */
  get slots(): number {
    return this.#core.boot?.slots ?? 0;
  }

  /** The first bytes of what runs of a component, the main one when left out. */
  running(length: number, component = 0): Uint8Array {
    const bytes = new Uint8Array(length);
    const flash = this.#core.boot?.flash ?? this.flash;
    flash.read(slotArea(component, (this.slots >> component) & 1), 0, bytes);
    return bytes;
  }

  /** Does an operation of an earlier run once more. */
  repeat(operation: Operation): void {
    if (operation.type === 'write') this.flash.write(operation.area, operation.offset, operation.data);
    else if (operation.type === 'erase') this.flash.erase(operation.area, operation.offset, operation.length);
    else this.#counter?.advance(operation.value);
  }

  /** All that outlives a power cut. */
  snapshot(): DeviceContents {
    return { flash: this.flash.snapshot(), counter: this.#counter?.read() ?? 0 };
  }

  restore({ flash, counter }: DeviceContents): void {
    this.flash.restore(flash);
    this.#counter?.restore(counter);
  }
}

export interface DeviceContents {
  readonly flash: FlashContents;
  readonly counter: number;
}

/** A generator that can be replayed. */
function seededEntropy(seed: number): Entropy {
  const random = new Random(seed);
  return (bytes) => {
    bytes.set(random.bytes(bytes.length));
    return true;
  };
}

/** A counter in fuses: it only rises, and a power cut leaves the old or the new value. */
class SimCounter implements HardwareCounter {
  readonly #power: Power;
  #value = 0;

  constructor(power: Power) {
    this.#power = power;
  }

  read(): number {
    return this.#value;
  }

  advance(value: number): boolean {
    const raise = () => {
      this.#value = Math.max(this.#value, value);
    };
    this.#power.operate({ type: 'counter', value }, raise, raise);
    return true;
  }

  restore(value: number): void {
    this.#value = value;
  }
}
