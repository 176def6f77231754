// Frames of the link: cut short anywhere, or with any bit turned over, a frame is none; what follows it is not lost.
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { encodeFrame, type Frame, FrameDecoder, LinkKind } from '../../host/node/link.ts';
import { LINK_TEST, LINK_TEST_SANITIZED, withLinkTest, withSanitizers } from '../fixtures/link.ts';

const READ = Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 4]), Buffer.from('timestamp.json')]);
const frame = (kind: number, payload: Uint8Array): Frame => ({
  kind,
  flags: 0,
  sequence: 258,
  session: 0x01020304,
  payload,
});
const FRAMES = [
  frame(LinkKind.HELLO, Uint8Array.of(1)),
  frame(LinkKind.TIME, new Uint8Array()),
  frame(LinkKind.READ, READ),
  // Longer than a group of COBS, with and without zeros.
  frame(LinkKind.REPORT, new Uint8Array(300).fill(7)),
  frame(LinkKind.REPORT, new Uint8Array(300)),
];
const NEXT = frame(LinkKind.TIME, Uint8Array.of(9));

/** The frames that a gateway finds in these bytes and in a good frame behind them. */
function found(bytes: Uint8Array): Frame[] {
  return [...new FrameDecoder().push(Buffer.concat([bytes, encodeFrame(NEXT)]))];
}

describe('[CERT-T-3, CERT-0-4] a gateway takes no frame', () => {
  test('that is cut short anywhere, at its start or at its end', () => {
    for (const whole of FRAMES.map(encodeFrame)) {
      expect(found(whole).length).toBe(2);
      // The last byte is a delimiter, and so is the first one of the frame behind.
      for (let length = 0; length < whole.length - 1; length++)
        expect(found(whole.subarray(0, length))).toEqual([NEXT]);
      for (let from = 2; from < whole.length; from++) expect(found(whole.subarray(from))).toEqual([NEXT]);
    }
  });

  test('with any one bit, or any two bits of a byte, turned over', () => {
    for (const whole of FRAMES.map(encodeFrame))
      for (let at = 1; at < whole.length - 1; at++)
        for (let bits = 1; bits < 256; bits++) {
          if ((bits & (bits - 1) & ((bits & (bits - 1)) - 1)) !== 0) continue;
          const spoiled = Uint8Array.from(whole);
          spoiled[at] = (spoiled[at] ?? 0) ^ bits;
          expect(found(spoiled)).toEqual([NEXT]);
        }
  });

  test('that came in two halves of different frames', () => {
    const [one, other] = [encodeFrame(frame(LinkKind.READ, READ)), encodeFrame(NEXT)];
    for (let cut = 1; cut < one.length - 1; cut++)
      for (let from = 2; from < other.length - 1; from++) {
        const halves = Buffer.concat([one.subarray(0, cut), other.subarray(from)]);
        if (!halves.equals(other)) expect(found(halves)).toEqual([NEXT]);
      }
  });
});

describe('[CERT-T-3, CERT-0-4] a device in C takes no answer', () => {
  const flips = (program: string) => {
    const { status, stderr } = spawnSync(program, ['flips'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  };

  withLinkTest('that is cut short anywhere, or has any bit turned over', () => flips(LINK_TEST));
  withSanitizers('of these, under ASan and UBSan', () => flips(LINK_TEST_SANITIZED));
});
