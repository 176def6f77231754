// A publish is one step to whoever reads, dies, or publishes at the same time.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openRepository, openSource, type Repository, verifyRepository } from '../../repo/index.ts';
import { serveStatic } from '../../server/static.ts';
import { builtCli } from '../fixtures/built-cli.ts';
import { addRelease, NOW, seeded, testRepository } from '../fixtures/repositories.ts';

const PUBLISHES = 1000;
const KILLS = 15;
/** Between two reads of one reader, so that the publisher has its share of the processor. */
const PAUSE_MS = 50;

async function assertValid(
  repository: Repository,
  place = repository.directory,
): Promise<Record<string, number>> {
  const found = await verifyRepository(await openSource(place), await repository.root(1), { now: NOW });
  expect(found.faults).toEqual([]);
  return Object.fromEntries(found.roles.map(({ role, version }) => [role, version]));
}

test('[TUF-4] readers during a thousand publishes never see a mixed state', async () => {
  const { repository } = await testRepository({ expiry: { timestamp: 36_000, snapshot: 36_000 } });
  await addRelease(repository, '1.0.0');
  await repository.publish();
  const server = await serveStatic({ directory: repository.publicDirectory });
  let publishing = true;
  let reads = 0;
  const seen = new Set<number>();
  const reader = async (place: string) => {
    while (publishing) {
      seen.add((await assertValid(repository, place)).timestamp ?? 0);
      reads++;
      await setTimeout(PAUSE_MS);
    }
  };
  const readers = [reader(repository.directory), reader(server.url)];
  const publisher = async () => {
    for (let count = 0; count < PUBLISHES; count++) {
      if (count % 250 === 100) await repository.rotateKeys(count % 500 === 100 ? 'timestamp' : 'snapshot');
      else if (count % 100 === 50) await addRelease(repository, `1.${count}.0`);
      else await repository.publish();
    }
  };
  try {
    await Promise.all([publisher().finally(() => (publishing = false)), ...readers]);
  } finally {
    await server.close();
  }
  expect(reads).toBeGreaterThan(100);
  expect(seen.size).toBeGreaterThan(50);
  expect((await assertValid(repository)).timestamp).toBeGreaterThan(PUBLISHES - 20);
}, 300_000);

test('kill -9 at any moment of a publish leaves a valid state, and the next publish works', async () => {
  const { repository } = await testRepository({ clock: () => Math.floor(Date.now() / 1000) });
  await addRelease(repository, '1.0.0');
  await repository.publish();
  const random = seeded('kills');
  let died = 0;
  for (let round = 0; round < KILLS; round++) {
    const child = moult(repository, 'publish', '--json');
    const delay = 60 + (Buffer.from(random(2)).readUInt16LE() % 240);
    const timer = globalThis.setTimeout(() => child.kill('SIGKILL'), delay);
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    clearTimeout(timer);
    if (signal === 'SIGKILL') died++;
    const found = await verifyRepository(await openSource(repository.directory), await repository.root(1), {
      now: Math.floor(Date.now() / 1000),
    });
    expect(found.faults).toEqual([]);
  }
  expect(died).toBeGreaterThan(0);
  const before = (await repository.status()).roles.map((role) => role.version);
  await repository.publish();
  const after = (await repository.status()).roles.map((role) => role.version);
  expect(after.every((version, index) => version >= (before[index] ?? 0))).toBe(true);
  expect(readdirSync(repository.directory)).not.toContain('.lock');
}, 60_000);

test('two processes that publish at once: one does, the other is told who does, and nothing is mixed', async () => {
  const { repository } = await testRepository({ clock: () => Math.floor(Date.now() / 1000) });
  const children = Array.from({ length: 4 }, () => moult(repository, 'publish', '--json'));
  const results = await Promise.all(children.map(finished));
  const done = results.filter(({ status }) => status === 0);
  expect(done.length).toBeGreaterThan(0);
  for (const { status, stdout } of results.filter((result) => result.status !== 0)) {
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'repository-locked', message: expect.stringMatching(/being changed by process \d+/) },
    });
  }
  const timestamp = (await repository.status()).roles.find(({ role }) => role === 'timestamp');
  expect(timestamp?.version).toBe(1 + done.length);
}, 60_000);

test('within one process a second publish is refused while the first runs', async () => {
  const { repository } = await testRepository();
  const results = await Promise.allSettled([
    repository.publish(),
    repository.publish(),
    repository.refresh(),
  ]);
  expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(1);
  const codes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
  expect(codes).toEqual(['repository-locked', 'repository-locked']);
  await repository.publish();
});

test('the lock of a dead process, and one that is damaged, are taken over; that of another machine is not', async () => {
  const { repository } = await testRepository();
  const path = join(repository.directory, '.lock');
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  const dead = { pid: child.pid, host: hostname(), started: '1', token: 'dead' };
  const reused = { pid: process.pid, host: hostname(), started: 'another time', token: 'reused' };
  for (const text of [JSON.stringify(dead), JSON.stringify(reused), '{"pid":']) {
    writeFileSync(path, text);
    await repository.publish();
    expect(readdirSync(repository.directory)).not.toContain('.lock');
  }
  writeFileSync(path, JSON.stringify({ ...dead, host: 'elsewhere' }));
  await expect(repository.publish()).rejects.toThrow(`process ${child.pid} on elsewhere; remove ${path}`);
});

test('of many that find the lock of a dead process, one gets it at a time', async () => {
  const { repository } = await testRepository();
  writeFileSync(
    join(repository.directory, '.lock'),
    JSON.stringify({ pid: 0, host: hostname(), started: '', token: 'x' }),
  );
  const rivals = await Promise.all(
    Array.from({ length: 8 }, () => openRepository(repository.directory, { clock: () => NOW })),
  );
  const results = await Promise.allSettled(rivals.map((rival) => rival.publish()));
  const done = results.filter(({ status }) => status === 'fulfilled').length;
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
  expect(new Set(reasons)).toEqual(new Set(['repository-locked']));
  expect((await assertValid(repository)).timestamp).toBe(1 + done);
});

test('what a dead process left under a temporary name is cleared', async () => {
  const { repository } = await testRepository();
  const staging = join(repository.directory, '.tmp');
  writeFileSync(join(staging, '4711-3'), 'half');
  await repository.publish();
  expect(readdirSync(staging)).toEqual([]);
  expect(readFileSync(join(repository.publicDirectory, 'metadata', 'timestamp.json')).length).toBeGreaterThan(
    300,
  );
});

function moult(repository: Repository, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [builtCli(), '-C', repository.directory, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function finished(child: ChildProcess): Promise<{ status: number | null; stdout: string }> {
  let stdout = '';
  child.stdout?.on('data', (chunk) => (stdout += chunk));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout };
}
