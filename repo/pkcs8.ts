// Private key files: PKCS#8 PEM (RFC 5958). Encrypted ones use PBES2 with scrypt (RFC 8018, RFC 7914) and
// AES-256-CBC, because node:crypto itself writes only PBKDF2 with 2,048 rounds. `openssl pkey` reads both.
import { createCipheriv, createPrivateKey, type KeyObject, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { RepositoryError } from './errors.ts';

// 2^14 · 8 · 128 B = 16 MiB of memory, five times over: as costly to guess as 2^17 once, and within the 32 MiB that
// OpenSSL grants when it reads the file.
const COST = { N: 16_384, r: 8, p: 5 } as const;
const MAX_MEMORY = 32 * 1024 * 1024;
const KEY_LENGTH = 32;

const OID_PBES2 = oid('2a864886f70d01050d');
const OID_SCRYPT = oid('2b06010401da47040b');
const OID_AES_256_CBC = oid('60864801650304012a');

const deriveKey = promisify<string, Uint8Array, number, object, Buffer>(scrypt);

export function exportPlain(secret: KeyObject): string {
  return secret.export({ format: 'pem', type: 'pkcs8' }).toString();
}

export async function exportEncrypted(secret: KeyObject, passphrase: string): Promise<string> {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const key = await deriveKey(passphrase, salt, KEY_LENGTH, { ...COST, maxmem: MAX_MEMORY });
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const sealed = [cipher.update(secret.export({ format: 'der', type: 'pkcs8' })), cipher.final()];
  const kdf = sequence(
    OID_SCRYPT,
    sequence(octets(salt), integer(COST.N), integer(COST.r), integer(COST.p), integer(KEY_LENGTH)),
  );
  const algorithm = sequence(OID_PBES2, sequence(kdf, sequence(OID_AES_256_CBC, octets(iv))));
  return pem('ENCRYPTED PRIVATE KEY', sequence(algorithm, octets(Buffer.concat(sealed))));
}

export function isEncrypted(text: string): boolean {
  return text.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----');
}

/** Reads either kind; `name` is for the message. */
export function importKey(text: string, passphrase: string | undefined, name: string): KeyObject {
  try {
    return createPrivateKey(passphrase === undefined ? text : { key: text, passphrase });
  } catch (error) {
    if (!isEncrypted(text))
      throw new RepositoryError('key-corrupt', `${name} is not a private key in PEM`, error);
    throw new RepositoryError(
      'passphrase-wrong',
      `wrong passphrase for ${name} (or the file is damaged)`,
      error,
    );
  }
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

// DER (X.690) of the four kinds used here; none reaches 64 KiB.
function element(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function sequence(...items: Uint8Array[]): Buffer {
  return element(0x30, Buffer.concat(items));
}

function octets(bytes: Uint8Array): Buffer {
  return element(0x04, bytes);
}

function integer(value: number): Buffer {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.length % 2 === 1 ? `0${digits}` : digits, 'hex');
  // A leading bit that is set would read as a minus.
  return element(0x02, (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]));
}

function oid(hex: string): Buffer {
  return element(0x06, Buffer.from(hex, 'hex'));
}
