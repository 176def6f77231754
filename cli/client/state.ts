// The folder of a client: what it trusts lies in `.moult/store`, and files beside that show it.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BootControl } from '../../host/node/boot.ts';
import { Core } from '../../host/node/core.ts';
import { HostError, StatusError } from '../../host/node/errors.ts';
import { type ClientConfiguration, provision } from '../../host/node/provision.ts';
import { lock } from '../lock.ts';
import { AreaFiles } from './areas.ts';
import { Mirror } from './mirror.ts';

/** What the store needs to know of a device; a client for any repository is none. */
export const CONFIGURATION: ClientConfiguration = { buildTime: 1, checkInterval: 60 };

/** Nothing boots here. */
export const NO_BOOT: BootControl = {
  slots: 0,
  onTrial: false,
  select: () => false,
  confirm: () => true,
  revert: () => true,
};

/** What a state is of, where it is not of one repository alone. */
export interface StateOptions {
  /** Folder of the store in `.moult`; `store` when left out. */
  readonly store?: string;
  readonly configuration?: ClientConfiguration;
  /** Shows what is trusted; one in the folder itself when left out. */
  readonly mirrors?: (folder: string, drafts: string) => readonly Mirror[];
}

export class State {
  /** Where files are until they are whole and verified. */
  readonly drafts: string;
  readonly #folder: string;
  readonly #store: string;
  readonly #options: StateOptions;
  #shown: readonly Mirror[] | undefined;

  constructor(folder: string, options: StateOptions = {}) {
    this.#folder = folder;
    this.drafts = join(folder, '.moult');
    this.#store = join(this.drafts, options.store ?? 'store');
    this.#options = options;
  }

  /** A metadata file of the repository is about to be fetched. */
  note(name: string): void {
    this.#mirrors[0]?.note(name);
  }

  /** There is something that this client trusts. */
  get exists(): boolean {
    return existsSync(this.#store);
  }

  get #mirrors(): readonly Mirror[] {
    const { mirrors = (folder, drafts) => [new Mirror(folder, drafts)] } = this.#options;
    this.#shown ??= mirrors(this.#folder, this.drafts);
    return this.#shown;
  }

  /** Trusts a root, in a vehicle the Director's too, and forgets all else. A root that is refused changes nothing. */
  init(root: Uint8Array, directorRoot?: Uint8Array): void {
    const { configuration = CONFIGURATION } = this.#options;
    mkdirSync(this.drafts, { recursive: true });
    const unlock = lock(this.drafts);
    const made = join(this.drafts, 'new');
    try {
      rmSync(made, { recursive: true, force: true });
      withCore(made, (core) => {
        core.coreStart();
        provision(core, configuration, root, undefined, directorRoot);
      });
      rmSync(this.#store, { recursive: true, force: true });
      renameSync(made, this.#store);
      withCore(this.#store, (core) => {
        start(core);
        this.#show(core);
      });
    } finally {
      rmSync(made, { recursive: true, force: true });
      unlock();
    }
  }

  /** Gives an act the core with what is trusted. Whatever becomes of it, the files show what is trusted then. */
  async use<T>(act: (core: Core) => Promise<T>): Promise<T> {
    if (!this.exists)
      throw new HostError('flash-file', `${this.#folder} has no trusted root: begin with init`);
    const unlock = lock(this.drafts);
    const flash = new AreaFiles(this.#store);
    try {
      const core = new Core({ flash, boot: NO_BOOT });
      start(core);
      const result = await act(core).catch((error: unknown) => {
        this.#showIfPossible(core);
        throw error;
      });
      this.#show(core);
      return result;
    } finally {
      flash.close();
      unlock();
    }
  }

  /** After a fault, which counts and not what it leads to. */
  #showIfPossible(core: Core): void {
    try {
      this.#show(core);
    } catch {}
  }

  #show(core: Core): void {
    for (const mirror of this.#mirrors) mirror.update(core);
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
