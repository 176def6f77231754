// An emulated board (bare metal, NOR flash) that updates itself over its UART: the program that runs is replaced by
// another, and comes back when that one is no good. On each machine.
import { describe, expect } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { BOARDS } from '../../sim/machines.ts';
import { onBoard } from '../fixtures/qemu.ts';
import { type BoardRelease, BoardWorld } from './world.ts';

const TIMEOUT = 120_000;
const FACTORY_RUNS = 'wasm3, image 1.1.0';

describe.each(BOARDS)('an emulated board, $name', (machine) => {
  const withBoard = onBoard(machine);

  withBoard(
    '[CERT-0-1] updates itself without anyone, and leaves its flash as a device in V8 does, byte for byte',
    async () => {
      const world = new BoardWorld(machine);
      const twin = world.twin();
      world.repository.publish(world.release(2));
      const report = await world.runUntil(({ event }) => event === 'checked');
      expect(report).toMatchObject({
        status: Status.UP_TO_DATE,
        installedVersion: '1.2.0',
        engine: 'wasm3, image 1.2.0',
      });
      expect(world.reports.map(({ event, engine }) => `${event}: ${engine}`)).toEqual([
        `started: ${FACTORY_RUNS}`,
        `reboots: ${FACTORY_RUNS}`,
        'started: wasm3, image 1.2.0',
        'on-trial: wasm3, image 1.2.0',
        'confirmed: wasm3, image 1.2.0',
        'checked: wasm3, image 1.2.0',
      ]);
      expect(await twin.update()).toMatchObject({ status: Status.UP_TO_DATE });
      expect(world.flash()).toEqual(world.flash(twin));
    },
    TIMEOUT,
  );

  withBoard(
    '[CERT-0-1] updates itself by a patch of the image that runs, and leaves its flash as a device in V8 does',
    async () => {
      const world = new BoardWorld(machine);
      const twin = world.twin();
      const { image, releaseCounter } = world.factory;
      world.repository.publish({ ...world.release(2), payloads: [{ image, releaseCounter }] });
      const report = await world.runUntil(({ event }) => event === 'checked');
      expect(report).toMatchObject({ installedVersion: '1.2.0', engine: 'wasm3, image 1.2.0' });
      expect(await twin.update()).toMatchObject({ status: Status.UP_TO_DATE });
      expect(world.flash()).toEqual(world.flash(twin));
      const fetched = world.network.requests.filter(({ path }) => path.includes('targets/'));
      expect(fetched.length).toBeGreaterThan(0);
      expect(fetched.every(({ path }) => /patch/.test(path))).toBe(true);
    },
    TIMEOUT,
  );

  withBoard(
    'stays as it is when there is nothing new, and after the power was off',
    async () => {
      const world = new BoardWorld(machine);
      for (let time = 0; time < 2; time++) {
        const { status, engine } = await world.runUntil(({ event }) => event === 'checked');
        expect({ status, engine }).toEqual({ status: Status.UP_TO_DATE, engine: FACTORY_RUNS });
      }
      expect(beginsWith(world.board.nextToRun(), world.factory.image)).toBe(true);
    },
    TIMEOUT,
  );
});

describe.each(BOARDS)('[CERT-C-5] [ETSI-3.4] an image that does not work is given up, $name:', (machine) => {
  const withBoard = onBoard(machine);
  // One board for all of them, one after the other. The core selects an image three times, and each time the boot record
  // gives it three boots, MCUboot one.
  const boots = machine.mcuboot ? 1 : 3;
  let world: BoardWorld | undefined;
  const faults = [
    ['one that crashes', (at: BoardWorld) => at.release(2, 'crashes'), 3 * boots],
    ['one that starts again and again', (at: BoardWorld) => at.release(3, 'resets'), 3 * boots],
    ['one that is not whole, by the loader', (at: BoardWorld) => broken(at.release(4)), 0],
    ['one that finds its self-test failed', (at: BoardWorld) => at.release(5, 'fails'), 1],
  ] as const;

  for (const [what, bad, trials] of faults)
    withBoard(
      what,
      async () => {
        world ??= new BoardWorld(machine);
        const before = trialsIn(world);
        world.repository.publish(bad(world));
        await world.runUntil(({ event }) => event === 'checked');
        expect(trialsIn(world) - before).toBe(trials);
        expect(beginsWith(world.board.nextToRun(), world.factory.image)).toBe(true);
      },
      TIMEOUT,
    );

  withBoard(
    'and the next good one is installed',
    async () => {
      world ??= new BoardWorld(machine);
      world.repository.publish(world.release(6));
      const { engine } = await world.runUntil(({ event }) => event === 'confirmed');
      expect(engine).toBe('wasm3, image 1.6.0');
    },
    TIMEOUT,
  );

  withBoard(
    'one that hangs is reset by the watchdog, and after the boots of a trial the image before it runs',
    async () => {
      const world = new BoardWorld(machine);
      world.repository.publish(world.release(2, 'hangs'));
      await world.runUntil(
        ({ event, engine }) => event === 'started' && engine === FACTORY_RUNS && trialsIn(world) > 0,
      );
      expect(trialsIn(world)).toBe(boots);
    },
    TIMEOUT,
  );
});

function trialsIn(world: BoardWorld): number {
  return world.reports.filter(({ event }) => event === 'on-trial').length;
}

/** The last byte is another one: what was signed is what was built wrong. */
function broken(good: BoardRelease): BoardRelease {
  const image = Uint8Array.from(good.image);
  image[image.length - 1] = ~(image.at(-1) ?? 0);
  return { ...good, image };
}

function beginsWith(slot: Uint8Array, image: Uint8Array): boolean {
  return Buffer.compare(slot.subarray(0, image.length), image) === 0;
}
