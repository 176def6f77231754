// npm start, whole, with a small image: what it shows, and what it leaves behind.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeAll, describe, expect, test } from 'vitest';
import { type AttackRow, attackAll } from '../../cli/demo/attacks.ts';
import { updateAll } from '../../cli/demo/board.ts';
import { Images, VERSIONS, type Version } from '../../cli/demo/images.ts';
import { buildStage, type Stage } from '../../cli/demo/stage.ts';
import { play, type Summary } from '../../cli/demo/story.ts';
import { createOutput } from '../../cli/output.ts';
import { Status } from '../../host/node/abi.ts';
import { moult, type Surroundings, type Transcript } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { withPosix } from '../fixtures/posix.ts';
import { imageOf } from '../fixtures/repositories.ts';
import { npmStart } from './npm-start.ts';

const project = temporaryFolder();
const silent = createOutput({ ...process, interactive: false, env: {} }, true);

describe('npm start with an image of the user', () => {
  let shown: Transcript;

  beforeAll(async () => {
    writeFileSync(join(project, 'app.bin'), imageOf('firmware', 40_000));
    shown = await npmStart(['app.bin'], project);
  });

  test('ends well, and names the image', () => {
    expect(shown.stderr).toBe('');
    expect(shown.status).toBe(0);
    expect(shown.stdout).toContain(`✓ image: ${join(project, 'app.bin')}, 39.1 KiB`);
  });

  test('marks the keys as the demo’s own, in words and in every file name', () => {
    expect(shown.stdout).toContain('! its keys, DEMO-ONLY-…, are for this demo only and not encrypted');
    const keys = readdirSync(join(project, '.moult-demo/repository/keys'));
    expect(keys).toHaveLength(14);
    expect(keys.filter((name) => !name.startsWith('DEMO-ONLY-'))).toEqual([]);
  });

  test('shows sixteen boards through four releases', () => {
    expect(shown.stdout).toContain('✓ 16 boards found 1.0.0, verified, installed, tested and confirmed it');
    expect(shown.stdout).toContain('✓ 15 boards found 1.1.0, verified, installed, tested and confirmed it');
    expect(shown.stdout).toContain('✓ board-15 runs 1.1.0, confirmed, after 10 power cuts');
    expect(shown.stdout).toContain('✗ 1.2.0 failed its self-test on 16 boards');
    expect(shown.stdout).toContain('✓ 16 boards went back to 1.1.0 and will not try 1.2.0 again');
    expect(shown.stdout).toContain('✓ 15 boards found 1.2.1, verified, installed, tested and confirmed it');
    expect(shown.stdout).toContain('✓ 8 attacks refused; on an honest network board-16 runs 1.2.1 too');
  });

  test('shows three vehicles: one update, one ECU that refuses, a partial bundle, stolen Director keys', () => {
    for (const car of ['car-1', 'car-2', 'car-3'])
      expect(shown.stdout).toContain(
        `✓ ${car}: all hold it, then all boot it, then all keep it: 2.0.0 on all three`,
      );
    expect(shown.stdout).toContain(
      '✗ car-1: brakes fails its self-test\n✓ car-1: gateway and radio, which work, go back',
    );
    expect(shown.stdout).toContain(
      '✓ car-2: radio: image: IMAGE_MISMATCH; so nobody boots 4.0.0: 2.0.0 on all three',
    );
    expect(shown.stdout).toContain('✓ stolen Director keys install nothing');
  });

  withPosix('runs two of the boards on wasm3, each in a process of its own, and says so', () => {
    const engines = '14 on V8, 2 on wasm3 in their own process';
    expect(shown.stdout).toContain(`✓ engines: ${engines}\n`);
    expect(shown.stdout).toContain(`✓ 16 boards (${engines}), 4 releases, 10 power cuts survived`);
    expect(shown.stdout).not.toContain('node scripts/wasm3.mjs');
    expect(readdirSync(join(project, '.moult-demo/boards'))).toEqual(['board-13', 'board-14']);
  });

  test('everything that it says to type next works, and installs the newest release', async () => {
    const commands = [...shown.stdout.matchAll(/^ {2}node bin\/moult (.*)$/gm)].map(([, line = '']) => line);
    expect(commands).toHaveLength(4);
    const [status = '', verify = '', serve = '', run = ''] = commands;
    expect(await type(status)).toMatchObject({ status: 0, stdout: expect.stringContaining('1.2.1') });
    expect(await type(verify)).toMatchObject({ status: 0, stdout: expect.stringContaining('4 images') });
    const server = await startServing(`${serve} --port 0`);
    const updated = await type(run.replace('http://127.0.0.1:8080', server.url));
    expect(updated).toMatchObject({ status: 0, stderr: '' });
    expect(updated.stdout).toContain('1.2.1 passed its self-test and is confirmed');
    await server.stop();
  });
});

test('--json prints one value: every cut and what booted, every attack and what the board said', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'tiny.bin'), 'x');
  const { status, stdout, stderr } = await npmStart(['tiny.bin', '--json'], folder);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const summary = JSON.parse(stdout) as Summary;
  expect(summary).toMatchObject({ boards: 16, releases: 4, firmware: { bytes: 1 } });
  expect(summary.cuts.map(({ boots }) => boots)).toEqual([
    ...Array<Version>(7).fill('1.0.0'),
    ...Array<Version>(3).fill('1.1.0'),
  ]);
  expect(summary.attacks.map(({ attack, finding, runs }) => `${attack}: ${finding}, runs ${runs}`)).toEqual([
    'freeze: timestamp: EXPIRED, runs 1.1.0',
    'rollback: timestamp: ROLLBACK, runs 1.1.0',
    'tampered metadata: timestamp: SIGNATURES, runs 1.1.0',
    expect.stringMatching(/^mix-and-match: targets: (HASH|LENGTH)_MISMATCH, runs 1\.1\.0$/),
    'stolen timestamp key: timestamp: SNAPSHOT_ROLLBACK, runs 1.1.0',
    'tampered image: image: IMAGE_MISMATCH, runs 1.1.0',
    'endless data: image: TOO_LONG, runs 1.1.0',
    'wrong hardware: NOT_FOR_HARDWARE, runs 0.9.0',
  ]);
  expect(summary.vehicles.map(({ what, finding, runs }) => `${what}: ${finding} ${runs}`)).toEqual([
    ...Array<string>(3).fill('2.0.0 for all ECUs:  2.0.0,2.0.0,2.0.0'),
    '3.0.0, which fails on brakes: brakes: RELEASE_FAILED_BEFORE 2.0.0,2.0.0,2.0.0',
    'partial bundle: the image of radio is changed: radio: image: IMAGE_MISMATCH 2.0.0,2.0.0,2.0.0',
    'stolen Director keys: an image of the thief: gateway: TARGET_UNKNOWN 4.0.0,4.0.0,4.0.0',
    'stolen Director keys: other bytes for a signed image: gateway: targets: TARGET_MISMATCH 4.0.0,4.0.0,4.0.0',
    'stolen Director keys: the image of another ECU: gateway: targets: HARDWARE_MISMATCH 4.0.0,4.0.0,4.0.0',
    'stolen Director keys: an old release: radio: image: COUNTER_ROLLBACK 4.0.0,4.0.0,4.0.0',
  ]);
});

test('where moult-device is not built all boards run in this process, and one line says how to get it', async () => {
  const folder = temporaryFolder();
  let said = '';
  const stdout = new PassThrough().on('data', (chunk) => {
    said += chunk;
  });
  const summary = await play({
    firmware: { name: 'tiny', bytes: imageOf('tiny', 100) },
    directory: join(folder, 'demo'),
    output: createOutput({ ...process, stdout, interactive: false, env: {} }, false),
    show: (path) => path,
    ownProcesses: false,
    updateFileDevice: async () => folder,
  });
  expect(summary).toMatchObject({ boards: 16, engines: { V8: 16 }, releases: 4 });
  expect(said).toContain('✓ engines: all on V8\n');
  expect(said).toMatch(
    /\n! for two boards on wasm3 .*: node scripts\/wasm3\.mjs \(it needs cargo, cmake and a C compiler\)/,
  );
});

describe('a surprise is told, not passed over', () => {
  test('a board that ends otherwise than it must', async () => {
    await onStage(['1.0.0'], async ({ boards }) => {
      const wrong = { status: Status.UP_TO_DATE, runs: '1.1.0' } as const;
      await expect(updateAll(boards.slice(0, 1), '1.1.0', wrong, silent)).rejects.toThrow(
        'board-01 runs 1.0.0 and says UP_TO_DATE; due were 1.1.0 and UP_TO_DATE',
      );
    });
  });

  withPosix('a board whose process cannot run', async () => {
    const act = async ({ boards, repository }: Stage) => {
      rmSync(join(repository.directory, '../boards/board-13/flash.bin.json'));
      const due = { status: Status.UP_TO_DATE, runs: '1.0.0' } as const;
      await expect(updateAll(boards.slice(12, 13), '1.0.0', due, silent)).rejects.toThrow(
        /^board-13 has ended before its check had: moult-device: \S+flash\.bin lacks the file with its geometry/,
      );
    };
    await onStage(['1.0.0'], act, true);
  });

  test('an attack that does not take place is no attack that was refused', async () => {
    await onStage(['1.0.0', '1.1.0'], async (stage) => {
      stage.attacker.tamperImages = () => undefined;
      const scene = {
        ...stage,
        board: stage.watched,
        stolenKeys: await stage.repository.signingKeys('timestamp'),
      };
      const rows = await attackAll(scene, '1.1.0', silent);
      const unexpected = rows.filter(({ expected }: AttackRow) => !expected);
      expect(unexpected).toMatchObject([{ attack: 'tampered image', finding: 'UP_TO_DATE', runs: '1.1.0' }]);
    });
  });
});

test('versions of an image differ, in their last bytes only, and tell whether they work', () => {
  const images = new Images(imageOf('firmware', 50_000));
  const all = VERSIONS.map((version) => Buffer.from(images.of(version)));
  expect(new Set(all.map((image) => image.toString('hex'))).size).toBe(VERSIONS.length);
  expect(new Set(all.map((image) => image.subarray(0, -64).toString('hex'))).size).toBe(1);
  expect(VERSIONS.map((version) => images.versionOf(images.of(version)))).toEqual([...VERSIONS]);
  expect(images.versionOf(imageOf('other', images.length))).toBeUndefined();
});

/** Types a command of moult in the project's folder. */
function type(line: string, more: Partial<Surroundings> = {}): Promise<Transcript> {
  return moult(line.split(' '), { cwd: project, now: Math.floor(Date.now() / 1000), ...more });
}

async function startServing(line: string): Promise<{ url: string; stop: () => Promise<unknown> }> {
  let end = () => {};
  let ended: Promise<Transcript> | undefined;
  const url = await new Promise<string>((ready, fail) => {
    ended = type(line, {
      onStop: (stop, printed) => {
        end = stop;
        setImmediate(() => ready(/http:\S+/.exec(printed())?.[0] ?? ''));
      },
    });
    ended.catch(fail);
  });
  return {
    url,
    stop: () => {
      end();
      return ended ?? Promise.resolve();
    },
  };
}

/** A stage on which all boards but the watched one have got the releases, and the watched one all but the last. */
async function onStage(
  versions: readonly Version[],
  act: (stage: Stage) => Promise<void>,
  ownProcesses = false,
): Promise<void> {
  const images = new Images(imageOf('firmware', 40_000));
  const stage = await buildStage(join(temporaryFolder(), 'stage'), images, ownProcesses);
  try {
    for (const version of versions) {
      await stage.watched.update();
      const image = { bytes: stage.images.of(version), name: 'firmware.bin' };
      await stage.repository.addRelease({ image, component: 'app', version, hardwareIds: ['demo-board'] });
      await stage.repository.publish();
    }
    await act(stage);
  } finally {
    await stage.server.close();
  }
}
