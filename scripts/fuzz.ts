// npm run fuzz -- [files of each kind: 400000] [seed]: files that no honest writer wrote, against the shipped core. What
// is found is printed with its seed and its bytes; status 1 when anything is.
import { Campaign, KINDS, type Kind } from '../test/fuzz/campaign.ts';

const cases = Number(process.argv[2] ?? 400_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31) || 1;

function run(kind: Kind): void {
  const begun = performance.now();
  const campaign = new Campaign(seed);
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

for (const kind of KINDS) run(kind);
