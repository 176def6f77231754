// moult-client: targets by their paths, and what lies in the targets folder afterwards.
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/folders.ts';
import { digest } from '../tuf/tree.ts';
import { DONE, refused, world } from './world.ts';

const START = ['metadata/2.root.json', 'metadata/timestamp.json'];

describe('download', () => {
  test('[TUF-5] refreshes, then fetches each target under the name with its hash', async () => {
    const w = await world();
    w.tree.list('targets', 'a', 'first').list('targets', 'dir/b.bin', 'second').publish();
    expect(await w.download('a', 'dir/b.bin')).toEqual(DONE);
    expect(w.asked()).toEqual([
      ...START,
      'metadata/2.snapshot.json',
      'metadata/2.targets.json',
      `targets/${digest('first')}.a`,
      `targets/dir/${digest('second')}.b.bin`,
    ]);
    expect(w.targets()).toEqual({ a: 'first', 'dir%2Fb.bin': 'second' });
  });

  test('a target that is there and right is not fetched again; one that is not, is', async () => {
    const w = await world();
    w.tree.list('targets', 'a', 'first').publish();
    expect(await w.download('a')).toEqual(DONE);
    w.asked();
    expect(await w.download('a', 'a')).toEqual(DONE);
    expect(w.asked()).toEqual(START);
    for (const wrong of ['firsT', 'firs', 'first and more', '']) {
      writeFileSync(join(w.out, 'a'), wrong);
      expect(await w.download('a')).toEqual(DONE);
      expect(w.asked()).toEqual([...START, `targets/${digest('first')}.a`]);
      expect(w.targets()).toEqual({ a: 'first' });
    }
  });

  test('an empty target is a file', async () => {
    const w = await world();
    w.tree.list('targets', 'empty', '').publish();
    expect(await w.download('empty')).toEqual(DONE);
    expect(w.targets()).toEqual({ empty: '' });
    w.asked();
    expect(await w.download('empty')).toEqual(DONE);
    expect(w.asked()).toEqual(START);
  });

  test('stops at the first target that cannot be had; those before it stay', async () => {
    const w = await world();
    w.tree.list('targets', 'a', 'first').list('targets', 'b', 'second').publish();
    const run = await w.download('a', 'none', 'b');
    expect(run).toEqual(refused('TARGET_UNKNOWN'));
    expect(run.stderr).toContain(': none: ');
    expect(w.targets()).toEqual({ a: 'first' });
  });

  test('no target is fetched when the metadata cannot be refreshed', async () => {
    const w = await world();
    w.tree.list('targets', 'a', 'first').publish();
    expect(await w.refresh()).toEqual(DONE);
    w.asked();
    w.tree.s.forge('timestamp', { keys: [w.tree.s.stranger] });
    expect(await w.download('a')).toEqual(refused('SIGNATURES'));
    expect(w.asked()).toEqual(START);
    expect(w.targets()).toEqual({});
  });

  test('[TUF-8] another content under the same name is refused; the old file stays, and no draft', async () => {
    const w = await world();
    w.tree.list('targets', 'a', 'first').publish();
    expect(await w.download('a')).toEqual(DONE);
    w.tree.list('targets', 'a', 'newer').publish();
    const path = `targets/${digest('newer')}.a`;
    for (const [forged, finding] of [
      ['never', 'HASH_MISMATCH'],
      ['newer and more', 'TOO_LONG'],
      ['new', 'LENGTH_MISMATCH'],
      ['', 'LENGTH_MISMATCH'],
    ] as const) {
      w.tree.s.files.set(path, Buffer.from(forged));
      expect(await w.download('a')).toEqual(refused(finding));
      expect(w.targets()).toEqual({ a: 'first' });
      expect(readdirSync(join(w.state, '.moult'))).toEqual(['store']);
    }
  });

  test('without consistent snapshots the name has no hash', async () => {
    const w = await world({
      before: (stage) => {
        stage.consistent = false;
      },
    });
    w.tree.s.files.set('targets/dir/a', Buffer.from('first'));
    w.tree.list('targets', 'dir/a', 'first').publish();
    expect(await w.download('dir/a')).toEqual(DONE);
    expect(w.asked().at(-1)).toBe('targets/dir/a');
  });
});

describe('names', () => {
  test.each([
    ['a b+c&d=e;f,g:h@i', 'a%20b%2Bc%26d%3De%3Bf%2Cg%3Ah%40i'],
    ["it's(!)*", 'it%27s%28%21%29%2A'],
    ['100%25', '100%2525'],
    ['é/日本.bin', '%C3%A9%2F%E6%97%A5%E6%9C%AC.bin'],
    ['a?b#c', 'a%3Fb%23c'],
    ['...', '%2E%2E%2E'],
    ['日'.repeat(40), digest('日'.repeat(40))],
  ])('the target %s lies in one file of the folder', async (name, file) => {
    const w = await world();
    w.tree.list('targets', name, 'content').publish();
    expect(await w.download(name)).toEqual(DONE);
    expect(w.targets()).toEqual({ [file]: 'content' });
  });

  test.each([['../a'], ['/a'], ['dir/../../a'], ['dir//a'], ['dir\\a'], ['.'], ['dir/']])(
    '[TUF-8] the target %s could leave its folder and is not asked for [path traversal]',
    async (name) => {
      const w = await world();
      w.tree.list('targets', name, 'content').publish();
      expect(await w.download(name)).toEqual(refused('PATH_INVALID'));
      expect(w.asked().filter((path) => path.startsWith('targets'))).toEqual([]);
      expect(w.targets()).toEqual({});
    },
  );

  test('a link in the folder is replaced, not followed', async () => {
    const w = await world();
    const elsewhere = join(temporaryFolder(), 'file');
    writeFileSync(elsewhere, 'precious');
    symlinkSync(elsewhere, join(w.out, 'a'));
    w.tree.list('targets', 'a', 'first').publish();
    expect(await w.download('a')).toEqual(DONE);
    expect(w.targets()).toEqual({ a: 'first' });
    expect(readFileSync(elsewhere, 'utf8')).toBe('precious');
  });

  test.each([
    ['?', '%3F'],
    ['#', '%23'],
    ['/role', '%2Frole'],
    ['../role', '..%2Frole'],
    ['..', '..'],
    ['a%2Fb', 'a%252Fb'],
    ["!'()*", '%21%27%28%29%2A'],
    ['1.root', '1.root'],
    ['rôle', 'r%C3%B4le'],
  ])('[TUF-3] the delegated role %s is asked for, and shown, as %s', async (role, encoded) => {
    const w = await world();
    w.tree.delegate('targets', role).list(role, 'file', 'content').publish();
    expect(await w.download('file')).toEqual(DONE);
    expect(w.asked().at(-2)).toBe(`metadata/1.${encoded}.json`);
    expect(w.trusted()[`${encoded}.json`]).toBe(w.text(role));
    expect(Object.keys(w.trusted())).toHaveLength(5);
  });
});

describe('delegated roles', () => {
  test('[TUF-3] are fetched as the search needs them, then known from the folder', async () => {
    const w = await world();
    w.tree.delegate('targets', 'A', { paths: ['a/*'] }).delegate('targets', 'B', { paths: ['b/*'] });
    w.tree.delegate('B', 'C').list('C', 'b/file', 'content').publish();
    expect(await w.download('b/file')).toEqual(DONE);
    expect(w.asked().slice(4)).toEqual([
      'metadata/1.B.json',
      'metadata/1.C.json',
      `targets/b/${digest('content')}.file`,
    ]);
    expect(w.trusted()).toMatchObject({ 'B.json': w.text('B'), 'C.json': w.text('C') });
    expect(w.trusted()).not.toHaveProperty('A.json');
    expect(await w.download('b/file', 'b/other')).toEqual(refused('TARGET_UNKNOWN'));
    expect(w.asked()).toEqual(START);
  });

  test.each([
    ['signed by a stranger', 'SIGNATURES'],
    ['expired', 'EXPIRED'],
    ['not served', 'NOT_FOUND'],
  ] as const)(
    '[TUF-3] one that is %s ends the search, is asked for once and is not shown',
    async (fault, finding) => {
      const w = await world();
      w.tree.delegate('targets', 'A').delegate('targets', 'B').list('B', 'file', 'content');
      if (fault === 'expired') w.tree.role('A').expires = -5 * 365 * 86_400;
      if (fault === 'signed by a stranger') w.tree.role('A').forgery = { keys: [w.tree.s.stranger] };
      w.tree.publish();
      if (fault === 'not served') w.tree.s.files.delete('metadata/1.A.json');
      writeFileSync(join(w.out, 'file'), 'what was there');
      const run = await w.download('file');
      expect(run).toEqual(refused(finding));
      expect(run.stderr).toContain('1.A.json: ');
      expect(w.asked().slice(4)).toEqual(['metadata/1.A.json']);
      expect(w.trusted()).not.toHaveProperty('A.json');
      expect(w.targets()).toEqual({ file: 'what was there' });
    },
  );
});
