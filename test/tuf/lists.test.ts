// The names that the core knows by their hashes: the lists against their comments and the enumeration.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../host/node/root.ts';

const SOURCE = readFileSync(join(projectRoot(), 'assembly/json/names.ts'), 'utf8');

/** FNV-1a, 32 bits. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return `0x${(hash >>> 0).toString(16).padStart(8, '0')}`;
}

const lists = [...SOURCE.matchAll(/memory\.data<u32>\(\[\n(.*?)\]\);/gs)].map(([, list = '']) => ({
  texts: [...list.matchAll(/\/\/ (.*)/g)].flatMap(([, texts = '']) => texts.split(' ')),
  hashes: list.match(/0x[0-9a-f]{8}/g) ?? [],
}));
const texts = lists.flatMap((list) => list.texts);
const [, members = ''] = /const enum Name \{\n(.*?)\}/s.exec(SOURCE) ?? [];
const names = (members.match(/[A-Z][A-Z0-9_]*/g) ?? []).slice(1);

test('each hash is that of the name beside it, and no two are the same', () => {
  expect(lists).toHaveLength(2);
  for (const { texts, hashes } of lists) expect(hashes).toEqual(texts.map(hashOf));
  expect(new Set(texts.map(hashOf)).size).toBe(texts.length);
});

test('the enumeration has the names in the order of the lists', () => {
  const letters = (text: string) => text.replace(/[^A-Za-z0-9]/g, '').toUpperCase();
  /** Those that are not named as they are written. */
  const other: Record<string, string> = {
    RSA_PSS: 'rsassa-pss-sha256',
    ECDSA_P256: 'ecdsa-sha2-nistp256',
  };
  expect(names.map((name) => letters(other[name] ?? name))).toEqual(texts.map(letters));
});

test('the small core has the first list alone, and hosts count the rest from there', () => {
  const counts = [...SOURCE.matchAll(/const (?:MORE_)?COUNT: usize = (\d+);/g)].map(([, count]) =>
    Number(count),
  );
  expect(counts).toEqual(lists.map(({ hashes }) => hashes.length));
});
