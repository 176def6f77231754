// The boot decision of a host without a bootloader of its own: the boot record of docs/formats.md.
// A record is appended whole before its effect, so a power cut leaves the decision before or after it.
import { crc32 } from 'node:zlib';
import { HostError } from './errors.ts';
import { BOOT_AREA, type FlashDriver } from './flash.ts';

const MAGIC = 0x3154424d;
const LENGTH = 16;
const CONFIRMED = 1;
const TRIAL = 2;
/** Boots on trial before the slots before return. */
const ATTEMPTS = 3;

/** What the core may ask of a boot decision. Each change takes effect whole or not at all; false: it failed. */
export interface BootControl {
  /** The slots that run, fixed since power-on: bit k is set when component k runs in its slot B. */
  readonly slots: number;
  /** They run on trial and are not confirmed yet. */
  readonly onTrial: boolean;
  /** From the next boot on, these slots run on trial, all of them or none. */
  select(slots: number): boolean;
  /** The running slots are those to run from now on. */
  confirm(): boolean;
  /** Ends a trial, begun or only selected: from the next boot on the slots before it run. */
  revert(): boolean;
}

interface Decision {
  readonly kind: number;
  readonly slots: number;
  /** Boots of this trial so far. */
  readonly boots: number;
  /** The slots that ran before this trial; 0 when it is none. */
  readonly before: number;
}

interface BootRecord extends Decision {
  readonly sequence: number;
  readonly offset: number;
}

/** The boot record in area 5. Constructing one is a boot: it counts the trial and fixes the running slots. */
export class RecordedBoot implements BootControl {
  readonly slots: number;
  readonly #flash: FlashDriver;
  #latest: BootRecord | undefined;
  #onTrial: boolean;

  constructor(flash: FlashDriver) {
    if (flash.blockEnd(BOOT_AREA, 0) >= flash.size(BOOT_AREA))
      throw new HostError('flash-misuse', `flash area ${BOOT_AREA}: the boot record needs two erase blocks`);
    this.#flash = flash;
    this.#latest = latestRecord(flash);
    const counted = this.#decision.kind !== TRIAL || this.#countTrial();
    const { kind, slots, before } = this.#decision;
    // A trial that cannot be counted would never end: then the slots before it run.
    this.slots = counted ? slots : before;
    this.#onTrial = counted && kind === TRIAL;
  }

  get onTrial(): boolean {
    return this.#onTrial;
  }

  select(slots: number): boolean {
    const now = this.#decision;
    return this.#decide({
      kind: TRIAL,
      slots,
      boots: 0,
      before: now.kind === TRIAL ? now.before : now.slots,
    });
  }

  confirm(): boolean {
    const done = this.#decide(confirmed(this.slots));
    if (done) this.#onTrial = false;
    return done;
  }

  revert(): boolean {
    const { kind, before } = this.#decision;
    return kind !== TRIAL || this.#decide(confirmed(before));
  }

  get #decision(): Decision {
    return this.#latest ?? confirmed(0);
  }

  #countTrial(): boolean {
    const { kind, slots, boots, before } = this.#decision;
    return this.#decide(boots >= ATTEMPTS ? confirmed(before) : { kind, slots, boots: boots + 1, before });
  }

  #decide(decision: Decision): boolean {
    const now = this.#decision;
    if (now.kind === decision.kind && now.slots === decision.slots && now.boots === decision.boots)
      return true;
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
  // To guess the slots could boot half an image.
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
  view.setUint8(9, record.slots);
  view.setUint8(10, record.boots);
  view.setUint8(11, record.before);
  view.setUint32(12, crc32(bytes.subarray(0, 12)), true);
  return bytes;
}

function decode(bytes: DataView, offset: number): BootRecord | undefined {
  if (bytes.getUint32(offset, true) !== MAGIC) return undefined;
  const kind = bytes.getUint8(offset + 8);
  if (kind !== CONFIRMED && kind !== TRIAL) return undefined;
  const checked = new Uint8Array(bytes.buffer, offset, 12);
  if (bytes.getUint32(offset + 12, true) !== crc32(checked)) return undefined;
  return {
    kind,
    slots: bytes.getUint8(offset + 9),
    boots: bytes.getUint8(offset + 10),
    before: bytes.getUint8(offset + 11),
    sequence: bytes.getUint32(offset + 4, true),
    offset,
  };
}

function confirmed(slots: number): Decision {
  return { kind: CONFIRMED, slots, boots: 0, before: 0 };
}
