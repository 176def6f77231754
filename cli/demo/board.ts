// What the demo needs of a board, wherever it runs, and how all of them update at once.
import { Role } from '../../host/node/abi.ts';
import { type Geometry, uniformGeometry } from '../../host/node/flash.ts';
import type { DeviceConfiguration } from '../../host/node/provision.ts';
import type { Output } from '../output.ts';
import { type Finding, findingName, Unexpected } from './finding.ts';
import { FACTORY, type Images, type Version } from './images.ts';

/** What a board tells whoever watches it: bytes of an image so far, or that it has tested one. */
export type BoardNews = { readonly received: number } | 'tested';

export interface Board {
  readonly name: string;
  readonly images: Images;
  /** The engine, for people, as in "14 on V8". */
  readonly runsOn: string;
  /** The version that runs: by the bytes of the slot, not by what anybody says. Undefined: no whole image. */
  readonly runs: Version | undefined;
  listener: ((news: BoardNews) => void) | undefined;
  /** Powers it on for the first time; the version of the root that it trusts then. */
  provision(): Promise<number>;
  /** One check with all that follows from it. */
  update(): Promise<Finding>;
}

const BLOCK = 4096;

/** As on SPI flash, with slots as large as the image needs. */
export function boardGeometry(imageLength: number): Geometry {
  const slot = Math.ceil(imageLength / BLOCK) * BLOCK;
  return uniformGeometry({ block: BLOCK, unit: 4, erased: 0xff, bank: 8 * BLOCK, slot });
}

/** Of a board that leaves the factory now; milliseconds since 1970. */
export function boardConfiguration(hardwareId: string, now: number): DeviceConfiguration {
  return {
    hardwareId,
    component: 'app',
    version: FACTORY,
    releaseCounter: 0,
    securityCounter: 0,
    buildTime: Math.floor(now / 1000) - 60,
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
  const show = (board: Board, news: BoardNews) => {
    if (news === 'tested') tested++;
    else received.set(board, news.received);
    const bytes = [...received.values()].reduce((sum, count) => sum + count, 0);
    bar.update(bytes, `${tested} of ${boards.length} have tested it`);
  };
  for (const board of boards) board.listener = (news) => show(board, news);
  try {
    await Promise.all(boards.map(async (board) => expectState(board, await board.update(), expected)));
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
