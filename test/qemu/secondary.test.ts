// An emulated board without a network, as a Secondary behind a Primary in Node: the core is compiled ahead of time, and
// what comes over its UART comes from what the Primary has verified.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Status } from '../../host/node/abi.ts';
import { systemClock } from '../../host/node/clock.ts';
import type { DeviceReport } from '../../host/node/link.ts';
import type { PrimaryEvent } from '../../host/node/primary.ts';
import { Car, imageFor } from '../../sim/car.ts';
import { builtProgram, EmulatedBoard, leanProgram, sealImage } from '../../sim/emulator.ts';
import { RV32IMC } from '../../sim/machines.ts';
import { SimNetwork } from '../../sim/network.ts';
import { SimRepository } from '../../sim/repository.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { onLeanBoard } from '../fixtures/qemu.ts';

const GATEWAY = { serial: 'gateway', hardwareId: 'gw-1' };
const radio = (verification: 'full' | 'partial') => ({ serial: 'radio', hardwareId: 'rv32', verification });

const withBoard = onLeanBoard(RV32IMC);

for (const verification of ['full', 'partial'] as const)
  withBoard(
    `[UPT-1] a board that verifies in ${verification === 'full' ? 'full' : 'part'} holds its image until its Primary has its own, boots with it, and stays with it`,
    () => updatesWithItsPrimary(verification),
    240_000,
  );

async function updatesWithItsPrimary(verification: 'full' | 'partial'): Promise<void> {
  const RADIO = radio(verification);
  const events: string[] = [];
  let wake = () => {};
  const hear = (event: PrimaryEvent) => {
    if (event.type === 'asks') events.push(`radio ${event.stage}`);
    else if (event.type !== 'secondary') events.push(event.type);
    else if (event.event.type === 'report') events.push(`radio ${event.event.report.event}`);
    wake();
  };
  const until = async (what: string) => {
    while (!events.includes(what)) await new Promise<void>((resolve) => (wake = resolve));
  };
  // The user comes when the board holds its image, and not before.
  let suits = false;
  const car = new Car({ ecus: [GATEWAY, RADIO], onEvent: hear, mayReboot: () => suits });
  const program = readFileSync(builtProgram(leanProgram('image'), RV32IMC));
  const release = (releaseCounter: number, hardwareId: string, image: Uint8Array) => {
    return { image, releaseCounter, version: `${releaseCounter}.0.0`, hardwareIds: [hardwareId] };
  };
  car.images.publish(
    release(2, GATEWAY.hardwareId, imageFor(GATEWAY.hardwareId, 2)),
    release(2, RADIO.hardwareId, sealImage(program, '2.0.0')),
  );
  car.direct(2);
  const began = Date.now();
  let stopped = false;
  const primary = car.startPrimary({
    now: () => car.clock.now() + Date.now() - began,
    after: (milliseconds, action) => {
      if (stopped) throw new Error('stopped');
      return systemClock.after(milliseconds, action);
    },
  });
  const device = car.device(GATEWAY.serial);
  const ended = primary.run({
    powerOn: () => device.powerOn(),
    selfTest: () => true,
    wait: async () => {
      while (!stopped) await new Promise((resolve) => setTimeout(resolve, 50));
      return false;
    },
  });
  await until('kept');
  const { root, directorRoot, configuration } = car.factory(RADIO);
  const board = new EmulatedBoard({
    folder: join(temporaryFolder(), 'radio'),
    root,
    ...(directorRoot && { directorRoot }),
    configuration,
    image: sealImage(program, '1.0.0'),
    gateway: primary.gateway(RADIO.serial),
    behindPrimary: true,
  });
  const run = board.start();
  await until('radio ready');
  expect(events).not.toContain('begun');
  expect(events).not.toContain('radio reboots');
  suits = true;
  await until('radio confirmed');
  const order = ['radio ready', 'begun', 'radio on-trial', 'radio works', 'committed', 'radio confirmed'];
  expect(events.filter((event) => order.includes(event))).toEqual(order);
  await until('confirmed');
  run.kill();
  await run.ended;
  const runs = board.nextToRun().subarray(0, program.length);
  expect(Buffer.compare(runs, sealImage(program, '2.0.0'))).toBe(0);
  expect(car.runs(GATEWAY.serial)).toBe(2);
  stopped = true;
  await ended.catch(() => undefined);
}

withBoard(
  '[UPT-5] a board that verifies in full refuses what a stolen Director orders and the Image repository does not list',
  async () => {
    const RADIO = radio('full');
    const car = new Car({ ecus: [GATEWAY, RADIO] });
    const program = readFileSync(builtProgram(leanProgram('image'), RV32IMC));
    const thief = new SimRepository(() => car.clock.seconds(), 9);
    const hardwareIds = [RADIO.hardwareId];
    const release = {
      image: imageFor(RADIO.hardwareId, 2),
      releaseCounter: 2,
      version: '2.0.0',
      hardwareIds,
    };
    thief.publish(release);
    const path = `app/${RADIO.hardwareId}/2.0.0/firmware.bin`;
    car.director.direct([
      { serial: RADIO.serial, hardwareId: RADIO.hardwareId, release: thief.releaseAt(path) },
    ]);
    const served = (url: string) =>
      url.startsWith('director/')
        ? car.director.files.get(url.slice('director/'.length))
        : car.images.source(url);
    const { root, directorRoot, configuration } = car.factory(RADIO);
    let tell = (_: DeviceReport) => {};
    const told = new Promise<DeviceReport>((resolve) => (tell = resolve));
    const board = new EmulatedBoard({
      folder: join(temporaryFolder(), 'radio'),
      root,
      ...(directorRoot && { directorRoot }),
      configuration,
      image: sealImage(program, '1.0.0'),
      gateway: {
        metadataUrl: 'https://sim/metadata/',
        targetsUrl: 'https://sim/targets/',
        directorUrl: 'https://sim/director/',
        fetch: new SimNetwork(served, systemClock).fetch,
        onEvent: (event) => {
          if (event.type === 'report' && event.report.event === 'checked') tell(event.report);
        },
      },
    });
    const run = board.start();
    const report = await told;
    run.kill();
    await run.ended;
    expect(report).toMatchObject({ status: Status.TARGET_UNKNOWN, installedVersion: '1.0.0' });
    const runs = board.nextToRun().subarray(0, program.length);
    expect(Buffer.compare(runs, sealImage(program, '1.0.0'))).toBe(0);
  },
  240_000,
);
