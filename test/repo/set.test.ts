// Releases that do not go together are refused before devices see them, by the rules that devices refuse them by.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Repository } from '../../repo/index.ts';
import { openRepository } from '../../repo/index.ts';
import { asTarget, type Release } from '../../repo/release.ts';
import type { Range, Rules } from '../../repo/rules.ts';
import { type Factory, findFaults } from '../../repo/set.ts';
import { imageOf, testRepository } from '../fixtures/repositories.ts';

interface Made extends Partial<Rules> {
  readonly hardwareIds?: readonly string[];
}

function release(component: string, releaseCounter: number, more: Made = {}): Release {
  const version = `${releaseCounter}.0`;
  return {
    path: `${component}/board/${version}/x.bin`,
    length: 1,
    sha256: '00'.repeat(32),
    component,
    version,
    hardwareIds: ['board'],
    releaseCounter,
    securityCounter: 0,
    ...more,
  };
}

const radio = (releaseCounter: number, below?: number): Range => ({
  component: 'radio',
  releaseCounter,
  ...(below !== undefined && { below }),
});
const app = (rules: Partial<Rules>) => release('app', 3, rules);
const needsRadio = app({ requires: [radio(5, 9)] });

test('a release without rules goes with everything', () => {
  expect(findFaults([app({}), release('radio', 1)], {})).toEqual([]);
});

test.each([
  ['the lowest that is required', 5],
  ['the highest', 8],
])('%s is enough', (_, counter) => {
  expect(findFaults([needsRadio, release('radio', counter)], {})).toEqual([]);
});

test.each([
  ['below what is required', 4],
  ['the end of what is required', 9],
])('[CERT-C-3] %s is not', (_, counter) => {
  expect(findFaults([needsRadio, release('radio', counter)], {})).toEqual([
    `app 3.0 requires radio from release 5 and below 9, and what board would have is radio ${counter}.0 (${counter})`,
  ]);
});

test('[CERT-C-3] what is required and is nowhere', () => {
  expect(findFaults([needsRadio], {})).toEqual([
    'app 3.0 requires radio from release 5 and below 9, and there is no release of radio for board (nor is it in [factory] in moult.toml)',
  ]);
});

test('[CERT-C-3] releases in conflict, whichever of them says so', () => {
  const loud = app({ conflicts: [radio(7)] });
  expect(findFaults([loud, release('radio', 6)], {})).toEqual([]);
  expect(findFaults([loud, release('radio', 7)], {})).toEqual([
    'app 3.0 conflicts with radio from release 7, and what board would have is radio 7.0 (7)',
  ]);
  const rude = release('radio', 7, { conflicts: [{ component: 'app', releaseCounter: 0, below: 4 }] });
  expect(findFaults([app({}), rude], {})[0]).toContain(
    'radio 7.0 conflicts with app from release 0 and below 4',
  );
});

test('only the newest release for a board counts, and only there', () => {
  const old = [release('radio', 5), release('app', 2, { requires: [radio(99)] })];
  expect(findFaults([...old, app({ requires: [radio(6)] }), release('radio', 6)], {})).toEqual([]);
  const elsewhere = release('app', 4, { hardwareIds: ['other'] });
  expect(findFaults([needsRadio, elsewhere, release('radio', 4)], {})).toHaveLength(1);
});

test('an image from the factory is as good as a release, and newer ones replace it', () => {
  expect(findFaults([needsRadio], { radio: 5 })).toEqual([]);
  expect(findFaults([needsRadio], { radio: 4 })).toEqual([
    'app 3.0 requires radio from release 5 and below 9, and what board would have is radio from the factory (4)',
  ]);
  expect(findFaults([needsRadio, release('radio', 2)], { radio: 5 })).toEqual([]);
  expect(findFaults([needsRadio, release('radio', 9)], { radio: 5 })).toHaveLength(1);
});

test('[CERT-C-3] a release for another board is no help where there is one for this', () => {
  const other = release('radio', 5, { hardwareIds: ['other'] });
  expect(findFaults([needsRadio, release('radio', 4), other], {})).toHaveLength(1);
});

test('a component with a hardware id of its own: one of its boards must do', () => {
  const chip = (id: string, counter: number) => release('radio', counter, { hardwareIds: [id] });
  expect(findFaults([needsRadio, chip('chip-1', 4), chip('chip-2', 5)], {})).toEqual([]);
  expect(findFaults([needsRadio, chip('chip-1', 4), chip('chip-2', 9)], {})[0]).toContain(
    'is radio 4.0 (4) or 9.0 (9)',
  );
  const picky = app({ conflicts: [radio(5)] });
  expect(findFaults([picky, chip('chip-1', 4), chip('chip-2', 5)], {})).toEqual([]);
  expect(findFaults([picky, chip('chip-1', 6), chip('chip-2', 5)], {})).toHaveLength(1);
});

test('a set has no more conditions than devices take', () => {
  const many = (n: number) => Array.from({ length: n }, () => radio(0, 99));
  const conflicts = (n: number) => Array.from({ length: n }, () => radio(50));
  const of = (n: number) => [
    app({ requires: many(15) }),
    release('radio', 1),
    release('model', 1, { conflicts: conflicts(n) }),
  ];
  expect(findFaults(of(2), {})).toEqual([]);
  expect(findFaults(of(3), {})).toEqual([
    'the newest releases for board have 33 conditions; devices take 32',
  ]);
});

/** As the device puts it (assembly/agent/set.ts): counters that it may not have of a component. */
function deviceHolds(releases: readonly Release[], factory: Factory): boolean {
  const have = new Map(Object.entries(factory));
  const newest = new Map<string, Release>();
  for (const one of releases) {
    if ((newest.get(one.component)?.releaseCounter ?? 0) < one.releaseCounter) newest.set(one.component, one);
    have.set(one.component, Math.max(have.get(one.component) ?? 0, one.releaseCounter));
  }
  const forbidden = [...newest.values()].flatMap(({ requires = [], conflicts = [] }) => [
    ...conflicts.map((range) => ({ below: Infinity, ...range })),
    ...requires.flatMap(({ component, releaseCounter, below = Infinity }) => [
      { component, releaseCounter: -1, below: releaseCounter },
      { component, releaseCounter: below, below: Infinity },
    ]),
  ]);
  return forbidden.every(({ component, releaseCounter, below }) => {
    const has = have.get(component) ?? -1;
    return has < releaseCounter || has >= below;
  });
}

test('[CERT-C-3] publishing refuses exactly what a device with all components refuses', () => {
  const name = fc.constantFrom('app', 'radio', 'model');
  const range = fc.record(
    { component: name, releaseCounter: fc.nat(6), below: fc.integer({ min: 1, max: 7 }) },
    { requiredKeys: ['component', 'releaseCounter'] },
  );
  const rules = fc.record({
    requires: fc.array(range, { maxLength: 2 }),
    conflicts: fc.array(range, { maxLength: 2 }),
  });
  const some = fc.tuple(name, fc.integer({ min: 1, max: 6 }), rules).map((given) => release(...given));
  const factory = fc.dictionary(name, fc.nat(4), { maxKeys: 2 });
  fc.assert(
    fc.property(fc.array(some, { minLength: 1, maxLength: 4 }), factory, (releases, made) => {
      expect(findFaults(releases, made).length === 0).toBe(deviceHolds(releases, made));
    }),
    { numRuns: 500 },
  );
});

async function add(repository: Repository, component: string, version: string, rules: Partial<Rules> = {}) {
  const image = { bytes: imageOf(`${component}${version}`), name: 'x.bin' };
  return repository.addRelease({ image, component, version, hardwareIds: ['board'], ...rules });
}

test('[CERT-C-3] rules are kept in the record and signed with the release', async () => {
  const { repository } = await testRepository();
  const requires = [{ component: 'radio', releaseCounter: 1, below: 3 }];
  const conflicts = [{ component: 'model', releaseCounter: 7 }];
  await add(repository, 'radio', '1');
  await add(repository, 'app', '1', { requires, conflicts });
  const [read] = await repository.releases();
  expect(read && asTarget(read).custom).toMatchObject({ requires, conflicts });
  expect(read && Object.keys(asTarget({ ...read, requires: [], conflicts: [] }).custom ?? {})).not.toContain(
    'requires',
  );
});

test('[CERT-0-2, CERT-C-3] publish refuses a set that cannot hold, and takes it when the rest of it is there', async () => {
  const { repository, metadata } = await testRepository();
  await add(repository, 'radio', '1');
  await add(repository, 'app', '1', { requires: [radio(2)] });
  const before = readdirSync(metadata);
  await expect(repository.publish()).rejects.toMatchObject({
    code: 'set-refused',
    message: 'app 1 requires radio from release 2, and what board would have is radio 1 (1)',
  });
  expect(readdirSync(metadata)).toEqual(before);
  expect((await repository.status()).warnings).toEqual([expect.stringContaining('app 1 requires radio')]);
  await add(repository, 'radio', '2');
  expect((await repository.publish()).added).toHaveLength(3);
  expect((await repository.status()).warnings).toEqual([]);
});

test('what is there from the factory stands in moult.toml', async () => {
  const { repository, clock } = await testRepository();
  await add(repository, 'app', '1', { requires: [radio(5)] });
  await expect(repository.publish()).rejects.toThrow('nor is it in [factory] in moult.toml');
  const path = join(repository.directory, 'moult.toml');
  const text = readFileSync(path, 'utf8');
  const open = () => openRepository(repository.directory, { clock: clock.read });
  for (const [table, message] of [
    ['[factory]\nradio = "5"\n', 'factory.radio: release counter 5 is not an integer'],
    ['[factory]\nradio = -1\n', 'factory.radio: release counter -1'],
    ['[factory]\n"ra dio" = 5\n', 'factory.ra dio: component "ra dio"'],
  ] as const) {
    writeFileSync(path, `${text}\n${table}`);
    await expect(open()).rejects.toThrow(message);
  }
  writeFileSync(path, `${text}\n[factory]\nradio = 5\n`);
  expect((await (await open()).publish()).added).toHaveLength(1);
});

test.each([
  [{ requires: [{ component: 'app', releaseCounter: 1 }] }, 'no rule on its own component'],
  [{ conflicts: [{ component: 'ra dio', releaseCounter: 1 }] }, 'component "ra dio"'],
  [{ requires: [radio(2 ** 31)] }, 'release counter of radio 2147483648'],
  [{ requires: [radio(1.5)] }, 'release counter of radio 1.5'],
  [{ requires: [radio(5, 5)] }, 'end of radio 5'],
  [{ requires: Array.from({ length: 17 }, () => radio(1, 2)) }, 'has 34 conditions; devices take 32'],
])('rules that no device could follow are refused when the release is added: %j', async (rules, message) => {
  const { repository } = await testRepository();
  await expect(add(repository, 'app', '1', rules)).rejects.toThrow(message);
  expect(await repository.releases()).toEqual([]);
});

test('a record with rules that are none is damaged', async () => {
  const { repository } = await testRepository();
  await add(repository, 'app', '1');
  const path = join(repository.directory, 'releases/app/board/1.json');
  const record = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...record, requires: [{ component: 'radio' }] }));
  await expect(repository.releases()).rejects.toThrow('requires is not an array of ranges');
});
