// Application images of the ESP32 family, as esptool writes them.
import { sha256 } from '../keys.ts';
import { type Agreement, type Finding, findingsAtEnd, hex } from './finding.ts';

const MAGIC = 0xe9;
const HEADER = 24;
const SEGMENT_HEADER = 8;
const MOST_SEGMENTS = 16;
const DESCRIPTOR_AT = HEADER + SEGMENT_HEADER;
const DESCRIPTOR = 256;
const DESCRIPTOR_MAGIC = 0xabcd5432;
const CHECKSUM_SEED = 0xef;
const DIGEST = 32;

/** Chip ids, as in the header. */
export const ESP32_CHIPS: Readonly<Record<string, number>> = {
  esp32: 0,
  esp32s2: 2,
  esp32c3: 5,
  esp32s3: 9,
  esp32c2: 12,
  esp32c6: 13,
  esp32h2: 16,
  esp32p4: 18,
  esp32c5: 23,
};

export interface Esp32Segment {
  readonly address: number;
  /** Of its data in the file. */
  readonly offset: number;
  readonly length: number;
}

export interface Esp32Image {
  readonly format: 'esp32';
  readonly chipId: number;
  readonly chip: string;
  readonly entry: number;
  readonly segments: readonly Esp32Segment[];
  readonly securityCounter: number;
  readonly version: string;
  readonly project: string;
  readonly idfVersion: string;
  readonly checksum: Agreement;
  readonly hash: Agreement;
  readonly findings: readonly Finding[];
}

/** Whether it means to be one: the magic, and the application descriptor where it belongs. */
export function isEsp32(image: Buffer): boolean {
  return (
    image[0] === MAGIC &&
    image.length >= DESCRIPTOR_AT + 8 &&
    image.readUInt32LE(DESCRIPTOR_AT) === DESCRIPTOR_MAGIC
  );
}

export function readEsp32(image: Buffer): Esp32Image {
  const findings: Finding[] = [];
  const segments = readSegments(image, findings);
  const data = segments.at(-1);
  const checksumAt = (((data ? data.offset + data.length : HEADER) + 16) & ~15) - 1;
  const hashed = image[23] !== 0;
  const whole = findings.length === 0;
  if (whole) findings.push(...findingsAtEnd(checksumAt + 1 + (hashed ? DIGEST : 0), image.length));
  const complete = !findings.some(({ code }) => code === 'IMAGE_FORMAT');
  const checksum = complete ? agree(checksumOf(image, segments) === image[checksumAt]) : 'none';
  const hash = complete && hashed ? agree(hashIsRight(image, checksumAt + 1)) : 'none';
  if (checksum === 'wrong')
    findings.push({ code: 'IMAGE_CORRUPT', text: 'its checksum is not that of its data' });
  if (hash === 'wrong') findings.push({ code: 'IMAGE_CORRUPT', text: 'its hash is not that of its bytes' });
  const chipId = image.readUInt16LE(12);
  return {
    format: 'esp32',
    chipId,
    chip: chipName(chipId),
    entry: image.readUInt32LE(4),
    segments,
    securityCounter: image.readUInt32LE(DESCRIPTOR_AT + 4),
    version: text(image, 16),
    project: text(image, 48),
    idfVersion: text(image, 112),
    checksum,
    hash,
    findings,
  };
}

export function chipName(id: number): string {
  const found = Object.entries(ESP32_CHIPS).find(([, known]) => known === id);
  return found?.[0] ?? `chip ${id}`;
}

function readSegments(image: Buffer, findings: Finding[]): Esp32Segment[] {
  const count = image[1] ?? 0;
  const wrong = (what: string) => findings.push({ code: 'IMAGE_FORMAT', text: what });
  if (count === 0 || count > MOST_SEGMENTS) wrong(`it says that it has ${count} segments`);
  const segments: Esp32Segment[] = [];
  for (let at = HEADER; segments.length < Math.min(count, MOST_SEGMENTS); ) {
    const name = `segment ${segments.length + 1} of ${count}`;
    if (at + SEGMENT_HEADER > image.length) {
      wrong(`${name} is missing`);
      break;
    }
    const length = image.readUInt32LE(at + 4);
    const offset = at + SEGMENT_HEADER;
    if (length % 4 !== 0) wrong(`${name} has ${length} bytes, which is no number of words`);
    if (segments.length === 0 && length < DESCRIPTOR)
      wrong('its first segment is too short for the descriptor');
    segments.push({ address: image.readUInt32LE(at), offset, length });
    at = offset + length;
    if (at > image.length) {
      wrong(`${name} ends at ${at}, behind the file`);
      break;
    }
  }
  return segments;
}

function checksumOf(image: Buffer, segments: readonly Esp32Segment[]): number {
  return segments.reduce(
    (sum, { offset, length }) => image.subarray(offset, offset + length).reduce((x, byte) => x ^ byte, sum),
    CHECKSUM_SEED,
  );
}

function hashIsRight(image: Buffer, at: number): boolean {
  return sha256(image.subarray(0, at)) === image.subarray(at, at + DIGEST).toString('hex');
}

function agree(right: boolean): Agreement {
  return right ? 'right' : 'wrong';
}

/** A text of 32 bytes in the descriptor. */
function text(image: Buffer, offset: number): string {
  const bytes = image.subarray(DESCRIPTOR_AT + offset, DESCRIPTOR_AT + offset + 32);
  const end = bytes.indexOf(0);
  return bytes.subarray(0, end < 0 ? 32 : end).toString('latin1');
}

/** What a person reads of it, line by line. */
export function describeEsp32(image: Esp32Image): string[] {
  const size = image.segments.reduce((sum, { length }) => sum + length, 0);
  return [
    `ESP32 application image for ${image.chip} (chip id ${image.chipId})`,
    `${image.project} ${image.version}, ESP-IDF ${image.idfVersion}, secure version ${image.securityCounter}`,
    `${image.segments.length} segments, ${size} bytes of data, entry ${hex(image.entry)}`,
    `checksum ${image.checksum}, SHA-256 ${image.hash}`,
  ];
}
