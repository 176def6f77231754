// Power cuts at every operation of every scenario, torn at up to 32 places of each write, on every flash layout, with
// the security counter on flash and in hardware: minutes. With --all every write is torn at every unit: hours.
// The test suite runs a sample.
import { pathToFileURL } from 'node:url';
import { GEOMETRIES } from './geometries.ts';
import { countCuts, type SweepResult, sweep } from './powercut.ts';
import { SCENARIOS } from './scenarios/powercuts.ts';

async function sweepAll(places: number, print: (line: string) => void): Promise<number> {
  let total = 0;
  for (const { name, geometry } of GEOMETRIES) {
    for (const [what, scenario] of Object.entries(SCENARIOS)) {
      for (const hardwareCounter of [false, true]) {
        const result = await sweep(await scenario({ geometry, hardwareCounter }, { places, liveEvery: 100 }));
        print(
          `${name}, counter ${hardwareCounter ? 'in hardware' : 'on flash'}, ${what}: ${describe(result)}`,
        );
        total += countCuts(result) + result.live;
      }
    }
  }
  return total;
}

function describe(result: SweepResult): string {
  const kinds = Object.entries(result.cuts).map(([kind, count]) => `${count} ${kind}`);
  return `${result.operations} operations, ${countCuts(result)} cuts (${kinds.join(', ')}), ${result.live} again in a whole run`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const total = await sweepAll(process.argv.includes('--all') ? Number.POSITIVE_INFINITY : 32, console.log);
  console.log(
    `${total} power cuts, each fired; after each the device booted a whole image and finished the scenario`,
  );
}
