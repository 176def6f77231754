// The attacks that are not about which metadata an ECU is served.
import { consentAnswer, LinkKind } from '../../host/node/link.ts';
import { encryptionPublicKey } from '../../repo/index.ts';
import { Car } from '../car.ts';
import { changeAnswers } from '../meddler.ts';
import { Random } from '../random.ts';
import { World } from '../scenarios/world.ts';
import type { Ecu } from './ecus.ts';
import type { Loot } from './holders.ts';

/** Seconds that a check may take whatever the network does. */
const PATIENCE = 2 * 3600;
const SECRET = new Random(7).bytes(3000);
const DEVICE_KEY = new Random(8).bytes(32);
const THIEFS_KEY = new Random(9).bytes(32);

/** Bytes come one a second: an ECU that waits for them waits for ever. Keys do not make them slower. */
export async function retrievalIsSlow(): Promise<boolean> {
  const world = new World();
  const begun = world.clock.seconds();
  world.network.conduct = () => ({ rate: 1, chunk: 1 });
  await world.update();
  return world.clock.seconds() - begun > PATIENCE;
}

/** The image is encrypted for the ECU. Whoever hears all of it puts it before a board with the keys that he has. */
export async function imageIsRead(loot: Loot, ecu: Ecu): Promise<boolean> {
  const own = ecu.name === 'Primary' ? 'Primary' : 'Secondary';
  const board = new World({ key: loot.has(own) ? DEVICE_KEY : THIEFS_KEY });
  await board.update();
  const encryptFor = [encryptionPublicKey(DEVICE_KEY)];
  board.repository.publish({
    image: SECRET,
    version: '2.0.0',
    releaseCounter: 9,
    securityCounter: 9,
    encryptFor,
  });
  await board.update();
  board.device.powerOn();
  return Buffer.compare(board.device.running(SECRET.length), SECRET) === 0;
}

/**
 * An update for three ECUs. Somebody on the lines keeps one of them silent, and tells another one in the name of the
 * Primary that all is well: lines are not authenticated (docs/decisions/0028-secondaries.md).
 */
export async function bundleIsSplit(): Promise<boolean> {
  const car = new Car();
  await car.run();
  car.release(2);
  car.meddlers.set('brakes', () => undefined);
  const go = changeAnswers((frame, { kind }) =>
    kind === LinkKind.CONSENT ? { ...frame, payload: consentAnswer('go') } : frame,
  );
  car.meddlers.set('radio', go);
  await car.run(600);
  return new Set(car.versions).size > 1;
}
