// A network in this process: it answers `fetch` from files, and behaves as badly as it is told to.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../host/node/clock.ts';
import type { Fetch } from '../host/node/http.ts';
import type { Random } from './random.ts';

/** The bytes at a path below the origin (`metadata/timestamp.json`); undefined: there is no such file. */
export type Source = (path: string) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

/** How the network treats one request. Nothing set: as a good one. */
export interface Conduct {
  /** No connection. */
  readonly drop?: boolean;
  /** An HTTP status instead of the file. */
  readonly status?: number;
  /** Milliseconds before the answer. */
  readonly delay?: number;
  /** Bytes a second; unlimited when left out. */
  readonly rate?: number;
  /** The connection breaks after so many bytes. */
  readonly breakAfter?: number;
  /** The body ends after so many bytes, as if that were all. */
  readonly endAfter?: number;
  /** The whole file, whatever range was asked for. */
  readonly ignoreRange?: boolean;
  /** The version of the file, as its ETag. */
  readonly tag?: string;
  /** The length of the file that parts of it claim. */
  readonly claims?: number;
  /** After the file more bytes come, for ever. */
  readonly endless?: boolean;
  /** Bytes that arrive at once; 1,024. */
  readonly chunk?: number;
}

export interface NetworkRequest {
  readonly path: string;
  /** First byte asked for. */
  readonly offset: number;
  /** Bytes of the body that were sent. */
  sent: number;
}

export class SimNetwork {
  /** What answers; an attacker puts itself in between. */
  source: Source;
  conduct: (path: string) => Conduct = () => ({});
  /** All requests so far. */
  readonly requests: NetworkRequest[] = [];
  readonly #clock: Clock;

  constructor(source: Source, clock: Clock) {
    this.source = source;
    this.#clock = clock;
  }

  readonly fetch: Fetch = async (url, init) => {
    const path = decodeURIComponent(new URL(url).pathname.slice(1));
    const asked = new Headers(init.headers);
    const range = /^bytes=(\d+)-$/.exec(asked.get('range') ?? '');
    const request = { path, offset: Number(range?.[1] ?? 0), sent: 0 };
    this.requests.push(request);
    const given = this.conduct(path);
    const isOther = asked.get('if-range') !== null && asked.get('if-range') !== given.tag;
    const conduct = isOther ? { ...given, ignoreRange: true } : given;
    if (conduct.delay) await this.#sleep(conduct.delay);
    if (conduct.drop) throw new TypeError('fetch failed', { cause: new Error('connection refused') });
    if (conduct.status) return new Response(null, { status: conduct.status });
    const file = await this.source(path);
    return file ? this.#answer(file, request, conduct) : new Response('not found', { status: 404 });
  };

  /** Bytes of bodies that were sent so far. */
  get sent(): number {
    return this.requests.reduce((sum, { sent }) => sum + sent, 0);
  }

  #answer(file: Uint8Array, request: NetworkRequest, conduct: Conduct): Response {
    const start = conduct.ignoreRange ? 0 : request.offset;
    if (start > 0 && start >= file.length)
      return new Response(null, { status: 416, headers: { 'content-range': `bytes */${file.length}` } });
    const headers: Record<string, string> = {};
    if (!conduct.endless && conduct.endAfter === undefined)
      headers['content-length'] = `${file.length - start}`;
    if (conduct.tag) headers.etag = conduct.tag;
    if (start > 0)
      headers['content-range'] = `bytes ${start}-${file.length - 1}/${conduct.claims ?? file.length}`;
    const body = this.#body(file.subarray(start), request, conduct);
    return new Response(body, { status: start > 0 ? 206 : 200, headers });
  }

  #body(bytes: Uint8Array, request: NetworkRequest, conduct: Conduct): ReadableStream<Uint8Array> {
    const { chunk = 1024, rate, breakAfter = Infinity, endAfter = Infinity, endless = false } = conduct;
    const end = Math.min(endless ? Infinity : bytes.length, endAfter, breakAfter);
    return new ReadableStream<Uint8Array>(
      {
        pull: async (stream) => {
          const length = Math.min(chunk, end - request.sent);
          if (rate) await this.#sleep((length / rate) * 1000);
          if (length > 0) stream.enqueue(slice(bytes, request.sent, length));
          else if (end === breakAfter) stream.error(new Error('connection reset'));
          else stream.close();
          request.sent += length;
        },
      },
      { highWaterMark: 0 },
    );
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(milliseconds, resolve));
  }
}

/** Bytes of a file, and spaces after its end: JSON does not mind them. */
function slice(bytes: Uint8Array, from: number, length: number): Uint8Array {
  const piece = new Uint8Array(length).fill(0x20);
  piece.set(bytes.subarray(from, from + length));
  return piece;
}

/** The files below a folder. */
export function folderSource(folder: string): Source {
  return async (path) => {
    if (path.split('/').includes('..')) return undefined;
    return readFile(join(folder, path)).catch(() => undefined);
  };
}

/** The files of a real server below a base address that ends in a slash. */
export function serverSource(base: string): Source {
  return async (path) => {
    const response = await fetch(base + path);
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
  };
}

/** A network on which any request may go wrong, with a probability from 0 to 1. */
export function badWeather(random: Random, probability: number): (path: string) => Conduct {
  return () => {
    const chunk = 1 + random.below(1500);
    if (!random.chance(probability)) return { chunk };
    const faults: Conduct[] = [
      { drop: true },
      { status: 500 + random.below(4) },
      { delay: 1000 * random.below(120) },
      { rate: 1 + random.below(4000) },
      { breakAfter: random.below(5000) },
      { endAfter: random.below(5000) },
      { ignoreRange: true },
    ];
    return { chunk, ...faults[random.below(faults.length)] };
  };
}
