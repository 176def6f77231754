// The Director's tables and how they come to be, the same on SQLite and PostgreSQL. Migrations are append only.
// Times are seconds since 1970; 0 or an empty text: none.
import { type Kysely, type Migration, Migrator } from 'kysely';
import { RepositoryError } from '../../repo/index.ts';

export interface Tables {
  vehicles: {
    id: string;
    /** Of vehicles that are assigned releases together. */
    group_name: string;
    last_seen: number;
    /** The last manifest that counted, as it came. */
    manifest: string;
    /** Rises with all that may change what this vehicle is directed to install. */
    revision: number;
    /** What the newest signed files were made from; see signer.ts. */
    signed_basis: string;
    /** When one of them must be renewed. */
    refresh_at: number;
    /** No file is signed with this version or a lower one; raised after a backup was restored. */
    version_floor: number;
  };
  ecus: {
    serial: string;
    vehicle_id: string;
    hardware_id: string;
    is_primary: number;
    key_id: string;
    /** The public key object of TUF, in JSON. */
    public_key: string;
    /** SHA-256 of the bare key, however it is written. Unique: one key is of one ECU. */
    key_material: string;
    counter: number;
    reported_at: number;
    path: string;
    sha256: string;
    length: number;
    attacks: string;
  };
  /** What each ECU had, from when on; only changes. */
  installs: {
    serial: string;
    manifest_id: string;
    at: number;
    path: string;
    sha256: string;
    manifest: string;
  };
  /** Targets of the Image repository that are or were listed there. */
  releases: { path: string; sha256: string; length: number; custom: string; listed: number };
  assignments: { scope: string; name: string; path: string; at: number };
  /** Signed files. (vehicle_id, role, version) is the primary key: no version is signed twice. */
  signed: {
    vehicle_id: string;
    role: string;
    version: number;
    /** Counts all files that this Director ever signed. */
    sequence: number;
    expires: number;
    key_id: string;
    /** Digest of what targets direct. */
    content: string;
    text: string;
  };
  /** `sequence`, `fleet` (rises with what may concern every vehicle), `floor` (version_floor of new vehicles). */
  state: { name: string; value: number };
  alerts: {
    vehicle_id: string;
    serial: string;
    kind: string;
    detail: string;
    count: number;
    first_at: number;
    last_at: number;
    /** The manifest that it was first seen in. */
    evidence: string;
    closed_at: number;
  };
  audit: { id: string; at: number; event: string; subject: string; detail: string };
  certificates: { fingerprint: string; vehicle_id: string; not_after: number; revoked_at: number };
  tokens: { digest: string; vehicle_id: string; expires: number; used_at: number };
}

/** Columns, their kinds and the primary key of each table. */
const FIRST: { readonly [T in keyof Tables]: [Record<keyof Tables[T], 'text' | 'bigint'>, ...string[]] } = {
  vehicles: [
    {
      id: 'text',
      group_name: 'text',
      last_seen: 'bigint',
      manifest: 'text',
      revision: 'bigint',
      signed_basis: 'text',
      refresh_at: 'bigint',
      version_floor: 'bigint',
    },
    'id',
  ],
  ecus: [
    {
      serial: 'text',
      vehicle_id: 'text',
      hardware_id: 'text',
      is_primary: 'bigint',
      key_id: 'text',
      public_key: 'text',
      key_material: 'text',
      counter: 'bigint',
      reported_at: 'bigint',
      path: 'text',
      sha256: 'text',
      length: 'bigint',
      attacks: 'text',
    },
    'serial',
  ],
  installs: [
    { serial: 'text', manifest_id: 'text', at: 'bigint', path: 'text', sha256: 'text', manifest: 'text' },
    'serial',
    'manifest_id',
  ],
  releases: [
    { path: 'text', sha256: 'text', length: 'bigint', custom: 'text', listed: 'bigint' },
    'path',
    'sha256',
  ],
  assignments: [{ scope: 'text', name: 'text', path: 'text', at: 'bigint' }, 'scope', 'name', 'path'],
  signed: [
    {
      vehicle_id: 'text',
      role: 'text',
      version: 'bigint',
      sequence: 'bigint',
      expires: 'bigint',
      key_id: 'text',
      content: 'text',
      text: 'text',
    },
    'vehicle_id',
    'role',
    'version',
  ],
  state: [{ name: 'text', value: 'bigint' }, 'name'],
  alerts: [
    {
      vehicle_id: 'text',
      serial: 'text',
      kind: 'text',
      detail: 'text',
      count: 'bigint',
      first_at: 'bigint',
      last_at: 'bigint',
      evidence: 'text',
      closed_at: 'bigint',
    },
    'vehicle_id',
    'serial',
    'kind',
  ],
  audit: [{ id: 'text', at: 'bigint', event: 'text', subject: 'text', detail: 'text' }, 'id'],
  certificates: [
    { fingerprint: 'text', vehicle_id: 'text', not_after: 'bigint', revoked_at: 'bigint' },
    'fingerprint',
  ],
  tokens: [{ digest: 'text', vehicle_id: 'text', expires: 'bigint', used_at: 'bigint' }, 'digest'],
};

const INDEXES: readonly [keyof Tables, string, boolean][] = [
  ['ecus', 'vehicle_id', false],
  ['ecus', 'key_id', false],
  ['ecus', 'key_material', true],
  ['releases', 'sha256', false],
];

const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-director': {
    async up(db: Kysely<unknown>) {
      for (const [table, [columns, ...key]] of Object.entries(FIRST)) {
        let create = db.schema.createTable(table);
        for (const [name, kind] of Object.entries(columns))
          create = create.addColumn(name, kind, (column) => column.notNull());
        await create.addPrimaryKeyConstraint(`${table}_key`, key as never[]).execute();
      }
      for (const [table, column, unique] of INDEXES) {
        const index = db.schema.createIndex(`${table}_${column}`).on(table).column(column);
        await (unique ? index.unique() : index).execute();
      }
      const values = ['sequence', 'fleet', 'floor'].map((name) => ({ name, value: 0 }));
      await (db as Kysely<Tables>).insertInto('state').values(values).execute();
    },
  },
};

/** Brings a database to the newest shape; two processes may do it at once. */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  const provider = { getMigrations: async () => MIGRATIONS };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error !== undefined)
    throw new RepositoryError(
      'database-failed',
      `the database cannot be brought up to date: ${error}`,
      error,
    );
}
