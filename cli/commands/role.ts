// moult role: who signs what.
import { RepositoryError, ROLES } from '../../repo/index.ts';
import type { AddCommand } from '../main.ts';
import { collect, oneOf } from '../session.ts';
import { showPublication } from './publish.ts';

interface Options {
  readonly key: string[];
  readonly threshold?: number;
}

const EXAMPLES = `
Writes a new root, signed by the old and the new root keys, that gives the role other keys: new ones, or those named.
What the role signs is signed by its old and new keys until it is next published or refreshed, so that clients with
either root can follow. The old key files stay in keys/; remove them when you no longer need them.

Examples:
  moult role rotate timestamp
  moult role rotate targets --key alice --key bob --threshold 2`;

export const addRole: AddCommand = (program, run) => {
  const role = program.command('role').description('change who signs what');
  role
    .command('rotate <role>')
    .description('replace all keys of root, targets, snapshot or timestamp')
    .option('--key <name>', 'take keys/NAME.pub instead of a new key; may be repeated', collect, [])
    .option('--threshold <n>', 'how many of them must sign (default: as before)', parseThreshold)
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, name: string, options: Options) => {
        const chosen = oneOf('the role', ROLES, name);
        const repository = await session.openRepository();
        const publication = await repository.rotateKeys(chosen, {
          ...(options.key.length > 0 && { keys: options.key }),
          ...(options.threshold !== undefined && { threshold: options.threshold }),
        });
        showPublication(session, publication);
        session.output.event(`${chosen} has new keys`);
      }),
    );
};

function parseThreshold(text: string): number {
  if (!/^\d{1,2}$/.test(text))
    throw new RepositoryError('bad-argument', `--threshold takes a number, not "${text}"`);
  return Number(text);
}
