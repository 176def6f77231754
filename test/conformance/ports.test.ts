// The conformance program for ports (host/conformance): it finds each defect of a board that is bent on purpose, and
// nothing on the ports that are here.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FileFlash, type Geometry, uniformGeometry } from '../../host/node/flash.ts';
import { builtProgram, EmulatedBoard, sealImage } from '../../sim/emulator.ts';
import { BOARDS } from '../../sim/machines.ts';
import { plainImage } from '../../sim/scenarios/mcuboot.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { FLASH_TOOL } from '../fixtures/posix.ts';
import { HOW_TO_GET_BOARD, hasBoard } from '../fixtures/qemu.ts';
import { HOW_TO_GET_WASM3, wasm3Build } from '../fixtures/wasm3.ts';
import { optional } from '../optional.ts';

const PASSED = 0;
const RESET = 1;
const BROKEN = 2;

const PLAIN = wasm3Build('conformance_test');
const SANITIZED = join(dirname(wasm3Build('.')), 'wasm3-sanitize/conformance_test');
const POSIX = join(dirname(FLASH_TOOL), 'posix_conformance');

const withPrograms = optional(existsSync(PLAIN) && existsSync(POSIX), HOW_TO_GET_WASM3);

/** What is said first of each wrong port of test/c/conformance_test.c. */
const FINDINGS: Readonly<Record<string, string>> = {
  READ_ALIGNED: 'flash_read gives other bytes at another offset, length or alignment',
  READ_SHORT_AT_END: 'flash_write has not written what it was given',
  READ_ROUNDS_UP: 'flash_read writes beside the memory that it is given',
  READ_COUNTS: 'flash_read returns what is neither 0 nor negative: 32',
  READ_STOPS_AT_BLOCK: 'flash_write over the end of an erase block is not whole',
  WRITE_WRAPS_IN_PAGE: 'flash_write has not written what it was given',
  WRITE_STOPS_AT_BLOCK: 'flash_write over the end of an erase block is not whole',
  WRITE_NOTHING: 'flash_write has not written what it was given',
  WRITE_DROPS_LAST_UNIT: 'flash_write has not written what it was given',
  WRITE_PADS: 'flash_write has changed what is beside the range',
  WRITE_ALIGNS_SOURCE: 'flash_write has not written what it was given',
  WRITE_BUFFERED: 'a reset came that was not asked for, or what was written last before it is lost',
  WRITE_FAILS: 'flash_write fails with -5',
  ERASE_NOTHING: 'flash_erase has not erased all',
  ERASE_ONE_BLOCK: 'flash_erase of two blocks has not erased both',
  ERASE_SECTOR: 'flash_erase has changed what is beside the range',
  ERASE_TO_END: 'flash_erase has changed what is beside the range',
  ERASE_SHORT: 'flash_erase has not erased all',
  ERASED_VALUE: 'flash_erase has not erased all, or to another value than flash_unit says',
  ERASED_ODD: 'the erased byte is neither 0x00 nor 0xFF',
  UNIT_ODD: 'the write unit is none of 1, 2, 4, 8, 16 and 32',
  UNIT_HIGH_BITS: 'flash_unit: bits 24 to 31 are not 0',
  ADDRESS_LINE: 'two offsets are the same place of the flash',
  AREAS_OVERLAP: 'an operation on another area has changed this one',
  SIZE_GROWS: 'flash_size is another one each time',
  SLOTS_DIFFER: 'the area after it, which goes with it, has another size',
  AREA_MISSING: 'there is no such area',
  JOURNAL_OF_ONE_BLOCK: 'the area has fewer than two erase blocks',
  BLOCK_END_OFF_BY_ONE: 'flash_block_end differs inside of one erase block',
  BLOCK_END_BACK: 'flash_block_end is not behind the offset',
  BLOCK_END_BEYOND: 'flash_block_end is behind the end of the area',
  COUNTER_HALF: 'of counter_read and counter_advance one is NULL',
  COUNTER_FALLS: 'counter_advance to a lower value changes the counter',
  COUNTER_FORGETS: 'the counter has not outlived the reset',
  COUNTER_LIES: 'counter_advance did not raise the counter to the value',
  ENTROPY_CONSTANT: 'entropy gives the same bytes again',
  ENTROPY_SEEDED: 'entropy gives the same bytes after each reset',
  ENTROPY_SHORT: 'entropy does not fill all bytes',
  ENTROPY_BEYOND: 'entropy writes beside what it is given',
  CLOCK_STANDS: 'milliseconds stands still',
  CLOCK_BACKWARDS: 'milliseconds runs backwards',
  HASH_ALIGNED: 'sha256_compress: the hash of "abc" is wrong at some alignment',
  HASH_WRONG: 'sha256_compress: the hash of "abc" is wrong at some alignment',
  SELECT_AT_ONCE: 'boot_select changes what runs before the next boot',
  SELECT_FOR_GOOD: 'after boot_select the other slot does not run on trial',
  SELECT_NOTHING: 'after boot_select the other slot does not run on trial',
  SELECT_BUFFERED: 'after boot_select the other slot does not run on trial',
  CONFIRM_NOTHING: 'after boot_confirm the confirmed slot does not run for good',
  CONFIRM_STAYS_ON_TRIAL: 'boot_confirm does not end the trial of what runs',
  REVERT_NOTHING: 'after boot_revert the slot before the trial does not run',
  REVERT_FAILS_TWICE: 'boot_revert, once more, fails with -1',
  TRIAL_ENDLESS: 'a trial without a confirm never ends',
  TRIAL_ENDS_ELSEWHERE: 'a trial does not go on, or its end is not what ran before',
  BOOT_MISSING: 'a callback for the boot decision is NULL',
};

describe('the conformance program', () => {
  withPrograms('finds nothing on a board that keeps the contract, and copies what runs', () => {
    const { verdict, said } = run(PLAIN);
    expect(said.filter((line) => /BROKEN|no image|no boot/.test(line))).toEqual([]);
    expect(said.filter((line) => line === 'a reset is due')).toHaveLength(9);
    expect(said).toContain('boots of a trial: 3');
    expect(verdict).toBe(PASSED);
  });

  withPrograms('knows every board that is bent', () => {
    expect(run(PLAIN, 'list').said).toEqual(Object.keys(FINDINGS));
  });

  for (const [defect, finding] of Object.entries(FINDINGS))
    withPrograms(`finds ${defect}`, () => {
      const { verdict, said } = run(PLAIN, defect);
      expect(said.find((line) => line.startsWith('BROKEN: '))).toContain(finding);
      expect(verdict).toBe(BROKEN);
    });

  optional(
    existsSync(SANITIZED),
    'node scripts/wasm3.mjs build --sanitize (it needs a C compiler with ASan and UBSan)',
  )('does nothing undefined, whatever the board does', () => {
    for (const defect of ['NONE', ...Object.keys(FINDINGS)]) {
      const { status, stderr } = spawnSync(SANITIZED, [defect], { encoding: 'utf8' });
      expect({ defect, status, stderr }).toEqual({
        defect,
        status: defect === 'NONE' ? PASSED : BROKEN,
        stderr: '',
      });
    }
  });
});

describe('the ports that are here keep the contract:', () => {
  const layouts: Readonly<Record<string, Geometry | undefined>> = {
    'as a new device has it': undefined,
    'with units of 32 bytes, erased to 0, and a log': uniformGeometry({
      block: 1024,
      unit: 32,
      erased: 0,
      bank: 4096,
      slot: 16_384,
      log: 4096,
    }),
  };
  for (const [layout, geometry] of Object.entries(layouts))
    withPrograms(`a process, its flash ${layout}`, () => {
      const path = join(temporaryFolder(), 'flash.bin');
      if (geometry !== undefined) new FileFlash(path, geometry).close();
      const runs = startUntilDone(() => run(POSIX, path));
      expect(runs.flatMap(({ said }) => said).filter((line) => line.startsWith('BROKEN'))).toEqual([]);
      expect(runs.map(({ verdict }) => verdict)).toEqual([...Array(9).fill(RESET), PASSED]);
    });

  for (const machine of BOARDS) {
    const program = builtProgram('conformance', machine);
    optional(hasBoard(machine) && existsSync(program), HOW_TO_GET_BOARD)(
      `the emulated board, whose program runs from either slot: ${machine.name}`,
      () => {
        const image = sealImage(readFileSync(program), '1.0.0');
        const board = new EmulatedBoard({
          machine,
          folder: temporaryFolder(),
          root: new Uint8Array(),
          configuration: { hardwareId: 'virt', component: 'app', version: '1.0.0' } as never,
          image: machine.mcuboot ? plainImage(image) : image,
          gateway: { metadataUrl: 'http://localhost/', targetsUrl: 'http://localhost/' },
        });
        const { status, stdout } = spawnSync(machine.qemu, board.command(), { encoding: 'utf8' });
        expect(stdout.split('\n').filter((line) => line.startsWith('BROKEN'))).toEqual([]);
        expect(stdout).toContain(`boots of a trial: ${machine.mcuboot ? 1 : 3}`);
        expect(status).toBe(PASSED);
      },
      240_000,
    );
  }
});

test('the conformance program needs neither heap nor printf', () => {
  const folder = join(import.meta.dirname, '../../host/conformance');
  const sources = ['conformance', 'flash', 'layout', 'rest', 'say'].map((name) =>
    readFileSync(join(folder, `${name}.c`), 'utf8'),
  );
  expect(sources.join('\n')).not.toMatch(/\b(malloc|calloc|realloc|free|s?n?printf)\(/);
});

/** Start after start, each a process of its own. */
function startUntilDone(start: () => Run): Run[] {
  const runs: Run[] = [];
  do runs.push(start());
  while (runs.at(-1)?.verdict === RESET && runs.length < 40);
  return runs;
}

interface Run {
  readonly verdict: number | null;
  readonly said: readonly string[];
}

function run(program: string, ...parameters: readonly string[]): Run {
  const { status, stdout } = spawnSync(program, parameters, { encoding: 'utf8' });
  return { verdict: status, said: stdout.split('\n').slice(0, -1) };
}
