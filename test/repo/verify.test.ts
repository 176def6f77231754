// `moult verify` says what a client would; each test plays one attack with metadata that someone signed, or did not.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  buildRoot,
  buildSnapshot,
  buildTargets,
  buildTimestamp,
  type Envelope,
  envelopeBytes,
  generateKey,
  keyId,
  type MetaFile,
  metaFile,
  openSource,
  type PublicKey,
  ROLES,
  type RoleKeys,
  type RoleName,
  type Root,
  type SigningKey,
  serialize,
  sha256,
  sign,
  type Target,
  targetFileName,
  type Verification,
  verifyRepository,
} from '../../repo/index.ts';
import { serveStatic } from '../../server/static.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { DAY, imageOf, NOW, seeded } from '../fixtures/repositories.ts';

const IMAGE = imageOf('image');
const PATH = 'app/board/1.0.0/app.bin';
const STAMP = { version: 1, expires: NOW + DAY };

type Keys = Record<RoleName, SigningKey[]>;

/** A small repository, every part of which a test may replace by something forged. */
class Forge {
  readonly folder = temporaryFolder();
  readonly keys: Keys;
  root: Envelope<Root>;
  #targets: Uint8Array = Buffer.of();
  #snapshot: Uint8Array = Buffer.of();

  constructor() {
    const random = seeded('forge');
    const make = (count: number) => Array.from({ length: count }, () => generateKey(random));
    this.keys = { root: make(3), timestamp: make(1), snapshot: make(1), targets: make(2) };
    this.root = sign(buildRoot(STAMP, this.roles()), this.keys.root.slice(0, 2));
    this.put('metadata/1.root.json', envelopeBytes(this.root));
    this.targets({ [PATH]: targetOf(IMAGE) });
    this.put(`targets/${targetFileName(PATH, sha256(IMAGE))}`, IMAGE);
  }

  roles(change: Partial<Record<RoleName, RoleKeys>> = {}): Record<RoleName, RoleKeys> {
    const threshold = { root: 2, timestamp: 1, snapshot: 1, targets: 2 };
    const entries = ROLES.map((role) => [
      role,
      { keys: this.keys[role].map((k) => k.public), threshold: threshold[role] },
    ]);
    return { ...(Object.fromEntries(entries) as Record<RoleName, RoleKeys>), ...change };
  }

  targets(targets: Record<string, Target>, stamp = STAMP, keys = this.keys.targets): void {
    this.#targets = envelopeBytes(sign(buildTargets(stamp, targets), keys));
    this.put(`metadata/1.targets.json`, this.#targets);
    this.snapshot(metaFile(this.#targets, 1));
  }

  snapshot(listed: MetaFile, stamp = STAMP, keys = this.keys.snapshot): void {
    this.#snapshot = envelopeBytes(sign(buildSnapshot(stamp, { 'targets.json': listed }), keys));
    this.put('metadata/1.snapshot.json', this.#snapshot);
    this.timestamp(metaFile(this.#snapshot, 1));
  }

  timestamp(listed: MetaFile = metaFile(this.#snapshot, 1), stamp = STAMP, keys = this.keys.timestamp): void {
    this.put('metadata/timestamp.json', envelopeBytes(sign(buildTimestamp(stamp, listed), keys)));
  }

  newRoot(
    version: number,
    roles: Record<RoleName, RoleKeys>,
    keys: readonly SigningKey[],
    name = version,
  ): void {
    this.put(
      `metadata/${name}.root.json`,
      envelopeBytes(sign(buildRoot({ ...STAMP, version }, roles), keys)),
    );
  }

  put(name: string, bytes: Uint8Array): void {
    const path = join(this.folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, bytes);
  }

  async verify(now = NOW, place = this.folder): Promise<Verification> {
    return verifyRepository(await openSource(place), envelopeBytes(this.root), { now });
  }

  async expectFault(code: string, message: string | RegExp, now = NOW): Promise<void> {
    const { faults } = await this.verify(now);
    expect(faults.map((fault) => fault.code)).toEqual([code]);
    expect(faults[0]?.message).toMatch(message);
  }
}

function targetOf(bytes: Uint8Array): Target {
  return { length: bytes.length, hashes: { sha256: sha256(bytes) } };
}

/** Metadata as it was written, with one text replaced: no longer what was signed. */
function tamper(forge: Forge, name: string, from: string | RegExp, to: string): void {
  const path = join(forge.folder, 'metadata', name);
  const text = readFileSync(path, 'utf8');
  expect(text).toMatch(from);
  forge.put(`metadata/${name}`, Buffer.from(text.replace(from, to)));
}

test('an honest repository has no fault', async () => {
  const found = await new Forge().verify();
  expect(found).toMatchObject({ faults: [], files: 1, bytes: IMAGE.length, trustedRoot: 1 });
  expect(found.roles.map(({ role, signatures, threshold }) => [role, signatures, threshold])).toEqual([
    ['root', 2, 2],
    ['timestamp', 1, 1],
    ['snapshot', 1, 1],
    ['targets', 2, 2],
  ]);
});

test('[CERT-I-1] tampered metadata: the signature of each role is checked', async () => {
  for (const role of ['root', 'timestamp'] as const) {
    const forge = new Forge();
    if (role === 'root') forge.newRoot(2, forge.roles(), forge.keys.root);
    const name = role === 'root' ? '2.root.json' : 'timestamp.json';
    tamper(forge, name, /"expires":"..../, '"expires":"2099');
    await forge.expectFault('signature-invalid', name);
  }
});

test('keys that no root names sign nothing, for each role', async () => {
  const thief = [generateKey(seeded('thief'))];
  const forge = () => new Forge();
  const cases: Record<string, Forge> = {
    timestamp: forge(),
    snapshot: forge(),
    targets: forge(),
    root: forge(),
  };
  cases.timestamp?.timestamp(undefined, STAMP, thief);
  cases.snapshot?.snapshot(metaFile(IMAGE, 1), STAMP, thief);
  cases.targets?.targets({}, STAMP, thief);
  cases.root?.newRoot(2, cases.root.roles(), thief);
  for (const [role, repository] of Object.entries(cases))
    await repository.expectFault('signatures-missing', `${role}.json has 0 of`);
});

test('[TUF-1] the keys of one role sign nothing for another', async () => {
  const forge = new Forge();
  forge.timestamp(undefined, STAMP, forge.keys.snapshot);
  await forge.expectFault('signatures-missing', 'timestamp.json has 0 of the 1');
});

test('[TUF-8] whoever stole the online keys, timestamp and snapshot, cannot bring in a new image', async () => {
  const forge = new Forge();
  const evil = imageOf('evil');
  forge.put(`targets/${targetFileName(PATH, sha256(evil))}`, evil);
  forge.targets({ [PATH]: targetOf(evil) }, STAMP, [...forge.keys.timestamp, ...forge.keys.snapshot]);
  await forge.expectFault('signatures-missing', '1.targets.json has 0 of the 2');
});

test('too few signatures: one of two targets keys, one of the root keys', async () => {
  const forge = new Forge();
  forge.targets({}, STAMP, forge.keys.targets.slice(0, 1));
  await forge.expectFault(
    'signatures-missing',
    '1.targets.json has 1 of the 2 signatures that root 1 asks for',
  );
  const other = new Forge();
  other.root = sign(buildRoot(STAMP, other.roles()), other.keys.root.slice(0, 1));
  await other.expectFault('signatures-missing', 'the trusted root has 1 of the 2');
});

test('[TUF-2a] one key listed under two ids counts once', async () => {
  const forge = new Forge();
  const [key] = forge.keys.targets;
  if (key === undefined) throw new Error('no key');
  const alias = { ...key.public, 'x-note': 'the same key again' } as PublicKey;
  const roles = forge.roles({ targets: { keys: [key.public, alias], threshold: 2 } });
  forge.newRoot(2, roles, forge.keys.root);
  const both: SigningKey[] = [key, { ...key, id: keyId(alias), public: alias }];
  forge.targets({}, STAMP, both);
  await forge.expectFault('signatures-missing', '1.targets.json has 1 of the 2');
});

test('the same key id twice in signatures refuses the file', async () => {
  const forge = new Forge();
  const [key] = forge.keys.timestamp;
  if (key === undefined) throw new Error('no key');
  forge.timestamp(undefined, STAMP, [key, key]);
  await forge.expectFault('metadata-invalid', 'has two signatures');
});

test('an empty signature is one that is missing, not an invalid file', async () => {
  const forge = new Forge();
  tamper(forge, 'timestamp.json', /"sig":"[0-9a-f]+"/, '"sig":""');
  await forge.expectFault('signatures-missing', 'timestamp.json has 0 of');
});

test('[CERT-I-6] a new root needs the old and the new threshold', async () => {
  const next = Array.from({ length: 2 }, () => generateKey(seeded('next')));
  const [a, b] = [generateKey(seeded('a')), generateKey(seeded('b'))];
  const keys = [a, b];
  const make = (signers: (forge: Forge) => SigningKey[]) => {
    const forge = new Forge();
    const roles = forge.roles({ root: { keys: keys.map((key) => key.public), threshold: 2 } });
    forge.newRoot(2, roles, signers(forge));
    return forge;
  };
  expect((await make((f) => [...f.keys.root.slice(0, 2), ...keys]).verify()).faults).toEqual([]);
  await make(() => keys).expectFault(
    'signatures-missing',
    '2.root.json has 0 of the 2 signatures that root 1',
  );
  await make((f) => f.keys.root).expectFault(
    'signatures-missing',
    '2.root.json has 0 of the 2 signatures that root 2',
  );
  await make((f) => [...f.keys.root.slice(0, 1), ...keys]).expectFault(
    'signatures-missing',
    'that root 1 asks for',
  );
  await make((f) => [...f.keys.root, ...next.slice(0, 1), a]).expectFault(
    'signatures-missing',
    'that root 2 asks for',
  );
});

test('root versions follow one another: a root that skips or repeats a version is refused', async () => {
  for (const version of [1, 3]) {
    const forge = new Forge();
    forge.newRoot(version, forge.roles(), forge.keys.root, 2);
    await forge.expectFault('version-mismatch', `2.root.json holds version ${version}, not 2`);
  }
});

test('mix-and-match: a snapshot and targets that are valid, but not those that are listed', async () => {
  const forge = new Forge();
  const old = readFileSync(join(forge.folder, 'metadata/1.targets.json'));
  forge.targets({ [PATH]: targetOf(IMAGE) }, { ...STAMP, expires: NOW + 2 * DAY });
  forge.put('metadata/1.targets.json', old);
  await forge.expectFault('hash-mismatch', '1.targets.json');
});

test('without listed hashes the version still has to be the listed one', async () => {
  const forge = new Forge();
  forge.targets({}, { ...STAMP, version: 7 });
  forge.snapshot({ version: 1 });
  await forge.expectFault('version-mismatch', '1.targets.json holds version 7, not 1');
});

test('endless data: a metadata file that is longer than listed is not read to its end', async () => {
  const forge = new Forge();
  forge.put('metadata/1.snapshot.json', Buffer.alloc(10_000_000, 0x20));
  await forge.expectFault('metadata-too-large', 'has more than');
  const other = new Forge();
  other.put('metadata/timestamp.json', Buffer.alloc(16_385, 0x20));
  await other.expectFault('metadata-too-large', 'timestamp.json has more than 16384 bytes');
});

test('freeze: each role is expired at its second of expiry, and not one second before', async () => {
  for (const role of ROLES) {
    const forge = new Forge();
    const early = { version: 1, expires: NOW };
    if (role === 'root') forge.root = sign(buildRoot(early, forge.roles()), forge.keys.root);
    if (role === 'targets') forge.targets({}, early);
    const targets = readFileSync(join(forge.folder, 'metadata/1.targets.json'));
    if (role === 'snapshot') forge.snapshot(metaFile(targets, 1), early);
    if (role === 'timestamp') forge.timestamp(undefined, early);
    expect((await forge.verify(NOW - 1)).faults, role).toEqual([]);
    await forge.expectFault('expired', `${role} 1 expired at 2027-01-15T08:00:00Z`);
  }
});

test('the expiry of a root that was followed by another does not count', async () => {
  const forge = new Forge();
  forge.root = sign(buildRoot({ version: 1, expires: NOW - DAY }, forge.roles()), forge.keys.root);
  forge.newRoot(2, forge.roles(), forge.keys.root);
  expect((await forge.verify()).faults).toEqual([]);
});

test('[CERT-I-1] a tampered, a longer, a shorter and a missing image are each named', async () => {
  const name = `targets/${targetFileName(PATH, sha256(IMAGE))}`;
  const cases: [string, (forge: Forge) => void][] = [
    ['hash-mismatch', (f) => f.put(name, Buffer.from(IMAGE).fill(0, 5, 6))],
    ['length-mismatch', (f) => f.put(name, Buffer.concat([IMAGE, Buffer.of(0)]))],
    ['length-mismatch', (f) => f.put(name, IMAGE.subarray(1))],
    ['file-missing', (f) => rmSync(join(f.folder, name))],
  ];
  for (const [code, damage] of cases) {
    const forge = new Forge();
    damage(forge);
    await forge.expectFault(code, 'app.bin');
  }
});

test('[CERT-I-3] a target with weak hashes alone is refused', async () => {
  const forge = new Forge();
  forge.targets({ [PATH]: { length: IMAGE.length, hashes: { md5: '0'.repeat(32) } } });
  await forge.expectFault('hash-mismatch', 'without a SHA-256');
});

test('a target path that leaves the folder is refused [path traversal]', async () => {
  for (const path of ['../secret', 'a/../../secret', '/etc/passwd', 'a//b', 'a/./b', 'a\\..\\b', '']) {
    const forge = new Forge();
    forge.targets({ [path]: targetOf(IMAGE) });
    await forge.expectFault('metadata-invalid', 'leaves the targets folder');
  }
});

test.each([
  [
    'threshold 0',
    (root: Root) => ({ ...root, roles: { ...root.roles, targets: { ...root.roles.targets, threshold: 0 } } }),
  ],
  [
    'a negative threshold',
    (root: Root) => ({
      ...root,
      roles: { ...root.roles, targets: { ...root.roles.targets, threshold: -1 } },
    }),
  ],
  [
    'a threshold above the number of keys',
    (root: Root) => ({ ...root, roles: { ...root.roles, targets: { ...root.roles.targets, threshold: 3 } } }),
  ],
  [
    'a key id twice in a role',
    (root: Root) => ({ ...root, roles: { ...root.roles, targets: { threshold: 1, keyids: ['a', 'a'] } } }),
  ],
  ['a missing role', (root: Root) => ({ ...root, roles: { ...root.roles, targets: undefined } })],
  ['version 0', (root: Root) => ({ ...root, version: 0 })],
  ['another major version of the specification', (root: Root) => ({ ...root, spec_version: '2.0.0' })],
  ['another type', (root: Root) => ({ ...root, _type: 'targets' })],
  ['an absurd expiry', (root: Root) => ({ ...root, expires: '9999-99-99T00:00:00Z' })],
  ['no consistent snapshots', (root: Root) => ({ ...root, consistent_snapshot: false })],
])('a root with %s is refused', async (_, change) => {
  const forge = new Forge();
  const signed = JSON.parse(JSON.stringify(change(forge.root.signed))) as Root;
  forge.root = sign(signed, forge.keys.root);
  await forge.expectFault('metadata-invalid', 'the trusted root');
});

test('unknown fields are kept under the signature', async () => {
  const forge = new Forge();
  const signed = { ...forge.root.signed, 'x-note': { z: [1, 'é\n'], a: null } };
  forge.root = sign(signed, forge.keys.root);
  expect((await forge.verify()).faults).toEqual([]);
  const changed = { ...forge.root, signed: { ...signed, 'x-note': {} } };
  forge.root = JSON.parse(Buffer.from(serialize(changed)).toString());
  await forge.expectFault('signature-invalid', 'the trusted root');
});

test('over HTTP the verdicts are the same, and a server that is away is a network error', async () => {
  const forge = new Forge();
  const server = await serveStatic({ directory: forge.folder });
  expect((await forge.verify(NOW, server.url)).faults).toEqual([]);
  expect((await forge.verify(NOW, `${server.url}/`)).faults).toEqual([]);
  forge.put(`targets/${targetFileName(PATH, sha256(IMAGE))}`, Buffer.from(IMAGE).fill(0, 5, 6));
  expect((await forge.verify(NOW, server.url)).faults[0]?.code).toBe('hash-mismatch');
  rmSync(join(forge.folder, 'metadata/timestamp.json'));
  expect((await forge.verify(NOW, server.url)).faults[0]?.code).toBe('metadata-missing');
  await server.close();
  await expect(forge.verify(NOW, server.url)).rejects.toMatchObject({
    code: 'network',
    message: expect.stringContaining(server.url),
  });
});
