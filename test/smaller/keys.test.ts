// Cores that know Ed25519 alone (assembly/lean.ts): keys of other kinds are no keys to them, and nothing else (TUF 4.2).
import { describe, expect, test } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import type { SigningKey } from '../../repo/index.ts';
import { provisionWith, Stage, stage } from '../tuf/kit.ts';
import { called, p256, point, rsa } from '../tuf/otherkeys.ts';

const KINDS: readonly (readonly [string, () => SigningKey])[] = [
  ['P-256', () => p256()],
  ['P-256, a point in hex', () => p256('ecdsa-sha2-nistp256', point)],
  [
    'P-256 that calls itself Ed25519',
    () => called(p256('ecdsa', point), { keytype: 'ed25519', scheme: 'ed25519' }),
  ],
  ['RSA', () => rsa()],
  ['RSA that calls itself Ed25519', () => called(rsa(), { keytype: 'ed25519', scheme: 'ed25519' })],
];

describe.each(KINDS)('a key of another kind: %s', (_, make) => {
  test.each(['timestamp', 'snapshot', 'targets'] as const)(
    'alone, for %s: nothing that it signed is taken',
    async (role) => {
      const s = await stage();
      s.keys[role] = [make()];
      s.root();
      s.offer({ releaseCounter: 2 });
      s.publish('targets');
      const finding = { status: 'SIGNATURES', role: role.toUpperCase() };
      for (const run of ['the check', 'the check after it']) expect(await s.check(), run).toEqual(finding);
      expect(s.trusted()[role]).not.toBe(s.versions[role]);
      s.runs(1);
      s.keys[role] = [s.newKey()];
      s.root();
      s.release({ releaseCounter: 3 });
      await s.accepts();
    },
  );

  test('of the next root: the device stays with the one that it has', async () => {
    const s = await stage();
    const own = s.keys.root;
    s.keys.root = [make()];
    s.forge('root', { keys: [...own, ...s.keys.root] });
    s.publish('targets');
    s.keys.root = own;
    await s.refuses('SIGNATURES', 'ROOT');
  });

  test('of the first root: no device is provisioned with it', () => {
    const s = new Stage({
      before: ({ keys }) => {
        keys.root = [make()];
      },
    });
    expect(provisionWith(s, s.file('root'))).toBe(Status.SIGNATURES);
  });

  test('beside one of Ed25519 it is passed over, and does not count', async () => {
    const s = await stage();
    const both = [make(), s.newKey()];
    s.keys.timestamp = both;
    s.root();
    s.publish('timestamp');
    await s.accepts();
    s.threshold.timestamp = 2;
    s.root();
    s.publish('timestamp');
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
  });
});

test.each([
  ['P-256', { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256' }],
  ['RSA', { keytype: 'rsa', scheme: 'rsassa-pss-sha256' }],
  ['Ed25519 with a scheme of P-256', { scheme: 'ecdsa-sha2-nistp256' }],
])('a key of Ed25519 that calls itself %s does not count', async (_, names) => {
  const s = await stage();
  s.keys.timestamp = [called(s.newKey(), names)];
  s.root();
  s.publish('timestamp');
  expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
});
