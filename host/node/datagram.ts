// Datagrams to time servers: one question to all of them, and whatever comes back until somebody is content.
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { HostError } from './errors.ts';

/** Asks a question. Resolves when an answer suits, or after so many milliseconds. */
export type Exchange = (
  question: Uint8Array,
  suits: (answer: Uint8Array) => boolean,
  patience: number,
) => Promise<void>;

/** Answers to one question that are looked at, of each server: who sends more is ignored. */
const MOST_ANSWERS = 4;

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Over UDP with servers that are written HOST:PORT or [IPv6]:PORT. Throws `address-invalid`. */
export function exchangeWith(servers: readonly string[]): Exchange {
  const addresses = servers.map(parseAddress);
  return async (question, suits, patience) => {
    const stop = new AbortController();
    const faults: unknown[] = [];
    const take = (answer: Uint8Array) => {
      try {
        if (!stop.signal.aborted && suits(answer)) stop.abort();
      } catch (fault) {
        faults.push(fault);
        stop.abort();
      }
    };
    const timer = setTimeout(() => stop.abort(), patience);
    await Promise.all(addresses.map((address) => ask(address, question, take, stop.signal)));
    clearTimeout(timer);
    if (faults.length > 0) throw faults[0];
  };
}

/** Asks one server until the signal. A name that does not resolve and a port where nobody listens are silence. */
async function ask(
  { host, port }: Address,
  question: Uint8Array,
  take: (answer: Uint8Array) => void,
  signal: AbortSignal,
): Promise<void> {
  const found = await lookup(host).catch(() => undefined);
  if (!found || signal.aborted) return;
  const socket = createSocket({ type: found.family === 6 ? 'udp6' : 'udp4', signal });
  let answers = 0;
  socket.on('error', () => undefined);
  socket.on('message', (answer) => {
    if (answers++ < MOST_ANSWERS) take(answer);
  });
  // Connected: nothing comes from anywhere else.
  socket.connect(port, found.address, () => socket.send(question, () => undefined));
  await new Promise<void>((done) => socket.once('close', () => done()));
}

function parseAddress(text: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:/@\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new HostError('address-invalid', `"${text}" is not the HOST:PORT of a time server`);
  return { host, port: Number(port) };
}
