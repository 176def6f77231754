// What can become of a client's folder: kill -9, two processes at once, damage, no room. Never stuck, never fooled.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Random } from '../../sim/random.ts';
import { CLIENT, DONE, ended, type Run, refused, type World, world } from './world.ts';

/** A repository with a delegated role and a target, of which nothing was fetched yet. */
async function untouched(): Promise<World> {
  const w = await world();
  w.tree.delegate('targets', 'A').list('A', 'file', 'content').publish();
  return w;
}

/** What must be true at every instant: whole files of the repository, whole targets. */
function expectSound(w: World): void {
  for (const [name, content] of Object.entries(w.trusted()))
    expect([name, w.served.has(content)]).toEqual([name, true]);
  for (const [name, content] of Object.entries(w.targets()))
    expect([name, content]).toEqual([name, 'content']);
}

async function expectCurrent(w: World): Promise<void> {
  expect(await w.download('file')).toEqual(DONE);
  const { root, timestamp, snapshot, targets } = w.texts();
  expect(w.trusted()).toEqual({
    'A.json': w.text('A'),
    'root.json': root,
    'snapshot.json': snapshot,
    'targets.json': targets,
    'timestamp.json': timestamp,
  });
  expect(w.targets()).toEqual({ file: 'content' });
  expect(readdirSync(join(w.state, '.moult')).sort()).toEqual(['roles', 'store']);
}

describe('[CERT-C-5] kill -9', () => {
  test('at every request: what is there is whole, and the next run goes on', async () => {
    const w = await untouched();
    let kills = 0;
    for (let killed = true; killed; ) {
      let requests = 0;
      const child = w.start(w.downloading(['file']));
      w.conduct = () => requests++ === kills && child.kill('SIGKILL');
      killed = (await ended(child)).status === null;
      if (killed) kills++;
      expectSound(w);
    }
    expect(kills).toBeGreaterThan(3);
    w.conduct = () => false;
    await expectCurrent(w);
  });

  test('at random instants, while the repository goes on', async () => {
    const w = await untouched();
    const random = new Random(1);
    let killed = 0;
    for (let round = 0; round < 16; round++) {
      w.tree.role('A').version++;
      w.tree.publish();
      rmSync(join(w.out, 'file'), { force: true });
      const child = w.start(w.downloading(['file']));
      const timer = setTimeout(() => child.kill('SIGKILL'), 20 + random.below(160));
      if ((await ended(child)).status === null) killed++;
      clearTimeout(timer);
      expectSound(w);
      if (round % 4 === 3) await expectCurrent(w);
    }
    expect(killed).toBeGreaterThan(0);
  });

  test('in init: the next one makes it whole', async () => {
    const w = await untouched();
    for (const wait of [30, 50, 70, 90, 110]) {
      const root = `${w.state}.root.json`;
      const child = w.start(['--metadata-dir', w.state, 'init', root]);
      const timer = setTimeout(() => child.kill('SIGKILL'), wait);
      await ended(child);
      clearTimeout(timer);
      expectSound(w);
    }
    expect(await w.init()).toEqual(DONE);
    await expectCurrent(w);
  });
});

describe('two processes', () => {
  test('the second one is refused and changes nothing; one that was killed holds nothing', async () => {
    const w = await untouched();
    const { response, child } = await stopped(w);
    for (const second of [w.refresh(), w.init(), w.download('file')])
      expect(await second).toEqual(refused(/in use by process \d+\n$/));
    response.writeHead(404).end();
    w.conduct = () => false;
    expect(await ended(child)).toEqual(DONE);
    const again = await stopped(w);
    again.child.kill('SIGKILL');
    await ended(again.child);
    w.conduct = () => false;
    await expectCurrent(w);
  });

  test('a mark of a process whose number somebody else has by now holds nothing', async () => {
    const w = await untouched();
    writeFileSync(join(w.state, '.moult', `running-${process.pid}-1`), '');
    await expectCurrent(w);
  });

  test('many at once: each is done or refused, and the state is sound', async () => {
    const w = await untouched();
    const runs = await Promise.all(Array.from({ length: 6 }, () => w.download('file')));
    for (const run of runs) expect([DONE, refused(/in use by process \d+\n$/)]).toContainEqual(run);
    await expectCurrent(w);
  });
});

/** A client that waits for its first answer, and that answer. */
async function stopped(w: World) {
  const child = w.start(w.refreshing);
  const response = await new Promise<ServerResponse>((resolve) => {
    w.conduct = (_, answer) => {
      resolve(answer);
      return true;
    };
  });
  return { child, response };
}

describe('damage', () => {
  const harm: readonly (readonly [string, (file: string, random: Random) => void])[] = [
    ['one bit', (file, random) => change(file, random, 1)],
    ['many bytes', (file, random) => change(file, random, 100)],
    ['the end cut off', (file, random) => truncateSync(file, random.below(statSync(file).size))],
    ['all of it', (file, random) => writeFileSync(file, random.bytes(statSync(file).size))],
    ['emptied', (file) => writeFileSync(file, '')],
    ['gone', (file) => rmSync(file)],
  ];

  test.each(harm)(
    'to what is stored (%s): a new start or a plain refusal, never a wrong file',
    async (_, damage) => {
      const w = await untouched();
      const random = new Random(7);
      await expectCurrent(w);
      for (let round = 0; round < 3; round++) {
        const store = join(w.state, '.moult/store');
        for (const name of readdirSync(store))
          if (statSync(join(store, name)).size > 0) damage(join(store, name), random);
        const run = await w.download('file');
        expect([DONE, refused(/^moult-client: .*\n$/)]).toContainEqual(run);
        expectSound(w);
        if (run.status !== 0) expect(await w.init()).toEqual(DONE);
        await expectCurrent(w);
      }
    },
  );

  test.each([
    ['a file where the store should be', (w: World) => replace(join(w.state, '.moult/store'))],
    ['a file where the folder should be', (w: World) => replace(w.state)],
    ['a folder where a bank should be', (w: World) => folderAt(join(w.state, '.moult/store/store-a'))],
    ['a folder where metadata is shown', (w: World) => folderAt(join(w.state, 'timestamp.json'))],
    ['a folder where the target should be', (w: World) => folderAt(join(w.out, 'file'))],
    ['a file where the targets folder should be', (w: World) => replace(w.out)],
  ])('%s: exit status 1 and one line', async (_, harmFolder) => {
    const w = await untouched();
    harmFolder(w);
    expect(await w.download('file')).toEqual(refused(/^moult-client: .*\n$/));
  });
});

function change(file: string, random: Random, count: number): void {
  const bytes = readFileSync(file);
  for (let i = 0; i < count; i++) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  }
  writeFileSync(file, bytes);
}

function replace(path: string): void {
  rmSync(path, { recursive: true });
  writeFileSync(path, '');
}

function folderAt(path: string): void {
  rmSync(path, { force: true });
  mkdirSync(join(path, 'inside'), { recursive: true });
}

describe('no room', () => {
  test('a disk that is full at any point: exit status 1, what is there is whole, and it goes on later', async () => {
    const w = await untouched();
    const finished: number[] = [];
    for (let blocks = 0; blocks < 24; blocks += 2) {
      const run = await limited(w, blocks, w.downloading(['file']));
      expect([DONE, refused(/^moult-client: .*\n$/)]).toContainEqual(run);
      if (run.status === 0) finished.push(blocks);
      expectSound(w);
    }
    expect(finished).not.toContain(0);
    expect(finished).not.toHaveLength(0);
    await expectCurrent(w);
  });

  test('init on a disk without room keeps what was trusted', async () => {
    const w = await untouched();
    await expectCurrent(w);
    const before = w.trusted();
    expect(await limited(w, 0, ['--metadata-dir', w.state, 'init', `${w.state}.root.json`])).toEqual(
      refused(/^moult-client: .*\n$/),
    );
    expect(w.trusted()).toEqual(before);
    await expectCurrent(w);
  });
});

/** No file may grow beyond so many blocks: a write then fails as it does on a full disk. */
function limited(w: World, blocks: number, args: readonly string[]): Promise<Run> {
  const script = `ulimit -f ${blocks}; exec "$0" "$@"`;
  return ended(
    spawn('sh', ['-c', script, process.execPath, CLIENT, ...args], { env: { ...process.env, ...w.env } }),
  );
}
