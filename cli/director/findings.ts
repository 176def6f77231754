// What an ECU says that it refused: cores report the number of a finding, people read its name and the attack that it may be.
import { STATUS_TEXTS } from '../../host/node/abi.ts';

export interface Finding {
  /** As in `Status`: `TARGET_MISMATCH`. */
  readonly name: string;
  readonly message: string;
  /** Empty: no attack in particular. */
  readonly attack: string;
}

/** Of what a report has in `attacks_detected`; undefined: it is not a core's, and may be words already. */
export function findingOf(attacks: string): Finding | undefined {
  const [, status] = /^status (-\d{1,5})$/.exec(attacks) ?? [];
  return status === undefined ? undefined : STATUS_TEXTS.get(Number(status));
}

/** In words, as far as there are any. */
export function attacksText(attacks: string): string {
  const finding = findingOf(attacks);
  if (!finding) return attacks;
  const { name, message, attack } = finding;
  return `${name}: ${message}${attack && ` [${attack}]`}`;
}
