// Encrypted payloads of two chunks with every bit of them turned: head, recipients, texts and tags, whatever is inside.
// Each is found by the tags of the payload before its hash is known; no trap, and nothing of it is selected.
import { expect, test } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import {
  buildPayload,
  encryptedPayload,
  encryptionPublicKey,
  type Payload,
  wholeImage,
} from '../../repo/index.ts';
import { Random } from '../../sim/random.ts';
import { ImageBench } from './images.ts';

const KEY = new Random(41).bytes(32);
/** A head and one recipient of 40 bytes each, and of that one the bytes that say whose entry it is. */
const HEADER = 80;
const ID = { from: 40, to: 48 };
const CHUNK = 1024 + 16;

const IMAGE = new Random(12).bytes(1040);
/** What the slot that runs begins with: nothing was written there. */
const RUNNING = { image: new Uint8Array(100).fill(0xff), releaseCounter: 1 };

test.each<[string, Payload]>([
  ['an image', wholeImage(IMAGE)],
  ['a compressed image', buildPayload(IMAGE)],
  ['a patch', buildPayload(IMAGE, RUNNING)],
])(
  'with any bit turned: %s, encrypted: refused by its tags [CRA-I-2k]',
  (_, payload) => {
    const seed = new Random(5);
    const { bytes, target } = encryptedPayload(payload, [encryptionPublicKey(KEY)], (length) =>
      seed.bytes(length),
    );
    expect(bytes.length).toBeGreaterThan(HEADER + CHUNK);
    const arrives = new ImageBench({}, KEY).offer(IMAGE, { bytes, custom: target.custom ?? {} });
    expect(arrives(bytes)).toBe('selected');
    const turned = Buffer.from(bytes);
    for (let at = 0; at < bytes.length; at++)
      for (let bit = 0; bit < 8; bit++) {
        turned.writeUInt8((bytes[at] ?? 0) ^ (1 << bit), at);
        const expected = at >= ID.from && at < ID.to ? Status.NOT_A_RECIPIENT : Status.DECRYPTION;
        const found = arrives(turned);
        if (found !== expected) expect.fail(`bit ${bit} of byte ${at}: ${found}, not ${expected}`);
        turned.writeUInt8(bytes[at] ?? 0, at);
      }
  },
  240_000,
);
