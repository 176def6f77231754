// What `npm run sweep` tries: every scenario on every flash layout.
import { ALL_GEOMETRIES, type NamedGeometry, OWN_GEOMETRIES } from '../../sim/geometries.ts';
import type { Effort, Scenario } from '../../sim/powercut.ts';
import { CORE_SCENARIOS } from '../../sim/scenarios/coreupdate.ts';
import { fitsMcuboot, MCUBOOT_SCENARIOS } from '../../sim/scenarios/mcuboot.ts';
import { installErasingAhead, SCENARIOS } from '../../sim/scenarios/powercuts.ts';
import { UPTANE_SCENARIOS } from '../../sim/scenarios/uptane.ts';

/** On every layout. */
const EVERYWHERE = { ...SCENARIOS, ...UPTANE_SCENARIOS };

export interface Case extends NamedGeometry {
  readonly scenario: string;
  /** Pairs and sequences too: on the layouts as parts have them, of all scenarios but long ones. */
  readonly deep: boolean;
}

/**
 * What takes long, on the layouts as parts have them alone: updates of the core differ from those of other components in
 * what boots, not in what is written, and an install that erases ahead in when it erases.
 */
const LONG_SCENARIOS = { ...CORE_SCENARIOS, 'install that erases ahead': installErasingAhead };

/** Those whose layout and scenario contain these texts; boards with MCUboot on the layouts that its swaps are for. */
export function casesOf(geometry = '', scenario = ''): Case[] {
  return ALL_GEOMETRIES.filter(({ name }) => name.includes(geometry)).flatMap((layout) => {
    const deep = OWN_GEOMETRIES.some((own) => own.name === layout.name);
    const names = [
      ...Object.keys(EVERYWHERE),
      ...(deep ? Object.keys(LONG_SCENARIOS) : []),
      ...(fitsMcuboot(layout.geometry) ? Object.keys(MCUBOOT_SCENARIOS) : []),
    ];
    return names
      .filter((name) => name.includes(scenario))
      .map((name) => ({ ...layout, scenario: name, deep: deep && !isLong(name) }));
  });
}

function isLong(scenario: string): boolean {
  return scenario in LONG_SCENARIOS;
}

/** The security counter is on flash where erased bytes are 0xff, and in hardware where they are 0x00. */
export async function open({ geometry, scenario }: Case): Promise<Scenario> {
  const make = { ...EVERYWHERE, ...LONG_SCENARIOS, ...MCUBOOT_SCENARIOS }[scenario];
  if (!make) throw new Error(`no scenario ${scenario}`);
  return make({ geometry, hardwareCounter: geometry[0]?.erased === 0 });
}

export function effortOf({ deep }: Case, sequences: number): Effort {
  const single = { places: Number.POSITIVE_INFINITY, liveEvery: 250 };
  if (!deep) return single;
  return { ...single, pairPlaces: 2, seeds: Array.from({ length: sequences }, (_, index) => index + 1) };
}

/** About how long it takes beside others. */
export function weight({ geometry, deep, scenario }: Case): number {
  return (1 + 12 / (geometry[0]?.unit ?? 1)) * (deep || isLong(scenario) ? 6 : 1);
}
