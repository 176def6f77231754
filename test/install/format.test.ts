// What an image says of itself, judged on flash before its slot is selected: by the format that the board's bootloader
// reads. All of them are signed as releases; what is wrong is what the bootloader would find, or would not look at.
import { describe, expect, test } from 'vitest';
import { Area, State } from '../../host/node/abi.ts';
import { StatusError } from '../../host/node/errors.ts';
import type { DeviceConfiguration } from '../../host/node/provision.ts';
import {
  BootKey,
  CHIP,
  type Esp32Options,
  esp32Image,
  FIELD,
  type Field,
  type McubootOptions,
  mcubootImage,
  words,
} from '../fixtures/images.ts';
import { type Stage, stage } from '../tuf/kit.ts';

type Board = Pick<DeviceConfiguration, 'imageFormat' | 'chipId' | 'bootKey'>;

const ED25519 = new BootKey('ed25519');
const P256 = new BootKey('p256');
const ESP32: Board = { imageFormat: 'esp32', chipId: CHIP };
const MCUBOOT: Board = { imageFormat: 'mcuboot' };

/** What a device of this board says of a release with this image, and whether it boots it. */
async function judged(
  board: Board,
  image: Uint8Array,
  securityCounter = 1,
  slot?: Uint8Array,
): Promise<string> {
  const s = await stage({ configuration: board });
  if (slot) fill(s, slot);
  s.release({ releaseCounter: 2, securityCounter, image });
  const { status } = await s.check();
  const installed = s.state(State.INSTALLED_RELEASE) === 2;
  expect(installed).toBe(status === 'UP_TO_DATE');
  expect(s.device.slots).toBe(installed ? 1 : 0);
  return installed ? 'installed' : status;
}

/** Lays bytes into slot B, as an earlier image would have. */
function fill(s: Stage, bytes: Uint8Array): void {
  const { flash } = s.device;
  flash.erase(Area.SLOT_B, 0, flash.size(Area.SLOT_B));
  flash.write(Area.SLOT_B, 0, bytes);
}

const esp32 = (options: Esp32Options = {}, board: Board = ESP32) => judged(board, esp32Image(options));
const mcuboot = (options: McubootOptions = {}, board: Board = MCUBOOT) =>
  judged(board, mcubootImage(options));
const signed = (options: McubootOptions, key: BootKey) =>
  mcuboot({ key, ...options }, { ...MCUBOOT, bootKey: key.hex });

describe('images of the ESP32 family', () => {
  test.each<[string, Esp32Options]>([
    ['of two segments', {}],
    ['of sixteen', { segments: Array.from({ length: 15 }, (_, index) => 4 * index) }],
    ['whose checksum is the only byte of its row', { segments: [28] }],
    ['without a hash', { hash: false }],
    ['larger than a slice', { segments: [7000] }],
  ])('%s: installed', async (_, options) => {
    expect(await esp32(options)).toBe('installed');
  });

  test('[wrong hardware] for another chip: refused', async () => {
    expect(await esp32({ chip: 9 })).toBe('WRONG_CHIP');
    expect(await esp32({ chip: 0 })).toBe('WRONG_CHIP');
    expect(await esp32({ chip: 0 }, { ...ESP32, chipId: 0 })).toBe('installed');
  });

  test('[unsigned code] bytes behind the end: refused, with and without a hash', async () => {
    for (const hash of [true, false]) {
      const image = esp32Image({ hash });
      for (const more of [1, 16, 4096])
        expect(await judged(ESP32, Buffer.concat([image, Buffer.alloc(more)]))).toBe('IMAGE_TRAILING');
    }
  });

  test('[downgrade] another secure version than the signed counter, above it too: refused [ETSI-3.2]', async () => {
    expect(await esp32({ secureVersion: 0 })).toBe('IMAGE_COUNTER');
    expect(await esp32({ secureVersion: 2 })).toBe('IMAGE_COUNTER');
    expect(await judged(ESP32, esp32Image({ secureVersion: 7 }), 7)).toBe('installed');
  });

  test.each<[string, (image: Buffer) => void]>([
    ['another magic', (image) => image.writeUInt8(0xea, 0)],
    ['no segments', (image) => image.writeUInt8(0, 1)],
    ['a segment that ends behind the image', (image) => image.writeUInt32LE(0x1000, 28)],
    ['a segment that ends behind the address space', (image) => image.writeUInt32LE(0xfffffffc, 28)],
    ['no descriptor', (image) => image.writeUInt32LE(0, 32)],
    ['one segment more than there are', (image) => image.writeUInt8(3, 1)],
  ])('%s: refused', async (_, change) => {
    expect(await esp32({ change })).toBe('IMAGE_FORMAT');
  });

  test.each<[string, Esp32Options]>([
    ['17 segments', { segments: Array(16).fill(4) }],
    ['a segment that is not whole words', { segments: [18] }],
    ['a first segment without room for the descriptor', { first: 252 }],
  ])('%s, sound otherwise: refused', async (_, options) => {
    expect(await esp32(options)).toBe('IMAGE_FORMAT');
  });

  test('a wrong checksum, a wrong hash, both sound otherwise: refused', async () => {
    const bare = esp32Image({ hash: false });
    bare.writeUInt8(bare.readUInt8(100) ^ 1, 100);
    expect(await judged(ESP32, bare)).toBe('IMAGE_CORRUPT');
    const hashed = esp32Image();
    hashed.writeUInt8(hashed.readUInt8(8) ^ 1, 8);
    expect(await judged(ESP32, hashed)).toBe('IMAGE_CORRUPT');
  });

  test('[a half-written slot that looks valid] one that only an older image in the slot makes whole: refused', async () => {
    const image = esp32Image({ segments: [5000] });
    expect(await judged(ESP32, image.subarray(0, 4096), 1, image)).toBe('IMAGE_FORMAT');
  });
});

describe('images of MCUboot', () => {
  test.each<[string, McubootOptions]>([
    ['with a counter', {}],
    ['with a longer header', { headerSize: 512 }],
    ['without payload', { payload: 0 }],
    [
      'with dependencies and fields of a vendor',
      { shielded: [field(FIELD.dependency, 12), field(FIELD.vendor, 3)] },
    ],
    ['for a fixed address', { flags: 0x100 }],
    ['hashed with SHA-512', { sha512: true }],
    ['larger than a slice', { payload: 7000 }],
  ])('%s: installed', async (_, options) => {
    expect(await mcuboot(options)).toBe('installed');
  });

  test('without a counter: installed if the signed one is 0', async () => {
    const image = mcubootImage({ counter: undefined });
    const s = await stage({ configuration: { ...MCUBOOT, securityCounter: 0 } });
    s.release({ releaseCounter: 2, securityCounter: 0, image });
    await s.settles();
    expect(s.state(State.INSTALLED_RELEASE)).toBe(2);
    expect(await judged(MCUBOOT, image)).toBe('IMAGE_COUNTER');
  });

  test('[downgrade] another counter than the signed one, above it too: refused [ETSI-3.2]', async () => {
    expect(await mcuboot({ counter: 0 })).toBe('IMAGE_COUNTER');
    expect(await mcuboot({ counter: 2 })).toBe('IMAGE_COUNTER');
    expect(await judged(MCUBOOT, mcubootImage({ counter: 7 }), 7)).toBe('installed');
  });

  test('[unsigned code, mcuboot#1894] bytes behind the last field, and the padding and trailer of a whole slot: refused', async () => {
    const image = mcubootImage();
    for (const more of [1, 4096])
      expect(await judged(MCUBOOT, Buffer.concat([image, Buffer.alloc(more, 0xff)]))).toBe('IMAGE_TRAILING');
  });

  test('[unsigned field, CVE-2024-32883] a counter, a dependency or a vendor field where nothing is protected: refused', async () => {
    const added: Field[] = [
      { type: FIELD.counter, value: words(1) },
      field(FIELD.dependency, 12),
      field(FIELD.bootRecord, 8),
      field(FIELD.vendor, 4),
      field(0xfffe, 4),
    ];
    for (const more of added)
      expect(await mcuboot({ fields: (honest) => [...honest, more] })).toBe('IMAGE_UNPROTECTED');
    expect(await mcuboot({ counter: undefined, fields: (honest) => [...honest, ...added.slice(0, 1)] })).toBe(
      'IMAGE_UNPROTECTED',
    );
  });

  test('[unsigned field] a hash or a signature among the protected fields: refused', async () => {
    for (const [type, length] of [
      [FIELD.sha256, 32],
      [FIELD.keyHash, 32],
      [FIELD.ed25519, 64],
      [FIELD.rsa, 256],
    ] as const)
      expect(await mcuboot({ shielded: [field(type, length)] })).toBe('IMAGE_UNPROTECTED');
  });

  test.each<[string, McubootOptions]>([
    ['encrypted (AES-128)', { flags: 0x4 }],
    ['encrypted (AES-256)', { flags: 0x8 }],
    ['not bootable', { flags: 0x10 }],
    ['to be loaded to RAM', { flags: 0x20 }],
    ['compressed', { flags: 0x400 }],
    ['with another magic', { change: (image) => image.writeUInt32LE(0x96f3b83c, 0) }],
    ['with a header that is too short', { headerSize: 28 }],
    ['with a payload that ends behind it', { change: (image) => image.writeUInt32LE(5000, 12) }],
    [
      'with a payload that ends behind the address space',
      { change: (image) => image.writeUInt32LE(0xfffffff0, 12) },
    ],
    [
      'whose protected fields have another length than the header says',
      { change: (image) => image.writeUInt16LE(16, 10) },
    ],
    ['whose header denies its protected fields', { change: (image) => image.writeUInt16LE(0, 10) }],
    ['whose list of protected fields ends early', { change: (image) => image.writeUInt16LE(8, 134) }],
    [
      'whose list of protected fields is too short to be one',
      { change: (image) => image.writeUInt16LE(3, 134) },
    ],
    ['with bytes behind its protected fields', { gap: 4 }],
    [
      'with a field that ends behind its list',
      { shielded: [field(FIELD.vendor, 3)], change: (image) => image.writeUInt16LE(4, 146) },
    ],
    ['without a hash', { fields: () => [] }],
    ['with a hash of another length', { fields: () => [field(FIELD.sha256, 16), field(0x30, 40)] }],
    ['with two hashes', { fields: (honest) => [...honest, ...honest] }],
    ['with two counters', { shielded: [{ type: FIELD.counter, value: words(1) }] }],
    ['with a counter of two bytes', { counter: undefined, shielded: [field(FIELD.counter, 2)] }],
    ['with a signature longer than any', { fields: (honest) => [...honest, field(FIELD.ecdsa, 200)] }],
    ['[endless work] with 65 fields', { fields: (honest) => [...honest, ...Array(64).fill(field(0x30, 0))] }],
  ])('%s: refused', async (_, options) => {
    expect(await mcuboot(options)).toBe('IMAGE_FORMAT');
  });

  test('with 64 fields: installed', async () => {
    const more = Array<Field>(63).fill(field(0x30, 0));
    expect(await mcuboot({ fields: (honest) => [...honest, ...more] })).toBe('installed');
  });

  test('a hash that is not that of the bytes: refused', async () => {
    const image = mcubootImage();
    image.writeUInt8(image.readUInt8(60) ^ 1, 60);
    expect(await judged(MCUBOOT, image)).toBe('IMAGE_CORRUPT');
  });

  test('[a half-written slot that looks valid] one that only an older image in the slot makes whole: refused', async () => {
    const whole = mcubootImage({ payload: 4096 - 32, counter: 1, key: ED25519 });
    expect(await judged(MCUBOOT, whole.subarray(0, 4096), 1, whole)).toBe('IMAGE_FORMAT');
    // Header and payload fit, the protected fields do not (mcuboot#2659).
    const next = mcubootImage({ payload: 4096 - 32 - 8 });
    expect(await judged(MCUBOOT, next.subarray(0, 4096), 1, next)).toBe('IMAGE_FORMAT');
  });
});

describe('the key of the bootloader', () => {
  test.each([
    ['Ed25519', ED25519, {}],
    ['Ed25519 over SHA-512', ED25519, { sha512: true }],
    ['Ed25519 over all bytes', ED25519, { pure: true }],
    ['Ed25519 over all bytes of more than a slice', ED25519, { pure: true, payload: 7000 }],
    ['P-256', P256, {}],
  ])('%s: installed', async (_, key, options) => {
    expect(await signed(options, key)).toBe('installed');
  });

  test.each([
    ['Ed25519', ED25519, new BootKey('ed25519', 2)],
    ['P-256', P256, new BootKey('p256', 2)],
  ])(
    '[arbitrary software] %s, signed by another key, whatever it is called: refused',
    async (_, key, other) => {
      const board = { ...MCUBOOT, bootKey: key.hex };
      expect(await mcuboot({ key: other }, board)).toBe('IMAGE_SIGNATURE');
      const renamed = (honest: readonly Field[]) => named(honest, key);
      expect(await mcuboot({ key: other, fields: renamed }, board)).toBe('IMAGE_SIGNATURE');
      expect(await mcuboot({ key: other, pure: true, fields: renamed }, board)).toBe('IMAGE_SIGNATURE');
    },
  );

  test('an image that nobody signed, or that does not name the key: refused', async () => {
    for (const key of [ED25519, P256]) {
      const board = { ...MCUBOOT, bootKey: key.hex };
      expect(await mcuboot({}, board)).toBe('IMAGE_SIGNATURE');
      const unnamed = (honest: readonly Field[]) => honest.filter(({ type }) => type !== FIELD.keyHash);
      expect(await mcuboot({ key, fields: unnamed }, board)).toBe('IMAGE_SIGNATURE');
      const bare = (honest: readonly Field[]) => honest.filter(({ type }) => type !== key.field);
      expect(await mcuboot({ key, fields: bare }, board)).toBe('IMAGE_SIGNATURE');
    }
  });

  test('a signature of the one kind in the field of the other, or cut short: refused', async () => {
    const turned = (key: BootKey, type: number) => (honest: readonly Field[]) =>
      honest.map((field) => (field.type === key.field ? { ...field, type } : field));
    expect(await signed({ fields: turned(ED25519, FIELD.ecdsa) }, ED25519)).toBe('IMAGE_SIGNATURE');
    expect(await signed({ fields: turned(P256, FIELD.ed25519) }, P256)).toBe('IMAGE_SIGNATURE');
    for (const key of [ED25519, P256]) {
      const short = (field: Field) =>
        field.type === key.field ? { ...field, value: field.value.subarray(0, 63) } : field;
      const cut = (honest: readonly Field[]) => [...honest.map(short), field(0x30, 1)];
      expect(await signed({ fields: cut }, key)).toBe('IMAGE_SIGNATURE');
    }
  });

  test('a signature over the hash that says it is over all bytes, and the other way round: refused', async () => {
    const pure = { type: FIELD.pure, value: Buffer.of(1) };
    expect(await signed({ fields: (honest) => [pure, ...honest] }, ED25519)).toBe('IMAGE_SIGNATURE');
    expect(await signed({ fields: (honest) => [pure, ...honest] }, P256)).toBe('IMAGE_SIGNATURE');
    const impure = (honest: readonly Field[]) => honest.filter(({ type }) => type !== FIELD.pure);
    expect(await signed({ pure: true, fields: impure }, ED25519)).toBe('IMAGE_SIGNATURE');
    for (const value of [Buffer.of(0), Buffer.of(1, 0), Buffer.of()]) {
      const denied = (honest: readonly Field[]) =>
        honest.map((field) => (field.type === FIELD.pure ? { ...field, value } : field));
      expect(await signed({ pure: true, fields: denied }, ED25519)).toBe('IMAGE_FORMAT');
    }
  });

  test('a key that is not known: signatures are not looked at', async () => {
    expect(await mcuboot({ key: ED25519 })).toBe('installed');
    expect(await mcuboot({ key: P256 })).toBe('installed');
  });
});

test('an image in the format of another board, or in none: refused', async () => {
  expect(await judged(ESP32, mcubootImage())).toBe('IMAGE_FORMAT');
  expect(await judged(MCUBOOT, esp32Image())).toBe('IMAGE_FORMAT');
  for (const board of [ESP32, MCUBOOT])
    for (const length of [1, 31, 4096])
      expect(await judged(board, Buffer.alloc(length, 1))).toBe('IMAGE_FORMAT');
  expect(await judged({ imageFormat: 'raw' }, Buffer.alloc(1))).toBe('installed');
});

test('an image that was cut off at the end of its slot: refused', async () => {
  expect(await judged(ESP32, esp32Image({ segments: [8000] }).subarray(0, 8192))).toBe('IMAGE_FORMAT');
  const covered = mcubootImage({ payload: 8192 - 32, counter: undefined });
  expect(await judged(MCUBOOT, covered.subarray(0, 8192))).toBe('IMAGE_FORMAT');
});

test('an image that is refused is given up like one with a wrong hash: the next release is installed', async () => {
  const s = await stage({ configuration: ESP32 });
  s.release({ releaseCounter: 2, image: esp32Image({ chip: 9 }) });
  for (let checks = 0; checks < 2; checks++)
    expect(await s.check()).toEqual({ status: 'WRONG_CHIP', role: 'IMAGE' });
  expect(s.state(State.CANDIDATE_RELEASE)).toBe(0);
  const image = esp32Image();
  s.release({ releaseCounter: 3, image });
  await s.settles();
  expect(Buffer.compare(s.device.running(image.length), image)).toBe(0);
});

test('[mcuboot#2282] the counter of the board rises with the confirm, and not with the image that has it [ETSI-3.2]', async () => {
  const s = await stage({ configuration: ESP32, selfTest: (first) => first !== 0xe9, hardwareCounter: true });
  s.release({ releaseCounter: 2, securityCounter: 5, image: esp32Image({ secureVersion: 5 }) });
  expect((await s.check()).status).toBe('RELEASE_FAILED_BEFORE');
  expect(s.state(State.SECURITY_COUNTER)).toBe(1);
});

describe('a configuration', () => {
  test.each<[string, Record<string, unknown>]>([
    ['with a format that is not known', { imageFormat: 'esp8266' }],
    ['with a format that is no text', { imageFormat: 1 }],
    ['for ESP32 without a chip', { imageFormat: 'esp32' }],
    ['for ESP32 with a chip that there cannot be', { imageFormat: 'esp32', chipId: 65_536 }],
    ['with a chip but without the format', { chipId: 5 }],
    ['with a key but without the format', { bootKey: ED25519.hex }],
    ['with a key that is not hex', { ...MCUBOOT, bootKey: `${ED25519.hex.slice(0, -1)}x` }],
    ['with half a key', { ...MCUBOOT, bootKey: ED25519.hex.slice(0, 64) }],
    ['with a bare key', { ...MCUBOOT, bootKey: ED25519.hex.slice(-64) }],
    ['with an empty key', { ...MCUBOOT, bootKey: '' }],
    ['with a key that is no text', { ...MCUBOOT, bootKey: 7 }],
    ['with a key that is too long', { ...MCUBOOT, bootKey: `${P256.hex}00` }],
  ])('%s: refused', async (_, board) => {
    await expect(stage({ configuration: board as Partial<DeviceConfiguration> })).rejects.toThrow(
      StatusError,
    );
  });
});

function field(type: number, length: number): Field {
  return { type, value: Buffer.alloc(length, 7) };
}

/** The fields of an image with the name of another key. */
function named(honest: readonly Field[], key: BootKey): Field[] {
  return honest.map((field) =>
    field.type === FIELD.keyHash ? { ...field, value: key.name(field.value.length) } : field,
  );
}
