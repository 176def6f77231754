// Manifests in: checked against the inventory and committed, many in one transaction. What was acknowledged is on disk.
// Decisions come from here alone: from what ECUs signed, never from a header or a query (CERT-S-4).
import type { Selectable } from 'kysely';
import {
  type EcuReport,
  type Manifest,
  parseManifest,
  type SignedPart,
} from '../../repo/director/manifest.ts';
import { checkManifest, type Ecu, ManifestRefused, type Stray } from '../../repo/director/verdict.ts';
import { type Clock, type PublicKey, RepositoryError, sha256, verifySignature } from '../../repo/index.ts';
import { type NewAlert, raise } from './alerts.ts';
import { Batcher } from './batcher.ts';
import type { Database, Write } from './database.ts';
import { groupBy } from './group.ts';
import { notices } from './notices.ts';
import type { Tables } from './tables.ts';

/** Manifests in one transaction at most. */
const BATCH = 128;
/** Changes of an ECU's image that are kept. */
const HISTORY = 32;

type EcuRow = Selectable<Tables['ecus']>;
type VehicleRow = Selectable<Tables['vehicles']>;

interface Job {
  readonly vehicle: string;
  readonly text: string;
  /** undefined: it could not be read, and `fault` says why. */
  readonly manifest: SignedPart<Manifest> | undefined;
  readonly fault: string;
}

/** What a batch writes. */
class Draft {
  readonly vehicles = new Map<string, VehicleRow>();
  readonly ecus = new Map<string, EcuRow>();
  /** Serials by vehicle. */
  serials: ReadonlyMap<string, readonly string[]> = new Map();
  /** Serials of ECUs whose reports count. */
  readonly reported = new Set<string>();
  readonly installs: Selectable<Tables['installs']>[] = [];
  readonly alerts: NewAlert[] = [];
}

export class Reports {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #batcher: Batcher<Job, ManifestRefused | undefined>;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#batcher = new Batcher(BATCH, (jobs) => this.#commit(jobs));
  }

  /** Takes a manifest of a vehicle that is authenticated. Throws `ManifestRefused`; an alert says so as well. */
  async add(vehicle: string, bytes: Uint8Array): Promise<void> {
    const refused = await this.#batcher.add({ vehicle, text: textOf(bytes), ...read(bytes) });
    if (refused !== undefined) throw refused;
  }

  #commit(jobs: readonly Job[]): Promise<(ManifestRefused | undefined)[]> {
    const now = this.#clock();
    return this.#database.write(async (write) => {
      const draft = await this.#load(write, jobs);
      const results: (ManifestRefused | undefined)[] = [];
      for (const job of jobs) results.push(await judge(write, draft, job, now));
      await store(write, draft, now);
      return results;
    });
  }

  async #load(write: Write, jobs: readonly Job[]): Promise<Draft> {
    const draft = new Draft();
    const ids = jobs.map(({ vehicle }) => vehicle);
    for (const row of await this.#database.vehicles(write, ids)) draft.vehicles.set(row.id, row);
    const ecus = write.selectFrom('ecus').selectAll().where('vehicle_id', 'in', ids);
    const rows = await ecus.execute();
    for (const row of rows) draft.ecus.set(row.serial, row);
    const byVehicle = [...groupBy(rows, (row) => row.vehicle_id)];
    draft.serials = new Map(byVehicle.map(([id, list]) => [id, list.map(({ serial }) => serial)]));
    return draft;
  }
}

function read(bytes: Uint8Array): Pick<Job, 'manifest' | 'fault'> {
  try {
    return { manifest: parseManifest(bytes), fault: '' };
  } catch (error) {
    if (!(error instanceof RepositoryError)) throw error;
    return { manifest: undefined, fault: error.message };
  }
}

async function judge(
  write: Write,
  draft: Draft,
  job: Job,
  now: number,
): Promise<ManifestRefused | undefined> {
  try {
    if (job.manifest === undefined) throw new ManifestRefused('manifest-invalid', '', job.fault);
    const ecus = (draft.serials.get(job.vehicle) ?? []).flatMap((serial) => draft.ecus.get(serial) ?? []);
    const reports = checkManifest(job.manifest, job.vehicle, ecus.map(asEcu), now);
    await accept(write, draft, job, reports, now);
    return undefined;
  } catch (error) {
    if (!(error instanceof ManifestRefused)) throw error;
    const refused = (await sharedKey(write, job.vehicle, error)) ?? error;
    draft.alerts.push({
      vehicle: job.vehicle,
      serial: draft.ecus.has(refused.serial) ? refused.serial : '',
      kind: refused.refusal,
      detail: refused.message,
      evidence: job.text,
    });
    return refused;
  }
}

function asEcu(row: EcuRow): Ecu {
  return {
    serial: row.serial,
    hardwareId: row.hardware_id,
    primary: row.is_primary === 1,
    keyId: row.key_id,
    key: keyOf(row),
    counter: row.counter,
  };
}

function keyOf(row: Pick<EcuRow, 'public_key'>): PublicKey {
  return JSON.parse(row.public_key) as PublicKey;
}

async function accept(
  write: Write,
  draft: Draft,
  job: Job,
  reports: readonly EcuReport[],
  now: number,
): Promise<void> {
  const vehicle = draft.vehicles.get(job.vehicle);
  if (vehicle === undefined) throw new ManifestRefused('wrong-vehicle', '', 'it is not in the inventory');
  const changes = reports.filter(({ serial, image }) => draft.ecus.get(serial)?.sha256 !== image.sha256);
  const before = new Map(changes.map(({ serial }) => [serial, draft.ecus.get(serial)?.sha256 ?? '']));
  const found = await notices(write, reports, before);
  for (const notice of found) draft.alerts.push({ vehicle: job.vehicle, evidence: job.text, ...notice });
  for (const report of reports) {
    const row = draft.ecus.get(report.serial);
    if (row !== undefined) draft.ecus.set(report.serial, { ...row, ...columnsOf(report) });
    draft.reported.add(report.serial);
  }
  const manifestId = sha256(Buffer.from(job.text));
  for (const { serial, image } of changes)
    draft.installs.push({
      serial,
      manifest_id: manifestId,
      at: now,
      path: image.path,
      sha256: image.sha256,
      manifest: job.text,
    });
  const revision = vehicle.revision + (changes.length > 0 ? 1 : 0);
  draft.vehicles.set(vehicle.id, { ...vehicle, last_seen: now, manifest: job.text, revision });
}

function columnsOf({ counter, time, image, attacks }: EcuReport) {
  return {
    counter,
    reported_at: time,
    path: image.path,
    sha256: image.sha256,
    length: image.length,
    attacks,
  };
}

/** A signature that should be by one ECU's key and is by that of an ECU elsewhere: one key in two devices. */
async function sharedKey(
  write: Write,
  vehicle: string,
  { stray, serial }: ManifestRefused,
): Promise<ManifestRefused | undefined> {
  for (const { keyid, sig } of stray?.signatures ?? []) {
    const { message } = stray as Stray;
    const elsewhere = write.selectFrom('ecus').selectAll().where('key_id', '=', keyid);
    const owner = await elsewhere.where('vehicle_id', '!=', vehicle).executeTakeFirst();
    if (owner === undefined || !verifySignature(keyOf(owner), message, sig)) continue;
    const what = `${serial} signs with the key of ${owner.serial} of ${owner.vehicle_id}`;
    return new ManifestRefused('key-shared', serial, what);
  }
  return undefined;
}

async function store(write: Write, draft: Draft, now: number): Promise<void> {
  const ecus = [...draft.reported].flatMap((serial) => draft.ecus.get(serial) ?? []);
  const seen = [...new Set(ecus.map((row) => row.vehicle_id))].flatMap((id) => draft.vehicles.get(id) ?? []);
  if (ecus.length > 0) {
    await write
      .insertInto('vehicles')
      .values(seen)
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((set) => ({
          last_seen: set.ref('excluded.last_seen'),
          manifest: set.ref('excluded.manifest'),
          revision: set.ref('excluded.revision'),
        })),
      )
      .execute();
    await write
      .insertInto('ecus')
      .values(ecus)
      .onConflict((conflict) =>
        conflict.column('serial').doUpdateSet((set) => ({
          counter: set.ref('excluded.counter'),
          reported_at: set.ref('excluded.reported_at'),
          path: set.ref('excluded.path'),
          sha256: set.ref('excluded.sha256'),
          length: set.ref('excluded.length'),
          attacks: set.ref('excluded.attacks'),
        })),
      )
      .execute();
  }
  if (draft.installs.length > 0) await keepInstalls(write, draft.installs);
  await raise(write, draft.alerts, now);
}

async function keepInstalls(write: Write, installs: Selectable<Tables['installs']>[]): Promise<void> {
  await write.insertInto('installs').values(installs).execute();
  for (const serial of new Set(installs.map((install) => install.serial))) {
    const newest = write.selectFrom('installs').select('manifest_id').where('serial', '=', serial);
    await write
      .deleteFrom('installs')
      .where('serial', '=', serial)
      .where('manifest_id', 'not in', newest.orderBy('at', 'desc').limit(HISTORY))
      .execute();
  }
}

/** As evidence; what no database takes is shown as what it is not. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString().replaceAll('\0', '\ufffd');
}
