// A bundle: one file that answers in place of a repository ("Bundle" in docs/formats.md). Nobody trusts it: it is read
// strictly, so that it means the same to every reader, and what is in it is for the core to judge.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { HostError } from './errors.ts';
import type { Fetch, Reply } from './http.ts';

export interface BundleEntry {
  /** `metadata/` or `director/` and a name as the core asks for it, or `targets/` and a path. */
  readonly name: string;
  readonly length: number;
  /** Of its first byte in the bundle. */
  readonly offset: number;
}

const MAGIC = 0x444e424d;
const VERSION = 1;
const HEADER = 12;
/** Of an entry, before its name. */
const ENTRY = 6;
const LONGEST_NAME = 329;
const LONGEST_BUNDLE = 2 ** 32 - 1;
/** Bytes of a file that are given at once. */
const PIECE = 16_384;
/** Segments of printable ASCII, none empty, `.` or `..`, below the three folders: safe to unpack. */
const NAME = /^(?:(?:metadata|director)(?=\/[^/]+$)|targets)(?:\/(?!\.{1,2}(?:\/|$))[ -.0-[\]-~]+)+$/;

/** An open bundle. Its index is in memory, its files are not. */
export class Bundle {
  readonly path: string;
  /** Of the whole file. */
  readonly length: number;
  readonly #file: number;
  readonly #entries = new Map<string, BundleEntry>();

  /** Throws `bundle-unreadable`, or `bundle-invalid` for what is not one whole bundle. */
  constructor(path: string) {
    this.path = path;
    this.#file = open(path);
    try {
      this.length = fstatSync(this.#file).size;
      this.#readIndex();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** By name, in the order of the file. */
  get entries(): ReadonlyMap<string, BundleEntry> {
    return this.#entries;
  }

  /** At most `length` bytes of a file from `offset` on; fewer only at its end. Throws when the bundle cannot be read. */
  read({ offset: start, length }: BundleEntry, offset: number, wanted: number): Uint8Array {
    return this.#read(start + offset, Math.max(0, Math.min(wanted, length - offset)));
  }

  close(): void {
    closeSync(this.#file);
  }

  #readIndex(): void {
    const head = view(this.#read(0, HEADER));
    if (head.getUint32(0, true) !== MAGIC) throw invalid(this.path, 'is not a bundle');
    const version = head.getUint32(4, true);
    if (version !== VERSION) throw invalid(this.path, `is a bundle of version ${version}, not ${VERSION}`);
    const named: Omit<BundleEntry, 'offset'>[] = [];
    let at = HEADER;
    let before: Uint8Array = new Uint8Array();
    for (let left = head.getUint32(8, true); left > 0; left--) {
      const entry = view(this.#read(at, ENTRY));
      const bytes = this.#read(at + ENTRY, entry.getUint16(4, true));
      // Ascending: a name that is there twice would mean one thing to one reader and another to the next.
      if (Buffer.compare(before, bytes) >= 0) throw invalid(this.path, 'has names that are not in order');
      named.push({ name: this.#name(bytes), length: entry.getUint32(0, true) });
      before = bytes;
      at += ENTRY + bytes.length;
    }
    for (const { name, length } of named) {
      this.#entries.set(name, { name, length, offset: at });
      at += length;
    }
    if (at !== this.length || at > LONGEST_BUNDLE)
      throw invalid(this.path, `has ${this.length} bytes, and its index says ${at} [truncation]`);
  }

  #name(bytes: Uint8Array): string {
    const name = Buffer.from(bytes).toString('latin1');
    if (bytes.length > LONGEST_NAME || !NAME.test(name))
      throw invalid(this.path, 'has a name that could leave its folder [path traversal]');
    return name;
  }

  #read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const read = readSync(this.#file, bytes, done, length - done, offset + done);
      if (read === 0) throw invalid(this.path, 'ends too early [truncation]');
      done += read;
    }
    return bytes;
  }
}

/** A bundle in place of the network, for a client or a gateway. */
export interface BundleUpstream {
  readonly metadataUrl: string;
  readonly targetsUrl: string;
  readonly directorUrl: string;
  readonly fetch: Fetch;
}

/** The address is nobody's (RFC 2606): whatever is asked for below it comes from the bundle. */
const ORIGIN = 'https://bundle.invalid/';

export function bundleUpstream(bundle: Bundle): BundleUpstream {
  return {
    metadataUrl: `${ORIGIN}metadata/`,
    targetsUrl: `${ORIGIN}targets/`,
    directorUrl: `${ORIGIN}director/`,
    fetch: async (url, { headers }) => {
      const entry = bundle.entries.get(nameOf(url));
      const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
      return entry ? answer(bundle, entry, from) : reply(404, {});
    },
  };
}

/** Metadata is named as in a URL, a target by its path. */
function nameOf(url: string): string {
  const path = url.slice(ORIGIN.length);
  return path.startsWith('targets/') ? decodeURIComponent(path) : path;
}

function answer(bundle: Bundle, entry: BundleEntry, from: number): Reply {
  const { length } = entry;
  if (from > 0 && from >= length) return reply(416, {});
  const headers = { 'content-length': `${length - from}` };
  if (from === 0) return reply(200, headers, pieces(bundle, entry, 0));
  const range = { 'content-range': `bytes ${from}-${length - 1}/${length}` };
  return reply(206, { ...headers, ...range }, pieces(bundle, entry, from));
}

function* pieces(bundle: Bundle, entry: BundleEntry, from: number): Generator<Uint8Array> {
  for (let offset = from; offset < entry.length; offset += PIECE) yield bundle.read(entry, offset, PIECE);
}

function reply(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Iterator<Uint8Array> = [].values(),
): Reply {
  const reader = {
    read: async () => {
      const { value, done } = body.next();
      return done ? {} : { value };
    },
    cancel: async () => undefined,
  };
  return { status, headers: { get: (name) => headers[name] ?? null }, body: { getReader: () => reader } };
}

function open(path: string): number {
  try {
    const file = openSync(path, 'r');
    if (fstatSync(file).isFile()) return file;
    closeSync(file);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : '';
    throw new HostError('bundle-unreadable', `${path} cannot be read${code}`, { cause });
  }
  throw new HostError('bundle-unreadable', `${path} is not a file`);
}

function view({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function invalid(path: string, what: string): HostError {
  return new HostError('bundle-invalid', `${path} ${what}`);
}
