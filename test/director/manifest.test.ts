// The checks of a manifest, each with the attack that it stops.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MANIFEST_LIMIT, parseManifest } from '../../repo/director/manifest.ts';
import { checkManifest, type Ecu, ManifestRefused, type Refusal } from '../../repo/director/verdict.ts';
import { generateKey, RepositoryError, serialize } from '../../repo/index.ts';
import { generateP256, imageOf, manifestOf, SimEcu, SimVehicle, signPart } from '../../sim/vehicle.ts';
import { NOW } from '../fixtures/repositories.ts';

const [A, B, C] = [generateKey(), generateP256(), generateKey()];

function vehicle(id = 'car-1'): SimVehicle {
  return new SimVehicle(id, [
    new SimEcu('gateway', 'gw-1', A),
    new SimEcu('radio', 'rf-2', B),
    new SimEcu('seat', 'st-1', C),
  ]);
}

function inventory(of: SimVehicle, counter = 0): Ecu[] {
  return of.ecus.map((ecu) => ({
    serial: ecu.serial,
    hardwareId: ecu.hardwareId,
    primary: ecu === of.primary,
    keyId: ecu.key.id,
    key: ecu.key.public,
    counter,
  }));
}

/** The refusal, or what was reported. */
function judge(bytes: Uint8Array, ecus = inventory(vehicle()), id = 'car-1') {
  try {
    return checkManifest(parseManifest(bytes), id, ecus, NOW);
  } catch (error) {
    if (error instanceof ManifestRefused) return error.refusal;
    if (error instanceof RepositoryError) return error.code;
    throw error;
  }
}

/** A manifest of three ECUs, changed by hand before the Primary signs. */
function forged(change: (reports: Record<string, unknown>, car: SimVehicle) => unknown, key = A): Uint8Array {
  const car = vehicle();
  const reports: Record<string, unknown> = {};
  for (const ecu of car.ecus) reports[ecu.serial] = signPart(ecu.report(NOW), ecu.key);
  const signed = change(reports, car) ?? manifestOf('car-1', 'gateway', reports);
  return serialize(signPart(signed, key));
}

test('a manifest tells what each ECU has, by keys of both kinds [UPT-1, UPT-2, UPT-9]', () => {
  const car = vehicle();
  const image = imageOf('app/x/1/app.bin', Uint8Array.of(1, 2, 3));
  const [, radio] = car.ecus;
  if (radio) Object.assign(radio, { image, attacks: 'rollback' });
  expect(judge(car.manifest(NOW))).toEqual([
    expect.objectContaining({ serial: 'gateway', counter: 1, time: NOW, attacks: '' }),
    expect.objectContaining({ serial: 'radio', image, attacks: 'rollback' }),
    expect.objectContaining({ serial: 'seat', counter: 1 }),
  ]);
});

const refusals: [string, Refusal, Uint8Array][] = [
  ['an ECU that is left out', 'ecu-missing', forged((reports) => void delete reports.seat)],
  ['no ECU at all', 'ecu-missing', forged(() => manifestOf('car-1', 'gateway', {}))],
  [
    'an ECU that the inventory does not know',
    'ecu-unknown',
    forged((reports, car) => {
      const spy = new SimEcu('spy', 'rf-2');
      reports.spy = signPart(spy.report(NOW), spy.key);
      return manifestOf(car.id, 'gateway', reports);
    }),
  ],
  [
    "a Secondary's report signed by the Primary's key",
    'report-forged',
    forged((reports, car) => {
      reports.radio = signPart(new SimEcu('radio', 'rf-2').report(NOW), car.primary.key);
    }),
  ],
  [
    "a Secondary's report with its key id and the Primary's signature",
    'report-forged',
    forged((reports, car) => {
      const part = signPart(new SimEcu('radio', 'rf-2').report(NOW), car.primary.key);
      reports.radio = { ...part, signatures: part.signatures.map(({ sig }) => ({ keyid: B.id, sig })) };
    }),
  ],
  [
    'a report that was changed after it was signed',
    'report-forged',
    forged((reports) => {
      const part = reports.radio as { signed: object };
      reports.radio = { ...part, signed: { ...part.signed, report_counter: 9 } };
    }),
  ],
  [
    'a report without a signature',
    'report-forged',
    forged((reports) => {
      reports.radio = { ...(reports.radio as object), signatures: [] };
    }),
  ],
  ['a manifest signed by a Secondary', 'manifest-forged', forged(() => undefined, B as typeof A)],
  [
    'a Secondary that says that it is the Primary',
    'wrong-primary',
    forged((reports) => manifestOf('car-1', 'radio', reports)),
  ],
  ['the manifest of another vehicle', 'wrong-vehicle', vehicle('car-2').manifest(NOW)],
  ['a time that is still to come', 'time-in-future', vehicle().manifest(NOW + 3600)],
];

test.each(refusals)('%s is refused [UPT-2, UPT-9]', (_, refusal, bytes) => {
  expect(judge(bytes)).toBe(refusal);
});

test('a counter counts once: equal and lower ones are replays [UPT-9, CERT-S-4]', () => {
  const car = vehicle();
  const first = car.manifest(NOW);
  expect(judge(first, inventory(car, 0))).toHaveLength(3);
  expect(judge(first, inventory(car, 1))).toBe('counter-replayed');
  expect(judge(first, inventory(car, 7))).toBe('counter-replayed');
  expect(judge(car.manifest(NOW), inventory(car, 1))).toHaveLength(3);
});

test('one ECU with an old counter is enough', () => {
  const car = vehicle();
  const ecus = inventory(car).map((ecu) => (ecu.serial === 'seat' ? { ...ecu, counter: 1 } : ecu));
  expect(judge(car.manifest(NOW), ecus)).toBe('counter-replayed');
});

test.each([
  ['a counter beyond u32', { report_counter: 2 ** 32 }],
  ['a counter of zero', { report_counter: 0 }],
  ['a counter as text', { report_counter: '7' }],
  ['a negative counter', { report_counter: -1 }],
  [
    'a length that no image has',
    { installed_image: { filepath: 'x', fileinfo: { length: 2 ** 50, hashes: { sha256: 'a'.repeat(64) } } } },
  ],
  [
    'a hash that is none',
    { installed_image: { filepath: 'x', fileinfo: { length: 1, hashes: { sha256: 'zz' } } } },
  ],
  ['no SHA-256', { installed_image: { filepath: 'x', fileinfo: { length: 1, hashes: { md5: 'aa' } } } }],
  [
    'a path of a kilobyte',
    {
      installed_image: {
        filepath: 'x'.repeat(1024),
        fileinfo: { length: 1, hashes: { sha256: 'a'.repeat(64) } },
      },
    },
  ],
  ['a date that is none', { timeserver_time: '2027-02-31T00:00:00Z' }],
  ['a year beyond all clocks', { timeserver_time: '99999-01-01T00:00:00Z' }],
  ['attacks in control characters', { attacks_detected: '\u001b[2J' }],
  ['another name than its own', { ecu_serial: 'radio' }],
])('%s is refused before any signature is looked at [CERT-S-4]', (_, change) => {
  const bytes = forged((reports, car) => {
    reports.seat = signPart({ ...new SimEcu('seat', 'st-1').report(NOW), ...change }, car.primary.key);
  });
  expect(judge(bytes)).toBe('metadata-invalid');
});

test('what the schema does not know is signed, and not kept [CRA-I-2g]', () => {
  const bytes = forged((reports, car) => {
    const radio = new SimEcu('radio', 'rf-2', B);
    reports.radio = signPart({ ...radio.report(NOW), owner: 'Ada', position: [52, 13] }, B);
    return { ...manifestOf(car.id, 'gateway', reports), speed: 99 };
  });
  const reported = judge(bytes);
  expect(reported).toHaveLength(3);
  expect(JSON.stringify(reported)).not.toMatch(/Ada|52|99/);
});

test('too many bytes and too many ECUs are refused [CERT-S-1]', () => {
  expect(judge(new Uint8Array(MANIFEST_LIMIT + 1))).toBe('metadata-too-large');
  const many = Object.fromEntries(
    Array.from({ length: 65 }, (_, i) => [`e${i}`, signPart(new SimEcu(`e${i}`, 'x', C).report(NOW), C)]),
  );
  expect(judge(forged(() => manifestOf('car-1', 'gateway', many)))).toMatch(/^metadata-/);
});

test('half a surrogate pair is a refusal, not a crash', () => {
  const text = Buffer.from(vehicle().manifest(NOW)).toString();
  expect(judge(Buffer.from(text.replace('{"signatures"', '{"x":1,"signatures"')))).toHaveLength(3);
  expect(judge(Buffer.from(text.replace('"signed":{', '"signed":{"\\ud800":1,')))).toBe('manifest-invalid');
});

test('no change of a manifest by those without keys counts [UPT-2]', () => {
  const good = vehicle().manifest(NOW);
  const ecus = inventory(vehicle());
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] ?? 0) ^ flip;
      const verdict = judge(bytes, ecus);
      // A change that leaves every signed value as it was (a field outside of `signed`) may pass.
      if (typeof verdict !== 'string') expect(verdict).toEqual(judge(good, ecus));
    }),
    { numRuns: 300 },
  );
});

test('bytes of any kind get a verdict [CERT-0-4]', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        expect(judge(bytes)).toMatch(/^(metadata|manifest)-/);
      },
    ),
    { numRuns: 300 },
  );
});
