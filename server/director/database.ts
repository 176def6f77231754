// The Director's database: a file (SQLite) or a PostgreSQL server, through the same queries. What a write returned is
// on disk: SQLite in WAL mode with synchronous FULL, PostgreSQL with synchronous_commit on.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  PostgresDialect,
  SqliteDialect,
  SqliteDriver,
  type Transaction,
} from 'kysely';
import { messageOf, RepositoryError, systemCode } from '../../repo/index.ts';
import { migrate, type Tables } from './tables.ts';

/** Milliseconds that a process waits for another one that writes to the same file. */
const BUSY_TIMEOUT_MS = 30_000;
const BUSY_PAUSE_MS = 5;
const POOL_SIZE = 8;

export type Write = Transaction<Tables>;

export class Database {
  readonly db: Kysely<Tables>;
  /** Rows can be locked; in SQLite a writer is alone anyway. */
  readonly #locks: boolean;

  constructor(db: Kysely<Tables>, locks: boolean) {
    this.db = db;
    this.#locks = locks;
  }

  /** All of it or nothing, and on disk when it returns. */
  write<T>(act: (write: Write) => Promise<T>): Promise<T> {
    return this.db.transaction().execute(act);
  }

  /** These vehicles, held until the end of the transaction. In one order, so that no two writers wait for each other. */
  vehicles(write: Write, ids: Iterable<string>) {
    const rows = write
      .selectFrom('vehicles')
      .selectAll()
      .where('id', 'in', [...new Set(ids)])
      .orderBy('id');
    return (this.#locks ? rows.forUpdate() : rows).execute();
  }

  close(): Promise<void> {
    return this.db.destroy();
  }
}

/** `place`: the path of a file, or `postgres://…`. Refuses with `database-failed`. */
export async function openDatabase(place: string): Promise<Database> {
  const postgres = /^postgres(ql)?:\/\//.test(place);
  try {
    const db = new Kysely<Tables>({
      dialect: postgres ? await postgresDialect(place) : await sqliteDialect(place),
    });
    await migrate(db);
    return new Database(db, postgres);
  } catch (error) {
    if (error instanceof RepositoryError) throw error;
    const where = postgres ? 'the PostgreSQL server' : place;
    throw new RepositoryError('database-failed', `${where} cannot be opened: ${messageOf(error)}`, error);
  }
}

async function postgresDialect(url: string): Promise<PostgresDialect> {
  const { default: pg } = await import('pg');
  const types = {
    // 64-bit integers come as text; all that are kept here are below 2^53.
    getTypeParser: (id: number, format?: 'text' | 'binary') =>
      id === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(id, format as 'text'),
  };
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    types: types as never,
    options: '-c synchronous_commit=on',
  });
  // A connection that breaks while nobody uses it is replaced; whoever uses one gets the error itself.
  pool.on('error', () => undefined);
  return new PostgresDialect({ pool });
}

async function sqliteDialect(path: string): Promise<SqliteDialect> {
  const Sqlite = await loadSqlite();
  const database = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  return new WriterDialect({ database });
}

async function loadSqlite() {
  try {
    const { default: Sqlite } = await import('better-sqlite3');
    new Sqlite(':memory:').close();
    return Sqlite;
  } catch (error) {
    const remedy = 'fetch or build it with "npm run sqlite", or use PostgreSQL';
    throw new RepositoryError('database-failed', `the SQLite binding is not there: ${remedy}`, error);
  }
}

/** A transaction takes the write lock at once: one that reads first could not be given it later. While another process
 * has it, this one goes on answering. */
class WriterDialect extends SqliteDialect {
  readonly #config: ConstructorParameters<typeof SqliteDialect>[0];

  constructor(config: ConstructorParameters<typeof SqliteDialect>[0]) {
    super(config);
    this.#config = config;
  }

  override createDriver(): SqliteDriver {
    return new WriterDriver(this.#config);
  }
}

class WriterDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const end = performance.now() + BUSY_TIMEOUT_MS;
    const ask = (sql: string) => connection.executeQuery(CompiledQuery.raw(sql));
    await ask('pragma busy_timeout = 0');
    try {
      while (!(await isGranted(() => ask('begin immediate'), end))) await sleep(BUSY_PAUSE_MS);
    } finally {
      await ask(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
  }
}

/** Whether the write lock is ours; throws once there is no more time to wait for it. */
async function isGranted(begin: () => Promise<unknown>, end: number): Promise<boolean> {
  try {
    await begin();
    return true;
  } catch (error) {
    if (systemCode(error) !== 'SQLITE_BUSY' || performance.now() > end) throw error;
    return false;
  }
}
