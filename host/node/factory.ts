// What a factory leaves in the partition `moult_factory` of an ESP32: "Factory record" in docs/formats.md.
import { crc32 } from 'node:zlib';
import type { DeviceConfiguration, DeviceKey } from './provision.ts';

const MAGIC = 0x3146544d;
const HEADER = 24;
const CRC_AT = 20;
const NO_KEY = 0;
const OWN_KEY = 1;
const GIVEN_KEY = 2;

/** The bytes from the start of the partition. */
export function factoryRecord(
  configuration: DeviceConfiguration,
  root: Uint8Array,
  key?: DeviceKey,
  directorRoot: Uint8Array = new Uint8Array(),
): Uint8Array {
  const text = Buffer.from(JSON.stringify(configuration));
  const secret = key === undefined || key === 'random' ? new Uint8Array() : key;
  const record = Buffer.concat([Buffer.alloc(HEADER), text, secret, directorRoot, root]);
  record.writeUInt32LE(MAGIC, 0);
  record.writeUInt32LE(text.length, 4);
  record.writeUInt32LE(key === undefined ? NO_KEY : key === 'random' ? OWN_KEY : GIVEN_KEY, 8);
  record.writeUInt32LE(directorRoot.length, 12);
  record.writeUInt32LE(root.length, 16);
  record.writeUInt32LE(crc32(record.subarray(HEADER), crc32(record.subarray(0, CRC_AT))), CRC_AT);
  return record;
}
