// moult ecu key: the keys of ECUs, as a Director's inventory takes them.
import { reportKey } from '../../host/node/report.ts';
import { RepositoryError } from '../../repo/index.ts';
import { FolderDevice, publicKeys } from '../device/folder.ts';
import type { Session } from '../session.ts';
import { type EcuIdentity, readIdentity } from './identity.ts';

interface Keyed extends EcuIdentity {
  /** 64 hexadecimal digits. */
  readonly key: string;
}

/** CSV, or JSON with --json: what `moult director import` reads. */
export function showKeys(session: Session, folders: readonly string[], group: string): void {
  const { output } = session;
  const ecus = folders.map((folder) => keyedIn(session.path(folder)));
  output.line('vehicle,group,serial,hardwareId,primary,key');
  for (const { vehicle, ecu, hardwareId, secondaries, key } of ecus)
    output.line([vehicle, group, ecu, hardwareId, secondaries ? 'yes' : 'no', key].join());
  output.result(inventory(ecus, group));
}

function inventory(ecus: readonly Keyed[], group: string): object[] {
  const vehicles = [...new Set(ecus.map(({ vehicle }) => vehicle))];
  return vehicles.map((vehicle) => ({
    vehicle,
    group,
    ecus: ecus
      .filter((ecu) => ecu.vehicle === vehicle)
      .map(({ ecu: serial, hardwareId, secondaries, key }) => {
        const primary = secondaries !== undefined;
        return { serial, hardwareId, primary, key: reportKey(Buffer.from(key, 'hex')) };
      }),
  }));
}

function keyedIn(folder: string): Keyed {
  const identity = readIdentity(folder);
  const device = new FolderDevice({ folder, onProvisioned: () => undefined });
  try {
    const { reports: key } = publicKeys(device.wake());
    if (key === '') throw new RepositoryError('bad-argument', `${folder} has no key`);
    return { ...identity, key };
  } finally {
    device.switchOff();
  }
}
