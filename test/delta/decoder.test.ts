// The decoder of the core against patches of every kind, honest and hostile, beside one that shares nothing with it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { heatshrinkEncode } from '../../repo/delta/heatshrink.ts';
import { buildPatch } from '../../repo/index.ts';
import { Random } from '../../sim/random.ts';
import { smallestPair } from '../fixtures/firmware.ts';
import { applyPatch } from './apply.ts';
import { Decoder, decode, type Outcome } from './decoder.ts';

const heatshrink = { compression: 'heatshrink' } as const;
const join = (...pieces: Iterable<number>[]): Uint8Array =>
  Uint8Array.from(pieces.flatMap((piece) => [...piece]));
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** A release and the next one, small enough for each bit of the patch to be tried. */
const random = new Random(7);
const OLD = Uint8Array.from({ length: 900 }, () => random.below(256));
const NEW = Buffer.concat([OLD.subarray(300, 700), Buffer.from('new code'), OLD.subarray(0, 350)]);
for (let at = 20; at < NEW.length; at += 90) NEW[at] = 1;
const PATCH = buildPatch(OLD, NEW, heatshrink);

function whole(before: Uint8Array, after: Uint8Array, patch: Uint8Array, pieces = {}): void {
  const { status, done, image } = decode(before, after.length, patch, pieces);
  expect([status, done, same(image, after)]).toEqual([0, true, true]);
}

describe('honest patches', () => {
  test('a release of real firmware comes out, with an old image and without', () => {
    const { before, after } = smallestPair();
    const none = new Uint8Array(0);
    whole(before, after, buildPatch(before, after, heatshrink));
    whole(none, after, buildPatch(none, after, heatshrink));
  });

  test('whole, in two at each byte, byte by byte, and with room for one byte at a time', () => {
    for (let cut = 0; cut <= PATCH.length; cut++) {
      whole(OLD, NEW, PATCH, { input: (at: number) => (at === 0 && cut > 0 ? cut : PATCH.length) });
    }
    whole(OLD, NEW, PATCH, { input: () => 1 });
    whole(OLD, NEW, PATCH, { room: () => 1 });
    whole(OLD, NEW, PATCH, { input: () => 1, room: () => 1 });
  });

  test('images of any content, in pieces of any size', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 400, max: 3 });
    const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(bytes, bytes, sizes, (before, after, steps) => {
        let turn = 0;
        const next = () => steps[turn++ % steps.length] ?? 1;
        whole(before, after, buildPatch(before, after, heatshrink), { input: next, room: next });
      }),
      { numRuns: 300 },
    );
  });

  test('the state of the decoder is all it needs to go on elsewhere, after any byte of the image', () => {
    const states: { made: number; taken: number; state: Uint8Array }[] = [];
    const first = new Decoder(OLD);
    first.begin(NEW.length, OLD.length);
    first.feed(
      PATCH,
      () => 1,
      (made, taken) => states.push({ made, taken, state: first.save() }),
    );
    expect(states.length).toBe(NEW.length);
    for (const { made, taken, state } of states) {
      const second = new Decoder(OLD);
      second.restore(state);
      const { status, done, image } = second.outcome(second.feed(PATCH.subarray(taken), () => 100));
      expect([status, done, same(image, NEW.subarray(made))]).toEqual([0, true, true]);
    }
  });
});

describe('[CERT-0-4] hostile patches', () => {
  /** Never a trap, never a byte too many; and the same verdict and bytes as the other decoder. */
  function judge(patch: Uint8Array): Outcome {
    const found = decode(OLD, NEW.length, patch);
    expect(found.image.length).toBeLessThanOrEqual(NEW.length);
    expect([Status.OK, Status.PATCH_INVALID, Status.PATCH_UNKNOWN]).toContain(found.status);
    if (found.status === Status.PATCH_UNKNOWN) return found; // the other decoder knows more
    let expected: Uint8Array | undefined;
    try {
      expected = applyPatch(OLD, patch);
    } catch {}
    const taken = found.status === 0 && found.done;
    if (taken) expect(expected !== undefined && same(found.image, expected)).toBe(true);
    else expect(expected === undefined || expected.length !== NEW.length).toBe(true);
    return found;
  }

  test('cut short after each byte: the image is not whole', () => {
    for (let length = 0; length < PATCH.length; length++) {
      const { status, done } = judge(PATCH.subarray(0, length));
      expect([status, done]).toEqual([0, false]);
    }
  });

  test('each bit flipped', () => {
    const verdicts = new Set<number>();
    for (let bit = 0; bit < 8 * PATCH.length; bit++) {
      const patch = Buffer.from(PATCH);
      patch[bit >> 3] = (patch[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      verdicts.add(judge(patch).status);
    }
    expect(verdicts).toEqual(new Set([Status.OK, Status.PATCH_INVALID, Status.PATCH_UNKNOWN]));
  });

  test('bytes of any kind behind the head of a patch, and inside of its compression', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    const head = PATCH.subarray(0, 4);
    fc.assert(
      fc.property(bytes, bytes, fc.boolean(), (noise, more, inside) => {
        const body = inside ? heatshrinkEncode(join([0], noise, more)) : noise;
        judge(join(head, body));
      }),
      { numRuns: 1000 },
    );
  });

  const number = (value: number): number[] => {
    const rest = Math.abs(value);
    const bytes = [(value < 0 ? 0x40 : 0) | (rest & 63)];
    for (let left = Math.floor(rest / 64); left > 0; left = Math.floor(left / 128)) {
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
      bytes.push(left % 128);
    }
    return bytes;
  };
  const zeros = (length: number): number[] => Array<number>(length).fill(0);
  const crafted = (...parts: number[][]): Uint8Array =>
    join([0x04], number(NEW.length), [0x44], heatshrinkEncode(Uint8Array.from(parts.flat())));
  const part = (differences: number, added: number, move: number): number[] => [
    ...number(differences),
    ...zeros(differences),
    ...number(added),
    ...zeros(added),
    ...number(move),
  ];
  const rest = NEW.length - 700;

  test.each([
    ['a patch as it should be', crafted([0], part(700, rest, 0)), Status.OK],
    ['parts of nothing', crafted([0], part(0, 0, 5), part(0, 0, -5), part(700, rest, 0)), Status.OK],
    ['as far back as it came', crafted([0], part(350, 0, -350), part(350, rest, 0)), Status.OK],
    ['as far as the old image goes', crafted([0], part(0, 0, 200), part(700, rest, 0)), Status.OK],
    [
      'differences behind the old image',
      crafted([0], part(0, 0, 201), part(700, rest, 0)),
      Status.PATCH_INVALID,
    ],
    ['a move behind it', crafted([0], part(700, 0, 201), part(0, rest, 0)), Status.PATCH_INVALID],
    ['a move before it', crafted([0], part(700, 0, -701), part(0, rest, 0)), Status.PATCH_INVALID],
    ['more differences than image', crafted([0], part(NEW.length + 1, 0, 0)), Status.PATCH_INVALID],
    ['more that is new than image', crafted([0], part(700, rest + 1, 0)), Status.PATCH_INVALID],
    ['a length below 0', crafted([0], [...number(-1), ...zeros(900)]), Status.PATCH_INVALID],
    ['a length of 32 bits', crafted([0], [0x80, 0x80, 0x80, 0x80, 0x10]), Status.PATCH_INVALID],
    ['a length that does not end', crafted([0], Array<number>(40).fill(0x80)), Status.PATCH_INVALID],
    ['a move of 2^32', crafted([0], part(700, 0, 2 ** 32), part(0, rest, 0)), Status.PATCH_INVALID],
    ['a move of 2^31 − 1', crafted([0], part(700, 0, 2 ** 31 - 1)), Status.PATCH_INVALID],
    ['a data format', crafted([1, 0], part(700, rest, 0)), Status.PATCH_UNKNOWN],
    ['bytes behind the last part', crafted([0], part(700, rest, 0), zeros(20)), Status.PATCH_INVALID],
    ['a byte behind the stream', join(PATCH, [0]), Status.PATCH_INVALID],
    ['bytes behind the stream', join(PATCH, [0, 0, 0]), Status.PATCH_INVALID],
    ['another length', join([0x04], number(NEW.length + 1), PATCH.subarray(3)), Status.PATCH_INVALID],
    ['a patch in place', join([0x14], PATCH.subarray(1)), Status.PATCH_UNKNOWN],
    ['CRLE', buildPatch(OLD, NEW, { compression: 'crle' }), Status.PATCH_UNKNOWN],
    ['a window of 512 bytes', join(PATCH.subarray(0, 3), [0x54], PATCH.subarray(4)), Status.PATCH_UNKNOWN],
    ['lengths as long as the window', join(PATCH.subarray(0, 3), [0x45]), Status.PATCH_UNKNOWN],
  ])('%s', (_, patch, expected) => {
    expect(decode(OLD, NEW.length, patch).status).toBe(expected);
    expect(decode(OLD, NEW.length, patch, { input: () => 1, room: () => 1 }).status).toBe(expected);
    expect(decode(OLD, NEW.length, patch).done).toBe(expected === Status.OK);
  });

  test('an old image that cannot be read is said to be so', () => {
    const decoder = new Decoder(OLD.subarray(0, 100));
    decoder.begin(NEW.length, OLD.length);
    expect(decoder.feed(PATCH, () => 100)).toBe(Status.FLASH_READ);
  });
});
