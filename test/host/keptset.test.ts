// What a Primary keeps for its Secondaries, and how they are answered from it.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FolderDepot } from '../../host/node/depot.ts';
import { directionsOf, type KeptSet, keepSet, loadSet, setFetch } from '../../host/node/keptset.ts';
import { SimDepot } from '../../sim/depot.ts';
import { Power } from '../../sim/power.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { bytes } from '../tuf/values.ts';

const metadata = (version: number, what: string) => bytes(JSON.stringify({ signed: { version }, what }));

/** Files of a check, all of which say which one. */
function filesOf(check: number): Map<string, Uint8Array> {
  const names = [
    'director/targets.json',
    'director/timestamp.json',
    'image/timestamp.json',
    'image/snapshot.json',
  ];
  const files = new Map(names.map((name) => [name, metadata(check, `check ${check}`)]));
  files.set('director/1.root.json', metadata(1, 'root'));
  files.set('targets/app/a.bin', bytes(`image ${check}`));
  return files;
}

async function ask(fetch: ReturnType<typeof setFetch>, path: string): Promise<string> {
  const options = { headers: {}, signal: new AbortController().signal, redirect: 'manual' } as const;
  const reply = (await fetch(`https://set/${path}`, options)) as Response;
  return reply.status === 200 ? reply.text() : `${reply.status}`;
}

test('[UPT-1] who began a check goes on with the set of its beginning, and the next check has the new one', async () => {
  const depot = new SimDepot(new Power());
  let current: KeptSet | undefined = keepSet(depot, filesOf(1), []);
  const fetch = setFetch(() => current);
  expect(await ask(fetch, 'director/1.root.json')).toContain('root');
  current = keepSet(depot, filesOf(2), []);
  expect(await ask(fetch, 'director/timestamp.json')).toContain('check 1');
  expect(await ask(fetch, 'image/timestamp.json')).toContain('check 1');
  expect(await ask(fetch, 'image/1.snapshot.json')).toContain('check 1');
  expect(await ask(fetch, 'image/2.snapshot.json')).toBe('404');
  expect(await ask(fetch, 'director/2.root.json')).toBe('404');
  expect(await ask(fetch, 'image/2.snapshot.json')).toContain('check 2');
});

describe('what is listed for the ECUs of a vehicle', () => {
  const listed = (custom: object) =>
    bytes(JSON.stringify({ signed: { targets: { 'a.bin': { hashes: {}, custom } } } }));
  const ecus = { one: 'x', two: 'y', three: 'x' };
  const serials = (custom: object) => directionsOf(listed(custom), ecus).map(({ serial }) => serial);

  test('goes to those that it names, and to none of another vehicle', () => {
    expect(serials({ ecuIdentifiers: { two: {}, stranger: {} }, hardwareIds: ['x'] })).toEqual(['two']);
  });
  test('without names it goes to all with the hardware', () => {
    expect(serials({ hardwareIds: ['x', 'z'] })).toEqual(['one', 'three']);
    expect(serials({})).toEqual([]);
  });
});

describe('a depot in a folder', () => {
  test('[UPT-1] answers that a file is not there which no set has', async () => {
    const set = keepSet(new FolderDepot(join(temporaryFolder(), 'depot')), filesOf(1), []);
    expect(
      await ask(
        setFetch(() => set),
        'director/2.root.json',
      ),
    ).toBe('404');
  });

  test('is what it was when it is opened again, and what no set names any more is gone', () => {
    const folder = join(temporaryFolder(), 'depot');
    keepSet(new FolderDepot(folder), filesOf(1), []);
    keepSet(new FolderDepot(folder), filesOf(2), [{ serial: 'a', path: 'app/a.bin', releaseCounter: 2 }]);
    const set = loadSet(new FolderDepot(folder));
    expect(set?.directions).toHaveLength(1);
    expect(Buffer.from(set?.read('targets/app/a.bin') ?? []).toString()).toBe('image 2');
    // The index, the image, a root, and one file for four names.
    expect(readdirSync(folder)).toHaveLength(4);
  });

  test('an image that was changed on disk is not taken for the one that was verified', () => {
    const depot = new FolderDepot(join(temporaryFolder(), 'depot'));
    const set = keepSet(depot, filesOf(1), []);
    const digest = set.files['targets/app/a.bin'] ?? '';
    expect(set.image(digest)?.name).toBe('targets/app/a.bin');
    depot.write(digest, bytes('image x'));
    expect(set.image(digest)).toBe(undefined);
  });

  test('what was being written when it ended is gone', () => {
    const folder = join(temporaryFolder(), 'depot');
    const depot = new FolderDepot(folder);
    depot.write('a', bytes('whole'));
    depot.write('draft', bytes('a name like any other'));
    expect(new FolderDepot(folder).names().sort()).toEqual(['a', 'draft']);
    expect(existsSync(join(folder, 'draft~'))).toBe(false);
  });
});
