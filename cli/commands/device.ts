// moult device run: a simulated device. Its flash is a file, so it survives restarts; its core is the real one.
import type { Mode } from '../../host/node/abi.ts';
import type { ClientOptions } from '../../host/node/client.ts';
import type { Core } from '../../host/node/core.ts';
import { StatusError } from '../../host/node/errors.ts';
import { readLog } from '../../host/node/log.ts';
import { RepositoryError } from '../../repo/index.ts';
import { reportDeviceError } from '../device/failure.ts';
import { FolderDevice, MODES } from '../device/folder.ts';
import { parseInterval } from '../device/interval.ts';
import { showLog } from '../device/log.ts';
import { type NewDevice, runDevice } from '../device/run.ts';
import { showStatus } from '../device/status.ts';
import type { AddCommand } from '../main.ts';
import { collect, type Session } from '../session.ts';
import { addFactory } from './factory.ts';

interface Options extends NewDevice {
  readonly url: string;
  readonly approve?: true;
  readonly postpone?: number;
  readonly once?: true;
  readonly timeServer: readonly string[];
  readonly insecureHttp?: true;
}

const EXAMPLES = `
The folder holds the device: flash.bin is all that it has and knows. The first run provisions it with a hardware id
and a root of trust; later runs need neither. The device checks at once, then every interval; Ctrl-C switches it off.

Examples:
  moult device run board1 --url http://127.0.0.1:8080 --root acme-lock/public/metadata/1.root.json --hw esp32c3
  moult device run board1 --url http://127.0.0.1:8080 --once
  moult device run board2 --url http://127.0.0.1:8080 --root public/metadata/1.root.json --hw esp32c3 --key new
  moult device run board1 --url http://127.0.0.1:8080 --once --approve
  moult device run board3 --url http://127.0.0.1:8080 --root public/metadata/1.root.json --hw esp32c3 \\
    --component app --component model --component radio=nrf52
  moult device run board4 --url http://127.0.0.1:8080 --root public/metadata/1.root.json --hw esp32c3 \\
    --component app --component moult

The component moult is the core itself: the device runs it from its slot, and returns to the one before it where it
cannot.`;

export const addDevice: AddCommand = (program, run) => {
  const device = program.command('device').description('devices that run the real core on this machine');
  addFactory(device, run);
  addLog(device, run);
  addPolicy(device, run);
  addStatus(device, run);
  device
    .command('run <folder>')
    .description('run a device whose flash is a file')
    .requiredOption('--url <address>', 'the repository: metadata/ and targets/ lie below')
    .option('--root <file>', 'root of trust of a new device')
    .option('--hw <id>', 'hardware id of a new device')
    .option(
      '--component <name>',
      'component of a new device (default: app); others are updated with the first: NAME or NAME=HARDWARE',
      collect,
    )
    .option('--key <file>', 'key for encrypted payloads of a new device, or new: it makes its own')
    .option('--interval <seconds>', 'from one check to the next, of a new device', parseInterval, 3600)
    .option('--approve', 'install what waits for the approval of the user')
    .option(
      '--postpone <seconds>',
      'not now: boot into a new image no earlier than so many seconds from now',
      parseSeconds,
    )
    .option('--once', 'one check with all that follows from it, then stop')
    .option('--time-key <file>', 'key of a time server, NAME.pub, of a new device; may be repeated', collect)
    .option('--time-server <host:port>', 'a time server (Roughtime); may be repeated', collect, [])
    .option('--insecure-http', 'allow plain HTTP beyond this machine')
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, folder: string, options: Options) => {
        try {
          await runDevice(session, {
            folder: session.path(folder),
            device: options,
            once: options.once ?? false,
            approve: options.approve ?? false,
            postpone: options.postpone,
            client: repositoryAt(options),
          });
        } catch (error) {
          session.exit = reportDeviceError(error, session.output);
        }
      }),
    );
};

const LOG_EXAMPLES = `
Each entry follows from the one before it. Exit status 1: entries are damaged, or were changed.

Examples:
  moult device log board1
  moult device log board1 --json`;

const addLog: AddCommand = (device, run) => {
  device
    .command('log <folder>')
    .description('what became of a device, from its own log')
    .addHelpText('after', LOG_EXAMPLES)
    .action(
      run(async (session, folder: string) => {
        withDevice(session, folder, (core) => {
          session.exit = showLog(readLog(core.logArea()), session.output);
        });
      }),
    );
};

const STATUS_EXAMPLES = `
Examples:
  moult device status board1
  moult device status board1 --json`;

const addStatus: AddCommand = (device, run) => {
  device
    .command('status <folder>')
    .description(
      'what a device has of each of its components, who it is in a vehicle, its public keys, what is wrong',
    )
    .addHelpText('after', STATUS_EXAMPLES)
    .action(
      run(async (session, folder: string) => {
        withDevice(session, folder, (core) => showStatus(core, session.path(folder), session.output));
      }),
    );
};

const POLICY_EXAMPLES = `
automatic: updates are installed as they come. notify: they are announced and wait for "moult device run --approve".
off: none is installed; the device goes on verifying metadata and says that it was opted out.

Examples:
  moult device policy board1 notify`;

const addPolicy: AddCommand = (device, run) => {
  device
    .command('policy <folder> <mode>')
    .description(`how updates of a device go: ${MODES.join(', ')}`)
    .addHelpText('after', POLICY_EXAMPLES)
    .action(
      run(async (session, folder: string, name: string) => {
        const mode = (MODES as readonly string[]).indexOf(name);
        if (mode < 0)
          throw new RepositoryError('bad-argument', `"${name}" is not one of ${MODES.join(', ')}`);
        withDevice(session, folder, (core) => {
          const status = core.policySet(mode as Mode);
          if (status < 0) throw new StatusError(status, 'the policy');
          session.output.event(`updates from now on: ${name}`);
          session.output.result({ policy: name });
        });
      }),
    );
};

/** Boots a device that is there, without a network, and switches it off again. */
function withDevice(session: Session, folder: string, use: (core: Core) => void): void {
  try {
    const device = new FolderDevice({ folder: session.path(folder), onProvisioned: () => undefined });
    try {
      use(device.wake());
    } finally {
      device.switchOff();
    }
  } catch (error) {
    session.exit = reportDeviceError(error, session.output);
  }
}

function repositoryAt({ url, timeServer, insecureHttp }: Options): ClientOptions {
  const base = url.endsWith('/') ? url : `${url}/`;
  return {
    metadataUrl: `${base}metadata/`,
    targetsUrl: `${base}targets/`,
    timeServers: timeServer,
    allowHttp: insecureHttp ?? false,
  };
}

function parseSeconds(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new RepositoryError('bad-argument', `--postpone takes a number of seconds, not "${text}"`);
  return Number(text);
}
