// The boards of the demo: simulated flash and power, the real core, real HTTP.
import { FetchKind, Role } from '../../host/node/abi.ts';
import type { ClientEvent } from '../../host/node/client.ts';
import { type Clock, systemClock } from '../../host/node/clock.ts';
import { type Geometry, uniformGeometry } from '../../host/node/flash.ts';
import type { Fetch } from '../../host/node/http.ts';
import { SimDevice } from '../../sim/device.ts';
import type { Output } from '../output.ts';
import { type Finding, findingName, Unexpected } from './finding.ts';
import { FACTORY, type Images, passesSelfTest, type Version } from './images.ts';

const BLOCK = 4096;

export interface BoardOptions {
  readonly name: string;
  readonly hardwareId: string;
  readonly images: Images;
  readonly root: Uint8Array;
  /** Where the repository is served, without a slash at the end. */
  readonly url: string;
  /** Where the board's requests go; straight to the network when left out. */
  readonly fetch?: Fetch;
}

/** A clock that can be moved on, instead of waiting. */
class BoardClock implements Clock {
  /** Milliseconds ahead of the system's clock. */
  ahead = 0;

  now(): number {
    return systemClock.now() + this.ahead;
  }

  after(milliseconds: number, action: () => void): () => void {
    return systemClock.after(milliseconds, action);
  }
}

export class Board {
  readonly name: string;
  readonly images: Images;
  readonly clock = new BoardClock();
  readonly device: SimDevice;
  /** Told what the client of this board does. */
  listener: ((event: ClientEvent) => void) | undefined;

  constructor({ name, hardwareId, images, root, url, fetch }: BoardOptions) {
    this.name = name;
    this.images = images;
    this.device = new SimDevice({
      root,
      image: images.of(FACTORY),
      configuration: configuration(hardwareId, this.clock),
      client: {
        metadataUrl: `${url}/metadata/`,
        targetsUrl: `${url}/targets/`,
        clock: this.clock,
        onEvent: (event) => this.listener?.(event),
        ...(fetch && { fetch }),
      },
      geometry: geometry(images.length),
      selfTest: (device) => passesSelfTest(device.running(images.length)),
    });
  }

  /** The version that runs: by the bytes of the slot, not by what anybody says. Undefined: no whole image. */
  get runs(): Version | undefined {
    return this.images.versionOf(this.device.running(this.images.length));
  }
}

/** As on SPI flash, with slots as large as the image needs. */
function geometry(imageLength: number): Geometry {
  const slot = Math.ceil(imageLength / BLOCK) * BLOCK;
  return uniformGeometry({ block: BLOCK, unit: 4, erased: 0xff, bank: 8 * BLOCK, slot });
}

function configuration(hardwareId: string, clock: Clock) {
  return {
    hardwareId,
    component: 'app',
    version: FACTORY,
    releaseCounter: 0,
    securityCounter: 0,
    buildTime: Math.floor(clock.now() / 1000) - 60,
    checkInterval: 3600,
  };
}

/** What a board must say and run at the end of a check. */
export interface Expected {
  readonly status: number;
  readonly runs: Version;
}

/** All boards check at once, with all that follows, and must end as expected; a bar shows their downloads. */
export async function updateAll(
  boards: readonly Board[],
  label: string,
  expected: Expected,
  output: Output,
): Promise<void> {
  const total = boards.reduce((sum, { images }) => sum + images.length, 0);
  const bar = output.progress(label, total);
  const received = new Map<Board, number>();
  let tested = 0;
  const show = (board: Board, event: ClientEvent) => {
    if (event.type === 'progress' && event.kind === FetchKind.TARGET) received.set(board, event.received);
    if (event.type === 'confirmed' || event.type === 'rejected') tested++;
    const bytes = [...received.values()].reduce((sum, count) => sum + count, 0);
    bar.update(bytes, `${tested} of ${boards.length} have tested it`);
  };
  for (const board of boards) board.listener = (event) => show(board, event);
  try {
    await Promise.all(boards.map(async (board) => expectState(board, await board.device.update(), expected)));
  } finally {
    bar.stop();
    for (const board of boards) board.listener = undefined;
  }
}

/** Throws unless a check of a board ended as it must, and the board runs what it must. */
export function expectState(board: Board, outcome: Finding, { status, runs }: Expected): void {
  if (outcome.status === status && board.runs === runs) return;
  const found = `runs ${board.runs ?? 'no whole image'} and says ${findingName(outcome)}`;
  const due = `${runs} and ${findingName({ status, role: Role.NONE })}`;
  throw new Unexpected(`${board.name} ${found}; due were ${due}`);
}
