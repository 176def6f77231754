// While a host waits for the next bytes of an image, the core erases where they will go: what it may erase then, when,
// and that it costs no flash more than erasing for the bytes that have come.
import { beforeEach, describe, expect, test } from 'vitest';
import { Action, Area, FetchKind, State, Status } from '../../host/node/abi.ts';
import type { Core } from '../../host/node/core.ts';
import { uniformGeometry } from '../../host/node/flash.ts';
import { sha256 } from '../../repo/index.ts';
import { OWN_GEOMETRIES } from '../../sim/geometries.ts';
import type { CutKind, Operation } from '../../sim/power.ts';
import { countCuts, sweep } from '../../sim/powercut.ts';
import { Random } from '../../sim/random.ts';
import { installErasingAhead } from '../../sim/scenarios/powercuts.ts';
import { image, RELEASE_1, World } from '../../sim/scenarios/world.ts';
import { boot, booted, check, statusName, untilCut, verdict } from '../fixtures/by-hand.ts';

/** A block is what every core erases in one call. */
const BLOCK = 65_536;
const SLOT = 4 * BLOCK;
/** It ends within its third block. */
const IMAGE = image(5, 2 * BLOCK + 5000);
const END = 3 * BLOCK;
/** As long, and less than half of it when it is compressed. */
const COMPRESSIBLE = IMAGE.map((byte, at) => (at % 1024 < 300 ? byte : 0));
/** Bytes that come at once. */
const PIECE = 1000;

const layout = (block: number) => uniformGeometry({ block, unit: 4, erased: 0xff, bank: BLOCK, slot: SLOT });

let world: World;
beforeEach(async () => {
  world = await published(IMAGE);
});

/** A device that runs release 1, and whose other slot is full of something older. */
async function published(
  bytes: Uint8Array,
  payloads: readonly undefined[] = [],
  block = BLOCK,
): Promise<World> {
  const made = new World({ geometry: layout(block) });
  await made.update();
  made.device.flash.write(Area.SLOT_B, 0, new Random(7).bytes(SLOT));
  made.device.power.log = [];
  made.repository.publish({
    version: '2.0.0',
    releaseCounter: 2,
    securityCounter: 1,
    image: bytes,
    payloads,
  });
  return made;
}

type AskAhead = (core: Core, wasWritten: boolean) => void;
const never: AskAhead = () => {};

/** A host by hand: one check, in which the core is asked to erase ahead wherever that can be asked. */
async function hostCheck(core: Core, ahead: AskAhead): Promise<string> {
  for (;;) {
    const action = core.agentStep(world.clock.seconds());
    ahead(core, false);
    if (action === Action.FETCH) await answer(core, ahead);
    else if (action === Action.WAIT) return statusName(core.stateRead(State.CHECK_STATUS));
    else if (action === Action.ASK) core.updateApprove();
    else if (action !== Action.CONTINUE) return `action ${action}`;
  }
}

async function answer(core: Core, ahead: AskAhead): Promise<void> {
  const folder = core.fetchKind() === FetchKind.TARGET ? 'targets' : 'metadata';
  const offset = core.fetchOffset();
  const file = await world.network.source(`${folder}/${core.fetchName()}`);
  if (!file) return void core.fetchEnd(Status.NOT_FOUND);
  let status = core.fetchBegin(offset);
  ahead(core, false);
  for (let at = offset; at < file.length && status >= 0; at += PIECE) {
    status = core.fetchWrite(file.subarray(at, Math.min(at + PIECE, file.length)));
    if (core.fetchKind() === FetchKind.TARGET) ahead(core, true);
  }
  core.fetchEnd(status < 0 ? Status.NETWORK : Status.OK);
  ahead(core, false);
}

const greedy: AskAhead = (core) => {
  for (let count = 0; count < 5; count++) core.fetchEraseAhead();
};

type Change = Extract<Operation, { type: 'write' | 'erase' }>;

/** What was done to flash, in its order; areas as text. */
function changes(type: Change['type'], area?: number): Change[] {
  const all = world.device.power.log ?? [];
  return all.filter(
    (operation): operation is Change =>
      operation.type === type && (area === undefined || ('area' in operation && operation.area === area)),
  );
}

function bytesOf(area: number): Uint8Array {
  const bytes = new Uint8Array(SLOT);
  world.device.flash.read(area, 0, bytes);
  return bytes;
}

const extent = (operation: Change) => [
  operation.offset,
  operation.offset + (operation.type === 'write' ? operation.data.length : operation.length),
];
const extents = (operations: readonly Change[]) =>
  operations.map((operation) => [operation.area, ...extent(operation)]);

/** Blocks of the slot that were erased before all bytes before them were written. */
function erasedAhead(log = world.device.power.log ?? []): number[] {
  let written = 0;
  const ahead: number[] = [];
  for (const operation of log) {
    if (operation.type === 'counter' || operation.area !== Area.SLOT_B) continue;
    if (operation.type === 'write') written = operation.offset + operation.data.length;
    else if (operation.offset > written) ahead.push(operation.offset / BLOCK);
  }
  return ahead;
}

describe('a host that asks whenever it can', () => {
  test('has all blocks but the first erased ahead, with the same erases and writes as one that never asks', async () => {
    expect(await hostCheck(boot(world).core, greedy)).toBe('action 3');
    expect(erasedAhead()).toEqual([1, 2]);
    const erases = extents(changes('erase'));
    const writes = extents(changes('write'));
    world = await published(IMAGE);
    expect(await hostCheck(boot(world).core, never)).toBe('action 3');
    expect(erasedAhead()).toEqual([]);
    expect([extents(changes('erase')), extents(changes('write'))]).toEqual([erases, writes]);
  });

  test('erases nothing before bytes of the image went into the slot', async () => {
    const before: number[] = [];
    await hostCheck(boot(world).core, (core, wasWritten) => {
      if (changes('write', Area.SLOT_B).length === 0 && !wasWritten) before.push(core.fetchEraseAhead());
    });
    expect(before.length).toBeGreaterThan(8);
    expect(new Set(before)).toEqual(new Set([0]));
    expect(extents(changes('erase', Area.SLOT_B))).toHaveLength(3);
  });

  test('one block a call, and no more than the one behind the one that is written', async () => {
    let most = 0;
    await hostCheck(boot(world).core, (core) => {
      const [erases, answers] = [changes('erase').length, [1, 2, 3].map(() => core.fetchEraseAhead())];
      expect(changes('erase').length - erases).toBe(answers.filter((answer) => answer === 1).length);
      const written = changes('write', Area.SLOT_B).at(-1);
      const erased = changes('erase', Area.SLOT_B).at(-1);
      if (written && erased) most = Math.max(most, (extent(erased)[1] ?? 0) - (extent(written)[1] ?? 0));
      expect(answers.every((answer) => answer === 0 || answer === 1)).toBe(true);
    });
    expect(most).toBeLessThanOrEqual(2 * BLOCK);
    expect(most).toBeGreaterThan(BLOCK);
  });

  test('erases nothing in another slot, and nothing that the image does not need', async () => {
    const other = () => sha256(bytesOf(Area.SLOT_A));
    const behind = () => sha256(bytesOf(Area.SLOT_B).subarray(END));
    const before = [other(), behind()];
    await hostCheck(boot(world).core, greedy);
    expect(changes('erase', Area.SLOT_A)).toEqual([]);
    expect([other(), behind()]).toEqual(before);
  });

  test('that ends with a block: the one behind it stays', async () => {
    world = await published(IMAGE.subarray(0, 2 * BLOCK));
    expect(await hostCheck(boot(world).core, greedy)).toBe('action 3');
    expect(extents(changes('erase', Area.SLOT_B)).map(([, , end]) => end)).toEqual([BLOCK, 2 * BLOCK]);
  });
});

test('where one call erases many blocks, none is erased ahead that the image does not need', async () => {
  const small = 4096;
  world = await published(IMAGE, [], small);
  expect(await hostCheck(boot(world).core, greedy)).toBe('action 3');
  const ends = extents(changes('erase', Area.SLOT_B)).map(([, , end]) => end);
  expect(ends.at(-1)).toBe(Math.ceil(IMAGE.length / small) * small);
});

describe('what never brings bytes of the image wears no flash', () => {
  const noImage = () => {
    const honest = world.network.source;
    world.network.source = (path) => (path.startsWith('targets/') ? undefined : honest(path));
    return () => {
      world.network.source = honest;
    };
  };

  test('a server without the image', async () => {
    noImage();
    expect(await hostCheck(boot(world).core, greedy)).toBe('NOT_FOUND');
    expect(changes('erase', Area.SLOT_B)).toEqual([]);
  });

  test('a server without it when the download would go on after a power cut', async () => {
    world.device.power.watch = (operation, index) =>
      operation.type === 'write' && operation.area === Area.SLOT_B && operation.offset > BLOCK + 3 * PIECE
        ? { operation: index, kind: 'before', units: 0 }
        : undefined;
    const { core } = boot(world);
    expect(await untilCut(world.device, () => hostCheck(core, greedy))).toBe(true);
    world.device.power.log = [];
    const restore = noImage();
    expect(await hostCheck(boot(world).core, greedy)).toBe('NOT_FOUND');
    expect(changes('erase', Area.SLOT_B)).toEqual([]);
    restore();
    expect(await hostCheck(boot(world).core, greedy)).toBe('action 3');
    // What was erased ahead before the cut is erased again: nothing says that it was.
    expect(extents(changes('erase', Area.SLOT_B)).map(([, start]) => start)).toEqual([BLOCK, 2 * BLOCK]);
  });

  test('a check that has ended with a part of the image: nothing more, until bytes come again', async () => {
    const honest = world.network.source;
    world.network.source = async (path) => {
      const file = await honest(path);
      return path.startsWith('targets/') ? file?.subarray(0, 3 * PIECE) : file;
    };
    const { core } = boot(world);
    expect(await hostCheck(core, never)).toBe('TRUNCATED');
    const erases = changes('erase').length;
    greedy(core, false);
    expect([core.fetchEraseAhead(), changes('erase').length]).toEqual([0, erases]);
  });

  test('metadata that does not hold', async () => {
    const honest = world.network.source;
    world.network.source = async (path) => {
      const file = await honest(path);
      return file && path.endsWith('targets.json')
        ? file.map((byte, at) => (at === 300 ? byte ^ 1 : byte))
        : file;
    };
    await hostCheck(boot(world).core, greedy);
    expect(extents(changes('erase', Area.SLOT_B))).toEqual([]);
  });

  test('an image on trial: the slot to fall back to is not touched', async () => {
    await hostCheck(boot(world).core, greedy);
    world.device.power.log = [];
    const { core } = boot(world);
    expect(core.agentStep(world.clock.seconds())).toBe(Action.SELF_TEST);
    greedy(core, false);
    expect(changes('erase')).toEqual([]);
    expect(core.imageReject()).toBe(Status.OK);
    boot(world);
    expect(booted(world.device.flash, [RELEASE_1.image, IMAGE])).toBe(0);
  });
});

describe('where flash fails', () => {
  test('an erase ahead that fails: the download ends with that, and what runs goes on', async () => {
    let tries = 0;
    world.device.flash.faults = {
      erase: (area, offset) => area !== Area.SLOT_B || offset < BLOCK || tries++ < 0,
    };
    const answers: number[] = [];
    const { core } = boot(world);
    expect(await hostCheck(core, (each) => void answers.push(each.fetchEraseAhead()))).toBe('FLASH_ERASE');
    expect(new Set(answers)).toEqual(new Set([0, Status.FLASH_ERASE]));
    // Once, and the core refuses the next piece.
    expect([tries, extents(changes('write', Area.SLOT_B)).length]).toEqual([1, 1]);
    expect(booted(world.device.flash, [RELEASE_1.image])).toBe(0);
    world.repository.publish({
      version: '2.1.0',
      releaseCounter: 3,
      securityCounter: 1,
      image: image(6, 9000),
    });
    world.clock.set(world.clock.seconds() + 4000);
    expect(verdict(await check(world, boot(world).core))).toBe('reboot');
  });

  test('bytes that were refused: nothing is erased for those behind them', async () => {
    world.device.flash.faults = {
      write: (area, offset, data) => (area === Area.SLOT_B && offset > 0 ? false : data),
    };
    const answers: number[] = [];
    await hostCheck(boot(world).core, (core, wasWritten) => {
      if (wasWritten && changes('write', Area.SLOT_B).length > 0 && answers.length < 2)
        answers.push(core.stateRead(State.IMAGE_OFFSET) > PIECE ? 1 : core.fetchEraseAhead());
    });
    expect(answers).toEqual([1, Status.FLASH_WRITE]);
    expect(extents(changes('erase', Area.SLOT_B)).map(([, start]) => start)).toEqual([0, BLOCK]);
  });
});

describe('[CERT-C-5] a power cut', () => {
  const cutAt = (type: Operation['type'], offset: number, kind: CutKind) => {
    world.device.power.watch = (operation, index) =>
      operation.type === type &&
      'area' in operation &&
      operation.area === Area.SLOT_B &&
      operation.offset >= offset
        ? { operation: index, kind, units: 1 }
        : undefined;
  };

  test.each([
    ['in an erase ahead', 'erase', 'scrambled'],
    ['in an erase ahead, of which the first half is done', 'erase', 'front'],
    ['between an erase ahead and the first write there', 'write', 'before'],
    ['in the first write there', 'write', 'bits'],
  ] as const)('%s: the block is erased again before it is written', async (_, type, kind) => {
    for (const payloads of [[], [undefined]]) {
      world = await published(COMPRESSIBLE, payloads);
      cutAt(type, BLOCK, kind);
      const { core } = boot(world);
      expect(await untilCut(world.device, () => hostCheck(core, greedy))).toBe(true);
      expect(await hostCheck(boot(world).core, greedy)).toBe('action 3');
      expect(booted(world.device.flash, [COMPRESSIBLE])).toBe(0);
      const starts = extents(changes('erase', Area.SLOT_B)).map(([, start]) => start);
      expect(starts.filter((start) => start === BLOCK)).toHaveLength(2);
      expect(starts.length).toBeLessThanOrEqual(5);
    }
  });

  test('at any operation: a whole image boots, and the install comes to its end', async () => {
    const [own] = OWN_GEOMETRIES;
    const scenario = await installErasingAhead({ geometry: own?.geometry ?? [], hardwareCounter: false });
    const { device } = scenario;
    const start = device.snapshot();
    device.power.log = [];
    await scenario.run(device);
    expect(erasedAhead(device.power.log)).toEqual([1]);
    device.restore(start);
    const result = await sweep(scenario, { places: 2, liveEvery: 50 });
    expect(result.cuts.before).toBe(result.operations);
    expect(result.live).toBe(Math.ceil(countCuts(result) / 50));
  }, 60_000);
});
