// A Director with an Image repository beside it, and vehicles that report to it.
import { join } from 'node:path';
import { type Envelope, parseJson, type Signed, serialize, type Targets } from '../../repo/index.ts';
import { type Director, OnlineDirector } from '../../server/director/director.ts';
import { initDirector } from '../../server/director/folder.ts';
import { imageOf, SimEcu, type SimImage, SimVehicle } from '../../sim/vehicle.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import {
  imageOf as bytesOf,
  NOW,
  TestClock,
  type TestRepository,
  testRepository,
} from '../fixtures/repositories.ts';

export interface World {
  readonly directory: string;
  readonly clock: TestClock;
  readonly images: TestRepository;
  director: OnlineDirector;
  /** Stages and publishes `app` or `radio`, and tells the Director. */
  release(component: string, version: string): Promise<SimImage>;
  /** What the Director serves to a vehicle now. */
  targets(vehicle: string): Promise<Targets>;
}

export const HARDWARE: Readonly<Record<string, string>> = { app: 'gw-1', radio: 'rf-2' };

/** `database`: where it lies. `now`: what its clock says at first; certificates are judged by the machine's. */
export async function makeWorld(database: string, now = NOW): Promise<World> {
  const clock = new TestClock();
  clock.now = now;
  const images = await testRepository({ clock: clock.read });
  await images.repository.publish();
  const directory = join(temporaryFolder(), 'director');
  await initDirector(directory, {
    name: 'acme',
    database,
    image: images.repository.publicDirectory,
    imageRoot: await images.repository.root(1),
    hosts: ['localhost', '127.0.0.1'],
    encrypt: false,
    clock: clock.read,
  });
  const director = await OnlineDirector.open(directory, { clock: clock.read });
  await director.sync();
  const world: World = {
    directory,
    clock,
    images,
    director,
    async release(component, version) {
      const bytes = bytesOf(`${component} ${version}`);
      const { path } = await images.repository.addRelease({
        image: { bytes, name: `${component}.bin` },
        component,
        version,
        hardwareIds: [HARDWARE[component] ?? component],
      });
      await images.repository.publish();
      await world.director.sync();
      return imageOf(path, bytes);
    },
    targets: async (vehicle) => (await newest(world.director, vehicle)).targets,
  };
  return world;
}

/** A vehicle in the inventory: a gateway and a radio. */
export async function enrol(director: Director, id: string, group = ''): Promise<SimVehicle> {
  const vehicle = simVehicle(id);
  await director.import(serialize([{ ...vehicle.inventory(), group }]), 'inventory');
  return vehicle;
}

export function simVehicle(id: string): SimVehicle {
  return new SimVehicle(id, [new SimEcu(`${id}-gw`, 'gw-1'), new SimEcu(`${id}-rf`, 'rf-2')]);
}

export interface Newest {
  readonly versions: Readonly<Record<'timestamp' | 'snapshot' | 'targets', number>>;
  readonly targets: Targets;
  readonly files: readonly Uint8Array[];
}

/** Follows the files from the timestamp down, as a vehicle does. */
export async function newest(director: OnlineDirector, vehicle: string): Promise<Newest> {
  const timestamp = signedOf(await director.timestamp(vehicle), 'timestamp');
  const { version: snapshotVersion } = timestamp.signed.meta['snapshot.json'];
  const snapshot = signedOf(await director.file(vehicle, 'snapshot', snapshotVersion), 'snapshot');
  const { version = 0 } = snapshot.signed.meta['targets.json'] ?? {};
  const targets = signedOf(await director.file(vehicle, 'targets', version), 'targets');
  return {
    versions: { timestamp: timestamp.signed.version, snapshot: snapshotVersion, targets: version },
    targets: targets.signed,
    files: [timestamp.bytes, snapshot.bytes, targets.bytes],
  };
}

type Of<R extends Signed['_type']> = Extract<Signed, { readonly _type: R }>;

export function signedOf<R extends Signed['_type']>(bytes: Uint8Array | undefined, role: R) {
  if (bytes === undefined) throw new Error(`there is no ${role}`);
  return { bytes, signed: (parseJson(bytes, role) as unknown as Envelope<Of<R>>).signed };
}

export { NOW };
