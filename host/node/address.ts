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
export function wantedAddress(base: string, kind: FetchKind, name: string): string | undefined {
  if (kind === FetchKind.TARGET) return fileAddress(base, name);
  return /^(?!\.\.?$)(?:[\w.~-]|%[0-9A-F]{2})+$/.test(name) ? base + name : undefined;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
