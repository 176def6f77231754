// tuf-js as an independent witness: its client accepts what this repository side writes, through our server.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Updater } from 'tuf-js';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../repo/index.ts';
import { type StaticServer, serveStatic } from '../../server/static.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { addRelease, imageOf, testRepository } from '../fixtures/repositories.ts';

const PATH = 'app/board/1.0.0/app.bin';
let server: StaticServer | undefined;

afterEach(async () => {
  await server?.close();
});

/** A client with a folder of its own, which trusts one root. */
class Witness {
  readonly #folder = temporaryFolder();
  readonly #url: string;

  constructor(url: string, root: Uint8Array) {
    this.#url = url;
    mkdirSync(join(this.#folder, 'targets'));
    writeFileSync(join(this.#folder, 'root.json'), root);
  }

  async download(path: string): Promise<Uint8Array> {
    const updater = new Updater({
      metadataDir: this.#folder,
      metadataBaseUrl: `${this.#url}/metadata`,
      targetDir: join(this.#folder, 'targets'),
      targetBaseUrl: `${this.#url}/targets`,
    });
    await updater.refresh();
    const info = await updater.getTargetInfo(path);
    if (info === undefined) throw new Error(`no target ${path}`);
    return readFileSync(await updater.downloadTarget(info));
  }
}

test('[TUF-2] tuf-js downloads a release', async () => {
  const { repository } = await testRepository({ clock: systemClock });
  await addRelease(repository, '1.0.0');
  await repository.publish();
  server = await serveStatic({ directory: repository.publicDirectory });
  const witness = new Witness(server.url, await repository.root(1));
  expect(Buffer.from(await witness.download(PATH))).toEqual(Buffer.from(imageOf('1.0.0')));
});

test('[CERT-I-6] tuf-js follows the rotation of every role, from the first root and from the one before', async () => {
  const { repository } = await testRepository({ clock: systemClock });
  await addRelease(repository, '1.0.0');
  await repository.publish();
  server = await serveStatic({ directory: repository.publicDirectory });
  const oldClient = new Witness(server.url, await repository.root(1));
  for (const role of ['root', 'timestamp', 'snapshot', 'targets', 'root'] as const) {
    await oldClient.download(PATH);
    await repository.rotateKeys(role);
    await oldClient.download(PATH);
    await new Witness(server.url, await repository.root(1)).download(PATH);
  }
  await addRelease(repository, '1.1.0');
  await repository.publish();
  const newest = await oldClient.download('app/board/1.1.0/app.bin');
  expect(Buffer.from(newest)).toEqual(Buffer.from(imageOf('1.1.0')));
});

test('[TUF-4] a rotation that stopped before its new root still verifies under the old one', async () => {
  const { repository, metadata } = await testRepository({ clock: systemClock });
  await addRelease(repository, '1.0.0');
  await repository.publish();
  server = await serveStatic({ directory: repository.publicDirectory });
  const { rmSync } = await import('node:fs');
  for (const role of ['timestamp', 'snapshot', 'targets'] as const) {
    await repository.rotateKeys(role);
    rmSync(join(metadata, '2.root.json'));
    await new Witness(server.url, await repository.root(1)).download(PATH);
  }
});
