// What happens while a client works, so that an error can say where it began.
import { FetchKind, Role, Status } from '../../host/node/abi.ts';
import type { ClientEvent, Outcome } from '../../host/node/client.ts';
import { HostError, StatusError } from '../../host/node/errors.ts';

export class Watch {
  readonly #onMetadata: (name: string) => void;
  /** The last fault, and the file or address that it concerns. */
  #fault: { readonly status: number; readonly what: string } | undefined;

  /** `onMetadata` gets the name of each metadata file before it is fetched. */
  constructor(onMetadata: (name: string) => void) {
    this.#onMetadata = onMetadata;
  }

  event(event: ClientEvent): void {
    if (event.type === 'fetch' && event.kind === FetchKind.METADATA) this.#onMetadata(event.name);
    else if (event.type === 'refused') this.#fault = { status: event.status, what: event.name };
    else if (event.type === 'interrupted') this.#fault = { status: Status.NETWORK, what: event.message };
    else if (event.type === 'absent') this.#fault = { status: Status.NOT_FOUND, what: event.name };
  }

  /** Throws unless the core is content. `what` was asked for; left out: the metadata, which a role names. */
  expect(outcome: Outcome, what?: string): void {
    if (outcome.action !== 'wait') throw new HostError('core-call', `the core wants a ${outcome.action}`);
    const { status, role } = outcome;
    if (status >= 0) return;
    const began = this.#fault?.status === status ? this.#fault.what : undefined;
    throw new StatusError(status, began ?? what ?? roleName(role));
  }
}

function roleName(role: Role): string {
  const [name = 'metadata'] = Object.entries(Role).find(([, value]) => value === role) ?? [];
  return name.toLowerCase();
}
