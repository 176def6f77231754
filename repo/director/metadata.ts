// The Director's metadata for one vehicle, signed with online keys: TUF 1.0.34 with the additions of the Uptane
// Standard 2.1.0 (docs/formats.md, "Uptane"). It never delegates.
import type { SigningKey } from '../keys.ts';
import {
  buildSnapshot,
  buildTargets,
  buildTimestamp,
  envelopeBytes,
  metaFile,
  type Stamp,
  type Target,
  type Targets,
} from '../metadata.ts';
import { sign } from '../signing.ts';
import type { DirectorRelease } from './release.ts';

/** The roles that the Director signs for each vehicle. */
export const VEHICLE_ROLES = ['timestamp', 'snapshot', 'targets'] as const;
export type VehicleRole = (typeof VEHICLE_ROLES)[number];

/** What one ECU is to install. */
export interface Direction {
  readonly serial: string;
  readonly hardwareId: string;
  readonly release: DirectorRelease;
}

/** Targets by path: the release as the Image repository has it, and the ECUs that it is for. */
export function directedTargets(directions: readonly Direction[]): Record<string, Target> {
  const targets: Record<string, Target> = {};
  for (const { serial, hardwareId, release } of directions.toSorted((a, b) =>
    a.serial < b.serial ? -1 : 1,
  )) {
    const earlier = targets[release.path]?.custom?.ecuIdentifiers ?? {};
    const custom = { ...release.custom, ecuIdentifiers: { ...earlier, [serial]: { hardwareId } } };
    targets[release.path] = { length: release.length, hashes: { sha256: release.sha256 }, custom };
  }
  return targets;
}

/** The signed part names the vehicle, also when it has no targets: empty ones could be replayed to any other. */
export function vehicleTargets(
  stamp: Stamp,
  vehicleId: string,
  targets: Readonly<Record<string, Target>>,
): Targets {
  return { ...buildTargets(stamp, targets), custom: { vehicleId } };
}

export function signTargets(
  stamp: Stamp,
  vehicleId: string,
  targets: Readonly<Record<string, Target>>,
  key: SigningKey,
): Uint8Array {
  return envelopeBytes(sign(vehicleTargets(stamp, vehicleId, targets), [key]));
}

export function signSnapshot(stamp: Stamp, targets: Signed, key: SigningKey): Uint8Array {
  const meta = { 'targets.json': metaFile(targets.bytes, targets.version) };
  return envelopeBytes(sign(buildSnapshot(stamp, meta), [key]));
}

export function signTimestamp(stamp: Stamp, snapshot: Signed, key: SigningKey): Uint8Array {
  return envelopeBytes(sign(buildTimestamp(stamp, metaFile(snapshot.bytes, snapshot.version)), [key]));
}

/** A file that the next one lists. */
export interface Signed {
  readonly bytes: Uint8Array;
  readonly version: number;
}
