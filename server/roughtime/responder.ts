// Answers of a Roughtime server (draft-ietf-ntp-roughtime-19, section 5.2): one signature for all requests of a batch,
// by a delegated key that lives as long as the process, and two days at most.
import { createHash } from 'node:crypto';
import { type Clock, generateKey, type SigningKey } from '../../repo/index.ts';
import { decodePacket, encodeMessage, encodePacket, type Message, u32, u64, VERSIONS } from './message.ts';

/** Bytes of the shortest request that is answered; no answer is longer, so that nothing is amplified (9.7). */
export const LEAST_REQUEST = 1024;
/** Requests of one batch: with as many no answer is longer than the shortest request. */
export const MOST_REQUESTS = 64;

const DELEGATION_CONTEXT = Buffer.from('RoughTime v1 delegation signature\0');
const RESPONSE_CONTEXT = Buffer.from('RoughTime v1 response signature\0');
/** Seconds from one delegated key to the next, and those before and behind for which it may sign besides. */
const DELEGATION = 86_400;
const MARGIN = 3600;

export interface ResponderOptions {
  /** The long-term keys: more than one while one takes the place of another. */
  readonly keys: readonly SigningKey[];
  readonly clock: Clock;
  /** Seconds by which the clock may be wrong, 3 or more: it does not say what a leap second is. */
  readonly radius: number;
}

/** A request that is to be answered. */
export interface Request {
  readonly packet: Uint8Array;
  readonly nonce: Uint8Array;
  readonly version: number;
  readonly server: Server;
}

/** A long-term key, and the one that it delegates to. */
class Server {
  /** What clients call it by (5.1.4). */
  readonly name: Buffer;
  readonly #key: SigningKey;
  #delegated: SigningKey | undefined;
  #certificate: Uint8Array = new Uint8Array();
  #until = 0;

  constructor(key: SigningKey) {
    this.#key = key;
    this.name = hash(0xff, publicKey(key));
  }

  /** Its certificate and what signs in its name at this time. */
  at(now: number): { readonly certificate: Uint8Array; readonly key: SigningKey } {
    if (this.#delegated === undefined || now >= this.#until || now < this.#until - DELEGATION)
      this.#delegate(now);
    return { certificate: this.#certificate, key: this.#delegated as SigningKey };
  }

  #delegate(now: number): void {
    this.#delegated = generateKey();
    this.#until = now + DELEGATION;
    const delegation = encodeMessage({
      PUBK: publicKey(this.#delegated),
      MINT: u64(Math.max(0, now - MARGIN)),
      MAXT: u64(this.#until + MARGIN),
    });
    const signature = this.#key.sign(Buffer.concat([DELEGATION_CONTEXT, delegation]));
    this.#certificate = encodeMessage({ SIG: signature, DELE: delegation });
  }
}

export class Responder {
  readonly #servers: readonly Server[];
  readonly #clock: Clock;
  readonly #radius: number;

  constructor({ keys, clock, radius }: ResponderOptions) {
    this.#servers = keys.map((key) => new Server(key));
    this.#clock = clock;
    this.#radius = radius;
  }

  /** Undefined: there is nothing to answer, and nothing is. */
  read(packet: Uint8Array): Request | undefined {
    const message = packet.length >= LEAST_REQUEST ? decodePacket(packet) : undefined;
    const nonce = message?.get('NONC');
    if (!message || nonce?.length !== 32 || !isRequest(message)) return undefined;
    const version = commonVersion(message.get('VER'));
    const server = this.#find(message.get('SRV'));
    return version === undefined || server === undefined ? undefined : { packet, nonce, version, server };
  }

  /** The answers to a batch, in the order of the requests. */
  answer(requests: readonly Request[]): Uint8Array[] {
    const answers = new Map<Request, Uint8Array>();
    for (const server of this.#servers)
      for (const version of VERSIONS) {
        const alike = requests.filter((request) => request.server === server && request.version === version);
        if (alike.length === 0) continue;
        for (const [i, answer] of this.#answerAlike(alike).entries())
          answers.set(alike[i] as Request, answer);
      }
    return requests.map((request) => answers.get(request) as Uint8Array);
  }

  /** Of requests to one server in one version. */
  #answerAlike(requests: readonly Request[]): Uint8Array[] {
    const { server, version } = requests[0] as Request;
    const tree = new MerkleTree(requests.map(({ packet }) => hash(0, packet)));
    const now = Math.floor(this.#clock());
    const { certificate, key } = server.at(now);
    const response = encodeMessage({
      VER: u32(version),
      RADI: u32(this.#radius),
      MIDP: u64(now),
      VERS: u32(...VERSIONS),
      ROOT: tree.root,
    });
    const signature = key.sign(Buffer.concat([RESPONSE_CONTEXT, response]));
    return requests.map(({ nonce }, index) =>
      encodePacket(
        encodeMessage({
          SIG: signature,
          NONC: nonce,
          TYPE: u32(1),
          PATH: tree.path(index),
          SREP: response,
          CERT: certificate,
          INDX: u32(index),
        }),
      ),
    );
  }

  /** 5.2: who names no key gets the only one. */
  #find(name: Uint8Array | undefined): Server | undefined {
    if (name === undefined) return this.#servers.length === 1 ? this.#servers[0] : undefined;
    return this.#servers.find((server) => server.name.equals(name));
  }
}

function isRequest(message: Message): boolean {
  const type = message.get('TYPE');
  return type !== undefined && u32(0).equals(type);
}

/** The first of ours that the client speaks. */
function commonVersion(list: Uint8Array | undefined): number | undefined {
  if (list === undefined) return undefined;
  const bytes = Buffer.from(list);
  const theirs = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i));
  return VERSIONS.find((version) => theirs.includes(version));
}

/** 5.3. A batch that does not fill its tree fills it with its last request. */
class MerkleTree {
  readonly #levels: Buffer[][];

  constructor(leaves: readonly Buffer[]) {
    const width = 2 ** Math.ceil(Math.log2(leaves.length));
    let level = Array.from({ length: width }, (_, i) => leaves[Math.min(i, leaves.length - 1)] as Buffer);
    this.#levels = [level];
    while (level.length > 1) {
      const below = level;
      level = Array.from({ length: below.length / 2 }, (_, i) =>
        hash(1, below[2 * i] as Buffer, below[2 * i + 1] as Buffer),
      );
      this.#levels.push(level);
    }
  }

  get root(): Buffer {
    return this.#levels.at(-1)?.[0] as Buffer;
  }

  /** The siblings on the way from a leaf to the root. */
  path(index: number): Buffer {
    return Buffer.concat(
      this.#levels.slice(0, -1).map((level, depth) => level[(index >> depth) ^ 1] as Buffer),
    );
  }
}

function publicKey({ public: { keyval } }: SigningKey): Buffer {
  return Buffer.from(keyval.public, 'hex');
}

function hash(prefix: number, ...parts: readonly Uint8Array[]): Buffer {
  const all = createHash('sha512').update(Buffer.of(prefix));
  for (const part of parts) all.update(part);
  return all.digest().subarray(0, 32);
}
