// A board in a process of its own: moult-device under wasm3, its flash in a file, its link served here.
import { Area, type Role, State } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import { FileFlash } from '../../host/node/flash.ts';
import type { GatewayEvent } from '../../host/node/gateway.ts';
import type { DeviceReport } from '../../host/node/link.ts';
import { ProcessDevice } from '../../sim/process.ts';
import { type Board, type BoardNews, boardConfiguration, boardGeometry } from './board.ts';
import { type Finding, Unexpected } from './finding.ts';
import { FACTORY, type Images, selfTestCommand, type Version } from './images.ts';

export interface ProcessBoardOptions {
  readonly name: string;
  /** Of its own. */
  readonly folder: string;
  readonly hardwareId: string;
  readonly images: Images;
  readonly root: Uint8Array;
  /** Where the repository is served, without a slash at the end. */
  readonly url: string;
}

export class ProcessBoard implements Board {
  readonly name: string;
  readonly images: Images;
  readonly #device: ProcessDevice;
  listener: ((news: BoardNews) => void) | undefined;
  /** By its own report. */
  #engine = 'nothing yet';

  constructor({ name, folder, hardwareId, images, root, url }: ProcessBoardOptions) {
    this.name = name;
    this.images = images;
    this.#device = new ProcessDevice({
      folder,
      root,
      configuration: boardConfiguration(hardwareId, Date.now()),
      factory: { geometry: boardGeometry(images.length), image: images.of(FACTORY) },
      gateway: {
        metadataUrl: `${url}/metadata/`,
        targetsUrl: `${url}/targets/`,
        onEvent: (event) => this.#hear(event),
      },
      selfTest: selfTestCommand(images.length),
    });
  }

  get runsOn(): string {
    return `${this.#engine} in their own process`;
  }

  get runs(): Version | undefined {
    const bytes = new Uint8Array(this.images.length);
    const flash = new FileFlash(this.#device.flashPath, boardGeometry(this.images.length));
    flash.read((new RecordedBoot(flash).slots & 1) === 0 ? Area.SLOT_A : Area.SLOT_B, 0, bytes);
    flash.close();
    return this.images.versionOf(bytes);
  }

  async provision(): Promise<number> {
    return (await this.#check()).state[State.ROOT_VERSION] ?? 0;
  }

  async update(): Promise<Finding> {
    const { status, state } = await this.#check();
    return { status, role: state[State.CHECK_ROLE] as Role };
  }

  async #check(): Promise<DeviceReport> {
    const { checked, said } = await this.#device.update();
    if (!checked) throw new Unexpected(`${this.name} has ended before its check had: ${said.trim()}`);
    this.#engine = checked.engine;
    return checked;
  }

  #hear(event: GatewayEvent): void {
    if (event.type !== 'report') return;
    const { event: what, state } = event.report;
    if (what === 'reboots') this.listener?.({ received: state[State.IMAGE_LENGTH] ?? 0 });
    if (what === 'confirmed' || what === 'rejected') this.listener?.('tested');
  }
}
