// Which stolen keys make which attack succeed: docs/compromise.md is what comes out when all of it is played.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../scripts/abi.ts';
import { compromiseDocument } from '../../scripts/compromise.ts';
import { everyLoot, HOLDERS, type Holder, nameOf } from '../../sim/compromise/holders.ts';
import { ATTACKS, compromises, type Verdict } from '../../sim/compromise/matrix.ts';

describe('every set of stolen keys, every attack, every kind of ECU [UPT-5, TUF-8, ETSI-3.10]', async () => {
  const verdicts = await compromises();

  test('what succeeds is what the documentation says', () => {
    const page = readFileSync(join(projectRoot(), 'docs/compromise.md'), 'utf8');
    expect(compromiseDocument(verdicts)).toBe(page);
  });

  test('there are 4,096 sets of keys, and the ten attacks of the standard', () => {
    expect([...everyLoot()]).toHaveLength(2 ** HOLDERS.length);
    expect(HOLDERS).toHaveLength(12);
    expect(ATTACKS).toHaveLength(10);
  });

  test('all keys of the Director together install nothing on an ECU that verifies in full', () => {
    const director = HOLDERS.filter((holder) => holder.startsWith('Director'));
    for (const { ecu, needs } of of(verdicts, 'arbitrary software'))
      if (ecu !== 'Secondary in part') for (const loot of needs) expect(loot).not.toSatisfy(within(director));
  });

  test('all keys of the Image repository, its suppliers, every ECU and the time together install nothing anywhere', () => {
    const rest = HOLDERS.filter((holder) => !holder.startsWith('Director'));
    for (const { needs } of of(verdicts, 'arbitrary software'))
      for (const loot of needs) expect(loot).not.toSatisfy(within(rest));
  });
});

function of(verdicts: readonly Verdict[], attack: string): Verdict[] {
  const found = verdicts.filter((one) => one.attack === attack);
  expect(found.flatMap(({ needs }) => needs.map(nameOf))).not.toEqual([]);
  return found;
}

function within(holders: readonly Holder[]): (loot: ReadonlySet<Holder>) => boolean {
  return (loot) => [...loot].every((holder) => holders.includes(holder));
}
