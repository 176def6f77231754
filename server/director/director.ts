// The Uptane Director: everything that the server and the command line do with one.
import { parseInventory } from '../../repo/director/inventory.ts';
import type { VehicleRole } from '../../repo/director/metadata.ts';
import { type Clock, type Passphrase, systemClock } from '../../repo/index.ts';
import { readImageRepository, takeCatalogue } from './catalogue.ts';
import { Authority } from './certificates.ts';
import { type Database, openDatabase } from './database.ts';
import { Enrolment } from './enrolment.ts';
import { DirectorFolder } from './folder.ts';
import { assign, importVehicles, note, type Scope, stateOf } from './inventory.ts';
import { Mark, readMark } from './mark.ts';
import { Reports } from './reports.ts';
import { backupRestored, Signer } from './signer.ts';
import { closeAlert, listAlerts, listVehicles, type OpenAlert, type VehicleStatus } from './status.ts';

export interface DirectorOptions {
  readonly clock?: Clock;
  readonly passphrase?: Passphrase;
}

/** A Director's data. What signs is `OnlineDirector`. */
export class Director {
  readonly folder: DirectorFolder;
  readonly database: Database;
  protected readonly clock: Clock;

  protected constructor(folder: DirectorFolder, database: Database, clock: Clock) {
    this.folder = folder;
    this.database = database;
    this.clock = clock;
  }

  static async open(directory: string, { clock = systemClock }: DirectorOptions = {}): Promise<Director> {
    const folder = new DirectorFolder(directory);
    return new Director(folder, await openDatabase(folder.database), clock);
  }

  /** Adds vehicles from a manufacturer's file, and returns how many. */
  async import(bytes: Uint8Array, name: string): Promise<number> {
    const vehicles = parseInventory(bytes, name);
    await importVehicles(this.database, vehicles, this.clock());
    return vehicles.length;
  }

  /** Reads the Image repository, and returns how many releases it lists. */
  async sync(): Promise<number> {
    const { image } = this.folder;
    return takeCatalogue(
      this.database,
      await readImageRepository(image, this.folder.imageRoot(), this.clock()),
    );
  }

  assign(to: { scope: Scope; name: string; path: string }, assigned = true): Promise<void> {
    return assign(this.database, to, assigned, this.clock());
  }

  vehicles(): Promise<VehicleStatus[]> {
    return listVehicles(this.database);
  }

  alerts(): Promise<OpenAlert[]> {
    return listAlerts(this.database);
  }

  closeAlert(vehicle: string, serial: string, kind: string): Promise<boolean> {
    return closeAlert(this.database, { vehicle, serial, kind }, this.clock());
  }

  async enrolment(): Promise<Enrolment> {
    return new Enrolment(this.database, await Authority.open(this.folder.pair('ca')), this.clock);
  }

  /** After an old backup was restored: every vehicle goes on above all versions that it can have seen. Each signed
   * file counts once, so no version of any vehicle can have risen by more than is missing in all. */
  async bump(): Promise<number> {
    const served = await readMark(this.folder.markFolder);
    return this.database.write(async (write) => {
      const missing = served - (await stateOf(write, 'sequence'));
      if (missing <= 0) return 0;
      const vehicles = await write.selectFrom('vehicles').select(['id', 'version_floor']).execute();
      for (const { id, version_floor } of vehicles) {
        const files = write.selectFrom('signed').where('vehicle_id', '=', id);
        const { version } = await files
          .select(({ fn }) => fn.max('version').as('version'))
          .executeTakeFirstOrThrow();
        const floor = Math.max(version ?? 0, version_floor) + missing;
        const changed = { version_floor: floor, signed_basis: '', refresh_at: 0 };
        await write.updateTable('vehicles').set(changed).where('id', '=', id).execute();
      }
      // A vehicle that is enrolled again has seen versions too.
      const floor = (await stateOf(write, 'floor')) + missing;
      await write.updateTable('state').set({ value: floor }).where('name', '=', 'floor').execute();
      await write.updateTable('state').set({ value: served }).where('name', '=', 'sequence').execute();
      await write.deleteFrom('signed').execute();
      await note(write, this.clock(), 'bump', `${vehicles.length} vehicles`, `${missing} versions`);
      return missing;
    });
  }

  close(): Promise<void> {
    return this.database.close();
  }
}

/** A Director with its online keys: manifests in, metadata out. */
export class OnlineDirector extends Director {
  readonly #reports: Reports;
  readonly #signer: Signer;
  readonly #mark: Mark;

  private constructor(director: Director, signer: Signer, mark: Mark, clock: Clock) {
    super(director.folder, director.database, clock);
    this.#reports = new Reports(director.database, clock);
    this.#signer = signer;
    this.#mark = mark;
  }

  /** Refuses (`backup-restored`) a database that knows less than was served. */
  static override async open(directory: string, options: DirectorOptions = {}): Promise<OnlineDirector> {
    const { clock = systemClock, passphrase } = options;
    const director = await Director.open(directory, options);
    try {
      const { folder, database } = director;
      const keys = await folder.keys(passphrase);
      const known = await stateOf(database.db, 'sequence');
      const served = await readMark(folder.markFolder);
      if (known < served) throw backupRestored(known, served);
      const mark = await Mark.open(folder.markFolder);
      const { expiry } = folder.settings;
      const signer = new Signer({ database, keys, expiry, mark, clock });
      return new OnlineDirector(director, signer, mark, clock);
    } catch (error) {
      await director.close();
      throw error;
    }
  }

  /** A manifest of an authenticated vehicle; throws `ManifestRefused`. */
  report(vehicle: string, manifest: Uint8Array): Promise<void> {
    return this.#reports.add(vehicle, manifest);
  }

  timestamp(vehicle: string): Promise<Uint8Array | undefined> {
    return this.#signer.timestamp(vehicle);
  }

  file(vehicle: string, role: VehicleRole, version: number): Promise<Uint8Array | undefined> {
    return this.#signer.file(vehicle, role, version);
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#mark.close();
  }
}
