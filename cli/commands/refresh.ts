// moult refresh: more time for what is published.
import type { AddCommand } from '../main.ts';
import { oneOf } from '../session.ts';
import { showPublication } from './publish.ts';

const REFRESHABLE = ['snapshot', 'timestamp', 'root'] as const;
const EXAMPLES = `
Signs a role anew before it expires, without changing what is published: snapshot signs snapshot and timestamp,
timestamp only itself, root a new root version with the same keys. Targets are renewed by "moult publish".

Examples:
  moult refresh
  moult refresh timestamp
  moult refresh root`;

export const addRefresh: AddCommand = (program, run) => {
  program
    .command('refresh [role]')
    .description('sign snapshot and timestamp anew before they expire')
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, role: string = 'snapshot') => {
        const chosen = oneOf('the role to refresh', REFRESHABLE, role);
        const repository = await session.openRepository();
        showPublication(session, await repository.refresh(chosen));
      }),
    );
};
