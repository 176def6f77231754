// moult time: signed time for devices, by Roughtime.
import { RepositoryError, readSigningKey } from '../../repo/index.ts';
import { type RoughtimeEvent, serveRoughtime } from '../../server/roughtime/server.ts';
import type { AddCommand } from '../main.ts';
import type { Output } from '../output.ts';
import { collect } from '../session.ts';
import { showPublication } from './publish.ts';

interface ServeOptions {
  readonly key: string[];
  readonly host: string;
  readonly port: number;
  readonly radius: number;
}

const SERVE_EXAMPLES = `
The clock of this machine must be right to within --radius seconds: keep it so by NTP. Give an old key and its successor
while devices have either. Requests come as UDP datagrams.

Examples:
  moult key gen --out file:time/time-1.pem
  moult time serve --key time/time-1.pem --host 0.0.0.0
  moult device run board1 --url http://127.0.0.1:8080 --root 1.root.json --hw esp32c3 \\
    --time-key time/time-1.pub --time-server 127.0.0.1:2002`;

const TRUST_EXAMPLES = `
Writes a new root that names the keys of time servers. Devices that were given time keys take these instead, and their
clocks start again from their build time. With no key they return to those that they were given.

Examples:
  moult time trust time/time-2.pub
  moult time trust time/time-1.pub time/time-2.pub
  moult time trust --provisioned`;

export const addTime: AddCommand = (program, run) => {
  const time = program.command('time').description('signed time for devices');
  time
    .command('serve')
    .description('a time server (Roughtime)')
    .requiredOption('--key <file>', 'its long-term key, NAME.pem; may be repeated', collect)
    .option('--host <address>', 'the IP address to listen on', '127.0.0.1')
    .option('--port <n>', 'the UDP port; 0 for a free one', whole('--port', 0, 65_535), 2002)
    .option('--radius <seconds>', 'by how much the clock may be wrong', whole('--radius', 3, 3600), 10)
    .addHelpText('after', SERVE_EXAMPLES)
    .action(
      run(async (session, options: ServeOptions) => {
        const { output } = session;
        const files = options.key.map((file) => session.path(file));
        const keys = [];
        for (const file of files) keys.push(await readSigningKey(file, () => session.passphrase(false)));
        const server = await serveRoughtime({
          keys,
          clock: session.io.clock,
          radius: options.radius,
          host: options.host,
          port: options.port,
          onEvent: (event) => show(event, output),
        });
        const names = keys.map((key) => key.public.keyval.public);
        output.event(`signing the time at ${server.host}:${server.port} (Ctrl-C ends it)`);
        for (const name of names) output.line(`  time key ${name}`);
        output.result({ host: server.host, port: server.port, keys: names });
        await new Promise<void>((done) => session.io.onStop(done));
        await server.close();
        output.event('stopped', 'plain');
      }),
    );
  time
    .command('trust [keys...]')
    .description('name the keys of time servers, NAME.pub, in a new root')
    .option('--provisioned', 'none: those that devices were provisioned with')
    .addHelpText('after', TRUST_EXAMPLES)
    .action(
      run(async (session, keys: string[], { provisioned }: { provisioned?: true }) => {
        if (keys.length > 0 === (provisioned ?? false))
          throw new RepositoryError('bad-argument', 'name the keys of time servers, or say --provisioned');
        const repository = await session.openRepository();
        const files = keys.map((file) => session.path(file));
        showPublication(session, await repository.nameTimeKeys(files));
        session.output.event(
          keys.length > 0
            ? `root names ${keys.length} time keys`
            : 'root names no time keys: devices take those that they were provisioned with',
        );
      }),
    );
};

function show(event: RoughtimeEvent, output: Output): void {
  if (event.type === 'answered') output.event(`${event.requests} answered`, 'plain');
  else output.event(`${event.address}: ${REASONS[event.reason]}`, 'warn');
}

const REASONS = {
  malformed: 'not a request that is answered',
  rate: 'more requests than its share',
} as const;

function whole(option: string, least: number, most: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,5}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
    throw new RepositoryError(
      'bad-argument',
      `${option} takes a number from ${least} to ${most}, not "${text}"`,
    );
  };
}
