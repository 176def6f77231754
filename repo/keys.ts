// Keys in memory: the public key object of TUF (specification 1.0.34, section 4.2) and keys that can sign.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { canonicalize } from './canonical.ts';

/** A public key as metadata carries it. `keyval.public` of an Ed25519 key is 64 hexadecimal digits, that of a P-256 key
 * PEM or its uncompressed point in hexadecimal digits. */
export interface PublicKey {
  readonly keytype: string;
  readonly scheme: string;
  readonly keyval: { readonly public: string };
}

/** A key that can sign. */
export interface SigningKey {
  /** SHA-256 of the canonical public key object, in hexadecimal digits. */
  readonly id: string;
  readonly public: PublicKey;
  /** The private half, to be stored. */
  readonly secret: KeyObject;
  sign(message: Uint8Array): Uint8Array;
}

/** A source of random bytes; a seeded one makes a simulation replay. */
export type Random = (length: number) => Uint8Array;

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const P256_PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');
/** Both are in use: the second by older repositories. */
const P256_KEYTYPES: ReadonlySet<string> = new Set(['ecdsa', 'ecdsa-sha2-nistp256']);
const SEED_LENGTH = 32;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function keyId(key: PublicKey): string {
  return sha256(canonicalize(key));
}

/** A new Ed25519 key (RFC 8032). */
export function generateKey(random: Random = randomBytes): SigningKey {
  const der = Buffer.concat([PKCS8_PREFIX, random(SEED_LENGTH)]);
  return signingKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
}

/** Wraps an Ed25519 private key. */
export function signingKey(secret: KeyObject): SigningKey {
  const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' });
  const publicKey: PublicKey = {
    keytype: 'ed25519',
    scheme: 'ed25519',
    keyval: { public: spki.subarray(SPKI_PREFIX.length).toString('hex') },
  };
  return { id: keyId(publicKey), public: publicKey, secret, sign: (message) => sign(null, message, secret) };
}

/** Whether `signature` (hexadecimal) over `message` is this key's. An unknown kind of key verifies nothing. */
export function verifySignature(key: PublicKey, message: Uint8Array, signature: string): boolean {
  if (!/^(?:[0-9a-f]{2})+$/i.test(signature)) return false;
  const publicKey = importPublicKey(key);
  if (publicKey === undefined) return false;
  const hash = key.keytype === 'ed25519' ? null : 'sha256';
  return verify(hash, message, publicKey, Buffer.from(signature, 'hex'));
}

/** The key as node:crypto has it: Ed25519 (RFC 8032) or ECDSA on P-256 (FIPS 186-5); undefined for any other, and for
 * what is no key. */
export function importPublicKey({ keytype, scheme, keyval }: PublicKey): KeyObject | undefined {
  try {
    if (keytype === 'ed25519' && scheme === 'ed25519' && /^[0-9a-f]{64}$/i.test(keyval.public))
      return fromRaw(keyval.public);
    if (!P256_KEYTYPES.has(keytype) || scheme !== 'ecdsa-sha2-nistp256') return undefined;
    if (/^04[0-9a-f]{128}$/i.test(keyval.public)) return fromSpki(P256_PREFIX, keyval.public);
    if (!keyval.public.startsWith('-----BEGIN PUBLIC KEY-----')) return undefined;
    const key = createPublicKey(keyval.public);
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** What makes two keys the same key, whatever their ids, their encoding and other fields say. */
export function keyMaterial(key: PublicKey): string {
  const known = importPublicKey(key);
  return known?.export({ format: 'der', type: 'spki' }).toString('hex') ?? key.keyval.public.toLowerCase();
}

/** As a JWK (RFC 8037), which OpenSSL takes ten times as fast as DER. */
function fromRaw(hex: string): KeyObject {
  const x = Buffer.from(hex, 'hex').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

function fromSpki(prefix: Buffer, hex: string): KeyObject {
  return createPublicKey({
    key: Buffer.concat([prefix, Buffer.from(hex, 'hex')]),
    format: 'der',
    type: 'spki',
  });
}
