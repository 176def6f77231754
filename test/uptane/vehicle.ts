// A vehicle's Director and Image repository, of which everything can be forged, and one ECU that looks to both.
import { expect } from 'vitest';
import { Action, FetchKind, Role, State, Status } from '../../host/node/abi.ts';
import type { Core, Entropy } from '../../host/node/core.ts';
import { uniformGeometry } from '../../host/node/flash.ts';
import type { ClientConfiguration, DeviceConfiguration, DeviceKey } from '../../host/node/provision.ts';
import { ROLES } from '../../repo/index.ts';
import { SimDevice } from '../../sim/device.ts';
import { CONFIGURATION, type Forgery, imageOf, nameOf, Stage, targetOf } from '../tuf/kit.ts';
import { type Change, type JsonObject, plain } from '../tuf/values.ts';

export const VEHICLE = 'car-1';
/** The ECU, and two others that its vehicle may have. */
export const ECU = 'gateway-0001';
export const OTHER = 'radio-0002';
export const STRANGER = 'brakes-0003';

export interface Verdict {
  readonly status: keyof typeof Status;
  readonly role: keyof typeof Role;
  readonly repository: 'director' | 'image';
}

export const SETTLED: Verdict = { status: 'UP_TO_DATE', role: 'NONE', repository: 'image' };

export interface VehicleOptions {
  readonly configuration?: Partial<DeviceConfiguration>;
  readonly key?: DeviceKey;
  readonly entropy?: Entropy;
  /** It is a client that installs nothing. */
  readonly client?: boolean;
}

export class Vehicle {
  readonly image = new Stage();
  /** It has keys of its own. */
  readonly director = new Stage({
    before: (director) => {
      for (const role of ROLES) director.keys[role] = [director.newKey()];
    },
  });
  readonly device: SimDevice;
  /** What the Director lists, by path. */
  readonly ordered: Record<string, JsonObject> = {};
  /** What was asked for since the last check began, with `director/` or `image/` before it. */
  asked: string[] = [];
  /** What is done at the start of a check, by an ECU that reports. */
  report: (core: Core) => void = (core) => void core.report();

  constructor({ configuration, key, entropy, client = false }: VehicleOptions = {}) {
    const { hardwareId, buildTime, checkInterval } = CONFIGURATION;
    const named = { uptane: 'full', ecu: ECU, vehicle: VEHICLE, ...configuration } as const;
    const whole: ClientConfiguration | DeviceConfiguration = client
      ? { hardwareId, buildTime, checkInterval, ...named }
      : { ...CONFIGURATION, ...named };
    const isPartial = named.uptane === 'partial';
    this.device = new SimDevice({
      root: (isPartial ? this.director : this.image).file('root'),
      ...(!isPartial && { directorRoot: this.director.file('root') }),
      image: imageOf(1),
      configuration: whole,
      ...(key && { key }),
      ...(entropy && { entropy }),
      geometry: uniformGeometry({ block: 4096, unit: 4, erased: 0xff, bank: 32_768, slot: 8192 }),
      client: {
        metadataUrl: 'https://sim/metadata/',
        targetsUrl: 'https://sim/targets/',
        fetch: this.image.network.fetch,
      },
    });
    this.order(1);
  }

  /** Where a release is. */
  path(releaseCounter: number): string {
    return `app/sim/1.${releaseCounter}.0/firmware.bin`;
  }

  /** A target of the Director's for some ECUs, by serial with their hardware ids. */
  directed(releaseCounter: number, ecus: Readonly<Record<string, string>> = { [ECU]: 'sim' }): JsonObject {
    const target = targetOf(releaseCounter);
    const identifiers = Object.entries(ecus).map(([ecu, hardwareId]) => [ecu, { hardwareId }] as const);
    const custom = { ...(target.custom as JsonObject), ecuIdentifiers: Object.fromEntries(identifiers) };
    return plain({ ...target, custom });
  }

  /** Both repositories have a release, and the Director orders it for the ECU. */
  order(releaseCounter: number, differ: { director?: Change; image?: Change } = {}): void {
    this.image.release({ releaseCounter, ...(differ.image && { target: differ.image }) });
    const target = this.directed(releaseCounter);
    differ.director?.(target);
    this.direct({ [this.path(releaseCounter)]: target });
  }

  /** The Director signs these targets and no others. */
  direct(targets: Readonly<Record<string, JsonObject>>, forgery: Forgery = {}): void {
    for (const path of Object.keys(this.ordered)) delete this.ordered[path];
    Object.assign(this.ordered, targets);
    this.sign(forgery);
  }

  /** It signs what it lists once more. */
  sign({ signed = [], ...forgery }: Forgery = {}): void {
    const list: Change = (file) => {
      file.targets = plain(this.ordered);
      file.custom = { vehicleId: VEHICLE };
    };
    this.director.forge('targets', { ...forgery, signed: [list, ...[signed].flat()] });
  }

  /** One check from a fresh start, with all that follows from it. */
  check(): Verdict {
    this.asked = [];
    let core = this.device.powerOn();
    for (let boots = 0; boots < 10; boots++) {
      const action = this.drive(core);
      if (action === Action.WAIT) return verdict(core);
      if (action === Action.SELF_TEST) core.imageConfirm();
      else core = this.device.powerOn();
    }
    throw new Error('the device boots without end');
  }

  /** A client that has checked, and then asks for a target. */
  find(path: string): Verdict {
    const core = this.checked();
    expect(core.targetFind(path)).toBe(Status.OK);
    this.drive(core);
    return verdict(core);
  }

  /** A core that has checked. */
  checked(): Core {
    this.asked = [];
    const core = this.device.powerOn();
    this.drive(core);
    return core;
  }

  /** Steps until the core wants anything but a file. */
  drive(core: Core): number {
    for (let steps = 0; steps < 10_000; steps++) {
      const action = core.agentStep(this.image.clock.seconds());
      if (action === Action.FETCH) this.#fetch(core);
      else if (action === Action.ASK) core.updateApprove();
      else if (action === Action.REPORT) {
        this.report(core);
        core.reportEnd(Status.OK);
      } else if (action !== Action.CONTINUE) return action;
    }
    throw new Error('the core asks without end');
  }

  #fetch(core: Core): void {
    const [name, kind] = [core.fetchName(), core.fetchKind()];
    const director = kind === FetchKind.DIRECTOR;
    this.asked.push(`${director ? 'director' : 'image'}/${name}`);
    const folder = kind === FetchKind.TARGET ? 'targets' : 'metadata';
    const file = (director ? this.director : this.image).files.get(
      `${folder}/${this.#named(name, director)}`,
    );
    if (!file) return void core.fetchEnd(Status.NOT_FOUND);
    let status = core.fetchBegin(core.fetchOffset());
    for (let at = core.fetchOffset(); at < file.length && status >= 0; at += 1024)
      status = core.fetchWrite(file.subarray(at, at + 1024));
    core.fetchEnd(status < 0 ? Status.NETWORK : Status.OK);
  }

  /** Who reads the Director's targets alone does not know their version. */
  #named(name: string, director: boolean): string {
    return director && name === 'targets.json' ? `${this.director.versions.targets}.targets.json` : name;
  }

  /** The device runs this release. */
  runs(releaseCounter: number): void {
    const core = this.device.powerOn();
    expect(core.stateRead(State.INSTALLED_RELEASE)).toBe(releaseCounter);
    const image = imageOf(releaseCounter);
    expect(Buffer.compare(this.device.running(image.length), image)).toBe(0);
  }
}

/** What the last check of a core came to. */
export function verdict(core: Core): Verdict {
  return {
    status: nameOf(Status, core.stateRead(State.CHECK_STATUS) | 0),
    role: nameOf(Role, core.stateRead(State.CHECK_ROLE)),
    repository: core.stateRead(State.CHECK_REPOSITORY) === 1 ? 'director' : 'image',
  };
}
