// An ECU that reports, for tests of what it says.
import { expect } from 'vitest';
import { Action } from '../../host/node/abi.ts';
import type { Core } from '../../host/node/core.ts';
import type { InstalledImage } from '../../host/node/provision.ts';
import { reportKey } from '../../host/node/report.ts';
import type { Ecu } from '../../repo/director/verdict.ts';
import { keyId, sha256 } from '../../repo/index.ts';
import { imageOf } from '../tuf/kit.ts';
import { ECU, OTHER, STRANGER, Vehicle, type VehicleOptions } from './vehicle.ts';

export const KEY = new Uint8Array(32).map((_, i) => i + 1);
export const OTHERS = { [OTHER]: { hardwareId: 'sim' }, [STRANGER]: { hardwareId: 'sim' } };

export interface SignedReport {
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
  readonly signed: {
    readonly attacks_detected: string;
    readonly ecu_serial: string;
    readonly installed_image: InstalledImage;
    readonly report_counter: number;
    readonly timeserver_time: string;
  };
}

export function installed(counter: number): InstalledImage {
  const { length } = imageOf(counter);
  const fileinfo = { length, hashes: { sha256: sha256(imageOf(counter)) } };
  return { filepath: `app/sim/1.${counter}.0/firmware.bin`, fileinfo };
}

/** An ECU that has a key and knows what was installed in the factory. */
export function reporting({ configuration, ...options }: VehicleOptions = {}): Vehicle {
  return new Vehicle({ configuration: { image: installed(1), ...configuration }, key: KEY, ...options });
}

/** A core that has come to its report. */
export function atReport(vehicle: Vehicle): Core {
  vehicle.asked = [];
  const core = vehicle.device.powerOn();
  expect(core.agentStep(vehicle.image.clock.seconds())).toBe(Action.REPORT);
  return core;
}

export function read(bytes: Uint8Array): SignedReport {
  return JSON.parse(Buffer.from(bytes).toString());
}

/** As the Director's inventory has it. */
export function ecuOf(core: Core, more: Partial<Ecu> = {}): Ecu {
  const key = reportKey(core.reportKeyRead());
  return { serial: ECU, hardwareId: 'sim', primary: true, keyId: keyId(key), key, counter: 0, ...more };
}
