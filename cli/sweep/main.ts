// `npm run sweep`: the power fails at every operation of every scenario, in every way, on every flash layout; on the
// layouts as parts have them once more in every recovery from that, and at random up to eight times in a row.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { Cut } from '../../sim/power.ts';
import { countCuts, parseCut, replay, type SweepResult } from '../../sim/powercut.ts';
import { EXIT, type ExitStatus } from '../exit.ts';
import { createOutput, type Output, type Terminal } from '../output.ts';
import { type Case, casesOf, open, weight } from './cases.ts';
import type { Verdict } from './worker.ts';

interface Options {
  readonly geometry: string;
  readonly scenario: string;
  readonly cuts?: readonly Cut[];
  readonly sequences: number;
  readonly workers: number;
  readonly json?: boolean;
}

interface Summary {
  cases: number;
  cuts: number;
  pairs: number;
  sequences: number;
  sequenceCuts: number;
  live: number;
  distinct: number;
  failures: number;
  seconds: number;
}

export async function main(argv: readonly string[], terminal: Terminal): Promise<ExitStatus> {
  const output = createOutput(terminal, argv.includes('--json'));
  try {
    const options = parse(argv, terminal);
    const cases = casesOf(options.geometry, options.scenario);
    if (options.cuts) return await again(cases, options.cuts, output);
    const summary = await sweepAll(cases, options, output);
    output.result(summary);
    return summary.failures === 0 && summary.cases > 0 ? EXIT.ok : EXIT.refused;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) output.failure('bad-argument', error.message);
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

function parse(argv: readonly string[], { stdout }: Terminal): Options {
  return new Command('npm run sweep --')
    .description(
      'Cuts the power at every place of every scenario on every flash layout; with one core, hours.',
    )
    .option('--geometry <text>', 'only layouts whose name contains this', '')
    .option('--scenario <text>', 'only scenarios whose name contains this', '')
    .option('--sequences <count>', 'sequences of 3 to 8 cuts at random, a case', count, 200)
    .option('--workers <count>', 'cases at a time', count, availableParallelism())
    .option('--cuts <list>', 'only these cuts, in one run of the one case that is named', cutList)
    .option('--json', 'print one JSON value instead of lines')
    .addHelpText(
      'after',
      `
Examples:
  npm run sweep -- --geometry 'STM32G4' --scenario 'install and confirm'
  npm run sweep -- --geometry '2 KiB pages (STM32G4), 8-byte units, erased 0xff' --scenario rotation --cuts 12:torn:3,20:before

Exit status: 0 every device survived, 1 one did not, 2 usage.`,
    )
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: () => undefined })
    .exitOverride()
    .parse(argv, { from: 'user' })
    .opts<Options>();
}

function count(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('a whole number is expected');
  return Number(text);
}

function cutList(text: string): readonly Cut[] {
  return text.split(',').map((each) => {
    const cut = parseCut(each);
    if (!cut) throw new InvalidArgumentError(`${each} is no cut, as 12:torn:3 is one`);
    return cut;
  });
}

/** Makes the cuts of a failure once more. */
async function again(cases: readonly Case[], cuts: readonly Cut[], output: Output): Promise<ExitStatus> {
  const [one, ...others] = cases;
  if (!one || others.length > 0) {
    output.failure('bad-argument', `--cuts is for one case, and ${cases.length} are named so`);
    return EXIT.usage;
  }
  try {
    await replay(await open(one), cuts);
    output.event(`${cuts.length} cuts: the device is sound after the last, and came to the end`);
    return EXIT.ok;
  } catch (error) {
    output.failure('not-survived', String(error));
    return EXIT.refused;
  }
}

async function sweepAll(cases: readonly Case[], options: Options, output: Output): Promise<Summary> {
  const summary = {
    cases: 0,
    cuts: 0,
    pairs: 0,
    sequences: 0,
    sequenceCuts: 0,
    live: 0,
    distinct: 0,
    failures: 0,
    seconds: 0,
  };
  const all = cases.reduce((sum, one) => sum + weight(one), 0);
  const progress = output.progress('power cuts', all);
  const queue = cases.values();
  const begun = performance.now();
  let done = 0;
  const take = async () => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: options.sequences });
    for (const one of queue) {
      const verdict = await ask(worker, one);
      done += weight(one);
      summary.seconds = (performance.now() - begun) / 1000;
      add(summary, verdict);
      tell(one, verdict, output);
      progress.update(
        done,
        `${tried(summary)} cuts, ${minutes((summary.seconds * (all - done)) / done)} to go`,
      );
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.max(1, options.workers) }, take));
  progress.stop();
  conclude(summary, output);
  return summary;
}

function ask(worker: Worker, one: Case): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (verdict: Verdict) => {
      worker.off('error', reject);
      resolve(verdict);
    });
    worker.postMessage(one);
  });
}

function add(summary: Summary, { result }: Verdict): void {
  summary.cases++;
  if (!result) {
    summary.failures++;
    return;
  }
  summary.cuts += countCuts(result);
  for (const field of ['pairs', 'sequences', 'sequenceCuts', 'live', 'distinct'] as const)
    summary[field] += result[field];
}

function tell({ name, scenario }: Case, { result, failure }: Verdict, output: Output): void {
  if (result) output.event(`${name}: ${scenario}: ${describe(result)}`);
  if (!failure) return;
  output.failure('not-survived', `${name}: ${scenario}: ${failure.message}`);
  if (failure.cuts)
    output.line(`  npm run sweep -- --geometry '${name}' --scenario '${scenario}' --cuts ${failure.cuts}`);
}

function describe(result: SweepResult): string {
  const { operations, pairs, sequences, distinct, live } = result;
  const deep = pairs > 0 ? `, ${pairs} pairs, ${sequences} sequences` : '';
  return `${operations} operations, ${countCuts(result)} cuts${deep}; ${distinct} different recoveries, ${live} again in a whole run`;
}

function conclude(summary: Summary, output: Output): void {
  const { cases, cuts, pairs, sequences, sequenceCuts, distinct, live, failures, seconds } = summary;
  const what = `${cuts} single cuts, ${pairs} pairs and ${sequences} sequences with ${sequenceCuts} cuts in ${cases} cases`;
  const how = `${distinct} different recoveries, ${live} cuts again in a whole run, ${minutes(seconds)}`;
  if (cases === 0) output.failure('bad-argument', 'no case is named so');
  else if (failures > 0)
    output.failure('not-survived', `${what}, all fired: ${failures} cases failed; ${how}`);
  else output.event(`${what}: all fired, every device booted a whole image and came to its end; ${how}`);
}

function tried({ cuts, pairs, sequenceCuts }: Summary): number {
  return cuts + pairs + sequenceCuts;
}

function minutes(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
