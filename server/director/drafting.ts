// Which of a vehicle's files must be signed anew, and signing them.
import type { Selectable } from 'kysely';
import {
  type Signed,
  signSnapshot,
  signTargets,
  signTimestamp,
  VEHICLE_ROLES,
  type VehicleRole,
} from '../../repo/director/metadata.ts';
import { type SigningKey, type Stamp, serialize, sha256, type Target } from '../../repo/index.ts';
import type { Tables } from './tables.ts';

export type SignerKeys = Readonly<Record<VehicleRole, SigningKey>>;
export type SignedRow = Selectable<Tables['signed']>;

/** How files are signed. */
export interface Signing {
  readonly keys: SignerKeys;
  /** Seconds that a signature of each role holds; renewed when half of them are over. */
  readonly expiry: Readonly<Record<VehicleRole, number>>;
  readonly now: number;
}

export interface Draft {
  /** What is new, in the order in which each file lists the one before; `sequence` is still to be given. */
  readonly files: readonly SignedRow[];
  /** When the first of all its files must be renewed. */
  readonly refreshAt: number;
}

/** `newest`: by role, the newest file of the vehicle. */
export function draftFiles(
  vehicle: { readonly id: string; readonly version_floor: number },
  newest: ReadonlyMap<string, SignedRow>,
  directed: Readonly<Record<string, Target>>,
  signing: Signing,
): Draft {
  const content = sha256(serialize(directed));
  const files: SignedRow[] = [];
  const current: SignedRow[] = [];
  const next = (
    role: VehicleRole,
    isStale: boolean,
    make: (stamp: Stamp, key: SigningKey) => Uint8Array,
  ): Signed => {
    const before = newest.get(role);
    const key = signing.keys[role];
    let row = before;
    if (row === undefined || isStale || row.key_id !== key.id || refreshAt(row, signing) <= signing.now) {
      const version = Math.max(before?.version ?? 0, vehicle.version_floor) + 1;
      const stamp = { version, expires: signing.now + signing.expiry[role] };
      const text = Buffer.from(make(stamp, key)).toString();
      row = { vehicle_id: vehicle.id, role, ...stamp, sequence: 0, key_id: key.id, content, text };
      files.push(row);
    }
    current.push(row);
    return { bytes: Buffer.from(row.text), version: row.version };
  };
  const targets = next('targets', newest.get('targets')?.content !== content, (stamp, key) =>
    signTargets(stamp, vehicle.id, directed, key),
  );
  const snapshot = next('snapshot', files.length > 0, (stamp, key) => signSnapshot(stamp, targets, key));
  next('timestamp', files.length > 0, (stamp, key) => signTimestamp(stamp, snapshot, key));
  return { files, refreshAt: Math.min(...current.map((row) => refreshAt(row, signing))) };
}

/** Where the keys are: in the basis of what is current, so that other keys sign everything anew. */
export function keyIdsOf(keys: SignerKeys): string {
  return sha256(Buffer.from(VEHICLE_ROLES.map((role) => keys[role].id).join())).slice(0, 16);
}

function refreshAt(row: SignedRow, { expiry }: Signing): number {
  return row.expires - Math.ceil(expiry[row.role as VehicleRole] / 2);
}
