// An ESP32 from its factory on: the component of host/esp32 updates it from a repository, and ESP-IDF's formats are kept.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { inspectImage, type Partition, readOtadata, readPartitionTable } from '../../repo/index.ts';
import { IDF6, PROGRAMS, withEsp32 } from '../fixtures/esp32.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { HOW_TO_GET_IMAGE_TOOLS, hasImageTools, runPython, runTool } from '../fixtures/python.ts';
import { optional } from '../optional.ts';
import { ChipWorld, PARTITIONS, release } from './world.ts';

const withTools = optional(hasImageTools(), HOW_TO_GET_IMAGE_TOOLS);

/** The partition table of the example, as ESP-IDF's generator of them makes it. */
async function exampleTable(): Promise<Buffer> {
  const binary = join(temporaryFolder(), 'table.bin');
  await runPython('formats/tables_witness.py', ['table', 'host/esp32/example/partitions.csv', binary]);
  return readFileSync(binary);
}

for (const [what, program] of PROGRAMS)
  describe(`an ESP32 (${what})`, () => {
    withEsp32('[CERT-0-1] is provisioned by what the factory left, and has its first update', async () => {
      const world = new ChipWorld({ program });
      const next = release(2);
      world.repository.publish(next);
      expect(await world.run()).toMatchObject({
        exit: 0,
        status: Status.UP_TO_DATE,
        boots: ['ota_0', 'ota_1'],
      });
      expect(world.read('ota_1').subarray(0, next.image.length).equals(next.image)).toBe(true);
      expect(readOtadata(world.read('otadata'))).toEqual([
        { sequence: 1, state: 'valid' },
        { sequence: 2, state: 'valid' },
      ]);
      expect(world.counters()).toEqual({ installed: 2, security: 2 });
    });

    withEsp32('goes on from there, from slot to slot', async () => {
      const world = new ChipWorld({ program });
      for (const [counter, slot] of [
        [2, 'ota_1'],
        [3, 'ota_0'],
        [4, 'ota_1'],
      ] as const) {
        world.repository.publish(release(counter));
        const { status, boots } = await world.run();
        expect([status, boots.at(-1)]).toEqual([Status.UP_TO_DATE, slot]);
        expect(world.counters()).toEqual({ installed: counter, security: counter });
      }
      expect(await world.run()).toMatchObject({ status: Status.UP_TO_DATE, boots: ['ota_1'] });
    });

    withEsp32('[CERT-C-5] returns to the image before one that fails its self-test', async () => {
      const world = new ChipWorld({ program });
      world.repository.publish(release(2));
      const end = await world.run('--fails', '1.2.0');
      expect(end).toMatchObject({
        status: Status.RELEASE_FAILED_BEFORE,
        boots: ['ota_0', 'ota_1', 'ota_0'],
      });
      expect(readOtadata(world.read('otadata'))).toEqual([
        { sequence: 1, state: 'valid' },
        { sequence: 2, state: 'invalid' },
      ]);
      world.repository.publish(release(3));
      expect(await world.run('--fails', '1.2.0')).toMatchObject({
        status: Status.UP_TO_DATE,
        boots: ['ota_0', 'ota_1'],
      });
    });

    withEsp32(
      '[CERT-C-5] always has a record to fall back to: a slot that was passed over, and tried again',
      async () => {
        const world = new ChipWorld({ program });
        world.repository.publish(release(2, 1));
        await world.run();
        // the bootloader passes over it, and its record still counts
        world.erase('ota_1');
        world.repository.publish(release(3, 1));
        for (const boots of [['ota_0', 'ota_1', 'ota_0'], ['ota_0']]) {
          const end = await world.run('--fails', '1.3.0');
          expect(end.status).toBe(Status.RELEASE_FAILED_BEFORE);
          // a reset more where ESP-IDF reverts by one
          expect(end.boots.filter((slot, index) => slot !== end.boots[index - 1])).toEqual(boots);
        }
      },
    );

    withEsp32('refuses an image that the bootloader would not boot, and one for another chip', async () => {
      const world = new ChipWorld({ program });
      const { image } = release(2);
      const damaged = Uint8Array.from(image);
      damaged[100] = (damaged[100] ?? 0) ^ 1;
      world.repository.publish({ ...release(2), image: damaged });
      expect(await world.run()).toMatchObject({ status: Status.IMAGE_CORRUPT, boots: ['ota_0'] });
      const other = Uint8Array.from(image);
      other[12] = 9;
      world.repository.publish({ ...release(3), image: other });
      expect(await world.run()).toMatchObject({ status: Status.WRONG_CHIP, boots: ['ota_0'] });
    });

    withEsp32('[CERT-C-4] keeps its security counter when it has lost its trust store', async () => {
      const world = new ChipWorld({ program });
      const record = Buffer.from(world.read('moult_factory'));
      world.repository.publish(release(2));
      await world.run();
      world.erase('moult');
      world.write('moult_factory', record);
      world.repository.publish({ ...release(5), securityCounter: 1, image: release(1).image });
      const { status, boots } = await world.run();
      expect([status, boots]).toEqual([Status.COUNTER_ROLLBACK, ['ota_1']]);
    });
  });

describe('what a factory leaves', () => {
  withEsp32(
    'is erased once it was used, the key with it; a trust store that is lost is not made again',
    async () => {
      const key = Uint8Array.from({ length: 32 }, (_, index) => 7 * index);
      const world = new ChipWorld({ program: IDF6, key });
      expect(await world.run()).toMatchObject({ status: Status.UP_TO_DATE });
      expect(world.read('moult_factory').every((byte) => byte === 0xff)).toBe(true);
      expect(world.read('moult').includes(Buffer.from(key))).toBe(true);
      world.erase('moult');
      expect(await world.run()).toMatchObject({ status: Status.NOT_PROVISIONED, boots: ['ota_0'] });
    },
  );

  withEsp32('does not count when it is damaged, or not there', async () => {
    for (const at of [0, 4, 9, 25, 400]) {
      const world = new ChipWorld({ program: IDF6 });
      const record = Buffer.from(world.read('moult_factory'));
      record[at] = (record[at] ?? 0) ^ 0x10;
      world.write('moult_factory', record);
      expect(await world.run()).toMatchObject({ status: Status.NOT_PROVISIONED });
    }
  });
});

describe('partition tables', () => {
  const change = (label: string, changed: Partial<Partition>) =>
    PARTITIONS.map((partition) => (partition.label === label ? { ...partition, ...changed } : partition));
  const third = { label: 'ota_2', type: 0, subtype: 0x12, offset: 0x40000, size: 0x10000 };

  withEsp32('that the core cannot work with are refused before anything is written', async () => {
    for (const partitions of [
      change('moult', { label: 'other' }),
      change('moult', { size: 0xb000 }),
      change('moult', { flags: 1 }),
      change('ota_1', { flags: 1 }),
      [...PARTITIONS, third],
    ]) {
      const world = new ChipWorld({ program: IDF6, partitions });
      const before = readFileSync(world.flashPath);
      const { status } = await world.run();
      expect(status).toBe(Status.LAYOUT_INVALID);
      // all that changed is what the bootloader notes of the slot that it starts
      const after = readFileSync(world.flashPath);
      after.fill(0xff, 0xe000, 0x10000);
      expect(after.equals(before)).toBe(true);
    }
  });

  withTools(
    'of the example: the generator of ESP-IDF takes it, and a device updates itself on it',
    async () => {
      const partitions = readPartitionTable(await exampleTable());
      const world = new ChipWorld({ program: IDF6, partitions });
      world.repository.publish(release(2));
      expect(await world.run()).toMatchObject({ status: Status.UP_TO_DATE, boots: ['ota_0', 'ota_1'] });
    },
  );
});

withTools(
  'esptool and the generator of ESP-IDF read the flash that an update has left',
  async () => {
    const world = new ChipWorld({ program: IDF6 });
    world.repository.publish(release(2));
    await world.run();
    const folder = temporaryFolder();
    for (const [label, version] of [
      ['ota_0', '1.1.0'],
      ['ota_1', '1.2.0'],
    ] as const) {
      const path = join(folder, `${label}.bin`);
      const length = release(Number(version[2])).image.length;
      writeFileSync(path, world.read(label).subarray(0, length));
      const said = await runTool('esptool', ['--chip', 'esp32c3', 'image-info', path]);
      expect(said).toMatch(/Checksum: .*\(valid\)/);
      expect(said).toMatch(/Validation hash: .*\(valid\)/i);
      expect(said).toContain(version);
      expect(inspectImage(readFileSync(path))).toMatchObject({ version, findings: [] });
    }
    const table = join(folder, 'table.bin');
    const chip = readFileSync(world.flashPath);
    writeFileSync(table, chip.subarray(0x8000, 0x8c00));
    expect(await runPython('formats/tables_witness.py', ['csv', table])).toContain('moult,1,64,0x30000,');
    expect(readPartitionTable(readFileSync(table))).toEqual(PARTITIONS);
    const record = join(folder, 'otadata.bin');
    await runPython('formats/tables_witness.py', ['otadata', '2', record]);
    // the record that counts is what the tool writes for this number: confirmed
    expect(world.read('otadata').subarray(0x1000, 0x1020).equals(readFileSync(record))).toBe(true);
  },
  60_000,
);
