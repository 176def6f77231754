import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  metadataName,
  openRepository,
  openSource,
  parseMetadata,
  type Repository,
  ROLES,
  type RoleName,
  verifyRepository,
} from '../../repo/index.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { addRelease, DAY, NOW, seeded, testRepository } from '../fixtures/repositories.ts';

/** All files that clients see, with their content. */
function publicFiles(repository: Repository): Record<string, string> {
  const folder = repository.publicDirectory;
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(json|bin)$/.test(name),
  );
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), 'base64')]));
}

async function faults(repository: Repository, now = NOW): Promise<string[]> {
  const found = await verifyRepository(await openSource(repository.directory), await repository.root(1), {
    now,
  });
  return found.faults.map((fault) => fault.code);
}

async function versions(repository: Repository): Promise<Record<string, number>> {
  const { roles } = await repository.status();
  return Object.fromEntries(roles.map(({ role, version }) => [role, version]));
}

test('a new repository is complete, empty and valid', async () => {
  const { repository } = await testRepository();
  expect(Object.keys(publicFiles(repository))).toEqual([
    'metadata/1.root.json',
    'metadata/1.snapshot.json',
    'metadata/1.targets.json',
    'metadata/timestamp.json',
  ]);
  expect(await faults(repository)).toEqual([]);
});

test('[CERT-S-5] the same inputs at the same time give the same bytes', async () => {
  const make = async () => {
    const { repository } = await testRepository();
    await addRelease(repository, '1.0.0');
    await repository.publish();
    await repository.rotateKeys('timestamp');
    await repository.refresh();
    return publicFiles(repository);
  };
  expect(await make()).toEqual(await make());
});

test('metadata is compact JSON with sorted names, and expires as configured', async () => {
  const { repository, metadata } = await testRepository({ expiry: { timestamp: 3600 } });
  const text = readFileSync(join(metadata, 'timestamp.json'), 'utf8');
  expect(text).toBe(JSON.stringify(JSON.parse(text)));
  expect(text.startsWith('{"signatures":[{"keyid":"')).toBe(true);
  const expires = (await repository.status()).roles.map((role) => role.expires - NOW);
  expect(expires).toEqual([365 * DAY, 3600, 7 * DAY, 90 * DAY]);
});

test('[TUF-1] thresholds hold from the start, and no more signatures are sent than they ask for', async () => {
  const { metadata } = await testRepository({ roles: { targets: { keys: 3, threshold: 2 } } });
  const root = parseMetadata(readFileSync(join(metadata, '1.root.json')), 'root', 'root');
  expect(root.signatures.length).toBe(2);
  const shape = ROLES.map((role) => [
    role,
    root.signed.roles[role].keyids.length,
    root.signed.roles[role].threshold,
  ]);
  expect(shape).toEqual([
    ['root', 3, 2],
    ['timestamp', 1, 1],
    ['snapshot', 1, 1],
    ['targets', 3, 2],
  ]);
  expect(
    parseMetadata(readFileSync(join(metadata, '1.targets.json')), 'targets', 't').signatures.length,
  ).toBe(2);
});

test('a publish, a refresh and a timestamp raise what they sign by one and nothing else', async () => {
  const { repository } = await testRepository();
  await repository.publish();
  expect(await versions(repository)).toEqual({ root: 1, timestamp: 2, snapshot: 2, targets: 2 });
  await repository.refresh();
  expect(await versions(repository)).toEqual({ root: 1, timestamp: 3, snapshot: 3, targets: 2 });
  await repository.refresh('timestamp');
  expect(await versions(repository)).toEqual({ root: 1, timestamp: 4, snapshot: 3, targets: 2 });
  await repository.refresh('root');
  expect(await versions(repository)).toEqual({ root: 2, timestamp: 4, snapshot: 3, targets: 2 });
  expect(await faults(repository)).toEqual([]);
});

test('an expired role stops what builds on it, names the remedy, and the remedy works', async () => {
  const { repository, clock } = await testRepository();
  const refused = (what: Promise<unknown>, role: string) =>
    expect(what).rejects.toMatchObject({ code: 'expired', message: expect.stringContaining(role) });
  clock.now = NOW + 8 * DAY;
  await refused(
    repository.refresh('timestamp'),
    'snapshot 1 expired at 2027-01-22T08:00:00Z; renew it first: moult refresh',
  );
  await repository.refresh();
  clock.now = NOW + 91 * DAY;
  await refused(repository.refresh(), 'targets 1 expired');
  await repository.publish();
  clock.now = NOW + 366 * DAY;
  await refused(repository.publish(), 'root 1 expired');
  await repository.refresh('root');
  await repository.publish();
  expect(await faults(repository, clock.now)).toEqual([]);
});

test('an absent key is named and nothing is signed; with it back the publish works', async () => {
  const { repository } = await testRepository({ roles: { targets: { keys: 2, threshold: 2 } } });
  await addRelease(repository, '1.0.0');
  const key = join(repository.directory, 'keys', 'targets-2.pem');
  const away = join(temporaryFolder(), 'targets-2.pem');
  const before = publicFiles(repository);
  renameSync(key, away);
  await expect(repository.publish()).rejects.toMatchObject({
    code: 'signatures-missing',
    message:
      'targets needs 2 signatures and 1 of its keys are here; bring the private half of targets-2 to keys/',
  });
  expect(publicFiles(repository)).toEqual(before);
  const held = (await repository.status()).roles
    .find(({ role }) => role === 'targets')
    ?.keys.map((k) => k.held);
  expect(held).toEqual([true, false]);
  renameSync(away, key);
  expect((await repository.publish()).added.length).toBe(1);
});

test('with 1 of 2 any one key is enough', async () => {
  const { repository } = await testRepository();
  rmSync(join(repository.directory, 'keys', 'targets-1.pem'));
  await repository.publish();
  expect(await faults(repository)).toEqual([]);
});

test.each(ROLES)(
  '[CERT-I-6] rotating %s replaces its keys, and clients with any earlier root follow',
  async (role) => {
    const { repository, metadata } = await testRepository();
    await addRelease(repository, '1.0.0');
    await repository.publish();
    const before = parseMetadata(await repository.root(), 'root', 'root').signed.roles[role].keyids;
    await repository.rotateKeys(role);
    const after = parseMetadata(await repository.root(), 'root', 'root').signed.roles[role].keyids;
    expect(after.length).toBe(before.length);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    expect(await faults(repository)).toEqual([]);
    // Without the new root, as after a power cut before its file: the old one still leads to all of it.
    const newest = join(metadata, '2.root.json');
    const bytes = readFileSync(newest);
    rmSync(newest);
    expect(await faults(repository)).toEqual([]);
    writeFileSync(newest, bytes);
    // The next refresh drops the old keys' signatures.
    await repository.publish();
    await repository.rotateKeys('root');
    expect(await faults(repository)).toEqual([]);
  },
);

test('a rotated key that was stolen signs nothing any more', async () => {
  const { repository, metadata } = await testRepository();
  const [stolen] = await repository.signingKeys('timestamp');
  await repository.rotateKeys('timestamp');
  await repository.refresh('timestamp');
  const { signatures } = parseMetadata(readFileSync(join(metadata, 'timestamp.json')), 'timestamp', 't');
  expect(signatures.map(({ keyid }) => keyid)).not.toContain(stolen?.id);
  expect(signatures.length).toBe(1);
});

test('a rotation that cannot be signed leaves no keys behind', async () => {
  const { repository } = await testRepository();
  for (const name of ['root-1.pem', 'root-2.pem']) rmSync(join(repository.directory, 'keys', name));
  const before = readdirSync(join(repository.directory, 'keys'));
  await expect(repository.rotateKeys('timestamp')).rejects.toMatchObject({ code: 'signatures-missing' });
  await expect(repository.rotateKeys('root', { threshold: 4 })).rejects.toMatchObject({
    code: 'bad-argument',
  });
  expect(readdirSync(join(repository.directory, 'keys'))).toEqual(before);
});

test('[TUF-1] one key in two top-level roles is refused', async () => {
  const { repository } = await testRepository();
  const shared = repository.rotateKeys('timestamp', { keys: ['snapshot-1'] });
  await expect(shared).rejects.toMatchObject({
    code: 'key-shared',
    message: expect.stringContaining('snapshot'),
  });
  const twice = repository.rotateKeys('timestamp', { keys: ['timestamp-1', 'timestamp-1'], threshold: 2 });
  await expect(twice).rejects.toMatchObject({ code: 'key-shared' });
  await expect(repository.rotateKeys('timestamp', { keys: ['nobody'] })).rejects.toThrow('moult key gen');
});

test('a power cut after any file of a publish or rotation leaves the old state served, and no version is signed twice', async () => {
  const changes: Record<string, (repository: Repository) => ReturnType<Repository['publish']>> = {
    publish: (r) => r.publish(),
    refresh: (r) => r.refresh(),
    'rotate targets': (r) => r.rotateKeys('targets'),
    'rotate snapshot': (r) => r.rotateKeys('snapshot'),
    'rotate timestamp': (r) => r.rotateKeys('timestamp'),
    'rotate root': (r) => r.rotateKeys('root'),
  };
  for (const [name, change] of Object.entries(changes)) {
    const { repository, clock } = await testRepository();
    await addRelease(repository, '1.0.0');
    await repository.publish();
    await addRelease(repository, '1.1.0');
    const old = join(temporaryFolder(), 'old');
    cpSync(repository.directory, old, { recursive: true });
    const { roles } = await change(repository);
    for (let written = 0; written < roles.length; written++) {
      const label = `${name}, cut after ${written} of ${roles.length}`;
      const cut = await cutAfter(old, repository, roles.slice(0, written), clock.read);
      expect(await faults(cut), label).toEqual([]);
      clock.now += 60;
      await cut.publish();
      clock.now -= 60;
      expect(await faults(cut), label).toEqual([]);
      assertOneContentPerVersion(
        repository,
        cut,
        roles.slice(0, written).map((r) => metadataName(r.role, r.version)),
        label,
      );
    }
  }
});

/** The old repository with the first files of the change, as a power cut would leave it. */
async function cutAfter(
  old: string,
  changed: Repository,
  written: readonly { role: RoleName; version: number }[],
  clock: () => number,
): Promise<Repository> {
  const folder = join(temporaryFolder(), 'cut');
  cpSync(old, folder, { recursive: true });
  // Keys come before metadata; the next file may lie half-written under its temporary name.
  cpSync(join(changed.directory, 'keys'), join(folder, 'keys'), { recursive: true });
  writeFileSync(join(folder, '.tmp', '999-0'), '{"signatu');
  for (const { role, version } of written) {
    const name = join('public', 'metadata', metadataName(role, version));
    cpSync(join(changed.directory, name), join(folder, name));
  }
  return openRepository(folder, { clock, random: seeded('later') });
}

function assertOneContentPerVersion(
  a: Repository,
  b: Repository,
  names: readonly string[],
  label: string,
): void {
  for (const name of names.filter((n) => n !== 'timestamp.json')) {
    const read = (r: Repository) => readFileSync(join(r.publicDirectory, 'metadata', name), 'utf8');
    expect(read(b), `${label}: ${name}`).toBe(read(a));
  }
}

test('every file of the metadata that is missing, cut short, changed or exchanged is named', async () => {
  const { repository, metadata } = await testRepository();
  await addRelease(repository, '1.0.0');
  await repository.publish();
  for (const name of ['1.root.json', 'timestamp.json', '2.snapshot.json', '2.targets.json']) {
    const path = join(metadata, name);
    const good = readFileSync(path);
    const damage: Record<string, () => void> = {
      missing: () => rmSync(path),
      empty: () => writeFileSync(path, ''),
      short: () => writeFileSync(path, good.subarray(0, good.length >> 1)),
      other: () =>
        cpSync(join(metadata, name === 'timestamp.json' ? '1.targets.json' : 'timestamp.json'), path),
    };
    for (const [kind, act] of Object.entries(damage)) {
      act();
      const before = readdirSync(metadata);
      for (const use of [() => repository.publish(), () => repository.status()]) {
        const error = await use().then(
          () => undefined,
          (thrown: Error) => thrown,
        );
        expect(error?.message, `${kind} ${name}`).toMatch(/root|timestamp|snapshot|targets/);
      }
      expect(readdirSync(metadata), `${kind} ${name}`).toEqual(before);
      writeFileSync(path, good);
    }
  }
  expect(await faults(repository)).toEqual([]);
});

test('metadata with a forged signature is not built upon', async () => {
  const { repository, metadata } = await testRepository();
  const path = join(metadata, 'timestamp.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/"sig":"../, '"sig":"00'));
  await expect(repository.publish()).rejects.toMatchObject({ code: 'signature-invalid' });
});

test('an image that vanished or changed after it was added is not signed', async () => {
  const { repository } = await testRepository();
  await addRelease(repository, '1.0.0');
  const folder = join(repository.publicDirectory, 'targets', 'app', 'board', '1.0.0');
  const file = join(folder, readdirSync(folder)[0] ?? '');
  const good = readFileSync(file);
  const bad = Buffer.from(good);
  bad[100] = (bad[100] ?? 0) ^ 1;
  for (const damage of [
    () => writeFileSync(file, bad),
    () => writeFileSync(file, good.subarray(1)),
    () => rmSync(file),
  ]) {
    damage();
    await expect(repository.publish()).rejects.toMatchObject({
      code: 'repository-corrupt',
      message: expect.stringContaining(file),
    });
  }
  writeFileSync(file, good);
  await repository.publish();
});

test('moult.toml that is damaged is named with the line or the entry', async () => {
  const { repository } = await testRepository();
  const path = join(repository.directory, 'moult.toml');
  const good = readFileSync(path, 'utf8');
  const cases: [string, string][] = [
    ['name = ', 'not TOML in line 1'],
    [good.replace('"90d"', '"soon"'), 'expiry.targets'],
    [good.replace('targets', 'tragets'), 'tragets'],
    [good.replace(/max_image_size = \d+/, 'max_image_size = "big"'), 'max_image_size'],
  ];
  for (const [text, message] of cases) {
    writeFileSync(path, text);
    await expect(openRepository(repository.directory)).rejects.toMatchObject({
      code: 'repository-corrupt',
      message: expect.stringContaining(message),
    });
  }
  await expect(openRepository(temporaryFolder())).rejects.toMatchObject({ code: 'repository-missing' });
});

test('a repository is made whole or not at all, and never over something', async () => {
  const { repository } = await testRepository();
  const { createRepository } = await import('../../repo/index.ts');
  const again = createRepository(repository.directory, { encrypt: false });
  await expect(again).rejects.toMatchObject({ code: 'repository-exists' });
  const folder = temporaryFolder();
  const failing = createRepository(join(folder, 'x'), {
    encrypt: true,
    passphrase: (name) => {
      if (name === 'targets-2') throw new Error('interrupted');
      return 'secret';
    },
    roles: { root: { keys: 1, threshold: 1 } },
  });
  await expect(failing).rejects.toThrow('interrupted');
  expect(readdirSync(folder)).toEqual([]);
});
