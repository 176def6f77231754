// The process of moult-client: exit status 0 or 1, and on standard error why.
import { run } from './client.ts';
import { parse, USAGE, UsageError } from './options.ts';

async function main(args: readonly string[]): Promise<void> {
  const request = parse(args);
  if (request.command === 'help') process.stdout.write(USAGE);
  else await run(request);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.exitCode = 1;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`moult-client: ${message}\n`);
  if (error instanceof UsageError) process.stderr.write('Try moult-client --help\n');
});
