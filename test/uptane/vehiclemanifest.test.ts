// The manifests of a vehicle whose ECUs run their cores, judged by the Director on the network: mutual TLS, each part by the
// key of its own ECU.
import { expect, test } from 'vitest';
import { certificateRequest } from '../../host/node/director.ts';
import { encodeFrame, type Frame, FrameDecoder, LinkKind } from '../../host/node/link.ts';
import { reportKey } from '../../host/node/report.ts';
import { type DirectorServer, serveDirector } from '../../server/director/http.ts';
import { Car, type CarEcu, ECUS } from '../../sim/car.ts';
import { VehicleClient } from '../../sim/vehicleclient.ts';
import { aroundEachOnSqlite, DATABASES } from '../director/databases.ts';
import { makeWorld, type World } from '../director/world.ts';

const [SQLITE] = DATABASES;
const sqlite = SQLITE?.run ?? test;

let world: World;
let server: DirectorServer;
let clients: VehicleClient[];

aroundEachOnSqlite(
  async () => {
    clients = [];
    world = await makeWorld((await SQLITE?.make()) ?? '', Math.floor(Date.now() / 1000));
    server = await serveDirector(world.director);
  },
  async () => {
    for (const client of clients) client.close();
    await server.close();
    await world.director.close();
  },
);

function client(port: () => number, identity: { cert?: string; key?: string } = {}): VehicleClient {
  const made = new VehicleClient(port, { ca: world.director.folder.pair('ca').certificate, ...identity });
  clients.push(made);
  return made;
}

interface Enrolled {
  readonly car: Car;
  /** Manifests that were made and not sent yet. */
  readonly made: Uint8Array[];
  /** Sends them all, in order; HTTP statuses. */
  send(): Promise<number[]>;
}

/** A vehicle in the inventory of the Director, with a certificate. */
async function enrolled(): Promise<Enrolled> {
  const { director, clock } = world;
  const made: Uint8Array[] = [];
  const car: Car = new Car({ start: clock.now, send: async (manifest) => void made.push(manifest) });
  const ecus = car.ecus.map(({ serial, hardwareId }) => {
    const key = reportKey(car.device(serial).powerOn().reportKeyRead());
    return { serial, hardwareId, primary: serial === car.primary.serial, key };
  });
  await director.import(
    Buffer.from(JSON.stringify([{ vehicle: car.vehicle, group: '', ecus }])),
    'inventory',
  );
  const token = await (await director.enrolment()).token(car.vehicle, 3600);
  const { csr, key } = await certificateRequest(car.vehicle);
  const { body } = await client(() => server.enrolPort).post('/enrol', JSON.stringify({ csr, token }));
  const line = client(() => server.port, { cert: JSON.parse(body.toString()).certificate, key });
  const send = async () => {
    const statuses: number[] = [];
    clock.now = car.clock.seconds();
    for (const manifest of made.splice(0)) statuses.push((await line.post('/manifest', manifest)).status);
    return statuses;
  };
  return { car, made, send };
}

async function installed(): Promise<(string | undefined)[]> {
  const ecus = world.director.database.db.selectFrom('ecus').select(['serial', 'path']).orderBy('serial');
  return (await ecus.execute()).map(({ serial, path }) => `${serial} ${path}`);
}

sqlite('[UPT-2, UPT-9] the Director hears from each ECU, by its own key, what it has', async () => {
  const { car, send } = await enrolled();
  await car.drive(210);
  expect(new Set(await send())).toEqual(new Set([200]));
  expect(await installed()).toEqual([
    'brakes app/br-2/1.0.0/firmware.bin',
    'gateway app/gw-1/1.0.0/firmware.bin',
    'radio app/rf-3/1.0.0/firmware.bin',
  ]);
  car.release(2);
  expect(await car.run()).toBe(true);
  await car.drive(210);
  const statuses = await send();
  expect(statuses.length).toBeGreaterThan(0);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(await installed()).toEqual([
    'brakes app/br-2/2.0.0/firmware.bin',
    'gateway app/gw-1/2.0.0/firmware.bin',
    'radio app/rf-3/2.0.0/firmware.bin',
  ]);
});

sqlite('[UPT-2, UPT-9] what is new is said when it is there, and not first at the next check', async () => {
  const { car, made, send } = await enrolled();
  await car.drive(140);
  await send();
  car.release(2);
  expect(await car.run()).toBe(true);
  // Less than from one check to the next.
  await car.drive(10);
  expect(made.length).toBeGreaterThan(0);
  expect(new Set(await send())).toEqual(new Set([200]));
  expect(await installed()).toEqual([
    'brakes app/br-2/2.0.0/firmware.bin',
    'gateway app/gw-1/2.0.0/firmware.bin',
    'radio app/rf-3/2.0.0/firmware.bin',
  ]);
});

test('[UPT-2] an ECU that reports without end is passed on every five seconds at most', async () => {
  const made: Uint8Array[] = [];
  const [gateway, , radio] = ECUS;
  const send = async (manifest: Uint8Array) => void made.push(manifest);
  const car = new Car({ ecus: [gateway, radio as CarEcu], send, mayReboot: () => false });
  await car.drive(70);
  const decoder = new FrameDecoder(8192);
  let report: Frame | undefined;
  let reports = 0;
  car.meddlers.set('radio', (bytes, from) => {
    const [frame] = from === 'secondary' ? decoder.push(bytes) : [];
    if (frame?.kind === LinkKind.VERSION_REPORT) report = frame;
    if (!report || frame?.kind !== LinkKind.CONSENT) return bytes;
    reports++;
    return Buffer.concat([encodeFrame({ ...report, sequence: (frame.sequence - 1) & 0xffff }), bytes]);
  });
  // It waits for the user, and asks its Primary once a second.
  car.release(2);
  car.direct(1, ['gateway']);
  await car.drive(100);
  made.splice(0);
  reports = 0;
  await car.drive(100);
  expect(reports).toBeGreaterThan(80);
  expect(made.length).toBeGreaterThan(5);
  expect(made.length).toBeLessThan(25);
});

sqlite('[UPT-2, UPT-9] a Secondary that is silent is missing, and the Director says so', async () => {
  const { car, send } = await enrolled();
  await car.drive(140);
  await send();
  car.dark.add('radio');
  await car.drive(350);
  expect(await send()).toContain(403);
  expect(await world.director.alerts()).toContainEqual(
    expect.objectContaining({ kind: 'ecu-missing', serial: 'radio' }),
  );
});

sqlite('[UPT-2] a Primary that was taken over cannot speak for a Secondary', async () => {
  const { car, made, send } = await enrolled();
  await car.drive(140);
  await send();
  await car.drive(140);
  // What it has is a report of the Secondary; what it says is another.
  const forged = made.map((manifest) =>
    Buffer.from(Buffer.from(manifest).toString().replaceAll('app/rf-3/1.0.0', 'app/rf-3/9.0.0')),
  );
  made.splice(0, made.length, ...forged);
  expect(forged.length).toBeGreaterThan(0);
  expect(new Set(await send())).toEqual(new Set([403]));
  expect(await installed()).toContain('radio app/rf-3/1.0.0/firmware.bin');
});

sqlite('[UPT-2] what an ECU says in the name of another does not get into a manifest', async () => {
  const { car, made, send } = await enrolled();
  await car.drive(140);
  expect(new Set(await send())).toEqual(new Set([200]));
  // The radio hands on what the brakes have signed.
  const heard: Uint8Array[] = [];
  const listening = new FrameDecoder(8192);
  car.meddlers.set('brakes', (bytes, from) => {
    for (const { kind, payload } of from === 'secondary' ? listening.push(bytes) : [])
      if (kind === LinkKind.VERSION_REPORT) heard.push(payload);
    return bytes;
  });
  await car.drive(140);
  await send();
  const changing = new FrameDecoder(8192);
  car.meddlers.set('radio', (bytes, from) => {
    const [frame] = from === 'secondary' ? changing.push(bytes) : [];
    const other = heard.at(-1);
    if (frame?.kind !== LinkKind.VERSION_REPORT || !other) return bytes;
    return encodeFrame({ ...frame, payload: other });
  });
  await car.drive(400);
  expect(made.length).toBeGreaterThan(0);
  for (const manifest of made) {
    const { ecu_version_manifests: reports } = JSON.parse(Buffer.from(manifest).toString()).signed;
    expect(Object.keys(reports).sort()).toEqual(['brakes', 'gateway']);
  }
  expect(new Set(await send())).toEqual(new Set([403]));
});
