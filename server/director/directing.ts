// From assignments and signed reports to what each ECU of a vehicle is to have.
import type { Selectable } from 'kysely';
import { type Direction, directedTargets } from '../../repo/director/metadata.ts';
import type { DirectorRelease } from '../../repo/director/release.ts';
import { type HeldBack, resolve } from '../../repo/director/resolve.ts';
import type { Target } from '../../repo/index.ts';
import type { Write } from './database.ts';
import { groupBy } from './group.ts';
import type { Tables } from './tables.ts';

type EcuRow = Selectable<Tables['ecus']>;

export interface Directed {
  readonly directions: readonly Direction[];
  readonly targets: Readonly<Record<string, Target>>;
  readonly heldBack: readonly HeldBack[];
}

/** By vehicle. `catalogue`: what the Image repository lists. */
export async function direct(
  read: Pick<Write, 'selectFrom'>,
  vehicles: readonly Pick<Selectable<Tables['vehicles']>, 'id' | 'group_name'>[],
  catalogue: readonly DirectorRelease[],
): Promise<Map<string, Directed>> {
  const ids = vehicles.map(({ id }) => id);
  const ecus = await read.selectFrom('ecus').selectAll().where('vehicle_id', 'in', ids).execute();
  const assigned = await assignmentsOf(
    read,
    ids,
    vehicles.map((vehicle) => vehicle.group_name),
  );
  const known = new Map(catalogue.map((release) => [release.sha256, release]));
  const byVehicle = groupBy(ecus, (row) => row.vehicle_id);
  return new Map(
    vehicles.map(({ id, group_name }) => {
      const paths = new Set([
        ...(assigned.get(`vehicle ${id}`) ?? []),
        ...(assigned.get(`group ${group_name}`) ?? []),
      ]);
      const releases = catalogue.filter(({ path }) => paths.has(path));
      return [id, directVehicle(byVehicle.get(id) ?? [], known, releases, catalogue)];
    }),
  );
}

function directVehicle(
  ecus: readonly EcuRow[],
  known: ReadonlyMap<string, DirectorRelease>,
  assigned: readonly DirectorRelease[],
  catalogue: readonly DirectorRelease[],
): Directed {
  const places = ecus
    .toSorted((a, b) => (a.serial < b.serial ? -1 : 1))
    .map(({ serial, hardware_id: hardwareId, sha256 }) => {
      return { serial, hardwareId, installed: known.get(sha256) };
    });
  const { chosen, heldBack } = resolve(places, assigned, catalogue);
  const directions = places.flatMap(({ serial, hardwareId }) => {
    const release = chosen.get(serial);
    return release === undefined ? [] : [{ serial, hardwareId, release }];
  });
  return { directions, targets: directedTargets(directions), heldBack };
}

/** Paths by `vehicle ID` and `group NAME`. */
async function assignmentsOf(
  read: Pick<Write, 'selectFrom'>,
  ids: readonly string[],
  groups: readonly string[],
): Promise<Map<string, Set<string>>> {
  const rows = await read
    .selectFrom('assignments')
    .selectAll()
    .where((is) =>
      is.or([
        is.and([is('scope', '=', 'vehicle'), is('name', 'in', ids)]),
        is.and([is('scope', '=', 'group'), is('name', 'in', [...new Set(groups)])]),
      ]),
    )
    .execute();
  const paths = new Map<string, Set<string>>();
  for (const { scope, name, path } of rows) {
    const key = `${scope} ${name}`;
    paths.set(key, (paths.get(key) ?? new Set()).add(path));
  }
  return paths;
}
