// The Director: manifests of two ECUs verified and committed, metadata signed and served, in this process and without the
// network; then as vehicles reach it (directortls.ts). On SQLite, and on PostgreSQL where MOULT_BENCH_POSTGRES names an empty database. Beside the least
// that could do: one signature verified and one row committed at a time, with node:crypto and better-sqlite3 alone.
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { createRepository, serialize, systemClock } from '../repo/index.ts';
import { Director, OnlineDirector } from '../server/director/director.ts';
import { initDirector } from '../server/director/folder.ts';
import { SimEcu, SimVehicle } from '../sim/vehicle.ts';
import { packageVersion } from './crypto.ts';
import { tlsRows } from './directortls.ts';
import type { Row } from './row.ts';

const VEHICLES = 500;
const ROUNDS = 4;
const ALONE = 1000;

export async function directorRows(): Promise<Row[]> {
  const Sqlite = await loadSqlite();
  if (Sqlite === undefined) return [];
  const folder = mkdtempSync(join(tmpdir(), 'moult-bench-'));
  try {
    const peer = { peer: 'better-sqlite3, one at a time', peerVersion: packageVersion('better-sqlite3') };
    const alone = aloneRate(new Sqlite(join(folder, 'alone.db')));
    const url = process.env.MOULT_BENCH_POSTGRES;
    const databases = [['sqlite', 'director.db'], ...(url === undefined ? [] : [['postgres', url]])];
    const rows: Row[] = [];
    for (const [name = '', database = ''] of databases) {
      const rates = await measure(name, join(folder, name), database);
      const ratio = rates.manifests / alone;
      rows.push(
        { id: `director-manifests-${name}`, value: rates.manifests, unit: '/s', ...peer, ratio },
        { id: `director-signed-${name}`, value: rates.signed, unit: 'vehicles/s' },
        { id: `director-served-${name}`, value: rates.served, unit: 'timestamps/s' },
        ...rates.overTls,
      );
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(name: string, folder: string, database: string) {
  const { director, cars } = await makeFleet(folder, database);
  // Signed before the clock starts: the Director's work is what counts.
  const rounds = Array.from({ length: ROUNDS }, () => cars.map((car) => car.manifest(systemClock())));
  const report = async () => {
    for (const round of rounds)
      await Promise.all(cars.map((car, i) => director.report(car.id, round[i] ?? new Uint8Array())));
  };
  const timestamps = () => Promise.all(cars.map((car) => director.timestamp(car.id)));
  const rates = {
    manifests: await rate(ROUNDS * VEHICLES, report),
    signed: await rate(VEHICLES, timestamps),
    served: await rate(VEHICLES, timestamps),
  };
  await director.close();
  const data = await Director.open(director.folder.directory);
  const overTls = await tlsRows(name, data, cars);
  await data.close();
  return { ...rates, overTls };
}

async function makeFleet(folder: string, database: string) {
  const images = await createRepository(join(folder, 'images'), { encrypt: false });
  const directory = join(folder, 'director');
  await initDirector(directory, {
    name: 'bench',
    database,
    image: images.publicDirectory,
    imageRoot: await images.root(1),
    hosts: ['127.0.0.1'],
    encrypt: false,
    clock: systemClock,
  });
  const director = await OnlineDirector.open(directory);
  const cars = Array.from(
    { length: VEHICLES },
    (_, i) => new SimVehicle(`car-${i}`, [new SimEcu(`gw-${i}`, 'gw-1'), new SimEcu(`rf-${i}`, 'rf-2')]),
  );
  await director.import(serialize(cars.map((car) => car.inventory())), 'the fleet');
  return { director, cars };
}

async function rate(count: number, act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return (count * 1000) / (performance.now() - start);
}

async function loadSqlite(): Promise<typeof Sqlite | undefined> {
  try {
    const { default: loaded } = await import('better-sqlite3');
    new loaded(':memory:').close();
    return loaded;
  } catch {
    process.stderr.write('left out: the rows of the Director; to have them: npm run sqlite\n');
    return undefined;
  }
}

function aloneRate(database: Sqlite.Database): number {
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec('create table report (id integer primary key, body blob)');
  const insert = database.prepare('insert into report (body) values (?)');
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const body = Buffer.alloc(600, 'x');
  const signature = sign(null, body, privateKey);
  const start = performance.now();
  for (let i = 0; i < ALONE; i++) if (verify(null, body, publicKey, signature)) insert.run(body);
  const seconds = (performance.now() - start) / 1000;
  database.close();
  return ALONE / seconds;
}
