// What the Director makes of a manifest (Uptane Standard 2.1.0, "Directing installation of images on vehicles"), from
// the inventory of one vehicle and nothing else. No I/O: the caller holds the inventory still meanwhile.
import { canonicalize } from '../canonical.ts';
import { RepositoryError } from '../errors.ts';
import { type PublicKey, verifySignature } from '../keys.ts';
import type { Signature } from '../metadata.ts';
import type { EcuReport, Manifest, SignedPart } from './manifest.ts';

/** Why a manifest does not count. Append only. */
export type Refusal =
  | 'manifest-invalid'
  | 'wrong-vehicle'
  | 'wrong-primary'
  | 'manifest-forged'
  | 'ecu-missing'
  | 'ecu-unknown'
  | 'report-forged'
  | 'counter-replayed'
  | 'time-in-future'
  | 'key-shared';

/** What is said of a manifest that counts. Append only. */
export type Notice = 'unknown-image' | 'withdrawn-image' | 'unexpected-downgrade' | 'attack-reported';

export type Alarm = Refusal | Notice;

/** An ECU as the inventory has it. */
export interface Ecu {
  readonly serial: string;
  readonly hardwareId: string;
  readonly primary: boolean;
  readonly keyId: string;
  readonly key: PublicKey;
  /** Of its last report that counted; 0: none. */
  readonly counter: number;
}

/** A signature that is not by the key that it must be by, for whoever can tell whose it is. */
export interface Stray {
  readonly message: Uint8Array;
  readonly signatures: readonly Signature[];
}

export class ManifestRefused extends Error {
  override readonly name = 'ManifestRefused';
  readonly refusal: Refusal;
  /** Empty: the vehicle as a whole. */
  readonly serial: string;
  readonly stray: Stray | undefined;

  constructor(refusal: Refusal, serial: string, message: string, stray?: Stray) {
    super(message);
    this.refusal = refusal;
    this.serial = serial;
    this.stray = stray;
  }
}

/** Clocks of vehicles and servers differ by less, in seconds. */
const CLOCK_TOLERANCE = 900;

/** Returns what each ECU reports, or throws `ManifestRefused`. `now` in seconds since 1970. */
export function checkManifest(
  manifest: SignedPart<Manifest>,
  vehicle: string,
  ecus: readonly Ecu[],
  now: number,
): EcuReport[] {
  const { content } = manifest;
  // A manifest of another vehicle would put that vehicle's state in place of this one's (mix-and-match).
  if (content.vehicle !== vehicle) refuse('wrong-vehicle', '', `it is of the vehicle ${content.vehicle}`);
  const primary = ecus.find((ecu) => ecu.primary);
  if (primary === undefined || content.primary !== primary.serial)
    refuse('wrong-primary', content.primary, `${content.primary} is not the Primary`);
  // The Primary vouches that these reports belong together.
  assertSigned(manifest, primary, 'manifest-forged', 'the manifest');
  for (const serial of content.reports.keys())
    if (!ecus.some((ecu) => ecu.serial === serial))
      refuse('ecu-unknown', serial, `${serial} is not in the inventory`);
  return ecus.map((ecu) => checkReport(content.reports.get(ecu.serial), ecu, now));
}

function checkReport(part: SignedPart<EcuReport> | undefined, ecu: Ecu, now: number): EcuReport {
  // An ECU that is left out could be anything (partial bundle).
  if (part === undefined) refuse('ecu-missing', ecu.serial, `${ecu.serial} has no report`);
  // By its own key: a Primary that was taken over cannot speak for its Secondaries.
  assertSigned(part, ecu, 'report-forged', `the report of ${ecu.serial}`);
  const { counter, time } = part.content;
  // An old report would show an old state (replay).
  if (counter <= ecu.counter)
    refuse('counter-replayed', ecu.serial, `its counter ${counter} is not above ${ecu.counter}`);
  if (time > now + CLOCK_TOLERANCE)
    refuse('time-in-future', ecu.serial, `its time is ${time - now} seconds ahead`);
  return part.content;
}

function assertSigned(part: SignedPart<unknown>, ecu: Ecu, refusal: Refusal, what: string): void {
  const message = messageOf(part);
  const own = part.signatures.find(({ keyid }) => keyid === ecu.keyId);
  if (own !== undefined && verifySignature(ecu.key, message, own.sig)) return;
  const stray = { message, signatures: part.signatures };
  throw new ManifestRefused(refusal, ecu.serial, `${what} is not signed by the key of ${ecu.serial}`, stray);
}

/** Depth and kinds were bounded when it was read; half a surrogate pair was not. */
function messageOf(part: SignedPart<unknown>): Uint8Array {
  try {
    return canonicalize(part.signed);
  } catch (error) {
    if (!(error instanceof RepositoryError)) throw error;
    refuse('manifest-invalid', '', error.message);
  }
}

function refuse(refusal: Refusal, serial: string, message: string): never {
  throw new ManifestRefused(refusal, serial, message);
}
