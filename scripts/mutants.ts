// Whether the tests bite: takes one check out of the core or of its crypto folder at a time, builds that mutant into a
// folder of its own and runs the tests of test/tuf, test/install, test/uptane or test/crypto against it. A mutant that passes them all is a survivor: a check that no test holds.
//
//   npm run mutants                   all of them, about half an hour
//   npm run mutants -- json rollback  those whose file or name contains one of the words
//
// A mutant is the exact text of a check, once in its file, and what stands there instead; a text that is no longer
// found says that the list below has to follow the core. A survivor needs a test, or stands in the list with `equal`:
// why the mutant cannot be told from the core. Exit status 1: a survivor, or a text that was not found.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CRYPTO_MUTANTS } from './mutants.crypto.ts';
import { MUTANTS, type Mutant } from './mutants.list.ts';
import { buildVariant, isFound, passes, type VariantModule } from './variant.ts';

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
  [/install\/(image|esp32|mcuboot)|config/, ['format']],
  [/install\/payload/, ['resume', 'payload']],
  [/install\/(encryption|key)|chunk/, ['secrets', 'encryption']],
  [/set\.ts/, ['components']],
  [/trial/, ['boot', 'policy', 'faults']],
  [/time\.ts|clock\.ts/, ['time']],
  [/crypto\/(ed25519|scalar25519)\.ts/, ['ed25519']],
  [/crypto\/hkdf\.ts/, ['hkdf']],
  [/crypto\/chacha20poly1305\.ts/, ['chacha20poly1305']],
  [/crypto\/ed25519sign\.ts/, ['ed25519sign']],
  [/crypto\/(x25519|rsa|spki|signature)\.ts/, ['x25519', 'rsa', 'spki', 'signature']],
  [/crypto\/(der|p256|p256point)\.ts/, ['spki', 'p256']],
];
/** Tests that run last, for what they cost. */
const SLOW = ['hostile', 'streams', 'limits', 'cost'];
/** Tests of what the optimiser makes, which hold for no mutant. */
const NEVER = ['constant-time', 'alone'];

/** What a mutant is built into, and the tests that must notice. */
interface Suite {
  readonly modules: readonly VariantModule[];
  /** Below test/. */
  readonly tests: string;
  readonly env: (folder: string) => NodeJS.ProcessEnv;
}

const CORE: Suite = {
  modules: [{ entry: 'assembly/index.ts', target: 'release', file: 'mutant.wasm' }],
  tests: 'tuf',
  env: (folder) => ({ MOULT_WASM: join(folder, 'mutant.wasm') }),
};
const INSTALL: Suite = { ...CORE, tests: 'install' };
const UPTANE: Suite = { ...CORE, tests: 'uptane' };
const CRYPTO: Suite = {
  modules: [
    { entry: 'assembly/crypto/index.ts', target: 'crypto', file: 'crypto.wasm' },
    { entry: 'assembly/crypto/test.ts', target: 'crypto-test', file: 'crypto.test.wasm' },
  ],
  tests: 'crypto',
  env: (folder) => ({ MOULT_CRYPTO: folder }),
};

type Verdict = 'killed' | 'survived' | 'equal' | 'not found' | 'does not build';

async function main(words: readonly string[]): Promise<void> {
  const isWanted = (text: string) => words.length === 0 || words.some((word) => text.includes(word));
  const wanted = [...MUTANTS, ...CRYPTO_MUTANTS].filter(({ name, file }) => isWanted(`${file}: ${name}`));
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
  if (!isFound(mutant)) return ['not found'];
  const suite = suiteOf(mutant.file);
  if (!(await buildVariant(mutant, suite.modules, folder))) return ['does not build'];
  for (const batch of batches(mutant.file, suite)) {
    const killer = await failingTest(suite, batch, folder);
    if (killer) return ['killed', killer];
  }
  return [mutant.equal ? 'equal' : 'survived'];
}

function suiteOf(file: string): Suite {
  if (file.startsWith('crypto/') && !file.endsWith('/chunk.ts')) return CRYPTO;
  if (/time\.ts|clock\.ts/.test(file)) return UPTANE;
  return /install\/(image|esp32|mcuboot|payload|encryption|key)|chunk|config|set\.ts|trial/.test(file)
    ? INSTALL
    : CORE;
}

/** The tests in the order in which they are tried. */
function batches(file: string, suite: Suite): string[][] {
  const names = readdirSync(join(PROJECT, 'test', suite.tests)).flatMap(
    (name) => /^(.*)\.test\.ts$/.exec(name)?.[1] ?? [],
  );
  const likely = LIKELY.filter(([pattern]) => pattern.test(file)).flatMap(([, tests]) => tests);
  const others = names.filter((name) => ![...likely, ...SLOW, ...NEVER].includes(name));
  return [likely, others, names.filter((name) => SLOW.includes(name))].filter((batch) => batch.length > 0);
}

/** The first test that fails against a module; undefined: none. */
async function failingTest(
  suite: Suite,
  files: readonly string[],
  folder: string,
): Promise<string | undefined> {
  const report = join(folder, 'report.json');
  const vitest = join(PROJECT, 'node_modules', 'vitest', 'vitest.mjs');
  const paths = files.map((name) => join('test', suite.tests, `${name}.test.ts`));
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
  if (await passes([vitest, ...options], PROJECT, suite.env(folder))) return undefined;
  return existsSync(report) ? firstFailure(readFileSync(report, 'utf8')) : 'without end';
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
