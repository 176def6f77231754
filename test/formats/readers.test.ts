// The repository's readers of images: they find what the device finds, byte for byte and by code of their own.
import { describe, expect, test } from 'vitest';
import {
  ESP32_CHIPS,
  type ImageReport,
  inspectImage,
  otaSlot,
  type Partition,
  RepositoryError,
  readOtadata,
  readPartitionTable,
  readTrailer,
  writeOtadata,
  writePartitionTable,
  writeTrailer,
} from '../../repo/index.ts';
import {
  BootKey,
  CHIP,
  type Esp32Options,
  esp32Image,
  FIELD,
  type McubootOptions,
  mcubootImage,
  words,
} from '../fixtures/images.ts';

const codes = (image: ImageReport) => image.findings.map(({ code }) => code);
const esp32 = (options: Esp32Options = {}) => codes(inspectImage(esp32Image(options)));
const mcuboot = (options: McubootOptions = {}) => codes(inspectImage(mcubootImage(options)));

describe('images of the ESP32 family', () => {
  test('sound ones', () => {
    expect(inspectImage(esp32Image({ chip: 9, secureVersion: 7, segments: [4, 8] }))).toMatchObject({
      format: 'esp32',
      chip: 'esp32s3',
      chipId: 9,
      securityCounter: 7,
      segments: [{ offset: 32, length: 256 }, { length: 4 }, { length: 8 }],
      checksum: 'right',
      hash: 'right',
      findings: [],
    });
    expect(ESP32_CHIPS.esp32c3).toBe(CHIP);
    expect(esp32({ hash: false })).toEqual([]);
  });

  test('bytes behind the end, cut off, damaged, malformed', () => {
    const image = esp32Image();
    expect(codes(inspectImage(Buffer.concat([image, Buffer.alloc(1)])))).toEqual(['IMAGE_TRAILING']);
    for (const length of [40, 300, image.length - 1])
      expect(codes(inspectImage(image.subarray(0, length)))).toContain('IMAGE_FORMAT');
    image.writeUInt8(image.readUInt8(100) ^ 1, 100);
    expect(codes(inspectImage(image))).toEqual(['IMAGE_CORRUPT', 'IMAGE_CORRUPT']);
    expect(esp32({ segments: [18] })).toContain('IMAGE_FORMAT');
    expect(esp32({ first: 252 })).toContain('IMAGE_FORMAT');
    expect(esp32({ segments: Array(16).fill(4) })).toContain('IMAGE_FORMAT');
    expect(esp32({ change: (bytes) => bytes.writeUInt32LE(0xfffffffc, 28) })).toContain('IMAGE_FORMAT');
  });
});

describe('images of MCUboot', () => {
  test('sound ones', () => {
    const key = new BootKey('ed25519');
    const found = inspectImage(mcubootImage({ key, pure: true, counter: 9, flags: 0x100 }));
    expect(found).toMatchObject({
      format: 'mcuboot',
      flags: ['fixed address'],
      securityCounter: 9,
      hash: 'right',
      signature: 'ED25519 over all bytes',
      findings: [],
    });
    expect(mcuboot({ counter: undefined, sha512: true })).toEqual([]);
  });

  test.each<[string, McubootOptions]>([
    [
      '[CVE-2024-32883] IMAGE_UNPROTECTED',
      { fields: (honest) => [...honest, { type: FIELD.counter, value: words(1) }] },
    ],
    ['IMAGE_UNPROTECTED', { shielded: [{ type: FIELD.sha256, value: Buffer.alloc(32) }] }],
    ['IMAGE_FORMAT', { flags: 4 }],
    ['IMAGE_FORMAT', { headerSize: 28 }],
    ['IMAGE_FORMAT', { gap: 4 }],
    ['IMAGE_FORMAT', { fields: () => [] }],
    ['IMAGE_FORMAT', { fields: (honest) => [...honest, ...honest] }],
    ['IMAGE_FORMAT', { shielded: [{ type: FIELD.counter, value: words(1) }] }],
    [
      'IMAGE_FORMAT',
      { fields: (honest) => [...honest, ...Array(64).fill({ type: 0x30, value: Buffer.alloc(0) })] },
    ],
    ['IMAGE_FORMAT', { change: (image) => image.writeUInt32LE(0xfffffff0, 12) }],
  ])('%s', (name, options) => {
    expect(mcuboot(options)).toContain(name.split(' ').at(-1));
  });

  test('bytes behind the end, cut off at any byte, damaged', () => {
    const image = mcubootImage();
    expect(codes(inspectImage(Buffer.concat([image, Buffer.alloc(3)])))).toEqual(['IMAGE_TRAILING']);
    for (let length = 32; length < image.length; length++)
      expect(codes(inspectImage(image.subarray(0, length))), `${length} bytes`).toContain('IMAGE_FORMAT');
    image.writeUInt8(image.readUInt8(60) ^ 1, 60);
    expect(codes(inspectImage(image))).toEqual(['IMAGE_CORRUPT']);
  });
});

test('[mcuboot#1588] a trailer whose magic is torn is none', () => {
  const slot = Buffer.concat([Buffer.alloc(100), writeTrailer(true)]);
  expect(readTrailer(slot)).toEqual({ magic: 'good', imageOk: true, copyDone: false });
  for (let written = 1; written < 16; written++) {
    const torn = Buffer.from(slot).fill(0xff, slot.length - 16 + written);
    expect(readTrailer(torn).magic, `${written} bytes`).toBe('torn');
  }
  expect(readTrailer(Buffer.alloc(100, 0xff)).magic).toBe('unset');
});

test('an image in no format is raw, and cannot pass for one in another', () => {
  expect(inspectImage(Buffer.alloc(5, 7))).toEqual({ format: 'raw', findings: [] });
  expect(inspectImage(esp32Image(), 'raw').format).toBe('raw');
  expect(() => inspectImage(esp32Image(), 'mcuboot')).toThrow(RepositoryError);
  expect(() => inspectImage(Buffer.alloc(0), 'esp32')).toThrow('no ESP32 application image');
});

describe('partition tables', () => {
  const ota = (n: number, offset: number): Partition => ({
    label: `ota_${n}`,
    type: 0,
    subtype: 16 + n,
    offset,
    size: 0x10000,
  });
  const table = writePartitionTable([ota(0, 0x10000), ota(1, 0x20000)]);

  test('as they were written', () => {
    expect(readPartitionTable(table)).toEqual([ota(0, 0x10000), ota(1, 0x20000)]);
    expect(table.length).toBe(0xc00);
  });

  test('a bit that turned, anything between the rows, no end: refused', () => {
    for (let at = 0; at < 96; at++) {
      const damaged = Buffer.from(table);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      expect(() => readPartitionTable(damaged), `byte ${at}`).toThrow(RepositoryError);
    }
    expect(() => readPartitionTable(table.subarray(0, 96))).toThrow('no end');
  });

  test('what overlaps, is not aligned or has no label: refused', () => {
    expect(() => writePartitionTable([ota(0, 0x10000), ota(1, 0x28000)])).toThrow('not aligned');
    expect(() => writePartitionTable([{ ...ota(0, 0x10000), size: 0x20000 }, ota(1, 0x20000)])).toThrow(
      'overlap',
    );
    expect(() => writePartitionTable([{ ...ota(0, 0x10000), label: 'sixteen letters!' }])).toThrow(
      'no label',
    );
    expect(() =>
      writePartitionTable(Array.from({ length: 95 }, (_, n) => ota(n, 0x10000 * (n + 1)))),
    ).toThrow('more than fit');
  });
});

test('otadata: the vectors of its CRC, and which slot boots', () => {
  const crcs = [1, 2, 3].map((sequence) => writeOtadata({ sequence, state: 'new' }).readUInt32LE(28));
  expect(crcs).toEqual([0x4743989a, 0x55f63774, 0xed4a5011]);
  const records = (state: 'valid' | 'invalid') => [
    { sequence: 2, state: 'valid' as const },
    { sequence: 3, state },
  ];
  expect(otaSlot(records('valid'), 2)).toBe(0);
  expect(otaSlot(records('invalid'), 2)).toBe(1);
  expect(otaSlot([undefined, undefined], 2)).toBe(0);
  const damaged = writeOtadata({ sequence: 2, state: 'valid' });
  damaged.writeUInt32LE(4, 0);
  expect(readOtadata(damaged)).toEqual([undefined, undefined]);
});
