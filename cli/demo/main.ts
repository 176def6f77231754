// From the arguments of `npm start` to an exit status.
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { HostError, StatusError } from '../../host/node/errors.ts';
import { messageOf, RepositoryError, systemCode } from '../../repo/index.ts';
import { DEVICE_PROGRAM } from '../../sim/process.ts';
import { EXIT, type ExitStatus, exitStatus } from '../exit.ts';
import { createOutput, formatBytes, type Output } from '../output.ts';
import type { Io } from '../session.ts';
import { updateFileDevice } from './filedevice.ts';
import { Unexpected } from './finding.ts';
import { defaultFirmware, readFirmware } from './firmware.ts';
import { describeEngines, play, type Summary } from './story.ts';

/** Where the demo works, below the project's folder. */
const DIRECTORY = '.moult-demo';

/** `io.cwd`: the project's folder. Relative paths of the user start where npm was called (INIT_CWD). */
export async function main(argv: readonly string[], io: Io): Promise<ExitStatus> {
  const output = createOutput(io, argv.includes('--json'));
  const called = io.env.INIT_CWD ?? io.cwd;
  try {
    const path = parse(argv, io);
    const firmware = path === undefined ? defaultFirmware() : await readFirmware(resolve(called, path));
    const directory = join(io.cwd, DIRECTORY);
    const show = (target: string) => relative(called, target) || '.';
    const summary = await play({
      firmware,
      directory,
      output,
      show,
      ownProcesses: existsSync(DEVICE_PROGRAM),
      updateFileDevice: (url) => updateFileDevice(directory, url, io),
    });
    conclude(summary, io.cwd, directory, show, output);
    return EXIT.ok;
  } catch (error) {
    return report(error, output);
  }
}

/** The path of the user's firmware. Throws CommanderError; help is printed and ends the same way. */
function parse(argv: readonly string[], io: Io): string | undefined {
  const program = new Command('npm start --')
    .description(
      'Shows moult at work: a fleet that is updated, cut off, given a broken release, and attacked.',
    )
    .argument('[firmware]', 'an image of yours; MicroPython when left out')
    .option('--json', 'print one JSON value instead of lines')
    .addHelpText(
      'after',
      '\nExit status: 0 all came out as it must, 1 something did not or the image was refused, 2 usage.',
    )
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: () => undefined,
    })
    .exitOverride()
    .parse(argv, { from: 'user' });
  return program.args[0];
}

function conclude(
  { boards, engines, releases, cuts, attacks, vehicles, bytesServed, seconds, ...rest }: Summary,
  project: string,
  directory: string,
  show: (path: string) => string,
  output: Output,
): void {
  const tool = `node ${show(join(project, 'bin', 'moult'))}`;
  const repository = show(join(directory, 'repository'));
  const device = show(join(directory, 'device'));
  output.line();
  output.event(
    `${boards} boards (${describeEngines(engines)}), ${releases} releases, ${cuts.length} power cuts survived, ${attacks.length} attacks refused, 3 vehicles; ` +
      `${formatBytes(bytesServed)} served in ${seconds.toFixed(1)} s`,
  );
  output.line();
  output.line('What to type next');
  output.line(`  ${tool} -C ${repository} status`);
  output.line(
    `  ${tool} verify ${repository} --root ${join(repository, 'public', 'metadata', '1.root.json')}`,
  );
  output.line(`  ${tool} -C ${repository} serve`);
  output.line('and in a second terminal, to bring a device that runs 1.1.0 up to date:');
  output.line(`  ${tool} device run ${device} --url http://127.0.0.1:8080 --once`);
  output.result({
    ...rest,
    boards,
    engines,
    releases,
    cuts,
    attacks,
    vehicles,
    bytesServed,
    seconds,
    repository,
    device,
  });
}

function report(error: unknown, output: Output): ExitStatus {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    const message = error.message.replace(/^error: /, '').replace(/\.$/, '');
    output.failure('usage', `${message}; try: npm start -- --help`);
    return EXIT.usage;
  }
  if (error instanceof RepositoryError) {
    output.failure(error.code, error.message);
    return exitStatus(error.code);
  }
  const code = codeOf(error);
  if (code === undefined) throw error;
  output.failure(code, messageOf(error));
  return EXIT.refused;
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof Unexpected) return 'unexpected';
  if (error instanceof HostError) return error.code;
  if (error instanceof StatusError) return 'device-refused';
  return systemCode(error) === undefined ? undefined : 'write-failed';
}
