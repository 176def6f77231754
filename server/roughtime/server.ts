// A Roughtime server over UDP. It answers no request that is shorter than its answer, and no client more often than
// others can bear; requests that come together are answered with one signature.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { messageOf, RepositoryError, systemCode } from '../../repo/index.ts';
import { RateLimit } from '../director/ratelimit.ts';
import { MOST_REQUESTS, type Request, Responder, type ResponderOptions } from './responder.ts';

export interface RoughtimeOptions extends ResponderOptions {
  /** An IP address to listen on. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Requests of one address: at once, and then a second. 20 and 5 when left out. */
  readonly rate?: { readonly burst: number; readonly perSecond: number };
  readonly onEvent?: (event: RoughtimeEvent) => void;
}

export type RoughtimeEvent =
  | { readonly type: 'answered'; readonly requests: number }
  /** Not a request that is answered, or one too many of its address; nothing was sent. */
  | { readonly type: 'ignored'; readonly address: string; readonly reason: 'malformed' | 'rate' };

export interface RoughtimeServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Requests that wait for their answer at once: beyond, they are dropped. */
const MOST_WAITING = 1024;

interface Waiting {
  readonly request: Request;
  readonly from: RemoteInfo;
}

/** Throws `bad-argument` or `port-busy`. */
export async function serveRoughtime(options: RoughtimeOptions): Promise<RoughtimeServer> {
  const socket = createSocket(isIPv6(options.host) ? 'udp6' : 'udp4');
  await bind(socket, options);
  const desk = new Desk(options, socket);
  socket.on('message', (packet, from) => desk.take(packet, from));
  // What cannot be sent is a client that went away.
  socket.on('error', () => undefined);
  return {
    host: options.host,
    port: socket.address().port,
    close: () => new Promise((done) => socket.close(() => done())),
  };
}

class Desk {
  readonly #responder: Responder;
  readonly #socket: Socket;
  readonly #limit: RateLimit;
  readonly #emit: (event: RoughtimeEvent) => void;
  #waiting: Waiting[] = [];

  constructor(options: RoughtimeOptions, socket: Socket) {
    this.#responder = new Responder(options);
    this.#socket = socket;
    this.#limit = new RateLimit(options.rate ?? { burst: 20, perSecond: 5 });
    this.#emit = options.onEvent ?? (() => undefined);
  }

  take(packet: Uint8Array, from: RemoteInfo): void {
    const { address } = from;
    const spared = this.#limit.take(address) && this.#waiting.length < MOST_WAITING;
    const request = spared ? this.#responder.read(packet) : undefined;
    if (!request) {
      this.#emit({ type: 'ignored', address, reason: spared ? 'malformed' : 'rate' });
      return;
    }
    this.#waiting.push({ request, from });
    // After all that has come by now.
    if (this.#waiting.length === 1) setImmediate(() => this.#answer());
  }

  #answer(): void {
    const batch = this.#waiting.splice(0, MOST_REQUESTS);
    const answers = this.#responder.answer(batch.map(({ request }) => request));
    for (const [i, { from }] of batch.entries())
      this.#socket.send(answers[i] as Uint8Array, from.port, from.address, () => undefined);
    this.#emit({ type: 'answered', requests: batch.length });
    if (this.#waiting.length > 0) setImmediate(() => this.#answer());
  }
}

function bind(socket: Socket, { host, port }: RoughtimeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(unusable(host, port, error));
    });
    socket.bind(port, host, () => {
      socket.removeAllListeners('error');
      resolve();
    });
  });
}

function unusable(host: string, port: number, error: unknown): RepositoryError {
  if (systemCode(error) === 'EADDRINUSE')
    return new RepositoryError('port-busy', `port ${port} of ${host} is taken; choose another`, error);
  return new RepositoryError('bad-argument', `cannot listen on ${host}: ${messageOf(error)}`, error);
}
