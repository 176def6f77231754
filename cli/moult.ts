// The process around `main`.
import { systemClock } from '../repo/index.ts';
import { main } from './main.ts';

const { stdin, stdout, stderr, env } = process;

// A reader that closes the pipe (`moult status | head`) is not an error.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await main(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  interactive: stdin.isTTY === true && stderr.isTTY === true,
  env,
  cwd: process.cwd(),
  clock: systemClock,
  onStop: (stop) => {
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  },
});
