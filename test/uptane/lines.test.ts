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

/** Real time, from where the vehicle's metadata begins. */
function clockFrom(start: number): Clock {
  const began = Date.now();
  return { now: () => start * 1000 + Date.now() - began, after: systemClock.after };
}

class Stage {
  readonly events: string[] = [];
  readonly car = new Car({ onEvent: (event) => this.#hear(event) });
  readonly #folder = temporaryFolder();
  readonly #runs = new Map<string, DeviceRun>();
  /** By ECU: how each of its runs ended. */
  readonly ends = new Map<string, DeviceEnd[]>();
  #awaited: { type: string; resolve: () => void } | undefined;
  #stopped = false;

  #hear({ type }: PrimaryEvent): void {
    this.events.push(type);
    if (this.#awaited?.type === type) this.#awaited.resolve();
  }

  until(type: string): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited = { type, resolve };
      if (this.events.includes(type)) resolve();
    });
  }

  /** Runs the Primary until `stop`; resolves when it has something to give. */
  async start(): Promise<{ primary: Primary; ended: Promise<void> }> {
    const { car } = this;
    const primary = car.startPrimary(clockFrom(car.clock.seconds()));
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
  run(ecu: CarEcu, primary: Primary): Promise<DeviceEnd> {
    const { serial } = ecu;
    const factory = this.car.factory(ecu);
    const run = new ProcessDevice({
      ...factory,
      folder: join(this.#folder, serial),
      factory,
      gateway: primary.gateway(serial),
      behindPrimary: true,
      program: PROGRAMS[serial] ?? DEVICE_PROGRAM,
      selfTest: SELF_TEST,
    }).start();
    this.#runs.set(serial, run);
    return run.ended;
  }

  kill(serial: string): void {
    this.#runs.get(serial)?.kill();
  }

  async stop(ended: Promise<void>): Promise<void> {
    this.#stopped = true;
    await ended;
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
    // It does not try this image again, and says so.
    expect((await stage.run(radio as CarEcu, primary)).said).toContain('2.0.0 failed its self-test');
    await stage.until('given-up');
    await stage.until('withdrawn');
    // It has its image again by now, and holds it: nobody will tell it to boot.
    setTimeout(() => stage.kill('brakes'), 3000);
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
