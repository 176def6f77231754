// What an ECU says of itself, signed by its core.
import { createPrivateKey, createPublicKey, sign as signWith } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Action, State, Status } from '../../host/node/abi.ts';
import { StatusError } from '../../host/node/errors.ts';
import type { InstalledImage } from '../../host/node/provision.ts';
import { reportKey } from '../../host/node/report.ts';
import { canonicalize, keyId, verifySignature } from '../../repo/index.ts';
import { CUT_KINDS, PowerCut } from '../../sim/power.ts';
import { atReport, ecuOf, installed, KEY, read, reporting } from './reporting.ts';
import { ECU, Vehicle } from './vehicle.ts';

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
    const [signature] = report.signatures;
    expect(verifySignature(ecuOf(core).key, canonicalize(report.signed), signature?.sig ?? '')).toBe(true);
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

  test('[ETSI-3.9] tells of the attack that the last check found, and of nothing when there was none', () => {
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
