// One file over HTTP: range, resume, redirects within the origin, and an end to every way of wasting time.
import type { Clock } from './clock.ts';
import type { Fetch, Reply, ReplyReader } from './http.ts';

/**
 * unreachable: no answer; refused: an HTTP status that is no answer; redirected: to another origin, or too
 * often; encoded: not the bytes themselves; unranged: a range that does not say where it starts; truncated:
 * fewer bytes than announced; slow: below the minimum rate, or nothing at all for too long; overlong: more
 * bytes than asked for; misnamed: a name that could leave the base address
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
  | 'misnamed';

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
  /** The next bytes; undefined: these were all. */
  read(): Promise<Uint8Array | undefined>;
  /** Stops the transfer. Needed unless `read` came to its end. */
  cancel(): void;
}

const REDIRECTS = 3;
/** Bytes of an error page that are read before the connection is given up. */
const DISCARDED = 4096;

/** Asks for a file from `offset` on. Undefined: the server does not have it (403, 404). Throws TransferError. */
export async function request(
  url: string,
  offset: number,
  fetch: Fetch,
  clock: Clock,
  limits: TransferLimits,
): Promise<Answer | undefined> {
  const pace = new Pace(url, clock, limits);
  const response = await follow(url, offset, fetch, pace);
  if (response.status === 200 || response.status === 206) return answer(url, response, pace);
  await discard(response, pace);
  if (response.status === 416 && offset > 0) return request(url, 0, fetch, clock, limits);
  if (response.status === 403 || response.status === 404) return undefined;
  throw new TransferError('refused', `${url}: HTTP status ${response.status}`);
}

async function follow(url: string, offset: number, fetch: Fetch, pace: Pace): Promise<Reply> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity', 'user-agent': 'moult' };
  if (offset > 0) headers.range = `bytes=${offset}-`;
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
  readonly #url: string;
  readonly #pace: Pace;
  readonly #reader: ReplyReader | undefined;
  #received = 0;

  constructor(url: string, response: Reply, pace: Pace) {
    const { start, total } = extent(url, response);
    this.start = start;
    this.total = total;
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
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
  const start = number(range?.[1]);
  if (start === undefined)
    throw new TransferError('unranged', `${url}: a part of the file that does not say which`);
  return { start, total: number(range?.[2]) };
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
