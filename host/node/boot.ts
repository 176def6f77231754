// The boot decision of a host without a bootloader of its own: the boot record of docs/formats.md.
// A record is appended whole before its effect, so a power cut leaves the decision before or after it.
import { crc32 } from 'node:zlib';
import { HostError } from './errors.ts';
import { BOOT_AREA, type FlashDriver } from './flash.ts';

const MAGIC = 0x3154424d;
const LENGTH = 16;
const CONFIRMED = 1;
const TRIAL = 2;
/** Boots on trial before the slot before returns. */
const ATTEMPTS = 3;

export type Slot = 0 | 1;

/** What the core may ask of a boot decision. Each change takes effect whole or not at all; false: it failed. */
export interface BootControl {
  /** The slot that runs, fixed since power-on. */
  readonly slot: Slot;
  /** It runs on trial and is not confirmed yet. */
  readonly onTrial: boolean;
  /** From the next boot on, `slot` runs on trial. */
  select(slot: Slot): boolean;
  /** The running slot is the one to run from now on. */
  confirm(): boolean;
  /** Ends a trial, begun or only selected: from the next boot on the other slot runs. */
  revert(): boolean;
}

interface Decision {
  readonly kind: number;
  readonly slot: Slot;
  /** Boots of this trial so far. */
  readonly boots: number;
}

interface BootRecord extends Decision {
  readonly sequence: number;
  readonly offset: number;
}

/** The boot record in area 5. Constructing one is a boot: it counts the trial and fixes the running slot. */
export class RecordedBoot implements BootControl {
  readonly slot: Slot;
  readonly #flash: FlashDriver;
  #latest: BootRecord | undefined;
  #onTrial: boolean;

  constructor(flash: FlashDriver) {
    if (flash.blockEnd(BOOT_AREA, 0) >= flash.size(BOOT_AREA))
      throw new HostError('flash-misuse', `flash area ${BOOT_AREA}: the boot record needs two erase blocks`);
    this.#flash = flash;
    this.#latest = latestRecord(flash);
    const counted = this.#decision.kind !== TRIAL || this.#countTrial();
    const { kind, slot } = this.#decision;
    // A trial that cannot be counted would never end: then the slot before it runs.
    this.slot = counted ? slot : other(slot);
    this.#onTrial = counted && kind === TRIAL;
  }

  get onTrial(): boolean {
    return this.#onTrial;
  }

  select(slot: Slot): boolean {
    return this.#decide({ kind: TRIAL, slot, boots: 0 });
  }

  confirm(): boolean {
    const done = this.#decide({ kind: CONFIRMED, slot: this.slot, boots: 0 });
    if (done) this.#onTrial = false;
    return done;
  }

  revert(): boolean {
    const { kind, slot } = this.#decision;
    return kind !== TRIAL || this.#decide({ kind: CONFIRMED, slot: other(slot), boots: 0 });
  }

  get #decision(): Decision {
    return this.#latest ?? { kind: CONFIRMED, slot: 0, boots: 0 };
  }

  #countTrial(): boolean {
    const { slot, boots } = this.#decision;
    return this.#decide(
      boots >= ATTEMPTS
        ? { kind: CONFIRMED, slot: other(slot), boots: 0 }
        : { kind: TRIAL, slot, boots: boots + 1 },
    );
  }

  #decide(decision: Decision): boolean {
    const now = this.#decision;
    if (now.kind === decision.kind && now.slot === decision.slot && now.boots === decision.boots) return true;
    const record = { ...decision, sequence: (this.#latest?.sequence ?? 0) + 1, offset: this.#room() };
    if (record.offset < 0 || !append(this.#flash, record)) return false;
    this.#latest = record;
    return true;
  }

  /** Where the next record goes; erases the next block when this one is full. Negative: the flash failed. */
  #room(): number {
    const flash = this.#flash;
    const inBlock = this.#latest?.offset ?? 0;
    const end = flash.blockEnd(BOOT_AREA, inBlock);
    const free = freeOffset(flash, inBlock, end);
    if (free < 0 || free + stride(flash) <= end) return free;
    const next = end % flash.size(BOOT_AREA);
    return flash.erase(BOOT_AREA, next, flash.blockEnd(BOOT_AREA, next) - next) ? next : -1;
  }
}

/** Writes a record and reads it back: flash that lies is noticed now, and not at the next boot. */
function append(flash: FlashDriver, record: BootRecord): boolean {
  const bytes = encode(record, flash);
  const found = new Uint8Array(bytes.length);
  return (
    flash.write(BOOT_AREA, record.offset, bytes) &&
    flash.read(BOOT_AREA, record.offset, found) &&
    Buffer.compare(found, bytes) === 0
  );
}

/** After the last byte of the block that is not erased, counted in records from its start. Negative: unreadable. */
function freeOffset(flash: FlashDriver, inBlock: number, end: number): number {
  const start = blockStart(flash, inBlock);
  const bytes = new Uint8Array(end - start);
  if (!flash.read(BOOT_AREA, start, bytes)) return -1;
  const erased = flash.erased(BOOT_AREA);
  const used = bytes.findLastIndex((byte) => byte !== erased) + 1;
  return start + Math.ceil(used / stride(flash)) * stride(flash);
}

function latestRecord(flash: FlashDriver): BootRecord | undefined {
  const size = flash.size(BOOT_AREA);
  const bytes = new DataView(new ArrayBuffer(size));
  // To guess a slot could boot half an image.
  if (!flash.read(BOOT_AREA, 0, new Uint8Array(bytes.buffer)))
    throw new HostError(
      'flash-unreadable',
      `flash area ${BOOT_AREA}: the boot record cannot be read; boot again`,
    );
  let latest: BootRecord | undefined;
  for (let start = 0; start < size; start = flash.blockEnd(BOOT_AREA, start)) {
    const end = flash.blockEnd(BOOT_AREA, start);
    for (let offset = start; offset + LENGTH <= end; offset += stride(flash)) {
      const record = decode(bytes, offset);
      if (record && record.sequence > (latest?.sequence ?? -1)) latest = record;
    }
  }
  return latest;
}

function blockStart(flash: FlashDriver, offset: number): number {
  let start = 0;
  while (flash.blockEnd(BOOT_AREA, start) <= offset) start = flash.blockEnd(BOOT_AREA, start);
  return start;
}

/** Bytes from one record to the next. */
function stride(flash: FlashDriver): number {
  return Math.max(LENGTH, flash.unit(BOOT_AREA));
}

function encode(record: BootRecord, flash: FlashDriver): Uint8Array {
  const bytes = new Uint8Array(stride(flash)).fill(flash.erased(BOOT_AREA));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, record.sequence, true);
  view.setUint8(8, record.kind);
  view.setUint8(9, record.slot);
  view.setUint16(10, record.boots, true);
  view.setUint32(12, crc32(bytes.subarray(0, 12)), true);
  return bytes;
}

function decode(bytes: DataView, offset: number): BootRecord | undefined {
  if (bytes.getUint32(offset, true) !== MAGIC) return undefined;
  const kind = bytes.getUint8(offset + 8);
  const slot = bytes.getUint8(offset + 9);
  if ((kind !== CONFIRMED && kind !== TRIAL) || (slot !== 0 && slot !== 1)) return undefined;
  const checked = new Uint8Array(bytes.buffer, offset, 12);
  if (bytes.getUint32(offset + 12, true) !== crc32(checked)) return undefined;
  const sequence = bytes.getUint32(offset + 4, true);
  return { kind, slot, boots: bytes.getUint16(offset + 10, true), sequence, offset };
}

function other(slot: Slot): Slot {
  return slot === 0 ? 1 : 0;
}
