// HTTP as the host needs it: one request, headers, and bytes that are read when somebody wants them. It is what
// `fetch` does, without the 20 ms and the headers about browsers that come with that.
import * as http from 'node:http';
import { setImmediate } from 'node:timers/promises';

/** The part of `Response` that a transfer needs, so that `fetch` itself can stand in. */
export interface Reply {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: { getReader(): ReplyReader } | null;
}

export interface ReplyReader {
  /** The next bytes; without `value`: these were all. Rejects when the connection breaks. */
  read(): Promise<{ readonly value?: Uint8Array | undefined }>;
  /** Gives up the rest, and the connection with it. */
  cancel(): Promise<void>;
}

export interface FetchOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Whoever answers must not follow redirects by itself. */
  readonly redirect: 'manual';
}

/** Resolves when the headers have come. Rejects when there is no answer, or the signal says so. */
export type Fetch = (url: string, options: FetchOptions) => Promise<Reply>;

/** Over the network. A connection is free one turn after its last answer ended: so one serves a whole check. */
export const systemFetch: Fetch = fetchWith({});

/** What a client shows a server: its certificate and the key of it, and who may have signed the server's. PEM each. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
  /** Left out: those whom Node knows. */
  readonly ca?: string;
}

/** As `systemFetch`, with a certificate of the client for the server at this address, and for no other. */
export function identifiedFetch(address: string, identity: TlsIdentity): Fetch {
  const { origin } = new URL(address);
  const shown = fetchWith(identity);
  return (url, options) => (new URL(url).origin === origin ? shown : systemFetch)(url, options);
}

function fetchWith(identity: Partial<TlsIdentity>): Fetch {
  const agents = new Map<string, http.Agent>();
  return async (url, { headers, signal }) => {
    await setImmediate();
    const { protocol } = new URL(url);
    const { request, Agent } = protocol === 'https:' ? await import('node:https') : http;
    const agent = agents.get(protocol) ?? new Agent({ ...identity, keepAlive: true });
    agents.set(protocol, agent);
    return new Promise((resolve, reject) => {
      const asked = request(url, { headers, signal, agent });
      asked.once('error', reject);
      asked.once('response', (message) => resolve(reply(message)));
      asked.end();
    });
  };
}

function reply(message: http.IncomingMessage): Reply {
  return {
    status: message.statusCode ?? 0,
    headers: { get: (name) => message.headersDistinct[name]?.join(', ') ?? null },
    body: { getReader: () => reader(message) },
  };
}

function reader(message: http.IncomingMessage): ReplyReader {
  const parts = message[Symbol.asyncIterator]();
  return {
    read: () => parts.next(),
    async cancel() {
      message.destroy();
    },
  };
}
