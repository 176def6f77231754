// Patches and compressed images instead of the image itself: what is fetched, and what becomes of those that are wrong.
import { describe, expect, test } from 'vitest';
import { Area, State, Status } from '../../host/node/abi.ts';
import { type Base, buildPayload, type Payload, sha256 } from '../../repo/index.ts';
import { Random } from '../../sim/random.ts';
import { RELEASE_1, World } from '../../sim/scenarios/world.ts';
import { boot, check, cutBeforeBlock, untilCut, verdict } from '../fixtures/by-hand.ts';

/** Release 1 with some of it changed, and some that is new. */
const IMAGE = Buffer.concat([RELEASE_1.image.subarray(0, 9000), new Random(9).bytes(7000), RELEASE_1.image]);
for (let at = 100; at < IMAGE.length; at += 700) IMAGE[at] = at & 255;
const RELEASE = { version: '1.1.0', releaseCounter: 2, securityCounter: 2, image: IMAGE };
const RUNNING: Base = { image: RELEASE_1.image, releaseCounter: RELEASE_1.releaseCounter };
const FOLDER = 'app/sim/1.1.0';

/** A device that runs release 1, and a repository with the next one and payloads for it. */
async function published(...payloads: Payload[]): Promise<World> {
  const world = new World();
  await world.update();
  for (const payload of payloads) world.repository.addPayload(FOLDER, payload);
  world.repository.publish(RELEASE);
  return world;
}

/** The same payload, with other bytes or another description; the target says what it must of the bytes. */
function changed(payload: Payload, bytes: Uint8Array, custom: object = {}): Payload {
  return {
    file: payload.file,
    bytes,
    target: {
      length: bytes.length,
      hashes: { sha256: sha256(bytes) },
      custom: { ...payload.target.custom, ...custom },
    },
  };
}

/** The device ends up with the release; which files of it were fetched, in this order. */
async function installed(world: World): Promise<string[]> {
  expect((await world.update()).status).toBe(Status.UP_TO_DATE);
  expect(sha256(world.device.running(IMAGE.length))).toBe(sha256(IMAGE));
  expect(world.device.powerOn().stateRead(State.INSTALLED_RELEASE)).toBe(2);
  const files = world.network.requests.flatMap(
    ({ path }) => /[0-9a-f]{64}\.([\w.-]+)$/.exec(path)?.[1] ?? [],
  );
  return files.filter((file, at) => file !== files[at - 1]);
}

const patch = buildPayload(IMAGE, RUNNING);
const compressible = Buffer.concat([IMAGE, Buffer.alloc(9000)]);
const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

describe('what is fetched', () => {
  test('the patch for the image that runs', async () => {
    const world = await published(patch, buildPayload(IMAGE));
    expect(await installed(world)).toEqual(['from-1.patch']);
    expect(world.network.sent).toBeLessThan(IMAGE.length / 2);
  });

  test('the compressed image where no patch is for what runs', async () => {
    const world = new World();
    const other = buildPayload(compressible, { image: compressible.subarray(5), releaseCounter: 7 });
    world.repository.addPayload(FOLDER, other);
    world.repository.addPayload(FOLDER, buildPayload(compressible));
    world.repository.publish({ ...RELEASE, image: compressible });
    expect((await world.update()).status).toBe(Status.UP_TO_DATE);
    expect(sha256(world.device.running(compressible.length))).toBe(sha256(compressible));
    expect(world.network.requests.map(({ path }) => path).filter((path) => /^targets/.test(path))).toEqual([
      expect.stringContaining('.compressed'),
    ]);
  });

  test('the image as it is where a payload is longer, or makes another image', async () => {
    const longer = changed(patch, Buffer.concat([patch.bytes, Buffer.alloc(IMAGE.length)]));
    expect(await installed(await published(longer))).toEqual(['firmware.bin']);
    expect(
      await installed(await published(changed(patch, patch.bytes, { image: sha256(patch.bytes) }))),
    ).toEqual(['firmware.bin']);
  });

  test.each([
    ['base', { base: 7 }],
    ['base', { base: 'xyz' }],
    ['baseLength', { baseLength: -1 }],
    ['baseLength', { baseLength: 0 }],
    ['baseLength', { baseLength: 2 ** 40 }],
    ['baseCounter', { baseCounter: '1' }],
    ['image', { image: [] }],
  ])('a payload whose %s is not one is passed over', async (_, custom) => {
    expect(await installed(await published(changed(patch, patch.bytes, custom)))).toEqual(['firmware.bin']);
  });
});

describe('[CERT-0-4] payloads that are wrong', () => {
  test('the image that runs is another one than the patch says: nothing is written from it', async () => {
    const wrong = { ...RUNNING, image: flipped(RELEASE_1.image, 11_999) };
    const world = await published(buildPayload(IMAGE, wrong));
    const written: number[] = [];
    world.device.flash.faults = {
      erase: (area) => {
        if (area === Area.SLOT_B) written.push(world.network.requests.length);
        return true;
      },
    };
    expect(await installed(world)).toEqual(['firmware.bin']);
    expect(written.length).toBeGreaterThan(0);
  });

  test('a patch that a mirror changed: each byte of it, first, middle and last', async () => {
    for (const at of [0, 1, 3, 5, patch.bytes.length >> 1, patch.bytes.length - 1]) {
      const world = await published(patch);
      const path = [...world.repository.files.keys()].find((name) => name.endsWith('.patch')) ?? '';
      world.repository.files.set(path, flipped(patch.bytes, at));
      expect(await installed(world), `byte ${at}`).toEqual(['from-1.patch', 'firmware.bin']);
    }
  });

  test('a signed patch that makes another image, or none', async () => {
    const other = buildPayload(flipped(IMAGE, 15_000), RUNNING);
    const wrong = changed(other, other.bytes, { image: sha256(IMAGE) });
    expect(await installed(await published(wrong))).toEqual(['from-1.patch', 'firmware.bin']);
    const noise = changed(patch, new Random(3).bytes(900));
    expect(await installed(await published(noise))).toEqual(['from-1.patch', 'firmware.bin']);
    const short = changed(patch, patch.bytes.subarray(0, patch.bytes.length - 40));
    expect(await installed(await published(short))).toEqual(['from-1.patch', 'firmware.bin']);
  });

  test('a patch that the repository does not have', async () => {
    const world = await published(patch);
    for (const name of world.repository.files.keys()) {
      if (name.endsWith('.patch')) world.repository.files.delete(name);
    }
    expect(await installed(world)).toEqual(['from-1.patch', 'firmware.bin']);
  });

  test('a patch with a path out of the repository', async () => {
    const world = new World();
    world.repository.addPayload('app/../..', patch);
    world.repository.publish(RELEASE);
    expect(await installed(world)).toEqual(['firmware.bin']);
  });

  test('a patch that does not end is cut off, and the next check installs', async () => {
    const world = await published(patch);
    world.network.conduct = (path) => (path.endsWith('.patch') ? { endless: true } : {});
    const first = boot(world);
    expect(verdict(await check(world, first.core))).toBe('TOO_LONG');
    world.network.conduct = () => ({});
    expect(await installed(world)).toEqual(['from-1.patch']);
  });
});

describe('[CERT-C-5] a patch that is interrupted', () => {
  /** Bytes of the patch that were sent. */
  const sent = (world: World): number =>
    world.network.requests
      .filter(({ path }) => path.endsWith('.patch'))
      .reduce((sum, request) => sum + request.sent, 0);

  test('a connection that breaks again and again costs nothing twice', async () => {
    const world = await published(patch);
    world.network.conduct = (path) => (path.endsWith('.patch') ? { breakAfter: 2100, chunk: 700 } : {});
    expect(await installed(world)).toEqual(['from-1.patch']);
    const offsets = world.network.requests
      .filter(({ path }) => path.endsWith('.patch'))
      .map(({ offset }) => offset);
    expect(offsets.length).toBeGreaterThan(2);
    expect(sent(world)).toBeLessThan(patch.bytes.length + 2100);
  });

  test('a power cut costs at most one erase block of the download', async () => {
    let cuts = 0;
    for (let nth = 1; ; nth++) {
      const world = await published(patch);
      world.network.conduct = (path) => (path.endsWith('.patch') ? { chunk: 256 } : {});
      const { core } = boot(world);
      cutBeforeBlock(world.device, Area.SLOT_B, nth);
      if (!(await untilCut(world.device, () => check(world, core)))) break;
      cuts++;
      expect(await installed(world)).toEqual(['from-1.patch']);
      expect(sent(world), `cut before block ${nth}`).toBeLessThan(patch.bytes.length + 4096 + 1024);
    }
    expect(cuts).toBeGreaterThan(5);
  });

  test('a patch that is withdrawn meanwhile: the image goes on from there', async () => {
    const world = await published(patch);
    const { core } = boot(world);
    cutBeforeBlock(world.device, Area.SLOT_B, 6);
    expect(await untilCut(world.device, () => check(world, core))).toBe(true);
    world.repository.addPayload(FOLDER, changed(patch, patch.bytes, { image: sha256(patch.bytes) }));
    world.repository.publish(RELEASE);
    expect(await installed(world)).toEqual(['from-1.patch', 'firmware.bin']);
    expect(world.network.requests.find(({ path }) => path.endsWith('.bin'))?.offset).toBeGreaterThan(0);
  });

  test('an image that is on its way goes on when a patch appears', async () => {
    const world = await published();
    const { core } = boot(world);
    cutBeforeBlock(world.device, Area.SLOT_B, 6);
    expect(await untilCut(world.device, () => check(world, core))).toBe(true);
    world.repository.addPayload(FOLDER, patch);
    world.repository.publish(RELEASE);
    expect(await installed(world)).toEqual(['firmware.bin']);
  });
});
