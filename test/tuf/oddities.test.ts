// What a repository may hold that this device does not need to understand: it is passed over, and never counts.
import { describe, expect, test } from 'vitest';
import type { SigningKey } from '../../repo/index.ts';
import { named, type Stage, stage } from './kit.ts';
import { type JsonObject, plain, put, type Value } from './values.ts';

describe('targets that are no release for this device', () => {
  const FOREIGN: readonly (readonly [string, JsonObject])[] = [
    ['an odd number of digits in its sha256', { length: 5, hashes: { sha256: 'abc' } }],
    ['a sha256 that is too short', { length: 5, hashes: { sha256: 'ab'.repeat(31) } }],
    ['a sha256 that is no hex', { length: 5, hashes: { sha256: 'xy'.repeat(32) } }],
    ['a sha512 that is too short', { length: 5, hashes: { sha512: 'ab' } }],
    ['a length above 4 GiB', { length: 5_000_000_000, hashes: { sha256: 'ab'.repeat(32) } }],
  ];

  test.each(FOREIGN)('%s: the releases beside it are installed', async (_, target) => {
    const s = await stage();
    s.offer({ releaseCounter: 2 });
    s.newest = 2;
    s.forge('targets', { signed: put('targets', 'isos/odd.img', target) });
    await s.accepts();
  });

  test('a release of this device with such a hash is not chosen', async () => {
    const s = await stage();
    s.offer({ releaseCounter: 2 });
    s.newest = 2;
    s.offer({ releaseCounter: 3, target: put('hashes', 'sha256', 'ab'.repeat(31)) });
    s.publish('targets');
    await s.accepts();
  });
});

describe('4.2 keys of a shape that this client does not know are skipped', () => {
  const SHAPES: readonly JsonObject[] = [
    { keytype: 'x', scheme: 'y', keyval: 'a text' },
    { keytype: 'x', scheme: 'y', keyval: null },
    { keytype: 'x', scheme: 'y', keyval: ['a', { b: 1 }] },
    { keytype: 'x', scheme: 'y', keyval: { public: 5 } },
    { keytype: 'x', scheme: 'y', keyval: { public: null } },
    { keytype: 'x', scheme: 'y' },
    { keytype: 5, scheme: 'y', keyval: {} },
    { keytype: null, scheme: ['y'], keyval: { public: 'ab'.repeat(32) } },
    {},
  ];
  const ID = 'f'.repeat(64);

  test.each(SHAPES.map((shape) => [JSON.stringify(shape), shape] as const))(
    '%s, beside a key that signs',
    async (_, shape) => {
      const s = await stage();
      const [key = s.stranger] = s.keys.timestamp;
      s.root({ signed: [put('keys', ID, shape), put('roles', 'timestamp', 'keyids', [key.id, ID])] });
      s.publish('targets');
      await s.accepts();
    },
  );

  test.each(SHAPES.map((shape) => [JSON.stringify(shape), shape] as const))(
    '%s signs nothing',
    async (_, shape) => {
      const s = await stage();
      s.root({ signed: [put('keys', ID, shape), put('roles', 'timestamp', 'keyids', [ID])] });
      s.forge('timestamp', { keys: s.keys.timestamp.map((key) => named(key, ID)) });
      expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
      s.heal();
      s.root();
      s.release({ releaseCounter: s.newest + 1 });
      await s.accepts();
    },
  );
});

describe('4.2 key ids are any text', () => {
  const LONG = 'b'.repeat(200);

  /** A device that trusts a root in which the timestamp key bears this id; and the key. */
  async function called(id: string): Promise<{ s: Stage; signer: SigningKey }> {
    const s = await stage();
    const [key = s.stranger] = s.keys.timestamp;
    s.root({ signed: [put('keys', id, plain(key.public)), put('roles', 'timestamp', 'keyids', [id])] });
    return { s, signer: named(key, id) };
  }

  test.each([129, 200, 1000])('of %i bytes: the key counts', async (length) => {
    const { s, signer } = await called('b'.repeat(length));
    s.forge('timestamp', { keys: [signer] });
    await s.accepts();
  });

  test('of 200 bytes: another id that begins alike is another key', async () => {
    const { s, signer } = await called(LONG);
    s.forge('timestamp', { keys: [named(signer, `${LONG.slice(0, -1)}c`)] });
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
    expect(s.trusted()).toMatchObject({ root: 2, timestamp: 1 });
  });

  test.each(['known', 'unknown'])('of 200 bytes, %s, twice in one file: refused', async (which) => {
    const { s, signer } = await called(LONG);
    const id = which === 'known' ? LONG : 'a'.repeat(200);
    const twice: Value[] = ['00'.repeat(64), '11'.repeat(64)].map((sig) => ({ keyid: id, sig }));
    s.forge('timestamp', { keys: [signer], signatures: (honest) => [...honest, ...twice] });
    expect(await s.check()).toEqual({ status: 'SIGNATURE_DUPLICATE', role: 'TIMESTAMP' });
    expect(s.trusted()).toMatchObject({ root: 2, timestamp: 1 });
  });
});
