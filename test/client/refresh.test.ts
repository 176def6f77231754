// moult-client: what it asks for, in which order, and what its folder shows afterwards.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { imageOf } from '../tuf/kit.ts';
import { put } from '../tuf/values.ts';
import { DONE, refused, world } from './world.ts';

const START = ['metadata/2.root.json', 'metadata/timestamp.json'];
const TOP = [...START, 'metadata/1.snapshot.json', 'metadata/1.targets.json'];
const NAMES = ['root.json', 'snapshot.json', 'targets.json', 'timestamp.json'];

describe('refresh', () => {
  test('[TUF-5] asks for the next root, timestamp, snapshot, targets, and a second time only for the first two', async () => {
    const w = await world();
    expect(await w.refresh()).toEqual(DONE);
    expect(w.asked()).toEqual(TOP);
    expect(await w.refresh()).toEqual(DONE);
    expect(w.asked()).toEqual(START);
  });

  test('[TUF-5] nothing is fetched for the delegations that targets lists', async () => {
    const w = await world();
    w.tree.delegate('targets', 'A').delegate('targets', 'B').publish();
    expect(await w.refresh()).toEqual(DONE);
    expect(w.asked()).toEqual([...START, 'metadata/2.snapshot.json', 'metadata/2.targets.json']);
  });

  test('the folder shows what is trusted, byte for byte, and no other *.json', async () => {
    const w = await world();
    expect(w.trusted()).toEqual({ 'root.json': w.text('root') });
    w.tree.s.forge('timestamp', {
      file: ({ signatures, signed }) => `${JSON.stringify({ signed, signatures }, null, 7)} \n`,
    });
    expect(await w.refresh()).toEqual(DONE);
    const { root, timestamp, snapshot, targets } = w.texts();
    expect(w.trusted()).toEqual({
      'root.json': root,
      'snapshot.json': snapshot,
      'targets.json': targets,
      'timestamp.json': timestamp,
    });
  });

  test('[TUF-5] a root, a timestamp and a snapshot stay accepted when what follows them is refused', async () => {
    const w = await world();
    w.tree.s.rotate('root');
    w.tree.s.forge('targets', { keys: [w.tree.s.stranger] });
    expect(await w.refresh()).toEqual(refused('SIGNATURES'));
    expect(Object.keys(w.trusted())).toEqual(['root.json', 'snapshot.json', 'timestamp.json']);
    expect(w.trusted()['root.json']).toBe(w.text('root'));
  });

  test.each([
    ['timestamp', 'SIGNATURES'],
    ['snapshot', 'SIGNATURES'],
    ['targets', 'SIGNATURES'],
  ] as const)('[TUF-8] a forged %s changes no file of its role: %s', async (role, finding) => {
    const w = await world();
    expect(await w.refresh()).toEqual(DONE);
    const before = w.trusted()[`${role}.json`];
    w.tree.s.forge(role, { keys: [w.tree.s.stranger] });
    const run = await w.refresh();
    expect(run).toEqual(refused(finding));
    expect(run.stderr).toContain(`${role}.json: `);
    expect(w.trusted()[`${role}.json`]).toBe(before);
  });

  test('[TUF-6] a rollback is called so, and leaves the folder as it was', async () => {
    const w = await world();
    const old = new Map(w.tree.s.files);
    w.tree.s.publish('timestamp');
    expect(await w.refresh()).toEqual(DONE);
    const before = w.trusted();
    for (const [path, file] of old) w.tree.s.files.set(path, file);
    expect(await w.refresh()).toEqual(refused('ROLLBACK'));
    expect(w.trusted()).toEqual(before);
  });

  test('[TUF-7] expired metadata: the role and the finding are named', async () => {
    const w = await world();
    w.tree.s.forge('timestamp', { signed: put('expires', '2020-01-01T00:00:00Z') });
    const run = await w.refresh();
    expect(run).toEqual(refused('EXPIRED'));
    expect(run.stderr).toContain('timestamp.json: ');
  });

  test('fast-forward recovery: files whose keys were taken away leave the folder', async () => {
    const w = await world();
    w.tree.s.forge('timestamp', { signed: put('version', 2_000_000) });
    expect(await w.refresh()).toEqual(DONE);
    w.tree.s.versions.timestamp = 1;
    w.tree.s.rotate('timestamp');
    w.conduct = (path, response) => path.endsWith('timestamp.json') && Boolean(response.writeHead(404).end());
    expect(await w.refresh()).toEqual(refused('NOT_FOUND'));
    expect(Object.keys(w.trusted())).toEqual(['root.json', 'targets.json']);
    w.conduct = () => false;
    expect(await w.refresh()).toEqual(DONE);
    expect(Object.keys(w.trusted())).toEqual(NAMES);
  });

  test('a repository without consistent snapshots is asked for names without versions', async () => {
    const w = await world({
      before: (stage) => {
        stage.consistent = false;
      },
    });
    expect(await w.refresh()).toEqual(DONE);
    expect(w.asked()).toEqual([...START, 'metadata/snapshot.json', 'metadata/targets.json']);
  });
});

describe('init', () => {
  test('asks for nothing, and a second one forgets everything', async () => {
    const w = await world();
    w.tree.s.publish('timestamp');
    w.tree.delegate('targets', 'A').list('A', 'file', 'content').publish();
    expect(await w.download('file')).toEqual(DONE);
    expect(Object.keys(w.trusted())).toEqual(['A.json', ...NAMES]);
    w.asked();
    expect(await w.init()).toEqual(DONE);
    expect(w.asked()).toEqual([]);
    expect(Object.keys(w.trusted())).toEqual(['root.json']);
  });

  test('[TUF-8] a root that its own keys did not sign is refused; a refresh then asks for nothing', async () => {
    const w = await world();
    const other = await world();
    other.tree.s.forge('root', { keys: [other.tree.s.stranger] });
    const fresh = await world();
    fresh.state = join(fresh.out, 'never');
    mkdirSync(fresh.state);
    expect(await fresh.init(other.tree.s.file('root'))).toEqual(refused('SIGNATURES'));
    expect(await fresh.refresh()).toEqual(refused(/begin with init/));
    expect(fresh.asked()).toEqual([]);
    expect(fresh.trusted()).toEqual({});
    // And where something was trusted, that stays.
    expect(await w.refresh()).toEqual(DONE);
    const before = w.trusted();
    expect(await w.init(other.tree.s.file('root'))).toEqual(refused('SIGNATURES'));
    expect(w.trusted()).toEqual(before);
    expect(await w.refresh()).toEqual(DONE);
  });

  test('files of others in the folder stay', async () => {
    const w = await world();
    writeFileSync(join(w.state, 'package.json'), '{}');
    expect(await w.init()).toEqual(DONE);
    expect(await w.refresh()).toEqual(DONE);
    expect(readdirSync(w.state).sort()).toEqual(['.moult', 'package.json', ...NAMES]);
  });
});

describe('the command line', () => {
  const usage: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no command', [], /no command/],
    ['an unknown command', ['--metadata-dir', 'D', 'update'], /there is no command update/],
    ['an unknown option', ['--days', '3', 'refresh'], /there is no such option: --days/],
    ['an option without a value', ['--metadata-dir'], /--metadata-dir needs a value/],
    ['an option that is missing', ['--metadata-dir', 'D', 'refresh'], /refresh needs --metadata-url/],
    [
      'an option after the command',
      ['--metadata-dir', 'D', 'refresh', '--metadata-url', 'U'],
      /stand before/,
    ],
    ['an address that is none', ['--metadata-dir', 'D', '--metadata-url', 'U', 'refresh'], /./],
  ];

  test.each(usage)('%s: exit status 1, and what is wrong', async (_, args, message) => {
    const w = await world();
    expect(await w.run(...args)).toEqual({ status: 1, stdout: '', stderr: expect.stringMatching(message) });
  });

  test('--help: exit status 0', async () => {
    const w = await world();
    expect(await w.run('--help')).toEqual({ ...DONE, stdout: expect.stringMatching(/^Usage: moult-client/) });
  });

  test('a root of which there is no file, and one that is none', async () => {
    const w = await world();
    expect(await w.run('--metadata-dir', w.state, 'init', join(w.out, 'none'))).toEqual(refused(/ENOENT/));
    expect(await w.init(imageOf(1))).toEqual(refused('ENVELOPE_INVALID'));
  });
});
