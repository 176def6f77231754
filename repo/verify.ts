// Verifies a repository as a client would that trusts one root and nothing else, and every target file with it.
import {
  assertHash,
  type Chain,
  type Loaded,
  type LoadedDelegated,
  readChain,
  readDelegated,
} from './chain.ts';
import { RepositoryError } from './errors.ts';
import { digestOf } from './files.ts';
import { type Target, targetFileName } from './metadata.ts';
import { isPublished } from './payload.ts';
import type { Source } from './source.ts';
import { formatTime, parseTime } from './time.ts';

export interface VerifiedRole {
  /** Of a delegated role its own name. */
  readonly role: string;
  readonly version: number;
  /** Seconds since 1970. */
  readonly expires: number;
  readonly signatures: number;
  readonly threshold: number;
}

export interface Verification {
  readonly where: string;
  /** The version of the root that was trusted from the start. */
  readonly trustedRoot: number;
  /** What was read before the first fault that ends a client's walk. */
  readonly roles: readonly VerifiedRole[];
  /** Target files whose length and hash hold, and their bytes in all. */
  readonly files: number;
  readonly bytes: number;
  /** Empty: a client accepts all of it. */
  readonly faults: readonly RepositoryError[];
}

export interface VerifyOptions {
  /** Seconds since 1970: what is expired is judged at this second. */
  readonly now: number;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Never throws for what the repository holds: that is in `faults`. Throws `network` when it cannot be reached. */
export async function verifyRepository(
  source: Source,
  trustedRoot: Uint8Array,
  options: VerifyOptions,
): Promise<Verification> {
  const faults: RepositoryError[] = [];
  try {
    const chain = await readChain(source, trustedRoot, throwFault);
    const delegated = await readDelegated(source, chain, throwFault);
    const loaded = [chain.root, chain.timestamp, chain.snapshot, chain.targets, ...delegated];
    faults.push(...loaded.flatMap((file) => expiryFault(file, options.now)));
    const targets = [chain.targets, ...delegated].flatMap(({ signed }) => Object.entries(signed.targets));
    const sums = await verifyTargets(source, targets, faults, options.onProgress);
    return {
      where: source.where,
      trustedRoot: chain.firstRoot,
      roles: loaded.map(describe),
      ...sums,
      faults,
    };
  } catch (error) {
    if (!(error instanceof RepositoryError) || error.code === 'network') throw error;
    return { where: source.where, trustedRoot: 0, roles: [], files: 0, bytes: 0, faults: [error] };
  }
}

/** Reads the state at a source from a root that is trusted. Refuses it when a signature is missing or it has expired. */
export async function readCurrent(source: Source, trustedRoot: Uint8Array, now: number): Promise<Chain> {
  const chain = await readChain(source, trustedRoot, throwFault);
  const [fault] = [chain.root, chain.timestamp, chain.snapshot, chain.targets].flatMap((file) =>
    expiryFault(file, now, ` in ${source.where}`),
  );
  return fault ? throwFault(fault) : chain;
}

function throwFault(fault: RepositoryError): never {
  throw fault;
}

export function expiryOf(file: Loaded): number {
  // The schema has seen that it is a date.
  return parseTime(file.signed.expires) ?? 0;
}

export function describe(file: Loaded | LoadedDelegated): VerifiedRole {
  return {
    role: nameOf(file),
    version: file.signed.version,
    expires: expiryOf(file),
    signatures: file.signatures.count,
    threshold: file.threshold,
  };
}

function nameOf(file: Loaded | LoadedDelegated): string {
  return 'role' in file ? file.role : file.signed._type;
}

function expiryFault(file: Loaded | LoadedDelegated, now: number, where = ''): RepositoryError[] {
  const expires = expiryOf(file);
  if (expires > now) return [];
  return [
    new RepositoryError(
      'expired',
      `${nameOf(file)} ${file.signed.version}${where} expired at ${formatTime(expires)}`,
    ),
  ];
}

async function verifyTargets(
  source: Source,
  listed: readonly (readonly [path: string, target: Target])[],
  faults: RepositoryError[],
  onProgress: VerifyOptions['onProgress'],
): Promise<{ files: number; bytes: number }> {
  const targets = listed.filter(([, target]) => isPublished(target));
  const total = targets.reduce((sum, [, target]) => sum + target.length, 0);
  const good: Target[] = [];
  let seen = 0;
  for (const [path, target] of targets) {
    const fault = await targetFault(source, path, target, (read) => onProgress?.(seen + read, total));
    if (fault === undefined) good.push(target);
    else faults.push(fault);
    seen += target.length;
  }
  return { files: good.length, bytes: good.reduce((sum, target) => sum + target.length, 0) };
}

async function targetFault(
  source: Source,
  path: string,
  target: Target,
  onProgress: (read: number) => void,
): Promise<RepositoryError | undefined> {
  try {
    const hash = target.hashes.sha256;
    if (hash === undefined) assertHash(path, '', target.hashes);
    const name = targetFileName(safePath(path), hash ?? '');
    const content = await source.target(name);
    if (content === undefined)
      return new RepositoryError('file-missing', `the image targets/${name} is missing`);
    let read = 0;
    const digest = await digestOf(content, target.length, (chunk) => {
      read += chunk.length;
      onProgress(read);
    });
    if (digest.length !== target.length) {
      return new RepositoryError(
        'length-mismatch',
        `targets/${name} does not have the ${target.length} bytes that are signed`,
      );
    }
    assertHash(`targets/${name}`, digest.sha256, target.hashes);
    return undefined;
  } catch (error) {
    if (error instanceof RepositoryError && error.code !== 'network') return error;
    throw error;
  }
}

/** A path that leaves `targets/` is an attack on whoever stores what it names. */
export function safePath(path: string): string {
  const parts = path.split('/');
  const unsafe = /[\\\0]/.test(path) || parts.some((part) => part === '' || part === '.' || part === '..');
  if (unsafe)
    throw new RepositoryError('metadata-invalid', `the target path "${path}" leaves the targets folder`);
  return path;
}
