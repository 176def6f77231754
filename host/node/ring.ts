// Records of one kind in the boot area, appended one behind the other: the latest counts. A record is written whole before
// its effect, so a power cut leaves the one before it or this one. docs/formats.md, "Boot record".
import { crc32 } from 'node:zlib';
import { HostError } from './errors.ts';
import { BOOT_AREA, type FlashDriver } from './flash.ts';

/** Magic and sequence. */
const HEAD = 8;
const CRC = 4;

export interface RingRecord {
  readonly sequence: number;
  readonly offset: number;
  /** What is between the sequence and the CRC. */
  readonly fields: Buffer;
}

export class RecordRing {
  readonly #flash: FlashDriver;
  readonly #magic: number;
  readonly #length: number;
  #latest: RingRecord | undefined;

  /** `length` of a whole record in bytes; `isKnown` says which fields are none. Throws when the area cannot be read. */
  constructor(flash: FlashDriver, magic: number, length: number, isKnown: (fields: Buffer) => boolean) {
    if (flash.blockEnd(BOOT_AREA, 0) >= flash.size(BOOT_AREA))
      throw new HostError('flash-misuse', `flash area ${BOOT_AREA}: the boot record needs two erase blocks`);
    this.#flash = flash;
    this.#magic = magic;
    this.#length = length;
    this.#latest = this.#find(isKnown);
  }

  /** Undefined: there is none yet. */
  get latest(): RingRecord | undefined {
    return this.#latest;
  }

  /** Makes these fields the latest. False: the flash failed, and those before count. */
  append(fields: Buffer): boolean {
    const record = { fields, sequence: (this.#latest?.sequence ?? 0) + 1, offset: this.#room() };
    if (record.offset < 0 || !this.#write(record)) return false;
    this.#latest = record;
    return true;
  }

  /** Bytes from one record to the next. */
  get #stride(): number {
    return Math.max(this.#length, this.#flash.unit(BOOT_AREA));
  }

  #find(isKnown: (fields: Buffer) => boolean): RingRecord | undefined {
    const flash = this.#flash;
    const bytes = Buffer.alloc(flash.size(BOOT_AREA));
    // To guess the slots could boot half an image.
    if (!flash.read(BOOT_AREA, 0, bytes))
      throw new HostError(
        'flash-unreadable',
        `flash area ${BOOT_AREA}: the boot record cannot be read; boot again`,
      );
    let latest: RingRecord | undefined;
    for (let start = 0; start < bytes.length; start = flash.blockEnd(BOOT_AREA, start)) {
      const end = flash.blockEnd(BOOT_AREA, start);
      for (let offset = start; offset + this.#length <= end; offset += this.#stride) {
        const record = this.#decode(bytes, offset);
        if (record && isKnown(record.fields) && record.sequence > (latest?.sequence ?? -1)) latest = record;
      }
    }
    return latest;
  }

  #decode(bytes: Buffer, offset: number): RingRecord | undefined {
    if (bytes.readUInt32LE(offset) !== this.#magic) return undefined;
    const end = offset + this.#length - CRC;
    if (bytes.readUInt32LE(end) !== crc32(bytes.subarray(offset, end))) return undefined;
    const fields = Buffer.from(bytes.subarray(offset + HEAD, end));
    return { sequence: bytes.readUInt32LE(offset + 4), offset, fields };
  }

  /** Where the next record goes; erases the next block when this one is full. Negative: the flash failed. */
  #room(): number {
    const flash = this.#flash;
    const inBlock = this.#latest?.offset ?? 0;
    const end = flash.blockEnd(BOOT_AREA, inBlock);
    const free = this.#free(inBlock, end);
    if (free < 0 || free + this.#stride <= end) return free;
    const next = end % flash.size(BOOT_AREA);
    return flash.erase(BOOT_AREA, next, flash.blockEnd(BOOT_AREA, next) - next) ? next : -1;
  }

  /** After the last byte of the block that is not erased, counted in records from its start. Negative: unreadable. */
  #free(inBlock: number, end: number): number {
    const start = this.#blockStart(inBlock);
    const bytes = new Uint8Array(end - start);
    if (!this.#flash.read(BOOT_AREA, start, bytes)) return -1;
    const erased = this.#flash.erased(BOOT_AREA);
    const used = bytes.findLastIndex((byte) => byte !== erased) + 1;
    return start + Math.ceil(used / this.#stride) * this.#stride;
  }

  #blockStart(offset: number): number {
    let start = 0;
    while (this.#flash.blockEnd(BOOT_AREA, start) <= offset) start = this.#flash.blockEnd(BOOT_AREA, start);
    return start;
  }

  /** Writes a record and reads it back: flash that lies is noticed now, and not at the next boot. */
  #write({ fields, sequence, offset }: RingRecord): boolean {
    const bytes = Buffer.alloc(this.#stride, this.#flash.erased(BOOT_AREA));
    const end = this.#length - CRC;
    bytes.writeUInt32LE(this.#magic, 0);
    bytes.writeUInt32LE(sequence, 4);
    fields.copy(bytes, HEAD);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end);
    const found = Buffer.alloc(bytes.length);
    return (
      this.#flash.write(BOOT_AREA, offset, bytes) &&
      this.#flash.read(BOOT_AREA, offset, found) &&
      found.equals(bytes)
    );
  }
}
