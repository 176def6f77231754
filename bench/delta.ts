// Patches between releases of real firmware, beside detools, bsdiff and xdelta3: bytes, and the processor time and memory
// of a process that makes one. Peers that a machine lacks are left out.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../scripts/abi.ts';
import { type FirmwarePair, firmwarePairs } from '../test/fixtures/firmware.ts';
import { laboratory } from './laboratory.ts';
import type { Row } from './row.ts';

/** scripts/python.sh makes it. */
const PYTHON = process.env.MOULT_PYTHON ?? join(projectRoot(), 'build/venv/bin/python');

interface Tool {
  readonly name: string;
  readonly version: string;
  /** The command that makes PATCH from OLD and NEW. */
  readonly command: (old: string, fresh: string, patch: string) => readonly string[];
}

interface Cost {
  readonly bytes: number;
  readonly seconds: number;
  readonly kilobytes: number;
}

const OURS: Tool = {
  name: 'moult',
  version: '',
  command: (...files) => [process.execPath, join(projectRoot(), 'build/js/bench/delta-process.js'), ...files],
};

function peers(): Tool[] {
  const witness = join(projectRoot(), 'test/delta/detools_witness.py');
  const detools = /^[\d.]+/.exec(
    said(PYTHON, ['-c', 'import detools; print(detools.__version__)']) ?? '',
  )?.[0];
  const xdelta = /version (\S+),/.exec(said('xdelta3', ['-V']) ?? '')?.[1];
  // bsdiff tells no version: its usage is all it says.
  const bsdiff = /usage/.test(said('bsdiff', []) ?? '') ? '4.3' : undefined;
  const found: (Tool | undefined)[] = [
    tool('detools', detools, (old, fresh, patch) => [
      PYTHON,
      witness,
      'create',
      'heatshrink',
      old,
      fresh,
      patch,
    ]),
    tool('bsdiff', bsdiff, (old, fresh, patch) => ['bsdiff', old, fresh, patch]),
    tool('xdelta3', xdelta, (old, fresh, patch) => ['xdelta3', '-f', '-e', '-9', '-s', old, fresh, patch]),
  ];
  return found.filter((one) => one !== undefined);
}

function tool(name: string, version: string | undefined, command: Tool['command']): Tool | undefined {
  return version === undefined ? undefined : { name, version, command };
}

function said(command: string, args: readonly string[]): string | undefined {
  const { error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return error ? undefined : `${stdout}${stderr}`;
}

export function deltaRows(): Row[] {
  const folder = mkdtempSync(join(tmpdir(), 'moult-bench-'));
  try {
    return firmwarePairs().flatMap((pair) => pairRows(pair, folder, peers()));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What an install from a patch takes, for each byte of the image. */
export async function deltaInstallRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, before, after } of firmwarePairs()) {
    const { repository, update } = laboratory({ factory: before });
    const payloads = [{ image: before, releaseCounter: 0 }];
    await update();
    repository.publish({ image: after, version: '1.0.0', releaseCounter: 1, payloads });
    const { wire, flash } = await update();
    const id = name.replaceAll(/[ .]/g, '-');
    rows.push(
      { id: `delta-install-wire-${id}`, value: wire / after.length, unit: 'B/B of image' },
      { id: `delta-install-flash-${id}`, value: flash / after.length, unit: 'B/B of image' },
    );
  }
  return rows;
}

/** Ratios are ours over the peer's: below 1 is smaller, faster, leaner. */
function pairRows({ name, before, after }: FirmwarePair, folder: string, others: readonly Tool[]): Row[] {
  const [old, fresh, patch] = ['old', 'new', 'patch'].map((file) => join(folder, file));
  if (old === undefined || fresh === undefined || patch === undefined) throw new Error('unreachable');
  writeFileSync(old, before);
  writeFileSync(fresh, after);
  const run = ({ command }: Tool): Cost => cost(command(old, fresh, patch), patch);
  const ours = run(OURS);
  const id = name.replaceAll(/[ .]/g, '-');
  const rows = (peer?: Tool, its?: Cost): Row[] => {
    const beside = (own: number, other?: number) =>
      peer && other !== undefined && { peer: peer.name, peerVersion: peer.version, ratio: own / other };
    return [
      { id: `delta-bytes-${id}`, value: ours.bytes, unit: 'B', ...beside(ours.bytes, its?.bytes) },
      { id: `delta-cpu-${id}`, value: ours.seconds, unit: 's', ...beside(ours.seconds, its?.seconds) },
      {
        id: `delta-memory-${id}`,
        value: ours.kilobytes,
        unit: 'KB',
        ...beside(ours.kilobytes, its?.kilobytes),
      },
    ];
  };
  const share = { id: `delta-share-${id}`, value: ours.bytes / after.length, unit: 'B/B of image' };
  return [share, ...(others.length === 0 ? rows() : others.flatMap((peer) => rows(peer, run(peer))))];
}

/** What a process took: its own processor time, and its memory at most, as the system counts them. */
function cost(command: readonly string[], patch: string): Cost {
  const measure =
    'import resource, subprocess, sys; s = subprocess.run(sys.argv[1:]).returncode; ' +
    'u = resource.getrusage(resource.RUSAGE_CHILDREN); print(s, u.ru_utime + u.ru_stime, u.ru_maxrss)';
  const printed = said('python3', ['-c', measure, ...command]) ?? '';
  const [status, seconds = Number.NaN, kilobytes = Number.NaN] = printed
    .trim()
    .split(/\s+/)
    .slice(-3)
    .map(Number);
  if (status !== 0) throw new Error(`${command[0]} failed: ${printed}`);
  return { bytes: statSync(patch).size, seconds, kilobytes };
}
