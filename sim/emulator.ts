// An emulated board: rv32imc, bare metal, on QEMU's `virt` machine with the programs of host/qemu, and a gateway at the
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
import { BOOT_AREA, NorFlash, uniformGeometry } from '../host/node/flash.ts';
import { type GatewayOptions, serveLink } from '../host/node/gateway.ts';
import type { DeviceConfiguration } from '../host/node/provision.ts';
import { projectRoot } from '../host/node/root.ts';

export interface EmulatedBoardOptions {
  /** A folder of its own; a board that is there already is taken up. */
  readonly folder: string;
  readonly root: Uint8Array;
  readonly configuration: DeviceConfiguration;
  /** What is in slot A when it leaves the factory: a sealed image. */
  readonly image: Uint8Array;
  readonly gateway: GatewayOptions;
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

/** Where scripts/qemu.mjs leaves what it builds; whether it is there is for the caller to ask. */
const BUILT = join(projectRoot(), 'build/qemu');

export const QEMU = 'qemu-system-riscv32';

// The map of the flash, as host/qemu/riscv/machine.h and board.c have it.
const BANK = 32 << 20;
const BLOCK = 256 << 10;
const FACTORY = 1 << 20;
const READY = 2 << 20;
const SLOT_A = 4 << 20;
const SLOT_B = 8 << 20;
const BOOT_RECORD = 1 << 20;
const SLOT = 2 * BLOCK;
/** Start and length in bank 1 of what must be erased at first. */
const ERASED = [
  [0, 6 * BLOCK],
  [SLOT_A, SLOT],
  [SLOT_B, SLOT],
] as const;

/** The image whose core is compiled ahead of time, as a name for `builtProgram`. */
export const COMPILED_IMAGE = '../qemu-aot/image';

/** A program of host/qemu, by the name that it has there. */
export function builtProgram(name: string): string {
  return join(BUILT, `${name}.bin`);
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
  readonly #options: EmulatedBoardOptions;
  readonly #banks: readonly [string, string];

  constructor(options: EmulatedBoardOptions) {
    const { folder } = options;
    this.#options = options;
    this.#banks = [join(folder, 'bank0.bin'), join(folder, 'bank1.bin')];
    mkdirSync(folder, { recursive: true });
    if (!existsSync(this.#banks[1])) this.#leaveFactory();
  }

  /** Switches the power on. `more`: further arguments of QEMU. */
  start(...more: readonly string[]): EmulatedRun {
    const child = spawn(QEMU, this.command(...more), { stdio: ['pipe', 'pipe', 'inherit'] });
    return {
      ended: ending(child, this.#options.gateway),
      kill: () => child.kill('SIGKILL'),
    };
  }

  /** The slot that the next boot will run, whole; the boots of a trial are not counted for it. */
  nextToRun(): Uint8Array {
    const flash = new NorFlash(
      uniformGeometry({ block: BLOCK, unit: 4, erased: 0xff, bank: BLOCK, slot: BLOCK }),
    );
    flash.write(BOOT_AREA, 0, this.#read(BOOT_RECORD, 2 * BLOCK));
    return this.#read((new RecordedBoot(flash).slots & 1) === 0 ? SLOT_A : SLOT_B, SLOT);
  }

  #read(start: number, length: number): Uint8Array {
    const bytes = Buffer.alloc(length);
    const file = openSync(this.#banks[1], 'r');
    readSync(file, bytes, 0, length, start);
    closeSync(file);
    return bytes;
  }

  #leaveFactory(): void {
    const { configuration, root, image, ready = new Uint8Array() } = this.#options;
    const text = Buffer.from(JSON.stringify(configuration));
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(text.length, 0);
    lengths.writeUInt32LE(root.length, 4);
    writeBank(this.#banks[0], [
      [0, readFileSync(builtProgram('loader'))],
      [FACTORY, Buffer.concat([lengths, text, root])],
      [READY, ready],
    ]);
    const erased = ERASED.map(([start, length]) => [start, Buffer.alloc(length, 0xff)] as const);
    writeBank(this.#banks[1], [...erased, [SLOT_A, image]]);
  }

  /** The arguments of QEMU. */
  command(...more: readonly string[]): string[] {
    const bank = (unit: number, more = '') =>
      `if=pflash,unit=${unit},format=raw,file=${this.#banks[unit]}${more}`;
    return [
      ...['-M', 'virt', '-cpu', 'rv32,a=off,f=off,d=off', '-m', '16M', '-bios', 'none'],
      ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio'],
      ...['-drive', bank(0, ',readonly=on'), '-drive', bank(1)],
      ...more,
    ];
  }
}

/** A file that is as long as a bank; what is not written takes no room on disk. */
function writeBank(path: string, parts: readonly (readonly [number, Uint8Array])[]): void {
  const file = openSync(path, 'w');
  ftruncateSync(file, BANK);
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
