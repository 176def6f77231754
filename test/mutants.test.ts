// What `npm run mutants` changes in the core must be there to be changed: a mutant that is not found kills nothing.
import { expect, test } from 'vitest';
import { CRYPTO_MUTANTS } from '../scripts/mutants.crypto.ts';
import { MUTANTS } from '../scripts/mutants.list.ts';
import { isFound } from '../scripts/variant.ts';

const ALL = [...MUTANTS, ...CRYPTO_MUTANTS];

test('each mutant is a text that is in the core, once', () => {
  const lost = ALL.filter((mutant) => !isFound(mutant)).map(({ file, name }) => `${file}: ${name}`);
  expect(lost).toEqual([]);
});

test('each mutant has a name of its own, and changes something', () => {
  const names = ALL.map(({ file, name }) => `${file}: ${name}`);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  expect(ALL.filter(({ find, replace }) => find === replace)).toEqual([]);
});
