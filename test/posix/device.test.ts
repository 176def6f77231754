// moult-device whole: beside the device in this process, and with all that can be wrong around it.
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect } from 'vitest';
import { FolderDevice } from '../../cli/device/folder.ts';
import { Status } from '../../host/node/abi.ts';
import { serveLink } from '../../host/node/gateway.ts';
import { COMPILED_DEVICE_PROGRAM, DEVICE_PROGRAM, type DeviceEnd, startProcess } from '../../sim/process.ts';
import { withCompiledDevice } from '../fixtures/aot.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { SANITIZED_DEVICE, withPosix, withSanitizers } from '../fixtures/posix.ts';
import { flashBytes, PosixWorld, release } from './world.ts';

const SELF_TEST = 'head -c 1 | grep -q W';

describe('a device in a process of its own', () => {
  for (const [engine, program, withProgram] of [
    ['under wasm3', DEVICE_PROGRAM, withPosix],
    ['compiled ahead of time', COMPILED_DEVICE_PROGRAM, withCompiledDevice],
  ] as const)
    withProgram(
      `${engine} leaves its flash as the device in V8 does, byte for byte, after every step`,
      async () => {
        const world = new PosixWorld({ selfTest: SELF_TEST, program });
        const twin = world.twin({ selfTest: (device) => device.running(1)[0] === 'W'.charCodeAt(0) });
        const steps = [
          [release(1), Status.UP_TO_DATE, 0, '1.1.0'],
          [release(2, false), Status.RELEASE_FAILED_BEFORE, 1, '1.1.0'],
          [release(3), Status.UP_TO_DATE, 0, '1.3.0'],
          [undefined, Status.UP_TO_DATE, 0, '1.3.0'],
        ] as const;
        for (const [next, outcome, exit, version] of steps) {
          if (next) world.repository.publish(next);
          const { status, checked } = await world.device.update();
          expect(await twin.update()).toMatchObject({ status: outcome });
          expect({ status, checked }).toMatchObject({
            status: exit,
            checked: { status: outcome, installedVersion: version },
          });
          expect(readFileSync(world.device.flashPath).equals(flashBytes(twin.flash))).toBe(true);
        }
      },
    );

  withPosix('says in a line each what it does, and which engine runs it', async () => {
    const world = new PosixWorld({ selfTest: SELF_TEST });
    world.repository.publish(release(1));
    const first = await world.device.update();
    world.repository.publish(release(2, false));
    const second = await world.device.update();
    expect(lines(first)).toEqual([
      'provisioned',
      'boots again',
      '1.1.0 passed its self-test and is confirmed',
      'the newest release for this device is already installed; 1.1.0 runs',
    ]);
    expect(lines(second)).toEqual([
      'boots again',
      '1.2.0 failed its self-test',
      'boots again',
      'the newest release failed its trial on this device and is not tried again; 1.1.0 runs',
    ]);
    expect(first.checked?.engine).toBe('wasm3');
  });

  withPosix('is the same device in the process of moult device run, and the other way round', async () => {
    const world = new PosixWorld({ makesFlash: true });
    world.repository.publish(release(1));
    expect(await world.device.update()).toMatchObject({ status: 0 });
    const folder = dirname(world.device.flashPath);
    const there = new FolderDevice({ folder, onProvisioned: () => undefined });
    await world.runHere(there);
    expect(there.summary()).toMatchObject({ version: '1.1.0' });
    world.repository.publish(release(2));
    await world.runHere(there);
    there.switchOff();
    expect(await world.device.update()).toMatchObject({ status: 0, checked: { installedVersion: '1.2.0' } });
  });

  withSanitizers('an update under ASan and UBSan', async () => {
    const world = new PosixWorld({ selfTest: SELF_TEST });
    world.repository.publish(release(1));
    const command = [SANITIZED_DEVICE, ...world.device.command.slice(1)];
    const { status, said } = await startProcess(command, world.gateway).ended;
    expect({ status, said }).toEqual({ status: 0, said: expect.stringContaining('1.1.0 runs') });
  });

  withPosix('checks again when that is due, for as long as its link is there', async () => {
    const world = new PosixWorld();
    const versions: string[] = [];
    let ahead = 0;
    const run = startProcess(
      world.device.command.filter((argument) => argument !== '--once'),
      {
        ...world.gateway,
        clock: { now: () => world.gateway.clock.now() + ahead, after: world.gateway.clock.after },
        onEvent: (event) => {
          if (event.type !== 'report' || event.report.event !== 'checked') return;
          versions.push(event.report.installedVersion);
          ahead += 3_600_000;
          if (versions.length === 1) world.repository.publish(release(1));
          if (versions.length === 3) run.kill();
        },
      },
    );
    expect(await run.ended).toMatchObject({ status: null });
    expect(versions).toEqual(['1.0.0', '1.1.0', '1.1.0']);
  });

  withPosix('may have its link on a socket', async () => {
    const world = new PosixWorld();
    world.repository.publish(release(1));
    const path = join(temporaryFolder(), 'link');
    const server = createServer(
      (socket) => void serveLink(socket, socket, world.gateway).catch(() => undefined),
    );
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const run = startProcess([...world.device.command, '--link', path], world.gateway);
    expect(await run.ended).toMatchObject({ status: 0, said: expect.stringContaining('1.1.0 runs') });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('what goes wrong around it is one line and an exit status, and costs nothing', () => {
  withPosix('options that are none', () => {
    const sha256 = ['--sha256', '0'.repeat(64)];
    const module = ['--module', 'x', ...sha256];
    const table: readonly (readonly [parameters: readonly string[], finding: string])[] = [
      [[], 'the folder of the device is missing'],
      [['device'], '--module and --sha256 are needed'],
      [['device', '--module', 'x'], '--module and --sha256 are needed'],
      [[...module, 'device', 'another'], 'one folder, and no more: another'],
      [[...module, '--speed', 'device'], 'there is no option --speed'],
      [[...module, 'device', '--root'], 'a value is missing after --root'],
      [[...module, 'device', '--root', 'x'], '--config and --root belong together'],
      [[...module, 'device', '--config', 'x'], '--config and --root belong together'],
      [[...module, 'device', '--director-root', 'x'], '--director-root needs --config and --root'],
      [[...module, 'device', '--clock', 'sun'], '--clock takes link, not sun'],
      [['--module', 'x', '--sha256', '0123', 'device'], '--sha256 takes 64 hexadecimal digits, not 0123'],
      [
        ['--module', 'x', '--sha256', 'g'.repeat(64), 'd'],
        `--sha256 takes 64 hexadecimal digits, not ${'g'.repeat(64)}`,
      ],
    ];
    for (const [parameters, finding] of table)
      expect(run(parameters)).toEqual({
        status: 2,
        said: `moult-device: ${finding}; try: moult-device --help\n`,
      });
    const help = spawnSync(DEVICE_PROGRAM, ['--help'], { encoding: 'utf8' });
    expect({ status: help.status, stderr: help.stderr }).toEqual({ status: 0, stderr: '' });
    for (const option of [
      '--module',
      '--sha256',
      '--config',
      '--root',
      '--director-root',
      '--link',
      '--clock',
      '--self-test',
      '--once',
    ])
      expect(help.stdout).toContain(option);
  });

  withPosix('a core that is missing, another one, or none', async () => {
    const world = new PosixWorld();
    const other = join(temporaryFolder(), 'other.wasm');
    writeFileSync(other, 'no module');
    const sha256 = spawnSync('sha256sum', [other], { encoding: 'utf8' }).stdout.slice(0, 64);
    await refused(
      world,
      ['--module', '/nowhere/moult.wasm'],
      '/nowhere/moult.wasm: No such file or directory',
    );
    await refused(world, ['--module', '/'], '/ is not a file for this');
    await refused(world, ['--module', other], `${other}: not the core that this firmware was built with`);
    await refused(
      world,
      ['--sha256', '0'.repeat(64)],
      'moult.wasm: not the core that this firmware was built with',
    );
    await refused(
      world,
      ['--module', other, '--sha256', sha256],
      `${other}: a core that this host cannot load`,
    );
  });

  withPosix('a configuration or a root that is missing or not valid', async () => {
    const world = new PosixWorld();
    const bad = join(temporaryFolder(), 'bad.json');
    writeFileSync(bad, '{"hardwareId":1}');
    await refused(world, ['--config', '/nowhere'], '/nowhere: No such file or directory');
    await refused(world, ['--config', bad], `${bad}: the device configuration is not valid`);
    await refused(world, ['--root', bad], `${bad}: no envelope of`);
  });

  withPosix('no provisioning for a new device: nothing is made', async () => {
    const folder = join(temporaryFolder(), 'device');
    const command = new PosixWorld().device.command.slice(0, 5);
    expect(run([...command.slice(1), folder])).toEqual({
      status: 2,
      said: `moult-device: ${folder} is a new device: give it --config and --root\n`,
    });
    expect(existsSync(folder)).toBe(false);
  });

  withPosix('no provisioning for flash that holds no device', () => {
    const { device } = new PosixWorld();
    const folder = dirname(device.flashPath);
    const { status, said } = run([...device.command.slice(1, 5), folder]);
    expect({ status, said }).toEqual({
      status: 2,
      said: expect.stringContaining('flash.bin holds no device'),
    });
  });

  withPosix('flash of another size, without its geometry, or with a store that is damaged', async () => {
    const short = new PosixWorld();
    truncateSync(short.device.flashPath, 100);
    expect(await short.device.update()).toMatchObject({
      status: 1,
      said: expect.stringContaining('holds 100 bytes'),
    });
    const bare = new PosixWorld();
    rmSync(`${bare.device.flashPath}.json`);
    expect(await bare.device.update()).toMatchObject({
      status: 1,
      said: expect.stringContaining('lacks the file'),
    });
    const damaged = new PosixWorld();
    await damaged.device.update();
    const bytes = readFileSync(damaged.device.flashPath);
    for (let at = bytes.indexOf('"_type":"root"'); at >= 0; at = bytes.indexOf('"_type":"root"'))
      bytes[at] = 0;
    writeFileSync(damaged.device.flashPath, bytes);
    const end = await damaged.device.update();
    expect(end).toMatchObject({
      status: 1,
      said: expect.stringContaining('flash.bin: the trust store is damaged'),
    });
    expect(end.said).toContain('restore it from a copy, or delete it to start with a new device');
  });

  withPosix('a second process: in another program too', async () => {
    const world = new PosixWorld({ makesFlash: true });
    await world.device.update();
    const folder = dirname(world.device.flashPath);
    const silent = startProcess(world.device.command, {
      ...world.gateway,
      fetch: () => new Promise(() => undefined),
    });
    while (!existsSync(join(folder, 'running'))) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await world.device.update()).toMatchObject({
      status: 1,
      said: expect.stringMatching(/device is switched on already, by process \d+\n$/),
    });
    const open = () => new FolderDevice({ folder, onProvisioned: () => undefined });
    expect(open).toThrow('is switched on already, by process');
    silent.kill();
    await silent.ended;
    const other = open();
    expect(await world.device.update()).toMatchObject({
      status: 1,
      said: expect.stringContaining(`is switched on already, by process ${process.pid}`),
    });
    other.switchOff();
    expect(await world.device.update()).toMatchObject({ status: 0 });
    expect(readdirSync(folder)).not.toContain('running');
  });

  withPosix('a link that ends, wherever: the next one completes the update', async () => {
    const world = new PosixWorld();
    world.repository.publish(release(1));
    let ended = 0;
    for (let bytes = 0; ; bytes += 1500) {
      const { status, said } = await cutOff(world, bytes);
      if (status === 0) break;
      expect({ status, said }).toEqual({
        status: 3,
        said: expect.stringMatching(/moult-device: the link has ended\n$/),
      });
      ended++;
    }
    expect(ended).toBeGreaterThan(3);
    expect(await world.device.update()).toMatchObject({ status: 0, checked: { installedVersion: '1.1.0' } });
  });

  withPosix('a socket that nobody listens on', async () => {
    const world = new PosixWorld();
    const path = join(temporaryFolder(), 'link');
    const { status, said } = await startProcess([...world.device.command, '--link', path], world.gateway)
      .ended;
    expect({ status, said }).toEqual({
      status: 3,
      said: `moult-device: ${path}: no gateway answers there: No such file or directory\n`,
    });
  });

  withPosix('a server that is down', async () => {
    const world = new PosixWorld();
    world.network.conduct = () => ({ drop: true });
    const { status, said } = await world.device.update();
    expect({ status, last: said.split('\n').at(-2) }).toEqual({
      status: 3,
      last: 'moult-device: root: the repository could not be reached; 1.0.0 runs',
    });
  });

  withPosix('a disk that is full when the flash is made: nothing is left behind', async () => {
    const world = new PosixWorld({ makesFlash: true });
    const { status, said } = await limited(world, 1024);
    expect({ status, said }).toEqual({
      status: 1,
      said: expect.stringMatching(/flash\.bin cannot be made: File too large\n$/),
    });
    expect(readdirSync(dirname(world.device.flashPath)).sort()).toEqual([
      'config.json',
      'flash.bin.json',
      'root.json',
    ]);
    expect(await world.device.update()).toMatchObject({ status: 0 });
  });

  withPosix(
    'a disk that is full in an update: the old image stays, and the update completes later',
    async () => {
      const world = new PosixWorld();
      await world.device.update();
      world.repository.publish(release(1));
      // Both banks and the journal can be written, the second slot cannot.
      const { status, said } = await limited(world, 150);
      expect(status).toBe(1);
      expect(said).toContain('flash.bin: writing fails: File too large\n');
      expect(said).toContain('image: the flash could not be erased; 1.0.0 runs\n');
      expect(await world.device.update()).toMatchObject({
        status: 0,
        checked: { installedVersion: '1.1.0' },
      });
    },
  );
});

/** The lines without the name of the program. */
function lines({ said }: DeviceEnd): string[] {
  return said
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/^moult-device: /, ''));
}

function run(parameters: readonly string[]): { status: number | null; said: string } {
  const { status, stderr } = spawnSync(DEVICE_PROGRAM, parameters, { encoding: 'utf8', input: '' });
  return { status, said: stderr };
}

/** With one option instead of that in the command: refused in one line, and the device is none the worse for it. */
async function refused(world: PosixWorld, instead: readonly string[], finding: string): Promise<void> {
  const { status, said } = await startProcess([...world.device.command, ...instead], world.gateway).ended;
  expect({ status, lines: said.split('\n').length }).toEqual({ status: 1, lines: 2 });
  expect(said).toContain(finding);
  const copy = new PosixWorld();
  for (const ending of ['', '.json'])
    copyFileSync(world.device.flashPath + ending, copy.device.flashPath + ending);
  expect(await copy.device.update()).toMatchObject({ status: 0 });
}

/** A run whose gateway goes away after so many bytes of answers. */
async function cutOff(
  { device, gateway }: PosixWorld,
  bytes: number,
): Promise<{ status: number | null; said: string }> {
  const [program = '', ...parameters] = device.command;
  const child = spawn(program, parameters, { stdio: 'pipe' });
  const answers = new PassThrough();
  let left = bytes;
  let said = '';
  answers.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left >= 0) child.stdin.write(chunk);
    else child.stdin.destroy();
  });
  child.stderr.on('data', (text) => {
    said += text;
  });
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  await serveLink(child.stdout, answers, gateway);
  return { status: await closed, said };
}

/** A run in which files cannot grow beyond so many KiB. */
function limited(world: PosixWorld, kib: number): Promise<DeviceEnd> {
  const shell = ['sh', '-c', `ulimit -f ${kib * 2}; exec "$@"`, 'sh'];
  return startProcess([...shell, ...world.device.command], world.gateway).ended;
}
