// Keys of all kinds that TUF repositories have (TUF 1.0.34, 4.2), in all spellings, and what a key id is.
import { constants, createPublicKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { keyId, type SigningKey } from '../../repo/index.ts';
import { named, type Stage, stage } from './kit.ts';
import { called, p256, pem, point, rsa } from './otherkeys.ts';
import { drop, Members, put, text, type Value } from './values.ts';

/** A device whose repository gives the timestamp role these keys. */
function keyed(keys: SigningKey[], threshold = 1): Promise<Stage> {
  return stage({
    before: (made) => {
      made.keys.timestamp = keys;
      made.threshold.timestamp = threshold;
    },
  });
}

const KINDS: readonly (readonly [string, () => SigningKey])[] = [
  ['P-256, keytype ecdsa, PEM', () => p256()],
  ['P-256, keytype ecdsa-sha2-nistp256, PEM', () => p256('ecdsa-sha2-nistp256')],
  ['P-256, keytype ecdsa-sha2-nistp256, a point in hex', () => p256('ecdsa-sha2-nistp256', point)],
  ['P-256, PEM without its last newline', () => p256('ecdsa', (key) => pem(key).trim())],
  ['P-256, PEM with CR LF', () => p256('ecdsa', (key) => pem(key).replaceAll('\n', '\r\n'))],
  ['RSA of 2,048 bits', () => rsa()],
  ['RSA of 3,072 bits', () => rsa(3072)],
  ['RSA of 4,096 bits', () => rsa(4096)],
  ['RSA with the longest salt', () => rsa(2048, constants.RSA_PSS_SALTLEN_MAX_SIGN)],
  ['RSA without salt', () => rsa(2048, 0)],
];

describe.each(KINDS)('%s', (_, make) => {
  test('verifies what it signed, and nothing else', async () => {
    const s = await keyed([make()]);
    s.publish('timestamp');
    await s.accepts();
    s.forge('timestamp', { signed: put('x', 1), signatures: (honest) => honest.map(flipped) });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });
});

/** A signature with its last bit flipped. */
function flipped(signature: Value): Value {
  const { keyid = '', sig } = signature as { keyid: string; sig: string };
  const last = Number.parseInt(sig.slice(-1), 16) ^ 1;
  return { keyid, sig: sig.slice(0, -1) + last.toString(16) };
}

test('every role can have any of them', async () => {
  const s = await stage({
    before: (made) => {
      made.keys.root = [p256()];
      made.keys.timestamp = [rsa()];
      made.keys.snapshot = [p256('ecdsa-sha2-nistp256', point)];
      made.keys.targets = [rsa(2048, 32, 'b'), p256(), made.newKey()];
      made.threshold.targets = 3;
    },
  });
  s.release({ releaseCounter: 2 });
  await s.accepts();
  s.keys.root = [rsa(2048, 32, 'c')];
  s.root();
  s.publish('targets');
  await s.accepts();
  s.offer({ releaseCounter: 9 });
  s.forge('targets', { keys: s.keys.targets.slice(0, 2) });
  await s.refuses('SIGNATURES', 'TARGETS');
});

describe('what does not verify', () => {
  test.each<[string, () => SigningKey]>([
    ['RSA of 1,024 bits', () => rsa(1024)],
    ['RSA with SHA-384', () => rsa(2048, 32, 'a', 'sha384')],
    ['P-256 under the scheme of P-384', () => called(p256(), { scheme: 'ecdsa-sha2-nistp384' })],
    ['P-256 under the scheme of Ed25519', () => called(p256(), { scheme: 'ed25519' })],
    ['P-256 that calls itself P-384', () => called(p256(), { keytype: 'ecdsa-sha2-nistp384' })],
    ['P-256 that calls itself RSA', () => called(p256(), { keytype: 'rsa' })],
    ['RSA-PSS under the scheme of SHA-512', () => called(rsa(), { scheme: 'rsassa-pss-sha512' })],
    ['RSA that calls itself ecdsa', () => called(rsa(), { keytype: 'ecdsa' })],
    ['a curve that only calls itself P-256', () => p256('ecdsa', pem, 'secp256k1')],
    ['a point with one digit too many', () => p256('ecdsa-sha2-nistp256', (key) => `${point(key)}0`)],
    ['a compressed point', () => p256('ecdsa', (key) => `02${point(key).slice(2, 66)}`)],
    ['PEM with text before it', () => p256('ecdsa', (key) => `x${pem(key)}`)],
    ['PEM with letters beyond ASCII', () => p256('ecdsa', (key) => pem(key).replace('B', '\u0142'))],
    [
      'PEM that is too long to be a key',
      () => p256('ecdsa', (key) => pem(key).replace('\n', '\n'.repeat(1024))),
    ],
  ])('%s', async (_, make) => {
    const s = await stage();
    s.keys.timestamp = [make()];
    s.root();
    s.publish('timestamp');
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
    s.keys.timestamp = [s.newKey()];
    s.root();
    s.publish('timestamp');
    await s.accepts();
  });

  test.each<[string, (sig: string) => string]>([
    ['empty, as tuf-on-ci writes for who has not signed', () => ''],
    ['an odd number of digits', (sig) => sig.slice(1)],
    ['a letter that is no digit', (sig) => `g${sig.slice(1)}`],
    ['1,025 bytes', () => 'ab'.repeat(1025)],
    ['zeros', (sig) => '0'.repeat(sig.length)],
  ])('a signature: %s; and the other key still counts', async (_, change) => {
    for (const [bad, good] of [
      [p256(), p256()],
      [rsa(), rsa(2048, 32, 'b')],
    ] as const) {
      const s = await keyed([bad, good]);
      const broken = (honest: Value[]) =>
        honest.map((signature) => {
          const { keyid = '', sig } = signature as { keyid: string; sig: string };
          return { keyid, sig: keyid === bad.id ? change(sig) : sig };
        });
      s.forge('timestamp', { signatures: broken as never });
      await s.accepts();
      s.forge('timestamp', { keys: [bad], signatures: broken as never });
      await s.refuses('SIGNATURES', 'TIMESTAMP');
    }
  });
});

describe('[TUF-2a] a threshold counts keys, not names (tough CVE-2026-6966)', () => {
  test.each<[string, SigningKey, SigningKey]>([
    ['P-256', p256(), p256()],
    ['RSA', rsa(), rsa(2048, 32, 'b')],
  ])('%s under two ids counts once', async (_, one, other) => {
    const s = await keyed([one, named(one, 'twin'), other], 2);
    await s.settles();
    s.forge('timestamp', { keys: [one, named(one, 'twin')] });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });

  test('a P-256 key in PEM and the same as a point are one key', async () => {
    const one = p256();
    const keyval = { public: point(createPublicKey(one.secret)) };
    const other = { ...one, public: { ...one.public, keyval }, id: 'point' };
    const s = await stage();
    s.keys.timestamp = [one, other];
    s.threshold.timestamp = 2;
    s.root();
    s.publish('timestamp');
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
  });

  test('keys of several kinds add up', async () => {
    const keys = [p256(), rsa(), p256('ecdsa-sha2-nistp256', point)];
    const s = await keyed(keys, 3);
    s.publish('timestamp');
    await s.accepts();
    s.forge('timestamp', { keys: keys.slice(1) });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });
});

describe('key ids', () => {
  const OTHER = 'ab'.repeat(32);

  test('[TAP 12] are names: one that is not the hash of its key is taken', async () => {
    const s = await stage();
    s.keys.timestamp = [named(s.newKey(), 'a name'), named(s.newKey(), OTHER)];
    s.root();
    s.publish('timestamp');
    await s.accepts();
  });

  test.each(['a name', OTHER, ''])('in strict mode a key under the id %j does not count', async (id) => {
    const s = await stage({ configuration: { strictKeyIds: true } });
    const key = s.newKey();
    s.keys.timestamp = [named(key, id)];
    s.root();
    s.publish('timestamp');
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
    s.keys.timestamp = [key];
    s.root();
    s.publish('timestamp');
    await s.accepts();
  });

  test('in strict mode fields that nobody knows are part of the key, in whatever order they stand', async () => {
    const s = await stage({ configuration: { strictKeyIds: true } });
    const key = s.newKey();
    const extended = { ...key.public, 'x-tuf-on-ci-keyowner': '@somebody' };
    s.keys.timestamp = [{ ...key, id: keyId(extended), sign: (message) => key.sign(message) }];
    const stands = new Members(
      ['x-tuf-on-ci-keyowner', '@somebody'],
      ['scheme', key.public.scheme],
      ['keyval', key.public.keyval as unknown as Value],
      ['keytype', key.public.keytype],
    );
    s.root({ signed: put('keys', keyId(extended), stands) });
    s.publish('timestamp');
    await s.accepts();
    s.root({ signed: put('keys', keyId(extended), 'x-tuf-on-ci-keyowner', '@somebody else') });
    expect((await s.check()).status).toBe('SIGNATURES');
  });
});

test('a repository as tuf-on-ci keeps it is followed: P-256, its own fields, versions alone, empty signatures', async () => {
  const online = p256();
  const signers = [p256(), p256()];
  const owned = (key: SigningKey, owner: string) => put('keys', key.id, 'x-tuf-on-ci-keyowner', owner);
  const s = await stage({
    before: (made) => {
      made.keys.root = signers;
      made.keys.targets = signers;
      made.keys.timestamp = [online];
      made.keys.snapshot = [online];
    },
  });
  s.root({
    signed: [
      put('spec_version', '1.0.31'),
      ...signers.map((key, index) => owned(key, `@signer${index}`)),
      put('keys', online.id, 'x-tuf-on-ci-online-uri', 'gcpkms:projects/p/locations/l'),
      put('x-tuf-on-ci-expiry-period', 365),
      put('x-tuf-on-ci-signing-period', 60),
      put('roles', 'timestamp', 'x-tuf-on-ci-expiry-period', 4),
      put('roles', 'timestamp', 'x-tuf-on-ci-signing-period', 2),
    ],
    signatures: (honest) => [...honest, { keyid: 'ab'.repeat(32), sig: '' }],
  });
  s.offer({ releaseCounter: 2 });
  s.newest = 2;
  s.forge('targets', {
    signed: [put('x-tuf-on-ci-expiry-period', 365), put('x-tuf-on-ci-signing-period', 60)],
    signatures: (honest) =>
      honest.map((signature, index) => (index === 0 ? signature : { ...signature, sig: '' })),
    file: (envelope) => JSON.stringify(JSON.parse(text(envelope)), undefined, 1),
  });
  s.forge('snapshot', {
    signed: [drop('meta', 'targets.json', 'length'), drop('meta', 'targets.json', 'hashes')],
    file: (envelope) => JSON.stringify(JSON.parse(text(envelope)), undefined, 1),
  });
  s.forge('timestamp', {
    signed: [drop('meta', 'snapshot.json', 'length'), drop('meta', 'snapshot.json', 'hashes')],
  });
  await s.accepts();
});
