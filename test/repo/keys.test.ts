import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import { expect, test } from 'vitest';
import { generateKey, keyId, openRepository, verifySignature, writeNewKey } from '../../repo/index.ts';
import { keyMaterial } from '../../repo/keys.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { seeded, testRepository } from '../fixtures/repositories.ts';

// RFC 8032, section 7.1, TEST 2.
const SEED = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
const PUBLIC = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';
const SIGNATURE =
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';

const ONE_EACH = {
  root: { keys: 1, threshold: 1 },
  timestamp: { keys: 1, threshold: 1 },
  snapshot: { keys: 1, threshold: 1 },
  targets: { keys: 1, threshold: 1 },
};

test('Ed25519 keys sign as RFC 8032 says', () => {
  const key = generateKey(() => Buffer.from(SEED, 'hex'));
  expect(key.public).toEqual({ keytype: 'ed25519', scheme: 'ed25519', keyval: { public: PUBLIC } });
  expect(Buffer.from(key.sign(Buffer.of(0x72))).toString('hex')).toBe(SIGNATURE);
  expect(verifySignature(key.public, Buffer.of(0x72), SIGNATURE)).toBe(true);
  expect(verifySignature(key.public, Buffer.of(0x73), SIGNATURE)).toBe(false);
});

test('an independent implementation verifies our signatures', () => {
  const message = Buffer.from('moult');
  const key = generateKey();
  const publicKey = Buffer.from(key.public.keyval.public, 'hex');
  expect(ed25519.verify(key.sign(message), message, publicKey, { zip215: false })).toBe(true);
});

test('a key id is the SHA-256 of the canonical key object', () => {
  // Computed with python-tuf (securesystemslib 1.3.1, SSlibKey).
  const key = generateKey(() => Buffer.from(SEED, 'hex'));
  expect(key.id).toBe('eaf1e23f6c823132f437a2eaa299a7950f7386631deff273db195bbd26209e2b');
  expect(keyId({ ...key.public, 'x-unknown': 1 } as typeof key.public)).not.toBe(key.id);
});

test.each([
  ['an unknown scheme', { keytype: 'ed448', scheme: 'ed448', keyval: { public: PUBLIC } }],
  [
    'a public key of the wrong length',
    { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: PUBLIC.slice(2) } },
  ],
  [
    'a public key that is not hexadecimal',
    { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 'z'.repeat(64) } },
  ],
])('%s verifies nothing', (_, key) => {
  expect(verifySignature(key, Buffer.of(0x72), SIGNATURE)).toBe(false);
});

test('P-256 keys in PEM and as a point verify, and are the same key', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-65).toString('hex');
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const signature = sign('sha256', Buffer.of(0x72), privateKey).toString('hex');
  const ecdsa = (text: string) => ({
    keytype: 'ecdsa',
    scheme: 'ecdsa-sha2-nistp256',
    keyval: { public: text },
  });
  for (const text of [pem, point]) {
    expect(verifySignature(ecdsa(text), Buffer.of(0x72), signature)).toBe(true);
    expect(verifySignature(ecdsa(text), Buffer.of(0x73), signature)).toBe(false);
    expect(keyMaterial(ecdsa(text))).toBe(keyMaterial(ecdsa(pem)));
  }
  const other = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey;
  const foreign = ecdsa(other.export({ format: 'pem', type: 'spki' }).toString());
  expect(verifySignature(foreign, Buffer.of(0x72), signature)).toBe(false);
  const secret = ecdsa(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
  expect(verifySignature(secret, Buffer.of(0x72), signature)).toBe(false);
});

test('key files are PKCS#8: encrypted ones open with the passphrase alone, and only their owner may read them', async () => {
  const path = join(temporaryFolder(), 'alice.pem');
  const stored = await writeNewKey(path, true, {
    passphrase: () => 'correct horse',
    random: seeded('alice'),
  });
  const pem = readFileSync(path, 'utf8');
  expect(pem).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
  // OpenSSL, inside node:crypto, is the independent reader.
  const opened = createPrivateKey({ key: pem, passphrase: 'correct horse' });
  expect(opened.equals(generateKey(seeded('alice')).secret)).toBe(true);
  expect(() => createPrivateKey({ key: pem, passphrase: 'wrong' })).toThrow();
  expect(pem).not.toContain(opened.export({ format: 'pem', type: 'pkcs8' }).toString().split('\n')[1]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(path.replace('.pem', '.pub'), 'utf8'))).toEqual(stored.public);
});

test('a key file is never overwritten', async () => {
  const path = join(temporaryFolder(), 'alice.pem');
  await writeNewKey(path, false, {});
  const before = readFileSync(path);
  await expect(writeNewKey(path, false, {})).rejects.toMatchObject({ code: 'key-exists' });
  expect(readFileSync(path)).toEqual(before);
});

test('an empty passphrase encrypts nothing, and nothing is written', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'alice.pem');
  await expect(writeNewKey(path, true, { passphrase: () => '' })).rejects.toMatchObject({
    code: 'passphrase-missing',
  });
  expect(readdirSync(folder)).toEqual([]);
});

test('a wrong passphrase, none, a damaged and an exchanged key file are each named', async () => {
  const { repository } = await testRepository({ encrypt: true, passphrase: () => 'right', roles: ONE_EACH });
  const pem = join(repository.directory, 'keys', 'targets-1.pem');
  const good = readFileSync(pem);
  const publish = async (passphrase?: () => string) =>
    (await openRepository(repository.directory, passphrase ? { passphrase } : {})).publish();
  await expect(publish(() => 'wrong')).rejects.toMatchObject({
    code: 'passphrase-wrong',
    message: expect.stringContaining(pem),
  });
  await expect(publish()).rejects.toMatchObject({
    code: 'passphrase-missing',
    message: expect.stringContaining('targets-1'),
  });
  writeFileSync(pem, readFileSync(join(repository.directory, 'keys', 'root-1.pem')));
  await expect(publish(() => 'right')).rejects.toMatchObject({
    code: 'key-corrupt',
    message: expect.stringContaining(pem),
  });
  writeFileSync(pem, 'not a key');
  await expect(publish(() => 'right')).rejects.toMatchObject({
    code: 'key-corrupt',
    message: expect.stringContaining(pem),
  });
  writeFileSync(pem, good);
  await expect(publish(() => 'right')).resolves.toBeDefined();
  const pub = pem.replace('.pem', '.pub');
  writeFileSync(pub, '{');
  await expect(publish(() => 'right')).rejects.toMatchObject({
    code: 'key-corrupt',
    message: expect.stringContaining(pub),
  });
});

test('no two keys of a repository are the same', async () => {
  const { repository } = await testRepository({ random: randomBytes });
  const ids = (
    await Promise.all(
      (['root', 'timestamp', 'snapshot', 'targets'] as const).map((role) => repository.signingKeys(role)),
    )
  ).flat();
  expect(new Set(ids.map((key) => key.id)).size).toBe(7);
});
