import { FetchKind } from './abi.ts';
import { HostError } from './errors.ts';

/**
 * A base address, ready to be appended to. TLS by default: plain HTTP only to this machine, or when it is
 * allowed explicitly. Throws `address-invalid` or `insecure`.
 */
export function baseAddress(text: string, allowHttp: boolean): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new HostError('address-invalid', `${text}: not an address; write it as https://host/path`, {
      cause,
    });
  }
  if (url.username || url.password || url.search || url.hash)
    throw new HostError(
      'address-invalid',
      `${text}: an address with a password, query or fragment cannot be used`,
    );
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new HostError('address-invalid', `${text}: the repository must be reached over https`);
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname))
    throw new HostError(
      'insecure',
      `${text}: without TLS everybody on the way sees which device asks for what; use https, or allow plain http explicitly`,
    );
  // Without the `?` or `#` of a query or fragment that is empty: a name goes after it.
  const base = url.origin + url.pathname;
  return base.endsWith('/') ? base : `${base}/`;
}

/** Addresses of what a device fetches, as a user gives them. */
export interface Addresses {
  /** Base address of the metadata. */
  readonly metadataUrl: string;
  /** Base address of the images. */
  readonly targetsUrl: string;
  /** Where the Director has its metadata, for a device that has one; else nothing is asked for there. */
  readonly directorUrl?: string;
  /** Base address of delegated roles, for servers that keep them apart; that of the metadata when left out. */
  readonly delegationsUrl?: string;
  /** Plain http to other machines too. */
  readonly allowHttp?: boolean;
}

/** Base addresses by kind, ready to be appended to. */
export interface Bases extends Readonly<Record<FetchKind, string>> {
  readonly delegations: string;
}

/** Throws `address-invalid` or `insecure`. */
export function baseAddresses(addresses: Addresses): Bases {
  const { metadataUrl, targetsUrl, directorUrl, delegationsUrl, allowHttp = false } = addresses;
  const metadata = baseAddress(metadataUrl, allowHttp);
  const otherwise = (url: string | undefined) => (url === undefined ? metadata : baseAddress(url, allowHttp));
  return {
    [FetchKind.METADATA]: metadata,
    [FetchKind.TARGET]: baseAddress(targetsUrl, allowHttp),
    [FetchKind.DIRECTOR]: otherwise(directorUrl),
    delegations: otherwise(delegationsUrl),
  };
}

/** A file below a base address. Undefined: a name that could leave it. */
export function fileAddress(base: string, name: string): string | undefined {
  const segments = name.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) return undefined;
  return base + segments.map(encodeURIComponent).join('/');
}

/**
 * What the core asks for, below the base address of its kind. The names of metadata are percent-encoded already: a role
 * may have any name. Undefined: a name that could leave that address.
 */
export function wantedAddress(bases: Bases, kind: FetchKind, name: string): string | undefined {
  if (kind === FetchKind.TARGET) return fileAddress(bases[kind], name);
  const base = kind === FetchKind.DIRECTOR || TOP_LEVEL.test(name) ? bases[kind] : bases.delegations;
  return /^(?!\.\.?$)(?:[\w.~-]|%[0-9A-F]{2})+$/.test(name) ? base + name : undefined;
}

/** Files of the roles that a root names. */
const TOP_LEVEL = /^(?:\d+\.)?(?:root|timestamp|snapshot|targets)\.json$/;

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
