// Partition tables of ESP-IDF, as its generator writes them: rows of 32 bytes, a row with their MD5, erased bytes.
import { createHash } from 'node:crypto';
import { RepositoryError } from '../errors.ts';

const ROW = 32;
const ROW_MAGIC = 0x50aa;
const SUM_MAGIC = Buffer.concat([Buffer.of(0xeb, 0xeb), Buffer.alloc(14, 0xff)]);
const LENGTH = 0xc00;
const LABEL = 16;
const APP = 0;
const APP_ALIGNMENT = 0x10000;
const ALIGNMENT = 0x1000;

export interface Partition {
  /** At most 15 characters. */
  readonly label: string;
  /** 0 application, 1 data. */
  readonly type: number;
  /** Of an application 0 factory, 16 + n ota_n; of data 0 ota, 1 phy, 2 nvs, 4 nvs_keys, 5 efuse. */
  readonly subtype: number;
  readonly offset: number;
  readonly size: number;
  /** bit 0: encrypted, bit 1: readonly */
  readonly flags?: number;
}

export function isPartitionTable(bytes: Buffer): boolean {
  return bytes.length >= ROW && bytes.readUInt16LE(0) === ROW_MAGIC;
}

/** Refuses with `image-refused` what ESP-IDF would not read, naming what is wrong. */
export function readPartitionTable(bytes: Buffer): Partition[] {
  const rows: Partition[] = [];
  for (let at = 0; at + ROW <= Math.min(bytes.length, LENGTH); at += ROW) {
    const row = bytes.subarray(at, at + ROW);
    if (row.every((byte) => byte === 0xff)) return checked(rows);
    if (row.readUInt16LE(0) === ROW_MAGIC) rows.push(readRow(row));
    else if (!row.subarray(0, SUM_MAGIC.length).equals(SUM_MAGIC))
      throw refused(`row ${at / ROW + 1} is none`);
    else if (!row.subarray(SUM_MAGIC.length).equals(sumOf(bytes.subarray(0, at))))
      throw refused('its MD5 is not that of its rows');
  }
  throw refused('it has no end');
}

export function writePartitionTable(partitions: readonly Partition[]): Buffer {
  const rows = Buffer.concat(checked(partitions).map(writeRow));
  const table = Buffer.concat([rows, SUM_MAGIC, sumOf(rows)]);
  if (table.length + ROW > LENGTH) throw refused(`it has ${partitions.length} partitions, more than fit`);
  return Buffer.concat([table, Buffer.alloc(LENGTH - table.length, 0xff)]);
}

function checked<T extends readonly Partition[]>(partitions: T): T {
  const sorted = [...partitions].sort((a, b) => a.offset - b.offset);
  for (const [index, { label, type, offset, size }] of sorted.entries()) {
    if (offset % (type === APP ? APP_ALIGNMENT : ALIGNMENT) !== 0) throw refused(`${label} is not aligned`);
    const next = sorted[index + 1];
    if (next && offset + size > next.offset) throw refused(`${label} and ${next.label} overlap`);
  }
  return partitions;
}

function readRow(row: Buffer): Partition {
  const label = row.subarray(12, 12 + LABEL);
  const end = label.indexOf(0);
  const flags = row.readUInt32LE(28);
  return {
    label: label.toString('latin1', 0, end < 0 ? LABEL : end),
    type: row.readUInt8(2),
    subtype: row.readUInt8(3),
    offset: row.readUInt32LE(4),
    size: row.readUInt32LE(8),
    ...(flags !== 0 && { flags }),
  };
}

function writeRow({ label, type, subtype, offset, size, flags = 0 }: Partition): Buffer {
  if (!/^[\x20-\x7e]{1,15}$/.test(label)) throw refused(`"${label}" is no label of 1 to 15 characters`);
  const row = Buffer.alloc(ROW);
  row.writeUInt16LE(ROW_MAGIC, 0);
  row.writeUInt8(type, 2);
  row.writeUInt8(subtype, 3);
  row.writeUInt32LE(offset, 4);
  row.writeUInt32LE(size, 8);
  row.write(label, 12, 'latin1');
  row.writeUInt32LE(flags, 28);
  return row;
}

function sumOf(rows: Uint8Array): Buffer {
  return createHash('md5').update(rows).digest();
}

function refused(what: string): RepositoryError {
  return new RepositoryError('image-refused', `this partition table cannot be used: ${what}`);
}
