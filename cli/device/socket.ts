// A line as a Unix socket: who answers devices listens on it, a device connects to it.
import { lstatSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type GatewayOptions, serveLink } from '../../host/node/gateway.ts';
import { messageOf, RepositoryError, systemCode } from '../../repo/index.ts';

/** Milliseconds after which a line that has ended is opened again. */
const AGAIN = 500;

/** Answers devices on a socket until it is closed. Throws `port-busy` or `bad-argument`. */
export async function serveSocket(
  path: string,
  options: GatewayOptions,
): Promise<{ close(): Promise<void> }> {
  const devices = new Set<Socket>();
  const server = createServer((socket) => {
    devices.add(socket);
    // A line that breaks is a device that went away.
    void serveLink(socket, socket, options)
      .catch(() => undefined)
      .finally(() => devices.delete(socket));
  });
  await removeAbandoned(path);
  await listen(server, path);
  return {
    async close() {
      for (const socket of devices) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** A socket that nobody listens on is what a process has left that was killed. */
async function removeAbandoned(path: string): Promise<void> {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  const isAbandoned = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', (error) => resolve(systemCode(error) === 'ECONNREFUSED'));
  });
  if (isAbandoned) rmSync(path, { force: true });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(unusable(path, error)));
    server.listen(path, resolve);
  });
}

function unusable(path: string, error: unknown): RepositoryError {
  if (systemCode(error) === 'EADDRINUSE')
    return new RepositoryError(
      'port-busy',
      `${path} is there already; remove it if no gateway uses it`,
      error,
    );
  return new RepositoryError('bad-argument', `${path} cannot be a socket: ${messageOf(error)}`, error);
}

/** A device's end of a socket. Whoever listens there may come later, go away and come again. */
export class SocketLine {
  readonly #path: string;
  readonly #receive: (bytes: Uint8Array) => void;
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(path: string, receive: (bytes: Uint8Array) => void) {
    this.#path = path;
    this.#receive = receive;
    this.#open();
  }

  /** What cannot be sent now is lost: on a link all is asked for again. */
  send(bytes: Uint8Array): void {
    if (this.#socket?.writable && !this.#socket.writableNeedDrain) this.#socket.write(bytes);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  #open(): void {
    const socket = connect(this.#path);
    this.#socket = socket;
    socket.on('data', this.#receive);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!this.#isClosed) this.#timer = setTimeout(() => this.#open(), AGAIN);
    });
  }
}
