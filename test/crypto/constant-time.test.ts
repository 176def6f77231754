// Whether what is executed depends on a secret. What this cannot see is in SECURITY.md.
import { createCipheriv } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildAlone } from './build-alone.ts';
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

/** Secrets at the ends of what they can be, then any. */
function* secrets(length: number): Generator<Uint8Array> {
  yield new Uint8Array(length);
  yield new Uint8Array(length).fill(255);
  yield new Uint8Array(length).fill(0x55);
  const random = randomBytes(length);
  for (let run = 0; run < RUNS; run++) yield random(length);
}

describe('the executed instructions and their addresses', () => {
  let module: TracedModule;
  beforeAll(() => {
    module = new TracedModule();
    module.call('ed25519_tables_make', TABLES);
  });

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

  it('of Ed25519 keys and signatures in a core do not depend on the seed, nor on what the nonce is made of', () => {
    const whole = module;
    module = new TracedModule(buildAlone('ed25519device'));
    const makeAndSign = () => {
      module.call('ed25519_public', OUT + 64, DATA);
      module.call('ed25519_sign_begin', OUT, CONTEXT, DATA, OUT + 64, DATA + 32, 64);
      module.call('ed25519_sign_end', OUT, CONTEXT, DATA, DATA + 32, 64);
    };
    expectOne(traces(96, makeAndSign), 50_000);
    module = whole;
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

describe('the executed instructions and their addresses, of what opens chunks in moult.wasm, built by itself', () => {
  const NONCE = KEY + 32;
  let module: TracedModule;
  beforeAll(() => {
    module = new TracedModule(buildAlone('chunk'));
  });

  /** Writes key and text, sealed by somebody else; the tag changed by these bits. */
  function put(secret: Uint8Array, at = 0, bits = 0): void {
    const key = secret.subarray(0, 32);
    const cipher = createCipheriv('chacha20-poly1305', key, new Uint8Array(12), { authTagLength: 16 });
    const text = Buffer.concat([cipher.update(secret.subarray(32)), cipher.final()]);
    const tag = Uint8Array.from(cipher.getAuthTag());
    tag[at] = (tag[at] ?? 0) ^ bits;
    module.memory.fill(0, NONCE, NONCE + 12);
    module.memory.set(key, KEY);
    module.memory.set(text, DATA);
    module.memory.set(tag, DATA + text.length);
  }

  /** What is executed to open `length` bytes; whether that is so is as said. */
  function opening(length: number, authentic: boolean): Trace {
    return module.trace(() => {
      expect(module.call('chunk_open', CONTEXT, KEY, NONCE, DATA, length)).toBe(Number(authentic));
    });
  }

  it.each([1, 200, 1024])('do not depend on key and text: %i bytes', (length) => {
    const traces = Array.from(secrets(32 + length), (secret) => {
      put(secret);
      const trace = opening(length, true);
      expect(module.memory.slice(DATA, DATA + length)).toEqual(secret.slice(32));
      return trace;
    });
    expect(new Set(traces.map(({ hash }) => hash)).size).toBe(1);
    expect(traces[0]?.divisions).toBe(0);
    expect(traces[0]?.count).toBeGreaterThan(500);
  });

  it('do not depend on how a tag is wrong, and are fewer than of one that is right', () => {
    const hashes = new Set<bigint>();
    let most = 0;
    for (const secret of secrets(232))
      for (let at = 0; at < 16; at++) {
        put(secret, at, 1 << (at & 7));
        const { hash, count } = opening(200, false);
        hashes.add(hash);
        most = Math.max(most, count);
      }
    expect(hashes.size).toBe(1);
    put(randomBytes(1)(232));
    expect(opening(200, true).count).toBeGreaterThan(most);
  });
});
