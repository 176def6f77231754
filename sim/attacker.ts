// Somebody who owns the network: sees all that passes, changes what it likes, and uses the keys that it was given.
import {
  buildTimestamp,
  envelopeBytes,
  metaFile,
  type RoleName,
  type SigningKey,
  sign,
} from '../repo/index.ts';
import type { Conduct, SimNetwork, Source } from './network.ts';

type Change = (path: string, honest: Uint8Array | undefined) => Uint8Array | undefined;

export class Attacker {
  readonly #network: SimNetwork;
  readonly #honest: Source;
  /** Metadata that passed, by path, each different version once, oldest first. */
  readonly #seen = new Map<string, Uint8Array[]>();
  #change: Change = (_, bytes) => bytes;

  constructor(network: SimNetwork) {
    this.#network = network;
    this.#honest = network.source;
    network.source = async (path) => {
      const bytes = await this.#honest(path);
      if (bytes && path.startsWith('metadata/')) this.#remember(path, bytes);
      return this.#change(path, bytes);
    };
  }

  /** Lets everything through again. */
  stop(): void {
    this.#change = (_, bytes) => bytes;
    this.#network.conduct = () => ({});
  }

  /** One bit in the middle of every image. */
  tamperImages(): void {
    this.#change = (path, bytes) => (path.startsWith('targets/') && bytes ? flipped(bytes) : bytes);
  }

  /** A version that is one higher, in metadata of a role: still JSON, no longer what was signed. */
  tamperMetadata(role: RoleName): void {
    this.#change = (path, bytes) => (isOf(path, role) && bytes ? renumbered(bytes) : bytes);
  }

  /** Serves an image of its own instead of every other. */
  replaceImages(image: Uint8Array): void {
    this.#change = (path, bytes) => (path.startsWith('targets/') ? image : bytes);
  }

  /** The oldest metadata that it has seen, under each name. */
  rollBack(): void {
    this.#change = (path, bytes) => this.#seen.get(path)?.[0] ?? bytes;
  }

  /** From now on nothing new: the newest timestamp that it has seen, for ever. */
  freeze(): void {
    const timestamp = this.#seen.get('metadata/timestamp.json')?.at(-1);
    this.#change = (path, bytes) => (isOf(path, 'timestamp') ? timestamp : bytes);
  }

  /** An older file of a role under the name of the newest, below an honest timestamp. */
  mixAndMatch(role: 'snapshot' | 'targets'): void {
    const older = this.#oldest(role);
    this.#change = (path, bytes) => (isOf(path, role) ? older : bytes);
  }

  /** Metadata of a role, or images, that never end. */
  endlessData(what: RoleName | 'image'): void {
    this.#network.conduct = (path): Conduct =>
      what === 'image' ? { endless: path.startsWith('targets/') } : { endless: isOf(path, what) };
  }

  /** Bytes that come at a rate (bytes a second) that would take for ever. */
  slowRetrieval(rate: number): void {
    this.#network.conduct = () => ({ rate, chunk: 1 });
  }

  /** Signs a timestamp of its own, higher than any, that names the oldest snapshot seen. */
  useTimestampKeys(keys: readonly SigningKey[], expires: number): void {
    const snapshot = this.#oldest('snapshot') ?? new Uint8Array();
    const named = metaFile(snapshot, version(snapshot));
    const forged = envelopeBytes(sign(buildTimestamp({ version: 1_000_000, expires }, named), keys));
    this.#change = (path, bytes) => (isOf(path, 'timestamp') ? forged : bytes);
  }

  #oldest(role: RoleName): Uint8Array | undefined {
    const files = [...this.#seen].flatMap(([path, versions]) => (isOf(path, role) ? versions : []));
    return files.sort((a, b) => version(a) - version(b))[0];
  }

  #remember(path: string, bytes: Uint8Array): void {
    const seen = this.#seen.get(path) ?? [];
    if (!seen.some((other) => Buffer.compare(other, bytes) === 0)) this.#seen.set(path, [...seen, bytes]);
  }
}

function isOf(path: string, role: RoleName): boolean {
  return path.startsWith('metadata/') && path.endsWith(`${role}.json`);
}

function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const middle = copy.length >> 1;
  copy[middle] = (copy[middle] ?? 0) ^ 1;
  return copy;
}

/** The last version in the file is that of `signed`: names are sorted. */
function renumbered(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  const raised = text.replace(
    /"version":(\d+)(?!.*"version":)/s,
    (_, digits: string) => `"version":${Number(digits) + 1}`,
  );
  return new TextEncoder().encode(raised);
}

function version(bytes: Uint8Array): number {
  const { signed } = JSON.parse(new TextDecoder().decode(bytes)) as { signed: { version: number } };
  return signed.version;
}
