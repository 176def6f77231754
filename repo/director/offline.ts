// Offline updates (PURE-2; docs/formats.md, "Offline updates"): what a Director's two offline roles sign, with keys that
// its server never has.
import { join } from 'node:path';
import { serialize } from '../canonical.ts';
import { RepositoryError } from '../errors.ts';
import { applyWrites, readLimited } from '../files.ts';
import { keyId, keyMaterial, type PublicKey, type SigningKey } from '../keys.ts';
import { KeyStore, type Passphrase } from '../keystore.ts';
import { takeLock } from '../lock.ts';
import {
  buildSnapshot,
  buildTargets,
  metadataName,
  metaFile,
  OFFLINE_ROLES,
  type OfflineRole,
  type Root,
  type Signed,
  type Stamp,
  type Target,
} from '../metadata.ts';
import { parseMetadata } from '../schema.ts';
import { sign } from '../signing.ts';
import { parseTime } from '../time.ts';

const ROOT_LIMIT = 512_000;
const MAX_ROOTS = 256;

/**
 * The Director's root with other keys for the offline roles, or with none. A key that another role has would lie on the
 * server, or sign for two roles: `key-shared`.
 */
export function withOfflineKeys(root: Root, keys?: Readonly<Record<OfflineRole, PublicKey>>): Root {
  const others = Object.fromEntries(
    Object.entries(root.roles).filter(([role]) => !OFFLINE_ROLES.some((offline) => offline === role)),
  ) as Root['roles'];
  const used = new Set(Object.values(others).flatMap(({ keyids }) => keyids));
  const kept = Object.fromEntries(Object.entries(root.keys).filter(([id]) => used.has(id)));
  if (keys === undefined) return { ...root, roles: others, keys: kept };
  const made = OFFLINE_ROLES.map((role) => keys[role]);
  const materials = [...Object.values(kept), ...made].map(keyMaterial);
  if (new Set(materials).size < materials.length)
    throw new RepositoryError('key-shared', 'an offline role needs a key of its own');
  const named = OFFLINE_ROLES.map((role) => [role, { keyids: [keyId(keys[role])], threshold: 1 }] as const);
  return {
    ...root,
    roles: { ...others, ...Object.fromEntries(named) },
    keys: { ...kept, ...Object.fromEntries(made.map((key) => [keyId(key), key])) },
  };
}

/** A root that is built anew from its online roles keeps the offline ones. */
export function keepOfflineKeys(root: Root, before: Root): Root {
  const named = OFFLINE_ROLES.flatMap((role) => {
    const { keyids = [], threshold = 1 } = before.roles[role] ?? {};
    return keyids.length > 0 ? [[role, { keyids, threshold }] as const] : [];
  });
  const ids = named.flatMap(([, { keyids }]) => keyids);
  const keys = Object.fromEntries(ids.flatMap((id) => (before.keys[id] ? [[id, before.keys[id]]] : [])));
  return { ...root, roles: { ...root.roles, ...Object.fromEntries(named) }, keys: { ...root.keys, ...keys } };
}

export interface OfflineOptions {
  /** The folder with the Director's `N.root.json`. */
  readonly roots: string;
  /** The folder with the keys of both roles; what was signed last is noted there. */
  readonly keys: string;
  readonly passphrase?: Passphrase;
  /** Seconds since 1970, and seconds that the update holds. */
  readonly now: number;
  readonly lifetime: number;
  /** Hardware ids by ECU serial, 64 at most; left out: for every ECU with the hardware. */
  readonly ecus?: Readonly<Record<string, string>>;
}

/** A file of the Director, by its name in a bundle. */
export interface OfflineFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Seconds since 1970; of a root 0. */
  readonly expires: number;
}

/**
 * Signs the next offline update, of these releases by path, and notes its version before anybody sees it. Refuses
 * `bad-argument` where an ECU would have two to choose from, `signatures-missing` without the keys, `expired` when the
 * Director's root ends before it.
 */
export async function signOffline(
  targets: Readonly<Record<string, Target>>,
  options: OfflineOptions,
): Promise<OfflineFile[]> {
  const roots = readRoots(options.roots);
  const { signed: root } = parseMetadata(
    roots.at(-1)?.bytes ?? new Uint8Array(),
    'root',
    "the Director's root",
  );
  const keys = await keysOf(root, options);
  const expires = options.now + options.lifetime;
  if ((parseTime(root.expires) ?? 0) < expires)
    throw new RepositoryError(
      'expired',
      `the Director's root ${root.version} expires at ${root.expires}, before the bundle`,
    );
  const listed = offlineTargets(targets, options.ecus);
  const lock = await takeLock(options.keys);
  try {
    const version = lastVersion(options.keys) + 1;
    const signed = signOfflineFiles({ version, expires }, listed, keys);
    const note = { path: versionFile(options.keys), bytes: Buffer.from(`${version}\n`), replace: true };
    await lock.assertHeld();
    await applyWrites(join(options.keys, '.tmp'), [note]);
    return [
      ...roots.map(({ name, bytes }) => ({ name: `director/${name}`, bytes, expires: 0 })),
      ...signed.map(({ name, bytes }) => ({ name: `director/${name}`, bytes, expires })),
    ];
  } finally {
    await lock.release();
  }
}

/** Both files of one version, by their names on a server. */
export function signOfflineFiles(
  stamp: Stamp,
  targets: Readonly<Record<string, Target>>,
  keys: Readonly<Record<OfflineRole, SigningKey>>,
): { name: string; bytes: Uint8Array }[] {
  const list = signAs('offline-targets', buildTargets(stamp, targets), keys['offline-targets']);
  const meta = { 'offline-targets.json': metaFile(list, stamp.version) };
  const snapshot = signAs('offline-snapshot', buildSnapshot(stamp, meta), keys['offline-snapshot']);
  return [
    { name: 'offline-snapshot.json', bytes: snapshot },
    { name: `${stamp.version}.offline-targets.json`, bytes: list },
  ];
}

/** `_type` is the name of the role: no file of an online role passes for it, whatever keys they have. */
function signAs(role: OfflineRole, signed: Signed, key: SigningKey): Uint8Array {
  return serialize(sign({ ...signed, _type: role } as unknown as Signed, [key]));
}

/** Each release as the Image repository lists it, and no two for one board. */
function offlineTargets(
  targets: Readonly<Record<string, Target>>,
  ecus: OfflineOptions['ecus'],
): Record<string, Target> {
  const boards = new Map<string, string>();
  for (const [path, { custom }] of Object.entries(targets)) {
    for (const id of (custom?.hardwareIds ?? []) as string[]) {
      const other = boards.get(id);
      if (other !== undefined)
        throw new RepositoryError(
          'bad-argument',
          `${other} and ${path} are both for ${id}, and an ECU takes one image: choose with --component`,
        );
      boards.set(id, path);
    }
  }
  if (ecus === undefined) return { ...targets };
  if (Object.keys(ecus).length > 64)
    throw new RepositoryError('bad-argument', 'an offline update names 64 ECUs at most');
  return Object.fromEntries(
    Object.entries(targets).flatMap(([path, target]) => {
      const named = Object.entries(ecus).filter(([, hardwareId]) => boards.get(hardwareId) === path);
      if (named.length === 0) return [];
      const ecuIdentifiers = Object.fromEntries(
        named.map(([serial, hardwareId]) => [serial, { hardwareId }]),
      );
      return [[path, { ...target, custom: { ...target.custom, ecuIdentifiers } }]];
    }),
  );
}

function readRoots(folder: string): { name: string; bytes: Uint8Array }[] {
  const roots: { name: string; bytes: Uint8Array }[] = [];
  for (let version = 1; version <= MAX_ROOTS; version++) {
    const name = metadataName('root', version);
    const bytes = readLimited(join(folder, name), ROOT_LIMIT);
    if (bytes === undefined) break;
    roots.push({ name, bytes });
  }
  if (roots.length === 0)
    throw new RepositoryError('metadata-missing', `${folder} has no 1.root.json of a Director`);
  return roots;
}

async function keysOf(
  root: Root,
  { keys: folder, passphrase }: OfflineOptions,
): Promise<Record<OfflineRole, SigningKey>> {
  const store = new KeyStore(folder, passphrase);
  const stored = await store.list();
  const found = {} as Record<OfflineRole, SigningKey>;
  for (const role of OFFLINE_ROLES) {
    const { keyids } = root.roles[role] ?? {};
    if (keyids === undefined)
      throw new RepositoryError(
        'bad-argument',
        `the Director's root ${root.version} names no ${role}; see moult director offline-keys`,
      );
    const key = stored.find(({ id, held }) => held && keyids.includes(id));
    if (key === undefined)
      throw new RepositoryError('signatures-missing', `no key of ${role} is in ${folder}`);
    found[role] = await store.unlock(key);
  }
  return found;
}

function versionFile(folder: string): string {
  return join(folder, 'offline-version');
}

/** Of the last update that was signed with these keys; 0: there is none. */
function lastVersion(folder: string): number {
  const text = Buffer.from(readLimited(versionFile(folder), 64) ?? '0')
    .toString()
    .trim();
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new RepositoryError('repository-corrupt', `${versionFile(folder)} holds no version`);
}
