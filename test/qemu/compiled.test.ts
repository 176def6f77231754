// The emulated board with a core that was compiled ahead of time: it comes as an update to a board that runs wasm3, and
// goes on with what that one left on flash.
import { existsSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { builtProgram, COMPILED_IMAGE } from '../../sim/emulator.ts';
import { HOW_TO_GET_BOARD, hasBoard } from '../fixtures/qemu.ts';
import { optional } from '../optional.ts';
import { BoardWorld, release } from './world.ts';

const withCompiledBoard = optional(
  hasBoard && existsSync(builtProgram(COMPILED_IMAGE)),
  `${HOW_TO_GET_BOARD}, and wabt`,
);

describe('an emulated board whose core is compiled ahead of time', () => {
  withCompiledBoard(
    '[CERT-0-1] replaces one under wasm3, and is replaced by the next of its kind',
    async () => {
      const world = new BoardWorld();
      for (const counter of [2, 3]) {
        world.repository.publish(release(counter, COMPILED_IMAGE));
        const report = await world.runUntil(({ event }) => event === 'checked');
        expect(report).toMatchObject({
          installedVersion: `1.${counter}.0`,
          engine: `aot, image 1.${counter}.0`,
        });
      }
    },
    240_000,
  );
});
