// Exit statuses, the same for every command.
import type { ErrorCode } from '../repo/index.ts';

export const EXIT = { ok: 0, refused: 1, usage: 2, network: 3, signaturesMissing: 4, expired: 5 } as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** For `--help`. */
export const EXIT_HELP = 'Exit status: 0 ok, 1 refused, 2 usage, 3 network, 4 signatures missing, 5 expired.';

const STATUS: Partial<Record<ErrorCode, ExitStatus>> = {
  'bad-argument': EXIT.usage,
  'passphrase-missing': EXIT.usage,
  network: EXIT.network,
  'port-busy': EXIT.network,
  'signatures-missing': EXIT.signaturesMissing,
  expired: EXIT.expired,
};

export function exitStatus(code: ErrorCode): ExitStatus {
  return STATUS[code] ?? EXIT.refused;
}

/** Of several faults the gravest: what was forged or damaged before what is missing before what is late. */
export function gravest(codes: readonly ErrorCode[]): ExitStatus {
  const statuses = codes.map(exitStatus);
  const order = [EXIT.refused, EXIT.usage, EXIT.network, EXIT.signaturesMissing, EXIT.expired];
  return order.find((status) => statuses.includes(status)) ?? EXIT.ok;
}
