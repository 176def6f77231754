// Which release each ECU is to have: dependencies and conflicts.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asRelease, type DirectorRelease } from '../../repo/director/release.ts';
import { type Place, resolve } from '../../repo/director/resolve.ts';
import { isWithin, type Range } from '../../repo/rules.ts';

function release(
  component: string,
  releaseCounter: number,
  rules: { requires?: Range[]; conflicts?: Range[] } = {},
): DirectorRelease {
  const custom = {
    component,
    version: `${releaseCounter}.0`,
    hardwareIds: [`${component}-hw`],
    releaseCounter,
    ...rules,
  };
  const made = asRelease(`${component}/hw/${releaseCounter}/x.bin`, {
    length: 1,
    hashes: { sha256: `${component}${releaseCounter}` },
    custom,
  });
  if (made === undefined) throw new Error('not a release');
  return made;
}

function place(component: string, installed?: DirectorRelease): Place {
  return { serial: `the-${component}`, hardwareId: `${component}-hw`, installed };
}

const outcome = (...given: Parameters<typeof resolve>) => {
  const { chosen, heldBack } = resolve(...given);
  return {
    chosen: Object.fromEntries([...chosen].map(([serial, { releaseCounter }]) => [serial, releaseCounter])),
    heldBack: heldBack.map(({ reason }) => reason),
  };
};

const [app1, app2, radio1] = [release('app', 1), release('app', 2), release('radio', 1)];
const radio5 = release('radio', 5);
const app3 = release('app', 3, { requires: [{ component: 'radio', releaseCounter: 5, below: 9 }] });

test('each ECU has the highest release for its hardware', () => {
  expect(outcome([place('app', app1), place('radio', radio1)], [app1, app2, radio1], [])).toEqual({
    chosen: { 'the-app': 2, 'the-radio': 1 },
    heldBack: [],
  });
});

test('an ECU is never directed below what it has', () => {
  expect(outcome([place('app', app2)], [app1], [app1, app2])).toEqual({ chosen: {}, heldBack: [] });
});

test('an ECU with an unknown image is offered what is assigned [CERT-S-4]', () => {
  expect(outcome([place('app')], [app2], [app1, app2]).chosen).toEqual({ 'the-app': 2 });
});

test('what a release requires comes with it [UPT-1, CERT-C-3]', () => {
  const places = [place('app', app1), place('radio', radio1)];
  expect(outcome(places, [app3], [app1, app3, radio1, radio5])).toEqual({
    chosen: { 'the-app': 3, 'the-radio': 5 },
    heldBack: [],
  });
});

test('a release whose requirement cannot be had is held back, and so is what came for it [UPT-1, CERT-C-3]', () => {
  const places = [place('app', app1), place('radio', radio1)];
  const reason = 'app 3.0 requires radio from release 5 and below 9';
  expect(outcome(places, [app2, app3], [radio1])).toEqual({ chosen: { 'the-app': 2 }, heldBack: [reason] });
  const greedy = release('app', 4, {
    requires: [...app3.requires, { component: 'seat', releaseCounter: 1 }],
  });
  expect(outcome(places, [greedy], [radio5])).toMatchObject({ chosen: {} });
  expect(outcome([place('app', app1)], [app3], [radio5])).toEqual({ chosen: {}, heldBack: [reason] });
});

test('releases that conflict do not come together [UPT-1]', () => {
  const angry = release('app', 6, { conflicts: [{ component: 'radio', releaseCounter: 5 }] });
  const places = [place('app', app1), place('radio', radio1)];
  const reason = 'app 6.0 conflicts with radio from release 5';
  expect(outcome(places, [angry, radio5], [])).toEqual({ chosen: { 'the-radio': 5 }, heldBack: [reason] });
  const installed = [place('app', angry), place('radio', radio1)];
  expect(outcome(installed, [radio5], [])).toEqual({ chosen: {}, heldBack: [reason] });
});

test('what stays keeps what it requires', () => {
  const radio9 = release('radio', 9);
  const places = [place('app', app3), place('radio', radio5)];
  expect(outcome(places, [radio9], [])).toEqual({
    chosen: {},
    heldBack: ['app 3.0 requires radio from release 5 and below 9'],
  });
});

test('a release whose rules cannot be read is none', () => {
  const custom = { component: 'app', version: '1', hardwareIds: ['x'], releaseCounter: 1 };
  const target = { length: 1, hashes: { sha256: 'aa' } };
  expect(asRelease('x', { ...target, custom })).toBeDefined();
  for (const requires of [
    'radio',
    [{}],
    [{ component: 'radio' }],
    [{ component: 'radio', releaseCounter: 1.5 }],
    [null],
  ])
    expect(asRelease('x', { ...target, custom: { ...custom, requires } })).toBeUndefined();
});

test('whatever is assigned: it ends, and what is chosen holds together [UPT-1]', () => {
  const names = ['a', 'b', 'c'];
  const range = fc.record({
    component: fc.constantFrom(...names),
    releaseCounter: fc.integer({ min: 1, max: 4 }),
    below: fc.integer({ min: 2, max: 6 }),
  });
  const rules = fc.record({
    requires: fc.array(range, { maxLength: 2 }),
    conflicts: fc.array(range, { maxLength: 1 }),
  });
  const one = fc.tuple(fc.constantFrom(...names), fc.integer({ min: 1, max: 5 }), rules);
  const catalogue = fc.uniqueArray(one, {
    maxLength: 12,
    selector: ([name, counter]) => `${name}${counter}`,
  });
  fc.assert(
    fc.property(catalogue, fc.array(fc.nat(11)), fc.array(fc.nat(11)), (drafts, installedAt, assignedAt) => {
      const all = drafts.map(([name, counter, rule]) => release(name, counter, rule));
      const pick = (at: number[]) => [...new Set(at.flatMap((index) => all[index] ?? []))];
      const has = pick(installedAt);
      const places = names.map((name) =>
        place(
          name,
          has.find(({ component }) => component === name),
        ),
      );
      const { chosen } = resolve(places, pick(assignedAt), all);
      const present = places.flatMap(({ serial, installed }) => chosen.get(serial) ?? installed ?? []);
      for (const { requires, conflicts } of chosen.values()) {
        for (const rule of requires) expect(present.some((other) => isWithin(rule, other))).toBe(true);
        for (const rule of conflicts) expect(present.some((other) => isWithin(rule, other))).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});
