// The manifest of a vehicle, signed by its Primary, as the Director takes it.
import { describe, expect, test } from 'vitest';
import { Action, Status } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import { Core } from '../../host/node/core.ts';
import { parseManifest } from '../../repo/director/manifest.ts';
import { checkManifest, type Ecu } from '../../repo/director/verdict.ts';
import { generateP256, SimEcu, signPart } from '../../sim/vehicle.ts';
import { atReport, ecuOf, installed, OTHERS, read, reporting } from './reporting.ts';
import { ECU, OTHER, STRANGER, VEHICLE, Vehicle } from './vehicle.ts';

describe('[UPT-9] the vehicle version manifest that a Primary signs', () => {
  const inventory = (core: Core, others: readonly SimEcu[]): Ecu[] => [
    ecuOf(core),
    ...others.map((ecu) =>
      ecuOf(core, {
        serial: ecu.serial,
        primary: false,
        key: ecu.key.public,
        keyId: ecu.key.id,
      }),
    ),
  ];
  const bytesOf = (part: unknown) => Buffer.from(JSON.stringify(part));
  const NOW = 2_000_000_000;

  test('has the reports of all its ECUs, each by its own key, and the Director takes it', () => {
    const core = atReport(reporting({ configuration: { ecus: OTHERS } }));
    const others = [new SimEcu(OTHER, 'sim', generateP256()), new SimEcu(STRANGER, 'sim')];
    const reports = others.map((ecu) => bytesOf(signPart(ecu.report(NOW), ecu.key)));
    for (let check = 1; check < 4; check++) {
      const manifest = parseManifest(core.manifest(VEHICLE, reports));
      const read = checkManifest(manifest, VEHICLE, inventory(core, others), NOW);
      expect(read.map(({ serial, counter }) => [serial, counter])).toEqual([
        [ECU, check],
        [OTHER, 1],
        [STRANGER, 1],
      ]);
    }
  });

  test('may have sixteen Secondaries, each with as long a report as it may be', () => {
    const core = atReport(reporting());
    const others = Array.from({ length: 17 }, (_, i) => new SimEcu(`ecu-${i}`, 'sim'));
    const signed = (ecu: SimEcu) => ({ ...ecu.report(NOW), attacks_detected: 'x'.repeat(300) });
    const reports = others.map((ecu) => bytesOf(signPart(signed(ecu), ecu.key)));
    const manifest = parseManifest(core.manifest(VEHICLE, reports.slice(1)));
    const all = inventory(core, others.slice(1));
    expect(() => checkManifest(manifest, VEHICLE, all, NOW)).not.toThrow();
    expect(() => core.manifest(VEHICLE, reports)).toThrow('17');
  });

  test('is no report of the Primary, whatever a Secondary sends to end the manifest early', () => {
    const core = atReport(reporting());
    const forged = { ...new SimEcu(ECU, 'sim').report(NOW), report_counter: 99 };
    const inner = JSON.stringify(forged).slice(1);
    const hostile = `{"signatures":[],"signed":{"ecu_serial":"${OTHER}"}}},${inner}`;
    expect(() => core.manifest(VEHICLE, [Buffer.from(hostile)])).toThrow(
      expect.objectContaining({ code: 'report-invalid' }),
    );
    const named = bytesOf({ signatures: [], signed: { ecu_serial: `x":{}},${inner},"y` } });
    const signed = JSON.parse(Buffer.from(core.manifest(VEHICLE, [named])).toString()).signed;
    expect(Object.keys(signed)).toEqual(['ecu_version_manifests', 'primary_ecu_serial', 'vehicle_id']);
    const again = bytesOf({ signatures: [], signed: { ecu_serial: ECU } });
    expect(() => core.manifest(VEHICLE, [again])).toThrow(
      expect.objectContaining({ code: 'report-invalid' }),
    );
  });

  test('is signed where random bytes come again and again, each under another nonce', () => {
    const same = (bytes: Uint8Array) => bytes.fill(7).length > 0;
    const core = atReport(reporting({ entropy: same }));
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++)
      seen.add(read(core.manifest(VEHICLE, [])).signatures[0]?.sig.slice(0, 64) ?? '');
    expect(seen.size).toBe(20);
  });

  test('is not signed without random bytes', () => {
    const core = atReport(reporting({ entropy: () => false }));
    expect(() => core.manifest(VEHICLE, [])).toThrow(expect.objectContaining({ status: Status.KEY_MISSING }));
    expect(read(core.report()).signed.report_counter).toBe(2);
  });
});

describe('[UPT-2] [ETSI-3.9] a board with a key store', () => {
  test('signs with a key that never enters the core', () => {
    const vehicle = new Vehicle({ configuration: { image: installed(1) } });
    const key = generateP256();
    const { flash } = vehicle.device;
    vehicle.device.powerOn();
    const core = new Core({
      flash,
      boot: new RecordedBoot(flash),
      reportSigner: { keyId: key.id, sign: key.sign },
    });
    core.coreStart();
    expect(core.agentStep(vehicle.image.clock.seconds())).toBe(Action.REPORT);
    const ecu = { serial: ECU, hardwareId: 'sim', primary: true, keyId: key.id, key: key.public, counter: 0 };
    const manifest = parseManifest(core.manifest(VEHICLE, []));
    expect(checkManifest(manifest, VEHICLE, [ecu], 2_000_000_000)).toMatchObject([
      { serial: ECU, counter: 1 },
    ]);
    expect(core.reportKeyRead()).toHaveLength(0);
  });
});
