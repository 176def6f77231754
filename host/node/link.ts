// Frames of the link between a device and a gateway: "Link" in docs/formats.md.
import { crc32 } from 'node:zlib';
import { FetchKind } from './abi.ts';
import { HostError } from './errors.ts';
import { envelope, readReport, reportKeyId } from './report.ts';

export const LINK_VERSION = 1;

export const LinkKind = {
  HELLO: 0x01,
  TIME: 0x02,
  READ: 0x03,
  REPORT: 0x04,
  SIGNED_TIME: 0x06,
  CONSENT: 0x08,
  VERSION_REPORT: 0x0a,
  /** The answer to a request has its kind with this bit, or is one of those that follow. */
  ANSWER: 0x80,
  ABSENT: 0xc0,
  FAILED: 0xc1,
  BUSY: 0xc2,
  REFUSED: 0xc3,
} as const;
/** Flag of DATA: these are the last bytes of the file. */
export const LAST = 1;

const HEADER = 8;
const CRC = 4;
const LONGEST_NAME = 320;
/** Of a request: READ with the longest name, and room for reports to grow. */
const LONGEST_REQUEST = HEADER + 1024 + CRC;

export interface Frame {
  readonly kind: number;
  readonly flags: number;
  readonly sequence: number;
  readonly session: number;
  readonly payload: Uint8Array;
}

export function encodeFrame({ kind, flags, sequence, session, payload }: Frame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER + payload.length + CRC);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kind);
  view.setUint8(1, flags);
  view.setUint16(2, sequence, true);
  view.setUint32(4, session, true);
  bytes.set(payload, HEADER);
  view.setUint32(bytes.length - CRC, crc32(bytes.subarray(0, -CRC)), true);
  return stuff(bytes);
}

/** COBS between its delimiters: each code says how far it is to the next 0 byte, 255: further than a code can say. */
function stuff(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length + Math.floor(bytes.length / 254) + 3);
  let code = 1;
  let end = 2;
  for (const byte of bytes) {
    if (byte !== 0) out[end++] = byte;
    if (byte !== 0 && end - code < 255) continue;
    out[code] = end - code;
    code = end++;
  }
  out[code] = end - code;
  return out.subarray(0, end + 1);
}

/** Finds frames in a stream of bytes, whatever else is in it. Takes no more memory than the longest request. */
export class FrameDecoder {
  readonly #bytes: Uint8Array;
  #length = 0;
  #code = 0;
  #run = 0;
  #spoiled = false;

  constructor(longest = LONGEST_REQUEST) {
    this.#bytes = new Uint8Array(longest);
  }

  /** The frames that end in these bytes. */
  *push(bytes: Uint8Array): Generator<Frame> {
    for (const byte of bytes) {
      if (byte !== 0) {
        this.#decode(byte);
        continue;
      }
      const frame = this.#whole();
      this.#length = this.#code = this.#run = 0;
      this.#spoiled = false;
      if (frame) yield frame;
    }
  }

  #decode(byte: number): void {
    if (this.#run > 0) {
      this.#run--;
      this.#keep(byte);
      return;
    }
    // The 0 byte that the group before ended with; a full group ends with none.
    if (this.#code !== 0 && this.#code !== 255) this.#keep(0);
    this.#code = byte;
    this.#run = byte - 1;
  }

  #keep(byte: number): void {
    if (this.#length === this.#bytes.length) this.#spoiled = true;
    else this.#bytes[this.#length++] = byte;
  }

  #whole(): Frame | undefined {
    const length = this.#length;
    if (this.#spoiled || this.#run > 0 || length < HEADER + CRC) return undefined;
    const view = new DataView(this.#bytes.buffer, 0, length);
    if (view.getUint32(length - CRC, true) !== crc32(this.#bytes.subarray(0, length - CRC))) return undefined;
    return {
      kind: view.getUint8(0),
      flags: view.getUint8(1),
      sequence: view.getUint16(2, true),
      session: view.getUint32(4, true),
      payload: this.#bytes.slice(HEADER, length - CRC),
    };
  }
}

// ---- requests ----

export interface ReadRequest {
  readonly fileKind: FetchKind;
  readonly offset: number;
  /** The most bytes that the device has room for. */
  readonly wanted: number;
  readonly name: string;
}

const FETCH_KINDS = [FetchKind.METADATA, FetchKind.TARGET, FetchKind.DIRECTOR];

/** Undefined: no such request. */
export function parseRead(payload: Uint8Array): ReadRequest | undefined {
  const fields = new Fields(payload);
  const kind = fields.integer(1);
  const offset = fields.integer(4);
  const wanted = fields.integer(2);
  const name = fields.text(payload.length - 7);
  const fileKind = FETCH_KINDS.find((known) => known === kind);
  if (fileKind === undefined || !fields.ended || !wanted || !name || payload.length - 7 > LONGEST_NAME)
    return undefined;
  return { fileKind, offset, wanted, name };
}

/** How far an ECU is with an image: it holds it, verified, and would boot; it runs on trial and works. */
export type Stage = 'ready' | 'works';

/** What a Primary says to that: not yet, go on, or leave this image. */
export type Consent = 'wait' | 'go' | 'leave';

const STAGES: readonly (Stage | undefined)[] = [undefined, 'ready', 'works'];
const CONSENTS: readonly Consent[] = ['wait', 'go', 'leave'];

export interface ConsentRequest {
  readonly stage: Stage;
  /** The release counter of the image. */
  readonly release: number;
}

/** Undefined: no such request. */
export function parseConsentRequest(payload: Uint8Array): ConsentRequest | undefined {
  const fields = new Fields(payload);
  const stage = STAGES[fields.integer(1)];
  const release = fields.integer(4);
  return fields.ended && stage ? { stage, release } : undefined;
}

export function consentRequest({ stage, release }: ConsentRequest): Uint8Array {
  return Buffer.concat([Buffer.of(STAGES.indexOf(stage)), u32(release)]);
}

export function consentAnswer(consent: Consent): Uint8Array {
  return Buffer.of(CONSENTS.indexOf(consent));
}

/** Undefined: no such answer. */
export function parseConsent(payload: Uint8Array): Consent | undefined {
  return payload.length === 1 ? CONSENTS[payload[0] ?? -1] : undefined;
}

export function readRequest({ fileKind, offset, wanted, name }: ReadRequest): Uint8Array {
  const fields = Buffer.alloc(7);
  fields.writeUInt8(fileKind, 0);
  fields.writeUInt32LE(offset, 1);
  fields.writeUInt16LE(wanted, 5);
  return Buffer.concat([fields, Buffer.from(name)]);
}

const SIGNED_BY_CORE = 0;
const SIGNED_BY_KEY_STORE = 1;
const WHOLE = 2;
const KEY = 32;
const SIGNATURE = 64;

/** A version report with the envelope around it; undefined: no such report. Nothing of it is verified. */
export function parseVersionReport(payload: Uint8Array): Uint8Array | undefined {
  const [kind, key] = [payload[0], payload.subarray(1, 1 + KEY)];
  const rest = payload.subarray(1 + KEY);
  try {
    if (kind === SIGNED_BY_CORE && rest.length > SIGNATURE)
      return wrap(rest.subarray(0, -SIGNATURE), reportKeyId(key), rest.subarray(-SIGNATURE));
    if (kind === SIGNED_BY_KEY_STORE && rest.length > 0) {
      const end = 1 + (rest[0] ?? 0);
      return wrap(rest.subarray(end), Buffer.from(key).toString('hex'), rest.subarray(1, end));
    }
    return kind === WHOLE ? readReport(payload.subarray(1)).bytes : undefined;
  } catch (error) {
    if (error instanceof HostError && error.code === 'report-invalid') return undefined;
    throw error;
  }
}

function wrap(signed: Uint8Array, keyId: string, signature: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(signed);
  return readReport(new TextEncoder().encode(envelope(text, keyId, signature))).bytes;
}

/** A report that has its envelope. */
export function versionReportPayload(report: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(WHOLE), report]);
}

/** What a device says that it does. */
export type ReportEvent =
  | 'started'
  | 'checked'
  | 'reboots'
  | 'on-trial'
  | 'confirmed'
  | 'rejected'
  | 'stopped';

const EVENTS: readonly (ReportEvent | undefined)[] = [
  undefined,
  'started',
  'checked',
  'reboots',
  'on-trial',
  'confirmed',
  'rejected',
  'stopped',
];

/** What a device says of itself. Nobody has signed it. */
export interface DeviceReport {
  readonly event: ReportEvent;
  /** Of the last check, or what stopped the core. */
  readonly status: number;
  /** By `State`; empty when the core has ended. */
  readonly state: readonly number[];
  readonly installedVersion: string;
  readonly candidateVersion: string;
  /** What runs the core. */
  readonly engine: string;
}

export function reportPayload(report: DeviceReport): Uint8Array {
  const { event, status, state, installedVersion, candidateVersion, engine } = report;
  const texts = [installedVersion, candidateVersion, engine].flatMap((text) => {
    const bytes = Buffer.from(text);
    return [Buffer.of(bytes.length), bytes];
  });
  const head = [Buffer.of(EVENTS.indexOf(event)), u32(status), Buffer.of(state.length)];
  return Buffer.concat([...head, ...state.map(u32), ...texts]);
}

/** Undefined: no such report. */
export function parseReport(payload: Uint8Array): DeviceReport | undefined {
  const fields = new Fields(payload);
  const event = EVENTS[fields.integer(1)];
  const status = fields.integer(4) | 0;
  const state = Array.from({ length: fields.integer(1) }, () => fields.integer(4));
  const installedVersion = fields.text(fields.integer(1));
  const candidateVersion = fields.text(fields.integer(1));
  const engine = fields.text(fields.integer(1));
  if (!fields.ended || event === undefined) return undefined;
  return { event, status, state, installedVersion, candidateVersion, engine };
}

/** Reads a payload from its start. What is not there reads as 0 or nothing, and `ended` is then false for good. */
class Fields {
  readonly #bytes: Uint8Array;
  #offset = 0;
  #valid = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** All was there, and no byte is left. */
  get ended(): boolean {
    return this.#valid && this.#offset === this.#bytes.length;
  }

  integer(bytes: 1 | 2 | 4): number {
    return this.#take(bytes).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  text(bytes: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#take(bytes));
    } catch {
      this.#valid = false;
      return '';
    }
  }

  #take(bytes: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#offset, this.#offset + Math.max(0, bytes));
    this.#valid &&= taken.length === bytes;
    this.#offset += taken.length;
    return taken;
  }
}

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
