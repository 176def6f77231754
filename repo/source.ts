// Where a repository's files come from: a folder or a web server.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, RepositoryError } from './errors.ts';
import { collect, openExisting, readChunks, readLimited } from './files.ts';

export interface Source {
  /** For messages. */
  readonly where: string;
  /** A file under `metadata/`; undefined: not there. Refuses more than `limit` bytes (`metadata-too-large`). */
  metadata(name: string, limit: number): Promise<Uint8Array | undefined>;
  /** The bytes of a file under `targets/`; undefined: not there. */
  target(name: string): Promise<AsyncIterable<Uint8Array> | undefined>;
}

const METADATA_TIMEOUT_MS = 30_000;
const TARGET_TIMEOUT_MS = 600_000;

/** A repository's folder, its public folder, or the URL that serves the latter. */
export async function openSource(place: string): Promise<Source> {
  if (/^https?:\/\//i.test(place)) return webSource(place);
  for (const folder of [place, join(place, 'public')]) {
    if (await isFolder(join(folder, 'metadata'))) return folderSource(folder);
  }
  throw new RepositoryError('repository-missing', `${place} is not a repository: it has no metadata folder`);
}

export function folderSource(folder: string): Source {
  return {
    where: folder,
    metadata: async (name, limit) => readLimited(join(folder, 'metadata', name), limit),
    async target(name) {
      const handle = await openExisting(join(folder, 'targets', name));
      return handle && closing(handle);
    },
  };
}

async function* closing(
  handle: NonNullable<Awaited<ReturnType<typeof openExisting>>>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* readChunks(handle);
  } finally {
    await handle.close();
  }
}

function webSource(base: string): Source {
  const url = (part: string, name: string) =>
    `${base.replace(/\/+$/, '')}/${part}/${name.split('/').map(encodeURIComponent).join('/')}`;
  return {
    where: base,
    async metadata(name, limit) {
      const body = await request(url('metadata', name), METADATA_TIMEOUT_MS);
      return body && collect(body, limit, name);
    },
    target: (name) => request(url('targets', name), TARGET_TIMEOUT_MS),
  };
}

async function request(url: string, timeout: number): Promise<AsyncIterable<Uint8Array> | undefined> {
  const response = await attempt(url, () => fetch(url, { signal: AbortSignal.timeout(timeout) }));
  if (response.status === 404 || response.status === 403) {
    await response.body?.cancel();
    return undefined;
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new RepositoryError('network', `${url} answered ${response.status} ${response.statusText}`);
  }
  return readBody(url, response.body);
}

async function* readBody(url: string, body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await attempt(url, () => reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function attempt<T>(url: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new RepositoryError('network', `${url} cannot be reached: ${messageOf(cause)}`, error);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
}
