// moult publish: lets clients see what was added.
import { formatTime, type Publication } from '../../repo/index.ts';
import type { AddCommand } from '../main.ts';
import type { Session } from '../session.ts';

const EXAMPLES = `
Signs targets, snapshot and timestamp anew, over exactly the releases in releases/, and shows them in one step: releases of
several components that were added since the last time are one update. Releases that do not go together are refused, by
what the newest of each component for a board require and exclude.

Examples:
  moult publish
  MOULT_PASSPHRASE=… moult -C acme-lock publish --json`;

export const addPublish: AddCommand = (program, run) => {
  program
    .command('publish')
    .description('sign what was added and let clients see it, in one step')
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session) => {
        const repository = await session.openRepository();
        showPublication(session, await repository.publish());
        session.output.line('  Next: moult serve');
      }),
    );
};

/** One line for each file that was signed, and for each release that came or went. */
export function showPublication({ output }: Session, publication: Publication): void {
  for (const { role, version, expires } of publication.roles) {
    output.event(`${role} ${version} is signed, until ${formatTime(expires)}`);
  }
  for (const path of publication.added) output.event(`${path} is published`);
  for (const path of publication.removed) output.event(`${path} is withdrawn`, 'warn');
  output.result(publication);
}
