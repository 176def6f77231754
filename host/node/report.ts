// What a device says of itself: version reports of ECUs and the manifest of their vehicle ("Vehicle version manifest" in
// docs/formats.md). The core makes and signs a report; here are the envelope around it, and the manifest that the core signs.
import { createHash } from 'node:crypto';
import { HostError } from './errors.ts';

/** A key store of the board, for a key that never enters the core. */
export interface ReportSigner {
  /** The id of the public key (TUF 4.2): 64 hexadecimal digits. */
  readonly keyId: string;
  /** Signs as the key says: Ed25519, or ECDSA of P-256 over SHA-256 in DER. */
  sign(message: Uint8Array): Uint8Array;
}

/** Secondaries of one Primary, at most. */
export const MAX_SECONDARIES = 16;
/** Bytes of one signed report at most. */
export const REPORT_LIMIT = 1024;

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A signed report of an ECU that was read: whose it is, and its canonical form. Nothing of it is verified. */
export interface ReceivedReport {
  readonly serial: string;
  readonly canonical: string;
  /** The same, in UTF-8. */
  readonly bytes: Uint8Array;
}

/** The public key object of TUF 4.2 for an Ed25519 key of 32 bytes, as inventories and key ids have it. */
export function reportKey(publicKey: Uint8Array) {
  const digits = Buffer.from(publicKey).toString('hex');
  return { keytype: 'ed25519', keyval: { public: digits }, scheme: 'ed25519' } as const;
}

/** The id of that key. */
export function reportKeyId(publicKey: Uint8Array): string {
  return createHash('sha256')
    .update(canonical(reportKey(publicKey)))
    .digest('hex');
}

/** `signed`, in canonical form, with its signature, in canonical form. */
export function envelope(signed: string, keyId: string, signature: Uint8Array): string {
  const sig = Buffer.from(signature).toString('hex');
  return `{"signatures":[{"keyid":"${keyId}","sig":"${sig}"}],"signed":${signed}}`;
}

/**
 * Reads a report as an ECU sent it. It is written anew in canonical form, so that whatever it holds cannot end it in the
 * manifest around it. Throws `report-invalid`.
 */
export function readReport(bytes: Uint8Array): ReceivedReport {
  if (bytes.length > REPORT_LIMIT) throw invalid(`more than ${REPORT_LIMIT} bytes`);
  let value: { signed?: { ecu_serial?: unknown } };
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid('no JSON', cause);
  }
  const serial = value?.signed?.ecu_serial;
  if (typeof serial !== 'string') throw invalid('no ecu_serial');
  const text = canonical(value as Json);
  return { serial, canonical: text, bytes: new TextEncoder().encode(text) };
}

/** The `signed` of a manifest, in canonical form. The first report is that of the Primary. */
export function manifestText(vehicle: string, reports: readonly ReceivedReport[]): string {
  const [primary] = reports;
  if (primary === undefined || reports.length > MAX_SECONDARIES + 1)
    throw invalid(`a manifest has 1 to ${MAX_SECONDARIES + 1} reports`);
  const members = new Map(reports.map(({ serial, canonical }) => [serial, canonical]));
  if (members.size < reports.length) throw invalid('two reports of one ECU');
  const all = [...members].sort(([a], [b]) => order(a, b));
  const list = all.map(([serial, report]) => `${canonical(serial)}:${report}`).join(',');
  return `{"ecu_version_manifests":{${list}},"primary_ecu_serial":${canonical(primary.serial)},"vehicle_id":${canonical(vehicle)}}`;
}

/** Canonical JSON (TUF 4.1): members by the code points of their names, no spaces, only `"` and `\` escaped. */
function canonical(value: Json): string {
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => order(a, b));
    return `{${members.map(([name, member]) => `${canonical(name)}:${canonical(member)}`).join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw invalid('a number that is not whole');
  return String(value);
}

/** By code points, as the order of UTF-8 is. */
function order(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function invalid(what: string, cause?: unknown): HostError {
  return new HostError('report-invalid', `a report that no Director would take: ${what}`, { cause });
}
