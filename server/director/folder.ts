// A Director's folder: its settings, its root metadata, its online keys, its certificates, its high-water mark. The
// keys of the Image repository are never here; of that it has a root to verify with.
import { mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'smol-toml';
import { formatExpiry, parseExpiry, parseToml } from '../../repo/config.ts';
import { VEHICLE_ROLES, type VehicleRole } from '../../repo/director/metadata.ts';
import { applyWrites, type FileWrite, readLimited } from '../../repo/files.ts';
import {
  buildRoot,
  type Clock,
  envelopeBytes,
  parseMetadata,
  RepositoryError,
  ROLES,
  type RoleKeys,
  type RoleName,
  type Root,
  type SigningKey,
  sign,
} from '../../repo/index.ts';
import { KeyStore, makeKeys, type Passphrase } from '../../repo/keystore.ts';
import { Authority, createAuthority, type Pair } from './certificates.ts';
import type { SignerKeys } from './drafting.ts';

export const DIRECTOR_CONFIG = 'director.toml';
const DAY = 86_400;
const EXPIRY: Readonly<Record<RoleName, number>> = {
  root: 365 * DAY,
  timestamp: DAY,
  snapshot: 7 * DAY,
  targets: 30 * DAY,
};
/** Keys made, and how many of them must sign. Root keys leave the server; the others are online, one for each role. */
const SIZES: Readonly<Record<RoleName, { keys: number; threshold: number }>> = {
  root: { keys: 3, threshold: 2 },
  timestamp: { keys: 1, threshold: 1 },
  snapshot: { keys: 1, threshold: 1 },
  targets: { keys: 1, threshold: 1 },
};
const GITIGNORE = 'keys/*.pem\ntls/*.key\n*.db*\nhigh-water/\n.tmp/\n';
const FILE_LIMIT = 1_048_576;
const SECRET = 0o600;

export interface NewDirector {
  readonly name: string;
  /** A file in the folder, or `postgres://…`. */
  readonly database: string;
  /** The folder or URL of the Image repository, and the root that it is verified from. */
  readonly image: string;
  readonly imageRoot: Uint8Array;
  /** Host names and addresses that the server's certificate is for. */
  readonly hosts: readonly string[];
  /** true: keys are encrypted under the passphrase, which the server then needs when it starts. */
  readonly encrypt: boolean;
  readonly passphrase?: Passphrase;
  readonly clock: Clock;
}

export interface Settings {
  readonly name: string;
  readonly database: string;
  readonly image: string;
  readonly expiry: Readonly<Record<RoleName, number>>;
}

/** Writes a new Director's folder (`repository-exists` when it is not empty). */
export async function initDirector(directory: string, options: NewDirector): Promise<void> {
  await mkdir(directory, { recursive: true });
  if ((await readdir(directory)).length > 0)
    throw new RepositoryError('repository-exists', `${directory} exists already and is not an empty folder`);
  parseMetadata(options.imageRoot, 'root', "the Image repository's root");
  const now = options.clock();
  const { keys, files } = await makeAllKeys(join(directory, 'keys'), options);
  const authority = await createAuthority(options.name, now);
  const server = await (await Authority.open(authority)).server(options.hosts, now);
  const { name, database, image } = options;
  const settings = formatSettings({ name, database, image, expiry: EXPIRY });
  await applyWrites(join(directory, '.tmp'), [
    textFile(join(directory, '.gitignore'), GITIGNORE),
    ...files,
    { path: join(directory, 'metadata', '1.root.json'), bytes: firstRoot(keys, now), replace: false },
    { path: join(directory, 'image-root.json'), bytes: options.imageRoot, replace: false },
    ...pairFiles(join(directory, 'tls', 'ca'), authority),
    ...pairFiles(join(directory, 'tls', 'server'), server),
    textFile(join(directory, DIRECTOR_CONFIG), settings),
  ]);
}

async function makeAllKeys(directory: string, options: NewDirector) {
  const files: FileWrite[] = [];
  const keys = {} as Record<RoleName, SigningKey[]>;
  for (const role of ROLES) {
    const names = Array.from({ length: SIZES[role].keys }, (_, index) => `${role}-${index + 1}`);
    const made = await makeKeys(directory, names, options.encrypt, options);
    keys[role] = made.keys;
    files.push(...made.files);
  }
  return { keys, files };
}

function firstRoot(keys: Record<RoleName, SigningKey[]>, now: number): Uint8Array {
  const roleKeys = (role: RoleName): RoleKeys => {
    return { keys: keys[role].map((key) => key.public), threshold: SIZES[role].threshold };
  };
  const roles = Object.fromEntries(ROLES.map((role) => [role, roleKeys(role)])) as Record<RoleName, RoleKeys>;
  const root = buildRoot({ version: 1, expires: now + EXPIRY.root }, roles);
  return envelopeBytes(sign(root, keys.root.slice(0, SIZES.root.threshold)));
}

function pairFiles(path: string, { certificate, key }: Pair): FileWrite[] {
  return [textFile(`${path}.crt`, certificate), { ...textFile(`${path}.key`, key), mode: SECRET }];
}

function textFile(path: string, text: string): FileWrite {
  return { path, bytes: Buffer.from(text), replace: false };
}

function formatSettings({ expiry, ...settings }: Settings): string {
  return `# A moult Director. Its keys are in metadata/N.root.json, signed.
# database: a file in this folder, or postgres://USER@HOST/NAME. image: the folder or URL of the Image repository.
${stringify(settings)}
${formatExpiry(expiry)}`;
}

export class DirectorFolder {
  readonly directory: string;
  readonly settings: Settings;

  /** Refuses with `repository-missing` or `repository-corrupt`. */
  constructor(directory: string) {
    this.directory = directory;
    const path = join(directory, DIRECTOR_CONFIG);
    const bytes = readLimited(path, FILE_LIMIT);
    if (bytes === undefined)
      throw new RepositoryError(
        'repository-missing',
        `${directory} is no Director: it has no ${DIRECTOR_CONFIG}`,
      );
    this.settings = parseSettings(Buffer.from(bytes).toString(), path);
  }

  /** The path of the file, or the URL. */
  get database(): string {
    const { database } = this.settings;
    return database.includes('://') ? database : resolve(this.directory, database);
  }

  get image(): string {
    const { image } = this.settings;
    return /^https?:\/\//.test(image) ? image : resolve(this.directory, image);
  }

  get markFolder(): string {
    return join(this.directory, 'high-water');
  }

  imageRoot(): Uint8Array {
    return this.#read('image-root.json');
  }

  /** A version of the root; undefined: there is none. */
  root(version: number): Uint8Array | undefined {
    return readLimited(join(this.directory, 'metadata', `${version}.root.json`), FILE_LIMIT);
  }

  /** `tls/NAME.crt` and `tls/NAME.key`. */
  pair(name: string): Pair {
    return {
      certificate: Buffer.from(this.#read(`tls/${name}.crt`)).toString(),
      key: Buffer.from(this.#read(`tls/${name}.key`)).toString(),
    };
  }

  /** Certificates of manufacturers that may enrol vehicles, in PEM; undefined: there are none. */
  manufacturers(): string | undefined {
    const bytes = readLimited(join(this.directory, 'tls', 'manufacturer.crt'), FILE_LIMIT);
    return bytes && Buffer.from(bytes).toString();
  }

  /** The online keys that the newest root names. */
  async keys(passphrase: Passphrase | undefined): Promise<SignerKeys> {
    const root = this.newestRoot();
    const store = new KeyStore(join(this.directory, 'keys'), passphrase);
    const stored = await store.list();
    const keys = {} as Record<VehicleRole, SigningKey>;
    for (const role of VEHICLE_ROLES) {
      const key = stored.find(({ id, held }) => held && root.roles[role].keyids.includes(id));
      if (key === undefined)
        throw new RepositoryError('signatures-missing', `no key of ${role} is in ${store.directory}`);
      keys[role] = await store.unlock(key);
    }
    return keys;
  }

  /** The root with the highest version. */
  newestRoot(): Root {
    let newest = this.#read('metadata/1.root.json');
    for (let version = 2; ; version++) {
      const next = this.root(version);
      if (next === undefined) return parseMetadata(newest, 'root', `${version - 1}.root.json`).signed;
      newest = next;
    }
  }

  #read(name: string): Uint8Array {
    const path = join(this.directory, name);
    const bytes = readLimited(path, FILE_LIMIT);
    if (bytes === undefined) throw new RepositoryError('repository-corrupt', `${path} is missing`);
    return bytes;
  }
}

function parseSettings(text: string, path: string): Settings {
  const table = parseToml(text, path);
  const field = (name: string): string => {
    const value = table[name];
    if (typeof value === 'string' && value !== '') return value;
    throw new RepositoryError('repository-corrupt', `${path}: ${name} is not a text`);
  };
  return {
    name: field('name'),
    database: field('database'),
    image: field('image'),
    expiry: parseExpiry(table.expiry ?? {}, path, EXPIRY),
  };
}
