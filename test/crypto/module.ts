// The crypto folder built alone, as it ships and as the test build that asserts the limb bounds.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { engine } from '../../host/node/engine.ts';

const ARENA = 32_768; // the statics of either build end below; everything above is the caller's

/** A built module, or another build of it that is under test: MOULT_CRYPTO is the folder that has it. */
export const builtCrypto = (file: 'crypto.wasm' | 'crypto.test.wasm') =>
  join(process.env.MOULT_CRYPTO ?? fileURLToPath(new URL('../../build', import.meta.url)), file);

type Callable = (...values: number[]) => number;

interface Exports {
  memory: { buffer: ArrayBuffer };
  [name: string]: Callable | { value: number } | { buffer: ArrayBuffer };
}

export class CryptoModule {
  readonly #exports: Exports;

  constructor(file: 'crypto.wasm' | 'crypto.test.wasm') {
    const module = new engine.Module(readFileSync(builtCrypto(file)));
    this.#exports = new engine.Instance(module, {}).exports as unknown as Exports;
  }

  /** Where the caller's memory begins, 8-byte aligned. */
  readonly arena = ARENA;

  get memory(): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer);
  }

  call(name: string, ...values: number[]): number {
    const member = this.#exports[name];
    if (typeof member !== 'function') throw new Error(`the module has no function ${name}`);
    return member(...values);
  }

  constant(name: string): number {
    const member = this.#exports[name];
    if (member === undefined || !('value' in member)) throw new Error(`the module has no constant ${name}`);
    return member.value;
  }

  write(at: number, bytes: Uint8Array): number {
    this.memory.set(bytes, at);
    return at;
  }

  read(at: number, length: number): Uint8Array {
    return this.memory.slice(at, at + length);
  }
}

const CONTEXT = ARENA;
const OTHER = ARENA + 1024;
const DATA = ARENA + 8192;
const CHUNK = 16_384;

export type Hash = 'sha256' | 'sha512';
export const HASH_BYTES = { sha256: 32, sha512: 64 };

/** The hash of the chunks, one update each (more where one does not fit). */
export function hash(module: CryptoModule, name: Hash, chunks: Iterable<Uint8Array>): Uint8Array {
  module.call(`${name}_begin`, CONTEXT);
  for (const chunk of chunks) update(module, `${name}_update`, CONTEXT, chunk);
  module.call(`${name}_end`, CONTEXT, OTHER);
  return module.read(OTHER, HASH_BYTES[name]);
}

/** Whether the module takes the signature; every argument may be hostile but not of a wrong length. */
export function verify(
  module: CryptoModule,
  publicKey: Uint8Array,
  signature: Uint8Array,
  chunks: Iterable<Uint8Array>,
): boolean {
  module.write(OTHER, publicKey);
  module.write(OTHER + 32, signature);
  if (!module.call('ed25519_verify_begin', CONTEXT, OTHER, OTHER + 32)) return false;
  module.memory.fill(0xaa, OTHER, OTHER + 96); // the caller may reuse its buffers
  for (const chunk of chunks) update(module, 'ed25519_verify_update', CONTEXT, chunk);
  return module.call('ed25519_verify_end', CONTEXT) !== 0;
}

function update(module: CryptoModule, name: string, context: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length || at === 0; at += CHUNK) {
    const part = chunk.subarray(at, at + CHUNK);
    module.call(name, context, module.write(DATA, part), part.length);
  }
}

/** Ways to cut a message: whole, in two at each byte, byte by byte. */
export function* cuts(message: Uint8Array): Generator<Uint8Array[]> {
  yield [message];
  for (let at = 0; at <= message.length; at++) yield [message.subarray(0, at), message.subarray(at)];
  yield Array.from(message, (_, at) => message.subarray(at, at + 1));
}

/** Repeatable bytes (xorshift32). */
export function randomBytes(seed: number): (length: number) => Uint8Array {
  let state = seed;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 255;
  };
  return (length) => Uint8Array.from({ length }, next);
}

export const fromHex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
export const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** An integer, little endian. */
export const toNumber = (bytes: Uint8Array) => BigInt(`0x${toHex(bytes.slice().reverse()) || '0'}`);
export const toBytes = (number: bigint, length: number) =>
  fromHex(number.toString(16).padStart(2 * length, '0')).reverse();
