// What a release tells the user (docs/formats.md): signed with it, and refused where no device could show it.
import { describe, expect, test } from 'vitest';
import type { ReleaseNotice } from '../../repo/index.ts';
import { checkNotice } from '../../repo/notice.ts';
import { asTarget } from '../../repo/release.ts';

const NOTICE: ReleaseNotice = {
  urgency: 'critical',
  cves: ['CVE-2031-12345'],
  risk: { en: 'Anybody can open it.', 'de-AT': 'Jeder kann es öffnen.' },
  disruptive: true,
  expectedDowntime: 20,
  supportEnd: '2031-12-31',
};

describe('[ETSI-3.11, CRA-II-8] what a release tells the user', () => {
  test('is signed with its target', () => {
    const release = {
      path: 'app/b/1/f.bin',
      length: 1,
      sha256: '00'.repeat(32),
      component: 'app',
      version: '1',
      hardwareIds: ['b'],
      releaseCounter: 1,
      securityCounter: 0,
      notice: NOTICE,
    };
    expect(asTarget(release).custom).toMatchObject({ ...NOTICE, component: 'app' });
  });

  test.each([
    [{ urgency: 'panic' }, 'urgency is one of low, normal, high, critical'],
    [{ cves: ['2031-1'] }, 'is not like CVE-2026-12345'],
    [{ risk: { '': 'x' } }, 'is no language'],
    [{ expectedDowntime: -1 }, 'is not a number of seconds'],
    [{ expectedDowntime: 86_401 }, 'is not a number of seconds'],
    [{ supportEnd: '2031-02-31' }, 'is not a day'],
    [{ supportEnd: 'soon' }, 'is not a day'],
    [{ risk: { en: 'x'.repeat(2049) } }, 'devices take 2048'],
  ])('is refused: %j', (notice, message) => {
    expect(() => checkNotice(notice as ReleaseNotice)).toThrow(message);
  });
});
