// Images and trailers of MCUboot, as imgtool writes them.
import { createHash } from 'node:crypto';
import { type Agreement, type Finding, findingsAtEnd, hex } from './finding.ts';

const MAGIC = 0x96f3b83d;
const HEADER = 32;
const FIELDS = 0x6907;
const PROTECTED_FIELDS = 0x6908;
const MOST_FIELDS = 64;
const FIRST_PROTECTED = 0x40;
const PURE = 0x25;
const COUNTER = 0x50;

const FLAGS: readonly (readonly [number, string])[] = [
  [0x1, 'position independent'],
  [0x4, 'encrypted (AES-128)'],
  [0x8, 'encrypted (AES-256)'],
  [0x10, 'not bootable'],
  [0x20, 'loaded to RAM'],
  [0x100, 'fixed address'],
  [0x200, 'compressed (LZMA1)'],
  [0x400, 'compressed (LZMA2)'],
];
/** Those of an image that runs where it lies. */
const HARMLESS = 0x101;

const FIELD_NAMES: Readonly<Record<number, string>> = {
  1: 'KEYHASH',
  2: 'PUBKEY',
  16: 'SHA256',
  17: 'SHA384',
  18: 'SHA512',
  32: 'RSA2048',
  34: 'ECDSASIG',
  35: 'RSA3072',
  36: 'ED25519',
  37: 'SIG_PURE',
  48: 'ENCRSA2048',
  49: 'ENCKW',
  50: 'ENCEC256',
  51: 'ENCX25519',
  52: 'ENCX25519_SHA512',
  64: 'DEPENDENCY',
  80: 'SEC_CNT',
  96: 'BOOT_RECORD',
  112: 'DECOMP_SIZE',
  113: 'DECOMP_SHA',
  114: 'DECOMP_SIGNATURE',
  115: 'COMP_DEC_SIZE',
  116: 'UUID_VID',
  117: 'UUID_CID',
};
const HASHES: Readonly<Record<number, string>> = { 16: 'sha256', 18: 'sha512' };
const SIGNATURES: readonly number[] = [32, 34, 35, 36];

export interface McubootField {
  readonly type: number;
  readonly name: string;
  readonly protected: boolean;
  /** hexadecimal */
  readonly value: string;
}

export interface McubootImage {
  readonly format: 'mcuboot';
  readonly version: string;
  readonly headerSize: number;
  readonly payloadSize: number;
  readonly flags: readonly string[];
  readonly fields: readonly McubootField[];
  /** 0 without the field. */
  readonly securityCounter: number;
  readonly hash: Agreement;
  /** What it is signed with, which is not verified here; none: nobody has. */
  readonly signature: string;
  readonly findings: readonly Finding[];
}

export function isMcuboot(image: Buffer): boolean {
  return image.length >= HEADER && image.readUInt32LE(0) === MAGIC;
}

export function readMcuboot(image: Buffer): McubootImage {
  const findings: Finding[] = [];
  const headerSize = image.readUInt16LE(8);
  const shieldedSize = image.readUInt16LE(10);
  const payloadSize = image.readUInt32LE(12);
  const flags = image.readUInt32LE(16);
  const body = headerSize + payloadSize;
  const covered = body + shieldedSize;
  if (headerSize < HEADER) findings.push(malformed(`its header says that it has ${headerSize} bytes`));
  if ((flags & ~HARMLESS) !== 0)
    findings.push(malformed(`it does not run where it lies: ${flagNames(flags)}`));
  const shielded =
    shieldedSize > 0 ? readFields(image, body, PROTECTED_FIELDS) : { fields: [], end: body, findings: [] };
  findings.push(...shielded.findings);
  if (shielded.end !== covered && shielded.findings.length === 0)
    findings.push(malformed(`its protected fields end at ${shielded.end}, by its header at ${covered}`));
  const rest = readFields(image, covered, FIELDS);
  findings.push(...rest.findings);
  if (rest.findings.length === 0) findings.push(...findingsAtEnd(rest.end, image.length));
  const fields = [...shielded.fields, ...rest.fields];
  const hash = hashOf(image.subarray(0, covered), fields, findings);
  return {
    format: 'mcuboot',
    version: `${image[20]}.${image[21]}.${image.readUInt16LE(22)}+${image.readUInt32LE(24)}`,
    headerSize,
    payloadSize,
    flags: flagNames(flags),
    fields,
    securityCounter: counterOf(fields, findings),
    hash,
    signature: signatureOf(fields),
    findings,
  };
}

interface FieldList {
  readonly fields: readonly McubootField[];
  readonly end: number;
  readonly findings: readonly Finding[];
}

/** Reads a list; where one is malformed, what comes before the fault. */
function readFields(image: Buffer, start: number, magic: number): FieldList {
  const which = magic === PROTECTED_FIELDS ? 'its protected fields' : 'its fields';
  const none = (what: string): FieldList => ({ fields: [], end: start, findings: [malformed(what)] });
  if (start + 4 > image.length) return none(`it is cut off: ${which} begin at ${start}, behind the file`);
  if (image.readUInt16LE(start) !== magic)
    return none(`${which} do not begin at ${start}, where they should`);
  const end = start + image.readUInt16LE(start + 2);
  const fields: McubootField[] = [];
  const findings: Finding[] = [];
  let at = start + 4;
  while (at + 4 <= Math.min(end, image.length) && fields.length < MOST_FIELDS) {
    const type = image.readUInt16LE(at);
    const next = at + 4 + image.readUInt16LE(at + 2);
    const shielded = magic === PROTECTED_FIELDS;
    const name = FIELD_NAMES[type] ?? hex(type);
    fields.push({ type, name, protected: shielded, value: image.toString('hex', at + 4, next) });
    if (type >= FIRST_PROTECTED !== shielded) findings.push(misplaced(name, shielded));
    at = next;
  }
  if (at !== end || at > image.length) findings.push(malformed(`${which} do not end where they should`));
  return { fields, end, findings };
}

function misplaced(name: string, shielded: boolean): Finding {
  const why = shielded ? 'among the protected fields, where it cannot be' : 'where no signature covers it';
  return { code: 'IMAGE_UNPROTECTED', text: `${name} stands ${why}` };
}

function malformed(text: string): Finding {
  return { code: 'IMAGE_FORMAT', text };
}

function hashOf(covered: Buffer, fields: readonly McubootField[], findings: Finding[]): Agreement {
  const hashes = fields.filter(({ type, protected: shielded }) => !shielded && HASHES[type] !== undefined);
  const [first] = hashes;
  if (!first || hashes.length > 1) {
    if (findings.length === 0)
      findings.push(malformed(`it has ${hashes.length} hashes, SHA-256 or SHA-512, and not one`));
    return 'none';
  }
  const right =
    createHash(HASHES[first.type] ?? '')
      .update(covered)
      .digest('hex') === first.value;
  if (!right && findings.length === 0)
    findings.push({ code: 'IMAGE_CORRUPT', text: 'its hash is not that of its bytes' });
  return right ? 'right' : 'wrong';
}

function counterOf(fields: readonly McubootField[], findings: Finding[]): number {
  const counters = fields.filter(({ type, protected: shielded }) => shielded && type === COUNTER);
  const [first] = counters;
  if (!first) return 0;
  if (counters.length > 1 || first.value.length !== 8) {
    findings.push(malformed('its security counter is not one number of four bytes'));
    return 0;
  }
  return Buffer.from(first.value, 'hex').readUInt32LE();
}

function signatureOf(fields: readonly McubootField[]): string {
  const names = fields.filter(({ type }) => SIGNATURES.includes(type)).map(({ name }) => name);
  const pure = fields.some(({ type }) => type === PURE) ? ' over all bytes' : '';
  return names.length === 0 ? 'none' : `${names.join(', ')}${pure}`;
}

function flagNames(flags: number): string[] {
  const known = FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
  const rest = FLAGS.reduce((left, [bit]) => left & ~bit, flags) >>> 0;
  return rest === 0 ? known : [...known, hex(rest)];
}

/** What a person reads of it, line by line. */
export function describeMcuboot(image: McubootImage): string[] {
  const fields = image.fields.map(({ name, protected: shielded }) =>
    shielded ? `${name} (protected)` : name,
  );
  return [
    `MCUboot image, version ${image.version}, security counter ${image.securityCounter}`,
    `header ${image.headerSize} bytes, payload ${image.payloadSize} bytes, flags: ${image.flags.join(', ') || 'none'}`,
    `fields: ${fields.join(', ') || 'none'}`,
    `hash ${image.hash}, signature: ${image.signature}`,
  ];
}
