// The library's calls against node:crypto, over random and edge-biased arguments that a seed repeats. Each case throws
// with its arguments when the two differ. CI runs some thousands, scripts/crypto-nightly.ts many more.
import {
  constants,
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import type { Crypto } from '../../host/node/crypto.ts';
import { randomBytes, toHex } from './module.ts';

type Bytes = (length: number) => Uint8Array;
type Case = (crypto: Crypto, bytes: Bytes) => void;

const PRIVATE = { ed25519: '302e020100300506032b657004220420', x25519: '302e020100300506032b656e04220420' };
const PUBLIC = { ed25519: '302a300506032b6570032100', x25519: '302a300506032b656e032100' };
type Curve = keyof typeof PRIVATE;

function privateKey(curve: Curve, secret: Uint8Array): KeyObject {
  const key = Buffer.concat([Buffer.from(PRIVATE[curve], 'hex'), secret]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

function publicKey(curve: Curve, bytes: Uint8Array): KeyObject {
  const key = Buffer.concat([Buffer.from(PUBLIC[curve], 'hex'), bytes]);
  return createPublicKey({ key, format: 'der', type: 'spki' });
}

const rawPublicKey = (key: KeyObject): Uint8Array =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);

function same(what: string, ours: Uint8Array, theirs: Uint8Array, ...given: Uint8Array[]): void {
  if (toHex(ours) === toHex(theirs)) return;
  throw new Error(`${what} of ${given.map(toHex).join(', ')}: ${toHex(ours)}, not ${toHex(theirs)}`);
}

/** Lengths around those of blocks and of the buffer, and any below 600. */
const EDGES = [
  0, 1, 15, 16, 17, 31, 32, 47, 48, 55, 56, 63, 64, 65, 79, 80, 111, 112, 127, 128, 129, 16_384, 16_385,
];

function some(bytes: Bytes): Uint8Array {
  const [kind = 0, low = 0, high = 0] = bytes(3);
  return bytes(kind < 128 ? (EDGES[low % EDGES.length] ?? 0) : ((high << 8) | low) % 600);
}

/** 32 bytes, of which many cases are all zeros or ones but for a few. */
function edgy(bytes: Bytes): Uint8Array {
  const [kind = 0, at = 0, value = 0, other = 0] = bytes(4);
  if (kind < 170) return bytes(32);
  const edge = new Uint8Array(32).fill(kind & 1 ? 255 : 0);
  edge[at & 31] = value;
  if (kind & 2) edge[31] = other;
  return edge;
}

const hashes: Case = (crypto, bytes) => {
  const data = some(bytes);
  same('SHA-256', crypto.sha256(data), createHash('sha256').update(data).digest(), data);
  same('SHA-512', crypto.sha512(data), createHash('sha512').update(data).digest(), data);
};

const signatures: Case = (crypto, bytes) => {
  const [seed, message] = [edgy(bytes), some(bytes)];
  const key = privateKey('ed25519', seed);
  const [ourKey, theirKey] = [crypto.ed25519PublicKey(seed), rawPublicKey(key)];
  same('the public key', ourKey, theirKey, seed);
  const [ours, theirs] = [crypto.ed25519Sign(seed, message), sign(null, message, key)];
  same('the signature', ours, theirs, seed, message);
  const given = { key: ourKey, message, signature: ours };
  verification('Ed25519', bytes, given, (k, m, sig) => crypto.ed25519Verify(k, m, sig));
};

/** One key a run: making them is slow. */
const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const der = (key: KeyObject): Uint8Array => key.export({ format: 'der', type: 'spki' });

/** A signature as it is, or with one bit of it, of the message or of the key changed. */
function verification(
  what: string,
  bytes: Bytes,
  given: { readonly key: Uint8Array; readonly message: Uint8Array; readonly signature: Uint8Array },
  ours: (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean,
): void {
  const { key, message, signature } = given;
  const [kind = 0, low = 0, high = 0] = bytes(3);
  const flipped = (from: Uint8Array): Uint8Array => {
    const at = ((high << 8) | low) % (8 * from.length);
    return from.with(at >> 3, (from[at >> 3] ?? 0) ^ (1 << (at & 7)));
  };
  const changed = kind & 3 && message.length > 0;
  const k = changed && (kind & 3) === 1 ? flipped(key) : key;
  const m = changed && (kind & 3) === 2 ? flipped(message) : message;
  const s = changed && (kind & 3) === 3 ? flipped(signature) : signature;
  if (ours(k, m, s) === !changed) return;
  throw new Error(`${what} of ${[k, m, s].map(toHex).join(', ')} is ${changed ? 'taken' : 'refused'}`);
}

const p256: Case = (crypto, bytes) => {
  const message = some(bytes);
  const signature = sign('sha256', message, P256.privateKey);
  const key = der(P256.publicKey);
  const point = (bytes(1)[0] ?? 0) & 1;
  const given = { key: point ? key.subarray(-65) : key, message, signature };
  verification('P-256', bytes, given, (k, m, s) => crypto.p256Verify(k, m, s));
};

const rsa: Case = (crypto, bytes) => {
  const message = some(bytes);
  const [saltLength = 0] = bytes(1);
  const options = {
    key: RSA.privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: saltLength % 223,
  };
  const given = { key: der(RSA.publicKey), message, signature: sign('sha256', message, options) };
  verification('RSA-PSS', bytes, given, (k, m, s) => crypto.rsaPssVerify(k, m, s));
};

const exchanges: Case = (crypto, bytes) => {
  const [secret, peer] = [edgy(bytes), edgy(bytes)];
  const key = privateKey('x25519', secret);
  same('the public key', crypto.x25519PublicKey(secret), rawPublicKey(key), secret);
  const attempt = (act: () => Uint8Array): Uint8Array => {
    try {
      return act();
    } catch {
      return new Uint8Array(); // of small order
    }
  };
  const ours = attempt(() => crypto.x25519(secret, peer));
  const theirs = attempt(() => diffieHellman({ privateKey: key, publicKey: publicKey('x25519', peer) }));
  same('X25519', ours, theirs, secret, peer);
};

const derivations: Case = (crypto, bytes) => {
  const [secret, salt, info] = [some(bytes), some(bytes), some(bytes).subarray(0, 1024)];
  const [low = 0, high = 0] = bytes(2);
  const length = 1 + (((high << 8) | low) % (high < 16 ? 8160 : 200));
  const theirs = new Uint8Array(hkdfSync('sha256', secret, salt, info, length));
  same('HKDF', crypto.hkdfSha256(secret, salt, info, length), theirs, secret, salt, info);
};

const ciphers: Case = (crypto, bytes) => {
  const [key, nonce, data, text] = [edgy(bytes), bytes(12), some(bytes), some(bytes)];
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  cipher.setAAD(data, { plaintextLength: text.length });
  const theirs = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  const ours = crypto.chacha20poly1305Seal(key, nonce, text, data);
  same('the sealed text', ours, theirs, key, nonce, data, text);
  same('the opened text', crypto.chacha20poly1305Open(key, nonce, ours, data), text, key, nonce, data, text);
};

export const DIFFERENTIAL: Readonly<Record<string, Case>> = {
  'SHA-256 and SHA-512': hashes,
  'Ed25519 keys and signatures': signatures,
  'P-256 signatures': p256,
  'RSA-PSS signatures': rsa,
  X25519: exchanges,
  'HKDF-SHA256': derivations,
  'ChaCha20-Poly1305': ciphers,
};

/** Runs one kind of case so many times. */
export function compare(crypto: Crypto, kind: Case, cases: number, seed: number): void {
  const bytes = randomBytes(seed);
  for (let i = 0; i < cases; i++) kind(crypto, bytes);
}
