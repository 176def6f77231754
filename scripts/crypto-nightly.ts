// node build/js/scripts/crypto-nightly.js [cases of each kind: 100000] [seed]: the long comparison of the crypto
// library with node:crypto, and the million iterations of RFC 7748. Some minutes; status 1 when anything differs.
import { createCrypto } from '../host/node/crypto.ts';
import { compare, DIFFERENTIAL } from '../test/crypto/differential.ts';
import { fromHex, toHex } from '../test/crypto/module.ts';

const MILLION = '7c3911e0ab2586fd864497297e575e6f3bc601c0883c30df5f4dd2d24f665424';

const cases = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31) || 1;
const crypto = createCrypto();

function run(what: string, act: () => void): void {
  const begun = performance.now();
  try {
    act();
    process.stdout.write(`✓ ${what}: ${((performance.now() - begun) / 1000).toFixed(0)} s\n`);
  } catch (error) {
    process.stdout.write(`✗ ${what}: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}

function iterate(): void {
  let secret: Uint8Array = fromHex(`09${'00'.repeat(31)}`);
  let peer = secret;
  for (let i = 0; i < 1_000_000; i++) [secret, peer] = [crypto.x25519(secret, peer), secret];
  if (toHex(secret) !== MILLION) throw new Error(toHex(secret));
}

for (const [what, kind] of Object.entries(DIFFERENTIAL))
  run(`${what}, ${cases} cases of seed ${seed}`, () => compare(crypto, kind, cases, seed));
run('X25519, a million iterations', iterate);
