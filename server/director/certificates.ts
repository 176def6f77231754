// The Director's own certificate authority (X.509, P-256): the server's certificate and those of vehicles.
// A vehicle is known by the fingerprint of its certificate, so that one can be revoked by a row in the database.
import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import {
  BasicConstraintsExtension,
  X509Certificate as Certificate,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  type PublicKey,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { messageOf, RepositoryError } from '../../repo/index.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const YEAR = 365 * 86_400;
const CA_LIFETIME = 20 * YEAR;
/** Of servers and vehicles; a vehicle gets a new one by another request. */
export const CERTIFICATE_LIFETIME = 2 * YEAR;
/** Clocks of devices may be behind. */
const BACKDATED = 3600;

type CryptoKey = webcrypto.CryptoKey;

cryptoProvider.set(webcrypto as never);

export interface Pair {
  /** PEM */
  readonly certificate: string;
  readonly key: string;
}

export class Authority {
  readonly certificate: string;
  readonly #issuer: Certificate;
  readonly #key: CryptoKey;

  private constructor(certificate: string, key: CryptoKey) {
    this.certificate = certificate;
    this.#issuer = new Certificate(certificate);
    this.#key = key;
  }

  static async open({ certificate, key }: Pair): Promise<Authority> {
    const der = createPrivateKey(key).export({ format: 'der', type: 'pkcs8' });
    return new Authority(certificate, await webcrypto.subtle.importKey('pkcs8', der, P256, false, ['sign']));
  }

  /** The certificate and key of a server under these host names and addresses. */
  async server(hosts: readonly string[], now: number): Promise<Pair> {
    const keys = await generate();
    const names = hosts.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? 'ip' : 'dns', value }) as const);
    const extensions = [
      new SubjectAlternativeNameExtension([...names]),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    ];
    const certificate = await this.#issue(`CN=${hosts[0]}`, keys.publicKey, extensions, now);
    return { certificate, key: await exportKey(keys.privateKey) };
  }

  /** A certificate for the key of a request, whoever it says it is of. Refuses (`enrolment-refused`) what is none. */
  async vehicle(request: string, vehicle: string, now: number): Promise<string> {
    const csr = await readRequest(request);
    const extensions = [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])];
    return this.#issue(`CN=${vehicle}`, csr.publicKey, extensions, now);
  }

  async #issue(
    subject: string,
    publicKey: CryptoKey | PublicKey,
    extensions: (SubjectAlternativeNameExtension | ExtendedKeyUsageExtension)[],
    now: number,
  ): Promise<string> {
    const certificate = await X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject,
      issuer: this.#issuer.subject,
      publicKey,
      signingKey: this.#key,
      signingAlgorithm: P256,
      ...validity(now, CERTIFICATE_LIFETIME),
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        ...extensions,
      ],
    });
    return `${certificate.toString('pem')}\n`;
  }
}

/** A new authority for the Director of that name. */
export async function createAuthority(name: string, now: number): Promise<Pair> {
  const keys = await generate();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${name} Director`,
    keys,
    signingAlgorithm: P256,
    ...validity(now, CA_LIFETIME),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
}

/** SHA-256 of a certificate, in hexadecimal digits. */
export function fingerprintOf(certificate: string | Buffer): string {
  return new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();
}

async function readRequest(pem: string): Promise<Pkcs10CertificateRequest> {
  try {
    const request = new Pkcs10CertificateRequest(pem);
    // Signed by its own key: nobody gets a certificate for the key of another.
    if (await request.verify()) return request;
  } catch (error) {
    throw new RepositoryError(
      'enrolment-refused',
      `this is no certificate request: ${messageOf(error)}`,
      error,
    );
  }
  throw new RepositoryError('enrolment-refused', 'the certificate request is not signed by its own key');
}

function generate(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
}

async function exportKey(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();
}

/** Positive, and not to be guessed (CA/Browser Forum: 64 random bits at least). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function validity(now: number, lifetime: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date((now - BACKDATED) * 1000), notAfter: new Date((now + lifetime) * 1000) };
}
