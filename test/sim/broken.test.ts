// Journals and stores that are deliberately broken, each as one that shipped somewhere: the harness must find them. A
// harness that cuts the power only between two operations, as MCUboot's simulator does, finds some of them.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildVariant, type Change, CORE_MODULE } from '../../scripts/variant.ts';
import { GEOMETRIES } from '../../sim/geometries.ts';
import { type Effort, type SweepFailure, sweep } from '../../sim/powercut.ts';
import { SCENARIOS } from '../../sim/scenarios/powercuts.ts';

interface Broken extends Change {
  readonly name: string;
  /** What a cut between two operations makes of it. */
  readonly between: 'found' | 'not found';
}

const BROKEN: readonly Broken[] = [
  {
    name: 'a progress entry counts before its CRC is there',
    between: 'not found',
    file: 'storage/journal.ts',
    find: 'return load<u32>(JOURNAL_BUFFER, PROGRESS_SIZE - 4) == crc32(sequence, JOURNAL_BUFFER, PROGRESS_SIZE - 4);',
    replace: 'return true;',
  },
  {
    name: 'the journal goes on behind a torn entry, over what is left of it',
    between: 'not found',
    file: 'storage/journal.ts',
    find: `    else {
      spent = true;
      return;
    }`,
    replace: '    else return;',
  },
  {
    name: 'the journal erases the half in use first',
    between: 'found',
    file: 'storage/journal.ts',
    find: 'const status = flash_erase(Area.JOURNAL, next, next + half_size());',
    replace: 'const status = flash_erase(Area.JOURNAL, 0, 2 * half_size());',
  },
  {
    name: 'the security counter rises when an image is selected, and not when it is confirmed',
    between: 'found',
    file: 'agent/trial.ts',
    find: '  install.stage = Stage.SELECTED;\n',
    replace: '  host.counter_advance(install.security);\n  install.stage = Stage.SELECTED;\n',
  },
];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'broken-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** 256-byte pages: the journal changes halves on the way. */
async function found(module: WebAssembly.Module, effort: Partial<Effort>): Promise<string> {
  const { geometry = [] } = GEOMETRIES[6] ?? {};
  const scenario = await SCENARIOS['install and confirm']?.({ geometry, hardwareCounter: true, module });
  if (!scenario) throw new Error('no such scenario');
  return sweep(scenario, { places: 40, liveEvery: 1000, ...effort }).then(
    () => 'not found',
    (error: SweepFailure) => `found: ${error.message}`,
  );
}

describe('[CERT-C-5] a broken step of the journal is found', () => {
  test.each(BROKEN)(
    '$name ($between by cuts between operations)',
    async ({ between, ...change }) => {
      expect(await buildVariant(change, [CORE_MODULE], folder)).toBe(true);
      const module = new WebAssembly.Module(readFileSync(join(folder, CORE_MODULE.file)));
      expect(await found(module, {})).toMatch(/^found: power cut at operation \d+ \(/);
      expect(await found(module, { between: true })).toMatch(new RegExp(`^${between}`));
    },
    240_000,
  );
});
