// Messages and packets of Roughtime (draft-ietf-ntp-roughtime-19, sections 4 and 5).

/** Version 1, and what the drafts of it call themselves. */
export const VERSIONS: readonly number[] = [1, 0x8000_000c];

/** Values by tag. */
export type Message = ReadonlyMap<string, Uint8Array>;

const MAGIC = Buffer.from('ROUGHTIM');
const HEADER = MAGIC.length + 4;
/** More tags than a request has, with room for some that are not known. */
const MOST_TAGS = 32;

export function encodeMessage(values: Readonly<Record<string, Uint8Array>>): Buffer {
  const entries = Object.entries(values).sort(([one], [other]) => tagNumber(one) - tagNumber(other));
  let end = 0;
  const ends = entries.map(([, value]) => {
    end += value.length;
    return end;
  });
  const head = [entries.length, ...ends.slice(0, -1), ...entries.map(([tag]) => tagNumber(tag))];
  return Buffer.concat([u32(...head), ...entries.map(([, value]) => value)]);
}

export function encodePacket(message: Uint8Array): Buffer {
  return Buffer.concat([MAGIC, u32(message.length), message]);
}

/** Undefined: no packet, or no message in it. */
export function decodePacket(packet: Uint8Array): Message | undefined {
  const bytes = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength);
  if (bytes.length < HEADER || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (bytes.readUInt32LE(MAGIC.length) !== bytes.length - HEADER) return undefined;
  return decodeMessage(bytes.subarray(HEADER));
}

/** Undefined: a length, an offset or the order of tags is not as it must be. */
export function decodeMessage(bytes: Buffer): Message | undefined {
  const count = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
  if (count < 1 || count > MOST_TAGS || 8 * count > bytes.length) return undefined;
  const values = bytes.subarray(8 * count);
  const found = new Map<string, Uint8Array>();
  let from = 0;
  let before = 0;
  for (let i = 0; i < count; i++) {
    const tag = bytes.readUInt32LE(4 * (count + i));
    const to = i + 1 < count ? bytes.readUInt32LE(4 * (i + 1)) : values.length;
    if (to < from || to > values.length || to % 4 !== 0 || tag <= before) return undefined;
    found.set(tagName(tag), values.subarray(from, to));
    from = to;
    before = tag;
  }
  return found;
}

export function u32(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [i, number] of numbers.entries()) bytes.writeUInt32LE(number, 4 * i);
  return bytes;
}

export function u64(number: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(number));
  return bytes;
}

function tagNumber(tag: string): number {
  return Buffer.from(tag.padEnd(4, '\0')).readUInt32LE(0);
}

function tagName(number: number): string {
  return u32(number).toString('latin1').replace(/\0+$/, '');
}
