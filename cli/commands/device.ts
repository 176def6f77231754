// moult device run: a simulated device. Its flash is a file, so it survives restarts; its core is the real one.
import { Client } from '../../host/node/client.ts';
import { systemClock } from '../../host/node/clock.ts';
import { systemFetch } from '../../host/node/http.ts';
import { RepositoryError } from '../../repo/index.ts';
import { exitOf, reportDeviceError, statusCode } from '../device/failure.ts';
import { FolderDevice, type Provisioning } from '../device/folder.ts';
import { Show } from '../device/show.ts';
import type { AddCommand } from '../main.ts';
import type { Output } from '../output.ts';
import { readInput, type Session } from '../session.ts';

interface Options {
  readonly url: string;
  readonly root?: string;
  readonly hw?: string;
  readonly component: string;
  readonly interval: number;
  readonly once?: true;
  readonly insecureHttp?: true;
}

const EXAMPLES = `
The folder holds the device: flash.bin is all that it has and knows. The first run provisions it with a hardware id
and a root of trust; later runs need neither. The device checks at once, then every interval; Ctrl-C switches it off.

Examples:
  moult device run board1 --url http://127.0.0.1:8080 --root acme-lock/public/metadata/1.root.json --hw esp32c3
  moult device run board1 --url http://127.0.0.1:8080 --once`;

export const addDevice: AddCommand = (program, run) => {
  program
    .command('device')
    .description('devices that run the real core on this machine')
    .command('run <folder>')
    .description('run a device whose flash is a file')
    .requiredOption('--url <address>', 'the repository: metadata/ and targets/ lie below')
    .option('--root <file>', 'root of trust of a new device')
    .option('--hw <id>', 'hardware id of a new device')
    .option('--component <name>', 'component of a new device', 'app')
    .option('--interval <seconds>', 'from one check to the next, of a new device', parseInterval, 3600)
    .option('--once', 'one check with all that follows from it, then stop')
    .option('--insecure-http', 'allow plain HTTP beyond this machine')
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, folder: string, options: Options) => {
        try {
          await runDevice(session, session.path(folder), options);
        } catch (error) {
          session.exit = reportDeviceError(error, session.output);
        }
      }),
    );
};

async function runDevice(session: Session, folder: string, options: Options): Promise<void> {
  const { output } = session;
  const show = new Show(output);
  const stop = new AbortController();
  const client = createClient(options, show, stop.signal);
  const device = new FolderDevice({
    folder,
    provisioning: await provisioning(session, options),
    hardwareId: options.hw,
    onProvisioned: (hardwareId, version) =>
      output.event(`provisioned as ${hardwareId} with root version ${version}`),
  });
  session.io.onStop(() => stop.abort());
  try {
    const outcome = await client.run({
      powerOn: () => device.powerOn(client),
      selfTest: () => true,
      wait: async (until) => !options.once && (await waitUntil(until, stop.signal, output)),
    });
    output.result({ ...device.summary(), status: statusCode(outcome.status) });
    if (options.once) session.exit = exitOf(outcome.status);
    else output.event('switched off', 'plain');
  } finally {
    show.end();
    device.switchOff();
  }
}

function createClient(options: Options, show: Show, stop: AbortSignal): Client {
  const base = options.url.endsWith('/') ? options.url : `${options.url}/`;
  return new Client({
    metadataUrl: `${base}metadata/`,
    targetsUrl: `${base}targets/`,
    allowHttp: options.insecureHttp ?? false,
    fetch: (url, init) =>
      systemFetch(url, { ...init, signal: init.signal ? AbortSignal.any([init.signal, stop]) : stop }),
    // What breaks off because the user switches the device off is no event.
    onEvent: (event) => {
      if (!stop.aborted) show.event(event);
    },
  });
}

async function provisioning(session: Session, options: Options): Promise<Provisioning | undefined> {
  const { root, hw: hardwareId, component, interval: checkInterval } = options;
  if (root === undefined || hardwareId === undefined) return undefined;
  const image = { version: 'factory', releaseCounter: 0, securityCounter: 0 };
  const buildTime = session.io.clock();
  return {
    configuration: { hardwareId, component, ...image, buildTime, checkInterval },
    root: await readInput('the root of trust', session.path(root)),
  };
}

/** The longest that a timer can run, in milliseconds; a device that wakes early finds that it is not time yet. */
const LONGEST = 2 ** 31 - 1;

/** Resolves to false when the user has switched the device off. */
function waitUntil(until: number, stop: AbortSignal, output: Output): Promise<boolean> {
  if (stop.aborted) return Promise.resolve(false);
  output.event(`next check at ${new Date(until * 1000).toISOString()}`, 'plain');
  const wait = Math.min(Math.max(0, until * 1000 - Date.now()), LONGEST);
  return new Promise((resolve) => {
    const callOff = systemClock.after(wait, () => resolve(true));
    stop.addEventListener('abort', () => {
      callOff();
      resolve(false);
    });
  });
}

function parseInterval(text: string): number {
  if (!/^\d{2,9}$/.test(text) || Number(text) < 60)
    throw new RepositoryError('bad-argument', `--interval takes 60 seconds or more, not "${text}"`);
  return Number(text);
}
