// The task of an ESP32 and its console command, as somebody at the serial port has them.
import { describe, expect } from 'vitest';
import { PROGRAMS, withEsp32 } from '../fixtures/esp32.ts';
import { ChipWorld, release } from './world.ts';

/** Until the task has nothing to do; more than once where that may be a reset, which takes the line with it. */
const WAIT = 'wait';
const THROUGH_RESETS = [WAIT, WAIT, WAIT];

for (const [what, program] of PROGRAMS)
  describe(`the console of an ESP32 (${what})`, () => {
    withEsp32('says what the device has, and what became of it', async () => {
      const world = new ChipWorld({ program });
      world.repository.publish(release(2));
      const { exit, said, boots } = await world.runWith(...THROUGH_RESETS, 'moult status', 'moult log');
      expect([exit, boots]).toEqual([0, ['ota_0', 'ota_1']]);
      expect(said).toMatch(/^version {10}1\.2\.0 \(release 2, security counter 2\)$/m);
      expect(said).toMatch(/^slot {13}ota_1$/m);
      expect(said).toMatch(/^last check {7}the newest release for this device is already installed$/m);
      expect(said).toMatch(/^next check {7}20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/m);
      expect(said).toMatch(/^updates {10}automatic$/m);
      expect(said).toMatch(new RegExp(`^core {13}${program.includes('esp32-6') ? 'aot' : 'wasm3'}$`, 'm'));
      const events = [...said.matchAll(/^ *\d+ {2} *\d+ {2}(\w+) +(\w+), \d+$/gm)].map(([, event]) => event);
      expect(events).toEqual([
        'provisioned',
        'install',
        'verified',
        'selected',
        'trial',
        'confirmed',
        'outcome',
      ]);
    });

    withEsp32('checks at once when it is told to', async () => {
      const world = new ChipWorld({ program });
      const publish = () => world.repository.publish(release(2));
      const { said } = await world.runWith(
        WAIT,
        'moult status',
        publish,
        'moult check',
        ...THROUGH_RESETS,
        'moult status',
      );
      expect([...said.matchAll(/^version +(\S+)/gm)].map(([, version]) => version)).toEqual([
        '1.1.0',
        '1.2.0',
      ]);
    });

    withEsp32('knows four words, and postpones nothing where nothing waits', async () => {
      const world = new ChipWorld({ program });
      const lines = [
        WAIT,
        'moult',
        'moult sing',
        'moult status now',
        'moult postpone',
        'moult postpone -1',
        'moult postpone soon',
        'moult postpone 99999999999',
        'moult postpone 60',
      ];
      const { said } = await world.runWith(...lines);
      expect(said.match(/^usage: moult status \| check \| log \| postpone SECONDS$/gm)).toHaveLength(4);
      expect(said.match(/^moult postpone takes a number of seconds$/gm)).toHaveLength(3);
      expect([...said.matchAll(/^> (\d)$/gm)].map(([, status]) => status)).toEqual([
        '0',
        ...Array.from({ length: 8 }, () => '1'),
      ]);
    });
  });
