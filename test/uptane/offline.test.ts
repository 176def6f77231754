// PURE-2: updates that a Director signed beforehand, by two roles of their own, for vehicles that do not reach it.
import { describe, expect, test } from 'vitest';
import { Action, State, Status } from '../../host/node/abi.ts';
import type { Core } from '../../host/node/core.ts';
import { metaFile, type SigningKey } from '../../repo/index.ts';
import { DAY, type Forgery, HOUR, signaturesBy } from '../tuf/kit.ts';
import { bytes, type Change, type JsonObject, plain, put, text, type Value } from '../tuf/values.ts';
import { ECU, OTHER, SETTLED, STRANGER, Vehicle, type Verdict } from './vehicle.ts';

const YEAR = 365 * DAY;
type OfflineRole = 'offline-snapshot' | 'offline-targets';

/** The offline roles of a vehicle's Director. */
class Offline {
  readonly v: Vehicle;
  readonly keys: Record<OfflineRole, SigningKey>;
  readonly versions: Record<OfflineRole, number> = { 'offline-snapshot': 0, 'offline-targets': 0 };
  targets: Record<string, JsonObject> = {};

  constructor(v: Vehicle, keys?: Record<OfflineRole, SigningKey>) {
    this.v = v;
    this.keys = keys ?? { 'offline-snapshot': v.director.newKey(), 'offline-targets': v.director.newKey() };
    this.root();
  }

  /** The Director's next root names both roles. */
  root(forgery: Forgery = {}): void {
    const named: Change = (root) => {
      for (const [role, key] of Object.entries(this.keys)) {
        (root.roles as JsonObject)[role] = { keyids: [key.id], threshold: 1 };
        (root.keys as JsonObject)[key.id] = plain(key.public);
      }
    };
    this.v.director.root({ ...forgery, signed: [named, ...[forgery.signed ?? []].flat()] });
    this.v.sign();
  }

  /** A target as the Image repository has it, for every ECU with its hardware. */
  target(releaseCounter: number): JsonObject {
    const made = this.v.directed(releaseCounter);
    delete (made.custom as JsonObject).ecuIdentifiers;
    return made;
  }

  /** Signs the next versions. */
  sign(targets = this.targets, forgeries: Partial<Record<OfflineRole, Forgery>> = {}): this {
    this.targets = targets;
    const listed = this.write('offline-targets', { targets: plain(targets) }, forgeries['offline-targets']);
    const meta = { 'offline-targets.json': metaFile(listed, this.versions['offline-targets']) };
    this.write('offline-snapshot', { meta: plain(meta) }, forgeries['offline-snapshot']);
    return this;
  }

  /** There is a release, and it is signed for vehicles without a network. */
  order(releaseCounter: number): this {
    this.v.image.release({ releaseCounter });
    return this.sign({ [this.v.path(releaseCounter)]: this.target(releaseCounter) });
  }

  write(role: OfflineRole, content: JsonObject, { signed: change, keys }: Forgery = {}): Uint8Array {
    const version = ++this.versions[role];
    const expires = new Date((this.v.image.clock.seconds() + YEAR) * 1000).toISOString().replace('.000', '');
    const signed = plain({ _type: role, spec_version: '1.0.34', version, expires, ...content });
    for (const one of [change ?? []].flat()) one(signed);
    const signatures = signaturesBy(keys ?? [this.keys[role]], signed) as Value;
    const file = bytes(text({ signatures, signed }));
    const name = role === 'offline-targets' ? `${version}.${role}.json` : `${role}.json`;
    this.v.director.files.set(`metadata/${name}`, file);
    return file;
  }

  /** The Director cannot be asked: what there is of it has no timestamp, and no targets but the offline ones. */
  away(): this {
    const { files, versions } = this.v.director;
    for (const name of ['timestamp.json', `${versions.targets}.targets.json`])
      files.delete(`metadata/${name}`);
    return this;
  }

  /** A check without the Director. */
  check(): Verdict {
    return this.away().v.check();
  }
}

function settled(...options: ConstructorParameters<typeof Vehicle>): Offline {
  const v = new Vehicle(...options);
  expect(v.check()).toEqual(SETTLED);
  const o = new Offline(v);
  expect(v.check()).toEqual(SETTLED);
  return o;
}

function found(
  status: Verdict['status'],
  role: Verdict['role'],
  repository: Verdict['repository'] = 'director',
): Verdict {
  return { status, role, repository };
}

/** Twice, a restart in between, and nothing is installed; what is honest then is. */
function refuses(o: Offline, expected: Verdict, newest = 2): void {
  for (const run of ['the check', 'the check after it']) expect(o.check(), run).toEqual(expected);
  o.v.runs(1);
  o.order(newest + 1);
  expect(o.check()).toEqual(SETTLED);
  o.v.runs(newest + 1);
}

describe('an update without the Director', () => {
  test('is installed by every vehicle with the hardware [UPT-3]', () => {
    const o = settled().order(2);
    expect(o.check()).toEqual(SETTLED);
    o.v.runs(2);
    expect(o.order(3).check()).toEqual(SETTLED);
    expect(o.v.asked.filter((name) => name.startsWith('director/')).slice(0, 4)).toEqual([
      'director/3.root.json',
      'director/timestamp.json',
      'director/offline-snapshot.json',
      'director/2.offline-targets.json',
    ]);
    o.v.runs(3);
  });

  test('is none while the Director has a timestamp', () => {
    const o = settled().order(2);
    expect(o.v.check()).toEqual(SETTLED);
    o.v.runs(1);
    expect(o.v.asked.filter((name) => name.includes('offline'))).toEqual([]);
  });

  test('may name the ECUs that it is for; for all others it is none', () => {
    for (const [ecu, runs] of [
      [ECU, 2],
      [STRANGER, 1],
    ] as const) {
      const o = settled();
      o.v.image.release({ releaseCounter: 2 });
      o.sign({ [o.v.path(2)]: o.v.directed(2, { [ecu]: 'sim' }) });
      expect(o.check()).toEqual(SETTLED);
      o.v.runs(runs);
    }
  });

  test('may be for one vehicle', () => {
    const o = settled().order(2);
    const vehicle =
      (id: string): Change =>
      (file) => {
        file.custom = { vehicleId: id };
      };
    o.sign(o.targets, { 'offline-targets': { signed: vehicle('car-2') } });
    expect(o.check()).toEqual(found('VEHICLE_MISMATCH', 'TARGETS'));
    o.sign(o.targets, { 'offline-targets': { signed: vehicle('car-1') } });
    expect(o.check()).toEqual(SETTLED);
    o.v.runs(2);
  });

  test('for other hardware is none for this ECU', () => {
    const o = settled();
    const other = put('custom', 'hardwareIds', ['other']);
    o.v.image.offer({ releaseCounter: 2, target: other });
    o.v.image.publish('targets');
    const target = o.target(2);
    other(target);
    o.sign({ [o.v.path(2)]: target });
    expect(o.check()).toEqual(SETTLED);
    o.v.runs(1);
  });

  test('holds when the dates of the Image repository are over, which online it does not [UPT-3]', () => {
    const o = settled().order(2);
    o.v.image.clock.set(o.v.image.clock.seconds() + 30 * DAY);
    expect(o.check()).toEqual(SETTLED);
    o.v.runs(2);
    o.v.director.clock.set(o.v.image.clock.seconds());
    o.root();
    expect(o.v.check()).toEqual(found('EXPIRED', 'TIMESTAMP', 'image'));
  });

  test('comes with metadata of the Image repository that is older than what the ECU has', () => {
    const o = settled().order(2);
    const old = new Map(o.v.image.files);
    o.v.image.publish('targets');
    o.v.image.publish('targets');
    expect(o.v.check()).toEqual(SETTLED);
    for (const [name, file] of old) o.v.image.files.set(name, file);
    expect(o.check()).toEqual(SETTLED);
    o.v.runs(2);
  });

  test('of a vehicle of several ECUs is matched for each of them [UPT-1]', () => {
    const o = settled({ configuration: { ecus: { [OTHER]: { hardwareId: 'radio' } } } });
    const radio = put('custom', 'hardwareIds', ['radio']);
    o.v.image.offer({ releaseCounter: 3, target: radio });
    o.v.image.release({ releaseCounter: 2 });
    const forRadio = o.target(3);
    radio(forRadio);
    put('hashes', 'sha256', '0'.repeat(64))(forRadio);
    o.sign({ [o.v.path(2)]: o.target(2), [o.v.path(3)]: forRadio });
    expect(o.check()).toEqual(found('TARGET_MISMATCH', 'TARGETS', 'image'));
    o.v.runs(1);
    const right = o.target(3);
    radio(right);
    // Primaries know their vehicle and no other: what is for others is not theirs to refuse.
    o.sign({ [o.v.path(2)]: o.v.directed(2, { [ECU]: 'sim', [STRANGER]: 'x' }), [o.v.path(3)]: right });
    expect(o.check()).toEqual(SETTLED);
    o.v.runs(2);
  });

  test('afterwards the Director is followed as before, also where it orders what was seen before', () => {
    const o = settled();
    o.v.order(2);
    const images = [...o.v.image.files].filter(([name]) => name.startsWith('targets/'));
    for (const [name] of images) o.v.image.files.delete(name);
    expect(o.v.check().status).not.toBe('UP_TO_DATE');
    const stamp = o.v.director.file('timestamp');
    o.sign({});
    expect(o.check()).toEqual(SETTLED);
    for (const [name, file] of images) o.v.image.files.set(name, file);
    o.v.director.files.set('metadata/timestamp.json', stamp);
    expect(o.v.check()).toEqual(SETTLED);
    o.v.runs(2);
  });
});

describe('a core that checks again without a restart', () => {
  /** What the next check wants done, an interval later. */
  function again(o: Offline, core: Core): number {
    o.v.image.clock.set(o.v.image.clock.seconds() + 2 * HOUR);
    return o.v.drive(core);
  }
  const images = (o: Offline) => [...o.v.image.files].filter(([name]) => name.startsWith('targets/'));

  test('goes back to the Director, and to nothing that was signed for times without it', () => {
    const o = settled().order(2);
    const stamp = o.v.director.file('timestamp');
    const held = images(o);
    for (const [name] of held) o.v.image.files.delete(name);
    o.away();
    const core = o.v.checked();
    expect(core.stateRead(State.CHECK_STATUS) | 0).toBeLessThan(0);
    for (const [name, file] of held) o.v.image.files.set(name, file);
    o.v.director.files.set('metadata/timestamp.json', stamp);
    expect(again(o, core)).toBe(Action.WAIT);
    expect(core.stateRead(State.CHECK_STATUS)).toBe(Status.UP_TO_DATE);
    // And the same bundle again, of which nothing is new but the image that was missing.
    o.away();
    expect(again(o, core)).toBe(Action.REBOOT);
  });

  test('does not take a bundle that had nothing for the word of the Director', () => {
    const o = settled();
    o.v.order(2);
    const held = images(o);
    for (const [name] of held) o.v.image.files.delete(name);
    const core = o.v.checked();
    const stamp = o.v.director.file('timestamp');
    o.sign({}).away();
    expect(again(o, core)).toBe(Action.WAIT);
    expect(core.stateRead(State.CHECK_STATUS)).toBe(Status.UP_TO_DATE);
    for (const [name, file] of held) o.v.image.files.set(name, file);
    o.v.director.files.set('metadata/timestamp.json', stamp);
    expect(again(o, core)).toBe(Action.REBOOT);
  });
});

describe('what must not count [UPT-3, UPT-5]', () => {
  test.each(['snapshot', 'targets'] as const)(
    "the Director's online key of %s makes no offline update",
    (role) => {
      const o = settled().order(2);
      o.sign(o.targets, { [`offline-${role}`]: { keys: o.v.director.keys[role] } });
      refuses(o, found('SIGNATURES', role === 'snapshot' ? 'OFFLINE_SNAPSHOT' : 'OFFLINE_TARGETS'));
    },
  );

  test.each(['timestamp', 'snapshot', 'targets'] as const)('offline keys sign no online %s', (role) => {
    const o = settled();
    const forgery: Forgery = { keys: Object.values(o.keys) };
    if (role === 'targets') o.v.sign(forgery);
    else o.v.director.forge(role, forgery);
    expect(o.v.check()).toEqual(found('SIGNATURES', role.toUpperCase() as Verdict['role']));
  });

  test('where both have one key, the file of one role is none of the other', () => {
    const v = new Vehicle();
    v.check();
    const [snapshot, targets] = [v.director.keys.snapshot[0], v.director.keys.targets[0]] as SigningKey[];
    const o = new Offline(v, {
      'offline-snapshot': snapshot as SigningKey,
      'offline-targets': targets as SigningKey,
    });
    o.order(2).sign(o.targets, { 'offline-snapshot': { signed: put('_type', 'snapshot') } });
    expect(o.check()).toEqual(found('TYPE_MISMATCH', 'OFFLINE_SNAPSHOT'));
    o.sign(o.targets, { 'offline-targets': { signed: put('_type', 'targets') } });
    expect(o.check()).toEqual(found('TYPE_MISMATCH', 'OFFLINE_TARGETS'));
    v.runs(1);
  });

  test.each(['offline-snapshot', 'offline-targets'] as const)('freeze: %s has expired', (role) => {
    const o = settled().order(2);
    o.sign(o.targets, { [role]: { signed: put('expires', '2029-12-31T00:00:00Z') } });
    refuses(o, found('EXPIRED', role === 'offline-snapshot' ? 'OFFLINE_SNAPSHOT' : 'OFFLINE_TARGETS'));
  });

  test('freeze: one that the ECU holds has expired since', () => {
    const o = settled().order(2);
    expect(o.check()).toEqual(SETTLED);
    const root = put('expires', '2039-12-31T00:00:00Z');
    o.root({ signed: root });
    o.v.image.root({ signed: root });
    o.v.image.clock.set(o.v.image.clock.seconds() + YEAR + DAY);
    expect(o.check()).toEqual(found('EXPIRED', 'OFFLINE_SNAPSHOT'));
  });

  test('rollback: an earlier one, after any number of restarts and online checks', () => {
    const o = settled().order(2);
    const old = new Map(o.v.director.files);
    o.order(3);
    expect(o.check()).toEqual(SETTLED);
    o.v.runs(3);
    o.v.order(3);
    expect(o.v.check()).toEqual(SETTLED);
    for (const [name, file] of old) if (name.includes('offline')) o.v.director.files.set(name, file);
    expect(o.check()).toEqual(found('ROLLBACK', 'OFFLINE_SNAPSHOT'));
    o.versions['offline-targets'] = 0;
    o.versions['offline-snapshot'] = 9;
    o.sign();
    expect(o.check()).toEqual(found('ROLLBACK', 'OFFLINE_TARGETS'));
    o.v.runs(3);
  });

  test('rollback: an older release, signed anew', () => {
    const o = settled().order(2);
    o.check();
    o.sign({ [o.v.path(1)]: o.target(1) });
    expect(o.check()).toEqual(found('COUNTER_ROLLBACK', 'IMAGE', 'image'));
    o.v.runs(2);
  });

  test('another fleet: its Director signed it', () => {
    const o = settled();
    o.v.image.release({ releaseCounter: 2 });
    const other = settled();
    other.keys['offline-snapshot'] = other.v.director.newKey();
    other.keys['offline-targets'] = other.v.director.newKey();
    other.order(2);
    for (const [name, file] of other.v.director.files)
      if (name.includes('offline')) o.v.director.files.set(name, file);
    refuses(o, found('SIGNATURES', 'OFFLINE_SNAPSHOT'));
  });

  test('mix-and-match: targets that the snapshot does not list', () => {
    const o = settled().order(2);
    const old = o.v.director.files.get('metadata/1.offline-targets.json') ?? new Uint8Array();
    o.order(3);
    o.v.director.files.set('metadata/2.offline-targets.json', old);
    refuses(o, found('HASH_MISMATCH', 'OFFLINE_TARGETS'), 3);
  });

  test('stolen offline keys install nothing that the Image repository has not', () => {
    const o = settled();
    o.sign({ [o.v.path(2)]: o.target(2) });
    refuses(o, found('TARGET_UNKNOWN', 'NONE', 'image'));
    const lies = settled().order(2);
    const lie = lies.target(2);
    put('custom', 'releaseCounter', 9)(lie);
    lies.sign({ [lies.v.path(2)]: lie });
    refuses(lies, found('CUSTOM_MISMATCH', 'TARGETS', 'image'));
  });

  test('two images for one ECU', () => {
    const o = settled();
    o.v.image.release({ releaseCounter: 2 });
    o.v.image.release({ releaseCounter: 3 });
    const both = { [o.v.path(2)]: o.target(2), [o.v.path(3)]: o.target(3) };
    refuses(o.sign(both), found('ECU_DUPLICATE', 'TARGETS'), 3);
    const named = settled();
    named.v.image.release({ releaseCounter: 2 });
    named.v.image.release({ releaseCounter: 3 });
    const one = named.v.directed(3, { [ECU]: 'sim' });
    refuses(named.sign({ ...both, [named.v.path(3)]: one }), found('ECU_DUPLICATE', 'TARGETS'), 3);
  });

  test('offline targets that delegate', () => {
    const o = settled().order(2);
    const roles = {
      keys: {},
      roles: [{ name: 'x', keyids: [], threshold: 1, paths: ['*'], terminating: false }],
    };
    o.sign(o.targets, { 'offline-targets': { signed: put('delegations', roles) } });
    refuses(o, found('DIRECTOR_DELEGATES', 'TARGETS'));
  });

  test('a Director without these roles that has no timestamp: nobody asks for more', () => {
    const v = new Vehicle();
    v.check();
    v.director.files.delete('metadata/timestamp.json');
    expect(v.check()).toEqual(found('NOT_FOUND', 'TIMESTAMP'));
    expect(v.asked).not.toContain('director/offline-snapshot.json');
  });

  test('an Image repository without a timestamp', () => {
    const o = settled().order(2);
    o.v.image.files.delete('metadata/timestamp.json');
    expect(o.check()).toEqual(found('NOT_FOUND', 'TIMESTAMP', 'image'));
  });

  test('offline roles of a root that is read by the legacy profile', () => {
    const o = new Offline(new Vehicle({ configuration: { legacy: true } })).order(2);
    expect(o.check()).toEqual(found('NOT_FOUND', 'TARGETS'));
    expect(o.v.asked).toEqual(['director/2.root.json', 'director/3.root.json', 'director/targets.json']);
  });

  test('offline roles that are missing', () => {
    const o = settled();
    expect(o.check()).toEqual(found('NOT_FOUND', 'OFFLINE_SNAPSHOT'));
  });

  test('fast-forward: versions that a thief drove up go with his keys', () => {
    for (const role of ['offline-snapshot', 'offline-targets'] as const) {
      const o = settled().order(2);
      o.versions[role] = 1000;
      o.sign();
      expect(o.check()).toEqual(SETTLED);
      o.keys[role] = o.v.director.newKey();
      o.root();
      o.versions[role] = 2;
      if (role === 'offline-targets') o.versions['offline-snapshot'] = 1001;
      o.order(3);
      expect(o.check(), role).toEqual(SETTLED);
      o.v.runs(3);
    }
  });
});

describe('an ECU that verifies in part [UPT-3]', () => {
  const inPart = () => settled({ configuration: { uptane: 'partial' } });

  test('takes what was signed for times without the Director, and asks nobody else', () => {
    const o = inPart().order(2);
    expect(o.check()).toEqual(SETTLED);
    o.v.runs(2);
    expect(o.order(3).check()).toEqual(SETTLED);
    o.v.runs(3);
    o.check();
    const files = ['3.root.json', 'targets.json', 'offline-snapshot.json'];
    expect(o.v.asked).toEqual(files.map((name) => `director/${name}`));
  });

  test('takes nothing of it while the Director has targets', () => {
    const o = inPart().order(2);
    expect(o.v.check()).toEqual(SETTLED);
    o.v.runs(1);
    expect(o.v.asked).toEqual(['director/3.root.json', 'director/targets.json']);
  });

  test('goes back to the Director without a restart', () => {
    const o = inPart().order(2);
    const targets = o.v.director.file('targets');
    const name = `metadata/${o.v.director.versions.targets}.targets.json`;
    o.sign({}).away();
    const core = o.v.checked();
    expect(core.stateRead(State.CHECK_STATUS)).toBe(Status.UP_TO_DATE);
    o.v.director.files.set(name, targets);
    o.v.image.clock.set(o.v.image.clock.seconds() + 2 * HOUR);
    o.v.asked = [];
    expect(o.v.drive(core)).toBe(Action.WAIT);
    expect(o.v.asked).toEqual(['director/3.root.json', 'director/targets.json']);
  });

  test.each(['offline-snapshot', 'offline-targets'] as const)('freeze: %s has expired', (role) => {
    const o = inPart().order(2);
    o.sign(o.targets, { [role]: { signed: put('expires', '2029-12-31T00:00:00Z') } });
    refuses(o, found('EXPIRED', role === 'offline-snapshot' ? 'OFFLINE_SNAPSHOT' : 'OFFLINE_TARGETS'));
  });

  test("the Director's online key makes no offline update", () => {
    const o = inPart().order(2);
    o.sign(o.targets, { 'offline-targets': { keys: o.v.director.keys.targets } });
    refuses(o, found('SIGNATURES', 'OFFLINE_TARGETS'));
  });

  test('rollback: an earlier one, after an online check', () => {
    const o = inPart().order(2);
    const old = new Map(o.v.director.files);
    expect(o.order(3).check()).toEqual(SETTLED);
    o.v.order(3);
    expect(o.v.check()).toEqual(SETTLED);
    for (const [name, file] of old) if (name.includes('offline')) o.v.director.files.set(name, file);
    expect(o.check()).toEqual(found('ROLLBACK', 'OFFLINE_SNAPSHOT'));
    o.v.runs(3);
  });

  test('mix-and-match: targets that the snapshot does not list', () => {
    const o = inPart().order(2);
    const old = o.v.director.files.get('metadata/1.offline-targets.json') ?? new Uint8Array();
    o.order(3);
    o.v.director.files.set('metadata/2.offline-targets.json', old);
    refuses(o, found('HASH_MISMATCH', 'OFFLINE_TARGETS'), 3);
  });

  test('fast-forward: versions that a thief drove up go with his keys', () => {
    const o = inPart().order(2);
    o.versions['offline-snapshot'] = 1000;
    o.sign();
    expect(o.check()).toEqual(SETTLED);
    o.keys['offline-snapshot'] = o.v.director.newKey();
    o.root();
    o.versions['offline-snapshot'] = 2;
    expect(o.order(3).check()).toEqual(SETTLED);
    o.v.runs(3);
  });

  test('a Director without these roles that has no targets: nobody asks for more', () => {
    const v = new Vehicle({ configuration: { uptane: 'partial' } });
    v.check();
    v.director.files.delete(`metadata/${v.director.versions.targets}.targets.json`);
    expect(v.check()).toEqual(found('NOT_FOUND', 'TARGETS'));
    expect(v.asked).not.toContain('director/offline-snapshot.json');
  });
});
