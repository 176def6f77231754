// One board updates while its power fails ten times, each time at another place.
import { Area, FetchKind, Status } from '../../host/node/abi.ts';
import type { ClientEvent } from '../../host/node/client.ts';
import { BOOT_AREA } from '../../host/node/flash.ts';
import type { DeviceContents } from '../../sim/device.ts';
import type { Cut, CutKind, Operation } from '../../sim/power.ts';
import { expectState } from './board.ts';
import { Unexpected } from './finding.ts';
import type { Version } from './images.ts';
import type { SimBoard } from './simboard.ts';

export interface CutRow {
  /** When. */
  readonly place: string;
  /** What the flash was doing. */
  readonly operation: string;
  /** The version that boots with what the cut left. */
  readonly boots: Version;
}

interface Place {
  readonly place: string;
  readonly areas: readonly number[];
  readonly kind: CutKind;
  /** The nth such operation since the cut before; the first when left out. */
  readonly nth?: number;
  /** Not before this part of the image is in the slot, from 0 to 1. */
  readonly reach?: number;
  /** Not before all of the image has arrived. */
  readonly arrived?: true;
}

const STORE = [Area.STORE_A, Area.STORE_B];
const JOURNAL = [Area.JOURNAL];
const SLOTS = [Area.SLOT_A, Area.SLOT_B];
const BOOT = [BOOT_AREA];

const PLACES: readonly Place[] = [
  { place: 'new metadata is stored', areas: STORE, kind: 'torn' },
  { place: 'the slot is erased', areas: SLOTS, kind: 'scrambled' },
  { place: 'a quarter of the image is there', areas: SLOTS, kind: 'torn', reach: 0.25 },
  { place: 'progress is noted in the journal', areas: JOURNAL, kind: 'torn', reach: 0.5 },
  { place: 'three quarters of it are there', areas: SLOTS, kind: 'bits', reach: 0.75 },
  { place: 'all of it has been read back', areas: JOURNAL, kind: 'before', arrived: true },
  { place: 'the new slot is selected', areas: BOOT, kind: 'torn' },
  // The first write since then selects the slot once more.
  { place: 'its trial begins', areas: BOOT, kind: 'torn', nth: 2 },
  { place: 'the self-test has passed', areas: JOURNAL, kind: 'before' },
  // The first write since then counts the boot.
  { place: 'the image is confirmed', areas: BOOT, kind: 'torn', nth: 2 },
];

/** Updates the board to `version` through all cuts. Throws unless every cut fired and every boot was sound. */
export async function updateThroughCuts(board: SimBoard, version: Version): Promise<readonly CutRow[]> {
  const { power } = board.device;
  const saboteur = new Saboteur(board);
  board.clientListener = (event) => saboteur.hear(event);
  power.watch = (operation, index) => saboteur.decide(operation, index);
  power.whenCut = () => saboteur.note();
  const outcome = await board.update();
  power.watch = undefined;
  power.whenCut = undefined;
  board.clientListener = undefined;
  expectState(board, outcome, { status: Status.UP_TO_DATE, runs: version });
  if (saboteur.left.length < PLACES.length)
    throw new Unexpected(`only ${saboteur.left.length} of ${PLACES.length} power cuts fired`);
  return bootEach(board, saboteur.left);
}

interface Left {
  readonly place: string;
  readonly operation: string;
  readonly contents: DeviceContents;
}

/** Boots the board with what each cut left, and brings it back to what it is. */
function bootEach(board: SimBoard, left: readonly Left[]): CutRow[] {
  const now = board.device.snapshot();
  const rows = left.map(({ place, operation, contents }) => {
    board.device.restore(contents);
    board.device.powerOn();
    if (board.runs === undefined)
      throw new Unexpected(`${board.name} boots no whole image after a cut when ${place}`);
    return { place, operation, boots: board.runs };
  });
  board.device.restore(now);
  board.device.powerOn();
  return rows;
}

/** Watches what the board does and cuts its power at the next place of the list. */
class Saboteur {
  readonly left: Left[] = [];
  readonly #board: SimBoard;
  /** Operations at the next place so far. */
  #met = 0;
  /** Bytes of the image in its slot. */
  #stored = 0;
  #arrived = false;
  #operation = '';

  constructor(board: SimBoard) {
    this.#board = board;
  }

  hear(event: ClientEvent): void {
    if (event.type === 'accepted' && event.kind === FetchKind.TARGET) this.#arrived = true;
  }

  decide(operation: Operation, index: number): Cut | undefined {
    const next = PLACES[this.left.length];
    if (next === undefined || operation.type === 'counter') return undefined;
    if (operation.type === 'write' && SLOTS.some((slot) => slot === operation.area))
      this.#stored = operation.offset + operation.data.length;
    if (!this.#fits(operation, next) || ++this.#met < (next.nth ?? 1)) return undefined;
    this.#operation = `${operation.type}, ${KINDS[next.kind]}`;
    const units = operation.type === 'write' ? Math.floor(operation.data.length / operation.unit / 2) : 0;
    return { operation: index, kind: next.kind, units };
  }

  note(): void {
    const { place = '' } = PLACES[this.left.length] ?? {};
    this.left.push({ place, operation: this.#operation, contents: this.#board.device.snapshot() });
    this.#met = 0;
    this.#arrived = false;
  }

  #fits(
    operation: Exclude<Operation, { type: 'counter' }>,
    { areas, kind, reach = 0, arrived }: Place,
  ): boolean {
    if (!areas.includes(operation.area) || (operation.type === 'erase') !== (kind === 'scrambled'))
      return false;
    // A torn write needs a half to stop at.
    if (operation.type === 'write' && operation.data.length < 2 * operation.unit) return false;
    const enough = this.#stored >= reach * this.#board.images.length;
    return enough && (this.#arrived || arrived !== true);
  }
}

const KINDS: Readonly<Record<CutKind, string>> = {
  before: 'not begun',
  torn: 'half done',
  bits: 'half and some bits',
  front: 'first half only',
  back: 'second half only',
  scrambled: 'anything left',
  after: 'done',
};
