// moult-client --map: several repositories, and which of them must agree on a target (TAP 4).
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/folders.ts';
import { put } from '../tuf/values.ts';
import { ECU, FILE, HARDWARE, Pair, serve } from '../uptane/pair.ts';
import { DONE, type Run, refused, type World, world } from './world.ts';

const NAMES = ['a', 'b', 'c', 'd'] as const;

interface Several {
  readonly of: readonly World[];
  readonly folder: string;
  /** Writes the map; what is given changes the one that all must agree in. */
  map(mapping: readonly object[], urls?: Record<string, readonly string[]>): void;
  init(): Promise<void>;
  download(...names: string[]): Promise<Run>;
  refresh(): Promise<Run>;
  got(): Record<string, string>;
  run(...args: string[]): Promise<Run>;
}

const entry = (repositories: readonly string[], threshold: number, more: object = {}) => ({
  paths: ['*'],
  repositories,
  threshold,
  terminating: true,
  ...more,
});

/** So many repositories, each with a root of its own, trusted; each lists the content for `file`. */
async function several(...contents: readonly (string | undefined)[]): Promise<Several> {
  const of = await Promise.all(
    contents.map((_, index) =>
      world({
        before: (s) => {
          for (let skip = 0; skip < 8 * index; skip++) s.newKey();
          for (const role of ['root', 'timestamp', 'snapshot', 'targets'] as const)
            s.keys[role] = [s.newKey()];
        },
      }),
    ),
  );
  const folder = temporaryFolder();
  const [file, state] = [join(folder, 'map.json'), join(folder, 'state')];
  const first = of[0] as World;
  const common = ['--map', file, '--metadata-dir', state];
  const made: Several = {
    of,
    folder,
    run: (...args) => first.run(...args),
    map: (mapping, urls = {}) => {
      const repositories = Object.fromEntries(of.map((w, index) => [NAMES[index], [w.url]]));
      writeFileSync(file, JSON.stringify({ repositories: { ...repositories, ...urls }, mapping }));
    },
    init: async () => {
      for (const [index, w] of of.entries()) {
        const root = join(folder, `${NAMES[index]}.json`);
        writeFileSync(root, w.tree.s.files.get('metadata/1.root.json') ?? '');
        expect(await made.run(...common, 'init', NAMES[index] ?? '', root)).toEqual(DONE);
      }
    },
    download: (...names) => {
      const targets = names.flatMap((name) => ['--target-name', name]);
      return made.run(...common, ...targets, '--target-dir', first.out, 'download');
    },
    refresh: () => made.run(...common, 'refresh'),
    got: () => first.targets(),
  };
  for (const [index, content] of contents.entries()) {
    if (content !== undefined) of[index]?.tree.list('targets', 'file', content);
    of[index]?.tree.publish();
  }
  made.map([entry(NAMES.slice(0, of.length), of.length)]);
  await made.init();
  return made;
}

describe('[UPT-5, TUF-8] a target counts when enough repositories agree on it', () => {
  test('two of two: it is fetched once, and not again', async () => {
    const s = await several('good', 'good');
    expect(await s.download('file')).toEqual(DONE);
    expect(s.got()).toEqual({ file: 'good' });
    const images = () => s.of.flatMap((w) => w.asked().filter((path) => path.startsWith('targets/')));
    expect(images()).toHaveLength(1);
    expect(await s.download('file')).toEqual(DONE);
    expect(images()).toEqual([]);
  });

  test.each([0, 1])(
    'a stolen repository of two installs nothing: number %i says otherwise',
    async (thief) => {
      const contents = ['good', 'good'];
      contents[thief] = 'evil';
      const s = await several(...contents);
      expect(await s.download('file')).toEqual(refused(/2 of a, b must agree: alike: a; alike: b\n$/));
      expect(s.got()).toEqual({});
      for (const name of ['a', 'b'])
        expect(readdirSync(join(s.folder, 'state', name, '.moult'))).not.toContain('candidate');
    },
  );

  test.each([0, 1, 2])('two of three outvote number %i', async (thief) => {
    const contents = ['good', 'good', 'good'];
    contents[thief] = 'evil';
    const s = await several(...contents);
    s.map([entry(['a', 'b', 'c'], 2)]);
    expect(await s.download('file')).toEqual(DONE);
    expect(s.got()).toEqual({ file: 'good' });
  });

  test('repositories are asked in their order, and no more of them than it takes', async () => {
    const s = await several('good', 'good', 'other');
    for (const w of s.of) w.asked();
    s.map([entry(['b', 'a', 'c'], 2)]);
    expect(await s.download('file')).toEqual(DONE);
    expect(s.of[1]?.asked().some((path) => path.startsWith('targets/'))).toBe(true);
    expect(s.of[2]?.asked()).toEqual([]);
    s.map([entry(['c', 'a', 'b'], 1)]);
    expect(await s.download('file')).toEqual(DONE);
    expect(s.got()).toEqual({ file: 'other' });
  });

  test('one that lists it not, is refused or cannot be reached has no vote, and the error says which', async () => {
    const s = await several('good', undefined, 'good', 'good');
    s.of[2]?.tree.s.forge('targets', { keys: [s.of[2].tree.s.stranger] });
    const gone = s.of[3] as World;
    gone.conduct = (_, response) => response.destroy() !== undefined;
    const run = await s.download('file');
    expect(run).toEqual(refused(/4 of a, b, c, d must agree/));
    expect(run.stderr).toMatch(
      /b: file: .*\(TARGET_UNKNOWN\); c: .*\(SIGNATURES\); d: .*\(NETWORK\); alike: a/,
    );
    s.map([entry(NAMES, 1)]);
    expect(await s.download('file')).toEqual(DONE);
  });

  test('what lies in the folder already is no vote', async () => {
    const s = await several('good', 'other');
    writeFileSync(join(s.of[0]?.out ?? '', 'file'), 'good');
    expect((await s.download('file')).status).toBe(1);
  });

  test('a repository is known by its own root only', async () => {
    const s = await several('good', 'good');
    s.map([entry(['a', 'b'], 2)], { b: [s.of[0]?.url ?? ''] });
    expect(await s.download('file')).toEqual(refused(/b: .*\((SIGNATURES|ROOT_VERSION|ROLLBACK)\)/));
  });
});

describe('the search through the map', () => {
  test('goes on when too few agree, unless the mapping is terminating', async () => {
    const s = await several('one', 'two', 'three');
    s.map([entry(['a', 'b'], 2, { terminating: false }), entry(['c'], 1)]);
    expect(await s.download('file')).toEqual(DONE);
    expect(s.got()).toEqual({ file: 'three' });
    s.map([entry(['a', 'b'], 2), entry(['c'], 1)]);
    expect(await s.download('file')).toEqual(refused(/2 of a, b must agree: alike: a; alike: b\n$/));
  });

  test('passes over mappings of other paths, also terminating ones', async () => {
    const s = await several('one', 'two');
    s.of[1]?.tree.list('targets', 'dir/x.tgz', 'x').publish();
    s.map([entry(['a'], 1, { paths: ['other', 'dir/?.zip'] }), entry(['b'], 1, { paths: ['f*', '*.tgz'] })]);
    expect(await s.download('file', 'dir/x.tgz')).toEqual(DONE);
    expect(s.got()).toEqual({ 'dir%2Fx.tgz': 'x', file: 'two' });
    expect(await s.download('none')).toEqual(refused(/none: the map gives its path to nobody/));
  });

  test('a mirror stands in for a server that has not the file, or is not there', async () => {
    const s = await several('good');
    const [w] = s.of;
    const nowhere = 'http://127.0.0.1:1/';
    s.map([entry(['a'], 1)], { a: [nowhere, `${w?.url}/empty`, `${w?.url}/`] });
    expect(await s.refresh()).toEqual(DONE);
    expect(await s.download('file')).toEqual(DONE);
    s.map([entry(['a'], 1)], { a: [nowhere, nowhere] });
    expect(await s.refresh()).toEqual(refused(/a: .*\(NETWORK\)/));
  });

  test('refresh brings all of them up to date, and names each that is refused', async () => {
    const s = await several('one', 'two');
    expect(await s.refresh()).toEqual(DONE);
    for (const name of ['a', 'b'])
      expect(existsSync(join(s.folder, 'state', name, 'targets.json'))).toBe(true);
    for (const w of s.of) w.tree.s.forge('timestamp', { keys: [w.tree.s.stranger] });
    expect(await s.refresh()).toEqual(refused(/a: .*\(SIGNATURES\); b: .*\(SIGNATURES\)\n$/));
  });
});

describe('a map is read strictly', () => {
  const good = { repositories: { a: ['https://host/'] }, mapping: [entry(['a'], 1)] };
  test.each<readonly [string, unknown, RegExp]>([
    ['no JSON', '{', /is not JSON/],
    ['a list', [], /the map is not an object/],
    ['no mapping', { repositories: good.repositories }, /the map has no mapping/],
    ['more', { ...good, extra: 1 }, /"extra", which means nothing/],
    ['no repositories', { ...good, repositories: {} }, /repositories is empty/],
    ['an address that is none', { ...good, repositories: { a: ['host'] } }, /"host" is no address of a/],
    ['no address', { ...good, repositories: { a: [] } }, /the addresses of a is not an array of texts/],
    [
      'a name that leaves the folder',
      { ...good, repositories: { '../x': ['https://h/'] } },
      /"..\/x" cannot be/,
    ],
    ['an empty mapping', { ...good, mapping: [] }, /mapping is not an array with entries/],
    ['no paths', { ...good, mapping: [entry(['a'], 1, { paths: [] })] }, /paths of mapping 1/],
    ['a stranger', { ...good, mapping: [entry(['b'], 1)] }, /names b, which is not among/],
    ['one twice', { ...good, mapping: [entry(['a', 'a'], 2)] }, /names a repository twice/],
    ['a threshold of 0', { ...good, mapping: [entry(['a'], 0)] }, /threshold of mapping 1 is not an integer/],
    ['a threshold above', { ...good, mapping: [entry(['a'], 2)] }, /from 1 to its 1 repositories/],
    ['a half', { ...good, mapping: [entry(['a'], 1, { terminating: 'yes' })] }, /not true or false/],
    ['a misspelt field', { ...good, mapping: [entry(['a'], 1, { treshold: 1 })] }, /"treshold"/],
  ])('%s', async (_, map, message) => {
    const w = await world();
    const file = join(temporaryFolder(), 'map.json');
    writeFileSync(file, typeof map === 'string' ? map : JSON.stringify(map));
    expect(await w.run('--map', file, '--metadata-dir', w.state, 'refresh')).toEqual(refused(message));
  });

  test('that is not there, or has not the repository that is to be trusted', async () => {
    const s = await several('one');
    const at = ['--metadata-dir', join(s.folder, 'state')];
    expect(await s.run('--map', 'nowhere', ...at, 'refresh')).toEqual(
      refused(/nowhere: cannot be read \(ENOENT\)/),
    );
    const init = ['init', 'z', join(s.folder, 'a.json')];
    expect(await s.run('--map', join(s.folder, 'map.json'), ...at, ...init)).toEqual(
      refused(/no repository z; there are a/),
    );
  });
});

describe("[UPT-5] a Primary's map", () => {
  async function vehicle(
    change: (map: { repositories: object; mapping: object[] }) => void = () => undefined,
  ) {
    const pair = new Pair();
    const served = await serve(pair);
    const folder = temporaryFolder();
    const w = await world();
    const map = {
      repositories: { director: [served.directorUrl], image: [served.imageUrl] },
      mapping: [entry(['director', 'image'], 2)],
    };
    change(map);
    const file = join(folder, 'map.json');
    writeFileSync(file, JSON.stringify(map));
    const at = ['--uptane', '--metadata-dir', join(folder, 'state')];
    const roots = (['director', 'image'] as const).map((name) => {
      writeFileSync(join(folder, `${name}.json`), pair.firstRoot(name));
      return join(folder, `${name}.json`);
    });
    await w.run(...at, '--ecu-id', ECU, '--hardware-id', HARDWARE, 'init', ...roots);
    return { pair, download: () => w.run(...at, '--map', file, 'download') };
  }

  test('as the standard has it: what both agree on is fetched', async () => {
    const { pair, download } = await vehicle();
    const run = await download();
    expect(JSON.parse(run.stdout)).toMatchObject({ targets: [{ name: FILE, ok: true }] });
    expect(run.status).toBe(0);
    pair
      .list(FILE, 'another', { image: put('hashes', { sha256: '0'.repeat(64) }) })
      .raise()
      .publish();
    expect(JSON.parse((await download()).stdout)).toMatchObject({
      targets: [{ name: FILE, ok: false, error: 'TARGET_MISMATCH' }],
    });
  });

  test.each<readonly [string, (map: { repositories: object; mapping: object[] }) => void]>([
    ['one of both would do', (map) => map.mapping.splice(0, 1, entry(['director', 'image'], 1))],
    ['the search goes on', (map) => map.mapping.push(entry(['image'], 1))],
    [
      'not for all paths',
      (map) => map.mapping.splice(0, 1, entry(['director', 'image'], 2, { paths: ['a*'] })),
    ],
    ['a third repository', (map) => Object.assign(map.repositories, { third: ['https://host/'] })],
  ])('that is not the standard’s is refused: %s', async (_, change) => {
    const run = await (await vehicle(change)).download();
    expect(run.stderr).toMatch(/nothing else is Uptane/);
    expect(run.status).not.toBe(0);
  });
});
