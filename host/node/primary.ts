// A Primary in Node: it verifies in full for itself and for its Secondaries, keeps what it has verified, gives them that
// and nothing else, and decides for all of them when images are booted and whether they stay (round.ts). Its own ECU takes
// part like the others. One thread of control: lines only note what was said, `run` decides.
import { FetchKind, Mode, State, Status } from './abi.ts';
import type { Addresses } from './address.ts';
import { Client, type ClientEvent, type DeviceActions, type Outcome } from './client.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Core } from './core.ts';
import type { Exchange } from './datagram.ts';
import type { Depot } from './depot.ts';
import { HostError, StatusError } from './errors.ts';
import type { GatewayEvent, GatewayOptions } from './gateway.ts';
import type { Fetch } from './http.ts';
import {
  directionsOf,
  type Ecus,
  type KeptSet,
  keepRoot,
  keepSet,
  loadRoots,
  loadSet,
  REPOSITORIES,
  type Roots,
  SET_ADDRESSES,
  setFetch,
  trustedFiles,
} from './keptset.ts';
import type { Stage } from './link.ts';
import { readReport } from './report.ts';
import { Round, type RoundEvent } from './round.ts';
import { reportOf } from './secondary.ts';
import { TransferError } from './transfer.ts';

/** Checks until a manifest is sent although an ECU has not reported. */
const MOST_UNSENT = 3;
/** Seconds from one manifest to the next, where it is not sent at a check: whoever reports without end is not passed on. */
const BETWEEN = 5;
/** Milliseconds after which it looks again at what it waits for. */
const LOOK_AGAIN = 1000;

export type PrimaryEvent =
  | ClientEvent
  | RoundEvent
  /** A Secondary is at its line, and what it says or asks for. */
  | { readonly type: 'secondary'; readonly serial: string; readonly event: GatewayEvent }
  /** A Secondary holds an image, or its image works: heard for the first time. */
  | {
      readonly type: 'asks';
      readonly serial: string;
      readonly stage: Stage;
      readonly release: number;
    }
  /** The vehicle's manifest was sent, with so many reports; or not, and why. */
  | { readonly type: 'manifest'; readonly reports: number; readonly fault?: string }
  /** What was verified is kept, for all to fetch. */
  | { readonly type: 'kept'; readonly releases: Readonly<Record<string, number>> }
  /** An image for others could not be had, or is not what was signed: nothing of this check is kept. */
  | { readonly type: 'image-refused'; readonly path: string; readonly status: number };

export interface PrimaryOptions extends Addresses {
  /** Its own ECU. */
  readonly serial: string;
  readonly hardwareId: string;
  /** The hardware ids of the other ECUs of the vehicle, by serial. */
  readonly secondaries: Ecus;
  readonly depot: Depot;
  readonly fetch?: Fetch;
  readonly clock?: Clock;
  /** As of a client, for its own core and for those of its Secondaries. */
  readonly timeServers?: readonly string[];
  readonly timeExchange?: Exchange;
  readonly onEvent?: (event: PrimaryEvent) => void;
  /** With `send`: the vehicle that manifests are of. */
  readonly vehicle?: string;
  /**
   * Sends a vehicle version manifest to the Director, at a check or as soon as all have reported anew. Throws
   * TransferError. Left out: none is made. It has a report of each ECU that was in none before; of one that has not
   * reported for three checks it has none, and the Director sees that.
   */
  readonly send?: (manifest: Uint8Array) => Promise<void>;
  /** All ECUs hold their images and would boot: whether that suits the user now. Left out: it always does. */
  readonly mayReboot?: () => boolean | Promise<boolean>;
  /** Seconds that all together may take from the first boot to the last self-test; 900. */
  readonly trialPatience?: number;
}

export class Primary {
  readonly #options: PrimaryOptions;
  readonly #clock: Clock;
  /** Checks against the servers; installs from the set. */
  readonly #client: Client;
  readonly #installer: Client;
  readonly #round: Round;
  readonly #emit: (event: PrimaryEvent) => void;
  readonly #roots: Roots;
  #set: KeptSet | undefined;
  #core: Core | undefined;
  /** What Secondaries have signed since the last manifest, by serial, and the checks since then. */
  readonly #reports = new Map<string, Uint8Array>();
  #unsent = 0;
  /** When the last manifest was made, in seconds; and whether somebody has reported since. */
  #made = 0;
  #news = false;
  /** Of the next check, in seconds since 1970. */
  #due = 0;
  #wake: () => void = () => undefined;
  /** The last check went the way without the Director: the core asked for what was signed for it. */
  #isOffline = false;
  /** The name under which the last image was fetched. */
  #imageName = '';

  /** Throws `address-invalid` or `insecure`. */
  constructor(options: PrimaryOptions) {
    const { depot, clock = systemClock, onEvent, trialPatience = 900 } = options;
    this.#options = options;
    this.#clock = clock;
    this.#emit = onEvent ?? (() => undefined);
    this.#round = new Round(depot, () => this.#now, trialPatience);
    this.#roots = loadRoots(depot);
    this.#set = loadSet(depot);
    this.#want();
    const own = {
      ...timeOf(options),
      clock,
      consent: (stage: Stage, release: number) => this.#consent(stage, release),
      onEvent: (event: ClientEvent) => this.#hearClient(event),
    };
    const report = (core: Core) => this.#report(core);
    this.#client = new Client({ ...options, ...own, mayReboot: () => 0, report });
    this.#installer = new Client({ ...SET_ADDRESSES, ...own, fetch: setFetch(() => this.#set) });
  }

  /** For the gateway at the line of a Secondary: it answers from what was verified here, and from nothing else. */
  gateway(serial: string): GatewayOptions {
    let asked = '';
    return {
      ...SET_ADDRESSES,
      ...timeOf(this.#options),
      clock: this.#clock,
      fetch: setFetch(() => this.#set),
      onVersionReport: (report) => this.#takeReport(serial, report),
      onConsent: (request) => {
        const consent = this.#round.ask(serial, request);
        const what = `${request.stage} ${request.release}`;
        if (what !== asked) this.#emit({ type: 'asks', serial, ...request });
        asked = what;
        this.#wake();
        return consent;
      },
      onEvent: (event) => {
        if (event.type === 'report') this.#round.hear(serial, event.report);
        this.#emit({ type: 'secondary', serial, event });
        this.#wake();
      },
    };
  }

  /** Starts its core, as Client.start does. */
  start(core: Core): boolean {
    return this.#client.start(core);
  }

  /** Runs until `wait` says stop. */
  async run(device: DeviceActions): Promise<void> {
    let core = this.#powerOn(device);
    for (;;) {
      const outcome = await this.#turn(core, device);
      if (outcome.action === 'reboot') core = this.#powerOn(device);
      else if (outcome.action === 'wait' && !(await this.#wait(core, device))) return;
    }
  }

  get #now(): number {
    return Math.floor(this.#clock.now() / 1000);
  }

  #powerOn(device: DeviceActions): Core {
    const core = device.powerOn();
    this.#core = core;
    for (const repository of REPOSITORIES) keepRoot(this.#options.depot, core, repository, this.#roots);
    this.#hearOwn(core);
    return core;
  }

  /** Its own ECU, to the round, is like any other. */
  #hearOwn(core: Core): void {
    this.#round.hear(this.#options.serial, reportOf(core, 'checked'));
  }

  /** A trial or a check, and what is to be installed here. */
  async #turn(core: Core, device: DeviceActions): Promise<Outcome> {
    const outcome = this.#round.trial ? await this.#install(core) : await this.#check(core);
    if (outcome.action === 'self-test') await this.#endTrial(core, device);
    this.#hearOwn(core);
    return outcome;
  }

  /** At a check: what all ECUs have signed of themselves, under the signature of this one. */
  async #report(core: Core): Promise<void> {
    // One that was sent before is a replay; and who never reports must not keep the others silent.
    if (this.#options.send && (this.#isComplete || ++this.#unsent >= MOST_UNSENT)) await this.#send(core);
  }

  /** Between two checks: what is new must not wait for the next one. */
  async #reportNews(core: Core): Promise<void> {
    if (!this.#news || !this.#isComplete || this.#now < this.#made + BETWEEN) return;
    try {
      await this.#send(core);
    } catch (error) {
      // It was said already; at the next check there is another one.
      if (!(error instanceof TransferError || error instanceof StatusError)) throw error;
    }
  }

  get #isComplete(): boolean {
    return Object.keys(this.#options.secondaries).every((serial) => this.#reports.has(serial));
  }

  async #send(core: Core): Promise<void> {
    const { vehicle = '', send } = this.#options;
    const sent = [...this.#reports];
    const parts = sent.map(([, report]) => report);
    this.#made = this.#now;
    this.#news = false;
    try {
      await send?.(core.manifest(vehicle, parts));
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      this.#emit({ type: 'manifest', reports: parts.length + 1, fault });
      throw error;
    }
    this.#emit({ type: 'manifest', reports: parts.length + 1 });
    for (const [serial, report] of sent)
      if (this.#reports.get(serial) === report) this.#reports.delete(serial);
    this.#unsent = 0;
  }

  /** Who speaks for another ECU, or sends what is no report, must not spoil the manifest: then it has none of its own. */
  #takeReport(serial: string, report: Uint8Array): void {
    try {
      if (readReport(report).serial !== serial) return;
      this.#reports.set(serial, report);
      this.#news = this.#options.send !== undefined;
      this.#wake();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
    }
  }

  /** From the network, as far as to what is new: that is held until all ECUs have theirs. */
  async #check(core: Core): Promise<Outcome> {
    setMode(core, Mode.NOTIFY);
    const outcome = await this.#client.check(core);
    if (outcome.action !== 'wait') return outcome;
    this.#due = outcome.until;
    this.#hearOwn(core);
    if (outcome.status < 0 || !(await this.#gather(core))) return outcome;
    return outcome.status === Status.UPDATE_AVAILABLE ? this.#install(core) : outcome;
  }

  /** Its own image, out of the set. */
  #install(core: Core): Promise<Outcome> {
    if (this.#round.trial) this.#due = this.#round.deadline;
    setMode(core, Mode.AUTOMATIC);
    return this.#installer.check(core);
  }

  /** Keeps what this check has verified, and every image that an ECU lacks. False: one is not to be had. */
  async #gather(core: Core): Promise<boolean> {
    const { serial, hardwareId, secondaries } = this.#options;
    const files = trustedFiles(core, this.#roots, this.#isOffline);
    const listed =
      files.get(`director/${this.#isOffline ? 'offline-targets' : 'targets'}.json`) ?? new Uint8Array();
    const directions = directionsOf(listed, { [serial]: hardwareId, ...secondaries });
    const lacking = directions.filter(
      ({ serial, releaseCounter }) => !this.#round.has(serial, releaseCounter),
    );
    const images = new Map(lacking.map((direction) => [direction.path, direction]));
    for (const { path, sha256 = '' } of images.values()) {
      const kept = this.#set?.image(sha256);
      if (kept) files.set(kept.name, kept.bytes);
      else if (!(await this.#fetchImage(core, path, files))) return false;
    }
    this.#set = keepSet(this.#options.depot, files, directions);
    this.#want();
    this.#emit({ type: 'kept', releases: releasesOf(this.#set) });
    return true;
  }

  /** The core finds it in both repositories, and checks its length and its hashes. */
  async #fetchImage(core: Core, path: string, files: Map<string, Uint8Array>): Promise<boolean> {
    const pieces: Uint8Array[] = [];
    const outcome = await this.#client.find(core, path, (piece, offset) => {
      if (offset === 0) pieces.splice(0);
      pieces.push(piece.slice());
    });
    const status = outcome.action === 'wait' ? outcome.status : Status.WRONG_STATE;
    if (status === Status.TARGET_VERIFIED) files.set(`targets/${this.#imageName}`, Buffer.concat(pieces));
    else this.#emit({ type: 'image-refused', path, status });
    return status === Status.TARGET_VERIFIED;
  }

  #want(): void {
    if (this.#set) this.#round.want(releasesOf(this.#set));
  }

  /** Where it was decided already that an image stays, nothing is tested again: others have theirs for good. */
  async #endTrial(core: Core, device: DeviceActions): Promise<void> {
    const release = core.stateRead(State.CANDIDATE_RELEASE);
    const passed = this.#round.isCommitted(this.#options.serial, release) || (await device.selfTest(core));
    await this.#client.endTrial(core, passed);
    if (!passed) this.#round.hear(this.#options.serial, reportOf(core, 'rejected'));
  }

  /** What holds for its own image is decided with the others'. */
  async #consent(stage: Stage, release: number): Promise<boolean> {
    for (;;) {
      const consent = this.#round.ask(this.#options.serial, { stage, release });
      if (consent !== 'wait') return consent === 'go';
      // Once in a while it must look whether the image is still what it should have.
      if (stage === 'ready' && this.#now >= this.#due) return false;
      await this.#decide();
      await this.#pause();
    }
  }

  /** Until the next check is due, or its own ECU is needed. False: stop. */
  async #wait(core: Core, device: DeviceActions): Promise<boolean> {
    let ended = false;
    const end = () => {
      ended = true;
      this.#wake();
    };
    const waited = device.wait(this.#due);
    waited.then(end, end);
    for (;;) {
      if (await this.#decide()) return true;
      if (ended) return waited;
      await this.#reportNews(core);
      await this.#pause();
    }
  }

  /** Whether a round began in which its own ECU takes part. */
  async #decide(): Promise<boolean> {
    const { mayReboot = () => true, serial } = this.#options;
    const judged = this.#round.judge();
    if (judged) this.#emit(judged);
    if (!this.#round.isReady || !(await mayReboot())) return false;
    this.#emit(this.#round.begin());
    return this.#round.trial?.[serial] !== undefined;
  }

  /** Until something was said on a line, or for a moment. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const callOff = this.#clock.after(LOOK_AGAIN, () => this.#wake());
      this.#wake = () => {
        callOff();
        this.#wake = () => undefined;
        resolve();
      };
    });
  }

  #hearClient(event: ClientEvent): void {
    if (event.type === 'fetch' && event.kind === FetchKind.TARGET) this.#imageName = event.name;
    if (event.type === 'fetch' && event.kind === FetchKind.DIRECTOR)
      this.#isOffline = /^(\d+\.)?offline-/.test(event.name);
    if (event.type === 'accepted' && /^\d+\.root\.json$/.test(event.name) && this.#core)
      keepRoot(
        this.#options.depot,
        this.#core,
        event.kind === FetchKind.DIRECTOR ? 'director' : 'image',
        this.#roots,
      );
    this.#emit(event);
  }
}

function timeOf({ timeServers, timeExchange }: PrimaryOptions) {
  return { ...(timeServers && { timeServers }), ...(timeExchange && { timeExchange }) };
}

/** Its own updates wait for the others: the core is told to announce them, or to go on. Throws StatusError. */
function setMode(core: Core, mode: Mode): void {
  if (core.stateRead(State.POLICY) === mode || core.stateRead(State.ON_TRIAL) === 1) return;
  const status = core.policySet(mode);
  if (status < 0 && status !== Status.WRONG_STATE) throw new StatusError(status, 'the policy');
}

function releasesOf(set: KeptSet): Record<string, number> {
  return Object.fromEntries(set.directions.map(({ serial, releaseCounter }) => [serial, releaseCounter]));
}
