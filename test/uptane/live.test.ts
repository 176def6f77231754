// A vehicle and its Director as their users run them, each ECU and each server in a process of its own: a Primary, a
// Secondary in Node and one in C under wasm3, the Director over mutual TLS, images over HTTP, the time over UDP.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { projectRoot } from '../../host/node/root.ts';
import type { VehicleStatus } from '../../server/director/status.ts';
import { DEVICE_PROGRAM } from '../../sim/process.ts';
import { VehicleClient } from '../../sim/vehicleclient.ts';
import { DATABASES } from '../director/databases.ts';
import { builtCli } from '../fixtures/built-cli.ts';
import { moult, moultJson } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { RunningProcess, startMoult } from '../fixtures/processes.ts';
import { imageOf } from '../fixtures/repositories.ts';
import { HOW_TO_GET_WASM3 } from '../fixtures/wasm3.ts';
import { optional } from '../optional.ts';

const [SQLITE] = DATABASES;
const live = existsSync(DEVICE_PROGRAM)
  ? (SQLITE?.run ?? optional(false, ''))
  : optional(false, HOW_TO_GET_WASM3);

/** By serial; the first is the Primary, the second in Node, the third in C. */
const ECUS = { gateway: 'gw-1', radio: 'rf-2', brakes: 'br-3' } as const;
type Serial = keyof typeof ECUS;
const SERIALS = Object.keys(ECUS) as Serial[];

beforeAll(() => {
  builtCli();
}, 30_000);

class Stage {
  readonly cwd = temporaryFolder();
  readonly servers: RunningProcess[] = [];
  director = '';
  enrolment = '';
  images = '';
  time = '';

  /** A command that ends by itself, in this process. */
  async run(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await moult(args, { cwd: this.cwd, now: now() });
    expect({ status, args, stderr }).toMatchObject({ status: 0 });
    return stdout;
  }

  fleet(...args: string[]): Promise<string> {
    return this.run('-C', 'fleet', 'director', ...args);
  }

  start(...args: string[]): RunningProcess {
    return startMoult(args, this.cwd);
  }

  /** An Image repository with a first release for each ECU, a Director that knows it, a time server; all serve. */
  async begin(): Promise<void> {
    await this.run('init', 'images', '--no-encrypt');
    await this.run('director', 'init', 'fleet', '--image', 'images', '--no-encrypt');
    mkdirSync(join(this.cwd, 'time'));
    await this.run('key', 'gen', '--no-encrypt', '--out', 'file:time/time.pem');
    await this.release('1.0.0');
    const director = this.start('-C', 'fleet', 'director', 'serve', '--port', '0', '--enrol-port', '0');
    const images = this.start('serve', 'images', '--port', '0');
    const time = this.start('time', 'serve', '--key', 'time/time.pem', '--port', '0');
    this.servers.push(director, images, time);
    const [, port, enrolPort] = await director.seen(/127\.0\.0\.1:(\d+) .* enrolment at (\d+)/);
    this.director = `https://127.0.0.1:${port}`;
    this.enrolment = `https://127.0.0.1:${enrolPort}`;
    this.images = (await images.seen(/http:\S+/))[0];
    this.time = (await time.seen(/127\.0\.0\.1:\d+/))[0];
  }

  /** For every kind of ECU. */
  async release(version: string): Promise<void> {
    for (const hardware of Object.values(ECUS)) {
      writeFileSync(join(this.cwd, `${hardware}.bin`), imageOf(`${hardware} ${version}`, 3000));
      const release = ['--component', 'app', '--version', version, '--hw', hardware];
      await this.run('-C', 'images', 'release', 'add', `${hardware}.bin`, ...release);
    }
    await this.run('-C', 'images', 'publish');
    await this.fleet('sync');
  }

  /** Makes an ECU that has the first release. */
  make(vehicle: string, serial: string, hardware: string, ...more: string[]): Promise<string> {
    return this.run(
      ...['ecu', 'new', `${vehicle}/${serial}`, '--vehicle', vehicle, '--ecu-id', serial, '--hw', hardware],
      ...['--director-root', 'fleet/metadata/1.root.json', '--time-key', 'time/time.pub'],
      ...['--image', `${hardware}.bin`, '--version', '1.0.0', '--counter', '1', ...more],
    );
  }

  /** Puts a vehicle into the inventory, and gets the certificate of its Primary. */
  async enrol(vehicle: string, primary: string, ...others: string[]): Promise<void> {
    const folders = [primary, ...others].map((serial) => `${vehicle}/${serial}`);
    writeFileSync(join(this.cwd, 'inventory.csv'), await this.run('ecu', 'key', ...folders));
    await this.fleet('import', 'inventory.csv');
    const { json } = await moultJson<{ token: string }>(['-C', 'fleet', 'director', 'token', vehicle], {
      cwd: this.cwd,
      now: now(),
    });
    writeFileSync(join(this.cwd, 'token'), json.token);
    const to = ['--enrol-url', this.enrolment, '--ca', 'fleet/tls/ca.crt', '--token-file', 'token'];
    expect(await this.run('ecu', 'enrol', `${vehicle}/${primary}`, ...to)).toContain('has a certificate');
  }

  primary(folder: string, ...lines: string[]): RunningProcess {
    return this.start(
      ...['ecu', 'run', folder, '--director-url', this.director, '--image-url', this.images],
      ...['--time-server', this.time, ...lines.flatMap((line) => ['--line', line])],
    );
  }

  /** A Secondary in C, on the folder that `moult ecu new` has made. */
  device(folder: string, line: string): RunningProcess {
    const module = join(projectRoot(), 'build/moult.wasm');
    const sha256 = createHash('sha256').update(readFileSync(module)).digest('hex');
    const args = ['--module', module, '--sha256', sha256, '--primary', '--link', line, '--clock', 'link'];
    return new RunningProcess(DEVICE_PROGRAM, [...args, folder], this.cwd);
  }

  /** What the Director knows of a vehicle's ECUs, by their signed reports: "gateway app 1.0.0". */
  async installed(vehicle: string): Promise<string[]> {
    const args = ['-C', 'fleet', 'director', 'status'];
    const { json } = await moultJson<VehicleStatus[]>(args, { cwd: this.cwd, now: now() });
    const ecus = json.find(({ id }) => id === vehicle)?.ecus ?? [];
    return ecus.map(({ serial, installed }) => `${serial} ${installed}`).sort();
  }

  /** Stops all; what they said. */
  async end(...processes: RunningProcess[]): Promise<string> {
    for (const process of [...processes, ...this.servers]) await process.stop();
    return [...processes, ...this.servers].map(({ text }) => text).join('\n');
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

function all(version: string): string[] {
  return SERIALS.map((serial) => `${serial} app ${version}`).sort();
}

let stage: Promise<Stage> | undefined;

/** The same for all tests here. */
function begun(): Promise<Stage> {
  stage ??= (async () => {
    const made = new Stage();
    await made.begin();
    return made;
  })();
  return stage;
}

describe('a vehicle that takes its orders live from a Director', () => {
  live(
    "[CERT-T-4, UPT-1] what is another vehicle's gets a vehicle nothing, and no certificate not even an answer",
    async () => {
      const stage = await begun();
      const root = ['--root', 'images/public/metadata/1.root.json', '--primary'];
      await stage.make('car-2', 'one', 'gw-1', ...root);
      await stage.make('car-3', 'two', 'gw-1', ...root);
      const without = stage.primary('car-3/two');
      await without.seen(/has no certificate for the Director: get one with moult ecu enrol/);
      const ca = readFileSync(join(stage.cwd, 'fleet/tls/ca.crt'), 'utf8');
      const nobody = new VehicleClient(() => Number(new URL(stage.director).port), { ca });
      const asked = nobody.get('/director/metadata/timestamp.json');
      await expect(asked).rejects.toThrow(/alert|ECONNRESET|socket hang up/);
      nobody.close();
      await stage.enrol('car-2', 'one');
      await stage.enrol('car-3', 'two');
      cpSync(join(stage.cwd, 'car-2/one/tls'), join(stage.cwd, 'car-3/two/tls'), { recursive: true });
      const stranger = stage.primary('car-3/two');
      await stranger.seen(/no manifest was taken: \S+manifest: HTTP status 403/);
      await stranger.seen(/two: targets: the Director's targets are not for this vehicle/);
      const { stdout } = await moult(['-C', 'fleet', 'director', 'alerts'], { cwd: stage.cwd, now: now() });
      expect(stdout).toMatch(/car-2: wrong-vehicle: it is of the vehicle car-3/);
      expect(await stage.installed('car-3')).toEqual(['two undefined']);
      await stranger.stop();
    },
    60_000,
  );

  live(
    '[UPT-1, UPT-2, UPT-4, UPT-9, CERT-T-4, TUF-7] first manifest, orders, an update of all ECUs, what the Director then knows',
    async () => {
      const stage = await begun();
      const root = ['--root', 'images/public/metadata/1.root.json'];
      const others = ['--secondary', 'radio=rf-2', '--secondary', 'brakes=br-3'];
      await stage.make('car-1', 'gateway', 'gw-1', ...root, '--primary', ...others);
      await stage.make('car-1', 'radio', 'rf-2');
      await stage.make('car-1', 'brakes', 'br-3', ...root);
      await stage.enrol('car-1', 'gateway', 'radio', 'brakes');
      const start = async () => {
        const primary = stage.primary('car-1/gateway', 'radio=radio.line', 'brakes=brakes.line');
        await primary.seen(/verified for all/);
        const radio = stage.start('ecu', 'run', 'car-1/radio', '--line', 'radio.line');
        return { primary, radio, brakes: stage.device('car-1/brakes', 'brakes.line') };
      };

      const first = await start();
      await first.primary.seen(/the manifest is sent: 3 reports/);
      expect(await stage.installed('car-1')).toEqual(all('1.0.0'));
      // Any of them may end at any moment.
      first.brakes.kill();
      first.primary.kill();
      expect(await first.radio.stop()).toBe(0);

      await stage.release('2.0.0');
      for (const hardware of Object.values(ECUS))
        await stage.fleet('assign', `app/${hardware}/2.0.0/${hardware}.bin`, '--vehicle', 'car-1');
      const { primary, radio, brakes } = await start();
      await primary.seen(/all hold their images, and boot them/);
      await primary.seen(/all work, and keep what they have/);
      while ((await stage.installed('car-1')).join() !== all('2.0.0').join())
        await new Promise((resolve) => setTimeout(resolve, 200));
      expect(radio.text).toContain('2.0.0 passed its self-test and is confirmed');
      expect(brakes.text).toContain('2.0.0 passed its self-test and is confirmed');
      const { stdout } = await moult(['-C', 'fleet', 'director', 'alerts'], { cwd: stage.cwd, now: now() });
      expect(stdout).not.toContain('car-1');
      brakes.kill();
      expect(await primary.stop()).toBe(0);
      const said = await stage.end(primary, radio);
      // Nobody says a secret.
      const token = readFileSync(join(stage.cwd, 'token'), 'utf8');
      expect(said).not.toContain(token);
      expect(said).not.toContain('PRIVATE KEY');
      expect(readdirSync(join(stage.cwd, 'car-1/gateway')).sort()).toEqual([
        ...['depot', 'ecu.json', 'flash.bin', 'flash.bin.json', 'tls'],
      ]);
    },
    60_000,
  );
});
