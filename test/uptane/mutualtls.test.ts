// moult client --uptane against a Director on the network: it knows its vehicles by their certificates.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { UptaneReport } from '../../cli/client/uptane.ts';
import { enrol as enrolWith } from '../../host/node/director.ts';
import { type DirectorServer, serveDirector } from '../../server/director/http.ts';
import { type StaticServer, serveStatic } from '../../server/static.ts';
import { aroundEachOnSqlite, DATABASES } from '../director/databases.ts';
import { enrol, makeWorld, type World } from '../director/world.ts';
import { moult } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';

const [SQLITE] = DATABASES;
const sqlite = SQLITE?.run ?? test;

let world: World;
let server: DirectorServer;
let images: StaticServer;
let cwd: string;
/** The path of what both vehicles are to have. */
let path: string;

aroundEachOnSqlite(
  async () => {
    cwd = temporaryFolder();
    world = await makeWorld((await SQLITE?.make()) ?? '', Math.floor(Date.now() / 1000));
    const { director, images: repository } = world;
    server = await serveDirector(director);
    images = await serveStatic({ directory: repository.repository.publicDirectory });
    ({ path } = await world.release('app', '1.0.0'));
    for (const vehicle of ['car-1', 'car-2']) {
      await enrol(director, vehicle);
      await director.assign({ scope: 'vehicle', name: vehicle, path });
      await certify(vehicle);
    }
    writeFileSync(join(cwd, 'director.json'), director.folder.root(1) ?? '');
    writeFileSync(join(cwd, 'image.json'), await repository.repository.root(1));
    await client('init', 'director.json', 'image.json');
  },
  async () => {
    await images.close();
    await server.close();
    await world.director.close();
  },
);

async function certify(vehicle: string): Promise<void> {
  const token = await (await world.director.enrolment()).token(vehicle, 3600);
  const ca = world.director.folder.pair('ca').certificate;
  const at = `https://127.0.0.1:${server.enrolPort}`;
  const identity = await enrolWith(at, { vehicle, token, ca });
  for (const [name, text] of Object.entries(identity)) writeFileSync(join(cwd, `${vehicle}.${name}`), text);
}

/** The ECU of car-1. */
async function client(...rest: string[]) {
  const who = ['--metadata-dir', 'state', '--ecu-id', 'car-1-gw', '--hardware-id', 'gw-1'];
  const where = ['--director-url', `https://127.0.0.1:${server.port}/director/metadata`];
  const from = ['--image-url', `${images.url}/metadata`, '--target-base-url', `${images.url}/targets`];
  const args = ['client', '--uptane', ...who, ...where, ...from, ...rest];
  const { status, stdout, stderr } = await moult(args, { cwd });
  return { status, stderr, report: stdout === '' ? undefined : (JSON.parse(stdout) as UptaneReport) };
}

const as = (vehicle: string) =>
  ['cert', 'key', 'ca'].flatMap((name) => [`--director-${name}`, `${vehicle}.${name}`]);
const GOOD = { ok: true, error: null };
const GONE = { ok: false, error: 'NETWORK' };

sqlite(
  '[CERT-T-4, UPT-5] with its certificate a vehicle gets its orders, and fetches what they say',
  async () => {
    expect(await client(...as('car-1'), 'download')).toEqual({
      ...{ status: 0, stderr: '' },
      report: { director: GOOD, image: GOOD, targets: [{ name: path, ...GOOD }] },
    });
    const file = join(cwd, 'state', 'targets', encodeURIComponent(path));
    expect(readFileSync(file).length).toBeGreaterThan(0);
  },
);

sqlite('[CERT-T-4] without one, or where nobody vouches for the Director, there is no Director', async () => {
  const alone = { status: 3, report: { director: GONE, image: GOOD, targets: [] } };
  expect(await client('refresh')).toMatchObject(alone);
  expect(await client(...as('car-1').slice(0, 4), 'refresh')).toMatchObject(alone);
});

sqlite(
  '[CERT-T-4, UPT-5] with the certificate of another vehicle it gets orders that are not for it',
  async () => {
    expect(await client(...as('car-2'), 'refresh')).toMatchObject({
      status: 1,
      report: { targets: [{ name: path, ok: false, error: 'ECU_UNKNOWN' }] },
    });
  },
);

sqlite('a certificate without its key, and files that are neither', async () => {
  expect(await client(...as('car-1').slice(0, 2), 'refresh')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('--director-cert and --director-key belong together'),
  });
  const swapped = ['--director-cert', 'car-1.key', '--director-key', 'car-1.cert'];
  expect(await client(...swapped, 'refresh')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('are no certificate and its key'),
  });
});
