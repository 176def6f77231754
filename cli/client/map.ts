// The map file of TAP 4: which repositories must agree on which targets. It is the user's own, and comes from no
// repository; it is read strictly, because what is misspelt in it would be trust that nobody meant ("Map file" in
// docs/formats.md).
import { readFileSync } from 'node:fs';
import { HostError } from '../../host/node/errors.ts';
import type { Sources } from './options.ts';

export interface TrustMap {
  /** Base addresses by name, each of one repository: the first one, and its mirrors. */
  readonly repositories: ReadonlyMap<string, readonly string[]>;
  /** In descending order of priority. */
  readonly mapping: readonly Mapping[];
}

export interface Mapping {
  /** Patterns of target paths; `*` is any characters, `?` any one, slashes too. */
  readonly paths: readonly string[];
  readonly repositories: readonly string[];
  /** How many of them must agree. */
  readonly threshold: number;
  /** Nobody is asked after them for these paths. */
  readonly terminating: boolean;
}

/** A repository's name is that of a folder. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;

/** Throws `map-invalid`. */
export function readMap(file: string): TrustMap {
  const fail = (what: string): never => {
    throw new HostError('map-invalid', `${file}: ${what}`);
  };
  const { repositories, mapping } = fields(parse(file, fail), ['repositories', 'mapping'], 'the map', fail);
  if (!isObject(repositories)) return fail('repositories is not an object');
  const known = new Map(
    Object.entries(repositories).map(([name, urls]) => [name, addresses(name, urls, fail)]),
  );
  if (known.size === 0) fail('repositories is empty');
  if (!Array.isArray(mapping) || mapping.length === 0) return fail('mapping is not an array with entries');
  return {
    repositories: known,
    mapping: mapping.map((entry, index) => readMapping(entry, index, known, fail)),
  };
}

/** Those that a target is looked for in, the first one first; the last may be a terminating one. */
export function mappingsOf({ mapping }: TrustMap, target: string): Mapping[] {
  const fitting = mapping.filter(({ paths }) => paths.some((pattern) => glob(pattern).test(target)));
  const end = fitting.findIndex(({ terminating }) => terminating);
  return end < 0 ? fitting : fitting.slice(0, end + 1);
}

/** What the Uptane Standard (2.1.0, 5.4.4.1) asks of a Primary's map, and all that its client does. Throws `map-invalid`. */
export function uptaneSources(file: string, targetBaseUrl?: string): Sources {
  const { repositories, mapping } = readMap(file);
  const [director, image] = ['director', 'image'].map((name) => repositories.get(name) ?? []);
  const [only] = mapping;
  const isStandard =
    mapping.length === 1 && only?.threshold === 2 && only.terminating && only.paths.includes('*');
  const [directorUrl, imageUrl] = [director?.[0], image?.[0]];
  if (!isStandard || repositories.size !== 2 || directorUrl === undefined || imageUrl === undefined)
    throw new HostError(
      'map-invalid',
      `${file}: in a vehicle the repositories "director" and "image" agree on all paths ("*"), with a threshold of 2 and terminating; nothing else is Uptane`,
    );
  if (director?.length !== 1 || image?.length !== 1)
    throw new HostError('map-invalid', `${file}: mirrors are for TUF repositories; give each one address`);
  return { directorUrl, imageUrl, ...(targetBaseUrl !== undefined && { targetBaseUrl }) };
}

type Fail = (what: string) => never;

function parse(file: string, fail: Fail): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return fail(
      error instanceof Error && 'code' in error ? `cannot be read (${error.code})` : 'cannot be read',
    );
  }
  try {
    return JSON.parse(text);
  } catch {
    return fail('is not JSON');
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object with these members and no others. */
function fields(value: unknown, names: readonly string[], what: string, fail: Fail): Record<string, unknown> {
  if (!isObject(value)) return fail(`${what} is not an object`);
  const missing = names.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) fail(`${what} has no ${missing}`);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined)
    fail(`${what} has "${unknown}", which means nothing; it has ${names.join(', ')}`);
  return value;
}

function addresses(name: string, value: unknown, fail: Fail): string[] {
  if (!NAME.test(name)) fail(`"${name}" cannot be the name of a repository, and of its folder`);
  const urls = texts(value, `the addresses of ${name}`, fail);
  for (const url of urls)
    if (!/^https?:/.test(url) || !URL.canParse(url))
      fail(`"${url}" is no address of ${name}, like https://host/path`);
  return urls;
}

function readMapping(
  value: unknown,
  index: number,
  known: ReadonlyMap<string, unknown>,
  fail: Fail,
): Mapping {
  const what = `mapping ${index + 1}`;
  const names = ['paths', 'repositories', 'threshold', 'terminating'];
  const entry = fields(value, names, what, fail);
  const repositories = texts(entry.repositories, `repositories of ${what}`, fail);
  const stranger = repositories.find((name) => !known.has(name));
  if (stranger !== undefined) fail(`${what} names ${stranger}, which is not among the repositories`);
  // One repository, listed twice, would agree with itself.
  if (new Set(repositories).size < repositories.length) fail(`${what} names a repository twice`);
  const { threshold, terminating } = entry;
  if (
    typeof threshold !== 'number' ||
    !Number.isInteger(threshold) ||
    threshold < 1 ||
    threshold > repositories.length
  )
    return fail(
      `the threshold of ${what} is not an integer from 1 to its ${repositories.length} repositories`,
    );
  if (typeof terminating !== 'boolean') return fail(`terminating of ${what} is not true or false`);
  return { paths: texts(entry.paths, `paths of ${what}`, fail), repositories, threshold, terminating };
}

/** One text at least, none of them empty. */
function texts(value: unknown, what: string, fail: Fail): string[] {
  const isList = Array.isArray(value) && value.length > 0;
  if (!isList || !value.every((text) => typeof text === 'string' && text !== ''))
    return fail(`${what} is not an array of texts`);
  return value as string[];
}

function glob(pattern: string): RegExp {
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}
