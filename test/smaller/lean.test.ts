// What the lean core leaves out where the small one has nothing of it: keys of other kinds in delegations and of bootloaders,
// and a key that payloads are encrypted for.
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Part } from '../../host/node/abi.ts';
import type { SigningKey } from '../../repo/index.ts';
import { Random } from '../../sim/random.ts';
import { boot, statusName } from '../fixtures/by-hand.ts';
import { CONFIGURATION, Stage } from '../tuf/kit.ts';
import { p256, rsa } from '../tuf/otherkeys.ts';
import { tree } from '../tuf/tree.ts';
import { bytes } from '../tuf/values.ts';

describe.each<[string, () => SigningKey]>([
  ['P-256', () => p256()],
  ['RSA', () => rsa()],
])('[TUF-7] a role that is delegated to by a key of %s', (_, make) => {
  test('is not trusted, and stops a search that comes to it', async () => {
    const key = make();
    const t = await tree();
    t.delegate('targets', 'A', { keys: [key] }).list('A', 'file', 'content');
    t.role('A').forgery = { keys: [key] };
    expect(t.publish().find('file')).toMatchObject({ status: 'SIGNATURES', role: 'DELEGATED' });
  });

  test('is trusted by its other key, of Ed25519, alone', async () => {
    const t = await tree();
    const { key } = t.role('A');
    t.delegate('targets', 'A', { keys: [make(), key] }).list('A', 'file', 'content');
    t.role('A').forgery = { keys: [key] };
    expect(t.publish().find('file').status).toBe('TARGET_VERIFIED');
  });
});

describe('a bootloader that trusts a key', () => {
  const bootKey = (type: 'ed25519' | 'ec') => {
    const pair =
      type === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
        : generateKeyPairSync('ed25519');
    return pair.publicKey.export({ format: 'der', type: 'spki' }).toString('hex');
  };

  test.each([
    ['of Ed25519 is provisioned with it', 'ed25519', 'OK'],
    ['of P-256 is refused, for its signatures could not be judged', 'ec', 'CONFIG_INVALID'],
  ] as const)('%s', (_, type, status) => {
    const { core } = boot(new Stage());
    core.provisionBegin(Part.CONFIG);
    core.provisionWrite(
      bytes(JSON.stringify({ ...CONFIGURATION, imageFormat: 'mcuboot', bootKey: bootKey(type) })),
    );
    expect(statusName(core.provisionEnd())).toBe(status);
  });
});

test('a device has no key that payloads could be encrypted for, and one for reports', () => {
  const { core } = boot(new Stage());
  core.provisionBegin(Part.CONFIG);
  core.provisionWrite(bytes(JSON.stringify(CONFIGURATION)));
  core.provisionEnd();
  expect(statusName(core.provisionBegin(Part.KEY))).toBe('OK');
  core.provisionWrite(new Random(7).bytes(32));
  expect(statusName(core.provisionEnd())).toBe('OK');
  expect(core.publicKeyRead()).toHaveLength(0);
  expect(core.reportKeyRead()).toHaveLength(32);
});
