// TUF 1.0.34, 5.6.7: the search for one target through delegated roles, in which order and how far.
import { describe, expect, test } from 'vitest';
import { sha512 } from './kit.ts';
import { type Delegation, digest, type Tree, tree } from './tree.ts';
import { put, type Value } from './values.ts';

/** A tree with these delegations, published. */
async function grown(
  ...edges: readonly (readonly [string, string, Omit<Delegation, 'to'>?])[]
): Promise<Tree> {
  const t = await tree();
  for (const [from, to, options] of edges) t.delegate(from, to, options);
  return t.publish();
}

const TERMINATING = { terminating: true };
const ONLY_PY = { paths: ['*.py'] };

describe('the order: before its siblings a role, then its delegations, as listed', () => {
  test.each<[string, readonly (readonly [string, string, Omit<Delegation, 'to'>?])[], readonly string[]]>([
    ['one role', [['targets', 'A']], ['A']],
    [
      'two roles',
      [
        ['targets', 'A'],
        ['targets', 'B'],
      ],
      ['A', 'B'],
    ],
    [
      'a chain behind the second',
      [
        ['targets', 'A'],
        ['targets', 'B'],
        ['B', 'C'],
      ],
      ['A', 'B', 'C'],
    ],
    [
      'children before siblings',
      [
        ['targets', 'A'],
        ['targets', 'B'],
        ['A', 'C'],
        ['A', 'D'],
      ],
      ['A', 'C', 'D', 'B'],
    ],
    [
      'grandchildren before siblings',
      [
        ['targets', 'A'],
        ['targets', 'B'],
        ['A', 'C'],
        ['C', 'D'],
      ],
      ['A', 'C', 'D', 'B'],
    ],
    [
      'a terminating delegation ends the search, for the siblings of its ancestors too (tough CVE-2025-2886)',
      [
        ['targets', 'A'],
        ['targets', 'B'],
        ['A', 'C', TERMINATING],
        ['A', 'D'],
      ],
      ['A', 'C'],
    ],
    [
      'but not before what the role delegates itself',
      [
        ['targets', 'A'],
        ['targets', 'B'],
        ['A', 'C', TERMINATING],
        ['C', 'D'],
        ['C', 'E'],
      ],
      ['A', 'C', 'D', 'E'],
    ],
    [
      'a terminating delegation of another path ends nothing',
      [
        ['targets', 'A', { ...TERMINATING, ...ONLY_PY }],
        ['targets', 'B'],
      ],
      ['B'],
    ],
    [
      'a branch of another path is not looked into',
      [
        ['targets', 'A', ONLY_PY],
        ['targets', 'B'],
        ['A', 'C'],
      ],
      ['B'],
    ],
    [
      'a cycle ends',
      [
        ['targets', 'A'],
        ['targets', 'B'],
        ['B', 'C'],
        ['C', 'D'],
        ['D', 'B'],
      ],
      ['A', 'B', 'C', 'D'],
    ],
    [
      'a role that delegates to itself ends',
      [
        ['targets', 'A'],
        ['A', 'A'],
        ['targets', 'B'],
      ],
      ['A', 'B'],
    ],
    [
      'a role is visited once',
      [
        ['targets', 'A'],
        ['targets', 'B'],
        ['B', 'C'],
        ['A', 'C'],
      ],
      ['A', 'C', 'B'],
    ],
    [
      'a role that was passed by for its path is visited by the next way to it',
      [
        ['targets', 'A'],
        ['targets', 'B'],
        ['B', 'C'],
        ['A', 'C', ONLY_PY],
      ],
      ['A', 'B', 'C'],
    ],
    [
      'a terminating delegation to a role that was visited ends the search as well',
      [
        ['targets', 'A'],
        ['targets', 'B'],
        ['B', 'A', TERMINATING],
        ['targets', 'C'],
      ],
      ['A', 'B'],
    ],
    [
      'names that look like integers keep their order (tuf-js 6.0.2)',
      [
        ['targets', '10'],
        ['targets', '9'],
        ['targets', 'b'],
        ['targets', '1'],
        ['10', '8'],
        ['10', '7'],
      ],
      ['10', '8', '7', '9', 'b', '1'],
    ],
  ])('%s', async (_, edges, visited) => {
    const t = await grown(...edges);
    expect(t.visits('missing')).toEqual(visited);
    expect(t.find('missing')).toEqual({ status: 'TARGET_UNKNOWN', role: 'NONE', asked: [] });
  });

  test('nothing is asked for before somebody looks for a target, and nothing beyond where it is found', async () => {
    const t = await tree();
    t.delegate('targets', 'A').delegate('targets', 'B').delegate('targets', 'C');
    t.list('B', 'file', 'by B').list('C', 'file', 'by C').publish();
    const core = t.core();
    expect(t.s.network.requests.map(({ path }) => path)).not.toContain('metadata/1.A.json');
    expect(core.targetFind('file')).toBe(0);
    expect(t.find('file').asked).toEqual(['1.A.json', '1.B.json', `${digest('by B')}.file`]);
  });
});

describe('what is found', () => {
  test('the definition of the first role in this order, under its hash', async () => {
    const t = await tree();
    t.delegate('targets', 'A').delegate('targets', 'B').delegate('A', 'C');
    t.list('C', 'x', 'by C').list('B', 'x', 'by B').list('targets', 'top', 'by targets').publish();
    expect(t.find('x')).toMatchObject({ status: 'TARGET_VERIFIED' });
    expect(t.find('x').asked).toEqual([`${digest('by C')}.x`]);
    expect(t.find('top').asked).toEqual([`${digest('by targets')}.top`]);
  });

  test('only what every delegation on the way fits', async () => {
    const t = await tree();
    t.delegate('targets', 'B', { paths: ['releases/*/*'] });
    t.delegate('B', 'C', { paths: ['releases/x/*'] }).delegate('B', 'D', { paths: ['releases/y/*.zip'] });
    t.list('C', 'releases/x/1', 'x')
      .list('D', 'releases/y/1.zip', 'y')
      .list('D', 'releases/z/1.zip', 'z')
      .publish();
    expect(t.find('releases/x/1').status).toBe('TARGET_VERIFIED');
    expect(t.find('releases/y/1.zip').status).toBe('TARGET_VERIFIED');
    expect(t.find('releases/z/1.zip').status).toBe('TARGET_UNKNOWN');
  });

  test('a wide delegation below a narrow one widens nothing', async () => {
    const t = await tree();
    t.delegate('targets', 'A', { paths: ['a/*'] }).delegate('A', 'B', { paths: ['*', '*/*'] });
    t.list('B', 'b/file', 'by B').publish();
    expect(t.find('b/file')).toEqual({ status: 'TARGET_UNKNOWN', role: 'NONE', asked: [] });
  });
});

describe('patterns: `*` and `?` stand for anything but "/", everything else for itself', () => {
  test.each([
    ['*', 'file', true],
    ['*', '', true],
    ['*', 'dir/file', false],
    ['*/*', 'dir/file', true],
    ['*/*', 'a/b/c', false],
    ['dir/*', 'dir/', true],
    ['dir/*', 'dir', false],
    ['a*b*c', 'aXbYc', true],
    ['a*b*c', 'abbbc', true],
    ['a*b*c', 'aXbY', false],
    ['*a*a*a*a*b', `${'a'.repeat(100)}`, false],
    ['**', 'a/b', false],
    ['**/b', 'a/b', true],
    ['*.tgz', 'foo.tgz', true],
    ['*.tgz', '.tgz', true],
    ['*.TGZ', 'foo.tgz', false],
    ['foo-?.tgz', 'foo-a.tgz', true],
    ['foo-?.tgz', 'foo-.tgz', false],
    ['foo-?.tgz', 'foo-ab.tgz', false],
    ['a?b', 'a/b', false],
    ['?', 'ü', true],
    ['?', '😀', true],
    ['??', '😀', false],
    ['*é', 'caffé', true],
    ['?', '*', true],
    ['', '', true],
    ['', 'a', false],
    ['{a,b}', 'a', false],
    ['{a,b}', '{a,b}', true],
    ['[ab]', 'a', false],
    ['[ab]', '[ab]', true],
    ['!a', 'b', false],
    ['!a', '!a', true],
    ['@(a|b)', 'a', false],
    ['+(a)', 'aa', false],
    ['\\*', 'b', false],
    ['\\*', '\\b', true],
    ['*', '.hidden', true],
    ['a/*/c', 'a//c', true],
    ['a/../b', 'b', false],
  ])('%j and %j: %s (tuf-js 6.0.2)', async (pattern, path, fits) => {
    const t = await grown(['targets', 'A', { paths: ['never/this', pattern] }]);
    expect(t.visits(path)).toEqual(fits ? ['A'] : []);
  });

  test('escapes in the file are no part of the pattern', async () => {
    const t = await tree();
    t.delegate('targets', 'A', { paths: ['d\u00fc/*'] });
    t.publish();
    expect(t.visits('dü/file')).toEqual(['A']);
  });
});

describe('path_hash_prefixes', () => {
  const hash = digest('file');

  test.each([
    [hash.slice(0, 1), true],
    [hash.slice(0, 8), true],
    [hash, true],
    ['', true],
    [hash.slice(0, 8).toUpperCase() === hash.slice(0, 8) ? 'x' : hash.slice(0, 8).toUpperCase(), false],
    [`${hash}0`, false],
    [digest('other').slice(0, 8), false],
  ])('%s: %s', async (prefix, fits) => {
    const t = await grown(['targets', 'A', { path_hash_prefixes: ['zz', prefix] }]);
    expect(t.visits('file')).toEqual(fits ? ['A'] : []);
  });

  test('the hash is that of the UTF-8 path', async () => {
    const t = await grown(['targets', 'A', { path_hash_prefixes: [digest('ü/😀').slice(0, 4)] }]);
    expect(t.visits('ü/😀')).toEqual(['A']);
  });

  test('beside paths they are refused: a role has one kind of limits', async () => {
    const t = await grown(['targets', 'A', { paths: ['*'], path_hash_prefixes: [''] }]);
    expect(t.find('file')).toEqual({ status: 'METADATA_INVALID', role: 'TARGETS', asked: [] });
  });

  test('a delegation of no paths at all delegates nothing', async () => {
    const t = await grown(['targets', 'A', { paths: [] }], ['targets', 'B', { path_hash_prefixes: [] }]);
    expect(t.visits('file')).toEqual([]);
  });
});

describe('[TAP 15] succinct roles', () => {
  function binned(t: Tree, bits: number): string {
    const key = t.s.newKey();
    t.role('targets').succinct = { bits, prefix: 'bin', key };
    const bin = Number.parseInt(digest('dir/file').slice(0, 8), 16) >>> (32 - bits);
    return `bin-${bin.toString(16).padStart(Math.ceil(bits / 4), '0')}`;
  }

  test.each([1, 2, 3, 4, 5, 8, 9, 14, 16, 17, 31, 32])('%i bits: the one bin of the path', async (bits) => {
    const t = await tree();
    const name = binned(t, bits);
    t.role(name).forgery = { keys: [t.role('targets').succinct?.key ?? t.s.stranger] };
    t.list(name, 'dir/file', 'binned').publish();
    expect(t.find('dir/file')).toMatchObject({
      status: 'TARGET_VERIFIED',
      asked: [`1.${name}.json`, `dir/${digest('binned')}.file`],
    });
  });

  test('no other bin is asked, and the search ends there', async () => {
    const t = await tree();
    const name = binned(t, 4);
    t.role(name).forgery = { keys: [t.role('targets').succinct?.key ?? t.s.stranger] };
    t.publish();
    expect(t.visits('dir/file')).toEqual([name]);
  });

  test.each([0, 33, 4_294_967_295, -1, '4'])('%j bits are refused', async (bits) => {
    const t = await tree();
    binned(t, 4);
    t.publish();
    t.s.forge('targets', { signed: put('delegations', 'succinct_roles', 'bit_length', bits as Value) });
    expect(t.find('dir/file')).toMatchObject({ status: 'METADATA_INVALID', role: 'TARGETS' });
  });

  test('beside listed roles they are refused', async () => {
    const t = await tree();
    binned(t, 4);
    t.publish();
    t.s.forge('targets', { signed: put('delegations', 'roles', []) });
    expect(t.find('dir/file')).toMatchObject({ status: 'METADATA_INVALID', role: 'TARGETS' });
  });
});

describe('[path traversal] role names of any characters (tough CVE-2026-6968, go-tuf CVE-2026-24686)', () => {
  test.each([
    ['?', '1.%3F.json'],
    ['#', '1.%23.json'],
    ['/role', '1.%2Frole.json'],
    ['../role', '1...%2Frole.json'],
    ['..', '1....json'],
    ['a b', '1.a%20b.json'],
    ['%2e', '1.%252e.json'],
    ['ü😀', '1.%C3%BC%F0%9F%98%80.json'],
    ['a\u0000b', '1.a%00b.json'],
    ['A-Za_z.0~9', '1.A-Za_z.0~9.json'],
    ["!*'()", '1.%21%2A%27%28%29.json'],
    ['a\\b', '1.a%5Cb.json'],
    ['targets.json', '1.targets.json.json'],
    ['x'.repeat(114), `1.${'x'.repeat(114)}.json`],
    ['ü'.repeat(57), `1.${'%C3%BC'.repeat(57)}.json`],
  ])('%j is asked for as %s', async (name, file) => {
    const t = await grown(['targets', name]);
    expect(t.find('missing')).toEqual({ status: 'TARGET_UNKNOWN', role: 'NONE', asked: [file] });
  });

  test.each(['root', 'timestamp', 'snapshot', 'targets', ''])(
    '%j is no name for a delegated role',
    async (name) => {
      const t = await tree();
      t.delegate('targets', 'A').publish();
      const [role] = (t.s.delegations?.roles ?? []) as { name: string }[];
      if (role) role.name = name;
      t.s.publish('targets');
      expect(t.find('file')).toEqual({ status: 'METADATA_INVALID', role: 'TARGETS', asked: [] });
    },
  );

  test('a longer one is refused', async () => {
    const t = await grown(['targets', 'x'.repeat(115)]);
    expect(t.find('missing')).toEqual({ status: 'NAME_TOO_LONG', role: 'TARGETS', asked: [] });
  });

  test('one that occurs twice in one object is refused: it could have either keys', async () => {
    const t = await grown(['targets', 'A'], ['targets', 'B'], ['targets', 'A']);
    expect(t.find('missing')).toEqual({ status: 'METADATA_INVALID', role: 'TARGETS', asked: [] });
  });
});

describe('[CERT-C-6] how many', () => {
  test('32 roles are visited, and a 33rd is not', async () => {
    const t = await tree({ bank: 131_072 });
    for (let i = 0; i < 32; i++) t.delegate('targets', `r${i}`);
    t.publish();
    expect(t.visits('missing')).toHaveLength(32);
    expect(t.find('missing').status).toBe('TARGET_UNKNOWN');
    t.delegate('targets', 'r32').list('r32', 'late', 'late').publish();
    expect(t.find('late')).toEqual({ status: 'TOO_MANY_ROLES', role: 'NONE', asked: [] });
  });

  test('a chain of 32 roles is followed to its end', async () => {
    const t = await tree({ bank: 131_072 });
    for (let i = 0; i < 32; i++) t.delegate(i === 0 ? 'targets' : `r${i - 1}`, `r${i}`);
    t.list('r31', 'deep', 'deep').publish();
    expect(t.find('deep').status).toBe('TARGET_VERIFIED');
  });

  test('1,000 delegations that do not fit cost no request', async () => {
    const t = await tree({ bank: 4 * 1024 * 1024 });
    for (let i = 0; i < 1000; i++)
      t.delegate('targets', `r${i}`, { paths: [`never-${i}/*`], keys: [t.s.stranger] });
    t.delegate('targets', 'last').publish();
    expect(t.visits('missing')).toEqual(['last']);
  });
});

test('a target is found under its sha512 where that is all there is', async () => {
  const t = await tree();
  t.delegate('targets', 'A').list('A', 'file', 'content');
  const { file } = t.role('A').targets;
  const content = new TextEncoder().encode('content');
  if (file) t.role('A').targets.file = { ...file, hashes: { sha512: sha512(content) } };
  t.s.files.set(`targets/${sha512(content)}.file`, content);
  t.publish();
  expect(t.find('file')).toMatchObject({ status: 'TARGET_VERIFIED' });
});
