// What a person who runs a Director types and sees.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { createRepository } from '../../repo/index.ts';
import { OnlineDirector } from '../../server/director/director.ts';
import { imageOf, SimEcu, SimVehicle } from '../../sim/vehicle.ts';
import { DATABASES } from '../director/databases.ts';
import { moult, moultJson, type Surroundings } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { imageOf as bytesOf, NOW } from '../fixtures/repositories.ts';

const sqlite = DATABASES[0]?.run ?? test;
const bytes = bytesOf('app');

/** An Image repository with one release, and a vehicle's inventory in a file. */
async function prepare(): Promise<{ at: Surroundings; car: SimVehicle; path: string }> {
  const cwd = temporaryFolder();
  const images = await createRepository(join(cwd, 'images'), { encrypt: false, clock: () => NOW });
  const input = { image: { bytes, name: 'app.bin' }, component: 'app', version: '1.0.0' };
  const { path } = await images.addRelease({ ...input, hardwareIds: ['gw-1'] });
  await images.publish();
  const car = new SimVehicle('car-1', [new SimEcu('gw', 'gw-1')]);
  const row = ['car-1', 'pilots', 'gw', 'gw-1', 'yes', car.primary.key.public.keyval.public].join();
  writeFileSync(join(cwd, 'cars.csv'), `vehicle,group,serial,hardwareId,primary,key\n${row}\n`);
  return { at: { cwd }, car, path };
}

sqlite('from nothing to a vehicle that is directed, and back to what it says it has', async () => {
  const { at, car, path } = await prepare();
  const made = await moult(['director', 'init', 'fleet', '--image', 'images', '--no-encrypt'], at);
  expect(made).toEqual({
    status: 0,
    stdout: `✓ a Director is in ${at.cwd}/fleet
  Vehicles trust ${at.cwd}/fleet/metadata/1.root.json and ${at.cwd}/fleet/tls/ca.crt
  Keep keys/root-*.pem elsewhere: the server does not need them
  Next: moult -C fleet director import VEHICLES.csv
`,
    stderr: '! the private keys are not encrypted: whoever reads keys/ can sign\n',
  });
  const fleet = (...rest: string[]) => moult(['-C', 'fleet', 'director', ...rest], at);
  const said = async (...rest: string[]) => (await fleet(...rest)).stdout;
  expect(await said('import', 'cars.csv')).toBe('✓ 1 vehicle is in the inventory\n');
  const images = join(at.cwd, 'images');
  expect(await said('sync')).toBe(`✓ the Image repository at ${images} verifies: 1 releases\n`);
  expect(await said('assign', path, '--group', 'pilots')).toBe(`✓ group pilots is directed to ${path}\n`);
  expect(await said('status')).toBe(`  vehicle  group   last seen  ECU  has  is to have
  car-1    pilots  never      gw   -    app 1.0.0
`);
  const director = await OnlineDirector.open(join(at.cwd, 'fleet'), { clock: () => NOW });
  await director.report('car-1', car.manifest(NOW));
  car.primary.image = imageOf(path, bytes);
  await director.report('car-1', car.manifest(NOW));
  await director.close();
  expect(await said('status')).toContain('2027-01-15T08:00:00Z  gw   app 1.0.0  app 1.0.0');
  const { status, stdout } = await fleet('alerts');
  expect(status).toBe(1);
  expect(stdout).toMatch(
    /^✗ 2027-01-15T08:00:00Z car-1 gw: unknown-image: .* has no image with the SHA-256 [0-9a-f]{64}\n$/,
  );
  expect(await said('close', 'car-1', 'gw', 'unknown-image')).toBe('✓ closed: car-1 gw: unknown-image\n');
  expect(await fleet('alerts')).toEqual({ status: 0, stdout: '✓ no alerts\n', stderr: '' });
  expect(await said('unassign', path, '--group', 'pilots')).toBe(
    `✓ group pilots is not directed any more to ${path}\n`,
  );
  expect(await said('rotate', 'targets')).toContain('targets has a new key, in root 2');
  expect(await said('revoke', 'car-1')).toBe('! 0 certificates of car-1 are revoked\n');
  expect(await said('bump')).toBe('· the database is not behind what was served: nothing to do\n');
});

sqlite('[UPT-11] an attack that an ECU reports is named, with what it is', async () => {
  const { at, car } = await prepare();
  await moult(['director', 'init', 'fleet', '--image', 'images', '--no-encrypt'], at);
  await moult(['-C', 'fleet', 'director', 'import', 'cars.csv'], at);
  await moult(['-C', 'fleet', 'director', 'sync'], at);
  const report = async (attacks: string) => {
    car.primary.attacks = attacks;
    const director = await OnlineDirector.open(join(at.cwd, 'fleet'), { clock: () => NOW });
    await director.report('car-1', car.manifest(NOW));
    await director.close();
  };
  const said = async (verb: string) => (await moult(['-C', 'fleet', 'director', verb], at)).stdout;
  await report(`status ${Status.ROLLBACK}`);
  const words = 'ROLLBACK: a version lower than the trusted one [rollback]';
  expect(await said('alerts')).toContain(`car-1 gw: attack-reported: ${words}\n`);
  expect(await said('status')).toContain(`✗ car-1 gw has refused: ${words}\n`);
  const finding = { name: 'ROLLBACK', message: 'a version lower than the trusted one', attack: 'rollback' };
  for (const verb of ['alerts', 'status']) {
    const { json } = await moultJson(['-C', 'fleet', 'director', verb], at);
    expect(JSON.stringify(json)).toContain(JSON.stringify({ finding }).slice(1, -1));
  }
  // Of an ECU that is not ours, and of a core that is newer than this program.
  await moult(['-C', 'fleet', 'director', 'close', 'car-1', 'gw', 'attack-reported'], at);
  await report('somebody shook me');
  expect(await said('alerts')).toContain('car-1 gw: attack-reported: somebody shook me\n');
  await report('status -9999');
  expect(await said('status')).toContain('✗ car-1 gw has refused: status -9999\n');
  await report('');
  expect(await said('status')).not.toContain('has refused');
});

sqlite('what cannot be is refused in one line, and says how to go on', async () => {
  const { at, path } = await prepare();
  const failed = async (...args: string[]) => {
    const { status, stderr } = await moult(args, at);
    return `${status} ${stderr}`;
  };
  expect(await failed('-C', 'nothing', 'director', 'status')).toMatch(
    /^1 ✗ .*nothing is no Director: it has no director.toml\n$/,
  );
  expect(await failed('director', 'init', 'x', '--image', 'http://localhost:1')).toBe(
    '2 ✗ an Image repository on the web needs --image-root\n',
  );
  await moult(['director', 'init', 'fleet', '--image', 'images', '--no-encrypt'], at);
  expect(await failed('director', 'init', 'fleet', '--image', 'images', '--no-encrypt')).toMatch(
    /^1 .*not an empty folder/,
  );
  const fleet = (...rest: string[]) => failed('-C', 'fleet', 'director', ...rest);
  expect(await fleet('assign', path)).toBe('2 ✗ give --vehicle or --group, and one of them\n');
  expect(await fleet('assign', path, '--vehicle', 'car-1')).toBe(
    '2 ✗ there is no vehicle car-1 in the inventory\n',
  );
  expect(await fleet('import', 'none.csv')).toMatch(/^1 ✗ the inventory .*none.csv cannot be read/);
  expect(await fleet('token', 'car-9')).toBe('2 ✗ there is no vehicle car-9 in the inventory\n');
  expect(await fleet('rotate', 'root')).toBe(
    '2 ✗ the role is one of targets, snapshot, timestamp, not "root"\n',
  );
  await moult(['-C', 'fleet', 'director', 'import', 'cars.csv'], at);
  expect(await fleet('assign', path, '--vehicle', 'car-1')).toBe(
    `2 ✗ the Image repository lists no release ${path}\n`,
  );
  expect(await fleet('close', 'car-1', '-', 'key-shared')).toMatch(/^2 ✗ there is no open alert/);
  rmSync(join(at.cwd, 'fleet', 'keys', 'targets-1.pem'));
  expect(await fleet('serve', '--port', '0', '--enrol-port', '0')).toMatch(/^4 ✗ no key of targets is in /);
});

sqlite('serve says where it is, and stops when it is told to; --json is one value', async () => {
  const { at } = await prepare();
  await moult(['director', 'init', 'fleet', '--image', 'images', '--no-encrypt'], at);
  const onStop: Surroundings['onStop'] = (stop) => setTimeout(stop, 100);
  const serve = ['-C', 'fleet', 'director', 'serve', '--port', '0', '--enrol-port', '0'];
  const { status, stdout } = await moult(serve, { ...at, onStop });
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /^✓ vehicles at https:\/\/127\.0\.0\.1:\d+ \(mutual TLS\), enrolment at \d+\n· stopped\n$/,
  );
  const { json } = await moultJson<{ port: number }>(serve, { ...at, onStop });
  expect(json.port).toBeGreaterThan(0);
  const imported = await moultJson(['-C', 'fleet', 'director', 'import', 'cars.csv'], at);
  expect(imported.json).toEqual({ vehicles: 1 });
  const { json: token } = await moultJson(['-C', 'fleet', 'director', 'token', 'car-1', '--valid', '1h'], at);
  expect(token).toEqual({
    vehicle: 'car-1',
    token: expect.stringMatching(/^[\w-]{32}$/),
    expires: NOW + 3600,
  });
  expect((await moultJson(['-C', 'fleet', 'director', 'status'], at)).json).toMatchObject([
    { id: 'car-1', lastSeen: 0 },
  ]);
});

sqlite('encrypted keys need the passphrase when the server starts', async () => {
  const { at } = await prepare();
  const env = { MOULT_PASSPHRASE: 'correct horse' };
  const made = await moult(['director', 'init', 'fleet', '--image', 'images'], { ...at, env });
  expect(made).toMatchObject({ status: 0, stderr: '' });
  const serve = ['-C', 'fleet', 'director', 'serve', '--port', '0', '--enrol-port', '0'];
  expect(await moult(serve, at)).toMatchObject({ status: 2 });
  const onStop: Surroundings['onStop'] = (stop) => stop();
  expect(await moult(serve, { ...at, env, onStop })).toMatchObject({ status: 0 });
});
