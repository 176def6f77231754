// An emulated board with a core that was compiled ahead of time: it comes as an update to a board that runs wasm3, and
// goes on with what that one left on flash. On each machine.
import { describe, expect } from 'vitest';
import { compiledImage } from '../../sim/emulator.ts';
import { BOARDS } from '../../sim/machines.ts';
import { onCompiledBoard } from '../fixtures/qemu.ts';
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
});
