// A repository, and an emulated board that gets its updates from there.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../host/node/clock.ts';
import type { GatewayEvent } from '../../host/node/gateway.ts';
import type { DeviceReport } from '../../host/node/link.ts';
import { projectRoot } from '../../host/node/root.ts';
import { SimDevice } from '../../sim/device.ts';
import { builtProgram, EmulatedBoard, type EmulatedRun, sealImage } from '../../sim/emulator.ts';
import { type Machine, RV32IMC } from '../../sim/machines.ts';
import { SimNetwork } from '../../sim/network.ts';
import { SimRepository } from '../../sim/repository.ts';
import { mcuboot, plainImage } from '../../sim/scenarios/mcuboot.ts';
import { memoryFolder } from '../fixtures/folders.ts';

const HARDWARE = 'virt';
/** Bytes of a file that one READ of the link brings: a twin gets them in the same pieces. */
const PIECE = 508;

export type BoardRelease = ReturnType<BoardWorld['release']>;

export class BoardWorld {
  readonly machine: Machine;
  /** What the factory put in slot A. */
  readonly factory: BoardRelease;
  readonly repository = new SimRepository(seconds);
  readonly network = new SimNetwork(this.repository.source, systemClock);
  readonly board: EmulatedBoard;
  /** All that the gateway has told, in order. */
  readonly events: GatewayEvent[] = [];
  /** Called with each as it comes. */
  watch: (event: GatewayEvent) => void = () => undefined;

  constructor(machine = RV32IMC) {
    this.machine = machine;
    this.factory = this.release(1);
    this.repository.publish(this.factory);
    this.network.conduct = () => ({ chunk: PIECE });
    this.board = new EmulatedBoard({
      machine,
      folder: memoryFolder(),
      root: this.repository.root,
      configuration: {
        hardwareId: HARDWARE,
        component: 'app',
        version: this.factory.version,
        releaseCounter: this.factory.releaseCounter,
        securityCounter: this.factory.securityCounter,
        buildTime: seconds() - 1000,
        checkInterval: 3600,
      },
      image: this.factory.image,
      gateway: {
        metadataUrl: 'http://localhost/metadata/',
        targetsUrl: 'http://localhost/targets/',
        fetch: this.network.fetch,
        onEvent: (event) => {
          this.events.push(event);
          this.watch(event);
        },
      },
    });
  }

  /** A program of this machine as an image of release 1.`counter`.0. */
  release(counter: number, program = 'image') {
    const version = `1.${counter}.0`;
    const image = sealImage(readFileSync(builtProgram(program, this.machine)), version);
    return {
      version,
      releaseCounter: counter,
      securityCounter: counter,
      hardwareIds: [HARDWARE],
      image: this.machine.mcuboot ? plainImage(image) : image,
    };
  }

  get reports(): DeviceReport[] {
    return this.events.flatMap((event) => (event.type === 'report' ? [event.report] : []));
  }

  /** A device as the board was when it left the factory, in this process on V8. */
  twin(): SimDevice {
    const { root, configuration, image, gateway } = this.board.options;
    const { onEvent: _, ...files } = gateway;
    return new SimDevice({
      root,
      configuration,
      image,
      client: { ...files, clock: systemClock },
      geometry: this.machine.geometry,
      ...(this.machine.mcuboot && { boot: mcuboot }),
      module: smallCore(),
      entropy: () => false,
    });
  }

  /** What lies on the flash of the board, or of its twin, area by area. */
  flash(twin?: SimDevice): string[] {
    return this.machine.geometry.map((_, area) => {
      const bytes = this.board.area(area);
      twin?.flash.read(area, 0, bytes);
      return createHash('sha256').update(bytes).digest('hex');
    });
  }

  /** Switches the power on until a report is there, then off. */
  async runUntil(wanted: (report: DeviceReport) => boolean): Promise<DeviceReport> {
    const run = this.board.start();
    const report = await Promise.race([this.#report(wanted), endsEarly(run)]);
    run.kill();
    await run.ended;
    return report;
  }

  #report(wanted: (report: DeviceReport) => boolean): Promise<DeviceReport> {
    return new Promise((resolve) => {
      this.watch = (event) => {
        if (event.type === 'report' && wanted(event.report)) resolve(event.report);
      };
    });
  }
}

/** The core that the boards have. */
function smallCore(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(join(projectRoot(), 'build/moult-patching.wasm')));
}

/** A board goes off by itself only when its loader finds nothing to start. */
async function endsEarly({ ended }: EmulatedRun): Promise<never> {
  throw new Error(`the board went off with status ${await ended}`);
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
