// How a file may be written, and what is signed of it: TUF 1.0.34, 4.2 (the envelope, OLPC canonical JSON), RFC 8259.
import { describe, expect, test } from 'vitest';
import { type Stage, stage } from './kit.ts';
import { bytes, canonical, type JsonObject, Members, put, Raw, text, type Value } from './values.ts';

type Envelope = { signatures: Value; signed: Value };

/** A device that meets a timestamp whose `signed` holds one member more. */
async function holding(value: Value): Promise<Stage> {
  const s = await stage({ bank: 65_536 });
  s.forge('timestamp', { signed: put('x', value) });
  return s;
}

describe('4.2.1 layouts of the envelope that are in use', () => {
  const reversed = (value: Value): Value => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== 'object' || value === null) return value;
    return new Members(
      ...Object.entries(value as JsonObject)
        .reverse()
        .map(([k, v]) => [k, reversed(v)] as const),
    );
  };

  test.each([
    ['compact, `signatures` first', text],
    ['compact, `signed` first', ({ signatures, signed }: Envelope) => text({ signed, signatures })],
    ['indented by 1', (envelope: Envelope) => JSON.stringify(envelope, null, 1)],
    [
      'indented by 4, `signed` first',
      ({ signatures, signed }: Envelope) => JSON.stringify({ signed, signatures }, null, 4),
    ],
    [
      'indented by tabs, lines ended by CR LF',
      (envelope: Envelope) => JSON.stringify(envelope, null, '\t').replaceAll('\n', '\r\n'),
    ],
    ['white space before and after', (envelope: Envelope) => ` \n\t\r${text(envelope)} \n\t\r`],
    [
      'every name in reverse order',
      ({ signatures, signed }: Envelope) =>
        text(new Members(['signed', reversed(signed)], ['signatures', signatures])),
    ],
    [
      'members that are not known',
      ({ signatures, signed }: Envelope) => text({ 'a-b': [{}], signatures, m: null, signed, z: 'é' }),
    ],
    [
      'every letter of the names escaped',
      (envelope: Envelope) => text(envelope).replace(/"[a-z_]+":/g, escapedName),
    ],
  ] as const)('%s', async (_, file) => {
    const s = await stage();
    s.rotate('root');
    for (const role of ['targets', 'snapshot', 'timestamp'] as const) s.forge(role, { file });
    s.root({ file });
    s.release({ releaseCounter: 2 });
    for (const role of ['targets', 'snapshot', 'timestamp'] as const) s.forge(role, { file });
    await s.accepts();
  });

  function escapedName(name: string): string {
    const letters = [...name.slice(1, -2)];
    return `"${letters.map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('')}":`;
  }
});

describe('files that are no envelope', () => {
  const signed = '{"_type":"timestamp"}';
  test.each([
    ['nothing', '', 'ENVELOPE_INVALID'],
    ['white space', ' \n', 'ENVELOPE_INVALID'],
    ['a text', '"signed"', 'ENVELOPE_INVALID'],
    ['an array', '[]', 'ENVELOPE_INVALID'],
    ['null', 'null', 'ENVELOPE_INVALID'],
    ['an empty object', '{}', 'ENVELOPE_INVALID'],
    ['no signatures', `{"signed":${signed}}`, 'ENVELOPE_INVALID'],
    ['nothing signed', '{"signatures":[]}', 'ENVELOPE_INVALID'],
    ['signatures that are an object', `{"signatures":{},"signed":${signed}}`, 'ENVELOPE_INVALID'],
    ['signatures that are a text', `{"signatures":"","signed":${signed}}`, 'ENVELOPE_INVALID'],
    ['signed that is an array', '{"signatures":[],"signed":[]}', 'ENVELOPE_INVALID'],
    ['signed that is a text', '{"signatures":[],"signed":"{}"}', 'ENVELOPE_INVALID'],
    ['signed that is null', '{"signatures":[],"signed":null}', 'ENVELOPE_INVALID'],
    ['signed in capitals', `{"signatures":[],"SIGNED":${signed}}`, 'ENVELOPE_INVALID'],
    ['a page of a captive portal', '<!doctype html><title>Sign in</title>', 'ENVELOPE_INVALID'],
    ['a byte order mark', `\ufeff{"signatures":[],"signed":${signed}}`, 'ENVELOPE_INVALID'],
  ] as const)('%s', async (_, file, status) => {
    const s = await stage();
    s.forge('timestamp', { file: () => file });
    await s.refuses(status, 'TIMESTAMP');
  });

  test.each([
    [
      '`signed` twice, the honest one last',
      ({ signatures, signed }: Envelope) => ['signed', {}, 'signatures', signatures, 'signed', signed],
    ],
    [
      '`signed` twice, the honest one first',
      ({ signatures, signed }: Envelope) => ['signed', signed, 'signatures', signatures, 'signed', {}],
    ],
    [
      '`signatures` twice',
      ({ signatures, signed }: Envelope) => ['signatures', [], 'signed', signed, 'signatures', signatures],
    ],
  ] as const)('%s (two readers, two meanings)', async (_, list) => {
    const s = await stage();
    s.forge('timestamp', { file: (envelope) => text(pairs(list(envelope) as Value[])) });
    await s.refuses('JSON_DUPLICATE', 'TIMESTAMP');
  });
});

describe('RFC 8259: what is not JSON is refused, right as its signatures may be', () => {
  const insert = (piece: string) => (envelope: Envelope) =>
    text(envelope).replace('"signed":{', `"signed":{"x":${piece},`);
  test.each([
    ['a control character in a text', '"a\u0001"', 'JSON_SYNTAX'],
    ['a line break in a text', '"a\n"', 'JSON_SYNTAX'],
    ['an escape that does not exist', '"\\x41"', 'JSON_SYNTAX'],
    ['an apostrophe escaped', '"\\\'"', 'JSON_SYNTAX'],
    ['\\u with three digits', '"\\u00e"', 'JSON_SYNTAX'],
    ['\\u with a letter that is no digit', '"\\u00eg"', 'JSON_SYNTAX'],
    ['\\u with a sign', '"\\u+0e9"', 'JSON_SYNTAX'],
    ['half of a surrogate pair', '"\\ud83d"', 'JSON_UTF8'],
    ['half of a surrogate pair, then a letter', '"\\ud83dx"', 'JSON_UTF8'],
    ['half of a surrogate pair, then another escape', '"\\ud83d\\n"', 'JSON_UTF8'],
    ['the second half of a surrogate pair first', '"\\ude00\\ud83d"', 'JSON_UTF8'],
    ['two first halves', '"\\ud83d\\ud83d"', 'JSON_UTF8'],
    ['a comma before the bracket', '[1,]', 'JSON_SYNTAX'],
    ['a comma before the brace', '{"a":1,}', 'JSON_SYNTAX'],
    ['only a comma', '[,]', 'JSON_SYNTAX'],
    ['two commas', '[1,,2]', 'JSON_SYNTAX'],
    ['no comma', '[1 2]', 'JSON_SYNTAX'],
    ['no colon', '{"a" 1}', 'JSON_SYNTAX'],
    ['a name without quotes', '{a:1}', 'JSON_SYNTAX'],
    ['a name that is a number', '{1:1}', 'JSON_SYNTAX'],
    ['apostrophes for quotes', "'a'", 'JSON_SYNTAX'],
    ['a comment', '1/**/', 'JSON_SYNTAX'],
    ['a leading zero', '01', 'JSON_SYNTAX'],
    ['a leading plus', '+1', 'JSON_SYNTAX'],
    ['a minus alone', '-', 'JSON_SYNTAX'],
    ['hexadecimal digits', '0x10', 'JSON_SYNTAX'],
    ['NaN', 'NaN', 'JSON_SYNTAX'],
    ['Infinity', 'Infinity', 'JSON_SYNTAX'],
    ['True', 'True', 'JSON_SYNTAX'],
    ['nul', 'nul', 'JSON_SYNTAX'],
    ['nulll', 'nulll', 'JSON_SYNTAX'],
    ['brackets that do not match', '[1}', 'JSON_SYNTAX'],
    ['a form feed for white space', '\f1', 'JSON_SYNTAX'],
    ['a no-break space for white space', '\u00a01', 'JSON_SYNTAX'],
    ['a fraction', '1.0', 'JSON_NUMBER'],
    ['an exponent', '1e3', 'JSON_NUMBER'],
    ['an exponent in capitals', '1E3', 'JSON_NUMBER'],
    ['a negative fraction', '-0.5', 'JSON_NUMBER'],
  ] as const)('%s', async (_, piece, status) => {
    const s = await stage();
    s.forge('timestamp', { file: insert(piece) });
    await s.refuses(status, 'TIMESTAMP');
  });

  test.each([
    ['another object', '{}'],
    ['a comma', ','],
    ['a zero byte', '\0'],
    ['a brace', '}'],
    ['a comment', '//'],
  ])('%s after the end', async (_, garbage) => {
    const s = await stage();
    s.forge('timestamp', { file: (envelope) => `${text(envelope)}${garbage}` });
    await s.refuses('JSON_SYNTAX', 'TIMESTAMP');
  });

  test('a file that is cut off at any byte is refused', async () => {
    const s = await stage();
    s.publish('timestamp');
    const whole = s.file('timestamp');
    const before = s.device.snapshot();
    for (let length = 0; length < whole.length; length += 5) {
      s.files.set('metadata/timestamp.json', whole.subarray(0, length));
      const { status } = await s.check();
      expect(['JSON_SYNTAX', 'ENVELOPE_INVALID'], `${length} bytes`).toContain(status);
      expect(s.trusted().timestamp).toBe(1);
      s.device.restore(before);
    }
    s.files.set('metadata/timestamp.json', whole);
    await s.accepts();
  });

  test.each([
    ['a byte that begins nothing', [0xff]],
    ['a continuation alone', [0x80]],
    ['a sequence of 2 cut short', [0xc3]],
    ['a sequence of 3 cut short', [0xe2, 0x82]],
    ['a sequence of 4 cut short', [0xf0, 0x9f, 0x98]],
    ['a sequence of 2 with a letter inside', [0xc3, 0x41]],
    ['an overlong slash of 2', [0xc0, 0xaf]],
    ['an overlong slash of 3', [0xe0, 0x80, 0xaf]],
    ['an overlong slash of 4', [0xf0, 0x80, 0x80, 0xaf]],
    ['overlong U+07FF', [0xe0, 0x9f, 0xbf]],
    ['overlong U+FFFF', [0xf0, 0x8f, 0xbf, 0xbf]],
    ['the lowest surrogate', [0xed, 0xa0, 0x80]],
    ['the highest surrogate', [0xed, 0xbf, 0xbf]],
    ['a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a lead byte of 5', [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ])('text that is not UTF-8 (RFC 3629): %s', async (_, sequence) => {
    const s = await stage();
    s.forge('timestamp', {
      file: (envelope) => {
        const [head = '', tail = ''] = text(envelope).split('"signed":{');
        return Buffer.concat([
          bytes(`${head}"signed":{"x":"`),
          Uint8Array.from(sequence),
          bytes(`",${tail}`),
        ]);
      },
    });
    await s.refuses('JSON_UTF8', 'TIMESTAMP');
  });

  test('text that is not UTF-8 in a name, and outside of what is signed', async () => {
    const s = await stage();
    for (const around of [
      ['{"signatures"', '{"', '":1,"signatures"'],
      ['"signed":{', '"signed":{"', '":1,'],
    ] as const) {
      s.forge('timestamp', {
        file: (envelope) => {
          const [head = '', tail = ''] = text(envelope).split(around[0]);
          return Buffer.concat([bytes(head + around[1]), Uint8Array.of(0xff), bytes(around[2] + tail)]);
        },
      });
      await s.refuses('JSON_UTF8', 'TIMESTAMP');
    }
  });
});

describe('the canonical form, over which signatures are made', () => {
  test.each([
    ['quotes and back slashes stay escaped, alone', new Raw('"\\"\\\\"', '"\\"\\\\"')],
    ['a slash that was escaped is raw', new Raw('"a\\/b"', '"a/b"')],
    ['a line break that was escaped is raw', new Raw('"a\\nb"', '"a\nb"')],
    ['\\b \\f \\n \\r \\t are raw', new Raw('"\\b\\f\\n\\r\\t"', '"\b\f\n\r\t"')],
    ['control characters are raw', new Raw('"\\u0000\\u0001\\u001f\\u007f"', '"\u0000\u0001\u001f\u007f"')],
    ['letters that were escaped are raw', new Raw('"\\u00e9\\u00C9\\u20ac\\uFFFD"', '"éÉ€\ufffd"')],
    [
      'surrogate pairs become one code point',
      new Raw('"\\ud83d\\ude00\\uD800\\uDC00\\udbff\\udfff"', '"😀\u{10000}\u{10ffff}"'),
    ],
    [
      'quotes and back slashes that were escaped as \\u stay escaped',
      new Raw('"\\u0022\\u005c"', '"\\"\\\\"'),
    ],
    ['raw text of 1, 2, 3 and 4 bytes', 'aé€😀\u{10ffff}\u07ff\u0800\uffff\u{10000}'],
    ['white space inside goes', new Raw('[ 1 ,\n\t{ "a" : [ ] , "b" : { } } ]', '[1,{"a":[],"b":{}}]')],
    ['empty things', [{}, [], '', new Members(['', 0])]],
    ['literals', [true, false, null]],
    ['0', 0],
    ['-0 is 0', new Raw('[-0,0]', '[0,0]')],
    ['-1', -1],
    [
      '2^53 and beyond keep their digits',
      new Raw('[9007199254740993,18446744073709551616,-9223372036854775809]'),
    ],
    ['a number of a hundred digits', new Raw('9'.repeat(100))],
    ['names in order', new Members(['a', 1], ['b', 2], ['c', 3])],
    ['names out of order', new Members(['b', 2], ['c', 3], ['a', 1])],
    ['a name that begins another', new Members(['ab', 1], ['a', 2], ['', 3], ['abc', 4])],
    [
      'capitals before small letters, digits before both',
      new Members(['b', 1], ['B', 2], ['a', 3], ['A', 4], ['10', 5], ['9', 6]),
    ],
    [
      'names by code point: U+FFFD before U+1F600, as UTF-16 has it not',
      new Members(['😀', 1], ['\ufffd', 2], ['é', 3], ['z', 4]),
    ],
    ['names in order by UTF-16 only', new Members(['\u{10000}', 1], ['\uff01', 2])],
    [
      'names that were escaped, sorted by what they mean',
      new Members([new Raw('"\\u007a"', '"z"'), 1], [new Raw('"\\u0061"', '"a"'), 2], ['m', 3]),
    ],
    [
      'names with quotes and back slashes, sorted by what they mean',
      new Members(
        [new Raw('"\\""', '"\\""'), 1],
        ['!', 2],
        ['#', 3],
        [new Raw('"\\\\"', '"\\\\"'), 4],
        ['[', 5],
        [']', 6],
        ['a', 7],
      ),
    ],
    [
      'names longer than a window of the reader',
      new Members([`${'n'.repeat(400)}b`, 1], [`${'n'.repeat(400)}a`, 2]),
    ],
    ['a text longer than a window of the reader', 'é😀x'.repeat(200)],
    [
      'objects out of order in one another',
      new Members(
        ['z', new Members(['y', [new Members(['b', 1], ['a', {}])]], ['x', 0])],
        ['a', new Members(['d', 1], ['c', 2])],
      ),
    ],
    [
      'an object that is in order but for its last member',
      new Members(
        ...Array.from({ length: 30 }, (_, i) => [`k${String((i + 1) % 30).padStart(2, '0')}`, i] as const),
      ),
    ],
  ] as const)('%s', async (_, value) => {
    const s = await holding(value as Value);
    await s.accepts();
  });

  test.each([
    ['a text that is escaped in the signed bytes', '"é"', '"\\u00e9"'],
    ['a line break that is escaped in the signed bytes', '"a\\nb"', '"a\\nb"'],
    ['names in the order of the file', '{"b":1,"a":2}', '{"b":1,"a":2}'],
    ['names by UTF-16', '{"😀":1,"\ufffd":2}', '{"😀":1,"\ufffd":2}'],
    ['white space', '[1, 2]', '[1, 2]'],
    ['-0', '-0', '-0'],
    ['digits beyond 2^53 rounded', '9007199254740993', '9007199254740992'],
    ['another normal form of Unicode', '"e\u0301"', '"é"'],
  ])('a signature over anything but it does not hold: %s', async (_, file, signed) => {
    const s = await holding(new Raw(file, signed));
    await s.refuses('SIGNATURES', 'TIMESTAMP');
  });

  test('the kit and the repository side write the same canonical form', () => {
    const value = { b: [1, { é: '\n"\\' }], a: null };
    expect(canonical(value)).toBe('{"a":null,"b":[1,{"é":"\n\\"\\\\"}]}');
  });
});

describe('a name that occurs twice in what is signed is refused (two readers, two meanings)', () => {
  test.each([
    ['at the start', new Members(['a', 1], ['a', 1], ['b', 2])],
    ['at the end', new Members(['a', 1], ['b', 2], ['b', 3])],
    ['far apart, out of order', new Members(['b', 1], ['a', 2], ['c', 0], ['b', 3])],
    ['far apart, in order otherwise', new Members(['a', 1], ['b', 2], ['c', 3], ['a', 4])],
    ['in two spellings', new Members(['é', 1], [new Raw('"\\u00e9"', '"é"'), 2])],
    ['deep inside', [[new Members(['x', new Members(['y', 1], ['y', 2])])]]],
    ['in an object out of order', [new Members(['z', 1], ['x', new Members(['q', 1], ['p', 1], ['q', 2])])]],
    ['empty', new Members(['', 1], ['', 2])],
    ['long', new Members(['n'.repeat(300), 1], ['n'.repeat(300), 2])],
  ] as const)('%s', async (_, value) => {
    const s = await holding(value as Value);
    await s.refuses('JSON_DUPLICATE', 'TIMESTAMP');
  });

  test.each(['version', 'expires', '_type', 'meta'])('`%s` of a timestamp', async (name) => {
    const s = await stage();
    s.forge('timestamp', {
      file: ({ signatures, signed }) => {
        const members = Object.entries(signed as JsonObject);
        const again = [name, (signed as JsonObject)[name] ?? null] as const;
        return text({ signatures, signed: new Members(...members, again) });
      },
    });
    await s.refuses('JSON_DUPLICATE', 'TIMESTAMP');
  });
});

describe('depth (crash by crafted metadata)', () => {
  const nested = (depth: number, open: string, close: string) =>
    new Raw(`${open.repeat(depth)}${close.repeat(depth)}`);

  test('30 arrays within `signed` are read', async () => {
    const s = await holding(nested(30, '[', ']'));
    await s.accepts();
  });

  test('30 objects within `signed`, out of order, are read', async () => {
    let value: Value = 0;
    for (let depth = 0; depth < 30; depth++) value = new Members(['b', value], ['a', depth]);
    const s = await holding(value);
    await s.accepts();
  });

  test.each([31, 32, 33, 64, 1000, 7000])('%i arrays within `signed` are refused', async (depth) => {
    const s = await holding(nested(depth, '[', ']'));
    await s.refuses('JSON_DEPTH', 'TIMESTAMP');
  });

  test('arrays without an end, in the place of the file or of its signatures, are refused', async () => {
    const s = await stage();
    for (const head of ['', '{"signatures":', '{"signed":{"x":']) {
      s.forge('timestamp', { file: () => `${head}${'['.repeat(5000)}` });
      await s.refuses(head === '' ? 'ENVELOPE_INVALID' : 'JSON_DEPTH', 'TIMESTAMP');
    }
  });

  test('objects within a signature are refused at the same depth', async () => {
    const s = await stage();
    s.forge('timestamp', {
      signatures: ([one = {}]) => [{ ...one, x: nested(29, '[', ']') }],
    });
    await s.accepts();
    s.forge('timestamp', { signatures: ([one = {}]) => [{ ...one, x: nested(30, '[', ']') }] });
    await s.refuses('JSON_DEPTH', 'TIMESTAMP');
  });
});

function pairs(list: readonly Value[]): Members {
  const out: (readonly [string, Value])[] = [];
  for (let i = 0; i < list.length; i += 2) out.push([String(list[i]), list[i + 1] ?? null]);
  return new Members(...out);
}
