// A repository behind a real server, and an ESP32 whose chip is a file: the component of host/esp32 over fakes of what
// ESP-IDF gives it (test/c/esp32).
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { State } from '../../host/node/abi.ts';
import { Core } from '../../host/node/core.ts';
import { factoryRecord } from '../../host/node/factory.ts';
import { BOOT_AREA, NorFlash, uniformGeometry } from '../../host/node/flash.ts';
import { OtadataBoot } from '../../host/node/otadata.ts';
import type { DeviceConfiguration, DeviceKey } from '../../host/node/provision.ts';
import { type Partition, writePartitionTable } from '../../repo/index.ts';
import { type SimRelease, SimRepository } from '../../sim/repository.ts';
import { memoryFolder } from '../fixtures/folders.ts';
import { CHIP, esp32Image } from '../fixtures/images.ts';

const FLASH = 4 << 20;
const SECTOR = 4096;
const TABLE = 0x8000;
const HARDWARE = 'lamp';

/** As small as the sizes of ESP-IDF allow: what is swept over is copied often. */
export const PARTITIONS: readonly Partition[] = [
  { label: 'nvs', type: 1, subtype: 2, offset: 0x9000, size: 0x5000 },
  { label: 'otadata', type: 1, subtype: 0, offset: 0xe000, size: 0x2000 },
  { label: 'ota_0', type: 0, subtype: 0x10, offset: 0x10000, size: 0x10000 },
  { label: 'ota_1', type: 0, subtype: 0x11, offset: 0x20000, size: 0x10000 },
  { label: 'moult', type: 1, subtype: 0x40, offset: 0x30000, size: 0xc000 },
  { label: 'moult_factory', type: 1, subtype: 0x41, offset: 0x3c000, size: 0x2000 },
];

const BYTES = 3000;

/** The nth release: version 1.n.0, secure version n or another one. */
export function release(counter: number, secureVersion = counter): SimRelease {
  const segments = Array.from({ length: counter + 1 }, () => 4 * Math.ceil(BYTES / (counter + 1) / 4));
  const version = `1.${counter}.0`;
  return {
    version,
    releaseCounter: counter,
    securityCounter: secureVersion,
    hardwareIds: [HARDWARE],
    image: esp32Image({ secureVersion, version, segments }),
  };
}

/** How a run of the chip ended: one check with all that follows from it, through any number of resets. */
export interface ChipEnd {
  /** The process's. */
  readonly exit: number | null;
  /** The check's; undefined: there was none. */
  readonly status: number | undefined;
  /** What booted, in order. */
  readonly boots: readonly string[];
  /** Whether the power failed. */
  readonly cut: boolean;
  readonly said: string;
}

/** Answers in the place of the file; false: the file itself. */
export type Conduct = (request: IncomingMessage, response: ServerResponse, file: Uint8Array) => boolean;

/** A line that is typed, or what happens meanwhile. */
export type ConsoleLine = string | (() => void);

export interface ChipWorldOptions {
  readonly program: string;
  readonly partitions?: readonly Partition[];
  readonly key?: DeviceKey;
  readonly configuration?: Partial<DeviceConfiguration>;
  readonly directorRoot?: Uint8Array;
}

const servers: Server[] = [];

afterAll(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

export class ChipWorld {
  readonly repository = new SimRepository(seconds);
  /** What the factory flashed. */
  readonly factory = release(1);
  readonly partitions: readonly Partition[];
  readonly flashPath: string;
  /** Paths that were asked for, with the byte from which on. */
  readonly requests: string[] = [];
  conduct: Conduct = () => false;
  readonly #program: string;
  readonly #server: Server;

  constructor({ program, partitions = PARTITIONS, key, configuration, directorRoot }: ChipWorldOptions) {
    const folder = memoryFolder();
    this.partitions = partitions;
    this.#program = program;
    this.flashPath = join(folder, 'chip.bin');
    mkdirSync(folder, { recursive: true });
    this.repository.publish(this.factory);
    const told = { ...this.configuration, ...configuration };
    const record = factoryRecord(told, this.repository.root, key, directorRoot);
    writeFileSync(this.flashPath, this.flash({ ota_0: this.factory.image, moult_factory: record }));
    this.#server = createServer((request, response) => this.#answer(request, response));
    servers.push(this.#server);
  }

  get configuration(): DeviceConfiguration {
    return {
      hardwareId: HARDWARE,
      component: 'app',
      version: this.factory.version,
      releaseCounter: this.factory.releaseCounter,
      securityCounter: 0,
      buildTime: seconds() - 1000,
      checkInterval: 3600,
      imageFormat: 'esp32',
      chipId: CHIP,
    };
  }

  /** A chip with these partitions written, as esptool leaves it; behind its flash the eFuses. */
  flash(contents: Readonly<Record<string, Uint8Array>>): Buffer {
    const bytes = Buffer.alloc(FLASH + SECTOR, 0xff);
    bytes.fill(0, FLASH);
    bytes.set(writePartitionTable(this.partitions), TABLE);
    for (const [label, part] of Object.entries(contents)) bytes.set(part, this.partition(label).offset);
    return bytes;
  }

  partition(label: string): Partition {
    const found = this.partitions.find((partition) => partition.label === label);
    if (!found) throw new Error(`there is no partition ${label}`);
    return found;
  }

  /** What is in a partition. */
  read(label: string): Buffer {
    const { offset, size } = this.partition(label);
    return readFileSync(this.flashPath).subarray(offset, offset + size);
  }

  /** Writes a partition anew, as esptool does. */
  write(label: string, contents: Uint8Array): void {
    const { offset, size } = this.partition(label);
    const chip = readFileSync(this.flashPath).fill(0xff, offset, offset + size);
    chip.set(contents, offset);
    writeFileSync(this.flashPath, chip);
  }

  erase(label: string): void {
    this.write(label, new Uint8Array());
  }

  async url(): Promise<string> {
    if (!this.#server.listening)
      await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Switches the chip on, for one check with all that follows from it. */
  async run(...options: readonly string[]): Promise<ChipEnd> {
    return this.#start([], options);
  }

  /** The same with lines for the console. What stands between them happens when those before have been answered. */
  async runWith(...lines: readonly ConsoleLine[]): Promise<ChipEnd> {
    return this.#start(lines, ['--console']);
  }

  async #start(lines: readonly ConsoleLine[], options: readonly string[]): Promise<ChipEnd> {
    const url = await this.url();
    const child = spawn(this.#program, [...options, this.flashPath, `${url}/metadata/`, `${url}/targets/`]);
    const left = [...lines];
    let said = '';
    // What is on both streams comes in any order, also within a line.
    let printed = '';
    let asked = 0;
    const ask = () => {
      for (let line = left[0]; left.length > 0; line = left[0]) {
        if (typeof line === 'function' && answers(said) < asked) return;
        if (typeof line === 'function') line();
        else if (child.stdin.write(`${line}\n`)) asked++;
        left.shift();
      }
      child.stdin.end();
    };
    child.stdout.on('data', (text) => {
      said += text;
      printed += text;
      ask();
    });
    child.stderr.on('data', (text) => {
      said += text;
    });
    ask();
    const exit = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    return { exit, said, ...outcome(printed) };
  }

  /** The core in this process, on what the chip has: as it would find things after a reset. */
  core(): Core {
    const flash = new NorFlash(
      uniformGeometry({ block: SECTOR, unit: 4, erased: 0xff, bank: 0x4000, slot: 0x10000, log: 2 * SECTOR }),
    );
    const bank = (this.partition('moult').size - 4 * SECTOR) / 2;
    const moult = this.read('moult');
    const areas = [
      moult.subarray(0, bank),
      moult.subarray(bank, 2 * bank),
      moult.subarray(2 * bank, 2 * bank + 2 * SECTOR),
      this.read('ota_0'),
      this.read('ota_1'),
      this.read('otadata'),
      moult.subarray(2 * bank + 2 * SECTOR),
    ];
    for (const [area, bytes] of areas.entries()) fill(flash, area, bytes);
    const core = new Core({ flash, boot: new OtadataBoot(flash) });
    core.coreStart();
    return core;
  }

  /** Release counters: of the confirmed image, and the security counter. */
  counters(): { installed: number; security: number } {
    const core = this.core();
    return {
      installed: core.stateRead(State.INSTALLED_RELEASE),
      security: core.stateRead(State.SECURITY_COUNTER),
    };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent((request.url ?? '/').slice(1));
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const file = this.repository.files.get(path);
    this.requests.push(from > 0 ? `${path} ${from}` : path);
    if (!file) return void response.writeHead(404, { 'content-length': '9' }).end('not found');
    if (this.conduct(request, response, file)) return;
    const part = file.subarray(from);
    const range = from > 0 ? { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` } : {};
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': part.length, ...range }).end(part);
  }
}

function fill(flash: NorFlash, area: number, bytes: Uint8Array): void {
  // Whole erased sectors need not be written.
  for (let offset = 0; offset < bytes.length; offset += SECTOR) {
    const sector = bytes.subarray(offset, offset + SECTOR);
    if (area <= BOOT_AREA + 1 && sector.some((byte) => byte !== 0xff)) flash.write(area, offset, sector);
  }
}

/** Lines that were answered. */
function answers(said: string): number {
  return said.match(/^> \d$/gm)?.length ?? 0;
}

function outcome(printed: string): Pick<ChipEnd, 'status' | 'boots' | 'cut'> {
  const status = /^status (-?\d+)$/m.exec(printed)?.[1];
  return {
    status: status === undefined ? undefined : Number(status),
    boots: [...printed.matchAll(/^boot (\w+) \d+$/gm)].map(([, slot = '']) => slot),
    cut: /^cut$/m.test(printed),
  };
}

export function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
