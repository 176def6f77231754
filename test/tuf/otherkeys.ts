// Keys of the kinds that TUF repositories have besides Ed25519 (TUF 1.0.34, 4.2), and what signs by them.
import { constants, createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { keyId, type PublicKey, type SigningKey } from '../../repo/index.ts';

type Digest = 'sha256' | 'sha384';

function signer(
  keytype: string,
  scheme: string,
  shown: string,
  sign: SigningKey['sign'],
  secret: KeyObject,
): SigningKey {
  const key: PublicKey = { keytype, scheme, keyval: { public: shown } };
  return { id: keyId(key), public: key, secret, sign };
}

export const pem = (key: KeyObject) => key.export({ format: 'pem', type: 'spki' }).toString();

export function p256(keytype = 'ecdsa', show = pem, curve = 'prime256v1'): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const by = (message: Uint8Array) => createSign('sha256').update(message).sign(privateKey);
  return signer(keytype, 'ecdsa-sha2-nistp256', show(publicKey), by, privateKey);
}

/** 04, x and y in hexadecimal digits. */
export const point = (key: KeyObject) =>
  key.export({ format: 'der', type: 'spki' }).subarray(-65).toString('hex');

const pairs = new Map<string, ReturnType<typeof rsaPair>>();
const rsaPair = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength });

/** Making a pair takes seconds: there is one of each size and name. */
export function rsa(
  bits = 2048,
  saltLength: number = constants.RSA_PSS_SALTLEN_DIGEST,
  name = 'a',
  digest: Digest = 'sha256',
): SigningKey {
  const pair = pairs.get(`${bits} ${name}`) ?? rsaPair(bits);
  pairs.set(`${bits} ${name}`, pair);
  const { publicKey, privateKey } = pair;
  const options = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
  return signer(
    'rsa',
    'rsassa-pss-sha256',
    pem(publicKey),
    (message) => sign(digest, message, options),
    privateKey,
  );
}

/** A key under another keytype or scheme than its own. */
export function called(key: SigningKey, names: Partial<PublicKey>): SigningKey {
  const shown = { ...key.public, ...names };
  return { ...key, public: shown, id: keyId(shown), sign: (message) => key.sign(message) };
}
