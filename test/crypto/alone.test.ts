import { readdirSync, readFileSync, statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { buildAlone } from './build-alone.ts';

const SOURCES = new URL('../../assembly/crypto/', import.meta.url);
const MODULE = new URL('../../build/crypto.wasm', import.meta.url);

it('the crypto folder imports nothing outside itself, so that it can be used alone', () => {
  for (const file of readdirSync(SOURCES).filter((name) => name.endsWith('.ts'))) {
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
    'CHACHA20POLY1305_CONTEXT',
    'ED25519_CONTEXT',
    'ED25519_KEY',
    'ED25519_PUBLIC_KEY',
    'ED25519_SIGN_CONTEXT',
    'ED25519_TABLES',
    'HKDF_SHA256_MOST',
    'HMAC_SHA256_CONTEXT',
    'P256_KEY',
    'SHA256_CONTEXT',
    'SHA512_CONTEXT',
    'SIGNATURE_CONTEXT',
    'SIGNATURE_ED25519',
    'SIGNATURE_KEY',
    'SIGNATURE_MATERIAL',
    'SIGNATURE_P256',
    'SIGNATURE_RSA',
    'SIGNATURE_SCHEME_UNKNOWN',
    'SIGNATURE_TYPE_UNKNOWN',
    'SPKI_ED25519',
    'SPKI_KEY',
    'SPKI_P256',
    'SPKI_RSA',
    'chacha20poly1305_begin',
    'chacha20poly1305_data',
    'chacha20poly1305_open',
    'chacha20poly1305_open_end',
    'chacha20poly1305_seal',
    'chacha20poly1305_seal_end',
    'ed25519_key_forget',
    'ed25519_key_make',
    'ed25519_seed_make',
    'ed25519_sign_again',
    'ed25519_sign_begin',
    'ed25519_sign_end',
    'ed25519_sign_update',
    'ed25519_tables_make',
    'ed25519_verify_begin',
    'ed25519_verify_end',
    'ed25519_verify_update',
    'hex_decode',
    'hkdf_sha256_expand',
    'hkdf_sha256_extract',
    'hmac_sha256_begin',
    'hmac_sha256_end',
    'hmac_sha256_update',
    'memory',
    'memory_used',
    'p256_verify',
    'pem_decode',
    'rsa_pss_verify',
    'sha256_begin',
    'sha256_end',
    'sha256_restore',
    'sha256_save',
    'sha256_update',
    'sha512_begin',
    'sha512_end',
    'sha512_update',
    'signature_begin',
    'signature_end',
    'signature_key',
    'signature_kind',
    'signature_update',
    'signature_verify_digest',
    'spki_parse',
    'x25519',
    'x25519_public',
  ]);
});

it('all of it stays below 30 KB of module', () => {
  expect(statSync(MODULE).size).toBeLessThanOrEqual(30_000);
});

it('Ed25519 verification, SHA-512 and SHA-256 together stay below 12 KiB: one pays for what one imports', () => {
  expect(buildAlone('ed25519', 'sha256', 'sha512').length).toBeLessThanOrEqual(12 * 1024);
});
