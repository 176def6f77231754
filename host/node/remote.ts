// A file on the server, read in pieces as large as somebody wants, from any offset on.
import type { FetchKind } from './abi.ts';
import { type Bases, wantedAddress } from './address.ts';
import type { Clock } from './clock.ts';
import type { Fetch } from './http.ts';
import {
  type Answer,
  isVersion,
  type Known,
  request,
  TransferError,
  type TransferLimits,
} from './transfer.ts';

/** Where files are, and how to get them. */
export interface Upstream {
  readonly bases: Bases;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly limits: TransferLimits;
}

export interface FilePlace {
  readonly fileKind: FetchKind;
  readonly name: string;
  readonly offset: number;
}

export interface Piece {
  readonly bytes: Uint8Array;
  /** No byte follows in the file. */
  readonly last: boolean;
}

/** One transfer. It holds what one read of the connection brought, and no more. */
export class RemoteFile {
  readonly #upstream: Upstream;
  readonly #place: FilePlace;
  readonly #known: Known;
  readonly #abort = new AbortController();
  #answer: Answer | undefined;
  /** Came already, and was not asked for yet. */
  #rest: Uint8Array = new Uint8Array();
  /** Of the next byte that `read` gives. */
  #offset: number;
  #ended = false;

  /** Opens nothing yet. `before`: the transfer before it, which may have brought a part of this file. */
  constructor(upstream: Upstream, place: FilePlace, before?: RemoteFile) {
    this.#upstream = upstream;
    this.#place = place;
    this.#known = (place.offset > 0 && before?.isOf(place) && before.version) || {};
    this.#offset = place.offset;
  }

  /** Whether the next byte is the one at this place. The start of a file is always asked for anew. */
  continues({ fileKind, name, offset }: FilePlace): boolean {
    const open = this.#answer !== undefined && !this.#ended && !this.#abort.signal.aborted;
    return open && offset > 0 && offset === this.#offset && this.isOf({ fileKind, name });
  }

  /** Whether it is this file. */
  isOf({ fileKind, name }: Pick<FilePlace, 'fileKind' | 'name'>): boolean {
    return name === this.#place.name && fileKind === this.#place.fileKind;
  }

  /** What its bytes, or those before them, were of. */
  get version(): Known {
    const { total = this.#answer?.total, tag = this.#answer?.tag } = this.#known;
    return { total, tag };
  }

  /** Asks the server. False: it does not have the file. Throws TransferError. */
  async open(): Promise<boolean> {
    const { bases, fetch, clock, limits } = this.#upstream;
    const { fileKind, name, offset } = this.#place;
    const url = wantedAddress(bases, fileKind, name);
    if (url === undefined) throw new TransferError('misnamed', `${name}: a name that could leave its folder`);
    const stoppable: Fetch = (address, options) =>
      fetch(address, { ...options, signal: AbortSignal.any([options.signal, this.#abort.signal]) });
    const answer = await request(url, offset, stoppable, clock, limits, this.#known);
    if (!answer) return false;
    if (!isVersion(answer, this.#known)) {
      answer.cancel();
      throw new TransferError('changed', `${name}: the server has another file than before`);
    }
    this.#answer = answer;
    await this.#skip(answer.start);
    return true;
  }

  /** The next bytes, at most so many; fewer at the end, or where the transfer broke off. Throws TransferError. */
  async read(wanted: number): Promise<Piece> {
    const bytes = new Uint8Array(wanted);
    let length = 0;
    try {
      while (length < wanted && (await this.#fill())) length += this.#move(bytes.subarray(length));
    } catch (error) {
      if (length === 0) throw error;
    }
    if (this.#offset === this.#answer?.total) this.#end();
    return { bytes: bytes.subarray(0, length), last: this.#ended };
  }

  /** Nothing more is wanted: drops the connection, unless all has come. */
  close(): void {
    if (!this.#ended) this.#cancel();
  }

  #cancel(): void {
    this.#abort.abort();
    this.#answer?.cancel();
  }

  /** A server that ignores ranges starts at 0: what was not asked for is passed over here, not on a slow line. */
  async #skip(start: number): Promise<void> {
    if (start > this.#offset)
      throw new TransferError('unranged', `${this.#place.name}: a part of the file that was not asked for`);
    let left = this.#offset - start;
    while (left > 0 && (await this.#fill())) {
      const passed = Math.min(left, this.#rest.length);
      this.#rest = this.#rest.subarray(passed);
      left -= passed;
    }
  }

  /** Whether there are bytes to give. */
  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0 && !this.#ended) {
      const bytes = await this.#receive();
      if (bytes) this.#rest = bytes;
      else this.#ended = true;
    }
    return this.#rest.length > 0;
  }

  async #receive(): Promise<Uint8Array | undefined> {
    try {
      return await this.#answer?.read();
    } catch (error) {
      this.#cancel();
      throw error;
    }
  }

  #move(to: Uint8Array): number {
    const bytes = this.#rest.subarray(0, to.length);
    to.set(bytes);
    this.#rest = this.#rest.subarray(bytes.length);
    this.#offset += bytes.length;
    return bytes.length;
  }

  /** All bytes are here; the connection is free for another file once it has said so too. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#answer?.read().then(
      (more) => more && this.#cancel(),
      () => this.#cancel(),
    );
  }
}
