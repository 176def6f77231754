// What MCUboot does at a reset, as far as the device needs it: it swaps the images of the two slots when a trailer asks for
// that, on trial, for good or back, and goes on with a swap that a power cut has broken off. A model, not its code: the
// trailers are MCUboot's (docs/formats.md), and of what it checks in an image only the hash is.
//
// A swap moves the primary's image one block up, then block by block the secondary's down into the primary and the primary's
// over into the secondary. Each step can be repeated, and is noted in the primary's trailer when it is done.
import { createHash } from 'node:crypto';
import { HostError } from '../host/node/errors.ts';
import type { FlashDriver } from '../host/node/flash.ts';
import {
  awaitsVerdict,
  clearTrailer,
  hasMagic,
  imageLength,
  isErased,
  PRIMARY,
  readBytes,
  readTrailer,
  request,
  SECONDARY,
  TRAILER,
  writeFlag,
  writeMagic,
} from '../host/node/mcuboot.ts';

/** Steps of a block: up, down, over. */
const STEPS = 3;
const HASH_FIELD = 0x10;

/** Bytes at the end of a slot of blocks that are alike: the trailer, and one block that the primary's image moves up into. */
export function reservedFor(flash: FlashDriver): number {
  const block = flash.blockEnd(PRIMARY, 0);
  const trailer = TRAILER.swapSize + (STEPS * flash.size(PRIMARY) * flash.unit(PRIMARY)) / block;
  return Math.ceil(trailer / block) * block + block;
}

/** From a reset until the primary's image starts. Throws when there is none that is whole. */
export function mcubootStart(flash: FlashDriver): void {
  const loader = new Mcuboot(flash);
  loader.start();
}

class Mcuboot {
  readonly #flash: FlashDriver;
  readonly #block: number;
  /** The blocks of the trailer; the one before them is kept free. */
  readonly #trailer: number;
  readonly #room: number;

  constructor(flash: FlashDriver) {
    this.#flash = flash;
    this.#block = flash.blockEnd(PRIMARY, 0);
    this.#trailer = reservedFor(flash) - this.#block;
    this.#room = flash.size(PRIMARY) - this.#trailer - this.#block;
  }

  start(): void {
    const flash = this.#flash;
    if (this.#isSwapping()) this.#swap();
    // Nobody has confirmed what was on trial: what was there before returns, for good.
    else if (!hasMagic(flash, SECONDARY) && awaitsVerdict(flash) && this.#isWhole(SECONDARY))
      must(request(flash, this.#trailer, true));
    if (hasMagic(flash, SECONDARY)) this.#serve();
    if (!this.#isWhole(PRIMARY)) throw new HostError('flash-misuse', 'no whole image to start');
  }

  #isSwapping(): boolean {
    return (
      hasMagic(this.#flash, PRIMARY) &&
      isErased(this.#flash, PRIMARY, TRAILER.copyDone) &&
      !isErased(this.#flash, PRIMARY, TRAILER.swapInfo)
    );
  }

  /** A swap is asked for. One of an image that is not whole is forgotten. */
  #serve(): void {
    if (this.#isWhole(SECONDARY)) {
      this.#begin();
      this.#swap();
    } else must(clearTrailer(this.#flash, SECONDARY, this.#trailer));
  }

  /** From the magic on the swap is in progress; until then it is only asked for. */
  #begin(): void {
    const flash = this.#flash;
    const permanent = !isErased(flash, SECONDARY, TRAILER.imageOk);
    const size = Math.max(this.#imageLength(PRIMARY), this.#imageLength(SECONDARY));
    must(clearTrailer(flash, PRIMARY, this.#trailer));
    const unit = Buffer.alloc(8, flash.erased(PRIMARY));
    unit.writeUInt32LE(size, 0);
    must(flash.write(PRIMARY, flash.size(PRIMARY) - TRAILER.swapSize, unit));
    must(writeFlag(flash, PRIMARY, TRAILER.swapInfo));
    must(!permanent || writeFlag(flash, PRIMARY, TRAILER.imageOk));
    must(writeMagic(flash, PRIMARY));
  }

  #swap(): void {
    const size = readTrailer(this.#flash, PRIMARY, TRAILER.swapSize, 4).readUInt32LE(0);
    const blocks = Math.ceil(size / this.#block);
    for (let step = this.#stepsDone(STEPS * blocks); step < STEPS * blocks; step++) {
      this.#move(step, blocks);
      must(this.#note(step));
    }
    must(clearTrailer(this.#flash, SECONDARY, this.#trailer));
    must(writeFlag(this.#flash, PRIMARY, TRAILER.copyDone));
  }

  /** The last block first goes up; then from the first on down and over, in turn. */
  #move(step: number, blocks: number): void {
    const block = (step - blocks) >> 1;
    if (step < blocks) this.#copy(PRIMARY, blocks - 1 - step, PRIMARY, blocks - step);
    else if ((step - blocks) % 2 === 0) this.#copy(SECONDARY, block, PRIMARY, block);
    else this.#copy(PRIMARY, block + 1, SECONDARY, block);
  }

  #copy(from: number, block: number, to: number, toBlock: number): void {
    const bytes = readBytes(this.#flash, from, block * this.#block, this.#block);
    must(this.#flash.erase(to, toBlock * this.#block, this.#block));
    must(this.#flash.write(to, toBlock * this.#block, bytes));
  }

  /** What was torn was written behind what it notes. */
  #stepsDone(most: number): number {
    let step = 0;
    while (
      step < most &&
      readBytes(this.#flash, PRIMARY, this.#noteAt(step), 1)[0] !== this.#flash.erased(PRIMARY)
    )
      step++;
    return step;
  }

  #note(step: number): boolean {
    return writeFlag(this.#flash, PRIMARY, this.#flash.size(PRIMARY) - this.#noteAt(step));
  }

  #noteAt(step: number): number {
    return this.#flash.size(PRIMARY) - this.#trailer + step * this.#flash.unit(PRIMARY);
  }

  #imageLength(area: number): number {
    return imageLength(this.#flash, area, this.#room);
  }

  /** Its header, its fields and its hash fit. */
  #isWhole(area: number): boolean {
    const length = this.#imageLength(area);
    if (length === 0) return false;
    const bytes = readBytes(this.#flash, area, 0, length);
    const end = bytes.readUInt16LE(8) + bytes.readUInt16LE(10) + bytes.readUInt32LE(12);
    const digest = createHash('sha256').update(bytes.subarray(0, end)).digest();
    for (let at = end + 4; at + 4 <= length; at += 4 + bytes.readUInt16LE(at + 2))
      if (bytes.readUInt16LE(at) === HASH_FIELD) return digest.equals(bytes.subarray(at + 4, at + 36));
    return false;
  }
}

function must(done: boolean): void {
  if (!done) throw new HostError('flash-unreadable', 'the flash fails; boot again');
}
