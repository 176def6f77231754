// The databases that the Director's tests run on: a file, and a PostgreSQL server where one answers. Each test has a
// database of its own.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeEach } from 'vitest';
import { openDatabase } from '../../server/director/database.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { optional } from '../optional.ts';

const SERVER = process.env.MOULT_TEST_POSTGRES ?? 'postgres://postgres@127.0.0.1:5432/postgres';

const made: string[] = [];

afterAll(async () => {
  for (const name of made.splice(0)) await ask(`drop database if exists ${name} with (force)`);
});

async function ask(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: SERVER, connectionTimeoutMillis: 3000 });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

const hasPostgres = await ask('select 1').then(
  () => true,
  () => false,
);

const hasSqlite = await openDatabase(':memory:').then(
  (database) => database.close().then(() => true),
  () => false,
);

/** An empty database, as a Director's settings name it. */
export type NewDatabase = () => Promise<string>;

export const DATABASES: readonly { name: string; run: ReturnType<typeof optional>; make: NewDatabase }[] = [
  {
    name: 'SQLite',
    run: optional(hasSqlite, 'npm run sqlite'),
    make: async () => join(temporaryFolder(), 'director.db'),
  },
  { name: 'PostgreSQL', run: optional(hasPostgres, 'bash scripts/postgres.sh'), make: makePostgres },
];

async function makePostgres(): Promise<string> {
  const name = `moult_test_${randomBytes(6).toString('hex')}`;
  await ask(`create database ${name}`);
  made.push(name);
  const url = new URL(SERVER);
  url.pathname = `/${name}`;
  return url.href;
}

/** Around each test of a file whose tests are on SQLite. Where that is not there they are left out, and so is this. */
export function aroundEachOnSqlite(before: () => Promise<void>, after: () => Promise<void>): void {
  if (!hasSqlite) return;
  beforeEach(before);
  afterEach(after);
}

/** One test on each database. */
export function onEach(name: string, body: (make: NewDatabase) => Promise<void>, timeout?: number): void {
  for (const database of DATABASES)
    database.run(`${name} (${database.name})`, () => body(database.make), timeout);
}
