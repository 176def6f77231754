// Flash as it is on parts that are in use, with slots as small as a scenario needs them.
import type { AreaGeometry, Geometry } from '../host/node/flash.ts';

export interface NamedGeometry {
  readonly name: string;
  readonly geometry: Geometry;
}

interface Layout {
  readonly name: string;
  readonly unit: number;
  /** Erase blocks of one bank of the trust store, of the journal, of one slot and of the boot record. */
  readonly bank: readonly number[];
  readonly journal: readonly number[];
  readonly slot: readonly number[];
  readonly boot: readonly number[];
}

const KIB = 1024;

const LAYOUTS: readonly Layout[] = [
  {
    name: '4 KiB sectors, 4-byte units (SPI NOR of an ESP32)',
    unit: 4,
    bank: [4 * KIB, 4 * KIB],
    journal: [4 * KIB, 4 * KIB],
    slot: repeat(4, 4 * KIB),
    boot: [4 * KIB, 4 * KIB],
  },
  {
    name: '2 KiB pages, 8-byte units (STM32G4)',
    unit: 8,
    bank: repeat(4, 2 * KIB),
    journal: [2 * KIB, 2 * KIB],
    slot: repeat(8, 2 * KIB),
    boot: [2 * KIB, 2 * KIB],
  },
  {
    name: 'sectors of several sizes, 32-byte units (STM32F7, H7)',
    unit: 32,
    bank: [8 * KIB],
    journal: [2 * KIB, 2 * KIB],
    slot: [2 * KIB, 2 * KIB, 4 * KIB, 8 * KIB],
    boot: [1 * KIB, 2 * KIB],
  },
  {
    name: '256-byte pages, 1-byte units (internal flash of small parts)',
    unit: 1,
    bank: repeat(32, 256),
    journal: repeat(4, 256),
    slot: repeat(64, 256),
    boot: repeat(2, 256),
  },
  {
    name: '1 KiB pages, 16-byte units (STM32U5, WBA)',
    unit: 16,
    bank: repeat(8, 1 * KIB),
    journal: repeat(2, 1 * KIB),
    slot: repeat(16, 1 * KIB),
    boot: repeat(2, 1 * KIB),
  },
];

/** Each layout with both erased values. */
export const GEOMETRIES: readonly NamedGeometry[] = LAYOUTS.flatMap((layout) =>
  [0xff, 0x00].map((erased) => ({
    name: `${layout.name}, erased ${erased === 0 ? '0x00' : '0xff'}`,
    geometry: geometryOf(layout, erased),
  })),
);

function geometryOf({ unit, bank, journal, slot, boot }: Layout, erased: number): Geometry {
  return [bank, bank, journal, slot, slot, boot].map((blocks): AreaGeometry => ({ blocks, unit, erased }));
}

function repeat(count: number, size: number): number[] {
  return Array.from({ length: count }, () => size);
}
