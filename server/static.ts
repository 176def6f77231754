// Serves a repository's public folder as plain files, with ranges so that a device resumes a download.
// RFC 9110: sections 8.8.3 (ETag), 13.1 (preconditions), 14 (ranges).
import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, isIP } from 'node:net';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { RepositoryError, systemCode } from '../repo/errors.ts';

export interface StaticServerOptions {
  /** The folder with `metadata/` and `targets/`. */
  readonly directory: string;
  /** 127.0.0.1 when left out. */
  readonly host?: string;
  /** 0, or left out: a free one. */
  readonly port?: number;
  /** Certificate chain and key in PEM. */
  readonly tls?: { readonly cert: string | Uint8Array; readonly key: string | Uint8Array };
  /** Allows plain HTTP beyond this machine. */
  readonly insecureHttp?: boolean;
  /** Called once an answer is out. */
  readonly onRequest?: (request: ServedRequest) => void;
}

export interface ServedRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** The length of the answer's content, whether all of it arrived or not. */
  readonly bytes: number;
}

export interface StaticServer {
  /** `http://127.0.0.1:8080`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Starts serving. Refuses with `insecure`, `port-busy`, `network` or `bad-argument`. */
export async function serveStatic(options: StaticServerOptions): Promise<StaticServer> {
  const { host = '127.0.0.1', port = 0, tls } = options;
  if (tls === undefined && options.insecureHttp !== true && !isLoopback(host)) {
    const why = `plain HTTP on ${host} shows others on the network what every device asks for and runs`;
    throw new RepositoryError(
      'insecure',
      `${why}; give --tls-cert and --tls-key, or accept it with --insecure-http`,
    );
  }
  const root = await realpath(options.directory);
  const entityTags = new EntityTags();
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '' } = request;
    response.once('close', () => {
      const bytes = Number(response.getHeader('content-length') ?? 0);
      options.onRequest?.({
        method,
        path: url,
        status: response.statusCode,
        bytes: method === 'HEAD' ? 0 : bytes,
      });
    });
    serveFile(root, entityTags, request, response).catch(() => response.destroy());
  };
  const server = tls === undefined ? createHttpServer(answer) : secureServer(tls, answer);
  await listen(server, port, host);
  const bound = (server.address() as AddressInfo).port;
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return {
    url: `http${tls === undefined ? '' : 's'}://${name}:${bound}`,
    port: bound,
    close: () => close(server),
  };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function secureServer(
  tls: NonNullable<StaticServerOptions['tls']>,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const pem = (text: string | Uint8Array) => (typeof text === 'string' ? text : Buffer.from(text));
  try {
    return createHttpsServer({ cert: pem(tls.cert), key: pem(tls.key), minVersion: 'TLSv1.2' }, answer);
  } catch (error) {
    throw new RepositoryError(
      'bad-argument',
      'the TLS certificate and key do not fit, or are not in PEM',
      error,
    );
  }
}

async function serveFile(
  root: string,
  entityTags: EntityTags,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('x-content-type-options', 'nosniff');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return refuse(response, 405, 'method not allowed');
  }
  const path = resolvePath(root, request.url ?? '/');
  const file = path && (await openInside(root, path));
  if (!file) return refuse(response, 404, 'not found');
  try {
    await sendFile(file, await entityTags.of(path, file), path, request, response);
  } finally {
    await file.handle.close();
  }
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly stat: Stats;
}

/** The file that a request names; undefined for anything that is not plainly below the root. */
function resolvePath(root: string, url: string): string | undefined {
  try {
    const parts = (url.split('?', 1)[0] ?? '').split('/').slice(1).map(decodeURIComponent);
    const plain = parts.every((part) => part !== '' && !part.startsWith('.') && !/[/\\\0]/.test(part));
    return plain ? join(root, ...parts) : undefined;
  } catch {
    return undefined;
  }
}

async function openInside(root: string, path: string): Promise<OpenFile | undefined> {
  try {
    // A link inside the folder must not lead out of it either.
    if (!(await realpath(path)).startsWith(root + sep)) return undefined;
    const handle = await open(path, 'r');
    const stat = await handle.stat();
    if (stat.isFile()) return { handle, stat };
    await handle.close();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
  return undefined;
}

async function sendFile(
  { handle, stat }: OpenFile,
  entityTag: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('etag', entityTag);
  response.setHeader('last-modified', stat.mtime.toUTCString());
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader(
    'content-type',
    path.endsWith('.json') ? 'application/json' : 'application/octet-stream',
  );
  // The timestamp is the only name whose content changes.
  const fixed = !path.endsWith('timestamp.json');
  response.setHeader('cache-control', fixed ? 'public, max-age=31536000, immutable' : 'no-cache');
  if (matchesAny(request.headers['if-none-match'], entityTag)) {
    response.writeHead(304).end();
    return;
  }
  const range = requestedRange(request, entityTag, stat.size);
  if (range === 'unsatisfiable') {
    response.setHeader('content-range', `bytes */${stat.size}`);
    return refuse(response, 416, 'range not satisfiable');
  }
  const { start, end } = range ?? { start: 0, end: stat.size - 1 };
  if (range !== undefined) response.setHeader('content-range', `bytes ${start}-${end}/${stat.size}`);
  response.setHeader('content-length', end - start + 1);
  response.writeHead(range === undefined ? 200 : 206);
  if (request.method === 'HEAD' || end < start) {
    response.end();
    return;
  }
  await pipeline(createReadStream('', { fd: handle, start, end, autoClose: false }), response);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  const body = `${text}\n`;
  response.setHeader('content-type', 'text/plain');
  response.setHeader('cache-control', 'no-cache');
  response.setHeader('content-length', body.length);
  response.writeHead(status).end(body);
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** One range of bytes; several ranges, other units and a stale If-Range get the whole file, as RFC 9110 allows. */
function requestedRange(
  request: IncomingMessage,
  entityTag: string,
  size: number,
): Range | 'unsatisfiable' | undefined {
  const { range, 'if-range': ifRange } = request.headers;
  if (range === undefined || (ifRange !== undefined && ifRange !== entityTag)) return undefined;
  const match = /^bytes=(\d*)-(\d*)$/.exec(range.replace(/\s/g, ''));
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  return start < size ? { start, end } : 'unsatisfiable';
}

function matchesAny(header: string | undefined, entityTag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === entityTag);
}

/** Entity tags by content, so that mirrors agree. Hashed once per file and state of the file. */
class EntityTags {
  readonly #known = new Map<string, { readonly state: string; readonly tag: string }>();

  async of(path: string, { handle, stat }: OpenFile): Promise<string> {
    const state = `${stat.ino}:${stat.size}:${stat.mtimeMs}`;
    const known = this.#known.get(path);
    if (known?.state === state) return known.tag;
    const hash = createHash('sha256');
    const content = createReadStream('', { fd: handle, start: 0, autoClose: false });
    for await (const chunk of content) hash.update(chunk as Buffer);
    const tag = `"${hash.digest('hex').slice(0, 32)}"`;
    this.#known.set(path, { state, tag });
    return tag;
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (error) => fail(listenError(error, port, host)));
    server.listen(port, host, done);
  });
}

function listenError(error: Error, port: number, host: string): RepositoryError {
  const code = systemCode(error);
  if (code === 'EADDRINUSE') {
    return new RepositoryError(
      'port-busy',
      `port ${port} on ${host} is in use; choose another with --port`,
      error,
    );
  }
  return new RepositoryError('network', `cannot listen on ${host}:${port} (${code ?? error.message})`, error);
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}
