// moult gateway, with a device process at the other end.
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRepository, type Repository } from '../../repo/index.ts';
import { type StaticServer, serveStatic } from '../../server/static.ts';
import { ProcessDevice, startProcess } from '../../sim/process.ts';
import { image } from '../../sim/scenarios/world.ts';
import { moult, type Transcript } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { withPosix } from '../fixtures/posix.ts';

const folder = temporaryFolder();
let repository: Repository;
let server: StaticServer;

beforeAll(async () => {
  repository = await createRepository(join(folder, 'repo'), { encrypt: false });
  server = await serveStatic({ directory: repository.publicDirectory });
  await release('1.0.0', 1);
});

afterAll(() => server.close());

describe('moult gateway', () => {
  withPosix('answers a device process on its socket, and says what becomes of it', async () => {
    const gateway = await startGateway();
    const command = newDevice();
    expect(await startProcess(command, nobody).ended).toMatchObject({ status: 0 });
    await release('1.1.0', 2);
    expect(await startProcess([...command, '--self-test', 'false'], nobody).ended).toMatchObject({
      status: 1,
    });
    const { status, stdout } = await gateway.stop();
    expect({ status, lines: stdout.split('\n').slice(0, -1) }).toEqual({
      status: 0,
      lines: [
        `✓ answering devices on ${join(folder, 'line')} (Ctrl-C ends it)`,
        '· a device on wasm3 has started: factory is installed',
        '· reboot',
        '· a device on wasm3 has started: factory is installed',
        '· 1.0.0 runs on trial',
        '✓ 1.0.0 passed its self-test and is confirmed',
        '✓ up to date: 1.0.0',
        '· a device on wasm3 has started: 1.0.0 is installed',
        '· reboot',
        '· a device on wasm3 has started: 1.0.0 is installed',
        '· 1.1.0 runs on trial',
        '✗ the image on trial failed its self-test',
        '· reboot',
        expect.stringMatching(/^· a device on wasm3 has started: 1\.0\.0 is installed$/),
        '! the newest release failed its trial on this device and is not tried again',
        '· stopped',
      ],
    });
  });

  withPosix('that goes away while a device asks: the device ends and says so', async () => {
    const gateway = await startGateway();
    const run = startProcess(newDevice(), nobody);
    await gateway.seen('has started');
    await gateway.stop();
    const { status, said } = await run.ended;
    expect({ status, said }).toEqual({ status: 3, said: expect.stringContaining('the link has ended') });
  });

  test('takes over a socket that a killed one has left, and none that somebody listens on', async () => {
    const path = join(folder, 'line');
    const left = createServer().listen(`${path}.before`);
    await once(left, 'listening');
    renameSync(`${path}.before`, path);
    expect(await moult(['gateway', 'line', '--url', server.url], { cwd: folder })).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('line is there already'),
    });
    await new Promise((done) => left.close(done));
    expect(existsSync(path)).toBe(true);
    const gateway = await startGateway();
    expect(await gateway.stop()).toMatchObject({ status: 0 });
  });

  test('a socket that is there already, one that cannot be, an address that is none', async () => {
    const at = { cwd: folder };
    writeFileSync(join(folder, 'taken'), '');
    const run = (path: string, url: string) => moult(['gateway', path, '--url', url], at);
    expect(await run('taken', server.url)).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('taken is there already; remove it'),
    });
    expect(await run('none/line', server.url)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('none/line cannot be a socket'),
    });
    expect(await run('line', 'nonsense')).toMatchObject({ status: 2 });
    expect(await run('line', 'http://example.com')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('http'),
    });
  });
});

/** Where a device on a socket looks: nowhere. */
const nobody = { metadataUrl: 'https://nobody/', targetsUrl: 'https://nobody/' };

function newDevice(): readonly string[] {
  const device = new ProcessDevice({
    folder: join(temporaryFolder(), 'device'),
    root: readFileSync(join(repository.publicDirectory, 'metadata/1.root.json')),
    configuration: {
      ...{
        hardwareId: 'esp32c3',
        component: 'app',
        version: 'factory',
        releaseCounter: 0,
        securityCounter: 0,
      },
      ...{ buildTime: Math.floor(Date.now() / 1000) - 60, checkInterval: 3600 },
    },
    gateway: nobody,
  });
  return [...device.command, '--link', join(folder, 'line')];
}

async function release(version: string, seed: number): Promise<void> {
  const firmware = { bytes: image(seed, 20_000), name: 'fw.bin' };
  await repository.addRelease({ image: firmware, component: 'app', version, hardwareIds: ['esp32c3'] });
  await repository.publish();
}

interface RunningGateway {
  /** Waits until it has printed this. */
  seen(text: string): Promise<void>;
  stop(): Promise<Transcript>;
}

async function startGateway(): Promise<RunningGateway> {
  let end = () => {};
  let printed = () => '';
  let ready = () => {};
  const listening = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const ended = moult(['gateway', 'line', '--url', server.url], {
    cwd: folder,
    onStop: (stop, text) => {
      end = stop;
      printed = text;
      ready();
    },
  });
  await Promise.race([listening, ended]);
  return {
    async seen(text) {
      while (!printed().includes(text)) await new Promise((resolve) => setTimeout(resolve, 1));
    },
    stop() {
      end();
      return ended;
    },
  };
}
