// What an operator sees: vehicles with what they have and are directed to, and open alerts.
import type { Selectable } from 'kysely';
import type { DirectorRelease } from '../../repo/director/release.ts';
import { loadCatalogue } from './catalogue.ts';
import type { Database } from './database.ts';
import { direct } from './directing.ts';
import { groupBy } from './group.ts';
import { note } from './inventory.ts';
import type { Tables } from './tables.ts';

export interface EcuStatus {
  readonly serial: string;
  readonly hardwareId: string;
  readonly primary: boolean;
  /** What it reported, as the Image repository knows it; undefined: unknown, or nothing yet. */
  readonly installed: string | undefined;
  /** The SHA-256 of what it reported; empty: nothing yet. */
  readonly sha256: string;
  /** What it is directed to have; undefined: what it has. */
  readonly directed: string | undefined;
  /** Attacks that it saw, as its last report says them; empty: none. */
  readonly attacks: string;
}

export interface VehicleStatus {
  readonly id: string;
  readonly group: string;
  /** Seconds since 1970 of its last manifest that counted; 0: none. */
  readonly lastSeen: number;
  readonly ecus: readonly EcuStatus[];
  /** Why assigned releases are held back. */
  readonly heldBack: readonly string[];
}

export interface OpenAlert {
  readonly vehicle: string;
  readonly serial: string;
  readonly kind: string;
  readonly detail: string;
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** The manifest that it was first seen in; empty: none. */
  readonly evidence: string;
}

/** Vehicles that are looked at in one query. */
const PAGE = 1000;

export async function listVehicles({ db }: Database): Promise<VehicleStatus[]> {
  const catalogue = await loadCatalogue(db);
  const all: VehicleStatus[] = [];
  for (let last = ''; ; ) {
    const rows = db.selectFrom('vehicles').select(['id', 'group_name', 'last_seen']).where('id', '>', last);
    const page = await rows.orderBy('id').limit(PAGE).execute();
    if (page.length === 0) return all;
    all.push(...(await statusOf(db, page, catalogue)));
    last = page.at(-1)?.id ?? '';
  }
}

async function statusOf(
  db: Database['db'],
  vehicles: readonly Pick<Selectable<Tables['vehicles']>, 'id' | 'group_name' | 'last_seen'>[],
  catalogue: readonly DirectorRelease[],
): Promise<VehicleStatus[]> {
  const ids = vehicles.map(({ id }) => id);
  const directed = await direct(db, vehicles, catalogue);
  const rows = await db
    .selectFrom('ecus')
    .selectAll()
    .where('vehicle_id', 'in', ids)
    .orderBy('serial')
    .execute();
  const ecus = groupBy(rows, (row) => row.vehicle_id);
  return vehicles.map(({ id, group_name, last_seen }) => {
    const { directions = [], heldBack = [] } = directed.get(id) ?? {};
    return {
      id,
      group: group_name,
      lastSeen: last_seen,
      ecus: (ecus.get(id) ?? []).map((row) => ({
        serial: row.serial,
        hardwareId: row.hardware_id,
        primary: row.is_primary === 1,
        installed: nameOf(catalogue.find((release) => release.sha256 === row.sha256)),
        sha256: row.sha256,
        directed: nameOf(directions.find(({ serial }) => serial === row.serial)?.release),
        attacks: row.attacks,
      })),
      heldBack: heldBack.map(({ reason }) => reason),
    };
  });
}

function nameOf(release: { component: string; version: string } | undefined): string | undefined {
  return release && `${release.component} ${release.version}`;
}

export async function listAlerts({ db }: Database): Promise<OpenAlert[]> {
  const open = db.selectFrom('alerts').selectAll().where('closed_at', '=', 0).orderBy('last_at', 'desc');
  return (await open.orderBy('vehicle_id').orderBy('kind').execute()).map((row) => ({
    vehicle: row.vehicle_id,
    serial: row.serial,
    kind: row.kind,
    detail: row.detail,
    count: row.count,
    firstAt: row.first_at,
    lastAt: row.last_at,
    evidence: row.evidence,
  }));
}

/** Closes one; it opens again when it is seen again. false: there is none that is open. */
export async function closeAlert(
  database: Database,
  { vehicle, serial, kind }: Pick<OpenAlert, 'vehicle' | 'serial' | 'kind'>,
  now: number,
): Promise<boolean> {
  return database.write(async (write) => {
    const rows = write.updateTable('alerts').set({ closed_at: now }).where('vehicle_id', '=', vehicle);
    const open = rows.where('serial', '=', serial).where('kind', '=', kind).where('closed_at', '=', 0);
    const { numUpdatedRows } = await open.executeTakeFirstOrThrow();
    if (numUpdatedRows > 0n) await note(write, now, 'alert-closed', vehicle, `${kind} ${serial}`.trim());
    return numUpdatedRows > 0n;
  });
}
