// Who may list a path: the search through delegated roles, as the specification has it (5.6.7).
import { expect, test } from 'vitest';
import type { Chain } from '../../repo/chain.ts';
import {
  buildSnapshot,
  buildTargets,
  type DelegatedRole,
  type Delegations,
  envelopeBytes,
  generateKey,
  keyId,
  metaFile,
  parseMetadata,
  type Source,
  sha256,
  sign,
  type Target,
} from '../../repo/index.ts';
import { findTargets } from '../../repo/search.ts';
import { NOW, seeded } from '../fixtures/repositories.ts';

const KEY = generateKey(seeded('search'));
const STAMP = { version: 1, expires: NOW };

/** A role's targets, each with the name of the role in `custom` and for these boards. */
interface Listing {
  readonly targets?: readonly string[];
  readonly boards?: readonly string[];
  readonly delegations?: Delegations;
  /** Else the name of the role. */
  readonly says?: string;
}

function delegations(...roles: (Partial<DelegatedRole> & { name: string })[]): Delegations {
  const common = { keyids: [keyId(KEY.public)], threshold: 1, terminating: false };
  return {
    keys: { [keyId(KEY.public)]: KEY.public },
    roles: roles.map((role) => ({
      ...common,
      ...(role.path_hash_prefixes ? {} : { paths: ['*/*'] }),
      ...role,
    })),
  };
}

/** By path the role that a client takes it from. */
async function found(roles: Readonly<Record<string, Listing>>): Promise<Record<string, unknown>> {
  const files = new Map<string, Uint8Array>();
  for (const [role, { targets = [], boards, delegations: further, says = role }] of Object.entries(roles)) {
    const custom = { role: says, ...(boards && { hardwareIds: boards }) };
    const target: Target = { length: 1, hashes: { sha256: sha256(Buffer.of()) }, custom };
    const listed = Object.fromEntries(targets.map((path) => [path, target]));
    files.set(role, envelopeBytes(sign(buildTargets(STAMP, listed, further), [KEY])));
  }
  const meta = Object.fromEntries([...files].map(([role, bytes]) => [`${role}.json`, metaFile(bytes, 1)]));
  const source: Source = {
    where: 'here',
    metadata: async (name) => files.get(name.replace(/^1\.|\.json$/g, '')),
    target: async () => undefined,
  };
  const top = JSON.parse(Buffer.from(files.get('targets') ?? []).toString()).signed;
  const chain = { targets: { signed: top }, snapshot: { signed: buildSnapshot(STAMP, meta) } };
  const all = await findTargets(source, chain as unknown as Chain);
  return Object.fromEntries(Object.entries(all).map(([path, { custom }]) => [path, custom?.role]));
}

test('the top-level role comes before all others, and those in their order', async () => {
  const roles = {
    targets: { targets: ['a/1'], delegations: delegations({ name: 'one' }, { name: 'two' }) },
    one: { targets: ['a/1', 'a/2'] },
    two: { targets: ['a/2', 'a/3'] },
  };
  expect(await found(roles)).toEqual({ 'a/1': 'targets', 'a/2': 'one', 'a/3': 'two' });
});

test('a role lists no path outside its patterns, and * stands for no slash', async () => {
  const roles = {
    targets: { delegations: delegations({ name: 'one', paths: ['a/*', 'b/v?.bin'] }) },
    one: { targets: ['a/1', 'a/b/1', 'c/1', 'b/v1.bin', 'b/v12.bin', 'b/v1xbin'] },
  };
  expect(await found(roles)).toEqual({ 'a/1': 'one', 'b/v1.bin': 'one' });
});

test('a path must fit every delegation on the way', async () => {
  const roles = {
    targets: { delegations: delegations({ name: 'one', paths: ['a/*'] }) },
    one: { delegations: delegations({ name: 'two', paths: ['*/*'] }) },
    two: { targets: ['a/1', 'b/1'] },
  };
  expect(await found(roles)).toEqual({ 'a/1': 'two' });
});

test('behind a terminating role nobody is asked, wherever in the tree it stands', async () => {
  const roles = {
    targets: { delegations: delegations({ name: 'one' }, { name: 'three' }) },
    one: { delegations: delegations({ name: 'two', paths: ['a/*'], terminating: true }) },
    two: {},
    three: { targets: ['a/1', 'b/1'] },
  };
  expect(await found(roles)).toEqual({ 'b/1': 'three' });
});

test('roles that delegate to each other end', async () => {
  const roles = {
    targets: { delegations: delegations({ name: 'one' }) },
    one: { delegations: delegations({ name: 'two' }) },
    two: { targets: ['a/1'], delegations: delegations({ name: 'one' }) },
  };
  expect(await found(roles)).toEqual({ 'a/1': 'two' });
});

test('[UPT-5] a supplier of one board lists nothing for another', async () => {
  const roles = {
    targets: {
      delegations: delegations(
        { name: 'one', hardwareIds: ['rf-2'] },
        { name: 'two', hardwareIds: ['gw-1'] },
      ),
    },
    one: { targets: ['a/1'], boards: ['rf-2', 'gw-1'] },
    two: { targets: ['a/2'], boards: ['gw-1'] },
  };
  expect(await found(roles)).toEqual({ 'a/2': 'two' });
});

test('hash prefixes and succinct roles, by how the SHA-256 of the path begins', async () => {
  const [first = ''] = sha256(Buffer.from('a/1'));
  const other = first === '0' ? '1' : '0';
  const prefixed = {
    targets: {
      delegations: delegations(
        { name: 'one', path_hash_prefixes: [other] },
        { name: 'two', path_hash_prefixes: [first] },
      ),
    },
    one: { targets: ['a/1'] },
    two: { targets: ['a/1'] },
  };
  expect(await found(prefixed)).toEqual({ 'a/1': 'two' });
  const keys = { keyids: [keyId(KEY.public)], threshold: 1 };
  const { keys: known } = delegations();
  const succinct = { keys: known, succinct_roles: { ...keys, bit_length: 4, name_prefix: 'bin' } };
  const bins = {
    targets: { delegations: succinct },
    [`bin-${first}`]: { targets: ['a/1'] },
    [`bin-${other}`]: { targets: ['a/1'] },
  };
  expect(await found(bins)).toEqual({ 'a/1': `bin-${first}` });
});

test('[UPT-5] of several roles that must agree the first counts whose word enough of them share', async () => {
  const [one] = delegations({ name: 'x' }).roles ?? [];
  const { name: _, ...signer } = one as DelegatedRole;
  const several = (least: number, ...names: string[]): Delegations => ({
    keys: delegations().keys,
    roles: [
      {
        name: 'several',
        paths: ['*/*'],
        terminating: false,
        min_roles_in_agreement: least,
        roleinfo: names.map((rolename) => ({ ...signer, rolename })),
      },
      ...(delegations({ name: 'last' }).roles ?? []),
    ],
  });
  const say = (role: string, ...targets: string[]): Listing => ({ targets, says: role });
  const roles = (least: number) => ({
    targets: { delegations: several(least, 'a', 'b', 'c', 'd') },
    a: say('one', 'p/1', 'p/2'),
    b: say('two', 'p/1', 'p/2'),
    c: say('two', 'p/1'),
    d: say('one', 'p/1'),
    last: say('last', 'p/2'),
  });
  expect(await found(roles(2))).toEqual({ 'p/1': 'one', 'p/2': 'last' });
  expect(await found(roles(1))).toEqual({ 'p/1': 'one', 'p/2': 'one' });
  expect(await found(roles(3))).toEqual({ 'p/2': 'last' });
  const { c: _c, ...missing } = roles(2);
  expect(await found(missing)).toEqual({});
  const read = (made: Delegations) => () =>
    parseMetadata(envelopeBytes(sign(buildTargets(STAMP, {}, made), [KEY])), 'targets', 'it');
  expect(read(several(2, 'a', 'b'))).not.toThrow();
  expect(read(several(2, 'a', 'a'))).toThrow(/lists a role twice/);
  expect(read(several(3, 'a', 'b'))).toThrow(/asks for 3 of 2 roles/);
  expect(read(several(0, 'a', 'b'))).toThrow(/min_roles_in_agreement/);
  expect(read(several(1, 'a', 'snapshot'))).toThrow(/cannot be delegated to/);
});
