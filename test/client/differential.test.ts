// The core beside tuf-js: repositories made at random, honest and forged, in rounds. Both must come to the same verdict,
// trust the same bytes and find the same targets, but for the differences that are listed and explained here.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { Updater } from 'tuf-js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Role } from '../../host/node/abi.ts';
import type { Core } from '../../host/node/core.ts';
import type { RoleName } from '../../repo/index.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { drive, find } from '../tuf/drive.ts';
import { type Forgery, named } from '../tuf/kit.ts';
import { digest, type Tree, tree } from '../tuf/tree.ts';
import { drop, put, Raw, text } from '../tuf/values.ts';

const RUNS = 80;
const SEED = 20_301_101;

const TOP = ['root', 'timestamp', 'snapshot', 'targets'] as const;
const DELEGATED = ['A', 'B', 'C', 'D'] as const;
const PATHS = ['file', 'a/file', 'a/b/file', 'b/file.bin', 'none'] as const;
const PATTERNS = ['*', '*/*', 'a/*', 'a/*/*', '*.bin', 'b/????.bin', 'f*e', 'A/*'] as const;

/** Where the two differ, and why the core is right. */
interface Difference {
  /** The last thing that was done, or something before it that both still have to live with. */
  readonly act: RegExp;
  /** What the core says then. */
  readonly core: RegExp;
  readonly because: string;
}

const DIFFERENCES: readonly Difference[] = [
  {
    act: /an integer of 18 digits/,
    core: /./,
    because: 'tuf-js reads integers as floating point and signs other digits than were signed',
  },
  {
    act: /expires never/,
    core: /^EXPIRES_INVALID$/,
    because: 'tuf-js takes a date that is none for one that never comes',
  },
  {
    act: /^timestamp: (another hash|a snapshot that is longer)/,
    core: /^(HASH_MISMATCH|TOO_LONG)$/,
    because: 'tuf-js holds the snapshot that it has against the version in the timestamp alone',
  },
  {
    act: /a target without a length/,
    core: /^UP_TO_DATE$/,
    because:
      'the core looks at a target when it is asked for, and refuses that one; tuf-js refuses all of them',
  },
];

/** What somebody does to the file of one role. */
const FORGERIES: Readonly<Record<string, Forgery>> = {
  honest: {},
  'signed by nobody': { signatures: () => [] },
  'signed twice': { signatures: (honest) => [...honest, ...honest] },
  'an empty signature besides': { signatures: (honest) => [{ keyid: 'f'.repeat(64), sig: '' }, ...honest] },
  'a bad signature': {
    signatures: (honest) => honest.map(({ keyid }) => ({ keyid: keyid ?? '', sig: '00'.repeat(64) })),
  },
  indented: { file: ({ signatures, signed }) => JSON.stringify({ signatures, signed }, null, 2) },
  '`signed` first': { file: ({ signatures, signed }) => text({ signed, signatures }) },
  'white space behind': { file: (envelope) => `${text(envelope)}\r\n\t ` },
  'garbage behind': { file: (envelope) => `${text(envelope)}}` },
  'changed after it was signed': { file: (envelope) => text(envelope).replace('"version":', '"version":1') },
  'cut in two': { file: (envelope) => text(envelope).slice(0, 200) },
  'an unknown member': { signed: put('x-unknown', { b: [1, null, true], a: 'é "\\ 日' }) },
  'an integer of 18 digits': { signed: put('x-number', new Raw('123456789012345678')) },
  'version 0': { signed: put('version', 0) },
  'version -1': { signed: put('version', -1) },
  'version 1': { signed: put('version', 1) },
  'version 1000': { signed: put('version', 1000) },
  'version as text': { signed: put('version', '2') },
  'no version': { signed: drop('version') },
  'expired long ago': { signed: put('expires', '2020-01-01T00:00:00Z') },
  'expires in a year': { signed: put('expires', '2031-06-01T00:00:00Z') },
  'expires never': { signed: put('expires', 'never') },
  'no expires': { signed: drop('expires') },
  'another _type': { signed: put('_type', 'mirrors') },
  'no _type': { signed: drop('_type') },
  'spec_version 1.0': { signed: put('spec_version', '1.0') },
  'spec_version 1.99.0': { signed: put('spec_version', '1.99.0') },
  'spec_version 2.0.0': { signed: put('spec_version', '2.0.0') },
  'no spec_version': { signed: drop('spec_version') },
};

/** And to a file that lists others, or keys. */
const LISTINGS: readonly (readonly [RoleName, string, Forgery])[] = [
  ['root', 'a threshold of 2 with one key', { signed: put('roles', 'timestamp', 'threshold', 2) }],
  ['root', 'a threshold of 0', { signed: put('roles', 'timestamp', 'threshold', 0) }],
  ['root', 'no timestamp role', { signed: drop('roles', 'timestamp') }],
  ['root', 'no keys for targets', { signed: put('roles', 'targets', 'keyids', []) }],
  [
    'root',
    'a key of an unknown type',
    { signed: put('keys', 'x', { keytype: 'x', scheme: 'x', keyval: { public: '' } }) },
  ],
  ['timestamp', 'a snapshot of version 1', { signed: put('meta', 'snapshot.json', 'version', 1) }],
  ['timestamp', 'a snapshot that is longer', { signed: put('meta', 'snapshot.json', 'length', 9) }],
  [
    'timestamp',
    'another hash',
    { signed: put('meta', 'snapshot.json', 'hashes', { sha256: '00'.repeat(32) }) },
  ],
  ['timestamp', 'no snapshot', { signed: put('meta', {}) }],
  ['snapshot', 'targets of version 1', { signed: put('meta', 'targets.json', { version: 1 }) }],
  ['snapshot', 'targets of version 1000', { signed: put('meta', 'targets.json', { version: 1000 }) }],
  ['snapshot', 'no targets', { signed: drop('meta', 'targets.json') }],
  ['snapshot', 'no role A', { signed: drop('meta', 'A.json') }],
  [
    'targets',
    'a target without a length',
    { signed: put('targets', 'file', { hashes: { sha256: '00'.repeat(32) } }) },
  ],
  [
    'targets',
    'a target with another hash',
    { signed: put('targets', 'file', { length: 3, hashes: { sha256: '00'.repeat(32) } }) },
  ],
];

/** What happens in one round, before both clients look. */
type Act = readonly [string, (t: Tree) => void];

const ACTS: readonly Act[] = [
  ...Object.entries(FORGERIES).flatMap(([name, forgery]) => [
    ...TOP.map((role) => [`${role}: ${name}`, (t: Tree) => t.s.forge(role, forgery)] as const),
    [`A: ${name}`, forgeDelegated(forgery)] as const,
  ]),
  ...LISTINGS.map(
    ([role, name, forgery]) => [`${role}: ${name}`, (t: Tree) => t.s.forge(role, forgery)] as const,
  ),
  ...TOP.map((role) => [`${role}: new keys`, (t: Tree) => t.s.rotate(role)] as const),
  ['A: is not served', (t) => void t.publish().s.files.delete(t.path('A'))],
  ['A: is not listed', (t) => void (t.unlisted.add('A') && t.publish())],
  ['names without versions', withoutVersions],
];

function withoutVersions(t: Tree): void {
  t.s.consistent = false;
  t.s.root();
  t.publish();
}

function forgeDelegated(forgery: Forgery) {
  return (t: Tree) => {
    const role = t.role('A');
    role.version++;
    role.forgery = forgery;
    t.publish();
    role.forgery = {};
  };
}

const link = fc.record({
  from: fc.constantFrom('targets', ...DELEGATED),
  to: fc.constantFrom(...DELEGATED),
  patterns: fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 3 }),
  terminating: fc.boolean(),
});
const plan = fc.record({
  links: fc.uniqueArray(link, { maxLength: 6, selector: ({ from, to }) => `${from} ${to}` }),
  lists: fc.array(
    fc.tuple(fc.constantFrom('targets', ...DELEGATED), fc.constantFrom(...PATHS.slice(0, -1))),
    { maxLength: 6 },
  ),
  hashes: fc.boolean(),
  acts: fc.array(fc.integer({ min: 0, max: ACTS.length - 1 }), { minLength: 1, maxLength: 3 }),
});

let server: Server;
let files: ReadonlyMap<string, Uint8Array> = new Map();

beforeAll(async () => {
  server = createServer(({ url = '' }, response) => {
    const file = files.get(decodeURIComponent(url.slice(1)));
    response.writeHead(file ? 200 : 404, { 'content-length': file?.length ?? 0 }).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

/** What the core said of all checks. */
const verdicts = new Set<string>();

/** tuf-js with a folder of its own. */
class Peer {
  readonly folder = temporaryFolder();
  #updater: Updater | undefined;

  constructor(root: Uint8Array) {
    mkdirSync(join(this.folder, 'targets'));
    writeFileSync(join(this.folder, 'root.json'), root);
  }

  async refresh(): Promise<boolean> {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#updater = new Updater({
      metadataDir: this.folder,
      metadataBaseUrl: `${url}/metadata`,
      targetDir: join(this.folder, 'targets'),
      targetBaseUrl: `${url}/targets`,
      config: { fetchRetry: 0, fetchRetries: 0 },
    });
    return accepted(this.#updater.refresh());
  }

  async find(path: string): Promise<string | undefined> {
    try {
      const info = await this.#updater?.getTargetInfo(path);
      return info && Object.values(info.hashes)[0];
    } catch {
      return undefined;
    }
  }

  file(role: string): string {
    try {
      return readFileSync(join(this.folder, `${role}.json`), 'utf8');
    } catch {
      return '';
    }
  }
}

function accepted(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

function ours(core: Core, role: string): string {
  const top = TOP.indexOf(role as RoleName);
  const file = top < 0 ? core.delegatedFile(role) : core.trustedFile(top as Role);
  return Buffer.from(file).toString();
}

test('[TUF-5] the same verdict, the same trusted bytes, the same targets as tuf-js', async () => {
  const differences = new Set<Difference>();
  await fc.assert(
    fc.asyncProperty(plan, async (planned) => {
      const t = await planted(planned);
      const peer = new Peer(t.s.files.get('metadata/1.root.json') ?? new Uint8Array());
      const done: string[] = [];
      for (const act of [HONEST, ...planned.acts.map((index) => ACTS[index] ?? HONEST)]) {
        act[1](t);
        done.push(act[0]);
        const difference = await compare(t, peer, done);
        if (difference === undefined) continue;
        differences.add(difference);
        return; // their states differ from here on
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
  expect([...differences]).toEqual(expect.arrayContaining([...DIFFERENCES]));
  expect(verdicts.size).toBeGreaterThan(10);
}, 240_000);

const HONEST: Act = ['published', (t) => void t.publish()];

type Planned = typeof plan extends fc.Arbitrary<infer T> ? T : never;

async function planted({ links, lists, hashes }: Planned): Promise<Tree> {
  const t = await tree({ bank: 262_144 });
  t.hashes = hashes;
  t.delegate('targets', 'A', { paths: ['*', '*/*'] });
  for (const { from, to, patterns, terminating } of links) {
    if (from === to || (from === 'targets' && to === 'A')) continue;
    t.delegate(from, to, { paths: patterns, terminating });
  }
  for (const [role, path] of lists) t.list(role, path, `${path} by ${role}`);
  return t;
}

/** Both look. What they differ in, where it is known why; throws for any other difference. */
async function compare(t: Tree, peer: Peer, done: readonly string[]): Promise<Difference | undefined> {
  files = t.s.files;
  vi.setSystemTime(t.s.clock.seconds() * 1000);
  const said: string[] = [];
  try {
    await expectSame(t, peer, done, said);
    return undefined;
  } catch (error) {
    const known = DIFFERENCES.find(
      ({ act, core }) => done.some((what) => act.test(what)) && said.some((status) => core.test(status)),
    );
    if (!known) throw error;
    return known;
  }
}

/** `said` gets what the core says. */
async function expectSame(t: Tree, peer: Peer, done: readonly string[], said: string[]): Promise<void> {
  const core = t.s.powerOn();
  const { status } = drive(core, t.s);
  said.push(status);
  verdicts.add(status);
  const holds = status === 'OK' || status === 'UP_TO_DATE';
  expect({ done, status, holds: await peer.refresh() }).toEqual({ done, status, holds });
  for (const role of TOP) expectSameFile(core, peer, role, done);
  if (!holds) return;
  for (const path of PATHS) {
    const mine = find(core, t.s, path);
    said.push(mine.status);
    const listed = mine.status === 'TARGET_VERIFIED' || mine.role === 'IMAGE';
    // The name of its file tells which it is, unless names have no hashes.
    const name = t.s.consistent ? mine.asked.at(-1)?.split('/').at(-1)?.slice(0, 64) : 'listed';
    const theirs = await peer.find(path);
    const found = theirs && !t.s.consistent ? 'listed' : theirs;
    expect({ done, path, found }).toEqual({ done, path, found: listed ? name : undefined });
  }
  for (const role of DELEGATED) expectSameFile(core, peer, role, done);
}

/** tuf-js leaves files in its folder that it trusts no more. */
function expectSameFile(core: Core, peer: Peer, role: string, done: readonly string[]): void {
  const file = ours(core, role);
  if (file !== '') expect({ done, role, file: peer.file(role) }).toEqual({ done, role, file });
}

/** Where tuf-js is known to be wrong: what the core says of a file that it must find or not, and whether tuf-js finds it. */
const WRONG: readonly (readonly [string, (t: Tree) => unknown, string, boolean])[] = [
  ['takes one key under two ids for two', oneKeyTwice, 'SIGNATURES', true],
  ['reads `{,}` in a pattern as alternatives', delegateOnly('{file,x}'), 'TARGET_UNKNOWN', true],
  ['reads `@()` in a pattern as a group', delegateOnly('@(file)'), 'TARGET_UNKNOWN', true],
  ['reads `!` in front of a pattern as "not"', delegateOnly('!x'), 'TARGET_UNKNOWN', true],
  ['sorts names by halves of characters', strangeNames, 'TARGET_VERIFIED', false],
];

function oneKeyTwice(t: Tree): void {
  const { key } = t.role('A');
  const keys = [key, named(key, 'twin')];
  t.delegate('targets', 'A', { paths: ['*'], keys, threshold: 2 }).list('A', 'file', 'content');
  t.role('A').forgery = { keys };
}

function delegateOnly(pattern: string) {
  return (t: Tree) => t.delegate('targets', 'A', { paths: [pattern] }).list('A', 'file', 'content');
}

function strangeNames(t: Tree): void {
  t.delegate('targets', 'A', { paths: ['*'] }).list('A', 'file', 'content');
  t.role('A').forgery = { signed: put('x', { '\u{1f600}': 1, '\uffee': 2 }) };
}

test.each(WRONG)('[TUF-3] tuf-js %s', async (_, prepare, status, finds) => {
  const t = await tree();
  prepare(t);
  t.publish();
  files = t.s.files;
  vi.setSystemTime(t.s.clock.seconds() * 1000);
  const peer = new Peer(t.s.files.get('metadata/1.root.json') ?? new Uint8Array());
  expect(await peer.refresh()).toBe(true);
  expect(t.find('file').status).toBe(status);
  expect((await peer.find('file')) !== undefined).toBe(finds);
});

test('[TUF-3] tuf-js moves roles whose names look like numbers to the front, and then finds the signature wrong', async () => {
  const t = await tree();
  t.delegate('targets', 'A')
    .delegate('targets', '1')
    .list('A', 'file', 'by A')
    .list('1', 'file', 'by 1')
    .publish();
  files = t.s.files;
  vi.setSystemTime(t.s.clock.seconds() * 1000);
  const peer = new Peer(t.s.files.get('metadata/1.root.json') ?? new Uint8Array());
  expect(await peer.refresh()).toBe(false);
  expect(t.find('file').asked).toEqual(['1.A.json', `${digest('by A')}.file`]);
});
