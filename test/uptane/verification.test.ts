// What an ECU that verifies in full takes from a Director and an Image repository, and what it refuses (Uptane Standard
// 2.1.0, 5.4.4): one attack a test.
import { describe, expect, test } from 'vitest';
import { Action, Area, Part, Role, State, Status } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import { Core } from '../../host/node/core.ts';
import { provision } from '../../host/node/provision.ts';
import type { RoleName } from '../../repo/index.ts';
import { CONFIGURATION, DAY, type Forgery, HOUR, nameOf } from '../tuf/kit.ts';
import { Tree } from '../tuf/tree.ts';
import { type Change, drop, type JsonObject, put } from '../tuf/values.ts';
import { ECU, OTHER, SETTLED, STRANGER, Vehicle, type Verdict, verdict } from './vehicle.ts';

const HASH = '0'.repeat(64);
const PRIMARY = { configuration: { ecus: { [OTHER]: { hardwareId: 'radio' } } } };

function found(status: Verdict['status'], role: Verdict['role'], repository: Verdict['repository']): Verdict {
  return { status, role, repository };
}

const nameOfRole = (role: RoleName) => role.toUpperCase() as Verdict['role'];

/** The finding comes twice, a restart in between, nothing is installed; and once all is honest the ECU follows again. */
function refuses(v: Vehicle, expected: Verdict, newest = 2): void {
  for (const run of ['the check', 'the check after it']) expect(v.check(), run).toEqual(expected);
  v.runs(1);
  v.order(newest + 1);
  expect(v.check()).toEqual(SETTLED);
  v.runs(newest + 1);
}

function settled(...options: ConstructorParameters<typeof Vehicle>): Vehicle {
  const v = new Vehicle(...options);
  expect(v.check()).toEqual(SETTLED);
  return v;
}

describe('what both repositories say', () => {
  test('the ECU installs what its Director orders and the Image repository has [UPT-1, UPT-5]', () => {
    const v = settled();
    v.order(2);
    expect(v.check()).toEqual(SETTLED);
    v.runs(2);
    expect(v.asked.map((name) => name.split('/')[0])).toContain('director');
  });

  test('Director first, then the Image repository; a check without anything new asks for four files', () => {
    const v = settled();
    v.check();
    expect(v.asked).toEqual([
      'director/2.root.json',
      'director/timestamp.json',
      'image/2.root.json',
      'image/timestamp.json',
    ]);
  });

  test('an ECU that stays on asks both again, finds nothing new, and follows the next order', () => {
    const v = settled();
    const core = v.checked();
    for (const run of ['the second check', 'the third']) {
      v.asked = [];
      v.image.clock.set(v.image.clock.seconds() + HOUR);
      expect(v.drive(core), run).toBe(Action.WAIT);
      expect(v.asked.map((name) => name.split('/')[0])).toEqual(['director', 'director', 'image', 'image']);
    }
    v.order(2);
    v.image.clock.set(v.image.clock.seconds() + HOUR);
    expect(v.drive(core)).toBe(Action.REBOOT);
  });

  test.each(['director', 'image'] as const)(
    'an ECU that stays on finds that the targets of the %s have expired [TUF-7]',
    (name) => {
      const v = settled();
      for (const role of ['snapshot', 'timestamp'] as const) {
        for (const repository of [v.director, v.image])
          repository.forge(role, { signed: put('expires', '2031-01-01T00:00:00Z') });
      }
      const core = v.checked();
      const other = name === 'director' ? v.image : v.director;
      v.image.clock.set(v.image.clock.seconds() + 89 * DAY);
      if (other === v.image) other.publish('targets');
      else v.sign({ signed: put('expires', '2031-01-01T00:00:00Z') });
      for (const role of ['snapshot', 'timestamp'] as const)
        other.forge(role, { signed: put('expires', '2031-01-01T00:00:00Z') });
      expect(v.drive(core)).toBe(Action.WAIT);
      v.image.clock.set(v.image.clock.seconds() + 2 * DAY);
      expect(v.drive(core)).toBe(Action.WAIT);
      expect(verdict(core)).toEqual(found('EXPIRED', 'TARGETS', name));
    },
  );

  test('what the Director does not order is not installed: keys of the Image repository alone install nothing [UPT-5]', () => {
    const v = settled();
    v.image.release({ releaseCounter: 2 });
    expect(v.check()).toEqual(SETTLED);
    v.runs(1);
  });

  test('nothing for this vehicle: the ECU stays as it is', () => {
    const v = settled();
    v.direct({});
    expect(v.check()).toEqual(SETTLED);
    v.runs(1);
  });

  test('an ECU other than this one is none of its business', () => {
    const v = settled();
    v.image.release({ releaseCounter: 2 });
    v.direct({ [v.path(2)]: v.directed(2, { [OTHER]: 'sim' }) });
    expect(v.check()).toEqual(SETTLED);
    v.runs(1);
  });

  test('hashes of which one is common to both will do', () => {
    const v = settled();
    v.order(2, { director: put('hashes', 'md5', 'a'.repeat(32)) });
    expect(v.check()).toEqual(SETTLED);
    v.runs(2);
  });
});

describe('a stolen Director installs nothing of its own [UPT-5]', () => {
  test('arbitrary software: a target that the Image repository does not list', () => {
    const v = settled();
    v.direct({ [v.path(2)]: v.directed(2) });
    refuses(v, found('TARGET_UNKNOWN', 'NONE', 'image'));
  });

  const LIES: readonly (readonly [string, Change, Verdict['status']])[] = [
    ['another hash', put('hashes', 'sha256', HASH), 'TARGET_MISMATCH'],
    ['another length', put('length', 1), 'TARGET_MISMATCH'],
    ['no hash in common', put('hashes', { sha512: HASH + HASH }), 'TARGET_MISMATCH'],
    ['a higher release counter', put('custom', 'releaseCounter', 9), 'CUSTOM_MISMATCH'],
    ['no release counter', drop('custom', 'releaseCounter'), 'CUSTOM_MISMATCH'],
    ['another security counter', put('custom', 'securityCounter', 0), 'CUSTOM_MISMATCH'],
    ['other hardware ids', put('custom', 'hardwareIds', ['sim', 'other']), 'CUSTOM_MISMATCH'],
    ['another component', put('custom', 'component', 'radio'), 'CUSTOM_MISMATCH'],
    ['another version', put('custom', 'version', '1.2.1'), 'CUSTOM_MISMATCH'],
    ['an encrypted image', put('custom', 'encryption', 1), 'CUSTOM_MISMATCH'],
  ];
  test.each(LIES)('mix-and-match: the Director says %s', (_, director, status) => {
    const v = settled();
    v.order(2, { director });
    refuses(v, found(status, 'TARGETS', 'image'));
  });
  test.each(LIES)('mix-and-match: the Image repository says %s', (_, image, status) => {
    const v = settled();
    v.order(2, { image });
    refuses(v, found(status, 'TARGETS', 'image'));
  });

  test('rollback: an order for a release that is older than what runs', () => {
    const v = settled();
    v.order(2);
    v.check();
    v.order(1);
    expect(v.check()).toEqual(found('COUNTER_ROLLBACK', 'IMAGE', 'image'));
    v.runs(2);
  });

  test('wrong hardware: another id for this ECU', () => {
    const v = settled();
    v.image.release({ releaseCounter: 2 });
    v.direct({ [v.path(2)]: v.directed(2, { [ECU]: 'other' }) });
    refuses(v, found('HARDWARE_MISMATCH', 'TARGETS', 'director'));
  });

  test('wrong hardware: an image for other boards, as both repositories have it', () => {
    const v = settled();
    const other = put('custom', 'hardwareIds', ['other']);
    v.order(2, { director: other, image: other });
    refuses(v, found('HARDWARE_MISMATCH', 'TARGETS', 'image'));
  });

  test('an order for something that is no release for the ECU', () => {
    const v = settled();
    const bare = drop('custom', 'component');
    v.order(2, { director: bare, image: bare });
    refuses(v, found('METADATA_INVALID', 'IMAGE', 'image'));
  });
});

describe("what the Director's targets must be", () => {
  const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: HASH } };
  const role = { name: 'friend', keyids: ['k'], threshold: 1, terminating: false, paths: ['*'] };

  test.each<readonly [string, JsonObject]>([
    ['roles', { keys: { k: key }, roles: [role] }],
    [
      'bins',
      { keys: { k: key }, succinct_roles: { keyids: ['k'], threshold: 1, bit_length: 1, name_prefix: 'b' } },
    ],
    ['what cannot be read', { keys: {} }],
  ])('a Director that delegates to %s is refused [UPT-5]', (_, delegations) => {
    const v = settled();
    v.sign({ signed: put('delegations', delegations) });
    refuses(v, found('DIRECTOR_DELEGATES', 'TARGETS', 'director'));
  });

  test('delegations to nobody are none', () => {
    const v = settled();
    v.sign({ signed: put('delegations', { keys: {}, roles: [] }) });
    expect(v.check()).toEqual(SETTLED);
  });

  test.each([
    ['this ECU', ECU, 'sim'],
    ['an ECU that it does not know', STRANGER, 'other'],
  ])('one target for %s and another: refused [UPT-5]', (_, ecu, hardware) => {
    const v = settled();
    const both = [2, 3].map(
      (counter) => [v.path(counter), v.directed(counter, { [ecu]: hardware })] as const,
    );
    v.direct(Object.fromEntries(both));
    refuses(v, found('ECU_DUPLICATE', 'TARGETS', 'director'));
  });

  test('64 ECUs may be named, and no more [UPT-1]', () => {
    const named = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`ecu-${index}`, 'any'] as const));
    const v = settled();
    v.direct({ [v.path(2)]: v.directed(2, named(64)) });
    expect(v.check()).toEqual(SETTLED);
    v.direct({ [v.path(2)]: v.directed(2, named(65)) });
    refuses(v, found('JSON_COMPLEX', 'TARGETS', 'director'));
  });

  test.each<readonly [string, Change]>([
    ['another vehicle', put('custom', 'vehicleId', 'car-2')],
    ['no vehicle', drop('custom', 'vehicleId')],
    ['no vehicle at all', drop('custom')],
  ])('targets that were signed for %s are refused, also empty ones [UPT-5]', (_, change) => {
    const v = settled();
    v.direct({}, { signed: change });
    refuses(v, found('VEHICLE_MISMATCH', 'TARGETS', 'director'));
  });

  test('an ECU that was told no vehicle takes those of any', () => {
    const v = settled({ configuration: { vehicle: undefined } as object });
    v.direct({}, { signed: put('custom', 'vehicleId', 'car-2') });
    expect(v.check()).toEqual(SETTLED);
  });
});

describe('a Primary [UPT-1]', () => {
  test('refuses an order for an ECU that it does not know', () => {
    const v = settled(PRIMARY);
    v.direct({ [v.path(2)]: v.directed(2, { [STRANGER]: 'sim' }) });
    refuses(v, found('ECU_UNKNOWN', 'TARGETS', 'director'));
  });

  test('verifies the targets of its Secondaries before it installs its own: a bundle is whole or nothing', () => {
    const v = settled(PRIMARY);
    const radio = put('custom', 'hardwareIds', ['radio']);
    v.image.offer({ releaseCounter: 3, target: radio });
    v.image.release({ releaseCounter: 2 });
    const forRadio = v.directed(3, { [OTHER]: 'radio' });
    radio(forRadio);
    put('hashes', 'sha256', HASH)(forRadio);
    v.direct({ [v.path(2)]: v.directed(2), [v.path(3)]: forRadio });
    refuses(v, found('TARGET_MISMATCH', 'TARGETS', 'image'), 3);
  });

  test('installs its own when all that is for the vehicle matches', () => {
    const v = settled(PRIMARY);
    const radio = put('custom', 'hardwareIds', ['radio']);
    v.image.offer({ releaseCounter: 3, target: radio });
    v.image.release({ releaseCounter: 2 });
    const forRadio = v.directed(3, { [OTHER]: 'radio' });
    radio(forRadio);
    v.direct({ [v.path(2)]: v.directed(2), [v.path(3)]: forRadio });
    expect(v.check()).toEqual(SETTLED);
    v.runs(2);
  });

  test('one target for two ECUs must be for the hardware of both', () => {
    const v = settled(PRIMARY);
    v.image.release({ releaseCounter: 2 });
    v.direct({ [v.path(2)]: v.directed(2, { [ECU]: 'sim', [OTHER]: 'radio' }) });
    refuses(v, found('HARDWARE_MISMATCH', 'TARGETS', 'image'));
  });
});

describe('each repository has its own keys and its own past [UPT-5]', () => {
  test.each(['timestamp', 'snapshot', 'targets'] as const)(
    "the Director's %s signed by the Image repository's keys is refused",
    (role) => {
      const v = settled();
      const forgery: Forgery = { keys: v.image.keys[role] };
      if (role === 'targets') v.sign(forgery);
      else v.director.forge(role, forgery);
      refuses(v, found('SIGNATURES', nameOfRole(role), 'director'));
    },
  );
  test.each(['timestamp', 'snapshot', 'targets'] as const)(
    "the Image repository's %s signed by the Director's keys is refused",
    (role) => {
      const v = settled();
      v.image.forge(role, { keys: v.director.keys[role] });
      refuses(v, found('SIGNATURES', nameOfRole(role), 'image'));
    },
  );

  test.each(['director', 'image'] as const)('freeze: the timestamp of the %s has expired', (repository) => {
    const v = settled();
    v.image.clock.set(v.image.clock.seconds() + 2 * DAY);
    const other = repository === 'director' ? v.image : v.director;
    const stamp = v.image.clock.seconds() + DAY;
    other.forge('timestamp', {
      signed: put('expires', new Date(stamp * 1000).toISOString().replace('.000', '')),
    });
    expect(v.check()).toEqual(found('EXPIRED', 'TIMESTAMP', repository));
  });

  test('rollback: older targets under a newer snapshot, by who has the online keys after a rotation', () => {
    const v = settled();
    v.order(2);
    v.check();
    const d = v.director;
    const old = d.files.get(d.path('targets', d.versions.targets - 1)) ?? new Uint8Array();
    d.keys.timestamp = [d.newKey()];
    d.keys.snapshot = [d.newKey()];
    d.root();
    const meta = { version: d.versions.targets - 1 };
    expect(old.length).toBeGreaterThan(0);
    d.forge('snapshot', { signed: put('meta', 'targets.json', meta) });
    expect(v.check()).toEqual(found('ROLLBACK', 'TARGETS', 'director'));
    v.runs(2);
  });

  test('keys that the Director rotates take away its own files, and none of the Image repository', () => {
    const v = settled();
    const before = v.device.powerOn().stateRead(State.TARGETS_VERSION);
    v.director.keys.targets = [v.director.newKey()];
    v.director.root();
    v.sign();
    expect(v.check()).toEqual(SETTLED);
    expect(v.device.powerOn().stateRead(State.TARGETS_VERSION)).toBe(before);
    v.order(2);
    v.check();
    v.runs(2);
  });

  test('after a restart both are trusted as they were', () => {
    const v = settled();
    const core = v.device.powerOn();
    expect(Buffer.from(core.trustedFile(8 + Role.TARGETS)).equals(v.director.file('targets'))).toBe(true);
    expect(Buffer.from(core.trustedFile(Role.TARGETS)).equals(v.image.file('targets'))).toBe(true);
  });
});

describe('suppliers, to whom the Image repository delegates', () => {
  function supplied(limits: { hardwareIds?: readonly string[]; terminating?: boolean }): Vehicle {
    const v = settled();
    const tree = new Tree(v.image);
    tree.delegate('targets', 'first', { paths: ['app/sim/*/*'], ...limits });
    tree.delegate('targets', 'second', { paths: ['app/sim/*/*'] });
    tree.release('second', 2).publish();
    v.direct({ [v.path(2)]: v.directed(2) });
    return v;
  }

  test('an order is found in a delegated role, and installed', () => {
    const v = supplied({});
    expect(v.check()).toEqual(SETTLED);
    v.runs(2);
  });
  test('a terminating delegation ends the search', () => {
    const v = supplied({ terminating: true });
    expect(v.check()).toEqual(found('TARGET_UNKNOWN', 'NONE', 'image'));
    v.runs(1);
  });
  test('a delegation for other hardware is none for this ECU, and does not end the search', () => {
    const v = supplied({ terminating: true, hardwareIds: ['other'] });
    expect(v.check()).toEqual(SETTLED);
    v.runs(2);
  });
  test('a delegation for this hardware is one', () => {
    const v = supplied({ terminating: true, hardwareIds: ['other', 'sim'] });
    expect(v.check().status).toBe('TARGET_UNKNOWN');
  });
});

describe('a client that installs nothing', () => {
  test("asks for the Director's targets one by one", () => {
    const v = settled({ client: true });
    v.order(2);
    const core = v.checked();
    expect(core.directorTarget(0)).toBe(v.path(2));
    expect(core.directorTarget(1)).toBeUndefined();
    expect(v.find(v.path(2))).toEqual({ ...SETTLED, status: 'TARGET_VERIFIED' });
    expect(v.asked.at(-1)).toContain('firmware.bin');
  });
  test('does not get what the Director does not list for it', () => {
    const v = settled({ client: true });
    v.image.release({ releaseCounter: 2 });
    v.direct({ [v.path(2)]: v.directed(2, { [OTHER]: 'radio' }) });
    expect(v.find(v.path(2))).toEqual(found('TARGET_UNKNOWN', 'NONE', 'image'));
    expect(v.find(v.path(1))).toEqual(found('TARGET_UNKNOWN', 'NONE', 'image'));
  });
  test('gets no other bytes than both repositories have', () => {
    const v = settled({ client: true });
    v.order(2, { director: put('hashes', 'sha256', HASH) });
    expect(v.find(v.path(2)).status).toBe('TARGET_MISMATCH');
    expect(v.asked.filter((name) => name.includes('firmware'))).toEqual([]);
  });
});

describe('provisioning', () => {
  test.each<readonly [string, object]>([
    ['an ECU without a name', { ecu: undefined }],
    ['a mode that is none', { uptane: 'half' }],
    ['a name of 64 bytes', { ecu: 'e'.repeat(64) }],
    ['a Secondary without hardware', { ecus: { [OTHER]: {} } }],
    [
      '17 Secondaries',
      { ecus: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`e${i}`, { hardwareId: 'x' }])) },
    ],
    [
      'components beside the main one',
      { components: [{ component: 'radio', version: '1', releaseCounter: 1, securityCounter: 1 }] },
    ],
    ['a name and no mode', { uptane: undefined }],
  ])('%s is refused', (_, configuration) => {
    const v = new Vehicle({ configuration: configuration as object });
    expect(() => v.check()).toThrow(/CONFIG_INVALID|configuration/);
  });
  test('16 Secondaries are not too many', () => {
    const ecus = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`e${i}`, { hardwareId: 'x' }]));
    settled({ configuration: { ecus } });
  });
});

describe('roots', () => {
  function started(v: Vehicle): { core: Core; status: string } {
    const { flash } = v.device;
    const core = new Core({ flash, boot: new RecordedBoot(flash) });
    return { core, status: nameOf(Status, core.coreStart()) };
  }

  test('an ECU that is to verify in full is not provisioned without the root of a Director', () => {
    const v = new Vehicle();
    const { core, status } = started(v);
    expect(status).toBe('NOT_PROVISIONED');
    const configuration = { ...CONFIGURATION, uptane: 'full', ecu: ECU } as const;
    expect(() => provision(core, configuration, v.image.file('root'))).toThrow(/WRONG_STATE|does not belong/);
  });

  /** Damages the Director's root in some banks; how many copies there were. */
  function damage(v: Vehicle, banks: readonly number[]): number {
    const root = Buffer.from(v.director.file('root'));
    let copies = 0;
    for (const area of banks) {
      const bank = Buffer.alloc(v.device.flash.size(area));
      v.device.flash.read(area, 0, bank);
      for (let at = bank.indexOf(root); at >= 0; at = bank.indexOf(root, at + 1), copies++)
        v.device.flash.rot(area, at + 10, 0x04);
    }
    return copies;
  }

  test.each([Area.STORE_A, Area.STORE_B])(
    "a bank that has lost the Director's root gives way: %i",
    (area) => {
      const v = settled();
      damage(v, [area]);
      v.order(2);
      expect(v.check()).toEqual(SETTLED);
      v.runs(2);
    },
  );

  test("a store that has lost the Director's root is damaged, and takes no other [UPT-5]", () => {
    const v = settled();
    expect(damage(v, [Area.STORE_A, Area.STORE_B])).toBeGreaterThan(0);
    const { core, status } = started(v);
    expect(status).toBe('STORE_CORRUPT');
    expect(core.provisionBegin(Part.DIRECTOR)).toBeLessThan(0);
  });
});

test('a check without anything new writes nothing to flash', () => {
  const v = settled();
  v.image.clock.set(v.image.clock.seconds() + HOUR / 2);
  const before = v.device.snapshot();
  expect(v.check()).toEqual(SETTLED);
  expect(v.device.snapshot().flash).toEqual(before.flash);
});
