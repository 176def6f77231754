// What it costs that an image is encrypted: bytes on the wire and on flash, and time beside the same image in clear.
import { encryptionPublicKey, encryptPayload } from '../repo/index.ts';
import { Random } from '../sim/random.ts';
import type { SimRelease } from '../sim/repository.ts';
import { IMAGE, image, laboratory } from './laboratory.ts';
import { median, type Row } from './row.ts';

const KEY = new Random(3).bytes(32);
const RUNS = 5;

interface Cost {
  readonly wire: number;
  readonly flash: number;
  readonly milliseconds: number;
}

export async function encryptionRows(): Promise<Row[]> {
  const recipients = [encryptionPublicKey(KEY)];
  const encrypted: Cost[] = [];
  const clear: Cost[] = [];
  for (let run = 0; run < RUNS; run++) {
    encrypted.push(await install({ encryptFor: recipients }));
    clear.push(await install({}));
  }
  const middle = (costs: readonly Cost[], what: keyof Cost) => median(costs.map((cost) => cost[what]));
  const bytes = encryptPayload(image(2), 'image', recipients).length - IMAGE;
  const milliseconds = middle(encrypted, 'milliseconds');
  return [
    { id: 'encrypted-overhead', value: bytes / IMAGE, unit: 'B/B of image' },
    { id: 'encrypted-install-wire', value: middle(encrypted, 'wire') / IMAGE, unit: 'B/B of image' },
    { id: 'encrypted-install-flash', value: middle(encrypted, 'flash') / IMAGE, unit: 'B/B of image' },
    {
      id: 'encrypted-install-time',
      value: milliseconds,
      unit: 'ms',
      peer: 'in clear',
      ratio: middle(clear, 'milliseconds') / milliseconds,
    },
  ];
}

/** One update of a device that has the key, from its check to the new image. */
async function install(options: Pick<SimRelease, 'encryptFor'>): Promise<Cost> {
  const { repository, update } = laboratory({ key: KEY });
  await update();
  repository.publish({ image: image(2), version: '1.0.0', releaseCounter: 1, ...options });
  const begun = performance.now();
  const { wire, flash } = await update();
  return { wire, flash, milliseconds: performance.now() - begun };
}
