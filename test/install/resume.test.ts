// A download that goes on where it was, over servers that make that difficult: the bug of each has a name.
import { describe, expect, test } from 'vitest';
import { Area } from '../../host/node/abi.ts';
import type { ClientEvent } from '../../host/node/client.ts';
import { uniformGeometry } from '../../host/node/flash.ts';
import type { Conduct } from '../../sim/network.ts';
import { image, RELEASE_1, World } from '../../sim/scenarios/world.ts';
import { kept, statusName } from '../fixtures/by-hand.ts';

const IMAGE = image(5, 100_000);
const BROKEN_AT = 50_000;
/** Where the journal of a device that boots again goes on: the erase block that was not whole is lost. */
const BLOCK = 4096;
const NOTED = Math.floor(BROKEN_AT / BLOCK) * BLOCK;

interface Download {
  readonly world: World;
  /** Offsets of the requests for the image. */
  offsets(): number[];
  /** Bytes written to the slots since the download broke off. */
  written(): number;
  readonly events: ClientEvent[];
  check(): Promise<string>;
}

/** A download that will break off once, in the next check. `rest`: how the network is from then on. */
async function brokenOff(rest: Conduct, first: Conduct = {}): Promise<Download> {
  const geometry = uniformGeometry({ block: BLOCK, unit: 4, erased: 0xff, bank: 32_768, slot: 131_072 });
  const events: ClientEvent[] = [];
  const world = new World({ geometry, onEvent: (event) => void events.push(event) });
  await world.update();
  world.repository.publish({ version: '2.0.0', releaseCounter: 2, securityCounter: 1, image: IMAGE });
  let requests = 0;
  world.network.conduct = (path) => {
    if (!path.startsWith('targets/')) return {};
    return requests++ === 0 ? { breakAfter: BROKEN_AT, ...first } : rest;
  };
  let written = 0;
  world.device.flash.faults = {
    write: (area, _, data) => {
      if (requests > 1 && (area === Area.SLOT_A || area === Area.SLOT_B)) written += data.length;
      return data;
    },
  };
  const offsets = () =>
    world.network.requests.filter(({ path }) => path.startsWith('targets/')).map(({ offset }) => offset);
  const check = async () => {
    world.clock.set(world.clock.seconds() + 4000);
    world.repository.refresh();
    return statusName((await world.update()).status);
  };
  return { world, offsets, written: () => written, events, check };
}

/** Once the download broke off, the server has this in place of the image. */
function replace({ world, offsets }: Download, make: (file: Uint8Array) => Uint8Array): () => void {
  const honest = world.network.source;
  world.network.source = async (path) => {
    const file = await honest(path);
    return file && path.startsWith('targets/') && offsets().length > 1 ? make(file) : file;
  };
  return () => {
    world.network.source = honest;
  };
}

const other = (file: Uint8Array) => file.map((byte, index) => (index === 10 ? byte ^ 1 : byte));
const otherAtEnd = (file: Uint8Array) => file.map((byte, index) => (index === 99_000 ? byte ^ 1 : byte));

async function installs(download: Download): Promise<void> {
  expect(await download.check()).toBe('UP_TO_DATE');
  expect(kept(download.world.device.powerOn()).release).toBe(2);
  expect(download.world.device.running(IMAGE.length)).toEqual(IMAGE);
}

describe('a download that broke off', () => {
  test('goes on where it was: not a byte is written twice', async () => {
    const download = await brokenOff({});
    await installs(download);
    expect(download.offsets()).toEqual([0, BROKEN_AT]);
    expect(download.written()).toBe(IMAGE.length - (BROKEN_AT & ~3));
  });

  test('[power cut] costs at most one erase block', async () => {
    const download = await brokenOff({ drop: true });
    expect(await download.check()).toBe('NETWORK');
    const { world } = download;
    world.network.conduct = () => ({});
    await installs(download);
    expect(download.offsets().at(-1)).toBe(NOTED);
    expect(download.written()).toBe(IMAGE.length - NOTED);
  });

  test('[Range ignored: bytes from 0 appended at the offset] they are passed over', async () => {
    const download = await brokenOff({ ignoreRange: true });
    await installs(download);
    expect(download.offsets()).toEqual([0, BROKEN_AT]);
    expect(download.written()).toBe(IMAGE.length - (BROKEN_AT & ~3));
  });

  test('[Range ignored, file changed] FILE_CHANGED before a byte of it reaches the slot; then begun anew', async () => {
    const download = await brokenOff({ ignoreRange: true });
    const restore = replace(download, other);
    expect(await download.check()).toBe('FILE_CHANGED');
    expect(download.written()).toBe(0);
    expect(download.world.device.running(100)).toEqual(RELEASE_1.image.subarray(0, 100));
    restore();
    await installs(download);
    expect(download.offsets()).toEqual([0, BROKEN_AT, 0]);
  });

  test('[file changed] another ETag: asked for whole, so that it can be compared', async () => {
    const download = await brokenOff({ tag: '"2"' }, { tag: '"1"' });
    const restore = replace(download, other);
    expect(await download.check()).toBe('FILE_CHANGED');
    expect(download.written()).toBe(0);
    restore();
    await installs(download);
  });

  test('[file changed] the same bytes under another ETag are used', async () => {
    const download = await brokenOff({ tag: '"2"' }, { tag: '"1"' });
    await installs(download);
    expect(download.written()).toBe(IMAGE.length - (BROKEN_AT & ~3));
  });

  test('[length that lies] a part of a file of another length: asked for whole', async () => {
    const download = await brokenOff({ claims: 100_004 });
    await installs(download);
    expect(download.offsets()).toEqual([0, BROKEN_AT, 0]);
    expect(download.written()).toBe(IMAGE.length - (BROKEN_AT & ~3));
  });

  test.each([-1, 1])(
    '[length that lies] a file longer by %i than signed: refused at its headers',
    async (by) => {
      const download = await brokenOff({ ignoreRange: true });
      const restore = replace(download, (file) =>
        by < 0 ? file.slice(0, by) : new Uint8Array([...file, 0]),
      );
      expect(await download.check()).toBe(by < 0 ? 'TRUNCATED' : 'TOO_LONG');
      expect(download.written()).toBe(0);
      expect(download.events).toContainEqual(
        expect.objectContaining({ type: 'interrupted', fault: by < 0 ? 'shorter' : 'longer' }),
      );
      restore();
      await installs(download);
    },
  );

  test('[file changed, and nobody says so] only the hash tells: refused, and fetched from its start', async () => {
    const download = await brokenOff({});
    const restore = replace(download, otherAtEnd);
    expect(await download.check()).toBe('IMAGE_MISMATCH');
    expect(download.world.device.running(100)).toEqual(RELEASE_1.image.subarray(0, 100));
    restore();
    await installs(download);
    expect(download.offsets()).toEqual([0, BROKEN_AT, 0]);
  });
});

test('[patch changed under a download] the image itself is fetched instead', async () => {
  const world = new World();
  await world.update();
  const fresh = Buffer.concat([RELEASE_1.image.subarray(2000, 9000), image(9, 6000)]);
  world.repository.publish({
    version: '2.0.0',
    releaseCounter: 2,
    securityCounter: 1,
    image: fresh,
    payloads: [RELEASE_1],
  });
  let requests = 0;
  world.network.conduct = (path) => {
    if (!path.endsWith('.patch')) return {};
    return requests++ === 0 ? { breakAfter: 3000 } : { ignoreRange: true };
  };
  const honest = world.network.source;
  world.network.source = async (path) => {
    const file = await honest(path);
    return file && path.endsWith('.patch') && requests > 1 ? other(file) : file;
  };
  expect(statusName((await world.update()).status)).toBe('UP_TO_DATE');
  const asked = world.network.requests.map(({ path }) => path).filter((path) => path.startsWith('targets/'));
  expect(asked.map((path) => path.split('.').at(-1))).toEqual(['patch', 'patch', 'bin']);
  expect(world.device.running(fresh.length)).toEqual(new Uint8Array(fresh));
});
