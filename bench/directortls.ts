// The Director as vehicles reach it: a process of its own, TLS with a certificate of each vehicle, over connections that
// stay and over a fresh one for each request. Beside a server of node:https that does the same handshakes and nothing else,
// asked by the same vehicles. The vehicles are in this process, so that they are in every rate.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificateRequest } from '../host/node/director.ts';
import { systemClock } from '../repo/index.ts';
import { projectRoot } from '../scripts/abi.ts';
import type { Director } from '../server/director/director.ts';
import type { SimVehicle } from '../sim/vehicle.ts';
import { VehicleClient } from '../sim/vehicleclient.ts';
import type { Row } from './row.ts';

/** Vehicles that ask, and requests of each over one connection; a vehicle may make 60 at once. */
const VEHICLES = 100;
const KEPT = 20;
/** Connections of each that are new. */
const FRESH = 3;

const TIMESTAMP = '/director/metadata/timestamp.json';

type Ask = (line: VehicleClient, vehicle: SimVehicle) => Promise<{ readonly status: number }>;

/** `name`: of the database. The vehicles are in the inventory, and nobody else has the Director open. */
export async function tlsRows(name: string, director: Director, cars: readonly SimVehicle[]): Promise<Row[]> {
  const { directory } = director.folder;
  const lines = await connect(director, cars.slice(0, VEHICLES));
  const root = projectRoot();
  const serve = [join(root, 'build/js/cli/moult.js'), '--json', '-C', directory, 'director', 'serve'];
  const ours = await start([...serve, '--port', '0', '--enrol-port', '0']);
  const bare = await start([join(root, 'build/js/bench/https-process.js'), join(directory, 'tls')]);
  try {
    const report: Ask = (line, car) => line.post('/manifest', car.manifest(systemClock()));
    const read: Ask = (line) => line.get(TIMESTAMP);
    const row = async (what: string, unit: string, repeat: number, kept: boolean, ask: Ask): Promise<Row> => {
      const alone = await rate(lines, bare.port, { repeat, kept, ask });
      const value = await rate(lines, ours.port, { repeat, kept, ask });
      const beside = { peer: 'node:https', peerVersion: process.versions.node, ratio: value / alone };
      return { id: `director-tls-${what}-${name}`, value, unit, ...beside };
    };
    const rows = [
      await row('manifests', '/s, connections kept', KEPT, true, report),
      await row('timestamps', '/s, connections kept', KEPT, true, read),
      await row('manifests-fresh', '/s, a connection each', FRESH, false, report),
    ];
    return [
      ...rows,
      { id: `director-memory-${name}`, value: residentMiB(ours.child), unit: 'MiB, its process' },
    ];
  } finally {
    for (const { child } of [ours, bare]) child.kill();
  }
}

interface Line {
  readonly car: SimVehicle;
  readonly open: (port: number) => VehicleClient;
}

async function connect(director: Director, cars: readonly SimVehicle[]): Promise<Line[]> {
  const enrolment = await director.enrolment();
  const ca = director.folder.pair('ca').certificate;
  const lines: Line[] = [];
  for (const [index, car] of cars.entries()) {
    const { csr, key } = await certificateRequest(car.id);
    const cert = await enrolment.withManufacturer(car.id, csr);
    // Each from an address of its own, as the server counts connections by address.
    const identity = { ca, cert, key, localAddress: `127.2.0.${index + 1}` };
    lines.push({ car, open: (port) => new VehicleClient(() => port, identity) });
  }
  return lines;
}

/** A server in a process of its own, once it has printed its port. */
async function start(args: readonly string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [chunk] = await once(child.stdout, 'data');
  return { child, port: JSON.parse(String(chunk)).port };
}

/** Requests a second, all vehicles at once. `kept`: over a connection that is there before, else over a new one each. */
async function rate(
  lines: readonly Line[],
  port: number,
  { repeat, kept, ask }: { readonly repeat: number; readonly kept: boolean; readonly ask: Ask },
): Promise<number> {
  const clients = lines.map(({ car, open }) => ({
    car,
    each: Array.from({ length: kept ? 1 : repeat }, () => open(port)),
  }));
  if (kept) await Promise.all(clients.map(({ each: [line] }) => line?.get(TIMESTAMP)));
  const begun = performance.now();
  await Promise.all(
    clients.map(async ({ car, each }) => {
      for (let time = 0; time < repeat; time++) {
        const { status } = await ask(each[kept ? 0 : time] as VehicleClient, car);
        if (status !== 200) throw new Error(`${car.id} was answered ${status}`);
      }
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  for (const { each } of clients) for (const line of each) line.close();
  return (lines.length * repeat) / seconds;
}

/** Linux alone; elsewhere it is not known. */
function residentMiB({ pid }: ChildProcess): number {
  const status = `/proc/${pid}/status`;
  if (!existsSync(status)) return Number.NaN;
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(status, 'utf8'))?.[1];
  return Number(kib) / 1024;
}
