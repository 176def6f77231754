// SHA-256 and Ed25519 verification of the crypto folder in V8, beside node:crypto, @noble, hash-wasm and libsodium. Each
// round runs every competitor once, so that what the machine does besides touches all of them; medians of the rounds.
// node:crypto hashes with the processor's own SHA instructions where it has them: the physical reference.
import { createHash, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { createSHA256 } from 'hash-wasm';
import sodium from 'libsodium-wrappers';
import { aot, type Engine } from '../host/node/engine.ts';
import { HostError } from '../host/node/errors.ts';
import { projectRoot } from '../scripts/abi.ts';
import { median, type Row } from './row.ts';

const ROUNDS = 21;
const WARM_UP_ROUNDS = 5;

const HASHED_BYTES = 65_536;
const CHUNK_BYTES = 4096;
const HASHES_PER_TURN = 20;
const SIGNATURES = 16;
const MESSAGE_BYTES = 300;

export interface Competitor {
  readonly name: string;
  readonly version: string;
  /** One turn; how many units of work it does is the row's affair. */
  readonly run: () => void;
}

/** Rows of one kind of work, ours (the first competitor) beside each of the others. */
export function rowsOf(
  id: string,
  unit: string,
  competitors: readonly [Competitor, ...Competitor[]],
  valueIn: (milliseconds: number) => number,
): Row[] {
  const rounds = Array.from({ length: WARM_UP_ROUNDS + ROUNDS }, () =>
    competitors.map(({ run }) => {
      const start = performance.now();
      run();
      return performance.now() - start;
    }),
  ).slice(WARM_UP_ROUNDS);
  const times = (index: number): number[] => rounds.map((round) => round[index] ?? Number.NaN);
  const [, ...peers] = competitors;
  return peers.map(({ name, version }, index) => ({
    id: `${id}-${name.replace(/\W+/g, '-').replace(/^-/, '')}`,
    value: valueIn(median(times(0))),
    unit,
    peer: name,
    peerVersion: version,
    ratio: median(rounds.map((round) => (round[index + 1] ?? Number.NaN) / (round[0] ?? Number.NaN))),
  }));
}

export async function cryptoRows(): Promise<Row[]> {
  return [...(await hashRows()), ...(await signatureRows())];
}

/** V8 optimises modules in the background while first figures are already being taken: half a second for that. */
export function settled(competitors: [Competitor, ...Competitor[]]): [Competitor, ...Competitor[]] {
  for (const end = performance.now() + 500; performance.now() < end; ) {
    for (const { run } of competitors) run();
  }
  return competitors;
}

async function hashRows(): Promise<Row[]> {
  const hashWasm = await createSHA256();
  const crypto = loadCrypto();
  const data = sampleBytes(HASHED_BYTES);
  const chunks = Array.from({ length: HASHED_BYTES / CHUNK_BYTES }, (_, i) =>
    data.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES),
  );
  const streamed = (hash: { update(chunk: Uint8Array): unknown }): void => {
    for (const chunk of chunks) hash.update(chunk);
  };
  const competitors: [Competitor, ...Competitor[]] = [
    { name: 'moult', version: '', run: repeat(HASHES_PER_TURN, () => crypto.sha256(chunks)) },
    ...aheadOfTime((compiled) => repeat(HASHES_PER_TURN, () => compiled.sha256(chunks))),
    {
      name: 'node:crypto',
      version: process.versions.openssl,
      run: repeat(HASHES_PER_TURN, () => {
        const hash = createHash('sha256');
        streamed(hash);
        hash.digest();
      }),
    },
    {
      name: '@noble/hashes',
      version: packageVersion('@noble/hashes'),
      run: repeat(HASHES_PER_TURN, () => {
        const hash = sha256.create();
        streamed(hash);
        hash.digest();
      }),
    },
  ];
  competitors.push({
    name: 'hash-wasm',
    version: packageVersion('hash-wasm'),
    run: repeat(HASHES_PER_TURN, () => {
      hashWasm.init();
      streamed(hashWasm);
      hashWasm.digest('binary');
    }),
  });
  const megabytes = (HASHES_PER_TURN * HASHED_BYTES) / 1e6;
  return rowsOf('sha256-v8-64k', 'MB/s', settled(competitors), (ms) => megabytes / (ms / 1e3));
}

async function signatureRows(): Promise<Row[]> {
  await sodium.ready;
  const crypto = loadCrypto();
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const key = rawKey(publicKey);
  const cases = Array.from({ length: SIGNATURES }, (_, i) => {
    const message = sampleBytes(MESSAGE_BYTES + i);
    return { message, signature: new Uint8Array(sign(null, message, privateKey)) };
  });
  const each = (check: (message: Uint8Array, signature: Uint8Array) => boolean) => () => {
    for (const { message, signature } of cases) {
      if (!check(message, signature)) throw new Error('a valid signature was refused');
    }
  };
  const competitors: [Competitor, ...Competitor[]] = [
    { name: 'moult', version: '', run: each((message, signature) => crypto.verify(key, signature, message)) },
    ...aheadOfTime((compiled) => each((message, signature) => compiled.verify(key, signature, message))),
    {
      name: 'node:crypto',
      version: process.versions.openssl,
      run: each((message, signature) => verify(null, message, publicKey, signature)),
    },
    {
      name: '@noble/curves',
      version: packageVersion('@noble/curves'),
      run: each((message, signature) => ed25519.verify(signature, message, key)),
    },
    {
      name: 'libsodium-wrappers',
      version: packageVersion('libsodium-wrappers'),
      run: each((message, signature) => sodium.crypto_sign_verify_detached(signature, message, key)),
    },
  ];
  return rowsOf('ed25519-verify-v8', 'µs', settled(competitors), (ms) => (ms * 1e3) / SIGNATURES);
}

interface CryptoExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly [name: string]: ((...values: number[]) => number) | { readonly buffer: ArrayBuffer };
}

/** The same module, compiled to C and by the C compiler of this machine, where scripts/aot.mjs has built it. */
export const AHEAD_OF_TIME = 'moult-ahead-of-time';

function aheadOfTime(work: (compiled: ReturnType<typeof loadCrypto>) => () => void): Competitor[] {
  try {
    return [{ name: AHEAD_OF_TIME, version: '', run: work(loadCrypto(aot())) }];
  } catch (error) {
    if (error instanceof HostError && error.code === 'engine-missing') return [];
    throw error;
  }
}

/** build/crypto.wasm: its statics end below 8 KiB, and the rest of its page is the caller's. */
function loadCrypto(engine: Pick<Engine, 'Module' | 'Instance'> = WebAssembly) {
  const CONTEXT = 8192;
  const DIGEST = CONTEXT + 512;
  const DATA = CONTEXT + 1024;
  const module = new engine.Module(readFileSync(join(projectRoot(), 'build/crypto.wasm')));
  const exports = new engine.Instance(module, {}).exports as unknown as CryptoExports;
  const memory = new Uint8Array(exports.memory.buffer);
  const entry = (name: string): ((...values: number[]) => number) => {
    const found = exports[name];
    if (typeof found !== 'function') throw new Error(`build/crypto.wasm has no function ${name}`);
    return found;
  };
  const calls = (stem: string) => ({
    begin: entry(`${stem}_begin`),
    update: entry(`${stem}_update`),
    end: entry(`${stem}_end`),
  });
  const hash = calls('sha256');
  const verification = calls('ed25519_verify');
  return {
    sha256(chunks: readonly Uint8Array[]): Uint8Array {
      hash.begin(CONTEXT);
      for (const chunk of chunks) {
        memory.set(chunk, DATA);
        hash.update(CONTEXT, DATA, chunk.length);
      }
      hash.end(CONTEXT, DIGEST);
      return memory.slice(DIGEST, DIGEST + 32);
    },
    verify(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
      memory.set(publicKey, DATA);
      memory.set(signature, DATA + 32);
      if (!verification.begin(CONTEXT, DATA, DATA + 32)) return false;
      memory.set(message, DATA);
      verification.update(CONTEXT, DATA, message.length);
      return verification.end(CONTEXT) === 1;
    },
  };
}

function repeat(times: number, act: () => void): () => void {
  return () => {
    for (let i = 0; i < times; i++) act();
  };
}

function sampleBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 2_654_435_761) >>> 11);
}

function rawKey(publicKey: KeyObject): Uint8Array {
  return new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
}

export function packageVersion(name: string): string {
  const text = readFileSync(join(projectRoot(), 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
