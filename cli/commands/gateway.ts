// moult gateway: what a device asks that has only a line, answered on a socket.
import { baseAddress } from '../../host/node/address.ts';
import { Bundle, bundleUpstream } from '../../host/node/bundle.ts';
import type { GatewayEvent, GatewayOptions } from '../../host/node/gateway.ts';
import { RepositoryError } from '../../repo/index.ts';
import { reportDeviceError } from '../device/failure.ts';
import { gatewayLine } from '../device/show.ts';
import { serveSocket } from '../device/socket.ts';
import type { AddCommand } from '../main.ts';
import type { Output } from '../output.ts';
import { collect, type Session } from '../session.ts';

interface Options {
  readonly url?: string;
  readonly directorUrl?: string;
  readonly bundle?: string;
  readonly timeServer: readonly string[];
  readonly insecureHttp?: true;
}

const EXAMPLES = `
Devices without a network of their own connect to the socket (docs/formats.md, "Link"): a moult-device with --link, an
emulated board with its serial line on it. Nothing here is trusted: the device judges what it gets.

Examples:
  moult gateway /tmp/line --url http://127.0.0.1:8080
  moult gateway /tmp/line --bundle field.bundle`;

export const addGateway: AddCommand = (program, run) => {
  program
    .command('gateway <socket>')
    .description('answer devices that have only a line, on a Unix socket')
    .option('--url <address>', 'the repository: metadata/ and targets/ lie below')
    .option('--director-url <address>', "the Director's metadata, for devices that have one")
    .option('--bundle <file>', 'a bundle instead of it: no network is needed')
    .option('--time-server <host:port>', 'a time server (Roughtime); may be repeated', collect, [])
    .option('--insecure-http', 'allow plain HTTP beyond this machine')
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, path: string, options: Options) => {
        try {
          const timeServers = options.timeServer;
          await serve(session, session.path(path), { ...upstream(session, options), timeServers });
        } catch (error) {
          session.exit = reportDeviceError(error, session.output);
        }
      }),
    );
};

type Upstream = Pick<
  GatewayOptions,
  'metadataUrl' | 'targetsUrl' | 'directorUrl' | 'allowHttp' | 'fetch' | 'timeServers'
>;

/** Throws what is wrong with it before there is a device to ask. The bundle is open as long as the process lives. */
function upstream(session: Session, { url, directorUrl, bundle, insecureHttp }: Options): Upstream {
  if ((url === undefined) === (bundle === undefined))
    throw new RepositoryError('bad-argument', 'name the server with --url, or a bundle with --bundle');
  if (bundle !== undefined) return bundleUpstream(new Bundle(session.path(bundle)));
  const base = url?.endsWith('/') ? url : `${url}/`;
  const allowHttp = insecureHttp ?? false;
  return {
    metadataUrl: baseAddress(`${base}metadata/`, allowHttp),
    targetsUrl: baseAddress(`${base}targets/`, allowHttp),
    ...(directorUrl !== undefined && { directorUrl: baseAddress(directorUrl, allowHttp) }),
    allowHttp,
  };
}

async function serve({ io, output }: Session, path: string, from: Upstream): Promise<void> {
  const line = await serveSocket(path, { ...from, onEvent: (event) => show(event, output) });
  output.event(`answering devices on ${path} (Ctrl-C ends it)`);
  output.result({ socket: path });
  await new Promise<void>((done) => io.onStop(done));
  await line.close();
  output.event('stopped', 'plain');
}

function show(event: GatewayEvent, output: Output): void {
  const line = gatewayLine(event);
  if (line) output.event(...line);
}
