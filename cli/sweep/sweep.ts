// The process around `npm run sweep`.
import { main } from './main.ts';

const { stdout, stderr, env } = process;
const interactive = stdout.isTTY === true && stderr.isTTY === true;

process.exitCode = await main(process.argv.slice(2), { stdout, stderr, interactive, env });
