// The container: what is no bundle is refused, by the reader in Node and the one in C alike.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Bundle, bundleUpstream } from '../../host/node/bundle.ts';
import { HostError } from '../../host/node/errors.ts';
import type { Reply } from '../../host/node/http.ts';
import { projectRoot } from '../../host/node/root.ts';
import { DEVICE_PROGRAM } from '../../sim/process.ts';
import { bundleOf, type Entry, indexOf } from '../fixtures/bundles.ts';
import { memoryFolder } from '../fixtures/folders.ts';
import { withPosix, withSanitizers } from '../fixtures/posix.ts';
import { HOW_TO_GET_WASM3, wasm3Build } from '../fixtures/wasm3.ts';
import { optional } from '../optional.ts';

const BUNDLE_TEST = wasm3Build('bundle_test');
const SANITIZED_TEST = join(dirname(wasm3Build('.')), 'wasm3-sanitize/bundle_test');
const withBundleTest = optional(existsSync(BUNDLE_TEST), HOW_TO_GET_WASM3);

const path = join(memoryFolder(), 'bundle');
const TIMESTAMP = Buffer.from('{"signed":{}}');
const FILES = new Map([
  ['director/timestamp.json', Buffer.from('of the Director')],
  ['metadata/1.root.json', Buffer.from('root')],
  ['metadata/timestamp.json', TIMESTAMP],
  ['targets/app/board/image', Buffer.alloc(300, 7)],
]);

/** The finding; undefined: it opens. */
function refusal(bytes: Uint8Array): string | undefined {
  writeFileSync(path, bytes);
  try {
    new Bundle(path).close();
    return undefined;
  } catch (error) {
    if (error instanceof HostError && error.code === 'bundle-invalid')
      return error.message.slice(path.length + 1);
    throw error;
  }
}

const of = (...names: (string | Uint8Array)[]) => names.map((name): Entry => ({ name, length: 0 }));
const named = (...names: string[]) => indexOf(of(...names));
const ROOM = Buffer.alloc(10);

/** Bundles that are none, and what is wrong. */
const LIES: readonly [what: string, bytes: Uint8Array, finding: RegExp][] = [
  ['nothing', Buffer.alloc(0), /too early \[truncation\]/],
  ['a header alone that promises a file', indexOf([], { count: 1 }), /too early \[truncation\]/],
  ['more files than there can be', indexOf([], { count: 2 ** 32 - 1 }), /too early \[truncation\]/],
  ['another kind of file', indexOf([], { magic: 'MBT1' }), /is not a bundle/],
  ['a version to come', indexOf([], { version: 2 }), /version 2, not 1/],
  ['trailing bytes', Buffer.concat([bundleOf(FILES), ROOM]), /and its index says/],
  ['a file that is shorter than its index says', bundleOf(FILES).subarray(0, -1), /and its index says/],
  ['a length beyond 2^32 in all', lengths(2 ** 32 - 1, 2 ** 32 - 1), /and its index says/],
  ['lengths that are right modulo 2^32', lengths(2 ** 32 - 10, 20), /and its index says/],
  ['a name longer than itself', longName(), /too early \[truncation\]/],
  ['the same name twice', named('metadata/a', 'metadata/a'), /not in order/],
  ['names that are not in order', named('metadata/b', 'metadata/a'), /not in order/],
  ['a name of no bytes', named(''), /not in order/],
  ...[
    ['a name outside of the folders', 'other/file'],
    ['a folder alone', 'targets/'],
    ['a folder without its slash', 'metadata'],
    ['a folder that only begins so', 'targets2/file'],
    ['a path from the root', '/metadata/file'],
    ['a path upwards', 'targets/../../etc/passwd'],
    ['a path upwards at its end', 'targets/app/..'],
    ['a path that stands still', 'targets/./app'],
    ['an empty segment', 'targets//app'],
    ['a path that ends with a slash', 'targets/app/'],
    ['a backslash', 'targets\\..\\app'],
    ['a backslash further on', 'targets/a\\..\\b'],
    ['metadata in a folder of its own', 'metadata/sub/1.root.json'],
    ['metadata of the Director in a folder of its own', 'director/sub/1.root.json'],
    ['metadata upwards', 'metadata/..'],
    ['a line end', 'targets/app\n'],
    ['a byte that ends texts in C', 'targets/app\0.bin'],
    ['a byte that is no ASCII', 'targets/\u00fcber'],
    ['a DEL', 'targets/a\x7f'],
    ['a name longer than any that is asked for', `targets/${'a'.repeat(322)}`],
  ].map(([what, name]): [string, Uint8Array, RegExp] => [what ?? '', named(name ?? ''), /path traversal/]),
];

function lengths(first: number, second: number): Buffer {
  const index = indexOf([
    { name: 'metadata/a', length: first },
    { name: 'metadata/b', length: second },
  ]);
  return Buffer.concat([index, ROOM]);
}

function longName(): Buffer {
  const index = named('metadata/a');
  index.writeUInt16LE(300, 16);
  return index;
}

describe('[CERT-T-3, CERT-0-4] a bundle is refused that has', () => {
  for (const [what, bytes, finding] of LIES)
    test(what, () => {
      expect(refusal(bytes)).toMatch(finding);
    });

  withPosix('any of these, by the reader in C too: one line, and no device is made', () => {
    const module = join(projectRoot(), 'build/moult.wasm');
    const sha256 = createHash('sha256').update(readFileSync(module)).digest('hex');
    const folder = join(memoryFolder(), 'device');
    for (const [what, bytes] of LIES) {
      writeFileSync(path, bytes);
      const options = ['--module', module, '--sha256', sha256, '--config', 'c', '--root', 'r'];
      const ended = spawnSync(DEVICE_PROGRAM, [...options, '--bundle', path, folder], { encoding: 'utf8' });
      const said = `moult-device: ${path}: a file that is no bundle, or not a whole one\n`;
      expect({ what, status: ended.status, said: ended.stderr }).toEqual({ what, status: 1, said });
    }
    expect(existsSync(folder)).toBe(false);
  });
});

test('names that are unusual and safe are names', () => {
  expect(
    refusal(named('metadata/1.a%2F%20b.json', 'targets/...', 'targets/.a/a..b', 'targets/a b(c)~')),
  ).toBe(undefined);
  expect(refusal(named(`targets/${'a'.repeat(321)}`))).toBe(undefined);
  expect(refusal(named())).toBe(undefined);
});

test('a bundle that cannot be read says so', () => {
  expect(() => new Bundle(join(path, 'not', 'there'))).toThrow('cannot be read (ENOTDIR)');
  expect(() => new Bundle(dirname(path))).toThrow('is not a file');
});

describe('[CERT-T-3] each truncation and each bit turned over', () => {
  const whole = bundleOf(FILES);

  /** As bundle_test writes it. */
  function verdicts(): string {
    const all = [whole];
    for (let length = 0; length < whole.length; length++) all.push(whole.subarray(0, length));
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const changed = Buffer.from(whole);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      all.push(changed);
    }
    return all.map((bytes) => (refusal(bytes) === undefined ? '.' : 'x')).join('');
  }

  test('no truncation is a bundle', () => {
    expect(verdicts().slice(0, whole.length + 1)).toBe(`.${'x'.repeat(whole.length)}`);
  });

  const inC = (program: string) => {
    writeFileSync(path, whole);
    const { stdout, stderr } = spawnSync(program, [path], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout;
  };
  withBundleTest('is to the reader in C what it is to the one in Node', () => {
    const there = inC(BUNDLE_TEST);
    expect(there).toBe(verdicts());
  });
  withSanitizers('is read without a fault under ASan and UBSan', () => {
    expect(inC(SANITIZED_TEST).length).toBe(1 + 9 * whole.length);
  });
});

describe('a bundle answers', () => {
  async function ask(name: string, range?: string): Promise<{ reply: Reply; body: string }> {
    writeFileSync(path, bundleOf(FILES));
    const bundle = new Bundle(path);
    const { metadataUrl, fetch } = bundleUpstream(bundle);
    const url = new URL(`../${name}`, metadataUrl).href;
    const signal = new AbortController().signal;
    const reply = await fetch(url, { headers: range ? { range } : {}, signal, redirect: 'manual' });
    const reader = reply.body?.getReader();
    const parts: Uint8Array[] = [];
    for (let part = await reader?.read(); part?.value; part = await reader?.read()) parts.push(part.value);
    bundle.close();
    return { reply, body: Buffer.concat(parts).toString() };
  }

  test('whole files, from an offset on, and that there is none', async () => {
    const whole = await ask('metadata/timestamp.json');
    expect([whole.reply.status, whole.body]).toEqual([200, TIMESTAMP.toString()]);
    const part = await ask('metadata/timestamp.json', 'bytes=10-');
    expect([part.reply.status, part.body]).toEqual([206, TIMESTAMP.toString().slice(10)]);
    expect(part.reply.headers.get('content-range')).toBe('bytes 10-12/13');
    expect((await ask('metadata/timestamp.json', 'bytes=13-')).reply.status).toBe(416);
    expect((await ask('director/timestamp.json')).body).toBe('of the Director');
    expect((await ask('metadata/2.root.json')).reply.status).toBe(404);
    expect((await ask('targets/app/board')).reply.status).toBe(404);
  });
});
