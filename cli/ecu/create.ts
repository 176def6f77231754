// moult ecu new: what a factory does to an ECU. Its key is made by its core and never leaves the flash.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DeviceConfiguration } from '../../host/node/provision.ts';
import { RepositoryError, readTimeKey, sha256, writeWhole } from '../../repo/index.ts';
import { FolderDevice, type Provisioning, publicKeys } from '../device/folder.ts';
import { readInput, type Session } from '../session.ts';
import { describeIdentity, type EcuIdentity, identityPath } from './identity.ts';

export interface NewEcu {
  readonly vehicle: string;
  readonly ecuId: string;
  readonly hw: string;
  readonly root?: string;
  readonly directorRoot: string;
  readonly image: string;
  readonly version: string;
  readonly counter: number;
  readonly component: string;
  readonly primary?: true;
  /** SERIAL=HARDWARE each. */
  readonly secondary: readonly string[];
  readonly timeKey: readonly string[];
  readonly interval: number;
}

export async function create(session: Session, folder: string, given: NewEcu): Promise<void> {
  const { output } = session;
  const path = session.path(folder);
  const others = secondariesOf(given);
  const identity = identityOf(given, others);
  if (existsSync(join(path, 'flash.bin')))
    throw new RepositoryError('bad-argument', `${folder} holds a device already; name another folder`);
  const device = new FolderDevice({
    folder: path,
    provisioning: await provisioningOf(session, given, others),
    onProvisioned: () => undefined,
  });
  try {
    const { reports } = publicKeys(device.make());
    const text = Buffer.from(`${JSON.stringify(identity)}\n`);
    await writeWhole(path, { path: identityPath(path), bytes: text, replace: false });
    output.event(`${folder} is ${describeIdentity(identity)}`);
    output.line(`  report key ${reports}`);
    output.result({ ...identity, reportKey: reports });
  } finally {
    device.switchOff();
  }
}

/** Hardware ids by serial; undefined: it is no Primary. */
function secondariesOf({ primary, secondary }: NewEcu): EcuIdentity['secondaries'] {
  if (secondary.length > 0 && !primary)
    throw new RepositoryError('bad-argument', 'Secondaries are known to a Primary: say --primary');
  const others = secondary.map((text): [string, string] => {
    const [, serial, hardwareId] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (serial === undefined || hardwareId === undefined)
      throw new RepositoryError('bad-argument', `a Secondary is written SERIAL=HARDWARE, not "${text}"`);
    return [serial, hardwareId];
  });
  return primary && Object.fromEntries(others);
}

function identityOf(
  { vehicle, ecuId, hw, root, primary }: NewEcu,
  secondaries: EcuIdentity['secondaries'],
): EcuIdentity {
  if (primary && root === undefined)
    throw new RepositoryError('bad-argument', 'a Primary verifies in full: give it --root');
  return {
    ...{ vehicle, ecu: ecuId, hardwareId: hw },
    verification: root === undefined ? 'partial' : 'full',
    ...(secondaries && { secondaries }),
  };
}

async function provisioningOf(
  session: Session,
  given: NewEcu,
  others: EcuIdentity['secondaries'],
): Promise<Provisioning> {
  const image = await readInput('the image', session.path(given.image));
  const director = await readInput("the Director's root of trust", session.path(given.directorRoot));
  const configuration = configurationOf(session, given, others, image);
  const root = given.root && (await readInput('the root of trust', session.path(given.root)));
  const roots = root ? { root, directorRoot: director } : { root: director };
  return { configuration, key: 'random', image, ...roots };
}

function configurationOf(
  session: Session,
  given: NewEcu,
  others: EcuIdentity['secondaries'],
  image: Uint8Array,
): DeviceConfiguration {
  const { component, hw: hardwareId, version, ecuId: ecu, vehicle } = given;
  const timeKeys = given.timeKey.map((file) => readTimeKey(session.path(file)).keyval.public);
  const known = others && Object.entries(others).map(([serial, id]) => [serial, { hardwareId: id }]);
  return {
    ...{ component, hardwareId, version, releaseCounter: given.counter, securityCounter: 0 },
    ...{ buildTime: session.io.clock(), checkInterval: given.interval },
    ...{ uptane: given.root === undefined ? 'partial' : 'full', ecu, vehicle },
    ...(known && { ecus: Object.fromEntries(known) }),
    // Where a release of this name is in the Image repository.
    image: {
      filepath: `${component}/${hardwareId}/${version}/${basename(given.image)}`,
      fileinfo: { length: image.length, hashes: { sha256: sha256(image) } },
    },
    ...(timeKeys.length > 0 && { timeKeys, needsTime: true }),
  };
}
