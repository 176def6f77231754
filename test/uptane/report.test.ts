// What an ECU says of itself, signed by its core; and the manifest of its vehicle, as the Director takes it.
import { createPrivateKey, createPublicKey, sign as signWith } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Action, State, Status } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import { Core } from '../../host/node/core.ts';
import { StatusError } from '../../host/node/errors.ts';
import type { InstalledImage } from '../../host/node/provision.ts';
import { reportKey } from '../../host/node/report.ts';
import { parseManifest } from '../../repo/director/manifest.ts';
import { checkManifest, type Ecu } from '../../repo/director/verdict.ts';
import { canonicalize, keyId, sha256 } from '../../repo/index.ts';
import { CUT_KINDS, PowerCut } from '../../sim/power.ts';
import { generateP256, SimEcu, signPart } from '../../sim/vehicle.ts';
import { imageOf } from '../tuf/kit.ts';
import { ECU, OTHER, STRANGER, VEHICLE, Vehicle, type VehicleOptions } from './vehicle.ts';

const KEY = new Uint8Array(32).map((_, i) => i + 1);
const OTHERS = { [OTHER]: { hardwareId: 'sim' }, [STRANGER]: { hardwareId: 'sim' } };

interface SignedReport {
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
  readonly signed: {
    readonly attacks_detected: string;
    readonly ecu_serial: string;
    readonly installed_image: InstalledImage;
    readonly report_counter: number;
    readonly timeserver_time: string;
  };
}

function installed(counter: number): InstalledImage {
  const { length } = imageOf(counter);
  const fileinfo = { length, hashes: { sha256: sha256(imageOf(counter)) } };
  return { filepath: `app/sim/1.${counter}.0/firmware.bin`, fileinfo };
}

/** An ECU that has a key and knows what was installed in the factory. */
function reporting({ configuration, ...options }: VehicleOptions = {}): Vehicle {
  return new Vehicle({ configuration: { image: installed(1), ...configuration }, key: KEY, ...options });
}

/** A core that has come to its report. */
function atReport(vehicle: Vehicle): Core {
  vehicle.asked = [];
  const core = vehicle.device.powerOn();
  expect(core.agentStep(vehicle.image.clock.seconds())).toBe(Action.REPORT);
  return core;
}

function read(bytes: Uint8Array): SignedReport {
  return JSON.parse(Buffer.from(bytes).toString());
}

/** As the Director's inventory has it. */
function ecuOf(core: Core, more: Partial<Ecu> = {}): Ecu {
  const key = reportKey(core.reportKeyRead());
  return { serial: ECU, hardwareId: 'sim', primary: true, keyId: keyId(key), key, counter: 0, ...more };
}

describe('[UPT-2] the version report of an ECU', () => {
  test('comes before any metadata of a check is asked for, and says what the factory installed', () => {
    const vehicle = reporting();
    const core = atReport(vehicle);
    const bytes = core.report();
    expect(vehicle.asked).toEqual([]);
    const report = read(bytes);
    expect(report.signed).toEqual({
      attacks_detected: '',
      ecu_serial: ECU,
      installed_image: installed(1),
      report_counter: 1,
      timeserver_time: new Date(core.stateRead(State.LATEST_TIME) * 1000).toISOString().replace('.000Z', 'Z'),
    });
    expect(Buffer.from(bytes).toString()).toBe(Buffer.from(canonicalize(report)).toString());
    expect(bytes.length).toBeLessThanOrEqual(1024);
  });

  test('is signed as RFC 8032 says, by the key that the inventory has', () => {
    const core = atReport(reporting());
    const report = read(core.report());
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), KEY]);
    const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
    const [signature] = report.signatures;
    expect(signature?.sig).toBe(signWith(null, canonicalize(report.signed), key).toString('hex'));
    const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
    expect(Buffer.from(core.reportKeyRead())).toEqual(raw);
    expect(signature?.keyid).toBe(keyId(reportKey(raw)));
  });

  test('says what was installed since, once it is confirmed, and not while it is tried', () => {
    const vehicle = reporting();
    vehicle.order(2);
    const seen: InstalledImage[] = [];
    vehicle.report = (core) => seen.push(read(core.report()).signed.installed_image);
    expect(vehicle.check().status).toBe('UP_TO_DATE');
    expect(seen).toEqual([installed(1), installed(2)]);
    vehicle.order(3);
    const core = vehicle.device.powerOn();
    expect(vehicle.drive(core)).toBe(Action.REBOOT);
    const tried = vehicle.device.powerOn();
    expect(vehicle.drive(tried)).toBe(Action.SELF_TEST);
    tried.imageReject();
    const back = atReport(vehicle);
    const { signed } = read(back.report());
    expect(signed.installed_image).toEqual(installed(2));
    vehicle.order(4);
    vehicle.check();
    expect(seen.at(-1)).toEqual(installed(4));
  });

  test('names an image by its path, with whatever is in it', () => {
    const path = 'a"b\\c/ü \u{1f600}';
    const core = atReport(reporting({ configuration: { image: { ...installed(1), filepath: path } } }));
    const report = read(core.report());
    expect(report.signed.installed_image.filepath).toBe(path);
    expect(() =>
      checkManifest(parseManifest(core.manifest(VEHICLE, [])), VEHICLE, [ecuOf(core)], 2e9),
    ).not.toThrow();
  });

  test.each([
    0, 1, 59, 86_399, 951_782_399, 951_782_400, 1_077_926_400, 1_709_251_199, 4_107_542_399, 4_294_967_294,
  ])('has the latest known time: %i', (time) => {
    const core = atReport(reporting({ configuration: { buildTime: time } }));
    const known = core.stateRead(State.LATEST_TIME);
    expect(known).toBe(time);
    const text = new Date(time * 1000).toISOString().replace('.000Z', 'Z');
    expect(read(core.report()).signed.timeserver_time).toBe(text);
  });

  test('tells of the attack that the last check found, and of nothing when there was none', () => {
    const vehicle = reporting();
    const seen: string[] = [];
    vehicle.report = (core) => seen.push(read(core.report()).signed.attacks_detected);
    const core = vehicle.device.powerOn();
    expect(vehicle.drive(core)).toBe(Action.WAIT);
    vehicle.order(2, { director: (target) => (target.length = 1) });
    for (let check = 0; check < 2; check++) {
      core.policySet(0); // the next check is due now
      expect(vehicle.drive(core)).toBe(Action.WAIT);
    }
    expect(core.stateRead(State.CHECK_STATUS) | 0).toBe(Status.TARGET_MISMATCH);
    expect(seen).toEqual(['', '', `status ${Status.TARGET_MISMATCH}`]);
  });

  test('is not made without a key, nor where it is not known what is installed', () => {
    const keyless = new Vehicle({ configuration: { image: installed(1) } });
    expect(() => atReport(keyless).report()).toThrow(expect.objectContaining({ status: Status.KEY_MISSING }));
    const silent = new Vehicle({ key: KEY });
    const core = silent.device.powerOn();
    expect(core.agentStep(silent.image.clock.seconds())).toBe(Action.FETCH);
    expect(() => core.report()).toThrow(expect.objectContaining({ status: Status.WRONG_STATE }));
  });

  test('a failure to send it stops no check', () => {
    const vehicle = reporting();
    const core = atReport(vehicle);
    expect(core.agentStep(0)).toBe(Action.REPORT);
    expect(core.reportEnd(Status.NETWORK)).toBe(Status.OK);
    expect(vehicle.drive(core)).toBe(Action.WAIT);
    expect(core.stateRead(State.CHECK_STATUS)).toBe(Status.UP_TO_DATE);
    expect(core.reportEnd(Status.OK)).toBe(Status.WRONG_STATE);
  });

  test('is made between two checks too, and not in the middle of one', () => {
    const vehicle = reporting();
    const core = atReport(vehicle);
    core.reportEnd(Status.OK);
    expect(core.agentStep(vehicle.image.clock.seconds())).toBe(Action.FETCH);
    expect(() => core.report()).toThrow(expect.objectContaining({ status: Status.WRONG_STATE }));
    vehicle.drive(core);
    expect(read(core.report()).signed.report_counter).toBe(1);
  });
});

describe('[UPT-2] the number of a report', () => {
  test('rises by one with each, and never falls, wherever the power is cut', () => {
    const vehicle = reporting();
    const { power } = vehicle.device;
    const counters: number[] = [];
    const before = power.cuts;
    for (let operation = 0; operation < 4; operation++) {
      for (const kind of CUT_KINDS) {
        const core = atReport(vehicle);
        for (let i = 0; i < operation; i++) counters.push(read(core.report()).signed.report_counter);
        power.plan({ operation: power.operations + operation, kind, units: 1 });
        try {
          for (let i = 0; i < 40; i++) counters.push(read(core.report()).signed.report_counter);
        } catch (error) {
          if (!(error instanceof PowerCut)) throw error;
        }
        power.plan(undefined);
      }
    }
    expect(power.cuts).toBeGreaterThan(before + 20);
    for (const [i, counter] of counters.entries()) expect(counter).toBeGreaterThan(counters[i - 1] ?? 0);
  });

  test('is written down once for sixteen reports, to spare the flash', () => {
    const vehicle = reporting();
    const core = atReport(vehicle);
    core.report();
    const before = vehicle.device.power.operations;
    for (let i = 0; i < 15; i++) core.report();
    expect(vehicle.device.power.operations).toBe(before);
    core.report();
    expect(vehicle.device.power.operations).toBeGreaterThan(before);
  });

  test('is not used where it cannot be written down', () => {
    const vehicle = reporting();
    const core = atReport(vehicle);
    vehicle.device.flash.faults = { write: () => false };
    expect(() => core.report()).toThrow(StatusError);
  });
});

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
