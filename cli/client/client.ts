// The commands of moult-client, on the core that a device carries.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { STATUS_TEXTS, Status } from '../../host/node/abi.ts';
import type { BootControl } from '../../host/node/boot.ts';
import { Client } from '../../host/node/client.ts';
import { Core } from '../../host/node/core.ts';
import { HostError, StatusError, statusMessage } from '../../host/node/errors.ts';
import { provision } from '../../host/node/provision.ts';
import { AreaFiles } from './areas.ts';
import { mirror } from './mirror.ts';
import type { Request } from './options.ts';

/** What the store needs to know of a device; a client for any repository is none. */
const CONFIGURATION = { buildTime: 1, checkInterval: 60 };

/** Nothing boots here. */
const NO_BOOT: BootControl = {
  slot: 0,
  onTrial: false,
  select: () => false,
  confirm: () => true,
  revert: () => true,
};

/** Throws unless the whole command was done. */
export async function run(request: Exclude<Request, { command: 'help' }>): Promise<void> {
  const { metadataDir } = request;
  const state = join(metadataDir, '.moult');
  if (request.command === 'init') {
    const root = readFileSync(request.root);
    rmSync(state, { recursive: true, force: true });
    return withCore(metadataDir, state, async (core) => {
      core.coreStart();
      provision(core, CONFIGURATION, root);
    });
  }
  if (!existsSync(state))
    throw new HostError('flash-file', `${metadataDir} has no trusted root: begin with init`);
  return withCore(metadataDir, state, (core) => refresh(core, request.metadataUrl));
}

/** Whatever happens, the folder shows in the end what is trusted. */
async function withCore(folder: string, state: string, act: (core: Core) => Promise<void>): Promise<void> {
  const flash = new AreaFiles(state);
  const core = new Core({ flash, boot: NO_BOOT });
  try {
    await act(core);
  } finally {
    mirror(core, folder);
    flash.close();
  }
}

async function refresh(core: Core, metadataUrl: string): Promise<void> {
  let refused = '';
  const client = new Client({
    metadataUrl,
    targetsUrl: metadataUrl,
    allowHttp: true,
    onEvent: (event) => {
      if (event.type === 'refused') refused = `${event.name}: ${finding(event.status)}`;
      if (event.type === 'interrupted') refused = event.message;
    },
  });
  if (!client.start(core)) throw new StatusError(Status.NOT_PROVISIONED, 'the trust store');
  const outcome = await client.check(core);
  if (outcome.action !== 'wait') throw new HostError('core-call', `the core wants a ${outcome.action}`);
  if (outcome.status < 0) throw new Error(refused || finding(outcome.status));
}

function finding(status: number): string {
  return `${statusMessage(status)} (${STATUS_TEXTS.get(status)?.name})`;
}
