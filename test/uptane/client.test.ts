// moult client --uptane against pairs of repositories over HTTP: what it finds in each of them, by name.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exitOf, runUptane, type UptaneReport, type Verdict } from '../../cli/client/uptane.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { put } from '../tuf/values.ts';
import { type Expected, type Fault, roleFaults, targetFaults } from './faults.ts';
import type { KeyKind, Profile } from './keys.ts';
import { CONTENT, ECU, FILE, HARDWARE, Pair, type PairOptions, type Served, serve } from './pair.ts';
import type { Repository } from './repository.ts';

interface World {
  readonly pair: Pair;
  readonly served: Served;
  readonly folder: string;
  init(): Promise<UptaneReport>;
  refresh(): Promise<UptaneReport>;
  download(): Promise<UptaneReport>;
}

async function world(options: PairOptions = {}): Promise<World> {
  const pair = new Pair(options);
  const served = await serve(pair);
  const folder = temporaryFolder();
  const metadataDir = join(folder, 'state');
  const { directorUrl, imageUrl } = served;
  const update = (command: 'refresh' | 'download') =>
    runUptane({
      command,
      metadataDir,
      sources: { directorUrl, imageUrl },
      targetDir: join(folder, 'targets'),
    });
  const init = () => {
    const [directorRoot, imageRoot] = (['director', 'image'] as const).map((name) => {
      const file = join(folder, `${name}.json`);
      writeFileSync(file, pair.firstRoot(name));
      return file;
    }) as [string, string];
    const ecu = { ecu: ECU, hardwareId: HARDWARE, legacy: pair.profile === 'legacy' };
    return runUptane({ command: 'init', metadataDir, ecu, directorRoot, imageRoot });
  };
  return { pair, served, folder, init, refresh: () => update('refresh'), download: () => update('download') };
}

/** One whose client trusts version 2 of everything. */
async function settled(options: PairOptions): Promise<World> {
  const made = await world(options);
  made.pair.raise().publish();
  expect(await made.init()).toEqual({ ...report({}), targets: [] });
  expect(await made.refresh()).toEqual(report({}));
  return made;
}

/** The report of what is expected. */
function report({ director, image, targets }: Expected): UptaneReport {
  const verdict = (error: string | null | undefined): Verdict => ({ ok: !error, error: error ?? null });
  const wanted = targets ?? (director || image ? {} : { [FILE]: null });
  return {
    director: verdict(director),
    image: verdict(image),
    targets: Object.entries(wanted).map(([name, error]) => ({ name, ...verdict(error) })),
  };
}

async function finds({ profile, change, conduct, expected }: Fault): Promise<void> {
  const { pair, served, download } = await settled({ profile });
  pair.raise();
  change(pair);
  pair.publish();
  if (conduct) served.conduct = conduct;
  const found = await download();
  expect(found).toEqual(report(expected));
  expect(exitOf(found)).toBe(expected.director || expected.image || isRefused(expected) ? 1 : 0);
}

function isRefused({ targets = {} }: Expected): boolean {
  return Object.values(targets).some((finding) => finding !== null);
}

describe('[UPT-5, TUF-5] a client of two repositories, of which one has', () => {
  for (const fault of roleFaults()) test(fault.name, () => finds(fault));
});

describe('[UPT-5, TUF-8] a client of two repositories, of whose targets', () => {
  for (const fault of targetFaults()) test(fault.name, () => finds(fault));
});

describe('a first root that is refused is named, and the other repository judged all the same:', () => {
  const roots: readonly [what: string, forge: (repository: Repository) => void, finding: string][] = [
    ['not signed', ({ forgeries }) => Object.assign(forgeries, { root: { signers: [] } }), 'SIGNATURES'],
    [
      'of another type',
      ({ forgeries }) => Object.assign(forgeries, { root: { signed: put('_type', 'x') } }),
      'TYPE_MISMATCH',
    ],
    [
      'with a threshold of zero',
      ({ thresholds }) => Object.assign(thresholds, { root: 0 }),
      'THRESHOLD_INVALID',
    ],
    [
      'whose targets have a threshold of zero',
      ({ thresholds }) => Object.assign(thresholds, { targets: 0 }),
      'THRESHOLD_INVALID',
    ],
  ];
  for (const profile of ['modern', 'legacy'] as const)
    for (const name of ['director', 'image'] as const)
      test.each(roots)(`${profile} ${name}: %s`, async (_, forge, finding) => {
        const w = await world({ profile });
        forge(w.pair.get(name));
        w.pair.publish();
        expect(await w.init()).toEqual({ ...report({ [name]: finding as 'SIGNATURES' }) });
        expect(await w.download()).toEqual(report({ [name]: 'NOT_PROVISIONED' as const }));
      });
});

describe('[UPT-5] a Director beside an Image repository whose first root is refused', () => {
  const stranded = async (profile: Profile, change: (pair: Pair) => void): Promise<UptaneReport> => {
    const w = await world({ profile });
    w.pair.image.forgeries.root = { signers: [] };
    change(w.pair);
    w.pair.publish();
    await w.init();
    return w.download();
  };
  const refused = { image: 'NOT_PROVISIONED' } as const;

  test.each(['modern', 'legacy'] as const)('%s: targets that nobody signed', async (profile) => {
    const found = await stranded(profile, ({ director }) => {
      director.forgeries.targets = { signers: [] };
    });
    expect(found).toEqual(report({ director: 'SIGNATURES', ...refused }));
  });

  test('legacy: an ECU twice', async () => {
    const found = await stranded('legacy', (pair) => pair.list('other', 'other'));
    expect(found).toEqual(report({ director: 'ECU_DUPLICATE', ...refused }));
  });

  test('legacy: what is wrong with a target alone is not held against it', async () => {
    const found = await stranded('legacy', ({ director }) =>
      put('custom', 'ecuIdentifiers', ECU, 'hardwareId', 'gw-2')(director.targets[FILE] ?? {}),
    );
    expect(found).toEqual(report(refused));
  });

  test('init with a good one begins anew', async () => {
    const w = await world({ profile: 'legacy' });
    w.pair.image.forgeries.root = { signers: [] };
    w.pair.publish();
    await w.init();
    w.pair.image.forgeries.root = {};
    w.pair.publish();
    await w.init();
    expect(await w.download()).toEqual(report({}));
  });
});

test.each(['escaped', 'olpc'] as const)(
  'legacy targets that delegate to keys in PEM, whose hash is announced of their canonical form (%s)',
  async (canonical) => {
    const { pair, download } = await settled({ profile: 'legacy', kind: 'rsa', canonical });
    pair.raise();
    pair.image.listsHashes = true;
    pair.image.delegations = [{ name: 'supplier', paths: ['*'], keys: [pair.image.newKey()], targets: {} }];
    pair.publish();
    expect(await download()).toEqual(report({}));
  },
);

describe('[ETSI-3.7] repositories with keys', () => {
  const kinds: readonly [Profile, KeyKind][] = [
    ['modern', 'p256'],
    ['modern', 'rsa'],
    ['legacy', 'rsa'],
  ];
  test.each(kinds)('%s %s', async (profile, kind) => {
    const { pair, folder, download } = await settled({ profile, kind });
    pair.raise().publish();
    expect(await download()).toEqual(report({}));
    expect(readFileSync(join(folder, 'targets', encodeURIComponent(FILE)), 'utf8')).toBe(CONTENT);
  });
});

test.each<[string, PairOptions]>([
  ['hashes are over the bytes of the files', { hashed: 'bytes' }],
  ['signatures are in hexadecimal digits', { encoding: 'hex' }],
  ['signatures by RSA are in hexadecimal digits', { encoding: 'hex', kind: 'rsa' }],
  ['signatures by RSA are over SHA-512', { hash: 'sha512', kind: 'rsa' }],
  [
    'signatures are over SHA-512 and line ends as they are',
    { hash: 'sha512', canonical: 'olpc', kind: 'rsa' },
  ],
  ['line ends are signed as they are', { canonical: 'olpc', kind: 'rsa' }],
])('legacy repositories whose %s', async (_, options) => {
  const { pair, download } = await settled({ profile: 'legacy', ...options });
  pair.raise().publish();
  expect(await download()).toEqual(report({}));
});

test('RSA over SHA-512 in repositories that are not of that time: refused', async () => {
  const { init } = await world({ kind: 'rsa', hash: 'sha512' });
  expect(await init()).toEqual(report({ director: 'SIGNATURES', image: 'SIGNATURES' }));
});

test('a client that is asked again fetches no target twice, and shows what it trusts', async () => {
  const { pair, served, folder, download } = await settled({});
  pair.raise().publish();
  await download();
  served.asked();
  expect(await download()).toEqual(report({}));
  expect(served.asked().filter((path) => path.includes('/targets/'))).toEqual([]);
  const shown = (repository: string) => readFileSync(join(folder, 'state', repository, 'targets.json'));
  expect(shown('director')).toEqual(Buffer.from(pair.director.files.get('3.targets.json') ?? []));
  expect(shown('image')).toEqual(Buffer.from(pair.image.files.get('3.targets.json') ?? []));
});

test.each(['modern', 'legacy'] as const)(
  '%s: what is refused stays so while nothing changes',
  async (profile) => {
    const { pair, refresh, download } = await settled({ profile });
    pair.raise();
    pair.director.targets[FILE] = pair.directed(
      FILE,
      CONTENT,
      put('custom', 'ecuIdentifiers', ECU, 'hardwareId', 'gw-2'),
    );
    pair.publish();
    const refused = report({ targets: { [FILE]: 'HARDWARE_MISMATCH' } });
    for (const check of [refresh, download, refresh]) expect(await check()).toEqual(refused);
  },
);

test('servers that cannot be reached: exit status 3', async () => {
  const { served, refresh } = await settled({});
  await served.close();
  const found = await refresh();
  expect(found).toEqual(report({ director: 'NETWORK', image: 'NETWORK' }));
  expect(exitOf(found)).toBe(3);
});
