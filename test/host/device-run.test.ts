import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { main } from '../../cli/main.ts';
import { createRepository, type Repository } from '../../repo/index.ts';
import { type StaticServer, serveStatic } from '../../server/static.ts';
import { image } from '../../sim/scenarios/world.ts';
import { named, withBody } from '../fixtures/cores.ts';

let folder: string;
let repository: Repository;
let server: StaticServer;
let root: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'moult-device-'));
  repository = await createRepository(join(folder, 'repo'), { encrypt: false });
  server = await serveStatic({ directory: repository.publicDirectory });
  root = join(repository.publicDirectory, 'metadata', '1.root.json');
});

afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

class Text extends Writable {
  text = '';
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

/** Runs a command line; its exit status and the lines that it printed. */
async function moult(...argv: string[]): Promise<{ status: number; lines: string[]; errors: string }> {
  const stdout = new Text();
  const stderr = new Text();
  const io = { stdin: new PassThrough(), stdout, stderr, interactive: false, env: {}, cwd: folder };
  const clock = () => Math.floor(Date.now() / 1000);
  const status = await main(argv, { ...io, clock, onStop: () => undefined });
  return { status, lines: stdout.text.split('\n').filter((line) => line !== ''), errors: stderr.text };
}

const device = (...more: string[]) => moult('device', 'run', 'board', '--url', server.url, '--once', ...more);
const newDevice = (hw = 'esp32c3') => device('--root', root, '--hw', hw);

async function release(version: string, bytes: Uint8Array, component = 'app'): Promise<void> {
  const hardwareIds = ['esp32c3'];
  await repository.addRelease({ image: { bytes, name: 'fw.bin' }, component, version, hardwareIds });
  await repository.publish();
}

/** Runs a device until a line that fits appears, then switches it off. */
async function until(pattern: RegExp): Promise<{ status: number; lines: string[] }> {
  const stdout = new Text();
  const io = {
    stdin: new PassThrough(),
    stdout,
    stderr: new Text(),
    interactive: false,
    env: {},
    cwd: folder,
  };
  const argv = ['device', 'run', 'board', '--url', server.url, '--root', root, '--hw', 'esp32c3'];
  let stop = () => {};
  const clock = () => Math.floor(Date.now() / 1000);
  const onStop = (action: () => void) => {
    stop = action;
  };
  const running = main(argv, { ...io, clock, onStop });
  while (!pattern.test(stdout.text)) await new Promise((resolve) => setTimeout(resolve, 20));
  stop();
  return { status: await running, lines: stdout.text.trimEnd().split('\n') };
}

describe('moult device run', () => {
  test('waits for its next check until it is switched off', async () => {
    const { status, lines } = await until(/next check at/);
    expect([status, lines.slice(-3)]).toEqual([
      0,
      ['✓ up to date: factory', expect.stringMatching(/^· next check at \d{4}-/), '· switched off'],
    ]);
    expect(() => readFileSync(join(folder, 'board', 'running'))).toThrow('ENOENT');
  });

  test('provisions, installs, confirms, and knows all that when it is switched on again', async () => {
    await release('1.0.0', image(1, 50_000));
    expect(await newDevice()).toEqual({
      status: 0,
      errors: '',
      lines: [
        '✓ provisioned as esp32c3 with root version 1',
        '✓ 1.0.0 verified and installed, 48.8 KiB',
        '· reboot',
        '✓ 1.0.0 passed its self-test and is confirmed',
        '✓ up to date: 1.0.0',
      ],
    });
    expect(await device()).toEqual({ status: 0, errors: '', lines: ['✓ up to date: 1.0.0'] });
    await release('1.1.0', image(2, 60_000));
    const { lines } = await device('--json');
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      hardwareId: 'esp32c3',
      version: '1.1.0',
      releaseCounter: 2,
      securityCounter: 0,
      rootVersion: 1,
      components: [
        {
          ...{ component: 'app', hardwareId: 'esp32c3', slot: 0, version: '1.1.0', releaseCounter: 2 },
          ...{ securityCounter: 0, candidate: 0, candidateVersion: '' },
        },
      ],
      policy: 'automatic',
      postponedUntil: 0,
      downtime: 0,
      notice: { version: '1.1.0', cves: [], risk: {} },
      status: 'up-to-date',
    });
  });

  test('updates its core; one that traps is passed over, and the one before it goes on', async () => {
    await device('--root', root, '--hw', 'esp32c3', '--component', 'app', '--component', 'moult');
    await release('1.0.0', named('second'), 'moult');
    expect(await device()).toMatchObject({ status: 0 });
    await release(
      '1.1.0',
      withBody('core_start', (module) => module.unreachable()),
      'moult',
    );
    const { status, lines } = await device();
    expect(status).toBe(1);
    expect(lines.slice(1, 3)).toEqual([
      '· reboot',
      '✗ a core that cannot run is passed over: the core stopped at a bug of its own (unreachable)',
    ]);
    await release('1.2.0', named('third'), 'moult');
    await release('1.0.0', image(1, 50_000));
    const { components } = JSON.parse((await device('--json')).lines[0] ?? '');
    expect(components).toMatchObject([
      { component: 'app', version: '1.0.0', slot: 1 },
      { component: 'moult', version: '1.2.0', slot: 0 },
    ]);
  });

  test('a new device without root or hardware id: usage, and nothing is written', async () => {
    expect(await device()).toMatchObject({ status: 2, errors: expect.stringContaining('--root') });
    expect(await device('--hw', 'a')).toMatchObject({ status: 2 });
    expect(() => readFileSync(join(folder, 'board', 'flash.bin'))).toThrow('ENOENT');
  });

  test('a root of trust that is none: refused, naming it', async () => {
    writeFileSync(join(folder, 'wrong.json'), '{"signatures":[],"signed":{}}');
    const { status, errors } = await device('--root', 'wrong.json', '--hw', 'a');
    expect([status, errors]).toEqual([1, expect.stringContaining('the root of trust: ')]);
    expect(await newDevice()).toMatchObject({ status: 0 });
  });

  test('a repository that cannot be reached: network', async () => {
    await newDevice();
    await server.close();
    const { status, lines } = await device();
    expect(status).toBe(3);
    expect(lines).toEqual([
      expect.stringContaining('/metadata/2.root.json: '),
      '✗ root: the repository could not be reached',
    ]);
    server = await serveStatic({ directory: repository.publicDirectory });
  });

  test('plain http to another machine: refused, with the way out', async () => {
    const { status, errors } = await moult('device', 'run', 'board', '--url', 'http://example.com', '--once');
    expect([status, errors]).toEqual([1, expect.stringContaining('use https')]);
  });

  test('a truncated flash file: refused, naming the file and the way out', async () => {
    await newDevice();
    truncateSync(join(folder, 'board', 'flash.bin'), 100);
    expect(await device()).toMatchObject({
      status: 1,
      errors: expect.stringMatching(/flash\.bin holds 100 bytes .* delete both/),
    });
  });

  test('a flash file without a device, or with a damaged one: refused, naming the way out', async () => {
    await newDevice();
    const path = join(folder, 'board', 'flash.bin');
    const good = readFileSync(path);
    writeFileSync(path, Buffer.alloc(good.length, 0x5a));
    expect(await device()).toMatchObject({ status: 2, errors: expect.stringContaining('holds no device') });
    const bank = 65_536;
    for (const start of [0, bank]) good.fill(0x5a, start + 100, start + 2000);
    writeFileSync(path, good);
    expect(await device()).toMatchObject({
      status: 1,
      errors: expect.stringContaining('delete it to start with a new device'),
    });
  });

  test('another hardware id than the device has: usage', async () => {
    await newDevice();
    expect(await device('--hw', 'esp32s3')).toMatchObject({
      status: 2,
      errors: expect.stringContaining('is esp32c3, not esp32s3'),
    });
  });

  test('a process that was killed held nothing, even when this one has its number', async () => {
    await newDevice();
    writeFileSync(join(folder, 'board', 'running'), `${process.pid}`);
    expect(await device()).toMatchObject({ status: 0 });
  });

  test('a device that another process runs: refused', async () => {
    await newDevice();
    writeFileSync(join(folder, 'board', 'running'), `${process.ppid}`);
    expect(await device()).toMatchObject({
      status: 1,
      errors: expect.stringContaining('switched on already'),
    });
    writeFileSync(join(folder, 'board', 'running'), '999999999');
    expect(await device()).toMatchObject({ status: 0 });
  });

  test('a release for other hardware only is told', async () => {
    await release('1.0.0', image(1, 5000));
    const { status, lines } = await newDevice('esp32s3');
    expect([status, lines.at(-1)]).toEqual([0, expect.stringContaining('not for this hardware')]);
  });
});
