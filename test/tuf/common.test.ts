// What every role's `signed` holds: `_type`, `spec_version`, `version` and the rest (TUF 1.0.34, 4.3).
import { describe, expect, test } from 'vitest';
import { Role } from '../../host/node/abi.ts';
import type { RoleName } from '../../repo/index.ts';
import { nameOf, stage, type Verdict } from './kit.ts';
import { type Change, drop, put, Raw, text, type Value } from './values.ts';

const ROLES: readonly RoleName[] = ['root', 'timestamp', 'snapshot', 'targets'];

/** For each role, a device refuses a file with this change, signed by the right keys. */
async function eachRefuses(change: Change, status: Verdict['status']): Promise<void> {
  for (const [index, role] of ROLES.entries()) {
    const s = await stage();
    s.forge(role, { signed: change });
    await s.refuses(status, nameOf(Role, index));
  }
}

/** For each role, a device accepts a file with this change. */
async function eachAccepts(change: Change): Promise<void> {
  const s = await stage();
  s.root({ signed: change });
  for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
    s.forge(role, { signed: change });
    await s.accepts();
  }
}

describe('`_type`', () => {
  test.each(ROLES)('a %s file, validly signed, does not pass for that of another role', async (type) => {
    for (const [index, role] of ROLES.entries()) {
      if (role === type) continue;
      const s = await stage({
        before: (made) => {
          const [key = made.stranger] = made.keys.root;
          for (const name of ROLES) made.keys[name] = [key];
        },
      });
      s.forge(role, { signed: put('_type', type) });
      await s.refuses('TYPE_MISMATCH', nameOf(Role, index));
    }
  });

  test.each([
    ['Root'],
    ['ROOT'],
    ['mirrors'],
    [''],
    ['timestamp '],
    ['timestamp.json'],
    ['signed'],
    ['x'.repeat(300)],
  ])('%j is no role', (type) => eachRefuses(put('_type', type), 'TYPE_MISMATCH'));

  test('of another kind', () => eachRefuses(put('_type', 1), 'METADATA_INVALID'));
  test('missing', () => eachRefuses(drop('_type'), 'METADATA_INVALID'));
});

describe('`spec_version`', () => {
  test.each(['1', '1.0', '1.0.0', '1.0.34', '1.1', '1.99.99'])('%s is read', (version) =>
    eachAccepts(put('spec_version', version)),
  );

  test.each(['2', '2.0.0', '0.9', '10.0.0', '11', '', 'x', ' 1.0', 'v1.0', '-1.0', '1_0'])(
    '%j is refused',
    (version) => eachRefuses(put('spec_version', version), 'SPEC_VERSION'),
  );

  test('of another kind', () => eachRefuses(put('spec_version', 1), 'METADATA_INVALID'));
  test('missing', () => eachRefuses(drop('spec_version'), 'METADATA_INVALID'));
});

describe('`version`', () => {
  test.each([[0], [-1], [-0], ['2'], [null], [true], [[2]], [{}]] as const)('%j is refused', (version) =>
    eachRefuses(put('version', version as Value), 'VERSION_INVALID'),
  );

  test.each(['4294967295', '4294967296', '4294967298', '18446744073709551618', '9'.repeat(60)])(
    '%s is more than the core counts, and is refused rather than cut to a small number',
    (digits) => eachRefuses(put('version', new Raw(digits)), 'VERSION_INVALID'),
  );

  test('a fraction or an exponent is refused', async () => {
    await eachRefuses(put('version', new Raw('2.0')), 'JSON_NUMBER');
    await eachRefuses(put('version', new Raw('2e0')), 'JSON_NUMBER');
  });

  test('missing', () => eachRefuses(drop('version'), 'METADATA_INVALID'));

  test('4294967294 is the highest', async () => {
    const s = await stage();
    for (const role of ['timestamp', 'snapshot', 'targets'] as const) s.versions[role] = 4_294_967_293;
    s.publish('targets');
    s.versions.snapshot = 4_294_967_294;
    s.versions.timestamp = 4_294_967_294;
    await s.accepts();
  });
});

test('members that are not known, of any kind, are signed and ignored', () =>
  eachAccepts((signed) => {
    for (const [index, value] of [null, true, -7, 'é', [[]], { a: { b: 'c' } }].entries())
      put(`x-unknown-${index}`, value)(signed);
  }));

test('a name that is two known names and a space between is a name that is not known', async () => {
  await eachAccepts((signed) => {
    for (const name of [
      'version expires',
      'expires consistent_snapshot',
      'keys roles',
      '_type spec_version',
      'meta length',
    ])
      put(name, null)(signed);
  });
  const s = await stage();
  s.forge('timestamp', {
    file: ({ signatures, signed }) =>
      text({ 'signed signatures': {}, signatures, signed, 'signatures keyid': [] }),
  });
  await s.accepts();
  s.release({
    releaseCounter: 2,
    target: (target) => Object.assign(target, { 'length hashes': 1, 'custom component': {} }),
  });
  await s.accepts();
});

test('a file of one role under the name of another, same keys or not, is refused', async () => {
  for (const sameKeys of [false, true]) {
    const s = await stage({
      before: (made) => {
        if (sameKeys) made.keys.snapshot = made.keys.targets;
      },
    });
    s.publish('targets');
    s.files.set(s.path('snapshot'), s.file('targets'));
    expect(await s.check()).toEqual({ status: 'TOO_LONG', role: 'SNAPSHOT' });
    s.forge('timestamp', { signed: put('meta', 'snapshot.json', { version: s.versions.snapshot }) });
    s.files.set(s.path('snapshot'), s.file('targets'));
    await s.refuses(sameKeys ? 'TYPE_MISMATCH' : 'SIGNATURES', 'SNAPSHOT');
  }
});
