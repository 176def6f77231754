// The flash of a device in a folder (docs/formats.md, "Flash in a file"): as on a microcontroller with 8 MiB of SPI flash.
import { existsSync, readFileSync } from 'node:fs';
import { Area } from '../../host/node/abi.ts';
import { type Geometry, slotArea, uniformGeometry, withComponents } from '../../host/node/flash.ts';
import { MOST_MORE } from './components.ts';

const BLOCK = 4096;
const GEOMETRY = uniformGeometry({
  block: BLOCK,
  unit: 4,
  erased: 0xff,
  bank: 64 * 1024,
  slot: 2 * 1024 * 1024,
  log: 16 * 1024,
});

/** Of each slot of a core. It is known by that: the host must know it before any core has read a configuration. */
const CORE_BLOCKS = (128 * 1024) / BLOCK;

/**
 * A device keeps what it has: devices from before there was a log go on without one. A new one has so many components
 * beside the main one, and `core` is the number of the one that the core is.
 */
export function geometryOf(path: string, more: number, core: number | undefined): Geometry {
  const stored = existsSync(`${path}.json`) && readFileSync(`${path}.json`, 'utf8').trim();
  const known = Array.from({ length: MOST_MORE + 1 }, (_, count) => withEachCore(count)).flat();
  const own = [GEOMETRY.slice(0, Area.LOG), ...known].find((one) => JSON.stringify(one) === stored);
  return own ?? withCore(more, core);
}

/** The number of the component that the core is; undefined: none is. */
export function coreIn(geometry: Geometry): number | undefined {
  const areas = Array.from({ length: MOST_MORE }, (_, index) => geometry[slotArea(index + 1, 0)]);
  const index = areas.findIndex((area) => area?.blocks.length === CORE_BLOCKS);
  return index < 0 ? undefined : index + 1;
}

function withEachCore(more: number): Geometry[] {
  return Array.from({ length: more + 1 }, (_, core) => withCore(more, core === 0 ? undefined : core));
}

function withCore(more: number, core: number | undefined): Geometry {
  const slots = core === undefined ? [] : [slotArea(core, 0), slotArea(core, 1)];
  return withComponents(GEOMETRY, more).map((area, index) =>
    slots.includes(index) ? { ...area, blocks: area.blocks.slice(0, CORE_BLOCKS) } : area,
  );
}
