// What a person who makes ECUs types and sees. A vehicle that runs is in test/uptane/live.test.ts.
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { Director, OnlineDirector } from '../../server/director/director.ts';
import { serveDirector } from '../../server/director/http.ts';
import { DATABASES } from '../director/databases.ts';
import { moult, moultJson, type Surroundings } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { imageOf } from '../fixtures/repositories.ts';

const sqlite = DATABASES[0]?.run ?? test;

let at: Surroundings;
const NOW = Math.floor(Date.now() / 1000);
const KEY = /[0-9a-f]{64}/;
const ROOTS = [
  '--root',
  'images/public/metadata/1.root.json',
  '--director-root',
  'fleet/metadata/1.root.json',
];
const IMAGE = ['--image', 'app.bin', '--version', '1.0.0', '--counter', '1'];

beforeEach(async () => {
  // Certificates are judged by the clock of the machine.
  at = { cwd: temporaryFolder(), now: NOW };
  writeFileSync(join(at.cwd, 'app.bin'), imageOf('app', 3000));
  await moult(['init', 'images', '--no-encrypt'], at);
  await moult(['director', 'init', 'fleet', '--image', 'images', '--no-encrypt'], at);
});

function make(folder: string, serial: string, hardware: string, ...more: string[]) {
  const who = ['--vehicle', 'car-1', '--ecu-id', serial, '--hw', hardware];
  return moult(['ecu', 'new', folder, ...who, ...IMAGE, ...more], at);
}

async function makeVehicle(): Promise<void> {
  await make('gw', 'gw-0001', 'gw-1', ...ROOTS, '--primary', '--secondary', 'lamp-0001=lp-1');
  await make('lamp', 'lamp-0001', 'lp-1', '--director-root', 'fleet/metadata/1.root.json');
}

test('[UPT-2] an ECU makes its key, and says again and again what it is', async () => {
  const made = await make('gw', 'gw-0001', 'gw-1', ...ROOTS, '--primary', '--secondary', 'radio-0001=rf-2');
  const [key = ''] = KEY.exec(made.stdout) ?? [];
  expect(made).toEqual({
    status: 0,
    stdout: `✓ gw is gw-0001 (gw-1), the Primary of car-1\n  report key ${key}\n`,
    stderr: '',
  });
  expect(await moult(['device', 'status', 'gw'], at)).toEqual({
    status: 0,
    stdout: `  component  version  hardware  counter  security  slot  on its way
  app        1.0.0    gw-1      1        0         A
  gw-0001 (gw-1), the Primary of car-1
${await encryptionKey('gw')}  report key ${key}
`,
    stderr: '',
  });
  const { json } = await moultJson(['device', 'status', 'gw'], at);
  expect(json).toMatchObject({
    reportKey: key,
    ecu: {
      ...{ vehicle: 'car-1', ecu: 'gw-0001', hardwareId: 'gw-1', verification: 'full' },
      secondaries: { 'radio-0001': 'rf-2' },
    },
  });
  const other = await make('other', 'gw-0002', 'gw-1', ...ROOTS, '--primary');
  expect(KEY.exec(other.stdout)?.[0]).not.toBe(key);
});

async function encryptionKey(folder: string): Promise<string> {
  const { json } = await moultJson<{ encryptionKey: string }>(['device', 'status', folder], at);
  return `  encryption key ${json.encryptionKey}\n`;
}

sqlite('[UPT-2] what moult ecu key prints is what moult director import takes, in either form', async () => {
  await makeVehicle();
  const { stdout } = await moult(['ecu', 'key', 'gw', 'lamp', '--group', 'pilots'], at);
  expect(stdout).toMatch(
    new RegExp(
      `^vehicle,group,serial,hardwareId,primary,key\n` +
        `car-1,pilots,gw-0001,gw-1,yes,${KEY.source}\ncar-1,pilots,lamp-0001,lp-1,no,${KEY.source}\n$`,
    ),
  );
  writeFileSync(join(at.cwd, 'car.csv'), stdout);
  expect(await moult(['-C', 'fleet', 'director', 'import', 'car.csv'], at)).toMatchObject({ status: 0 });
  const inventory = await keys();
  const json = await moult(['ecu', 'key', 'gw', 'lamp', '--group', 'pilots', '--json'], at);
  writeFileSync(join(at.cwd, 'car.json'), json.stdout);
  expect(await moult(['-C', 'fleet', 'director', 'import', 'car.json'], at)).toMatchObject({ status: 0 });
  expect(await keys()).toEqual(inventory);
  expect(inventory).toEqual([expect.stringMatching(/^gw-0001 1 /), expect.stringMatching(/^lamp-0001 0 /)]);
});

async function keys(): Promise<string[]> {
  const director = await Director.open(join(at.cwd, 'fleet'), { clock: () => NOW });
  try {
    const ecus = director.database.db.selectFrom('ecus').selectAll().orderBy('serial');
    return (await ecus.execute()).map((row) => `${row.serial} ${row.is_primary} ${row.public_key}`);
  } finally {
    await director.close();
  }
}

sqlite(
  '[CERT-T-4] a vehicle gets its certificate with a token, once, and keeps its key to itself',
  async () => {
    await makeVehicle();
    const { stdout } = await moult(['ecu', 'key', 'gw', 'lamp'], at);
    writeFileSync(join(at.cwd, 'car.csv'), stdout);
    await moult(['-C', 'fleet', 'director', 'import', 'car.csv'], at);
    const director = await OnlineDirector.open(join(at.cwd, 'fleet'), { clock: () => NOW });
    const server = await serveDirector(director);
    const token = await (await director.enrolment()).token('car-1', 3600);
    const enrol = (env: Record<string, string>, folder = 'gw', scheme = 'https') => {
      const to = ['--enrol-url', `${scheme}://127.0.0.1:${server.enrolPort}`, '--ca', 'fleet/tls/ca.crt'];
      return moult(['ecu', 'enrol', folder, ...to], { ...at, env });
    };
    try {
      const refused = async (said: ReturnType<typeof enrol>, status: number, why: string) =>
        expect(await said).toMatchObject({ status, stderr: expect.stringContaining(why) });
      await refused(enrol({}), 2, 'a token is needed: set MOULT_TOKEN');
      await refused(enrol({ MOULT_TOKEN: token }, 'lamp'), 2, 'the Primary speaks to the Director');
      await refused(enrol({ MOULT_TOKEN: token }, 'gw', 'http'), 1, 'a Director knows vehicles by TLS');
      const made = await enrol({ MOULT_TOKEN: token });
      expect(made).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/^✓ car-1 has a certificate, until 20/),
      });
      expect(statSync(join(at.cwd, 'gw/tls/vehicle.key')).mode & 0o777).toBe(0o600);
      expect((await moult(['device', 'status', 'gw'], at)).stdout).toMatch(
        /certificate for the Director until 20/,
      );
      await refused(enrol({ MOULT_TOKEN: token }), 1, 'the token is unknown, used or expired');
    } finally {
      await server.close();
      await director.close();
    }
    await expect(enrol({ MOULT_TOKEN: token })).resolves.toMatchObject({ status: 3 });
  },
);

test('a Secondary without its Primary runs until it is stopped, and then says what it is', async () => {
  await makeVehicle();
  const onStop: Surroundings['onStop'] = (stop) => setTimeout(stop, 100);
  const { status, json } = await moultJson(['ecu', 'run', 'lamp', '--line', 'line'], { ...at, onStop });
  expect(status).toBe(0);
  const identity = { vehicle: 'car-1', ecu: 'lamp-0001', hardwareId: 'lp-1', verification: 'partial' };
  expect(json).toMatchObject({ ...identity, version: '1.0.0', releaseCounter: 1 });
  writeFileSync(join(at.cwd, 'lamp/ecu.json'), '{');
  expect(await moult(['ecu', 'run', 'lamp', '--line', 'line'], at)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('ecu.json is damaged'),
  });
});

test('what cannot be is refused in one line, and says how to go on', async () => {
  await makeVehicle();
  const refused = async (said: ReturnType<typeof moult>, why: string) =>
    expect(await said).toMatchObject({ status: 2, stderr: expect.stringContaining(why) });
  await refused(make('gw', 'gw-0001', 'gw-1', ...ROOTS), 'gw holds a device already');
  await refused(make('x', 'gw-0001', 'gw-1', ...ROOTS, '--secondary', 'a=b'), 'say --primary');
  await refused(make('x', 'gw-0001', 'gw-1', ...ROOTS, '--primary', '--secondary', 'a'), 'SERIAL=HARDWARE');
  const [, , ...director] = ROOTS;
  await refused(make('x', 'gw-0001', 'gw-1', ...director, '--primary'), 'a Primary verifies in full');
  await refused(moult(['ecu', 'key', 'images'], at), 'images is no ECU: make one with moult ecu new');
  const run = (folder: string, ...more: string[]) => moult(['ecu', 'run', folder, ...more], at);
  const urls = ['--director-url', 'https://localhost:1', '--image-url', 'https://localhost:1'];
  await refused(run('gw', ...urls), 'the line of lamp-0001 is missing: --line lamp-0001=SOCKET');
  await refused(run('gw', '--line', 'other=x'), '--line of a Primary is SERIAL=SOCKET');
  await refused(run('gw', '--line', 'lamp-0001=x'), 'a Primary needs --director-url and --image-url');
  await refused(
    run('gw', ...urls, '--bundle', 'b', '--line', 'lamp-0001=x'),
    'a Primary needs --director-url and --image-url, or --bundle',
  );
  await refused(run('gw', ...urls, '--line', 'lamp-0001=x'), 'has no certificate for the Director');
  await refused(run('lamp'), 'a Secondary needs one --line');
});
