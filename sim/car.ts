// A vehicle whose ECUs run their real cores: a Primary and Secondaries, the lines between them with somebody in the middle,
// a Director and an Image repository, one clock. The same seed replays a run.
import type { ClientEvent, DeviceActions } from '../host/node/client.ts';
import type { Clock } from '../host/node/clock.ts';
import { type Geometry, uniformGeometry } from '../host/node/flash.ts';
import { Gateway } from '../host/node/gateway.ts';
import { LinkClient } from '../host/node/linkclient.ts';
import { Primary, type PrimaryEvent, type PrimaryOptions } from '../host/node/primary.ts';
import type { DeviceConfiguration, InstalledImage } from '../host/node/provision.ts';
import { Secondary } from '../host/node/secondary.ts';
import { type Direction, directedTargets } from '../repo/director/metadata.ts';
import { sha256 } from '../repo/index.ts';
import { SimClock } from './clock.ts';
import { SimDepot } from './depot.ts';
import { SimDevice } from './device.ts';
import { SimDirector } from './director.ts';
import { SimNetwork } from './network.ts';
import { PowerCut } from './power.ts';
import { Random } from './random.ts';
import { type SimRelease, SimRepository } from './repository.ts';
import { START } from './scenarios/world.ts';

export interface CarEcu {
  readonly serial: string;
  readonly hardwareId: string;
  /** The Primary verifies in full; a Secondary does when left out. */
  readonly verification?: 'full' | 'partial';
  /** Whether the image that runs works; every one does when left out. */
  readonly selfTest?: (image: Uint8Array) => boolean;
}

/** What is in an ECU when it leaves the factory. */
export interface EcuFactory {
  readonly root: Uint8Array;
  readonly directorRoot?: Uint8Array;
  readonly configuration: DeviceConfiguration;
  readonly image: Uint8Array;
  readonly geometry: Geometry;
  /** What it signs its reports with. */
  readonly key?: Uint8Array;
}

export interface CarOptions {
  /** Its id; `car-1`. */
  readonly vehicle?: string;
  /** The time and the Image repository of other vehicles; its own when left out. */
  readonly beside?: Car;
  /** The first one is the Primary. */
  readonly ecus?: readonly [CarEcu, ...CarEcu[]];
  readonly seed?: number;
  readonly geometry?: Geometry;
  /** Seconds without power after a cut; 3. */
  readonly dark?: number;
  readonly onEvent?: (event: PrimaryEvent) => void;
  readonly onSecondary?: (serial: string, event: ClientEvent) => void;
  readonly mayReboot?: PrimaryOptions['mayReboot'];
  /** Gets the vehicle's manifests: its ECUs have keys then, and say what they have. */
  readonly send?: PrimaryOptions['send'];
  /** When it begins, in seconds since 1970; 2030-01-01. */
  readonly start?: number;
}

/** Somebody on the line of a Secondary. What is returned passes instead; undefined: nothing. */
export type Meddler = (bytes: Uint8Array, from: 'primary' | 'secondary') => Uint8Array | undefined;

/** A gateway, an ECU that verifies in full and one that verifies in part. */
export const ECUS: readonly [CarEcu, ...CarEcu[]] = [
  { serial: 'gateway', hardwareId: 'gw-1' },
  { serial: 'brakes', hardwareId: 'br-2' },
  { serial: 'radio', hardwareId: 'rf-3', verification: 'partial' },
];
/** Bytes of an image. */
export const IMAGE_LENGTH = 3000;

const GEOMETRY_OF_ECUS = uniformGeometry({ block: 4096, unit: 4, erased: 0xff, bank: 32_768, slot: 8192 });
/** Seconds from check to check; a Secondary looks as often as it may. */
const INTERVAL = 60;
/** Whoever still runs after the end of a simulation. */
class Stopped extends Error {}
/** A Primary that boots again is a new process. */
class Restarted extends Error {}

/** An image: what it is for, and in its first byte whether it works. */
export function imageFor(hardwareId: string, releaseCounter: number, works = true): Uint8Array {
  const bytes = new Random(releaseCounter * 1000 + hardwareId.length).bytes(IMAGE_LENGTH);
  bytes.set(Buffer.from(`${works ? 'W' : 'B'} ${hardwareId} ${releaseCounter} `));
  return bytes;
}

export class Car {
  readonly vehicle: string;
  readonly clock: SimClock;
  readonly images: SimRepository;
  readonly director: SimDirector;
  readonly network: SimNetwork;
  readonly ecus: readonly [CarEcu, ...CarEcu[]];
  /** By serial. */
  readonly devices = new Map<string, SimDevice>();
  readonly depot: SimDepot;
  /** On the lines of Secondaries, by serial. */
  readonly meddlers = new Map<string, Meddler>();
  /** Serials of ECUs whose power is off. */
  readonly dark = new Set<string>();
  /** Times that each ECU was switched on. */
  readonly boots = new Map<string, number>();
  readonly #options: CarOptions;
  readonly #directions = new Map<string, Direction>();
  #primary: Primary | undefined;
  #deadline = 0;
  /** Whether it ends when all are at rest. */
  #rests = true;
  /** Serials of those that wait for their next check. */
  readonly #idle = new Set<string>();
  #session = 0;

  constructor(options: CarOptions = {}) {
    const { ecus = ECUS, seed = 1, vehicle = 'car-1', beside, start = START } = options;
    this.#options = options;
    this.ecus = ecus;
    this.vehicle = vehicle;
    this.clock = beside?.clock ?? new SimClock(start);
    const now = () => this.clock.seconds();
    this.images = beside?.images ?? new SimRepository(now, seed);
    this.director = new SimDirector(vehicle, now, seed + 1000);
    this.network = new SimNetwork((path) => this.#served(path), this.clock);
    for (const [index, ecu] of ecus.entries())
      this.devices.set(
        ecu.serial,
        new SimDevice({ ...this.factory(ecu), client: ADDRESSES, seed: seed + index }),
      );
    this.depot = new SimDepot(this.device(ecus[0].serial).power);
    if (beside) this.direct(1);
    else this.release(1);
  }

  get primary(): CarEcu {
    return this.ecus[0];
  }

  device(serial: string): SimDevice {
    const device = this.devices.get(serial);
    if (!device) throw new Error(`no ECU ${serial}`);
    return device;
  }

  /** The release that an ECU runs, by the bytes in its slot; 0: none that is known. */
  runs(serial: string): number {
    const { hardwareId } = this.#ecu(serial);
    const bytes = this.device(serial).running(IMAGE_LENGTH);
    const isOf = (release: number) =>
      [true, false].some((works) => Buffer.compare(imageFor(hardwareId, release, works), bytes) === 0);
    return [1, 2, 3, 4, 5, 6].find(isOf) ?? 0;
  }

  /** The same for all, the Primary first. */
  get versions(): number[] {
    return this.ecus.map(({ serial }) => this.runs(serial));
  }

  /** Publishes a release for each ECU, and directs it to all of them. `broken`: those whose images do not work. */
  release(releaseCounter: number, options: { broken?: readonly string[] } = {}): void {
    this.publish(releaseCounter, options);
    this.direct(releaseCounter);
  }

  /** The same for all vehicles with these ECUs, and nobody is directed to it. */
  publish(releaseCounter: number, { broken = [] }: { broken?: readonly string[] } = {}): void {
    this.images.publish(
      ...this.ecus.map(({ serial, hardwareId }) =>
        releaseOf(hardwareId, releaseCounter, imageFor(hardwareId, releaseCounter, !broken.includes(serial))),
      ),
    );
  }

  /** The Director orders a published release for some ECUs; the others keep what they were told before. */
  direct(releaseCounter: number, serials = this.ecus.map(({ serial }) => serial)): void {
    for (const serial of serials) {
      const { hardwareId } = this.#ecu(serial);
      const release = this.images.releaseAt(pathOf(hardwareId, releaseCounter));
      this.#directions.set(serial, { serial, hardwareId, release });
    }
    this.director.direct([...this.#directions.values()]);
  }

  /** Lets all ECUs run until each has nothing to do, or for so many seconds. Whether they came to rest. */
  run(seconds = 1800): Promise<boolean> {
    return this.#run(seconds, true);
  }

  /** The same for so many seconds, also when they have nothing to do: each checks once a minute. */
  drive(seconds: number): Promise<boolean> {
    return this.#run(seconds, false);
  }

  async #run(seconds: number, rests: boolean): Promise<boolean> {
    this.#rests = rests;
    this.#deadline = this.clock.seconds() + seconds;
    this.#idle.clear();
    const runs = this.ecus.map((ecu) =>
      ecu === this.primary ? this.#runPrimary() : this.#runSecondary(ecu),
    );
    await this.clock.run(Promise.all(runs));
    return this.#isAtRest();
  }

  /** How an ECU leaves the factory, wherever it runs. */
  factory({ serial, hardwareId, verification = 'full' }: CarEcu): EcuFactory {
    const { primary } = this;
    const others = this.ecus.filter((ecu) => ecu !== primary);
    const known = Object.fromEntries(others.map((ecu) => [ecu.serial, { hardwareId: ecu.hardwareId }]));
    const full = verification === 'full';
    return {
      root: full ? this.images.root : this.director.root,
      ...(full && { directorRoot: this.director.root }),
      configuration: {
        hardwareId,
        component: 'app',
        version: '1.0.0',
        releaseCounter: 1,
        securityCounter: 0,
        buildTime: this.clock.seconds() - 1000,
        checkInterval: INTERVAL,
        uptane: verification,
        ecu: serial,
        vehicle: this.vehicle,
        ...(serial === primary.serial && { ecus: known }),
        ...(this.#options.send && { image: factoryImage(hardwareId) }),
      },
      ...(this.#options.send && { key: keyOf(serial) }),
      image: imageFor(hardwareId, 1),
      geometry: this.#options.geometry ?? GEOMETRY_OF_ECUS,
    };
  }

  /** The Primary's program, to be started on its device: one process of it, from its start to the next. */
  startPrimary(clock: Clock): Primary {
    const others = this.ecus.slice(1).map((ecu) => [ecu.serial, ecu.hardwareId] as const);
    return new Primary({
      ...ADDRESSES,
      serial: this.primary.serial,
      hardwareId: this.primary.hardwareId,
      secondaries: Object.fromEntries(others),
      depot: this.depot,
      fetch: this.network.fetch,
      clock,
      onEvent: (event) => this.#options.onEvent?.(event),
      ...(this.#options.mayReboot && { mayReboot: this.#options.mayReboot }),
      ...(this.#options.send && { send: this.#options.send, vehicle: this.vehicle }),
    });
  }

  /**
   * The Director is out of reach, and there is an update that it signed beforehand: of a published release, for the ECUs
   * that are named, or for all with their hardware.
   */
  directOffline(releaseCounter: number, named = false): void {
    const listed = this.ecus.map(({ serial, hardwareId }) => {
      const release = this.images.releaseAt(pathOf(hardwareId, releaseCounter));
      const direction = { serial, hardwareId, release };
      this.#directions.set(serial, direction);
      return direction;
    });
    const targets = Object.entries(directedTargets(listed)).map(([path, target]) => {
      const { ecuIdentifiers, ...custom } = target.custom ?? {};
      return [path, named ? target : { ...target, custom }] as const;
    });
    this.director.leave(Object.fromEntries(targets));
  }

  #ecu(serial: string): CarEcu {
    return this.ecus.find((ecu) => ecu.serial === serial) ?? this.primary;
  }

  #served(path: string): Uint8Array | undefined {
    if (path.startsWith('director/')) return this.director.files.get(path.slice('director/'.length));
    return this.images.files.get(path);
  }

  // ---- running ----

  async #runPrimary(): Promise<void> {
    const { serial } = this.primary;
    const device = this.device(serial);
    await this.#whilePowered(serial, () => {
      let started = false;
      const primary = this.startPrimary(this.#running);
      return primary.run({
        ...this.#actions(serial),
        powerOn: () => {
          if (started) throw new Restarted();
          started = true;
          const core = device.powerOn();
          this.#primary = primary;
          return core;
        },
      });
    });
  }

  async #runSecondary({ serial }: CarEcu): Promise<void> {
    await this.#whilePowered(serial, async () => {
      const secondary = new Secondary({
        openLink: () => this.#openLink(serial),
        clock: this.#running,
        onEvent: (event) => this.#options.onSecondary?.(serial, event),
      });
      await secondary.run(this.#actions(serial));
    });
  }

  /** Runs an ECU again whenever its power comes back. */
  async #whilePowered(serial: string, run: () => Promise<unknown>): Promise<void> {
    try {
      for (;;) {
        while (this.dark.has(serial)) await this.#sleep(1);
        try {
          this.boots.set(serial, (this.boots.get(serial) ?? 0) + 1);
          await run();
          return;
        } catch (error) {
          if (serial === this.primary.serial) this.#primary = undefined;
          if (error instanceof PowerCut) await this.#sleep(this.#options.dark ?? 3);
          else if (!(error instanceof Restarted)) throw error;
        }
      }
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  }

  #actions(serial: string): DeviceActions {
    const device = this.device(serial);
    return {
      powerOn: () => {
        if (this.dark.has(serial)) throw new PowerCut(undefined);
        return device.powerOn();
      },
      selfTest: () => (this.#ecu(serial).selfTest ?? works)(device.running(IMAGE_LENGTH)),
      wait: (until) => this.#wait(serial, until),
    };
  }

  /** Until a check is due, or all are at rest. */
  async #wait(serial: string, until: number): Promise<boolean> {
    this.#idle.add(serial);
    const isOver = () => this.#rests && this.#isAtRest();
    while (this.clock.seconds() < until && !isOver()) await this.#sleep(1);
    if (isOver()) return false;
    this.#idle.delete(serial);
    return true;
  }

  /** Nobody has anything to do, and all have what the Director lists. */
  #isAtRest(): boolean {
    const has = ({ serial }: CarEcu) =>
      this.runs(serial) === (this.#directions.get(serial)?.release.releaseCounter ?? 1);
    return this.ecus.every((ecu) => this.#idle.has(ecu.serial) && has(ecu));
  }

  async #sleep(seconds: number): Promise<void> {
    await new Promise<void>((resolve) => void this.#running.after(seconds * 1000, resolve));
  }

  /** The clock, as long as the simulation lasts. */
  get #running(): Clock {
    return {
      now: () => this.clock.now(),
      after: (milliseconds, action) => {
        if (this.clock.seconds() >= this.#deadline) throw new Stopped();
        return this.clock.after(milliseconds, action);
      },
    };
  }

  // ---- lines ----

  /** A line from a Secondary to whatever Primary runs at the moment. */
  #openLink(serial: string): LinkClient {
    let at: { primary: Primary; line: Gateway } | undefined;
    const link: LinkClient = new LinkClient({
      session: ++this.#session,
      clock: this.#running,
      send: (bytes) => {
        const primary = this.#primary;
        const asked = this.#passed(serial, bytes, 'secondary');
        if (!primary || !asked) return;
        if (at?.primary !== primary) {
          const line = new Gateway(primary.gateway(serial), (answer) => {
            const heard = this.#passed(serial, answer, 'primary');
            if (heard && this.#primary === primary) link.receive(heard);
          });
          at = { primary, line };
        }
        void at.line.receive(asked);
      },
    });
    return link;
  }

  #passed(serial: string, bytes: Uint8Array, from: 'primary' | 'secondary'): Uint8Array | undefined {
    if (this.dark.has(serial)) return undefined;
    const meddler = this.meddlers.get(serial);
    return meddler ? meddler(bytes, from) : bytes;
  }
}

const ADDRESSES = {
  metadataUrl: 'https://sim/metadata/',
  targetsUrl: 'https://sim/targets/',
  directorUrl: 'https://sim/director/',
};

function works(image: Uint8Array): boolean {
  return image[0] === 'W'.charCodeAt(0);
}

/** As reports say what the factory has left. */
function factoryImage(hardwareId: string): InstalledImage {
  const bytes = imageFor(hardwareId, 1);
  const fileinfo = { length: bytes.length, hashes: { sha256: sha256(bytes) } };
  return { filepath: pathOf(hardwareId, 1), fileinfo };
}

/** Always the same key for the same ECU. */
function keyOf(serial: string): Uint8Array {
  return Buffer.from(sha256(Buffer.from(`the key of ${serial}`)), 'hex');
}

function releaseOf(hardwareId: string, releaseCounter: number, image: Uint8Array): SimRelease {
  return { image, version: `${releaseCounter}.0.0`, releaseCounter, hardwareIds: [hardwareId] };
}

function pathOf(hardwareId: string, releaseCounter: number): string {
  return `app/${hardwareId}/${releaseCounter}.0.0/firmware.bin`;
}
