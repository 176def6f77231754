// The boot decision of an ESP32: otadata, as ESP-IDF's bootloader reads it with rollback enabled and as its calls for
// applications write it (docs/formats.md, "otadata"). The two sectors are the first two blocks of the boot area.
//
// A record is written to its sector after an erase, and each change of its state erases and writes it once more. A power
// cut in between loses it, and the record in the other sector counts: so nothing here ever touches the record of the
// image to fall back to. The CRC does not cover the state: a record that an erase did not quite reach may have any.
import { crc32 } from 'node:zlib';
import type { BootControl } from './boot.ts';
import { HostError } from './errors.ts';
import { BOOT_AREA, type FlashDriver } from './flash.ts';

const LENGTH = 32;
const STATE_AT = 24;
const CRC_AT = 28;
const NO_SEQUENCE = 0xffffffff;
const SLOTS = 2;
/** No record, or none that counts: the bootloader starts ota_0. */
const DEFAULT_SLOT = 0;

const NEW = 0;
const PENDING_VERIFY = 1;
const VALID = 2;
const INVALID = 3;
const ABORTED = 4;

interface OtaRecord {
  readonly sector: number;
  readonly sequence: number;
  readonly state: number;
}

/** Constructing one is a boot: what the bootloader does, and what the image then finds. */
export class OtadataBoot implements BootControl {
  readonly slots: number;
  readonly #flash: FlashDriver;
  #onTrial: boolean;

  constructor(flash: FlashDriver) {
    if (flash.erased(BOOT_AREA) !== 0xff || flash.blockEnd(BOOT_AREA, 0) >= flash.size(BOOT_AREA))
      throw new HostError('flash-misuse', `flash area ${BOOT_AREA}: otadata needs two sectors, erased 0xff`);
    this.#flash = flash;
    // A trial has one boot: who has not confirmed by the next one is given up.
    for (const record of this.#records()) if (record.state === PENDING_VERIFY) this.#mark(record, ABORTED);
    const active = this.#active();
    if (active?.state === NEW) this.#mark(active, PENDING_VERIFY);
    this.slots = active ? slotOf(active) : DEFAULT_SLOT;
    // Whatever else an erase may have left of a state: it is not that of a confirmed image.
    this.#onTrial = active !== undefined && active.state !== VALID;
  }

  get onTrial(): boolean {
    return this.#onTrial;
  }

  /** The sector of the record that counts keeps it, unless it names this very slot. */
  select(slot: number): boolean {
    if (slot >= SLOTS) return false;
    const active = this.#active();
    if (!active) return this.#write({ sector: 0, sequence: slot + 1, state: NEW });
    // To write its number into the other sector would leave both naming this slot, and none to fall back to.
    if (slotOf(active) === slot) return active.state === NEW || this.#mark(active, NEW);
    return this.#write({ sector: 1 - active.sector, sequence: active.sequence + 1, state: NEW });
  }

  confirm(): boolean {
    const active = this.#active();
    const done = active === undefined || active.state === VALID || this.#mark(active, VALID);
    if (done) this.#onTrial = false;
    return done;
  }

  revert(): boolean {
    const active = this.#active();
    return active === undefined || active.state === VALID || this.#mark(active, INVALID);
  }

  #active(): OtaRecord | undefined {
    const [first, second] = this.#records().filter(({ state }) => state !== INVALID && state !== ABORTED);
    return first && second && second.sequence > first.sequence ? second : first;
  }

  #records(): OtaRecord[] {
    return [0, 1].flatMap((sector) => this.#read(sector) ?? []);
  }

  #read(sector: number): OtaRecord | undefined {
    const bytes = Buffer.alloc(LENGTH);
    // To guess a slot could boot half an image.
    if (!this.#flash.read(BOOT_AREA, this.#offset(sector), bytes))
      throw new HostError('flash-unreadable', `flash area ${BOOT_AREA}: otadata cannot be read; boot again`);
    const sequence = bytes.readUInt32LE(0);
    if (sequence === NO_SEQUENCE || bytes.readUInt32LE(CRC_AT) !== sequenceCrc(bytes)) return undefined;
    return { sector, sequence, state: bytes.readUInt32LE(STATE_AT) };
  }

  #mark(record: OtaRecord, state: number): boolean {
    return this.#write({ ...record, state });
  }

  #write({ sector, sequence, state }: OtaRecord): boolean {
    const offset = this.#offset(sector);
    const bytes = Buffer.alloc(LENGTH, 0xff);
    bytes.writeUInt32LE(sequence, 0);
    bytes.writeUInt32LE(state, STATE_AT);
    bytes.writeUInt32LE(sequenceCrc(bytes), CRC_AT);
    const found = Buffer.alloc(LENGTH);
    return (
      this.#flash.erase(BOOT_AREA, offset, this.#flash.blockEnd(BOOT_AREA, offset) - offset) &&
      this.#flash.write(BOOT_AREA, offset, bytes) &&
      this.#flash.read(BOOT_AREA, offset, found) &&
      found.equals(bytes)
    );
  }

  #offset(sector: number): number {
    return sector === 0 ? 0 : this.#flash.blockEnd(BOOT_AREA, 0);
  }
}

function slotOf({ sequence }: OtaRecord): number {
  return (sequence - 1) % SLOTS;
}

/** Of the first four bytes alone, from an initial value of all ones. */
function sequenceCrc(record: Uint8Array): number {
  return crc32(record.subarray(0, 4), 0xffffffff);
}
