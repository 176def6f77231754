// A Secondary in Node: a device whose repository is at the other end of a line, with its Primary, which says when all ECUs
// of the vehicle boot what they hold and whether it stays. What comes is for its own core to judge.
import { State, Status, Text } from './abi.ts';
import { Client, type ClientEvent, type DeviceActions, type Outcome } from './client.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Core } from './core.ts';
import { engineName } from './engine.ts';
import { StatusError } from './errors.ts';
import type { Consent, DeviceReport, ReportEvent, Stage } from './link.ts';
import { LINK_ADDRESSES, type LinkClient, LinkError, linkExchange, linkFetch } from './linkclient.ts';

/** Milliseconds after which a Primary that said "not yet" is asked again. */
const ASK_AGAIN = 1000;
/** Fields of the state that a report has. */
const FIELDS = State.CHECK_REPOSITORY + 1;

export interface SecondaryOptions {
  /** A new one for each start: another session. */
  readonly openLink: () => LinkClient;
  readonly clock?: Clock;
  readonly onEvent?: (event: ClientEvent) => void;
  /** Seconds for which it holds an image before it looks again whether that is still what it should have; 3,600. */
  readonly holds?: number;
}

export class Secondary {
  readonly client: Client;
  readonly #openLink: () => LinkClient;
  readonly #clock: Clock;
  readonly #holds: number;
  #link: LinkClient;
  #core: Core | undefined;

  constructor({ openLink, clock = systemClock, onEvent, holds = 3600 }: SecondaryOptions) {
    this.#openLink = openLink;
    this.#link = openLink();
    this.#clock = clock;
    this.#holds = holds;
    this.client = new Client({
      ...LINK_ADDRESSES,
      clock,
      fetch: (url, options) => linkFetch(this.#link)(url, options),
      timeExchange: linkExchange(() => this.#link),
      consent: (stage, release) => this.#consent(stage, release),
      report: (core) => this.#sendVersion(core),
      onEvent: (event) => {
        if (event.type === 'confirmed' || event.type === 'rejected') this.#report(event.type);
        onEvent?.(event);
      },
    });
  }

  /** Runs a device until `wait` says stop; the last outcome. */
  run(device: DeviceActions): Promise<Outcome & { action: 'wait' }> {
    return this.client.run({
      ...device,
      powerOn: () => {
        this.#link = this.#openLink();
        this.#core = device.powerOn();
        this.#report('started');
        return this.#core;
      },
      selfTest: (core) => {
        this.#report('on-trial');
        return device.selfTest(core);
      },
      wait: (until) => {
        this.#report('checked');
        return device.wait(until);
      },
    });
  }

  /** On trial it asks until there is an answer: others may have theirs. */
  async #consent(stage: Stage, release: number): Promise<boolean> {
    const until = stage === 'ready' ? this.#clock.now() + this.#holds * 1000 : Infinity;
    while (this.#clock.now() < until) {
      const consent = await this.#ask(stage, release);
      if (consent !== 'wait') return consent === 'go';
      await new Promise<void>((resolve) => void this.#clock.after(ASK_AGAIN, resolve));
    }
    return false;
  }

  /** Silence is no answer. */
  async #ask(stage: Stage, release: number): Promise<Consent> {
    try {
      return await this.#link.consent({ stage, release });
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      return 'wait';
    }
  }

  /** The version report, signed by this ECU; the Primary puts it into the manifest. */
  async #sendVersion(core: Core): Promise<void> {
    try {
      await this.#link.versionReport(core.report());
    } catch (error) {
      if (error instanceof LinkError) throw new StatusError(Status.NETWORK, 'the version report');
      throw error;
    }
  }

  /** One that cannot be delivered is dropped. */
  #report(event: ReportEvent): void {
    if (this.#core) this.#link.report(reportOf(this.#core, event)).catch(() => undefined);
  }
}

/** What a device says of itself. */
export function reportOf(core: Core, event: ReportEvent): DeviceReport {
  return {
    event,
    status: core.stateRead(State.CHECK_STATUS) | 0,
    state: Array.from({ length: FIELDS }, (_, field) => core.stateRead(field)),
    installedVersion: core.textRead(Text.INSTALLED_VERSION),
    candidateVersion: core.textRead(Text.CANDIDATE_VERSION),
    engine: engineName,
  };
}
