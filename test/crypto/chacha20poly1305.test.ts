import { beforeEach, describe, expect, it } from 'vitest';
import { CryptoModule, cuts, randomBytes, toHex } from './module.ts';
import { fields, vectors } from './vectors.ts';

interface Vectors {
  readonly stream: [key: string, nonce: string, block: number, text: string, result: string][];
  readonly code: string[][];
  readonly sealed: string[][];
}

const { stream, code, sealed } = vectors<Vectors>('rfc8439.json');
const TAG = 16;

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
}

describe('ChaCha20 and Poly1305 by crypto.test.wasm', () => {
  const module = new CryptoModule('crypto.test.wasm');
  const [context, small, data] = [module.arena, module.arena + 512, module.arena + 1024];

  it('gives the key streams of RFC 8439, however they are cut', () => {
    for (const [key, nonce, block, ...texts] of stream) {
      const [text, result] = texts.map((each) => fields([each])(0));
      if (!text || !result) throw new Error('no vector');
      for (const chunks of cuts(text)) {
        module.write(small, fields([key])(0));
        module.write(small + 32, fields([nonce])(0));
        module.call('chacha20_begin', context, small, small + 32, block);
        const parts = chunks.map((chunk) => {
          module.call('chacha20_update', context, data + 512, module.write(data, chunk), chunk.length);
          return toHex(module.read(data + 512, chunk.length));
        });
        expect(parts.join('')).toBe(toHex(result));
      }
    }
  });

  it.each(code)('gives the code of RFC 8439 for the key %s, however the text is cut', (...texts) => {
    const field = fields(texts);
    for (const chunks of cuts(field(1))) {
      module.call('poly1305_begin', context, module.write(small, field(0)));
      for (const chunk of chunks)
        module.call('poly1305_update', context, module.write(data, chunk), chunk.length);
      module.call('poly1305_end', context, small);
      expect(toHex(module.read(small, TAG))).toBe(toHex(field(2)));
    }
  });

  it('adds up as arithmetic does, for keys and texts of ones and zeros', () => {
    const P = 2n ** 130n - 5n;
    const number = (bytes: Uint8Array) => BigInt(`0x${toHex(bytes.toReversed()) || '0'}`);
    const random = randomBytes(1);
    const biased = (length: number) =>
      random(length).map((byte) => (byte < 100 ? 0 : byte < 200 ? 255 : byte));
    for (let i = 0; i < 2000; i++) {
      const [key, text] = [biased(32), biased(i % 70)];
      let sum = 0n;
      const r = number(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
      for (let at = 0; at < text.length; at += 16) {
        const block = text.subarray(at, at + 16);
        sum = ((sum + number(block) + (1n << BigInt(8 * block.length))) * r) % P;
      }
      const expected = (sum + number(key.subarray(16))) % 2n ** 128n;
      module.call('poly1305_begin', context, module.write(small, key));
      module.call('poly1305_update', context, module.write(data, text), text.length);
      module.call('poly1305_end', context, small);
      expect(number(module.read(small, TAG))).toBe(expected);
    }
  });
});

describe.each(['crypto.wasm', 'crypto.test.wasm'] as const)('ChaCha20-Poly1305 by %s', (file) => {
  let module: CryptoModule;
  let context: number;
  let small: number;
  let data: number;
  beforeEach(() => {
    module = new CryptoModule(file);
    context = module.arena;
    small = context + 512;
    data = context + 1024;
  });

  function begin(key: Uint8Array, nonce: Uint8Array, associated: Iterable<Uint8Array>): void {
    module.write(small, key);
    module.write(small + 32, nonce);
    module.call('chacha20poly1305_begin', context, small, small + 32);
    for (const chunk of associated)
      expect(module.call('chacha20poly1305_data', context, module.write(data, chunk), chunk.length)).toBe(1);
  }

  function through(verb: 'seal' | 'open', chunks: Iterable<Uint8Array>): string {
    let text = '';
    for (const chunk of chunks) {
      expect(
        module.call(`chacha20poly1305_${verb}`, context, data, module.write(data, chunk), chunk.length),
      ).toBe(1);
      text += toHex(module.read(data, chunk.length));
    }
    return text;
  }

  function seal(): string {
    expect(module.call('chacha20poly1305_seal_end', context, small)).toBe(1);
    return toHex(module.read(small, TAG));
  }

  const opens = (tag: Uint8Array) =>
    module.call('chacha20poly1305_open_end', context, module.write(small, tag)) === 1;

  const CASES = sealed.map(fields).map((field) => ({
    key: field(0),
    nonce: field(1),
    associated: field(2),
    text: field(3),
    cipher: field(4).subarray(0, -TAG),
    tag: field(4).subarray(-TAG),
  }));

  it('seals and opens what RFC 8439 does', () => {
    for (const { key, nonce, associated, text, cipher, tag } of CASES) {
      begin(key, nonce, [associated]);
      expect(through('seal', [text])).toBe(toHex(cipher));
      expect(seal()).toBe(toHex(tag));
      begin(key, nonce, [associated]);
      expect(through('open', [cipher])).toBe(toHex(text));
      expect(opens(tag)).toBe(true);
    }
  });

  it('does not depend on how text and associated data are cut', () => {
    const [, last] = CASES;
    if (last === undefined) throw new Error('no vector');
    const { key, nonce, associated, text, cipher, tag } = last;
    for (const chunks of cuts(associated)) {
      begin(key, nonce, chunks);
      through('open', [cipher]);
      expect(opens(tag)).toBe(true);
    }
    for (const chunks of cuts(cipher)) {
      begin(key, nonce, [associated]);
      expect(through('open', chunks)).toBe(toHex(text));
      expect(opens(tag)).toBe(true);
    }
    for (const chunks of cuts(text)) {
      begin(key, nonce, [associated]);
      expect(through('seal', chunks)).toBe(toHex(cipher));
      expect(seal()).toBe(toHex(tag));
    }
  });

  it('refuses any one bit flipped, in tag, text, associated data, nonce or key', () => {
    for (const { key, nonce, associated, cipher, tag } of CASES) {
      const authentic = (change: Partial<Record<'k' | 'n' | 'a' | 'c' | 't', Uint8Array>>) => {
        begin(change.k ?? key, change.n ?? nonce, [change.a ?? associated]);
        through('open', [change.c ?? cipher]);
        return opens(change.t ?? tag);
      };
      expect(authentic({})).toBe(true);
      for (let bit = 0; bit < 8 * TAG; bit++) expect(authentic({ t: flip(tag, bit) })).toBe(false);
      for (let bit = 0; bit < 8 * associated.length; bit++)
        expect(authentic({ a: flip(associated, bit) })).toBe(false);
      for (let bit = 0; bit < 8 * cipher.length; bit += 7)
        expect(authentic({ c: flip(cipher, bit) })).toBe(false);
      for (let bit = 0; bit < 96; bit += 5) expect(authentic({ n: flip(nonce, bit) })).toBe(false);
      for (let bit = 0; bit < 256; bit += 11) expect(authentic({ k: flip(key, bit) })).toBe(false);
      expect(authentic({ a: new Uint8Array() })).toBe(false);
      expect(authentic({ c: cipher.subarray(1) })).toBe(false);
      expect(authentic({ c: new Uint8Array([...cipher, 0]) })).toBe(false);
    }
  });

  it('tells a byte of associated data from a byte of text', () => {
    const [key, nonce, bytes] = [randomBytes(1)(32), randomBytes(2)(12), randomBytes(3)(32)];
    const tags = new Set<string>();
    for (let at = 0; at <= 32; at++) {
      begin(key, nonce, [bytes.subarray(0, at)]);
      through('seal', [bytes.subarray(at)]);
      tags.add(seal());
    }
    expect(tags.size).toBe(33);
  });

  it('refuses what comes out of order', () => {
    const [key, nonce] = [randomBytes(4)(32), randomBytes(5)(12)];
    begin(key, nonce, []);
    through('seal', [Uint8Array.of(1)]);
    expect(module.call('chacha20poly1305_data', context, data, 1)).toBe(0);
    const tag = seal();
    module.write(small, new Uint8Array(TAG).fill(0x5a));
    expect(module.call('chacha20poly1305_seal_end', context, small)).toBe(0);
    expect(module.read(small, TAG).every((byte) => byte === 0x5a)).toBe(true);
    expect(opens(Buffer.from(tag, 'hex'))).toBe(false);
    expect(module.call('chacha20poly1305_seal', context, data, data, 1)).toBe(0);
    expect(module.call('chacha20poly1305_open', context, data, data, 1)).toBe(0);
  });

  it('refuses text beyond the last block of the counter', () => {
    begin(randomBytes(6)(32), randomBytes(7)(12), []);
    through('seal', [new Uint8Array(64)]);
    // As if all but one byte had been sealed: the context counts 2^38 - 64.
    const counted = new DataView(module.memory.buffer, context + 224, 8);
    expect(counted.getBigUint64(0, true)).toBe(64n);
    counted.setBigUint64(0, 0x3fffffffbfn, true);
    expect(module.call('chacha20poly1305_seal', context, data, data, 2)).toBe(0);
    expect(module.call('chacha20poly1305_open', context, data, data, 2)).toBe(0);
    expect(module.call('chacha20poly1305_seal', context, data, data, 1)).toBe(1);
    expect(module.call('chacha20poly1305_seal', context, data, data, 1)).toBe(0);
  });

  it('leaves nothing of a secret behind: all of its own memory is as in a fresh module', () => {
    const fresh = module.read(0, module.call('memory_used'));
    for (const { key, nonce, associated, cipher, tag } of CASES) {
      begin(key, nonce, [associated]);
      through('open', [cipher]);
      expect(opens(tag)).toBe(true);
      expect(module.read(0, fresh.length)).toEqual(fresh);
      expect(
        module.read(context, module.constant('CHACHA20POLY1305_CONTEXT')).every((byte) => byte === 0),
      ).toBe(true);
    }
  });
});
