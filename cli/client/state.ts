// The folder of a client: what it trusts lies in `.moult/store`, and files beside that show it.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BootControl } from '../../host/node/boot.ts';
import { Core } from '../../host/node/core.ts';
import { HostError, StatusError } from '../../host/node/errors.ts';
import { provision } from '../../host/node/provision.ts';
import { lock } from '../lock.ts';
import { AreaFiles } from './areas.ts';
import { Mirror } from './mirror.ts';

/** What the store needs to know of a device; a client for any repository is none. */
export const CONFIGURATION = { buildTime: 1, checkInterval: 60 };

/** Nothing boots here. */
export const NO_BOOT: BootControl = {
  slots: 0,
  onTrial: false,
  select: () => false,
  confirm: () => true,
  revert: () => true,
};

export class State {
  /** Where files are until they are whole and verified. */
  readonly drafts: string;
  readonly #folder: string;
  readonly #store: string;
  #mirror: Mirror | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.drafts = join(folder, '.moult');
    this.#store = join(this.drafts, 'store');
  }

  get mirror(): Mirror {
    this.#mirror ??= new Mirror(this.#folder, this.drafts);
    return this.#mirror;
  }

  /** Trusts a root, and forgets all else. A root that is refused changes nothing. */
  init(root: Uint8Array): void {
    mkdirSync(this.drafts, { recursive: true });
    const unlock = lock(this.drafts);
    const made = join(this.drafts, 'new');
    try {
      rmSync(made, { recursive: true, force: true });
      withCore(made, (core) => {
        core.coreStart();
        provision(core, CONFIGURATION, root);
      });
      rmSync(this.#store, { recursive: true, force: true });
      renameSync(made, this.#store);
      withCore(this.#store, (core) => {
        start(core);
        this.mirror.update(core);
      });
    } finally {
      rmSync(made, { recursive: true, force: true });
      unlock();
    }
  }

  /** Gives an act the core with what is trusted. Whatever becomes of it, the files show what is trusted then. */
  async use(act: (core: Core) => Promise<void>): Promise<void> {
    if (!existsSync(this.#store))
      throw new HostError('flash-file', `${this.#folder} has no trusted root: begin with init`);
    const unlock = lock(this.drafts);
    const flash = new AreaFiles(this.#store);
    try {
      const core = new Core({ flash, boot: NO_BOOT });
      start(core);
      await act(core).catch((error: unknown) => {
        this.#showIfPossible(core);
        throw error;
      });
      this.mirror.update(core);
    } finally {
      flash.close();
      unlock();
    }
  }

  /** After a fault, which counts and not what it leads to. */
  #showIfPossible(core: Core): void {
    try {
      this.mirror.update(core);
    } catch {}
  }
}

function withCore(store: string, act: (core: Core) => void): void {
  const flash = new AreaFiles(store);
  try {
    act(new Core({ flash, boot: NO_BOOT }));
  } finally {
    flash.close();
  }
}

function start(core: Core): void {
  const status = core.coreStart();
  if (status < 0) throw new StatusError(status, 'the state of this client, which init begins anew');
}
