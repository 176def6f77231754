// What a power cut may hit in an ECU: a check that follows new roots, whose keys sign all there is anew, to an update.
// Verified in full, by the roots of both repositories; verified in part, by the Director's alone.
import { equal, ok } from 'node:assert/strict';
import { Area, Role, Status } from '../../host/node/abi.ts';
import type { Core } from '../../host/node/core.ts';
import type { Geometry } from '../../host/node/flash.ts';
import { metadataName, parseMetadata, ROLES, type RoleName } from '../../repo/index.ts';
import { SimClock } from '../clock.ts';
import { SimDevice } from '../device.ts';
import { SimDirector } from '../director.ts';
import { SimNetwork } from '../network.ts';
import type { Scenario } from '../powercut.ts';
import { SimRepository } from '../repository.ts';
import { runs, type Setting, soundAfterCut } from './powercuts.ts';
import { CONFIGURATION, HARDWARE, image, RELEASE_1, RELEASE_2, START } from './world.ts';

const VEHICLE = 'car-1';
const ECU = 'gateway';
/** Small, as how it is written is looked at elsewhere. */
const UPDATE = { ...RELEASE_2, image: image(2, 1500) };
/** What `trustedFile` adds to a role of the Director. */
const OF_DIRECTOR = 8;

export const UPTANE_SCENARIOS: Readonly<Record<string, (setting: Setting) => Promise<Scenario>>> = {
  'Uptane in full, new roots of both repositories': (setting) => rotations(new Vehicle(setting, 'full')),
  'Uptane in part, new roots of the Director': (setting) => rotations(new Vehicle(setting, 'partial')),
};

/** Every role of every repository has other keys. */
async function rotations(vehicle: Vehicle): Promise<Scenario> {
  await vehicle.checked();
  vehicle.publish(UPDATE);
  for (const role of ROLES) for (const { repository } of vehicle.trusts) repository.rotate(role);
  const { device } = vehicle;
  const before = vehicle.versions(device.powerOn());
  return {
    device,
    run: () => vehicle.checked(),
    afterCut() {
      soundAfterCut(device, [UPDATE]);
      const now = vehicle.versions(device.powerOn());
      for (const [index, versions] of now.entries()) noneFell(versions, before[index] ?? versions);
    },
    atEnd() {
      runs(device, UPDATE);
      for (const [index, versions] of vehicle.versions(device.powerOn()).entries())
        for (const role of vehicle.trusts[index]?.roles ?? [])
          equal(versions[role], vehicle.trusts[index]?.newest(role), `the version of ${role}`);
    },
  };
}

type Versions = Readonly<Record<RoleName, number>>;

/** A root that changes the keys of a role drops its file: what was signed with stolen ones does not hold the device up
 * (docs/decisions/0005-changed-keys.md). */
function noneFell(now: Versions, before: Versions): void {
  for (const role of ROLES) {
    const isDropped = role !== 'root' && now.root > before.root && now[role] === 0;
    ok(isDropped || now[role] >= before[role], `${role} fell from ${before[role]} to ${now[role]}`);
  }
}

/** A repository that an ECU trusts. */
interface Trust {
  readonly repository: Pick<SimRepository | SimDirector, 'files' | 'rotate'>;
  readonly roles: readonly RoleName[];
  /** Where the core has its files. */
  readonly at: number;
  /** Where they are served. */
  readonly folder: string;
  readonly newest: (role: RoleName) => number;
}

/** An ECU with its two repositories. */
class Vehicle {
  readonly trusts: readonly Trust[];
  readonly device: SimDevice;
  readonly #clock = new SimClock(START);
  readonly #images: SimRepository;
  readonly #director: SimDirector;

  constructor({ geometry, hardwareCounter, module }: Setting, verification: 'full' | 'partial') {
    const now = () => this.#clock.seconds();
    this.#images = new SimRepository(now);
    this.#director = new SimDirector(VEHICLE, now, 2);
    this.publish(RELEASE_1);
    const full = verification === 'full';
    const director = { repository: this.#director, folder: '' };
    this.trusts = full
      ? [
          trust({ repository: this.#images, folder: 'metadata/', at: 0, roles: ROLES }),
          trust({ ...director, at: OF_DIRECTOR, roles: ROLES }),
        ]
      : [trust({ ...director, at: 0, roles: ['root', 'targets'] })];
    const source = (path: string) =>
      path.startsWith('director/')
        ? this.#directed(path.slice('director/'.length))
        : this.#images.source(path);
    const network = new SimNetwork(source, this.#clock);
    this.device = new SimDevice({
      root: full ? this.#images.root : this.#director.root,
      ...(full && { directorRoot: this.#director.root }),
      image: RELEASE_1.image,
      configuration: { ...CONFIGURATION, uptane: verification, ecu: ECU, vehicle: VEHICLE },
      client: {
        metadataUrl: 'https://sim/metadata/',
        targetsUrl: 'https://sim/targets/',
        directorUrl: 'https://sim/director/',
        fetch: network.fetch,
        clock: this.#clock,
      },
      geometry: withRoom(geometry),
      hardwareCounter,
      ...(module && { module }),
    });
  }

  /** A release that the Director orders. */
  publish(release: typeof RELEASE_1): void {
    this.#images.publish({ ...release, hardwareIds: [HARDWARE] });
    const found = this.#images.releaseAt(`app/${HARDWARE}/${release.version}/firmware.bin`);
    this.#director.direct([{ serial: ECU, hardwareId: HARDWARE, release: found }]);
  }

  async checked(): Promise<void> {
    const { status } = await this.#clock.run(this.device.update());
    equal(status, Status.UP_TO_DATE, 'status of the check');
  }

  /** Of each repository, by role; 0: nothing is trusted. Throws where it is not what was signed, byte for byte. */
  versions(core: Core): Versions[] {
    return this.trusts.map(({ repository, at, folder }) => {
      const version = (role: RoleName) => {
        const trusted = core.trustedFile(at + ROLE[role]);
        if (trusted.length === 0) return 0;
        const { signed } = parseMetadata(trusted, role, role);
        const file = repository.files.get(folder + metadataName(role, signed.version));
        // Of timestamps the newest is served, and any before it may be trusted.
        ok(role === 'timestamp' || (file && Buffer.compare(trusted, file) === 0), `${role} is another one`);
        return signed.version;
      };
      return Object.fromEntries(ROLES.map((role) => [role, version(role)])) as Record<RoleName, number>;
    });
  }

  /** Who verifies in part asks for the newest targets, whatever their version. */
  #directed(name: string): Uint8Array | undefined {
    const { files } = this.#director;
    return files.get(name === 'targets.json' ? `${newestOf(files, '', 'targets')}.${name}` : name);
  }
}

const ROLE: Readonly<Record<RoleName, number>> = {
  root: Role.ROOT,
  timestamp: Role.TIMESTAMP,
  snapshot: Role.SNAPSHOT,
  targets: Role.TARGETS,
};

function trust(of: Omit<Trust, 'newest'>): Trust {
  return { ...of, newest: (role) => newestOf(of.repository.files, of.folder, role) };
}

function newestOf(files: ReadonlyMap<string, Uint8Array>, folder: string, role: RoleName): number {
  if (role === 'timestamp') {
    const bytes = files.get(`${folder}timestamp.json`) ?? new Uint8Array();
    return parseMetadata(bytes, role, role).signed.version;
  }
  let version = 0;
  while (files.has(folder + metadataName(role, version + 1))) version++;
  return version;
}

/** Banks for the metadata of two repositories, where they are too small. */
function withRoom(geometry: Geometry): Geometry {
  return geometry.map((area, index) => {
    const size = area.blocks.reduce((sum, block) => sum + block, 0);
    if (index > Area.STORE_B || size >= LEAST_BANK) return area;
    const times = Math.ceil(LEAST_BANK / size);
    return { ...area, blocks: Array.from({ length: times }, () => area.blocks).flat() };
  });
}

/** Bytes of a bank of the trust store. */
const LEAST_BANK = 16_384;
