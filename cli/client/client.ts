// The commands of moult-client, on the core that a device carries.
import { readFileSync } from 'node:fs';
import { Client } from '../../host/node/client.ts';
import type { Core } from '../../host/node/core.ts';
import { download } from './download.ts';
import type { Command } from './options.ts';
import { State } from './state.ts';
import { Watch } from './watch.ts';

/** Throws unless the whole command was done: StatusError for what the core finds, HostError for all else. */
export async function run(command: Command): Promise<void> {
  const state = new State(command.metadataDir);
  if (command.command === 'init') return state.init(readFileSync(command.root));
  return state.use((core) => update(core, command, state));
}

async function update(
  core: Core,
  command: Exclude<Command, { command: 'init' }>,
  state: State,
): Promise<void> {
  const { metadataUrl } = command;
  const watch = new Watch((name) => state.note(name));
  const client = new Client({
    metadataUrl,
    targetsUrl: command.command === 'download' ? command.targetBaseUrl : metadataUrl,
    allowHttp: true,
    onEvent: (event) => watch.event(event),
  });
  watch.expect(await client.check(core));
  if (command.command === 'refresh') return;
  for (const name of command.targetNames)
    await download({ client, core, watch, name, folder: command.targetDir, drafts: state.drafts });
}
