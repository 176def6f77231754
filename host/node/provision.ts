import { Part } from './abi.ts';
import type { Core } from './core.ts';
import { StatusError } from './errors.ts';

/** What a device is told about itself once in its life: "Device configuration" in docs/formats.md. */
export interface DeviceConfiguration extends ClientConfiguration {
  readonly hardwareId: string;
  readonly component: string;
  /** Of the image that is in the running slot now, like the two counters. */
  readonly version: string;
  readonly releaseCounter: number;
  readonly securityCounter: number;
  /** Components beside this one, numbers 1 to 7: all are updated as one. */
  readonly components?: readonly ComponentConfiguration[];
  /** What the bootloader of the board reads; raw: anything. */
  readonly imageFormat?: 'raw' | 'esp32' | 'mcuboot';
  /** Of the ESP32 family: the id of the chip, as in the header of its images. */
  readonly chipId?: number;
  /** The key that MCUboot trusts: its SubjectPublicKeyInfo in hexadecimal digits. */
  readonly bootKey?: string;
}

/** An image as version reports name it. */
export interface InstalledImage {
  /** The target's path. */
  readonly filepath: string;
  readonly fileinfo: { readonly length: number; readonly hashes: { readonly sha256: string } };
}

/**
 * 32 bytes of secret, for the X25519 key that payloads are encrypted for and the Ed25519 key that reports are signed
 * with; or 'random': the core makes them, where the board has random numbers.
 */
export type DeviceKey = Uint8Array | 'random';

/** One component more: the slots of component k are in the areas 8 + 2k and 9 + 2k. */
export interface ComponentConfiguration {
  readonly component: string;
  /** What its releases are for; left out: the hardware id of the device. */
  readonly hardwareId?: string;
  readonly version: string;
  readonly releaseCounter: number;
  readonly securityCounter: number;
}

/** The same for a TUF client that installs nothing and is asked for targets by their paths. */
export interface ClientConfiguration {
  /** Seconds since 1970: the earliest time that it can be. */
  readonly buildTime: number;
  /** Seconds from one check to the next, 60 or more. */
  readonly checkInterval: number;
  /** Key ids must be hashes of their keys; else they are names and nothing more. */
  readonly strictKeyIds?: boolean;
  /** No check without the time; else a device without a clock judges by the latest time that it knows. */
  readonly needsTime?: boolean;
  /** Up to four keys of time servers (Roughtime), 32 bytes in hexadecimal digits each: then the host's clock does not count. */
  readonly timeKeys?: readonly string[];
  /** Seconds that an update can be postponed in all; a week when left out. */
  readonly maxPostpone?: number;
  /** Uptane: with both repositories, or as a small Secondary with the Director's alone. Left out: plain TUF. */
  readonly uptane?: 'full' | 'partial';
  /** Which ECU this is; with `uptane`. */
  readonly ecu?: string;
  /** With `uptane`: which hardware targets for this ECU must be for. */
  readonly hardwareId?: string;
  /** The vehicle that the Director's targets must name; left out: any. */
  readonly vehicle?: string;
  /** On a Primary: the other ECUs of the vehicle, by their names. Left out: a Secondary, which looks at its own targets only. */
  readonly ecus?: Readonly<Record<string, { readonly hardwareId: string }>>;
  /** What was installed in the factory, as reports say it until something else is: with `uptane`, and then it reports. */
  readonly image?: InstalledImage;
  /** The servers speak the legacy profile. */
  readonly legacy?: boolean;
}

/** A part of what a device is given that its core refuses. */
export class ProvisionError extends StatusError {
  readonly part: Part;

  constructor(status: number, part: Part, what: string) {
    super(status, what);
    this.part = part;
  }
}

/**
 * Gives a started core its configuration, a key that payloads may be encrypted for, and its root of trust: in a vehicle
 * that of the Director and that of the Image repository, `root`. The key has 32 bytes, or is 'random': the core makes
 * one. Throws ProvisionError when it refuses one of them.
 */
export function provision(
  core: Core,
  configuration: DeviceConfiguration | ClientConfiguration,
  root: Uint8Array,
  key?: DeviceKey,
  directorRoot?: Uint8Array,
): void {
  give(
    core,
    Part.CONFIG,
    new TextEncoder().encode(JSON.stringify(configuration)),
    'the device configuration',
  );
  if (key) give(core, Part.KEY, key === 'random' ? new Uint8Array() : key, 'the key for payloads');
  if (directorRoot) give(core, Part.DIRECTOR, directorRoot, "the Director's root of trust");
  give(core, Part.ROOT, root, 'the root of trust');
}

function give(core: Core, part: Part, bytes: Uint8Array, what: string): void {
  let status = core.provisionBegin(part);
  for (let from = 0; from < bytes.length && status >= 0; from += core.ioCapacity)
    status = core.provisionWrite(bytes.subarray(from, from + core.ioCapacity));
  if (status >= 0) status = core.provisionEnd();
  if (status < 0) throw new ProvisionError(status, part, what);
}
