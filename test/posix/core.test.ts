// The core as a component of a device in C: it does to its flash what the device in Node does, whatever the core is worth.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { FolderDevice } from '../../cli/device/folder.ts';
import { State, Status } from '../../host/node/abi.ts';
import { Client } from '../../host/node/client.ts';
import { slotArea } from '../../host/node/flash.ts';
import { coreImage } from '../../repo/index.ts';
import type { SimDevice } from '../../sim/device.ts';
import type { Operation } from '../../sim/power.ts';
import { COMPILED_DEVICE_PROGRAM, type DeviceEnd } from '../../sim/process.ts';
import { Random } from '../../sim/random.ts';
import { withCompiledDevice } from '../fixtures/aot.ts';
import { BROKEN_CORES, GOOD_CORE, named, trapping } from '../fixtures/cores.ts';
import { SANITIZED_DEVICE, withPosix, withSanitizers } from '../fixtures/posix.ts';
import { areaStart, whereKilled } from './killed.ts';
import { CORE_GEOMETRY, contentsOf, coreRelease, flashBytes, PosixWorld, release } from './world.ts';

const THIRD = coreImage(named('third'));
const GIVEN_UP = /the core on trial is given up: (.*)\n/g;

/** One update of the process and of its twin, from the same flash to the same flash. */
async function both(world: PosixWorld, twin: SimDevice, outcome: number): Promise<DeviceEnd> {
  const end = await world.device.update();
  expect(await twin.update()).toMatchObject({ status: outcome });
  expect({ said: end.said, status: end.checked?.status }).toEqual({ said: end.said, status: outcome });
  expect(readFileSync(world.device.flashPath).equals(flashBytes(twin.flash))).toBe(true);
  return end;
}

describe('[CERT-C-3] the core of a device in C is a component of it', () => {
  withPosix('a new core runs from its slot, is confirmed, and installs the next one', async () => {
    const world = new PosixWorld({ coreSlots: true });
    const twin = world.twin();
    await both(world, twin, Status.UP_TO_DATE);
    world.repository.publish(coreRelease(2, GOOD_CORE));
    await both(world, twin, Status.UP_TO_DATE);
    expect(twin.slots).toBe(0b10);
    world.repository.publish(release(1), coreRelease(3, THIRD));
    const { said } = await both(world, twin, Status.UP_TO_DATE);
    expect(twin.slots).toBe(0b01);
    expect(said).not.toContain('given up');
  });

  for (const [name, image] of BROKEN_CORES)
    withPosix(
      `one that ${name} is given up, with all that came with it, and the next one is installed`,
      async () => {
        const world = new PosixWorld({ coreSlots: true });
        const twin = world.twin();
        world.repository.publish(release(1), coreRelease(2, image()));
        const { said } = await both(world, twin, Status.RELEASE_FAILED_BEFORE);
        expect([...said.matchAll(GIVEN_UP)]).toHaveLength(3);
        world.repository.publish(coreRelease(3, THIRD));
        await both(world, twin, Status.UP_TO_DATE);
        expect(twin.slots).toBe(0b11);
      },
    );

  withPosix(
    'one that is on trial in a device of moult device run is run, and not only confirmed',
    async () => {
      const world = new PosixWorld({ coreSlots: true, makesFlash: true });
      const folder = dirname(world.device.flashPath);
      const configuration = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
      const provisioning = { configuration, root: world.repository.root };
      const there = new FolderDevice({ folder, provisioning, onProvisioned: () => undefined });
      world.repository.publish(release(1), coreRelease(2, trapping('agent_step')));
      const client = new Client(world.gateway);
      expect(await client.check(there.powerOn(client))).toMatchObject({ action: 'reboot' });
      there.switchOff();
      const { status, said } = await world.device.update();
      expect({ status, said }).toMatchObject({ status: 1, said: expect.stringMatching(GIVEN_UP) });
      world.repository.publish(coreRelease(3, THIRD));
      expect(await world.device.update()).toMatchObject({
        status: 0,
        checked: { installedVersion: '1.1.0' },
      });
    },
  );

  withSanitizers('under ASan and UBSan: one that works, one without a header, one that traps', async () => {
    const world = new PosixWorld({ coreSlots: true, program: SANITIZED_DEVICE });
    const steps = [
      [coreRelease(2, GOOD_CORE), 0],
      [coreRelease(3, named('bare')), 1],
      [coreRelease(4, trapping('core_start')), 1],
      [coreRelease(5, THIRD), 0],
    ] as const;
    for (const [core, status] of steps) {
      world.repository.publish(core);
      const end = await world.device.update();
      expect(end).toMatchObject({ status, said: expect.stringContaining('1.0.0 runs') });
    }
  });

  withPosix(
    'a confirmed core that flash has lost is replaced by that of the program, never by the other slot',
    async () => {
      const world = new PosixWorld({ coreSlots: true });
      const twin = world.twin();
      world.repository.publish(coreRelease(2, GOOD_CORE));
      await both(world, twin, Status.UP_TO_DATE);
      damage(world, twin);
      world.repository.publish(coreRelease(3, THIRD));
      const { said } = await both(world, twin, Status.UP_TO_DATE);
      expect(said).toContain('has lost its core (not the core that this firmware was built with)');
      expect(twin.slots).toBe(0);
    },
  );
});

/** The core in slot B loses a bit; slot A holds one that nobody has signed. */
function damage(world: PosixWorld, twin: SimDevice): void {
  const other = trapping('core_start');
  const at = areaStart(CORE_GEOMETRY, slotArea(1, 1)) + 5000;
  const bytes = readFileSync(world.device.flashPath);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  bytes.set(other, areaStart(CORE_GEOMETRY, slotArea(1, 0)));
  writeFileSync(world.device.flashPath, bytes);
  twin.flash.rot(slotArea(1, 1), 5000, 1);
  twin.flash.write(slotArea(1, 0), 0, padded(other, 16));
}

function padded(bytes: Uint8Array, unit: number): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / unit) * unit).fill(0xff);
  whole.set(bytes);
  return whole;
}

withPosix(
  '[CERT-C-5] kill -9 at random instants of an update to a core, one that works and one that traps: both components are old or both new',
  async () => {
    let kills = 0;
    for (let seed = 1; kills < KILLS; seed++) {
      const works = seed % 2 === 1;
      const image = works ? GOOD_CORE : trapping('agent_step');
      const life = new Life(seed, image);
      kills += await life.update();
      expect(life.slots).toBe(works ? 0b11 : 0);
    }
  },
  240_000,
);

const KILLS = 40;
/** Of one update; and boots of the core on trial that are killed: it is given up after nine without an answer. */
const MOST_KILLS = 12;
const MOST_TRIALS = 5;

/** An update to a core, killed again and again. */
class Life {
  readonly #world: PosixWorld;
  readonly #twin: SimDevice;
  readonly #random: Random;
  readonly #images: readonly Uint8Array[];
  #kills = 0;
  #trials = 0;
  /** Milliseconds in which a kill comes. */
  #span = 0;

  constructor(seed: number, core: Uint8Array) {
    this.#world = new PosixWorld({ coreSlots: true, seed });
    this.#twin = this.#world.twin();
    this.#random = new Random(seed);
    this.#images = [release(1).image, core];
  }

  get slots(): number {
    return this.#twin.slots;
  }

  /** The kills that it took. */
  async update(): Promise<number> {
    const begun = performance.now();
    await both(this.#world, this.#twin, Status.UP_TO_DATE);
    this.#span = 4 * (performance.now() - begun);
    const [, core = new Uint8Array()] = this.#images;
    this.#world.repository.publish(release(1), coreRelease(2, core));
    for (let before = this.#flash(); ; before = this.#flash()) {
      const due = await this.#due(before);
      if (due.length === 0) return this.#kills;
      await this.#run();
      const after = this.#flash();
      expect(whereKilled(before, after, due, CORE_GEOMETRY)).toBeDefined();
      this.#checkSound(after);
    }
  }

  /** What the device has to do on its flash until it waits again, as the twin does it. */
  async #due(before: Buffer): Promise<readonly Operation[]> {
    this.#restore(before);
    this.#twin.power.log = [];
    await this.#twin.update();
    return this.#twin.power.log;
  }

  async #run(): Promise<void> {
    const run = this.#world.device.start();
    const spared = this.#kills >= MOST_KILLS || this.#trials > MOST_TRIALS;
    const timer = spared ? undefined : setTimeout(run.kill, this.#random.below(this.#span));
    if ((await run.ended).status === null) this.#kills++;
    clearTimeout(timer);
  }

  #checkSound(after: Buffer): void {
    this.#restore(after);
    const core = this.#twin.powerOn();
    if (core.stateRead(State.ON_TRIAL) === 1) this.#trials++;
    expect([0, 0b11]).toContain(this.slots);
    for (const [component, image] of this.slots === 0 ? [] : this.#images.entries())
      expect(Buffer.compare(this.#twin.running(image.length, component), image)).toBe(0);
    const confirmed = core.components().map(({ releaseCounter }) => releaseCounter);
    expect(['0,1', '1,2']).toContain(confirmed.join());
  }

  #restore(contents: Buffer): void {
    this.#twin.restore({ flash: contentsOf(contents, CORE_GEOMETRY), counter: 0 });
  }

  #flash(): Buffer {
    return readFileSync(this.#world.device.flashPath);
  }
}

withCompiledDevice('[CERT-C-3] a core that is compiled in gives up any other', async () => {
  const world = new PosixWorld({ coreSlots: true, program: COMPILED_DEVICE_PROGRAM });
  world.repository.publish(release(1), coreRelease(2, GOOD_CORE));
  const { status, said, checked } = await world.device.update();
  expect({ status, checked }).toMatchObject({ status: 1, checked: { status: Status.RELEASE_FAILED_BEFORE } });
  expect(said).toContain('given up: not the core that this firmware was built with');
});
