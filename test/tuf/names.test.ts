// Names of images: what is asked for, and what never is (path traversal: tough CVE-2026-6968, go-tuf CVE-2026-24686).
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../repo/index.ts';
import { imageOf, stage } from './kit.ts';

const BAD = [
  '../firmware.bin',
  'a/../../firmware.bin',
  'a/..',
  '..',
  '.',
  './firmware.bin',
  'a/./firmware.bin',
  'a/.',
  '/etc/passwd',
  '/',
  '',
  'a//firmware.bin',
  'a/',
  'https://evil/firmware.bin',
  '//evil/firmware.bin',
  '..\\firmware.bin',
  'a\\..\\..\\firmware.bin',
  'C:\\firmware.bin',
  'a\u0000b',
  'a\nb',
  'a\r\nHost: evil',
  'a\u001fb',
  'a\u007fb',
];

const GOOD = [
  'firmware.bin',
  'a',
  'a/b/c/d/e/f/firmware.bin',
  '...',
  '..a/b..',
  'a/.../b',
  '.hidden',
  '-rf',
  'a b/ü/😀.bin',
  '%2e%2e/%2fetc',
  '..%2f..%2fetc',
  'a?x=1#y',
  'a+b&c=d;e:f@g,h!$\'()*[]"<>|^`{}~',
  'x'.repeat(128),
  `${'d/'.repeat(60)}firmwar`,
];

describe.each([true, false])('consistent snapshots: %s', (consistent) => {
  const before = { before: (made: { consistent: boolean }) => (made.consistent = consistent) };

  test.each(BAD)('%j is refused, and nothing is asked for', async (path) => {
    const s = await stage(before);
    s.release({ releaseCounter: 2, path: path || 'placeholder' });
    if (path === '') {
      const target = s.targets.placeholder;
      delete s.targets.placeholder;
      if (target) s.targets[''] = target;
      s.publish('targets');
    }
    s.newest = 1;
    const paths = await s.requests(() => s.check());
    expect(paths.filter((name) => !name.startsWith('metadata/'))).toEqual([]);
    await s.refuses('PATH_INVALID', 'IMAGE');
  });

  test.each(GOOD)('%j is asked for as it is', async (path) => {
    const s = await stage(before);
    s.release({ releaseCounter: 2, path });
    const slash = path.lastIndexOf('/') + 1;
    const hash = consistent ? `${sha256(imageOf(2))}.` : '';
    const paths = await s.requests(() => s.accepts());
    expect(paths).toContain(`targets/${path.slice(0, slash)}${hash}${path.slice(slash)}`);
  });

  test.each(['x'.repeat(129), 'x'.repeat(5000), `${'ü'.repeat(64)}.`])(
    'a name of more than 128 bytes is refused',
    async (path) => {
      const s = await stage(before);
      s.release({ releaseCounter: 2, path });
      s.newest = 1;
      await s.refuses('NAME_TOO_LONG', 'IMAGE');
    },
  );
});

test('a bad name of a target that is no release for this device stops nothing', async () => {
  const s = await stage();
  s.offer({ releaseCounter: 1, path: '../../older' });
  s.offer({ releaseCounter: 9, path: '/etc/passwd', target: (target) => delete target.custom });
  s.release({ releaseCounter: 2 });
  await s.accepts();
});
