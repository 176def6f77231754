// moult gateway: what a device asks that has only a line, answered on a socket.
import { createServer, type Server, type Socket } from 'node:net';
import { baseAddress } from '../../host/node/address.ts';
import { type GatewayEvent, type GatewayOptions, serveLink } from '../../host/node/gateway.ts';
import { messageOf, RepositoryError, systemCode } from '../../repo/index.ts';
import { reportDeviceError } from '../device/failure.ts';
import { reportLine } from '../device/show.ts';
import type { AddCommand } from '../main.ts';
import type { Output } from '../output.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly url: string;
  readonly insecureHttp?: true;
}

const EXAMPLES = `
Devices without a network of their own connect to the socket (docs/formats.md, "Link"): a moult-device with --link, an
emulated board with its serial line on it. Nothing here is trusted: the device judges what it gets.

Examples:
  moult gateway /tmp/line --url http://127.0.0.1:8080`;

export const addGateway: AddCommand = (program, run) => {
  program
    .command('gateway <socket>')
    .description('answer devices that have only a line, on a Unix socket')
    .requiredOption('--url <address>', 'the repository: metadata/ and targets/ lie below')
    .option('--insecure-http', 'allow plain HTTP beyond this machine')
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, path: string, options: Options) => {
        try {
          await serve(session, session.path(path), gatewayOptions(options, session.output));
        } catch (error) {
          session.exit = reportDeviceError(error, session.output);
        }
      }),
    );
};

/** Throws `address-invalid` or `insecure` before there is a device to ask for. */
function gatewayOptions({ url, insecureHttp }: Options, output: Output): GatewayOptions {
  const base = url.endsWith('/') ? url : `${url}/`;
  const allowHttp = insecureHttp ?? false;
  return {
    metadataUrl: baseAddress(`${base}metadata/`, allowHttp),
    targetsUrl: baseAddress(`${base}targets/`, allowHttp),
    allowHttp,
    onEvent: (event) => show(event, output),
  };
}

async function serve({ io, output }: Session, path: string, options: GatewayOptions): Promise<void> {
  const devices = new Set<Socket>();
  const server = createServer((socket) => {
    devices.add(socket);
    // A line that breaks is a device that went away.
    void serveLink(socket, socket, options)
      .catch(() => undefined)
      .finally(() => devices.delete(socket));
  });
  await listen(server, path);
  output.event(`answering devices on ${path} (Ctrl-C ends it)`);
  output.result({ socket: path });
  await new Promise<void>((done) => io.onStop(done));
  for (const socket of devices) socket.destroy();
  await new Promise((done) => server.close(done));
  output.event('stopped', 'plain');
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(unusable(path, error)));
    server.listen(path, resolve);
  });
}

function unusable(path: string, error: unknown): RepositoryError {
  if (systemCode(error) === 'EADDRINUSE')
    return new RepositoryError(
      'port-busy',
      `${path} is there already; remove it if no gateway uses it`,
      error,
    );
  return new RepositoryError('bad-argument', `${path} cannot be a socket: ${messageOf(error)}`, error);
}

function show(event: GatewayEvent, output: Output): void {
  if (event.type === 'report') output.event(...reportLine(event.report));
  else if (event.type === 'interrupted') output.event(event.message, 'warn');
  else if (event.type === 'refused')
    output.event('a device asks what this gateway does not understand', 'warn');
}
