// What the demo plays on: a repository with open keys, a web server, sixteen boards, and somebody in between.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../host/node/clock.ts';
import type { Fetch } from '../../host/node/http.ts';
import { createRepository, type Repository } from '../../repo/index.ts';
import { type StaticServer, serveStatic } from '../../server/static.ts';
import { Attacker } from '../../sim/attacker.ts';
import { SimNetwork, serverSource } from '../../sim/network.ts';
import type { Board } from './board.ts';
import type { Images } from './images.ts';
import { ProcessBoard } from './processboard.ts';
import { SimBoard } from './simboard.ts';

export const HARDWARE = 'demo-board';
export const KEY_PREFIX = 'DEMO-ONLY-';
const BOARDS = 16;
/** Of these, in processes of their own. */
const PROCESSES = 2;

export interface Stage {
  readonly repository: Repository;
  readonly server: StaticServer;
  /** Bytes of content that the server has sent. */
  readonly traffic: { bytes: number };
  readonly images: Images;
  /** All sixteen. */
  readonly boards: readonly Board[];
  /** One of them: its power will fail. */
  readonly unlucky: SimBoard;
  /** One of them: all that it sends and gets passes through the attacker's hands. */
  readonly watched: SimBoard;
  readonly attacker: Attacker;
  /** A board of another kind, behind the same attacker. */
  readonly stranger: SimBoard;
}

/**
 * Builds everything anew in `directory`; what an earlier demo left there goes. `ownProcesses`: some boards run in
 * processes of their own, for which moult-device must be built.
 */
export async function buildStage(directory: string, images: Images, ownProcesses: boolean): Promise<Stage> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const repository = await createRepository(join(directory, 'repository'), {
    encrypt: false,
    name: 'moult-demo',
    keyPrefix: KEY_PREFIX,
  });
  const root = await repository.root(1);
  const traffic = { bytes: 0 };
  const server = await serveStatic({
    directory: repository.publicDirectory,
    onRequest: ({ bytes }) => {
      traffic.bytes += bytes;
    },
  });
  const network = new SimNetwork(serverSource(`${server.url}/`), systemClock);
  const make = (name: string, hardwareId: string, fetch?: Fetch) =>
    new SimBoard({ name, hardwareId, images, root, url: server.url, ...(fetch && { fetch }) });
  const start = (name: string) =>
    new ProcessBoard({
      ...{ name, hardwareId: HARDWARE, images, root, url: server.url },
      folder: join(directory, 'boards', name),
    });
  const unlucky = make(boardName(BOARDS - 1), HARDWARE);
  const watched = make(boardName(BOARDS), HARDWARE, network.fetch);
  const others = Array.from({ length: BOARDS - 2 }, (_, index) => {
    const inProcess = ownProcesses && index >= BOARDS - 2 - PROCESSES;
    return inProcess ? start(boardName(index + 1)) : make(boardName(index + 1), HARDWARE);
  });
  const boards = [...others, unlucky, watched];
  const attacker = new Attacker(network);
  const stranger = make('stranger', 'other-board', network.fetch);
  return { repository, server, traffic, images, boards, unlucky, watched, attacker, stranger };
}

function boardName(number: number): string {
  return `board-${String(number).padStart(2, '0')}`;
}
