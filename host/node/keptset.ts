// What a Primary has verified in one check, for its Secondaries: the metadata of both repositories as its core trusts it,
// and the images whose hashes its core checked. They are asked for nothing else, so that none sees parts of two checks.
import { createHash } from 'node:crypto';
import { Role } from './abi.ts';
import type { Addresses } from './address.ts';
import type { Core } from './core.ts';
import type { Depot } from './depot.ts';
import type { Fetch } from './http.ts';

/** Where the index is in the depot; what it names lies there by its SHA-256. */
const INDEX = 'set.json';

export type Repository = 'image' | 'director';

/** What the Director lists for one ECU. */
export interface Direction {
  readonly serial: string;
  readonly path: string;
  readonly releaseCounter: number;
  /** Of the image, where the Director says so. */
  readonly sha256?: string;
}

interface Index {
  /** SHA-256 by name: `director/` or `image/` and the name of metadata, `targets/` and that of an image. */
  readonly files: Readonly<Record<string, string>>;
  readonly directions: readonly Direction[];
}

/** One set. It never changes, and its metadata is at hand also when another one is kept since. */
export class KeptSet {
  readonly directions: readonly Direction[];
  readonly files: Index['files'];
  readonly #depot: Depot;
  readonly #metadata: ReadonlyMap<string, Uint8Array>;

  constructor(depot: Depot, { files, directions }: Index) {
    this.#depot = depot;
    this.files = files;
    this.directions = directions;
    const names = Object.keys(files).filter((name) => !name.startsWith(IMAGES));
    this.#metadata = new Map(names.map((name) => [name, depot.read(files[name] ?? '') ?? EMPTY]));
  }

  /** Undefined: it is not in this set, or an image that is kept no longer. */
  read(name: string): Uint8Array | undefined {
    const digest = this.files[name];
    return this.#metadata.get(name) ?? (digest === undefined ? undefined : this.#depot.read(digest));
  }

  /** An image by its SHA-256, and its name here, as long as it is whole. */
  image(sha256: string): { name: string; bytes: Uint8Array } | undefined {
    const name = Object.keys(this.files).find(
      (name) => name.startsWith(IMAGES) && this.files[name] === sha256,
    );
    const bytes = name && this.#depot.read(sha256);
    return bytes && hashOf(bytes) === sha256 ? { name, bytes } : undefined;
  }
}

/** The set that is in a depot; undefined: none yet. */
export function loadSet(depot: Depot): KeptSet | undefined {
  const index = depot.read(INDEX);
  return index && new KeptSet(depot, JSON.parse(Buffer.from(index).toString()) as Index);
}

/** Makes these files the set of the depot: all at once, however the power fails. */
export function keepSet(
  depot: Depot,
  files: ReadonlyMap<string, Uint8Array>,
  directions: readonly Direction[],
): KeptSet {
  const there = new Set(depot.names());
  const digests: Record<string, string> = {};
  for (const [name, bytes] of files) {
    const digest = hashOf(bytes);
    digests[name] = digest;
    if (!there.has(digest)) depot.write(digest, bytes);
  }
  const index = { files: digests, directions };
  const text = JSON.stringify(index);
  if (Buffer.from(depot.read(INDEX) ?? []).toString() !== text) depot.write(INDEX, Buffer.from(text));
  const wanted = new Set(Object.values(digests));
  for (const name of there) if (/^[0-9a-f]{64}$/.test(name) && !wanted.has(name)) depot.remove(name);
  return new KeptSet(depot, index);
}

const EMPTY = new Uint8Array();
const IMAGES = 'targets/';

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

// ---- from the core ----

export const REPOSITORIES: readonly Repository[] = ['director', 'image'];
type Roles = Readonly<Record<string, Role>>;
const ROLES: Roles = { timestamp: Role.TIMESTAMP, snapshot: Role.SNAPSHOT, targets: Role.TARGETS };
const OFFLINE_ROLES: Roles = {
  'offline-snapshot': Role.OFFLINE_SNAPSHOT,
  'offline-targets': Role.OFFLINE_TARGETS,
};

/** Each root that a core has trusted since the Primary was made, by its name in a set: Secondaries may be behind. */
export type Roots = Map<string, Uint8Array>;

/**
 * The metadata that counted in the last check of a core, by the names of a set. `isOffline`: the Director's is what was
 * signed for times without it; without its timestamp others take the same way.
 */
export function trustedFiles(core: Core, roots: Roots, isOffline: boolean): Map<string, Uint8Array> {
  const files = new Map(roots);
  for (const repository of REPOSITORIES)
    for (const [name, role] of Object.entries(
      repository === 'director' && isOffline ? OFFLINE_ROLES : ROLES,
    )) {
      const file = core.trustedFile(roleOf(repository, role));
      if (file.length > 0) files.set(`${repository}/${name}.json`, file);
    }
  for (const name of delegatedRoles(files.get('image/snapshot.json'))) {
    const file = core.delegatedFile(name);
    if (file.length > 0) files.set(`image/${encodeRole(name)}.json`, file);
  }
  return files;
}

/** Keeps the root that a core trusts now, before the next one comes. */
export function keepRoot(depot: Depot, core: Core, repository: Repository, roots: Roots): void {
  const root = core.trustedFile(roleOf(repository, Role.ROOT));
  if (root.length === 0) return;
  const version = versionOf(root);
  const name = `${repository}/${version}.root.json`;
  if (roots.has(name)) return;
  depot.write(`root-${repository}-${version}.json`, root);
  roots.set(name, root);
}

export function loadRoots(depot: Depot): Roots {
  const named = depot.names().flatMap((name) => {
    const [, repository, version] = /^root-(director|image)-(\d+)\.json$/.exec(name) ?? [];
    return repository ? [[`${repository}/${version}.root.json`, depot.read(name) ?? EMPTY] as const] : [];
  });
  return new Map(named);
}

function roleOf(repository: Repository, role: number): number {
  return repository === 'director' ? role + 8 : role;
}

function delegatedRoles(snapshot: Uint8Array | undefined): string[] {
  const meta = snapshot ? signedOf(snapshot).meta : {};
  return Object.keys(meta as object)
    .filter((file) => file !== 'targets.json')
    .map((file) => file.replace(/\.json$/, ''));
}

/** As the core asks for it: every byte but letters, digits and `-._~`. */
function encodeRole(name: string): string {
  return encodeURIComponent(name).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

interface Listed {
  readonly hashes: { readonly sha256?: string };
  readonly custom?: {
    readonly ecuIdentifiers?: object;
    readonly hardwareIds?: readonly string[];
    readonly releaseCounter?: unknown;
  };
}

/** The hardware ids of a vehicle's ECUs, by serial. */
export type Ecus = Readonly<Record<string, string>>;

/**
 * What verified targets of a Director list, for each ECU of a vehicle. Those for times without it may name ECUs of other
 * vehicles, or none: then they are for all with the hardware.
 */
export function directionsOf(targets: Uint8Array, ecus: Ecus): Direction[] {
  const listed = signedOf(targets).targets as Readonly<Record<string, Listed>>;
  return Object.entries(listed).flatMap(
    ([
      path,
      {
        custom = {},
        hashes: { sha256 },
      },
    ]) =>
      serialsOf(custom, ecus).map((serial) => ({
        ...{ serial, path, releaseCounter: Number(custom.releaseCounter ?? 0) },
        ...(sha256 !== undefined && { sha256 }),
      })),
  );
}

function serialsOf(
  { ecuIdentifiers, hardwareIds = [] }: NonNullable<Listed['custom']>,
  ecus: Ecus,
): string[] {
  const isFor = (serial: string) =>
    ecuIdentifiers ? Object.hasOwn(ecuIdentifiers, serial) : hardwareIds.includes(ecus[serial] ?? '');
  return Object.keys(ecus).filter(isFor);
}

function versionOf(file: Uint8Array): number {
  return Number(signedOf(file).version);
}

/** Of a file that a core has verified. */
function signedOf(file: Uint8Array): Record<string, unknown> {
  return (JSON.parse(Buffer.from(file).toString()) as { signed: Record<string, unknown> }).signed;
}

// ---- to an ECU ----

/** Addresses for whoever fetches from a set. */
export const SET_ADDRESSES: Addresses = {
  metadataUrl: 'https://set/image/',
  targetsUrl: 'https://set/targets/',
  directorUrl: 'https://set/director/',
};

/**
 * Answers from a set. `current` is the set to be used from the first file of a check on: roots of the Director, which is
 * asked first.
 */
export function setFetch(current: () => KeptSet | undefined): Fetch {
  let set: KeptSet | undefined;
  return async (url, { headers }) => {
    const [repository = '', ...path] = new URL(url).pathname.slice(1).split('/');
    const last = path.join('/');
    if (!set || (repository === 'director' && /^\d+\.root\.json$/.test(last))) set = current();
    // Not that there is no such file: it was not looked for yet.
    if (!set) throw new Error('nothing was verified yet');
    const isTarget = repository === 'targets';
    const file = isTarget ? set.read(IMAGES + decodeURIComponent(last)) : named(set, repository, last);
    const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    return answer(file, start);
  };
}

/** A file by the name that is asked for: with its version before it, or without, which is for the newest. */
function named(set: KeptSet, repository: string, name: string): Uint8Array | undefined {
  const exact = set.read(`${repository}/${name}`);
  if (exact) return exact;
  const [, version, rest] = /^(\d+)\.(.+)$/.exec(name) ?? [];
  const file = rest === undefined ? undefined : set.read(`${repository}/${rest}`);
  return file && versionOf(file) === Number(version) ? file : undefined;
}

function answer(file: Uint8Array | undefined, start: number): Awaited<ReturnType<Fetch>> {
  if (!file || start > file.length) return new Response(null, { status: 404 });
  const etag = `"${hashOf(file)}"`;
  const rest = new Uint8Array(file.subarray(start));
  const headers: Record<string, string> = { 'content-length': `${rest.length}`, etag };
  if (start > 0) headers['content-range'] = `bytes ${start}-${file.length - 1}/${file.length}`;
  return new Response(rest, { status: start > 0 ? 206 : 200, headers });
}
