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
  /** Called once vehicles can report, with 0, and after each kill. */
  readonly onKill?: (done: number, seen: Seen) => void;
}

/** What the fleet has seen so far. */
export interface Seen {
  /** Manifests that were acknowledged. */
  readonly acknowledged: number;
  /** Different signed files. */
  readonly files: number;
}

export interface KillResult extends Seen {
  readonly kills: number;
  /** Vehicles of which something acknowledged was gone after a kill. */
  readonly lost: readonly string[];
  /** Versions that were seen with two contents, or fell. */
  readonly broken: readonly string[];
  /** Answers that should not be. */
  readonly unexpected: readonly string[];
}

const GROUP = 'fleet';
const PAUSE_MS = 20;
/** The longest that a vehicle waits which found no server: five hundred that knock at once keep one from starting. */
const RETRY_MS = 1000;
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
    options.onKill?.(0, fleet.seen);
    for (let kill = 1; kill <= options.kills; kill++) {
      await fleet.progress(2 * options.vehicles);
      await sleep(Math.random() * 100);
      const server = servers[kill % servers.length] as Server;
      await server.kill();
      await fleet.compare(director);
      await server.start();
      options.onKill?.(kill, fleet.seen);
    }
    await fleet.progress(2 * options.vehicles);
    stop.abort();
    await Promise.all(busy);
    await fleet.compare(director);
    return { kills: options.kills, ...fleet.seen, ...fleet.faults };
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
    // It outlives nobody who breaks the run off.
    process.once('exit', () => this.#process?.kill('SIGKILL'));
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
  readonly #lost = new Set<string>();
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
        const pause = await this.#turn(member).then(
          () => PAUSE_MS,
          () => RETRY_MS * Math.random(),
        );
        await sleep(pause);
      }
    });
  }

  /** Returns after up to so many answers more, manifests acknowledged and files not seen before, at an instant that
   * nobody can tell before. */
  async progress(most: number): Promise<void> {
    const goal = this.#answers + Math.ceil(most * Math.random());
    const end = performance.now() + STALLED_MS;
    while (this.#answers < goal) {
      if (performance.now() > end)
        throw new Error(`${goal - this.#answers} answers are still missing after ${STALLED_MS} ms`);
      await sleep(PAUSE_MS);
    }
  }

  get #answers(): number {
    return this.#acknowledged + this.#contents.size;
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

  get seen(): Seen {
    return { acknowledged: this.#acknowledged, files: this.#contents.size };
  }

  get faults() {
    return { lost: [...this.#lost], broken: this.#broken, unexpected: this.#unexpected };
  }

  /** Notes the vehicles whose counter in the database is below one that was acknowledged. After each kill: a counter
   * that rises again later hides what was lost. */
  async compare(director: Director): Promise<void> {
    const acknowledged = this.#members.map(({ car, acknowledged }) => ({ car, acknowledged }));
    const rows = await director.database.db.selectFrom('ecus').select(['serial', 'counter']).execute();
    const counters = new Map(rows.map(({ serial, counter }) => [serial, counter]));
    for (const { car, acknowledged: least } of acknowledged)
      if ((counters.get(car.primary.serial) ?? 0) < least) this.#lost.add(car.id);
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
