// A simulated vehicle's end of the line to a Director: TLS with a certificate of its own, one connection at a time.
import { Agent, type RequestOptions, request } from 'node:https';
import { createSecureContext } from 'node:tls';

export interface Identity {
  /** PEM; left out: a client without a certificate. */
  readonly cert?: string;
  readonly key?: string;
  /** Who may have signed the server's certificate. */
  readonly ca: string;
  /** The address that it comes from. */
  readonly localAddress?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export class VehicleClient {
  readonly #port: () => number;
  readonly #agent: Agent;

  constructor(port: () => number, { localAddress, ...identity }: Identity) {
    this.#port = port;
    // Made once: reading keys and certificates costs more than a connection.
    const secureContext = createSecureContext(identity);
    this.#agent = new Agent({ secureContext, localAddress, keepAlive: true, maxSockets: 1 });
  }

  get(path: string, headers: RequestOptions['headers'] = {}): Promise<Answer> {
    return this.#ask({ method: 'GET', path, headers });
  }

  post(path: string, body: Uint8Array | string, headers: RequestOptions['headers'] = {}): Promise<Answer> {
    return this.#ask({ method: 'POST', path, headers }, body);
  }

  close(): void {
    this.#agent.destroy();
  }

  #ask(options: RequestOptions, body?: Uint8Array | string): Promise<Answer> {
    return new Promise((done, fail) => {
      const asked = request({ host: '127.0.0.1', port: this.#port(), agent: this.#agent, ...options });
      asked.once('error', fail);
      asked.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', fail);
        response.once('end', () => done({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
      });
      asked.end(body);
    });
  }
}
