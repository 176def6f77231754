// Which core a port in C runs (host/device/core.c) on a board whose flash or boot decision fails: test/c/core_test.c. What
// a whole device makes of good and bad cores is in test/posix/core.test.ts.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect } from 'vitest';
import { HOW_TO_GET_WASM3, wasm3Build } from '../fixtures/wasm3.ts';
import { optional } from '../optional.ts';

const PROGRAMS = [
  ['', wasm3Build('core_test'), HOW_TO_GET_WASM3],
  [
    ', under ASan and UBSan',
    wasm3Build('../wasm3-sanitize/core_test'),
    'node scripts/wasm3.mjs build --sanitize (it needs a C compiler with ASan and UBSan)',
  ],
] as const;

for (const [how, program, howToGet] of PROGRAMS)
  optional(existsSync(program), howToGet)(
    `[CERT-C-3] a core that cannot be read is not lost, one that is lost is replaced, one on trial is given up${how}`,
    () => {
      const { status, stdout, stderr } = spawnSync(program, ['build/moult.wasm'], { encoding: 'utf8' });
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    },
  );
