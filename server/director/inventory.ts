// The inventory: which vehicles there are, their ECUs and keys; and what operators assign to them.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { NewVehicle } from '../../repo/director/inventory.ts';
import { keyId, RepositoryError, serialize, sha256 } from '../../repo/index.ts';
import { keyMaterial } from '../../repo/keys.ts';
import { raise } from './alerts.ts';
import type { Database, Write } from './database.ts';

export type Scope = 'vehicle' | 'group';

/** One key under any encoding has one id: two devices with one key are found by the database itself. */
export function materialId(key: NewVehicle['ecus'][number]['key']): string {
  return sha256(Buffer.from(keyMaterial(key)));
}

/** Adds vehicles or gives known ones other ECUs, all or none; an ECU that keeps its key keeps its counter. Refuses
 * (`inventory-conflict`) a key or a serial that another vehicle has, and raises an alert for the key. */
export async function importVehicles(
  database: Database,
  vehicles: readonly NewVehicle[],
  now: number,
): Promise<void> {
  const taken = await database.write(async (write) => {
    const conflict = await findConflict(write, vehicles);
    if (conflict !== undefined) return conflict;
    const floor = await stateOf(write, 'floor');
    for (const vehicle of vehicles) await putVehicle(write, vehicle, floor);
    const ids = vehicles.map(({ vehicle }) => vehicle);
    await note(write, now, 'import', ids.length === 1 ? (ids[0] ?? '') : `${ids.length} vehicles`, '');
    return undefined;
  });
  if (taken === undefined) return;
  const { vehicle, serial, message, sharedKey } = taken;
  const alert = { vehicle, serial, kind: 'key-shared', detail: message, evidence: '' } as const;
  if (sharedKey) await database.write((write) => raise(write, [alert], now));
  throw new RepositoryError('inventory-conflict', message);
}

async function findConflict(write: Write, vehicles: readonly NewVehicle[]) {
  for (const { vehicle, ecus } of vehicles) {
    const keys = ecus.map(({ key }) => materialId(key));
    const other = await write
      .selectFrom('ecus')
      .select(['vehicle_id', 'serial', 'key_material'])
      .where('vehicle_id', '!=', vehicle)
      .where((is) =>
        is.or([
          is('key_material', 'in', keys),
          is(
            'serial',
            'in',
            ecus.map(({ serial }) => serial),
          ),
        ]),
      )
      .executeTakeFirst();
    if (other === undefined) continue;
    const own = ecus.find(({ key }) => materialId(key) === other.key_material);
    const message =
      own === undefined
        ? `the ECU ${other.serial} is in the vehicle ${other.vehicle_id} already`
        : `${own.serial} of ${vehicle} has the key of ${other.serial} of ${other.vehicle_id}`;
    return { vehicle, serial: own?.serial ?? other.serial, message, sharedKey: own !== undefined };
  }
  return undefined;
}

async function putVehicle(write: Write, { vehicle, group, ecus }: NewVehicle, floor: number): Promise<void> {
  await write
    .insertInto('vehicles')
    .values({
      id: vehicle,
      group_name: group,
      last_seen: 0,
      manifest: '',
      revision: 1,
      signed_basis: '',
      refresh_at: 0,
      version_floor: floor,
    })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({ group_name: group, revision: sql`vehicles.revision + 1` }),
    )
    .execute();
  const old = await write.selectFrom('ecus').selectAll().where('vehicle_id', '=', vehicle).execute();
  await write.deleteFrom('ecus').where('vehicle_id', '=', vehicle).execute();
  const rows = ecus.map((ecu) => {
    const fresh = {
      serial: ecu.serial,
      vehicle_id: vehicle,
      hardware_id: ecu.hardwareId,
      is_primary: ecu.primary ? 1 : 0,
      key_id: keyId(ecu.key),
      public_key: Buffer.from(serialize(ecu.key)).toString(),
      key_material: materialId(ecu.key),
    };
    const same = old.find((row) => row.key_material === fresh.key_material && row.serial === ecu.serial);
    const nothing = { counter: 0, reported_at: 0, path: '', sha256: '', length: 0, attacks: '' };
    return { ...nothing, ...same, ...fresh };
  });
  await write.insertInto('ecus').values(rows).execute();
}

/** Gives vehicles or a group a release, by its path in the Image repository; `assigned` false takes it away. */
export async function assign(
  database: Database,
  to: { readonly scope: Scope; readonly name: string; readonly path: string },
  assigned: boolean,
  now: number,
): Promise<void> {
  const { scope, name, path } = to;
  await database.write(async (write) => {
    if (assigned) {
      await assertKnown(write, scope, name, path);
      const row = { scope, name, path, at: now };
      await write
        .insertInto('assignments')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    } else {
      const rows = write.deleteFrom('assignments').where('scope', '=', scope);
      await rows.where('name', '=', name).where('path', '=', path).execute();
    }
    if (scope === 'vehicle') await touch(write, name);
    else await bumpState(write, 'fleet', 1);
    await note(write, now, assigned ? 'assign' : 'unassign', `${scope} ${name}`, path);
  });
}

async function assertKnown(write: Write, scope: Scope, name: string, path: string): Promise<void> {
  const column = scope === 'vehicle' ? 'id' : 'group_name';
  const known = await write.selectFrom('vehicles').select('id').where(column, '=', name).limit(1).execute();
  if (known.length === 0)
    throw new RepositoryError('bad-argument', `there is no ${scope} ${name} in the inventory`);
  const listed = write.selectFrom('releases').select('path').where('path', '=', path).where('listed', '=', 1);
  if ((await listed.execute()).length === 0)
    throw new RepositoryError('bad-argument', `the Image repository lists no release ${path}`);
}

/** What this vehicle is directed to may have changed. */
export function touch(write: Write, vehicle: string) {
  const next = write.updateTable('vehicles').set((set) => ({ revision: set('revision', '+', 1) }));
  return next.where('id', '=', vehicle).execute();
}

export async function stateOf(write: Pick<Write, 'selectFrom'>, name: string): Promise<number> {
  const row = write.selectFrom('state').select('value').where('name', '=', name);
  return (await row.executeTakeFirstOrThrow()).value;
}

/** Adds to a number of the Director's state and returns it; other writers wait until this one is done. */
export async function bumpState(write: Write, name: string, by: number): Promise<number> {
  const next = write.updateTable('state').set((set) => ({ value: set('value', '+', by) }));
  return (await next.where('name', '=', name).returning('value').executeTakeFirstOrThrow()).value;
}

/** An entry of the audit log: what an operator did. */
export async function note(
  write: Write,
  now: number,
  event: string,
  subject: string,
  detail: string,
): Promise<void> {
  await write.insertInto('audit').values({ id: randomUUID(), at: now, event, subject, detail }).execute();
}
