// Ed25519 signatures of the crypto library in V8, as TypeScript calls it, beside node:crypto with its keys kept and
// @noble/curves. Twice: with one key all along, whose public half is remembered, and with another key each time.
import { createPrivateKey, sign } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { createCrypto } from '../host/node/crypto.ts';
import { type Competitor, packageVersion, rowsOf, settled } from './crypto.ts';
import type { Row } from './row.ts';

const SIGNATURES = 16;
const MESSAGE = Uint8Array.from({ length: 300 }, (_, i) => i * 7);
const PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Signs with each of the keys in turn. */
function competitors(seeds: readonly Uint8Array[]): [Competitor, ...Competitor[]] {
  const crypto = createCrypto({ engine: 'v8' });
  const keys = seeds.map((seed) =>
    createPrivateKey({ key: Buffer.concat([PREFIX, seed]), format: 'der', type: 'pkcs8' }),
  );
  const each = <Key>(all: readonly Key[], act: (key: Key) => unknown) => {
    return () => {
      for (const key of all) act(key);
    };
  };
  return [
    { name: 'moult', version: '', run: each(seeds, (seed) => crypto.ed25519Sign(seed, MESSAGE)) },
    {
      name: 'node:crypto',
      version: process.versions.openssl,
      run: each(keys, (key) => sign(null, MESSAGE, key)),
    },
    {
      name: '@noble/curves',
      version: packageVersion('@noble/curves'),
      run: each(seeds, (seed) => ed25519.sign(MESSAGE, seed)),
    },
  ];
}

export function signRows(): Row[] {
  const seeds = Array.from({ length: SIGNATURES }, (_, i) => new Uint8Array(32).fill(i + 1));
  const one = seeds.map(() => new Uint8Array(32).fill(1));
  const microseconds = (ms: number): number => (ms * 1e3) / SIGNATURES;
  return [
    ...rowsOf('ed25519-sign-v8', 'µs', settled(competitors(one)), microseconds),
    ...rowsOf('ed25519-sign-new-key-v8', 'µs', settled(competitors(seeds)), microseconds),
  ];
}
