// The keys of time servers that root names for devices: `custom.timeKeys` (docs/formats.md, "Signed time").
import { RepositoryError } from './errors.ts';
import { readLimited } from './files.ts';
import { keyMaterial, type PublicKey } from './keys.ts';
import type { Root } from './metadata.ts';
import { parsePublicKey } from './schema.ts';

/** As many as a device keeps. */
export const MOST_TIME_KEYS = 4;
const KEY_FILE_LIMIT = 16_384;

/** Reads NAME.pub. Refuses what is no Ed25519 key with `bad-argument`. */
export function readTimeKey(path: string): PublicKey {
  const bytes = readLimited(path, KEY_FILE_LIMIT);
  if (bytes === undefined) throw new RepositoryError('file-missing', `there is no key ${path}`);
  const key = parsePublicKey(bytes, path);
  if (key.keytype !== 'ed25519' || !/^[0-9a-f]{64}$/.test(key.keyval.public))
    throw new RepositoryError('bad-argument', `${path} is no Ed25519 key: time servers sign with no others`);
  return key;
}

/**
 * The root with other time keys; with none, devices take the ones that they were provisioned with. A key that signs
 * metadata too would lie on the time server's machine: `key-shared`.
 */
export function withTimeKeys(root: Root, keys: readonly PublicKey[]): Root {
  if (keys.length > MOST_TIME_KEYS)
    throw new RepositoryError('bad-argument', `a device keeps ${MOST_TIME_KEYS} time keys at most`);
  const materials = keys.map(keyMaterial);
  if (new Set(materials).size < keys.length)
    throw new RepositoryError('key-shared', 'a time key is given twice');
  if (Object.values(root.keys).some((key) => materials.includes(keyMaterial(key))))
    throw new RepositoryError('key-shared', 'a key that signs metadata cannot be a time key as well');
  const { custom, ...bare } = root;
  const { timeKeys: _, ...others } = custom ?? {};
  const named = { ...others, ...(keys.length > 0 && { timeKeys: keys.map(({ keyval }) => keyval.public) }) };
  return Object.keys(named).length > 0 ? { ...bare, custom: named } : bare;
}
