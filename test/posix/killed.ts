// What a kill has left in a flash file, told by the operations that the same device does in V8: the simulator knows
// what a power cut leaves of each (sim/power.ts), and a kill must leave the same.
import { Area } from '../../host/node/abi.ts';
import { BOOT_AREA, type Geometry } from '../../host/node/flash.ts';
import type { Operation } from '../../sim/power.ts';

/** Bytes that the program erases together. */
const ERASE_PIECE = 256;

export interface Place {
  /** All operations before this one are done. */
  readonly operation: number;
  /** So many bytes of it. */
  readonly bytes: number;
}

/** Where the device was when it was killed; undefined: nowhere that a power cut could have left it. */
export function whereKilled(
  before: Buffer,
  after: Buffer,
  operations: readonly Operation[],
  geometry: Geometry,
): Place | undefined {
  const image = new Rebuilt(before, after);
  if (image.isSame) return { operation: 0, bytes: 0 };
  for (const [index, operation] of operations.entries()) {
    for (const { start, bytes, end } of pieces(operation, geometry)) {
      image.set(start, bytes);
      if (image.isSame)
        return isWhole(operation, end)
          ? { operation: index + 1, bytes: 0 }
          : { operation: index, bytes: end };
    }
  }
  return undefined;
}

/** What an operation writes together: where in the file, what, and how much of the operation is then done. */
function* pieces(operation: Operation, geometry: Geometry) {
  if (operation.type === 'counter') throw new Error('this device has no counter in hardware');
  const start = areaStart(geometry, operation.area) + operation.offset;
  const length = lengthOf(operation);
  const erased = geometry[operation.area]?.erased ?? 0xff;
  const size = operation.type === 'write' ? operation.unit : ERASE_PIECE;
  for (let from = 0; from < length; from += size) {
    const bytes =
      operation.type === 'write'
        ? operation.data.subarray(from, from + size)
        : new Uint8Array(size).fill(erased);
    yield { start: start + from, bytes, end: from + size };
  }
}

function isWhole(operation: Operation, end: number): boolean {
  return operation.type !== 'counter' && end >= lengthOf(operation);
}

function lengthOf(operation: Exclude<Operation, { type: 'counter' }>): number {
  return operation.type === 'write' ? operation.data.length : operation.length;
}

export function areaStart(geometry: Geometry, area: number): number {
  return geometry.slice(0, area).reduce((sum, { blocks }) => sum + blocks.reduce((a, b) => a + b, 0), 0);
}

/** Bytes that become others, and how many of them differ from what is looked for. */
class Rebuilt {
  readonly #bytes: Buffer;
  readonly #wanted: Buffer;
  #different = 0;

  constructor(bytes: Buffer, wanted: Buffer) {
    this.#bytes = Buffer.from(bytes);
    this.#wanted = wanted;
    for (let at = 0; at < wanted.length; at++) if (bytes[at] !== wanted[at]) this.#different++;
  }

  get isSame(): boolean {
    return this.#different === 0;
  }

  set(start: number, bytes: Uint8Array): void {
    bytes.forEach((byte, index) => {
      const at = start + index;
      if (this.#bytes[at] !== this.#wanted[at]) this.#different--;
      if (byte !== this.#wanted[at]) this.#different++;
      this.#bytes[at] = byte;
    });
  }
}

/** What a device was at, for people. */
export function activity(operation: Operation): string {
  if (operation.type === 'counter') return 'counter';
  switch (operation.area) {
    case Area.STORE_A:
    case Area.STORE_B:
      return 'trust store';
    case Area.JOURNAL:
      return 'journal';
    case BOOT_AREA:
      return 'boot record';
    default:
      return operation.type === 'erase' ? 'slot, erase' : 'slot, image';
  }
}
