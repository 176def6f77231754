// The other way round: `moult verify` accepts what tuf-js's models and python-tuf write.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSource, verifyRepository } from '../../repo/index.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { type ForeignOrder, writeWithPythonTuf, writeWithTufJs } from '../fixtures/foreign-repositories.ts';
import { HOW_TO_GET_PYTHON_TUF, hasPythonTuf } from '../fixtures/python.ts';
import { DAY, imageOf, NOW } from '../fixtures/repositories.ts';
import { optional } from '../optional.ts';

const ORDER: ForeignOrder = {
  expires: NOW + DAY,
  image: imageOf('foreign'),
  path: 'app/board/1.0.0/app.bin',
  custom: {
    component: 'app',
    version: '1.0.0',
    hardwareIds: ['board'],
    releaseCounter: 1,
    securityCounter: 0,
  },
  roots: 3,
};

test('a repository by tuf-js verifies', async () => {
  const { directory, firstRoot } = writeWithTufJs(join(temporaryFolder(), 'foreign'), ORDER);
  const found = await verifyRepository(await openSource(directory), firstRoot, { now: NOW });
  expect(found).toMatchObject({ faults: [], files: 1, bytes: ORDER.image.length });
  expect(found.roles[0]).toMatchObject({ role: 'root', version: 3 });
});

optional(hasPythonTuf(), HOW_TO_GET_PYTHON_TUF)(
  'a repository by python-tuf verifies',
  async () => {
    const { directory, firstRoot } = await writeWithPythonTuf(join(temporaryFolder(), 'foreign'), ORDER);
    const found = await verifyRepository(await openSource(directory), firstRoot, { now: NOW });
    expect(found).toMatchObject({ faults: [], files: 1, bytes: ORDER.image.length });
  },
  30_000,
);

test('any flipped bit of any file of a foreign repository is refused', async () => {
  const { directory, firstRoot } = writeWithTufJs(join(temporaryFolder(), 'foreign'), ORDER);
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(json|bin)$/.test(name),
  );
  const later = files.filter((name) => !name.endsWith('1.root.json'));
  expect(later.length).toBe(6);
  for (const name of later) {
    const path = join(directory, name);
    const good = readFileSync(path);
    for (let at = 0; at < good.length; at += 29) {
      const bad = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(at) ^ (1 << (at % 8)), at);
      writeFileSync(path, bad);
      const found = await verifyRepository(await openSource(directory), firstRoot, { now: NOW });
      expect(found.faults, `${name} at ${at}`).not.toEqual([]);
    }
    writeFileSync(path, good);
  }
});
