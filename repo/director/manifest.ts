// The vehicle version manifest and the ECU version reports in it (docs/formats.md, "Uptane"): from bytes to types.
// Signatures cover every field; only the fields that the schema knows are kept (data minimisation).
import { RepositoryError } from '../errors.ts';
import { type Json, parseJson } from '../json.ts';
import type { Signature } from '../metadata.ts';
import { Check } from '../schema.ts';
import { parseTime } from '../time.ts';

/** Bytes at most; the server refuses more before it reads them. */
export const MANIFEST_LIMIT = 65_536;
const MAX_ECUS = 64;
const MAX_SIGNATURES = 4;
const MAX_PATH = 255;
const MAX_ATTACKS = 1024;
/** Counters are u32 on devices. */
const MAX_COUNTER = 2 ** 32 - 1;
/** No image of a microcontroller comes near; and every database counts as far. */
const MAX_LENGTH = 2 ** 40;
const ID = /^[A-Za-z0-9][A-Za-z0-9._:~+-]{0,62}$/;

/** Something signed as it was received: `signed` with every field, for the signature. */
export interface SignedPart<T> {
  readonly signatures: readonly Signature[];
  readonly signed: Json;
  /** The fields that are known. */
  readonly content: T;
}

/** What one ECU says of itself (Uptane Standard 2.1.0, "ECU version report"). */
export interface EcuReport {
  readonly serial: string;
  /** The target path, length and SHA-256 of what is installed. */
  readonly image: { readonly path: string; readonly length: number; readonly sha256: string };
  /** The latest time that the ECU has verified, in seconds since 1970. */
  readonly time: number;
  readonly counter: number;
  /** In words; empty: none. */
  readonly attacks: string;
}

export interface Manifest {
  readonly vehicle: string;
  readonly primary: string;
  readonly reports: ReadonlyMap<string, SignedPart<EcuReport>>;
}

/** Whether a text can name a vehicle, an ECU or a group. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** Refuses with `metadata-invalid` or `metadata-too-large`. */
export function parseManifest(bytes: Uint8Array): SignedPart<Manifest> {
  if (bytes.length > MANIFEST_LIMIT)
    throw new RepositoryError('metadata-too-large', `the manifest has more than ${MANIFEST_LIMIT} bytes`);
  const check = new Check('the manifest');
  return parsePart(parseJson(bytes, 'the manifest'), 'the manifest', check, (signed) => {
    const reports = Object.entries(check.object(signed.ecu_version_manifests, 'ecu_version_manifests'));
    if (reports.length > MAX_ECUS) check.fail(`more than ${MAX_ECUS} ECUs`);
    return {
      vehicle: id(signed.vehicle_id, 'vehicle_id', check),
      primary: id(signed.primary_ecu_serial, 'primary_ecu_serial', check),
      reports: new Map(
        reports.map(([serial, part]) => [
          id(serial, 'a name in ecu_version_manifests', check),
          parsePart(part, `the report of ${serial}`, check, (report) => parseReport(report, serial, check)),
        ]),
      ),
    };
  });
}

function parsePart<T>(
  value: Json,
  what: string,
  check: Check,
  content: (signed: { [name: string]: Json }) => T,
): SignedPart<T> {
  const part = check.object(value, what);
  const signatures = check.array(part.signatures, `signatures of ${what}`).map((item) => {
    const { keyid, sig } = check.object(item, `a signature of ${what}`);
    return { keyid: check.string(keyid, 'keyid'), sig: check.string(sig, 'sig') };
  });
  if (signatures.length > MAX_SIGNATURES) check.fail(`more than ${MAX_SIGNATURES} signatures of ${what}`);
  const signed = check.object(part.signed, `signed of ${what}`);
  return { signatures, signed, content: content(signed) };
}

function parseReport(report: { [name: string]: Json }, serial: string, check: Check): EcuReport {
  const of = ` of ${serial}`;
  // A report under another name would count for an ECU that never made it.
  if (report.ecu_serial !== serial) check.fail(`ecu_serial${of} is not its name`);
  const image = check.object(report.installed_image, `installed_image${of}`);
  const file = check.object(image.fileinfo, `fileinfo${of}`);
  const sha256 = check.string(check.object(file.hashes, `hashes${of}`).sha256, `sha256${of}`);
  if (!/^[0-9a-f]{64}$/.test(sha256)) check.fail(`sha256${of} is not 64 hexadecimal digits`);
  const time = parseTime(check.string(report.timeserver_time, `timeserver_time${of}`));
  if (time === undefined) check.fail(`timeserver_time${of} is not a time`);
  return {
    serial,
    image: {
      path: bounded(check.string(image.filepath, `filepath${of}`), MAX_PATH, `filepath${of}`, check),
      length: atMost(check.integer(file.length, 0, `length${of}`), MAX_LENGTH, `length${of}`, check),
      sha256,
    },
    time,
    counter: atMost(
      check.integer(report.report_counter, 1, `report_counter${of}`),
      MAX_COUNTER,
      `report_counter${of}`,
      check,
    ),
    attacks: bounded(
      check.string(report.attacks_detected, `attacks_detected${of}`),
      MAX_ATTACKS,
      `attacks_detected${of}`,
      check,
    ),
  };
}

function id(value: Json | undefined, what: string, check: Check): string {
  const text = check.string(value, what);
  return isId(text) ? text : check.fail(`${what} is not 1 to 63 letters, digits or . _ : ~ + -`);
}

/** A text that a terminal and any database take: no control characters. */
function bounded(text: string, most: number, what: string, check: Check): string {
  return text.length <= most && !/\p{C}/u.test(text)
    ? text
    : check.fail(`${what} is longer than ${most} characters, or has characters that do not show`);
}

function atMost(value: number, most: number, what: string, check: Check): number {
  return value <= most ? value : check.fail(`${what} is above ${most}`);
}
