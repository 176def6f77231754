// moult client: what bin/moult-client does, as a verb.
import { RepositoryError } from '../../repo/index.ts';
import { run as runClient } from '../client/client.ts';
import { runMapped } from '../client/mapped.ts';
import {
  type Command,
  type MappedCommand,
  parse,
  type Request,
  type UptaneCommand,
  USAGE,
  UsageError,
} from '../client/options.ts';
import { exitOf, runUptane } from '../client/uptane.ts';
import { reportDeviceError } from '../device/failure.ts';
import type { AddCommand } from '../main.ts';
import type { Session } from '../session.ts';

export const addClient: AddCommand = (program, run) => {
  program
    .command('client')
    .description('use any TUF repository, or an Uptane pair: refresh metadata, fetch and verify targets')
    .argument('[arguments...]', 'see moult client --help')
    // Its own options stand before its own command, and it reads them itself.
    .allowUnknownOption()
    .helpOption(false)
    .action(
      run(async (session, args: string[]) => {
        const request = read(args);
        if (request.command === 'help') {
          session.io.stdout.write(USAGE.replaceAll('moult-client', 'moult client'));
          return;
        }
        try {
          if (request.client === 'tuf') await client(session, request.command);
          else if (request.client === 'mapped') await mapped(session, request.command);
          else await uptane(session, request.command);
        } catch (error) {
          session.exit = reportDeviceError(error, session.output);
        }
      }),
    );
};

async function client(session: Session, command: Command): Promise<void> {
  await runClient(inFolder(session, command));
  session.output.event(outcome(command));
  session.output.result(command);
}

async function mapped(session: Session, command: MappedCommand): Promise<void> {
  const files = { metadataDir: session.path(command.metadataDir), map: session.path(command.map) };
  switch (command.command) {
    case 'init':
      await runMapped({ ...command, ...files, root: session.path(command.root) });
      session.output.event(
        `${command.repository} is trusted by the root in ${command.root}, and nothing else yet`,
      );
      break;
    case 'refresh':
      await runMapped({ ...command, ...files });
      session.output.event(`all repositories in ${command.map} are up to date`);
      break;
    case 'download':
      await runMapped({ ...command, ...files, targetDir: session.path(command.targetDir) });
      session.output.event(`agreed on, in ${command.targetDir}: ${command.targetNames.join(', ')}`);
  }
  session.output.result(command);
}

/** One line of JSON, whoever reads it. */
async function uptane(session: Session, command: UptaneCommand): Promise<void> {
  const report = await runUptane(uptaneInFolder(session, command));
  session.io.stdout.write(`${JSON.stringify(report)}\n`);
  session.exit = exitOf(report);
}

function uptaneInFolder(session: Session, command: UptaneCommand): UptaneCommand {
  const metadataDir = session.path(command.metadataDir);
  if (command.command !== 'init') {
    const { sources, tls } = command;
    const found = 'map' in sources ? { ...sources, map: session.path(sources.map) } : sources;
    const shown = tls && {
      cert: session.path(tls.cert),
      key: session.path(tls.key),
      ...(tls.ca !== undefined && { ca: session.path(tls.ca) }),
    };
    const targetDir = session.path(command.targetDir);
    return { ...command, metadataDir, sources: found, ...(shown && { tls: shown }), targetDir };
  }
  const roots = {
    directorRoot: session.path(command.directorRoot),
    imageRoot: session.path(command.imageRoot),
  };
  return { ...command, metadataDir, ...roots };
}

function read(args: readonly string[]): Request {
  try {
    return parse(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new RepositoryError('bad-argument', error.message, error);
  }
}

function inFolder(session: Session, command: Command): Command {
  const metadataDir = session.path(command.metadataDir);
  switch (command.command) {
    case 'init':
      return { ...command, metadataDir, root: session.path(command.root) };
    case 'refresh':
      return { ...command, metadataDir };
    case 'download':
      return { ...command, metadataDir, targetDir: session.path(command.targetDir) };
  }
}

function outcome(command: Command): string {
  switch (command.command) {
    case 'init':
      return `${command.metadataDir} trusts the root in ${command.root}, and nothing else yet`;
    case 'refresh':
      return `the metadata in ${command.metadataDir} is up to date`;
    case 'download':
      return `verified, in ${command.targetDir}: ${command.targetNames.join(', ')}`;
  }
}
