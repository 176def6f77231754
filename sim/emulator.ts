// An emulated board: bare metal on one of QEMU's machines (machines.ts) with the programs of host/qemu, and a gateway at the
// other end of its UART. Its two banks of flash are files, which outlive a QEMU that is killed. No hardware is in it.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { RecordedBoot } from '../host/node/boot.ts';
import { BOOT_AREA, NorFlash, programArea, slotArea } from '../host/node/flash.ts';
import { type GatewayOptions, serveLink } from '../host/node/gateway.ts';
import { PRIMARY } from '../host/node/mcuboot.ts';
import type { DeviceConfiguration } from '../host/node/provision.ts';
import { projectRoot } from '../host/node/root.ts';
import { type Machine, RV32IMC } from './machines.ts';
import { mcubootStart } from './mcuboot.ts';

export interface EmulatedBoardOptions {
  /** The rv32imc when left out. */
  readonly machine?: Machine;
  /** A folder of its own; a board that is there already is taken up. */
  readonly folder: string;
  readonly root: Uint8Array;
  /** Of an ECU that looks to a Director too. */
  readonly directorRoot?: Uint8Array;
  readonly configuration: DeviceConfiguration;
  /** What is in slot A when it leaves the factory: a sealed image. */
  readonly image: Uint8Array;
  readonly gateway: GatewayOptions;
  /** The gateway is its Primary. */
  readonly behindPrimary?: boolean;
  /** What else an image finds in bank 0, at `READY`. */
  readonly ready?: Uint8Array;
}

/** One time that the power is on. */
export interface EmulatedRun {
  /** Ends with QEMU: its exit status, or null when it was killed. */
  readonly ended: Promise<number | null>;
  /** Kills QEMU, as if the power had failed; flash keeps what it has. */
  kill(): void;
}

/** The image whose core is compiled ahead of time, as a name for `builtProgram`. */
export function compiledImage(machine: Machine = RV32IMC): string {
  return `../${machine.compiledFolder}/image`;
}

/** A program with the lean core, which is compiled ahead of time and knows payloads and delegations, in the same way. */
export function leanProgram(name: string, machine: Machine = RV32IMC): string {
  return `../${machine.folder}-lean/${name}`;
}

/** A program of host/qemu as scripts/qemu.mjs builds it; whether it is there is for the caller to ask. */
export function builtProgram(name: string, machine: Machine = RV32IMC): string {
  return join(projectRoot(), 'build', machine.folder, `${name}.bin`);
}

/** An image as it goes into a slot: length, version and CRC in its header (host/qemu/image.h). */
export function sealImage(program: Uint8Array, version: string): Uint8Array {
  const image = Buffer.from(program);
  image.writeUInt32LE(image.length, 4);
  image.write(version.padEnd(32, '\0'), 16, 'latin1');
  image.writeUInt32LE(crc32(image.subarray(12)), 8);
  return image;
}

export class EmulatedBoard {
  /** What it was made with. */
  readonly options: EmulatedBoardOptions;
  readonly #machine: Machine;
  readonly #banks: readonly [string, string];

  constructor(options: EmulatedBoardOptions) {
    const { folder, machine = RV32IMC } = options;
    this.options = options;
    this.#machine = machine;
    this.#banks = [join(folder, 'bank0.bin'), join(folder, 'bank1.bin')];
    mkdirSync(folder, { recursive: true });
    if (!existsSync(this.#banks[1])) this.#leaveFactory();
  }

  /** Switches the power on. `more`: further arguments of QEMU. */
  start(...more: readonly string[]): EmulatedRun {
    const child = spawn(this.#machine.qemu, this.command(...more), { stdio: ['pipe', 'pipe', 'inherit'] });
    return {
      ended: ending(child, this.options.gateway),
      kill: () => child.kill('SIGKILL'),
    };
  }

  /** The slot that the next boot will run, whole; the boots of a trial are not counted for it. */
  nextToRun(): Uint8Array {
    const flash = new NorFlash(this.#machine.geometry);
    const slots = [0, 1].map((slot) => slotArea(0, slot));
    for (const area of [...slots, BOOT_AREA]) programArea(flash, area, this.area(area));
    if (this.#machine.mcuboot) mcubootStart(flash);
    const next = this.#machine.mcuboot ? PRIMARY : slotArea(0, new RecordedBoot(flash).slots & 1);
    const bytes = new Uint8Array(flash.size(next));
    flash.read(next, 0, bytes);
    return bytes;
  }

  /** The bytes of an area of the flash. */
  area(area: number): Uint8Array {
    const { geometry, starts, bankSizes } = this.#machine;
    const length = (geometry[area]?.blocks ?? []).reduce((sum, size) => sum + size, 0);
    const bytes = Buffer.alloc(length);
    const file = openSync(this.#banks[1], 'r');
    readSync(file, bytes, 0, length, starts[area] ?? bankSizes[1]);
    closeSync(file);
    return bytes;
  }

  #leaveFactory(): void {
    const { configuration, root, image, behindPrimary = false } = this.options;
    const { directorRoot = new Uint8Array(), ready = new Uint8Array() } = this.options;
    const { bankSizes, factory, ready: readyAt, geometry, starts } = this.#machine;
    const text = Buffer.from(JSON.stringify(configuration));
    const lengths = Buffer.alloc(12);
    lengths.writeUInt32LE(text.length, 0);
    lengths.writeUInt32LE(root.length + (behindPrimary ? 2 ** 31 : 0), 4);
    lengths.writeUInt32LE(directorRoot.length, 8);
    writeBank(this.#banks[0], bankSizes[0], [
      [0, readFileSync(builtProgram('loader', this.#machine))],
      [factory, Buffer.concat([lengths, text, root, directorRoot])],
      [readyAt, ready],
    ]);
    const erased = geometry.map(({ blocks, erased }, area) => {
      const length = blocks.reduce((sum, size) => sum + size, 0);
      return [starts[area] ?? 0, Buffer.alloc(length, erased)] as const;
    });
    writeBank(this.#banks[1], bankSizes[1], [...erased, [starts[slotArea(0, 0)] ?? 0, image]]);
  }

  /** The arguments of QEMU. */
  command(...more: readonly string[]): string[] {
    return [
      ...this.#machine.command(this.#banks),
      ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio'],
      ...more,
    ];
  }
}

/** A file that is as long as a bank; what is not written takes no room on disk. */
function writeBank(path: string, size: number, parts: readonly (readonly [number, Uint8Array])[]): void {
  const file = openSync(path, 'w');
  ftruncateSync(file, size);
  for (const [start, bytes] of parts) writeSync(file, bytes, 0, bytes.length, start);
  closeSync(file);
}

async function ending(
  child: ChildProcess & { stdin: Writable; stdout: Readable },
  gateway: GatewayOptions,
): Promise<number | null> {
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const [status] = await Promise.all([closed, serveLink(child.stdout, child.stdin, gateway)]);
  return status;
}
