// A device in a folder: flash.bin is all that it has and knows.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Area, Mode, State, Status, Text } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import type { Client } from '../../host/node/client.ts';
import { Core } from '../../host/node/core.ts';
import { CoreSlots, coreComponent } from '../../host/node/coreslots.ts';
import { HostError, StatusError, statusMessage } from '../../host/node/errors.ts';
import { FileFlash, programArea } from '../../host/node/flash.ts';
import { readNotice } from '../../host/node/notice.ts';
import { type DeviceConfiguration, type DeviceKey, provision } from '../../host/node/provision.ts';
import { RepositoryError } from '../../repo/index.ts';
import { coreIn, geometryOf } from './layout.ts';

/** What `moult device policy` takes, by `Mode`. */
export const MODES = ['automatic', 'notify', 'off'] as const;

/** In hexadecimal digits; empty: the device has no key. */
export interface PublicKeys {
  /** What payloads for it are encrypted for. */
  readonly payloads: string;
  /** What its version reports are signed with: the `key` of an inventory. */
  readonly reports: string;
}

/** What a new device is given. */
export interface Provisioning {
  readonly configuration: DeviceConfiguration;
  readonly root: Uint8Array;
  readonly key?: DeviceKey;
  /** Of an ECU that verifies in full. */
  readonly directorRoot?: Uint8Array;
  /** What is in its slot when it leaves the factory; left out: nothing. */
  readonly image?: Uint8Array;
}

export interface FolderDeviceOptions {
  readonly folder: string;
  /** Absent: the device must be one already. */
  readonly provisioning?: Provisioning | undefined;
  /** The hardware id that the user takes it to have. */
  readonly hardwareId?: string | undefined;
  readonly onProvisioned: (hardwareId: string, rootVersion: number, keys: PublicKeys) => void;
  /** Hears why a core in a slot was given up. */
  readonly onCoreFailure?: (error: unknown) => void;
}

export class FolderDevice {
  readonly #options: FolderDeviceOptions;
  readonly #flash: FileFlash;
  readonly #unlock: () => void;
  #core: Core | undefined;
  #slots: CoreSlots | undefined;

  /** Throws `flash-file` when the flash is damaged or in use, `bad-argument` when there is none yet. */
  constructor(options: FolderDeviceOptions) {
    const { folder, provisioning } = options;
    const path = join(folder, 'flash.bin');
    if (!existsSync(path) && !provisioning) throw unprovisioned(`${folder} is a new device`);
    mkdirSync(folder, { recursive: true });
    this.#options = options;
    this.#unlock = lock(folder);
    try {
      const { components = [] } = provisioning?.configuration ?? {};
      this.#flash = new FileFlash(path, geometryOf(path, components.length, coreComponent(components)));
    } catch (error) {
      this.#unlock();
      throw error;
    }
  }

  powerOn(client: Pick<Client, 'start'>): Core {
    const core = this.#boot(
      (core) => this.#start(core, client),
      (core) => this.#provision(core),
    );
    const { hardwareId } = this.#options;
    const found = core.textRead(Text.HARDWARE_ID);
    if (hardwareId !== undefined && hardwareId !== found) {
      const wayOut = 'leave --hw out, or name another folder';
      throw new RepositoryError(
        'bad-argument',
        `the hardware id of this device is ${found}, not ${hardwareId}: ${wayOut}`,
      );
    }
    this.#core = core;
    return core;
  }

  /** Boots without a network, for what the device knows by itself. */
  wake(): Core {
    return this.#boot(
      (core) => core.coreStart() !== Status.NOT_PROVISIONED,
      () => {
        throw unprovisioned(`${this.#flash.path} holds no device`);
      },
    );
  }

  /** Makes the device, without a network. */
  make(): Core {
    const { image } = this.#options.provisioning ?? {};
    if (image) programArea(this.#flash, Area.SLOT_A, image);
    return this.#boot(
      (core) => core.coreStart() !== Status.NOT_PROVISIONED,
      (core) => this.#provision(core),
    );
  }

  /** Ends the trial of a core that has failed. True: the device is to boot again. */
  failed(error: unknown): boolean {
    return this.#slots?.giveUp(error) ?? false;
  }

  switchOff(): void {
    this.#flash.close();
    this.#unlock();
  }

  /** What it knows of itself, since it was powered on. */
  summary(): object {
    const core = this.#core;
    return {
      hardwareId: core?.textRead(Text.HARDWARE_ID),
      version: core?.textRead(Text.INSTALLED_VERSION),
      releaseCounter: core?.stateRead(State.INSTALLED_RELEASE),
      securityCounter: core?.stateRead(State.SECURITY_COUNTER),
      rootVersion: core?.stateRead(State.ROOT_VERSION),
      components: core?.components(),
      policy: MODES[core?.stateRead(State.POLICY) ?? Mode.AUTOMATIC],
      postponedUntil: core?.stateRead(State.POSTPONED_UNTIL),
      downtime: core?.stateRead(State.DOWNTIME),
      notice: core && readNotice(core.release()),
    };
  }

  #boot(start: (core: Core) => boolean, provision: (core: Core) => void): Core {
    const { onCoreFailure } = this.#options;
    this.#slots = new CoreSlots({
      flash: this.#flash,
      component: coreIn(this.#flash.geometry),
      decide: () => new RecordedBoot(this.#flash),
      open: (boot, module) => new Core({ flash: this.#flash, boot }, module),
      start,
      provision,
      ...(onCoreFailure && { onFailure: onCoreFailure }),
    });
    return this.#slots.powerOn();
  }

  #start(core: Core, client: Pick<Client, 'start'>): boolean {
    try {
      return client.start(core);
    } catch (cause) {
      if (!(cause instanceof StatusError)) throw cause;
      const finding = `${this.#flash.path}: ${statusMessage(cause.status)}`;
      const wayOut = 'restore it from a copy, or delete it to start with a new device';
      throw new HostError('flash-file', `${finding}; ${wayOut}`, { cause });
    }
  }

  #provision(core: Core): void {
    const { provisioning, onProvisioned } = this.#options;
    const { path } = this.#flash;
    if (!provisioning)
      throw unprovisioned(`${path} holds no device (damaged, or its provisioning was cut short)`);
    const { configuration, root, key, directorRoot } = provisioning;
    provision(core, configuration, root, key, directorRoot);
    onProvisioned(core.textRead(Text.HARDWARE_ID), core.stateRead(State.ROOT_VERSION), publicKeys(core));
  }
}

export function publicKeys(core: Core): PublicKeys {
  const digits = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  return { payloads: digits(core.publicKeyRead()), reports: digits(core.reportKeyRead()) };
}

function unprovisioned(finding: string): RepositoryError {
  return new RepositoryError('bad-argument', `${finding}: give it --root and --hw`);
}

/** The folders that this process holds. */
const held = new Set<string>();

/** One process at a time: each keeps the flash in its memory. A process that died holds nothing. */
function lock(folder: string): () => void {
  const path = join(folder, 'running');
  const holder = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  // After a restart of a container a dead process had our number.
  const taken = holder === process.pid ? held.has(path) : isAlive(holder);
  if (taken) throw new HostError('flash-file', `${folder} is switched on already, by process ${holder}`);
  writeFileSync(path, `${process.pid}`);
  held.add(path);
  return () => {
    held.delete(path);
    rmSync(path, { force: true });
  };
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It lives, but belongs to someone else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
