// A small Secondary, which verifies in part: the root and the targets of the Director alone (Uptane Standard 2.1.0, 5.4.4.2).
import { describe, expect, test } from 'vitest';
import { Action, Status } from '../../host/node/abi.ts';
import { DAY, LIFETIME } from '../tuf/kit.ts';
import { drop, put } from '../tuf/values.ts';
import { OTHER, SETTLED, Vehicle, type Verdict } from './vehicle.ts';

function settled(): Vehicle {
  const v = new Vehicle({ configuration: { uptane: 'partial' } });
  expect(v.check()).toEqual(SETTLED);
  return v;
}

function refuses(v: Vehicle, status: Verdict['status'], role: Verdict['role'] = 'TARGETS'): void {
  for (const run of ['the check', 'the check after it'])
    expect(v.check(), run).toEqual({ status, role, repository: 'director' });
  v.runs(1);
}

test('it installs what the Director orders, and asks nobody else for metadata [UPT-1]', () => {
  const v = settled();
  v.order(2);
  expect(v.check()).toEqual(SETTLED);
  v.runs(2);
  v.check();
  expect(v.asked).toEqual(['director/2.root.json', 'director/targets.json']);
});

describe('what it refuses [UPT-5]', () => {
  test('rollback: targets of a version below the one that it trusts', () => {
    const v = settled();
    v.director.versions.targets -= 2;
    v.order(2);
    refuses(v, 'ROLLBACK');
  });
  test('other targets of the same version: those that it has go on to count', () => {
    const v = settled();
    v.director.versions.targets--;
    v.order(2);
    expect(v.check()).toEqual(SETTLED);
    v.runs(1);
  });
  test('freeze: targets that have expired', () => {
    const v = settled();
    v.image.clock.set(v.image.clock.seconds() + LIFETIME.targets + DAY);
    refuses(v, 'EXPIRED');
  });
  test("targets by other keys than the Director's", () => {
    const v = settled();
    v.image.release({ releaseCounter: 2 });
    v.direct({ [v.path(2)]: v.directed(2) }, { keys: v.image.keys.targets });
    refuses(v, 'SIGNATURES');
  });
  test('more than 5,000,000 bytes of them: endless data', () => {
    const v = settled();
    const core = v.device.powerOn();
    expect(core.agentStep(v.image.clock.seconds())).toBe(Action.FETCH);
    core.fetchEnd(Status.NOT_FOUND); // the next root
    expect(core.agentStep(v.image.clock.seconds())).toBe(Action.FETCH);
    expect([core.fetchName(), core.fetchLimit()]).toEqual(['targets.json', 5_000_000]);
  });
  test('a Director that delegates', () => {
    const v = settled();
    v.sign({ signed: put('delegations', { keys: {}, succinct_roles: {} }) });
    refuses(v, 'DIRECTOR_DELEGATES');
  });
  test('one ECU twice', () => {
    const v = settled();
    v.direct({ [v.path(2)]: v.directed(2), [v.path(3)]: v.directed(3) });
    refuses(v, 'ECU_DUPLICATE');
  });
  test('targets for another vehicle', () => {
    const v = settled();
    v.direct({}, { signed: drop('custom') });
    refuses(v, 'VEHICLE_MISMATCH');
  });
  test('wrong hardware', () => {
    const v = settled();
    v.order(2, { director: put('custom', 'hardwareIds', ['other']) });
    refuses(v, 'HARDWARE_MISMATCH', 'IMAGE');
  });
  test('an image that is not the one that was signed', () => {
    const v = settled();
    v.order(2, { director: put('hashes', 'sha256', '0'.repeat(64)) });
    expect(v.check().status).not.toBe('UP_TO_DATE');
    v.runs(1);
  });
});

test('what is for others is none of its business', () => {
  const v = settled();
  v.image.release({ releaseCounter: 2 });
  v.direct({ [v.path(2)]: v.directed(2, { [OTHER]: 'sim' }) });
  expect(v.check()).toEqual(SETTLED);
  v.runs(1);
});

test('keys of the Director rotate by its roots', () => {
  const v = settled();
  v.director.keys.targets = [v.director.newKey()];
  v.director.root();
  v.order(2);
  expect(v.check()).toEqual(SETTLED);
  v.runs(2);
});
