// A generated Image repository and a client of it alone: the Director of a vehicle is not needed to refuse what is false
// in the other repository. The generator shares no code with repo/.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../../cli/client/client.ts';
import { STATUS_TEXTS } from '../../host/node/abi.ts';
import { StatusError } from '../../host/node/errors.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { imageFaults } from './faults.ts';
import { FILE, Pair, type PairOptions, type Served, serve } from './pair.ts';

interface World {
  readonly pair: Pair;
  readonly served: Served;
  /** The finding of a download; null: none. */
  download(): Promise<string | null>;
}

/** A client that trusts version 2 of everything. */
async function world(options: PairOptions = {}): Promise<World> {
  const pair = new Pair(options);
  pair.raise().publish();
  const served = await serve(pair);
  const metadataDir = temporaryFolder();
  const root = join(metadataDir, 'first.json');
  writeFileSync(root, pair.firstRoot('image'));
  await run({ command: 'init', metadataDir, root });
  const places = {
    targetNames: [FILE],
    targetDir: join(metadataDir, 'targets'),
    metadataUrl: served.imageUrl,
  };
  const targetBaseUrl = `${served.imageUrl}/targets`;
  const download = () => finding(run({ command: 'download', metadataDir, targetBaseUrl, ...places }));
  expect(await finding(run({ command: 'refresh', metadataDir, metadataUrl: served.imageUrl }))).toBe(null);
  return { pair, served, download };
}

async function finding(running: Promise<void>): Promise<string | null> {
  try {
    await running;
    return null;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return STATUS_TEXTS.get(error.status)?.name ?? `${error.status}`;
  }
}

describe('[CERT-I-1, CERT-I-2, TUF-3] an Image repository with', () => {
  for (const { name, profile, change, conduct, expected } of imageFaults())
    if (profile === 'modern')
      test(name, async () => {
        const { pair, served, download } = await world({ profile });
        pair.raise();
        change(pair);
        pair.publish();
        if (conduct) served.conduct = conduct;
        expect(await download()).toBe(expected.image ?? expected.targets?.[FILE] ?? null);
      });
});

test.each(['p256', 'rsa'] as const)('[ETSI-3.7] an Image repository whose keys are %s', async (kind) => {
  const { pair, download } = await world({ kind });
  pair.raise().publish();
  expect(await download()).toBe(null);
});
