// A time server made by hand of node:crypto, for one request: every byte of its answer can be another one.
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';

/** A key by its number, the same in every run. */
export function keyOf(number: number): KeyObject {
  const seed = createHash('sha256').update(`time key ${number}`).digest();
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

export function rawPublic(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
}

/** Values by tag; a tag of fewer than four letters has zeros behind them. */
export type Tags = Record<string, Uint8Array>;

/** A message in the order of its tags as numbers, unless another order is asked for. */
export function message(tags: Tags, order = ascending(tags)): Buffer {
  const head = Buffer.alloc(8 * order.length);
  head.writeUInt32LE(order.length, 0);
  let offset = 0;
  for (const [i, tag] of order.entries()) {
    if (i > 0) head.writeUInt32LE(offset, 4 * i);
    Buffer.from(tag.padEnd(4, '\0')).copy(head, 4 * (order.length + i));
    offset += tags[tag]?.length ?? 0;
  }
  return Buffer.concat([head, ...order.map((tag) => tags[tag] ?? Buffer.alloc(0))]);
}

function ascending(tags: Tags): string[] {
  const number = (tag: string) => Buffer.from(tag.padEnd(4, '\0')).readUInt32LE(0);
  return Object.keys(tags).sort((one, other) => number(one) - number(other));
}

export function packet(content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('ROUGHTIM'), uint(content.length, 4), content]);
}

export function uint(value: number | bigint, length: 4 | 8): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes.subarray(0, length);
}

/** SHA-512, the first half. */
export function half(...parts: Uint8Array[]): Buffer {
  return createHash('sha512').update(Buffer.concat(parts)).digest().subarray(0, 32);
}

/** Where the values of a request lie that the core makes. */
export function requestParts(request: Uint8Array) {
  const bytes = Buffer.from(request);
  const count = bytes.readUInt32LE(12);
  const tags = Array.from({ length: count }, (_, i) =>
    bytes.toString('latin1', 12 + 4 * (count + i), 16 + 4 * (count + i)).replace(/\0+$/, ''),
  );
  const starts = [0, ...Array.from({ length: count - 1 }, (_, i) => bytes.readUInt32LE(16 + 4 * i))];
  const values = bytes.subarray(12 + 8 * count);
  return Object.fromEntries(tags.map((tag, i) => [tag, values.subarray(starts[i], starts[i + 1])]));
}

/** What of an answer is to be other than it should. */
export interface Lie {
  readonly midpoint?: number | bigint;
  readonly radius?: number;
  readonly from?: number | bigint;
  readonly until?: number | bigint;
  readonly version?: number;
  readonly type?: number;
  readonly nonce?: Uint8Array;
  readonly index?: number;
  readonly root?: Uint8Array;
  /** The siblings of the request in the tree, from below. */
  readonly path?: readonly Uint8Array[];
  /** Numbers of keys: the long-term one, the one that it delegates to, and those that sign instead. */
  readonly key?: number;
  readonly delegate?: number;
  readonly certifies?: number;
  readonly signs?: number;
  readonly delegationContext?: string;
  readonly responseContext?: string;
  /** Changes the tags of a message before it is signed and wrapped. */
  readonly response?: (tags: Tags) => Tags;
  readonly delegation?: (tags: Tags) => Tags;
  readonly certificate?: (tags: Tags) => Tags;
  readonly whole?: (tags: Tags) => Tags;
  /** Changes the bytes of what is signed, and of the message around all. */
  readonly responseBytes?: (message: Buffer) => Buffer;
  readonly wholeBytes?: (message: Buffer) => Buffer;
}

/** Writes a number into a message: an offset, say. */
export function put(at: number, value: number): (message: Buffer) => Buffer {
  return (bytes) => {
    bytes.writeUInt32LE(value, at);
    return bytes;
  };
}

/** The answer to a request at a time. */
export function answer(request: Uint8Array, now: number, lie: Lie = {}): Buffer {
  const same = (tags: Tags) => tags;
  const index = lie.index ?? 0;
  const path = lie.path ?? [];
  let node = half(Buffer.of(0), request);
  for (const [depth, sibling] of path.entries())
    node = (index >> depth) & 1 ? half(Buffer.of(1), sibling, node) : half(Buffer.of(1), node, sibling);
  const delegated = keyOf(lie.delegate ?? 100);
  const delegation = message(
    (lie.delegation ?? same)({
      PUBK: rawPublic(delegated),
      MINT: uint(lie.from ?? now - 1000, 8),
      MAXT: uint(lie.until ?? now + 1000, 8),
    }),
  );
  const written = (bytes: Buffer) => bytes;
  const response = (lie.responseBytes ?? written)(
    message(
      (lie.response ?? same)({
        VER: uint(lie.version ?? 1, 4),
        RADI: uint(lie.radius ?? 5, 4),
        MIDP: uint(lie.midpoint ?? now, 8),
        VERS: Buffer.concat([uint(1, 4), uint(0x8000000c, 4)]),
        ROOT: lie.root ?? node,
      }),
    ),
  );
  const signed = (key: KeyObject, context: string, value: Uint8Array) =>
    sign(null, Buffer.concat([Buffer.from(`${context}\0`), value]), key);
  const certificate = message(
    (lie.certificate ?? same)({
      SIG: signed(
        keyOf(lie.certifies ?? lie.key ?? 0),
        lie.delegationContext ?? 'RoughTime v1 delegation signature',
        delegation,
      ),
      DELE: delegation,
    }),
  );
  const responder = lie.signs === undefined ? delegated : keyOf(lie.signs);
  return packet(
    (lie.wholeBytes ?? written)(
      message(
        (lie.whole ?? same)({
          SIG: signed(responder, lie.responseContext ?? 'RoughTime v1 response signature', response),
          NONC: lie.nonce ?? (requestParts(request).NONC as Buffer),
          TYPE: uint(lie.type ?? 1, 4),
          PATH: Buffer.concat(path),
          SREP: response,
          CERT: certificate,
          INDX: uint(index, 4),
        }),
      ),
    ),
  );
}
