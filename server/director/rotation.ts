// Other online keys: a new root, signed with root keys that are brought to keys/ for that, under which everything is
// signed anew when vehicles next ask.
import { join } from 'node:path';
import type { VehicleRole } from '../../repo/director/metadata.ts';
import { keepOfflineKeys, withOfflineKeys } from '../../repo/director/offline.ts';
import { applyWrites, type FileWrite } from '../../repo/files.ts';
import {
  buildRoot,
  type Clock,
  envelopeBytes,
  formatTime,
  type Passphrase,
  RepositoryError,
  ROLES,
  type RoleKeys,
  type RoleName,
  type Root,
  type SigningKey,
  sign,
} from '../../repo/index.ts';
import { KeyStore, makeKeys } from '../../repo/keystore.ts';
import { readTimeKey, withTimeKeys } from '../../repo/timekeys.ts';
import { DirectorFolder } from './folder.ts';

export interface RotateOptions {
  readonly clock: Clock;
  readonly passphrase?: Passphrase;
}

/** Gives a role a new key and returns the version of the new root. Refuses with `signatures-missing`. */
export async function rotateDirectorKeys(
  directory: string,
  role: VehicleRole,
  { clock, passphrase }: RotateOptions,
): Promise<number> {
  const root = new DirectorFolder(directory).newestRoot();
  const store = new KeyStore(join(directory, 'keys'), passphrase);
  const encrypt = (await store.list()).some(
    ({ id, encrypted }) => encrypted && root.roles[role].keyids.includes(id),
  );
  const options = passphrase === undefined ? {} : { passphrase };
  const made = await makeKeys(store.directory, await store.freeNames(role, 1), encrypt, options);
  const keysOf = (name: RoleName): RoleKeys => {
    const { keyids, threshold } = root.roles[name];
    return { keys: keyids.flatMap((id) => root.keys[id] ?? []), threshold };
  };
  const roles = Object.fromEntries(ROLES.map((name) => [name, keysOf(name)])) as Record<RoleName, RoleKeys>;
  const next = { ...roles, [role]: { keys: made.keys.map((key) => key.public), threshold: 1 } };
  const { custom } = root;
  const online = { ...buildRoot({ version: 1, expires: clock() }, next), ...(custom && { custom }) };
  const content = keepOfflineKeys(online, root);
  return writeRoot(directory, store, content, clock(), made.files);
}

/**
 * Names the keys of time servers in a new root, by files NAME.pub, and returns its version; none: those that vehicles
 * were provisioned with. Refuses with `signatures-missing`.
 */
export async function nameTimeKeys(
  directory: string,
  files: readonly string[],
  { clock, passphrase }: RotateOptions,
): Promise<number> {
  const root = withTimeKeys(new DirectorFolder(directory).newestRoot(), files.map(readTimeKey));
  return writeRoot(directory, new KeyStore(join(directory, 'keys'), passphrase), root, clock(), []);
}

/**
 * Names the keys of the offline roles in a new root, by files NAME.pub, and returns its version; none: vehicles take no
 * offline update any more. Refuses with `signatures-missing` or `key-shared`.
 */
export async function nameOfflineKeys(
  directory: string,
  files: { readonly snapshot: string; readonly targets: string } | undefined,
  { clock, passphrase }: RotateOptions,
): Promise<number> {
  const keys = files && {
    'offline-snapshot': readTimeKey(files.snapshot),
    'offline-targets': readTimeKey(files.targets),
  };
  const root = withOfflineKeys(new DirectorFolder(directory).newestRoot(), keys);
  return writeRoot(directory, new KeyStore(join(directory, 'keys'), passphrase), root, clock(), []);
}

/** Signs the next root with what it is to hold, and writes it with other files. */
async function writeRoot(
  directory: string,
  store: KeyStore,
  content: Root,
  now: number,
  files: readonly FileWrite[],
): Promise<number> {
  const folder = new DirectorFolder(directory);
  const before = folder.newestRoot();
  const version = before.version + 1;
  const expires = formatTime(now + folder.settings.expiry.root);
  const signers = await rootSigners(before, store);
  const path = join(directory, 'metadata', `${version}.root.json`);
  const bytes = envelopeBytes(sign({ ...content, version, expires }, signers));
  await applyWrites(join(directory, '.tmp'), [...files, { path, bytes, replace: false }]);
  return version;
}

async function rootSigners(root: Root, store: KeyStore): Promise<SigningKey[]> {
  const { keyids, threshold } = root.roles.root;
  const held = (await store.list()).filter(({ id, held: isHeld }) => isHeld && keyids.includes(id));
  if (held.length >= threshold) return Promise.all(held.slice(0, threshold).map((key) => store.unlock(key)));
  const what = `a new root needs ${threshold} signatures and ${held.length} of its keys are in ${store.directory}`;
  throw new RepositoryError('signatures-missing', what);
}
