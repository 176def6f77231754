import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AreaGeometry, FileFlash, NorFlash, programArea } from '../../host/node/flash.ts';

const UNIFORM: AreaGeometry = { blocks: [256, 256, 256, 256], unit: 4, erased: 0xff };
const MIXED: AreaGeometry = { blocks: [64, 64, 128, 512], unit: 16, erased: 0x00 };

function contents(flash: NorFlash, area: number): Uint8Array {
  const bytes = new Uint8Array(flash.size(area));
  flash.read(area, 0, bytes);
  return bytes;
}

describe('NOR flash', () => {
  test('reads erased bytes before anything is written', () => {
    const flash = new NorFlash([UNIFORM, MIXED]);
    expect(contents(flash, 0)).toEqual(new Uint8Array(1024).fill(0xff));
    expect(contents(flash, 1)).toEqual(new Uint8Array(768).fill(0x00));
  });

  test('knows the ends of erase blocks of one and of several sizes', () => {
    const flash = new NorFlash([UNIFORM, MIXED]);
    const ends = (area: number, offsets: number[]) => offsets.map((offset) => flash.blockEnd(area, offset));
    expect(ends(0, [0, 255, 256, 1023])).toEqual([256, 256, 512, 1024]);
    expect(ends(1, [0, 63, 64, 128, 255, 256, 767])).toEqual([64, 64, 128, 256, 256, 768, 768]);
  });

  test('writes across blocks and reads back any part', () => {
    const flash = new NorFlash([UNIFORM, MIXED]);
    const data = Uint8Array.from({ length: 256 }, (_, index) => index + 1);
    flash.write(1, 48, data);
    const part = new Uint8Array(100);
    flash.read(1, 100, part);
    expect(part).toEqual(data.slice(52, 152));
    expect(contents(flash, 1).slice(0, 48)).toEqual(new Uint8Array(48));
  });

  test('refuses to write a unit twice without an erase', () => {
    const flash = new NorFlash([UNIFORM]);
    flash.write(0, 8, new Uint8Array(4));
    expect(() => flash.write(0, 8, new Uint8Array(4))).toThrow('area 0, offset 8: written twice');
    expect(() => flash.write(0, 0, new Uint8Array(16))).toThrow('written twice');
    flash.erase(0, 0, 256);
    flash.write(0, 8, new Uint8Array(4));
  });

  test('refuses parts of a unit, parts of a block, and offsets beyond the area', () => {
    const flash = new NorFlash([UNIFORM]);
    expect(() => flash.write(0, 2, new Uint8Array(4))).toThrow('4-byte units');
    expect(() => flash.write(0, 4, new Uint8Array(6))).toThrow('4-byte units');
    expect(() => flash.erase(0, 0, 128)).toThrow('edge of an erase block');
    expect(() => flash.erase(0, 128, 128)).toThrow('edge of an erase block');
    expect(() => flash.read(0, 1020, new Uint8Array(8))).toThrow('leave the area');
    expect(() => flash.write(1, 0, new Uint8Array(4))).toThrow('flash area 1: there is none');
  });

  test('refuses a geometry that no flash has', () => {
    expect(() => new NorFlash([{ ...UNIFORM, unit: 3 }])).toThrow('write unit of 3');
    expect(() => new NorFlash([{ ...UNIFORM, erased: 1 }])).toThrow('erased byte of 1');
    expect(() => new NorFlash([{ ...UNIFORM, blocks: [256, 6] }])).toThrow('block of 6 bytes');
  });

  test('restores what a snapshot holds, whatever was written since', () => {
    const flash = new NorFlash([UNIFORM, MIXED]);
    flash.write(0, 0, new Uint8Array(8).fill(1));
    const snapshot = flash.snapshot();
    flash.write(0, 8, new Uint8Array(8).fill(2));
    flash.erase(0, 256, 256);
    flash.write(1, 0, new Uint8Array(16).fill(3));
    flash.restore(snapshot);
    const expected = new Uint8Array(1024).fill(0xff).fill(1, 0, 8);
    expect(contents(flash, 0)).toEqual(expected);
    expect(contents(flash, 1)).toEqual(new Uint8Array(768));
    flash.write(0, 8, new Uint8Array(8).fill(4));
    flash.restore(snapshot);
    expect(contents(flash, 0)).toEqual(expected);
  });
});

describe('flash in a file', () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'moult-flash-'));
    path = join(folder, 'device', 'flash.bin');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('keeps every write and erase before the call returns', () => {
    const first = new FileFlash(path, [UNIFORM, MIXED]);
    programArea(first, 1, Uint8Array.of(1, 2, 3));
    first.write(0, 512, new Uint8Array(4).fill(7));
    first.write(0, 0, new Uint8Array(4).fill(8));
    first.erase(0, 0, 256);
    const second = new FileFlash(path, [UNIFORM, MIXED]);
    expect(contents(second, 0)).toEqual(new Uint8Array(1024).fill(0xff).fill(7, 512, 516));
    expect(contents(second, 1).slice(0, 4)).toEqual(Uint8Array.of(1, 2, 3, 0));
    expect(new Uint8Array(readFileSync(path)).slice(0, 1024)).toEqual(contents(second, 0));
    expect(() => second.write(0, 512, new Uint8Array(4))).toThrow('written twice');
    first.close();
    second.close();
  });

  test('names the file and the way out when it is truncated', () => {
    new FileFlash(path, [UNIFORM]).close();
    truncateSync(path, 1000);
    expect(() => new FileFlash(path, [UNIFORM])).toThrow(
      expect.objectContaining({
        code: 'flash-file',
        message: expect.stringContaining(`${path} holds 1000 bytes instead of 1024`),
      }),
    );
  });

  test('refuses a file of another geometry, and one without its geometry', () => {
    new FileFlash(path, [UNIFORM]).close();
    expect(() => new FileFlash(path, [{ ...UNIFORM, unit: 8 }])).toThrow('another flash geometry');
    writeFileSync(`${path}.json`, 'not json');
    expect(() => new FileFlash(path, [UNIFORM])).toThrow('another flash geometry');
    rmSync(`${path}.json`);
    expect(() => new FileFlash(path, [UNIFORM])).toThrow('lacks the file with its geometry');
  });
});
