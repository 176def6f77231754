// What a person sees of images for boards, and which of them do not become releases.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { writeOtadata, writePartitionTable } from '../../repo/index.ts';
import { moult, moultJson, type Surroundings } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { BootKey, esp32Image, mcubootImage } from '../fixtures/images.ts';

let at: Surroundings;

beforeEach(async () => {
  at = { cwd: temporaryFolder() };
  await moult(['init', 'acme', '--no-encrypt'], at);
});

/** Lays a file down and adds it as a release. */
function add(image: Uint8Array, version: string, ...rest: string[]) {
  writeFileSync(join(at.cwd, 'app.bin'), image);
  const what = ['app.bin', '--component', 'app', '--version', version, '--hw', 'board'];
  return moult(['-C', 'acme', 'release', 'add', ...what, ...rest], at);
}

function inspect(bytes: Uint8Array, ...rest: string[]) {
  writeFileSync(join(at.cwd, 'file.bin'), bytes);
  return moult(['image', 'inspect', 'file.bin', ...rest], at);
}

test('image inspect: an application of the ESP32 family', async () => {
  expect(await inspect(esp32Image({ secureVersion: 3 }))).toEqual({
    status: 0,
    stdout: `· file.bin: ESP32 application image for esp32c3 (chip id 5)
  lamp 1.0.0, ESP-IDF v5.4, secure version 3
  2 segments, 276 bytes of data, entry 0x0
  checksum right, SHA-256 right
`,
    stderr: '',
  });
});

test('image inspect: an image of MCUboot, and what is wrong with one', async () => {
  const image = mcubootImage({ key: new BootKey('ed25519') });
  expect(await inspect(image)).toEqual({
    status: 0,
    stdout: `· file.bin: MCUboot image, version 0.0.0+0, security counter 1
  header 32 bytes, payload 100 bytes, flags: none
  fields: SEC_CNT (protected), SHA256, KEYHASH, ED25519
  hash right, signature: ED25519
`,
    stderr: '',
  });
  const { status, stdout } = await inspect(Buffer.concat([image, Buffer.alloc(7)]));
  expect([status, stdout.split('\n').at(-2)]).toEqual([
    1,
    '✗ 7 bytes lie behind its end at 288 (IMAGE_TRAILING)',
  ]);
  const { json } = await moultJson(['image', 'inspect', 'file.bin'], at);
  expect(json).toMatchObject({ format: 'mcuboot', findings: [{ code: 'IMAGE_TRAILING' }] });
});

test('image inspect: partition tables, otadata, and files that say nothing', async () => {
  const table = writePartitionTable([
    { label: 'ota_0', type: 0, subtype: 16, offset: 0x10000, size: 0x80000 },
  ]);
  expect((await inspect(table)).stdout).toBe(`· partition table, 1 partitions
  label  type  subtype  offset   size
  ota_0  0x0   0x10     0x10000  0x80000
`);
  expect(
    (await inspect(writeOtadata({ sequence: 2, state: 'valid' }))).stdout,
  ).toBe(`· otadata: of two slots ota_1 boots
  sector 0: sequence 2, valid
  sector 1: no record
`);
  expect((await inspect(Buffer.alloc(9))).stdout).toBe('· file.bin: raw image: it says nothing of itself\n');
  expect(await inspect(table.fill(0, 40, 41))).toMatchObject({ status: 1 });
  expect(await moult(['image', 'inspect', 'none.bin'], at)).toMatchObject({ status: 1 });
});

test('release add shows the format, and takes the security counter from the image', async () => {
  const { status, stdout } = await add(esp32Image({ secureVersion: 3 }), '1.0.0', '--chip', 'esp32c3');
  expect([status, stdout]).toEqual([0, expect.stringContaining('ESP32 application image for esp32c3')]);
  expect(stdout).toContain('security counter 3');
});

test.each<[string, Uint8Array, string[]]>([
  ['IMAGE_TRAILING', Buffer.concat([esp32Image(), Buffer.alloc(1)]), []],
  ['IMAGE_FORMAT', esp32Image().subarray(0, 300), []],
  ['IMAGE_CORRUPT', esp32Image().fill(9, 100, 101), []],
  ['WRONG_CHIP', esp32Image(), ['--chip', 'esp32s3']],
  ['WRONG_CHIP', Buffer.alloc(100), ['--chip', 'esp32s3']],
  ['IMAGE_COUNTER', esp32Image(), ['--security-counter', '2']],
  ['IMAGE_COUNTER', mcubootImage({ counter: 3 }), ['--security-counter', '2']],
  ['IMAGE_FORMAT', mcubootImage({ flags: 4 }), []],
])('release add refuses what devices would refuse: %s', async (code, image, rest) => {
  const { status, stderr } = await add(image, '1.0.0', ...rest);
  expect([status, stderr]).toEqual([1, expect.stringContaining(`devices would refuse this image (${code})`)]);
  if (code !== 'WRONG_CHIP')
    expect(await add(image, '1.0.0', '--format', 'raw', ...rest)).toMatchObject({ status: 0 });
});

test('release add --format takes no image of another format', async () => {
  const { status, stderr } = await add(Buffer.alloc(100), '1.0.0', '--format', 'esp32');
  expect([status, stderr]).toEqual([1, expect.stringContaining('it is no ESP32 application image')]);
  expect(await add(esp32Image(), '1.0.0', '--format', 'elf')).toMatchObject({ status: 2 });
});
