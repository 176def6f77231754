// Files that appear whole or not at all, and stay when the power goes.
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { type FileHandle, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, RepositoryError, systemCode } from './errors.ts';

const CHUNK = 1 << 18;
let counter = 0;

/** One file to write. `replace` false: the name is taken once and for ever. */
export interface FileWrite {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly replace: boolean;
  /** Permissions; 0o644 when left out. */
  readonly mode?: number;
}

/** Writes under a temporary name in `staging` (same file system), flushes, and moves it into place in one step. */
export async function writeWhole(staging: string, file: FileWrite): Promise<void> {
  await withTemporary(staging, file.path, file.mode ?? 0o644, async (handle, temporary) => {
    await handle.writeFile(file.bytes);
    await handle.sync();
    await moveIntoPlace(temporary, file.path, file.replace);
  });
}

/** Writes files in their order; a failure between two leaves the later ones unwritten. */
export async function applyWrites(staging: string, writes: readonly FileWrite[]): Promise<void> {
  for (const write of writes) await writeWhole(staging, write);
}

/** Copies a stream of bytes in the same way, and returns what it was. `limit`: the most bytes to take. `place` is asked
 * when they are on the disk, and the file appears there when it has answered. */
export async function copyWhole(
  staging: string,
  source: AsyncIterable<Uint8Array>,
  limit: number,
  place: (digest: Digest) => string | Promise<string>,
): Promise<Digest> {
  return withTemporary(staging, staging, 0o644, async (handle, temporary) => {
    const digest = await digestOf(source, limit, (chunk) => handle.writeFile(chunk));
    await handle.sync();
    await moveIntoPlace(temporary, await place(digest), true);
    return digest;
  });
}

async function withTemporary<T>(
  staging: string,
  path: string,
  mode: number,
  use: (handle: FileHandle, temporary: string) => Promise<T>,
): Promise<T> {
  const temporary = join(staging, `${process.pid}-${counter++}`);
  try {
    await mkdir(staging, { recursive: true });
    const handle = await open(temporary, 'wx', mode);
    try {
      return await use(handle, temporary);
    } finally {
      await handle.close();
      await rm(temporary, { force: true });
    }
  } catch (error) {
    if (error instanceof RepositoryError) throw error;
    throw new RepositoryError(
      'write-failed',
      `${path} cannot be written (${systemCode(error) ?? messageOf(error)})`,
      error,
    );
  }
}

export interface Digest {
  readonly length: number;
  readonly sha256: string;
}

/** Length and SHA-256 of a stream; stops reading beyond `limit` bytes, and then `length` exceeds it. */
export async function digestOf(
  source: AsyncIterable<Uint8Array>,
  limit: number,
  each?: (chunk: Uint8Array) => unknown,
): Promise<Digest> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of source) {
    length += chunk.length;
    if (length > limit) break;
    hash.update(chunk);
    await each?.(chunk);
  }
  return { length, sha256: hash.digest('hex') };
}

export async function* readChunks(handle: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** The bytes of a small file; undefined when it is not there. Refuses more than `limit` bytes
 * (`metadata-too-large`). It reads in one go without giving way: for metadata that is many times faster. */
export function readLimited(path: string, limit: number): Uint8Array | undefined {
  try {
    const descriptor = openSync(path, 'r');
    try {
      if (fstatSync(descriptor).size <= limit) return readFileSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(path, error);
  }
  throw new RepositoryError('metadata-too-large', `${path} has more than ${limit} bytes`);
}

export async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(path, error);
  }
}

function isAbsent(error: unknown): boolean {
  return systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR';
}

function unreadable(path: string, error: unknown): RepositoryError {
  return new RepositoryError('file-unreadable', `${path} cannot be read (${systemCode(error)})`, error);
}

/** All bytes of a stream, up to `limit`; `name` is for the message. */
export async function collect(
  source: AsyncIterable<Uint8Array>,
  limit: number,
  name: string,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    length += chunk.length;
    if (length > limit)
      throw new RepositoryError('metadata-too-large', `${name} has more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function moveIntoPlace(temporary: string, path: string, replace: boolean): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (replace) {
    await rename(temporary, path);
  } else {
    // Unlike a rename, a link never replaces what is there.
    await link(temporary, path);
  }
  await syncFolder(dirname(path));
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder, and needs no flush for its names.
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
