// Signatures, keys and thresholds: TUF 1.0.34, 4.2 to 4.4.
import { describe, expect, test } from 'vitest';
import type { SigningKey } from '../../repo/index.ts';
import { drive } from './drive.ts';
import { HOUR, named, type Stage, stage } from './kit.ts';
import { type Change, drop, type JsonObject, Members, plain, put, text, type Value } from './values.ts';

/** A device whose timestamp role has so many keys and this threshold. */
function quorum(keys: number, threshold: number): Promise<Stage> {
  return stage({
    bank: 65_536,
    before: (s) => {
      s.keys.timestamp = Array.from({ length: keys }, () => s.newKey());
      s.threshold.timestamp = threshold;
    },
  });
}

function key(s: Stage): SigningKey {
  return s.keys.timestamp[0] ?? s.stranger;
}

describe('the threshold', () => {
  test.each([
    [0, 'SIGNATURES'],
    [1, 'SIGNATURES'],
    [2, undefined],
    [3, undefined],
  ] as const)('of 2 of 3 keys, signed by %i of them', async (signers, status) => {
    const s = await quorum(3, 2);
    s.forge('timestamp', { keys: s.keys.timestamp.slice(0, signers) });
    if (status) await s.refuses(status, 'TIMESTAMP');
    else await s.accepts();
  });

  test('is reached by any of the keys, in any order', async () => {
    const s = await quorum(5, 3);
    const [a, b, c, d, e] = s.keys.timestamp as [SigningKey, SigningKey, SigningKey, SigningKey, SigningKey];
    for (const keys of [
      [e, d, c],
      [a, c, e],
      [b, d, a],
      [e, a, b, c, d],
    ]) {
      s.forge('timestamp', { keys });
      await s.accepts();
    }
  });

  test('is reached by the right signatures among wrong ones of other keys of the role', async () => {
    const s = await quorum(7, 3);
    s.forge('timestamp', {
      signatures: (honest) => honest.map((signature, index) => (index % 2 ? signature : broken(signature))),
    });
    await s.accepts();
    s.forge('timestamp', {
      signatures: (honest) => honest.map((signature, index) => (index % 3 ? broken(signature) : signature)),
    });
    await s.accepts();
    s.forge('timestamp', {
      signatures: (honest) => honest.map((signature, index) => (index % 4 ? broken(signature) : signature)),
    });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });

  test('signatures of keys of other roles and of strangers count for nothing', async () => {
    const s = await quorum(2, 2);
    s.forge('timestamp', {
      keys: [key(s), s.stranger, ...s.keys.root, ...s.keys.snapshot, ...s.keys.targets],
    });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });

  test('a stranger who signs too does no harm', async () => {
    const s = await stage();
    s.forge('timestamp', { keys: [s.stranger, key(s)] });
    await s.accepts();
  });

  test.each([
    [0, 'THRESHOLD_INVALID'],
    [-1, 'THRESHOLD_INVALID'],
    [33, 'THRESHOLD_INVALID'],
    [2 ** 32, 'THRESHOLD_INVALID'],
    [2 ** 32 + 1, 'THRESHOLD_INVALID'],
    [Number.MAX_SAFE_INTEGER, 'THRESHOLD_INVALID'],
    ['1', 'THRESHOLD_INVALID'],
    [true, 'THRESHOLD_INVALID'],
    [null, 'THRESHOLD_INVALID'],
    [[1], 'THRESHOLD_INVALID'],
  ] as const)(
    '%j refuses the root that says so, for each role (go-tuf GHSA-fphv-w9fq-2525)',
    async (threshold, status) => {
      const s = await stage();
      for (const role of ['root', 'timestamp', 'snapshot', 'targets']) {
        s.forge('root', { signed: put('roles', role, 'threshold', threshold as Value) });
        await s.refuses(status, 'ROOT');
      }
    },
  );

  test('of 2 with one key is never met', async () => {
    const s = await stage();
    s.threshold.timestamp = 2;
    s.root();
    s.publish('timestamp');
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
    s.threshold.timestamp = 1;
    s.root();
    s.publish('targets');
    await s.accepts();
  });

  test('of 32 of 32 keys is met by 32 signatures, and not by 31', async () => {
    const s = await quorum(32, 32);
    s.publish('timestamp');
    await s.accepts();
    s.forge('timestamp', { keys: s.keys.timestamp.slice(1) });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });
});

describe('[TUF-2a] one key counts once (tough CVE-2026-6966)', () => {
  /** A root in which the one timestamp key stands under two ids, with a threshold of 2. */
  function twice(s: Stage, change: Change = () => undefined): void {
    const copy = { ...plain(key(s).public), 'x-copy': 1 };
    const ids = [key(s).id, 'the same key'];
    s.root({
      signed: [
        put('keys', 'the same key', copy),
        put('roles', 'timestamp', { keyids: ids, threshold: 2 }),
        change,
      ],
    });
  }

  test('under two ids it does not reach a threshold of 2', async () => {
    const s = await stage();
    twice(s);
    s.forge('timestamp', { keys: [key(s), named(key(s), 'the same key')] });
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
    s.root();
    s.publish('targets');
    await s.accepts();
  });

  test('under two ids, one in capitals, it does not reach a threshold of 2', async () => {
    const s = await stage();
    const capitals = key(s).public.keyval.public.toUpperCase();
    twice(s, put('keys', 'the same key', 'keyval', 'public', capitals));
    s.forge('timestamp', { keys: [key(s), named(key(s), 'the same key')] });
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
  });

  test('under two ids it counts for one, beside another key', async () => {
    const s = await stage();
    const other = s.newKey();
    twice(s, (root) => {
      put('keys', other.id, plain(other.public))(root);
      put('roles', 'timestamp', { keyids: ['the same key', other.id, key(s).id], threshold: 2 })(root);
    });
    s.forge('timestamp', { keys: [named(key(s), 'the same key'), other] });
    await s.accepts();
    s.forge('timestamp', { keys: [key(s), named(key(s), 'the same key')] });
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
  });

  test('under seven ids it counts once, however many are verified at a time', async () => {
    const s = await stage();
    const ids = Array.from({ length: 7 }, (_, index) => `copy ${index}`);
    s.root({
      signed: [
        ...ids.map((id) => put('keys', id, plain(key(s).public))),
        put('roles', 'timestamp', { keyids: ids, threshold: 2 }),
      ],
    });
    s.forge('timestamp', { keys: ids.map((id) => named(key(s), id)) });
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
  });

  test('two good signatures of one key, by two ids, do not make a new root', async () => {
    const s = await stage();
    const [own = s.stranger] = s.keys.root;
    s.forge('root', {
      signed: [
        put('keys', 'again', plain(own.public)),
        put('roles', 'root', { keyids: [own.id, 'again'], threshold: 2 }),
      ],
      keys: [own, named(own, 'again')],
    });
    await s.refuses('SIGNATURES', 'ROOT');
  });

  test('listed twice in `keyids` it is one key', async () => {
    const s = await stage();
    s.root({ signed: put('roles', 'timestamp', { keyids: [key(s).id, key(s).id], threshold: 2 }) });
    s.publish('timestamp');
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
  });
});

describe('4.2.1 `signatures`', () => {
  test('one key id twice refuses the file, though the threshold is met', async () => {
    const s = await stage();
    s.forge('timestamp', { signatures: ([one = {}]) => [one, one] });
    await s.refuses('SIGNATURE_DUPLICATE', 'TIMESTAMP');
  });

  test('one key id twice refuses the file, one signature being right and one wrong', async () => {
    const s = await stage();
    s.forge('timestamp', { signatures: ([one = {}]) => [one, broken(one)] });
    await s.refuses('SIGNATURE_DUPLICATE', 'TIMESTAMP');
    s.forge('timestamp', { signatures: ([one = {}]) => [broken(one), one] });
    await s.refuses('SIGNATURE_DUPLICATE', 'TIMESTAMP');
  });

  test('the id of a key that nobody knows, twice, refuses the file', async () => {
    const s = await stage();
    const nobody = { keyid: 'nobody', sig: '' };
    s.forge('timestamp', { signatures: (honest) => [nobody, ...honest, nobody] });
    await s.refuses('SIGNATURE_DUPLICATE', 'TIMESTAMP');
  });

  test('one key id in two spellings is one key id', async () => {
    const s = await stage();
    s.forge('timestamp', {
      signatures: ([one = {}]) => [one, one],
      file: (envelope) =>
        text(envelope).replace(
          `"keyid":"${key(s).id}"`,
          `"keyid":"\\u00${hex(key(s).id)}${key(s).id.slice(1)}"`,
        ),
    });
    await s.refuses('SIGNATURE_DUPLICATE', 'TIMESTAMP');
  });

  test.each([
    ['an empty signature', ''],
    ['one digit less', 'ab'.repeat(64).slice(1)],
    ['two digits more', 'ab'.repeat(65)],
    ['no hexadecimal digits', 'zz'.repeat(64)],
    ['zeros', '00'.repeat(64)],
    ['very much of it', 'ab'.repeat(500)],
  ])('%s is an invalid signature, not a fault of the file', async (_, sig) => {
    const s = await quorum(2, 1);
    s.forge('timestamp', { signatures: ([one = {}, two = {}]) => [{ ...one, sig }, two] });
    await s.accepts();
    s.forge('timestamp', { signatures: ([one = {}]) => [{ ...one, sig }] });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });

  test.each([
    ['two digits after it', (sig: string) => `${sig}00`],
    ['its last digit gone', (sig: string) => sig.slice(0, -1)],
    ['a space before it', (sig: string) => ` ${sig.slice(1)}`],
    ['L added to its S, which is the same number again (RFC 8032, 5.1.7)', plusOrder],
  ] as const)('the right signature with %s is none', async (_, change) => {
    const s = await stage();
    s.forge('timestamp', { signatures: ([one = {}]) => [{ ...one, sig: change(String(one.sig)) }] });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });

  test('a signature in capitals is the same signature', async () => {
    const s = await stage();
    s.forge('timestamp', { signatures: ([one = {}]) => [{ ...one, sig: String(one.sig).toUpperCase() }] });
    await s.accepts();
  });

  test('[CERT-I-1] any flipped bit of a signature refuses the file', async () => {
    const s = await stage();
    s.publish('timestamp');
    const before = s.device.snapshot();
    for (let bit = 0; bit < 512; bit += 7) {
      s.forge('timestamp', { signatures: ([one = {}]) => [broken(one, bit)] });
      expect(await s.check(), `bit ${bit}`).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
      s.device.restore(before);
    }
  });

  test.each([
    ['no keyid', drop('keyid'), 'ENVELOPE_INVALID'],
    ['no sig', drop('sig'), 'ENVELOPE_INVALID'],
    ['a keyid of another kind', put('keyid', 7), 'METADATA_INVALID'],
    ['a sig of another kind', put('sig', null), 'METADATA_INVALID'],
  ] as const)('one with %s refuses the file', async (_, change, status) => {
    const s = await stage();
    s.forge('timestamp', {
      signatures: (honest) => {
        for (const signature of honest) change(signature);
        return honest;
      },
    });
    await s.refuses(status, 'TIMESTAMP');
  });

  test.each([['a text'], [7], [null], [['keyid', 'sig']]])(
    'that hold %j instead of an object refuse the file',
    async (value) => {
      const s = await stage();
      s.forge('timestamp', { signatures: (honest) => [...honest, value as Value] });
      await s.refuses('METADATA_INVALID', 'TIMESTAMP');
    },
  );

  test.each(['keyid', 'sig'])('two members %s in one signature refuse the file', async (name) => {
    const s = await stage();
    s.forge('timestamp', {
      signatures: ([one = {}]) => [
        new Members(['keyid', one.keyid ?? ''], ['sig', one.sig ?? ''], [name, one[name] ?? '']),
      ],
    });
    await s.refuses('JSON_DUPLICATE', 'TIMESTAMP');
  });

  test('`sig` before `keyid`, and members that are not known, do no harm', async () => {
    const s = await stage();
    s.forge('timestamp', {
      signatures: ([one = {}]) => [
        { bundle: { x: [1] }, sig: one.sig ?? '', method: 'sigstore', keyid: one.keyid ?? '' },
      ],
    });
    await s.accepts();
  });

  test('64 are read, 65 refused (endless work)', async () => {
    const s = await stage();
    const strangers = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ keyid: `k${index}`, sig: '' }));
    s.forge('timestamp', { signatures: (honest) => [...strangers(63), ...honest] });
    await s.accepts();
    s.forge('timestamp', { signatures: (honest) => [...honest, ...strangers(64)] });
    await s.refuses('TOO_MANY_KEYS', 'TIMESTAMP');
  });
});

test('a signature that lacks its last byte is none, even if the one before it ended so', async () => {
  const s = await stage();
  s.publish('timestamp');
  const core = s.powerOn();
  expect(drive(core, s).status).toBe('UP_TO_DATE');
  const whole = new TextDecoder().decode(s.file('timestamp'));
  const cut = whole.replace(/("sig":"[0-9a-f]{126})[0-9a-f]{2}"/, '$1"');
  expect(cut).toHaveLength(whole.length - 2);
  s.files.set(s.path('timestamp'), new TextEncoder().encode(cut));
  s.clock.set(s.clock.seconds() + 2 * HOUR);
  expect(drive(core, s)).toMatchObject({ status: 'SIGNATURES', role: 'TIMESTAMP' });
});

describe('4.2 keys', () => {
  const RSA = {
    keytype: 'rsa',
    scheme: 'rsassa-pss-sha256',
    keyval: { public: '-----BEGIN PUBLIC KEY-----\nMII\n' },
  };
  const P256 = {
    keytype: 'ecdsa',
    scheme: 'ecdsa-sha2-nistp256',
    keyval: { public: '-----BEGIN PUBLIC KEY-----\nMFk\n' },
  };
  const FUTURE = { keytype: 'ml-dsa', scheme: 'ml-dsa-44', keyval: { public: 'ab'.repeat(1312) }, x: [{}] };

  test.each([
    ['rsa', RSA],
    ['ecdsa', P256],
    ['a key type of the future', FUTURE],
    [
      'ed25519 of another scheme',
      { keytype: 'ed25519', scheme: 'ed25519ph', keyval: { public: 'ab'.repeat(32) } },
    ],
    [
      'another key type of the scheme ed25519',
      { keytype: 'x25519', scheme: 'ed25519', keyval: { public: 'ab'.repeat(32) } },
    ],
    ['ed25519 with 31 bytes', { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 'ab'.repeat(31) } }],
    ['ed25519 with 33 bytes', { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 'ab'.repeat(33) } }],
    ['ed25519 in PEM', { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: RSA.keyval.public } }],
    [
      'ed25519 of small order',
      { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: '00'.repeat(32) } },
    ],
    ['no scheme', { keytype: 'ed25519', keyval: { public: 'ab'.repeat(32) } }],
    ['no keyval', { keytype: 'ed25519', scheme: 'ed25519' }],
    ['no public', { keytype: 'ed25519', scheme: 'ed25519', keyval: { private: 'ab'.repeat(32) } }],
    ['a public of another kind', { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 7 } }],
  ])('%s: skipped, without refusing the file', async (_, other) => {
    const s = await stage();
    s.root({
      signed: [
        put('keys', 'other', other as Value),
        put('roles', 'timestamp', 'keyids', ['other', key(s).id]),
      ],
    });
    const signature = { keyid: 'other', sig: 'ab'.repeat(64) };
    s.forge('timestamp', { signatures: (honest) => [signature, ...honest] });
    await s.accepts();
    s.forge('timestamp', { signatures: () => [signature] });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });

  test('a key that only calls itself ed25519 verifies nothing, right as its signature is', async () => {
    for (const change of [put('scheme', 'ecdsa-sha2-nistp256'), put('keytype', 'ecdsa')]) {
      const s = await stage();
      const other = plain(key(s).public);
      change(other);
      s.root({ signed: put('keys', key(s).id, other) });
      s.publish('timestamp');
      expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
    }
  });

  test.each([
    ['two digits after it', (digits: string) => `${digits}00`],
    ['its last digit gone', (digits: string) => digits.slice(0, -1)],
  ])('the right key with %s verifies nothing', async (_, change) => {
    const s = await stage();
    const digits = key(s).public.keyval.public;
    s.root({ signed: put('keys', key(s).id, 'keyval', 'public', change(digits)) });
    s.publish('timestamp');
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
  });

  test('a key of small order, which one signature satisfies for every message, verifies nothing', async () => {
    const s = await stage();
    const neutral = `01${'00'.repeat(31)}`;
    s.root({ signed: put('keys', key(s).id, 'keyval', 'public', neutral) });
    s.forge('timestamp', { signatures: ([one = {}]) => [{ ...one, sig: neutral + '00'.repeat(32) }] });
    expect(await s.check()).toEqual({ status: 'SIGNATURES', role: 'TIMESTAMP' });
  });

  test('a key id of a role that no key has is skipped', async () => {
    const s = await stage();
    s.root({ signed: put('roles', 'timestamp', 'keyids', ['gone', key(s).id]) });
    s.forge('timestamp', { signatures: (honest) => [{ keyid: 'gone', sig: 'ab'.repeat(64) }, ...honest] });
    await s.accepts();
  });

  test.each(['a name', 'Schlüssel 1', 'x'.repeat(128), ''])(
    'an id that is not the hash of the key (TAP 12): %s',
    async (id) => {
      const s = await stage();
      s.root({ signed: [put('keys', id, plain(key(s).public)), put('roles', 'timestamp', 'keyids', [id])] });
      s.forge('timestamp', { keys: [named(key(s), id)] });
      await s.accepts();
    },
  );

  test('members of a key that are not known, as tuf-on-ci writes them', async () => {
    const s = await stage();
    s.root({
      signed: [
        put('keys', key(s).id, 'x-tuf-on-ci-keyowner', '@ünser'),
        put('keys', key(s).id, 'keyval', 'x', [1]),
        put('roles', 'timestamp', 'x-tuf-on-ci-expiry-period', 1825),
        put('x-tuf-on-ci-signing-period', 60),
      ],
    });
    s.publish('timestamp');
    await s.accepts();
  });

  test('32 keys of a role are read, 33 refuse the root that lists them (endless work)', async () => {
    const s = await stage({ bank: 65_536 });
    const [own = s.stranger] = s.keys.timestamp;
    s.keys.timestamp = [...Array.from({ length: 31 }, () => s.newKey()), own];
    s.root();
    s.forge('timestamp', { keys: [own] });
    await s.accepts();
    s.keys.timestamp.push(s.newKey());
    s.forge('root', {});
    s.keys.timestamp.pop();
    await s.refuses('TOO_MANY_KEYS', 'ROOT');
  });

  test.each([
    ['keyids', 'x'],
    ['keyids', [7]],
    ['keyids', {}],
  ] as const)('%s of another kind (%j) refuses the root', async (name, value) => {
    const s = await stage();
    s.forge('root', { signed: put('roles', 'timestamp', name, value as Value) });
    await s.refuses('METADATA_INVALID', 'ROOT');
  });
});

test('[CERT-I-1] what is signed is the canonical form: one changed byte of it refuses the file', async () => {
  const s = await stage();
  for (const change of [
    put('version', 3),
    put('x', 1),
    put('expires', '2030-01-02T00:00:01Z'),
    drop('spec_version'),
  ]) {
    s.forge('timestamp', {
      file: ({ signatures, signed }) => {
        change(signed as JsonObject);
        return text({ signatures, signed });
      },
    });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  }
});

test('nothing of `signed` is believed before its signatures hold: every other fault is one of signatures', async () => {
  const s = await stage();
  for (const change of [
    put('version', 0),
    put('_type', 'root'),
    put('spec_version', '9'),
    put('expires', 'never'),
    drop('meta'),
  ]) {
    s.forge('timestamp', { keys: [s.stranger], signed: change });
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  }
});

function broken(signature: JsonObject, bit = 300): JsonObject {
  const bytes = Buffer.from(String(signature.sig), 'hex');
  bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return { ...signature, sig: bytes.toString('hex') };
}

/** A signature whose S is larger by the order of the base point, little endian. */
function plusOrder(sig: string): string {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const reversed = (digits: string) => Buffer.from(digits, 'hex').reverse().toString('hex');
  const s = BigInt(`0x${reversed(sig.slice(64))}`) + order;
  return sig.slice(0, 64) + reversed(s.toString(16).padStart(64, '0'));
}

/** The first character of an id as two hexadecimal digits of its code. */
function hex(id: string): string {
  return id.charCodeAt(0).toString(16);
}
