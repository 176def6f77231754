// npm run fuzz -- [files of each kind: 400000] [seed]: files that no honest writer wrote, against the shipped core. What
// is found is printed with its seed and its bytes; status 1 when anything is.
// npm run fuzz -- --coverage [seconds: 60] [seed]: the core compiled ahead of time, the shim and the link, with inputs that
// libFuzzer finds by the coverage that they reach, under ASan and UBSan.
import { Campaign, KINDS } from '../test/fuzz/campaign.ts';
import { PAYLOAD_KINDS, PayloadCampaign } from '../test/fuzz/payloads.ts';

const cases = Number(process.argv[2] ?? 400_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31) || 1;

if (process.argv[2] === '--coverage')
  await byCoverage(Number(process.argv[3] ?? 60), Number(process.argv[4] ?? 1));
else {
  for (const kind of KINDS) run(kind, new Campaign(seed));
  for (const kind of PAYLOAD_KINDS) run(kind, new PayloadCampaign(seed));
}

interface Runner<Kind> {
  readonly run: (kind: Kind) => void;
  readonly cases: number;
  readonly accepted: number;
}

async function byCoverage(seconds: number, seed: number): Promise<void> {
  const { buildFuzzer, runFuzzer, whatLacks } = await import('../test/fuzz/native.ts');
  const lacking = whatLacks();
  if (lacking !== undefined) throw new Error(`the fuzzer ${lacking}`);
  process.stdout.write(`· building the fuzzer and its world\n`);
  await buildFuzzer();
  process.stdout.write(`· fuzzing for ${seconds} s\n`);
  const { clean, executions, edges, allEdges, said } = runFuzzer(seconds, seed);
  const share = ((100 * edges) / allEdges).toFixed(0);
  const reached = `${executions} executions, ${edges} of ${allEdges} edges (${share}%)`;
  if (clean) return void process.stdout.write(`✓ ${reached}, nothing found\n`);
  process.stdout.write(`${said}\n✗ ${reached}; what was found lies in build/aot-fuzz\n`);
  process.exitCode = 1;
}

function run<Kind extends string>(kind: Kind, campaign: Runner<Kind>): void {
  const begun = performance.now();
  try {
    for (let i = 0; i < cases; i++) campaign.run(kind);
    const seconds = ((performance.now() - begun) / 1000).toFixed(0);
    process.stdout.write(
      `✓ ${kind}: ${cases} files of seed ${seed}, ${campaign.accepted} accepted, ${seconds} s\n`,
    );
  } catch (error) {
    process.stdout.write(`✗ ${kind}, file ${campaign.cases} of seed ${seed}: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
