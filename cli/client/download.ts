// Targets in a folder: each under its percent-encoded name, and only when it was verified.
import {
  closeSync,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Role } from '../../host/node/abi.ts';
import type { Client } from '../../host/node/client.ts';
import type { Core } from '../../host/node/core.ts';
import type { Watch } from './watch.ts';

/** The most bytes that a file system takes as a name. */
const LONGEST = 255;
/** Bytes of a file that are read at once. */
const PIECE = 65_536;

export interface Download {
  readonly client: Client;
  /** One that has checked. */
  readonly core: Core;
  readonly watch: Watch;
  /** The path of the target. */
  readonly name: string;
  /** Where verified targets go. */
  readonly folder: string;
  /** Where a target is until then. */
  readonly drafts: string;
}

/** Gets one target, unless its file is there already and right. */
export async function download(wanted: Download): Promise<void> {
  const { client, core, watch, name, folder, drafts } = wanted;
  mkdirSync(folder, { recursive: true });
  const path = join(folder, await fileName(name));
  if (await isThere(wanted, path)) return;
  const draft = join(drafts, 'target');
  const file = openSync(draft, 'w');
  try {
    watch.expect(await client.find(core, name, (piece, offset) => keep(file, piece, offset)), name);
    place(draft, path, folder);
  } finally {
    closeSync(file);
    rmSync(draft, { force: true });
  }
}

/** As python-tuf names the files of targets. Where that is too long, a hash of the path takes its place. */
export async function fileName(target: string): Promise<string> {
  const encoded = encodeURIComponent(target).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  if (encoded.length > LONGEST) return sha256(target);
  // Dots alone would be a folder.
  return /^\.+$/.test(encoded) ? encoded.replaceAll('.', '%2E') : encoded;
}

async function sha256(text: string): Promise<string> {
  // Loaded when it is needed, because that takes longer than all the rest of a refresh.
  const { createHash } = await import('node:crypto');
  return createHash('sha256').update(text).digest('hex');
}

async function isThere({ client, core, watch, name }: Download, path: string): Promise<boolean> {
  const file = openIfThere(path);
  if (file === undefined) return false;
  try {
    const outcome = await client.judge(core, name, pieces(file));
    // Not what is signed now: it is fetched. Any other fault would be the same after a fetch.
    if (outcome.action === 'wait' && outcome.status < 0 && outcome.role === Role.IMAGE) return false;
    watch.expect(outcome, name);
    return true;
  } finally {
    closeSync(file);
  }
}

export function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

export function* pieces(file: number): Generator<Uint8Array> {
  const buffer = new Uint8Array(PIECE);
  const { size } = fstatSync(file);
  for (let offset = 0; offset < size; ) {
    const length = readSync(file, buffer, 0, PIECE, offset);
    if (length === 0) return;
    yield buffer.subarray(0, length);
    offset += length;
  }
}

export function keep(file: number, piece: Uint8Array, offset: number): void {
  if (offset === 0) ftruncateSync(file);
  for (let done = 0; done < piece.length; )
    done += writeSync(file, piece, done, piece.length - done, offset + done);
}

/** Moves a verified file from elsewhere to its place in a folder. */
export function copyTarget(draft: string, path: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  place(draft, path, folder);
}

/** Moves a verified file to its place, in one step even from another file system. */
function place(draft: string, path: string, folder: string): void {
  try {
    renameSync(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error;
    const near = join(folder, '.moult-part');
    copyFileSync(draft, near);
    renameSync(near, path);
  }
}
