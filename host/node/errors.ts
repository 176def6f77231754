import { STATUS_TEXTS } from './abi.ts';

/** What can go wrong on a host, apart from what the core finds. Append only. */
export type HostErrorCode =
  /** moult.wasm is missing, damaged, or of another ABI version */
  | 'module-unusable'
  /** the engine that should run the core is not built, or there is none of that name */
  | 'engine-missing'
  /** the core stopped at a bug of its own */
  | 'core-trap'
  /** the core asked for something that it must not ask for */
  | 'core-call'
  /** this core has ended; the device must be powered on again */
  | 'core-ended'
  /** the file that holds a device's flash cannot be used */
  | 'flash-file'
  /** an operation that NOR flash does not have */
  | 'flash-misuse'
  /** a repository address that cannot be used */
  | 'address-invalid'
  /** a repository address without TLS that is not on this machine */
  | 'insecure'
  /** an argument of a wrong type, length or value */
  | 'argument-invalid'
  /** a sealed text that was changed, or sealed with another key */
  | 'not-authentic'
  /** flash that cannot be read where nothing can be done without it */
  | 'flash-unreadable'
  /** a type of key, or a scheme of signatures by it, that is not known */
  | 'scheme-unknown'
  /** a file that should be a bundle cannot be read */
  | 'bundle-unreadable'
  /** a file that is no bundle, or not a whole one */
  | 'bundle-invalid'
  /** a map of repositories that cannot be read, or says what it must not */
  | 'map-invalid'
  /** too few of the repositories in a map agree on a target, or one of them is refused */
  | 'map-unmet'
  /** what an ECU sent is no report */
  | 'report-invalid';

export class HostError extends Error {
  override readonly name = 'HostError';
  readonly code: HostErrorCode;

  constructor(code: HostErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A status of the core that ends what the host was doing. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  /** The status, see `Status`. */
  readonly status: number;

  constructor(status: number, what: string) {
    super(`${what}: ${statusMessage(status)}`);
    this.status = status;
  }
}

/** What a status says to a person. */
export function statusMessage(status: number): string {
  return STATUS_TEXTS.get(status)?.message ?? `status ${status}`;
}
