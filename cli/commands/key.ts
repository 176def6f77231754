// moult key: key files.
import { writeEncryptionKey, writeNewKey } from '../../repo/index.ts';
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

const ENCRYPTION_EXAMPLES = `
NAME.key, 32 bytes, is for devices: give it to one, or to a whole fleet, when they are provisioned. NAME.recipient is what
images are encrypted for. Devices can also make keys of their own, and say the public half.

Examples:
  moult key encryption --out file:keys/fleet.key
  moult device run board1 --key keys/fleet.key --url http://127.0.0.1:8080 --root 1.root.json --hw esp32c3
  moult release add app.bin --component app --version 1.0.0 --hw esp32c3 --encrypt-for keys/fleet.recipient`;

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
  key
    .command('encryption')
    .description('make an X25519 key that images can be encrypted for')
    .requiredOption('--out <uri>', "where to: file:keys/NAME.key, seen from the repository's folder")
    .addHelpText('after', ENCRYPTION_EXAMPLES)
    .action(
      run(async (session, options: Pick<Options, 'out'>) => {
        const made = await writeEncryptionKey(session.inside(options.out.replace(/^file:/, '')));
        session.output.event(`encryption key ${made.public} is in ${made.path}; keep it secret`);
        session.output.result(made);
      }),
    );
};
