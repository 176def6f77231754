// A device in a laboratory: simulated clock and network, the module that ships.
import type { Sha256Compress } from '../host/node/core.ts';
import { uniformGeometry } from '../host/node/flash.ts';
import { SimClock } from '../sim/clock.ts';
import { SimDevice } from '../sim/device.ts';
import { SimNetwork } from '../sim/network.ts';
import { Random } from '../sim/random.ts';
import { type Signers, SimRepository } from '../sim/repository.ts';

/** Bytes of each image. */
export const IMAGE = 262_144;

export function image(seed: number): Uint8Array {
  return new Random(seed).bytes(IMAGE);
}

export interface LaboratoryOptions {
  readonly signers?: Signers;
  /** What the device runs at first. */
  readonly factory?: Uint8Array;
  /** The board hashes for the core. */
  readonly sha256Compress?: Sha256Compress;
  /** What images may be encrypted for. */
  readonly key?: Uint8Array;
}

export function laboratory({ signers, factory = image(1), sha256Compress, key }: LaboratoryOptions = {}) {
  const clock = new SimClock(1_800_000_000);
  const repository = new SimRepository(() => clock.seconds(), 1, signers);
  const network = new SimNetwork(repository.source, clock);
  const device = new SimDevice({
    root: repository.root,
    configuration: {
      hardwareId: 'sim',
      component: 'app',
      version: '0.9.0',
      releaseCounter: 0,
      securityCounter: 0,
      buildTime: 1_700_000_000,
      checkInterval: 86_400,
    },
    image: factory,
    ...(sha256Compress && { sha256Compress }),
    ...(key && { key }),
    geometry: uniformGeometry({ block: 4096, unit: 4, erased: 0xff, bank: 65_536, slot: 2 * IMAGE }),
    client: {
      metadataUrl: 'http://localhost/metadata/',
      targetsUrl: 'http://localhost/targets/',
      fetch: network.fetch,
      clock,
    },
  });
  /** One check with all that follows from it: bytes of bodies on the wire, bytes written to flash. */
  const update = async () => {
    const before = { wire: network.sent, flash: device.flash.written };
    await clock.run(device.update());
    return { wire: network.sent - before.wire, flash: device.flash.written - before.flash };
  };
  return { repository, device, network, update };
}
