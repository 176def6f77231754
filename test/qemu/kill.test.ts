// QEMU killed at a hundred seeded instants of six updates, and on the other machines of two: the board always boots a whole
// image, and always completes.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { FetchKind, State, Status } from '../../host/node/abi.ts';
import type { GatewayEvent } from '../../host/node/gateway.ts';
import { CORTEX_M4_MCUBOOT, CORTEX_MACHINES, type Machine, RV32IMC } from '../../sim/machines.ts';
import { Random } from '../../sim/random.ts';
import { onBoard } from '../fixtures/qemu.ts';
import { type BoardRelease, BoardWorld } from './world.ts';

/** The flash of the first is QEMU's own, that of the others is host/qemu/cortex-m/nor.c. */
const BOARDS = [
  { machine: RV32IMC, updates: 6, kills: 100 },
  ...[...CORTEX_MACHINES, CORTEX_M4_MCUBOOT].map((machine) => ({ machine, updates: 2, kills: 30 })),
];
/** Kills of one update, in this order; a board gives up an image after nine trials, so there are few of the last. */
const KILLS: readonly (readonly [count: number, when: When])[] = [
  [6, 'starting'],
  [4, 'metadata'],
  [4, 'image'],
  [1, 'late'],
  [1, 'rebooting'],
  [2, 'starting'],
];
/** What a board was at when it was killed; `idle` is after its check and does not count. */
const PHASES = ['image', 'metadata', 'starting', 'trial'];
const TIMEOUT = 600_000;

/** What to wait for before a kill. */
type When = 'starting' | 'metadata' | 'image' | 'late' | 'rebooting';

describe.each(BOARDS)('[CERT-C-5] an emulated board whose QEMU is killed, $machine.name', (board) => {
  const { machine, updates, kills } = board;
  onBoard(machine)(
    `${kills} times at work boots a whole image each time, with the counter of a confirmed one, and is updated`,
    async () => {
      const life = new Life(machine);
      for (let counter = 2; counter < 2 + updates; counter++) await life.update(counter);
      expect(life.kills).toBeGreaterThanOrEqual(kills);
      expect(Object.keys(life.at).sort()).toEqual(PHASES);
    },
    TIMEOUT,
  );
});

class Life {
  /** Kills at work, by what the board was at. */
  readonly at: Record<string, number> = {};
  readonly #world: BoardWorld;
  readonly #random = new Random(1);
  #running: BoardRelease;

  constructor(machine: Machine) {
    this.#world = new BoardWorld(machine);
    this.#running = this.#world.factory;
  }

  get kills(): number {
    return Object.values(this.at).reduce((sum, count) => sum + count, 0);
  }

  async update(counter: number): Promise<void> {
    const next = this.#world.release(counter);
    this.#world.repository.publish(next);
    for (const [count, when] of KILLS)
      for (let kill = 0; kill < count; kill++) {
        const phase = await this.#kill(when);
        if (phase !== 'idle') this.at[phase] = (this.at[phase] ?? 0) + 1;
        this.#checkWhole([this.#running.image, next.image]);
      }
    const report = await this.#world.runUntil(({ event }) => event === 'checked');
    const { status, engine } = report;
    expect({ status, engine }).toEqual({
      status: Status.UP_TO_DATE,
      engine: `wasm3, image ${next.version}`,
    });
    this.#checkWhole([next.image]);
    this.#checkCounters();
    this.#running = next;
  }

  /** Switches on, waits, and kills. What the board was at. */
  async #kill(when: When): Promise<string> {
    const { events, board, network } = this.#world;
    const first = events.length;
    const seen = () => events.slice(first);
    const bytes = network.sent + this.#random.below(when === 'late' ? 80_000 : 12_000) + 1000;
    const run = board.start();
    while (!isTime(when, seen(), network.sent >= bytes)) await sleep(1);
    await sleep(this.#random.below(when === 'starting' ? 250 : 40));
    run.kill();
    await run.ended;
    return phaseOf(seen());
  }

  /** Whatever boots next is one of these, byte for byte. */
  #checkWhole(images: readonly Uint8Array[]): void {
    const slot = this.#world.board.nextToRun();
    const same = images.filter((image) => Buffer.compare(slot.subarray(0, image.length), image) === 0);
    expect(same).toHaveLength(1);
  }

  /** In all that the board has reported, the security counter is the one of the image that is confirmed. */
  #checkCounters(): void {
    for (const { state, installedVersion } of this.#world.reports)
      expect(state[State.SECURITY_COUNTER]).toBe(Number(installedVersion.split('.')[1]));
  }
}

function isTime(when: When, events: readonly GatewayEvent[], enough: boolean): boolean {
  if (when === 'starting' || reported(events, 'checked')) return true;
  if (when === 'rebooting') return reported(events, 'reboots');
  if (when === 'metadata') return events.some(({ type }) => type === 'fetch');
  return enough;
}

function reported(events: readonly GatewayEvent[], what: string): boolean {
  return events.some((event) => event.type === 'report' && event.report.event === what);
}

/** By the last that was heard of the board since it was switched on. */
function phaseOf(events: readonly GatewayEvent[]): string {
  if (reported(events, 'checked')) return 'idle';
  if (reported(events, 'reboots') || reported(events, 'on-trial')) return 'trial';
  const fetched = events.findLast((event) => event.type === 'fetch');
  if (fetched?.type !== 'fetch') return 'starting';
  return fetched.kind === FetchKind.TARGET ? 'image' : 'metadata';
}
