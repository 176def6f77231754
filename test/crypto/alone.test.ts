import { readdirSync, readFileSync, statSync } from 'node:fs';
import { expect, it } from 'vitest';

const SOURCES = new URL('../../assembly/crypto/', import.meta.url);
const MODULE = new URL('../../build/crypto.wasm', import.meta.url);

it('the crypto folder imports nothing outside itself, so that it can be used alone', () => {
  for (const file of readdirSync(SOURCES)) {
    const source = readFileSync(new URL(file, SOURCES), 'utf8');
    for (const [, path = ''] of source.matchAll(/\bfrom "([^"]+)"/g)) expect(path, file).toMatch(/^\.\/\w+$/);
  }
});

it('the module built from it has no imports and these exports', () => {
  const module = new WebAssembly.Module(readFileSync(MODULE));
  expect(WebAssembly.Module.imports(module)).toEqual([]);
  expect(
    WebAssembly.Module.exports(module)
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual([
    'ED25519_CONTEXT',
    'SHA256_CONTEXT',
    'SHA512_CONTEXT',
    'ed25519_verify_begin',
    'ed25519_verify_end',
    'ed25519_verify_update',
    'memory',
    'sha256_begin',
    'sha256_end',
    'sha256_restore',
    'sha256_save',
    'sha256_update',
    'sha512_begin',
    'sha512_end',
    'sha512_update',
  ]);
});

it('Ed25519, SHA-512 and SHA-256 together stay below 12 KiB of module', () => {
  expect(statSync(MODULE).size).toBeLessThanOrEqual(12 * 1024);
});
