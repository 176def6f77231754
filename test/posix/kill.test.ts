// kill -9 at random instants, two hundred times: the process always boots and completes its update, and what it left
// on its flash is what a power cut between two units leaves.
import { type FSWatcher, readdirSync, readFileSync, statSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { State, Status } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import { Core } from '../../host/node/core.ts';
import type { SimDevice } from '../../sim/device.ts';
import type { Operation } from '../../sim/power.ts';
import { Random } from '../../sim/random.ts';
import type { SimRelease } from '../../sim/repository.ts';
import { withPosix } from '../fixtures/posix.ts';
import { activity, whereKilled } from './killed.ts';
import { contentsOf, FACTORY, GEOMETRY, PosixWorld, release } from './world.ts';

const KILLS = 200;
/** Of one device, before the next one leaves the factory. */
const RELEASES = 3;
/** Boots of one release on trial that are killed: a device gives it up after nine without an answer. */
const MOST_TRIALS = 5;
const ACTIVITIES = ['boot record', 'journal', 'provisioning', 'slot, erase', 'slot, image', 'trust store'];
const NEW_DEVICES = 10;
/** Milliseconds. */
const NEW_DEVICE_SPAN = 40;
const TIMEOUT = 240_000;

describe('[CERT-C-5] kill -9', () => {
  withPosix(
    'two hundred times at work: always a whole image, the counters of a confirmed one, and the update completes',
    async () => {
      const tally = new Tally();
      for (let seed = 1; tally.kills < KILLS; seed++) {
        const life = new Life(seed, await firstUpdate(), tally);
        for (let counter = 1; counter <= RELEASES; counter++) await life.update(release(counter));
      }
      expect(Object.keys(tally.at).sort()).toEqual(ACTIVITIES);
      expect(tally.torn).toBeGreaterThan(10);
    },
    TIMEOUT,
  );

  withPosix(
    'in the making and provisioning of a new device: the next start makes it whole',
    async () => {
      const left = new Set<string>();
      const random = new Random(1);
      for (let seed = 1; seed <= NEW_DEVICES; seed++) {
        const world = new PosixWorld({ makesFlash: true, seed });
        world.repository.publish(release(1));
        for (let kills = 0; kills < 3; kills++) {
          await killAfter(world, random.below(NEW_DEVICE_SPAN));
          left.add(whatIsThere(dirname(world.device.flashPath)));
        }
        const { status, checked } = await world.device.update();
        expect({ status, checked }).toMatchObject({ status: 0, checked: { installedVersion: '1.1.0' } });
      }
      expect(left.size).toBeGreaterThan(1);
    },
    TIMEOUT,
  );
});

/** Kills of a device at work; one that had ended, or had nothing left to do on its flash, does not count. */
class Tally {
  kills = 0;
  /** Of these, in the midst of a write or an erase. */
  torn = 0;
  /** By what the device was doing, or was going to do next. */
  readonly at: Record<string, number> = {};

  count(what: string, torn: boolean): void {
    this.kills++;
    if (torn) this.torn++;
    this.at[what] = (this.at[what] ?? 0) + 1;
  }
}

/** A device from its factory on. */
class Life {
  readonly #world: PosixWorld;
  readonly #twin: SimDevice;
  readonly #random: Random;
  readonly #tally: Tally;
  /** Milliseconds in which a kill comes. */
  #span: number;
  #installed: SimRelease = FACTORY;
  #watcher: FSWatcher | undefined;
  /** Boots of the release on trial that were killed. */
  #trials = 0;

  constructor(seed: number, { span, randomAt }: FirstUpdate, tally: Tally) {
    this.#world = new PosixWorld({ seed });
    this.#world.randomAt = randomAt;
    this.#twin = this.#world.twin();
    this.#random = new Random(seed);
    this.#span = span;
    this.#tally = tally;
  }

  /** Publishes a release and kills the device until it has it. */
  async update(next: SimRelease): Promise<void> {
    this.#world.repository.publish(next);
    for (let before = this.#flash(); (await this.#due(before)).length > 0; before = this.#flash())
      await this.#run(before, next);
    expect(Buffer.compare(this.#twin.running(next.image.length), next.image)).toBe(0);
    this.#installed = next;
    this.#trials = 0;
  }

  /** What the device has to do on its flash until it waits again, as the twin does it. */
  async #due(before: Buffer): Promise<readonly Operation[]> {
    this.#restore(before);
    this.#twin.power.log = [];
    await this.#twin.update();
    return this.#twin.power.log;
  }

  async #run(before: Buffer, next: SimRelease): Promise<void> {
    const isNew = !this.#isProvisioned(before);
    await this.#killAtRandom();
    const after = this.#flash();
    // Only now: a new device has drawn its random bytes, and its twin is to have the same.
    const due = await this.#due(before);
    const place = whereKilled(before, after, due, GEOMETRY);
    if (place === undefined) throw new Error('the flash holds what no power cut leaves');
    const doing = due[place.operation];
    const provisioning = isNew && !this.#isProvisioned(after);
    // The machine has become slower since.
    if (place.operation + place.bytes === 0) this.#span *= 1.1;
    if (doing) this.#tally.count(provisioning ? 'provisioning' : activity(doing), place.bytes > 0);
    this.#checkSound(after, next);
  }

  /** At a random instant; every other time when something is written next. */
  async #killAtRandom(): Promise<void> {
    const run = this.#world.device.start();
    const kill = () => this.#trials > MOST_TRIALS || run.kill();
    const strike = this.#random.chance(0.5) ? () => this.#whenWritten(kill) : kill;
    const timer = setTimeout(strike, this.#random.below(this.#span));
    const { status, said } = await run.ended;
    clearTimeout(timer);
    this.#watcher?.close();
    if (status !== null) expect({ status, said }).toEqual({ status: 0, said: expect.any(String) });
  }

  #whenWritten(act: () => void): void {
    this.#watcher = watch(this.#world.device.flashPath, act);
  }

  #isProvisioned(contents: Buffer): boolean {
    this.#restore(contents);
    const { flash } = this.#twin;
    return new Core({ flash, boot: new RecordedBoot(flash) }).coreStart() !== Status.NOT_PROVISIONED;
  }

  /** Boots a copy of what was left. */
  #checkSound(contents: Buffer, next: SimRelease): void {
    this.#restore(contents);
    const core = this.#twin.powerOn();
    const either = [this.#installed, next];
    const runs = either.find(({ image }) => Buffer.compare(this.#twin.running(image.length), image) === 0);
    if (core.stateRead(State.ON_TRIAL) === 1) this.#trials++;
    const counter = core.stateRead(State.INSTALLED_RELEASE);
    const confirmed = either.find(({ releaseCounter }) => releaseCounter === counter);
    expect(runs).toBeDefined();
    expect(confirmed).toBeDefined();
    if (confirmed === next) expect(runs).toBe(next);
    expect(core.stateRead(State.SECURITY_COUNTER)).toBeLessThanOrEqual(confirmed?.securityCounter ?? 0);
  }

  #restore(contents: Buffer): void {
    this.#twin.restore({ flash: contentsOf(contents, GEOMETRY), counter: 0 });
  }

  #flash(): Buffer {
    return readFileSync(this.#world.device.flashPath);
  }
}

interface FirstUpdate {
  /** How long an update takes on this machine, in milliseconds. */
  readonly span: number;
  /** Where in its flash file a device keeps its random bytes. */
  readonly randomAt: number;
}

/** The first update of a new device, in which nothing is killed. */
async function firstUpdate(): Promise<FirstUpdate> {
  const world = new PosixWorld();
  world.repository.publish(release(1));
  const begun = performance.now();
  await world.device.update();
  const span = performance.now() - begun;
  const randomAt = world.findRandom();
  if (randomAt === undefined) throw new Error('a device without random bytes');
  return { span, randomAt };
}

async function killAfter({ device }: PosixWorld, milliseconds: number): Promise<void> {
  const run = device.start();
  const kill = setTimeout(() => run.kill(), milliseconds);
  await run.ended;
  clearTimeout(kill);
}

/** The files that a kill has left of a device; its own, and not what it was given. */
function whatIsThere(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.startsWith('flash'));
  return files.map((name) => `${name} ${statSync(join(folder, name)).size}`).join();
}
