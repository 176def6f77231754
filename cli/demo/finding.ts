// What a device says, in short, and the way the demo tells of its own failure.
import { type Role, STATUS_TEXTS } from '../../host/node/abi.ts';

/** What a check of a device found. */
export interface Finding {
  readonly status: number;
  readonly role: Role;
}

const ROLE_NAMES = ['root', 'timestamp', 'snapshot', 'targets', 'image'];

/** `timestamp: ROLLBACK` */
export function findingName({ status, role }: Finding): string {
  const name = STATUS_TEXTS.get(status)?.name ?? `status ${status}`;
  const about = ROLE_NAMES[role];
  return about === undefined ? name : `${about}: ${name}`;
}

/** The demo did not come out as it must: a fault of moult, not of the user. */
export class Unexpected extends Error {
  override readonly name = 'Unexpected';
}
