// One file over HTTP: range, resume, redirects within the origin, and an end to every way of wasting time.
import type { Clock } from './clock.ts';
import type { Fetch, Reply, ReplyReader } from './http.ts';

/**
 * unreachable: no answer; refused: an HTTP status that is no answer; redirected: to another origin, or too
 * often; encoded: not the bytes themselves; unranged: a range that does not say where it starts; truncated:
 * fewer bytes than announced; slow: below the minimum rate, or nothing at all for too long; overlong: more
 * bytes than asked for; misnamed: a name that could leave the base address; longer, shorter: than the
 * file that is signed; changed: another version of the file than the one of which a part is here
 */
export type TransferFault =
  | 'unreachable'
  | 'refused'
  | 'redirected'
  | 'encoded'
  | 'unranged'
  | 'truncated'
  | 'slow'
  | 'overlong'
  | 'misnamed'
  | 'longer'
  | 'shorter'
  | 'changed';

export class TransferError extends Error {
  override readonly name = 'TransferError';
  readonly fault: TransferFault;

  constructor(fault: TransferFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

export interface TransferLimits {
  /** Milliseconds without a byte before a transfer is given up; also what a transfer may lag behind its rate. */
  readonly patience: number;
  /** Bytes per second below which a transfer is given up. */
  readonly minimumRate: number;
}

/** The answer to a request, its bytes still to come. */
export interface Answer {
  /** Offset in the file of the first byte that comes. */
  readonly start: number;
  /** Length of the whole file when the server says so. */
  readonly total: number | undefined;
  /** What the server calls this version of the file: a strong ETag. */
  readonly tag: string | undefined;
  /** The next bytes; undefined: these were all. */
  read(): Promise<Uint8Array | undefined>;
  /** Stops the transfer. Needed unless `read` came to its end. */
  cancel(): void;
}

/** What is known of a file of which a part is here. */
export interface Known {
  /** Its length in bytes. */
  readonly total?: number | undefined;
  readonly tag?: string | undefined;
}

const REDIRECTS = 3;
/** Bytes of an error page that are read before the connection is given up. */
const DISCARDED = 4096;

/**
 * Asks for a file from `offset` on, and for all of it where what comes is not the rest of the file that is `known`:
 * whoever reads it must compare. Undefined: the server does not have it (400, 403, 404). Throws TransferError.
 */
export async function request(
  url: string,
  offset: number,
  fetch: Fetch,
  clock: Clock,
  limits: TransferLimits,
  known: Known = {},
): Promise<Answer | undefined> {
  const pace = new Pace(url, clock, limits);
  const response = await follow(url, offset, known.tag, fetch, pace);
  const { status } = response;
  if (status === 200 || (status === 206 && isRest(response, offset, known)))
    return answer(url, response, pace);
  if (status === 206) pace.end();
  else await discard(response, pace);
  if ((status === 206 || status === 416) && offset > 0) return request(url, 0, fetch, clock, limits);
  if (status === 400 || status === 403 || status === 404) return undefined;
  if (status === 206)
    throw new TransferError('unranged', `${url}: a part of the file that was not asked for`);
  throw new TransferError('refused', `${url}: HTTP status ${status}`);
}

async function follow(
  url: string,
  offset: number,
  tag: string | undefined,
  fetch: Fetch,
  pace: Pace,
): Promise<Reply> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity', 'user-agent': 'moult' };
  if (offset > 0) headers.range = `bytes=${offset}-`;
  // RFC 9110, 13.1.5: another version of the file is sent whole.
  if (offset > 0 && tag !== undefined) headers['if-range'] = tag;
  let here = url;
  for (let hops = 0; hops <= REDIRECTS; hops++) {
    const response = await pace.wait(
      fetch(here, { headers, redirect: 'manual', signal: pace.signal }),
      'unreachable',
    );
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null) return response;
    await discard(response, pace);
    const next = URL.canParse(location, here) ? new URL(location, here) : undefined;
    if (next?.origin !== new URL(url).origin)
      throw new TransferError('redirected', `${url}: redirected to another origin (${location})`);
    here = next.href;
  }
  throw new TransferError('redirected', `${url}: redirected more than ${REDIRECTS} times`);
}

/** Reads the text that comes with an error, so that the connection can be used again; a long one is cut off. */
async function discard(response: Reply, pace: Pace): Promise<void> {
  const reader = response.body?.getReader();
  for (let bytes = 0; reader && bytes <= DISCARDED; ) {
    const { value } = await pace.wait(reader.read(), 'truncated');
    if (!value) return;
    bytes += value.length;
  }
  await reader?.cancel();
}

/** Whether an answer can be of the file that is known. */
export function isVersion({ total, tag }: Known, known: Known): boolean {
  return isEqual(total, known.total) && isEqual(tag, known.tag);
}

/** As far as both are known. */
function isEqual<T>(one: T | undefined, other: T | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

/** Whether a part begins where it was asked for, is as long as it says, and of the file that is known. */
function isRest({ headers }: Reply, offset: number, known: Known): boolean {
  const [start, last, total] = rangeOf(headers);
  // A part that does not say which is nothing to go by, nor to try again.
  if (start === undefined || last === undefined) return true;
  const length = number(headers.get('content-length'));
  return (
    start === offset &&
    isEqual(length, last + 1 - start) &&
    isVersion({ total, tag: strongTag(headers) }, known)
  );
}

function answer(url: string, response: Reply, pace: Pace): Answer {
  try {
    return new HttpAnswer(url, response, pace);
  } catch (error) {
    pace.end();
    throw error;
  }
}

class HttpAnswer implements Answer {
  readonly start: number;
  readonly total: number | undefined;
  readonly tag: string | undefined;
  readonly #url: string;
  readonly #pace: Pace;
  readonly #reader: ReplyReader | undefined;
  #received = 0;

  constructor(url: string, response: Reply, pace: Pace) {
    const { start, total } = extent(url, response);
    this.start = start;
    this.total = total;
    this.tag = strongTag(response.headers);
    this.#url = url;
    this.#pace = pace;
    this.#reader = response.body?.getReader();
  }

  async read(): Promise<Uint8Array | undefined> {
    const part = this.#reader && (await this.#pace.wait(this.#reader.read(), 'truncated'));
    if (part?.value) {
      this.#received += part.value.length;
      this.#pace.count(part.value.length);
      return part.value;
    }
    if (this.total !== undefined && this.start + this.#received < this.total)
      throw new TransferError('truncated', `${this.#url}: ended after ${this.#received} bytes, too early`);
    return undefined;
  }

  cancel(): void {
    this.#pace.end();
    this.#reader?.cancel().catch(() => undefined);
  }
}

/** Where the bytes of an answer start, and how long the file is. */
function extent(url: string, { status, headers }: Reply): { start: number; total: number | undefined } {
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity')
    throw new TransferError('encoded', `${url}: sent as ${encoding}, but only plain bytes were asked for`);
  if (status === 200) return { start: 0, total: number(headers.get('content-length')) };
  const [start, last, total] = rangeOf(headers);
  if (start === undefined || last === undefined)
    throw new TransferError('unranged', `${url}: a part of the file that does not say which`);
  return { start, total };
}

/** First and last byte of a part, and the length of the file if it says that. */
function rangeOf(headers: Reply['headers']): (number | undefined)[] {
  const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  return [number(range?.[1]), number(range?.[2]), number(range?.[3])];
}

/** A weak one stands for several versions. */
function strongTag(headers: Reply['headers']): string | undefined {
  return /^"[^"]*"$/.exec(headers.get('etag') ?? '')?.[0];
}

function number(text: string | null | undefined): number | undefined {
  return text && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Holds a transfer to its rate: after `patience`, every byte must have come in time. */
class Pace {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #limits: TransferLimits;
  readonly #abort = new AbortController();
  readonly #begun: number;
  #received = 0;

  constructor(url: string, clock: Clock, limits: TransferLimits) {
    this.#url = url;
    this.#clock = clock;
    this.#limits = limits;
    this.#begun = clock.now();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  count(bytes: number): void {
    this.#received += bytes;
  }

  /** Nothing more is wanted: drops the connection. */
  end(): void {
    this.#abort.abort();
  }

  /** Waits for the next event of the transfer. Too late, or failed: the transfer is over. */
  async wait<T>(event: Promise<T>, fault: TransferFault): Promise<T> {
    let callOff = () => {};
    const late = new Promise<never>((_, reject) => {
      callOff = this.#clock.after(this.#left(), () =>
        reject(new TransferError('slow', `${this.#url}: too slow, ${this.#received} bytes came`)),
      );
    });
    try {
      return await Promise.race([event, late]);
    } catch (error) {
      event.catch(() => undefined);
      this.end();
      if (error instanceof TransferError) throw error;
      throw new TransferError(fault, `${this.#url}: ${reason(error)}`, { cause: error });
    } finally {
      callOff();
    }
  }

  #left(): number {
    const { patience, minimumRate } = this.#limits;
    const due = this.#begun + patience + (this.#received / minimumRate) * 1000;
    return Math.max(0, Math.min(patience, due - this.#clock.now()));
  }
}

/** fetch hides the finding of the system one level below. */
function reason(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return inner instanceof Error ? inner.message : String(inner);
}
