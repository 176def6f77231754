// The Director on the network. Vehicles: TLS with a client's certificate, which says which vehicle it is; there is no
// name of a vehicle in any path, query or header that counts. Enrolment: TLS on a port of its own, because who enrols
// has no certificate yet. Answers say nothing of reasons (ETSI 5.3-9); those are in the alerts.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { MANIFEST_LIMIT } from '../../repo/director/manifest.ts';
import { VEHICLE_ROLES } from '../../repo/director/metadata.ts';
import { ManifestRefused } from '../../repo/director/verdict.ts';
import { parseJson, RepositoryError, systemCode } from '../../repo/index.ts';
import type { OnlineDirector } from './director.ts';
import type { Enrolment } from './enrolment.ts';
import { RateLimit } from './ratelimit.ts';

const ENROLMENT_LIMIT = 16_384;
/** Bytes of a body that is too large. */
const PASSED_OVER = 16 * 1024 * 1024;
/** Long, because a whole fleet may come at once after an outage: handshakes that are cut off only begin again. */
const HANDSHAKE_TIMEOUT_MS = 120_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 60_000;

export interface DirectorServerOptions {
  readonly host?: string;
  /** 0, or left out: a free one. */
  readonly port?: number;
  readonly enrolPort?: number;
  /** Requests of one vehicle, and connections of one address: this many at once, and so many a second from then on. */
  readonly vehicleRate?: Rate;
  readonly addressRate?: Rate;
  /** Called once an answer is out, without any name of a vehicle. */
  readonly onRequest?: (request: { method: string; path: string; status: number }) => void;
  /** A fault of ours; the vehicle has got a 500 or 503. */
  readonly onFault?: (error: unknown) => void;
}

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export interface DirectorServer {
  readonly port: number;
  readonly enrolPort: number;
  close(): Promise<void>;
}

/** What is answered, and nothing else of what happened. */
interface Answer {
  readonly status: number;
  readonly body: Uint8Array | string;
}

const REFUSED: Answer = { status: 403, body: '{"error":"refused"}\n' };
const ABSENT: Answer = { status: 404, body: '{"error":"not found"}\n' };
const TOO_LARGE: Answer = { status: 413, body: '{"error":"too large"}\n' };
const TOO_MANY: Answer = { status: 429, body: '{"error":"too many requests"}\n' };
const FAULT: Answer = { status: 503, body: '{"error":"try again later"}\n' };
const ACCEPTED: Answer = { status: 200, body: '{}\n' };

const VEHICLE_RATE: Rate = { burst: 60, perSecond: 5 };
const ADDRESS_RATE: Rate = { burst: 200, perSecond: 50 };

/** Serves until it is closed. Refuses with `port-busy` or `network`. */
export async function serveDirector(
  director: OnlineDirector,
  options: DirectorServerOptions = {},
): Promise<DirectorServer> {
  const enrolment = await director.enrolment();
  const { folder } = director;
  const server = folder.pair('server');
  const tls: ServerOptions = {
    cert: server.certificate,
    key: server.key,
    minVersion: 'TLSv1.2',
    requestCert: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  };
  const vehicles = new VehicleApi(director, enrolment, new RateLimit(options.vehicleRate ?? VEHICLE_RATE));
  const manufacturers = folder.manufacturers();
  // A client without a certificate of ours gets a TLS alert, and no byte of it is read.
  const main = createServer(
    { ...tls, ca: folder.pair('ca').certificate, rejectUnauthorized: true },
    (request, response) => answer(request, response, options, () => vehicles.answer(request)),
  );
  const enrol = createServer(
    { ...tls, rejectUnauthorized: false, ...(manufacturers !== undefined && { ca: manufacturers }) },
    (request, response) => answer(request, response, options, () => enrolVehicle(enrolment, request)),
  );
  const addresses = new RateLimit(options.addressRate ?? ADDRESS_RATE);
  for (const each of [main, enrol])
    each.on('connection', (socket) => {
      // Before the handshake, which costs more than anything else here.
      if (!addresses.take((socket as Socket).remoteAddress ?? '')) socket.destroy();
    });
  const host = options.host ?? '127.0.0.1';
  const port = await listen(main, options.port ?? 0, host);
  const enrolPort = await listen(enrol, options.enrolPort ?? 0, host);
  return { port, enrolPort, close: async () => void (await Promise.all([close(main), close(enrol)])) };
}

/** What a vehicle with a certificate may ask. */
class VehicleApi {
  readonly #director: OnlineDirector;
  readonly #enrolment: Enrolment;
  readonly #rate: RateLimit;

  constructor(director: OnlineDirector, enrolment: Enrolment, rate: RateLimit) {
    this.#director = director;
    this.#enrolment = enrolment;
    this.#rate = rate;
  }

  async answer(request: IncomingMessage): Promise<Answer> {
    const { fingerprint256 = '' } = (request.socket as TLSSocket).getPeerCertificate();
    const fingerprint = fingerprint256.replaceAll(':', '').toLowerCase();
    if (!this.#rate.take(fingerprint)) return TOO_MANY;
    const vehicle = await this.#enrolment.vehicleOf(fingerprint);
    if (vehicle === undefined) return REFUSED;
    const path = pathOf(request);
    if (request.method === 'POST' && path === '/manifest') return this.#report(vehicle, request);
    if (request.method !== 'GET') return ABSENT;
    return this.#file(vehicle, /^\/director\/metadata\/([\w.]+)$/.exec(path)?.[1] ?? '');
  }

  async #report(vehicle: string, request: IncomingMessage): Promise<Answer> {
    const body = await readBody(request, MANIFEST_LIMIT);
    if (body === undefined) return TOO_LARGE;
    await this.#director.report(vehicle, body);
    return ACCEPTED;
  }

  async #file(vehicle: string, name: string): Promise<Answer> {
    const found = await this.#find(vehicle, name);
    return found === undefined ? ABSENT : { status: 200, body: found };
  }

  async #find(vehicle: string, name: string): Promise<Uint8Array | undefined> {
    if (name === 'timestamp.json') return this.#director.timestamp(vehicle);
    const [, digits = '', role = ''] = /^([1-9]\d{0,9})\.(root|snapshot|targets)\.json$/.exec(name) ?? [];
    if (role === 'root') return this.#director.folder.root(Number(digits));
    const known = VEHICLE_ROLES.find((candidate) => candidate === role);
    return known && this.#director.file(vehicle, known, Number(digits));
  }
}

/** `{"csr": PEM, "token": …}`; without a token the client has a manufacturer's certificate, its name the vehicle's. */
async function enrolVehicle(enrolment: Enrolment, request: IncomingMessage): Promise<Answer> {
  if (request.method !== 'POST' || pathOf(request) !== '/enrol') return ABSENT;
  const body = await readBody(request, ENROLMENT_LIMIT);
  if (body === undefined) return TOO_LARGE;
  const { csr, token } = (parseJson(body, 'the request') ?? {}) as Record<string, unknown>;
  if (typeof csr !== 'string') return REFUSED;
  const socket = request.socket as TLSSocket;
  if (typeof token === 'string') return issued(await enrolment.withToken(token, csr));
  if (!socket.authorized) return REFUSED;
  const { subject } = socket.getPeerCertificate();
  return issued(await enrolment.withManufacturer(String(subject?.CN ?? ''), csr));
}

function issued(certificate: string): Answer {
  return { status: 200, body: `${JSON.stringify({ certificate })}\n` };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: DirectorServerOptions,
  act: () => Promise<Answer>,
): Promise<void> {
  const { status, body } = await act().catch((error: unknown) => answerTo(error, options));
  response.setHeader('content-type', 'application/json');
  response.setHeader('cache-control', 'no-store');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('content-length', Buffer.byteLength(body));
  // What was not read to its end must not become the next request.
  if (!request.complete) response.setHeader('connection', 'close');
  response.writeHead(status).end(body);
  options.onRequest?.({ method: request.method ?? '', path: pathOf(request), status });
}

/** One answer for all that is wrong with what came; ours are told apart, so that a vehicle tries again. */
function answerTo(error: unknown, options: DirectorServerOptions): Answer {
  if (error instanceof ManifestRefused) return REFUSED;
  if (error instanceof RepositoryError && ['enrolment-refused', 'metadata-invalid'].includes(error.code))
    return REFUSED;
  options.onFault?.(error);
  return FAULT;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

/** undefined: more than `limit` bytes. They are passed over, so that the client comes to read the answer; one that
 * does not end is cut off. */
async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > PASSED_OVER) request.destroy();
    if (length <= limit) chunks.push(chunk);
  }
  return length <= limit ? Buffer.concat(chunks) : undefined;
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((done, fail) => {
    server.once('error', (error) => {
      const busy = systemCode(error) === 'EADDRINUSE';
      const message = busy
        ? `port ${port} on ${host} is in use`
        : `cannot listen on ${host}:${port} (${error.message})`;
      fail(new RepositoryError(busy ? 'port-busy' : 'network', message, error));
    });
    server.listen(port, host, () => done((server.address() as AddressInfo).port));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}
