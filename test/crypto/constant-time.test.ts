// Whether what is executed depends on a secret. What this cannot see is in SECURITY.md.
import { beforeAll, describe, expect, it } from 'vitest';
import { CryptoModule, randomBytes } from './module.ts';
import { type Trace, TracedModule } from './traced.ts';

const RUNS = 40;
const ARENA = 32_768;
const KEY = ARENA;
const CONTEXT = ARENA + 1024;
const OUT = ARENA + 2048;
const TAG = ARENA + 3072;
const DATA = ARENA + 4096;
const TABLES = ARENA + 5000;
const MESSAGE = 200;

describe('the executed instructions and their addresses', () => {
  let module: TracedModule;
  beforeAll(() => {
    module = new TracedModule();
    module.call('ed25519_tables_make', TABLES);
  });

  /** Secrets at the ends of what they can be, then any. */
  function* secrets(length: number): Generator<Uint8Array> {
    yield new Uint8Array(length);
    yield new Uint8Array(length).fill(255);
    yield new Uint8Array(length).fill(0x55);
    const random = randomBytes(length);
    for (let run = 0; run < RUNS; run++) yield random(length);
  }

  /** The traces of `act` over all secrets of a length, which are at DATA; each different trace once. */
  function traces(length: number, act: () => void, prepare: () => void = () => {}): Trace[] {
    const found = new Map<bigint, Trace>();
    for (const secret of secrets(length)) {
      prepare();
      module.memory.set(secret, DATA);
      const trace = module.trace(act);
      found.set(trace.hash, trace);
    }
    return [...found.values()];
  }

  function expectOne(found: readonly Trace[], least: number): void {
    expect(found).toHaveLength(1);
    expect(found[0]?.count).toBeGreaterThan(least);
    expect(found[0]?.divisions).toBe(0);
  }

  const sign = () => {
    module.call('ed25519_sign_begin', CONTEXT, KEY);
    module.call('ed25519_sign_update', CONTEXT, DATA + 32, MESSAGE);
    module.call('ed25519_sign_again', CONTEXT);
    module.call('ed25519_sign_update', CONTEXT, DATA + 32, MESSAGE);
    expect(module.call('ed25519_sign_end', CONTEXT, OUT)).toBe(1);
  };

  it.each([
    ['without tables', 0],
    ['with tables', TABLES],
  ])('of Ed25519 keys and signatures do not depend on seed and message, %s', (_, tables) => {
    const forget = () => module.memory.fill(0, KEY, KEY + 136);
    const makeAndSign = () => {
      module.call('ed25519_key_make', KEY, DATA, tables);
      sign();
    };
    expectOne(traces(32 + MESSAGE, makeAndSign, forget), 50_000);
  });

  it('of a key that is made again do not depend on it', () => {
    const makeAgain = () => module.call('ed25519_key_make', KEY, DATA, TABLES);
    const found = new Set<bigint>();
    for (const secret of secrets(32)) {
      module.memory.set(secret, DATA);
      makeAgain();
      const { hash, count } = module.trace(makeAgain);
      expect(count).toBeLessThan(10_000);
      found.add(hash);
    }
    expect(found.size).toBe(1);
  });

  it('of a new seed do not depend on the entropy', () => {
    const usable = (act: () => void) => () => {
      module.memory[DATA] = (module.memory[DATA + 1] ?? 0) ^ 1; // not all the same
      act();
    };
    expectOne(
      traces(
        64,
        usable(() => module.call('ed25519_seed_make', OUT, DATA, 64)),
      ),
      1000,
    );
  });

  it('of X25519 do not depend on the secret key, nor on what comes out', () => {
    module.memory.set(randomBytes(1)(32), DATA + 32);
    expectOne(
      traces(32, () => module.call('x25519', OUT, DATA, DATA + 32)),
      50_000,
    );
    expectOne(
      traces(64, () => module.call('x25519', OUT, DATA, DATA + 32)),
      50_000,
    );
    expectOne(
      traces(32, () => module.call('x25519_public', OUT, DATA)),
      50_000,
    );
  });

  it('of HKDF-SHA256 do not depend on secret, salt and info', () => {
    const derive = () => {
      module.call('hkdf_sha256_extract', OUT, DATA, 20, DATA + 20, 50);
      module.call('hkdf_sha256_expand', OUT + 32, 100, OUT, DATA + 70, 30);
    };
    expectOne(traces(100, derive), 1000);
  });

  it('of ChaCha20-Poly1305 do not depend on key and text, nor on how a tag is wrong', () => {
    const begin = () => {
      module.call('chacha20poly1305_begin', CONTEXT, DATA, DATA + 32);
      module.call('chacha20poly1305_data', CONTEXT, DATA + 44, 30);
    };
    const seal = () => {
      begin();
      module.call('chacha20poly1305_seal', CONTEXT, OUT, DATA + 74, 200);
      module.call('chacha20poly1305_seal_end', CONTEXT, TAG);
    };
    const open = () => {
      begin();
      module.call('chacha20poly1305_open', CONTEXT, OUT, DATA + 74, 200);
      module.call('chacha20poly1305_open_end', CONTEXT, DATA + 300);
    };
    expectOne(traces(274, seal), 500);
    expectOne(traces(316, open), 500);
    seal();
    const tag = module.memory.slice(TAG, TAG + 16);
    module.memory.copyWithin(DATA + 74, OUT, OUT + 200);
    const wrong = Array.from(tag, (byte, at) => {
      module.memory.set(tag.with(at, byte ^ 1), DATA + 300);
      return module.trace(open).hash;
    });
    expect(new Set(wrong).size).toBe(1);
    module.memory.set(tag, DATA + 300);
    expect(module.trace(open).hash).toBe(wrong[0]);
    begin();
    module.call('chacha20poly1305_open', CONTEXT, OUT, DATA + 74, 200);
    expect(module.call('chacha20poly1305_open_end', CONTEXT, DATA + 300)).toBe(1);
  });

  it('of a verification do depend on what is verified, which is public: the trace sees it', () => {
    const random = randomBytes(2);
    const hashes = Array.from({ length: 5 }, () => {
      module.memory.set(random(232), DATA);
      module.call('ed25519_key_make', KEY, DATA, TABLES);
      sign();
      return module.trace(() => {
        module.call('ed25519_verify_begin', CONTEXT, KEY + 64, OUT);
        module.call('ed25519_verify_update', CONTEXT, DATA + 32, MESSAGE);
        expect(module.call('ed25519_verify_end', CONTEXT)).toBe(1);
      }).hash;
    });
    expect(new Set(hashes).size).toBe(5);
  });

  it('are those of the module that ships', () => {
    const plain = new CryptoModule('crypto.wasm');
    const seed = randomBytes(3)(32);
    module.memory.set(seed, DATA);
    plain.write(DATA, seed);
    for (const each of [module, plain]) {
      each.memory.fill(0, KEY, KEY + 136);
      each.call('ed25519_key_make', KEY, DATA, 0);
    }
    expect(module.memory.slice(KEY, KEY + 136)).toEqual(plain.read(KEY, 136));
  });
});
