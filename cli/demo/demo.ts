// The process around `npm start`.
import { systemClock } from '../../repo/index.ts';
import { main } from './main.ts';

const { stdin, stdout, stderr, env } = process;

process.exitCode = await main(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  interactive: stdout.isTTY === true && stderr.isTTY === true,
  env,
  cwd: process.cwd(),
  clock: systemClock,
  onStop: () => undefined,
});
