// The process of moult-client: exit status 0 or 1, and on standard error why.
import { STATUS_TEXTS } from '../../host/node/abi.ts';
import { StatusError } from '../../host/node/errors.ts';
import { run } from './client.ts';
import { parse, USAGE, UsageError } from './options.ts';

async function main(args: readonly string[]): Promise<void> {
  const request = parse(args);
  if (request.command === 'help') process.stdout.write(USAGE);
  else await run(request);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.exitCode = 1;
  process.stderr.write(`moult-client: ${describe(error)}\n`);
  if (error instanceof UsageError) process.stderr.write('Try moult-client --help\n');
});

/** A finding of the core keeps its name, for whoever looks it up. */
function describe(error: unknown): string {
  if (error instanceof StatusError) return `${error.message} (${STATUS_TEXTS.get(error.status)?.name})`;
  return error instanceof Error ? error.message : String(error);
}
