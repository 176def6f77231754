// A repository, and an emulated board that gets its updates from there.
import { readFileSync } from 'node:fs';
import { systemClock } from '../../host/node/clock.ts';
import type { GatewayEvent } from '../../host/node/gateway.ts';
import type { DeviceReport } from '../../host/node/link.ts';
import { builtProgram, EmulatedBoard, type EmulatedRun, sealImage } from '../../sim/emulator.ts';
import { SimNetwork } from '../../sim/network.ts';
import { SimRepository } from '../../sim/repository.ts';
import { temporaryFolder } from '../fixtures/folders.ts';

const HARDWARE = 'virt';

/** A program of host/qemu as an image of release 1.`counter`.0. */
export function release(counter: number, program = 'image') {
  const version = `1.${counter}.0`;
  return {
    version,
    releaseCounter: counter,
    securityCounter: counter,
    hardwareIds: [HARDWARE],
    image: sealImage(readFileSync(builtProgram(program)), version),
  };
}

export class BoardWorld {
  /** What the factory put in slot A. */
  readonly factory = release(1);
  readonly repository = new SimRepository(seconds);
  readonly network = new SimNetwork(this.repository.source, systemClock);
  readonly board: EmulatedBoard;
  /** All that the gateway has told, in order. */
  readonly events: GatewayEvent[] = [];
  /** Called with each as it comes. */
  watch: (event: GatewayEvent) => void = () => undefined;

  constructor() {
    this.repository.publish(this.factory);
    this.board = new EmulatedBoard({
      folder: temporaryFolder(),
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

  get reports(): DeviceReport[] {
    return this.events.flatMap((event) => (event.type === 'report' ? [event.report] : []));
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

/** A board goes off by itself only when its loader finds nothing to start. */
async function endsEarly({ ended }: EmulatedRun): Promise<never> {
  throw new Error(`the board went off with status ${await ended}`);
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
