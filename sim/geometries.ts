// Flash as it is on parts that are in use, with slots as small as a scenario needs them: each layout of blocks, with
// each write unit and both erased values.
import type { AreaGeometry, Geometry } from '../host/node/flash.ts';

export interface NamedGeometry {
  readonly name: string;
  readonly geometry: Geometry;
}

interface Layout {
  readonly name: string;
  /** The write unit of the parts that have it, in bytes. */
  readonly unit: number;
  /** Erase blocks of one bank of the trust store, of the journal, of one slot and of the boot record. */
  readonly bank: readonly number[];
  readonly journal: readonly number[];
  readonly slot: readonly number[];
  readonly boot: readonly number[];
}

const KIB = 1024;
const UNITS = [1, 4, 8, 16, 32];
const ERASED = [0xff, 0x00];

const LAYOUTS: readonly Layout[] = [
  // The first five are those of GEOMETRIES.
  uniform('4 KiB sectors (SPI NOR of an ESP32)', 4, 4 * KIB),
  uniform('2 KiB pages (STM32G4)', 8, 2 * KIB),
  {
    name: 'sectors of several sizes (STM32F7, H7)',
    unit: 32,
    bank: [8 * KIB],
    journal: [2 * KIB, 2 * KIB],
    slot: [2 * KIB, 2 * KIB, 4 * KIB, 8 * KIB],
    boot: [1 * KIB, 2 * KIB],
  },
  { ...uniform('256-byte pages (internal flash of small parts)', 1, 256), journal: repeat(4, 256) },
  uniform('1 KiB pages (STM32U5, WBA)', 16, 1 * KIB),
  { ...uniform('512-byte pages (EFM32 of the first kind)', 4, 512), journal: repeat(4, 512) },
  uniform('8 KiB pages (EFR32, STM32H5)', 16, 8 * KIB),
  uniform('16 KiB sectors', 8, 16 * KIB),
  uniform('32 KiB blocks', 4, 32 * KIB),
  uniform('64 KiB blocks (SPI NOR, block erase)', 4, 64 * KIB),
  uniform('128 KiB sectors (STM32H7)', 32, 128 * KIB),
  {
    name: 'sectors of 16, 64 and 128 KiB (STM32F4)',
    unit: 4,
    bank: [16 * KIB],
    journal: [16 * KIB, 16 * KIB],
    slot: [16 * KIB, 64 * KIB, 128 * KIB],
    boot: [16 * KIB, 64 * KIB],
  },
  {
    name: 'small sectors at the end (NOR with a top boot block)',
    unit: 1,
    bank: [8 * KIB, 2 * KIB, 2 * KIB],
    journal: [2 * KIB, 1 * KIB, 1 * KIB],
    slot: [8 * KIB, 4 * KIB, 2 * KIB, 1 * KIB, 512, 256, 256],
    boot: [2 * KIB, 256],
  },
];

/** Layouts of real parts with their own write units, and both erased values. */
export const GEOMETRIES: readonly NamedGeometry[] = LAYOUTS.slice(0, 5).flatMap((layout) =>
  geometriesOf(layout, [layout.unit]),
);

/** Every layout with every write unit and both erased values. */
export const ALL_GEOMETRIES: readonly NamedGeometry[] = LAYOUTS.flatMap((layout) =>
  geometriesOf(layout, UNITS),
);

/** Of each layout the one that its parts have. */
export const OWN_GEOMETRIES: readonly NamedGeometry[] = LAYOUTS.flatMap((layout, index) =>
  geometriesOf(layout, [layout.unit]).slice(index % 2, (index % 2) + 1),
);

function geometriesOf(layout: Layout, units: readonly number[]): NamedGeometry[] {
  return units.flatMap((unit) =>
    ERASED.map((erased) => ({
      name: `${layout.name}, ${unit}-byte units, erased ${erased === 0 ? '0x00' : '0xff'}`,
      geometry: geometryOf(layout, unit, erased),
    })),
  );
}

function geometryOf({ bank, journal, slot, boot }: Layout, unit: number, erased: number): Geometry {
  return [bank, bank, journal, slot, slot, boot].map((blocks): AreaGeometry => ({ blocks, unit, erased }));
}

/** Banks of 8 KiB and slots of 16 KiB, or one block where that is larger. */
function uniform(name: string, unit: number, block: number): Layout {
  const area = (size: number) => repeat(Math.max(1, size / block), block);
  return {
    name,
    unit,
    bank: area(8 * KIB),
    journal: repeat(2, block),
    slot: area(16 * KIB),
    boot: repeat(2, block),
  };
}

function repeat(count: number, size: number): number[] {
  return Array.from({ length: count }, () => size);
}
