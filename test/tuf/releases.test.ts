// Which of the verified targets a device installs ("A release is a target", docs/formats.md; TUF 1.0.34, 5.7).
import { describe, expect, test } from 'vitest';
import { State, Text } from '../../host/node/abi.ts';
import { sha256 } from '../../repo/index.ts';
import { drive } from './drive.ts';
import { imageOf, sha512, stage } from './kit.ts';
import { type Change, drop, Members, put, Raw, type Value } from './values.ts';

const UP_TO_DATE = { status: 'UP_TO_DATE', role: 'NONE' } as const;

describe('a device installs', () => {
  test('the highest release counter, wherever it stands', async () => {
    for (const counters of [
      [2, 3, 4],
      [4, 3, 2],
      [3, 4, 2],
    ]) {
      const s = await stage();
      for (const releaseCounter of counters) s.offer({ releaseCounter });
      s.publish('targets');
      s.newest = 4;
      await s.accepts();
    }
  });

  test.each([2, 10, 2 ** 31 - 1])('release counter %i over 1', async (releaseCounter) => {
    const image = imageOf(releaseCounter);
    const s = await stage();
    s.release({ releaseCounter, image, target: put('custom', 'version', 'v') });
    await s.accepts();
  });

  test('a release for several boards, its own among them', async () => {
    const s = await stage();
    s.release({ releaseCounter: 2, target: put('custom', 'hardwareIds', ['other', 'sim', 'third']) });
    await s.accepts();
  });

  test('a release whose custom says more than it must', async () => {
    const s = await stage();
    const more: Value = { cves: ['CVE-2030-1'], text: { de: 'Schließt eine Lücke' }, deep: [[[[{}]]]] };
    s.release({ releaseCounter: 2, target: (target) => put('custom', 'advisory', more)(target) });
    await s.accepts();
  });

  test('a release whose fields stand in no order', async () => {
    const s = await stage();
    s.release({
      releaseCounter: 2,
      target: (target) => {
        const { length = 0, hashes = {}, custom = {} } = target;
        for (const name of Object.keys(target)) delete target[name];
        Object.assign(target, { length, hashes, custom });
      },
    });
    await s.accepts();
  });

  test.each(['1', 'x'.repeat(31), 'ü'.repeat(15)])('a version of 1 to 31 bytes: %s', async (version) => {
    const s = await stage();
    s.release({ releaseCounter: 2, target: put('custom', 'version', version) });
    await s.accepts();
    expect(s.powerOn().textRead(Text.INSTALLED_VERSION)).toBe(version);
  });
});

describe('[CERT-C-4] a device does not install', () => {
  test('a release counter that is not above what it has, validly signed as it is', async () => {
    const s = await stage();
    s.release({ releaseCounter: 5 });
    await s.accepts();
    for (const releaseCounter of [5, 4, 1]) {
      for (const path of Object.keys(s.targets)) delete s.targets[path];
      s.offer({ releaseCounter, image: imageOf(77), path: `older/${releaseCounter}` });
      s.publish('targets');
      expect(await s.check()).toEqual(UP_TO_DATE);
      s.runs(5);
    }
  });

  test('a release below its security counter (downgrade to a release with known holes)', async () => {
    const s = await stage();
    s.release({ releaseCounter: 2, securityCounter: 3 });
    await s.accepts();
    s.offer({ releaseCounter: 3, securityCounter: 2 });
    s.publish('targets');
    expect(await s.check()).toEqual({ status: 'COUNTER_ROLLBACK', role: 'IMAGE' });
    s.runs(2);
    s.offer({ releaseCounter: 4, securityCounter: 3 });
    s.publish('targets');
    s.newest = 4;
    await s.accepts();
  });

  test('a release below the security counter that it was made with', async () => {
    const s = await stage({ configuration: { securityCounter: 7 } });
    s.offer({ releaseCounter: 2, securityCounter: 6 });
    s.publish('targets');
    expect(await s.check()).toEqual({ status: 'COUNTER_ROLLBACK', role: 'IMAGE' });
    s.runs(1);
  });

  test('what the hardware counted out, though somebody put back all of its flash', async () => {
    const s = await stage({ hardwareCounter: true });
    const before = s.device.flash.snapshot();
    s.release({ releaseCounter: 2, securityCounter: 3 });
    await s.accepts();
    s.device.flash.restore(before);
    for (const path of Object.keys(s.targets)) delete s.targets[path];
    s.offer({ releaseCounter: 3, securityCounter: 2 });
    s.publish('targets');
    expect(await s.check()).toEqual({ status: 'COUNTER_ROLLBACK', role: 'IMAGE' });
    s.runs(1);
  });

  test('a release that failed its trial here, again; and its security counter does not count', async () => {
    const bad = imageOf(2)[0] ?? 0;
    for (const hardwareCounter of [false, true]) {
      const s = await stage({ hardwareCounter, selfTest: (first) => first !== bad });
      s.release({ releaseCounter: 2, securityCounter: 9 });
      s.newest = 1;
      expect(await s.check()).toEqual({ status: 'RELEASE_FAILED_BEFORE', role: 'NONE' });
      s.runs(1);
      expect(s.state(State.SECURITY_COUNTER)).toBe(1);
      s.release({ releaseCounter: 3, securityCounter: 1 });
      await s.accepts();
    }
  });

  test('a release for other hardware, and says where it saw it', async () => {
    const s = await stage();
    s.release({ releaseCounter: 2, target: put('custom', 'hardwareIds', ['other']) });
    s.newest = 1;
    const core = s.powerOn();
    expect(drive(core, s)).toEqual({ action: 'WAIT', status: 'NOT_FOR_HARDWARE', role: 'NONE' });
    expect(core.textRead(Text.OTHER_HARDWARE_PATH)).toBe('app/sim/1.2.0/firmware.bin');
    s.runs(1);
    s.heal();
    await s.accepts();
  });

  test.each([
    [[]],
    [['SIM']],
    [['sim2']],
    [['si']],
    [[' sim']],
    [['*']],
    [[7, null, ['sim'], { sim: 1 }]],
    [['sim\u0000']],
  ])('a release for the boards %j', async (hardwareIds) => {
    const s = await stage();
    s.release({ releaseCounter: 2, target: put('custom', 'hardwareIds', hardwareIds as Value) });
    s.newest = 1;
    expect(await s.check()).toEqual({ status: 'NOT_FOR_HARDWARE', role: 'NONE' });
    s.runs(1);
  });

  test.each(['other', 'App', 'app ', 'ap', 'appp', ''])(
    'a release of the component %j',
    async (component) => {
      const s = await stage();
      s.release({ releaseCounter: 2, target: put('custom', 'component', component) });
      s.newest = 1;
      expect(await s.check()).toEqual(UP_TO_DATE);
      s.runs(1);
    },
  );
});

describe('targets that are no releases stop nothing', () => {
  const foreign: readonly (readonly [string, Change])[] = [
    ['without custom', drop('custom')],
    ['custom of another kind: a text', put('custom', 'x')],
    ['custom of another kind: null', put('custom', null)],
    ['custom of another kind: an array', put('custom', [{ component: 'app' }])],
    ['an empty custom', put('custom', {})],
    [
      "somebody else's custom",
      put('custom', {
        'sigstore.dev': { status: 'Active', uri: 'https://x' },
        version: 3,
        component: ['app'],
      }),
    ],
    ...['component', 'version', 'hardwareIds', 'releaseCounter', 'securityCounter'].map(
      (field) => [`no ${field}`, drop('custom', field)] as const,
    ),
    ['a component that is a number', put('custom', 'component', 1)],
    ['a component that is very long', put('custom', 'component', 'app'.repeat(100))],
    ['a version that is a number', put('custom', 'version', 2)],
    ['an empty version', put('custom', 'version', '')],
    ['a version of 32 bytes', put('custom', 'version', 'x'.repeat(32))],
    ['a version of 300 bytes', put('custom', 'version', 'x'.repeat(300))],
    ['boards that are a text', put('custom', 'hardwareIds', 'sim')],
    ['boards that are an object', put('custom', 'hardwareIds', { sim: true })],
    ['a release counter of 0', put('custom', 'releaseCounter', 0)],
    ['a negative release counter', put('custom', 'releaseCounter', -3)],
    ['a release counter of 2^31', put('custom', 'releaseCounter', 2 ** 31)],
    ['a release counter of 2^32 + 5', put('custom', 'releaseCounter', 2 ** 32 + 5)],
    ['a release counter of 60 digits', put('custom', 'releaseCounter', new Raw('9'.repeat(60)))],
    ['a release counter in quotes', put('custom', 'releaseCounter', '9')],
    ['a release counter that is true', put('custom', 'releaseCounter', true)],
    ['a negative security counter', put('custom', 'securityCounter', -1)],
    ['a security counter of 2^31', put('custom', 'securityCounter', 2 ** 31)],
    ['a security counter in quotes', put('custom', 'securityCounter', '9')],
    [
      'a length of 5 GB, and no custom',
      (target) =>
        [put('length', 5_000_000_000), drop('custom')].forEach((change) => {
          change(target);
        }),
    ],
    [
      'hashes of other kinds, and no custom',
      (target) =>
        [put('hashes', { blake2b: 'x' }), drop('custom')].forEach((change) => {
          change(target);
        }),
    ],
  ];

  test.each(foreign)('%s', async (_, change) => {
    const s = await stage();
    s.offer({ releaseCounter: 9, target: change, path: 'a/foreign' });
    s.publish('targets');
    expect(await s.check()).toEqual(UP_TO_DATE);
    s.runs(1);
    s.release({ releaseCounter: 2 });
    s.offer({ releaseCounter: 9, target: change, path: 'z/foreign' });
    s.publish('targets');
    await s.accepts();
  });

  test('all of them at once, and no targets at all', async () => {
    const s = await stage({ bank: 65_536 });
    for (const [index, [, change]] of foreign.entries())
      s.offer({ releaseCounter: 9, target: change, path: `foreign/${index}` });
    s.release({ releaseCounter: 2 });
    await s.accepts();
    for (const path of Object.keys(s.targets)) delete s.targets[path];
    s.publish('targets');
    await s.accepts();
  });
});

describe('5.7 [CERT-I-1] the image', () => {
  const other = imageOf(55);

  test.each([
    ['other bytes of the same length', (image: Uint8Array) => image.map((byte) => byte ^ 1)],
    [
      'one bit changed at its start',
      (image: Uint8Array) => image.map((byte, at) => (at === 0 ? byte ^ 0x80 : byte)),
    ],
    [
      'one bit changed at its end',
      (image: Uint8Array) => image.map((byte, at) => (at === image.length - 1 ? byte ^ 1 : byte)),
    ],
  ])('%s: not what was signed', async (_, change) => {
    const s = await stage();
    s.release({ releaseCounter: 2 });
    s.newest = 1;
    s.network.source = (path) => {
      const file = s.files.get(path);
      return path.startsWith('targets/') && file ? change(file) : file;
    };
    await s.refuses('IMAGE_MISMATCH', 'IMAGE');
  });

  test('that is longer than signed is refused, its first bytes right', async () => {
    const s = await stage();
    s.release({ releaseCounter: 2 });
    s.newest = 1;
    s.network.source = (path) => {
      const file = s.files.get(path);
      return path.startsWith('targets/') && file ? Buffer.concat([file, Uint8Array.of(0)]) : file;
    };
    await s.refuses('TOO_LONG', 'IMAGE');
  });

  test('that is shorter than signed is not installed', async () => {
    const s = await stage();
    s.release({ releaseCounter: 2 });
    s.newest = 1;
    s.network.source = (path) => {
      const file = s.files.get(path);
      return path.startsWith('targets/') ? file?.subarray(0, -1) : file;
    };
    await s.refuses('TRUNCATED', 'IMAGE');
  });

  test.each([
    ['sha1 and md5 only', { sha1: 'ab'.repeat(20), md5: 'ab'.repeat(16) }],
    ['no hash', {}],
  ])('[CERT-I-3] with %s is refused before it is fetched', async (_, hashes) => {
    const s = await stage();
    s.release({ releaseCounter: 2, target: put('hashes', hashes as Value) });
    s.newest = 1;
    const paths = await s.requests(() => s.check());
    expect(paths.filter((path) => path.startsWith('targets/'))).toEqual([]);
    await s.refuses('HASH_UNKNOWN', 'TARGETS');
  });

  test('without `hashes` is refused', async () => {
    const s = await stage();
    s.release({ releaseCounter: 2, target: drop('hashes') });
    s.newest = 1;
    expect(await s.check()).toEqual({ status: 'HASH_UNKNOWN', role: 'TARGETS' });
    await s.refuses('HASH_UNKNOWN', 'TARGETS');
  });

  test('[CERT-I-3] a weak hash beside a strong one is ignored', async () => {
    const s = await stage();
    s.release({ releaseCounter: 2, target: put('hashes', 'sha1', 'ab'.repeat(20)) });
    await s.accepts();
  });

  test.each([
    ['sha512', { sha256: sha256(imageOf(2)), sha512: sha512(other) }],
    ['sha256', { sha256: sha256(other), sha512: sha512(imageOf(2)) }],
  ])('every known hash is checked: a wrong %s beside a right one', async (_, hashes) => {
    const s = await stage();
    s.release({ releaseCounter: 2, target: put('hashes', hashes) });
    for (const digest of Object.values(hashes))
      s.files.set(`targets/app/sim/1.2.0/${digest}.firmware.bin`, imageOf(2));
    s.newest = 1;
    await s.refuses('IMAGE_MISMATCH', 'IMAGE');
  });

  test('sha512 alone is enough', async () => {
    const s = await stage();
    const digest = sha512(imageOf(2));
    s.release({ releaseCounter: 2, target: put('hashes', { sha512: digest }) });
    s.files.set(`targets/app/sim/1.2.0/${digest}.firmware.bin`, imageOf(2));
    await s.accepts();
  });

  test.each([0, 8193, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 702])(
    'a length of %i fits no slot',
    async (length) => {
      const s = await stage();
      s.release({ releaseCounter: 2, target: put('length', length) });
      s.newest = 1;
      await s.refuses('IMAGE_TOO_LARGE', 'IMAGE');
    },
  );

  test('that fills its slot to the last byte is installed', async () => {
    const s = await stage();
    const image = new Uint8Array(8192).fill(0x5a);
    s.release({ releaseCounter: 2, image });
    await s.settles();
    expect(s.device.running(8192)).toEqual(image);
  });

  test('without a length is refused', async () => {
    const s = await stage();
    s.release({ releaseCounter: 2, target: drop('length') });
    s.newest = 1;
    await s.refuses('IMAGE_TOO_LARGE', 'IMAGE');
  });

  test('that the server does not have leaves the old one running', async () => {
    const s = await stage();
    s.release({ releaseCounter: 2 });
    s.newest = 1;
    s.network.conduct = (path) => (path.startsWith('targets/') ? { status: 404 } : {});
    await s.refuses('NOT_FOUND', 'IMAGE');
  });
});

test('several targets of one path are one object with a name twice, and refused', async () => {
  const s = await stage();
  s.offer({ releaseCounter: 2 });
  const [path = '', target] = Object.entries(s.targets).at(-1) ?? [];
  s.forge('targets', {
    signed: (targets) => {
      const entry = JSON.parse(JSON.stringify(target)) as Value;
      targets.targets = new Members([path, entry], [path, entry]);
    },
  });
  await s.refuses('JSON_DUPLICATE', 'TARGETS');
});
