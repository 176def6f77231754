// The client loop: does what the core says, over HTTP. It decides nothing about trust.
import { Action, FetchKind, Role, State, Status, Text } from './abi.ts';
import { type Addresses, type Bases, baseAddresses, wantedAddress } from './address.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Core } from './core.ts';
import { type Exchange, exchangeWith } from './datagram.ts';
import { HostError, StatusError, statusMessage } from './errors.ts';
import { type Fetch, systemFetch } from './http.ts';
import type { Stage } from './link.ts';
import { type Notice, readNotice } from './notice.ts';
import { type Answer, request, TransferError, type TransferFault } from './transfer.ts';

/** What a client tells whoever watches it. Names are paths below a base address, sizes are in bytes. */
export type ClientEvent =
  | { readonly type: 'fetch'; readonly name: string; readonly kind: FetchKind; readonly offset: number }
  /** `received` counts from the file's start; `total` is what the server or the core expects. */
  | {
      readonly type: 'progress';
      readonly name: string;
      readonly kind: FetchKind;
      readonly received: number;
      readonly total: number;
    }
  | { readonly type: 'absent'; readonly name: string }
  | { readonly type: 'accepted'; readonly name: string; readonly kind: FetchKind }
  | { readonly type: 'refused'; readonly name: string; readonly status: number }
  | {
      readonly type: 'interrupted';
      readonly name: string;
      readonly fault: TransferFault;
      readonly message: string;
    }
  /** A check found something wrong, or nothing that this device may install. */
  | { readonly type: 'finding'; readonly status: number; readonly role: Role; readonly message: string }
  /** What came of asking the time servers: 0, or what is wrong. */
  | { readonly type: 'time'; readonly status: number; readonly message: string }
  | { readonly type: 'up-to-date'; readonly version: string }
  /** A verified image is selected for the next boot. */
  | { readonly type: 'installed'; readonly version: string; readonly length: number }
  /** A release is there that is not installed now: the user has postponed it, or is to approve of it. */
  | { readonly type: 'waiting'; readonly status: number; readonly notice: Notice | undefined }
  /** The version report at the start of a check was sent, or not; the check goes on. */
  | { readonly type: 'report'; readonly status: number; readonly message: string }
  | { readonly type: 'reboot' }
  | { readonly type: 'confirmed'; readonly version: string }
  | { readonly type: 'rejected'; readonly version: string }
  /** It works, but others that were to come with it did not: the image before it returns. */
  | { readonly type: 'withdrawn'; readonly version: string };

/** What ended a run of the core: nothing more to do before `until` (seconds since 1970), or the host's turn. */
export type Outcome =
  | { readonly action: 'wait'; readonly until: number; readonly status: number; readonly role: Role }
  | { readonly action: 'self-test' }
  | { readonly action: 'reboot' };

export interface ClientOptions extends Addresses {
  readonly onEvent?: (event: ClientEvent) => void;
  readonly fetch?: Fetch;
  readonly clock?: Clock;
  /** Roughtime servers, HOST:PORT each, for a device that was given their keys. */
  readonly timeServers?: readonly string[];
  /** Instead of sending datagrams to them. */
  readonly timeExchange?: Exchange;
  /** Milliseconds without a byte, or behind the minimum rate; 30,000. */
  readonly patience?: number;
  /** Bytes per second; 128. */
  readonly minimumRate?: number;
  /**
   * An image is verified and the device would boot again: 0 when that suits now, else until when it does not, in seconds
   * since 1970. Left out: it always suits.
   */
  readonly mayReboot?: (core: Core) => number | Promise<number>;
  /**
   * Of an ECU whose Primary decides for the whole vehicle when an image of this release counter is booted, and whether it
   * stays. False: it is left. Left out: nobody is asked.
   */
  readonly consent?: (stage: Stage, release: number) => Promise<boolean>;
  /**
   * A check begins, and an ECU that reports is to send what it has: `core.report()`, or a Primary `core.manifest(…)`. What it
   * throws is noted, and the check goes on: TransferError and `report-invalid` as NETWORK, StatusError as its status. Left
   * out: nobody is told.
   */
  readonly report?: (core: Core) => void | Promise<void>;
}

/** Gets pieces of a target, each with its offset; one at offset 0 begins anew. An exception ends the fetch. */
export type TargetKeeper = (piece: Uint8Array, offset: number) => void;

/** What a device does besides fetching. */
export interface DeviceActions {
  /** Boots: makes the boot decision and returns a core that has started. */
  powerOn(): Core;
  /** Hears what was thrown by the core, or by what it asked for. True: the device is to boot again. */
  failed?(error: unknown): boolean;
  /** Whether the image that runs on trial works. */
  selfTest(core: Core): boolean | Promise<boolean>;
  /** Waits until a time, seconds since 1970. False: stop here. */
  wait(until: number): Promise<boolean>;
}

/** Requests for the time in one check, and milliseconds until the first one is given up; the next ones take longer. */
const ATTEMPTS = 3;
const PATIENCE = 1000;

/** More answers than the limits of the core allow in one check. */
const STEPS = 100_000;

export class Client {
  readonly #bases: Bases;
  readonly #fetch: Fetch;
  readonly #clock: Clock;
  readonly #limits: { readonly patience: number; readonly minimumRate: number };
  readonly #emit: (event: ClientEvent) => void;
  readonly #mayReboot: (core: Core) => number | Promise<number>;
  readonly #exchange: Exchange;
  readonly #consent: NonNullable<ClientOptions['consent']>;
  readonly #report: ((core: Core) => void | Promise<void>) | undefined;
  /** While a target is looked for: who gets its bytes, or bytes that may be it. */
  #keep: TargetKeeper | undefined;
  #local: Iterable<Uint8Array> | undefined;
  /** The file that was asked for last, and what the server called its version. */
  #latest: { readonly name: string; readonly tag: string | undefined } | undefined;

  /** Throws `address-invalid` or `insecure`. */
  constructor(options: ClientOptions) {
    this.#bases = baseAddresses(options);
    this.#fetch = options.fetch ?? systemFetch;
    this.#clock = options.clock ?? systemClock;
    this.#limits = { patience: options.patience ?? 30_000, minimumRate: options.minimumRate ?? 128 };
    this.#emit = options.onEvent ?? (() => undefined);
    this.#mayReboot = options.mayReboot ?? (() => 0);
    this.#exchange = options.timeExchange ?? exchangeWith(options.timeServers ?? []);
    this.#consent = options.consent ?? (async () => true);
    this.#report = options.report;
  }

  /** Runs a device until `wait` says stop; the last outcome. */
  async run(device: DeviceActions): Promise<Outcome & { action: 'wait' }> {
    let core = device.powerOn();
    for (;;) {
      const outcome = await this.#turn(core, device);
      if (outcome.action === 'reboot') {
        this.#emit({ type: 'reboot' });
        core = device.powerOn();
      } else if (outcome.action === 'wait' && !(await device.wait(outcome.until))) {
        return outcome;
      }
    }
  }

  /** Until the core waits, or needs a reboot, or has an answer to its self-test. */
  async #turn(core: Core, device: DeviceActions): Promise<Outcome> {
    try {
      const outcome = await this.check(core);
      if (outcome.action === 'self-test') await this.endTrial(core, await device.selfTest(core));
      return outcome;
    } catch (error) {
      if (device.failed?.(error)) return { action: 'reboot' };
      throw error;
    }
  }

  /** Starts a core. False: it must be provisioned. Throws StatusError when what is on its flash cannot be used. */
  start(core: Core): boolean {
    const status = core.coreStart();
    if (status === Status.NOT_PROVISIONED) return false;
    if (status < 0) throw new StatusError(status, 'the flash of this device');
    const outcome = core.stateRead(State.CHECK_STATUS) | 0;
    if (outcome < 0)
      this.#emit({ type: 'finding', status: outcome, role: Role.IMAGE, message: statusMessage(outcome) });
    return true;
  }

  /**
   * Finds a target by its path with the metadata of the check before, fetches it and lets the core verify it. `keep`
   * gets the bytes as they come: they are the target only when the outcome's status is TARGET_VERIFIED.
   */
  async find(core: Core, path: string, keep: TargetKeeper): Promise<Outcome> {
    this.#begin(core, path);
    this.#keep = keep;
    try {
      return await this.check(core);
    } finally {
      this.#keep = undefined;
    }
  }

  /** As `find`, but judges bytes that are here already: fetches delegated roles as they are needed, and no target. */
  async judge(core: Core, path: string, local: Iterable<Uint8Array>): Promise<Outcome> {
    this.#begin(core, path);
    this.#local = local;
    try {
      return await this.check(core);
    } finally {
      this.#local = undefined;
    }
  }

  #begin(core: Core, path: string): void {
    const status = core.targetFind(path);
    if (status < 0) throw new StatusError(status, `the target ${path}`);
  }

  /** Does what the core says until it waits, or needs a self-test or a reboot. */
  async check(core: Core): Promise<Outcome> {
    let asked = 0;
    for (let step = 0; step < STEPS; step++) {
      const action = core.agentStep(Math.floor(this.#clock.now() / 1000));
      const left = action === Action.ASK && !(await this.#ask(core));
      if (left) return this.#leave(core);
      if (action === Action.FETCH) await this.#fetchFile(core);
      else if (action === Action.TIME) await this.#askTime(core, asked++);
      else if (action === Action.REPORT) await this.#sendReport(core);
      else if (action === Action.SELF_TEST) return { action: 'self-test' };
      else if (action === Action.REBOOT) return this.#installed(core);
      else if (action === Action.WAIT) return this.#checked(core);
      else if (action !== Action.CONTINUE && action !== Action.ASK)
        throw new StatusError(action, 'agent_step');
    }
    throw new HostError('core-call', `the core asks without end, last for ${core.fetchName()}`);
  }

  async #sendReport(core: Core): Promise<void> {
    let status: number = Status.OK;
    try {
      await this.#report?.(core);
    } catch (error) {
      if (error instanceof StatusError) status = error.status;
      else if (
        error instanceof TransferError ||
        (error instanceof HostError && error.code === 'report-invalid')
      )
        status = Status.NETWORK;
      else throw error;
    }
    core.reportEnd(status);
    if (this.#report) this.#emit({ type: 'report', status, message: statusMessage(status) });
  }

  /** Where "later" may not be said any more, the update goes on. False: not with this image. */
  async #ask(core: Core): Promise<boolean> {
    const until = await this.#mayReboot(core);
    if (until !== 0 && core.updatePostpone(until) >= 0) return true;
    if (!(await this.#consent('ready', core.stateRead(State.CANDIDATE_RELEASE)))) return false;
    core.updateApprove();
    return true;
  }

  /** A core that starts again holds no image any more; what was downloaded is there, and is looked at again. */
  #leave(core: Core): Outcome {
    this.start(core);
    return { action: 'wait', until: core.agentUntil(), status: Status.POSTPONED, role: Role.NONE };
  }

  /** Ends a trial by what the self-test found; where it passed, a Primary has a say. Throws StatusError. */
  async endTrial(core: Core, passed: boolean): Promise<void> {
    const release = core.stateRead(State.CANDIDATE_RELEASE);
    if (!passed || (await this.#consent('works', release))) return this.answerSelfTest(core, passed);
    const version = core.textRead(Text.CANDIDATE_VERSION);
    const status = core.updatePostpone(0);
    if (status < 0) throw new StatusError(status, 'withdrawing the image');
    this.#emit({ type: 'withdrawn', version });
  }

  /** Tells the core what the self-test found. Throws StatusError when that could not be stored. */
  answerSelfTest(core: Core, passed: boolean): void {
    const version = core.textRead(Text.CANDIDATE_VERSION);
    const status = passed ? core.imageConfirm() : core.imageReject();
    if (status < 0) throw new StatusError(status, passed ? 'confirming the image' : 'rejecting the image');
    this.#emit({ type: passed ? 'confirmed' : 'rejected', version });
  }

  #installed(core: Core): Outcome {
    if (core.stateRead(State.CANDIDATE_RELEASE) > 0 && core.stateRead(State.ON_TRIAL) === 0)
      this.#emit({
        type: 'installed',
        version: core.textRead(Text.CANDIDATE_VERSION),
        length: core.stateRead(State.IMAGE_LENGTH),
      });
    return { action: 'reboot' };
  }

  #checked(core: Core): Outcome {
    const status = core.stateRead(State.CHECK_STATUS) | 0;
    const role = core.stateRead(State.CHECK_ROLE) as Role;
    if (status === Status.UP_TO_DATE)
      this.#emit({ type: 'up-to-date', version: core.textRead(Text.INSTALLED_VERSION) });
    else if (status === Status.UPDATE_AVAILABLE || status === Status.POSTPONED)
      this.#emit({ type: 'waiting', status, notice: readNotice(core.release()) });
    else if (status !== Status.OK && status !== Status.TARGET_VERIFIED)
      this.#emit({ type: 'finding', status, role, message: statusMessage(status) });
    return { action: 'wait', until: core.agentUntil(), status, role };
  }

  /** Sends a request to all time servers, after the last attempt that none of them answers as it must. */
  async #askTime(core: Core, attempt: number): Promise<void> {
    let status: number = Status.TIME_MISSING;
    const judge = (answer: Uint8Array) => {
      status = core.timeAnswer(answer);
      return status >= 0;
    };
    if (attempt < ATTEMPTS) await this.#exchange(core.timeRequest(), judge, PATIENCE * 1.5 ** attempt);
    if (status < 0 && attempt < ATTEMPTS) return;
    if (status < 0) status = core.timeAnswer(new Uint8Array());
    this.#emit({ type: 'time', status, message: statusMessage(status) });
  }

  async #fetchFile(core: Core): Promise<void> {
    const name = core.fetchName();
    const kind = core.fetchKind() as FetchKind;
    if (kind === FetchKind.TARGET && this.#local) return feedLocal(core, this.#local);
    this.#emit({ type: 'fetch', name, kind, offset: core.fetchOffset() });
    try {
      const answer = await this.#request(name, kind, core);
      if (answer) return await this.#pass(core, name, kind, answer);
      this.#emit({ type: 'absent', name });
      core.fetchEnd(Status.NOT_FOUND);
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      this.#emit({ type: 'interrupted', name, fault: error.fault, message: error.message });
      core.fetchEnd(RESULTS[error.fault] ?? Status.NETWORK);
    }
  }

  async #request(name: string, kind: FetchKind, core: Core): Promise<Answer | undefined> {
    const url = wantedAddress(this.#bases, kind, name);
    if (url === undefined) throw new TransferError('misnamed', `${name}: a name that could leave its folder`);
    const offset = core.fetchOffset();
    const tag = this.#latest?.name === name ? this.#latest.tag : undefined;
    const known = { total: kind === FetchKind.TARGET ? offset + core.fetchLimit() : undefined, tag };
    const answer = await request(url, offset, this.#fetch, this.#clock, this.#limits, known);
    this.#latest = { name, tag: answer?.tag };
    return answer;
  }

  /** Passes an answer to the core, which judges it. */
  async #pass(core: Core, name: string, kind: FetchKind, answer: Answer): Promise<void> {
    let status: number;
    try {
      status = await this.#stream(core, name, kind, answer);
    } catch (error) {
      answer.cancel();
      throw error;
    }
    if (status < 0) answer.cancel();
    const verdict = core.fetchEnd(status < 0 ? Status.NETWORK : Status.OK);
    if (Math.min(status, verdict) >= 0) this.#emit({ type: 'accepted', name, kind });
    else this.#emit({ type: 'refused', name, status: status < 0 ? status : verdict });
  }

  /** Feeds the bytes as they come, up to one beyond the limit: that one shows the core that there are too many. */
  async #stream(core: Core, name: string, kind: FetchKind, answer: Answer): Promise<number> {
    const end = core.fetchOffset() + core.fetchLimit();
    if (kind === FetchKind.TARGET && answer.total !== undefined && answer.total !== end)
      throw new TransferError(
        answer.total > end ? 'longer' : 'shorter',
        `${name}: of ${answer.total} bytes, and ${end} are signed`,
      );
    const total = Math.min(answer.total ?? end, end);
    let status = core.fetchBegin(answer.start);
    for (let offset = answer.start; status >= 0; ) {
      const bytes = await next(core, answer);
      if (!bytes) break;
      const wanted = bytes.subarray(0, end + 1 - offset);
      status = feed(core, wanted);
      if (kind === FetchKind.TARGET) this.#keep?.(wanted, offset);
      offset += wanted.length;
      this.#emit({ type: 'progress', name, kind, received: Math.min(offset, end), total });
      if (status >= 0 && offset > end)
        throw new TransferError('overlong', `${name}: more bytes than asked for`);
    }
    return status;
  }
}

/** What the core is told of a fault, where it is more than that the network failed. */
const RESULTS: Partial<Record<TransferFault, Status>> = {
  longer: Status.TOO_LONG,
  shorter: Status.TRUNCATED,
};

/** Answers a fetch with bytes that are here already. */
function feedLocal(core: Core, local: Iterable<Uint8Array>): void {
  let status = core.fetchBegin(0);
  for (const bytes of local) {
    if (status >= 0) status = feed(core, bytes);
    if (status < 0) break;
  }
  core.fetchEnd(status < 0 ? Status.NETWORK : Status.OK);
}

/** Asks for the next bytes, and has the core erase ahead while they are on their way. */
async function next(core: Core, answer: Answer): Promise<Uint8Array | undefined> {
  const bytes = answer.read();
  bytes.catch(() => undefined); // where the core throws, nobody waits for them
  core.fetchEraseAhead();
  return bytes;
}

/** Bytes in pieces that fit the core's buffer; the first negative status ends it. */
function feed(core: Core, bytes: Uint8Array): number {
  let status: number = Status.OK;
  for (let from = 0; from < bytes.length && status >= 0; from += core.ioCapacity)
    status = core.fetchWrite(bytes.subarray(from, from + core.ioCapacity));
  return status;
}
