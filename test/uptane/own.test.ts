// What repo/ and the Director of server/ write, by a client that shares no code with them.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runUptane, type UptaneReport } from '../../cli/client/uptane.ts';
import type { OnlineDirector } from '../../server/director/director.ts';
import { serveStatic } from '../../server/static.ts';
import { SimEcu, SimVehicle } from '../../sim/vehicle.ts';
import { onEach } from '../director/databases.ts';
import { makeWorld } from '../director/world.ts';
import { temporaryFolder } from '../fixtures/folders.ts';

const VEHICLE = 'car-1';
const ECU = { ecu: 'car-1-gw', hardwareId: 'gw-1', legacy: false };
const OK = { ok: true, error: null };

onEach('[UPT-1, UPT-5] a client follows a Director and an Image repository of ours', async (make) => {
  const now = Math.floor(Date.now() / 1000);
  const world = await makeWorld(await make(), now);
  const { director, images } = world;
  const car = new SimVehicle(VEHICLE, [new SimEcu(ECU.ecu, ECU.hardwareId)]);
  await director.import(Buffer.from(JSON.stringify([{ ...car.inventory(), group: '' }])), 'inventory');
  await director.report(VEHICLE, car.manifest(now));
  const first = await world.release('app', '1.0.0');
  const image = await serveStatic({ directory: images.repository.publicDirectory });
  const asked = await serveDirector(director);
  const folder = temporaryFolder();
  const directorRoot = join(folder, 'director.json');
  const imageRoot = join(folder, 'image.json');
  writeFileSync(directorRoot, (await director.folder.root(1)) ?? '');
  writeFileSync(imageRoot, await images.repository.root(1));
  const metadataDir = join(folder, 'state');
  const sources = {
    directorUrl: asked.url,
    imageUrl: `${image.url}/metadata`,
    targetBaseUrl: `${image.url}/targets`,
  };
  const targetDir = join(folder, 'targets');
  const download = () => runUptane({ command: 'download', metadataDir, sources, targetDir });
  const found = (...targets: UptaneReport['targets']) => ({ director: OK, image: OK, targets });

  await runUptane({ command: 'init', metadataDir, ecu: ECU, directorRoot, imageRoot });
  expect(await download()).toEqual(found());
  await director.assign({ scope: 'vehicle', name: VEHICLE, path: first.path });
  expect(await download()).toEqual(found({ name: first.path, ...OK }));
  const second = await world.release('app', '1.1.0');
  await director.assign({ scope: 'vehicle', name: VEHICLE, path: second.path });
  expect(await download()).toEqual(found({ name: second.path, ...OK }));
  await image.close();
  asked.close();
  await director.close();
});

/** The Director's metadata for the one vehicle; how it knows which vehicle asks is not what is tested here. */
async function serveDirector(director: OnlineDirector): Promise<{ url: string; close(): void }> {
  const server = createServer(async ({ url = '' }, response) => {
    const [, version, role] = /^\/(?:(\d+)\.)?(\w+)\.json$/.exec(url) ?? [];
    const file = await fileOf(director, role, Number(version));
    response.writeHead(file ? 200 : 404, { 'content-length': file?.length ?? 0 }).end(file);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

function fileOf(director: OnlineDirector, role: string | undefined, version: number) {
  if (role === 'timestamp') return director.timestamp(VEHICLE);
  if (role === 'root') return director.folder.root(version);
  return role === 'snapshot' || role === 'targets' ? director.file(VEHICLE, role, version) : undefined;
}
