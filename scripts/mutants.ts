// Whether the tests bite: takes one check out of the core at a time, builds that mutant into a folder of its own and
// runs the tests of test/tuf against it. A mutant that passes them all is a survivor: a check that no test holds.
//
//   npm run mutants                   all of them, about 15 minutes
//   npm run mutants -- json rollback  those whose file or name contains one of the words
//
// A mutant is the exact text of a check, once in its file, and what stands there instead; a text that is no longer
// found says that the list below has to follow the core. A survivor needs a test, or stands in the list with `equal`:
// why the mutant cannot be told from the core. Exit status 1: a survivor, or a text that was not found.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MUTANTS, type Mutant } from './mutants.list.ts';

const PROJECT = process.cwd();
/** Tests that are likely to kill a mutant of these files: they run first. */
const LIKELY: readonly (readonly [RegExp, readonly string[]])[] = [
  [/workflow/, ['root', 'timestamp', 'snapshot', 'targets']],
  [/threshold|key/, ['signatures']],
  [/signed|names/, ['common']],
  [/expires/, ['expires']],
  [/envelope|canonical|reader/, ['json']],
  [/file\.ts/, ['snapshot', 'timestamp']],
  [/agent\.ts|device/, ['expires', 'releases']],
  [/selection|slots/, ['releases', 'names']],
];
/** Tests that run last, for what they cost. */
const SLOW = ['hostile', 'streams', 'limits'];
/** Milliseconds, on a machine with other work: what takes longer runs without end. */
const PATIENCE = 600_000;

type Verdict = 'killed' | 'survived' | 'equal' | 'not found' | 'does not build';

async function main(words: readonly string[]): Promise<void> {
  const isWanted = (text: string) => words.length === 0 || words.some((word) => text.includes(word));
  const wanted = MUTANTS.filter(({ name, file }) => isWanted(`${file}: ${name}`));
  const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
  const verdicts: Verdict[] = [];
  for (const mutant of wanted) {
    const [verdict, killer] = await judge(mutant, folder);
    verdicts.push(verdict);
    process.stdout.write(
      `${verdict.padEnd(14)} ${mutant.file}: ${mutant.name}${killer ? ` [${killer}]` : ''}\n`,
    );
  }
  rmSync(folder, { recursive: true });
  const count = (verdict: Verdict) => verdicts.filter((other) => other === verdict).length;
  process.stdout.write(
    `${wanted.length} mutants: ${count('killed')} killed, ${count('survived')} survived, ${count('equal')} equal\n`,
  );
  process.exitCode = verdicts.every((verdict) => verdict === 'killed' || verdict === 'equal') ? 0 : 1;
}

async function judge(mutant: Mutant, folder: string): Promise<[Verdict, string?]> {
  const source = readFileSync(join(PROJECT, 'assembly', mutant.file), 'utf8');
  if (source.split(mutant.find).length !== 2) return ['not found'];
  const module = await build(mutant, source, folder);
  if (!module) return ['does not build'];
  for (const batch of batches(mutant.file)) {
    const killer = await failingTest(module, batch, folder);
    if (killer) return ['killed', killer];
  }
  return [mutant.equal ? 'equal' : 'survived'];
}

/** The tests in the order in which they are tried. */
function batches(file: string): string[][] {
  const names = readdirSync(join(PROJECT, 'test', 'tuf')).flatMap(
    (name) => /^(.*)\.test\.ts$/.exec(name)?.[1] ?? [],
  );
  const likely = LIKELY.filter(([pattern]) => pattern.test(file)).flatMap(([, tests]) => tests);
  const others = names.filter((name) => !likely.includes(name) && !SLOW.includes(name));
  return [likely, others, SLOW];
}

/** The module of a mutant, not optimised to save time; undefined when the compiler refuses it. */
async function build(mutant: Mutant, source: string, folder: string): Promise<string | undefined> {
  const output = join(folder, 'mutant.wasm');
  cpSync(join(PROJECT, 'assembly'), join(folder, 'assembly'), { recursive: true });
  cpSync(join(PROJECT, 'asconfig.json'), join(folder, 'asconfig.json'));
  writeFileSync(
    join(folder, 'assembly', mutant.file),
    source.replace(mutant.find, () => mutant.replace),
  );
  const asc = join(PROJECT, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
  const options = [
    'assembly/index.ts',
    '--target',
    'release',
    '--optimizeLevel',
    '0',
    '--shrinkLevel',
    '0',
    '--outFile',
    output,
  ];
  return (await passes([asc, ...options], folder)) ? output : undefined;
}

/** The first test that fails against a module; undefined: none. */
async function failingTest(
  module: string,
  files: readonly string[],
  folder: string,
): Promise<string | undefined> {
  const report = join(folder, 'report.json');
  const vitest = join(PROJECT, 'node_modules', 'vitest', 'vitest.mjs');
  const paths = files.map((name) => join('test', 'tuf', `${name}.test.ts`));
  const options = [
    'run',
    '--bail',
    '1',
    '--no-isolate',
    '--maxWorkers',
    '1',
    '--reporter',
    'json',
    '--outputFile.json',
    report,
    ...paths,
  ];
  rmSync(report, { force: true });
  if (await passes([vitest, ...options], PROJECT, { MOULT_WASM: module })) return undefined;
  return existsSync(report) ? firstFailure(readFileSync(report, 'utf8')) : 'without end';
}

/** Runs a script of Node in a group of its own; whether it ended well, and in time. */
function passes(script: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<boolean> {
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

function firstFailure(report: string): string {
  const { testResults } = JSON.parse(report) as {
    testResults: { assertionResults: { status: string; fullName: string }[] }[];
  };
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed');
  return failed?.fullName ?? 'before any test';
}

await main(process.argv.slice(2));
