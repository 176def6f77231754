// Keys of Uptane repositories, as TUF 1.0.34 writes them and as the servers of the aktualizr era do. Made once a
// process: an RSA key takes long. Nothing of repo/ is used here, so that it is checked too.
import { createHash, generateKeyPairSync, constants as HOW, type KeyObject, sign } from 'node:crypto';
import { bytes, canonical, type JsonObject } from '../tuf/values.ts';

/** modern: TUF 1.0.34 and docs/formats.md; legacy: the aktualizr era. */
export type Profile = 'modern' | 'legacy';

export type KeyKind = 'ed25519' | 'p256' | 'rsa';

export interface UptaneKey {
  readonly kind: KeyKind;
  /** Ed25519: 64 hexadecimal digits; else PEM. */
  readonly public: string;
  readonly secret: KeyObject;
}

const made = new Map<string, UptaneKey>();

/** Always the same key for the same kind and number, as long as the process lives. */
export function keyOf(kind: KeyKind, number: number): UptaneKey {
  const name = `${kind} ${number}`;
  const key = made.get(name) ?? generate(kind);
  made.set(name, key);
  return key;
}

/** RFC 8032; FIPS 186-5 with P-256; RFC 8017 with 2048 bits. */
function generate(kind: KeyKind): UptaneKey {
  const pair =
    kind === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : kind === 'p256'
        ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const der = pair.publicKey.export({ format: 'der', type: 'spki' });
  const pem = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  return {
    kind,
    public: kind === 'ed25519' ? der.subarray(-32).toString('hex') : pem,
    secret: pair.privateKey,
  };
}

const TYPES: Readonly<Record<KeyKind, { keytype: string; scheme: string; legacy: string }>> = {
  ed25519: { keytype: 'ed25519', scheme: 'ed25519', legacy: 'ED25519' },
  p256: { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', legacy: 'ECPRIME256V1' },
  rsa: { keytype: 'rsa', scheme: 'rsassa-pss-sha256', legacy: 'RSA' },
};

/** The key as a root or a delegation lists it. */
export function publicKey(key: UptaneKey, profile: Profile): JsonObject {
  const { keytype, scheme, legacy } = TYPES[key.kind];
  const keyval = { public: key.public };
  return profile === 'modern' ? { keytype, scheme, keyval } : { keytype: legacy, keyval };
}

/** TUF 4.2: the hash of the key in canonical JSON; in the legacy profile that of its public string alone. */
export function keyId(key: UptaneKey, profile: Profile): string {
  const named = profile === 'modern' ? canonical(publicKey(key, profile)) : JSON.stringify(key.public);
  return createHash('sha256').update(named).digest('hex');
}

/** Canonical JSON as tools of the aktualizr era have it (OLPC, as TUF), or as its servers: escaped as JSON is. */
export type Canonical = 'olpc' | 'escaped';

export function canonicalForm(value: JsonObject, form: Canonical): string {
  const sort = (_: string, inner: unknown): unknown =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner;
  return form === 'olpc' ? canonical(value) : JSON.stringify(value, sort);
}

export type Encoding = 'hex' | 'base64';

/** How a profile writes what it signs, and signatures; left out: as it does as a rule. */
export interface Writing {
  readonly encoding?: Encoding;
  readonly canonical?: Canonical;
  /** What RSA signs; SHA-256 when left out. */
  readonly hash?: 'sha256' | 'sha512';
}

/** One entry of `signatures`: in hexadecimal digits; legacy with its method, and as a rule in base64. */
export function signature(
  signed: JsonObject,
  key: UptaneKey,
  profile: Profile,
  writing: Writing = {},
): JsonObject {
  const modern = profile === 'modern';
  const { encoding = modern ? 'hex' : 'base64', canonical: form = modern ? 'olpc' : 'escaped' } = writing;
  const { hash = 'sha256' } = writing;
  const sig = Buffer.from(signBytes(bytes(canonicalForm(signed, form)), key, hash)).toString(encoding);
  const keyid = keyId(key, profile);
  const method = TYPES[key.kind].scheme.replace('sha256', hash);
  return profile === 'modern' ? { keyid, sig } : { keyid, method, sig };
}

function signBytes(message: Uint8Array, { kind, secret }: UptaneKey, hash: string): Uint8Array {
  if (kind === 'ed25519') return sign(null, message, secret);
  if (kind === 'p256') return sign('sha256', message, secret);
  const saltLength = HOW.RSA_PSS_SALTLEN_DIGEST;
  return sign(hash, message, { key: secret, padding: HOW.RSA_PKCS1_PSS_PADDING, saltLength });
}
