// The flash of host/posix beside the one of host/node: the same file, the same refusals, and what a kill leaves.
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { Area } from '../../host/node/abi.ts';
import { FileFlash, type Geometry, NorFlash, uniformGeometry } from '../../host/node/flash.ts';
import { GEOMETRIES } from '../../sim/geometries.ts';
import { Random } from '../../sim/random.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { FLASH_TOOL, withPosix } from '../fixtures/posix.ts';

/** Of a device that either host makes when there is none. */
const DEFAULT = uniformGeometry({
  block: 4096,
  unit: 4,
  erased: 0xff,
  bank: 65_536,
  slot: 2_097_152,
  log: 16_384,
});

describe('flash in a file, of a process', () => {
  withPosix('is the file that the other host would have, byte for byte, whoever writes when', () => {
    GEOMETRIES.forEach(({ geometry }, seed) => {
      const path = join(temporaryFolder(), 'flash.bin');
      const random = new Random(seed);
      const expected = new NorFlash(geometry);
      new FileFlash(path, geometry).close();
      for (let turn = 0; turn < 6; turn++) {
        const operations = Array.from({ length: 25 }, () => randomOperation(random, expected));
        if (turn % 2 === 0) expect(tool(path, operations)).toEqual(operations.map(() => '0'));
        else perform(path, geometry, operations);
      }
      expect(readFileSync(path).equals(contents(expected))).toBe(true);
    });
  });

  withPosix('reads what the other host wrote, erased bytes included', () => {
    const path = join(temporaryFolder(), 'flash.bin');
    const flash = new FileFlash(path, DEFAULT);
    flash.write(Area.SLOT_B, 8, Uint8Array.from([1, 2, 3, 4]));
    flash.close();
    expect(tool(path, ['read 4 6 8', 'read 5 0 2'])).toEqual(['ffff01020304ffff', 'ffff']);
  });

  withPosix('a new device has the files that the other host makes for one', () => {
    const made = join(temporaryFolder(), 'flash.bin');
    const theirs = join(temporaryFolder(), 'flash.bin');
    tool(made, []);
    new FileFlash(theirs, DEFAULT).close();
    for (const ending of ['', '.json'])
      expect(readFileSync(made + ending).equals(readFileSync(theirs + ending))).toBe(true);
  });

  withPosix('an operation that NOR flash does not have ends the process and changes nothing', () => {
    const path = join(temporaryFolder(), 'flash.bin');
    tool(path, ['write 2 8 8 1']);
    const before = readFileSync(path);
    const wrong = [
      ['write 2 12 8 1', 'area 2, offset 12: written twice without an erase'],
      ['write 2 4 8 1', 'area 2, offset 4: written twice without an erase'],
      ['write 2 18 4 1', 'area 2, offset 18: not whole units'],
      ['write 2 16 6 1', 'area 2, offset 16: not whole units'],
      ['write 2 8188 8 1', 'area 2, offset 8188: leaves the area'],
      ['write 2 4294967292 8 1', 'area 2, offset 4294967292: leaves the area'],
      ['write 7 0 4 1', 'area 7, offset 0: there is no such area'],
      ['write -1 0 4 1', 'area -1, offset 0: there is no such area'],
      ['erase 2 0 4', 'area 2, offset 0: not the edge of an erase block'],
      ['erase 2 4 4092', 'area 2, offset 4: not the edge of an erase block'],
      ['erase 2 8192 4096', 'area 2, offset 8192: leaves the area'],
      ['read 2 8190 4', 'area 2, offset 8190: leaves the area'],
    ] as const;
    for (const [operation, finding] of wrong)
      expect(refusal(path, [operation])).toContain(`flash ${finding}: a bug of the program`);
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

describe('a process that is killed', () => {
  const SIZE = 2_097_152;
  const written = (byte: number, offset: number) => byte === (1 + offset) % 251;
  const erased = (byte: number) => byte === 0xff;

  withPosix('in a write leaves its first units whole and the others erased', async () => {
    const unit = 4;
    await killUntilTorn([], `write 3 0 ${SIZE} 1`, { unit, done: written, open: erased });
  });

  withPosix('in an erase leaves its first part erased and the other as it was', async () => {
    const unit = 256;
    await killUntilTorn([`write 3 0 ${SIZE} 1`], `erase 3 0 ${SIZE}`, { unit, done: erased, open: written });
  });
});

describe('flash files that cannot be used', () => {
  const json = JSON.stringify(DEFAULT);

  withPosix('are refused in one line that says what is wrong and what to do, and stay as they are', () => {
    const remedy =
      /; restore it and \S+flash\.bin\.json from a copy, or delete both to start with a new device\n$/;
    const cases: readonly (readonly [damage: (path: string) => void, finding: string])[] = [
      [(path) => truncateSync(path, 1000), 'holds 1000 bytes instead of 4358144'],
      [(path) => truncateSync(path, 0), 'holds 0 bytes instead of 4358144'],
      [(path) => truncateSync(path, 5_000_000), 'holds 5000000 bytes instead of 4358144'],
      [(path) => rmSync(`${path}.json`), 'lacks the file with its geometry'],
      [(path) => writeFileSync(`${path}.json`, ''), 'has a geometry that no flash has'],
    ];
    for (const [damage, finding] of cases) {
      const path = join(temporaryFolder(), 'flash.bin');
      tool(path, []);
      damage(path);
      const before = readFileSync(path);
      const said = refusal(path, []);
      expect(said).toContain(`${path} ${finding}`);
      expect(said).toMatch(remedy);
      expect(readFileSync(path).equals(before)).toBe(true);
    }
  });

  withPosix('a folder in its place, and a folder that is not there', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'flash.bin'));
    expect(refusal(join(folder, 'flash.bin'), [])).toContain('cannot be opened for reading and writing');
    expect(refusal(join(folder, 'none/flash.bin'), [])).toContain(
      'cannot be made: No such file or directory',
    );
  });

  withPosix('a geometry that is cut off, or that no flash has', () => {
    const path = join(temporaryFolder(), 'flash.bin');
    tool(path, []);
    const area = '{"blocks":[4096,4096],"unit":4,"erased":255}';
    const areas = (last: string) => `[${Array(5).fill(area).join()},${last}]`;
    const wrong = [
      ...Array.from({ length: 60 }, (_, index) => json.slice(0, Math.floor((json.length * index) / 60))),
      ...['"unit":3', '"unit":0', '"unit":64', '"unit":4294967300'].map((unit) =>
        areas(area.replace('"unit":4', unit)),
      ),
      ...['"erased":1', '"erased":-1', '"erased":511'].map((erased) =>
        areas(area.replace('"erased":255', erased)),
      ),
      ...[
        '[]',
        '[0]',
        '[6]',
        '[4096,]',
        '[-4]',
        '[4294967296]',
        '[268435457]',
        `[${'4,'.repeat(20_000)}4]`,
      ].map((blocks) => areas(area.replace('[4096,4096]', blocks))),
      `[${Array(5).fill(area).join()}]`,
      `[${Array(25).fill(area).join()}]`,
      `[${Array(6).fill(area).join()},]`,
      areas('{"blocks":[],"unit":4,"erased":255}'),
      `${areas(area)}x`,
      areas(area).replaceAll(':', ': '),
    ];
    for (const text of wrong) {
      writeFileSync(`${path}.json`, text);
      expect(refusal(path, [])).toContain('has a geometry that no flash has');
    }
    writeFileSync(`${path}.json`, areas(area));
    expect(refusal(path, [])).toContain('holds 4358144 bytes instead of 49152');
  });
});

/** What the program answers to each line. */
function tool(path: string, operations: readonly string[]): string[] {
  const { status, stdout, stderr } = run(path, operations);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').slice(0, -1);
}

/** What the program says when it ends at one of the lines. */
function refusal(path: string, operations: readonly string[]): string {
  const { status, stdout, stderr } = run(path, operations);
  expect({ status, stdout, lines: stderr.split('\n').length }).toEqual({ status: 1, stdout: '', lines: 2 });
  return stderr;
}

function run(path: string, operations: readonly string[]) {
  return spawnSync(FLASH_TOOL, [path], { input: operations.join('\n'), encoding: 'utf8' });
}

/** An operation that the flash can do, done on `flash` too. */
function randomOperation(random: Random, flash: NorFlash): string {
  const area = random.below(6);
  const unit = flash.unit(area);
  const size = flash.size(area);
  const offset = random.below(size / unit) * unit;
  const length = Math.min(size - offset, unit * random.below(100));
  const seed = random.below(251);
  const before = new Uint8Array(length);
  flash.read(area, offset, before);
  if (before.every((byte) => byte === flash.erased(area))) {
    flash.write(area, offset, pattern(length, seed));
    return `write ${area} ${offset} ${length} ${seed}`;
  }
  const end = flash.blockEnd(area, offset);
  const start = blockStart(flash, area, offset);
  flash.erase(area, start, end - start);
  return `erase ${area} ${start} ${end - start}`;
}

function blockStart(flash: NorFlash, area: number, offset: number): number {
  let start = 0;
  while (flash.blockEnd(area, start) <= offset) start = flash.blockEnd(area, start);
  return start;
}

/** The same operations on the other host. */
function perform(path: string, geometry: Geometry, operations: readonly string[]): void {
  const flash = new FileFlash(path, geometry);
  for (const operation of operations) {
    const [what, ...numbers] = operation.split(' ');
    const [area = 0, offset = 0, length = 0, seed = 0] = numbers.map(Number);
    if (what === 'write') flash.write(area, offset, pattern(length, seed));
    else flash.erase(area, offset, length);
  }
  flash.close();
}

/** As test/c/posix_flash.c writes it. */
function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (seed + index) % 251);
}

function contents(flash: NorFlash): Buffer {
  return Buffer.concat(
    flash.geometry.map((_, area) => {
      const bytes = new Uint8Array(flash.size(area));
      flash.read(area, 0, bytes);
      return bytes;
    }),
  );
}

interface Torn {
  /** Bytes that are done together. */
  readonly unit: number;
  readonly done: (byte: number, offset: number) => boolean;
  readonly open: (byte: number, offset: number) => boolean;
}

/** Kills the program in an operation on the first slot; a busy machine may be too late for it a few times. */
async function killUntilTorn(before: readonly string[], operation: string, torn: Torn): Promise<void> {
  const fresh = join(temporaryFolder(), 'flash.bin');
  tool(fresh, before);
  for (let attempt = 0; attempt < 20; attempt++) {
    const path = join(temporaryFolder(), 'flash.bin');
    for (const ending of ['', '.json']) copyFileSync(fresh + ending, path + ending);
    await killOnceBegun(path, operation, torn);
    const slot = readFileSync(path).subarray(startOf(Area.SLOT_A), startOf(Area.SLOT_B));
    const end = slot.findIndex((byte, offset) => !torn.done(byte, offset));
    // At the end of a page of memory the system may stop by itself.
    if (end % 4096 <= 0) continue;
    expect(end % torn.unit).toBe(0);
    expect(slot.findIndex((byte, offset) => offset >= end && !torn.open(byte, offset))).toBe(-1);
    return;
  }
  throw new Error('no kill has left the operation half done');
}

async function killOnceBegun(path: string, operation: string, { done }: Torn): Promise<void> {
  const file = openSync(path, 'r');
  const byte = Buffer.alloc(1);
  const child = spawn(FLASH_TOOL, [path], { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  child.stdin.end(`${operation}\n`);
  do {
    await new Promise((resolve) => setImmediate(resolve));
    readSync(file, byte, 0, 1, startOf(Area.SLOT_A));
  } while (!done(byte.readUInt8(), 0));
  child.kill('SIGKILL');
  closeSync(file);
  await ended;
}

function startOf(area: Area): number {
  return DEFAULT.slice(0, area).reduce((sum, { blocks }) => sum + blocks.reduce((a, b) => a + b, 0), 0);
}
