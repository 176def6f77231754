// The gateway: answers a device on the other end of a line, and asks the server in its place. It decides nothing about
// trust, keeps no more than one piece of one file, and takes whatever comes on the line. "Link" in docs/formats.md.
import type { Readable, Writable } from 'node:stream';
import type { FetchKind } from './abi.ts';
import { type Addresses, baseAddresses } from './address.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Exchange, exchangeWith } from './datagram.ts';
import { type Fetch, systemFetch } from './http.ts';
import {
  type Consent,
  type ConsentRequest,
  consentAnswer,
  type DeviceReport,
  encodeFrame,
  type Frame,
  FrameDecoder,
  LAST,
  LINK_VERSION,
  LinkKind,
  parseConsentRequest,
  parseRead,
  parseReport,
  parseVersionReport,
  type ReadRequest,
  u32,
} from './link.ts';
import { RemoteFile, type Upstream } from './remote.ts';
import { TransferError, type TransferFault } from './transfer.ts';

/** What a gateway tells whoever watches it. Names are paths below a base address. */
export type GatewayEvent =
  /** A device has begun a session. */
  | { readonly type: 'hello'; readonly session: number }
  /** The server was asked. */
  | { readonly type: 'fetch'; readonly name: string; readonly kind: FetchKind; readonly offset: number }
  | { readonly type: 'absent'; readonly name: string }
  | {
      readonly type: 'interrupted';
      readonly name: string;
      readonly fault: TransferFault;
      readonly message: string;
    }
  | { readonly type: 'report'; readonly report: DeviceReport }
  /** A device's request for the time went out, and something came back or not. */
  | { readonly type: 'time'; readonly answered: boolean }
  /** A request that this gateway does not understand: a device of another version. */
  | { readonly type: 'refused'; readonly kind: number };

export interface GatewayOptions extends Addresses {
  readonly onEvent?: (event: GatewayEvent) => void;
  /** Of a Primary; left out: who asks for consent is refused. */
  readonly onConsent?: (request: ConsentRequest) => Consent;
  /** Gets a device's version report, signed by it, with its envelope; nothing of it is verified. Left out: it is refused. */
  readonly onVersionReport?: (report: Uint8Array) => void;
  readonly fetch?: Fetch;
  readonly clock?: Clock;
  /** Roughtime servers, HOST:PORT each, that devices' requests for the time go to. */
  readonly timeServers?: readonly string[];
  /** Instead of sending datagrams to them. */
  readonly timeExchange?: Exchange;
  /** Milliseconds without a byte from the server, or behind the minimum rate; 20,000: a device waits for 60,000. */
  readonly patience?: number;
  /** Bytes per second; 128. */
  readonly minimumRate?: number;
}

/** Serves the device at the other end of a line until that ends. Throws what the line throws. */
export async function serveLink(input: Readable, output: Writable, options: GatewayOptions): Promise<void> {
  // A device that does not read its answers asks again: nothing is kept for it.
  const gateway = new Gateway(options, (bytes) => output.writableNeedDrain || output.write(bytes));
  // A line that takes nothing more ends on the other side too.
  output.on('error', () => undefined);
  try {
    for await (const bytes of input) void gateway.receive(bytes);
  } finally {
    gateway.close();
  }
}

/** Milliseconds that time servers get to answer. */
const TIME_PATIENCE = 2000;

/** The latest request, and its answer when there is one. */
interface Request {
  readonly request: Frame;
  answer: Uint8Array | undefined;
}

/** A READ that was understood. */
interface Wanted {
  readonly exchange: Request;
  readonly read: ReadRequest;
}

type Reply = Pick<Frame, 'kind'> & Partial<Pick<Frame, 'flags' | 'payload'>>;

/** One device's gateway. */
export class Gateway {
  readonly #upstream: Upstream;
  readonly #exchangeTime: Exchange;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #emit: (event: GatewayEvent) => void;
  readonly #onConsent: GatewayOptions['onConsent'];
  readonly #onVersionReport: GatewayOptions['onVersionReport'];
  readonly #decoder = new FrameDecoder();
  #latest: Request | undefined;
  #file: RemoteFile | undefined;
  /** A READ that waits for the one before it to let go of the server. */
  #waiting: Wanted | undefined;
  #working: Promise<void> | undefined;
  #timing: Promise<void> | undefined;

  /** `send` puts bytes on the line. Throws `address-invalid` or `insecure`. */
  constructor(options: GatewayOptions, send: (bytes: Uint8Array) => void) {
    this.#upstream = {
      bases: baseAddresses(options),
      fetch: options.fetch ?? systemFetch,
      clock: options.clock ?? systemClock,
      limits: { patience: options.patience ?? 20_000, minimumRate: options.minimumRate ?? 128 },
    };
    this.#exchangeTime = options.timeExchange ?? exchangeWith(options.timeServers ?? []);
    this.#send = send;
    this.#emit = options.onEvent ?? (() => undefined);
    this.#onConsent = options.onConsent;
    this.#onVersionReport = options.onVersionReport;
  }

  /** Takes what came on the line. Resolves when nothing that was asked is left to do. */
  receive(bytes: Uint8Array): Promise<void> {
    for (const frame of this.#decoder.push(bytes)) this.#take(frame);
    return Promise.all([this.#working, this.#timing]).then(() => undefined);
  }

  /** Lets go of the server. */
  close(): void {
    this.#latest = undefined;
    this.#waiting = undefined;
    this.#forget();
  }

  #take(frame: Frame): void {
    // A line that echoes brings our own answers back.
    if (frame.kind >= LinkKind.ANSWER) return;
    const latest = this.#latest;
    if (latest && isSame(latest.request, frame)) {
      this.#send(latest.answer ?? answerTo(frame, { kind: LinkKind.BUSY }));
    } else if (!latest || !isBehind(latest.request, frame)) {
      this.#latest = { request: frame, answer: undefined };
      this.#waiting = undefined;
      if (frame.session !== latest?.request.session) this.#forget();
      this.#begin(this.#latest);
    }
  }

  #begin(exchange: Request): void {
    const { kind, payload } = exchange.request;
    if (kind === LinkKind.SIGNED_TIME && payload.length > 0) {
      this.#timing = this.#bringTime(exchange);
      return;
    }
    const read = kind === LinkKind.READ ? parseRead(payload) : undefined;
    const reply = read ? undefined : this.#reply(exchange.request);
    if (read) this.#read(exchange, read);
    else this.#answer(exchange, reply ?? { kind: LinkKind.REFUSED });
    if (!read && !reply) this.#emit({ type: 'refused', kind });
  }

  /** The answer to what can be answered at once. Undefined: not understood. */
  #reply({ kind, session, payload }: Frame): Reply | undefined {
    const answer = kind | LinkKind.ANSWER;
    if (kind === LinkKind.HELLO) {
      if (payload.length !== 1 || payload[0] !== LINK_VERSION) return undefined;
      this.#forget();
      this.#emit({ type: 'hello', session });
      return { kind: answer, payload: Uint8Array.of(LINK_VERSION) };
    }
    if (kind === LinkKind.TIME && payload.length === 0)
      return { kind: answer, payload: u32(Math.floor(this.#upstream.clock.now() / 1000)) };
    if (kind === LinkKind.CONSENT) {
      const request = parseConsentRequest(payload);
      const consent = request && this.#onConsent?.(request);
      return consent && { kind: answer, payload: consentAnswer(consent) };
    }
    if (kind === LinkKind.VERSION_REPORT) {
      const report = this.#onVersionReport && parseVersionReport(payload);
      if (report) this.#onVersionReport?.(report);
      return report && { kind: answer };
    }
    const report = kind === LinkKind.REPORT ? parseReport(payload) : undefined;
    if (!report) return undefined;
    this.#emit({ type: 'report', report });
    return { kind: answer };
  }

  /** Passes a datagram on, and back whatever comes: the device has bound the answer to it. */
  async #bringTime(exchange: Request): Promise<void> {
    let answer: Uint8Array | undefined;
    const take = (datagram: Uint8Array) => {
      answer = datagram;
      return true;
    };
    await this.#exchangeTime(exchange.request.payload, take, TIME_PATIENCE).catch(() => undefined);
    const kind = answer ? LinkKind.SIGNED_TIME | LinkKind.ANSWER : LinkKind.FAILED;
    this.#answer(exchange, { kind, ...(answer && { payload: answer }) });
    if (exchange === this.#latest) this.#emit({ type: 'time', answered: answer !== undefined });
  }

  #answer(exchange: Request, reply: Reply): void {
    if (exchange !== this.#latest) return;
    exchange.answer = answerTo(exchange.request, reply);
    this.#send(exchange.answer);
  }

  #forget(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** One READ at a time: a new one ends the one before it. */
  #read(exchange: Request, read: ReadRequest): void {
    this.#waiting = { exchange, read };
    if (this.#working) this.#forget();
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting; next; next = this.#waiting) {
      this.#waiting = undefined;
      this.#answer(next.exchange, await this.#piece(next));
    }
  }

  async #piece(wanted: Wanted): Promise<Reply> {
    const file = this.#file;
    const more = file?.continues(wanted.read) && (await this.#attempt(wanted, () => next(file, wanted.read)));
    // A transfer that broke off goes on in another one.
    const reply =
      more || (this.#isWanted(wanted) && (await this.#attempt(wanted, () => this.#open(wanted.read))));
    return reply || { kind: LinkKind.FAILED };
  }

  /** Undefined: it failed. */
  async #attempt(wanted: Wanted, attempt: () => Promise<Reply>): Promise<Reply | undefined> {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      const { fault, message } = error;
      if (this.#isWanted(wanted)) this.#emit({ type: 'interrupted', name: wanted.read.name, fault, message });
      return undefined;
    }
  }

  /** The device has not asked for something else since. */
  #isWanted({ exchange }: Wanted): boolean {
    return exchange === this.#latest;
  }

  async #open(read: ReadRequest): Promise<Reply> {
    const before = this.#file;
    before?.close();
    this.#emit({ type: 'fetch', name: read.name, kind: read.fileKind, offset: read.offset });
    const file = new RemoteFile(this.#upstream, read, before);
    this.#file = file;
    if (await file.open()) return next(file, read);
    this.#emit({ type: 'absent', name: read.name });
    return { kind: LinkKind.ABSENT };
  }
}

async function next(file: RemoteFile, { offset, wanted }: ReadRequest): Promise<Reply> {
  const { bytes, last } = await file.read(wanted);
  const payload = Buffer.concat([u32(offset), bytes]);
  return { kind: LinkKind.READ | LinkKind.ANSWER, flags: last ? LAST : 0, payload };
}

function answerTo(request: Frame, reply: Reply): Uint8Array {
  return encodeFrame({ ...request, flags: 0, payload: new Uint8Array(), ...reply });
}

function isSame(one: Frame, other: Frame): boolean {
  return (
    one.session === other.session &&
    one.sequence === other.sequence &&
    one.kind === other.kind &&
    Buffer.compare(one.payload, other.payload) === 0
  );
}

/** A request that a line held back, while a later one was asked. */
function isBehind(latest: Frame, frame: Frame): boolean {
  const ahead = (frame.sequence - latest.sequence) & 0xffff;
  return frame.session === latest.session && ahead >= 0x8000 && frame.kind !== LinkKind.HELLO;
}
