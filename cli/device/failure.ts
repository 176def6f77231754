// What a status or an error of the device side is on the command line.
import { STATUS_TEXTS, Status } from '../../host/node/abi.ts';
import { HostError, StatusError } from '../../host/node/errors.ts';
import { EXIT, type ExitStatus } from '../exit.ts';
import type { Output } from '../output.ts';

/** The name of a status, for programs. */
export function statusCode(status: number): string {
  return STATUS_TEXTS.get(status)?.name.toLowerCase().replaceAll('_', '-') ?? `${status}`;
}

/** What a check that ended so makes of the command. */
export function exitOf(status: number): ExitStatus {
  switch (status) {
    case Status.SIGNATURES:
      return EXIT.signaturesMissing;
    case Status.EXPIRED:
      return EXIT.expired;
    case Status.NETWORK:
    case Status.NOT_FOUND:
    case Status.RANGE:
    case Status.TRUNCATED:
      return EXIT.network;
    default:
      return status < 0 || status === Status.RELEASE_FAILED_BEFORE ? EXIT.refused : EXIT.ok;
  }
}

/** Errors of the device side keep their code; all others are the program's. */
export function reportDeviceError(error: unknown, output: Output): ExitStatus {
  if (error instanceof StatusError) {
    output.failure(statusCode(error.status), error.message);
    return exitOf(error.status);
  }
  if (!(error instanceof HostError)) throw error;
  output.failure(error.code, error.message);
  return error.code === 'address-invalid' ? EXIT.usage : EXIT.refused;
}
