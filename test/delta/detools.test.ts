// detools, whose patches these are, as a witness: it applies ours, we apply its, and ours are not larger.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { buildPatch, COMPRESSIONS } from '../../repo/index.ts';
import { smallestPair } from '../fixtures/firmware.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { HOW_TO_GET_DETOOLS, hasDetools, runPython } from '../fixtures/python.ts';
import { optional } from '../optional.ts';
import { applyPatch } from './apply.ts';

const test = optional(hasDetools(), HOW_TO_GET_DETOOLS);
const WITNESS = 'delta/detools_witness.py';

/** Without an old image, too: then the patch is a compressed image. */
const pair = smallestPair();
const pairs = [pair, { name: 'from nothing', before: new Uint8Array(0), after: pair.after }];

for (const compression of COMPRESSIONS) {
  test(`detools applies our patches with ${compression}, we apply its, and ours are no larger`, async () => {
    const folder = temporaryFolder();
    const [old, patch, image] = ['old', 'patch', 'new'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const { name, before, after } of pairs) {
      const ours = buildPatch(before, after, { compression });
      writeFileSync(old, before);
      writeFileSync(patch, ours);
      await runPython(WITNESS, ['apply', old, patch, image]);
      expect(Buffer.compare(readFileSync(image), after), name).toBe(0);

      await runPython(WITNESS, ['create', compression, old, image, patch]);
      const its = readFileSync(patch);
      expect(Buffer.compare(applyPatch(before, its), after), name).toBe(0);
      expect(ours.length / its.length, name).toBeLessThanOrEqual(1);
    }
  }, 60_000);
}
