// How a vehicle gets the certificate that it is known by: a certificate request, with a token that is good once, or
// under a manufacturer's certificate that names the vehicle.
import { randomBytes } from 'node:crypto';
import { type Clock, RepositoryError, sha256 } from '../../repo/index.ts';
import { type Authority, CERTIFICATE_LIFETIME, fingerprintOf } from './certificates.ts';
import type { Database, Write } from './database.ts';
import { note } from './inventory.ts';

const TOKEN_BYTES = 24;

export class Enrolment {
  readonly #database: Database;
  readonly #authority: Authority;
  readonly #clock: Clock;

  constructor(database: Database, authority: Authority, clock: Clock) {
    this.#database = database;
    this.#authority = authority;
    this.#clock = clock;
  }

  /** A token for one certificate of a vehicle in the inventory. Only its hash is kept. */
  async token(vehicle: string, lifetime: number): Promise<string> {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const expires = this.#clock() + lifetime;
    await this.#database.write(async (write) => {
      await assertVehicle(write, vehicle, 'bad-argument');
      const row = { digest: digestOf(token), vehicle_id: vehicle, expires, used_at: 0 };
      await write.insertInto('tokens').values(row).execute();
      await note(write, this.#clock(), 'token', vehicle, '');
    });
    return token;
  }

  /** The certificate for a request with a token. Refuses with `enrolment-refused`. */
  async withToken(token: string, request: string): Promise<string> {
    return this.#database.write(async (write) => {
      const now = this.#clock();
      // Used up and checked in one step: of two requests with one token one gets nothing.
      const used = await write
        .updateTable('tokens')
        .set({ used_at: now })
        .where('digest', '=', digestOf(token))
        .where('used_at', '=', 0)
        .where('expires', '>', now)
        .returning('vehicle_id')
        .executeTakeFirst();
      if (used === undefined)
        throw new RepositoryError('enrolment-refused', 'the token is unknown, used or expired');
      return this.#issue(write, used.vehicle_id, request);
    });
  }

  /** The certificate for a request of the vehicle that a manufacturer's certificate names. */
  async withManufacturer(vehicle: string, request: string): Promise<string> {
    return this.#database.write((write) => this.#issue(write, vehicle, request));
  }

  /** The vehicle that a client's certificate is of; undefined: of none, or it is revoked. */
  async vehicleOf(fingerprint: string): Promise<string | undefined> {
    const rows = this.#database.db.selectFrom('certificates').select('vehicle_id');
    const valid = rows.where('fingerprint', '=', fingerprint).where('revoked_at', '=', 0);
    return (await valid.executeTakeFirst())?.vehicle_id;
  }

  /** Revokes all certificates of a vehicle, and returns how many. */
  async revoke(vehicle: string): Promise<number> {
    return this.#database.write(async (write) => {
      const now = this.#clock();
      const rows = write
        .updateTable('certificates')
        .set({ revoked_at: now })
        .where('vehicle_id', '=', vehicle);
      const { numUpdatedRows } = await rows.where('revoked_at', '=', 0).executeTakeFirstOrThrow();
      await note(write, now, 'revoke', vehicle, '');
      return Number(numUpdatedRows);
    });
  }

  async #issue(write: Write, vehicle: string, request: string): Promise<string> {
    await assertVehicle(write, vehicle, 'enrolment-refused');
    const now = this.#clock();
    const certificate = await this.#authority.vehicle(request, vehicle, now);
    const fingerprint = fingerprintOf(certificate);
    const row = { fingerprint, vehicle_id: vehicle, not_after: now + CERTIFICATE_LIFETIME, revoked_at: 0 };
    await write.insertInto('certificates').values(row).execute();
    await note(write, now, 'enrol', vehicle, fingerprint);
    return certificate;
  }
}

async function assertVehicle(
  write: Write,
  vehicle: string,
  code: 'bad-argument' | 'enrolment-refused',
): Promise<void> {
  const known = await write.selectFrom('vehicles').select('id').where('id', '=', vehicle).executeTakeFirst();
  if (known === undefined) throw new RepositoryError(code, `there is no vehicle ${vehicle} in the inventory`);
}

function digestOf(token: string): string {
  return sha256(Buffer.from(token));
}
