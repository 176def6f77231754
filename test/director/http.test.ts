// The Director on the network: who may speak, what is answered.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { certificateRequest } from '../../host/node/director.ts';
import { Authority, createAuthority } from '../../server/director/certificates.ts';
import type { OnlineDirector } from '../../server/director/director.ts';
import {
  type DirectorServer,
  type DirectorServerOptions,
  serveDirector,
} from '../../server/director/http.ts';
import { RateLimit } from '../../server/director/ratelimit.ts';
import { SimEcu, SimVehicle } from '../../sim/vehicle.ts';
import { VehicleClient } from '../../sim/vehicleclient.ts';
import { aroundEachOnSqlite, DATABASES } from './databases.ts';
import { enrol, makeWorld, signedOf, simVehicle, type World } from './world.ts';

const [SQLITE] = DATABASES;
const sqlite = SQLITE?.run ?? test;

/** The alert, or the end of the connection before it is read. */
const NO_CONVERSATION = /alert|ECONNRESET|socket hang up/;

let world: World;
let director: OnlineDirector;
let server: DirectorServer;
let clients: VehicleClient[];

aroundEachOnSqlite(
  async () => {
    clients = [];
    world = await makeWorld((await SQLITE?.make()) ?? '', Math.floor(Date.now() / 1000));
    director = world.director;
  },
  async () => {
    for (const client of clients) client.close();
    await server?.close();
    await director.close();
  },
);

const serve = async (options: DirectorServerOptions = {}) => {
  server = await serveDirector(director, options);
};
const ca = () => director.folder.pair('ca').certificate;

function client(port: () => number, cert?: string, key?: string): VehicleClient {
  const made = new VehicleClient(port, { ca: ca(), ...(cert && { cert }), ...(key && { key }) });
  clients.push(made);
  return made;
}

/** Enrols over the network, with a token. */
async function enrolled(id: string): Promise<{ car: SimVehicle; line: VehicleClient }> {
  const car = await enrol(director, id);
  const token = await (await director.enrolment()).token(id, 3600);
  const { csr, key } = await certificateRequest('anyone');
  const { status, body } = await client(() => server.enrolPort).post(
    '/enrol',
    JSON.stringify({ csr, token }),
  );
  expect(status).toBe(200);
  return { car, line: client(() => server.port, JSON.parse(body.toString()).certificate, key) };
}

sqlite(
  'a vehicle enrols with a token, reports and reads its own metadata [CERT-T-4, UPT-2, ETSI-3.10]',
  async () => {
    await serve();
    const { car, line } = await enrolled('car-1');
    const now = world.clock.now;
    expect(await line.post('/manifest', car.manifest(now))).toMatchObject({ status: 200 });
    const root = await line.get('/director/metadata/1.root.json');
    expect(root.body).toEqual(Buffer.from(director.folder.root(1) ?? []));
    const timestamp = signedOf((await line.get('/director/metadata/timestamp.json')).body, 'timestamp');
    expect(timestamp.signed.version).toBe(1);
    await line.get('/director/metadata/1.snapshot.json');
    const targets = signedOf((await line.get('/director/metadata/1.targets.json')).body, 'targets');
    expect(targets.signed.custom).toEqual({ vehicleId: 'car-1' });
    for (const name of [
      '2.targets.json',
      '2.root.json',
      '0.targets.json',
      '../director.toml',
      '1.x.json',
      '',
    ])
      expect((await line.get(`/director/metadata/${name}`)).status).toBe(404);
  },
);

sqlite(
  'without a certificate of ours there is no conversation: a TLS alert [CERT-T-4, CERT-T-1]',
  async () => {
    let served = 0;
    await serve({ onRequest: () => served++ });
    await expect(client(() => server.port).get('/director/metadata/timestamp.json')).rejects.toThrow(
      NO_CONVERSATION,
    );
    const stranger = await createAuthority('stranger', world.clock.now);
    const { csr, key } = await certificateRequest('car-1');
    const forged = await (await Authority.open(stranger)).vehicle(csr, 'car-1', world.clock.now);
    await expect(client(() => server.port, forged, key).get('/')).rejects.toThrow(NO_CONVERSATION);
    expect(served).toBe(0);
  },
);

sqlite(
  'a certificate speaks for its own vehicle: anything for another is refused, with an alert [CRA-II-7.e, CERT-T-4]',
  async () => {
    await serve();
    const { line } = await enrolled('car-1');
    const { car: other } = await enrolled('car-2');
    const before = (await line.get('/director/metadata/timestamp.json')).body;
    expect(await line.post('/manifest', other.manifest(world.clock.now))).toMatchObject({ status: 403 });
    expect(await director.alerts()).toMatchObject([{ vehicle: 'car-1', kind: 'wrong-vehicle', count: 1 }]);
    // Neither a header nor a query names a vehicle or a version that counts.
    const headers = { 'x-vehicle-id': 'car-2', 'x-ecu-version': '999.0.0' };
    const lied = await line.get('/director/metadata/timestamp.json?vehicle=car-2&version=999', headers);
    expect(lied.body).toEqual(before);
  },
);

sqlite('a revoked certificate is refused at once [CERT-T-4]', async () => {
  await serve();
  const { car, line } = await enrolled('car-1');
  expect(await (await director.enrolment()).revoke('car-1')).toBe(1);
  expect(await line.get('/director/metadata/timestamp.json')).toMatchObject({ status: 403 });
  expect(await line.post('/manifest', car.manifest(world.clock.now))).toMatchObject({ status: 403 });
  expect((await director.vehicles())[0]?.lastSeen).toBe(0);
});

sqlite('all that is wrong with a manifest gets one answer, byte for byte [ETSI-3.9]', async () => {
  await serve();
  const { car, line } = await enrolled('car-1');
  const now = world.clock.now;
  const old = car.manifest(now);
  expect((await line.post('/manifest', old)).status).toBe(200);
  const half = new SimVehicle('car-1', [car.primary]);
  const impostor = new SimVehicle('car-1', [new SimEcu(car.primary.serial, 'gw-1'), ...car.ecus.slice(1)]);
  const answers = [
    await line.post('/manifest', old),
    await line.post('/manifest', half.manifest(now)),
    await line.post('/manifest', impostor.manifest(now)),
    await line.post('/manifest', car.manifest(now + 9999)),
    await line.post('/manifest', simVehicle('car-9').manifest(now)),
    await line.post('/manifest', '{}'),
    await line.post('/manifest', 'no JSON at all'),
  ];
  expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(
    new Set(['403 {"error":"refused"}\n']),
  );
  expect((await director.alerts()).map(({ kind }) => kind).sort()).toEqual([
    'counter-replayed',
    'ecu-missing',
    'manifest-forged',
    'manifest-invalid',
    'time-in-future',
    'unknown-image',
    'unknown-image',
    'wrong-vehicle',
  ]);
});

sqlite('a body beyond the limit is 413, and the vehicle goes on after it [CERT-S-1]', async () => {
  await serve();
  const { car, line } = await enrolled('car-1');
  expect((await line.post('/manifest', Buffer.alloc(65_537, '['))).status).toBe(413);
  expect((await line.post('/manifest', Buffer.alloc(10 * 1024 * 1024, '['))).status).toBe(413);
  expect((await line.post('/manifest', car.manifest(world.clock.now))).status).toBe(200);
  await expect(line.post('/manifest', Buffer.alloc(20 * 1024 * 1024, '['))).rejects.toThrow();
});

sqlite('one vehicle that floods is held back, the others are not [CERT-S-3]', async () => {
  await serve({ vehicleRate: { burst: 5, perSecond: 0.001 } });
  const [{ line: loud }, { line: quiet }] = [await enrolled('car-1'), await enrolled('car-2')];
  const statuses = [];
  for (let i = 0; i < 8; i++) statuses.push((await loud.get('/director/metadata/timestamp.json')).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
  expect((await quiet.get('/director/metadata/timestamp.json')).status).toBe(200);
});

sqlite(
  'an address that opens connections without end is cut off before the handshake [CERT-S-3]',
  async () => {
    await serve({ addressRate: { burst: 3, perSecond: 0.001 } });
    const { line } = await enrolled('car-1');
    expect((await line.get('/director/metadata/timestamp.json')).status).toBe(200);
    const results = await Promise.allSettled([1, 2, 3].map(() => client(() => server.enrolPort).get('/')));
    expect(results.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(1);
  },
);

test('a bucket fills again at its rate, and never beyond its size', () => {
  let now = 0;
  const limit = new RateLimit({ burst: 2, perSecond: 1 }, () => now);
  expect([limit.take('a'), limit.take('a'), limit.take('a'), limit.take('b')]).toEqual([
    true,
    true,
    false,
    true,
  ]);
  now = 1000;
  expect([limit.take('a'), limit.take('a')]).toEqual([true, false]);
  now = 60_000;
  expect([limit.take('a'), limit.take('a'), limit.take('a')]).toEqual([true, true, false]);
});

sqlite('a token is good once, for its own vehicle, for its time [CERT-T-4]', async () => {
  await serve();
  await enrol(director, 'car-1');
  const enrolment = await director.enrolment();
  const port = client(() => server.enrolPort);
  const { csr } = await certificateRequest('car-1');
  const ask = async (body: object) => (await port.post('/enrol', JSON.stringify(body))).status;
  const token = await enrolment.token('car-1', 60);
  expect(await ask({ csr, token: `${token}x` })).toBe(403);
  expect(await ask({ csr: 'no request', token })).toBe(403);
  // A request that could not be read has not used it up.
  expect(await ask({ csr, token })).toBe(200);
  expect(await ask({ csr, token })).toBe(403);
  const late = await enrolment.token('car-1', 60);
  world.clock.now += 60;
  expect(await ask({ csr, token: late })).toBe(403);
  expect(await ask({ csr })).toBe(403);
  await expect(enrolment.token('nobody', 60)).rejects.toThrow('no vehicle nobody');
});

sqlite(
  "a manufacturer's certificate enrols the vehicle that it names, without a token [CERT-T-4]",
  async () => {
    const manufacturer = await createAuthority('maker', world.clock.now);
    writeFileSync(join(world.directory, 'tls', 'manufacturer.crt'), manufacturer.certificate);
    await serve();
    const car = await enrol(director, 'car-1');
    const birth = await certificateRequest('car-1');
    const born = await (await Authority.open(manufacturer)).vehicle(birth.csr, 'car-1', world.clock.now);
    const { csr, key } = await certificateRequest('whatever');
    const { status, body } = await client(() => server.enrolPort, born, birth.key).post(
      '/enrol',
      JSON.stringify({ csr }),
    );
    expect(status).toBe(200);
    const line = client(() => server.port, JSON.parse(body.toString()).certificate, key);
    expect((await line.post('/manifest', car.manifest(world.clock.now))).status).toBe(200);
    // With that certificate alone there is no metadata: it is for enrolment.
    await expect(client(() => server.port, born, birth.key).get('/')).rejects.toThrow(NO_CONVERSATION);
  },
);

sqlite('no name of a vehicle reaches the log of requests [CRA-II-7.e]', async () => {
  const lines: string[] = [];
  await serve({ onRequest: (request) => lines.push(JSON.stringify(request)) });
  const { car, line } = await enrolled('car-1');
  await line.post('/manifest', car.manifest(world.clock.now));
  await line.get('/director/metadata/timestamp.json?id=car-1');
  expect(lines).toHaveLength(3);
  expect(lines.join()).not.toContain('car-1');
});
