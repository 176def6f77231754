// Bundles: one file with all that devices need for an update without a network ("Bundle" in docs/formats.md).
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { compareNames } from './canonical.ts';
import { type Chain, LIMITS } from './chain.ts';
import type { OfflineFile } from './director/offline.ts';
import { RepositoryError } from './errors.ts';
import type { FileWrite } from './files.ts';
import { sha256 } from './keys.ts';
import { metadataName, type RoleName, type Target, targetFileName } from './metadata.ts';
import { isPublished } from './payload.ts';
import { parseMetadata } from './schema.ts';
import { type BundledRelease, type Selection, selectReleases } from './selection.ts';
import type { Source } from './source.ts';
import { expiryOf } from './verify.ts';

export interface BundleOptions extends Selection {
  /** The oldest root that a device may trust; 1 when left out. */
  readonly fromRoot?: number;
  /** Seconds that it holds, signed for it alone; left out: as long as what clients see now. */
  readonly lifetime?: number;
  /** Signs an offline update of a Director for the releases in the bundle, by path. */
  readonly offline?: (targets: Readonly<Record<string, Target>>) => Promise<readonly OfflineFile[]>;
}

export interface BundleFile {
  /** Its path below the address that serves a repository; the name of metadata as a URL has it. */
  readonly name: string;
  readonly length: number;
  readonly sha256: string;
  /** undefined: it is not there any more. */
  open(): Promise<AsyncIterable<Uint8Array> | undefined>;
}

export interface BundleContents {
  /** Sorted by name. */
  readonly files: readonly BundleFile[];
  readonly releases: readonly BundledRelease[];
  /** When the first of its roles expires, in seconds since 1970, and which one that is. */
  readonly expires: number;
  readonly expiresFirst: RoleName;
}

const MAGIC = 0x444e424d;
const VERSION = 1;
const LONGEST_NAME = 329;
/** Lengths and places are 32-bit integers. */
const LONGEST_BUNDLE = 2 ** 32 - 1;

/** What goes into a bundle, of the state that `chain` has read from `source`. */
export async function collectBundle(
  source: Source,
  chain: Chain,
  options: BundleOptions,
): Promise<BundleContents> {
  const delegated = await delegatedRoles(source, chain);
  const targets = Object.assign({}, ...delegated.map(({ targets }) => targets), chain.targets.signed.targets);
  const releases = selectReleases(targets, options);
  const wanted = new Set(releases.flatMap(({ path, payloads }) => [path, ...Object.keys(payloads)]));
  const roles = [chain.root, chain.timestamp, chain.snapshot, chain.targets];
  const first = roles.reduce((one, other) => (expiryOf(other) < expiryOf(one) ? other : one));
  const released = Object.fromEntries(releases.map(({ path }) => [path, targets[path]]));
  const offline = (await options.offline?.(released)) ?? [];
  const files = [
    ...offline.map(({ name, bytes }) => plainFile(name, bytes)),
    ...(await roots(source, chain, options.fromRoot ?? 1)),
    ...roles.slice(1).map(({ name, bytes }) => metadata(name, bytes)),
    ...delegated.map(({ name, bytes }) => metadata(name, bytes)),
    ...[...wanted]
      .filter((path) => isPublished(targets[path]))
      .map((path) => targetFile(source, path, targets[path])),
  ];
  return {
    files: files.sort((a, b) => compareNames(a.name, b.name)),
    releases,
    expires: expiryOf(first),
    expiresFirst: first.signed._type,
  };
}

/** The state as it is with files that are not written yet. */
export function withWrites(source: Source, writes: readonly FileWrite[]): Source {
  return {
    ...source,
    async metadata(name, limit) {
      const write = writes.find(({ path }) => basename(path) === name);
      return write?.bytes ?? source.metadata(name, limit);
    },
  };
}

/** The bytes of a bundle. Refuses (`repository-corrupt`) when a file is no longer what was signed. */
export async function* bundleBytes(files: readonly BundleFile[]): AsyncGenerator<Uint8Array> {
  yield bundleIndex(files);
  for (const file of files) yield* checked(file);
}

function bundleIndex(files: readonly BundleFile[]): Uint8Array {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt32LE(VERSION, 4);
  head.writeUInt32LE(files.length, 8);
  const index = Buffer.concat([head, ...files.map(indexEntry)]);
  const total = files.reduce((sum, { length }) => sum + length, index.length);
  if (total > LONGEST_BUNDLE)
    throw new RepositoryError('file-too-large', `the bundle would have ${total} bytes, more than 4 GiB`);
  return index;
}

function indexEntry({ name, length }: BundleFile): Uint8Array {
  const text = Buffer.from(name);
  if (text.length > LONGEST_NAME || !/^[ -[\]-~]+$/.test(name))
    throw new RepositoryError('bad-argument', `${name} has a name that bundles cannot hold`);
  const head = Buffer.alloc(6);
  head.writeUInt32LE(length, 0);
  head.writeUInt16LE(text.length, 4);
  return Buffer.concat([head, text]);
}

async function* checked(file: BundleFile): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of (await file.open()) ?? []) {
    hash.update(chunk);
    length += chunk.length;
    if (length > file.length) break;
    yield chunk;
  }
  if (length !== file.length || hash.digest('hex') !== file.sha256)
    throw new RepositoryError('repository-corrupt', `${file.name} is missing, or not what was signed`);
}

async function roots(source: Source, chain: Chain, from: number): Promise<BundleFile[]> {
  const { version } = chain.root.signed;
  if (!Number.isInteger(from) || from < 1 || from > version)
    throw new RepositoryError('bad-argument', `there are roots 1 to ${version} here, and no root ${from}`);
  const names = Array.from({ length: version - from + 1 }, (_, index) => metadataName('root', from + index));
  return Promise.all(
    names.map(async (name) => {
      const bytes = await source.metadata(name, LIMITS.root);
      if (bytes === undefined)
        throw new RepositoryError('metadata-missing', `${name} is not in ${source.where}`);
      return metadata(name, bytes);
    }),
  );
}

interface BundledRole {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly targets: Readonly<Record<string, Target>>;
}

/** All that the snapshot lists besides the top-level targets. */
async function delegatedRoles(source: Source, chain: Chain): Promise<BundledRole[]> {
  const listed = Object.entries(chain.snapshot.signed.meta).filter(([file]) => file !== 'targets.json');
  return Promise.all(
    listed.map(async ([file, { version, length }]) => {
      const name = `${version}.${file}`;
      const bytes = await source.metadata(name, length ?? LIMITS.targets);
      if (bytes === undefined)
        throw new RepositoryError('metadata-missing', `${name} is not in ${source.where}`);
      return { name, bytes, targets: parseMetadata(bytes, 'targets', name).signed.targets };
    }),
  );
}

function metadata(name: string, bytes: Uint8Array): BundleFile {
  return plainFile(`metadata/${encodeName(name)}`, bytes);
}

function plainFile(name: string, bytes: Uint8Array): BundleFile {
  return {
    name,
    length: bytes.length,
    sha256: sha256(bytes),
    open: async () => once(bytes),
  };
}

function targetFile(source: Source, path: string, target: Target): BundleFile {
  const digest = target.hashes.sha256 ?? '';
  const name = targetFileName(path, digest);
  return {
    name: `targets/${name}`,
    length: target.length,
    sha256: digest,
    open: () => source.target(name),
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** As devices ask for metadata: all but letters, digits and `_ . ~ -` percent-encoded. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
