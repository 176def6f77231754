// A device in a folder: flash.bin is all that it has and knows.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Area, Mode, State, Status, Text } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import type { Client } from '../../host/node/client.ts';
import { Core } from '../../host/node/core.ts';
import { HostError, StatusError, statusMessage } from '../../host/node/errors.ts';
import { FileFlash, type Geometry, uniformGeometry, withComponents } from '../../host/node/flash.ts';
import { readNotice } from '../../host/node/notice.ts';
import { type DeviceConfiguration, type DeviceKey, provision } from '../../host/node/provision.ts';
import { RepositoryError } from '../../repo/index.ts';
import { MOST_MORE } from './components.ts';

/** As on a microcontroller with 8 MiB of SPI flash. */
const GEOMETRY = uniformGeometry({
  block: 4096,
  unit: 4,
  erased: 0xff,
  bank: 64 * 1024,
  slot: 2 * 1024 * 1024,
  log: 16 * 1024,
});

/** What `moult device policy` takes, by `Mode`. */
export const MODES = ['automatic', 'notify', 'off'] as const;

/** What a new device is given. */
export interface Provisioning {
  readonly configuration: DeviceConfiguration;
  readonly root: Uint8Array;
  readonly key?: DeviceKey;
}

export interface FolderDeviceOptions {
  readonly folder: string;
  /** Absent: the device must be one already. */
  readonly provisioning?: Provisioning | undefined;
  /** The hardware id that the user takes it to have. */
  readonly hardwareId?: string | undefined;
  /** `publicKey`: what payloads for it are encrypted for, in hexadecimal digits; empty: it has no key. */
  readonly onProvisioned: (hardwareId: string, rootVersion: number, publicKey: string) => void;
}

export class FolderDevice {
  readonly #options: FolderDeviceOptions;
  readonly #flash: FileFlash;
  readonly #unlock: () => void;
  #core: Core | undefined;

  /** Throws `flash-file` when the flash is damaged or in use, `bad-argument` when there is none yet. */
  constructor(options: FolderDeviceOptions) {
    const { folder, provisioning } = options;
    const path = join(folder, 'flash.bin');
    if (!existsSync(path) && !provisioning) throw unprovisioned(`${folder} is a new device`);
    mkdirSync(folder, { recursive: true });
    this.#options = options;
    this.#unlock = lock(folder);
    try {
      this.#flash = new FileFlash(
        path,
        geometryOf(path, provisioning?.configuration.components?.length ?? 0),
      );
    } catch (error) {
      this.#unlock();
      throw error;
    }
  }

  powerOn(client: Client): Core {
    const core = new Core({ flash: this.#flash, boot: new RecordedBoot(this.#flash) });
    if (!this.#start(core, client)) this.#provision(core);
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
    const core = new Core({ flash: this.#flash, boot: new RecordedBoot(this.#flash) });
    if (core.coreStart() === Status.NOT_PROVISIONED)
      throw unprovisioned(`${this.#flash.path} holds no device`);
    return core;
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

  #start(core: Core, client: Client): boolean {
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
    provision(core, provisioning.configuration, provisioning.root, provisioning.key);
    const publicKey = Buffer.from(core.publicKeyRead()).toString('hex');
    onProvisioned(core.textRead(Text.HARDWARE_ID), core.stateRead(State.ROOT_VERSION), publicKey);
  }
}

/** A device keeps what it has: devices from before there was a log go on without one. `more`: components of a new one. */
function geometryOf(path: string, more: number): Geometry {
  const stored = existsSync(`${path}.json`) && readFileSync(`${path}.json`, 'utf8').trim();
  const known = Array.from({ length: MOST_MORE + 1 }, (_, count) => withComponents(GEOMETRY, count));
  const own = [GEOMETRY.slice(0, Area.LOG), ...known].find((one) => JSON.stringify(one) === stored);
  return own ?? withComponents(GEOMETRY, more);
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
