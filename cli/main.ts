// From arguments to an exit status.
import { Command, CommanderError } from 'commander';
import { messageOf, RepositoryError, systemCode } from '../repo/index.ts';
import { commands } from './commands/index.ts';
import { EXIT, EXIT_HELP, type ExitStatus, exitStatus } from './exit.ts';
import { createOutput } from './output.ts';
import { type GlobalOptions, type Io, Session } from './session.ts';

/** Adds one verb, or a noun with its verbs, to the program. `run` gives an action its session. */
export type AddCommand = (program: Command, run: Run) => void;

/** Wraps what a command does: `run(async (session, ...argumentsOfTheCommand) => …)`. */
export type Run = <A extends unknown[]>(
  act: (session: Session, ...args: A) => Promise<void>,
) => (...args: A) => Promise<void>;

const ABOUT =
  'Firmware updates for microcontrollers that cannot be forged, replayed, rolled back, frozen or half-applied.';

const FIRST_STEPS = `
First steps:
  moult init acme-lock
  moult -C acme-lock release add app.bin --component app --version 1.0.0 --hw BOARD
  moult -C acme-lock publish
  moult -C acme-lock serve

Each command has --help with examples.
${EXIT_HELP}`;

/** Runs one command line and returns its exit status; never throws for what the user did or met. */
export async function main(argv: readonly string[], io: Io): Promise<ExitStatus> {
  const program = new Command('moult');
  let session: Session | undefined;
  const run: Run =
    (act) =>
    async (...args) => {
      session = new Session(io, program.opts<GlobalOptions>());
      await act(session, ...args);
    };
  configure(program, io);
  for (const [heading, adds] of commands) {
    program.commandsGroup(heading);
    for (const add of adds) add(program, run);
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return session?.exit ?? EXIT.ok;
  } catch (error) {
    return report(error, session?.output ?? createOutput(io, argv.includes('--json')));
  }
}

function configure(program: Command, io: Io): void {
  program
    .description(ABOUT)
    .option('-C, --dir <folder>', "the repository's folder", '.')
    .option('--json', 'print one JSON value instead of lines', false)
    .option('--passphrase-file <file>', 'read the passphrase from the first line of a file')
    .addHelpText('after', FIRST_STEPS)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: () => undefined,
    })
    .exitOverride();
}

function report(error: unknown, output: ReturnType<typeof createOutput>): ExitStatus {
  if (error instanceof CommanderError) {
    // Help that was asked for, and help for want of a command, are printed already.
    if (error.exitCode === 0) return EXIT.ok;
    if (error.code !== 'commander.help') output.failure('usage', error.message.replace(/^error: /, ''));
    return EXIT.usage;
  }
  if (error instanceof RepositoryError) {
    output.failure(error.code, error.message);
    return exitStatus(error.code);
  }
  if (systemCode(error) === undefined) throw error;
  output.failure('write-failed', messageOf(error));
  return EXIT.refused;
}
