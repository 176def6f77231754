// moult key: key files.
import { writeNewKey } from '../../repo/index.ts';
import type { AddCommand } from '../main.ts';
import { oneOf } from '../session.ts';

interface Options {
  readonly type: string;
  readonly out: string;
  readonly encrypt: boolean;
}

const EXAMPLES = `
Examples:
  moult key gen --type ed25519 --out file:keys/alice.pem
  moult role rotate targets --key alice --key bob --threshold 2`;

export const addKey: AddCommand = (program, run) => {
  const key = program.command('key').description('make keys');
  key
    .command('gen')
    .description('make a key: NAME.pem, the private half, and NAME.pub beside it')
    .requiredOption('--out <uri>', "where to: file:keys/NAME.pem, seen from the repository's folder")
    .option('--type <type>', 'the kind of key', 'ed25519')
    .option('--no-encrypt', 'leave the private key open: for demos and tests only')
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, options: Options) => {
        oneOf('--type', ['ed25519'], options.type);
        const path = session.inside(options.out.replace(/^file:/, ''));
        const made = await writeNewKey(path, options.encrypt, { passphrase: () => session.passphrase(true) });
        if (!options.encrypt) session.output.warn(`${path} is not encrypted: whoever reads it can sign`);
        session.output.event(`key ${made.name} (${made.id}) is in ${path}`);
        session.output.result({ name: made.name, id: made.id, public: made.public, path });
      }),
    );
};
