// What the program of an ECU knows beside its flash: which ECU of which vehicle it is, and on a Primary what the vehicle is
// known by to its Director ("The folder of an ECU" in docs/formats.md).
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VehicleIdentity } from '../../host/node/director.ts';
import { RepositoryError } from '../../repo/index.ts';

export interface EcuIdentity {
  readonly vehicle: string;
  /** Its serial. */
  readonly ecu: string;
  readonly hardwareId: string;
  readonly verification: 'full' | 'partial';
  /** Of a Primary: the hardware ids of the other ECUs of the vehicle, by serial. */
  readonly secondaries?: Readonly<Record<string, string>>;
}

export function identityPath(folder: string): string {
  return join(folder, 'ecu.json');
}

/** Undefined: the device in this folder is in no vehicle. Throws `file-unreadable`. */
export function findIdentity(folder: string): EcuIdentity | undefined {
  const path = identityPath(folder);
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as EcuIdentity;
  } catch (error) {
    throw new RepositoryError('file-unreadable', `${path} is damaged`, error);
  }
}

/** Throws `bad-argument`. */
export function readIdentity(folder: string): EcuIdentity {
  const identity = findIdentity(folder);
  if (!identity)
    throw new RepositoryError('bad-argument', `${folder} is no ECU: make one with moult ecu new`);
  return identity;
}

/** "gw-0001 (gw-1), the Primary of car-1" */
export function describeIdentity({
  ecu,
  hardwareId,
  vehicle,
  secondaries,
  verification,
}: EcuIdentity): string {
  const what = secondaries
    ? 'the Primary'
    : `a Secondary that verifies in ${verification === 'full' ? 'full' : 'part'},`;
  return `${ecu} (${hardwareId}), ${what} of ${vehicle}`;
}

/** Where the certificate of the vehicle, its key and those of the Director's authority are, in PEM. */
export function tlsPaths(folder: string): Readonly<Record<keyof VehicleIdentity, string>> {
  const path = (name: string) => join(folder, 'tls', name);
  return { key: path('vehicle.key'), cert: path('vehicle.crt'), ca: path('ca.crt') };
}

/** Throws `bad-argument`. */
export function readTls(folder: string): VehicleIdentity {
  const { key, cert, ca } = tlsPaths(folder);
  const missing = [key, cert, ca].find((path) => !existsSync(path));
  if (missing !== undefined)
    throw new RepositoryError(
      'bad-argument',
      `${folder} has no certificate for the Director: get one with moult ecu enrol`,
    );
  const read = (path: string) => readFileSync(path, 'utf8');
  return { key: read(key), cert: read(cert), ca: read(ca) };
}

/** When a certificate ends. */
export function untilOf(certificate: string): string {
  return new Date(new X509Certificate(certificate).validTo).toISOString().replace('.000Z', 'Z');
}
