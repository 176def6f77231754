import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from '../../repo/index.ts';

const read = (text: string | Uint8Array) => parseJson(Buffer.from(text), 'file');

test('what JSON.stringify writes is read as JSON.parse reads it, indented or not', () => {
  const integers = fc
    .jsonValue({ noUnicodeString: false })
    .map((value) => JSON.stringify(value))
    .filter((text) => !/\d[.eE]/.test(text));
  fc.assert(
    fc.property(integers, fc.constantFrom(0, 1, '\t'), (text, indent) => {
      const value: unknown = JSON.parse(text);
      const written = JSON.stringify(value, null, indent);
      if (/-0\b|\d{16}/.test(written)) return;
      expect(read(written)).toEqual(value);
    }),
  );
});

test('the name __proto__ is a name like any other', () => {
  expect(Object.entries(read('{"__proto__":{"x":1}}') as object)).toEqual([['__proto__', { x: 1 }]]);
});

test.each([
  ['a name that occurs twice [two readers, two meanings]', '{"a":1,"b":2,"a":3}'],
  ['the same name twice, once escaped', '{"a":1,"\\u0061":3}'],
  ['a fraction', '[1.5]'],
  ['an exponent', '[1e3]'],
  ['an integer beyond 2^53', '[9007199254740993]'],
  ['a leading zero', '[01]'],
  ['a plus sign', '[+1]'],
  ['a comma at the end', '[1,]'],
  ['a comment', '[1/**/]'],
  ['a raw newline in a string', '["\n"]'],
  ['a wrong escape', '["\\x41"]'],
  ['an unfinished string', '["abc'],
  ['an unfinished object', '{"a":1'],
  ['two values', '1 2'],
  ['nothing', ''],
  ['a byte order mark', '\ufeff1'],
  ['a word', 'undefined'],
])('%s is refused', (_, text) => {
  expect(() => read(text)).toThrow(expect.objectContaining({ code: 'metadata-invalid' }));
});

test('bad UTF-8 is refused', () => {
  expect(() => read(Buffer.from([0x22, 0xc0, 0x80, 0x22]))).toThrow('not valid UTF-8');
});

test('deep nesting is refused, not a crash', () => {
  expect(() => read('['.repeat(1_000_000))).toThrow('nested too deeply');
  expect(() => read('{"a":'.repeat(1_000_000))).toThrow('nested too deeply');
});
