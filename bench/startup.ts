// How long a Node host takes to its first action, beside an empty Node process: pairs, one after the other.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordedBoot } from '../host/node/boot.ts';
import { Core } from '../host/node/core.ts';
import { FileFlash } from '../host/node/flash.ts';
import { provision } from '../host/node/provision.ts';
import { projectRoot } from '../scripts/abi.ts';
import { SimRepository } from '../sim/repository.ts';
import { GEOMETRY } from './first-action.ts';
import { median, type Row } from './row.ts';

const PAIRS = 15;

export function startupRows(): Row[] {
  const folder = mkdtempSync(join(tmpdir(), 'moult-bench-'));
  try {
    const flash = join(folder, 'flash.bin');
    makeDevice(flash);
    const script = join(projectRoot(), 'build/js/bench/first-action-process.js');
    const ratios: number[] = [];
    const extra: number[] = [];
    for (let pair = 0; pair < PAIRS; pair++) {
      const empty = time(['-e', '']);
      const host = time([script, flash]);
      ratios.push((host - empty) / empty);
      extra.push(host - empty);
    }
    return [
      {
        id: 'start-to-first-action',
        value: median(extra),
        unit: 'ms beyond an empty process',
        peer: 'node (empty process)',
        peerVersion: process.versions.node,
        ratio: median(ratios),
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function makeDevice(path: string): void {
  const flash = new FileFlash(path, GEOMETRY);
  const core = new Core({ flash, boot: new RecordedBoot(flash) });
  core.coreStart();
  const configuration = {
    hardwareId: 'sim',
    component: 'app',
    version: '0.9.0',
    releaseCounter: 0,
    securityCounter: 0,
    buildTime: 1_700_000_000,
    checkInterval: 86_400,
  };
  provision(core, configuration, new SimRepository(() => 1_800_000_000).root);
  flash.close();
}

/** Milliseconds that a Node process takes. */
function time(args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args);
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  return performance.now() - start;
}
