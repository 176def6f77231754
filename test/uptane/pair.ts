// The two repositories of one vehicle, with an update for its one ECU, and the server that has them.
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';
import { bytes, type Change, type JsonObject, plain } from '../tuf/values.ts';
import type { KeyKind, Profile, Writing } from './keys.ts';
import { hashesOf, Repository, type RepositoryName } from './repository.ts';

export const VEHICLE = 'car-1';
export const ECU = 'gateway-0001';
export const HARDWARE = 'gw-1';
/** The update that every pair begins with. */
export const FILE = 'app/gw-1/2.0.0/app.bin';
export const CONTENT = 'the second release of the gateway';

export interface PairOptions extends Writing {
  readonly profile?: Profile;
  readonly kind?: KeyKind;
  readonly hashed?: 'bytes' | 'canonical';
}

/** What one of the repositories says otherwise of a target. */
export interface Differences {
  readonly director?: Change;
  readonly image?: Change;
}

export class Pair {
  readonly profile: Profile;
  readonly director: Repository;
  readonly image: Repository;

  constructor({ profile = 'modern', ...options }: PairOptions = {}) {
    this.profile = profile;
    this.director = new Repository({ profile, name: 'director', ...options });
    this.image = new Repository({ profile, name: 'image', ...options });
    if (profile === 'modern') this.director.custom = { vehicleId: VEHICLE };
    this.list(FILE, CONTENT).publish();
  }

  get(name: RepositoryName): Repository {
    return name === 'director' ? this.director : this.image;
  }

  /** Both repositories list a target for the ECU, and the Image repository has its bytes. */
  list(path: string, content: string, differ: Differences = {}): this {
    this.director.targets[path] = this.directed(path, content, differ.director);
    this.image.targets[path] = this.imageOf(path, content, differ.image);
    this.store(path, content);
    return this;
  }

  /** A target as the Image repository lists it. */
  imageOf(path: string, content: string, differ?: Change): JsonObject {
    const custom = this.profile === 'modern' ? release(path) : { hardwareIds: [HARDWARE] };
    return changed({ ...infoOf(content), custom }, differ);
  }

  /** The same as the Director lists it: modern with all custom fields of the release (docs/formats.md). */
  directed(path: string, content: string, differ?: Change): JsonObject {
    const release = this.profile === 'modern' ? (this.imageOf(path, content).custom as JsonObject) : {};
    const custom = { ...release, ecuIdentifiers: { [ECU]: { hardwareId: HARDWARE } } };
    return changed({ ...infoOf(content), custom }, differ);
  }

  /** Puts the bytes where a client asks for them: TUF 5.7.3, with the hash in the name where snapshots are consistent. */
  store(path: string, content: string, served = content): this {
    const folder = path.split('/').slice(0, -1);
    const name = path.split('/').at(-1) ?? '';
    const prefix = this.profile === 'modern' ? `${hashesOf(bytes(content)).sha256}.` : '';
    this.image.files.set(['targets', ...folder, prefix + name].join('/'), bytes(served));
    return this;
  }

  publish(): this {
    this.director.publish();
    this.image.publish();
    return this;
  }

  /** New versions of everything but the roots. */
  raise(): this {
    this.director.raise();
    this.image.raise();
    return this;
  }

  firstRoot(name: RepositoryName): Uint8Array {
    return this.get(name).files.get('1.root.json') ?? new Uint8Array();
  }
}

function release(path: string): JsonObject {
  const [component = '', , version = ''] = path.split('/');
  const releaseCounter = Number(version.split('.')[0]);
  return { component, version, hardwareIds: [HARDWARE], releaseCounter, securityCounter: 1 };
}

function infoOf(content: string): JsonObject {
  const file = bytes(content);
  return { length: file.length, hashes: hashesOf(file) };
}

function changed(target: JsonObject, change: Change = () => undefined): JsonObject {
  const copy = plain(target);
  change(copy);
  return copy;
}

/** Answers a request by itself; false: the server does as always. */
export type Conduct = (path: string, response: ServerResponse) => boolean;

export interface Served {
  readonly directorUrl: string;
  readonly imageUrl: string;
  /** Paths as they were asked for, since the last call. */
  asked(): string[];
  conduct: Conduct;
  close(): Promise<void>;
}

const servers: Server[] = [];

afterAll(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** What servers of published vectors answer where there is nothing: roots and targets can be absent, other files not. */
function absence(path: readonly string[]): 400 | 404 {
  const [first = ''] = path;
  return first === 'targets' || /^\d+\.root\.json$/.test(first) ? 404 : 400;
}

/** Serves both below one address, as published servers do: `director/` and `image_repo/`, the images in `targets/`. */
export async function serve(pair: Pair): Promise<Served> {
  const requests: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    requests.push(url);
    if (served.conduct(url, response)) return;
    const [, repository, ...path] = decodeURIComponent(url).split('/');
    const name: RepositoryName = repository === 'director' ? 'director' : 'image';
    const file = pair.get(name).files.get(path.join('/'));
    const status = file ? 200 : pair.profile === 'legacy' ? absence(path) : 404;
    const type = url.endsWith('.json') ? 'application/json' : 'application/octet-stream';
    response.writeHead(status, { 'content-length': file?.length ?? 0, 'content-type': type }).end(file);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  servers.push(server);
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const served: Served = {
    directorUrl: `${base}/director`,
    imageUrl: `${base}/image_repo`,
    asked: () => requests.splice(0),
    conduct: () => false,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
  return served;
}
