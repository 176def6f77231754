// moult device run: a simulated device. Its flash is a file, so it survives restarts; its core is the real one.
import type { ClientOptions } from '../../host/node/client.ts';
import { RepositoryError } from '../../repo/index.ts';
import { reportDeviceError } from '../device/failure.ts';
import { type NewDevice, runDevice } from '../device/run.ts';
import type { AddCommand } from '../main.ts';

interface Options extends NewDevice {
  readonly url: string;
  readonly once?: true;
  readonly insecureHttp?: true;
}

const EXAMPLES = `
The folder holds the device: flash.bin is all that it has and knows. The first run provisions it with a hardware id
and a root of trust; later runs need neither. The device checks at once, then every interval; Ctrl-C switches it off.

Examples:
  moult device run board1 --url http://127.0.0.1:8080 --root acme-lock/public/metadata/1.root.json --hw esp32c3
  moult device run board1 --url http://127.0.0.1:8080 --once
  moult device run board2 --url http://127.0.0.1:8080 --root public/metadata/1.root.json --hw esp32c3 --key new`;

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
    .option('--key <file>', 'key for encrypted payloads of a new device, or new: it makes its own')
    .option('--interval <seconds>', 'from one check to the next, of a new device', parseInterval, 3600)
    .option('--once', 'one check with all that follows from it, then stop')
    .option('--insecure-http', 'allow plain HTTP beyond this machine')
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, folder: string, options: Options) => {
        try {
          await runDevice(session, {
            folder: session.path(folder),
            device: options,
            once: options.once ?? false,
            client: repositoryAt(options),
          });
        } catch (error) {
          session.exit = reportDeviceError(error, session.output);
        }
      }),
    );
};

function repositoryAt({ url, insecureHttp }: Options): ClientOptions {
  const base = url.endsWith('/') ? url : `${url}/`;
  return {
    metadataUrl: `${base}metadata/`,
    targetsUrl: `${base}targets/`,
    allowHttp: insecureHttp ?? false,
  };
}

function parseInterval(text: string): number {
  if (!/^\d{2,9}$/.test(text) || Number(text) < 60)
    throw new RepositoryError('bad-argument', `--interval takes 60 seconds or more, not "${text}"`);
  return Number(text);
}
