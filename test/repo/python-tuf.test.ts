// python-tuf, the reference implementation, as a second witness.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import { sha256, systemClock } from '../../repo/index.ts';
import { type StaticServer, serveStatic } from '../../server/static.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { HOW_TO_GET_PYTHON_TUF, hasPythonTuf, runPython } from '../fixtures/python.ts';
import { addRelease, imageOf, testRepository } from '../fixtures/repositories.ts';
import { optional } from '../optional.ts';

const test = optional(hasPythonTuf(), HOW_TO_GET_PYTHON_TUF);
const PATH = 'app/board/1.0.0/app.bin';
let server: StaticServer | undefined;

afterEach(async () => {
  await server?.close();
});

test('[TUF-2] python-tuf downloads a release, and follows the rotation of every role', async () => {
  const { repository } = await testRepository({ clock: systemClock });
  await addRelease(repository, '1.0.0');
  await repository.publish();
  server = await serveStatic({ directory: repository.publicDirectory });
  const state = temporaryFolder();
  const root = join(state, 'trusted.json.bin');
  writeFileSync(root, await repository.root(1));
  const { url } = server;
  const download = (folder: string, path = PATH, ...rest: string[]) =>
    runPython('repo/python_tuf_witness.py', [folder, url, path, ...rest]);

  expect(await download(join(state, 'old'), PATH, root)).toBe(sha256(imageOf('1.0.0')));
  for (const role of ['timestamp', 'snapshot', 'targets', 'root'] as const) await repository.rotateKeys(role);
  expect(await download(join(state, 'old'))).toBe(sha256(imageOf('1.0.0')));
  expect(await download(join(state, 'new'), PATH, root)).toBe(sha256(imageOf('1.0.0')));
  await addRelease(repository, '1.1.0');
  await repository.publish();
  expect(await download(join(state, 'old'), 'app/board/1.1.0/app.bin')).toBe(sha256(imageOf('1.1.0')));
}, 60_000);
