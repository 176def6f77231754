// Power that fails at any operation of a check that follows a new root and new delegated roles, and installs what they
// list: the device boots, trusts nothing that it had not verified, and the next check comes to its end.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { expect, test } from 'vitest';
import { State } from '../../host/node/abi.ts';
import { engineName } from '../../host/node/engine.ts';
import { countCuts, type Scenario, sweep } from '../../sim/powercut.ts';
import { find } from './drive.ts';
import { imageOf, type Stage } from './kit.ts';
import { tree } from './tree.ts';

const FLASH = [
  { unit: 4, erased: 0xff, bank: 12_288 },
  { unit: 32, erased: 0x00, bank: 16_384 },
  { unit: 1, erased: 0xff, bank: 20_480 },
];

/** The release that boots. */
function booted(s: Stage): number {
  s.device.powerOn();
  const release = [2, 3].find((each) => {
    const image = imageOf(each);
    return Buffer.compare(s.device.running(image.length), image) === 0;
  });
  ok(release, 'what boots is none of the images');
  return release;
}

test.each(engineName === 'v8' ? FLASH : FLASH.slice(0, 1))(
  '[CERT-C-5] units of $unit, erased $erased, banks of $bank bytes',
  async (flash) => {
    const t = await tree({ client: false, ...flash });
    const { s } = t;
    const mine = { paths: ['app/sim/*/*'] };
    t.delegate('targets', 'A', mine).delegate('A', 'B', mine).delegate('targets', 'C', mine);
    t.release('B', 2).publish();
    await s.settles();
    s.keys.timestamp = [s.newKey()];
    s.root();
    for (const name of ['A', 'B', 'C']) t.role(name).version++;
    t.release('C', 3).publish();
    const before = s.trusted();
    const scenario: Scenario = {
      device: s.device,
      run: async () => s.settles(),
      afterCut() {
        booted(s);
        // The new root drops timestamp and snapshot; targets and root never fall.
        const now = s.trusted();
        for (const role of ['root', 'targets'] as const) ok(now[role] >= before[role], role);
      },
      atEnd() {
        equal(booted(s), 3);
        equal(s.state(State.INSTALLED_RELEASE), 3);
        deepEqual(s.trusted(), s.versions);
      },
    };
    const result = await sweep(scenario, { places: 2, liveEvery: 200 });
    expect(result.cuts.before).toBe(result.operations);
    expect(result.operations).toBeGreaterThan(30);
    expect(countCuts(result)).toBeGreaterThan(3 * result.operations);
  },
  240_000,
);

test('power that fails in a search for one path: what was verified is not fetched again, and the target is found', async () => {
  const t = await tree();
  t.delegate('targets', 'A')
    .delegate('targets', 'B')
    .delegate('targets', 'C')
    .list('C', 'file', 'content')
    .publish();
  const { s } = t;
  s.network.conduct = (path) => (path.includes('B') ? { drop: true } : {});
  const core = t.core();
  const first = find(core, s, 'file', (name, file) => (name.includes('.C.') ? [] : [file]));
  expect(first.asked).toEqual(['1.A.json', '1.B.json', '1.C.json']);
  expect(first.status).not.toBe('TARGET_VERIFIED');
  const again = t.find('file');
  expect(again).toMatchObject({ status: 'TARGET_VERIFIED' });
  expect(again.asked[0]).toBe('1.C.json');
});
