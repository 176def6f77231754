// Images that nobody made so: small ones of each format, cut off at every byte and with every bit turned, and thousands
// that were damaged at random. Each is signed as a release; the device selects none of them, and never traps.
import { describe, expect, test } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { Random } from '../../sim/random.ts';
import { BOARDS } from './boards.ts';
import { ImageBench } from './images.ts';
import { damage } from './mutate.ts';

describe.each(BOARDS)('$name', ({ board, image }) => {
  const bench = new ImageBench(board);

  test('as it is: selected', () => {
    expect(bench.judge(image)).toBe(Status.READY_TO_REBOOT);
  });

  test('cut off at any byte: refused [CRA-I-2k]', () => {
    for (let length = 1; length < image.length; length++)
      expect(bench.judge(image.subarray(0, length)), `${length} bytes`).toBeLessThan(0);
  });

  test('with any bit turned: refused [CRA-I-2k]', () => {
    for (let bit = 0; bit < 8 * image.length; bit++) {
      const turned = Buffer.from(image);
      turned.writeUInt8(turned.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(bench.judge(turned), `bit ${bit & 7} of byte ${bit >> 3}`).toBeLessThan(0);
    }
  }, 240_000);

  test('damaged at random: refused [CRA-I-2k]', () => {
    const random = new Random(2026);
    for (let round = 0; round < 1000; round++) {
      const damaged = damage(random, image);
      if (damaged.length === 0 || Buffer.compare(damaged, image) === 0) continue;
      expect(bench.judge(damaged), Buffer.from(damaged).toString('hex')).toBeLessThan(0);
    }
  }, 120_000);
});
