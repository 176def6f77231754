// ECDSA P-256 and RSA-PSS verification of the crypto library in V8, as TypeScript calls it, beside node:crypto with its
// key kept and, for P-256, @noble/curves.
import { constants, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { createCrypto } from '../host/node/crypto.ts';
import { type Competitor, packageVersion, rowsOf, settled } from './crypto.ts';
import type { Row } from './row.ts';

const SIGNATURES = 16;
const MESSAGES = Array.from({ length: SIGNATURES }, (_, i) =>
  Uint8Array.from({ length: 300 + i }, (_, j) => i * j),
);

interface Signed {
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

function each(
  signed: readonly Signed[],
  check: (message: Uint8Array, signature: Uint8Array) => boolean,
): () => void {
  return () => {
    for (const { message, signature } of signed) {
      if (!check(message, signature)) throw new Error('a valid signature was refused');
    }
  };
}

const signedBy = (act: (message: Uint8Array) => Buffer): Signed[] =>
  MESSAGES.map((message) => ({ message, signature: new Uint8Array(act(message)) }));

const derOf = (key: KeyObject) => new Uint8Array(key.export({ type: 'spki', format: 'der' }));

function p256Competitors(): [Competitor, ...Competitor[]] {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signed = signedBy((message) => sign('sha256', message, privateKey));
  const point = derOf(publicKey).subarray(-65);
  const crypto = createCrypto({ engine: 'v8' });
  return [
    { name: 'moult', version: '', run: each(signed, (m, s) => crypto.p256Verify(point, m, s)) },
    {
      name: 'node:crypto',
      version: process.versions.openssl,
      run: each(signed, (m, s) => verify('sha256', m, publicKey, s)),
    },
    {
      name: '@noble/curves',
      version: packageVersion('@noble/curves'),
      run: each(signed, (m, s) => p256.verify(s, m, point, { format: 'der', lowS: false })),
    },
  ];
}

function rsaCompetitors(): [Competitor, ...Competitor[]] {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const signed = signedBy((message) => sign('sha256', message, { key: privateKey, padding }));
  const der = derOf(publicKey);
  const key = { key: publicKey, padding };
  const crypto = createCrypto({ engine: 'v8' });
  return [
    { name: 'moult', version: '', run: each(signed, (m, s) => crypto.rsaPssVerify(der, m, s)) },
    {
      name: 'node:crypto',
      version: process.versions.openssl,
      run: each(signed, (m, s) => verify('sha256', m, key, s)),
    },
  ];
}

export function p256Rows(): Row[] {
  const microseconds = (ms: number): number => (ms * 1e3) / SIGNATURES;
  return [
    ...rowsOf('p256-verify-v8', 'µs', settled(p256Competitors()), microseconds),
    ...rowsOf('rsa-pss-2048-verify-v8', 'µs', settled(rsaCompetitors()), microseconds),
  ];
}
