// What the factory leaves for an ESP32, made as it is typed, and taken by the device.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { ChipWorld, release, seconds } from '../esp32/world.ts';
import { moult, moultJson } from '../fixtures/command-line.ts';
import { IDF6, withEsp32 } from '../fixtures/esp32.ts';
import { temporaryFolder } from '../fixtures/folders.ts';

function folder(root: Uint8Array, image = release(1).image): string {
  const at = temporaryFolder();
  writeFileSync(join(at, 'app.bin'), image);
  writeFileSync(join(at, 'root.json'), root);
  return at;
}

const FACTORY = [
  'device',
  'factory',
  'app.bin',
  '--root',
  'root.json',
  '--hw',
  'lamp',
  '--out',
  'factory.bin',
];

withEsp32('an ESP32 is provisioned by what "moult device factory" makes', async () => {
  const world = new ChipWorld({ program: IDF6 });
  const at = folder(world.repository.root);
  const { status, json } = await moultJson([...FACTORY, '--counter', '1', '--key', 'new'], {
    cwd: at,
    now: seconds(),
  });
  expect({ status, json }).toMatchObject({
    status: 0,
    json: { hardwareId: 'lamp', component: 'app', version: '1.1.0', securityCounter: 1, chipId: 5 },
  });
  world.write('moult_factory', readFileSync(join(at, 'factory.bin')));
  world.repository.publish(release(2));
  expect(await world.run()).toMatchObject({ status: Status.UP_TO_DATE, boots: ['ota_0', 'ota_1'] });
});

test('an image that is damaged, or none, gets no record', async () => {
  const damaged = Uint8Array.from(release(1).image);
  damaged[99] = (damaged[99] ?? 0) ^ 1;
  for (const [image, finding] of [
    [damaged, 'app.bin would not boot (IMAGE_CORRUPT)'],
    [Buffer.from('firmware'), 'app.bin is no application image of the ESP32 family'],
  ] as const) {
    const { status, stderr } = await moult(FACTORY, { cwd: folder(new Uint8Array(), image) });
    expect([status, stderr]).toEqual([1, expect.stringContaining(finding)]);
  }
});
