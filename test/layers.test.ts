// The one rule of structure: who may import whom. A folder that this table does not know fails, so that a new
// one is placed on purpose.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** What each part may import besides itself. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  assembly: [],
  host: [],
  repo: [],
  server: ['repo'],
  sim: ['host', 'repo', 'server'],
  cli: ['host', 'repo', 'server', 'sim'],
  bench: ['host', 'repo', 'server', 'sim', 'cli', 'scripts', 'test'],
  test: ['host', 'repo', 'server', 'sim', 'cli', 'bench', 'scripts'],
  scripts: ['host', 'sim', 'cli', 'test'],
};

/** Inside the core imports run one way: each part only from those before it. */
const CORE = [
  'lean',
  'abi',
  'status',
  'host',
  'bytes',
  'crypto',
  'memory',
  'storage',
  'json',
  'metadata',
  'tuf',
  'uptane',
  'delta',
  'install',
  'agent',
  'small',
  'index',
];

/** The files of the core that reach the host. */
const HOST_USERS = [
  'storage/flash',
  'agent/clock',
  'agent/manifest',
  'agent/device',
  'agent/policy',
  'agent/download',
  'agent/provision',
  'agent/start',
  'agent/state',
  'agent/trial',
];

interface Import {
  readonly from: string;
  readonly to: string;
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

/** Imports by relative path, from anywhere in the file. */
function imports(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const named = text.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"$]+)['"]/g);
  return [...named].map(([, path = '']) => ({
    from: file,
    to: relative(ROOT, resolve(ROOT, dirname(file), path)).replace(/\.ts$/, ''),
  }));
}

function part(path: string): string {
  return path.split(sep)[0] ?? path;
}

function corePart(path: string): string {
  return (path.split(sep)[1] ?? path).replace(/\.ts$/, '');
}

const all = Object.keys(PARTS).flatMap((folder) => {
  try {
    return sources(folder).flatMap(imports);
  } catch {
    return [];
  }
});

test('each part imports only what it may', () => {
  expect(all.length).toBeGreaterThan(100);
  const wrong = all.filter(
    ({ from, to }) => part(from) !== part(to) && !PARTS[part(from)]?.includes(part(to)),
  );
  expect(wrong).toEqual([]);
});

test('no folder with sources stands outside the table', () => {
  const folders = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !['node_modules', 'build', 'docs'].includes(entry.name))
    .filter((entry) => !entry.name.startsWith('.') && sources(entry.name).length > 0)
    .map((entry) => entry.name);
  expect(folders.filter((folder) => !(folder in PARTS))).toEqual([]);
});

test('the device side and the repository side never import each other', () => {
  const sides = { device: ['assembly', 'host'], repository: ['repo', 'server'] };
  const crossing = all.filter(
    ({ from, to }) =>
      (sides.device.includes(part(from)) && sides.repository.includes(part(to))) ||
      (sides.repository.includes(part(from)) && sides.device.includes(part(to))),
  );
  expect(crossing).toEqual([]);
});

test('inside the core imports run one way', () => {
  const core = all.filter(({ from }) => part(from) === 'assembly');
  const unknown = core.filter(({ from }) => !CORE.includes(corePart(from)));
  expect(unknown).toEqual([]);
  const upwards = core.filter(({ from, to }) => CORE.indexOf(corePart(to)) > CORE.indexOf(corePart(from)));
  expect(upwards).toEqual([]);
});

test('only the files that need it reach the host', () => {
  const users = all
    .filter(({ from, to }) => part(from) === 'assembly' && corePart(to) === 'host')
    .map(({ from }) => relative('assembly', from).replace(/\.ts$/, '').split(sep).join('/'));
  expect(new Set(users)).toEqual(new Set(HOST_USERS));
});
