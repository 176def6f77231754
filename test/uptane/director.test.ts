// ECUs and the Director that directs them: what devices sign, in this process and in one of their own, is what it takes;
// and what others make of it is not.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Mode, Status } from '../../host/node/abi.ts';
import { Client } from '../../host/node/client.ts';
import { type Clock, systemClock } from '../../host/node/clock.ts';
import { uniformGeometry } from '../../host/node/flash.ts';
import type { Fetch } from '../../host/node/http.ts';
import type { InstalledImage } from '../../host/node/provision.ts';
import { reportKey } from '../../host/node/report.ts';
import { serialize } from '../../repo/index.ts';
import type { OnlineDirector } from '../../server/director/director.ts';
import { SimDevice } from '../../sim/device.ts';
import { ProcessDevice } from '../../sim/process.ts';
import type { SimImage } from '../../sim/vehicle.ts';
import { DATABASES } from '../director/databases.ts';
import { makeWorld, NOW, type World } from '../director/world.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { withPosix } from '../fixtures/posix.ts';
import { imageOf as bytesOf } from '../fixtures/repositories.ts';
import { GEOMETRY } from '../posix/world.ts';

const SQLITE = DATABASES.find(({ name }) => name === 'SQLite');
const sqlite = SQLITE?.run ?? test;
const PRIMARY = 'car-1-gw';
const SECONDARY = 'car-1-rf';
const CLOCK: Clock = { now: () => NOW * 1000, after: systemClock.after };
const secretOf = (start: number) => new Uint8Array(32).map((_, i) => start + i);

function publicKeyOf(secret: Uint8Array) {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), secret]);
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  return reportKey(key.export({ format: 'der', type: 'spki' }).subarray(-32));
}

const asInstalled = ({ path, length, sha256 }: SimImage): InstalledImage => ({
  filepath: path,
  fileinfo: { length, hashes: { sha256 } },
});

const configuration = (ecu: string, hardwareId: string, image: SimImage) => ({
  hardwareId,
  component: hardwareId === 'gw-1' ? 'app' : 'radio',
  version: '1.0.0',
  releaseCounter: 1,
  securityCounter: 0,
  buildTime: NOW - 86_400,
  checkInterval: 60,
  uptane: 'full' as const,
  ecu,
  vehicle: 'car-1',
  image: asInstalled(image),
});

/** What the Director serves to a vehicle, and the Image repository to all. */
function serverOf({ director, images }: World): Fetch {
  const find = async (path: string): Promise<Uint8Array | undefined> => {
    const [first, ...rest] = path.split('/');
    if (first === 'image') {
      try {
        return readFileSync(join(images.repository.publicDirectory, ...rest.map(decodeURIComponent)));
      } catch {
        return undefined;
      }
    }
    const name = rest.join('/');
    if (name === 'timestamp.json') return director.timestamp('car-1');
    const [version, role] = name.split('.');
    if (role === 'root') return director.folder.root(Number(version));
    return director.file('car-1', role === 'snapshot' ? 'snapshot' : 'targets', Number(version));
  };
  return async (url) => {
    const bytes = await find(new URL(url).pathname.slice(1));
    let left = bytes;
    const reader = {
      async read() {
        const value = left;
        left = undefined;
        return value ? { value } : {};
      },
      cancel: async () => undefined,
    };
    const length = bytes ? String(bytes.length) : null;
    return {
      status: bytes ? 200 : 404,
      headers: { get: (name) => (name === 'content-length' ? length : null) },
      body: { getReader: () => reader },
    };
  };
}

const addresses = (world: World) => ({
  directorUrl: 'https://sim/director/',
  metadataUrl: 'https://sim/image/metadata/',
  targetsUrl: 'https://sim/image/targets/',
  fetch: serverOf(world),
  clock: CLOCK,
});

interface Car {
  readonly world: World;
  readonly director: OnlineDirector;
  readonly device: SimDevice;
  readonly roots: { readonly root: Uint8Array; readonly directorRoot: Uint8Array };
  /** Manifests that were sent, oldest first, and what the Director said to the last: undefined when it took it. */
  readonly sent: Uint8Array[];
  refusal: string | undefined;
  /** The reports of Secondaries that have come. */
  secondaries: Uint8Array[];
}

/** A Primary of the vehicle car-1; the Director knows these ECUs. */
async function car(ecus: readonly string[]): Promise<Car & { readonly first: SimImage }> {
  const world = await makeWorld(join(temporaryFolder(), 'director.db'));
  const first = await world.release('app', '1.0.0');
  const { director } = world;
  const inventory = ecus.map((serial) => ({
    serial,
    hardwareId: serial === PRIMARY ? 'gw-1' : 'rf-2',
    primary: serial === PRIMARY,
    key: publicKeyOf(secretOf(serial === PRIMARY ? 1 : 101)),
  }));
  await director.import(serialize([{ vehicle: 'car-1', group: 'fleet', ecus: inventory }]), 'inventory');
  const roots = {
    root: await world.images.repository.root(1),
    directorRoot: director.folder.root(1) as Uint8Array,
  };
  const made = {
    world,
    director,
    roots,
    sent: [],
    refusal: undefined,
    secondaries: [],
    first,
  } as unknown as Car & {
    first: SimImage;
  };
  const device = new SimDevice({
    ...roots,
    key: secretOf(1),
    image: bytesOf('app 1.0.0'),
    configuration: configuration(PRIMARY, 'gw-1', first),
    geometry: uniformGeometry({ block: 4096, unit: 4, erased: 0xff, bank: 65_536, slot: 65_536 }),
    client: {
      ...addresses(world),
      async report(core) {
        const manifest = core.manifest('car-1', made.secondaries);
        made.sent.push(manifest);
        made.refusal = await director.report('car-1', manifest).then(
          () => undefined,
          (error) => error.refusal as string,
        );
      },
    },
  });
  return Object.assign(made, { device });
}

sqlite(
  'a device reports, is directed by what it reported, installs, and reports that [UPT-2, UPT-9]',
  async () => {
    const { world, director, device, sent } = await car([PRIMARY]);
    expect(await device.update()).toMatchObject({ status: Status.UP_TO_DATE });
    expect(await director.vehicles()).toMatchObject([{ ecus: [{ installed: 'app 1.0.0' }] }]);
    const second = await world.release('app', '2.0.0');
    await director.assign({ scope: 'group', name: 'fleet', path: second.path });
    expect(await device.update()).toMatchObject({ status: Status.UP_TO_DATE });
    expect(await device.update()).toMatchObject({ status: Status.UP_TO_DATE });
    expect(await director.vehicles()).toMatchObject([
      { ecus: [{ installed: 'app 2.0.0', directed: 'app 2.0.0' }] },
    ]);
    expect(await director.alerts()).toEqual([]);
    expect(sent.length).toBeGreaterThan(2);
    await director.close();
  },
);

sqlite(
  'a report that is sent again, changed, or not signed by its ECU is refused, and raises an alert [UPT-2, CERT-S-4]',
  async () => {
    const { director, device, sent } = await car([PRIMARY]);
    await device.update();
    const [manifest = new Uint8Array()] = sent;
    const changed = Buffer.from(manifest).toString().replace('"report_counter":1', '"report_counter":2');
    const refused = async (bytes: Uint8Array, why: string) =>
      expect(director.report('car-1', bytes)).rejects.toMatchObject({ refusal: why });
    await refused(manifest, 'counter-replayed');
    await refused(Buffer.from(changed), 'manifest-forged');
    const kinds = (await director.alerts()).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['counter-replayed', 'manifest-forged']);
    await director.close();
  },
);

sqlite(
  'what a check found wrong reaches the Director with the next report, as an alert [UPT-11]',
  async () => {
    const { director, device, world } = await car([PRIMARY]);
    const honest = addresses(world);
    let spoiled = true;
    const core = device.powerOn();
    const client = new Client({
      ...honest,
      fetch: (url, options) =>
        honest.fetch(spoiled ? url.replace('director/timestamp', 'image/metadata/timestamp') : url, options),
      report: (reporting) => director.report('car-1', reporting.manifest('car-1', [])),
    });
    expect(await client.check(core)).toMatchObject({ status: Status.SIGNATURES });
    expect(await director.alerts()).toEqual([]);
    spoiled = false;
    core.policySet(Mode.AUTOMATIC); // the next check is due
    expect(await client.check(core)).toMatchObject({ status: Status.UP_TO_DATE });
    expect(await director.alerts()).toMatchObject([
      { vehicle: 'car-1', serial: PRIMARY, kind: 'attack-reported', detail: `status ${Status.SIGNATURES}` },
    ]);
    await director.close();
  },
);

withPosix(
  'a Secondary in a process of its own signs its report itself, and its Primary vouches for it [UPT-2, UPT-9]',
  async () => {
    const made = await car([PRIMARY, SECONDARY]);
    const { director, device, roots, world } = made;
    const radio = await world.release('radio', '1.0.0');
    await device.update();
    expect(made.refusal).toBe('ecu-missing');
    const secondary = new ProcessDevice({
      ...roots,
      folder: join(temporaryFolder(), 'ecu'),
      key: secretOf(101),
      configuration: configuration(SECONDARY, 'rf-2', radio),
      factory: { geometry: GEOMETRY, image: bytesOf('radio 1.0.0') },
      gateway: { ...addresses(world), onVersionReport: (report) => made.secondaries.splice(0, 1, report) },
    });
    expect(await secondary.update()).toMatchObject({
      status: 0,
      said: expect.stringContaining('report key'),
    });
    expect(made.secondaries).toHaveLength(1);
    await device.update();
    expect(made.refusal).toBeUndefined();
    expect(await director.vehicles()).toMatchObject([
      { ecus: [{ installed: 'app 1.0.0' }, { installed: 'radio 1.0.0' }] },
    ]);
    // The Primary alone cannot go on with it: each report is good once.
    await device.update();
    expect(made.refusal).toBe('counter-replayed');
    await secondary.update();
    const [report = new Uint8Array()] = made.secondaries;
    made.secondaries = [Buffer.from(Buffer.from(report).toString().replace('radio/rf-2', 'radio/rf-3'))];
    await device.update();
    expect(made.refusal).toBe('report-forged');
    await director.close();
  },
);
