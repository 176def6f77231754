// The boot decision where MCUboot makes it, by swapping: its trailers at the end of the two slots (docs/formats.md, "MCUboot's
// trailers"), as an image that it has started reads and writes them.
//
// MCUboot runs what lies in the primary slot and moves images there. The core has slots A and B, whose images stay: so which
// of them the primary holds changes with each swap, and the flash that the core gets is another view of the same. What
// was asked for is on flash twice, in the trailer for MCUboot and in a record of its own for this: which of A and B, and
// the image that lies there, by length and CRC. By that image it is known whether a confirmation came before
// a power cut.
import { crc32 } from 'node:zlib';
import { Area } from './abi.ts';
import type { BootControl } from './boot.ts';
import { HostError } from './errors.ts';
import type { FlashDriver } from './flash.ts';
import { RecordRing } from './ring.ts';

/** The physical slots: MCUboot's primary and secondary. */
export const PRIMARY = Area.SLOT_A;
export const SECONDARY = Area.SLOT_B;

/** Bytes from the end of a slot, for a maximal alignment of 8. */
export const TRAILER = { magic: 16, imageOk: 24, copyDone: 32, swapInfo: 40, swapSize: 48 } as const;
export const TRAILER_MAGIC = Buffer.from('77c295f360d2ef7f3552500f2cb67980', 'hex');
export const SET = 0x01;

const IMAGE_MAGIC = 0x96f3b83d;
const IMAGE_HEADER = 32;
const FIELDS_MAGIC = 0x6907;
const FIELDS_HEADER = 4;

const RECORD_MAGIC = 0x314d424d;
const RECORD = 32;
/** The primary holds the slot that the record names. */
const SETTLED = 1;
/** It held the other one when this one, in the secondary, was selected. */
const SELECTED = 2;
/** Then this one was on trial, and about to be confirmed. */
const CONFIRMING = 3;
/** Bytes that are read at once. */
const PIECE = 1024;

interface Selection {
  readonly kind: number;
  readonly slot: number;
  /** Of the image that was selected. */
  readonly length: number;
  readonly crc: number;
}

/** In an image that MCUboot has started. `reserved`: bytes at the end of each slot that are the bootloader's, whole blocks. */
export class McubootBoot implements BootControl {
  /** What the core is to be given. */
  readonly flash: FlashDriver;
  readonly slots: number;
  readonly #flash: FlashDriver;
  readonly #reserved: number;
  readonly #ring: RecordRing;
  #onTrial: boolean;

  constructor(flash: FlashDriver, reserved: number) {
    if (flash.unit(PRIMARY) > 8 || reserved < TRAILER.swapSize)
      throw new HostError('flash-misuse', 'a trailer of MCUboot needs units of 8 bytes at most');
    this.#flash = flash;
    this.#reserved = reserved;
    this.#ring = new RecordRing(
      flash,
      RECORD_MAGIC,
      RECORD,
      ([kind = 0]) => kind >= SETTLED && kind <= CONFIRMING,
    );
    const { kind, slot, length, crc } = this.#record;
    this.#onTrial = kind !== SETTLED && awaitsVerdict(flash);
    // What was selected and is no trial was not swapped, or swapped back; to confirm may have come too late.
    const isConfirmed = () => kind === CONFIRMING && imageCrc(flash, PRIMARY, length) === crc;
    this.slots = kind === SETTLED || this.#onTrial || isConfirmed() ? slot : 1 - slot;
    this.flash = new SwappedFlash(flash, this.slots, reserved);
    if (!this.#onTrial && !this.#settle())
      throw new HostError('flash-unreadable', 'the record of the slots cannot be written; boot again');
  }

  get onTrial(): boolean {
    return this.#onTrial;
  }

  /** The record first: a swap that it does not know would be a swap of names. The magic last: without it nothing is asked for. */
  select(slot: number): boolean {
    if (slot !== 1 - this.slots || this.#onTrial) return false;
    const length = imageLength(this.#flash, SECONDARY, this.#flash.size(SECONDARY) - this.#reserved);
    if (length === 0) return false;
    const crc = imageCrc(this.#flash, SECONDARY, length);
    return this.#write({ kind: SELECTED, slot, length, crc }) && request(this.#flash, this.#reserved, false);
  }

  /** The record first: without it a confirmation looks as a swap back does. */
  confirm(): boolean {
    if (!this.#onTrial) return true;
    if (!this.#write({ ...this.#record, kind: CONFIRMING })) return false;
    if (!writeFlag(this.#flash, PRIMARY, TRAILER.imageOk)) return false;
    this.#onTrial = false;
    this.#settle(); // or at the next boot
    return true;
  }

  /** On trial MCUboot would swap back by itself, unless what it notes at the end of a swap was torn: so it is asked to. */
  revert(): boolean {
    if (this.#onTrial) return request(this.#flash, this.#reserved, true);
    return clearTrailer(this.#flash, SECONDARY, this.#reserved) && this.#settle();
  }

  get #record(): Selection {
    const fields = this.#ring.latest?.fields;
    if (!fields) return { kind: SETTLED, slot: 0, length: 0, crc: 0 };
    return {
      kind: fields[0] ?? 0,
      slot: fields[1] ?? 0,
      length: fields.readUInt32LE(4),
      crc: fields.readUInt32LE(8),
    };
  }

  #settle(): boolean {
    const { kind, slot } = this.#record;
    const isSettled = kind === SETTLED && slot === this.slots;
    return isSettled || this.#write({ kind: SETTLED, slot: this.slots, length: 0, crc: 0 });
  }

  #write({ kind, slot, length, crc }: Selection): boolean {
    const fields = Buffer.alloc(RECORD - 12);
    fields[0] = kind;
    fields[1] = slot;
    fields.writeUInt32LE(length, 4);
    fields.writeUInt32LE(crc, 8);
    return this.#ring.append(fields);
  }
}

/** The slots as the core names them, without what is the bootloader's. */
class SwappedFlash implements FlashDriver {
  readonly #flash: FlashDriver;
  readonly #held: number;
  readonly #reserved: number;

  constructor(flash: FlashDriver, held: number, reserved: number) {
    this.#flash = flash;
    this.#held = held;
    this.#reserved = reserved;
  }

  size(area: number): number {
    const size = this.#flash.size(this.#at(area));
    return isSlot(area) ? size - this.#reserved : size;
  }

  blockEnd(area: number, offset: number): number {
    return this.#flash.blockEnd(this.#at(area), offset);
  }

  unit(area: number): number {
    return this.#flash.unit(this.#at(area));
  }

  erased(area: number): number {
    return this.#flash.erased(this.#at(area));
  }

  read(area: number, offset: number, into: Uint8Array): boolean {
    return this.#flash.read(this.#at(area), offset, into);
  }

  write(area: number, offset: number, data: Uint8Array): boolean {
    return this.#flash.write(this.#at(area), offset, data);
  }

  erase(area: number, offset: number, length: number): boolean {
    return this.#flash.erase(this.#at(area), offset, length);
  }

  #at(area: number): number {
    return this.#held === 1 && isSlot(area) ? PRIMARY + SECONDARY - area : area;
  }
}

function isSlot(area: number): boolean {
  return area === PRIMARY || area === SECONDARY;
}

// ---- trailers ----

/** MCUboot's row REVERT: at the next reset the images are swapped back. */
export function awaitsVerdict(flash: FlashDriver): boolean {
  return (
    hasMagic(flash, PRIMARY) &&
    isErased(flash, PRIMARY, TRAILER.imageOk) &&
    !isErased(flash, PRIMARY, TRAILER.copyDone)
  );
}

/** Asks for a swap, on trial or for good: what makes it permanent first, the magic last. */
export function request(flash: FlashDriver, reserved: number, permanent: boolean): boolean {
  return (
    clearTrailer(flash, SECONDARY, reserved) &&
    (!permanent || writeFlag(flash, SECONDARY, TRAILER.imageOk)) &&
    writeMagic(flash, SECONDARY)
  );
}

/** Erases the blocks that are the bootloader's, unless they are: a magic that was torn among them. */
export function clearTrailer(flash: FlashDriver, area: number, reserved: number): boolean {
  const start = flash.size(area) - reserved;
  const bytes = new Uint8Array(reserved);
  const erased = flash.erased(area);
  if (flash.read(area, start, bytes) && bytes.every((byte) => byte === erased)) return true;
  return flash.erase(area, start, reserved);
}

export function hasMagic(flash: FlashDriver, area: number): boolean {
  return readTrailer(flash, area, TRAILER.magic, TRAILER_MAGIC.length).equals(TRAILER_MAGIC);
}

export function isErased(flash: FlashDriver, area: number, field: number): boolean {
  return readTrailer(flash, area, field, 1)[0] === flash.erased(area);
}

export function readTrailer(flash: FlashDriver, area: number, field: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  if (!flash.read(area, flash.size(area) - field, bytes))
    throw new HostError('flash-unreadable', `flash area ${area}: the trailer cannot be read; boot again`);
  return bytes;
}

export function writeMagic(flash: FlashDriver, area: number): boolean {
  return writeChecked(flash, area, TRAILER.magic, TRAILER_MAGIC);
}

export function writeFlag(flash: FlashDriver, area: number, field: number): boolean {
  const unit = Buffer.alloc(flash.unit(area), flash.erased(area));
  unit[0] = SET;
  return writeChecked(flash, area, field, unit);
}

function writeChecked(flash: FlashDriver, area: number, field: number, bytes: Buffer): boolean {
  return (
    flash.write(area, flash.size(area) - field, bytes) &&
    readTrailer(flash, area, field, bytes.length).equals(bytes)
  );
}

// ---- images ----

/** Bytes of an image with all its fields, from its start in an area; 0: there is none that ends before `most`. */
export function imageLength(flash: FlashDriver, area: number, most: number): number {
  const header = readBytes(flash, area, 0, IMAGE_HEADER);
  const unprotected = header.readUInt16LE(8) + header.readUInt16LE(10) + header.readUInt32LE(12);
  if (header.readUInt32LE(0) !== IMAGE_MAGIC || unprotected + FIELDS_HEADER > most) return 0;
  const fields = readBytes(flash, area, unprotected, FIELDS_HEADER);
  const length = unprotected + fields.readUInt16LE(2);
  return fields.readUInt16LE(0) === FIELDS_MAGIC && length <= most ? length : 0;
}

function imageCrc(flash: FlashDriver, area: number, length: number): number {
  let crc = 0;
  for (let offset = 0; offset < length; offset += PIECE)
    crc = crc32(readBytes(flash, area, offset, Math.min(PIECE, length - offset)), crc);
  return crc;
}

export function readBytes(flash: FlashDriver, area: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  if (!flash.read(area, offset, bytes))
    throw new HostError('flash-unreadable', `flash area ${area}: cannot be read; boot again`);
  return bytes;
}
