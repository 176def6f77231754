import { canonicalize as oracle } from '@tufjs/canonical-json';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalize, compareNames, serialize } from '../../repo/index.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

test('canonical JSON escapes only the quote and the backslash, and leaves a newline raw', () => {
  expect(text(canonicalize({ b: 'a"b\\c\nd/é', a: [1, -2, true, null] }))).toBe(
    '{"a":[1,-2,true,null],"b":"a\\"b\\\\c\nd/é"}',
  );
});

test('names are sorted by UTF-8 bytes: U+FF5E before U+1F600, unlike UTF-16 units', () => {
  expect(text(canonicalize({ '\u{1f600}': 1, '\uff5e': 2 }))).toBe('{"\uff5e":2,"\u{1f600}":1}');
  expect('\u{1f600}' < '\uff5e').toBe(true);
  expect(compareNames('\u{1f600}', '\uff5e')).toBe(1);
});

test('the file on disk is ordinary JSON in the same order', () => {
  const value = { z: 'line\nend', a: { '\u{1f600}': [], '\uff5e': {} } };
  expect(text(serialize(value))).toBe('{"a":{"\uff5e":{},"\u{1f600}":[]},"z":"line\\nend"}');
  expect(JSON.parse(text(serialize(value)))).toEqual(value);
});

test('canonical JSON agrees with an independent implementation', () => {
  // Names below the surrogates: there the other implementation, which sorts UTF-16 units, is right as well.
  const name = fc.string({
    unit: fc.integer({ min: 0x20, max: 0xd7ff }).map((code) => String.fromCharCode(code)),
  });
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.maxSafeInteger().filter((number) => !Object.is(number, -0)),
      fc.boolean(),
      fc.constant(null),
      name,
      fc.array(tie('value')),
      fc.dictionary(name, tie('value')),
    ),
  }));
  fc.assert(fc.property(value, (json) => text(canonicalize(json)) === oracle(json as object)));
});

test.each([
  ['a fraction', 1.5],
  ['an integer beyond 2^53', 2 ** 53],
  ['NaN', Number.NaN],
  ['undefined', { a: undefined }],
  ['half of a surrogate pair', '\ud800'],
  ['a name with half of a surrogate pair', { '\udc00': 1 }],
])('%s has no canonical form', (_, value) => {
  expect(() => canonicalize(value)).toThrow(expect.objectContaining({ code: 'metadata-invalid' }));
});

test('nesting without end is refused, not a crash', () => {
  let value: unknown = 1;
  for (let depth = 0; depth < 100_000; depth++) value = [value];
  expect(() => canonicalize(value)).toThrow(expect.objectContaining({ code: 'metadata-invalid' }));
});
