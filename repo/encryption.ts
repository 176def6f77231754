// Encrypted payloads (docs/formats.md, "Encrypted payloads"), and the X25519 keys that they are encrypted for.
import {
  createCipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { basename, dirname, resolve } from 'node:path';
import { RepositoryError } from './errors.ts';
import { applyWrites, readLimited } from './files.ts';
import { type Random, sha256 } from './keys.ts';

/** What is inside. */
export type Content = 'image' | 'patch';

const MAGIC = 'MPE1';
const KEY = 32;
const KEY_FILE_LIMIT = 16_384;
const TEXT = 1024;
const TAG = 16;
/** Devices count them in 16 bits. */
const MOST_RECIPIENTS = 65_535;
/** RFC 8410: what stands before the 32 bytes of a key in DER. */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/** A key of a device or of a fleet, to be given to devices when they are provisioned. */
export interface EncryptionKey {
  /** The secret: 32 bytes. */
  readonly path: string;
  /** 64 hexadecimal digits. */
  readonly public: string;
}

/** `moult key encryption`: writes NAME.key, 32 bytes, and NAME.recipient; neither may be there yet (`key-exists`). */
export async function writeEncryptionKey(path: string, random: Random = randomBytes): Promise<EncryptionKey> {
  if (!/\.key$/.test(path))
    throw bad(`the file of an encryption key is called NAME.key, not "${basename(path)}"`);
  const stem = path.slice(0, -'.key'.length);
  for (const taken of [path, `${stem}.recipient`]) {
    if (readLimited(taken, KEY_FILE_LIMIT) === undefined) continue;
    throw new RepositoryError('key-exists', `${taken} exists already; choose another name`);
  }
  const secret = random(KEY);
  const text = Buffer.from(encryptionPublicKey(secret)).toString('hex');
  await applyWrites(dirname(resolve(path)), [
    { path, bytes: secret, replace: false, mode: 0o600 },
    { path: `${stem}.recipient`, bytes: Buffer.from(`${text}\n`), replace: false },
  ]);
  return { path, public: text };
}

/** Public keys of a text, 64 hexadecimal digits each, with white space in between (`bad-argument`). */
export function parseEncryptionKeys(text: string): Uint8Array[] {
  return text
    .trim()
    .split(/\s+/)
    .map((key) => {
      if (/^[0-9a-fA-F]{64}$/.test(key)) return Buffer.from(key, 'hex');
      throw bad(`"${key.slice(0, 70)}" is no encryption key of 64 hexadecimal digits`);
    });
}

/** The public key of 32 bytes of secret. */
export function encryptionPublicKey(secret: Uint8Array): Uint8Array {
  return rawPublic(createPublicKey(privateKey(secret)));
}

/**
 * Encrypts `content` for those whose public keys are given, each 32 bytes. Refuses (`bad-argument`) none at all, more
 * than there can be, one key twice, and keys of small order, with which anybody could read it.
 */
export function encryptPayload(
  content: Uint8Array,
  kind: Content,
  recipients: readonly Uint8Array[],
  random: Random = randomBytes,
): Uint8Array {
  checkRecipients(recipients);
  const ephemeral = privateKey(random(KEY));
  const contentKey = random(KEY);
  const head = Buffer.alloc(8);
  head.write(MAGIC, 'latin1');
  head.writeUInt16LE(kind === 'patch' ? 1 : 0, 4);
  head.writeUInt16LE(recipients.length, 6);
  const point = rawPublic(createPublicKey(ephemeral));
  const entries = recipients.flatMap((recipient) => [
    recipient.subarray(0, 8),
    xor(contentKey, wrappingKey(ephemeral, point, recipient, head)),
  ]);
  const header = Buffer.concat([head, point, ...entries]);
  const key = expand(contentKey, Buffer.from(sha256(header), 'hex'));
  return Buffer.concat([header, ...chunks(content, key)]);
}

function checkRecipients(recipients: readonly Uint8Array[]): void {
  if (recipients.length === 0 || recipients.length > MOST_RECIPIENTS)
    throw bad(`a payload is encrypted for 1 to ${MOST_RECIPIENTS} keys, not ${recipients.length}`);
  const ids = new Set<string>();
  for (const recipient of recipients) {
    if (recipient.length !== KEY) throw bad(`an encryption key has ${KEY} bytes, not ${recipient.length}`);
    const id = Buffer.from(recipient.subarray(0, 8)).toString('hex');
    if (ids.has(id)) throw bad(`two encryption keys begin with ${id}, by which devices tell them apart`);
    ids.add(id);
  }
}

/** What wraps the content key for one of them. */
function wrappingKey(
  ephemeral: KeyObject,
  point: Uint8Array,
  recipient: Uint8Array,
  head: Uint8Array,
): Buffer {
  const salt = Buffer.concat([point, recipient]);
  return Buffer.from(hkdfSync('sha256', agree(ephemeral, recipient), salt, head, KEY));
}

function agree(ephemeral: KeyObject, recipient: Uint8Array): Buffer {
  try {
    const publicKey = createPublicKey({
      key: Buffer.concat([PUBLIC_PREFIX, recipient]),
      format: 'der',
      type: 'spki',
    });
    return diffieHellman({ privateKey: ephemeral, publicKey });
  } catch (error) {
    const hex = Buffer.from(recipient).toString('hex');
    throw new RepositoryError('bad-argument', `${hex} is no X25519 key that keeps a secret`, error);
  }
}

function* chunks(content: Uint8Array, key: Uint8Array): Generator<Uint8Array> {
  const count = Math.max(1, Math.ceil(content.length / TEXT));
  for (let index = 0; index < count; index++) {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32LE(index, 0);
    nonce.writeUInt32LE(index === count - 1 ? 1 : 0, 4);
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG });
    yield cipher.update(content.subarray(index * TEXT, (index + 1) * TEXT));
    cipher.final();
    yield cipher.getAuthTag();
  }
}

/** RFC 5869, 2.3, of 32 bytes: the first block of HKDF-Expand. */
function expand(key: Uint8Array, info: Uint8Array): Buffer {
  return createHmac('sha256', key).update(info).update(Uint8Array.of(1)).digest();
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, at) => byte ^ (b[at] ?? 0)));
}

function privateKey(secret: Uint8Array): KeyObject {
  if (secret.length !== KEY) throw bad(`an encryption key has ${KEY} bytes, not ${secret.length}`);
  return createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, secret]), format: 'der', type: 'pkcs8' });
}

function rawPublic(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(PUBLIC_PREFIX.length);
}

function bad(message: string): RepositoryError {
  return new RepositoryError('bad-argument', message);
}
