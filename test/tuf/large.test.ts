// Metadata as large as the limits allow, on a device that has the same memory for it as for the smallest.
import { expect, test } from 'vitest';
import { State } from '../../host/node/abi.ts';
import { sha256 } from '../../repo/index.ts';
import { stage } from './kit.ts';
import { bytes } from './values.ts';

const MIB = 1 << 20;
const padded = (index: number) => index.toString().padStart(6, '0');

test('targets of 20,000 entries and nearly 5 MB, a snapshot of nearly 2 MB: verified in the memory of the smallest', async () => {
  const s = await stage({ bank: 16 * MIB });
  const used = s.state(State.MEMORY_USED);
  for (let index = 0; index < 20_000; index++) {
    const custom = { component: 'other', version: '1.0.0', hardwareIds: [`board-${padded(index)}`] };
    const hashes = { sha256: sha256(bytes(`${index}`)) };
    s.targets[`other/board-${padded(index)}/1.0.0/firmware-image.bin`] = { length: 65_536, hashes, custom };
  }
  for (let index = 0; index < 52_000; index++) s.delegated[`vendor-${padded(index)}.json`] = 1;
  s.release({ releaseCounter: 2, path: 'z/sim/1.2.0/firmware.bin' });
  expect(s.file('targets').length / 5_000_000).toBeGreaterThan(0.9);
  expect(s.file('snapshot').length / 2_000_000).toBeGreaterThan(0.9);
  await s.accepts();
  expect(s.state(State.MEMORY_USED)).toBe(used);
}, 240_000);
