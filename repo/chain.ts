// Reads a repository's metadata from a trusted root down, with the checks of a client (specification 1.0.34,
// sections 5.3 to 5.6). Two kinds of fault: a file that cannot be what the one above it names ends the walk; a file
// that is whole but not (yet, or any more) to be trusted is reported, and the caller decides.
import { RepositoryError } from './errors.ts';
import { sha256 } from './keys.ts';
import {
  type Delegations,
  delegatedName,
  type Envelope,
  type MetaFile,
  metadataName,
  type Role,
  type RoleName,
  type Root,
  rolesOf,
  type Signed,
  type Snapshot,
  type Targets,
  type Timestamp,
} from './metadata.ts';
import { parseMetadata } from './schema.ts';
import { countSignatures, type SignatureCount } from './signing.ts';
import type { Source } from './source.ts';

/** One metadata file as it was found. */
export interface Loaded<S extends Signed = Signed> {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly envelope: Envelope<S>;
  readonly signed: S;
  readonly threshold: number;
  readonly signatures: SignatureCount;
}

export interface Chain {
  /** The version of the first and the last root. */
  readonly firstRoot: number;
  readonly root: Loaded<Root>;
  readonly timestamp: Loaded<Timestamp>;
  readonly snapshot: Loaded<Snapshot>;
  readonly targets: Loaded<Targets>;
}

/** Called for each file that lacks signatures (`signatures-missing`, `signature-invalid`). */
export type OnFault = (fault: RepositoryError) => void;

// Bytes at most, as other clients have it (a snapshot and targets: what the file above says, else this).
export const LIMITS: Readonly<Record<RoleName, number>> = {
  root: 512_000,
  timestamp: 16_384,
  snapshot: 2_000_000,
  targets: 5_000_000,
};
const MAX_ROOTS = 256;

export async function readChain(source: Source, trustedRoot: Uint8Array, onFault: OnFault): Promise<Chain> {
  const first = loadRoot('the trusted root', trustedRoot, undefined, onFault);
  const root = await walkRoots(source, first, onFault);
  const load = async <R extends Exclude<RoleName, 'root'>>(role: R, listed?: MetaFile) => {
    const name = metadataName(role, listed?.version ?? 0);
    const bytes = await fetchListed(source, name, LIMITS[role], listed);
    const envelope = parseMetadata(bytes, role, name);
    if (listed !== undefined) assertVersion(name, envelope.signed.version, listed.version);
    return loaded(name, bytes, envelope, root.signed, onFault);
  };
  const timestamp = (await load('timestamp')) as Loaded<Timestamp>;
  const snapshot = (await load('snapshot', timestamp.signed.meta['snapshot.json'])) as Loaded<Snapshot>;
  const listed = snapshot.signed.meta['targets.json'];
  if (listed === undefined)
    throw new RepositoryError('metadata-invalid', `${snapshot.name} does not list targets.json`);
  const targets = (await load('targets', listed)) as Loaded<Targets>;
  return { firstRoot: first.signed.version, root, timestamp, snapshot, targets };
}

/** A delegated role's file. */
export interface LoadedDelegated extends Loaded<Targets> {
  readonly role: string;
}

/** All delegated roles that the snapshot lists, in the order of a search (5.6.7), each by the first that names it. */
export async function readDelegated(
  source: Source,
  { snapshot, targets }: Chain,
  onFault: OnFault,
): Promise<LoadedDelegated[]> {
  const found: LoadedDelegated[] = [];
  const visit = async ({ version, delegations }: Targets, name: string): Promise<void> => {
    for (const { role, keys, agreed } of delegations ? delegatedTo(delegations, snapshot.signed) : []) {
      const listed = snapshot.signed.meta[`${role}.json`];
      if (listed === undefined || found.some((other) => other.role === role)) continue;
      const file = delegatedName(role, listed.version);
      const bytes = await fetchListed(source, file, LIMITS.targets, listed);
      const envelope = parseMetadata(bytes, 'targets', file);
      assertVersion(file, envelope.signed.version, listed.version);
      const by = `${name} ${version}`;
      found.push({ role, ...counted(file, bytes, envelope, keys, delegations?.keys ?? {}, by, onFault) });
      // What roles that must agree delegate in turn no client follows.
      if (!agreed) await visit(envelope.signed, role);
    }
  };
  await visit(targets.signed, 'targets');
  return found;
}

interface Named {
  readonly role: string;
  readonly keys: Role;
  /** One of several that must agree. */
  readonly agreed: boolean;
}

/** The roles that a file names; of succinct ones (TAP 15) those that the snapshot lists. */
function delegatedTo({ roles = [], succinct_roles: succinct }: Delegations, { meta }: Snapshot): Named[] {
  const named = (agreed: boolean) => (entry: [string, Role]) => ({ role: entry[0], keys: entry[1], agreed });
  if (succinct === undefined) return roles.flatMap((one) => rolesOf(one).map(named('roleinfo' in one)));
  const digits = Math.ceil(succinct.bit_length / 4);
  const bins = Object.keys(meta).map((file) => file.slice(0, -'.json'.length));
  return bins
    .filter((bin) => bin.slice(0, -digits) === `${succinct.name_prefix}-`)
    .filter((bin) => /^[0-9a-f]+$/.test(bin.slice(-digits)))
    .map((bin) => named(false)([bin, succinct]));
}

/** 5.3: version N+1 must be signed by the keys of N and by its own. */
async function walkRoots(source: Source, first: Loaded<Root>, onFault: OnFault): Promise<Loaded<Root>> {
  let root = first;
  for (let count = 0; count < MAX_ROOTS; count++) {
    const version = root.signed.version + 1;
    const name = metadataName('root', version);
    const bytes = await source.metadata(name, LIMITS.root);
    if (bytes === undefined) return root;
    root = loadRoot(name, bytes, root, onFault);
    assertVersion(name, root.signed.version, version);
  }
  throw new RepositoryError(
    'metadata-too-large',
    `${source.where} has more than ${MAX_ROOTS} roots after the trusted one`,
  );
}

function loadRoot(
  name: string,
  bytes: Uint8Array,
  previous: Loaded<Root> | undefined,
  onFault: OnFault,
): Loaded<Root> {
  const envelope = parseMetadata(bytes, 'root', name);
  if (previous !== undefined) loaded(name, bytes, envelope, previous.signed, onFault);
  return loaded(name, bytes, envelope, envelope.signed, onFault);
}

function loaded<S extends Signed>(
  name: string,
  bytes: Uint8Array,
  envelope: Envelope<S>,
  root: Root,
  onFault: OnFault,
): Loaded<S> {
  const role = root.roles[envelope.signed._type];
  return counted(name, bytes, envelope, role, root.keys, `root ${root.version}`, onFault);
}

/** Counts the signatures toward the threshold that a role has `by` whoever names its keys. */
function counted<S extends Signed>(
  name: string,
  bytes: Uint8Array,
  envelope: Envelope<S>,
  role: Role,
  keys: Root['keys'],
  by: string,
  onFault: OnFault,
): Loaded<S> {
  const { threshold } = role;
  const signatures = countSignatures(envelope, role, keys);
  if (signatures.count < threshold) onFault(tooFew(name, by, threshold, signatures));
  return { name, bytes, envelope, signed: envelope.signed, threshold, signatures };
}

function tooFew(name: string, by: string, threshold: number, found: SignatureCount): RepositoryError {
  const text = `${name} has ${found.count} of the ${threshold} signatures that ${by} asks for`;
  if (found.invalid.length === 0) return new RepositoryError('signatures-missing', text);
  return new RepositoryError(
    'signature-invalid',
    `${text}; those of ${found.invalid.join(', ')} do not hold`,
  );
}

/** 5.5.2, 5.6.2: length and hashes are checked before anything is read from the file. */
async function fetchListed(
  source: Source,
  name: string,
  limit: number,
  listed?: MetaFile,
): Promise<Uint8Array> {
  const bytes = await source.metadata(name, listed?.length ?? limit);
  if (bytes === undefined) throw new RepositoryError('metadata-missing', `${name} is not in ${source.where}`);
  if (listed?.length !== undefined && bytes.length !== listed.length) {
    throw new RepositoryError(
      'length-mismatch',
      `${name} has ${bytes.length} bytes, not the ${listed.length} that are listed`,
    );
  }
  if (listed?.hashes !== undefined) assertHash(name, sha256(bytes), listed.hashes);
  return bytes;
}

/** Every entry of `hashes` that is known must hold, and one must be known. */
export function assertHash(name: string, actual: string, hashes: Readonly<Record<string, string>>): void {
  const expected = hashes.sha256;
  if (expected === undefined)
    throw new RepositoryError('hash-mismatch', `${name} is listed without a SHA-256`);
  if (expected !== actual)
    throw new RepositoryError(
      'hash-mismatch',
      `${name} is not the file that was signed: its SHA-256 differs`,
    );
}

function assertVersion(name: string, actual: number, expected: number): void {
  if (actual !== expected) {
    throw new RepositoryError('version-mismatch', `${name} holds version ${actual}, not ${expected}`);
  }
}
