// Making a repository: whole, or not at all.
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CONFIG_NAME, type Config, DEFAULT_EXPIRY, DEFAULT_MAX_IMAGE_SIZE, formatConfig } from './config.ts';
import { messageOf, RepositoryError, systemCode } from './errors.ts';
import { applyWrites, type FileWrite, syncFolder } from './files.ts';
import type { SigningKey } from './keys.ts';
import { makeKeys } from './keystore.ts';
import { ROLES, type RoleKeys, type RoleName } from './metadata.ts';
import { checkRoleSize, planFirst } from './publication.ts';
import { type OpenOptions, openRepository, type Repository } from './repository.ts';
import { systemClock } from './time.ts';

export interface RoleOptions {
  /** How many keys to generate, 1 to 20. */
  readonly keys: number;
  /** How many of them must sign, 1 to `keys`. */
  readonly threshold: number;
}

export interface CreateOptions extends OpenOptions {
  /** The folder's name when left out. */
  readonly name?: string;
  /** Defaults: root 2 of 3, targets 1 of 2, snapshot and timestamp 1 of 1. */
  readonly roles?: Partial<Record<RoleName, RoleOptions>>;
  /** Seconds for which a signature of each role holds. Defaults: 365, 90, 7 and 1 days. */
  readonly expiry?: Partial<Record<RoleName, number>>;
  /** true: keys are encrypted under the passphrase; false: they lie open, for demos and tests. */
  readonly encrypt: boolean;
  /** Put before the name of each key file, to mark demo keys as such. */
  readonly keyPrefix?: string;
}

const DEFAULT_ROLES: Readonly<Record<RoleName, RoleOptions>> = {
  root: { keys: 3, threshold: 2 },
  timestamp: { keys: 1, threshold: 1 },
  snapshot: { keys: 1, threshold: 1 },
  targets: { keys: 2, threshold: 1 },
};
const GITIGNORE = 'keys/*.pem\n.lock\n.tmp/\n';

/** Makes the folder, its keys and a first, empty, valid version of all metadata; whole or not at all. */
export async function createRepository(directory: string, options: CreateOptions): Promise<Repository> {
  const path = resolve(directory);
  if (!(await isFreeFolder(path))) {
    throw new RepositoryError('repository-exists', `${path} exists already and is not an empty folder`);
  }
  const roles = { ...DEFAULT_ROLES, ...options.roles };
  for (const role of ROLES) checkRoleSize(role, roles[role].keys, roles[role].threshold);
  await mkdir(dirname(path), { recursive: true });
  const draft = await mkdtemp(join(dirname(path), `.${basename(path)}-`));
  try {
    await writeFirstState(draft, basename(path), roles, options);
    // A temporary folder is its owner's alone; a web server may run as someone else. Keys have modes of their own.
    await chmod(draft, 0o777 & ~process.umask());
    await rename(draft, path);
    await syncFolder(dirname(path));
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return openRepository(path, options);
}

async function writeFirstState(
  directory: string,
  name: string,
  roles: Readonly<Record<RoleName, RoleOptions>>,
  options: CreateOptions,
): Promise<void> {
  const staging = join(directory, '.tmp');
  const expiry = { ...DEFAULT_EXPIRY, ...options.expiry };
  const config: Config = {
    name: options.name ?? name,
    maxImageSize: DEFAULT_MAX_IMAGE_SIZE,
    expiry,
    factory: {},
  };
  const { held, files, generated } = await generateAll(join(directory, 'keys'), roles, options);
  const plan = await planFirst(
    {
      metadata: join(directory, 'public', 'metadata'),
      now: (options.clock ?? systemClock)(),
      expiry,
      highest: { root: 0, timestamp: 0, snapshot: 0, targets: 0 },
      unlock: async ({ keyids, threshold }) => keyids.flatMap((id) => held.get(id) ?? []).slice(0, threshold),
      absent: () => [],
    },
    generated,
  );
  const texts = [
    textFile(join(directory, '.gitignore'), GITIGNORE),
    textFile(join(directory, CONFIG_NAME), formatConfig(config)),
  ];
  await applyWrites(staging, [...files, ...plan.writes, ...texts]);
  await mkdir(join(directory, 'public', 'targets'));
  await mkdir(join(directory, 'releases'));
}

async function generateAll(
  directory: string,
  roles: Readonly<Record<RoleName, RoleOptions>>,
  options: CreateOptions,
): Promise<{ held: Map<string, SigningKey>; files: FileWrite[]; generated: Record<RoleName, RoleKeys> }> {
  const held = new Map<string, SigningKey>();
  const files: FileWrite[] = [];
  const generate = async (role: RoleName): Promise<RoleKeys> => {
    const prefix = `${options.keyPrefix ?? ''}${role}`;
    const names = Array.from({ length: roles[role].keys }, (_, index) => `${prefix}-${index + 1}`);
    const made = await makeKeys(directory, names, options.encrypt, options);
    for (const key of made.keys) held.set(key.id, key);
    files.push(...made.files);
    return { keys: made.keys.map((key) => key.public), threshold: roles[role].threshold };
  };
  const generated = {
    root: await generate('root'),
    timestamp: await generate('timestamp'),
    snapshot: await generate('snapshot'),
    targets: await generate('targets'),
  };
  return { held, files, generated };
}

function textFile(path: string, text: string): FileWrite {
  return { path, bytes: Buffer.from(text), replace: false };
}

async function isFreeFolder(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length === 0;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true;
    if (systemCode(error) === 'ENOTDIR') return false;
    throw new RepositoryError('write-failed', `${path} cannot be read (${messageOf(error)})`, error);
  }
}
