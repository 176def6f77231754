// A board in this process: simulated flash and power, the real core, real HTTP.
import { FetchKind, State } from '../../host/node/abi.ts';
import type { ClientEvent } from '../../host/node/client.ts';
import { type Clock, systemClock } from '../../host/node/clock.ts';
import { engineName } from '../../host/node/engine.ts';
import type { Fetch } from '../../host/node/http.ts';
import { SimDevice } from '../../sim/device.ts';
import { type Board, type BoardNews, boardConfiguration, boardGeometry } from './board.ts';
import type { Finding } from './finding.ts';
import { FACTORY, type Images, passesSelfTest, type Version } from './images.ts';

export interface SimBoardOptions {
  readonly name: string;
  readonly hardwareId: string;
  readonly images: Images;
  readonly root: Uint8Array;
  /** Where the repository is served, without a slash at the end. */
  readonly url: string;
  /** Where the board's requests go; straight to the network when left out. */
  readonly fetch?: Fetch;
}

/** A clock that can be moved on, instead of waiting. */
class BoardClock implements Clock {
  /** Milliseconds ahead of the system's clock. */
  ahead = 0;

  now(): number {
    return systemClock.now() + this.ahead;
  }

  after(milliseconds: number, action: () => void): () => void {
    return systemClock.after(milliseconds, action);
  }
}

export class SimBoard implements Board {
  readonly name: string;
  readonly images: Images;
  readonly runsOn = engineName === 'v8' ? 'V8' : engineName;
  readonly clock = new BoardClock();
  readonly device: SimDevice;
  listener: ((news: BoardNews) => void) | undefined;
  /** Told all that the client of this board does. */
  clientListener: ((event: ClientEvent) => void) | undefined;

  constructor({ name, hardwareId, images, root, url, fetch }: SimBoardOptions) {
    this.name = name;
    this.images = images;
    this.device = new SimDevice({
      root,
      image: images.of(FACTORY),
      configuration: boardConfiguration(hardwareId, this.clock.now()),
      client: {
        metadataUrl: `${url}/metadata/`,
        targetsUrl: `${url}/targets/`,
        clock: this.clock,
        onEvent: (event) => this.#hear(event),
        ...(fetch && { fetch }),
      },
      geometry: boardGeometry(images.length),
      selfTest: (device) => passesSelfTest(device.running(images.length)),
    });
  }

  get runs(): Version | undefined {
    return this.images.versionOf(this.device.running(this.images.length));
  }

  async provision(): Promise<number> {
    return this.device.powerOn().stateRead(State.ROOT_VERSION);
  }

  update(): Promise<Finding> {
    return this.device.update();
  }

  #hear(event: ClientEvent): void {
    this.clientListener?.(event);
    if (event.type === 'progress' && event.kind === FetchKind.TARGET)
      this.listener?.({ received: event.received });
    if (event.type === 'confirmed' || event.type === 'rejected') this.listener?.('tested');
  }
}
