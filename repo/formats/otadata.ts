// otadata of ESP-IDF (docs/formats.md): which slot its bootloader starts.
import { crc32 } from 'node:zlib';

const RECORD = 32;
const SECTOR = 4096;
const NO_SEQUENCE = 0xffffffff;

export const OTA_STATES = {
  new: 0,
  pending: 1,
  valid: 2,
  invalid: 3,
  aborted: 4,
  undefined: 0xffffffff,
} as const;
export type OtaState = keyof typeof OTA_STATES;

export interface OtaRecord {
  readonly sequence: number;
  readonly state: OtaState;
}

/** Both sectors; undefined: no record, or one with a wrong CRC. */
export function readOtadata(bytes: Buffer): (OtaRecord | undefined)[] {
  return [0, SECTOR].map((at) => {
    if (at + RECORD > bytes.length) return undefined;
    const sequence = bytes.readUInt32LE(at);
    if (sequence === NO_SEQUENCE || bytes.readUInt32LE(at + 28) !== crcOf(sequence)) return undefined;
    const state = bytes.readUInt32LE(at + 24);
    const known = Object.entries(OTA_STATES).find(([, value]) => value === state);
    return { sequence, state: (known?.[0] ?? 'undefined') as OtaState };
  });
}

/** The slot of `slots` that the bootloader starts; 0 without a record that counts. */
export function otaSlot(records: readonly (OtaRecord | undefined)[], slots: number): number {
  const counting = records.filter(
    (record) => record && record.state !== 'invalid' && record.state !== 'aborted',
  );
  const highest = Math.max(0, ...counting.map((record) => record?.sequence ?? 0));
  return highest === 0 ? 0 : (highest - 1) % slots;
}

/** The partition as a factory writes it: this record in the first sector. */
export function writeOtadata({ sequence, state }: OtaRecord): Buffer {
  const bytes = Buffer.alloc(2 * SECTOR, 0xff);
  bytes.writeUInt32LE(sequence, 0);
  bytes.writeUInt32LE(OTA_STATES[state], 24);
  bytes.writeUInt32LE(crcOf(sequence), 28);
  return bytes;
}

function crcOf(sequence: number): number {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(sequence);
  return crc32(bytes, 0xffffffff);
}
