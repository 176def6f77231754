// What `npm run sweep` tries: every scenario on every flash layout.
import { ALL_GEOMETRIES, type NamedGeometry, OWN_GEOMETRIES } from '../../sim/geometries.ts';
import type { Effort, Scenario } from '../../sim/powercut.ts';
import { SCENARIOS } from '../../sim/scenarios/powercuts.ts';

export interface Case extends NamedGeometry {
  readonly scenario: string;
  /** Pairs and sequences too: on the layouts as parts have them. */
  readonly deep: boolean;
}

/** Those whose layout and scenario contain these texts. */
export function casesOf(geometry = '', scenario = ''): Case[] {
  const scenarios = Object.keys(SCENARIOS).filter((name) => name.includes(scenario));
  return ALL_GEOMETRIES.filter(({ name }) => name.includes(geometry)).flatMap((layout) =>
    scenarios.map((name) => ({
      ...layout,
      scenario: name,
      deep: OWN_GEOMETRIES.some((own) => own.name === layout.name),
    })),
  );
}

/** The security counter is on flash where erased bytes are 0xff, and in hardware where they are 0x00. */
export async function open({ geometry, scenario }: Case): Promise<Scenario> {
  const make = SCENARIOS[scenario];
  if (!make) throw new Error(`no scenario ${scenario}`);
  return make({ geometry, hardwareCounter: geometry[0]?.erased === 0 });
}

export function effortOf({ deep }: Case, sequences: number): Effort {
  const single = { places: Number.POSITIVE_INFINITY, liveEvery: 250 };
  if (!deep) return single;
  return { ...single, pairPlaces: 2, seeds: Array.from({ length: sequences }, (_, index) => index + 1) };
}

/** About how long it takes beside others. */
export function weight({ geometry, deep }: Case): number {
  return (1 + 12 / (geometry[0]?.unit ?? 1)) * (deep ? 6 : 1);
}
