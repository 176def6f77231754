// The same bytes in any pieces give the same verdict.
import { describe, expect, test } from 'vitest';
import { Part, Status } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import { Core } from '../../host/node/core.ts';
import { cut, drive, judge, type Pieces, pieces } from './drive.ts';
import { CONFIGURATION, Stage, stage } from './kit.ts';
import { bytes } from './values.ts';

const SELECTED = { action: 'REBOOT', status: 'READY_TO_REBOOT', role: 'NONE' };
const FILES = ['2.root.json', 'timestamp.json', '2.snapshot.json', '2.targets.json'] as const;

/** A device that has everything new to fetch: root, timestamp, snapshot, targets and an image. */
async function outdated(): Promise<Stage> {
  const s = await stage();
  s.root();
  s.release({ releaseCounter: 2 });
  return s;
}

describe('an honest update', () => {
  test.each([1, 2, 3, 7, 31, 64, 127, 128, 129, 255, 1000, 1024])('in pieces of %i bytes', async (size) => {
    const s = await outdated();
    expect(drive(s.powerOn(), s, (_, file) => pieces(file, size))).toEqual(SELECTED);
    await s.accepts();
  });

  test.each(FILES)('in two pieces, %s cut at each byte', async (name) => {
    const s = await outdated();
    const length = s.files.get(`metadata/${name}`)?.length ?? 0;
    await upTo(s, name);
    const before = s.device.snapshot();
    for (let at = 1; at < length; at++) {
      const arrive: Pieces = (file, whole) => (file === name ? cut(whole, at) : pieces(whole, 1024));
      expect(judge(s.powerOn(), s, name, arrive), `cut at ${at}`).toBe(Status.OK);
      s.device.restore(before);
    }
    await s.accepts();
  });

  test('in two pieces, the image cut at each byte', async () => {
    const s = await outdated();
    await upTo(s, 'firmware.bin');
    const before = s.device.snapshot();
    for (let at = 1; at < 702; at++) {
      expect(
        drive(s.powerOn(), s, (_, file) => cut(file, at)),
        `cut at ${at}`,
      ).toEqual(SELECTED);
      s.device.restore(before);
    }
  });

  test('in pieces, some of them empty', async () => {
    const s = await outdated();
    const arrive: Pieces = function* (_, file) {
      for (const piece of pieces(file, 100)) yield* [new Uint8Array(), piece, new Uint8Array()];
    };
    expect(drive(s.powerOn(), s, arrive)).toEqual(SELECTED);
  });

  /** Everything before a file is fetched and trusted, so that a check costs little more than that file. */
  async function upTo(s: Stage, name: string): Promise<void> {
    s.network.conduct = (path) => (path.endsWith(name) ? { drop: true } : {});
    expect((await s.check()).status).toBe('NETWORK');
    s.network.conduct = () => ({});
  }
});

describe('a dishonest file', () => {
  test.each([
    ['of signatures', 'SIGNATURES', (s: Stage) => s.forge('timestamp', { keys: [s.stranger] })],
    [
      'of JSON at its end',
      'JSON_SYNTAX',
      (s: Stage) => s.forge('timestamp', { file: (e) => `${JSON.stringify(e)}]` }),
    ],
    [
      'of text',
      'JSON_UTF8',
      (s: Stage) => s.forge('timestamp', { file: () => Uint8Array.of(0x7b, 0x22, 0xc3, 0x28) }),
    ],
  ] as const)('is refused alike in any pieces: a fault %s', async (_, status, forge) => {
    const s = await stage();
    forge(s);
    const before = s.device.snapshot();
    const length = s.file('timestamp').length;
    for (let at = 1; at < length; at++) {
      const found = drive(s.powerOn(), s, (name, file) =>
        name === 'timestamp.json' ? cut(file, at) : [file],
      );
      expect(found, `cut at ${at}`).toEqual({ action: 'WAIT', status, role: 'TIMESTAMP' });
      s.device.restore(before);
    }
    drive(s.powerOn(), s, (_, file) => pieces(file, 1));
    await s.refuses(status, 'TIMESTAMP');
  });

  test('a prefix of the trusted timestamp is not taken for it', async () => {
    const s = await stage();
    const trusted = s.file('timestamp');
    const before = s.device.snapshot();
    for (let length = 0; length < trusted.length; length += 3) {
      s.files.set('metadata/timestamp.json', trusted.subarray(0, length));
      const { action, status } = drive(s.powerOn(), s, (_, file) => pieces(file, 50));
      expect(action).toBe('WAIT');
      expect(['JSON_SYNTAX', 'ENVELOPE_INVALID'], `${length} bytes`).toContain(status);
      s.device.restore(before);
    }
  });

  test('more than the trusted timestamp is not taken for it', async () => {
    const s = await stage();
    s.files.set('metadata/timestamp.json', Buffer.concat([s.file('timestamp'), bytes('x')]));
    for (const size of [1, 50, 1024])
      expect(drive(s.powerOn(), s, (_, file) => pieces(file, size)).status).toBe('JSON_SYNTAX');
    await s.refuses('JSON_SYNTAX', 'TIMESTAMP');
  });
});

describe('an answer that does not go as it should', () => {
  test('starts over: what came before counts for nothing', async () => {
    const s = await stage();
    s.publish('timestamp');
    const core = s.powerOn();
    core.agentStep(s.clock.seconds());
    core.fetchEnd(Status.NOT_FOUND);
    core.agentStep(s.clock.seconds());
    core.fetchBegin(0);
    core.fetchWrite(bytes('{"rubbish'));
    core.fetchBegin(0);
    for (const piece of pieces(s.file('timestamp'), 1024)) core.fetchWrite(piece);
    expect(core.fetchEnd(Status.OK)).toBe(Status.OK);
    await s.accepts();
  });

  test('begins in the middle of a file: refused, and not read', async () => {
    const s = await stage();
    const core = s.powerOn();
    core.agentStep(s.clock.seconds());
    expect(core.fetchBegin(1)).toBe(Status.RANGE);
    expect(core.fetchWrite(bytes('{}'))).toBe(Status.RANGE);
    expect(core.fetchEnd(Status.OK)).toBe(Status.RANGE);
  });

  test('ends by a fault of the network after all its bytes: not judged', async () => {
    const s = await stage();
    s.publish('timestamp');
    const core = s.powerOn();
    core.agentStep(s.clock.seconds());
    core.fetchEnd(Status.NOT_FOUND);
    core.agentStep(s.clock.seconds());
    core.fetchBegin(0);
    for (const piece of pieces(s.file('timestamp'), 1024)) core.fetchWrite(piece);
    expect(core.fetchEnd(Status.NETWORK)).toBe(Status.NETWORK);
    expect(s.trusted().timestamp).toBe(1);
  });

  test('ends well before it began: not judged', async () => {
    const s = await stage();
    const core = s.powerOn();
    core.agentStep(s.clock.seconds());
    expect(core.fetchEnd(Status.OK)).toBe(Status.NETWORK);
    expect(core.fetchWrite(bytes('{}'))).toBe(Status.WRONG_STATE);
    expect(core.fetchBegin(0)).toBe(Status.WRONG_STATE);
    expect(core.fetchEnd(Status.OK)).toBe(Status.WRONG_STATE);
  });

  test('is longer at once than the buffer: an argument out of range, nothing written', async () => {
    const s = await stage();
    const core = s.powerOn();
    core.agentStep(s.clock.seconds());
    expect(core.fetchBegin(0)).toBe(Status.OK);
    expect(() => core.fetchWrite(new Uint8Array(core.ioCapacity + 1))).toThrow(RangeError);
  });
});

describe('5.2 provisioning', () => {
  const configuration = bytes(JSON.stringify(CONFIGURATION));

  function give(core: Core, part: number, arrive: Iterable<Uint8Array>): number {
    let status = core.provisionBegin(part);
    for (const piece of arrive) if (status >= 0) status = core.provisionWrite(piece);
    return status < 0 ? status : core.provisionEnd();
  }

  function unprovisioned(): { s: Stage; core: Core } {
    const s = new Stage();
    const core = new Core({ flash: s.device.flash, boot: new RecordedBoot(s.device.flash) });
    expect(core.coreStart()).toBe(Status.NOT_PROVISIONED);
    return { s, core };
  }

  test('byte by byte', async () => {
    const { s, core } = unprovisioned();
    expect(give(core, Part.CONFIG, pieces(configuration, 1))).toBe(Status.OK);
    expect(give(core, Part.ROOT, pieces(s.file('root'), 1))).toBe(Status.OK);
    await s.accepts();
  });

  test('in two pieces, the configuration cut at each byte and the root at every fourth', () => {
    for (let at = 1; at < configuration.length; at++)
      expect(give(unprovisioned().core, Part.CONFIG, cut(configuration, at)), `cut at ${at}`).toBe(Status.OK);
    const { s, core } = unprovisioned();
    give(core, Part.CONFIG, pieces(configuration, 1024));
    const before = s.device.snapshot();
    const root = s.file('root');
    for (let at = 1; at < root.length; at += 4) {
      const next = new Core({ flash: s.device.flash, boot: new RecordedBoot(s.device.flash) });
      next.coreStart();
      expect(give(next, Part.ROOT, cut(root, at)), `cut at ${at}`).toBe(Status.OK);
      s.device.restore(before);
    }
  });
});
