// Releases of the core itself: docs/formats.md, "Image of a core".
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ABI_VERSION } from '../../host/node/abi.ts';
import { type ReleaseInput, sha256, targetFileName } from '../../repo/index.ts';
import { CORE, named, withBody } from '../fixtures/cores.ts';
import { testRepository } from '../fixtures/repositories.ts';

function core(bytes: Uint8Array, version = '1.0.0'): ReleaseInput {
  return { image: { bytes, name: 'moult.wasm' }, component: 'moult', version, hardwareIds: ['board'] };
}

test('a release of the component moult is the module behind its header', async () => {
  const { repository } = await testRepository();
  const { path, length, sha256: hash } = await repository.addRelease(core(CORE));
  expect([path, length]).toEqual(['moult/board/1.0.0/core.bin', CORE.length + 44]);
  const image = readFileSync(join(repository.publicDirectory, 'targets', targetFileName(path, hash)));
  expect(image.toString('latin1', 0, 4)).toBe('MTC1');
  expect([image.readUInt32LE(4), image.readUInt32LE(8)]).toEqual([ABI_VERSION, CORE.length]);
  expect(image.toString('hex', 12, 44)).toBe(sha256(CORE));
  expect(image.subarray(44).equals(CORE)).toBe(true);
});

test('a core is patched from the one before it', async () => {
  const { repository } = await testRepository();
  await repository.addRelease(core(CORE));
  const next = await repository.addRelease({ ...core(named('next'), '1.1.0'), deltaFrom: ['1.0.0'] });
  const [patch] = Object.values(next.payloads ?? {});
  expect(patch?.length).toBeLessThan(CORE.length / 20);
});

test.each([
  ['a text', Buffer.from('not a module')],
  ['an image of a core', Buffer.concat([Buffer.alloc(44), CORE])],
  ['a core that is cut short', CORE.subarray(0, 30_000)],
  ['another module', Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)],
  [
    'a core that traps when it is asked for its ABI',
    withBody('abi_version', (module) => module.unreachable()),
  ],
])('%s is refused as a core, and nothing is staged', async (_, bytes) => {
  const { repository } = await testRepository();
  await expect(repository.addRelease(core(bytes))).rejects.toThrow(
    expect.objectContaining({
      code: 'image-refused',
      message: expect.stringContaining('this is not a core'),
    }),
  );
  expect(await repository.releases()).toEqual([]);
});
