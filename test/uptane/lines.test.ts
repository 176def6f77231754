// A Primary in Node, and Secondaries that are programs in C at the other end of a line: moult-device with the core under
// wasm3, which verifies in full, and compiled ahead of time, which verifies in part.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Clock, systemClock } from '../../host/node/clock.ts';
import type { Primary, PrimaryEvent } from '../../host/node/primary.ts';
import { Car, type CarEcu } from '../../sim/car.ts';
import {
  COMPILED_DEVICE_PROGRAM,
  DEVICE_PROGRAM,
  type DeviceEnd,
  type DeviceRun,
  ProcessDevice,
} from '../../sim/process.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { optional } from '../optional.ts';

const withDevices = optional(
  existsSync(DEVICE_PROGRAM) && existsSync(COMPILED_DEVICE_PROGRAM),
  'node scripts/wasm3.mjs && node scripts/aot.mjs',
);

const PROGRAMS: Readonly<Record<string, string>> = { brakes: DEVICE_PROGRAM, radio: COMPILED_DEVICE_PROGRAM };
const SELF_TEST = 'head -c 1 | grep -q W';

class Stage {
  readonly events: string[] = [];
  readonly car = new Car({ onEvent: (event) => this.#hear(event) });
  readonly #folder = temporaryFolder();
  readonly #runs = new Map<string, DeviceRun>();
  /** By ECU: how each of its runs ended. */
  readonly ends = new Map<string, DeviceEnd[]>();
  #awaited: { check: () => void } | undefined;
  #stopped = false;
  readonly #began = Date.now();
  /** Real time, from where the vehicle's metadata begins, until it is stopped. */
  readonly #clock: Clock = {
    now: () => this.car.clock.now() + Date.now() - this.#began,
    after: (milliseconds, action) => {
      if (this.#stopped) throw new Error('stopped');
      return systemClock.after(milliseconds, action);
    },
  };

  #hear(event: PrimaryEvent): void {
    if (event.type !== 'secondary') this.events.push(event.type);
    else if (event.event.type === 'report') this.events.push(`${event.serial} ${event.event.report.event}`);
    this.#awaited?.check();
  }

  /** Until something has happened so often. */
  until(what: string, times = 1): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (this.events.filter((event) => event === what).length >= times) resolve();
      };
      this.#awaited = { check };
      check();
    });
  }

  /** Runs the Primary until `stop`; resolves when it has something to give. */
  async start(): Promise<{ primary: Primary; ended: Promise<void> }> {
    const { car } = this;
    const primary = car.startPrimary(this.#clock);
    const device = car.device('gateway');
    const ended = primary.run({
      powerOn: () => device.powerOn(),
      selfTest: () => true,
      wait: async () => {
        while (!this.#stopped) await new Promise((resolve) => setTimeout(resolve, 50));
        return false;
      },
    });
    await this.until('kept');
    return { primary, ended };
  }

  /** Starts a Secondary: one run of its process. */
  run(ecu: CarEcu, primary: Primary, selfTest = SELF_TEST): Promise<DeviceEnd> {
    const { serial } = ecu;
    const factory = this.car.factory(ecu);
    const run = new ProcessDevice({
      ...factory,
      folder: join(this.#folder, serial),
      factory,
      gateway: primary.gateway(serial),
      behindPrimary: true,
      program: PROGRAMS[serial] ?? DEVICE_PROGRAM,
      selfTest,
    }).start();
    this.#runs.set(serial, run);
    return run.ended;
  }

  kill(serial: string): void {
    this.#runs.get(serial)?.kill();
  }

  async stop(ended: Promise<void>): Promise<void> {
    this.#stopped = true;
    await ended.catch(() => undefined);
  }
}

withDevices('[UPT-1] programs in C hold their images until all do, and keep them when all work', async () => {
  const stage = new Stage();
  const [, brakes, radio] = stage.car.ecus;
  stage.car.release(2);
  const { primary, ended } = await stage.start();
  const ends = await Promise.all([brakes, radio].map((ecu) => stage.run(ecu as CarEcu, primary)));
  for (const { status, said, checked } of ends) {
    expect(said).toContain('2.0.0 passed its self-test and is confirmed');
    expect({ status, version: checked?.installedVersion }).toEqual({ status: 0, version: '2.0.0' });
  }
  await stage.stop(ended);
  expect(stage.car.runs('gateway')).toBe(2);
});

withDevices(
  '[UPT-1] a program in C takes back an image that works when another ECU refuses its own',
  async () => {
    const stage = new Stage();
    const [, brakes, radio] = stage.car.ecus;
    stage.car.release(2, { broken: ['radio'] });
    const { primary, ended } = await stage.start();
    const taken = stage.run(brakes as CarEcu, primary);
    // It takes its time, so that the other one is on trial by then, and does not try this image again.
    const failed = await stage.run(radio as CarEcu, primary, `sleep 4; ${SELF_TEST}`);
    expect(failed.said).toContain('2.0.0 failed its self-test');
    // Once new, once on trial, once back.
    await stage.until('brakes started', 3);
    stage.kill('brakes');
    expect((await taken).said).toContain('2.0.0 passed its self-test and goes: it does not on all ECUs');
    await stage.stop(ended);
    expect(stage.car.runs('gateway')).toBe(1);
  },
);

withDevices(
  '[UPT-1] kill -9 while it waits on trial for the others, and it goes on where it was',
  async () => {
    const stage = new Stage();
    const [, brakes, radio] = stage.car.ecus;
    stage.car.release(2);
    const { primary, ended } = await stage.start();
    const first = stage.run(brakes as CarEcu, primary);
    const other = stage.run(radio as CarEcu, primary);
    await stage.until('begun');
    stage.kill('brakes');
    expect((await first).status).toBe(null);
    const { said, checked } = await stage.run(brakes as CarEcu, primary);
    expect(said).toContain('2.0.0 runs');
    expect(checked?.installedVersion).toBe('2.0.0');
    expect((await other).checked?.installedVersion).toBe('2.0.0');
    await stage.stop(ended);
    expect(stage.car.runs('gateway')).toBe(2);
  },
);
