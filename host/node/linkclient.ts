// The device's end of the link ("Link" in docs/formats.md), for devices that run in Node: one request at a time, repeated
// until its answer comes. host/device/link.c does the same.
import { FetchKind } from './abi.ts';
import type { Addresses } from './address.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Exchange } from './datagram.ts';
import type { Fetch, Reply } from './http.ts';
import {
  type Consent,
  type ConsentRequest,
  consentRequest,
  type DeviceReport,
  encodeFrame,
  type Frame,
  FrameDecoder,
  LAST,
  LINK_VERSION,
  LinkKind,
  parseConsent,
  type ReadRequest,
  readRequest,
  reportPayload,
  u32,
  versionReportPayload,
} from './link.ts';

/** Milliseconds of silence after which a request is repeated, how often without any answer, and its end in all. */
const REPEAT = 500;
const REPEATS = 20;
const PATIENCE = 60_000;
/** Bytes of a file in one answer. */
const PIECE = 4096;

export interface LinkClientOptions {
  /** Puts bytes on the line. */
  readonly send: (bytes: Uint8Array) => void;
  /** Any number other than that of the session before. */
  readonly session: number;
  readonly clock?: Clock;
}

/** The gateway does not answer, or not with what was asked for. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
}

export class LinkClient {
  readonly #options: LinkClientOptions;
  readonly #clock: Clock;
  readonly #decoder = new FrameDecoder(PIECE + 64);
  #sequence = 0;
  #greeted = false;
  /** The request that waits, and who is told of its answer. */
  #hear: ((frame: Frame) => void) | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: LinkClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Takes what came on the line. */
  receive(bytes: Uint8Array): void {
    for (const frame of this.#decoder.push(bytes)) this.#hear?.(frame);
  }

  /** Seconds since 1970 as the gateway has them, 0: unknown. Like all requests it throws LinkError. */
  async time(): Promise<number> {
    const { payload } = await this.#ask(LinkKind.TIME, new Uint8Array());
    if (payload.length !== 4) throw new LinkError('an answer that is no time');
    return Buffer.from(payload).readUInt32LE();
  }

  /** Undefined: the gateway does not have the file. */
  async read(request: ReadRequest): Promise<{ bytes: Uint8Array; last: boolean } | undefined> {
    const { kind, flags, payload } = await this.#ask(LinkKind.READ, readRequest(request), LinkKind.ABSENT);
    if (kind === LinkKind.ABSENT) return undefined;
    const bytes = payload.subarray(4);
    const last = (flags & LAST) !== 0;
    const isRight = Buffer.compare(payload.subarray(0, 4), u32(request.offset)) === 0;
    if (!isRight || bytes.length > request.wanted || (bytes.length === 0 && !last))
      throw new LinkError(`${request.name}: not the bytes that were asked for`);
    return { bytes, last };
  }

  /** What came back first to a datagram for time servers. */
  async signedTime(question: Uint8Array): Promise<Uint8Array> {
    return (await this.#ask(LinkKind.SIGNED_TIME, question)).payload;
  }

  async report(report: DeviceReport): Promise<void> {
    await this.#ask(LinkKind.REPORT, reportPayload(report));
  }

  /** Hands over a version report with the signature of its ECU. */
  async versionReport(report: Uint8Array): Promise<void> {
    await this.#ask(LinkKind.VERSION_REPORT, versionReportPayload(report));
  }

  async consent(request: ConsentRequest): Promise<Consent> {
    const { payload } = await this.#ask(LinkKind.CONSENT, consentRequest(request));
    const consent = parseConsent(payload);
    if (!consent) throw new LinkError('an answer that is no consent');
    return consent;
  }

  /** One after the other, whoever asks. */
  #ask(kind: number, payload: Uint8Array, orElse?: number): Promise<Frame> {
    const answered = this.#queue.then(async () => {
      if (!this.#greeted) await this.#greet();
      return this.#exchange(kind, payload, orElse);
    });
    this.#queue = answered.catch(() => undefined);
    return answered;
  }

  async #greet(): Promise<void> {
    const { payload } = await this.#exchange(LinkKind.HELLO, Buffer.of(LINK_VERSION));
    if (payload.length !== 1 || payload[0] !== LINK_VERSION)
      throw new LinkError('a gateway of another version');
    this.#greeted = true;
  }

  async #exchange(kind: number, payload: Uint8Array, orElse?: number): Promise<Frame> {
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const { session } = this.#options;
    const request = { kind, flags: 0, sequence: this.#sequence, session, payload };
    const answer = await this.#answerTo(request);
    if (answer?.kind === (kind | LinkKind.ANSWER) || (answer && answer.kind === orElse)) return answer;
    if (answer?.kind !== LinkKind.FAILED) this.#greeted = false;
    throw new LinkError(answer ? `the gateway says 0x${answer.kind.toString(16)}` : 'the gateway is silent');
  }

  async #answerTo(request: Frame): Promise<Frame | undefined> {
    const began = this.#clock.now();
    const bytes = encodeFrame(request);
    for (let repeats = 0; repeats < REPEATS && this.#clock.now() - began < PATIENCE; repeats++) {
      const heard = this.#next(request);
      this.#options.send(bytes);
      const answer = await heard;
      if (answer?.kind === LinkKind.BUSY) repeats = 0;
      else if (answer) return answer;
    }
    return undefined;
  }

  /** The next answer to a request; undefined: silence, or the gateway is still at it. */
  #next({ sequence, session }: Frame): Promise<Frame | undefined> {
    return new Promise((resolve) => {
      let busy: Frame | undefined;
      const end = (frame?: Frame) => {
        this.#hear = undefined;
        callOff();
        resolve(frame);
      };
      const callOff = this.#clock.after(REPEAT, () => end(busy));
      this.#hear = (frame) => {
        const isOurs = frame.kind >= LinkKind.ANSWER && frame.sequence === sequence;
        if (!isOurs || frame.session !== session) return;
        if (frame.kind === LinkKind.BUSY) busy = frame;
        else end(frame);
      };
    });
  }
}

/** Time servers that are asked over a link. */
export function linkExchange(link: () => LinkClient): Exchange {
  return async (question, suits) => {
    const answer = await link()
      .signedTime(question)
      .catch((error: unknown) => {
        if (!(error instanceof LinkError)) throw error;
      });
    if (answer) suits(answer);
  };
}

/** Addresses for a client whose `fetch` is that of a link. */
export const LINK_ADDRESSES: Addresses = {
  metadataUrl: 'https://link/0/',
  targetsUrl: 'https://link/1/',
  directorUrl: 'https://link/2/',
};

const KINDS: readonly (FetchKind | undefined)[] = [FetchKind.METADATA, FetchKind.TARGET, FetchKind.DIRECTOR];

/** Files below LINK_ADDRESSES, over a link. */
export function linkFetch(link: LinkClient): Fetch {
  return async (url, { headers }) => {
    const [, digit = '', ...path] = new URL(url).pathname.split('/');
    const fileKind = KINDS[Number(digit)];
    if (fileKind === undefined) throw new LinkError(`${url}: not an address of the link`);
    // The names of metadata are percent-encoded on the link too.
    const name = fileKind === FetchKind.TARGET ? decodeURIComponent(path.join('/')) : path.join('/');
    const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    const first = await link.read({ fileKind, name, offset: start, wanted: PIECE });
    if (!first) return reply(404, {}, async () => undefined);
    const range: Record<string, string> =
      start === 0 ? {} : { 'content-range': `bytes ${start}-${2 ** 32}/*` };
    let piece: typeof first | undefined = first;
    let offset = start;
    return reply(start === 0 ? 200 : 206, range, async () => {
      const { bytes = undefined, last = true } =
        piece ?? (await link.read({ fileKind, name, offset, wanted: PIECE })) ?? {};
      piece = last ? { bytes: new Uint8Array(), last } : undefined;
      offset += bytes?.length ?? 0;
      return bytes?.length ? bytes : undefined;
    });
  };
}

function reply(
  status: number,
  headers: Record<string, string>,
  next: () => Promise<Uint8Array | undefined>,
): Reply {
  const reader = { read: async () => ({ value: await next() }), cancel: async () => undefined };
  return { status, headers: { get: (name) => headers[name] ?? null }, body: { getReader: () => reader } };
}
