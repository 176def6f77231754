// A vehicle's end of the line to its Director ("The Director on the network" in docs/formats.md): how it gets the
// certificate that it is known by, and how it sends what its ECUs have signed.
import 'reflect-metadata';
import { createPrivateKey, webcrypto } from 'node:crypto';
import { request } from 'node:https';
import { cryptoProvider, Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import { baseAddress } from './address.ts';
import { HostError } from './errors.ts';
import { type Fetch, identifiedFetch, type TlsIdentity } from './http.ts';
import { TransferError } from './transfer.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** Milliseconds for one request, and bytes of its answer. */
const PATIENCE = 30_000;
const LONGEST = 65_536;

cryptoProvider.set(webcrypto as never);

/** What a vehicle is known by. */
export interface VehicleIdentity extends TlsIdentity {
  readonly ca: string;
}

/** A fresh key and a certificate request for it, in PEM. */
export async function certificateRequest(name: string): Promise<{ csr: string; key: string }> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const csr = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: P256,
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { csr: csr.toString('pem'), key: key.export({ format: 'pem', type: 'pkcs8' }).toString() };
}

/**
 * Gets a certificate for a vehicle, by a token that is good once. Its key is made here and goes nowhere. `ca`: who has
 * signed the Director's own certificate, in PEM. Throws TransferError (`refused`: the token is not good), `address-invalid` or
 * `insecure`.
 */
export async function enrol(
  address: string,
  { vehicle, token, ca }: { readonly vehicle: string; readonly token: string; readonly ca: string },
): Promise<VehicleIdentity> {
  const url = `${directorAddress(address)}enrol`;
  const { csr, key } = await certificateRequest(vehicle);
  const answer = await post(url, JSON.stringify({ csr, token }), { ca });
  return { cert: certificateIn(url, answer), key, ca };
}

function certificateIn(url: string, answer: string): string {
  try {
    const { certificate } = JSON.parse(answer) as { certificate?: unknown };
    if (typeof certificate === 'string') return certificate;
  } catch (cause) {
    throw new TransferError('refused', `${url}: no certificate came back`, { cause });
  }
  throw new TransferError('refused', `${url}: no certificate came back`);
}

/** A Director, to a vehicle that has its certificate. */
export class DirectorLine {
  /** Where the vehicle's metadata is. */
  readonly metadataUrl: string;
  /** Shows the certificate to the Director, and to nobody else. */
  readonly fetch: Fetch;
  readonly #base: string;
  readonly #identity: VehicleIdentity;

  /** `address` as `moult director serve` says it. Throws `address-invalid` or `insecure`. */
  constructor(address: string, identity: VehicleIdentity) {
    this.#base = directorAddress(address);
    this.#identity = identity;
    this.metadataUrl = `${this.#base}director/metadata/`;
    this.fetch = identifiedFetch(this.#base, identity);
  }

  /** Sends a vehicle version manifest. Throws TransferError; `refused`: it does not count. */
  async send(manifest: Uint8Array): Promise<void> {
    await post(`${this.#base}manifest`, manifest, this.#identity);
  }
}

/** Without TLS a Director does not know whom it talks to. */
function directorAddress(text: string): string {
  const base = baseAddress(text, true);
  if (!base.startsWith('https:'))
    throw new HostError('insecure', `${text}: a Director knows vehicles by TLS; use https`);
  return base;
}

/** The body of a 200. */
function post(url: string, body: Uint8Array | string, identity: Partial<TlsIdentity>): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(new TransferError('unreachable', `${url}: ${cause.message}`, { cause }));
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const options = { method: 'POST', headers, signal: AbortSignal.timeout(PATIENCE), ...identity };
    const asked = request(url, options);
    asked.once('error', fail);
    asked.once('response', (answer) => {
      const { statusCode = 0 } = answer;
      let text = '';
      answer.setEncoding('utf8').once('error', fail);
      answer.on('data', (piece: string) => {
        text += piece;
        if (text.length > LONGEST) answer.destroy(new Error('a longer answer than any'));
      });
      answer.once('end', () => {
        if (statusCode === 200) resolve(text);
        else reject(new TransferError('refused', `${url}: HTTP status ${statusCode}`));
      });
    });
    asked.end(body);
  });
}
