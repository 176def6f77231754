// The folder of key files: NAME.pub, a public key object, and NAME.pem, its private half, where it is at hand.
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { serialize } from './canonical.ts';
import { RepositoryError, systemCode } from './errors.ts';
import { applyWrites, type FileWrite, readLimited } from './files.ts';
import { generateKey, keyId, type PublicKey, type Random, type SigningKey, signingKey } from './keys.ts';
import { exportEncrypted, exportPlain, importKey, isEncrypted } from './pkcs8.ts';
import { parsePublicKey } from './schema.ts';

/** Asked once for each encrypted key file, by its name; returns the passphrase. */
export type Passphrase = (keyName: string) => string | Promise<string>;

export interface StoredKey {
  readonly name: string;
  readonly id: string;
  readonly public: PublicKey;
  /** The private half is at hand. */
  readonly held: boolean;
  /** It is encrypted. */
  readonly encrypted: boolean;
}

const KEY_FILE_LIMIT = 16_384;
const PRIVATE = 0o600;

/** How new keys are made. */
export interface KeyOptions {
  readonly passphrase?: Passphrase;
  readonly random?: Random;
}

/** New keys and the files to write for them; nothing is written yet. */
export async function makeKeys(
  directory: string,
  names: readonly string[],
  encrypt: boolean,
  { passphrase, random }: KeyOptions,
): Promise<{ keys: SigningKey[]; files: FileWrite[] }> {
  const keys: SigningKey[] = [];
  const files: FileWrite[] = [];
  for (const name of names) {
    const key = generateKey(random);
    const secret = encrypt ? await passphraseFor(name, passphrase) : undefined;
    keys.push(key);
    files.push(...(await keyFiles(join(directory, name), key, secret)));
  }
  return { keys, files };
}

/** `moult key gen`: writes NAME.pem and NAME.pub, neither of which may be there yet (`key-exists`). */
export async function writeNewKey(path: string, encrypt: boolean, options: KeyOptions): Promise<StoredKey> {
  const directory = dirname(resolve(path));
  const [, name] = /^([A-Za-z0-9][A-Za-z0-9._-]*)\.pem$/.exec(basename(path)) ?? [];
  if (name === undefined) {
    throw new RepositoryError('bad-argument', `a key file is called NAME.pem, not "${basename(path)}"`);
  }
  for (const taken of [`${name}.pem`, `${name}.pub`].map((file) => join(directory, file))) {
    if (readLimited(taken, KEY_FILE_LIMIT) === undefined) continue;
    throw new RepositoryError('key-exists', `${taken} exists already; choose another name`);
  }
  const { keys, files } = await makeKeys(directory, [name], encrypt, options);
  await applyWrites(directory, files);
  return keys.map((key) => ({
    name,
    id: key.id,
    public: key.public,
    held: true,
    encrypted: encrypt,
  }))[0] as StoredKey;
}

/** The private half in NAME.pem. Refuses with `file-missing`, `passphrase-missing`, `passphrase-wrong` or `key-corrupt`. */
export async function readSigningKey(path: string, passphrase?: Passphrase): Promise<SigningKey> {
  const bytes = readLimited(path, KEY_FILE_LIMIT);
  if (bytes === undefined) throw new RepositoryError('file-missing', `there is no key ${path}`);
  const text = Buffer.from(bytes).toString();
  const phrase = isEncrypted(text) ? await passphrase?.(path) : undefined;
  if (isEncrypted(text) && !phrase)
    throw new RepositoryError('passphrase-missing', `${path} is encrypted: a passphrase is needed`);
  const secret = importKey(text, phrase, path);
  if (secret.asymmetricKeyType !== 'ed25519')
    throw new RepositoryError('key-corrupt', `${path} is no Ed25519 key`);
  return signingKey(secret);
}

async function keyFiles(stem: string, key: SigningKey, passphrase: string | undefined): Promise<FileWrite[]> {
  const pem =
    passphrase === undefined ? exportPlain(key.secret) : await exportEncrypted(key.secret, passphrase);
  // The private half first: a public key without it would look like one that is kept elsewhere.
  return [
    { path: `${stem}.pem`, bytes: Buffer.from(pem), replace: false, mode: PRIVATE },
    { path: `${stem}.pub`, bytes: serialize(key.public), replace: false },
  ];
}

async function passphraseFor(name: string, passphrase: Passphrase | undefined): Promise<string> {
  const text = await passphrase?.(name);
  if (text === undefined || text === '') {
    throw new RepositoryError('passphrase-missing', `a passphrase is needed to encrypt key ${name}`);
  }
  return text;
}

export class KeyStore {
  readonly directory: string;
  readonly #passphrase: Passphrase | undefined;
  readonly #unlocked = new Map<string, SigningKey>();

  constructor(directory: string, passphrase: Passphrase | undefined) {
    this.directory = directory;
    this.#passphrase = passphrase;
  }

  /** All keys, by name. */
  async list(): Promise<StoredKey[]> {
    const names = (await this.#names()).filter((name) => name.endsWith('.pub')).sort();
    return Promise.all(names.map((name) => this.#read(name.slice(0, -'.pub'.length))));
  }

  /** The next names PREFIX-N, N rising, that are not taken. */
  async freeNames(prefix: string, count: number): Promise<string[]> {
    const taken = await this.#names();
    const pattern = new RegExp(`^${prefix.replace(/[.]/g, '\\.')}-(\\d+)\\.(pub|pem)$`);
    const last = Math.max(0, ...taken.map((name) => Number(pattern.exec(name)?.[1] ?? 0)));
    return Array.from({ length: count }, (_, index) => `${prefix}-${last + 1 + index}`);
  }

  /** Unlocks the private half. Refuses with `passphrase-missing`, `passphrase-wrong` or `key-corrupt`. */
  async unlock(stored: StoredKey): Promise<SigningKey> {
    const known = this.#unlocked.get(stored.id);
    if (known !== undefined) return known;
    const file = join(this.directory, `${stored.name}.pem`);
    const text = Buffer.from(readLimited(file, KEY_FILE_LIMIT) ?? []).toString();
    const passphrase = isEncrypted(text) ? await this.#ask(stored.name) : undefined;
    const secret = importKey(text, passphrase, file);
    if (secret.asymmetricKeyType !== 'ed25519' || signingKey(secret).id !== stored.id) {
      throw new RepositoryError('key-corrupt', `${file} is not the private half of ${stored.name}.pub`);
    }
    const key = signingKey(secret);
    this.#unlocked.set(key.id, key);
    return key;
  }

  async #ask(name: string): Promise<string> {
    if (this.#passphrase === undefined) {
      throw new RepositoryError('passphrase-missing', `key ${name} is encrypted and no passphrase was given`);
    }
    return this.#passphrase(name);
  }

  async #read(name: string): Promise<StoredKey> {
    const path = join(this.directory, `${name}.pub`);
    const publicKey = await this.#readPublic(path);
    const pem = readLimited(join(this.directory, `${name}.pem`), KEY_FILE_LIMIT);
    const encrypted = pem !== undefined && isEncrypted(Buffer.from(pem).toString());
    return { name, id: keyId(publicKey), public: publicKey, held: pem !== undefined, encrypted };
  }

  async #readPublic(path: string): Promise<PublicKey> {
    try {
      return parsePublicKey(readLimited(path, KEY_FILE_LIMIT) ?? new Uint8Array(), path);
    } catch (error) {
      throw new RepositoryError('key-corrupt', `${path} is not a public key file`, error);
    }
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.directory);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  }
}
