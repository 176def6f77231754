// A fleet that reports and asks without pause, an operator who changes what it is assigned, and servers that are
// killed. Whatever was acknowledged must be there; no version may ever be seen with two contents, nor fall.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { certificateRequest } from '../../host/node/director.ts';
import { createRepository, parseJson, serialize, sha256, systemClock } from '../../repo/index.ts';
import { Director } from '../../server/director/director.ts';
import { initDirector } from '../../server/director/folder.ts';
import { SimEcu, SimVehicle } from '../../sim/vehicle.ts';
import { VehicleClient } from '../../sim/vehicleclient.ts';

export interface KillOptions {
  /** The compiled command line. */
  readonly cli: string;
  /** An empty folder, and an empty database as a Director's settings name it. */
  readonly folder: string;
  readonly database: string;
  readonly vehicles: number;
  readonly servers: number;
  readonly kills: number;
  readonly onKill?: (done: number) => void;
}

export interface KillResult {
  readonly kills: number;
  /** Manifests that were acknowledged. */
  readonly acknowledged: number;
  /** Vehicles of which something acknowledged is gone. */
  readonly lost: readonly string[];
  /** Different signed files that were seen. */
  readonly files: number;
  /** Versions that were seen with two contents, or fell. */
  readonly broken: readonly string[];
  /** Answers that should not be. */
  readonly unexpected: readonly string[];
}

const GROUP = 'fleet';
const PAUSE_MS = 20;
/** Longer than a server that starts on a busy machine takes to answer a whole fleet. */
const STALLED_MS = 240_000;
const VERSIONS = ['1.0.0', '2.0.0'];

export async function killDirectors(options: KillOptions): Promise<KillResult> {
  const directory = join(options.folder, 'director');
  const paths = await prepare(options.folder, directory, options.database);
  const director = await Director.open(directory);
  const servers = Array.from({ length: options.servers }, () => new Server(options.cli, directory));
  const fleet = new Fleet(() => (servers[Math.floor(Math.random() * servers.length)] as Server).port);
  try {
    await director.sync();
    await fleet.enrol(director, options.vehicles);
    await Promise.all(servers.map((server) => server.start()));
    const stop = new AbortController();
    const busy = [...fleet.run(stop.signal), operate(director, paths, stop.signal)];
    for (let kill = 1; kill <= options.kills; kill++) {
      await fleet.progress(options.vehicles);
      await sleep(Math.random() * 100);
      const server = servers[kill % servers.length] as Server;
      await server.kill();
      await server.start();
      options.onKill?.(kill);
    }
    await fleet.progress(options.vehicles);
    stop.abort();
    await Promise.all(busy);
    return { kills: options.kills, ...fleet.result(), lost: await fleet.lost(director) };
  } finally {
    await Promise.all(servers.map((server) => server.kill()));
    fleet.close();
    await director.close();
  }
}

/** An Image repository with two releases and a Director beside it; returns their paths. */
async function prepare(folder: string, directory: string, database: string): Promise<string[]> {
  const images = await createRepository(join(folder, 'images'), { encrypt: false });
  const paths: string[] = [];
  for (const version of VERSIONS) {
    const image = { bytes: Buffer.from(version), name: 'app.bin' };
    const release = await images.addRelease({ image, component: 'app', version, hardwareIds: ['gw-1'] });
    paths.push(release.path);
  }
  await images.publish();
  await initDirector(directory, {
    name: 'fleet',
    database,
    image: images.publicDirectory,
    imageRoot: await images.root(1),
    hosts: ['127.0.0.1'],
    encrypt: false,
    clock: systemClock,
  });
  return paths;
}

/** Assigns and takes away, so that every vehicle's targets change again and again. */
async function operate(director: Director, paths: readonly string[], stop: AbortSignal): Promise<void> {
  for (let turn = 0; !stop.aborted; turn++) {
    const path = paths[turn % paths.length] ?? '';
    await director.assign({ scope: 'group', name: GROUP, path }, turn % 4 < 2);
    await sleep(150);
  }
}

/** A server in a process of its own, always on the port that it had first. */
class Server {
  port = 0;
  readonly #cli: string;
  readonly #directory: string;
  #process: ChildProcess | undefined;

  constructor(cli: string, directory: string) {
    this.#cli = cli;
    this.#directory = directory;
  }

  /** Returns when it listens; fails when it ends instead. */
  async start(): Promise<void> {
    const ports = ['--port', String(this.port), '--enrol-port', '0'];
    const args = [this.#cli, '--json', '-C', this.#directory, 'director', 'serve', ...ports];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    let output = '';
    const listening = new Promise<void>((done) => {
      child.stdout.on('data', (chunk) => {
        output += chunk;
        if (output.includes('\n')) done();
      });
      child.stderr.on('data', (chunk) => {
        output += chunk;
      });
    });
    await Promise.race([listening, once(child, 'close')]);
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended: ${output}`);
    this.port = JSON.parse(output.split('\n')[0] ?? '').port ?? 0;
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

interface Member {
  readonly car: SimVehicle;
  readonly line: VehicleClient;
  /** The counter of its last manifest that was acknowledged. */
  acknowledged: number;
  newest: number;
}

class Fleet {
  readonly #port: () => number;
  readonly #members: Member[] = [];
  readonly #contents = new Map<string, string>();
  readonly #broken: string[] = [];
  readonly #unexpected: string[] = [];
  #acknowledged = 0;

  constructor(port: () => number) {
    this.#port = port;
  }

  async enrol(director: Director, count: number): Promise<void> {
    const cars = Array.from(
      { length: count },
      (_, i) => new SimVehicle(`car-${i}`, [new SimEcu(`gw-${i}`, 'gw-1')]),
    );
    const inventory = cars.map((car) => ({ ...car.inventory(), group: GROUP }));
    await director.import(serialize(inventory), 'the fleet');
    const enrolment = await director.enrolment();
    const ca = director.folder.pair('ca').certificate;
    for (const [i, car] of cars.entries()) {
      const { csr, key } = await certificateRequest(car.id);
      const cert = await enrolment.withManufacturer(car.id, csr);
      // Each from an address of its own, as the server counts connections by address.
      const localAddress = `127.1.${i >> 8}.${(i & 255) + 1}`;
      const line = new VehicleClient(this.#port, { ca, cert, key, localAddress });
      this.#members.push({ car, line, acknowledged: 0, newest: 0 });
    }
  }

  run(stop: AbortSignal): Promise<void>[] {
    return this.#members.map(async (member) => {
      while (!stop.aborted) {
        // A connection that breaks says nothing: what was sent may have counted, or not.
        await this.#turn(member).catch(() => undefined);
        await sleep(PAUSE_MS);
      }
    });
  }

  /** Returns once so many manifests more were acknowledged, at an instant that nobody can tell before. */
  async progress(most: number): Promise<void> {
    const goal = this.#acknowledged + Math.ceil(most * Math.random());
    const end = performance.now() + STALLED_MS;
    while (this.#acknowledged < goal) {
      if (performance.now() > end)
        throw new Error(`${goal - this.#acknowledged} manifests are still missing after ${STALLED_MS} ms`);
      await sleep(PAUSE_MS);
    }
  }

  async #turn(member: Member): Promise<void> {
    const { car, line } = member;
    const manifest = car.manifest(systemClock());
    const { counter } = car.primary;
    const { status } = await line.post('/manifest', manifest);
    if (status === 200) {
      member.acknowledged = counter;
      this.#acknowledged++;
    } else if (status !== 503 && status !== 429)
      this.#unexpected.push(`${status} for a manifest of ${car.id}`);
    const timestamp = await this.#read(member, 'timestamp.json');
    const snapshotVersion = timestamp?.meta?.['snapshot.json']?.version;
    if (timestamp === undefined || snapshotVersion === undefined) return;
    if (timestamp.version < member.newest) this.#broken.push(`${car.id} timestamp fell`);
    member.newest = Math.max(member.newest, timestamp.version);
    const snapshot = await this.#read(member, `${snapshotVersion}.snapshot.json`);
    await this.#read(member, `${snapshot?.meta?.['targets.json']?.version}.targets.json`);
  }

  /** What is signed in it; and what it is under this version is remembered. */
  async #read({ car, line }: Member, name: string): Promise<Listing | undefined> {
    const { status, body } = await line.get(`/director/metadata/${name}`);
    if (status !== 200) return undefined;
    const { signed } = parseJson(body, name) as unknown as { signed: Listing };
    const key = `${car.id} ${signed._type} ${signed.version}`;
    const digest = sha256(body);
    if ((this.#contents.get(key) ?? digest) !== digest) this.#broken.push(`${key} has two contents`);
    this.#contents.set(key, digest);
    return signed;
  }

  result() {
    return {
      acknowledged: this.#acknowledged,
      files: this.#contents.size,
      broken: this.#broken,
      unexpected: this.#unexpected,
    };
  }

  /** Vehicles whose counter in the database is below one that was acknowledged. */
  async lost(director: Director): Promise<string[]> {
    const rows = await director.database.db.selectFrom('ecus').select(['serial', 'counter']).execute();
    const counters = new Map(rows.map(({ serial, counter }) => [serial, counter]));
    const isLost = ({ car, acknowledged }: Member) => (counters.get(car.primary.serial) ?? 0) < acknowledged;
    return this.#members.filter(isLost).map(({ car }) => car.id);
  }

  close(): void {
    for (const { line } of this.#members) line.close();
  }
}

interface Listing {
  readonly _type: string;
  readonly version: number;
  readonly meta?: Readonly<Record<string, { readonly version: number } | undefined>>;
}
