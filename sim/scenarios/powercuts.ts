// What a power cut may hit: provisioning, a check, an install with its confirm or its revert.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { Area, State, Status } from '../../host/node/abi.ts';
import type { Geometry } from '../../host/node/flash.ts';
import { type LogEntry, readLog } from '../../host/node/log.ts';
import { type Base, encryptionPublicKey } from '../../repo/index.ts';
import type { BootDecision, SimDevice } from '../device.ts';

import type { Scenario } from '../powercut.ts';
import { Random } from '../random.ts';
import { image, RELEASE_1, RELEASE_2, World } from './world.ts';

type Release = typeof RELEASE_1;

export interface Setting {
  readonly geometry: Geometry;
  readonly hardwareCounter: boolean;
  readonly module?: WebAssembly.Module;
  readonly boot?: BootDecision;
}

export const SCENARIOS: Readonly<Record<string, (setting: Setting) => Promise<Scenario>>> = {
  provisioning,
  'root rotation': rotation,
  'install and confirm': install,
  'install from a patch': patched,
  'install from an encrypted patch': (setting) => encrypted(setting, [RELEASE_1]),
  'install an encrypted image': (setting) => encrypted(setting, []),
  'install and revert': revert,
  'install with a log': logged,
  'a set of three components': set,
  'a set of three components that fails': failingSet,
};

async function provisioning(setting: Setting): Promise<Scenario> {
  const world = new World(setting);
  return {
    device: world.device,
    run: async () => void (await check(world)),
    afterCut: (device) => soundAfterCut(device, []),
    atEnd: (device) => runs(device, RELEASE_1),
  };
}

async function rotation(setting: Setting): Promise<Scenario> {
  const world = new World(setting);
  await checked(world);
  world.repository.rotate('timestamp');
  world.repository.rotate('root');
  return {
    device: world.device,
    run: () => checked(world),
    afterCut: (device) => soundAfterCut(device, []),
    atEnd(device) {
      const core = device.powerOn();
      runs(device, RELEASE_1);
      equal(core.stateRead(State.ROOT_VERSION), 3, 'root version');
      equal(core.stateRead(State.TIMESTAMP_VERSION), 4, 'timestamp version');
    },
  };
}

async function install(setting: Setting, release = RELEASE_2): Promise<Scenario> {
  const world = new World(setting);
  await checked(world);
  world.repository.publish(release);
  return {
    device: world.device,
    run: () => checked(world),
    afterCut: (device) => soundAfterCut(device, [release]),
    atEnd: (device) => runs(device, release),
    mostToSlots: (cuts) => mostToSlots(setting.geometry, release, cuts),
  };
}

/** An image that is longer than what one call erases: the last block is erased while the ones before it are written. */
export async function installErasingAhead(setting: Setting): Promise<Scenario> {
  const { unit = 4, erased = 0xff } = setting.geometry[Area.SLOT_B] ?? {};
  const slot = { blocks: [65_536, 4096], unit, erased };
  const geometry = setting.geometry.with(Area.SLOT_A, slot).with(Area.SLOT_B, slot);
  return install({ ...setting, geometry }, { ...RELEASE_2, image: image(2, 66_000) });
}

/** Its blocks hold three entries each, so that each is erased on the way. */
async function logged(setting: Setting): Promise<Scenario> {
  const { unit = 4, erased = 0xff } = setting.geometry[Area.JOURNAL] ?? {};
  const geometry = [...setting.geometry.slice(0, Area.LOG), { blocks: [128, 128, 128], unit, erased }];
  const scenario = await install({ ...setting, geometry });
  return {
    ...scenario,
    afterCut(device) {
      scenario.afterCut(device);
      wholeLog(device);
    },
    atEnd(device) {
      scenario.atEnd(device);
      equal(wholeLog(device).at(-1)?.status, Status.UP_TO_DATE, 'the last entry of the log');
    },
  };
}

/** Entries that follow from one another, none of them missing. */
function wholeLog(device: SimDevice): readonly LogEntry[] {
  const { entries, findings } = readLog(device.powerOn().logArea());
  deepEqual(findings, [], 'findings in the log');
  ok(entries.length > 0, 'the log is empty');
  return entries;
}

/** A third of the image is new, so that the patch is noted in the journal on its way. */
async function patched(setting: Setting): Promise<Scenario> {
  const world = new World(setting);
  await checked(world);
  const image = Buffer.concat([RELEASE_1.image.subarray(2000, 9000), RELEASE_2.image.subarray(0, 5000)]);
  const release = { ...RELEASE_2, image };
  world.repository.publish({ ...release, payloads: [RELEASE_1] });
  return {
    device: world.device,
    async run() {
      await checked(world);
      const files = world.network.requests
        .map(({ path }) => path)
        .filter((path) => path.startsWith('targets/'));
      // Where half the journal cannot hold the decoder, the image itself is fetched.
      const journal = setting.geometry[Area.JOURNAL]?.blocks ?? [];
      const kind = journal.reduce((sum, size) => sum + size, 0) < 2048 ? '.bin' : '.patch';
      ok(
        files.every((path) => path.endsWith(kind)),
        `it is not installed from the ${kind}`,
      );
    },
    afterCut: (device) => soundAfterCut(device, [release]),
    atEnd: (device) => runs(device, release),
  };
}

/** Half of the journal must hold so many bytes, or a device takes nothing that is encrypted. */
const ENCRYPTED_HALF = 736;

/** The device has a key of its own, and the image is published for it alone. */
async function encrypted(setting: Setting, payloads: readonly Base[]): Promise<Scenario> {
  const key = new Random(5).bytes(32);
  const world = new World({ ...setting, key });
  await checked(world);
  const journal = setting.geometry[Area.JOURNAL]?.blocks ?? [];
  const fits = journal.reduce((sum, size) => sum + size, 0) / 2 >= ENCRYPTED_HALF;
  const image = Buffer.concat([RELEASE_1.image.subarray(2000, 9000), RELEASE_2.image.subarray(0, 5000)]);
  const release = { ...RELEASE_2, image };
  world.repository.publish({ ...release, payloads, ...(fits && { encryptFor: [encryptionPublicKey(key)] }) });
  return {
    device: world.device,
    run: () => checked(world),
    afterCut: (device) => soundAfterCut(device, [release]),
    atEnd: (device) => runs(device, release),
  };
}

async function revert(setting: Setting): Promise<Scenario> {
  const world = new World({ ...setting, selfTest: () => false });
  await checked(world);
  world.repository.publish(RELEASE_2);
  return {
    device: world.device,
    async run() {
      const status = await check(world);
      ok(status === Status.SELF_TEST_FAILED || status === Status.RELEASE_FAILED_BEFORE, `status ${status}`);
    },
    afterCut: (device) => soundAfterCut(device, [RELEASE_2]),
    atEnd: (device) => runs(device, RELEASE_1),
  };
}

/** One check, its status. Of the network only this check is kept: there are many. */
async function check(world: World): Promise<number> {
  world.network.requests.length = 0;
  return (await world.update()).status;
}

/** What the components beside the main one have from the factory, and then. */
const MORE = { radio: [image(31, 3000), image(32, 2500)], model: [image(41, 700), image(42, 900)] } as const;
const FACTORY = { radio: MORE.radio[0], model: MORE.model[0] };

function newSet(world: World): void {
  world.repository.publish(
    { ...RELEASE_2, requires: [{ component: 'radio', releaseCounter: 2 }] },
    { component: 'radio', version: '2.0.0', releaseCounter: 2, image: MORE.radio[1] },
    { component: 'model', version: '2.0.0', releaseCounter: 2, image: MORE.model[1] },
  );
}

async function set(setting: Setting): Promise<Scenario> {
  const world = new World({ ...setting, components: FACTORY });
  await checked(world);
  newSet(world);
  return {
    device: world.device,
    run: () => checked(world),
    afterCut: wholeSetAfterCut,
    atEnd(device) {
      runs(device, RELEASE_2);
      equal(newParts(device), 0b111, 'components that run what is new');
    },
  };
}

async function failingSet(setting: Setting): Promise<Scenario> {
  const world = new World({ ...setting, components: FACTORY, selfTest: () => false });
  await checked(world);
  newSet(world);
  return {
    device: world.device,
    async run() {
      const { status } = await world.update();
      ok(status === Status.SELF_TEST_FAILED || status === Status.RELEASE_FAILED_BEFORE, `status ${status}`);
    },
    afterCut: wholeSetAfterCut,
    atEnd(device) {
      runs(device, RELEASE_1);
      equal(newParts(device), 0, 'components that run what is new');
    },
  };
}

/** All that boots is old, or all is new; and what is confirmed is one or the other. */
function wholeSetAfterCut(device: SimDevice): void {
  soundAfterCut(device, [RELEASE_2]);
  const parts = newParts(device);
  ok(parts === 0 || parts === 0b111, `a mix runs: ${parts.toString(2)}`);
  const releases = device
    .powerOn()
    .components()
    .map(({ releaseCounter }) => releaseCounter);
  ok(new Set(releases).size === 1, `a mix is confirmed: ${releases}`);
}

/** A bit for each component that runs the image of its second release, whole; the others run the first. */
function newParts(device: SimDevice): number {
  const images = [[RELEASE_1.image, RELEASE_2.image], MORE.radio, MORE.model];
  return images.reduce((bits, [before, after], component) => {
    const isWhole = (bytes: Uint8Array = new Uint8Array()) =>
      Buffer.compare(device.running(bytes.length, component), bytes) === 0;
    ok(isWhole(before) || isWhole(after), `component ${component} runs no whole image`);
    return bits | (isWhole(after) ? 1 << component : 0);
  }, 0);
}

async function checked(world: World): Promise<void> {
  equal(await check(world), Status.UP_TO_DATE, 'status of the check');
}

/** Boots, and finds one of the images whole, and no counter above what is confirmed. */
export function soundAfterCut(device: SimDevice, candidates: readonly Release[]): void {
  const core = device.powerOn();
  const release = [RELEASE_1, ...candidates].find(({ image }) => isImage(device, image));
  ok(release, 'what boots is none of the images');
  const confirmed = core.stateRead(State.ON_TRIAL) === 1 ? RELEASE_1 : release;
  ok(
    core.stateRead(State.SECURITY_COUNTER) <= confirmed.securityCounter,
    'security counter above the confirmed image',
  );
  ok(
    core.stateRead(State.INSTALLED_RELEASE) <= confirmed.releaseCounter,
    'release counter above the confirmed image',
  );
}

/** The device has ended up with a release, confirmed, and remembers it. */
export function runs(device: SimDevice, release: Release): void {
  const core = device.powerOn();
  ok(isImage(device, release.image), `it does not run ${release.version}`);
  equal(core.stateRead(State.ON_TRIAL), 0, 'on trial');
  equal(core.stateRead(State.SECURITY_COUNTER), release.securityCounter, 'security counter');
  equal(core.stateRead(State.INSTALLED_RELEASE), release.releaseCounter, 'release counter');
}

/** The image is written once, and of it for each cut at most one erase block, or what is kept between two entries, again. */
function mostToSlots(geometry: Geometry, release: Release, cuts: number): number {
  const { blocks, unit } = geometry[Area.SLOT_B] ?? { blocks: [], unit: 1 };
  return release.image.length + unit + cuts * Math.max(...blocks, 2048);
}

function isImage(device: SimDevice, image: Uint8Array): boolean {
  return Buffer.compare(device.running(image.length), image) === 0;
}
