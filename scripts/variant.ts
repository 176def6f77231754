// Copies of the core with something changed: what tests must notice.
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './abi.ts';

export interface Change {
  /** Below assembly/. */
  readonly file: string;
  /** Exact text, once in the file. */
  readonly find: string;
  readonly replace: string;
}

export interface VariantModule {
  readonly entry: string;
  readonly target: string;
  /** Below the folder of the variant. */
  readonly file: string;
}

export const CORE_MODULE: VariantModule = {
  entry: 'assembly/index.ts',
  target: 'release',
  file: 'variant.wasm',
};

/** Milliseconds, on a machine with other work: what takes longer runs without end. */
const PATIENCE = 600_000;

/** Whether the text of a change is in the core, once. */
export function isFound({ file, find }: Change): boolean {
  return source(file).split(find).length === 2;
}

/** Builds modules with one change into a folder, not optimised to save time; false when the compiler refuses one. */
export async function buildVariant(
  { file, find, replace }: Change,
  modules: readonly VariantModule[],
  folder: string,
): Promise<boolean> {
  cpSync(join(projectRoot(), 'assembly'), join(folder, 'assembly'), { recursive: true });
  cpSync(join(projectRoot(), 'asconfig.json'), join(folder, 'asconfig.json'));
  writeFileSync(
    join(folder, 'assembly', file),
    source(file).replace(find, () => replace),
  );
  const asc = join(projectRoot(), 'node_modules', 'assemblyscript', 'bin', 'asc.js');
  const level = ['--optimizeLevel', '0', '--shrinkLevel', '0'];
  const built = modules.map(({ entry, target, file }) =>
    passes([asc, entry, '--target', target, ...level, '--outFile', join(folder, file)], folder),
  );
  return (await Promise.all(built)).every((done) => done);
}

/** Runs a script of Node in a group of its own; whether it ended well, and in time. */
export function passes(
  script: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<boolean> {
  const child = spawn(process.execPath, script, {
    cwd,
    env: { ...process.env, ...env },
    stdio: 'ignore',
    detached: true,
  });
  const timer = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), PATIENCE);
  return new Promise((resolve) => {
    child.on('exit', (code) => {
      clearTimeout(timer);
      resolve(code === 0);
    });
  });
}

function source(file: string): string {
  return readFileSync(join(projectRoot(), 'assembly', file), 'utf8');
}
