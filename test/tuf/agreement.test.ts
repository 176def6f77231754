// TAP 3, Uptane Standard 2.1.0, 5.4.4.7: a delegation to several roles. What counts is what enough of them say, and of
// two things that enough of them say each, what the role that is listed first says.
import { describe, expect, test } from 'vitest';
import { State } from '../../host/node/abi.ts';
import type { Target } from '../../repo/index.ts';
import { SETTLED, Vehicle } from '../uptane/vehicle.ts';
import type { StageOptions } from './kit.ts';
import { Tree, tree } from './tree.ts';
import { drop, put, type Value } from './values.ts';

const AB = ['A', 'B'];
const ABC = ['A', 'B', 'C'];
const ABCD = ['A', 'B', 'C', 'D'];
const TERMINATING = { terminating: true };

/** Every role lists the file with its content. */
function say(t: Tree, contents: Readonly<Record<string, string>>): Tree {
  for (const [role, content] of Object.entries(contents)) t.list(role, 'file', content);
  return t;
}

async function agreed(
  roles: readonly string[],
  agreement: Value,
  contents: Readonly<Record<string, string>>,
  options: object = {},
): Promise<Tree> {
  return say((await tree()).several('targets', roles, agreement, options), contents).publish();
}

/** The content that was fetched, by its hash in the name that was asked for. */
function got(t: Tree, ...contents: readonly string[]): string | undefined {
  const { status, asked } = t.find('file');
  if (status !== 'TARGET_VERIFIED') return status;
  return contents.find((content) => asked.at(-1)?.includes(String(t.s.files.size) && digestOf(t, content)));
}

function digestOf(t: Tree, content: string): string {
  for (const [path, file] of t.s.files)
    if (path.startsWith('targets/') && Buffer.from(file).toString() === content)
      return path.slice('targets/'.length, -'.file'.length);
  return 'nothing';
}

describe('one target by its path', () => {
  test('all of two roles say the same: it counts', async () => {
    const t = await agreed(AB, 2, { A: 'good', B: 'good' });
    expect(got(t, 'good')).toBe('good');
  });

  test('every role is asked for, in order, before it is looked into any', async () => {
    const t = await agreed(ABC, 2, { A: 'good', B: 'good', C: 'good' });
    expect(t.visits('nothing')).toEqual(ABC);
  });

  test.each([0, 1])(
    'one stolen key of two installs nothing: role %i says otherwise [UPT-5, TUF-8]',
    async (thief) => {
      const contents = { A: 'good', B: 'good', [AB[thief] as string]: 'evil' };
      const t = await agreed(AB, 2, contents);
      expect(t.find('file')).toMatchObject({ status: 'TARGET_UNKNOWN', role: 'NONE' });
      t.role('targets').delegations.splice(0);
      t.several('targets', AB, 2, TERMINATING).publish();
      expect(t.find('file')).toMatchObject({ status: 'ROLES_DISAGREE', role: 'DELEGATED' });
    },
  );

  test('one stolen key of two installs nothing: the other role says nothing [UPT-5, TUF-8]', async () => {
    for (const options of [{}, TERMINATING]) {
      const t = await agreed(AB, 2, { A: 'evil' }, options);
      expect(t.find('file').status).toBe('terminating' in options ? 'ROLES_DISAGREE' : 'TARGET_UNKNOWN');
      expect((await agreed(AB, 2, { B: 'evil' })).find('file').status).toBe('TARGET_UNKNOWN');
    }
  });

  test.each([
    ['A', 'good'],
    ['B', 'good'],
    ['C', 'good'],
  ])('one stolen key of three, of which two must agree, is outvoted: %s [UPT-5]', async (thief, content) => {
    const t = await agreed(ABC, 2, { A: 'good', B: 'good', C: 'good', [thief]: 'evil' });
    expect(got(t, 'good', 'evil')).toBe(content);
  });

  test('on a conflict of two that are each said by enough, the role that is listed first wins [UPT-5]', async () => {
    const t = await agreed(ABCD, 2, { A: 'one', B: 'two', C: 'two', D: 'one' });
    expect(got(t, 'one', 'two')).toBe('one');
    const other = await agreed(['B', 'C', 'D', 'A'], 2, { A: 'one', B: 'two', C: 'two', D: 'one' });
    expect(got(other, 'one', 'two')).toBe('two');
  });

  test('who keeps one file back does not choose which of two counts [TUF-8]', async () => {
    const t = await agreed(ABCD, 2, { A: 'one', B: 'two', C: 'two', D: 'one' });
    t.s.files.delete(t.path('A'));
    expect(t.find('file')).toMatchObject({ status: 'NOT_FOUND', role: 'DELEGATED' });
  });

  test.each(AB)('a role that the snapshot does not list: %s', async (role) => {
    const t = await tree();
    t.unlisted.add(role);
    say(t.several('targets', AB, 1), { A: 'good', B: 'good' }).publish();
    expect(t.find('file')).toMatchObject({ status: 'ROLE_UNLISTED', role: 'DELEGATED' });
  });

  test.each(AB)('a role that is signed by the key of the other: %s', async (role) => {
    const t = await tree();
    say(t.several('targets', AB, 2), { A: 'evil', B: 'evil' });
    t.role(role).forgery = { keys: [t.role(role === 'A' ? 'B' : 'A').key] };
    expect(t.publish().find('file')).toMatchObject({ status: 'SIGNATURES', role: 'DELEGATED' });
  });

  test('a role that has expired', async () => {
    const t = await tree();
    t.role('B').expires = 0;
    say(t.several('targets', AB, 1), { A: 'good', B: 'good' }).publish();
    expect(t.find('file')).toMatchObject({ status: 'EXPIRED', role: 'DELEGATED' });
  });

  test.each<readonly [string, readonly string[], Value | undefined, string]>([
    ['one role, listed twice, does not agree with itself', ['A', 'A'], 2, 'METADATA_INVALID'],
    ['one role, listed first and last', ['A', 'B', 'A'], 2, 'METADATA_INVALID'],
    ['none has to agree', AB, 0, 'METADATA_INVALID'],
    ['a negative number has to', AB, -1, 'METADATA_INVALID'],
    ['a text has to', AB, '1', 'METADATA_INVALID'],
    ['it is not said how many have to', AB, undefined, 'METADATA_INVALID'],
    ['more have to than there are', AB, 3, 'TARGET_UNKNOWN'],
    ['nobody is listed', [], 1, 'METADATA_INVALID'],
    ['a top-level role is listed', ['A', 'snapshot'], 1, 'METADATA_INVALID'],
  ])('%s: refused [UPT-5]', async (_, roles, agreement, status) => {
    const t = await tree();
    t.several('targets', roles, agreement as Value);
    if (roles.length > 0) say(t, { A: 'evil' });
    t.publish();
    const core = t.core();
    expect(core.stateRead(State.TARGETS_VERSION)).toBeGreaterThan(0);
    expect(t.find('file').status).toBe(status);
  });

  test('TUF-3: what the roles delegate in turn is not followed', async () => {
    const t = await agreed(AB, 2, {});
    t.delegate('A', 'C').delegate('B', 'C').list('C', 'file', 'evil').publish();
    expect(t.visits('file')).toEqual(AB);
  });

  test('the search goes on after roles that do not agree, unless the delegation is terminating', async () => {
    const t = await agreed(AB, 2, { A: 'one', B: 'two' });
    t.delegate('targets', 'C').list('C', 'file', 'three').publish();
    expect(got(t, 'one', 'two', 'three')).toBe('three');
    const over = await agreed(AB, 2, {}, TERMINATING);
    over.delegate('targets', 'C').list('C', 'file', 'three').publish();
    expect(over.visits('file')).toEqual(AB);
  });

  test('TUF-3: several roles have no word on paths that are not theirs', async () => {
    const t = await agreed(AB, 1, { A: 'evil', B: 'evil' }, { paths: ['other'] });
    expect(t.find('file')).toMatchObject({ status: 'TARGET_UNKNOWN', asked: [] });
  });

  test('a role may be one of several here and alone there, each time by the keys that are given there', async () => {
    const t = await agreed(AB, 2, { A: 'one', B: 'two' });
    t.delegate('targets', 'B').publish();
    expect(got(t, 'one', 'two')).toBe('two');
    const [, alone] = t.role('targets').delegations;
    t.role('targets').delegations.splice(1, 1, { ...alone, to: 'B', paths: ['*'], keys: [t.s.stranger] });
    t.publish();
    expect(t.find('file').status).toBe('SIGNATURES');
  });

  test('a role that was looked into alone is one of several all the same', async () => {
    const t = (await tree()).delegate('targets', 'B').several('targets', AB, 1);
    expect(got(say(t, { A: 'good' }).publish(), 'good')).toBe('good');
  });

  test('one of several after one of several: each is judged with its own', async () => {
    const t = await agreed(AB, 2, { A: 'one', B: 'two', C: 'two', D: 'two' });
    expect(got(t.several('targets', ['C', 'D'], 2).publish(), 'two')).toBe('two');
  });

  test('custom fields count as well: nobody with fewer keys may say what a target is for [TUF-8]', async () => {
    const t = await agreed(AB, 2, { A: 'same', B: 'same' });
    t.role('A').targets.file = { ...(t.role('A').targets.file as Target), custom: { security: true } };
    expect(t.publish().find('file').status).toBe('TARGET_UNKNOWN');
  });

  test('roles beyond those that one search visits [CERT-C-6]', async () => {
    const many = Array.from({ length: 33 }, (_, index) => `r${index}`);
    const t = await tree({ bank: 64 * 1024 });
    t.several('targets', many, 2);
    t.list('r0', 'file', 'x').list('r1', 'file', 'x').publish();
    expect(t.find('file').status).toBe('TOO_MANY_ROLES');
  });

  test('32 roles are not too many', async () => {
    const many = Array.from({ length: 32 }, (_, index) => `r${index}`);
    const t = await tree({ bank: 64 * 1024 });
    t.several('targets', many, 2);
    t.list('r30', 'file', 'x').list('r31', 'file', 'x').publish();
    expect(got(t, 'x')).toBe('x');
  });

  test('the same target, written otherwise, is the same', async () => {
    const t = await agreed(AB, 2, { A: 'good', B: 'good' });
    t.role('B').forgery = {
      file: ({ signatures, signed }) => JSON.stringify({ signatures, signed }, undefined, 3),
    };
    expect(got(t.publish(), 'good')).toBe('good');
  });
});

describe('the release of a device', () => {
  /** The release that the device runs after a check. */
  async function runs(t: Tree): Promise<number> {
    await t.s.check();
    return t.s.state(State.INSTALLED_RELEASE);
  }

  async function several(agreement: number, roles = AB, options: StageOptions = {}): Promise<Tree> {
    const t = await tree({ client: false, ...options });
    return t.several('targets', roles, agreement);
  }

  test('is installed when enough roles agree on it [UPT-5]', async () => {
    const t = await several(2);
    expect(await runs(t.release('A', 2).release('B', 2).publish())).toBe(2);
  });

  test.each(AB)('is not installed when %s alone lists it [UPT-5, TUF-8]', async (thief) => {
    const t = await several(2);
    t.release('A', 2).release('B', 2).release(thief, 9).publish();
    expect(await runs(t)).toBe(2);
  });

  test('is not installed with another counter than the others say: one key raises nothing [UPT-5, CERT-C-4]', async () => {
    const t = await several(2);
    const path = 'app/sim/1.2.0/firmware.bin';
    t.release('A', 2, path).release('B', 2, path);
    const raised = put('custom', 'releaseCounter', 7);
    raised(t.role('A').targets[path] as never);
    expect(await runs(t.publish())).toBe(1);
    drop('custom')(t.role('A').targets[path] as never);
    expect(await runs(t.publish())).toBe(1);
  });

  test('is outvoted two to one, whoever of the three lies [UPT-5]', async () => {
    for (const thief of ABC) {
      const t = await several(2, ABC, { bank: 128 * 1024 });
      for (const role of ABC) t.release(role, 2);
      // What hides behind more releases than are looked at of one role does not hide what the others agree on.
      for (let counter = 10; counter < 50; counter++) t.release(thief, counter);
      expect(await runs(t.publish()), thief).toBe(2);
    }
  });

  test.each(AB)('is not installed when %s is missing, even if one would be enough', async (missing) => {
    const t = await several(1);
    t.release('A', 3).release('B', 3).publish();
    t.s.files.delete(t.path(missing));
    expect(await runs(t)).toBe(1);
  });

  test.each(AB)(
    'comes from who is delegated to after them, where %s is missing and the path was not theirs',
    async (missing) => {
      const t = await tree({ client: false });
      t.several('targets', AB, 2, { paths: ['app/sim/1.3.0/*'] }).delegate('targets', 'C');
      t.release('A', 3).release('B', 3).release('C', 9, 'app/sim/1.3.0/other').release('C', 2).publish();
      t.s.files.delete(t.path(missing));
      expect(await runs(t)).toBe(2);
    },
  );

  test('terminating: what they do not agree on nobody else may release; else the next one may', async () => {
    for (const terminating of [true, false]) {
      const t = await tree({ client: false });
      t.several('targets', AB, 2, { terminating }).delegate('targets', 'C');
      t.release('A', 2).release('C', 2, 'app/sim/1.2.0/firmware.bin').publish();
      expect(await runs(t)).toBe(terminating ? 1 : 2);
    }
  });

  test('the same path, from a role after them: what they agree on wins', async () => {
    const t = await several(2);
    const path = 'app/sim/1/firmware.bin';
    t.delegate('targets', 'C').release('A', 2, path).release('B', 2, path).release('C', 9, path).publish();
    expect(await runs(t)).toBe(2);
  });

  test('below another role, for its paths only', async () => {
    const t = await tree({ client: false });
    t.delegate('targets', 'S', { paths: ['app/sim/1.2.0/*'] }).several('S', AB, 2);
    for (const role of AB) t.release(role, 2).release(role, 3);
    expect(await runs(t.publish())).toBe(2);
  });
});

describe('Uptane', () => {
  function supplied(agreement: number, roles: Readonly<Record<string, number>>, terminating = true): Vehicle {
    const v = new Vehicle();
    expect(v.check()).toEqual(SETTLED);
    const t = new Tree(v.image);
    t.several('targets', Object.keys(roles), agreement, { paths: ['app/sim/*/*'], terminating });
    for (const [role, counter] of Object.entries(roles))
      t.list(role, v.path(2), 'evil').release(role, counter);
    t.publish();
    v.direct({ [v.path(2)]: v.directed(2) });
    return v;
  }

  test('an order is found where enough roles agree [UPT-1, UPT-5]', () => {
    const v = supplied(2, { A: 2, B: 2 });
    expect(v.check()).toEqual(SETTLED);
    v.runs(2);
  });

  test('a stolen Director and one stolen key of two install nothing [UPT-5]', () => {
    const v = supplied(2, { A: 2, B: 3 });
    expect(v.check()).toMatchObject({ status: 'ROLES_DISAGREE', repository: 'image' });
    v.runs(1);
    const open = supplied(2, { A: 2, B: 3 }, false);
    expect(open.check().status).toBe('TARGET_UNKNOWN');
    open.runs(1);
  });

  test('what the first roles agree on counts, and the Director cannot choose what others agree on [UPT-5]', () => {
    const v = supplied(2, { A: 3, B: 3, C: 2, D: 2 });
    expect(v.check().status).toBe('TARGET_MISMATCH');
    v.runs(1);
  });

  test('several roles for other hardware are none for this ECU', () => {
    const v = new Vehicle();
    v.check();
    const t = new Tree(v.image);
    t.several('targets', AB, 2, { paths: ['app/sim/*/*'], terminating: true, hardwareIds: ['other'] });
    t.delegate('targets', 'C', { paths: ['app/sim/*/*'] });
    t.release('A', 3).release('C', 2).publish();
    v.direct({ [v.path(2)]: v.directed(2) });
    expect(v.check()).toEqual(SETTLED);
    v.runs(2);
  });
});
