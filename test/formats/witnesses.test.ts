// Espressif's esptool, MCUboot's imgtool and ESP-IDF's generator of partition tables as witnesses: what they make, our
// readers and the device take; what we write, they take.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { State } from '../../host/node/abi.ts';
import type { DeviceConfiguration } from '../../host/node/provision.ts';
import {
  type ImageReport,
  inspectImage,
  readOtadata,
  readPartitionTable,
  readTrailer,
  writeOtadata,
  writePartitionTable,
  writeTrailer,
} from '../../repo/index.ts';
import { elf, RISCV, XTENSA } from '../fixtures/elf.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { BootKey, esp32Image, mcubootImage, words } from '../fixtures/images.ts';
import { HOW_TO_GET_IMAGE_TOOLS, hasImageTools, runPython, runTool } from '../fixtures/python.ts';
import { optional } from '../optional.ts';
import { stage } from '../tuf/kit.ts';

const test = optional(hasImageTools(), HOW_TO_GET_IMAGE_TOOLS);
const WITNESS = 'formats/tables_witness.py';
const KEYS = { ed25519: new BootKey('ed25519'), p256: new BootKey('p256') };

/** Room for images whose segments are 64 KB apart. */
const SLOT = 0x30000;

/** What a device of a board says of an image: its status, or that it runs it. */
async function device(
  board: Partial<DeviceConfiguration>,
  image: Uint8Array,
  securityCounter: number,
): Promise<string> {
  const s = await stage({ slot: SLOT, configuration: { ...board, securityCounter: 0 } });
  s.release({ releaseCounter: 2, securityCounter, image });
  const { status } = await s.check();
  return s.state(State.INSTALLED_RELEASE) === 2 ? 'installed' : status;
}

// ---- esptool ----

const DESCRIPTOR = Buffer.alloc(256);
DESCRIPTOR.set(words(0xabcd5432, 3));
DESCRIPTOR.write('1.2.3', 16);
DESCRIPTOR.write('lamp', 48);
DESCRIPTOR.write('v5.4', 112);

const CHIPS = [
  { chip: 'esp32c3', chipId: 5, machine: RISCV, data: 0x3c000020, code: 0x42010020, ram: 0x40380000 },
  { chip: 'esp32s3', chipId: 9, machine: XTENSA, data: 0x3c000020, code: 0x42010020, ram: 0x40378000 },
  { chip: 'esp32', chipId: 0, machine: XTENSA, data: 0x3f400020, code: 0x400d0020, ram: 0x40080000 },
] as const;

/** An application as esptool makes it. */
async function esptoolImage(chip: (typeof CHIPS)[number], ...options: readonly string[]): Promise<Buffer> {
  const folder = temporaryFolder();
  const program = elf(chip.machine, chip.ram, [
    { name: '.flash.appdesc', address: chip.data, data: DESCRIPTOR },
    { name: '.flash.text', address: chip.code, data: Buffer.alloc(300, 0x13) },
    { name: '.iram0.text', address: chip.ram, data: Buffer.alloc(61, 0x17) },
  ]);
  writeFileSync(join(folder, 'app.elf'), program);
  const image = join(folder, 'app.bin');
  await runTool('esptool', [
    '--chip',
    chip.chip,
    'elf2image',
    ...options,
    '-o',
    image,
    join(folder, 'app.elf'),
  ]);
  return readFileSync(image);
}

for (const chip of CHIPS) {
  test(`esptool: an application for ${chip.chip}, read and installed; no other board takes it`, async () => {
    const image = await esptoolImage(chip);
    expect(inspectImage(image)).toMatchObject({
      format: 'esp32',
      chip: chip.chip,
      chipId: chip.chipId,
      securityCounter: 3,
      version: '1.2.3',
      project: 'lamp',
      idfVersion: 'v5.4',
      checksum: 'right',
      hash: 'right',
      findings: [],
    });
    const board = { imageFormat: 'esp32', chipId: chip.chipId } as const;
    expect(await device(board, image, 3)).toBe('installed');
    expect(await device({ ...board, chipId: 13 }, image, 3)).toBe('WRONG_CHIP');
    expect(await device(board, Buffer.concat([image, Buffer.alloc(1)]), 3)).toBe('IMAGE_TRAILING');
    const bare = await esptoolImage(chip, '--dont-append-digest');
    expect(inspectImage(bare)).toMatchObject({ hash: 'none', findings: [] });
    expect(await device(board, bare, 3)).toBe('installed');
  }, 120_000);
}

test('esptool reads the images that the tests make by hand', async () => {
  const path = join(temporaryFolder(), 'image.bin');
  for (const options of [{}, { segments: [4, 8, 12] }, { segments: [28] }]) {
    writeFileSync(path, esp32Image(options));
    const said = await runTool('esptool', ['image-info', path]);
    expect(said).toMatch(/Checksum: .*\(valid\)/);
    expect(said).toMatch(/Validation hash: .*\(valid\)/i);
  }
}, 60_000);

// ---- imgtool ----

interface Signing {
  readonly name: string;
  readonly key: BootKey;
  readonly options: readonly string[];
  readonly report: Partial<ImageReport>;
}

const SIGNINGS: readonly Signing[] = [
  { name: 'Ed25519', key: KEYS.ed25519, options: [], report: { securityCounter: 0, signature: 'ED25519' } },
  {
    name: 'Ed25519, a security counter and a dependency',
    key: KEYS.ed25519,
    options: ['--security-counter', '4', '--dependencies', '(1, 1.2.3+0)'],
    report: { securityCounter: 4 },
  },
  { name: 'Ed25519 over SHA-512', key: KEYS.ed25519, options: ['--sha', '512'], report: {} },
  {
    name: 'Ed25519 over all bytes',
    key: KEYS.ed25519,
    options: ['--pure', '--security-counter', '2'],
    report: { securityCounter: 2, signature: 'ED25519 over all bytes' },
  },
  {
    name: 'P-256 and a boot record',
    key: KEYS.p256,
    options: ['--security-counter', '1', '--boot-record', 'app'],
    report: { securityCounter: 1, signature: 'ECDSASIG' },
  },
];

/** An image as imgtool signs it. */
async function imgtoolImage(
  key: BootKey,
  options: readonly string[],
): Promise<{ path: string; pem: string; image: Buffer }> {
  const folder = temporaryFolder();
  const [pem, payload, path] = ['key.pem', 'payload.bin', 'signed.bin'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(pem, key.pem);
  writeFileSync(payload, Buffer.alloc(1000, 0x5a));
  const layout = [
    '--header-size',
    '0x200',
    '--pad-header',
    '--align',
    '8',
    '--slot-size',
    '0x8000',
    '--version',
    '1.2.3+4',
  ];
  await runTool('imgtool', ['sign', '--key', pem, ...layout, ...options, payload, path]);
  return { path, pem, image: readFileSync(path) };
}

for (const { name, key, options, report } of SIGNINGS) {
  test(`imgtool: ${name}, read and installed; not with another key`, async () => {
    const { image } = await imgtoolImage(key, options);
    const found = inspectImage(image);
    expect(found).toMatchObject({
      format: 'mcuboot',
      version: '1.2.3+4',
      headerSize: 512,
      hash: 'right',
      findings: [],
      ...report,
    });
    const counter = found.format === 'mcuboot' ? found.securityCounter : 0;
    const board = { imageFormat: 'mcuboot', bootKey: key.hex } as const;
    expect(await device(board, image, counter)).toBe('installed');
    const other = new BootKey(key === KEYS.p256 ? 'p256' : 'ed25519', 2);
    expect(await device({ ...board, bootKey: other.hex }, image, counter)).toBe('IMAGE_SIGNATURE');
    expect(await device(board, image, counter + 1)).toBe('IMAGE_COUNTER');
  }, 60_000);
}

test('imgtool verifies the images that the tests make by hand', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'image.bin');
  for (const [key, pure] of [
    [KEYS.ed25519, false],
    [KEYS.p256, false],
  ] as const) {
    const pem = join(folder, 'key.pem');
    writeFileSync(pem, key.pem);
    writeFileSync(path, mcubootImage({ key, pure }));
    expect(await runTool('imgtool', ['verify', '--key', pem, path])).toContain(
      'Image was correctly validated',
    );
    expect(await runTool('imgtool', ['dumpinfo', path])).toContain('SEC_CNT');
  }
}, 60_000);

test('imgtool names the key as the configuration has it', async () => {
  const pem = join(temporaryFolder(), 'key.pem');
  for (const key of [KEYS.ed25519, KEYS.p256]) {
    writeFileSync(pem, key.pem);
    const source = await runTool('imgtool', ['getpub', '--key', pem]);
    const bytes = [...source.matchAll(/0x([0-9a-f]{2})/g)].map(([, digits]) => digits);
    expect(bytes.join('')).toBe(key.hex);
  }
}, 60_000);

test('imgtool: an encrypted image, one for RAM and one that does not boot are refused', async () => {
  const board = { imageFormat: 'mcuboot' } as const;
  for (const options of [['--load-addr', '0x20000000'], ['--non-bootable']]) {
    const { image } = await imgtoolImage(KEYS.ed25519, options);
    expect(inspectImage(image).findings[0]?.code).toBe('IMAGE_FORMAT');
    expect(await device(board, image, 0)).toBe('IMAGE_FORMAT');
  }
}, 60_000);

test('imgtool: the padding and the trailer of a slot, on trial and confirmed', async () => {
  for (const [options, imageOk] of [
    [['--pad'], false],
    [['--pad', '--confirm'], true],
  ] as const) {
    const { image } = await imgtoolImage(KEYS.ed25519, options);
    expect(readTrailer(image)).toEqual({ magic: 'good', imageOk, copyDone: false });
    expect(image.subarray(-48).equals(writeTrailer(imageOk))).toBe(true);
    expect(inspectImage(image).findings.map(({ code }) => code)).toEqual(['IMAGE_TRAILING']);
  }
}, 60_000);

// ---- ESP-IDF ----

const TABLE = [
  { label: 'nvs', type: 1, subtype: 2, offset: 0x9000, size: 0x5000 },
  { label: 'otadata', type: 1, subtype: 0, offset: 0xe000, size: 0x2000 },
  { label: 'ota_0', type: 0, subtype: 0x10, offset: 0x10000, size: 0x180000 },
  { label: 'ota_1', type: 0, subtype: 0x11, offset: 0x190000, size: 0x180000 },
  { label: 'keys', type: 1, subtype: 4, offset: 0x310000, size: 0x1000, flags: 1 },
];

test('a partition table, byte for byte as the generator of ESP-IDF writes it, and read by it', async () => {
  const folder = temporaryFolder();
  const csv = join(folder, 'table.csv');
  const binary = join(folder, 'table.bin');
  const rows = TABLE.map(({ label, type, subtype, offset, size, flags }) =>
    [label, type === 0 ? 'app' : 'data', subtype, offset, size, flags ? 'encrypted' : ''].join(','),
  );
  writeFileSync(csv, `${rows.join('\n')}\n`);
  await runPython(WITNESS, ['table', csv, binary]);
  expect(writePartitionTable(TABLE).equals(readFileSync(binary))).toBe(true);
  expect(readPartitionTable(readFileSync(binary))).toEqual(TABLE);
  writeFileSync(binary, writePartitionTable(TABLE));
  expect(await runPython(WITNESS, ['csv', binary])).toContain('ota_1,0,17,0x190000,0x180000,');
}, 60_000);

test('otadata, byte for byte', async () => {
  const path = join(temporaryFolder(), 'otadata.bin');
  for (const sequence of [1, 2, 77]) {
    await runPython(WITNESS, ['otadata', String(sequence), path]);
    const ours = writeOtadata({ sequence, state: 'valid' });
    expect(ours.subarray(0, 32).equals(readFileSync(path))).toBe(true);
    expect(readOtadata(ours)).toEqual([{ sequence, state: 'valid' }, undefined]);
  }
}, 60_000);
