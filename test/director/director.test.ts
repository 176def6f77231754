// The Director on both databases: manifests in, metadata out, alerts.
import { expect, test } from 'vitest';
import { readChain } from '../../repo/chain.ts';
import { parseInventory } from '../../repo/director/inventory.ts';
import { generateKey, openSource, serialize } from '../../repo/index.ts';
import { takeCatalogue } from '../../server/director/catalogue.ts';
import { Director, OnlineDirector } from '../../server/director/director.ts';
import { rotateDirectorKeys } from '../../server/director/rotation.ts';
import { imageOf, manifestOf, SimEcu, SimVehicle, signPart } from '../../sim/vehicle.ts';
import { imageOf as bytesOf, DAY, seeded, testRepository } from '../fixtures/repositories.ts';
import { onEach } from './databases.ts';
import { enrol, makeWorld, NOW, newest, simVehicle } from './world.ts';

const UNKNOWN = imageOf('app/gw-1/evil/app.bin', Uint8Array.of(6, 6, 6));

onEach(
  'a vehicle reports, is directed, installs, and nothing is signed twice for it [UPT-1, UPT-2]',
  async (make) => {
    const world = await makeWorld(await make());
    const { director } = world;
    const car = await enrol(director, 'car-1', 'fleet');
    await director.report('car-1', car.manifest(NOW));
    expect(await newest(director, 'car-1')).toMatchObject({
      versions: { timestamp: 1, snapshot: 1, targets: 1 },
      targets: { targets: {}, custom: { vehicleId: 'car-1' } },
    });
    const image = await world.release('app', '1.0.0');
    await director.assign({ scope: 'group', name: 'fleet', path: image.path });
    const directed = await newest(director, 'car-1');
    expect(directed.versions).toEqual({ timestamp: 2, snapshot: 2, targets: 2 });
    expect(directed.targets.targets[image.path]).toEqual({
      length: image.length,
      hashes: { sha256: image.sha256 },
      custom: {
        component: 'app',
        version: '1.0.0',
        hardwareIds: ['gw-1'],
        releaseCounter: 1,
        securityCounter: 0,
        ecuIdentifiers: { 'car-1-gw': { hardwareId: 'gw-1' } },
      },
    });
    car.primary.image = image;
    await director.report('car-1', car.manifest(NOW));
    expect(await newest(director, 'car-1')).toEqual(directed);
    expect(await director.vehicles()).toMatchObject([
      {
        id: 'car-1',
        lastSeen: NOW,
        ecus: [{ installed: 'app 1.0.0', directed: 'app 1.0.0' }, { installed: undefined }],
      },
    ]);
    expect(await director.alerts()).toMatchObject([
      { kind: 'unknown-image', detail: expect.stringContaining('SHA-256') },
      {},
    ]);
    await director.close();
  },
);

onEach('what it signs verifies from its root, as any TUF client would', async (make) => {
  const { director } = await makeWorld(await make());
  await enrol(director, 'car-1');
  const root = director.folder.root(1);
  const source = {
    where: 'the Director',
    metadata: async (name: string) => {
      if (name === 'timestamp.json') return director.timestamp('car-1');
      const [version, role] = name.split('.');
      if (role === 'root') return director.folder.root(Number(version));
      return director.file('car-1', role === 'snapshot' ? 'snapshot' : 'targets', Number(version));
    },
    target: async () => undefined,
  };
  const chain = await readChain(source, root ?? new Uint8Array(), (fault) => {
    throw fault;
  });
  expect(chain.targets.signed.custom).toEqual({ vehicleId: 'car-1' });
  await director.close();
});

onEach('files are renewed when half of their time is over, and only those', async (make) => {
  const { director, clock } = await makeWorld(await make());
  await enrol(director, 'car-1');
  const first = await newest(director, 'car-1');
  clock.now += DAY / 2 - 1;
  expect(await newest(director, 'car-1')).toEqual(first);
  clock.now += 1;
  expect((await newest(director, 'car-1')).versions).toEqual({ timestamp: 2, snapshot: 1, targets: 1 });
  clock.now += 7 * DAY;
  expect((await newest(director, 'car-1')).versions).toEqual({ timestamp: 3, snapshot: 2, targets: 1 });
  clock.now += 30 * DAY;
  expect((await newest(director, 'car-1')).versions).toEqual({ timestamp: 4, snapshot: 3, targets: 2 });
  await director.close();
});

onEach(
  'versions count for each vehicle alone, and one sees nothing of another [CRA-II-7.e]',
  async (make) => {
    const world = await makeWorld(await make());
    const { director } = world;
    for (const id of ['car-1', 'car-2']) await enrol(director, id);
    await newest(director, 'car-2');
    const image = await world.release('app', '1.0.0');
    await director.assign({ scope: 'vehicle', name: 'car-1', path: image.path });
    expect((await newest(director, 'car-1')).targets.targets).toHaveProperty([image.path]);
    expect(await newest(director, 'car-2')).toMatchObject({
      versions: { targets: 1 },
      targets: { targets: {} },
    });
    expect(await director.file('car-2', 'targets', 2)).toBeUndefined();
    expect(await director.timestamp('nobody')).toBeUndefined();
    await director.close();
  },
);

onEach('requests that come together get one version with one content', async (make) => {
  const { director, clock } = await makeWorld(await make());
  await enrol(director, 'car-1');
  for (let round = 1; round <= 3; round++) {
    const files = await Promise.all(Array.from({ length: 20 }, () => director.timestamp('car-1')));
    expect(new Set(files.map(String)).size).toBe(1);
    expect((await newest(director, 'car-1')).versions.timestamp).toBe(round);
    clock.now += DAY / 2;
  }
  await director.close();
});

onEach('two processes sign no version twice [CRA-II-7.f]', async (make) => {
  const { director, directory, clock } = await makeWorld(await make());
  for (const id of ['car-1', 'car-2']) await enrol(director, id);
  const other = await OnlineDirector.open(directory, { clock: clock.read });
  const seen = new Map<string, string>();
  for (let round = 0; round < 5; round++) {
    const files = await Promise.all(
      [director, other, director, other].flatMap((each) =>
        ['car-1', 'car-2'].map(async (id) => [id, await newest(each, id)] as const),
      ),
    );
    for (const [id, { versions, files: bytes }] of files) {
      Object.entries(versions).forEach(([role, version], index) => {
        const content = String(bytes[index]);
        const key = `${id} ${role} ${version}`;
        expect(seen.get(key) ?? content).toBe(content);
        seen.set(key, content);
      });
    }
    clock.now += 4 * DAY;
  }
  expect(seen.size).toBeGreaterThan(20);
  await other.close();
  await director.close();
});

onEach(
  'each kind of trouble is one alert with the manifest that shows it [UPT-11, CERT-S-4]',
  async (make) => {
    const world = await makeWorld(await make());
    const { director } = world;
    const car = await enrol(director, 'car-1');
    const neighbour = await enrol(director, 'car-2');
    const [old, young] = [await world.release('app', '1.0.0'), await world.release('app', '2.0.0')];
    await director.assign({ scope: 'vehicle', name: 'car-1', path: young.path });
    const alertsOf = async () =>
      (await director.alerts()).map(({ serial, kind, count }) => `${kind} ${serial} ${count}`);
    const refused = async (bytes: Uint8Array, refusal: string) =>
      expect(director.report('car-1', bytes)).rejects.toMatchObject({ refusal });
    const radio = car.ecus[1] as SimEcu;
    radio.image = old;
    // A downgrade.
    car.primary.image = young;
    await director.report('car-1', car.manifest(NOW));
    expect(await alertsOf()).toEqual([]);
    car.primary.image = old;
    const evidence = car.manifest(NOW);
    await director.report('car-1', evidence);
    expect(await director.alerts()).toEqual([
      {
        vehicle: 'car-1',
        serial: 'car-1-gw',
        kind: 'unexpected-downgrade',
        detail: 'from app 2.0.0 to app 1.0.0',
        count: 1,
        firstAt: NOW,
        lastAt: NOW,
        evidence: Buffer.from(evidence).toString(),
      },
    ]);
    expect(await director.closeAlert('car-1', 'car-1-gw', 'unexpected-downgrade')).toBe(true);
    expect(await director.closeAlert('car-1', 'car-1-gw', 'unexpected-downgrade')).toBe(false);
    // An image that nobody released: an alert, and still offered what is assigned.
    car.primary.image = UNKNOWN;
    await director.report('car-1', car.manifest(NOW));
    expect(await alertsOf()).toEqual(['unknown-image car-1-gw 1']);
    expect((await world.targets('car-1')).targets).toHaveProperty([young.path]);
    await director.closeAlert('car-1', 'car-1-gw', 'unknown-image');
    // An attack that an ECU saw.
    radio.attacks = 'freeze';
    for (const _ of [1, 2]) await director.report('car-1', car.manifest(NOW));
    radio.attacks = '';
    expect(await alertsOf()).toEqual(['attack-reported car-1-rf 2']);
    await director.closeAlert('car-1', 'car-1-rf', 'attack-reported');
    // A replay, three times.
    for (const _ of [1, 2, 3]) await refused(evidence, 'counter-replayed');
    expect(await alertsOf()).toEqual(['counter-replayed car-1-gw 3']);
    await director.closeAlert('car-1', 'car-1-gw', 'counter-replayed');
    // One key in two devices: the neighbour's radio speaks in the place of ours.
    const reports = {
      'car-1-gw': signPart(car.primary.report(NOW), car.primary.key),
      'car-1-rf': signPart(radio.report(NOW), (neighbour.ecus[1] as SimEcu).key),
    };
    await refused(
      serialize(signPart(manifestOf('car-1', 'car-1-gw', reports), car.primary.key)),
      'key-shared',
    );
    expect(await alertsOf()).toEqual(['key-shared car-1-rf 1']);
    await director.closeAlert('car-1', 'car-1-rf', 'key-shared');
    await refused(neighbour.manifest(NOW), 'wrong-vehicle');
    await refused(Buffer.from('{"signatures":[]}\0'), 'manifest-invalid');
    expect((await alertsOf()).sort()).toEqual(['manifest-invalid  1', 'wrong-vehicle  1']);
    await director.close();
  },
);

onEach('a manifest that repeats what is known grows nothing [UPT-9]', async (make) => {
  const { director } = await makeWorld(await make());
  const car = await enrol(director, 'car-1');
  const rows = async () => {
    const { db } = director.database;
    const tables = ['installs', 'ecus', 'vehicles', 'alerts'] as const;
    const counts = tables.map(async (table) => (await db.selectFrom(table).selectAll().execute()).length);
    return Promise.all(counts);
  };
  await director.report('car-1', car.manifest(NOW));
  const before = await rows();
  for (let i = 0; i < 20; i++) await director.report('car-1', car.manifest(NOW));
  expect(await rows()).toEqual(before);
  await director.close();
});

onEach('the changes of an ECU that are kept are bounded [CERT-S-3]', async (make) => {
  const { director, clock } = await makeWorld(await make());
  const car = await enrol(director, 'car-1');
  for (let i = 0; i < 40; i++) {
    clock.now++;
    car.primary.image = imageOf('x', Uint8Array.of(i));
    await director.report('car-1', car.manifest(NOW));
  }
  const rows = await director.database.db
    .selectFrom('installs')
    .selectAll()
    .where('serial', '=', 'car-1-gw')
    .execute();
  expect(rows).toHaveLength(32);
  expect(rows.some(({ sha256 }) => sha256 === car.primary.image.sha256)).toBe(true);
  await director.close();
});

onEach('a batch judges each manifest alone: the good ones count beside the bad', async (make) => {
  const { director } = await makeWorld(await make());
  const cars = await Promise.all(Array.from({ length: 10 }, (_, i) => enrol(director, `car-${i}`)));
  const sent = cars.map((car, i) => {
    // The second of the same batch counts as well.
    return Promise.allSettled([
      director.report(car.id, car.manifest(NOW)),
      director.report(car.id, car.manifest(NOW)),
      director.report(car.id, i % 2 === 0 ? simVehicle('stranger').manifest(NOW) : new Uint8Array(9)),
    ]);
  });
  for (const results of await Promise.all(sent))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  const counters = await director.database.db.selectFrom('ecus').select('counter').execute();
  expect(new Set(counters.map(({ counter }) => counter))).toEqual(new Set([2]));
  await director.close();
});

onEach(
  'one key is of one ECU: an import that says otherwise is refused whole, with an alert [UPT-11]',
  async (make) => {
    const { director } = await makeWorld(await make());
    const car = await enrol(director, 'car-1');
    const clone = new SimVehicle('car-2', [new SimEcu('car-2-gw', 'gw-1', car.primary.key)]);
    const good = simVehicle('car-3').inventory();
    await expect(director.import(serialize([good, clone.inventory()]), 'file')).rejects.toMatchObject({
      code: 'inventory-conflict',
      message: 'car-2-gw of car-2 has the key of car-1-gw of car-1',
    });
    expect((await director.vehicles()).map(({ id }) => id)).toEqual(['car-1']);
    expect(await director.alerts()).toMatchObject([{ vehicle: 'car-2', kind: 'key-shared', count: 1 }]);
    const stolen = new SimVehicle('car-4', [new SimEcu('car-1-gw', 'gw-1')]);
    await expect(director.import(serialize([stolen.inventory()]), 'file')).rejects.toThrow(
      'in the vehicle car-1 already',
    );
    await director.close();
  },
);

onEach('an ECU that is exchanged starts anew, the others go on', async (make) => {
  const { director } = await makeWorld(await make());
  const car = await enrol(director, 'car-1');
  for (const _ of [1, 2, 3]) await director.report('car-1', car.manifest(NOW));
  const repaired = new SimVehicle('car-1', [car.primary, new SimEcu('car-1-rf', 'rf-2')]);
  await director.import(serialize([repaired.inventory()]), 'file');
  const counters = director.database.db.selectFrom('ecus').select(['serial', 'counter']).orderBy('serial');
  expect(await counters.execute()).toEqual([
    { serial: 'car-1-gw', counter: 3 },
    { serial: 'car-1-rf', counter: 0 },
  ]);
  await expect(director.report('car-1', car.manifest(NOW))).rejects.toMatchObject({
    refusal: 'report-forged',
  });
  await director.report('car-1', repaired.manifest(NOW));
  await director.close();
});

onEach(
  'an old backup signs nothing; after a bump all versions are above those that were served [CRA-II-7.f]',
  async (make) => {
    const place = await make();
    const world = await makeWorld(place);
    const { director, directory, clock } = world;
    await enrol(director, 'car-1');
    await newest(director, 'car-1');
    const { db } = director.database;
    const backup = {
      signed: await db.selectFrom('signed').selectAll().execute(),
      vehicles: await db.selectFrom('vehicles').selectAll().execute(),
      state: await db.selectFrom('state').selectAll().execute(),
    };
    for (let i = 0; i < 3; i++) {
      clock.now += 4 * DAY;
      await newest(director, 'car-1');
    }
    await enrol(director, 'car-2');
    await newest(director, 'car-2');
    const served = await newest(director, 'car-1');
    // Restored under a server that runs: it stops there as well.
    await db.deleteFrom('signed').execute();
    await db.insertInto('signed').values(backup.signed).execute();
    for (const row of backup.vehicles)
      await db.updateTable('vehicles').set(row).where('id', '=', row.id).execute();
    await db.deleteFrom('vehicles').where('id', '=', 'car-2').execute();
    await db.deleteFrom('ecus').where('vehicle_id', '=', 'car-2').execute();
    for (const row of backup.state)
      await db.updateTable('state').set(row).where('name', '=', row.name).execute();
    clock.now += 4 * DAY;
    await expect(director.timestamp('car-1')).rejects.toMatchObject({ code: 'backup-restored' });
    await director.close();
    const open = () => OnlineDirector.open(directory, { clock: clock.read });
    await expect(open()).rejects.toMatchObject({
      code: 'backup-restored',
      message: expect.stringContaining('moult director bump'),
    });
    const offline = await Director.open(directory, { clock: clock.read });
    expect(await offline.bump()).toBeGreaterThan(0);
    expect(await offline.bump()).toBe(0);
    await offline.close();
    const again = await open();
    await enrol(again, 'car-2');
    const after = await newest(again, 'car-1');
    for (const role of ['timestamp', 'snapshot', 'targets'] as const)
      expect(after.versions[role]).toBeGreaterThan(served.versions[role]);
    expect((await newest(again, 'car-2')).versions.timestamp).toBeGreaterThan(1);
    await again.close();
  },
);

onEach('an Image repository that goes back, or does not verify, changes nothing', async (make) => {
  const world = await makeWorld(await make());
  const { director, images, clock } = world;
  await world.release('app', '1.0.0');
  const before = await director.database.db.selectFrom('releases').selectAll().execute();
  clock.now += 400 * DAY;
  await expect(director.sync()).rejects.toMatchObject({ code: 'expired' });
  clock.now = NOW;
  await expect(takeCatalogue(director.database, { version: 1, targets: {} })).rejects.toMatchObject({
    code: 'version-mismatch',
  });
  expect(await director.database.db.selectFrom('releases').selectAll().execute()).toEqual(before);
  await images.repository.rotateKeys('targets');
  expect(await director.sync()).toBe(1);
  await director.close();
});

onEach("a supplier's release, for the paths and boards that it was given, can be assigned", async (make) => {
  const { director, images, clock } = await makeWorld(await make());
  const { repository: works } = await testRepository({ clock: clock.read, random: seeded('works') });
  const input = { component: 'radio', version: '1.0.0', hardwareIds: ['rf-2'] };
  await works.addRelease({ ...input, image: { bytes: bytesOf('radio'), name: 'radio.bin' } });
  await works.publish();
  const supplier = {
    name: 'works',
    root: await works.root(1),
    paths: ['radio/rf-2/*/*'],
    hardwareIds: ['rf-2'],
  };
  await images.repository.addSupplier(supplier);
  expect(await director.sync()).toBe(0);
  await images.repository.pullSupplier('works', await openSource(works.directory));
  expect(await director.sync()).toBe(1);
  await images.repository.removeSupplier('works');
  expect(await director.sync()).toBe(0);
  await director.close();
});

onEach('new keys sign everything anew', async (make) => {
  const { director, directory, clock } = await makeWorld(await make());
  await enrol(director, 'car-1');
  const before = await newest(director, 'car-1');
  await director.close();
  await rotateDirectorKeys(directory, 'targets', { clock: clock.read });
  const again = await OnlineDirector.open(directory, { clock: clock.read });
  const after = await newest(again, 'car-1');
  expect(after.versions).toEqual({ timestamp: 2, snapshot: 2, targets: 2 });
  expect(after.targets.targets).toEqual(before.targets.targets);
  expect(again.folder.root(2)).toBeDefined();
  await again.close();
});

test('a manufacturer hands over CSV or JSON, with keys of both kinds', () => {
  const key = generateKey().public;
  const point = `04${'ab'.repeat(64)}`;
  const csv = (rows: string) => Buffer.from(`vehicle,group,serial,hardwareId,primary,key\n${rows}`);
  expect(parseInventory(csv(`car-1,fleet,gw,gw-1,yes,${key.keyval.public}\n`), 'x.csv')).toEqual([
    { vehicle: 'car-1', group: 'fleet', ecus: [{ serial: 'gw', hardwareId: 'gw-1', primary: true, key }] },
  ]);
  expect(() => parseInventory(csv(`car-1,,gw,gw-1,yes,${point}\n`), 'x.csv')).toThrow(
    'not of Ed25519 or P-256',
  );
  expect(() => parseInventory(csv(`car-1,,gw,gw-1,no,${key.keyval.public}\n`), 'x.csv')).toThrow(
    'not one Primary',
  );
  expect(() => parseInventory(csv('car-1,,gw\n'), 'x.csv')).toThrow('3 cells');
  expect(() => parseInventory(Buffer.from('serial\n'), 'x.csv')).toThrow('the first line');
});
