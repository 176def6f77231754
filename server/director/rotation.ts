// Other online keys: a new root, signed with root keys that are brought to keys/ for that, under which everything is
// signed anew when vehicles next ask.
import { join } from 'node:path';
import type { VehicleRole } from '../../repo/director/metadata.ts';
import { applyWrites } from '../../repo/files.ts';
import {
  buildRoot,
  type Clock,
  envelopeBytes,
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
  const folder = new DirectorFolder(directory);
  const root = folder.newestRoot();
  const store = new KeyStore(join(directory, 'keys'), passphrase);
  const signers = await rootSigners(root, store);
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
  const version = root.version + 1;
  const signed = buildRoot({ version, expires: clock() + folder.settings.expiry.root }, next);
  const path = join(directory, 'metadata', `${version}.root.json`);
  const bytes = envelopeBytes(sign(signed, signers));
  await applyWrites(join(directory, '.tmp'), [...made.files, { path, bytes, replace: false }]);
  return version;
}

async function rootSigners(root: Root, store: KeyStore): Promise<SigningKey[]> {
  const { keyids, threshold } = root.roles.root;
  const held = (await store.list()).filter(({ id, held: isHeld }) => isHeld && keyids.includes(id));
  if (held.length >= threshold) return Promise.all(held.slice(0, threshold).map((key) => store.unlock(key)));
  const what = `a new root needs ${threshold} signatures and ${held.length} of its keys are in ${store.directory}`;
  throw new RepositoryError('signatures-missing', what);
}
