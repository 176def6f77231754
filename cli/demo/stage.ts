// What the demo plays on: a repository with open keys, a web server, sixteen boards, and somebody in between.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../host/node/clock.ts';
import type { Fetch } from '../../host/node/http.ts';
import { createRepository, type Repository } from '../../repo/index.ts';
import { type StaticServer, serveStatic } from '../../server/static.ts';
import { Attacker } from '../../sim/attacker.ts';
import { SimNetwork, serverSource } from '../../sim/network.ts';
import { Board } from './board.ts';
import type { Images } from './images.ts';

export const HARDWARE = 'demo-board';
export const KEY_PREFIX = 'DEMO-ONLY-';
const BOARDS = 16;

export interface Stage {
  readonly repository: Repository;
  readonly server: StaticServer;
  /** Bytes of content that the server has sent. */
  readonly traffic: { bytes: number };
  readonly images: Images;
  /** All sixteen. */
  readonly boards: readonly Board[];
  /** One of them: its power will fail. */
  readonly unlucky: Board;
  /** One of them: all that it sends and gets passes through the attacker's hands. */
  readonly watched: Board;
  readonly attacker: Attacker;
  /** A board of another kind, behind the same attacker. */
  readonly stranger: Board;
}

/** Builds everything anew in `directory`; what an earlier demo left there goes. */
export async function buildStage(directory: string, images: Images): Promise<Stage> {
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
    new Board({ name, hardwareId, images, root, url: server.url, ...(fetch && { fetch }) });
  const unlucky = make(boardName(BOARDS - 1), HARDWARE);
  const watched = make(boardName(BOARDS), HARDWARE, network.fetch);
  const others = Array.from({ length: BOARDS - 2 }, (_, index) => make(boardName(index + 1), HARDWARE));
  const boards = [...others, unlucky, watched];
  const attacker = new Attacker(network);
  const stranger = make('stranger', 'other-board', network.fetch);
  return { repository, server, traffic, images, boards, unlucky, watched, attacker, stranger };
}

function boardName(number: number): string {
  return `board-${String(number).padStart(2, '0')}`;
}
