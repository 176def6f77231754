// Images that are published encrypted, as devices with a key of their own take them.
import {
  createCipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
} from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Area, State, Status } from '../../host/node/abi.ts';
import { engineName } from '../../host/node/engine.ts';
import { uniformGeometry } from '../../host/node/flash.ts';
import {
  type Base,
  buildPayload,
  ENCRYPTION,
  encryptedPayload,
  encryptionPublicKey,
  encryptPayload,
  sha256,
  targetFileName,
  wholeImage,
} from '../../repo/index.ts';
import { Random } from '../../sim/random.ts';
import type { SimRelease } from '../../sim/repository.ts';
import { RELEASE_1, World, type WorldOptions } from '../../sim/scenarios/world.ts';
import { boot, check, cutBeforeBlock, untilCut, verdict } from '../fixtures/by-hand.ts';

const KEY = new Random(41).bytes(32);
const OTHER_KEY = new Random(42).bytes(32);
const PUBLIC = encryptionPublicKey(KEY);
const OTHER_PUBLIC = encryptionPublicKey(OTHER_KEY);

/** Release 1 with some of it changed, and some that is new. */
const IMAGE = Buffer.concat([RELEASE_1.image.subarray(0, 9000), new Random(9).bytes(7000), RELEASE_1.image]);
const RUNNING: Base = { image: RELEASE_1.image, releaseCounter: RELEASE_1.releaseCounter };
const FOLDER = 'app/sim/1.1.0';
const RELEASE = {
  version: '1.1.0',
  releaseCounter: 2,
  securityCounter: 2,
  image: IMAGE,
  encryptFor: [PUBLIC],
};
/** Small enough to be damaged everywhere. */
const SMALL_IMAGE = new Random(8).bytes(40);
/** One of so many bits is changed: in each byte at least one, on the slow engine in every fourth. */
const STEP = engineName === 'v8' ? 7 : 29;
const HEAD = 40;
const CHUNK = 1040;

/** A device with the key, and a repository that has published a release for it. */
async function published(release: SimRelease = RELEASE, options: WorldOptions = {}): Promise<World> {
  const world = new World({ key: KEY, ...options });
  await world.update();
  world.repository.publish(release);
  return world;
}

/** A device with the key; of the release nothing but a payload of the test's making can be fetched. */
async function withBytes(image: Uint8Array, bytes: Uint8Array): Promise<World> {
  const world = await published({ ...RELEASE, image, encryptFor: [] });
  sign(world, image, bytes);
  return world;
}

/** The metadata says of the payload what is true of these bytes. */
function sign(world: World, image: Uint8Array, bytes: Uint8Array): void {
  const custom = { image: sha256(image), encryption: ENCRYPTION };
  const target = { length: bytes.length, hashes: { sha256: sha256(bytes) }, custom };
  world.repository.addPayload(FOLDER, { file: 'made.encrypted', bytes, target });
  world.repository.publish();
}

function fetched(world: World): string[] {
  const files = world.network.requests.flatMap(
    ({ path }) => /[0-9a-f]{64}\.([\w.-]+)$/.exec(path)?.[1] ?? [],
  );
  return files.filter((file, at) => file !== files[at - 1]);
}

async function installed(world: World, image: Uint8Array = IMAGE): Promise<string[]> {
  expect((await world.update()).status).toBe(Status.UP_TO_DATE);
  expect(sha256(world.device.running(image.length))).toBe(sha256(image));
  expect(world.device.powerOn().stateRead(State.INSTALLED_RELEASE)).toBe(2);
  return fetched(world);
}

/** The check ends with this finding, and the old image runs on. */
async function refused(world: World, finding: keyof typeof Status): Promise<void> {
  const { core } = boot(world);
  expect(verdict(await check(world, core))).toBe(finding);
  expect(world.device.running(RELEASE_1.image.length)).toEqual(RELEASE_1.image);
  expect(world.device.powerOn().stateRead(State.INSTALLED_RELEASE)).toBe(1);
}

const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
};

describe('[CERT-I-7] an image that is published for devices with a key', () => {
  test.each([
    ['as it is', [], 'image.encrypted'],
    ['compressed where that is shorter', [undefined], 'compressed.encrypted'],
    ['as a patch for the image that runs', [RUNNING, undefined], 'from-1.patch.encrypted'],
  ])('%s', async (_, payloads, file) => {
    const image = file === 'compressed.encrypted' ? Buffer.concat([IMAGE, Buffer.alloc(20_000)]) : IMAGE;
    const world = await published({ ...RELEASE, image, payloads });
    expect(await installed(world, image)).toEqual([file]);
    expect([...world.repository.files.keys()].filter((name) => name.endsWith('1.1.0/firmware.bin'))).toEqual(
      [],
    );
  });

  test.each([1, 15, 16, 17, 63, 64, 1023, 1024, 1025, 2047, 2048, 2049])('of %i bytes', async (length) => {
    const image = new Random(length).bytes(length);
    await installed(await published({ ...RELEASE, image }), image);
  });

  test('for two devices, each with a key of its own, in one file', async () => {
    const encryptFor = [PUBLIC, OTHER_PUBLIC];
    for (const key of [KEY, OTHER_KEY]) await installed(await published({ ...RELEASE, encryptFor }, { key }));
  });

  test('for ten thousand devices: a device finds its own entry', async () => {
    const random = new Random(77);
    const many = Array.from({ length: 10_000 }, () => random.bytes(32));
    const entries = many.map((key) => Buffer.concat([key.subarray(0, 8), random.bytes(32)]));
    const bytes = made(SMALL_IMAGE, { entries: (own) => [...entries, own, ...entries.slice(0, 50)] });
    expect(await installed(await withBytes(SMALL_IMAGE, bytes), SMALL_IMAGE)).toEqual(['made.encrypted']);
  });

  test('of entries that look like its own a device takes the first: a list cannot make it work twice', async () => {
    const again = (own: Buffer) => Buffer.concat([own.subarray(0, 8), new Random(1).bytes(32)]);
    const bytes = made(SMALL_IMAGE, { entries: (own) => [own, again(own)] });
    await installed(await withBytes(SMALL_IMAGE, bytes), SMALL_IMAGE);
  });

  test('to a device without a key: said at once, nothing is fetched', async () => {
    const world = new World();
    await world.update();
    world.repository.publish(RELEASE);
    await refused(world, 'KEY_MISSING');
    expect(fetched(world)).toEqual([]);
  });

  test('to a device whose journal does not hold where such a payload stands: said at once, nothing is fetched', async () => {
    const half = { blocks: [640, 640], unit: 4, erased: 0xff };
    const layout = { block: 4096, unit: 4, erased: 0xff, bank: 32_768, slot: 65_536 };
    const geometry = uniformGeometry(layout).with(Area.JOURNAL, half);
    const world = await published(RELEASE, { geometry });
    await refused(world, 'JOURNAL_TOO_SMALL');
    expect(fetched(world)).toEqual([]);
  });

  test('to a device with another key', async () => {
    await refused(await published(RELEASE, { key: OTHER_KEY }), 'NOT_A_RECIPIENT');
  });

  test('beside a payload that is not encrypted, or in a way of the future: that one is passed over', async () => {
    for (const custom of [{}, { encryption: 2 }, { encryption: 'x' }, { encryption: [1] }]) {
      const { file, bytes } = buildPayload(IMAGE, RUNNING);
      const world = new World({ key: KEY });
      await world.update();
      const patched = buildPayload(IMAGE, RUNNING).target.custom;
      world.repository.addPayload(FOLDER, {
        file,
        bytes,
        target: {
          length: bytes.length,
          hashes: { sha256: sha256(bytes) },
          custom: { ...patched, ...custom },
        },
      });
      world.repository.publish(RELEASE);
      expect(await installed(world)).toEqual(['image.encrypted']);
    }
  });

  test('an encrypted payload beside an image that is not is passed over', async () => {
    const { encryptFor, ...plain } = RELEASE;
    const world = new World({ key: KEY });
    await world.update();
    world.repository.addPayload(FOLDER, encryptedPayload(buildPayload(IMAGE, RUNNING), encryptFor));
    world.repository.publish(plain);
    expect(await installed(world)).toEqual(['firmware.bin']);
  });

  test('after a patch that is not there or was changed, the whole image is fetched', async () => {
    for (const change of ['absent', 'changed']) {
      const world = await published({ ...RELEASE, payloads: [RUNNING] });
      const path = [...world.repository.files.keys()].find((name) => name.endsWith('.patch.encrypted')) ?? '';
      const bytes = world.repository.files.get(path) ?? new Uint8Array();
      if (change === 'absent') world.repository.files.delete(path);
      else world.repository.files.set(path, flipped(bytes, 8 * (bytes.length - 30)));
      expect(await installed(world), change).toEqual(['from-1.patch.encrypted', 'image.encrypted']);
    }
  });

  test('is not the word of whoever knows the public key: metadata that nobody signed is refused', async () => {
    const world = await published();
    const thief = new World({ seed: 7 });
    thief.repository.publish(RELEASE);
    for (const [name, bytes] of thief.repository.files) world.repository.files.set(name, bytes);
    await refused(world, 'SIGNATURES');
    expect(fetched(world).filter((file) => file.endsWith('.encrypted'))).toEqual([]);
  });

  test('is not the word of whoever knows the public key: another image in a sound payload is refused', async () => {
    const world = await published();
    const path = [...world.repository.files.keys()].find((name) => name.endsWith('.encrypted')) ?? '';
    const own = encryptPayload(new Random(66).bytes(IMAGE.length), 'image', [PUBLIC]);
    expect(own.length).toBe(world.repository.files.get(path)?.length);
    world.repository.files.set(path, own);
    await refused(world, 'PATCH_INVALID');
  });
});

describe('[CRA-I-2e] what is encrypted, damaged', () => {
  const whole = encryptPayload(SMALL_IMAGE, 'image', [PUBLIC], (length) => new Random(5).bytes(length));

  /** What the same device finds in each of these, starting from the same flash; what it runs stays what it was. */
  async function findings(all: readonly Uint8Array[]): Promise<string[]> {
    const world = await published({ ...RELEASE, image: SMALL_IMAGE, encryptFor: [] });
    const before = world.device.snapshot();
    const found: string[] = [];
    for (const bytes of all) {
      sign(world, SMALL_IMAGE, bytes);
      world.device.restore(before);
      found.push(verdict(await check(world, boot(world).core)));
      expect(world.device.running(12_000)).toEqual(RELEASE_1.image);
      world.repository.files.delete(`targets/${targetFileName(`${FOLDER}/made.encrypted`, sha256(bytes))}`);
    }
    return found;
  }

  test('a bit of each byte, though the metadata says it must be so: found by its own tags', async () => {
    const bits = Array.from({ length: 8 * whole.length }, (_, bit) => bit).filter((bit) => bit % STEP === 0);
    const found = await findings(bits.map((bit) => flipped(whole, bit)));
    // 8 bytes of an entry say whose it is.
    const inId = (bit: number) => bit >= 8 * HEAD && bit < 8 * (HEAD + 8);
    expect(found).toEqual(bits.map((bit) => (inId(bit) ? 'NOT_A_RECIPIENT' : 'DECRYPTION')));
  }, 240_000);

  test('every truncation of it, though the metadata says it must be so', async () => {
    const found = await findings(Array.from(whole.subarray(1), (_, length) => whole.subarray(0, length + 1)));
    expect(new Set(found)).toEqual(new Set(['DECRYPTION', 'PATCH_INVALID']));
  }, 240_000);

  const image = new Random(12).bytes(4 * 1024 + 100);
  const long = encryptPayload(image, 'image', [PUBLIC], (length) => new Random(6).bytes(length));
  const foreign = encryptPayload(image, 'image', [PUBLIC], (length) => new Random(7).bytes(length));
  const header = long.subarray(0, 2 * HEAD);
  const chunk = (index: number, of = long) =>
    of.subarray(2 * HEAD + index * CHUNK, 2 * HEAD + (index + 1) * CHUNK);

  test.each([
    ['two chunks exchanged', [header, chunk(1), chunk(0), chunk(2), chunk(3), chunk(4)]],
    ['a chunk left out', [header, chunk(0), chunk(2), chunk(3), chunk(4)]],
    ['the last chunk left out', [header, chunk(0), chunk(1), chunk(2), chunk(3)]],
    ['a chunk twice', [header, chunk(0), chunk(1), chunk(1), chunk(2), chunk(3), chunk(4)]],
    ['a chunk of another payload', [header, chunk(0), chunk(1, foreign), chunk(2), chunk(3), chunk(4)]],
    ['the header of another payload', [foreign.subarray(0, 2 * HEAD), long.subarray(2 * HEAD)]],
    ['bytes behind the last chunk', [long, Buffer.alloc(20)]],
  ])('%s', async (_, parts) => {
    await refused(await withBytes(image, Buffer.concat(parts)), 'DECRYPTION');
  });

  test.each([
    ['no recipients', 0],
    ['more than the file has room for', 60_000],
    ['one more than there are', 2],
  ])('a head that says %s', async (_, count) => {
    const bytes = Uint8Array.from(long);
    new DataView(bytes.buffer).setUint16(6, count, true);
    const world = await withBytes(image, bytes);
    const { core } = boot(world);
    expect(['DECRYPTION', 'NOT_A_RECIPIENT']).toContain(verdict(await check(world, core)));
  });

  test('a sound payload of a kind that is not known', async () => {
    await refused(await withBytes(SMALL_IMAGE, made(SMALL_IMAGE, { kind: 2 })), 'DECRYPTION');
  });

  test('recipients and nothing else', async () => {
    const bytes = Buffer.concat([Buffer.from('MPE1'), Buffer.of(0, 0, 1, 0), new Uint8Array(72)]);
    await refused(await withBytes(image, bytes), 'DECRYPTION');
  });

  test('an ephemeral key of small order: the secret that anybody knows is not taken', async () => {
    for (const point of [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31))])
      await refused(await withBytes(SMALL_IMAGE, made(SMALL_IMAGE, { point })), 'DECRYPTION');
  });

  test('a release of which no payload is for this device: not found, nothing is fetched', async () => {
    const world = await published({ ...RELEASE, image: SMALL_IMAGE });
    const target = wholeImage(SMALL_IMAGE).target;
    const bare = encryptedPayload(wholeImage(SMALL_IMAGE), [PUBLIC]);
    world.repository.addPayload(FOLDER, { ...bare, target: { ...bare.target, custom: target.custom ?? {} } });
    world.repository.publish();
    await refused(world, 'NOT_FOUND');
    expect(fetched(world)).toEqual([]);
  });
});

describe('[CERT-C-5] a download that is interrupted', () => {
  const sent = (world: World): number =>
    world.network.requests
      .filter(({ path }) => path.endsWith('.encrypted'))
      .reduce((sum, request) => sum + request.sent, 0);

  test.each([
    ['an encrypted image', [], 16_384 + 4096],
    ['an encrypted patch', [RUNNING], 4096],
  ])('by a power cut at each erase block: %s', async (_, payloads, most) => {
    let cuts = 0;
    for (let nth = 1; ; nth++) {
      const world = await published({ ...RELEASE, payloads });
      world.network.conduct = (path) => (path.endsWith('.encrypted') ? { chunk: 300 } : {});
      const { core } = boot(world);
      cutBeforeBlock(world.device, Area.SLOT_B, nth);
      if (!(await untilCut(world.device, () => check(world, core)))) break;
      cuts++;
      const length = await installed(world);
      expect(length).toHaveLength(1);
      const total = world.repository.files.get(
        world.network.requests.find(({ path }) => path.endsWith('.encrypted'))?.path ?? '',
      )?.length;
      expect(sent(world), `cut before block ${nth}`).toBeLessThan((total ?? 0) + most + 2 * CHUNK);
    }
    expect(cuts).toBeGreaterThan(5);
  });

  test('by a connection that breaks in each chunk', async () => {
    const world = await published();
    world.network.conduct = (path) => (path.endsWith('.encrypted') ? { breakAfter: 2100, chunk: 700 } : {});
    expect(await installed(world)).toEqual(['image.encrypted']);
    expect(world.network.requests.filter(({ path }) => path.endsWith('.encrypted')).length).toBeGreaterThan(
      8,
    );
  });

  test('and the payload is another one afterwards: it begins anew', async () => {
    const world = await published();
    const { core } = boot(world);
    cutBeforeBlock(world.device, Area.SLOT_B, 6);
    expect(await untilCut(world.device, () => check(world, core))).toBe(true);
    world.repository.publish({ ...RELEASE, encryptFor: [OTHER_PUBLIC, PUBLIC] });
    expect(await installed(world)).toEqual(['image.encrypted']);
  });
});

test('[CERT-C-1] no text and no number that the host can read is the key; its public half is', async () => {
  const world = await published({ ...RELEASE, payloads: [RUNNING] });
  const { core } = boot(world);
  expect(verdict(await check(world, core))).toBe('reboot');
  for (let field = 0; field < 64; field++) {
    expect(core.textRead(field)).not.toContain(Buffer.from(KEY).toString('latin1'));
    for (let at = 0; at < KEY.length; at += 4)
      expect(core.stateRead(field)).not.toBe(Buffer.from(KEY).readUInt32LE(at));
  }
  expect(Buffer.from(core.publicKeyRead())).toEqual(Buffer.from(PUBLIC));
});

/** What the two keys have in common. */
const SHARED = diffieHellman({
  privateKey: createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), OTHER_KEY]),
    format: 'der',
    type: 'pkcs8',
  }),
  publicKey: createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), PUBLIC]),
    format: 'der',
    type: 'spki',
  }),
});

interface Making {
  readonly point?: Uint8Array;
  /** 0: an image is inside. */
  readonly kind?: number;
  /** All entries, given the one of the device. */
  readonly entries?: (own: Buffer) => Buffer[];
}

/** A payload as docs/formats.md has it, written without the repository's code, one chunk long. */
function made(image: Uint8Array, { point, kind = 0, entries = (own) => [own] }: Making): Uint8Array {
  // With a point of small order the secret is 0; else the ephemeral key is that of the other device.
  const shared = point ? new Uint8Array(32) : SHARED;
  const ephemeral = point ?? OTHER_PUBLIC;
  const count = entries(Buffer.alloc(40)).length;
  const head = Buffer.concat([Buffer.from('MPE1'), Buffer.of(kind, 0, count & 255, count >> 8)]);
  const content = new Random(3).bytes(32);
  const salt = Buffer.concat([ephemeral, PUBLIC]);
  const wrapping = new Uint8Array(hkdfSync('sha256', shared, salt, head, 32));
  const wrapped = content.map((byte, at) => byte ^ (wrapping[at] ?? 0));
  const own = Buffer.concat([PUBLIC.subarray(0, 8), wrapped]);
  const header = Buffer.concat([head, ephemeral, ...entries(own)]);
  const key = createHmac('sha256', content)
    .update(Buffer.from(sha256(header), 'hex'))
    .update(Uint8Array.of(1))
    .digest();
  const nonce = Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  const sealed = Buffer.concat([cipher.update(image), cipher.final()]);
  return Buffer.concat([header, sealed, cipher.getAuthTag()]);
}
