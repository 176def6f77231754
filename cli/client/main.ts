// The process of moult-client: exit status 0 or 1, and on standard error why; with --uptane a line on standard output.
import { STATUS_TEXTS } from '../../host/node/abi.ts';
import { StatusError } from '../../host/node/errors.ts';
import { run } from './client.ts';
import { runMapped } from './mapped.ts';
import { parse, USAGE, UsageError } from './options.ts';
import { exitOf, runUptane } from './uptane.ts';

async function main(args: readonly string[]): Promise<void> {
  const request = parse(args);
  if (request.command === 'help') process.stdout.write(USAGE);
  else if (request.client === 'tuf') await run(request.command);
  else if (request.client === 'mapped') await runMapped(request.command);
  else {
    const report = await runUptane(request.command);
    process.stdout.write(`${JSON.stringify(report)}\n`);
    process.exitCode = exitOf(report);
  }
}

const args = process.argv.slice(2);

main(args).catch((error: unknown) => {
  process.exitCode = error instanceof UsageError && args.includes('--uptane') ? 2 : 1;
  process.stderr.write(`moult-client: ${describe(error)}\n`);
  if (error instanceof UsageError) process.stderr.write('Try moult-client --help\n');
});

/** A finding of the core keeps its name, for whoever looks it up. */
function describe(error: unknown): string {
  if (error instanceof StatusError) return `${error.message} (${STATUS_TEXTS.get(error.status)?.name})`;
  return error instanceof Error ? error.message : String(error);
}
