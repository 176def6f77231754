// An emulated board with a core that was compiled ahead of time: it comes as an update to a board that runs wasm3, and
// goes on with what that one left on flash. On each machine.
import { describe, expect } from 'vitest';
import { compiledImage, leanProgram } from '../../sim/emulator.ts';
import { BOARDS } from '../../sim/machines.ts';
import { onCompiledBoard, onLeanBoard } from '../fixtures/qemu.ts';
import { BoardWorld } from './world.ts';

describe.each(BOARDS)('an emulated board whose core is compiled ahead of time, $name', (machine) => {
  onCompiledBoard(machine)(
    '[CERT-0-1] replaces one under wasm3, is replaced by the next of its kind, and leaves the same flash as V8',
    async () => {
      const world = new BoardWorld(machine);
      const twin = world.twin();
      for (const counter of [2, 3]) {
        world.repository.publish(world.release(counter, compiledImage(machine)));
        const report = await world.runUntil(({ event }) => event === 'checked');
        expect(report).toMatchObject({
          installedVersion: `1.${counter}.0`,
          engine: `aot, image 1.${counter}.0`,
        });
        await twin.update();
        expect(world.flash()).toEqual(world.flash(twin));
      }
    },
    240_000,
  );

  onLeanBoard(machine)(
    '[CERT-0-1] with the lean core updates itself by a patch of the image that runs',
    async () => {
      const world = new BoardWorld(machine);
      const lean = (counter: number) => world.release(counter, leanProgram('image', machine));
      world.repository.publish(lean(2));
      await world.runUntil(({ event }) => event === 'checked');
      world.repository.publish({ ...lean(3), payloads: [{ image: lean(2).image, releaseCounter: 2 }] });
      const before = world.network.requests.length;
      const report = await world.runUntil(({ event }) => event === 'checked');
      expect(report).toMatchObject({ installedVersion: '1.3.0', engine: 'aot, image 1.3.0' });
      const fetched = world.network.requests.slice(before).filter(({ path }) => path.includes('targets/'));
      expect(fetched.length).toBeGreaterThan(0);
      expect(fetched.every(({ path }) => /patch/.test(path))).toBe(true);
    },
    240_000,
  );
});
