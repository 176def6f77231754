// Metadata out: signed when a vehicle asks and something changed, and from then on served as it is. A version is taken
// and its bytes are stored in one transaction; what is served was committed, and lies below the high-water mark.
import type { Selectable } from 'kysely';
import type { VehicleRole } from '../../repo/director/metadata.ts';
import type { DirectorRelease } from '../../repo/director/release.ts';
import { type Clock, RepositoryError } from '../../repo/index.ts';
import { raise } from './alerts.ts';
import { Batcher } from './batcher.ts';
import { loadCatalogue } from './catalogue.ts';
import type { Database, Write } from './database.ts';
import { type Directed, direct } from './directing.ts';
import { draftFiles, keyIdsOf, type SignedRow, type Signing } from './drafting.ts';
import { bumpState, stateOf } from './inventory.ts';
import type { Mark } from './mark.ts';
import type { Tables } from './tables.ts';

/** Vehicles in one transaction at most. */
const BATCH = 64;
/** Versions that are kept, for a vehicle that is between two requests. */
const KEPT_VERSIONS = 8;

type VehicleRow = Selectable<Tables['vehicles']>;

export interface SignerOptions extends Omit<Signing, 'now'> {
  readonly database: Database;
  readonly mark: Mark;
  readonly clock: Clock;
}

export class Signer {
  readonly #options: SignerOptions;
  readonly #batcher: Batcher<string, undefined>;
  readonly #keyIds: string;
  #catalogue: { fleet: number; releases: readonly DirectorRelease[] } = { fleet: -1, releases: [] };

  constructor(options: SignerOptions) {
    this.#options = options;
    this.#keyIds = keyIdsOf(options.keys);
    this.#batcher = new Batcher(BATCH, (vehicles) => this.#sign(vehicles));
  }

  /** The newest timestamp of a vehicle; undefined: it is not in the inventory. */
  async timestamp(vehicle: string): Promise<Uint8Array | undefined> {
    if (!(await this.#isCurrent(vehicle))) await this.#batcher.add(vehicle);
    return this.#serve(
      await this.#rows(vehicle, 'timestamp').orderBy('version', 'desc').limit(1).executeTakeFirst(),
    );
  }

  /** A file that the vehicle's timestamp or snapshot names. */
  async file(vehicle: string, role: VehicleRole, version: number): Promise<Uint8Array | undefined> {
    return this.#serve(await this.#rows(vehicle, role).where('version', '=', version).executeTakeFirst());
  }

  #rows(vehicle: string, role: VehicleRole) {
    const rows = this.#options.database.db.selectFrom('signed').select(['text', 'sequence']);
    return rows.where('vehicle_id', '=', vehicle).where('role', '=', role);
  }

  async #serve(row: Pick<SignedRow, 'text' | 'sequence'> | undefined): Promise<Uint8Array | undefined> {
    if (row === undefined) return undefined;
    await this.#options.mark.raise(row.sequence);
    return Buffer.from(row.text);
  }

  async #isCurrent(vehicle: string): Promise<boolean> {
    const row = await this.#options.database.db
      .selectFrom('vehicles')
      .innerJoin('state', (join) => join.on('state.name', '=', 'fleet'))
      .select(['revision', 'signed_basis', 'refresh_at', 'state.value as fleet'])
      .where('id', '=', vehicle)
      .executeTakeFirst();
    if (row === undefined) return true;
    return row.signed_basis === this.#basisOf(row, row.fleet) && row.refresh_at > this.#options.clock();
  }

  /** What a vehicle's files are made from, by numbers that rise with each change of it. */
  #basisOf(vehicle: Pick<VehicleRow, 'revision'>, fleet: number): string {
    return `${vehicle.revision}/${fleet}/${this.#keyIds}`;
  }

  async #sign(ids: readonly string[]): Promise<undefined[]> {
    const { database, clock, keys, expiry } = this.#options;
    const signing = { keys, expiry, now: clock() };
    await database.write(async (write) => {
      const vehicles = await database.vehicles(write, ids);
      const fleet = await stateOf(write, 'fleet');
      const directed = await direct(write, vehicles, await this.#loadCatalogue(write, fleet));
      await warn(write, directed, signing.now);
      const newest = await newestFiles(write, ids);
      const files: SignedRow[] = [];
      const renewed = vehicles.map((vehicle) => {
        const of = newest.get(vehicle.id) ?? new Map();
        const draft = draftFiles(vehicle, of, directed.get(vehicle.id)?.targets ?? {}, signing);
        files.push(...draft.files);
        return { ...vehicle, signed_basis: this.#basisOf(vehicle, fleet), refresh_at: draft.refreshAt };
      });
      await storeVehicles(write, renewed);
      if (files.length > 0) await this.#store(write, files);
    });
    return ids.map(() => undefined);
  }

  async #loadCatalogue(write: Write, fleet: number): Promise<readonly DirectorRelease[]> {
    if (this.#catalogue.fleet !== fleet) this.#catalogue = { fleet, releases: await loadCatalogue(write) };
    return this.#catalogue.releases;
  }

  async #store(write: Write, files: readonly SignedRow[]): Promise<void> {
    const last = await bumpState(write, 'sequence', files.length);
    const first = last - files.length + 1;
    if (first <= this.#options.mark.value) throw backupRestored(first - 1, this.#options.mark.value);
    const rows = files.map((row, index) => ({ ...row, sequence: first + index }));
    await write.insertInto('signed').values(rows).execute();
    for (const { vehicle_id, role, version } of rows) {
      if (version <= KEPT_VERSIONS) continue;
      const old = write.deleteFrom('signed').where('vehicle_id', '=', vehicle_id).where('role', '=', role);
      await old.where('version', '<=', version - KEPT_VERSIONS).execute();
    }
  }
}

/** The database counts `known` signed files, and `served` were served: it is older than what vehicles have seen. */
export function backupRestored(known: number, served: number): RepositoryError {
  const what = `the database knows ${known} signed files and ${served} were served: it is an old backup`;
  const why = 'signing on would give vehicles lower versions, or other contents under the same ones';
  const remedy =
    'restore a newer one, or go on above all versions that were served with "moult director bump"';
  return new RepositoryError('backup-restored', `${what}; ${why}; ${remedy}`);
}

async function warn(write: Write, directed: ReadonlyMap<string, Directed>, now: number): Promise<void> {
  const alerts = [...directed].flatMap(([vehicle, { heldBack }]) =>
    heldBack.map(({ reason: detail }) => {
      return { vehicle, serial: '', kind: 'release-held-back' as const, detail, evidence: '' };
    }),
  );
  await raise(write, alerts, now);
}

/** By vehicle and role. */
async function newestFiles(
  write: Write,
  ids: readonly string[],
): Promise<Map<string, Map<string, SignedRow>>> {
  const rows = await write
    .selectFrom('signed as file')
    .selectAll()
    .where('vehicle_id', 'in', ids)
    .where('version', '=', (query) =>
      query
        .selectFrom('signed')
        .select(({ fn }) => fn.max('version').as('newest'))
        .whereRef('signed.vehicle_id', '=', 'file.vehicle_id')
        .whereRef('signed.role', '=', 'file.role'),
    )
    .execute();
  const newest = new Map<string, Map<string, SignedRow>>();
  for (const row of rows)
    newest.set(row.vehicle_id, (newest.get(row.vehicle_id) ?? new Map()).set(row.role, row));
  return newest;
}

async function storeVehicles(write: Write, rows: readonly VehicleRow[]): Promise<void> {
  if (rows.length === 0) return;
  const insert = write.insertInto('vehicles').values([...rows]);
  await insert
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((set) => ({
        signed_basis: set.ref('excluded.signed_basis'),
        refresh_at: set.ref('excluded.refresh_at'),
      })),
    )
    .execute();
}
