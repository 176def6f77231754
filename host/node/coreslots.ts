// The core as a component of the device that it updates: which one runs, and what becomes of one that cannot
// (docs/decisions/0020-core-slots.md).
import type { BootControl } from './boot.ts';
import type { Core } from './core.ts';
import { readCoreImage } from './coreimage.ts';
import { engine } from './engine.ts';
import { HostError, StatusError } from './errors.ts';
import { type FlashDriver, slotArea } from './flash.ts';

/** The component that the core is. */
export const CORE_NAME = 'moult';

/** What a core may be the cause of: a trap, a stack that overflows, an export that it lacks, and all that hosts say of cores.
 * Anything else is the board's, such as power that has failed. */
const FAULTS = [HostError, StatusError, engine.RuntimeError, RangeError, TypeError];

/** What a device does to have a core. */
export interface CoreSlotsOptions {
  readonly flash: FlashDriver;
  /** Number of the component that the core is; undefined: it is part of the host. */
  readonly component: number | undefined;
  /** Makes the boot decision, once for each boot. */
  readonly decide: () => BootControl;
  /** A core of this module; undefined: of that which the host came with. */
  readonly open: (boot: BootControl, module: WebAssembly.Module | undefined) => Core;
  /** Starts it. False: the device is not provisioned. */
  readonly start: (core: Core) => boolean;
  readonly provision: (core: Core) => void;
  /** Hears why a core in a slot was given up. */
  readonly onFailure?: (error: unknown) => void;
}

/** The number of the core among the components beside the main one, as a configuration lists them. */
export function coreComponent(
  components: readonly { readonly component: string }[] = [],
): number | undefined {
  const index = components.findIndex(({ component }) => component === CORE_NAME);
  return index < 0 ? undefined : index + 1;
}

export class CoreSlots {
  readonly #options: CoreSlotsOptions;
  #boot: BootControl | undefined;

  constructor(options: CoreSlotsOptions) {
    this.#options = options;
  }

  /** The decision of the last boot. */
  get boot(): BootControl | undefined {
    return this.#boot;
  }

  /** Boots until a core runs: each one that fails on trial costs a boot, and the one before it returns. */
  powerOn(): Core {
    for (;;) {
      const boot = this.#options.decide();
      this.#boot = boot;
      try {
        return this.#started(boot);
      } catch (error) {
        if (!this.giveUp(error)) throw error;
      }
    }
  }

  /** Ends the trial of a core that has failed. True: the device is to boot again. False: there is no trial to end. */
  giveUp(error: unknown): boolean {
    if (this.#options.component === undefined || !this.#boot?.onTrial) return false;
    if (!FAULTS.some((fault) => error instanceof fault)) return false;
    // Where the flash does not take it the trial goes on, and ends by its count of boots.
    this.#boot.revert();
    this.#options.onFailure?.(error);
    return true;
  }

  #started(boot: BootControl): Core {
    const { open, start, provision } = this.#options;
    const core = open(boot, this.#module(boot));
    if (start(core)) return core;
    // A core that came by an update and does not find the trust of its device must not be given the first one again:
    // that would be a rollback to the factory's root.
    if (this.#options.component !== undefined && (boot.onTrial || boot.slots !== 0))
      throw new HostError('module-unusable', 'this core does not know the device as provisioned');
    provision(core);
    return core;
  }

  #module(boot: BootControl): WebAssembly.Module | undefined {
    const { flash, component } = this.#options;
    if (component === undefined) return undefined;
    const slot = (boot.slots >> component) & 1;
    try {
      return moduleIn(flash, slotArea(component, slot), slot);
    } catch (error) {
      if (boot.onTrial || !(error instanceof HostError) || error.code !== 'module-unusable') throw error;
      // Confirmed, and lost since. Not the other slot: that may hold what was downloaded and never verified.
      this.#options.onFailure?.(error);
      return undefined;
    }
  }
}

function moduleIn(flash: FlashDriver, area: number, slot: number): WebAssembly.Module | undefined {
  const bytes = readCoreImage(flash, area);
  if (bytes) return compile(bytes, area);
  // The factory leaves slot A empty; slot B is selected only after an image was written to it.
  if (slot === 0) return undefined;
  throw new HostError('module-unusable', `flash area ${area} is empty`);
}

function compile(bytes: Uint8Array, area: number): WebAssembly.Module {
  try {
    return new engine.Module(bytes);
  } catch (cause) {
    throw new HostError('module-unusable', `flash area ${area} holds a core that does not compile`, {
      cause,
    });
  }
}
