// What the small core leaves out, with patches and without, besides keys and encryption: delegations, components, Uptane, and
// all that a configuration may ask for beyond the seven fields.
import { describe, expect, test } from 'vitest';
import { Part } from '../../host/node/abi.ts';
import { boot, statusName } from '../fixtures/by-hand.ts';
import { CONFIGURATION, Stage, stage } from '../tuf/kit.ts';
import { Tree } from '../tuf/tree.ts';
import { bytes } from '../tuf/values.ts';

test('[TUF-7] what a delegated role lists is not installed, nor asked for; what the top lists is', async () => {
  const s = await stage();
  const t = new Tree(s).delegate('targets', 'A').release('A', 9).publish();
  const asked = await s.requests(() => s.accepts());
  expect(asked).toContain(s.path('targets'));
  expect(asked).not.toContain(t.path('A'));
  t.release('targets', 2).publish();
  s.newest = 2;
  await s.accepts();
});

describe('provisioning', () => {
  test.each([Part.KEY, Part.DIRECTOR])('has no part %s', (part) => {
    const { core } = boot(new Stage());
    expect(statusName(core.provisionBegin(part))).toBe('BAD_ARGUMENT');
  });

  test.each<Record<string, unknown>>([
    { strictKeyIds: true },
    { needsTime: true },
    { timeKeys: ['ab'.repeat(32)] },
    { imageFormat: 'mcuboot' },
    { imageFormat: 'esp32', chipId: 5 },
    { bootKey: 'ab'.repeat(44) },
    { uptane: 'full', ecu: 'one' },
    { vehicle: 'car' },
    { ecus: {} },
    { image: {} },
    { legacy: true },
    { maxPostpone: 60 },
    { components: [] },
  ])('does not promise more than the core does: %j is refused', (more) => {
    expect(configured({ ...CONFIGURATION, ...more })).toBe('CONFIG_INVALID');
  });

  test('takes the seven fields, and a serial, by which devices without random numbers are told apart', () => {
    expect(configured(CONFIGURATION)).toBe('OK');
    expect(configured({ ...CONFIGURATION, serial: '0001' })).toBe('OK');
  });

  test('is of a device that installs: a TUF client alone is refused', () => {
    const { buildTime, checkInterval } = CONFIGURATION;
    expect(configured({ buildTime, checkInterval })).toBe('CONFIG_INVALID');
  });
});

/** What a new device says to its configuration. */
function configured(configuration: object): string {
  const { core } = boot(new Stage());
  expect(statusName(core.provisionBegin(Part.CONFIG))).toBe('OK');
  expect(statusName(core.provisionWrite(bytes(JSON.stringify(configuration))))).toBe('OK');
  return statusName(core.provisionEnd());
}
